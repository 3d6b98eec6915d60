//! Heads and blocks taken out, and models merged.

use super::common::{DECODERS, bits, device, golden, largest_difference, load, logits, random_tokens, recorded};
use super::{fresh, maps, treated};
use patchclamp::hook::{Change, Edit, Edits};
use patchclamp::model::load::folder;
use patchclamp::model::process::Processing;
use patchclamp::site::{Place, Site};
use patchclamp::text::Padding;
use patchclamp::treat::structure::{merge, other_shape};

#[test]
fn a_pruned_head_is_an_ablated_one() {
    let tokens = random_tokens(&[6, 4], Padding::Right);
    for case in ["gpt2", "llama", "gemma2", "bert"] {
        let plain = load(case);
        let (pruned, ledger) = treated("PruneHeads(These([(1, 1), (0, 0)]))", || fresh(case));
        let zero = |layer, head| Edit {
            place: Place { heads: Some(vec![head]), ..Place::all(Site::Mix(layer)) },
            change: Change::Scale(0.0),
        };
        let edits = vec![zero(1, 1), zero(0, 0)];
        let ablated = logits(plain.model.as_ref(), &tokens, &mut Edits::new(edits));
        let difference = largest_difference(&ablated, &logits(pruned.model.as_ref(), &tokens, &mut ()));
        assert!(difference < 1e-5, "{case}: {difference}");
        let heads = plain.model.dims().heads as f64;
        assert!(ledger.entries.iter().all(|entry| (entry.zeros - 1.0 / heads).abs() < 1e-9), "{case}");
    }
}

#[test]
fn the_smallest_heads_go() {
    let (pruned, _) = treated("PruneHeads(Smallest(2))", || fresh("gpt2"));
    let sizes = |loaded: &patchclamp::model::load::Loaded| {
        let mut sizes = Vec::new();
        for layer in 0..loaded.model.dims().layers {
            let by_head = loaded.model.block(layer).attention.out_by_head();
            let width = by_head.dims()[2] * by_head.dims()[3];
            let values = patchclamp::tensor::to_doubles(&by_head);
            sizes.extend(values.chunks(width).map(|head| head.iter().map(|value| value * value).sum::<f64>()));
        }
        sizes
    };
    let (before, after) = (sizes(&load("gpt2")), sizes(&pruned));
    let mut order = before.clone();
    order.sort_by(f64::total_cmp);
    for (before, after) in before.iter().zip(after) {
        assert_eq!(after == 0.0, *before <= order[1], "{before} {after}");
    }
}

#[test]
fn a_pruned_block_lets_the_stream_through() {
    let tokens = random_tokens(&[6, 6], Padding::Right);
    for case in DECODERS.iter().filter(|case| **case != "opt-behind") {
        let (pruned, _) = treated("PruneLayers([0])", || fresh(case));
        let model = pruned.model.as_ref();
        let sites = [Site::ResidPre(0), Site::ResidPre(1)];
        let seen = recorded(model, &tokens, sites);
        let [before, behind] = sites.map(|site| seen.at(site).unwrap().clone());
        assert_eq!(bits(&before), bits(&behind), "{case}");
    }
}

#[test]
fn merging_goes_from_the_one_to_the_other() {
    let (one, other) = (load("gpt2"), patchclamp::model::random::twin(load("gpt2").model.as_ref(), 3));
    let merged = |weight: f64| {
        let mut model = fresh("gpt2");
        merge(model.model(), other.as_ref(), weight);
        model.finish(&[]).unwrap().model
    };
    assert_eq!(maps(merged(0.0).as_ref()), maps(one.model.as_ref()));
    assert_eq!(maps(merged(1.0).as_ref()), maps(other.as_ref()));
    for (((_, half), (_, one)), (_, other)) in
        maps(merged(0.5).as_ref()).iter().zip(maps(one.model.as_ref())).zip(maps(other.as_ref()))
    {
        let most = (half - &((one + other) / 2.0)).iter().fold(0.0, |most: f64, next| most.max(next.abs()));
        assert!(most < 1e-6, "{most}");
    }
}

/// Weights that left the levels they were rounded to take all of their bits again.
#[test]
fn what_leaves_its_levels_takes_all_bits_again() {
    let (_, sparse) = treated("Round(bits: 4), SparseGpt(sparsity: 0.5)", || fresh("gpt2"));
    for entry in &sparse.entries {
        assert_eq!(entry.bits, 1.0 + (1.0 - entry.zeros) * 32.0, "{}", entry.part);
    }
    let (_, pruned) = treated("Round(bits: 4), Magnitude(sparsity: 0.5)", || fresh("gpt2"));
    assert!(pruned.entries.iter().all(|entry| entry.bits < 1.0 + 0.5 * 8.0));
    let other = || vec![patchclamp::model::random::twin(load("gpt2").model.as_ref(), 3)];
    let merged = |steps: &str| {
        let plan = super::planned(steps, fresh("gpt2"));
        patchclamp::treat::apply(fresh("gpt2").model(), &plan.recipe, &other(), 32.0).unwrap()
    };
    for steps in ["", "Round(bits: 4), ", "Magnitude(sparsity: 0.5), "] {
        let ledger = merged(&format!("{steps}Merge(with: Builtin(\"organism\"), weight: 0.3)"));
        // all maps of both blocks, and the embedding
        assert_eq!((ledger.entries.len(), ledger.bits()), (13, 32.0), "{steps}");
        assert_eq!(ledger.before, ledger.after);
    }
    let nothing = merged("Round(bits: 4), Merge(with: Builtin(\"organism\"), weight: 0)");
    assert!(nothing.bits() < 6.0 && nothing.entries.len() == 12);
}

#[test]
fn chance_takes_out_as_many_heads_and_blocks() {
    let gone = |step: &str| {
        let (_, ledger) = treated(step, || fresh("gpt2"));
        let heads = load("gpt2").model.dims().heads as f64;
        let of = |entry: &patchclamp::treat::Entry| (entry.part.layer.unwrap(), (entry.zeros * heads).round() as usize);
        ledger.entries.iter().map(of).collect::<Vec<_>>()
    };
    let any = |draw: u64| gone(&format!("RandomHeads(count: 3, draw: {draw})"));
    let draws: Vec<_> = (0..8).map(any).collect();
    assert!(draws.iter().all(|gone| gone.iter().map(|(_, heads)| heads).sum::<usize>() == 3), "{draws:?}");
    assert!(draws.iter().any(|gone| *gone != draws[0]) && any(5) == draws[5]);
    let layers = |draw: u64| gone(&format!("RandomLayers(count: 1, draw: {draw})"));
    let draws: Vec<_> = (0..8).map(layers).collect();
    assert!(draws.iter().all(|gone| gone.len() == 2 && gone[0].0 == gone[1].0), "{draws:?}");
    assert!(draws.iter().any(|gone| *gone != draws[0]));
}

#[test]
fn only_models_of_one_shape_are_merged() {
    let gpt2 = load("gpt2");
    assert_eq!(other_shape(gpt2.model.as_ref(), load("gpt2").model.as_ref()), None);
    let told = other_shape(gpt2.model.as_ref(), load("llama").model.as_ref()).unwrap();
    assert!(told.contains("only models of one shape"), "{told}");
    let folded = folder(&golden("gpt2"), &[Processing::FoldNorms], &device()).unwrap();
    let told = other_shape(gpt2.model.as_ref(), folded.model.as_ref()).unwrap();
    assert!(told.starts_with("only one of the two has"), "{told}");
}
