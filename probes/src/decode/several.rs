//! Ridge regression to several sets of targets at once, each with a penalty of its own by inner folds.
//!
//! **What it measures.** For each set the map of [`ridge`](super::ridge()) with the penalty of the least squared error in folds
//! within the items to learn from. States are decomposed once a fold, whatever the number of sets: as where one layer of a
//! model is mapped to every layer of another.
//!
//! **What it cannot show.** How good a map is on items that it did not learn from: keep some back, as
//! [`regress`](super::regress()) does.
//!
//! **Reference.** Hoerl & Kennard 1970; Varma & Simon 2006 for the nested folds.
//!
//! **Example.**
//! ```
//! use ndarray::{Array2, array};
//! use patchclamp_probes::decode::{Design, Units, several};
//!
//! let states = Array2::from_shape_fn((40, 3), |(item, feature)| ((item * (feature + 3)) as f64).sin());
//! let (one, other) = (states.dot(&array![[1.0], [2.0], [0.0]]), states.dot(&array![[0.0], [0.0], [5.0]]));
//! let every: Vec<usize> = (0..40).collect();
//! let inner = (Design::Items, 4, 0);
//! let maps = several(&states.view(), &[one.view(), other.view()], &every, &[1e-6, 10.0], inner, Units::Own)?;
//! assert_eq!((maps[0].penalty, maps[1].penalty), (1e-6, 1e-6)); // neither has noise
//! assert!((maps[1].probe.weight()[[0, 2]] - 5.0).abs() < 1e-4);
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::family::check_penalties;
use super::folds::Design;
use super::ridge::{Path, images};
use super::training::Chosen;
use super::{DecodeError, Units};
use crate::Affine;
use crate::rows::{Picked, Rows};
use ndarray::{ArrayView2, Axis};

/// The map from states to each of `sets`, `[item, target]` of all rows, learnt from `items`, with the penalty of the least
/// squared error over `folds` inner folds of the design; of equals the larger. With one penalty there are no folds.
///
/// # Errors
/// As for [`ridge`](super::ridge()), and [`DecodeError::Folds`].
pub fn several(
    rows: &dyn Rows,
    sets: &[ArrayView2<f64>],
    items: &[usize],
    penalties: &[f64],
    (design, folds, seed): (Design, usize, u64),
    units: Units,
) -> Result<Vec<Chosen<Affine>>, DecodeError> {
    check_penalties(penalties)?;
    let chosen = match penalties {
        [only] => vec![*only; sets.len()],
        _ => {
            let mut errors = vec![vec![0.0; penalties.len()]; sets.len()];
            for split in design.splits(&vec![0; rows.count()], items, folds, seed)? {
                let path = Path::new(rows, sets, &split.train, units)?;
                let held = Picked { rows, items: &split.test };
                for (set, (errors, targets)) in errors.iter_mut().zip(sets).enumerate() {
                    let expected = targets.select(Axis(0), &split.test);
                    for (error, penalty) in errors.iter_mut().zip(penalties) {
                        let gap = images(&path.map(set, *penalty)?, &held) - &expected;
                        *error += gap.iter().map(|gap| gap * gap).sum::<f64>();
                    }
                }
            }
            errors.iter().map(|errors| least(errors, penalties)).collect()
        }
    };
    let path = Path::new(rows, sets, items, units)?;
    let map = |(set, penalty): (usize, &f64)| Ok(Chosen { probe: path.map(set, *penalty)?, penalty: *penalty });
    chosen.iter().enumerate().map(map).collect()
}

/// The penalty of the least error; of equals the larger: the simpler map.
fn least(errors: &[f64], penalties: &[f64]) -> f64 {
    let both = errors.iter().zip(penalties);
    let best = both.min_by(|(a, small), (b, large)| a.total_cmp(b).then(large.total_cmp(small)));
    best.map_or(penalties[0], |(_, penalty)| *penalty)
}
