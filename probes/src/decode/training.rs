//! How probes are trained: one family, and its penalty by an inner cross-validation where there is more than one to choose.
//!
//! **What it measures.** The penalty whose probes spend the fewest bits on items held out *within* the items to learn from,
//! in folds that keep groups together as the outer ones do (nested cross-validation): what is held out outside has no say.
//!
//! **What it cannot show.** That the penalty is the right one for other families or other numbers of items.
//!
//! **Reference.** Varma & Simon 2006, *Bias in error estimation when using cross-validation for model selection*.
//!
//! **Example.**
//! ```
//! use ndarray::Array2;
//! use patchclamp_probes::decode::{Design, Labels, Logistic, Training, held_out, majority};
//!
//! let states = Array2::from_shape_fn((60, 4), |(item, feature)| ((item * 7 + feature * 3) as f64).sin());
//! let labels = Labels::new((0..60).map(|item| usize::from(states[[item, 0]] > 0.0)).collect(), 2)?;
//! let every: Vec<usize> = (0..60).collect();
//! let splits = Design::Items.splits(labels.of(), &every, 5, 0)?;
//! let penalties = [0.1, 1.0, 10.0];
//! let training = Training { family: &Logistic::default(), penalties: &penalties, design: Design::Items, folds: 4, seed: 0 };
//! let held = &held_out(&states.view(), &[&labels], &splits, &training)?[0];
//! assert!(held.accuracy() > 0.8 && held.bits() < majority(&labels, &splits)?.bits());
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::folds::{Design, Split};
use super::{DecodeError, Family, Probe, Task};
use crate::rows::{Picked, Rows};

/// A family of probes, and the penalties that it may choose from.
pub struct Training<'a, F> {
    /// How a probe is fitted.
    pub family: &'a F,
    /// One, or those to choose from.
    pub penalties: &'a [f64],
    /// What may not stand on both sides of an inner fold.
    pub design: Design<'a>,
    /// How many inner folds there are; idle where there is one penalty.
    pub folds: usize,
    /// For the inner folds.
    pub seed: u64,
}

/// A probe, and the penalty that was chosen for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen<P> {
    /// The probe, fitted to all items of its task.
    pub probe: P,
    /// Its penalty.
    pub penalty: f64,
}

impl<F> Clone for Training<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Training<'_, F> {}

impl<F: Family> Training<'_, F> {
    /// The probe of each task, `[task]`.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn fit(&self, rows: &dyn Rows, tasks: &[Task]) -> Result<Vec<Chosen<F::Probe>>, DecodeError> {
        let penalties = self.choose(rows, tasks)?;
        let mut found: Vec<Option<Chosen<F::Probe>>> = tasks.iter().map(|_| None).collect();
        for penalty in self.penalties {
            let places: Vec<usize> = (0..tasks.len()).filter(|place| penalties[*place] == *penalty).collect();
            let places: Vec<usize> = places.into_iter().filter(|place| found[*place].is_none()).collect();
            if places.is_empty() {
                continue;
            }
            let own: Vec<Task> = places.iter().map(|place| tasks[*place]).collect();
            let probes = self.family.path(rows, &own, &[*penalty])?.into_iter().flatten();
            places
                .into_iter()
                .zip(probes)
                .for_each(|(place, probe)| found[place] = Some(Chosen { probe, penalty: *penalty }));
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// The penalty for each task, `[task]`.
    fn choose(&self, rows: &dyn Rows, tasks: &[Task]) -> Result<Vec<f64>, DecodeError> {
        super::family::check_penalties(self.penalties)?;
        if let [only] = self.penalties {
            return Ok(vec![*only; tasks.len()]);
        }
        tasks.iter().try_for_each(|task| task.check(rows))?;
        let splits = |task: &Task| self.design.splits(task.labels.of(), task.items, self.folds, self.seed);
        let splits: Vec<Vec<Split>> = tasks.iter().map(splits).collect::<Result<_, _>>()?;
        let inner = tasks.iter().zip(&splits);
        let inner = inner.flat_map(|(task, splits)| splits.iter().map(move |split| (task, split)));
        let inner: Vec<(Task, &[usize])> = inner
            .map(|(task, split)| (Task { labels: task.labels, items: &split.train }, split.test.as_slice()))
            .collect();
        let learnt: Vec<Task> = inner.iter().map(|(task, _)| *task).collect();
        let path = self.family.path(rows, &learnt, self.penalties)?;
        let nats = |probes: &Vec<F::Probe>| -> Vec<f64> {
            probes.iter().zip(&inner).map(|(probe, (task, test))| nats(rows, probe, task, test)).collect()
        };
        let nats: Vec<Vec<f64>> = path.iter().map(nats).collect();
        let mut first = 0;
        let best = splits.iter().map(|splits| {
            let own = first..first + splits.len();
            first = own.end;
            let spent = nats.iter().map(|nats| nats[own.clone()].iter().sum::<f64>());
            let both = spent.zip(self.penalties);
            // of equals the larger penalty: the simpler probe
            let best = both.min_by(|(a, small), (b, large)| a.total_cmp(b).then(large.total_cmp(small)));
            best.map_or(self.penalties[0], |(_, penalty)| *penalty)
        });
        Ok(best.collect())
    }
}

/// What a probe spends on items held out, in nats.
fn nats<P: Probe>(rows: &dyn Rows, probe: &P, task: &Task, test: &[usize]) -> f64 {
    let told = probe.log_probabilities(&Picked { rows, items: test });
    test.iter().zip(told.rows()).map(|(item, row)| -row[task.labels.of()[*item]]).sum()
}
