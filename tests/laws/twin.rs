//! Laws of the twin with fresh weights: the shapes of its model, and none of what that has learned.

use super::common::*;
use patchclamp::model::random::twin;
use patchclamp::model::{Model, Visitor};
use patchclamp::precision::Precision;
use patchclamp::tensor::{Tensor, to_doubles};
use patchclamp::text::Padding;

/// Draws of a deviation of 0.02: that of a thousand is off by a tenth once in a million times.
const SCATTER: f64 = 0.1;

/// Every weight by its name, with its shape.
#[derive(Default)]
struct Weights(Vec<(String, Vec<usize>, Vec<f64>)>);

impl Visitor for Weights {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        self.0.push((name.into(), weight.dims().to_vec(), to_doubles(weight)));
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        self.0.push((name.into(), weight.dims().to_vec(), to_doubles(weight)));
    }
}

fn weights(mut model: Box<dyn Model>) -> Vec<(String, Vec<usize>, Vec<f64>)> {
    let mut seen = Weights::default();
    model.visit(&mut seen);
    seen.0
}

fn deviation(values: &[f64]) -> f64 {
    (values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64).sqrt()
}

#[test]
fn a_twin_has_the_shapes_of_its_model_and_weights_of_its_own() {
    for case in DECODERS.iter().chain(&ENCODERS) {
        let loaded = load(case);
        let (own, drawn) = (weights(loaded.model.parted(&[])), weights(twin(loaded.model.as_ref(), 3)));
        for ((name, shape, values), (other, drawn_shape, drawn)) in own.iter().zip(&drawn) {
            assert_eq!((name, shape), (other, drawn_shape), "{case}");
            match (shape.len(), name.ends_with(".weight")) {
                (2, _) => assert!(values.iter().zip(drawn).all(|(own, drawn)| own != drawn), "{case} {name}"),
                (_, true) => assert!(drawn.iter().all(|value| *value == 1.0), "{case} {name}"),
                (_, false) => assert!(drawn.iter().all(|value| *value == 0.0), "{case} {name}"),
            }
        }
        // its model is as it was, and it runs
        assert!(own == weights(loaded.model.parted(&[])), "{case}");
        let tokens = random_tokens(&[5, 3], Padding::Right);
        let run = |seed| bits(&logits(twin(loaded.model.as_ref(), seed).as_ref(), &tokens, &mut ()));
        assert!(run(3) == run(3) && run(3) != run(4), "{case}");
        assert!(run(3) != bits(&logits(loaded.model.as_ref(), &tokens, &mut ())), "{case}");
    }
}

#[test]
fn what_writes_to_the_stream_begins_smaller_by_the_layers() {
    let loaded = load("gpt2");
    let layers = loaded.model.dims().layers as f64;
    for (name, shape, values) in weights(twin(loaded.model.as_ref(), 5)) {
        if shape.len() == 2 && values.len() >= 1000 {
            let writes = name.ends_with("out.weight");
            let expected = if writes { 0.02 / (2.0 * layers).sqrt() } else { 0.02 };
            assert!((deviation(&values) / expected - 1.0).abs() < SCATTER, "{name} {}", deviation(&values));
        }
    }
}

#[test]
fn a_twin_computes_in_the_numbers_of_its_model() {
    for precision in [Precision::F64, Precision::F16, Precision::Bf16] {
        let twin = twin(load_in("llama", precision).model.as_ref(), 1);
        assert_eq!(twin.setting().precision, precision);
    }
}
