//! NF4: sixteen levels that as many weights of a normal distribution go to each, and scales rounded in their turn.
//!
//! Reference: Dettmers et al. 2023, "QLoRA: efficient finetuning of quantized LLMs"; the map of eight bits is that of
//! Dettmers et al. 2022, "8-bit optimizers via block-wise quantization".

use super::Matrix;
use super::dice::Dice;
use crate::spec::Nf4;

/// The levels: quantiles of the normal distribution, an exact zero among them, scaled to ±1 (as `bitsandbytes` has them, in f32).
pub const LEVELS: [f64; 16] = [
    -1.0,
    -0.696_192_800_998_687_7,
    -0.525_073_051_452_636_7,
    -0.394_917_488_098_144_53,
    -0.284_441_381_692_886_35,
    -0.184_773_430_228_233_34,
    -0.091_050_036_251_544_95,
    0.0,
    0.079_580_299_556_255_34,
    0.160_930_201_411_247_25,
    0.246_112_301_945_686_34,
    0.337_915_241_718_292_24,
    0.440_709_829_330_444_34,
    0.562_617_003_917_694_1,
    0.722_956_836_223_602_3,
    1.0,
];

/// Scales that share a scale of their own.
const SCALES: usize = 256;

/// Bits of a number that is not rounded.
const FULL: f64 = 32.0;

/// Bits a weight, scales included.
pub fn width(how: &Nf4) -> f64 {
    let scale = if how.double { 8.0 + FULL / SCALES as f64 } else { FULL };
    4.0 + scale / how.block as f64
}

/// Every weight at a level of its block: blocks are neighbours, output after output, and the last may be shorter.
pub fn round(mut weights: Matrix, how: &Nf4, dice: &Dice) -> Matrix {
    let values = weights.as_slice_mut().expect("rows in one piece");
    let largest = |block: &[f64]| block.iter().fold(0.0, |most: f64, weight| most.max(weight.abs()));
    let exact: Vec<f64> = values.chunks(how.block).map(largest).collect();
    let mut kept = exact.clone();
    if how.double {
        round_scales(&mut kept);
    }
    // levels are picked before scales are rounded, as `bitsandbytes` does it
    for (number, (block, (exact, kept))) in values.chunks_mut(how.block).zip(exact.iter().zip(&kept)).enumerate() {
        let mut dice = dice.of(number);
        let exact = if *exact == 0.0 { 1.0 } else { *exact };
        block.iter_mut().for_each(|weight| *weight = kept * level(*weight / exact, &LEVELS, &mut dice));
    }
    weights
}

/// Which of `levels`, in rising order, a number goes to.
fn level(x: f64, levels: &[f64], dice: &mut Dice) -> f64 {
    let above = levels.partition_point(|level| *level < x);
    match above {
        0 => levels[0],
        _ if above == levels.len() => levels[above - 1],
        _ => dice.between(x, [levels[above - 1], levels[above]]),
    }
}

/// Scales less their mean, rounded to eight bits in blocks.
fn round_scales(scales: &mut [f64]) {
    let mean = scales.iter().sum::<f64>() / scales.len().max(1) as f64;
    let map = dynamic_map();
    for block in scales.chunks_mut(SCALES) {
        let largest = block.iter().fold(0.0, |most: f64, scale| most.max((scale - mean).abs()));
        let unit = if largest > 0.0 { largest } else { 1.0 };
        let rounded = |scale: f64| mean + unit * level((scale - mean) / unit, &map, &mut Dice::Nearest);
        block.iter_mut().for_each(|scale| *scale = rounded(*scale));
    }
}

/// Numbers of eight bits whose exponent takes as many bits as it needs: in each of seven decades the middles of twice as many
/// equal steps as in the one below, with both signs; zero; and one.
fn dynamic_map() -> Vec<f64> {
    let mut map = vec![0.0, 1.0];
    for decade in 0..7 {
        let steps = 1_usize << decade;
        let unit = 10_f64.powi(decade - 6);
        for step in 0..steps {
            let middle = 0.1 + 0.9 * (step as f64 + 0.5) / steps as f64;
            map.extend([unit * middle, -unit * middle]);
        }
    }
    map.sort_by(f64::total_cmp);
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bits_have_256_numbers() {
        let map = dynamic_map();
        assert_eq!(map.len(), 256);
        assert_eq!((map[127], map[255]), (0.0, 1.0));
        // the first and the last of the reference's table
        assert!((map[0] + 0.992_968_75).abs() < 1e-9 && (map[128] - 5.5e-7).abs() < 1e-12, "{} {}", map[0], map[128]);
    }
}
