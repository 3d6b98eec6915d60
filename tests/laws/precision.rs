//! Laws of precision: f64 is f64, half precision stays near f32, and methods run in any of them.

use super::common::*;
use patchclamp::hook::{Activation, Change, Differentiate, Edit, Edits};
use patchclamp::model::load;
use patchclamp::precision::Precision;
use patchclamp::run::precision_error;
use patchclamp::site::Place;
use patchclamp::tensor::{Setting, backward, cast, from_floats, on_tape, precision, to_doubles};
use patchclamp::text::{Padding, Tokens};

const ALL: [Precision; 4] = [Precision::F32, Precision::F64, Precision::F16, Precision::Bf16];

#[test]
fn every_site_is_of_the_model_s_own_precision() {
    let tokens = random_tokens(&[5, 3], Padding::Left);
    for case in ["gpt2", "llama", "qwen2", "pythia-parallel", "bert"] {
        for own in ALL {
            let model = load_in(case, own).model;
            let record = recorded(model.as_ref(), &tokens, model.sites());
            for (site, state) in record.kept() {
                assert_eq!(precision(state), own, "{case} {site}");
            }
        }
    }
}

#[test]
fn padding_changes_nothing_in_any_precision() {
    let rows = random_rows(&[6, 3], 5);
    let padded = Tokens::padded(rows.clone(), Padding::Left, 0);
    for case in ["gpt2", "mistral", "bert"] {
        for own in ALL {
            let model = load_in(case, own).model;
            let together = to_doubles(&logits(model.as_ref(), &padded, &mut ()).narrow(0, 1, 1).narrow(1, 3, 3));
            let alone = to_doubles(&logits(model.as_ref(), &Tokens::new(vec![rows[1].clone()]), &mut ()));
            let size = alone.iter().fold(0.0f64, |most, logit| most.max(logit.abs()));
            // products of other shapes add in another order: what `explain` grants the last of so many sites
            let tolerance = 10.0 * (model.sites().len() as f64).sqrt() * size * own.roundoff();
            let most = together.iter().zip(&alone).map(|(a, b)| (a - b).abs()).fold(0.0, worse);
            assert!(most <= tolerance, "{case} {own}: padding changes a logit by {most}, more than {tolerance}");
        }
    }
}

/// The larger of two, or what is not a number.
fn worse(most: f64, next: f64) -> f64 {
    if next > most || next.is_nan() { next } else { most }
}

#[test]
fn norms_of_half_precision_hold_large_streams() {
    // the square of 1000 does not fit into f16
    let values: Vec<f32> = (0..24).map(|index| if index % 2 == 0 { 1000.0 } else { -998.0 }).collect();
    for case in ["gpt2", "llama"] {
        let stream = || from_floats(values.clone(), [1, 1, 24], &device());
        let full = to_doubles(&load(case).model.final_norm().unwrap().apply(stream()));
        let half = load_in(case, Precision::F16).model.final_norm().unwrap().apply(cast(stream(), Precision::F16));
        for (half, full) in to_doubles(&half).iter().zip(&full) {
            assert!((half - full).abs() < 1e-2 * full.abs().max(1.0), "{case}: {half} in f16, {full} in f32");
        }
    }
}

#[test]
fn weights_of_f64_are_not_rounded_on_their_way() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(golden("gpt2/config.json"), folder.path().join("config.json")).unwrap();
    let bytes = std::fs::read(golden("gpt2/model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let nudged = |view: &safetensors::tensor::TensorView| -> Vec<u8> {
        let floats = view.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
        floats.flat_map(|value| (f64::from(value) + NUDGE).to_le_bytes()).collect()
    };
    const NUDGE: f64 = 1e-12; // lost in f32
    let doubles: Vec<_> =
        tensors.tensors().into_iter().map(|(name, view)| (name, view.shape().to_vec(), nudged(&view))).collect();
    let views = doubles.iter().map(|(name, shape, data)| {
        (name, safetensors::tensor::TensorView::new(safetensors::Dtype::F64, shape.clone(), data).unwrap())
    });
    std::fs::write(folder.path().join("model.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
    let unembedding = |folder: &std::path::Path| {
        let setting = Setting { device: device(), precision: Precision::F64 };
        to_doubles(&load::folder(folder, &[], &setting).unwrap().model.unembedding().weight)
    };
    for (nudged, plain) in unembedding(folder.path()).iter().zip(unembedding(&golden("gpt2"))) {
        assert_eq!(*nudged, plain + NUDGE);
    }
}

#[test]
fn gradients_are_finite_differences_in_f64() {
    /// Of the gradient's length. The step leaves (1e-3)⁴ of curvature after extrapolation and 1e-16 / 1e-3 of rounding.
    const TOLERANCE: f64 = 1e-6;
    const STEP: f64 = 1e-3;
    let tokens = random_tokens(&[5, 3], Padding::Right);
    for case in ["gpt2", "llama", "bert"] {
        let model = load_in(case, Precision::F64).model;
        let mixture = cast(random_tensor([1, 5, model.dims().vocabulary], 11), Precision::F64);
        let real = Tokens::new(vec![tokens.row(0).to_vec()]);
        let mut hook = Differentiate::at(model.sites());
        let outcome = logits(model.on_tape().as_ref(), &real, &mut hook) * on_tape(mixture.clone());
        let slopes = hook.gradients(&backward(&outcome.sum()));
        for (site, slope) in slopes {
            let length = dot(&slope, &slope).sqrt();
            let random = cast(random_tensor(slope.dims(), 13), Precision::F64);
            for direction in [slope.clone() / length, random.clone() / dot(&random, &random).sqrt()] {
                let at = |step: f64| -> f64 {
                    let edit = Edit { place: Place::all(site), change: Change::Add(direction.clone() * step) };
                    let logits = logits(model.as_ref(), &real, &mut Edits::new(vec![edit]));
                    to_doubles(&(logits * mixture.clone())).iter().sum()
                };
                // a long gradient comes from a steep place: the step is in units of the outcome
                let step = STEP / length.max(1.0);
                let central = |step: f64| (at(step) - at(-step)) / (2.0 * step);
                let found = (4.0 * central(step / 2.0) - central(step)) / 3.0;
                let off = (dot(&slope, &direction) - found).abs() / length;
                assert!(off < TOLERANCE, "{case} {site}: {} and {found}", dot(&slope, &direction));
            }
        }
    }
}

fn dot(a: &Activation, b: &Activation) -> f64 {
    to_doubles(a).into_iter().zip(to_doubles(b)).map(|(a, b)| a * b).sum()
}

const METHODS: &str = r#"Patch(sites: ["hook_resid_pre"], over: [Layer, Position]),
    Patch(sites: ["attn.hook_z"], over: [Layer, Head], direction: Noise),
    Ablate(sites: ["attn.hook_z"], over: [Layer, Head], with: Mean),
    Ablate(sites: ["mlp.hook_post"], over: [Layer], with: Resample),
    LogitLens(), Attention(weighting: ValueWeighted), Record(sites: All, gradients: ["hook_resid_pre"])"#;
const OF_CAUSAL: &str = r#", DirectLogitAttribution, Generate(tokens: 3, edits: [(site: "blocks.1.hook_resid_pre", change: AddContrast(0.5))])"#;

#[test]
fn methods_find_in_any_precision_what_they_find_in_f32() {
    for (case, methods) in
        [("gpt2", [METHODS, OF_CAUSAL].concat()), ("llama", METHODS.into()), ("bert", METHODS.into())]
    {
        let at = (case == "bert").then_some(2);
        let text = question(&random_pairs(&[5, 5, 5], at), &methods, "");
        let full = effects(&findings(&text, &load(case)));
        for own in ALL {
            let found = effects(&findings(&text, &load_in(case, own)));
            let size = full.iter().fold(0.0f64, |most, effect| most.max(effect.abs()));
            // of the largest effect: a hundred roundings, each of the coarser of the two
            let tolerance = 100.0 * own.roundoff().max(Precision::F32.roundoff()) * size;
            assert_eq!(found.len(), full.len());
            let most = found.iter().zip(&full).map(|(a, b)| (a - b).abs()).fold(0.0, worse);
            assert!(most <= tolerance, "{case} {own}: an effect differs by {most}, more than {tolerance}");
            assert_eq!(own == Precision::F32, most == 0.0, "{case} {own}: {most}");
        }
    }
}

/// Every effect but the share of tokens that a generation keeps, which is a count.
fn effects(findings: &[patchclamp::method::Finding]) -> Vec<f64> {
    let rows = findings.iter().flat_map(|finding| &finding.tables).flat_map(|table| &table.rows);
    rows.filter(|row| row.metric != "share of tokens kept").map(|row| row.effect).collect()
}

#[test]
fn the_error_of_half_precision_is_the_distance_of_two_runs() {
    let full = load("gpt2");
    let text = question(&random_pairs(&[5, 4], None), "LogitLens()", "");
    let (plan, _) = carry_out(&text, &full);
    for own in [Precision::F16, Precision::Bf16] {
        let loaded = load_in("gpt2", own);
        let difference = |side: fn(&patchclamp::plan::Item) -> &Vec<u32>| {
            let of = |loaded: &load::Loaded, item: &patchclamp::plan::Item| {
                let answers = item.answers.clone().unwrap();
                let logits = logits(loaded.model.as_ref(), &Tokens::new(vec![side(item).clone()]), &mut ());
                let logits = to_doubles(&logits.narrow(1, answers.at, 1));
                logits[answers.right[0] as usize] - logits[answers.wrong[0] as usize]
            };
            let differences: Vec<f64> =
                plan.items.iter().map(|item| (of(&loaded, item) - of(&full, item)).abs()).collect();
            let most = differences.iter().copied().fold(0.0, f64::max);
            format!("differs by at most {most:.2e}, on average {:.2e}", differences.iter().sum::<f64>() / 2.0)
        };
        let (clean, corrupted) = (difference(|item| &item.clean), difference(|item| &item.corrupt));
        let told = precision_error(&plan, &loaded, &full).unwrap();
        assert_eq!(told, format!("logit_diff of the clean runs: {clean}; of the corrupted: {corrupted}; against f32"));
    }
}
