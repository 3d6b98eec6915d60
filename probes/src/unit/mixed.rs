//! Mixed selectivity: does a unit respond to one property, to another, or to their combination?
//!
//! **What it measures.** The two-way analysis of variance of each unit's responses: which share of their variance goes with
//! the one property, the other, and their interaction, and whether each is more than chance (F tests). Each property
//! is tested beyond the other, the interaction beyond both (sums of squares of type II), which does not depend on how many items
//! each combination has. Shares sum to one with the residual where all have equally many.
//!
//! **What it cannot show.** A unit whose response is a rising function of a sum of both properties has an interaction too.
//! F tests suppose independent items of equal spread.
//!
//! **Reference.** Rigotti et al. 2013, *The importance of mixed selectivity in complex cognitive tasks*, Nature 497;
//! Langsrud 2003, *ANOVA for unbalanced data: use type II instead of type III sums of squares*, Statistics and Computing 13.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::unit::mixed_selectivity;
//!
//! let (gender, number) = ([0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 1, 1]);
//! let both_or_neither = array![[1.0], [1.1], [0.0], [0.1], [0.0], [0.1], [1.0], [1.1]];
//! let unit = mixed_selectivity(both_or_neither.view(), &gender, &number)?[0];
//! assert!(unit.interaction > 0.98 && unit.interaction_p.unwrap() < 0.001);
//! assert!(unit.first < 1e-12 && unit.second < 1e-12);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use crate::data::{self, DataError};
use crate::matrix::{columns, cross};
use crate::special::f_beyond;
use faer::Side;
use faer::linalg::solvers::Solve;
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};

/// What one unit's variance goes with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// With the first property, 0 to 1.
    pub first: f64,
    /// With the second.
    pub second: f64,
    /// With their combination, beyond both.
    pub interaction: f64,
    /// With none.
    pub residual: f64,
    /// The chance of so large a share of the first; `None` where no freedom or no residual is left.
    pub first_p: Option<f64>,
    /// The same of the second.
    pub second_p: Option<f64>,
    /// The same of the interaction.
    pub interaction_p: Option<f64>,
}

/// The shares of each unit of `responses` `[item, unit]` by `first` and `second` property `[item]`. All zero but the
/// residual, which is 1, for a unit that does not vary.
///
/// # Errors
/// If a response is not finite, lengths differ, a property has not two values with items each, or a combination has none.
pub fn mixed_selectivity(
    responses: ArrayView2<f64>,
    first: &[usize],
    second: &[usize],
) -> Result<Vec<Shares>, DataError> {
    data::finite("responses", responses)?;
    data::count("first property of items", first.len(), responses.nrows())?;
    data::count("second property of items", second.len(), responses.nrows())?;
    let counts = [data::labels("first property", first)?, data::labels("second property", second)?];
    let cells: Vec<usize> = first.iter().zip(second).map(|(first, second)| first * counts[1] + second).collect();
    let full = counts[0] * counts[1];
    if let Some(label) = (0..full).find(|cell| !cells.contains(cell)) {
        return Err(DataError::Empty {
            what: "combinations (first · values of second + second)", label, labels: full
        });
    }
    let centred = &responses - &(responses.sum_axis(Axis(0)) / responses.nrows() as f64);
    let (one, other) = (indicators(first, counts[0]), indicators(second, counts[1]));
    let rests = Rests {
        total: (&centred * &centred).sum_axis(Axis(0)),
        first: rest(&one, &centred)?,
        second: rest(&other, &centred)?,
        both: rest(&concatenate![Axis(1), one, other], &centred)?,
        full: rest(&indicators(&cells, full), &centred)?,
    };
    let free = responses.nrows() - full;
    Ok((0..responses.ncols()).map(|unit| rests.shares(unit, counts, free)).collect())
}

/// What each model leaves of each unit's sum of squares, `[unit]`.
struct Rests {
    total: Array1<f64>,
    first: Array1<f64>,
    second: Array1<f64>,
    both: Array1<f64>,
    full: Array1<f64>,
}

/// Of the whole, what is no more than rounding.
const ROUNDING: f64 = 1e-12;

impl Rests {
    fn shares(&self, unit: usize, counts: [usize; 2], free: usize) -> Shares {
        let (total, full) = (self.total[unit], self.full[unit]);
        if total == 0.0 {
            let p = None;
            return Shares {
                first: 0.0,
                second: 0.0,
                interaction: 0.0,
                residual: 1.0,
                first_p: p,
                second_p: p,
                interaction_p: p,
            };
        }
        let gain = |without: f64, with: f64| ((without - with) / total).max(0.0);
        let residual = full / total;
        let p = |share: f64, freedom: usize| {
            let f = share / freedom as f64 / (residual / free as f64);
            (free > 0 && residual > ROUNDING).then(|| f_beyond(f, freedom as f64, free as f64))
        };
        let first = gain(self.second[unit], self.both[unit]);
        let second = gain(self.first[unit], self.both[unit]);
        let interaction = gain(self.both[unit], full);
        let freedom = counts.map(|count| count - 1);
        Shares {
            first,
            second,
            interaction,
            residual,
            first_p: p(first, freedom[0]),
            second_p: p(second, freedom[1]),
            interaction_p: p(interaction, freedom[0] * freedom[1]),
        }
    }
}

/// One column for each value but the first, `[item, value − 1]`, less their means: the mean is taken off beforehand.
fn indicators(labels: &[usize], count: usize) -> Array2<f64> {
    let mut columns = Array2::zeros((labels.len(), count - 1));
    for (item, label) in labels.iter().enumerate().filter(|(_, label)| **label > 0) {
        columns[[item, label - 1]] = 1.0;
    }
    let means = columns.sum_axis(Axis(0)) / labels.len() as f64;
    columns - means
}

/// What least squares leaves of each column of `centred` `[item, unit]`, `[unit]`.
fn rest(design: &Array2<f64>, centred: &Array2<f64>) -> Result<Array1<f64>, DataError> {
    let what = "the design of both properties";
    let gram = columns(cross(design.view(), design.view()).view());
    let mut solved = columns(cross(design.view(), centred.view()).view());
    gram.llt(Side::Lower).map_err(|_| DataError::Singular { what })?.solve_in_place(solved.as_mut());
    let fitted = design.dot(&crate::matrix::array(solved.as_ref()));
    let rest = centred - &fitted;
    Ok((&rest * &rest).sum_axis(Axis(0)))
}
