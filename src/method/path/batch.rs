//! A batch of items: both runs recorded, and rows of paths run from where they begin.

use crate::hook::{Activation, Change, Edges, Edit, Edits, Frozen, Record, Route, site_of};
use crate::method::{Bench, Side};
use crate::model::{HookError, Pass, Start, at_positions, run};
use crate::node::{Node, Port};
use crate::plan::{Branch, Paths};
use crate::site::{Place, Site};
use crate::tensor::{Setting, Tensor, from_doubles, from_ints, to_doubles};
use crate::text::Tokens;
use std::collections::{BTreeMap, BTreeSet};

/// Numbers that a batch's recordings, or the inputs of heads in a pass, may hold: a quarter of a gigabyte.
const ROOM: usize = 1 << 26;

/// One row: a path for an item.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// Index of the path in its step.
    pub row: usize,
    /// Index of the item in its batch.
    pub item: usize,
    /// The path.
    pub branch: &'a Branch,
}

/// Where the frozen pass of a path begins, and where the free one behind it; rows that agree on both share a batch.
pub fn begins(branch: &Branch, layers: usize) -> (usize, usize) {
    let free = branch.ends.iter().filter_map(|port| port.layer()).min();
    (branch.route.begin(layers), free.unwrap_or(layers))
}

/// The most items whose recordings are held at once.
pub fn items(bench: &Bench) -> usize {
    const RECORDED: usize = 6; // streams, mixes and MLPs of a layer, of one run or both
    let longest = bench.items.iter().map(|item| item.clean.len()).max().unwrap_or(1);
    let dims = bench.model.dims();
    (ROOM / (RECORDED * dims.layers * longest * dims.d_model)).clamp(1, (bench.rows / 2).max(1))
}

/// Both runs of a batch of items.
pub struct Batch {
    /// Of the bench, by their index in the batch.
    items: Vec<usize>,
    tokens: Tokens,
    frozen: Frozen,
    from: Vec<f64>,
    to: Vec<f64>,
    /// Whether a sender is given something else than what it has, an item each.
    differs: BTreeMap<Node, Vec<bool>>,
}

impl Batch {
    /// Runs the items' prompts of the base side and of the side that senders come from.
    pub fn record(bench: &Bench, items: &[usize], [base, source]: [Side; 2], plan: &Paths) -> Result<Self, HookError> {
        let (model, layers) = (bench.model, bench.model.dims().layers);
        let written = |site: &Site| matches!(site, Site::ResidPre(0) | Site::Mix(_) | Site::MlpOut(_));
        let streams =
            |site: &Site| matches!(site, Site::ResidPre(_) | Site::ResidMid(_)) || *site == model.last_stream();
        let all = model.sites();
        let recorded = |side: Side, sites: Vec<Site>| -> Result<(Record, Vec<f64>), HookError> {
            let (tokens, mut record) = (bench.tokens(items, side), Record::of(sites));
            let logits = run(model, &Pass::whole(&tokens).reading(bench.read(items)), &mut record)?;
            Ok((record, bench.values(&logits, items)))
        };
        let (own, from) = recorded(base, all.iter().copied().filter(|site| written(site) || streams(site)).collect())?;
        let (given, to) = recorded(source, all.iter().copied().filter(written).collect())?;
        let base_states = own.into_kept();
        let at = |(site, given): (Site, Activation)| (site, only_at(&base_states[&site], given, plan.at.as_deref()));
        let given = given.into_kept().into_iter().map(at).collect();
        let out = |layer: usize| {
            let [_, heads, d_head, d_model] = model.block(layer).attention.out_by_head().dims();
            model.block(layer).attention.out_by_head().reshape([heads * d_head, d_model])
        };
        let outs = (0..layers).map(out).collect();
        let neurons = (0..layers).map(|layer| model.block(layer).mlp.apart.clone()).collect();
        let frozen = Frozen { base: base_states, given, outs, neurons, last: model.last_stream() };
        let senders: BTreeSet<Node> = plan.branches.iter().flat_map(|branch| branch.route.senders.clone()).collect();
        let differs = senders.into_iter().map(|node| (node, differ(frozen.change(node)))).collect();
        Ok(Batch { items: items.to_vec(), tokens: bench.tokens(items, base), frozen, from, to, differs })
    }

    /// The metric of the base run and of that which senders come from, an item each.
    pub fn ends(&self) -> (Vec<f64>, Vec<f64>) {
        (self.from.clone(), self.to.clone())
    }

    /// Whether a row changes anything.
    pub fn changes(&self, entry: &Entry) -> bool {
        entry.branch.route.senders.iter().any(|node| self.differs[node][entry.item])
    }

    /// The most rows of a pass.
    pub fn rows(&self, bench: &Bench) -> usize {
        let dims = bench.model.dims();
        (ROOM / (dims.heads * dims.d_model * self.tokens.width())).clamp(1, bench.rows)
    }

    /// The metric of rows that begin alike.
    pub fn run(&self, bench: &Bench, chunk: &[Entry]) -> Result<Vec<f64>, HookError> {
        let layers = bench.model.dims().layers;
        let (begin, free) = begins(chunk[0].branch, layers);
        // where nothing is made anew, what arrives is known without a pass
        let anew = chunk.iter().any(|entry| !entry.branch.route.recomputed().is_empty());
        let begin = if anew { begin } else { layers };
        let rows: Vec<(usize, &Route)> = chunk.iter().map(|entry| (entry.item, &entry.branch.route)).collect();
        let mut edges = Edges::new(&self.frozen, &rows, begin);
        let of_items: Vec<usize> = chunk.iter().map(|entry| self.items[entry.item]).collect();
        let read = bench.read(&of_items);
        let logits = if free < layers {
            let edits = self.arriving(bench, chunk, &mut edges, begin)?;
            self.pass(bench, chunk, free, self.stream(chunk, free), &mut Edits::new(edits))?
        } else if begin < layers {
            let start = edges.start();
            self.pass(bench, chunk, begin, start, &mut edges)?
        } else {
            bench.model.read_out(at_positions(edges.start(), &read, 0), &read)
        };
        Ok(bench.values(&logits, &of_items))
    }

    /// A pass of the chunk's rows from a block on.
    fn pass(
        &self,
        bench: &Bench,
        chunk: &[Entry],
        begin: usize,
        stream: Tensor<3>,
        hook: &mut dyn crate::hook::Hook,
    ) -> Result<Tensor<3>, HookError> {
        let tokens = self.tokens.rows_at(&chunk.iter().map(|entry| entry.item).collect::<Vec<_>>());
        let of_items: Vec<usize> = chunk.iter().map(|entry| self.items[entry.item]).collect();
        let pass = Pass {
            tokens: &tokens,
            start: Start::at(begin, stream),
            first: 0,
            past: None,
            read: bench.read(&of_items),
        };
        run(bench.model, &pass, hook)
    }

    /// What the path brings to each end, as edits of the pass behind it.
    fn arriving(
        &self,
        bench: &Bench,
        chunk: &[Entry],
        edges: &mut Edges,
        begin: usize,
    ) -> Result<Vec<Edit>, HookError> {
        let ends: BTreeSet<Port> = chunk.iter().flat_map(|entry| entry.branch.ends.iter().copied()).collect();
        let mut record = Record::of(ends.iter().filter_map(|port| site_of(*port)));
        if begin < bench.model.dims().layers {
            let start = edges.start();
            self.pass(bench, chunk, begin, start, &mut (&mut *edges, &mut record))?;
        }
        let edit = |port: Port| {
            let (site, head) = (site_of(port)?, port.node().and_then(Node::head));
            let value = match record.at(site) {
                Some(all) => all.clone().narrow(1, head.unwrap_or(0), 1),
                None => edges.read(port),
            };
            let rows: Vec<usize> = (0..chunk.len()).filter(|row| chunk[*row].branch.ends.contains(&port)).collect();
            let heads = head.map(|head| vec![head]);
            let place = Place { rows: Some(rows.clone()), heads, ..Place::all(site) };
            Some(Edit { place, change: Change::Put(rows_of(value, &rows)) })
        };
        Ok(ends.into_iter().filter_map(edit).collect())
    }

    /// The stream of the base run before a block, `[row, pos, d_model]`.
    fn stream(&self, chunk: &[Entry], layer: usize) -> Tensor<3> {
        let rows: Vec<usize> = chunk.iter().map(|entry| entry.item).collect();
        rows_of(self.frozen.base[&Site::ResidPre(layer)].clone(), &rows).squeeze_dim(1)
    }
}

/// Some rows, in the order given and as often as they are named.
fn rows_of(x: Activation, rows: &[usize]) -> Activation {
    let index = from_ints(rows.iter().map(|row| *row as i32).collect(), [rows.len()], &x.device());
    x.select(0, index)
}

/// `given` at some positions, `base` at the others.
fn only_at(base: &Activation, given: Activation, positions: Option<&[usize]>) -> Activation {
    let Some(positions) = positions else { return given };
    let count = base.dims()[2];
    let here = |inside: bool| {
        let at = (0..count).map(|position| f64::from(u8::from(positions.contains(&position) == inside))).collect();
        from_doubles(at, [1, 1, count, 1], &Setting::of(base))
    };
    given * here(true) + base.clone() * here(false)
}

/// Whether anything of an item's change is not zero.
fn differ(change: Activation) -> Vec<bool> {
    let [items, _, positions, _] = change.dims();
    let most = to_doubles(&change.abs().max_dim(3));
    most.chunks_exact(positions).take(items).map(|item| item.iter().any(|difference| *difference != 0.0)).collect()
}
