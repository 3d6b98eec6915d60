//! The runs that are changed, recorded so that rows can go on from them, and what is put into them.

use super::runs::Runs;
use super::schedule::{Begin, Entry};
use crate::hook::{Activation, Change, Edit, Edits, Record};
use crate::model::{HookError, Pass, Past, Start, run};
use crate::plan::{Cell, changed};
use crate::site::{Place, Site};
use crate::tensor::{Tensor, from_ints, to_doubles};
use std::collections::BTreeMap;

/// Activations by site, `[run, head, pos, width]`.
pub type States = BTreeMap<Site, Activation>;

/// What stands in for activations on a batch of runs.
pub struct Stand {
    /// Each axis is full or 1.
    pub states: States,
    /// The value of the runs that they come from, one a run, where there are such.
    pub metric: Option<Vec<f64>>,
}

/// The recorded runs of a batch with what stands in for their activations.
pub struct Base<'a> {
    runs: Runs<'a>,
    streams: BTreeMap<usize, Tensor<3>>,
    past: Option<Past>,
    stand: Stand,
    differs: BTreeMap<Site, Differs>,
    values: Vec<f64>,
    layers: usize,
    causal: bool,
}

impl<'a> Base<'a> {
    /// Runs a batch whole.
    pub fn record(runs: Runs<'a>, cells: &[Cell], stand: Stand) -> Result<Self, HookError> {
        let (model, layers) = (runs.model, runs.model.dims().layers);
        let changed = changed(cells);
        let begins = begins(&changed, layers);
        let stream = |layer: usize| if layer < layers { Site::ResidPre(layer) } else { model.last_stream() };
        let past = if model.is_causal() { Past::sites(0, layers, model.is_rotary()) } else { Vec::new() };
        let streams = begins.iter().map(|layer| stream(*layer));
        let mut hook = (runs.hook(), Record::of(streams.chain(past).chain(changed.iter().copied())));
        let rows = runs.rows();
        let logits = run(model, &Pass::whole(&runs.tokens).reading(runs.read(&rows)), &mut hook)?;
        let record = hook.1;
        let kept = |layer: &usize| (*layer, record.at(stream(*layer)).expect("asked for above").clone().squeeze_dim(1));
        let differs = |site: &Site| {
            let own = record.at(*site).expect("asked for above").clone();
            (*site, Differs::new(own, stand.states[site].clone()))
        };
        Ok(Base {
            streams: begins.iter().map(kept).collect(),
            past: model.is_causal().then(|| Past::of(&record, layers)),
            differs: changed.iter().map(differs).collect(),
            values: runs.values(&logits, &rows),
            runs,
            stand,
            layers,
            causal: model.is_causal(),
        })
    }

    /// The value of each run, and of those which the replacements come from.
    pub fn ends(&self) -> (Vec<f64>, Vec<f64>) {
        (self.values.clone(), self.stand.metric.clone().unwrap_or_else(|| self.values.clone()))
    }

    /// What runs, and where it is read.
    pub fn runs(&self) -> &Runs<'a> {
        &self.runs
    }

    /// Positions of the prompts.
    pub fn width(&self) -> usize {
        self.runs.tokens.width()
    }

    /// Blocks of the model.
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// Whether a position sees only itself and earlier ones.
    pub fn is_causal(&self) -> bool {
        self.causal
    }

    /// The first position at which a cell puts something else than what is there, at one of its sites, for a run.
    pub fn first_change(&self, cell: &Cell, site: Site, run: usize) -> Option<usize> {
        self.differs[&site].first(&cell.place(site, None), run)
    }

    /// The value of each row of a batch; `cell` gives the cells by their index.
    pub fn run<'c>(&self, cell: impl Fn(usize) -> &'c Cell, chunk: &[Entry]) -> Result<Vec<f64>, HookError> {
        let rows: Vec<usize> = chunk.iter().map(|entry| entry.run).collect();
        let first = chunk.iter().map(|entry| entry.first).min().unwrap_or(0);
        let past = self.past.as_ref().filter(|_| first > 0).map(|past| past.until(first).of_rows(rows.clone()));
        let tokens = self.runs.tokens.rows_at(&rows);
        let start = self.start(chunk, first);
        let own = if matches!(start, Start::Tokens) { self.runs.edits_in(&rows) } else { Vec::new() };
        let pass = Pass { tokens: &tokens, start, first, past: past.as_ref(), read: self.runs.read(&rows) };
        let edits = alike(chunk).into_iter().flat_map(|rows| self.edits(cell(chunk[rows.start].cell), rows, chunk));
        let logits = run(self.runs.model, &pass, &mut Edits::new(own.into_iter().chain(edits).collect()))?;
        Ok(self.runs.values(&logits, &rows))
    }

    /// The streams of a batch's rows, from `first` on, each before the block that its row begins at.
    fn start(&self, chunk: &[Entry], first: usize) -> Start {
        let mut streams = Vec::new();
        for (layer, stream) in &self.streams {
            let here = chunk.iter().filter(|entry| entry.begin == Begin::Layer(*layer));
            let rows: Vec<usize> = here.map(|entry| entry.run).collect();
            if !rows.is_empty() {
                let stream = stream.clone().narrow(1, first, self.width() - first);
                streams.push((*layer, rows_of(stream, &rows)));
            }
        }
        if streams.is_empty() { Start::Tokens } else { Start::Streams(streams) }
    }

    /// The edits of a cell in the rows of the batch that are its own.
    fn edits(&self, cell: &Cell, rows: std::ops::Range<usize>, chunk: &[Entry]) -> Vec<Edit> {
        let runs: Vec<usize> = chunk[rows.clone()].iter().map(|entry| entry.run).collect();
        let edit = |place: Place| {
            let value = place.part_of(&self.stand.states[&place.site]);
            let value = if value.dims()[0] > 1 { rows_of(value, &runs) } else { value };
            Edit { place, change: Change::Put(value) }
        };
        // below their beginning the rows are not there, and nothing of theirs changes
        let reached = cell.sites.iter().filter(|site| Begin::of(**site, self.layers) >= chunk[rows.start].begin);
        reached.map(|site| edit(cell.place(*site, Some(rows.clone().collect())))).collect()
    }
}

/// Runs of rows that belong to one cell and begin together.
fn alike(chunk: &[Entry]) -> Vec<std::ops::Range<usize>> {
    let mut start = 0;
    let run = |rows: &[Entry]| {
        start += rows.len();
        start - rows.len()..start
    };
    chunk.chunk_by(|a, b| (a.cell, a.begin) == (b.cell, b.begin)).map(run).collect()
}

/// The layers that rows may begin at.
fn begins(sites: &[Site], layers: usize) -> Vec<usize> {
    let layer = |site: &Site| match Begin::of(*site, layers) {
        Begin::Layer(layer) => Some(layer),
        Begin::Tokens => None,
    };
    let mut begins: Vec<usize> = sites.iter().filter_map(layer).collect();
    begins.sort_unstable();
    begins.dedup();
    begins
}

/// Some rows, in the order given and as often as they are named.
pub fn rows_of<const D: usize>(x: Tensor<D>, rows: &[usize]) -> Tensor<D> {
    if rows.iter().copied().eq(0..x.dims()[0]) {
        return x;
    }
    let index = from_ints(rows.iter().map(|row| *row as i32).collect(), [rows.len()], &x.device());
    x.select(0, index)
}

/// Where what is put in differs from what is there, at one site: `[run, head, pos]`.
struct Differs {
    shape: [usize; 3],
    at: Vec<bool>,
}

impl Differs {
    fn new(own: Activation, other: Activation) -> Self {
        let [items, heads, positions, _] = own.dims();
        let most = (own - other).abs().max_dim(3);
        // NaN is not known to be the same
        let at = to_doubles(&most).into_iter().map(|difference| difference != 0.0).collect();
        Differs { shape: [items, heads, positions], at }
    }

    fn first(&self, place: &Place, item: usize) -> Option<usize> {
        let [_, heads, positions] = self.shape;
        let all = |picked: &Option<Vec<usize>>, count| picked.clone().unwrap_or_else(|| (0..count).collect());
        let picked = all(&place.heads, heads);
        let differs = |position: usize| {
            picked.iter().any(|head| self.at[(item * heads + head.min(&(heads - 1))) * positions + position])
        };
        let mut places = all(&place.positions, positions);
        places.sort_unstable();
        places.into_iter().find(|position| differs(*position))
    }
}
