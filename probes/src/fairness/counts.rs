//! Counts of predictions by group and true class, and the rates that follow from them.
//!
//! **What it measures.** Of the items of a group and a class, how many are predicted to be of which class; from that the
//! accuracy, the true and false positive rates, and how often a class is predicted at all.
//!
//! **What it cannot show.** Whether the labels are right: where they are themselves biased, so is every rate.
//!
//! **Reference.** De-Arteaga et al. 2019, *Bias in Bios*, FAT*; Hardt, Price & Srebro 2016, *Equality of Opportunity in
//! Supervised Learning*.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::fairness::Judged;
//!
//! let judged = Judged::new(vec![0, 0, 1, 1], vec![0, 1, 1, 1], vec![0, 1, 0, 1]).unwrap();
//! let counts = judged.counts();
//! assert_eq!(counts.accuracy(0), Some(1.0));
//! assert_eq!(counts.true_positive_rate(1, 0), Some(0.0)); // class 0, of which the second group has one item
//! ```

use crate::data::{self, DataError};

/// Items with their true class, the predicted one, and the group they belong to, each numbered from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    truth: Vec<usize>,
    prediction: Vec<usize>,
    group: Vec<usize>,
    classes: usize,
    groups: usize,
}

impl Judged {
    /// One entry an item in each list; there are as many classes and groups as the largest number says.
    ///
    /// # Errors
    /// When the lists differ in length, or are empty.
    pub fn new(truth: Vec<usize>, prediction: Vec<usize>, group: Vec<usize>) -> Result<Self, DataError> {
        data::count("predictions", prediction.len(), truth.len())?;
        data::count("groups", group.len(), truth.len())?;
        if truth.is_empty() {
            return Err(DataError::TooFew { what: "items", found: 0, needed: 1 });
        }
        let most = |of: &[usize]| of.iter().max().map_or(0, |last| last + 1);
        let (classes, groups) = (most(&truth).max(most(&prediction)), most(&group));
        Ok(Judged { truth, prediction, group, classes, groups })
    }

    /// The same where there are at least so many classes and groups, some of which may have no item here.
    pub fn of_sizes(self, classes: usize, groups: usize) -> Self {
        Judged { classes: self.classes.max(classes), groups: self.groups.max(groups), ..self }
    }

    /// How many items there are.
    pub fn count(&self) -> usize {
        self.truth.len()
    }

    /// The predicted class of each item.
    pub fn predictions(&self) -> &[usize] {
        &self.prediction
    }

    /// Counts over all items.
    pub fn counts(&self) -> Counts {
        self.counts_of(0..self.count())
    }

    /// Counts over some items, one of them perhaps several times, as the bootstrap draws them.
    pub fn counts_of(&self, items: impl IntoIterator<Item = usize>) -> Counts {
        let (classes, groups) = (self.classes, self.groups);
        let mut times = vec![0; groups * classes * classes];
        for item in items {
            times[(self.group[item] * classes + self.truth[item]) * classes + self.prediction[item]] += 1;
        }
        Counts { times, classes, groups }
    }
}

/// How often each class was predicted for each true class in each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// `[group][truth][prediction]`.
    times: Vec<usize>,
    classes: usize,
    groups: usize,
}

impl Counts {
    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Items of a group that are of the class `truth` and were predicted to be of `prediction`.
    pub fn times(&self, group: usize, truth: usize, prediction: usize) -> usize {
        self.times[(group * self.classes + truth) * self.classes + prediction]
    }

    /// Items of a class in a group.
    pub fn items(&self, group: usize, class: usize) -> usize {
        (0..self.classes).map(|prediction| self.times(group, class, prediction)).sum()
    }

    /// Items of a class.
    pub fn of_class(&self, class: usize) -> usize {
        (0..self.groups).map(|group| self.items(group, class)).sum()
    }

    /// Items of a group.
    pub fn of_group(&self, group: usize) -> usize {
        (0..self.classes).map(|class| self.items(group, class)).sum()
    }

    /// All items.
    pub fn total(&self) -> usize {
        self.times.iter().sum()
    }

    /// The share of all items whose class was predicted. `None` without items.
    pub fn overall_accuracy(&self) -> Option<f64> {
        let right = (0..self.groups).map(|group| self.right(group)).sum();
        share(right, self.total())
    }

    /// The share of a group's items whose class was predicted. `None` where the group has none.
    pub fn accuracy(&self, group: usize) -> Option<f64> {
        share(self.right(group), self.of_group(group))
    }

    /// Of a group's items of a class, the share that was predicted to be of it. `None` where there are none.
    pub fn true_positive_rate(&self, group: usize, class: usize) -> Option<f64> {
        share(self.times(group, class, class), self.items(group, class))
    }

    /// Of a group's items of other classes, the share that was predicted to be of this one. `None` where there are none.
    pub fn false_positive_rate(&self, group: usize, class: usize) -> Option<f64> {
        let wrongly = self.predicted(group, class) - self.times(group, class, class);
        share(wrongly, self.of_group(group) - self.items(group, class))
    }

    /// The share of a group's items that was predicted to be of a class. `None` where the group has none.
    pub fn selection_rate(&self, group: usize, class: usize) -> Option<f64> {
        share(self.predicted(group, class), self.of_group(group))
    }

    /// The share of a class's items that belong to a group. `None` where the class has none.
    pub fn share_of_group(&self, group: usize, class: usize) -> Option<f64> {
        share(self.items(group, class), self.of_class(class))
    }

    fn right(&self, group: usize) -> usize {
        (0..self.classes).map(|class| self.times(group, class, class)).sum()
    }

    fn predicted(&self, group: usize, class: usize) -> usize {
        (0..self.classes).map(|truth| self.times(group, truth, class)).sum()
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
