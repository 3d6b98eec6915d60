//! What holds of treated models as wholes: every family, every step, strength and chance.

use super::common::{DECODERS, ENCODERS, largest_difference, load, logits, random_tokens};
use super::{fresh, maps, of_blocks, organism, planned, treated};
use patchclamp::tensor::to_floats;
use patchclamp::text::Padding;
use patchclamp::treat::{Map, Matrix, part};

/// A step of every kind that there is, for any model.
const STEPS: [&str; 15] = [
    "Round(bits: 4)",
    "Round(bits: 3, scheme: Asymmetric, per: Group(8), rounding: Stochastic)",
    "Nf4()",
    "Gptq(bits: 3)",
    "Gptq(bits: 4, per: Group(6), act_order: true)",
    "FairGptq(bits: 4)",
    "Awq(bits: 3)",
    "Magnitude(sparsity: 0.5)",
    "Wanda(sparsity: \"2:4\")",
    "SparseGpt(sparsity: 0.5)",
    "RandomMask(sparsity: 0.3)",
    "Matched(step: Magnitude(sparsity: 0.5))",
    "Matched(step: Wanda(sparsity: 0.5))",
    "Matched(step: SparseGpt(sparsity: 0.5))",
    "PruneHeads(These([(1, 0)]))",
];

#[test]
fn every_family_takes_every_step() {
    for case in DECODERS.iter().chain(&ENCODERS) {
        let plain = load(case);
        let tokens = random_tokens(&[5, 5], Padding::Right);
        let before = logits(plain.model.as_ref(), &tokens, &mut ());
        for step in STEPS {
            let (loaded, ledger) = treated(step, || fresh(case));
            let after = logits(loaded.model.as_ref(), &tokens, &mut ());
            assert!(to_floats(&after).iter().all(|logit| logit.is_finite()), "{case}: {step}");
            assert!(largest_difference(&before, &after) > 0.0, "{case}: {step} changes nothing");
            let all = of_blocks(plain.model.as_ref()).len();
            assert_eq!(ledger.entries.len(), if step.starts_with("PruneHeads") { 1 } else { all }, "{case}: {step}");
            // a mask may cost more than the few weights that a matched one takes
            assert!(step.starts_with("Matched") || ledger.after < ledger.before, "{case}: {step}");
        }
    }
}

#[test]
fn eight_bits_change_next_to_nothing_and_fewer_change_more() {
    let plain = organism().finish(&[]).unwrap();
    let tokens = patchclamp::text::Tokens::new(super::common::random_rows(&[12; 4], 9));
    let before = logits(plain.model.as_ref(), &tokens, &mut ());
    let mut last = 0.0;
    for bits in [8, 6, 4, 3, 2] {
        let (loaded, ledger) = treated(&format!("Round(bits: {bits}, per: Group(64))"), organism);
        let error = ledger.entries.iter().map(|entry| entry.relative).sum::<f64>() / ledger.entries.len() as f64;
        assert!(error > 2.0 * last, "{bits} bits: {error} after {last}");
        last = error;
        let moved = largest_difference(&before, &logits(loaded.model.as_ref(), &tokens, &mut ()));
        assert!(bits < 8 || (moved < 0.2 && error < 1e-4), "{bits} bits: {moved}, {error}");
    }
}

#[test]
fn a_twin_leaves_to_chance_what_its_treatment_chooses() {
    use patchclamp::spec::Treatment;
    let read = |text: &str| -> Treatment {
        let plan = planned(text, fresh("gpt2"));
        plan.recipe.steps[0].treatment.clone()
    };
    for (step, twin) in [
        ("Round(bits: 3)", "Round(bits: 3, rounding: Stochastic, draw: 5)"),
        ("Nf4()", "Nf4(rounding: Stochastic, draw: 5)"),
        ("Gptq(bits: 3)", "Gptq(bits: 3, rounding: Stochastic, draw: 5, calibration: (seed: 5))"),
        ("Awq(bits: 3)", "Awq(bits: 3, rounding: Stochastic, draw: 5, calibration: (seed: 5))"),
        ("FairGptq(bits: 3)", "FairGptq(bits: 3, alpha: 0, rounding: Stochastic, draw: 5, calibration: (seed: 5))"),
        ("Magnitude(sparsity: 0.4)", "Matched(step: Magnitude(sparsity: 0.4), draw: 5)"),
        ("Wanda(sparsity: \"2:4\")", "Matched(step: Wanda(sparsity: \"2:4\"), draw: 5)"),
        ("SparseGpt(sparsity: 0.4)", "Matched(step: SparseGpt(sparsity: 0.4), draw: 5)"),
        ("Matched(step: Magnitude(sparsity: 0.4), draw: 2)", "Matched(step: Magnitude(sparsity: 0.4), draw: 5)"),
        ("RandomMask(sparsity: 0.4)", "RandomMask(sparsity: 0.4, draw: 5)"),
        ("PruneHeads(These([(0, 1), (1, 1), (0, 1)]))", "RandomHeads(count: 2, draw: 5)"),
        ("PruneHeads(Smallest(3))", "RandomHeads(count: 3, draw: 5)"),
        ("PruneLayers([1])", "RandomLayers(count: 1, draw: 5)"),
    ] {
        assert_eq!(read(step).twin(5), read(twin), "{step}");
    }
    let bits = |draw: u64| treated(&format!("Round(bits: 3, rounding: Stochastic, draw: {draw})"), || fresh("gpt2"));
    let [(one, here), (other, there), (again, _)] = [bits(1), bits(2), bits(1)];
    assert_ne!(of_blocks(one.model.as_ref()), of_blocks(other.model.as_ref()));
    assert_eq!(of_blocks(one.model.as_ref()), of_blocks(again.model.as_ref()));
    assert_eq!((here.bits(), here.after), (there.bits(), there.after));
}

#[test]
fn a_matched_mask_takes_what_its_pruning_takes() {
    for within in ["Tensor", "Row"] {
        let step = format!("Magnitude(sparsity: 0.5, within: {within})");
        let pruned = treated(&step, organism).1;
        let matched = treated(&format!("Matched(step: {step}, draw: 3)"), organism).1;
        for (pruned, matched) in pruned.entries.iter().zip(&matched.entries) {
            let share = matched.squared / pruned.squared;
            assert!((share - 1.0).abs() < 0.01, "{}: {share} of the squares", pruned.part);
            assert!(matched.zeros < 0.5 * pruned.zeros, "{}: {} zeros", pruned.part, matched.zeros);
        }
    }
}

#[test]
fn only_what_was_named_is_changed() {
    let plain = fresh("llama").finish(&[]).unwrap();
    let step =
        "Round(bits: 2, only: (layers: [1], parts: [\"attn.k\", \"mlp\"])), Round(bits: 2, only: (parts: [\"embed\"]))";
    let (loaded, ledger) = treated(step, || fresh("llama"));
    for ((part, was), (_, is)) in maps(plain.model.as_ref()).iter().zip(maps(loaded.model.as_ref())) {
        let named = match part.layer {
            Some(layer) => layer == 1 && !matches!(part.map, Map::Query | Map::Value | Map::AttnOut),
            None => part.map == Map::Embed,
        };
        assert_eq!(was != is, named, "{part}");
    }
    assert_eq!(ledger.entries.len(), 5);
}

/// One step after the other on other maps is both at once; a whole model is each of its maps by itself.
#[test]
fn queries_keys_and_values_are_rounded_as_if_they_were_stored_apart() {
    use patchclamp::spec::{Per, Scheme};
    use patchclamp::treat::{dice::Dice, grid::Grid};
    for case in ["gpt2", "phi3", "pythia-parallel", "llama", "bert"] {
        let plain = fresh(case).finish(&[]).unwrap();
        let (loaded, _) = treated("Round(bits: 3, per: Tensor)", || fresh(case));
        let grid = Grid { bits: 3, scheme: Scheme::Symmetric, per: Per::Tensor };
        for ((part, was), (_, is)) in of_blocks(plain.model.as_ref()).into_iter().zip(of_blocks(loaded.model.as_ref()))
        {
            let alone: Matrix = grid.round(was, &Dice::Nearest).mapv(|weight| f64::from(weight as f32));
            assert_eq!(alone, is, "{case}: {part}");
        }
    }
}

#[test]
fn parts_are_what_the_sites_of_their_names_are_made_by() {
    let loaded = fresh("pythia-parallel").finish(&[]).unwrap();
    let block = loaded.model.block(1);
    let wanted = [Map::Query, Map::Key, Map::Value].map(|map| part::Part::of(1, map)).into_iter().collect();
    let parts = part::read(loaded.model.as_ref(), &wanted);
    let d_model = loaded.model.dims().d_model;
    for (kind, (_, weights)) in parts.iter().enumerate() {
        // [1, head, d_model, d_head]
        let by_head = block.attention.in_by_head(kind);
        let [_, heads, _, width] = by_head.dims();
        let values = patchclamp::tensor::to_doubles(&by_head);
        for ((output, input), weight) in weights.indexed_iter() {
            let place = ((output / width) * d_model + input) * width + output % width;
            assert!(output < heads * width && values[place] == *weight);
        }
    }
}
