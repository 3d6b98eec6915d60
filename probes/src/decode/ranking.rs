//! Which single features differ between classes.
//!
//! **What it measures.** Per feature the F statistic of a one-way analysis of variance (spread of the class means against
//! spread within classes), or the largest difference between two class means in the feature's standard deviations.
//!
//! **What it cannot show.** What features tell together: two that are useless alone may decide as a pair.
//!
//! **Reference.** Fisher 1925, *Statistical methods for research workers*; Gurnee et al. 2023, *Finding neurons in a
//! haystack*, TMLR, for ranking by differences of means.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::decode::{Labels, Task, anova};
//!
//! let states = array![[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [4.0, 5.0]];
//! let labels = Labels::new(vec![0, 0, 1, 1], 2)?;
//! let task = Task { labels: &labels, items: &[0, 1, 2, 3] };
//! let found = anova(&states.view(), task)?;
//! assert!((found[0] - 8.0).abs() < 1e-12); // between 4 with 1, within 1 with 2 degrees of freedom
//! assert_eq!(found[1], 0.0); // never varies
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::scale::{Moments, moments};
use super::{DecodeError, Task};
use crate::rows::Rows;
use ndarray::Array1;

/// The moments of all items of a task, and of its classes with their shares of the items.
struct Spread {
    whole: Moments,
    classes: Vec<(f64, Moments)>,
}

/// The F statistic of each feature, `[feature]`: 0 where it never varies, infinite where it varies between classes only.
///
/// # Errors
/// As for fitting a probe to the task; [`DecodeError::FewItems`] where there are no more items than classes.
pub fn anova(rows: &dyn Rows, task: Task) -> Result<Vec<f64>, DecodeError> {
    let (items, classes) = (task.items.len(), task.labels.classes());
    if items <= classes {
        return Err(DecodeError::FewItems { items, classes });
    }
    let (within, between) = Spread::of(rows, task)?.parts();
    let freedom = (items - classes) as f64 / (classes - 1) as f64;
    let ratio = |(within, between): (&f64, &f64)| if *between > 0.0 { freedom * between / within } else { 0.0 };
    Ok(within.iter().zip(&between).map(ratio).collect())
}

/// The largest difference between the means of two classes in standard deviations over all items, `[feature]`; 0 where a
/// feature never varies.
///
/// # Errors
/// As for fitting a probe to the task.
pub fn mean_difference(rows: &dyn Rows, task: Task) -> Result<Vec<f64>, DecodeError> {
    let Spread { whole, classes } = Spread::of(rows, task)?;
    let largest = |feature: usize| {
        let means = || classes.iter().map(|(_, own)| own.mean[feature]);
        let range = means().fold(f64::NEG_INFINITY, f64::max) - means().fold(f64::INFINITY, f64::min);
        let variance = whole.variance[feature];
        if variance > 0.0 { range / variance.sqrt() } else { 0.0 }
    };
    Ok((0..rows.width()).map(largest).collect())
}

impl Spread {
    fn of(rows: &dyn Rows, task: Task) -> Result<Self, DecodeError> {
        task.check(rows)?;
        let of = |class: usize| task.items.iter().copied().filter(|item| task.labels.of()[*item] == class).collect();
        let members: Vec<Vec<usize>> = (0..task.labels.classes()).map(of).collect();
        let sets: Vec<&[usize]> = [task.items].into_iter().chain(members.iter().map(Vec::as_slice)).collect();
        let mut found = moments(rows, &sets)?;
        let whole = found.remove(0);
        let shares = members.iter().map(|members| members.len() as f64 / task.items.len() as f64);
        Ok(Self { whole, classes: shares.zip(found).collect() })
    }

    /// Mean squares about the class means, and of these about the mean of all.
    fn parts(&self) -> (Array1<f64>, Array1<f64>) {
        let Moments { mean, variance } = &self.whole;
        let (mut within, mut between) = (Array1::zeros(mean.len()), Array1::zeros(mean.len()));
        for (share, own) in &self.classes {
            within.scaled_add(*share, &own.variance);
            between.scaled_add(*share, &(&own.mean - mean).mapv(|gap| gap * gap));
        }
        // where all of it is rounding there is none
        between.zip_mut_with(variance, |between, variance| *between = if *variance > 0.0 { *between } else { 0.0 });
        (within, between)
    }
}
