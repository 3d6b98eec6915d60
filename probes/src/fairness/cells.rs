//! Classes sorted into cells by how frequent they are and by how unevenly groups are in them.
//!
//! **What it measures.** Accuracy and the root mean square of gaps over the classes of a cell: whether a gap comes with rare
//! classes, with those that one group has nearly to itself, or with both.
//!
//! **What it cannot show.** Which of the two makes the gap, where only some of the cells have classes.
//!
//! **Reference.** The cross of the two imbalances follows De-Arteaga et al. 2019, figure 4, with Japkowicz & Stephen 2002 on
//! the frequency of classes.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::fairness::{Judged, cells};
//!
//! let truth = vec![0, 0, 0, 0, 0, 0, 1, 1];
//! let judged = Judged::new(truth.clone(), truth, vec![0, 0, 1, 1, 0, 1, 0, 0]).unwrap();
//! let found = cells(&judged.counts(), 0, &[0.5], &[0.4, 0.6]);
//! assert_eq!(found[0].classes, [1]); // a quarter of the items, all of the first group
//! assert_eq!((found[0].frequency, found[0].imbalance), (0, 2));
//! assert_eq!((found[1].frequency, found[1].imbalance), (1, 1));
//! ```

use super::Counts;
use super::gaps::root_mean_square;
use std::collections::BTreeMap;

/// Classes of about one frequency and one share of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Which range of frequencies, from 0, the rarest.
    pub frequency: usize,
    /// Which range of the group's share, from 0, the smallest.
    pub imbalance: usize,
    /// Its classes, in order.
    pub classes: Vec<usize>,
}

/// The cells that have a class, in order: `frequencies` and `shares` are the bounds between ranges of a class's share of all
/// items and of `group`'s share of the class, rising; a value on a bound is above it. Classes without items are in none.
pub fn cells(counts: &Counts, group: usize, frequencies: &[f64], shares: &[f64]) -> Vec<Cell> {
    let mut found: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    let total = counts.total() as f64;
    for class in 0..counts.classes() {
        let Some(share) = counts.share_of_group(group, class) else { continue };
        let place = (range(counts.of_class(class) as f64 / total, frequencies), range(share, shares));
        found.entry(place).or_default().push(class);
    }
    found.into_iter().map(|((frequency, imbalance), classes)| Cell { frequency, imbalance, classes }).collect()
}

fn range(value: f64, bounds: &[f64]) -> usize {
    bounds.iter().filter(|bound| value >= **bound).count()
}

impl Cell {
    /// Items of the cell whose class was predicted, a share. `None` without items.
    pub fn accuracy(&self, counts: &Counts) -> Option<f64> {
        let of = |figure: &dyn Fn(usize, usize) -> usize| -> usize {
            let each = self.classes.iter().flat_map(|class| (0..counts.groups()).map(move |group| (group, *class)));
            each.map(|(group, class)| figure(group, class)).sum()
        };
        let items = of(&|group, class| counts.items(group, class));
        let right = of(&|group, class| counts.times(group, class, class));
        (items > 0).then(|| right as f64 / items as f64)
    }

    /// The root mean square of the gaps of its classes that have one. `None` without such a class.
    pub fn rms_gap(&self, counts: &Counts, groups: [usize; 2]) -> Option<f64> {
        let gaps: Vec<f64> = self.classes.iter().filter_map(|class| counts.gap(*class, groups)).collect();
        root_mean_square(&gaps)
    }

    /// Items of the cell.
    pub fn items(&self, counts: &Counts) -> usize {
        self.classes.iter().map(|class| counts.of_class(*class)).sum()
    }
}
