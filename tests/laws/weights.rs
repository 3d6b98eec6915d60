//! Laws of weight processing: folding and centring leave log-probabilities alone.

use super::common::*;
use patchclamp::hook::Record;
use patchclamp::model::load::{self, LoadError};
use patchclamp::model::parts::norm::Norm;
use patchclamp::model::process::{ProcessError, Processing};
use patchclamp::model::{Dims, Model};
use patchclamp::precision::Precision;
use patchclamp::site::Site;
use patchclamp::tensor::{Setting, Tensor, activation, to_doubles, to_floats};
use patchclamp::text::{Padding, Tokens};

/// The issue's own bound for log-probabilities in f32.
const TOLERANCE: f64 = 1e-5;
/// Some hundred roundings of f64 numbers of order 10.
const EXACT: f64 = 1e-12;
/// Means that f32 makes of numbers of order 1.
const ZERO: f32 = 1e-5;

const ALL: [Processing; 4] =
    [Processing::FoldNorms, Processing::CentreWriting, Processing::CentreUnembedding, Processing::FoldValueBiases];

fn processed(case: &str, steps: &[Processing]) -> Result<Box<dyn Model>, LoadError> {
    load::folder(&golden(case), steps, &device()).map(|loaded| loaded.model)
}

/// The steps that are exact for a model.
fn steps_for(case: &str) -> Vec<Processing> {
    let refused: &[Processing] = match case {
        "opt-behind" => &[Processing::FoldNorms, Processing::CentreWriting],
        "gemma2" => &[Processing::CentreWriting, Processing::CentreUnembedding],
        "opt-bare" => &[Processing::CentreWriting],
        _ if load(case).model.final_norm().is_some_and(|norm| !norm.centres()) => &[Processing::CentreWriting],
        _ => &[],
    };
    ALL.into_iter().filter(|step| !refused.contains(step)).collect()
}

/// Log-probabilities of a model after some steps, computed in some precision.
fn log_probabilities(case: &str, steps: &[Processing], precision: Precision, tokens: &Tokens) -> Vec<f64> {
    let model = load::folder(&golden(case), steps, &Setting { device: device(), precision }).unwrap().model;
    to_doubles(&activation::log_softmax(logits(model.as_ref(), tokens, &mut ()), 2))
}

/// In f64 next to nothing changes. In f32 a processed model stays as near to the truth as the bound says, which is the f64
/// run: two f32 runs may lie on its two sides, and those of the golden gpt-neo do. Rotary angles in f32 are other angles,
/// as in `transformers`, so that there the truth is the f32 run.
#[test]
fn processing_leaves_log_probabilities_alone() {
    let tokens = random_tokens(&[7, 5, 4], Padding::Right);
    for case in DECODERS {
        let exact = log_probabilities(case, &[], Precision::F64, &tokens);
        let truth = if load(case).model.is_rotary() { Precision::F32 } else { Precision::F64 };
        let truth = log_probabilities(case, &[], truth, &tokens);
        let steps = steps_for(case);
        let mut sets: Vec<Vec<Processing>> = steps.iter().map(|step| vec![*step]).collect();
        sets.push(steps);
        for steps in sets {
            for (precision, expected, tolerance) in
                [(Precision::F64, &exact, EXACT), (Precision::F32, &truth, TOLERANCE)]
            {
                let found = log_probabilities(case, &steps, precision, &tokens);
                let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
                let most = apart.fold(0.0, |most: f64, next| if next.is_nan() { next } else { most.max(next) });
                assert!(most <= tolerance, "{case} {steps:?} in {precision}: they differ by {most}");
            }
        }
    }
}

#[test]
fn processing_does_what_it_says() {
    let tokens = random_tokens(&[6, 6], Padding::Right);
    for case in DECODERS {
        let steps = steps_for(case);
        let model = processed(case, &steps).unwrap();
        let Dims { layers, .. } = *model.dims();
        if steps.contains(&Processing::FoldNorms) {
            let left = |norm: &Norm| norm.weight.is_some() || norm.bias.is_some();
            assert!(!model.final_norm().is_some_and(left), "{case}: norm not folded");
        }
        if steps.contains(&Processing::CentreUnembedding) {
            let unembedding = model.unembedding().weight;
            assert_zero(&unembedding.mean_dim(1), &format!("{case}: mean of the unembedding over the vocabulary"));
        }
        for layer in 0..layers {
            let attention = &model.block(layer).attention;
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
    assert!(matches!(refused("gemma2", Processing::CentreUnembedding), ProcessError::LogitCap));
    assert!(matches!(refused("opt-bare", Processing::CentreWriting), ProcessError::NoLastNorm));
    for step in [Processing::FoldNorms, Processing::CentreWriting] {
        assert!(matches!(refused("opt-behind", step), ProcessError::Behind(refused) if refused == step));
    }
    for step in ALL {
        assert!(matches!(refused("bert", step), ProcessError::Behind(refused) if refused == step));
    }
}

/// A copy of a golden model's folder whose weights begin `shift` bytes later: spaces behind the header, which JSON allows.
fn shifted(case: &str, shift: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(golden(case).join("config.json"), folder.path().join("config.json")).unwrap();
    let bytes = std::fs::read(golden(case).join("model.safetensors")).unwrap();
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let length = (header.len() + shift) as u64;
    let parts = [&length.to_le_bytes(), header, &b" ".repeat(shift), data];
    std::fs::write(folder.path().join("model.safetensors"), parts.concat()).unwrap();
    folder
}

/// Numbers that a processor can read where they lie are left there; the others are copied.
#[test]
fn it_does_not_matter_where_in_a_file_weights_lie() {
    let tokens = random_tokens(&[7, 5], Padding::Right);
    for case in ["gpt2", "llama"] {
        let logits = |shift| {
            let folder = shifted(case, shift);
            let model = load::folder(folder.path(), &[], &device()).unwrap().model;
            to_floats(&logits(model.as_ref(), &tokens, &mut ()))
        };
        let whole = logits(0);
        assert!((1..8).all(|shift| logits(shift) == whole), "{case}");
    }
}

#[test]
fn weights_that_somebody_writes_to_are_noticed() {
    let folder = shifted("gpt2", 0);
    let weights = folder.path().join("model.safetensors");
    let loaded = load::folder(folder.path(), &[], &device()).unwrap();
    assert_eq!(loaded.hash.changed(), None);
    // longer by a byte: what is mapped stays what it was
    std::io::Write::write_all(&mut std::fs::File::options().append(true).open(&weights).unwrap(), b" ").unwrap();
    assert_eq!(loaded.hash.changed(), Some(weights.as_path()));
}

/// Numbers that are written over leave a file as long as it was.
#[test]
fn weights_that_keep_their_length_are_told_by_their_time() {
    let folder = shifted("gpt2", 0);
    let weights = folder.path().join("model.safetensors");
    let loaded = load::folder(folder.path(), &[], &device()).unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    std::fs::File::options().write(true).open(&weights).unwrap().set_modified(later).unwrap();
    assert_eq!(loaded.hash.changed(), Some(weights.as_path()));
}
