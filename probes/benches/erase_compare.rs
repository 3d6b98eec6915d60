//! Times an erasure or a comparison alone: `cargo bench -p patchclamp-probes --bench erase_compare -- METHOD FOLDER ITEMS WIDTH`,
//! METHOD being `leace`, `cka` or `debiased_cka`, for `x.f64`, `y.f64` (`[item, width]`) and `labels.f64` (`[item]`) in FOLDER: plain
//! little-endian numbers.
//!
//! Prints one line of JSON: seconds without reading, and the figure: of CKA itself, of LEACE the mean squared distance moved. LEACE
//! writes its matrix to `ours.f64` beside them.

use ndarray::{Array2, ArrayView2, Axis};
use patchclamp_probes::DataError;
use patchclamp_probes::compare::{debiased_cka, linear_cka};
use patchclamp_probes::erase::{Eraser, Moments, leace};
use std::path::Path;
use std::time::Instant;

/// How large the problem is that is solved once before the clock starts, so that threads are there.
const WARM: usize = 64;

fn main() {
    let said: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [method, folder, items, width] = said.as_slice() else {
        return println!("erase_compare: METHOD FOLDER ITEMS WIDTH");
    };
    let (folder, [items, width]) = (Path::new(folder), [items, width].map(|size| size.parse().expect("a size")));
    let read = |name: &str, width: usize| {
        Array2::from_shape_vec((items, width), numbers(&folder.join(name))).expect("as many numbers as was said")
    };
    let x = read("x.f64", width);
    let few = x.slice_axis(Axis(0), (..WARM.min(items)).into());
    let begun;
    let figure = match method.as_str() {
        "leace" => {
            let labels: Vec<usize> = read("labels.f64", 1).iter().map(|label| *label as usize).collect();
            fitted(few, &labels[..few.nrows()]).expect("an erasure");
            begun = Instant::now();
            let (eraser, moments) = fitted(x.view(), &labels).expect("an erasure");
            let seconds = begun.elapsed().as_secs_f64();
            let map = eraser.affine().expect("finite");
            let bytes: Vec<u8> = map.weight().iter().flat_map(|value| value.to_le_bytes()).collect();
            std::fs::write(folder.join("ours.f64"), bytes).expect("a place for the matrix");
            return told(seconds, eraser.moved(&moments).expect("moments"));
        }
        "cka" | "debiased_cka" => {
            let y = read("y.f64", width);
            let measure = if method == "cka" { linear_cka } else { debiased_cka };
            measure(few, few).expect("a figure");
            begun = Instant::now();
            measure(x.view(), y.view()).expect("a figure")
        }
        _ => return println!("erase_compare: no method {method}"),
    };
    told(begun.elapsed().as_secs_f64(), figure);
}

fn told(seconds: f64, figure: f64) {
    println!("{}", serde_json::json!({ "seconds": seconds, "figure": figure }));
}

fn fitted(states: ArrayView2<f64>, labels: &[usize]) -> Result<(Eraser, Moments), DataError> {
    let classes = labels.iter().max().map_or(0, |largest| largest + 1);
    let moments = Moments::of_classes(states, labels, classes)?;
    Ok((leace(&moments)?, moments))
}

fn numbers(file: &Path) -> Vec<f64> {
    let bytes = std::fs::read(file).expect("a file of numbers");
    bytes.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().expect("eight bytes"))).collect()
}
