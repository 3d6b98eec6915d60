//! Where a figure stands among figures that chance alone gave.
//!
//! **What it measures.** [`place`]: the share of the draws below the observed figure, ties counted half, and a two-sided p-value,
//! twice the smaller share of draws at least as far on one side, the observed one counted among them. [`place_at`]: the same
//! at a matched covariate, for instance bias at matched loss: the least-squares line of figure on covariate over the draws moves
//! each of them, and says where a draw would stand had it the observed covariate.
//!
//! **What it cannot show.** With n draws no p below 2/(n + 1). A match by a line holds only as far as the line does: where the
//! observed covariate lies outside those of the draws the result says so, and should not be trusted far.
//!
//! **Reference.** Phipson & Smyth 2010 (counting the observed); Rosenbaum 2002, *Covariance adjustment in randomized
//! experiments*, Statistical Science 17 (the adjustment).
//!
//! **Example.**
//! ```
//! use patchclamp_probes::null::{place, place_at};
//!
//! let found = place(3.5, &[1.0, 2.0, 3.0, 4.0]).unwrap();
//! assert_eq!((found.quantile, found.p), (0.75, 0.8));
//! // figures that are twice their covariate: at a covariate of 5 all draws would stand at 10
//! let matched = place_at([11.0, 5.0], &[[2.0, 1.0], [4.0, 2.0], [6.0, 3.0]]).unwrap();
//! assert!(matched.quantile == 1.0 && matched.extrapolated);
//! ```

use crate::correlation::slope;
use crate::interval::finite;

/// Draws this close to the observed figure, relative to the larger of the two, are tied.
const TIE: f64 = 1e-12;

/// Where a figure stands among draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// The share of draws below it, 0 to 1, ties counted half.
    pub quantile: f64,
    /// Two-sided, above 0 and up to 1.
    pub p: f64,
    /// How many draws there were.
    pub draws: usize,
    /// Whether the observed covariate lies outside those of the draws; never without a covariate.
    pub extrapolated: bool,
}

/// The place of `observed` among `draws`. `None` without draws, or if a value is not finite.
pub fn place(observed: f64, draws: &[f64]) -> Option<Place> {
    let draws = finite(draws).filter(|_| observed.is_finite())?;
    let tied = |draw: &&f64| (**draw - observed).abs() <= TIE * draw.abs().max(observed.abs());
    let ties = draws.iter().filter(tied).count();
    let below = draws.iter().filter(|draw| **draw < observed && !tied(draw)).count();
    let above = draws.len() - below - ties;
    let as_far = 1 + ties + below.min(above);
    Some(Place {
        quantile: (below as f64 + ties as f64 / 2.0) / draws.len() as f64,
        p: (2.0 * as_far as f64 / (draws.len() + 1) as f64).min(1.0),
        draws: draws.len(),
        extrapolated: false,
    })
}

/// The place of an observed `[figure, covariate]` among draws of the same, moved along their line to its covariate. Where the
/// covariates of the draws do not vary nothing is moved. `None` without draws, or if a value is not finite.
pub fn place_at([figure, covariate]: [f64; 2], draws: &[[f64; 2]]) -> Option<Place> {
    let (figures, covariates): (Vec<f64>, Vec<f64>) =
        draws.iter().map(|[figure, covariate]| (*figure, *covariate)).unzip();
    finite(&covariates).filter(|_| covariate.is_finite())?;
    let steepness = slope(&covariates, &figures).unwrap_or(0.0);
    let moved: Vec<f64> = draws.iter().map(|[figure, own]| figure + steepness * (covariate - own)).collect();
    let extrapolated = covariates.iter().all(|own| *own < covariate) || covariates.iter().all(|own| *own > covariate);
    Some(Place { extrapolated, ..place(figure, &moved)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn ties_are_half_below_and_count_against() {
        let found = place(2.0, &[1.0, 2.0, 2.0 + 1e-15, 3.0, 4.0]).unwrap();
        assert_eq!((found.quantile, found.draws), (2.0 / 5.0, 5));
        assert_eq!(found.p, 1.0); // 1 + 2 ties + 1 below of 6, twice
        assert_eq!(place(9.0, &[1.0; 39]).unwrap().p, 2.0 / 40.0);
        assert_eq!(place(-9.0, &[1.0; 39]).unwrap().p, 2.0 / 40.0);
        assert_eq!(place(1.0, &[]), None);
        assert_eq!(place(f64::NAN, &[1.0]), None);
        assert_eq!(place(1.0, &[1.0, f64::NAN]), None);
    }

    #[test]
    fn a_figure_that_chance_gave_has_small_p_no_more_often_than_it_should() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let trials = 4000;
        let small = (0..trials).filter(|_| {
            let draws: Vec<f64> = (0..39).map(|_| random.random()).collect();
            place(random.random(), &draws).unwrap().p <= 0.05
        });
        let share = small.count() as f64 / f64::from(trials);
        assert!((share - 0.05).abs() < 4.0 * (0.05_f64 * 0.95 / f64::from(trials)).sqrt(), "{share}");
    }

    #[test]
    fn at_matched_covariate_only_what_it_does_not_explain_is_left() {
        // figure = 3 · covariate + noise; the observed one has more of the covariate and no more else
        let mut random = ChaCha8Rng::seed_from_u64(6);
        let draws: Vec<[f64; 2]> = (0..200)
            .map(|_| {
                let covariate: f64 = random.random();
                [3.0 * covariate + 0.1 * (random.random::<f64>() - 0.5), covariate]
            })
            .collect();
        let plain: Vec<f64> = draws.iter().map(|draw| draw[0]).collect();
        let observed = [3.0 * 0.98, 0.98];
        assert!(place(observed[0], &plain).unwrap().quantile > 0.9);
        let matched = place_at(observed, &draws).unwrap();
        assert!((0.3..0.7).contains(&matched.quantile) && !matched.extrapolated, "{matched:?}");
        assert!(place_at([observed[0] + 0.2, 0.98], &draws).unwrap().quantile > 0.99);
        assert!(place_at([9.0, 2.0], &draws).unwrap().extrapolated);
        assert_eq!(place_at([1.0, f64::INFINITY], &draws), None);
        let same = place_at([1.5, 0.7], &[[1.0, 0.5], [2.0, 0.5]]).unwrap();
        assert_eq!(same.quantile, place(1.5, &[1.0, 2.0]).unwrap().quantile);
    }
}
