//! Laws of weight processing: folding and centring leave log-probabilities alone.

use super::common::*;
use patchclamp::hook::Record;
use patchclamp::model::load::{self, LoadError};
use patchclamp::model::process::{ProcessError, Processing};
use patchclamp::model::{Dims, Model};
use patchclamp::site::Site;
use patchclamp::tensor::{Tensor, activation, to_floats};
use patchclamp::text::Padding;

/// The issue's own bound for log-probabilities in f32.
const TOLERANCE: f32 = 1e-5;
/// Means that f32 makes of numbers of order 1.
const ZERO: f32 = 1e-5;

const ALL: [Processing; 4] =
    [Processing::FoldNorms, Processing::CentreWriting, Processing::CentreUnembedding, Processing::FoldValueBiases];

fn processed(case: &str, steps: &[Processing]) -> Result<Box<dyn Model>, LoadError> {
    load::folder(&golden(case), steps, &device()).map(|loaded| loaded.model)
}

fn is_rms(model: &dyn Model) -> bool {
    model.final_norm().bias.is_none()
}

fn steps_for(model: &dyn Model) -> Vec<Processing> {
    ALL.into_iter().filter(|step| !(is_rms(model) && *step == Processing::CentreWriting)).collect()
}

#[test]
fn processing_leaves_log_probabilities_alone() {
    let tokens = random_tokens(&[7, 5, 4], Padding::Right);
    for case in DECODERS {
        let plain = load(case).model;
        let expected = activation::log_softmax(logits(plain.as_ref(), &tokens, &mut ()), 2);
        let steps = steps_for(plain.as_ref());
        let mut sets: Vec<Vec<Processing>> = steps.iter().map(|step| vec![*step]).collect();
        sets.push(steps);
        for steps in sets {
            let model = processed(case, &steps).unwrap();
            let found = activation::log_softmax(logits(model.as_ref(), &tokens, &mut ()), 2);
            assert_close(&found, &expected, TOLERANCE, &format!("{case} {steps:?}"));
        }
    }
}

#[test]
fn processing_does_what_it_says() {
    let tokens = random_tokens(&[6, 6], Padding::Right);
    for case in DECODERS {
        let steps = steps_for(load(case).model.as_ref());
        let model = processed(case, &steps).unwrap();
        let Dims { layers, .. } = *model.dims();
        assert!(model.final_norm().weight.is_none() && model.final_norm().bias.is_none(), "{case}: norm not folded");
        let unembedding = model.unembedding().weight;
        assert_zero(&unembedding.mean_dim(1), &format!("{case}: mean of the unembedding over the vocabulary"));
        for layer in 0..layers {
            let attention = model.attention(layer);
            if steps.contains(&Processing::CentreWriting) {
                let reading = attention.qkv.weight.clone().mean_dim(0);
                assert_zero(&reading, &format!("{case}: mean of what attention reads with, over the stream"));
            }
            if let Some(bias) = &attention.qkv.bias {
                let values = attention.key_heads * attention.d_head;
                let start = bias.dims()[0] - values;
                assert_zero(&bias.clone().narrow(0, start, values), &format!("{case}: biases of the values"));
            }
        }
        if steps.contains(&Processing::CentreWriting) {
            let streams = (0..layers).flat_map(|layer| [Site::ResidPre(layer), Site::ResidPost(layer)]);
            let record: Record = recorded(model.as_ref(), &tokens, streams);
            for (site, stream) in record.kept() {
                assert_zero(&stream.clone().mean_dim(3), &format!("{case}: mean of {site}"));
            }
        }
    }
}

fn assert_zero<const D: usize>(tensor: &Tensor<D>, what: &str) {
    let most = to_floats(tensor).into_iter().fold(0.0f32, |most, value| most.max(value.abs()));
    assert!(most < ZERO, "{what} is {most}");
}

#[test]
fn processing_that_would_not_be_exact_is_refused() {
    let refused = |case, step| match processed(case, &[step]) {
        Err(LoadError::Process(error)) => error,
        Err(other) => panic!("{case}: {other}"),
        Ok(_) => panic!("{case}: {step:?} was accepted"),
    };
    assert!(matches!(refused("llama", Processing::CentreWriting), ProcessError::Rms));
    for step in ALL {
        assert!(matches!(refused("bert", step), ProcessError::Encoder(refused) if refused == step));
    }
}
