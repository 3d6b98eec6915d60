//! Scores of edges: how much each edge between nodes carries, item by item.

mod activations;
mod carried;
mod exact;
mod flow;
mod gradient;
mod order;
mod slopes;
mod written;

pub use carried::{Carried, OfFeature, span_sites, written_to};
pub use order::{Order, Reader};
pub use written::{Written, from_position};

use super::Bench;
use super::stand_in::StandIns;
use crate::model::{HookError, Model};
use crate::plan::rows_of_length;
use crate::spec::{Score, Stand};
use crate::steps::{RunError, Steps};
use crate::tensor::{Tensor, to_doubles};

/// Numbers that what nodes write may hold when it is as wide as the stream: a sixteenth of a gigabyte in f32.
const ROOM: usize = 1 << 24;

/// The batches that edges are scored, and circuits run, in.
pub fn batches(bench: &Bench) -> Vec<Vec<usize>> {
    let longest = bench.items.iter().map(|item| item.clean.len()).max().unwrap_or(1);
    bench.batches(rows_of_length(longest, bench.rows))
}

/// What scores are computed with.
pub struct Scorer<'a> {
    /// The items and the model, in which every head has keys and values of its own.
    pub bench: &'a Bench<'a>,
    /// The same model on a tape.
    pub taped: &'a dyn Model,
    /// The edges.
    pub order: &'a Order,
    /// What an edge brings when it is ablated.
    pub stand_ins: StandIns<'a>,
}

/// The score of every edge for every item, `[item][edge]`, edges in their order, where an ablated edge brings what `stand`
/// says; `bench` has a model whose heads share nothing.
pub fn scores(
    bench: &Bench,
    order: &Order,
    (score, stand): (Score, Stand),
    steps: &mut Steps,
) -> Result<Vec<Vec<f32>>, RunError> {
    scored(bench, order, score, StandIns::new(bench, stand)?, steps)
}

/// The same where it is known what stands in.
pub fn scored<'a>(
    bench: &'a Bench<'a>,
    order: &'a Order,
    score: Score,
    stand_ins: StandIns<'a>,
    steps: &mut Steps,
) -> Result<Vec<Vec<f32>>, RunError> {
    let taped = bench.model.on_tape();
    let scorer = Scorer { bench, taped: taped.as_ref(), order, stand_ins };
    let mut scores = vec![Vec::new(); bench.items.len()];
    for items in batches(bench) {
        let found = match score {
            Score::Exact => scorer.exact(&items, steps)?,
            score => steps.step(items.len(), || Ok(narrow(scorer.attributed(&items, score)?)))?,
        };
        items.iter().zip(found.into_iter().flatten()).for_each(|(item, found)| scores[*item] = found);
    }
    steps.complete()?;
    Ok(scores)
}

impl Scorer<'_> {
    /// Scores of a batch of items that need no pass for each edge, `[item][edge]`.
    fn attributed(&self, items: &[usize], score: Score) -> Result<Vec<Vec<f64>>, HookError> {
        match score {
            Score::Eap => self.between(items, &[1.0]),
            Score::EapIg { steps } => self.between(items, &fractions(steps)),
            Score::CleanCorrupted => self.between(items, &[0.0, 1.0]),
            Score::EapIgActivations { steps } => self.activations(items, steps),
            Score::InformationFlow => self.flow(items),
            Score::Exact => unreachable!("has steps of its own"),
        }
    }

    /// What stands in for what nodes write, less what they write after the clean prompt.
    fn change(&self, items: &[usize], clean: &Written) -> Result<Written, HookError> {
        Ok(Written::from_states(self.stand_ins.states(items)?).less(clean))
    }
}

/// Where gradients are taken on the way from the corrupted prompt, 0, to the clean one, 1: `steps` of them, the first at 0.
pub fn fractions(steps: usize) -> Vec<f64> {
    (0..steps).map(|step| step as f64 / steps as f64).collect()
}

/// Sums were taken in f64; six digits are more than they are worth, and a third of a gigabyte less for GPT-2 and 2000 items.
fn narrow(scores: Vec<Vec<f64>>) -> Vec<Vec<f32>> {
    scores.into_iter().map(|item| item.into_iter().map(|score| score as f32).collect()).collect()
}

/// Sums over width, and over positions where these are not told apart, of every source times every port, `[row, place, source,
/// port]`, from `[row, source, pos, d_model]` and `[row, port, pos, d_model]`. Positions behind those that have edges are left
/// out: their gradient is zero.
fn product(order: &Order, sources: Tensor<4>, ports: Tensor<4>) -> Tensor<4> {
    let [rows, _, positions, width] = sources.dims();
    let by_place = |all: Tensor<4>| match order.positions() {
        Some(places) => all.narrow(2, 0, places.count).swap_dims(1, 2), // [row, pos, .., d_model]
        None => {
            let nodes = all.dims()[1];
            all.reshape([rows, 1, nodes, positions * width])
        }
    };
    by_place(sources).matmul(by_place(ports).swap_dims(2, 3))
}

/// Adds a share of products `[row, place, source, port]` to each row's scores, at the edges that `edge` names by place, source
/// and port; of places without an edge nothing.
fn spread(
    products: &Tensor<4>,
    share: f64,
    scores: &mut [Vec<f64>],
    edge: impl Fn(usize, usize, usize) -> Option<usize>,
) {
    let [_, places, sources, ports] = products.dims();
    let values = to_doubles(products);
    for (row, values) in scores.iter_mut().zip(values.chunks_exact((places * sources * ports).max(1))) {
        for (index, value) in values.iter().enumerate() {
            let (place, within) = (index / (sources * ports), index % (sources * ports));
            if let Some(number) = edge(place, within / ports, within % ports) {
                row[number] += share * value;
            }
        }
    }
}
