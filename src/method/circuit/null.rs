//! What chance can do: random circuits, and circuits of scores whose answers were exchanged in half of the items.

use super::found::Shuffled;
use crate::circuit::Circuit;
use crate::method::Bench;
use crate::plan::Item;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Which items have their answers exchanged, draw by draw: those of a random half of the observations. `groups` are the
/// observations of the items.
pub fn exchanges(groups: &[usize], draws: usize, seed: u64) -> Vec<Vec<bool>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x73_77_61_70); // "swap": other draws than the bootstrap's
    let mut order: Vec<usize> = (0..groups.iter().max().map_or(0, |last| last + 1)).collect();
    let draw = |_| {
        order.shuffle(&mut random);
        let half = &order[..order.len() / 2];
        groups.iter().map(|group| half.contains(group)).collect()
    };
    (0..draws).map(draw).collect()
}

/// The items with right and wrong answer exchanged where `exchanged` says.
pub fn with_exchanged(bench: &Bench, exchanged: &[bool]) -> Vec<Item> {
    let item = |(item, exchange): (&Item, &bool)| {
        let mut item = item.clone();
        if let (Some(answers), true) = (&mut item.answers, *exchange) {
            std::mem::swap(&mut answers.right, &mut answers.wrong);
            item.more.reverse();
        }
        item
    };
    bench.items.iter().zip(exchanged).map(item).collect()
}

/// Random circuits of as many edges as this one.
pub fn random(circuit: &Circuit, draws: usize, seed: u64) -> Vec<Circuit> {
    (0..draws as u64).map(|draw| circuit.random(seed.wrapping_add(draw) ^ 0x64_72_61_77)).collect() // "draw": others than the halves
}

/// Circuits that `choose` makes of the scores of draws; `own` are scores `[item][edge]`, `other` the same with the answers
/// exchanged.
pub fn shuffled(
    [own, other]: [&[Vec<f32>]; 2],
    exchanges: Vec<Vec<bool>>,
    choose: impl Fn(&[f64]) -> Vec<bool>,
) -> Shuffled {
    let mean = |exchanged: &Vec<bool>| {
        let mut sum = vec![0.0; own[0].len()];
        for (item, exchange) in exchanged.iter().enumerate() {
            let scores = if *exchange { &other[item] } else { &own[item] };
            sum.iter_mut().zip(scores).for_each(|(sum, score)| *sum += f64::from(*score));
        }
        sum.iter().map(|sum| sum / exchanged.len() as f64).collect::<Vec<f64>>()
    };
    let members = exchanges.iter().map(|exchanged| choose(&mean(exchanged))).collect();
    Shuffled { exchanges, members }
}
