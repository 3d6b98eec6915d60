//! The noise of a trace: how strong, and the same for an item whatever else runs with it.

use super::subject;
use crate::hook::Record;
use crate::method::{Bench, Side};
use crate::model::{HookError, Pass, Read, run};
use crate::site::{Place, Site};
use crate::tensor::to_doubles;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Standard normal numbers for an item and a copy of it, as many as the subject has tokens times the width of the model:
/// `[token, width]`, the width fastest.
pub type Draw<'a> = dyn Fn(usize, usize, [usize; 2]) -> Vec<f64> + 'a;

/// Draws by a seed: the generator is ChaCha8, each item has a stream of its own, copies follow each other in it.
pub fn standard_normal(seed: u64) -> impl Fn(usize, usize, [usize; 2]) -> Vec<f64> {
    move |item, copy, [tokens, width]| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(item as u64);
        let values = random.sample_iter::<f64, _>(StandardNormal);
        values.skip(copy * tokens * width).take(tokens * width).collect()
    }
}

/// The standard deviation, with n − 1, of all numbers in the embeddings of all subjects' tokens.
pub fn deviation(bench: &Bench) -> Result<f64, HookError> {
    let mut of_items = vec![Vec::new(); bench.items.len()];
    for items in bench.batches(bench.rows) {
        let mut record = Record::of([Site::Embed]);
        let nothing = Read { positions: Some(vec![0; items.len()]), tokens: Some(vec![vec![0]; items.len()]) };
        run(bench.model, &Pass::whole(&bench.tokens(&items, Side::Clean)).reading(nothing), &mut record)?;
        let embedded = record.at(Site::Embed).expect("asked for above");
        for (row, item) in items.iter().enumerate() {
            let place = Place { positions: Some(subject(bench, *item).collect()), ..Place::all(Site::Embed) };
            of_items[*item] = to_doubles(&place.part_of(&embedded.clone().narrow(0, row, 1)));
        }
    }
    // item by item, so that batches do not change the order of additions
    let values: Vec<f64> = of_items.into_iter().flatten().collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Ok((values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt())
}
