//! Parity: logits, hidden states and attention patterns of every family against `transformers` in eager mode.

use patchclamp::hook::Record;
use patchclamp::model::{Pass, load, run};
use patchclamp::site::Site;
use patchclamp::tensor::{Device, to_floats};
use patchclamp::text::{Padding, Tokens};
use safetensors::SafeTensors;
use std::path::{Path, PathBuf};

/// f32 through two implementations that add in different orders; the issue's own bound.
const TOLERANCE: f32 = 1e-4;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn cases() -> Vec<String> {
    let folders = std::fs::read_dir(golden("")).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<String> =
        folders.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

struct Reference<'a>(SafeTensors<'a>, &'static str);

impl Reference<'_> {
    fn floats(&self, name: &str) -> Vec<f32> {
        let view = self.0.tensor(&format!("{}.{name}", self.1)).unwrap();
        view.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    }

    fn integers(&self, name: &str) -> (Vec<usize>, Vec<i64>) {
        let view = self.0.tensor(&format!("{}.{name}", self.1)).unwrap();
        let values = view.data().chunks_exact(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap())).collect();
        (view.shape().to_vec(), values)
    }

    fn tokens(&self) -> Tokens {
        let (shape, ids) = self.integers("tokens");
        let (_, mask) = self.integers("mask");
        let row = |row: usize| {
            let at = row * shape[1]..(row + 1) * shape[1];
            ids[at.clone()].iter().zip(&mask[at]).filter(|(_, real)| **real == 1).map(|(id, _)| *id as u32).collect()
        };
        let side = if self.1 == "left" { Padding::Left } else { Padding::Right };
        Tokens::padded((0..shape[0]).map(row).collect(), side, 0)
    }
}

/// The largest difference at real positions; `values` are `[batch, .., pos, width]` with the position second to last
/// for `heads` heads.
fn largest(ours: &[f32], theirs: &[f32], tokens: &Tokens, heads: usize) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let (rows, pos) = (tokens.rows(), tokens.width());
    let width = ours.len() / (rows * heads * pos);
    let at = |index: usize| (index / (heads * pos * width), index / width % pos);
    let real = |index: &usize| tokens.is_real(at(*index).0, at(*index).1);
    (0..ours.len()).filter(real).map(|index| (ours[index] - theirs[index]).abs()).fold(0.0, f32::max)
}

fn check(case: &str, side: &'static str) {
    let loaded = load::folder(&golden(case), &[], &Device::Flex(Default::default())).unwrap();
    let model = loaded.model.as_ref();
    let bytes = std::fs::read(golden(case).join("reference.safetensors")).unwrap();
    let reference = Reference(SafeTensors::deserialize(&bytes).unwrap(), side);
    let tokens = reference.tokens();
    let mut record = Record::of(model.sites());
    let logits = run(model, &Pass::whole(&tokens), &mut record).unwrap();

    let close = |name: &str, ours: &[f32], heads: usize| {
        let difference = largest(ours, &reference.floats(name), &tokens, heads);
        assert!(difference <= TOLERANCE, "{case} {side} {name}: {difference}");
    };
    close("logits", &to_floats(&logits), 1);
    let (layers, heads) = (model.dims().layers, model.dims().heads);
    for layer in 0..layers {
        close(&format!("hidden.{layer}"), &to_floats(record.at(Site::ResidPre(layer)).unwrap()), 1);
        close(&format!("attention.{layer}"), &to_floats(record.at(Site::Pattern(layer)).unwrap()), heads);
    }
    // transformers puts the last norm of a decoder into its last hidden state
    let last = record.at(model.last_stream()).unwrap().clone();
    let last = match model.final_norm() {
        Some(norm) if model.is_causal() => norm.apply(last),
        _ => last,
    };
    close(&format!("hidden.{layers}"), &to_floats(&last), 1);
}

#[test]
fn every_family_agrees_with_transformers() {
    let cases = cases();
    assert!(cases.len() >= 27, "goldens are missing: {cases:?}");
    for case in cases {
        check(&case, "right");
        check(&case, "left");
    }
}
