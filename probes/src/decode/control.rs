//! Control tasks: labels that mean nothing, to see how much a probe can learn by itself.
//!
//! **What it measures.** Each word type gets a fixed label drawn from the task's own distribution of labels. What a probe
//! gets right of these it has learnt, not read: selectivity is its accuracy on the task less that on the control.
//!
//! **What it cannot show.** Selectivity is about capacity, and says nothing of use. A control can only be learnt where types
//! stand on both sides of a split: with folds grouped by type it is at chance by construction, which shows that nothing leaks,
//! and not that a probe is selective.
//!
//! **Reference.** Hewitt & Liang 2019, *Designing and interpreting probes with control tasks*, EMNLP.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::decode::{Labels, control};
//!
//! let labels = Labels::new(vec![0, 1, 1, 0, 1, 1], 2)?;
//! let words = [3, 5, 8, 3, 5, 8];
//! let control = control(&labels, &words, 0)?;
//! assert_eq!(control.of()[..3], control.of()[3..]); // a type has one label
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::{DecodeError, Held, Labels};
use crate::draw::one_of;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// How often labels are drawn again because a class has none.
const DRAWS: usize = 1000;

/// Labels that each type of `types` `[item]` has for itself, drawn from those of all items; drawn again where a class of the
/// task would have no item.
///
/// # Errors
/// [`DecodeError::Lengths`]; [`DecodeError::FewTypes`] where types are so few that some class never has one.
pub fn control(labels: &Labels, types: &[usize], seed: u64) -> Result<Labels, DecodeError> {
    let (rows, values) = (types.len(), labels.count());
    if rows != values {
        return Err(DecodeError::Lengths { rows, values });
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let every: Vec<usize> = (0..values).collect();
    let wanted = labels.counts(&every);
    for _ in 0..DRAWS {
        let mut given = BTreeMap::new();
        // types in the order in which items bring them: a label of any item, drawn, is one of the distribution
        let mut draw = |kind: &usize| *given.entry(*kind).or_insert_with(|| labels.of()[one_of(values, &mut random)]);
        let drawn: Vec<usize> = types.iter().map(&mut draw).collect();
        let mut counts = vec![0; labels.classes()];
        drawn.iter().for_each(|label| counts[*label] += 1);
        if counts.iter().zip(&wanted).all(|(count, wanted)| *count > 0 || *wanted == 0) {
            return Labels::new(drawn, labels.classes());
        }
    }
    let types = types.iter().collect::<std::collections::BTreeSet<_>>().len();
    Err(DecodeError::FewTypes { types, classes: labels.classes() })
}

/// Selectivity item by item: 1 where the task was right and the control wrong, −1 the other way round, else 0. Its mean is
/// the selectivity, and its interval or paired test that of any values.
///
/// # Panics
/// If the two are not of as many items.
pub fn selectivity(task: &Held, control: &Held) -> Vec<f64> {
    let (task, control) = (task.right(), control.right());
    assert_eq!(task.len(), control.len(), "task and control must be of the same items");
    task.into_iter().zip(control).map(|(task, control)| task - control).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_one_label_each_in_the_shares_of_the_task() {
        let labels = Labels::new((0..8000).map(|item| usize::from(item % 4 == 0)).collect(), 2).unwrap();
        let types: Vec<usize> = (0..8000).map(|item| item / 2).collect();
        let control = control(&labels, &types, 5).unwrap();
        assert!(control.of().chunks(2).all(|pair| pair[0] == pair[1]));
        let share = control.of().iter().sum::<usize>() as f64 / 8000.0;
        // four standard errors of a share of a quarter among 4,000 types
        assert!((share - 0.25).abs() < 4.0 * (0.25_f64 * 0.75 / 4000.0).sqrt(), "{share}");
    }

    #[test]
    fn too_few_types_for_the_classes_are_refused() {
        let labels = Labels::new(vec![0, 1, 2, 0], 3).unwrap();
        assert_eq!(control(&labels, &[1, 1, 2, 2], 0), Err(DecodeError::FewTypes { types: 2, classes: 3 }));
        assert_eq!(control(&labels, &[1], 0), Err(DecodeError::Lengths { rows: 1, values: 4 }));
    }

    #[test]
    fn another_seed_is_another_control() {
        let labels = Labels::new((0..200).map(|item| item % 2).collect(), 2).unwrap();
        let types: Vec<usize> = (0..200).collect();
        assert_ne!(control(&labels, &types, 0), control(&labels, &types, 1));
        assert_eq!(control(&labels, &types, 3), control(&labels, &types, 3));
    }
}
