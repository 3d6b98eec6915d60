//! Shapley values: which parts of a change carry its effect?
//!
//! **What it measures.** The effect of changing some parts together, shared out among them: the share of a part is what it adds
//! to the parts before it, averaged over all orders in which parts could be changed. Shares add up to the effect of the whole
//! change, parts that do the same get the same, and a part that never does anything gets nothing. With few parts every set
//! of them is valued; else the orders are drawn, each with its reverse, which cancels what is linear in the place.
//!
//! **What it cannot show.** How parts work together: where two only act jointly each gets half, as if they acted alone. Beside
//! the shares, the effect of each part alone and of all but it say more.
//!
//! **Reference.** Shapley 1953, *A value for n-person games*; Castro, Gómez & Tejada 2009 (drawn orders); Mitchell et al. 2022,
//! *Sampling Permutations for Shapley Value Estimation*, JMLR 23 (orders with their reverse).
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::shapley::Game;
//!
//! let game = Game::exact(2);
//! assert_eq!(game.coalitions(), [vec![], vec![0], vec![1], vec![0, 1]]);
//! // the first part adds 1, the second 2, both together 1 more
//! let shares = game.shares(array![[0.0], [1.0], [2.0], [4.0]].view());
//! assert_eq!(shares, array![[1.5], [2.5]]);
//! ```

use crate::draw::shuffle;
use crate::special::binomial;
use ndarray::{Array1, Array2, ArrayView2};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Sets of changed parts that have to be valued, and how shares follow from their values.
#[derive(Clone, Debug)]
pub struct Game {
    players: usize,
    exact: bool,
    coalitions: Vec<Vec<usize>>,
    /// What each player adds: `[turn][player]` with the coalition before and behind, and the weight of that difference.
    turns: Vec<Vec<Added>>,
}

/// A player's joining of a coalition.
#[derive(Clone, Copy, Debug)]
struct Added {
    player: usize,
    before: usize,
    behind: usize,
    weight: f64,
}

impl Game {
    /// Every set of parts, 2 to the power of `players`, in the order of binary numbers whose lowest bit is part 0.
    ///
    /// # Panics
    /// Above 20 parts, of which a million sets would have to be valued.
    pub fn exact(players: usize) -> Self {
        assert!(players <= 20, "{players} parts have too many sets; draw orders");
        let sets = 1_usize << players;
        let members = |set: usize| (0..players).filter(|player| set >> player & 1 == 1).collect();
        let joins =
            |set: usize| (0..players).filter(move |player| set >> player & 1 == 0).map(move |player| (set, player));
        let added = |(set, player): (usize, usize)| {
            let weight = 1.0 / (players as f64 * binomial(players - 1, set.count_ones() as usize));
            Added { player, before: set, behind: set | 1 << player, weight }
        };
        let turns = vec![(0..sets).flat_map(joins).map(added).collect()];
        Game { players, exact: true, coalitions: (0..sets).map(members).collect(), turns }
    }

    /// The sets that stand before and behind each part in `pairs` orders drawn by the seed and in their reverses.
    pub fn sampled(players: usize, pairs: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut places = BTreeMap::new();
        let mut order: Vec<usize> = (0..players).collect();
        let weight = 1.0 / (2 * pairs).max(1) as f64;
        let turns = (0..pairs).map(|_| {
            shuffle(&mut order, &mut random);
            let backwards: Vec<usize> = order.iter().rev().copied().collect();
            [&order, &backwards].into_iter().flat_map(|order| joined(order, weight, &mut places)).collect()
        });
        let turns = turns.collect();
        let mut coalitions = vec![Vec::new(); places.len()];
        places.into_iter().for_each(|(members, place)| coalitions[place] = members);
        Game { players, exact: false, coalitions, turns }
    }

    /// All sets where there are at most `most` of them, else as many orders as need about so many.
    pub fn within(players: usize, most: usize, seed: u64) -> Self {
        if players <= 20 && 1 << players <= most {
            return Game::exact(players);
        }
        Game::sampled(players, (most / (2 * players)).max(1), seed)
    }

    /// The sets to be valued, each a rising list of parts.
    pub fn coalitions(&self) -> &[Vec<usize>] {
        &self.coalitions
    }

    /// Whether shares are those over all orders.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// The share of each part in the effect on each item, `[part, item]`, from the value of each set `[set, item]`.
    ///
    /// # Panics
    /// If there is not one row a set.
    pub fn shares(&self, values: ArrayView2<f64>) -> Array2<f64> {
        assert_eq!(values.nrows(), self.coalitions.len(), "one row a set");
        let mut shares = Array2::zeros((self.players, values.ncols()));
        for Added { player, before, behind, weight } in self.turns.iter().flatten() {
            shares.row_mut(*player).scaled_add(*weight, &(&values.row(*behind) - &values.row(*before)));
        }
        shares
    }

    /// The standard error of each part's mean share that comes of drawing orders; zero where every set is valued, and `None`
    /// for fewer than two drawn orders.
    ///
    /// # Panics
    /// If there is not one row a set.
    pub fn standard_errors(&self, values: ArrayView2<f64>) -> Option<Vec<f64>> {
        if self.exact {
            return Some(vec![0.0; self.players]);
        }
        let means: Array1<f64> = values.mean_axis(ndarray::Axis(1))?;
        let count = self.turns.len() as f64;
        let mut of_turn = Array2::zeros((self.turns.len(), self.players));
        for (turn, added) in self.turns.iter().enumerate() {
            for Added { player, before, behind, weight } in added {
                of_turn[(turn, *player)] += weight * count * (means[*behind] - means[*before]);
            }
        }
        (count > 1.0).then(|| of_turn.std_axis(ndarray::Axis(0), 1.0).mapv(|spread| spread / count.sqrt()).to_vec())
    }
}

/// The joinings of an order, with the places of their coalitions.
fn joined(order: &[usize], weight: f64, places: &mut BTreeMap<Vec<usize>, usize>) -> Vec<Added> {
    let mut members: Vec<usize> = Vec::with_capacity(order.len());
    let mut place_of = |members: &[usize]| {
        let next = places.len();
        *places.entry(members.to_vec()).or_insert(next)
    };
    let mut before = place_of(&members);
    let joins = order.iter().map(|player| {
        let at = members.partition_point(|member| member < player);
        members.insert(at, *player);
        let behind = place_of(&members);
        let added = Added { player: *player, before, behind, weight };
        before = behind;
        added
    });
    joins.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    /// Values of a game for two items: additive with one pair that acts jointly.
    fn valued(game: &Game) -> Array2<f64> {
        let value = |members: &Vec<usize>| {
            let alone: f64 = members.iter().map(|player| (*player as f64 + 1.0).powi(2)).sum();
            let joint = if members.contains(&0) && members.contains(&2) { 6.0 } else { 0.0 };
            [alone + joint, -alone]
        };
        let rows: Vec<f64> = game.coalitions().iter().flat_map(value).collect();
        Array2::from_shape_vec((game.coalitions().len(), 2), rows).unwrap()
    }

    #[test]
    fn shares_are_what_each_part_adds_and_half_of_what_two_add_jointly() {
        let game = Game::exact(4);
        let shares = game.shares(valued(&game).view());
        let expected = [[4.0, -1.0], [4.0, -4.0], [12.0, -9.0], [16.0, -16.0]];
        for (share, expected) in shares.iter().zip(expected.iter().flatten()) {
            assert!((share - expected).abs() < 1e-12, "{shares}");
        }
        assert_eq!(game.standard_errors(valued(&game).view()), Some(vec![0.0; 4]));
    }

    #[test]
    fn drawn_orders_come_near_add_up_exactly_and_say_how_near() {
        let game = Game::sampled(6, 40, 3);
        let values = valued(&game);
        let shares = game.shares(values.view());
        let whole = game.coalitions().iter().position(|members| members.len() == 6).unwrap();
        let none = game.coalitions().iter().position(Vec::is_empty).unwrap();
        let effect = &values.row(whole) - &values.row(none);
        for item in 0..2 {
            assert!((shares.column(item).sum() - effect[item]).abs() < 1e-9);
        }
        // an order and its reverse each have part 0 once before part 2 and once behind, so even the joint effect is exact
        assert!((shares[(0, 0)] - 4.0).abs() < 1e-9 && (shares[(2, 0)] - 12.0).abs() < 1e-9);
        assert!(game.standard_errors(values.view()).unwrap().iter().all(|error| *error < 1e-9));
        assert!(
            Game::sampled(6, 1, 3)
                .standard_errors(Array2::zeros((Game::sampled(6, 1, 3).coalitions().len(), 1)).view())
                .is_none()
        );
    }

    #[test]
    fn of_three_that_act_jointly_drawn_orders_are_right_within_their_error() {
        let three = |members: &Vec<usize>| f64::from(u8::from([0, 1, 2].iter().all(|player| members.contains(player))));
        let game = Game::sampled(5, 400, 1);
        let values: Vec<f64> = game.coalitions().iter().map(three).collect();
        let values = Array2::from_shape_vec((values.len(), 1), values).unwrap();
        let (shares, errors) = (game.shares(values.view()), game.standard_errors(values.view()).unwrap());
        for player in 0..3 {
            assert!(errors[player] > 0.0, "{errors:?}");
            assert!((shares[(player, 0)] - 1.0 / 3.0).abs() < 4.0 * errors[player], "{shares} {errors:?}");
        }
        assert_eq!((shares[(3, 0)], errors[4]), (0.0, 0.0));
    }

    #[test]
    fn a_budget_chooses_between_all_sets_and_drawn_orders() {
        assert!(Game::within(4, 16, 0).is_exact());
        assert!(!Game::within(5, 16, 0).is_exact());
        assert!(Game::within(30, 240, 0).coalitions().len() <= 240 + 2);
        assert_eq!(Game::exact(0).coalitions().len(), 1);
    }
}
