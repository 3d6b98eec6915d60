//! What kernel comparisons are made of: three inner products of centred kernels, and their diagonals.

use crate::data::{self, DataError};
use crate::matrix::{Gram, centred, cross, outer, squares, view, whole};
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// ⟨K, L⟩, ⟨K, K⟩ and ⟨L, L⟩ of two doubly centred kernels of the same items, with both diagonals.
pub(super) struct Products {
    items: f64,
    both: f64,
    own: [f64; 2],
    diagonals: [Array1<f64>; 2],
}

impl Products {
    /// Of linear kernels of `x` `[item, width]` and `y` `[item, other width]`: by their columns or by their items,
    /// whichever is less work.
    pub(super) fn linear(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Result<Self, DataError> {
        let [x, y] = checked(x, y)?;
        let (items, widths) = (x.nrows(), [x.ncols(), y.ncols()]);
        let by_columns = items * (widths[0] * widths[1] + widths[0] * widths[0] / 2 + widths[1] * widths[1] / 2);
        let by_items = items * items / 2 * (widths[0] + widths[1]);
        let lengths = |rows: &Array2<f64>| rows.map_axis(Axis(1), |row| row.dot(&row));
        let (both, own) = match by_columns < by_items {
            true => (squares(&cross(x.view(), y.view())), [&x, &y].map(|rows| of_columns(rows).squares())),
            false => {
                let (k, l) = (of_items(&x), of_items(&y));
                (k.inner(&l), [k.squares(), l.squares()])
            }
        };
        Ok(Self { items: items as f64, both, own, diagonals: [lengths(&x), lengths(&y)] })
    }

    /// Of kernels exp(−d² / 2(fraction · median distance)²) of `x` `[item, width]` and `y` `[item, other width]`.
    pub(super) fn rbf(x: ArrayView2<f64>, y: ArrayView2<f64>, fraction: f64) -> Result<Self, DataError> {
        let [x, y] = checked(x, y)?;
        let (k, l) = (bell("x", &x, fraction)?, bell("y", &y, fraction)?);
        let inner = |a: &Array2<f64>, b: &Array2<f64>| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let diagonals = [k.diag().to_owned(), l.diag().to_owned()];
        Ok(Self { items: x.nrows() as f64, both: inner(&k, &l), own: [inner(&k, &k), inner(&l, &l)], diagonals })
    }

    /// The normalised inner product, 0 to 1.
    pub(super) fn alignment(&self) -> f64 {
        (self.both / (self.own[0].sqrt() * self.own[1].sqrt())).clamp(0.0, 1.0) // rounding can leave it above 1
    }

    /// The same of unbiased estimates of the three, 0 on average for independent items; at most 1, and below 0 by chance.
    pub(super) fn debiased(&self) -> Result<f64, DataError> {
        data::enough("items", self.items as usize, 4)?;
        let [k, l] = &self.diagonals;
        let [x, y] = [self.unbiased(self.own[0], k, k), self.unbiased(self.own[1], l, l)];
        if x <= ROUNDING * self.own[0] || y <= ROUNDING * self.own[1] {
            return Err(DataError::Constant { what: "what is left of a space without its bias" });
        }
        Ok((self.unbiased(self.both, k, l) / (x.sqrt() * y.sqrt())).min(1.0))
    }

    /// Song et al.'s estimate but for a factor that cancels. Of a doubly centred kernel the items' own values are all it
    /// takes: a row without its own sums to minus that.
    fn unbiased(&self, inner: f64, k: &Array1<f64>, l: &Array1<f64>) -> f64 {
        let n = self.items;
        inner - n / (n - 2.0) * k.dot(l) + k.sum() * l.sum() / ((n - 1.0) * (n - 2.0))
    }
}

/// Of the biased estimate, what is no more than rounding.
const ROUNDING: f64 = 1e-12;

/// Both centred, where they can be compared: as many finite items, two at least, that vary.
pub(super) fn checked(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Result<[Array2<f64>; 2], DataError> {
    data::count("y's items", y.nrows(), x.nrows())?;
    data::enough("items", x.nrows(), 2)?;
    for (what, rows) in [("x", x), ("y", y)] {
        data::finite(what, rows)?;
        if rows.rows().into_iter().all(|row| row == rows.row(0)) {
            return Err(DataError::Constant { what });
        }
    }
    Ok([centred(x).0, centred(y).0])
}

/// xᵀx.
fn of_columns(rows: &Array2<f64>) -> Gram {
    let mut gram = Gram::new(rows.ncols());
    gram.add(view(&whole(rows.view())), 1.0);
    gram
}

/// x xᵀ.
fn of_items(rows: &Array2<f64>) -> Gram {
    let mut gram = Gram::new(rows.nrows());
    gram.add(view(&whole(rows.view())).transpose(), 1.0);
    gram
}

/// The doubly centred Gaussian kernel of centred rows.
fn bell(what: &'static str, rows: &Array2<f64>, fraction: f64) -> Result<Array2<f64>, DataError> {
    let mut kernel = outer(rows.view(), rows.view());
    let lengths = kernel.diag().to_owned();
    for ((i, j), value) in kernel.indexed_iter_mut() {
        *value = (lengths[i] + lengths[j] - 2.0 * *value).max(0.0);
    }
    let mut apart: Vec<f64> = super::dissimilarity::pairs(rows.nrows()).map(|pair| kernel[pair]).collect();
    let median = median(&mut apart);
    if median == 0.0 {
        return Err(DataError::Constant { what });
    }
    kernel.mapv_inplace(|squared| (-squared / (2.0 * fraction * fraction * median)).exp());
    let means = kernel.sum_axis(Axis(0)) / rows.nrows() as f64;
    let mean = means.sum() / rows.nrows() as f64;
    for ((i, j), value) in kernel.indexed_iter_mut() {
        *value += mean - means[i] - means[j];
    }
    Ok(kernel)
}

/// The square of the median distance, of squared ones: their own median where they are odd in number.
fn median(squared: &mut [f64]) -> f64 {
    let middle = squared.len() / 2;
    let odd = squared.len() % 2 == 1;
    let (below, upper, _) = squared.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = if odd { *upper } else { below.iter().copied().fold(0.0, f64::max) };
    let median = f64::midpoint(lower.sqrt(), upper.sqrt());
    median * median
}
