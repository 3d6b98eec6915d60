//! Laws of the arithmetic on plain memory: one go has the bits of its steps, and all of it agrees with the definitions.

use super::common::*;
use patchclamp::kernel::attention::{Scoring, Sizes, softmax};
use patchclamp::kernel::copy::{split, turned};
use patchclamp::kernel::norm::Norm;
use patchclamp::model::Pass;
use patchclamp::model::hash::{Hash, Part};
use patchclamp::model::parts::position::masked;
use patchclamp::precision::Precision;
use patchclamp::tensor::to_floats;
use patchclamp::text::Padding;

/// Sums of some dozens of f32 products of order 1.
const TOLERANCE: f64 = 1e-5;
/// Logits by two ways of computing in f32; the issue's own bound.
const LOGITS: f32 = 1e-5;

/// What a masked score is added.
fn mask() -> f32 {
    masked(Precision::F32)
}

/// Heads that share keys, widths and lengths that no vector divides, more positions than a task takes, few and many keys.
const SIZES: [Sizes; 4] = [
    Sizes { batch: 2, heads: 3, key_heads: 3, pos: 5, keys: 5, width: 7 },
    Sizes { batch: 3, heads: 4, key_heads: 2, pos: 11, keys: 37, width: 64 },
    Sizes { batch: 2, heads: 6, key_heads: 1, pos: 1, keys: 9, width: 40 },
    Sizes { batch: 1, heads: 2, key_heads: 2, pos: 70, keys: 70, width: 33 },
];

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    to_floats(&random_tensor([count], seed))
}

/// Queries, keys, values and a mask that forbids every third key, a mask a row of tokens.
struct Given {
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    mask: Vec<f32>,
}

impl Given {
    fn new(sizes: &Sizes) -> Self {
        let Sizes { batch, heads, key_heads, pos, keys, width } = *sizes;
        let forbidden = |index| if index % 3 == 1 { mask() } else { 0.0 };
        let mask = (0..batch * pos * keys).map(forbidden).collect();
        let [key, value] = [1, 2].map(|seed| numbers(batch * key_heads * keys * width, seed));
        Given { query: numbers(batch * heads * pos * width, 0), key, value, mask }
    }

    /// The definition, in f64: `[batch, pos, head, width]`.
    fn attended(&self, sizes: &Sizes, scale: f64) -> Vec<f64> {
        let Sizes { batch, heads, key_heads, pos, keys, width } = *sizes;
        let mut out = vec![0.0; batch * pos * heads * width];
        for row in 0..batch * heads * pos {
            let (item, head, at) = (row / pos / heads, row / pos % heads, row % pos);
            let first = (item * key_heads + head / (heads / key_heads)) * keys;
            let dot = |key: usize| -> f64 {
                let pair = |i| f64::from(self.query[row * width + i]) * f64::from(self.key[(first + key) * width + i]);
                (0..width).map(pair).sum()
            };
            let seen = |key: &usize| self.mask[(item * pos + at) * keys + key] == 0.0;
            let weights: Vec<(usize, f64)> =
                (0..keys).filter(seen).map(|key| (key, (dot(key) * scale).exp())).collect();
            let whole: f64 = weights.iter().map(|(_, weight)| weight).sum();
            for (key, weight) in weights {
                for i in 0..width {
                    let value = f64::from(self.value[(first + key) * width + i]);
                    out[((item * pos + at) * heads + head) * width + i] += weight / whole * value;
                }
            }
        }
        out
    }
}

#[test]
fn attention_in_one_go_has_the_bits_of_its_steps_and_is_attention() {
    for sizes in SIZES {
        let given = Given::new(&sizes);
        let turned_key = turned(&given.key, sizes.keys, sizes.width);
        let scoring = Scoring { query: &given.query, turned_key: &turned_key, scale: 0.25, mask: &given.mask };
        let mut pattern = sizes.scores(&scoring);
        softmax(&mut pattern, sizes.keys);
        let attended = sizes.attend(&scoring, &given.value);
        assert_eq!(attended, sizes.mix(&pattern, &given.value));
        for (ours, exact) in attended.iter().zip(given.attended(&sizes, 0.25)) {
            assert!((f64::from(*ours) - exact).abs() < TOLERANCE, "{ours} {exact}");
        }
    }
}

#[test]
fn a_number_does_not_depend_on_the_threads() {
    let sizes = SIZES[3];
    let given = Given::new(&sizes);
    let turned_key = turned(&given.key, sizes.keys, sizes.width);
    let scoring = Scoring { query: &given.query, turned_key: &turned_key, scale: 0.25, mask: &given.mask };
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let [one, four] = [1, 4].map(|threads| pool(threads).install(|| sizes.attend(&scoring, &given.value)));
    assert_eq!(one, four);
}

#[test]
fn a_query_that_sees_nothing_has_a_uniform_pattern() {
    for keys in [1, 3, 16, 33] {
        let mut pattern: Vec<f32> = numbers(keys, 3).into_iter().map(|score| score + mask()).collect();
        softmax(&mut pattern, keys);
        assert_eq!(pattern, vec![1.0 / keys as f32; keys]);
    }
}

#[test]
fn a_pattern_sums_to_one_and_forbidden_keys_get_nothing() {
    let mut pattern = numbers(40 * 37, 4).into_iter().map(|score| 20.0 * score).collect::<Vec<f32>>();
    pattern.iter_mut().step_by(5).for_each(|score| *score += mask());
    softmax(&mut pattern, 37);
    assert!(pattern.iter().step_by(5).all(|weight| *weight == 0.0));
    for row in pattern.chunks(37) {
        assert!((row.iter().map(|weight| f64::from(*weight)).sum::<f64>() - 1.0).abs() < TOLERANCE);
    }
}

#[test]
fn a_norm_by_its_own_scales_has_the_same_bits_and_is_the_norm() {
    for (width, rows) in [(7, 3), (64, 5), (768, 40)] {
        let (x, weight, bias) = (numbers(width * rows, 5), numbers(width, 6), numbers(width, 7));
        for (centre, weight, bias) in
            [(true, Some(&*weight), Some(&*bias)), (false, Some(&*weight), None), (true, None, None)]
        {
            let norm = Norm { centre, eps: 1e-5, weight, bias };
            let (mut whole, mut stepwise) = (x.clone(), x.clone());
            norm.apply(&mut whole, width);
            norm.apply_scaled(&mut stepwise, width, &norm.scales(&x, width));
            assert_eq!(whole, stepwise);
            for (ours, x) in whole.chunks(width).zip(x.chunks(width)) {
                let mean =
                    |term: &dyn Fn(f64) -> f64| x.iter().map(|x| term(f64::from(*x))).sum::<f64>() / width as f64;
                let middle = if centre { mean(&|x| x) } else { 0.0 };
                let scale = (mean(&|x| (x - middle).powi(2)) + 1e-5).sqrt();
                for (i, (ours, x)) in ours.iter().zip(x).enumerate() {
                    let exact = (f64::from(*x) - middle) / scale * weight.map_or(1.0, |weight| f64::from(weight[i]))
                        + bias.map_or(0.0, |bias| f64::from(bias[i]));
                    assert!((f64::from(*ours) - exact).abs() < TOLERANCE, "{ours} {exact}");
                }
            }
        }
    }
}

#[test]
fn turning_and_splitting_move_every_number_to_its_place() {
    for (matrices, rows, width) in [(1, 40, 50), (3, 5, 33), (70, 2, 16)] {
        let values = numbers(matrices * rows * width, 8);
        let out = turned(&values, rows, width);
        for (index, value) in values.iter().enumerate() {
            let (matrix, row, channel) = (index / width / rows, index / width % rows, index % width);
            assert_eq!(out[(matrix * width + channel) * rows + row], *value);
        }
    }
    let (batch, pos, across, width) = (2, 3, 5, 4);
    let values = numbers(batch * pos * across * width, 9);
    let heads = split(&values, [batch, pos, across, width], (2, 3));
    for (index, value) in heads.iter().enumerate() {
        let (at, channel, head) = (index / width % pos, index % width, index / width / pos % 3);
        assert_eq!(*value, values[((index / width / pos / 3 * pos + at) * across + 2 + head) * width + channel]);
    }
}

/// The tape takes the library's own operations, so that these are two implementations of the same model.
#[test]
fn plain_memory_and_the_library_agree() {
    let tokens = random_tokens(&[7, 4, 2], Padding::Left);
    for case in DECODERS.into_iter().chain(ENCODERS) {
        let model = load(case).model;
        let plain = model.pass(&Pass::whole(&tokens), &mut ());
        let taped = model.on_tape().pass(&Pass::whole(&tokens), &mut ()).inner();
        assert_close(&plain, &taped, LOGITS, case);
    }
}

#[test]
fn the_hash_of_weights_is_their_sha256() {
    // the example of FIPS 180-4
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bc");
    std::fs::write(&file, "bc").unwrap();
    assert_eq!(Hash::of(vec![Part::Bytes(b"a".as_slice().into()), Part::File(file.clone())]).text(), ABC);
    // longer than what is read at once
    let long: Vec<u8> = (0..3_000_000u32).map(|index| (index % 251) as u8).collect();
    std::fs::write(&file, &long).unwrap();
    assert_eq!(Hash::of(vec![Part::File(file)]).text(), Hash::of(vec![Part::Bytes(long.into())]).text());
    assert!(Hash::of(vec![Part::File(folder.path().join("gone"))]).text().starts_with("unknown: "));
}
