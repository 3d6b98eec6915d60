//! The directions of a feature in every stream that is read, and directions drawn by chance to hold them against.

use crate::hook::Activation;
use crate::method::ablate::states as recorded;
use crate::method::score::span_sites;
use crate::method::{Bench, Side};
use crate::model::HookError;
use crate::plan::Feature;
use crate::site::Site;
use crate::tensor::{Setting, Tensor, from_doubles, to_doubles, widen};
use ndarray::{Array2, ArrayView2, ArrayView3, Axis, s};
use patchclamp_probes::Directions;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::collections::BTreeMap;

/// Spans that are drawn by chance for each stream.
pub const DRAWS: usize = 99;

/// A span of directions in one stream.
pub struct Span {
    /// Those of the feature, `[d_model, direction]`.
    pub own: Tensor<2>,
    /// As many by chance, draw by draw, `[d_model, draw · direction]`.
    pub chance: Tensor<2>,
    /// The same in f64; nothing where the feature's prompts do not differ.
    directions: Option<Directions>,
}

impl Span {
    /// How many spans were drawn by chance.
    pub fn draws(&self) -> usize {
        self.chance.dims()[1] / self.own.dims()[1].max(1)
    }

    /// What of the feature's differences its directions hold, 0 to 1.
    pub fn held(&self) -> f64 {
        self.directions.as_ref().map_or(0.0, Directions::share)
    }

    /// The mean squared cosine of the principal angles between two spans of one stream.
    pub fn overlap(&self, other: &Span) -> f64 {
        self.directions.as_ref().zip(other.directions.as_ref()).map_or(0.0, |(own, other)| own.overlap(other))
    }
}

/// The span of a feature in every stream that is read.
pub type Spans = BTreeMap<Site, Span>;

/// What a stream holds at all items and positions of a feature's prompts.
#[derive(Default)]
struct States {
    /// Clean less corrupted, `[item · pos][d_model]`, where they differ at all.
    differences: Vec<f64>,
    /// Both, less their mean at each position, row by row.
    around: Vec<f64>,
}

/// The spans of a feature in the model of a bench.
pub fn spans(bench: &Bench, feature: &Feature) -> Result<Spans, HookError> {
    let bench = &Bench { items: &feature.items, ..*bench };
    let (sites, mut states) = (span_sites(bench.model), BTreeMap::<Site, States>::new());
    for items in bench.batches(bench.rows) {
        let [clean, corrupt] = [Side::Clean, Side::Corrupt].map(|side| recorded(bench, &items, side, &sites));
        for ((site, clean), corrupt) in clean?.iter().zip(corrupt?.values()) {
            states.entry(*site).or_default().add(table(clean).view(), table(corrupt).view(), items.len());
        }
    }
    let setting = Setting::of(&bench.model.block(0).attention.out.weight);
    let mut draws = ChaCha8Rng::seed_from_u64(bench.seed);
    let width = bench.model.dims().d_model;
    let span = |(site, states): (Site, States)| (site, states.span(width, feature.dimensions, &setting, &mut draws));
    Ok(states.into_iter().map(span).collect())
}

/// A stream `[item · pos, d_model]`.
fn table(state: &Activation) -> Array2<f64> {
    let [rows, _, positions, width] = state.dims();
    Array2::from_shape_vec((rows * positions, width), to_doubles(state)).expect("as many as the shape says")
}

impl States {
    fn add(&mut self, clean: ArrayView2<f64>, corrupt: ArrayView2<f64>, items: usize) {
        let differences = &clean - &corrupt;
        let differing = differences.rows().into_iter().filter(|row| row.iter().any(|value| *value != 0.0));
        self.differences.extend(differing.flat_map(|row| row.to_vec()));
        let (positions, width) = (clean.nrows() / items, clean.ncols());
        let by_position = |states: &ArrayView2<f64>| {
            states.to_owned().into_shape_with_order((items, positions, width)).expect("items of one length")
        };
        let [clean, corrupt] = [by_position(&clean), by_position(&corrupt)];
        let mean = (clean.sum_axis(Axis(0)) + corrupt.sum_axis(Axis(0))) / (2 * items) as f64;
        let around = |states: ArrayView3<f64>| (&states - &mean).into_iter().collect::<Vec<f64>>();
        self.around.extend(around(clean.view()));
        self.around.extend(around(corrupt.view()));
    }

    fn span(self, width: usize, count: usize, setting: &Setting, draws: &mut ChaCha8Rng) -> Span {
        let rows = |values: Vec<f64>| {
            Array2::from_shape_vec((values.len() / width, width), values).expect("rows of this width")
        };
        let own = Directions::leading(rows(self.differences).view(), count);
        let around = rows(self.around);
        let weights = Array2::from_shape_fn((DRAWS * count, around.nrows()), |_| StandardNormal.sample(draws));
        let drawn: Array2<f64> = weights.dot(&around);
        let mut chance = Array2::zeros((DRAWS * count, width));
        for draw in 0..DRAWS {
            let place = draw * count..(draw + 1) * count;
            let span = Directions::spanned(drawn.slice(s![place.clone(), ..]));
            chance.slice_mut(s![place, ..]).assign(&filled(span.as_ref(), count, width));
        }
        let tensor = |vectors: Array2<f64>| {
            let shape = [vectors.ncols(), vectors.nrows()];
            widen(from_doubles(vectors.t().iter().copied().collect(), shape, setting))
        };
        Span { own: tensor(filled(own.as_ref(), count, width)), chance: tensor(chance), directions: own }
    }
}

/// Directions as rows, `[count, width]`; where there are fewer, rows of zeros, along which nothing goes.
fn filled(directions: Option<&Directions>, count: usize, width: usize) -> Array2<f64> {
    let mut vectors = Array2::zeros((count, width));
    if let Some(found) = directions {
        vectors.slice_mut(s![..found.vectors().nrows(), ..]).assign(&found.vectors());
    }
    vectors
}
