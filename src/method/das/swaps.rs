//! Exchanges: each item both ways, from the clean run into the corrupted one and back, every one once.

use crate::method::{Bench, Side, batches};
use crate::plan::Answers;
use std::collections::BTreeMap;

/// A base run that is given something of a source run.
pub struct Swap {
    /// Whose prompts.
    pub item: usize,
    /// The prompt of the base run; the source run has the other one.
    pub base: Side,
    /// The answer that the exchange calls for, the source run's, as the right one.
    pub answers: Answers,
}

impl Swap {
    /// The prompt of the source run.
    pub fn source(&self) -> Side {
        match self.base {
            Side::Clean => Side::Corrupt,
            Side::Corrupt => Side::Clean,
        }
    }
}

/// The exchanges of some items.
pub struct Swaps {
    /// Each once: where data have every pair both ways round, two items have the same two.
    pub all: Vec<Swap>,
    of_items: Vec<[usize; 2]>,
}

impl Swaps {
    /// Both of each item.
    pub fn of(bench: &Bench, items: &[usize]) -> Self {
        let (mut all, mut known) = (Vec::new(), BTreeMap::new());
        let mut number = |item: usize, base: Side| {
            let swap = swap(bench, item, base);
            let prompts = [swap.base, swap.source()].map(|side| prompt(bench, item, side).to_vec());
            let key = (prompts, swap.answers.right.clone(), swap.answers.wrong.clone(), swap.answers.at);
            *known.entry(key).or_insert_with(|| {
                all.push(swap);
                all.len() - 1
            })
        };
        let of_items = items.iter().map(|item| [Side::Corrupt, Side::Clean].map(|base| number(*item, base))).collect();
        Swaps { all, of_items }
    }

    /// The mean of each item's exchanges, of a value an exchange.
    pub fn by_item(&self, values: &[f64]) -> Vec<f64> {
        self.of_items.iter().map(|[to, back]| (values[*to] + values[*back]) / 2.0).collect()
    }

    /// Exchanges in batches of one length.
    pub fn batches(&self, bench: &Bench) -> Vec<Vec<usize>> {
        batches(self.all.len(), bench.rows, |swap| bench.items[self.all[swap].item].clean.len())
    }
}

fn swap(bench: &Bench, item: usize, base: Side) -> Swap {
    let Answers { right, wrong, at } = bench.answers(item).clone();
    let answers = match base {
        Side::Corrupt => Answers { right, wrong, at },
        Side::Clean => Answers { right: wrong, wrong: right, at },
    };
    Swap { item, base, answers }
}

/// The tokens of an item on one side.
pub fn prompt<'a>(bench: &'a Bench, item: usize, side: Side) -> &'a [u32] {
    match side {
        Side::Clean => &bench.items[item].clean,
        Side::Corrupt => &bench.items[item].corrupt,
    }
}
