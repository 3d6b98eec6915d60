//! Laws of `explain`: nothing against itself, a fault where it was planted, rounding where there is nothing else.

use super::common::*;
use patchclamp::explain::{Against, Explanation, Reference, Rounding, explain};
use patchclamp::model::Visitor;
use patchclamp::model::load::{self, Loaded};
use patchclamp::precision::Precision;
use patchclamp::site::Site;
use patchclamp::tensor::{Setting, Tensor, from_floats};
use patchclamp::text::{Padding, Tokens};
use std::path::Path;

fn between(a: &Loaded, b: &Loaded, rounding: Rounding, tokens: &Tokens) -> Explanation {
    explain(a.model.as_ref(), &Against::Model(b.model.as_ref(), rounding), tokens).unwrap()
}

/// Changes one number of one weight.
struct Fault {
    weight: &'static str,
    by: f32,
}

impl Visitor for Fault {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        if name == self.weight {
            let [rows, columns] = weight.dims();
            let mut change = vec![0.0; rows * columns];
            change[columns + 2] = self.by;
            *weight = weight.clone() + from_floats(change, [rows, columns], &device());
        }
    }
    fn vector(&mut self, _: &str, _: &mut Tensor<1>) {}
}

fn faulty(case: &str, weight: &'static str, by: f32) -> Loaded {
    let mut loaded = load(case);
    loaded.model.visit(&mut Fault { weight, by });
    loaded
}

#[test]
fn a_pass_does_not_differ_from_itself() {
    // more rows than are compared at a time
    let tokens = random_tokens(&[6, 3, 5, 6, 2, 4, 6, 6, 3, 5], Padding::Left);
    for case in DECODERS.into_iter().chain(ENCODERS) {
        let found = between(&load(case), &load(case), Rounding::Same, &tokens);
        assert_eq!(found.begins, None, "{case}");
        let sites: Vec<Site> = found.sites.iter().map(|compared| compared.site).collect();
        assert_eq!(sites, load(case).model.sites(), "{case}: every site, in the order of the pass");
        assert!(found.sites.iter().all(|compared| compared.largest.difference == 0.0), "{case}");
        assert!(found.missing.is_empty() && found.extra.is_empty() && found.shapes.is_empty(), "{case}");
    }
}

#[test]
fn a_fault_begins_where_it_was_planted() {
    let tokens = random_tokens(&[6, 4], Padding::Left);
    let faults: [(&str, &str, Site); 5] = [
        ("gpt2", "blocks.1.mlp.in.weight", Site::MlpPre(1)),
        ("gpt2", "blocks.1.attn.out.weight", Site::HeadOut(1)),
        ("llama", "blocks.1.mlp.linear.weight", Site::MlpPreLinear(1)),
        ("bert", "blocks.1.attn.qkv.weight", Site::Query(1)),
        ("gpt2-untied-inverse-layer", "unembed.weight", Site::Logits),
    ];
    for (case, weight, site) in faults {
        let found = between(&load(case), &faulty(case, weight, 1e-4), Rounding::Same, &tokens);
        assert_eq!(found.begins, Some(site), "{case} {weight}");
        // a larger one stands out of rounding, too
        let setting = Setting { device: device(), precision: Precision::F64 };
        let exact = load::folder(&golden(case), &[], &setting).unwrap();
        let found = between(&faulty(case, weight, 1e-2), &exact, Rounding::Own, &tokens);
        assert_eq!(found.begins, Some(site), "{case} {weight} in f32 against f64");
    }
}

#[test]
fn precisions_differ_by_rounding_alone() {
    let tokens = random_tokens(&[6, 4], Padding::Right);
    for case in DECODERS.into_iter().chain(ENCODERS) {
        for other in [Precision::F64, Precision::F16, Precision::Bf16] {
            let found = between(&load(case), &load_in(case, other), Rounding::Own, &tokens);
            let most = found.sites.iter().map(|site| site.largest.relative() / site.rounding).fold(0.0, f64::max);
            assert!(most > 0.0, "{case} in {other}: no difference");
            assert_eq!(found.begins, None, "{case} in {other}: {most} times what rounding makes");
        }
    }
}

#[test]
fn f32_is_near_f64_on_real_weights() {
    /// The issue's own bound.
    const TOLERANCE: f64 = 1e-4;
    let Some(folder) = real_weights("stories260K") else { return };
    let in_f64 = Setting { device: device(), precision: Precision::F64 };
    let [single, double] =
        [Setting::from(&device()), in_f64].map(|setting| load::folder(&folder, &[], &setting).unwrap());
    let prompt = "Once upon a time, there was a little girl. One day,";
    let text = single.text.as_ref().unwrap();
    let tokens = Tokens::new(vec![text.encode(prompt, patchclamp::text::SpecialTokens::AsTokenizer).unwrap()]);
    let found = between(&single, &double, Rounding::Own, &tokens);
    let largest = found.largest().unwrap().largest.difference;
    assert!(largest > 0.0 && largest < TOLERANCE, "{largest}");
    assert_eq!(found.begins, None);
}

fn reference(case: &str) -> Reference {
    Reference::read(&golden(case).join("states.safetensors")).unwrap()
}

/// The prompts of `states.safetensors`, as its script pads them.
fn prompts(case: &str) -> Tokens {
    let bytes = std::fs::read(golden(case).join("states.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let ids = file.tensor("tokens").unwrap();
    let ids: Vec<u32> =
        ids.data().chunks_exact(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap()) as u32).collect();
    Tokens::padded(vec![ids[..6].to_vec(), ids[6..10].to_vec()], Padding::Right, 0)
}

#[test]
fn states_of_transformers_are_matched() {
    // two f64 implementations, and two in f32: a few hundred roundings of values up to 10
    for (case, own, tolerance) in [("gpt2", Precision::F64, 1e-12), ("llama", Precision::F32, 1e-4)] {
        let model = load_in(case, own).model;
        let (reference, tokens) = (reference(case), prompts(case));
        assert!(reference.prompts(Path::new("states"), &tokens, &random_tokens(&[6, 4], Padding::Right)).is_ok());
        let found = explain(model.as_ref(), &Against::States(&reference), &tokens).unwrap();
        let largest = found.largest().unwrap();
        assert!(found.sites.len() > 20, "{case}: {} sites", found.sites.len());
        assert!(largest.largest.difference < tolerance, "{case} {}: {:?}", largest.site, largest.largest);
        assert_eq!((found.begins, found.extra, found.shapes), (None, vec![], vec![]), "{case}");
        assert!(found.missing.contains(&"blocks.0.hook_q_input".to_string()), "{case}: {:?}", found.missing);
    }
}

#[test]
fn an_edited_state_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edited.safetensors");
    let bytes = std::fs::read(golden("llama/states.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Vec<(String, safetensors::Dtype, Vec<usize>, Vec<u8>)> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| (name, view.dtype(), view.shape().to_vec(), view.data().to_vec()))
        .collect();
    for (name, _, shape, data) in &mut tensors {
        match name.as_str() {
            // [batch, pos, head, d_head]: item 1, position 2, head 3, neuron 4
            "blocks.1.attn.hook_z" => {
                let at = 4 * (((shape[1] + 2) * shape[2] + 3) * shape[3] + 4);
                data[at..at + 4].copy_from_slice(&7f32.to_le_bytes());
            }
            "hook_embed" => (shape[1], shape[2]) = (shape[1] / 2, 2 * shape[2]),
            "blocks.0.hook_mlp_out" => *name = "blocks.0.mlp_out".into(),
            _ => {}
        }
    }
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        (name, safetensors::tensor::TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    let model = load("llama").model;
    let reference = Reference::read(&path).unwrap();
    let found = explain(model.as_ref(), &Against::States(&reference), &prompts("llama")).unwrap();
    assert_eq!(found.begins, Some(Site::Mix(1)));
    let at = found.largest().unwrap().largest.at.unwrap();
    assert_eq!((at.item, at.position, at.head, at.index), (1, 2, Some(3), 4));
    assert_eq!(found.sites.iter().filter(|compared| compared.is_more_than_rounding()).count(), 1);
    assert_eq!(found.extra, ["blocks.0.mlp_out"]);
    assert!(found.missing.contains(&"blocks.0.hook_mlp_out".to_string()));
    assert_eq!(found.shapes, [("hook_embed".to_string(), vec![2, 6, 24], vec![2, 3, 48])]);
    let other = random_tokens(&[6, 4], Padding::Right);
    let told = reference.prompts(&path, &other, &other).unwrap_err().to_string();
    assert!(told.ends_with("its `tokens` are neither those of the clean prompts nor those of the corrupted ones"));
}

#[test]
fn models_of_other_sites_are_compared_where_they_meet() {
    let tokens = random_tokens(&[5, 5], Padding::Right);
    let found = between(&load("gpt2"), &load("llama"), Rounding::Same, &tokens);
    assert!(found.missing.contains(&"hook_pos_embed".to_string()), "{:?}", found.missing);
    assert!(found.extra.contains(&"blocks.0.mlp.hook_pre_linear".to_string()), "{:?}", found.extra);
    assert!(found.shapes.iter().any(|(name, ..)| name == "blocks.0.attn.hook_q"), "{:?}", found.shapes);
    // their embeddings were drawn alike, but one has positions to add
    assert_eq!(found.begins, Some(Site::ResidPre(0)));
}
