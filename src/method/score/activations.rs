//! Integrated gradients node by node: one node's output between its two values, everything else as in the clean run.

use super::slopes::Slopes;
use super::written::{Written, part_of, site};
use super::{Scorer, product};
use crate::hook::{Activation, Change, Differentiate, Edit, Edits, Record};
use crate::method::Side;
use crate::method::sweep::rows_of;
use crate::model::{HookError, Pass, Start, run};
use crate::site::{Place, Site};
use crate::tensor::{Tensor, backward, on_tape, to_doubles};
use crate::text::Tokens;

/// One row of a pass: an item with one node at a fraction of the way from its corrupted output to its clean one.
#[derive(Clone, Copy)]
struct Entry {
    node: usize,
    fraction: f64,
    item: usize,
}

/// The runs of a batch of items.
struct Runs {
    tokens: Tokens,
    items: Vec<usize>,
    streams: Record,
    clean: Written,
    change: Written,
}

impl Scorer<'_> {
    /// Scores of a batch of items, `[item][edge]`: (corrupted − clean) of the source times the gradient at the port, the
    /// mean of those with the source's output at 0, 1/m, … of the way from the corrupted to the clean one. That goes its way at
    /// all positions together, also where scores are of positions: these then add up to those of the whole edges.
    pub fn activations(&self, items: &[usize], steps: usize) -> Result<Vec<Vec<f64>>, HookError> {
        let runs = self.runs(items)?;
        let mut scores = vec![vec![0.0; self.order.count()]; items.len()];
        for layer in 0..self.bench.model.dims().layers {
            let here = |node: &usize| self.order.nodes[*node].layer().unwrap_or(0) == layer;
            let nodes = (0..self.order.nodes.len()).filter(here);
            let rows = nodes.flat_map(|node| (0..steps).map(move |step| (node, step as f64 / steps as f64)));
            let entry = |(node, fraction)| (0..items.len()).map(move |item| Entry { node, fraction, item });
            let entries: Vec<Entry> = rows.flat_map(entry).collect();
            for chunk in entries.chunks(self.bench.rows) {
                self.score(&runs, layer, chunk, 1.0 / steps as f64, &mut scores)?;
            }
        }
        Ok(scores)
    }

    fn runs(&self, items: &[usize]) -> Result<Runs, HookError> {
        let (model, tokens) = (self.bench.model, self.bench.tokens(items, Side::Clean));
        let mut streams = Record::of(Written::sites(model).into_iter().chain(Slopes::streams(model, 0)));
        run(model, &Pass::whole(&tokens).reading(self.bench.read(items)), &mut streams)?;
        let clean = Written::of(&streams, model);
        let change = self.change(items, &clean)?;
        Ok(Runs { tokens, items: items.to_vec(), streams, clean, change })
    }

    /// Runs rows whose nodes are all of one layer, and adds their share to the scores.
    fn score(
        &self,
        runs: &Runs,
        layer: usize,
        chunk: &[Entry],
        share: f64,
        scores: &mut [Vec<f64>],
    ) -> Result<(), HookError> {
        let rows: Vec<usize> = chunk.iter().map(|entry| entry.item).collect();
        let stream = runs.streams.at(Site::ResidPre(layer)).expect("asked for above");
        let stream = on_tape(rows_of(stream.clone(), &rows)).squeeze_dim(1);
        let tokens = runs.tokens.rows_at(&rows);
        let of_items: Vec<usize> = rows.iter().map(|row| runs.items[*row]).collect();
        let read = self.bench.read(&of_items);
        let pass = Pass { start: Start::at(layer, stream), read, ..Pass::whole(&tokens) };
        let watch = (Edits::new(self.edits(runs, chunk)), Record::of(Slopes::streams(self.taped, layer)));
        let mut hook = (watch, Differentiate::at(Slopes::sites(self.taped, layer)));
        let logits = run(self.taped, &pass, &mut hook)?;
        let gradients = backward(&self.bench.total(&logits, &of_items));
        let slopes = Slopes::of(&hook.0.1, &hook.1, &gradients);
        let sources = self.sources(runs, chunk);
        slopes.each(self.bench.model, self.order, 0..chunk.len(), |at| {
            let products = product(self.order, sources.clone(), at.slopes); // [row, place, 1, port]
            let values = to_doubles(&products);
            let (ports, places) = (at.ports.len(), self.order.places());
            for (entry, values) in chunk.iter().zip(values.chunks_exact(places * ports)) {
                for (index, value) in values.iter().enumerate() {
                    let port = at.ports[index % ports];
                    let is_fed = entry.node < self.order.reads(port);
                    let edge = is_fed.then(|| self.order.edge_at(entry.node, port, index / ports)).flatten();
                    edge.into_iter().for_each(|edge| scores[entry.item][edge] += share * value);
                }
            }
        });
        Ok(())
    }

    /// What is put in place of each row's node.
    fn edits(&self, runs: &Runs, chunk: &[Entry]) -> Vec<Edit> {
        let mut start = 0;
        let edit = |alike: &[Entry]| {
            let rows: Vec<usize> = (start..start + alike.len()).collect();
            start += alike.len();
            let node = self.order.nodes[alike[0].node];
            let items: Vec<usize> = alike.iter().map(|entry| entry.item).collect();
            let [clean, change] =
                [&runs.clean, &runs.change].map(|kept| rows_of(kept.of_node(self.bench.model, node), &items));
            let value: Activation = clean + change * (1.0 - alike[0].fraction);
            let place = Place {
                rows: Some(rows),
                heads: Some(vec![part_of(self.bench.model, node)]),
                ..Place::all(site(node))
            };
            Edit { place, change: Change::Put(on_tape(value)) }
        };
        chunk.chunk_by(|a, b| (a.node, a.fraction) == (b.node, b.fraction)).map(edit).collect()
    }

    /// The change of each row's node in the stream, `[row, 1, pos, d_model]`.
    fn sources(&self, runs: &Runs, chunk: &[Entry]) -> Tensor<4> {
        let of = |alike: &[Entry]| {
            let items: Vec<usize> = alike.iter().map(|entry| entry.item).collect();
            rows_of(runs.change.added_by(self.bench.model, self.order.nodes[alike[0].node]), &items)
        };
        Tensor::cat(chunk.chunk_by(|a, b| a.node == b.node).map(of).collect(), 0)
    }
}
