//! The rows that some tasks learn from, and the tasks in terms of them: a probe reads no row that it does not need.

use super::softmax::Problem;
use super::{DecodeError, Scale, Task, Units};
use crate::rows::{Picked, Rows};

/// Tasks, and the items that one of them at least learns from.
pub(crate) struct Learned {
    items: Vec<usize>,
    /// How many rows there are with those that are not needed.
    count: usize,
    /// Each task by places in `items`.
    pub(crate) tasks: Vec<Own>,
}

/// A task by places among the rows that are read.
pub(crate) struct Own {
    /// The class of each row that is read.
    pub(crate) labels: Vec<usize>,
    /// The rows to learn from.
    pub(crate) places: Vec<usize>,
    /// How many classes there are.
    pub(crate) classes: usize,
}

impl Own {
    /// How many items to learn from each class has.
    pub(crate) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        self.places.iter().for_each(|place| counts[self.labels[*place]] += 1);
        counts
    }
}

impl Learned {
    /// That of `tasks` on `rows`.
    ///
    /// # Errors
    /// Where rows and labels do not fit, or a class has no item to learn from.
    pub(crate) fn new(rows: &dyn Rows, tasks: &[Task]) -> Result<Self, DecodeError> {
        tasks.iter().try_for_each(|task| task.check(rows))?;
        let mut needed = vec![false; rows.count()];
        tasks.iter().flat_map(|task| task.items).for_each(|item| needed[*item] = true);
        let items: Vec<usize> = (0..rows.count()).filter(|item| needed[*item]).collect();
        let mut place = vec![usize::MAX; rows.count()];
        items.iter().enumerate().for_each(|(new, item)| place[*item] = new);
        let own = |task: &Task| Own {
            labels: items.iter().map(|item| task.labels.of()[*item]).collect(),
            places: task.items.iter().map(|item| place[*item]).collect(),
            classes: task.labels.classes(),
        };
        let tasks = tasks.iter().map(own).collect();
        Ok(Self { items, count: rows.count(), tasks })
    }

    /// The rows that are needed, where these are not all.
    pub(crate) fn rows<'a>(&'a self, rows: &'a dyn Rows) -> Option<Picked<'a>> {
        (self.items.len() < self.count).then_some(Picked { rows, items: &self.items })
    }

    /// The units of each task's features, then those of all rows that are read.
    ///
    /// # Errors
    /// [`DecodeError::NotFinite`], with the item's number among all.
    pub(crate) fn scales(&self, rows: &dyn Rows, units: Units) -> Result<Vec<Scale>, DecodeError> {
        let every: Vec<usize> = (0..self.items.len()).collect();
        let sets: Vec<&[usize]> =
            self.tasks.iter().map(|task| task.places.as_slice()).chain([every.as_slice()]).collect();
        let named = |error| match error {
            DecodeError::NotFinite { item, feature } => DecodeError::NotFinite { item: self.items[item], feature },
            other => other,
        };
        let scales = Scale::of(rows, &sets).map_err(named)?;
        Ok(scales.into_iter().map(|scale| units.of(scale)).collect())
    }

    /// What each task's probe minimises, with its scale and a penalty.
    pub(crate) fn problems<'a>(&self, scales: &'a [Scale], penalty: f64) -> Vec<Problem<'a>> {
        let problem = |(task, scale): (&Own, &'a Scale)| {
            let mut learns = vec![false; self.items.len()];
            task.places.iter().for_each(|place| learns[*place] = true);
            Problem { labels: task.labels.clone(), learns, classes: task.classes, scale, penalty }
        };
        self.tasks.iter().zip(scales).map(problem).collect()
    }
}
