//! What the bias hangs on most: edges by what the contrast changes by without them, nodes by their edges.

use crate::method::Bench;
use crate::method::score::{Order, scored};
use crate::method::stand_in::StandIns;
use crate::method::sweep::States;
use crate::method::{Side, summary::mean};
use crate::model::HookError;
use crate::plan::Item;
use crate::spec::{Score, Spare, Stand};
use crate::steps::{RunError, Steps};

/// What some items of a task say of every edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    /// The contrast of the whole model: the metric after clean prompts less that after corrupted ones, the mean.
    pub whole: f64,
    /// What it changes by without each edge.
    pub edges: Vec<f64>,
}

impl Scored {
    /// Of the items of a bench; `means` stand in where `stand` says so.
    pub fn of(bench: &Bench, order: &Order, (score, stand): (Score, Stand), means: &States) -> Result<Self, HookError> {
        let turned: Vec<Item> = bench
            .items
            .iter()
            .map(|item| Item { clean: item.corrupt.clone(), corrupt: item.clean.clone(), ..item.clone() })
            .collect();
        let mut found = Scored { whole: 0.0, edges: vec![0.0; order.count()] };
        for (items, sign) in [(bench.items, 1.0), (turned.as_slice(), -1.0)] {
            let bench = Bench { items, ..*bench };
            let mut steps = (); // scores are kept whole, by who asks for them
            let mut steps = Steps::unkept(&mut steps);
            let stand_ins = match stand {
                Stand::Mean => StandIns::given(&bench, means.clone()),
                stand => StandIns::new(&bench, stand)?,
            };
            found.whole += sign * mean(&hooked(bench.whole(Side::Clean, &mut steps))?);
            let share = sign / items.len() as f64;
            for item in hooked(scored(&bench, order, score, stand_ins, &mut steps))? {
                found.edges.iter_mut().zip(item).for_each(|(sum, score)| *sum += share * f64::from(score));
            }
        }
        Ok(found)
    }

    /// The share of the contrast that each edge, or what `parts` says of edges, changes: below 0 where it supports it.
    fn shares(&self, parts: &[Vec<usize>]) -> Vec<f64> {
        let whole = if self.whole == 0.0 { 1.0 } else { self.whole };
        parts.iter().map(|edges| edges.iter().map(|edge| self.edges[*edge]).sum::<f64>() / whole).collect()
    }
}

/// Where nothing is kept nothing but a hook can fail.
fn hooked<T>(found: Result<T, RunError>) -> Result<T, HookError> {
    found.map_err(|error| match error {
        RunError::Hook(error) => error,
        other => unreachable!("no journal and no shard: {other}"),
    })
}

/// What is cut and what is spared, of `count`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parted {
    /// The parts that are cut, the strongest first.
    pub cut: Vec<usize>,
    /// Those that are left alone for the sake of what is kept.
    pub spared: Vec<usize>,
}

/// The `count` parts that the bias hangs on most, each some edges; `tasks` are the scores of the bias and of what is kept.
pub fn strongest(tasks: &[Scored; 2], parts: &[Vec<usize>], count: usize, spare: Spare) -> Parted {
    let [bias, kept] = [0, 1].map(|task| tasks[task].shares(parts));
    let value: Vec<f64> = match spare {
        Spare::Shares => bias.iter().zip(&kept).map(|(bias, kept)| bias + kept.abs()).collect(),
        Spare::Nothing | Spare::Strongest => bias,
    };
    let spared = if spare == Spare::Strongest { least(&kept)[..count].to_vec() } else { Vec::new() };
    let cut = least(&value).into_iter().filter(|part| !spared.contains(part)).take(count).collect();
    Parted { cut, spared }
}

/// The places of values, the least first; of equals the earlier.
fn least(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(whole: f64, edges: &[f64]) -> Scored {
        Scored { whole, edges: edges.to_vec() }
    }

    fn single(count: usize) -> Vec<Vec<usize>> {
        (0..count).map(|edge| vec![edge]).collect()
    }

    #[test]
    fn the_bias_is_cut_and_what_is_kept_is_spared() {
        let tasks = [scored(2.0, &[-1.0, -0.8, 0.5, -0.2]), scored(4.0, &[-4.0, 0.0, 0.1, -0.1])];
        let of = |count: usize, spare: Spare| strongest(&tasks, &single(4), count, spare);
        assert_eq!(of(2, Spare::Nothing), Parted { cut: vec![0, 1], spared: vec![] });
        assert_eq!(of(1, Spare::Strongest), Parted { cut: vec![1], spared: vec![0] });
        // shares: 0.5 of the bias and all that is kept; 0.4 and nothing; more bias; 0.1 and 0.025
        assert_eq!(of(3, Spare::Shares).cut, [1, 3, 2]);
    }

    #[test]
    fn a_bias_the_other_way_round_is_cut_by_what_makes_it_so() {
        let tasks = [scored(-2.0, &[-1.0, 1.0, 0.5, 0.0]), scored(1.0, &[0.0; 4])];
        assert_eq!(strongest(&tasks, &single(4), 2, Spare::Nothing).cut, [1, 2]);
    }

    #[test]
    fn a_part_has_the_sum_of_its_edges() {
        let tasks = [scored(1.0, &[-0.4, -0.3, -0.2, -0.3]), scored(1.0, &[0.0; 4])];
        assert_eq!(strongest(&tasks, &[vec![0], vec![1, 2], vec![3]], 2, Spare::Nothing).cut, [1, 0]);
    }
}
