//! The geometry of one cell: dissimilarities of its conditions against models, ceilings, chance and twins; and its dimension.

use super::Recorded;
use crate::method::Bench;
use crate::plan::Representing;
use crate::spec::Distance;
use ndarray::{Array2, ArrayView2, Axis};
use patchclamp_probes::compare::dissimilarity::condition_means;
use patchclamp_probes::compare::noise::residuals;
use patchclamp_probes::compare::{
    Dissimilarities, Resampled, Similarity, compare_models, condition_permutation, participation_ratio, precision,
    two_nn,
};
use patchclamp_probes::{DataError, Interval};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Orders of the conditions that show what chance gives.
const SHUFFLES: usize = 200;

/// The share of neighbours that the authors of TwoNN leave out.
const DISCARDED: f64 = 0.1;

/// What is told of a cell. What could not be computed, as nothing varies there, is none.
#[derive(Serialize, Deserialize)]
pub(super) struct Told {
    /// Of each model.
    pub(super) models: Vec<Agreed>,
    /// The noise ceiling, from below and from above.
    pub(super) ceiling: Option<[f64; 2]>,
    /// Participation ratio and two nearest neighbours, and the same of twins.
    pub(super) dimensions: [Option<f64>; 2],
    pub(super) of_twins: [Option<f64>; 2],
    /// The states, `[prompt, value]`.
    pub(super) states: Vec<f32>,
}

/// How a model agrees.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Agreed {
    /// With its interval.
    pub(super) agreement: Option<[f64; 3]>,
    /// One-sided, of conditions named at random.
    pub(super) p: Option<f64>,
    /// The mean of that, with the range of its middle.
    pub(super) shuffled: Option<[f64; 3]>,
    /// The mean of twins with random weights.
    pub(super) twins: Option<f64>,
}

/// Everything of one cell.
pub(super) fn told(bench: &Bench, plan: &Representing, recorded: &Recorded, cell: usize) -> Told {
    let own = recorded[0][cell].view();
    let (of_subjects, whole) = (subjects(own, plan), dissimilarities(own, plan));
    let compared = of_subjects.as_ref().ok().and_then(|subjects| compared(bench, plan, subjects).ok());
    let model = |index: usize| {
        let (model, similarity) = (&plan.models[index].1, plan.similarity.into());
        let agreement = compared.as_ref().map(|compared| {
            let Interval { low, high } = compared.intervals[index];
            [compared.similarities[index], low, high]
        });
        let whole = whole.as_ref().ok();
        let draws = bench.statistics.permutations;
        let p = whole.and_then(|whole| condition_permutation(model, whole, similarity, draws, bench.seed).ok());
        let shuffled = whole.and_then(|whole| shuffled(bench, model, whole, similarity));
        let of_twin = |twin: &Vec<Array2<f64>>| agreement_of(twin[cell].view(), plan, model).ok();
        Agreed { agreement, p, shuffled, twins: mean(recorded[1..].iter().map(of_twin)) }
    };
    let twins = |of: fn(ArrayView2<f64>) -> Option<f64>| mean(recorded[1..].iter().map(|twin| of(twin[cell].view())));
    Told {
        models: (0..plan.models.len()).map(model).collect(),
        ceiling: compared.as_ref().and_then(|compared| compared.ceiling).map(|ceiling| [ceiling.lower, ceiling.upper]),
        dimensions: [ratio(own), nearest(own)],
        of_twins: [twins(ratio), twins(nearest)],
        states: own.iter().map(|value| *value as f32).collect(),
    }
}

fn ratio(states: ArrayView2<f64>) -> Option<f64> {
    participation_ratio(states).ok()
}

fn nearest(states: ArrayView2<f64>) -> Option<f64> {
    two_nn(states, DISCARDED).ok()
}

/// The mean, where there is any and none is missing.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.collect::<Option<_>>()?;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The dissimilarities of conditions in all items.
pub(super) fn dissimilarities(states: ArrayView2<f64>, plan: &Representing) -> Result<Dissimilarities, DataError> {
    far_apart(states, [&plan.conditions, &plan.folds], plan.distance)
}

/// The dissimilarities of conditions, by their mean states or, across folds, by the states themselves.
fn far_apart(
    states: ArrayView2<f64>,
    [conditions, folds]: [&[usize]; 2],
    distance: Distance,
) -> Result<Dissimilarities, DataError> {
    let means = condition_means(states, conditions)?;
    match distance {
        Distance::Correlation => Dissimilarities::correlation(means.view()),
        Distance::Cosine => Dissimilarities::cosine(means.view()),
        Distance::SquaredEuclidean => Dissimilarities::squared_euclidean(means.view()),
        Distance::Crossnobis { scatter } => {
            let (residuals, freedom) = residuals(states, conditions)?;
            let precision = precision(residuals.view(), freedom, scatter.into())?;
            Dissimilarities::crossnobis(states, conditions, folds, precision.view())
        }
    }
}

/// The dissimilarities of every subject.
fn subjects(states: ArrayView2<f64>, plan: &Representing) -> Result<Vec<Dissimilarities>, DataError> {
    let last = plan.subjects.iter().max().copied().unwrap_or(0);
    let of = |subject: usize| {
        let items: Vec<usize> = (0..plan.subjects.len()).filter(|item| plan.subjects[*item] == subject).collect();
        let own = |values: &[usize]| items.iter().map(|item| values[*item]).collect::<Vec<_>>();
        let own = [own(&plan.conditions), own(&plan.folds)];
        far_apart(states.select(Axis(0), &items).view(), [&own[0], &own[1]], plan.distance)
    };
    (0..=last).map(of).collect()
}

/// The mean agreement of a model with the subjects.
fn agreement_of(states: ArrayView2<f64>, plan: &Representing, model: &Dissimilarities) -> Result<f64, DataError> {
    let subjects = subjects(states, plan)?;
    let each = subjects.iter().map(|subject| Similarity::from(plan.similarity).of(model, subject));
    Ok(each.sum::<Result<f64, _>>()? / subjects.len() as f64)
}

/// All models against the subjects, with intervals over conditions and, where there are several, subjects.
fn compared(
    bench: &Bench,
    plan: &Representing,
    subjects: &[Dissimilarities],
) -> Result<patchclamp_probes::compare::Comparison, DataError> {
    let models: Vec<Dissimilarities> = plan.models.iter().map(|(_, model)| model.clone()).collect();
    let resampled = if subjects.len() > 1 { Resampled::Both } else { Resampled::Conditions };
    let statistics = bench.statistics;
    let similarity = plan.similarity.into();
    compare_models(&models, subjects, similarity, resampled, statistics.level, statistics.resamples, bench.seed)
}

/// What a model gets whose conditions are named at random: the mean, and the range of its middle.
fn shuffled(
    bench: &Bench,
    model: &Dissimilarities,
    whole: &Dissimilarities,
    similarity: Similarity,
) -> Option<[f64; 3]> {
    let mut random = ChaCha8Rng::seed_from_u64(bench.seed);
    let mut order: Vec<usize> = (0..model.conditions()).collect();
    let mut draw = || {
        order.shuffle(&mut random);
        similarity.of(&model.reordered(&order), whole).ok()
    };
    let draws: Vec<f64> = (0..SHUFFLES).map(|_| draw()).collect::<Option<_>>()?;
    let Interval { low, high } = Interval::percentile(&draws, bench.statistics.level)?;
    Some([draws.iter().sum::<f64>() / draws.len() as f64, low, high])
}
