//! Directions, and of a boundless fit how many of them, fitted step by step down the loss.

use super::span::{Span, drawn, orthonormal, tangent};
use crate::method::adam::Adam;
use crate::spec::Boundless;
use ndarray::s;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How blurred a boundary is at first, as a share of the directions there may be, and in the end, in directions.
const BLUR: (f64, f64) = (0.25, 0.1);
/// How much further a boundary goes in a step than directions do, in shares of the directions there may be; as Wu et al. 2023.
const BOUNDARY_RATE: f64 = 5.0;

/// What is fitted, and what goes on from step to step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    step: usize,
    /// Directions, one after the other.
    span: Vec<f64>,
    /// The share of the directions before the boundary.
    boundary: f64,
    adams: [Adam; 2],
    /// The loss of the first step, and of the last.
    pub losses: Option<[f64; 2]>,
}

/// What is wanted of a fit.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Directions, and how wide they are.
    pub shape: [usize; 2],
    /// What directions cost, where it is learned how many there are.
    pub boundless: Option<Boundless>,
    /// Steps.
    pub steps: usize,
    /// How far the first one goes.
    pub rate: f64,
    /// Exchanges a step.
    pub batch: usize,
    /// Of all draws, and which fit this is.
    pub seed: (u64, usize),
}

/// The loss of a step, and its slopes.
pub struct Cost {
    /// The mean over exchanges.
    pub loss: f64,
    /// By the directions.
    pub span: Span,
    /// By the share of each that is exchanged.
    pub shares: Vec<f64>,
}

impl Fit {
    /// Before the first step: a span by chance, and half of what there may be before the boundary.
    pub fn begin(&self) -> State {
        let span = drawn(self.shape, &mut self.random(u32::MAX as usize));
        let adams = [Adam::new(span.len()), Adam::forgetful(1)];
        State { step: 0, span: span.into_iter().collect(), boundary: 0.5, adams, losses: None }
    }

    /// The same wherever a run goes on.
    fn random(&self, step: usize) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed.0);
        random.set_stream(((self.seed.1 as u64) << 32) | step as u64);
        random
    }

    /// The exchanges of the next step, of so many, in order.
    pub fn draw(&self, state: &State, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..count).collect();
        if count > self.batch {
            all.shuffle(&mut self.random(state.step));
            all.truncate(self.batch);
            all.sort_unstable();
        }
        all
    }

    /// The directions as they are now.
    pub fn span(&self, state: &State) -> Span {
        Span::from_shape_vec((self.shape[0], self.shape[1]), state.span.clone()).expect("as many as the shape says")
    }

    /// The share of each that is exchanged in the next step; none where all are whole.
    pub fn shares(&self, state: &State) -> Option<Vec<f64>> {
        self.boundless?;
        let (blur, middle) = (self.blur(state.step), state.boundary * self.shape[0] as f64);
        Some((0..self.shape[0]).map(|place| sigmoid((middle - place as f64 - 0.5) / blur)).collect())
    }

    /// What is exchanged once the fit is done: the directions before the boundary.
    pub fn found(&self, state: &State) -> Span {
        let span = self.span(state);
        match self.boundless {
            Some(_) if state.losses.is_none() => span.slice(s![..0, ..]).to_owned(), // nothing was learned
            None => span,
            Some(_) => {
                let count = (state.boundary * self.shape[0] as f64).round() as usize;
                span.slice(s![..count.min(self.shape[0]), ..]).to_owned()
            }
        }
    }

    fn blur(&self, step: usize) -> f64 {
        let (first, last) = ((BLUR.0 * self.shape[0] as f64).max(BLUR.1), BLUR.1);
        first * (last / first).powf(step as f64 / self.steps as f64)
    }

    /// One step.
    pub fn step(&self, state: &mut State, cost: &Cost) {
        let rate = self.rate * (1.0 - state.step as f64 / self.steps as f64);
        if let (Some(Boundless { price, .. }), Some(shares)) = (self.boundless, self.shares(state)) {
            let sharpness = self.shape[0] as f64 / self.blur(state.step);
            let slopes = shares.iter().zip(&cost.shares);
            let slope: f64 = slopes.map(|(share, slope)| (slope + price) * share * (1.0 - share) * sharpness).sum();
            let mut boundary = [state.boundary];
            state.adams[1].step(&mut boundary, &[slope], BOUNDARY_RATE * rate);
            state.boundary = boundary[0].clamp(0.0, 1.0);
        }
        let slope: Vec<f64> = tangent(&self.span(state), &cost.span).into_iter().collect();
        state.adams[0].step(&mut state.span, &slope, rate);
        state.span = orthonormal(self.span(state)).into_iter().collect();
        let first = state.losses.map_or(cost.loss, |[first, _]| first);
        state.losses = Some([first, cost.loss]);
        state.step += 1;
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    const WIDTH: usize = 9;

    /// A loss that wants two directions, the first worth more: Σ w (1 − what of each the exchange brings).
    fn fitted(fit: &Fit) -> (Span, [f64; 2]) {
        let mut wanted = Array2::<f64>::zeros((2, WIDTH));
        (wanted[[0, 2]], wanted[[1, 5]]) = (1.0, 1.0);
        let worth = [2.0, 1.0];
        let mut state = fit.begin();
        for _ in 0..fit.steps {
            let (span, shares) = (fit.span(&state), fit.shares(&state).unwrap_or_else(|| vec![1.0; fit.shape[0]]));
            let along = span.dot(&wanted.t()); // [direction, wanted]
            let value = |row: usize| (0..2).map(|of| worth[of] * along[[row, of]].powi(2)).sum::<f64>();
            let slope = Array2::from_shape_fn((fit.shape[0], WIDTH), |(row, column)| {
                -2.0 * shares[row] * (0..2).map(|of| worth[of] * along[[row, of]] * wanted[[of, column]]).sum::<f64>()
            });
            let loss = 3.0 - (0..fit.shape[0]).map(|row| shares[row] * value(row)).sum::<f64>();
            fit.step(
                &mut state,
                &Cost { loss, span: slope, shares: (0..fit.shape[0]).map(|row| -value(row)).collect() },
            );
        }
        (fit.found(&state), state.losses.unwrap())
    }

    fn fit(count: usize, boundless: Option<Boundless>) -> Fit {
        Fit { shape: [count, WIDTH], boundless, steps: 300, rate: 0.05, batch: 4, seed: (3, 0) }
    }

    #[test]
    fn the_direction_of_most_worth_is_found() {
        let (span, [first, last]) = fitted(&fit(1, None));
        assert!(last < first - 1.0, "{first} {last}");
        assert!(span[[0, 2]].abs() > 0.999, "{span}");
        let (both, _) = fitted(&fit(2, None));
        assert!([2, 5].iter().all(|column| both.column(*column).mapv(|value| value * value).sum() > 0.999), "{both}");
    }

    #[test]
    fn a_boundary_leaves_what_is_worth_its_price() {
        let dimensions = |price: f64| fitted(&fit(6, Some(Boundless { most: 6, price }))).0.nrows();
        assert_eq!(dimensions(0.3), 2);
        assert_eq!(dimensions(5.0), 0);
    }

    #[test]
    fn a_step_draws_the_same_again() {
        let fit = fit(1, None);
        let mut state = fit.begin();
        assert_eq!(fit.draw(&state, 9), fit.draw(&state, 9));
        assert_eq!(fit.draw(&state, 3), [0, 1, 2]);
        let first = fit.draw(&state, 50);
        state.step += 1;
        assert_ne!(fit.draw(&state, 50), first);
    }
}
