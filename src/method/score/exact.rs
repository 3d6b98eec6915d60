//! Exact scores: every edge patched by itself, everything behind its port running freely.

use super::Scorer;
use super::order::Reader;
use super::written::Written;
use crate::hook::{Change, Edit, Edits, Record};
use crate::method::Side;
use crate::method::sweep::{made, rows_of};
use crate::model::{HookError, Pass, Start, at_positions, run};
use crate::site::{Place, Site};
use crate::steps::{RunError, Steps};
use crate::tensor::{Setting, Tensor, from_doubles};
use crate::text::Tokens;

/// The most rows, an edge for an item, that one step runs: what a killed run may lose.
const STEP: usize = 512;

/// The clean run of a batch of items, and what the corrupted one changes.
struct Base {
    items: Vec<usize>,
    tokens: Tokens,
    streams: Record,
    change: Written,
    values: Vec<f64>,
}

/// A source, at all positions or one of them, for an item of the batch: its change goes into every port of a reader, a row each.
#[derive(Clone, Copy)]
struct Pair {
    node: usize,
    place: Option<usize>,
    item: usize,
}

impl Scorer<'_> {
    /// Scores of a batch of items, `[item][edge]`: what the metric of the clean run changes by when one edge brings what
    /// stands in for what its source writes. `None` where some step is another shard's.
    pub fn exact(&self, items: &[usize], steps: &mut Steps) -> Result<Option<Vec<Vec<f32>>>, RunError> {
        let mut ready: Option<Base> = None;
        let mut make = || self.base(items);
        let mut scores = vec![vec![0.0; self.order.count()]; items.len()];
        let mut whole = true;
        for reader in Reader::all(self.bench.model.dims().layers) {
            let ports = reader.ports(self.order);
            let pairs = self.pairs(ports.start, items.len());
            for some in pairs.chunks((STEP / ports.len()).max(1)) {
                let found = steps.step(some.len() * ports.len(), || {
                    self.effects(made(&mut ready, &mut make)?, reader, some, ports.len())
                })?;
                whole &= found.is_some();
                for (Pair { node, place, item }, effects) in some.iter().zip(found.into_iter().flatten()) {
                    let edges = ports.clone().map(|port| self.order.edge_at(*node, port, place.unwrap_or(0)));
                    edges.zip(effects).for_each(|(edge, effect)| scores[*item][edge.expect("asked for")] = effect);
                }
            }
        }
        Ok(whole.then_some(scores))
    }

    /// What is patched into a reader, given by its first port.
    fn pairs(&self, port: usize, items: usize) -> Vec<Pair> {
        let placed = |node: usize| {
            let there = (0..self.order.places()).filter(move |place| self.order.edge_at(node, port, *place).is_some());
            there.map(move |place| (node, self.order.positions().map(|_| place)))
        };
        let sources = (0..self.order.reads(port)).flat_map(placed);
        sources.flat_map(|(node, place)| (0..items).map(move |item| Pair { node, place, item })).collect()
    }

    fn base(&self, items: &[usize]) -> Result<Base, HookError> {
        let model = self.bench.model;
        let tokens = self.bench.tokens(items, Side::Clean);
        let read = Reader::all(model.dims().layers).into_iter().map(|reader| reader.stream(model));
        let mut streams = Record::of(Written::sites(model).into_iter().chain(read));
        let logits = run(model, &Pass::whole(&tokens).reading(self.bench.read(items)), &mut streams)?;
        let values = self.bench.values(&logits, items);
        let change = self.change(items, &Written::of(&streams, model))?;
        Ok(Base { items: items.to_vec(), tokens, streams, change, values })
    }

    /// The effect at each port of a reader, `[pair][port]`.
    fn effects(&self, base: &Base, reader: Reader, pairs: &[Pair], ports: usize) -> Result<Vec<Vec<f32>>, HookError> {
        let mut effects = Vec::with_capacity(pairs.len());
        for chunk in pairs.chunks((self.bench.rows / ports).max(1)) {
            let values = self.patched(base, reader, chunk, ports)?;
            for (pair, values) in chunk.iter().zip(values.chunks_exact(ports)) {
                effects.push(values.iter().map(|value| (value - base.values[pair.item]) as f32).collect());
            }
        }
        Ok(effects)
    }

    /// The metric of a row for each pair and port, pair by pair.
    fn patched(&self, base: &Base, reader: Reader, chunk: &[Pair], ports: usize) -> Result<Vec<f64>, HookError> {
        let model = self.bench.model;
        let rows: Vec<usize> = chunk.iter().flat_map(|pair| std::iter::repeat_n(pair.item, ports)).collect();
        let of_items: Vec<usize> = rows.iter().map(|row| base.items[*row]).collect();
        let (tokens, read) = (base.tokens.rows_at(&rows), self.bench.read(&of_items));
        let stream = |site: Site| base.streams.at(site).expect("asked for above").clone();
        let changed = self.changed(base, reader, chunk);
        let (layer, edits) = match reader {
            Reader::Heads(layer) => (layer, self.at_heads(layer, changed)),
            Reader::Mlp(layer) => (layer, at_parts(layer, ports, &changed)),
            Reader::Logits => {
                let logits = model.read_out(at_positions(changed.squeeze_dim(1), &read, 0), &read);
                return Ok(self.bench.values(&logits, &of_items));
            }
        };
        let start = Start::at(layer, rows_of(stream(Site::ResidPre(layer)), &rows).squeeze_dim(1));
        let pass = Pass { start, read, ..Pass::whole(&tokens) };
        let logits = run(model, &pass, &mut Edits::new(edits))?;
        Ok(self.bench.values(&logits, &of_items))
    }

    /// What the reader reads when each pair's source brings its change, `[pair, 1, pos, d_model]`.
    fn changed(&self, base: &Base, reader: Reader, chunk: &[Pair]) -> Tensor<4> {
        let model = self.bench.model;
        let of = |alike: &[Pair]| {
            let items: Vec<usize> = alike.iter().map(|pair| pair.item).collect();
            let stream = base.streams.at(reader.stream(model)).expect("asked for above").clone();
            let change = base.change.added_by(model, self.order.nodes[alike[0].node]);
            let change = alike[0].place.map_or(change.clone(), |place| only_at(change, place));
            rows_of(stream, &items) + rows_of(change, &items)
        };
        Tensor::cat(chunk.chunk_by(|a, b| (a.node, a.place) == (b.node, b.place)).map(of).collect(), 0)
    }

    /// Queries, keys and values of single heads from changed streams: of pair i's rows one for each port, in their order.
    fn at_heads(&self, layer: usize, changed: Tensor<4>) -> Vec<Edit> {
        let block = self.bench.model.block(layer);
        let (pairs, heads) = (changed.dims()[0], self.bench.model.dims().heads);
        let read = block.attention.by_heads(block.norm1.apply(changed).squeeze_dim(1));
        let sites = [Site::Query(layer), Site::Key(layer), Site::Value(layer)];
        let edit = |(kind, head): (usize, usize)| {
            let rows = (0..pairs).map(|pair| pair * 3 * heads + 3 * head + kind).collect();
            let place = Place { rows: Some(rows), heads: Some(vec![head]), ..Place::all(sites[kind]) };
            Edit { place, change: Change::Put(read[kind].clone().narrow(1, head, 1)) }
        };
        (0..3).flat_map(|kind| (0..heads).map(move |head| (kind, head))).map(edit).collect()
    }
}

/// A change `[row, 1, pos, d_model]` at one position alone.
fn only_at(change: Tensor<4>, place: usize) -> Tensor<4> {
    let positions = change.dims()[2];
    let here = (0..positions).map(|position| f64::from(u8::from(position == place))).collect();
    let mask: Tensor<4> = from_doubles(here, [1, 1, positions, 1], &Setting::of(&change));
    change * mask
}

/// What the parts of an MLP read from changed streams: of pair i's rows one for each part, in their order.
fn at_parts(layer: usize, parts: usize, changed: &Tensor<4>) -> Vec<Edit> {
    let edit = |part: usize| {
        let rows = (0..changed.dims()[0]).map(|pair| pair * parts + part).collect();
        let place = Place { rows: Some(rows), heads: Some(vec![part]), ..Place::all(Site::MlpIn(layer)) };
        Edit { place, change: Change::Put(changed.clone()) }
    };
    (0..parts).map(edit).collect()
}
