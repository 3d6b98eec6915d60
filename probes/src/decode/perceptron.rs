//! The loss of a probe with one hidden layer, and its gradient.

use super::Scale;
use super::softmax::{Problem, parts, residuals};
use crate::product::{add_product, product};
use crate::rows::{Rows, within};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;
use std::ops::Range;

/// How many values each layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Of a state.
    pub features: usize,
    /// Of the hidden layer.
    pub hidden: usize,
    /// Logits.
    pub outputs: usize,
}

/// Weights `[output, input]` and intercepts `[output]` of one layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    weights: Array2<f64>,
    shifts: Array1<f64>,
}

impl Layer {
    fn none(inputs: usize, outputs: usize) -> Self {
        Self { weights: Array2::zeros((outputs, inputs)), shifts: Array1::zeros(outputs) }
    }

    /// The next `outputs · (inputs + 1)` of some parameters: weights first.
    fn take(parameters: &mut impl Iterator<Item = f64>, inputs: usize, outputs: usize) -> Self {
        let mut layer = Self::none(inputs, outputs);
        layer.weights.iter_mut().chain(&mut layer.shifts).zip(parameters).for_each(|(place, value)| *place = value);
        layer
    }

    fn apply(&self, inputs: ArrayView2<f64>) -> Array2<f64> {
        product(inputs, self.weights.t()) + &self.shifts
    }

    /// Adds the gradient of a loss whose gradient at the outputs is `errors` `[row, output]`.
    fn add(&mut self, errors: &Array2<f64>, inputs: ArrayView2<f64>) {
        add_product(self.weights.view_mut(), errors.t(), inputs, 1.0);
        self.shifts += &errors.sum_axis(Axis(0));
    }
}

/// Both layers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layers {
    inner: Layer,
    outer: Layer,
}

impl Layers {
    /// Of parameters in their order: inner weights and intercepts, outer weights and intercepts.
    pub(crate) fn new(parameters: ArrayView1<f64>, shape: Shape) -> Self {
        let mut parameters = parameters.iter().copied();
        let inner = Layer::take(
            &mut parameters.by_ref().take(shape.hidden * (shape.features + 1)),
            shape.features,
            shape.hidden,
        );
        Self { inner, outer: Layer::take(&mut parameters, shape.hidden, shape.outputs) }
    }

    fn none(shape: Shape) -> Self {
        Self { inner: Layer::none(shape.features, shape.hidden), outer: Layer::none(shape.hidden, shape.outputs) }
    }

    fn flat(self) -> Array1<f64> {
        let layers = [self.inner, self.outer].into_iter();
        layers.flat_map(|layer| layer.weights.into_iter().chain(layer.shifts)).collect()
    }

    /// What the hidden units make of scaled states `[row, feature]`, `[row, hidden]`.
    fn units(&self, block: ArrayView2<f64>) -> Array2<f64> {
        self.inner.apply(block).mapv_into(|value| value.max(0.0))
    }

    /// Logits `[row, output]` of states that `scale` brings into the units it learnt in.
    pub(crate) fn logits(&self, block: ArrayView2<f64>, scale: &Scale) -> Array2<f64> {
        self.outer.apply(self.units(scale.apply(block).view()).view())
    }
}

/// The loss at `parameters`, and its gradient.
pub(crate) fn loss(
    rows: &dyn Rows,
    problem: &Problem,
    shape: Shape,
    parameters: ArrayView1<f64>,
) -> (f64, Array1<f64>) {
    let layers = Layers::new(parameters, shape);
    let part = |part| summed(rows, part, problem, shape, &layers);
    let sums: Vec<_> = parts(rows.count()).into_par_iter().map(part).collect();
    let (mut loss, mut gradient) = (0.0, Layers::none(shape));
    for (part, own) in sums {
        loss += part;
        for (sum, own) in [(&mut gradient.inner, own.inner), (&mut gradient.outer, own.outer)] {
            sum.weights += &own.weights;
            sum.shifts += &own.shifts;
        }
    }
    for (sum, layer) in [(&mut gradient.inner, &layers.inner), (&mut gradient.outer, &layers.outer)] {
        sum.weights.scaled_add(problem.penalty, &layer.weights);
        loss += problem.penalty / 2.0 * layer.weights.iter().map(|weight| weight * weight).sum::<f64>();
    }
    (loss, gradient.flat())
}

/// The loss over a part of the rows, and its gradient.
fn summed(rows: &dyn Rows, part: Range<usize>, problem: &Problem, shape: Shape, layers: &Layers) -> (f64, Layers) {
    let (mut loss, mut gradient, mut scratch) = (0.0, Layers::none(shape), Vec::new());
    for range in within(part, shape.features) {
        let block = problem.scale.apply(rows.block(range.clone(), &mut scratch));
        let units = layers.units(block.view());
        let mut errors = layers.outer.apply(units.view());
        for (row, mut logits) in range.zip(errors.rows_mut()) {
            residuals(&[problem], row, &mut logits, std::slice::from_mut(&mut loss));
        }
        gradient.outer.add(&errors, units.view());
        let mut back = product(errors.view(), layers.outer.weights.view()); // [row, hidden]
        back.zip_mut_with(&units, |back, unit| *back = if *unit > 0.0 { *back } else { 0.0 });
        gradient.inner.add(&back, block.view());
    }
    (loss, gradient)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a central difference over 1e-5 of a loss near 100.
    const DIFFERENCE: f64 = 1e-5;

    #[test]
    fn the_gradient_is_that_of_differences() {
        let states = Array2::from_shape_fn((40, 3), |(row, column)| ((row * 5 + column * 3) as f64).sin());
        let all: Vec<usize> = (0..40).collect();
        let scale = &Scale::of(&states.view(), &[&all]).unwrap()[0];
        for classes in [2, 3] {
            let labels = (0..40).map(|row| row % classes).collect();
            let learns = (0..40).map(|row| row != 7).collect();
            let problem = Problem { labels, learns, classes, scale, penalty: 0.3 };
            let shape = Shape { features: 3, hidden: 4, outputs: if classes == 2 { 1 } else { 3 } };
            let count = 4 * 4 + shape.outputs * 5;
            let point = Array1::from_shape_fn(count, |place| ((place * 7) as f64).cos());
            let at = |point: &Array1<f64>| loss(&states.view(), &problem, shape, point.view());
            let (_, gradient) = at(&point);
            for place in 0..count {
                let (mut up, mut down) = (point.clone(), point.clone());
                up[place] += 1e-5;
                down[place] -= 1e-5;
                let slope = (at(&up).0 - at(&down).0) / 2e-5;
                assert!((slope - gradient[place]).abs() < DIFFERENCE, "{place}: {slope} {}", gradient[place]);
            }
        }
    }

    /// Of losses near 100, summed in another order; scikit-learn keeps probabilities 2e-16 away from 0 and 1.
    const PARITY: f64 = 1e-6;

    #[test]
    fn the_loss_is_that_of_scikit_learn() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/golden/decode.json")).expect("a golden file");
        let numbers = |value: &serde_json::Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
        };
        for case in golden["cases"].as_array().unwrap() {
            let rows: Vec<Vec<f64>> = case["rows"].as_array().unwrap().iter().map(numbers).collect();
            let states = Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, column)| rows[row][column]);
            let labels: Vec<usize> = numbers(&case["labels"]).into_iter().map(|label| label as usize).collect();
            let classes = case["classes"].as_u64().unwrap() as usize;
            let all: Vec<usize> = (0..labels.len()).collect();
            let scale = &Scale::of(&states.view(), &[&all]).unwrap()[0];
            let penalty = case["hidden"]["penalty"].as_f64().unwrap();
            let problem = Problem { learns: vec![true; labels.len()], labels, classes, scale, penalty };
            let outputs = super::super::softmax::outputs(classes);
            let shape = Shape { features: states.ncols(), hidden: 7, outputs };
            let parameters = Array1::from(numbers(&case["hidden"]["parameters"]));
            let (found, _) = loss(&states.view(), &problem, shape, parameters.view());
            let expected = case["hidden"]["loss"].as_f64().unwrap();
            assert!((found - expected).abs() < PARITY * expected, "{found} and not {expected}");
        }
    }
}
