//! Treated weights written back under the checkpoint's own names: loaded again they are the same, to the bit.

use super::common::{DECODERS, ENCODERS, device, golden};
use super::{fresh, planned};
use patchclamp::model::family::Config;
use patchclamp::model::load::folder;
use patchclamp::model::weights::Weights;
use patchclamp::model::{Model, Visitor, random};
use patchclamp::tensor::{Tensor, to_doubles};
use patchclamp::treat::save::{Written, write};
use patchclamp::treat::{self, structure::merge};
use std::collections::BTreeMap;
use std::path::Path;

fn everything(model: &dyn Model) -> BTreeMap<String, Vec<u64>> {
    struct Bits(BTreeMap<String, Vec<u64>>);
    impl Visitor for Bits {
        fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
            self.0.insert(name.into(), to_doubles(weight).into_iter().map(f64::to_bits).collect());
        }
        fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
            self.0.insert(name.into(), to_doubles(weight).into_iter().map(f64::to_bits).collect());
        }
    }
    let mut bits = Bits(BTreeMap::new());
    model.parted(&[]).visit(&mut bits);
    bits.0
}

fn kept(weights: &Weights) -> BTreeMap<String, Vec<u8>> {
    weights.tensors().map(|(name, _, _, bytes)| (name.to_string(), bytes.to_vec())).collect()
}

/// A model after `change`, written into a folder of its own.
fn saved(case: &str, change: impl Fn(&mut dyn Model), into: &Path) -> (Written, BTreeMap<String, Vec<u64>>) {
    let (mut plain, mut model) = (fresh(case), fresh(case));
    change(model.model());
    let weights = Weights::open(&golden(case), &device()).unwrap();
    let config = Config::read(&golden(case).join("config.json")).unwrap();
    let notes = [("recipe", "[]".to_string())];
    let written = write(&config, &weights, [plain.model(), model.model()], &notes).unwrap();
    std::fs::copy(golden(case).join("config.json"), into.join("config.json")).unwrap();
    std::fs::write(into.join("model.safetensors"), &written.bytes).unwrap();
    (written, everything(model.model()))
}

fn by(case: &str, treat: &str) -> impl Fn(&mut dyn Model) {
    let plan = planned(treat, fresh(case));
    move |model: &mut dyn Model| drop(treat::apply(model, &plan.recipe, &[], 32.0).unwrap())
}

#[test]
fn what_was_saved_is_what_was_treated() {
    for case in DECODERS.iter().chain(&ENCODERS) {
        let place = tempfile::tempdir().unwrap();
        // the embedding of opt-behind is a product of two stored matrices
        let embed = if *case == "opt-behind" { "" } else { ", Magnitude(sparsity: 0.3, only: (parts: [\"embed\"]))" };
        let steps = &format!("Gptq(bits: 3){embed}");
        let (written, expected) = saved(case, by(case, steps), place.path());
        let again = folder(place.path(), &[], &device()).unwrap();
        assert!(everything(again.model.as_ref()) == expected, "{case}");
        assert!(!written.changed.is_empty(), "{case}");
        // everything else is as it was, and the names are the same
        let [was, is] =
            [golden(case), place.path().to_path_buf()].map(|at| kept(&Weights::open(&at, &device()).unwrap()));
        assert!(was.keys().eq(is.keys()), "{case}");
        for (name, bytes) in &was {
            assert_eq!(is[name] != *bytes, written.changed.contains(name), "{case}: {name}");
        }
    }
}

#[test]
fn what_is_computed_when_a_model_is_built_cannot_be_written_back() {
    let mut models = [fresh("opt-behind"), fresh("opt-behind")];
    by("opt-behind", "Magnitude(sparsity: 0.3, only: (parts: [\"embed\"]))")(models[1].model());
    let weights = Weights::open(&golden("opt-behind"), &device()).unwrap();
    let config = Config::read(&golden("opt-behind").join("config.json")).unwrap();
    let [before, after] = &mut models;
    let refused = write(&config, &weights, [before.model(), after.model()], &[]).map(|_| ()).unwrap_err().to_string();
    assert!(refused.starts_with("`embed` is computed"), "{refused}");
}

#[test]
fn nothing_changed_is_the_checkpoint_itself() {
    let place = tempfile::tempdir().unwrap();
    for case in ["gpt2", "sharded", "half"] {
        let (written, _) = saved(case, |_| {}, place.path());
        assert!(written.changed.is_empty() && written.widened.is_none());
        let [was, is] =
            [golden(case), place.path().to_path_buf()].map(|at| kept(&Weights::open(&at, &device()).unwrap()));
        assert_eq!(was, is);
    }
}

/// Zeros fit into half precision, and levels of a scale of their own do not.
#[test]
fn numbers_grow_only_where_they_must() {
    let place = tempfile::tempdir().unwrap();
    for (steps, widened) in [("Magnitude(sparsity: 0.5)", false), ("Round(bits: 4)", true)] {
        let (written, expected) = saved("half", by("half", steps), place.path());
        assert_eq!(written.widened.is_some(), widened, "{steps}");
        assert!(everything(folder(place.path(), &[], &device()).unwrap().model.as_ref()) == expected, "{steps}");
    }
}

/// Gemma adds one to the weights of its norms; blocks that are taken out lose their biases.
#[test]
fn vectors_are_written_back_too() {
    for case in ["gemma2", "gpt2", "pythia-parallel", "qwen2", "bert-untied", "opt"] {
        let place = tempfile::tempdir().unwrap();
        let other = random::twin(fresh(case).model(), 4);
        let (_, expected) = saved(case, |model| merge(model, other.as_ref(), 0.5), place.path());
        assert!(everything(folder(place.path(), &[], &device()).unwrap().model.as_ref()) == expected, "{case}");
    }
    let place = tempfile::tempdir().unwrap();
    let (written, _) = saved("gpt2", by("gpt2", "PruneLayers([1])"), place.path());
    assert_eq!(written.changed.len(), 4, "{:?}", written.changed);
}

/// Two layers with the same keys and values: what becomes of the first is nothing to the second, which is no tied head.
#[test]
fn equal_tensors_that_are_both_read_stay_two() {
    let [from, place] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let golden = golden("llama");
    let weights = Weights::open(&golden, &device()).unwrap();
    let kept = kept(&weights);
    let own = |name: &str| kept[&name.replace("model.layers.1.self_attn", "model.layers.0.self_attn")].clone();
    let doubled: Vec<(String, _, Vec<usize>, Vec<u8>)> =
        weights.tensors().map(|(name, dtype, shape, _)| (name.into(), dtype, shape.to_vec(), own(name))).collect();
    let views = doubled.iter().map(|(name, dtype, shape, bytes)| {
        (name.as_str(), safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes).unwrap())
    });
    std::fs::write(from.path().join("model.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
    std::fs::copy(golden.join("config.json"), from.path().join("config.json")).unwrap();
    let open = || patchclamp::model::load::fresh(from.path(), &device()).unwrap();
    let (mut plain, mut model) = (open(), open());
    let plan = planned("Round(bits: 3, only: (layers: [0]))", open());
    treat::apply(model.model(), &plan.recipe, &[], 32.0).unwrap();
    let weights = Weights::open(from.path(), &device()).unwrap();
    let config = Config::read(&golden.join("config.json")).unwrap();
    let written = write(&config, &weights, [plain.model(), model.model()], &[]).unwrap();
    assert!(written.changed.iter().all(|name| name.starts_with("model.layers.0.")), "{:?}", written.changed);
    std::fs::copy(golden.join("config.json"), place.path().join("config.json")).unwrap();
    std::fs::write(place.path().join("model.safetensors"), &written.bytes).unwrap();
    let again = folder(place.path(), &[], &device()).unwrap();
    assert!(everything(again.model.as_ref()) == everything(model.model()));
}

/// Masks that some checkpoints keep among their weights are none.
#[test]
fn bits_as_stored_are_those_of_weights() {
    use safetensors::{Dtype, tensor::TensorView};
    let (half, mask) = ([0_u8; 8], [1_u8; 64]);
    let views = [
        ("weight", TensorView::new(Dtype::F16, vec![4], &half).unwrap()),
        ("bias", TensorView::new(Dtype::U8, vec![8, 8], &mask).unwrap()),
    ];
    let bytes = safetensors::serialize(views, None).unwrap();
    assert_eq!(Weights::carried(bytes.into(), &device()).unwrap().width(), 16.0);
}
