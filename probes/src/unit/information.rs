//! Information: how many bits does a unit's response tell about the condition?
//!
//! **What it measures.** I(R; S) = H(R) + H(S) − H(R, S) in bits, the responses cut into `bins` that hold equally many items
//! (equal responses always share one). With few items the plain estimate is too high; *Miller–Madow* corrects each entropy by
//! (cells that occur − 1) / 2N, *Panzeri–Treves* estimates how many cells could occur under each condition, and corrects for those.
//!
//! **What it cannot show.** What finer bins would tell, or other units together with this one. A correction is right on
//! average for many items a cell, and can leave an estimate below 0.
//!
//! **Reference.** Miller 1955, *Note on the bias of information estimates*; Panzeri & Treves 1996, *Analytical estimates of
//! limited sampling biases in different information measures*, Network 7; Panzeri et al. 2007, Journal of Neurophysiology 98.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::unit::{Bias, information};
//!
//! let (responses, conditions) = ([0.1, 0.2, 5.1, 5.2], [0, 0, 1, 1]);
//! assert_eq!(information(&responses, &conditions, 2, Bias::Plain)?, 1.0);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use crate::data::{self, DataError};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use std::f64::consts::LN_2;

/// What is done about the bias of the plain estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// Nothing: too high for few items.
    Plain,
    /// Corrected by the cells that occur.
    MillerMadow,
    /// Corrected by the cells that could occur, as estimated from those that do.
    PanzeriTreves,
}

/// The information in bits of `responses` `[item]`, cut into up to `bins`, about `conditions` `[item]`. 0 where the
/// responses do not vary.
///
/// # Errors
/// If a response is not finite, lengths differ, there are not two conditions with items each, or fewer than two bins.
pub fn information(responses: &[f64], conditions: &[usize], bins: usize, bias: Bias) -> Result<f64, DataError> {
    data::enough("bins", bins, 2)?;
    data::count("conditions of items", conditions.len(), responses.len())?;
    data::finite("responses", ArrayView1::from(responses).insert_axis(Axis(1)))?;
    let count = data::labels("conditions", conditions)?;
    let bins = binned(responses, bins);
    let cells = bins.iter().max().map_or(0, |largest| largest + 1);
    let mut table = Array2::<f64>::zeros((count, cells));
    bins.iter().zip(conditions).for_each(|(bin, condition)| table[[*condition, *bin]] += 1.0);
    Ok(information_of_table(table.view(), bias))
}

/// The information in bits that the columns of a `table` of counts `[condition, response]` tell about its rows.
pub fn information_of_table(table: ArrayView2<f64>, bias: Bias) -> f64 {
    let (rows, columns) = (table.sum_axis(Axis(1)), table.sum_axis(Axis(0)));
    let plain = entropy(rows.iter()) + entropy(columns.iter()) - entropy(table.iter());
    let occur = |counts: &mut dyn Iterator<Item = &f64>| counts.filter(|count| **count > 0.0).count() as f64;
    let scale = 2.0 * table.sum() * LN_2;
    match bias {
        Bias::Plain => plain,
        Bias::MillerMadow => {
            let each = occur(&mut rows.iter()) + occur(&mut columns.iter()) - 1.0 - occur(&mut table.iter());
            plain + each / scale
        }
        Bias::PanzeriTreves => {
            let possible = occur(&mut columns.iter());
            let under: f64 = table.rows().into_iter().map(|row| could_occur(row, possible) - 1.0).sum();
            plain - (under - (possible - 1.0)) / scale
        }
    }
}

/// In bits, of counts.
fn entropy<'a>(counts: impl Iterator<Item = &'a f64> + Clone) -> f64 {
    let total: f64 = counts.clone().sum();
    counts.filter(|count| **count > 0.0).map(|count| -count / total * (count / total).log2()).sum()
}

/// How many of `possible` cells could occur where these `counts` did: as many more than those seen as bring the number
/// expected to be seen nearest to it. By Bayes with a flat prior a cell that was seen `n` times of N has chance in
/// proportion to n + 1, and one that was not seen the chance with which N items would miss it that often.
fn could_occur(counts: ArrayView1<f64>, possible: f64) -> f64 {
    let items = counts.sum();
    let occurred: Vec<f64> = counts.iter().copied().filter(|count| *count > 0.0).collect();
    let seen = occurred.len() as f64;
    let unseen = 1.0 - (items / (items + seen)).powf(1.0 / items);
    let expected = |extra: f64| {
        let scale = (1.0 - extra * unseen) / (items + seen);
        let known: f64 = occurred.iter().map(|count| 1.0 - (1.0 - scale * (count + 1.0)).powf(items)).sum();
        known + extra * (1.0 - (1.0 - unseen).powf(items))
    };
    let missed = occurred.iter().map(|count| (1.0 - count / items).powf(items));
    let (mut extra, mut gap) = (0.0, missed.sum::<f64>());
    while seen + extra < possible {
        let next = (seen - expected(extra + 1.0)).abs();
        if next >= gap {
            break;
        }
        (extra, gap) = (extra + 1.0, next);
    }
    seen + extra
}

/// The bin of each value: `bins` of equally many values, those that are equal all in the lowest that one of them falls in;
/// numbered without gaps.
fn binned(values: &[f64], bins: usize) -> Vec<usize> {
    let mut rising: Vec<usize> = (0..values.len()).collect();
    rising.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let (mut found, mut below, mut next, mut last) = (vec![0; values.len()], 0, 0, None);
    for tied in rising.chunk_by(|a, b| values[*a] == values[*b]) {
        let bin = below * bins / values.len();
        next += usize::from(last.is_some_and(|last| last != bin));
        last = Some(bin);
        tied.iter().for_each(|place| found[*place] = next);
        below += tied.len();
    }
    found
}
