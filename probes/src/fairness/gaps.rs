//! Gaps between the rates of groups: class by class, and over all classes.
//!
//! **What it measures.** The *gap* of a class is the true positive rate of one group less that of another, and its root mean
//! square over classes is one figure of a classifier. A *spread* is the largest rate of any group less the smallest:
//! of selection rates it is the demographic parity difference, of true positive rates that of equal opportunity; equalised
//! odds take the larger, or the mean, of the spreads of true and false positive rates. *Worst* is the group, or the class and
//! group, that is served worst.
//!
//! **What it cannot show.** Why groups differ. Where groups have classes in different shares, demographic parity differs even
//! of a classifier that is always right. With few items in a group a spread is above zero by chance alone: give it its interval,
//! and its value under shuffled groups.
//!
//! A class that some group has no item of has no gap; it is left out of what is taken over classes, never counted as zero.
//! With two classes, "over classes" counts both.
//!
//! **Reference.** De-Arteaga et al. 2019 (gap, its root mean square as in Romanov et al. 2019); Hardt, Price & Srebro 2016;
//! Agarwal, Dudík & Wu 2019; Sagawa et al. 2020 (worst group).
//!
//! **Example.**
//! ```
//! use patchclamp_probes::fairness::Judged;
//!
//! // both groups have two items of each class; class 1 of the first group is missed once
//! let truth = vec![0, 0, 1, 1, 0, 0, 1, 1];
//! let prediction = vec![0, 0, 1, 0, 0, 0, 1, 1];
//! let counts = Judged::new(truth, prediction, vec![0, 0, 0, 0, 1, 1, 1, 1]).unwrap().counts();
//! assert_eq!(counts.gap(1, [0, 1]), Some(-0.5));
//! assert_eq!(counts.rms_gap([0, 1]), Some((0.25_f64 / 2.0).sqrt()));
//! assert_eq!(counts.equalised_odds(0), Some(0.5)); // the false positive rate of class 0
//! ```

use super::Counts;

impl Counts {
    /// The true positive rate of a class in the first group less that in the second, −1 to 1. `None` where one has no item.
    pub fn gap(&self, class: usize, [first, second]: [usize; 2]) -> Option<f64> {
        Some(self.true_positive_rate(first, class)? - self.true_positive_rate(second, class)?)
    }

    /// The root mean square of the gaps of all classes that have one, 0 to 1. `None` without such a class.
    pub fn rms_gap(&self, groups: [usize; 2]) -> Option<f64> {
        root_mean_square(&self.over_classes(|class| self.gap(class, groups)))
    }

    /// The largest share of a group that is predicted to be of a class, less the smallest, 0 to 1. `None` where fewer than two
    /// groups have items.
    pub fn demographic_parity(&self, class: usize) -> Option<f64> {
        self.spread(|group| self.selection_rate(group, class))
    }

    /// The largest true positive rate of a class less the smallest, 0 to 1. `None` where fewer than two groups have items of it.
    pub fn equal_opportunity(&self, class: usize) -> Option<f64> {
        self.spread(|group| self.true_positive_rate(group, class))
    }

    /// The larger of the spreads of a class's true and false positive rates, 0 to 1. `None` where one is not defined.
    pub fn equalised_odds(&self, class: usize) -> Option<f64> {
        self.odds(class).map(|[right, wrong]| right.max(wrong))
    }

    /// The mean of the spreads of a class's true and false positive rates, 0 to 1. `None` where one is not defined.
    pub fn mean_odds(&self, class: usize) -> Option<f64> {
        self.odds(class).map(|[right, wrong]| f64::midpoint(right, wrong))
    }

    /// The smallest accuracy of a group. `None` without items.
    pub fn worst_group(&self) -> Option<f64> {
        smallest((0..self.groups()).filter_map(|group| self.accuracy(group)))
    }

    /// The smallest true positive rate of a class in a group. `None` without items.
    pub fn worst_class_and_group(&self) -> Option<f64> {
        let each = (0..self.groups()).flat_map(|group| (0..self.classes()).map(move |class| (group, class)));
        smallest(each.filter_map(|(group, class)| self.true_positive_rate(group, class)))
    }

    /// The largest of a figure over the classes that have it. `None` where none has.
    pub fn most(&self, figure: impl Fn(&Self, usize) -> Option<f64>) -> Option<f64> {
        self.over_classes(|class| figure(self, class)).into_iter().reduce(f64::max)
    }

    /// The mean of a figure over the classes that have it. `None` where none has.
    pub fn mean(&self, figure: impl Fn(&Self, usize) -> Option<f64>) -> Option<f64> {
        let values = self.over_classes(|class| figure(self, class));
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    fn odds(&self, class: usize) -> Option<[f64; 2]> {
        let wrong = self.spread(|group| self.false_positive_rate(group, class))?;
        Some([self.equal_opportunity(class)?, wrong])
    }

    fn spread(&self, rate: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        let rates: Vec<f64> = (0..self.groups()).filter_map(rate).collect();
        let most = rates.iter().copied().reduce(f64::max)?;
        (rates.len() > 1).then(|| most - smallest(rates.iter().copied()).unwrap_or(most))
    }

    fn over_classes(&self, figure: impl Fn(usize) -> Option<f64>) -> Vec<f64> {
        (0..self.classes()).filter_map(figure).collect()
    }
}

fn smallest(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.reduce(f64::min)
}

/// `None` without values.
pub(super) fn root_mean_square(values: &[f64]) -> Option<f64> {
    let squares: f64 = values.iter().map(|value| value * value).sum();
    (!values.is_empty()).then(|| (squares / values.len() as f64).sqrt())
}
