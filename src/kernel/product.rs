//! Products of small matrices, whose every number is summed from the first inner index to the last, wherever it stands.

/// Rows worked on at once, so that each number of the other matrix is read once for all of them.
const ROWS: usize = 4;

/// `a b` for `a` `[n, inner]` and `b` `[inner, width]`, into `out`, whose rows begin at `place.0` and lie `place.1` apart.
#[inline(always)]
pub(super) fn product(a: &[f32], inner: usize, b: &[f32], width: usize, out: &mut [f32], place: (usize, usize)) {
    let (start, stride) = place;
    let whole = a.len() / inner / ROWS * ROWS;
    for row in (0..whole).step_by(ROWS) {
        let a: [&[f32]; ROWS] = std::array::from_fn(|i| &a[(row + i) * inner..(row + i + 1) * inner]);
        across(a, b, width, &mut out[row * stride + start..], stride);
    }
    for row in whole..a.len() / inner {
        across([&a[row * inner..(row + 1) * inner]], b, width, &mut out[row * stride + start..], stride);
    }
}

/// Some rows of a product, a few columns at a time.
#[inline(always)]
fn across<const R: usize>(a: [&[f32]; R], b: &[f32], width: usize, out: &mut [f32], stride: usize) {
    let mut column = 0;
    while column + 32 <= width {
        tile::<R, 32>(a, &b[column..], width, &mut out[column..], stride);
        column += 32;
    }
    while column + 8 <= width {
        tile::<R, 8>(a, &b[column..], width, &mut out[column..], stride);
        column += 8;
    }
    while column < width {
        tile::<R, 1>(a, &b[column..], width, &mut out[column..], stride);
        column += 1;
    }
}

/// `R` rows and `C` columns of a product, summed in registers.
#[inline(always)]
fn tile<const R: usize, const C: usize>(a: [&[f32]; R], b: &[f32], width: usize, out: &mut [f32], stride: usize) {
    let mut sums = [[0.0; C]; R];
    for inner in 0..a[0].len() {
        let b: &[f32; C] = b[inner * width..].first_chunk().expect("C columns");
        for (sums, a) in sums.iter_mut().zip(a) {
            let a = a[inner];
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = a.mul_add(*b, *sum); // rounded once, as the library's products are
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        out[row * stride..row * stride + C].copy_from_slice(sums);
    }
}
