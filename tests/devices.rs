//! Parity of the compiled-in GPU backend with the processor; the software driver of Mesa will do.
//!
//! Run:  cargo test --profile device --features vulkan --test devices      (or `webgpu`)
#![cfg(any(feature = "vulkan", feature = "webgpu"))]

mod common;

use common::*;
use patchclamp::device::{self, Choice};
use patchclamp::explain::{Against, Rounding, explain};
use patchclamp::hook::{Activation, Differentiate};
use patchclamp::model::load::{self, Loaded};
use patchclamp::precision::Precision;
use patchclamp::site::Site;
use patchclamp::tensor::{Setting, backward, to_doubles};
use patchclamp::text::Padding;
use std::collections::BTreeMap;

#[cfg(feature = "vulkan")]
const CHOICE: Choice = Choice::Vulkan;
#[cfg(not(feature = "vulkan"))]
const CHOICE: Choice = Choice::WebGpu;

/// The issue's own bound.
const TOLERANCE: f64 = 1e-4;
/// A decoder with learned positions, one with rotary ones and fewer key heads, and an encoder.
const CASES: [&str; 3] = ["gpt2", "llama", "bert"];

fn there(case: &str) -> Loaded {
    let setting = device::setting(CHOICE, Precision::F32).unwrap_or_else(|error| panic!("{error}"));
    load::folder(&golden(case), &[], &setting).unwrap()
}

#[test]
fn every_site_is_that_of_the_processor() {
    let tokens = random_tokens(&[6, 4], Padding::Left);
    for case in CASES {
        let (here, there) = (load(case), there(case));
        let against = Against::Model(there.model.as_ref(), Rounding::Own);
        let found = explain(here.model.as_ref(), &against, &tokens).unwrap();
        let largest = found.largest().unwrap();
        assert_eq!(found.sites.len(), here.model.sites().len(), "{case}");
        assert!(largest.largest.difference < TOLERANCE, "{case} {}: {:?}", largest.site, largest.largest);
        assert_eq!(found.begins, None, "{case}: more than rounding");
    }
}

/// Gradients of the sum of squares of all logits.
fn slopes(loaded: &Loaded, sites: &[Site]) -> BTreeMap<Site, Activation> {
    let model = loaded.model.on_tape();
    let mut hook = Differentiate::at(sites.iter().copied());
    let logits = logits(model.as_ref(), &random_tokens(&[5, 5], Padding::Right), &mut hook);
    hook.gradients(&backward(&logits.square().mean()))
}

#[test]
fn gradients_are_those_of_the_processor() {
    let sites = [Site::Embed, Site::Query(0), Site::Pattern(0), Site::MlpPost(0), Site::ResidPre(1), Site::Mix(1)];
    for case in CASES {
        let (here, there) = (slopes(&load(case), &sites), slopes(&there(case), &sites));
        for (site, slope) in here {
            let (here, there) = (to_doubles(&slope), to_doubles(&there[&site]));
            let most = here.iter().zip(&there).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            let size = here.iter().fold(0.0f64, |most, value| most.max(value.abs()));
            assert!(most < TOLERANCE * size, "{case} {site}: {most} of {size}");
        }
    }
}

#[test]
fn sweeps_find_what_they_find_on_the_processor() {
    let methods = "Patch(sites: [\"hook_resid_pre\"], over: [Layer, Position]), Patch(sites: [\"attn.hook_z\"], over: [Layer, Head])";
    for case in CASES {
        let at = (case == "bert").then_some(2);
        let text = question(&random_pairs(&[5, 5, 5], at), methods, "");
        let effects = |loaded: &Loaded| -> Vec<f64> {
            let findings = findings(&text, loaded);
            findings.iter().flat_map(|finding| &finding.tables[0].rows).map(|row| row.effect).collect()
        };
        let (here, there) = (effects(&load(case)), effects(&there(case)));
        assert_eq!(here.len(), there.len(), "{case}");
        for (a, b) in here.iter().zip(&there) {
            assert!((a - b).abs() < TOLERANCE, "{case}: {a} and {b}");
        }
        assert!(here.iter().any(|effect| effect.abs() > 0.1), "{case}: nothing to find");
    }
}

#[test]
fn other_numbers_are_computed_in_or_refused() {
    let tokens = random_tokens(&[6, 4], Padding::Left);
    assert!(device::setting(CHOICE, Precision::F64).is_err(), "no shader has exp in f64");
    for precision in [Precision::F64, Precision::F16, Precision::Bf16] {
        let setting: Setting = match device::setting(CHOICE, precision) {
            Ok(setting) => setting,
            Err(error) => {
                assert!(error.to_string().starts_with(&format!("{CHOICE} cannot compute in {precision}; ")), "{error}");
                continue;
            }
        };
        let there = load::folder(&golden("gpt2"), &[], &setting).unwrap();
        let against = Against::Model(there.model.as_ref(), Rounding::Own);
        let found = explain(load("gpt2").model.as_ref(), &against, &tokens).unwrap();
        assert_eq!(found.begins, None, "{precision}: more than rounding");
    }
}

#[test]
fn the_program_explains_a_device() {
    let folder = tempfile::tempdir().unwrap();
    let text = question("Tokens([[1, 2, 3], [4, 5, 6]])", "Attention()", "");
    let text = text.replace("Path(\".\")", &format!("Path({:?})", golden("gpt2")));
    std::fs::write(folder.path().join("q.ron"), text).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_patchclamp"));
    let device = CHOICE.to_string();
    let arguments = ["explain", "q.ron", &device, "--tolerance", "1e-4"];
    let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("They differ nowhere by more than rounding makes"), "{told}");
}
