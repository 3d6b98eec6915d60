//! Circuits: how edges are scored and chosen, and whether the model has edges at all.

use super::neurons::{self, Top};
use super::places;
use super::pruning::check_rate;
use super::{Known, Problems};
use crate::circuit::{Blocks, By, Rule};
use crate::spec::{Judge, Neurons, Positions, Ranking, Score, Select, Stand};

/// What is asked of a circuit.
pub(super) struct Asked<'a> {
    /// How edges are scored.
    pub score: Score,
    /// Which neurons are nodes of their own.
    pub neurons: &'a Neurons,
    /// Whether nodes are of each position.
    pub positions: Positions,
    /// Which are kept.
    pub select: Select,
    /// What of a score counts.
    pub by: Ranking,
    /// What edges outside bring.
    pub ablate: Stand,
    /// Draws of random circuits, and of exchanged answers.
    pub draws: [usize; 2],
}

/// A circuit to be found and run.
#[derive(Clone, Debug, PartialEq)]
pub struct Circuits {
    /// The model's edges; neurons that are yet to be chosen are not among its nodes.
    pub blocks: Blocks,
    /// Neurons that are chosen before edges are scored.
    pub top: Option<Top>,
    /// How edges are scored.
    pub score: Score,
    /// How they are chosen.
    pub rule: Rule,
    /// How many.
    pub size: Size,
    /// What edges outside bring.
    pub stand: Stand,
    /// Random circuits that it is held against.
    pub random: usize,
    /// Circuits of exchanged answers that it is held against.
    pub shuffled: usize,
}

impl Circuits {
    /// The blocks with as many neurons as will be chosen, wherever they are: what sizes are reckoned by before.
    pub fn expected(&self) -> Blocks {
        let count = self.top.as_ref().map_or(0, |top| top.count);
        match count {
            0 => self.blocks.clone(),
            count => self.blocks.with_neurons((0..count).map(|neuron| (self.blocks.layers / 2, neuron))),
        }
    }
}

/// How many edges are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// So many.
    Edges(usize),
    /// As few as do this share of what all edges do.
    Faithful(f64),
}

/// Tokens of a pass on the tape: enough to keep a processor at work, few enough that what the tape keeps is less than weights.
const TOKENS: usize = 256;

/// Items that are scored at once, of prompts of this length, where at most `rows` are allowed.
pub fn rows_of_length(length: usize, rows: usize) -> usize {
    (TOKENS / length.max(1)).clamp(1, rows.max(1))
}

/// More steps of integration than this are a slip of the pen.
const MOST_STEPS: usize = 10_000;

/// A search by trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Acdc {
    /// The model's edges.
    pub blocks: Blocks,
    /// What a lost edge may cost at the most; a search for each.
    pub thresholds: Vec<f64>,
    /// What it costs.
    pub judge: Judge,
    /// What edges outside bring.
    pub stand: Stand,
    /// Random circuits that each is held against.
    pub random: usize,
}

/// The most draws of a null: more would not end.
const MOST_DRAWS: usize = 10_000;

pub(super) fn check_draws(at: &str, draws: usize, problems: &mut Problems) {
    if draws > MOST_DRAWS {
        problems.add(at, format!("{draws} draws; give {MOST_DRAWS} at the most, or 0 for none"));
    }
}

/// The model's edges, or why it has none that could be ablated like this.
pub(super) fn blocks(at: &str, ablate: Stand, known: &Known, problems: &mut Problems) -> Option<Blocks> {
    let Some(flow) = known.model.flow() else {
        problems.add(
            at,
            "needs a model in which everything that heads and MLPs write is added to one stream; here a norm stands between, so a single edge is not defined",
        );
        return None;
    };
    if known.model.setting().precision.is_half() {
        problems.add(at, "what an edge changes is less than half precision rounds away; use `precision: F32` or F64");
    }
    if ablate == Stand::MeanPerPosition && known.is_uneven() {
        let what = "MeanPerPosition needs prompts of one length; use Corrupted, Mean or Zero, or split the data";
        problems.add(&format!("{at}.ablate"), what);
    }
    if let Stand::Optimal { steps, learning_rate } = ablate {
        check_constants(&format!("{at}.ablate"), (steps, learning_rate), known, problems);
    }
    Some(Blocks::new(known.dims().layers, known.dims().heads, flow))
}

/// Whether constants can be fitted.
fn check_constants(at: &str, (steps, rate): (usize, f64), known: &Known, problems: &mut Problems) {
    if steps == 0 || steps > MOST_STEPS {
        problems.add(&format!("{at}.steps"), format!("{steps} is not between 1 and {MOST_STEPS}"));
    }
    check_rate(&format!("{at}.learning_rate"), rate, problems);
    if known.complete && known.items.len() < 2 {
        problems.add(
            at,
            "Optimal fits constants on one half of the items for the other, so it needs at least two; use Mean",
        );
    }
}

/// Whether something stands in before there is a circuit.
pub(super) fn check_search(at: &str, ablate: Stand, problems: &mut Problems) {
    if matches!(ablate, Stand::Optimal { .. }) {
        let what = "Optimal fits constants to a circuit that is there; search with Mean, Zero or Corrupted";
        problems.add(&format!("{at}.ablate"), what);
    }
}

/// The search, or what is wrong with it.
pub(super) fn resolve_acdc(
    at: &str,
    (thresholds, judge, stand, random): (Vec<f64>, Judge, Stand, usize),
    known: &Known,
    problems: &mut Problems,
) -> Option<Acdc> {
    let before = problems.count();
    let blocks = blocks(at, stand, known, problems);
    check_search(at, stand, problems);
    let place = format!("{at}.threshold");
    if thresholds.is_empty() {
        problems.add(&place, "is an empty list; give at least one, for instance 0.01");
    }
    for (index, threshold) in thresholds.iter().enumerate() {
        if !(threshold.is_finite() && *threshold > 0.0) {
            let what = format!(
                "{threshold} is no number above 0: at 0 an edge that does nothing may stay or go by rounding alone; give for instance 0.01"
            );
            problems.add(&place, what);
        }
        if thresholds[..index].contains(threshold) {
            problems.add(&place, format!("{threshold} stands in the list twice; leave one out"));
        }
    }
    check_draws(&format!("{at}.random_circuits"), random, problems);
    let found = Acdc { blocks: blocks?, thresholds, judge, stand, random };
    (problems.count() == before).then_some(found)
}

/// The circuit, or what is wrong with it.
pub(super) fn resolve(at: &str, asked: &Asked, known: &Known, problems: &mut Problems) -> Option<Circuits> {
    let before = problems.count();
    check_steps(at, asked.score, problems);
    let blocks = blocks(at, asked.ablate, known, problems)?;
    let blocks = places::resolve(at, asked.positions, &blocks, known, problems);
    let by = if asked.by == Ranking::Size { By::Size } else { supporting(asked.score) };
    let (rule, size) = choice(asked.select, by);
    let (blocks, top) = neurons::resolve(at, (asked.neurons, asked.score), &blocks, known, problems);
    // how many edges there are when neurons are chosen hangs on where they are
    let all = if top.is_some() { usize::MAX } else { blocks.count() };
    check_size(&format!("{at}.select"), size, all, problems);
    // constants would have to be fitted to every draw
    let [random, shuffled] = if matches!(asked.ablate, Stand::Optimal { .. }) { [0, 0] } else { asked.draws };
    check_draws(&format!("{at}.random_circuits"), random, problems);
    check_draws(&format!("{at}.shuffled_answers"), shuffled, problems);
    let circuits = Circuits { blocks, top, score: asked.score, rule, size, stand: asked.ablate, random, shuffled };
    (problems.count() == before).then_some(circuits)
}

/// How edges are chosen, and how many.
pub(super) fn choice(select: Select, by: By) -> (Rule, Size) {
    match select {
        Select::TopN(count) => (Rule::Top(by), Size::Edges(count)),
        Select::Greedy(count) => (Rule::Greedy(by), Size::Edges(count)),
        Select::Faithful(least) => (Rule::Top(by), Size::Faithful(least)),
    }
}

pub(super) fn check_size(at: &str, size: Size, all: usize, problems: &mut Problems) {
    match size {
        Size::Edges(0) if all == usize::MAX => problems.add(at, "0 edges; give at least one"),
        Size::Edges(count) if count == 0 || count > all => {
            problems.add(at, format!("{count} edges; this model has 1 to {all} to choose from"));
        }
        Size::Faithful(least) if !(least > 0.0 && least <= 1.0) => {
            problems.add(
                at,
                format!("{least} is no share above 0 and up to 1 of what all edges do; give for instance 0.9"),
            );
        }
        Size::Edges(_) | Size::Faithful(_) => {}
    }
}

/// The order of scores that has edges which support the answer first.
pub fn supporting(score: Score) -> By {
    // how near an edge brings a stream has no sign
    if score == Score::InformationFlow { By::Sign } else { By::Loss }
}

pub(super) fn check_steps(at: &str, score: Score, problems: &mut Problems) {
    let (Score::EapIg { steps } | Score::EapIgActivations { steps }) = score else { return };
    check_integration(at, steps, problems);
}

/// Steps that a gradient is averaged over.
pub(super) fn check_integration(at: &str, steps: usize, problems: &mut Problems) {
    if steps == 0 || steps > MOST_STEPS {
        problems.add(&format!("{at}.score.steps"), format!("{steps} is not between 1 and {MOST_STEPS}"));
    }
}
