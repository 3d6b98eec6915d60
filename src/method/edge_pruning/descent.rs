//! Masks of edges and nodes, fitted step by step: Adam down the loss, and up the price of edges that are too many.

use super::concrete::{Sloped, drawn, kept};
use crate::method::adam::Adam;
use crate::method::score::Order;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Where every mask begins: nearly always 1, and near enough to the slope to move.
const BEGIN: f64 = 3.0;
/// The share of the steps over which the target rises to what is wanted.
const WARM_UP: f64 = 0.6;
/// Draws this near 0 and 1 would be infinite.
const EDGE: f64 = 1e-6;

/// What is fitted, and what goes on from step to step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps done.
    pub step: usize,
    /// α of every edge, then of every node, then both prices λ.
    values: Vec<f64>,
    adam: Adam,
    /// The loss of the last step.
    pub loss: f64,
}

/// What is wanted of a fit.
#[derive(Clone, Copy, Debug)]
pub struct Fit<'a> {
    /// The edges.
    pub order: &'a Order,
    /// Edges that are to stay.
    pub count: usize,
    /// Steps.
    pub steps: usize,
    /// How far a step goes.
    pub rate: f64,
    /// Of all draws, and which fit this is.
    pub seed: (u64, usize),
}

/// The masks of one step: for every edge the share by which it is severed.
pub struct Masks {
    edges: Vec<Sloped>,
    nodes: Vec<Sloped>,
    /// By edge, in order.
    pub severed: Vec<f64>,
}

impl Fit<'_> {
    /// Before the first step.
    pub fn begin(&self) -> State {
        let masks = self.order.count() + self.order.nodes.len();
        let values = [vec![BEGIN; masks], vec![0.0; 2]].concat();
        State { step: 0, adam: Adam::new(values.len()), values, loss: 0.0 }
    }

    /// The masks that the next step draws.
    pub fn draw(&self, state: &State) -> Masks {
        let (seed, number) = self.seed;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(((number as u64) << 32) | state.step as u64); // a step draws the same wherever a run goes on
        let count = self.order.count();
        let mut draw = |alpha: &f64| drawn(*alpha, random.random_range(EDGE..1.0 - EDGE));
        let edges: Vec<Sloped> = state.values[..count].iter().map(&mut draw).collect();
        let nodes: Vec<Sloped> = state.values[count..count + self.order.nodes.len()].iter().map(&mut draw).collect();
        let severed = self.senders().zip(&edges).map(|(node, edge)| 1.0 - edge.value * nodes[node].value).collect();
        Masks { edges, nodes, severed }
    }

    /// The chance that each edge stays.
    pub fn chances(&self, state: &State) -> Vec<f64> {
        self.kept(state).into_iter().map(|[edge, node]| edge.value * node.value).collect()
    }

    /// The share of edges that is expected to go.
    pub fn sparsity(&self, state: &State) -> f64 {
        1.0 - self.chances(state).iter().sum::<f64>() / self.order.count() as f64
    }

    /// One step, with the loss of the masks and its slope by each severed share.
    pub fn step(&self, state: &mut State, masks: &Masks, loss: f64, slopes: &[f64]) {
        let mut down = self.down(masks, slopes);
        let (short, [linear, square]) = (self.target(state.step) - self.sparsity(state), self.prices(state));
        let price = (linear + 2.0 * square * short) / self.order.count() as f64;
        let count = self.order.count();
        for (edge, (node, [own, whole])) in self.senders().zip(self.kept(state)).enumerate() {
            down[edge] += price * own.slope * whole.value;
            down[count + node] += price * own.value * whole.slope;
        }
        down.extend([-short, -short * short]); // prices go up
        (state.loss, state.step) = (loss, state.step + 1);
        state.adam.step(&mut state.values, &down, self.rate);
    }

    /// The slope of the loss by every α.
    fn down(&self, masks: &Masks, slopes: &[f64]) -> Vec<f64> {
        let mut down = vec![0.0; self.order.count() + self.order.nodes.len()];
        for ((edge, node), slope) in self.senders().enumerate().zip(slopes) {
            let (own, whole) = (masks.edges[edge], masks.nodes[node]);
            down[edge] -= slope * own.slope * whole.value;
            down[self.order.count() + node] -= slope * own.value * whole.slope;
        }
        down
    }

    /// The share of edges that is to go by now.
    fn target(&self, step: usize) -> f64 {
        let wanted = 1.0 - self.count as f64 / self.order.count() as f64;
        let warm = (WARM_UP * self.steps as f64).max(1.0);
        wanted * ((step + 1) as f64 / warm).min(1.0)
    }

    fn prices(&self, state: &State) -> [f64; 2] {
        let masks = self.order.count() + self.order.nodes.len();
        [state.values[masks], state.values[masks + 1]]
    }

    /// The chances that each edge and its sender have a mask above 0.
    fn kept(&self, state: &State) -> Vec<[Sloped; 2]> {
        let count = self.order.count();
        self.senders().enumerate().map(|(edge, node)| [edge, count + node].map(|at| kept(state.values[at]))).collect()
    }

    /// The sender of each edge, in order, by its number.
    fn senders(&self) -> impl Iterator<Item = usize> {
        let edges = (0..self.order.nodes.len()).map(|node| (node, self.order.edges_of(node).len()));
        edges.flat_map(|(node, count)| std::iter::repeat_n(node, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::Blocks;
    use crate::node::Flow;

    fn fit(order: &Order) -> Fit<'_> {
        Fit { order, count: 6, steps: 400, rate: 0.1, seed: (7, 0) }
    }

    /// Losses that are sums over edges: what an edge is worth is what its share severed costs.
    fn fitted(order: &Order, worth: &[f64]) -> Vec<f64> {
        let fit = fit(order);
        let mut state = fit.begin();
        for _ in 0..fit.steps {
            let masks = fit.draw(&state);
            let loss = masks.severed.iter().zip(worth).map(|(share, worth)| share * worth).sum();
            fit.step(&mut state, &masks, loss, worth);
        }
        assert!((fit.sparsity(&state) - fit.target(fit.steps)).abs() < 0.05, "{}", fit.sparsity(&state));
        fit.chances(&state)
    }

    #[test]
    fn edges_of_worth_stay_and_the_others_go() {
        let order = Order::new(&Blocks::new(2, 2, Flow::Sequential));
        let mut worth = vec![0.0; order.count()];
        let of_worth = [0, 5, 11, 17, 30, order.count() - 1];
        of_worth.iter().for_each(|edge| worth[*edge] = 1.0);
        let chances = fitted(&order, &worth);
        for (edge, chance) in chances.iter().enumerate() {
            assert_eq!(of_worth.contains(&edge), *chance > 0.5, "edge {edge}: {chance}");
        }
    }

    #[test]
    fn a_step_draws_the_same_again_and_another_seed_others() {
        let order = Order::new(&Blocks::new(2, 2, Flow::Sequential));
        let fit = fit(&order);
        let mut state = fit.begin();
        state.values.iter_mut().for_each(|value| *value = 0.0);
        let draw = |fit: &Fit, state: &State| fit.draw(state).severed;
        let (first, again) = (draw(&fit, &state), draw(&fit, &state));
        assert_eq!(first, again);
        assert_ne!(draw(&Fit { seed: (7, 1), ..fit }, &state), first);
        state.step += 1;
        assert_ne!(draw(&fit, &state), first);
    }

    /// Central differences of loss and prices, by every α.
    #[test]
    fn slopes_go_through_masks_of_edges_and_of_nodes() {
        const STEP: f64 = 1e-6;
        let order = Order::new(&Blocks::new(1, 2, Flow::Sequential));
        let fit = fit(&order);
        let mut state = fit.begin();
        state.values.iter_mut().enumerate().for_each(|(at, value)| *value = (at % 5) as f64 * 0.3 - 0.6);
        let worth: Vec<f64> = (0..order.count()).map(|edge| edge as f64 - 4.0).collect();
        let loss = |state: &State| -> f64 {
            fit.draw(state).severed.iter().zip(&worth).map(|(share, worth)| share * worth).sum()
        };
        let down = fit.down(&fit.draw(&state), &worth);
        for (at, slope) in down.iter().enumerate() {
            let moved = |by: f64| {
                let mut state = state.clone();
                state.values[at] += by;
                loss(&state)
            };
            let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            assert!((slope - difference).abs() < 1e-6, "{at}: {slope} {difference}");
        }
    }
}
