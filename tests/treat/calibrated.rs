//! What calibrated treatments see of a model, and that they are worth it.

use super::common::{DECODERS, ENCODERS, load, recorded};
use super::{fresh, of_blocks, organism, planned, treated};
use patchclamp::model::Model;
use patchclamp::model::parts::linear::Linear;
use patchclamp::site::Site;
use patchclamp::spec::{Per, Scheme};
use patchclamp::tensor::{Tensor, to_doubles};
use patchclamp::text::Tokens;
use patchclamp::treat::dice::Dice;
use patchclamp::treat::gptq::{Making, gptq};
use patchclamp::treat::grid::Grid;
use patchclamp::treat::hessian::Moments;
use patchclamp::treat::walk::{Texts, walk};
use patchclamp::treat::{Map, Part, inventory};
use std::collections::{BTreeMap, BTreeSet};

/// Sums of squares in f32, on both sides in another order.
const ROUNDING: f64 = 1e-4;

/// What ‖W x‖² sums up to over all texts, from the sites of whole passes: what a map gives less its bias.
fn given(model: &dyn Model, rows: &[Vec<u32>], part: Part) -> f64 {
    let (layer, block) = (part.layer.unwrap(), model.block(part.layer.unwrap()));
    let (attention, mlp) = (&block.attention, &block.mlp);
    let squares = |site: Site, map: &Linear, start: usize| -> f64 {
        rows.iter().map(|row| of_site(model, row, site, map, start)).sum()
    };
    let (queries, keys) = (attention.heads * attention.d_head, attention.key_heads * attention.d_head);
    match part.map {
        Map::Query => squares(Site::Query(layer), &attention.qkv, 0),
        Map::Key => squares(Site::Key(layer), &attention.qkv, queries),
        Map::Value => squares(Site::Value(layer), &attention.qkv, queries + keys),
        Map::MlpIn => squares(Site::MlpPre(layer), &mlp.input, 0),
        Map::MlpLinear => squares(Site::MlpPreLinear(layer), mlp.linear.as_ref().unwrap(), 0),
        Map::AttnOut => rows.iter().map(|row| through(model, row, Site::Mix(layer), &attention.out)).sum(),
        _ => rows.iter().map(|row| through(model, row, Site::MlpPost(layer), &mlp.output)).sum(),
    }
}

/// Heads side by side, `[pos, head · width]`.
fn seen(model: &dyn Model, row: &[u32], site: Site) -> Tensor<2> {
    let kept = recorded(model, &Tokens::new(vec![row.to_vec()]), [site]).at(site).unwrap().clone();
    let [_, heads, pos, width] = kept.dims();
    kept.swap_dims(1, 2).reshape([pos, heads * width])
}

fn of_site(model: &dyn Model, row: &[u32], site: Site, map: &Linear, start: usize) -> f64 {
    let given = seen(model, row, site);
    let width = given.dims()[1];
    let less = match &map.bias {
        Some(bias) => given - bias.clone().narrow(0, start, width).unsqueeze(),
        None => given,
    };
    to_doubles(&less).iter().map(|value| value * value).sum()
}

fn through(model: &dyn Model, row: &[u32], site: Site, map: &Linear) -> f64 {
    to_doubles(&seen(model, row, site).matmul(map.weight.clone())).iter().map(|value| value * value).sum()
}

#[test]
fn inputs_are_what_the_maps_of_the_whole_pass_read() {
    for case in DECODERS.iter().chain(&ENCODERS) {
        let mut loaded = load(case);
        let rows = super::common::random_rows(&[3, 6, 6], 5);
        let texts = Texts { rows: rows.clone(), ..Texts::default() };
        let wanted: BTreeSet<Part> =
            inventory(loaded.model.as_ref()).into_iter().filter(|part| part.layer.is_some()).collect();
        let mut found = BTreeMap::new();
        walk(loaded.model.as_mut(), &texts, &wanted, &mut |maps, moments| {
            assert_eq!(moments.count, 15);
            found.extend(maps.iter().map(|(part, weights)| (*part, moments.output(weights))));
            maps.into_iter().map(|(_, weights)| weights).collect()
        });
        assert_eq!(found.len(), wanted.len());
        for (part, found) in found {
            let expected = given(loaded.model.as_ref(), &rows, part);
            assert!((found - expected).abs() < ROUNDING * expected, "{case}: {part}: {found} instead of {expected}");
        }
    }
}

#[test]
fn differences_of_pairs_are_summed_position_by_position() {
    let mut model = fresh("gpt2");
    let [one, other] = [super::common::random_rows(&[5], 1), super::common::random_rows(&[5], 2)];
    let texts = Texts { pairs: vec![[one[0].clone(), other[0].clone()]; 3], ..Texts::default() };
    let part = Part::of(0, Map::MlpOut);
    let mut found = None;
    walk(model.model(), &texts, &BTreeSet::from([part]), &mut |maps, moments| {
        found = Some(moments.clone());
        maps.into_iter().map(|(_, weights)| weights).collect()
    });
    let Moments { pairs, apart, count, .. } = found.unwrap();
    assert_eq!((pairs, count), (15, 0));
    let loaded = load("gpt2");
    let states = [&one, &other].map(|rows| seen(loaded.model.as_ref(), &rows[0], Site::MlpPost(0)));
    let [a, b] = states.map(|states| to_doubles(&states));
    let expected: f64 = 3.0 * a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let found: f64 = apart.diag().sum();
    assert!((found - expected).abs() < ROUNDING * expected, "{found} instead of {expected}");
}

/// Errors of both on the same inputs: GPTQ and plain rounding, of every map of the built-in model.
#[test]
fn gptq_is_never_worse_than_rounding_on_what_it_saw() {
    for (bits, per) in
        [(2, Per::Channel), (3, Per::Group(32)), (4, Per::Channel), (4, Per::Group(64)), (8, Per::Channel)]
    {
        let texts = Texts { rows: super::common::random_rows(&[24; 16], 3), ..Texts::default() };
        let mut model = organism();
        let all = inventory(model.model()).into_iter().filter(|part| part.layer.is_some()).collect();
        walk(model.model(), &texts, &all, &mut |maps, moments| {
            for (part, weights) in &maps {
                let grid = Grid { bits, scheme: Scheme::Symmetric, per };
                let error = |rounded| moments.output(&(weights - &rounded));
                let plain = error(grid.round(weights.clone(), &Dice::Nearest));
                for act_order in [false, true] {
                    let how = Making { grid, act_order, damping: 0.01 };
                    let made = error(gptq(weights.clone(), moments.hessian(), &how, &Dice::Nearest));
                    assert!(made <= plain, "{part}, {bits} bits {per:?}, {act_order}: {made} against {plain}");
                }
            }
            maps.into_iter().map(|(_, weights)| weights).collect()
        });
    }
}

#[test]
fn without_bias_fair_gptq_is_gptq() {
    let gptq = treated("Gptq(bits: 3, per: Group(8))", || fresh("llama")).0;
    let fair = |alpha: f64| treated(&format!("FairGptq(bits: 3, per: Group(8), alpha: {alpha})"), || fresh("llama")).0;
    assert_eq!(of_blocks(fair(0.0).model.as_ref()), of_blocks(gptq.model.as_ref()));
    assert_ne!(of_blocks(fair(1.0).model.as_ref()), of_blocks(gptq.model.as_ref()));
}

/// The more the difference of pairs counts, the less of it is left, of weights that were not rounded much.
#[test]
fn fair_gptq_draws_pairs_together() {
    let left = |alpha: f64| {
        let step = format!("FairGptq(bits: 8, per: Channel, alpha: {alpha})");
        let (loaded, _) = treated(&step, organism);
        let plan = planned(&step, organism());
        let mut apart = BTreeMap::new();
        let mut model = loaded.model;
        walk(model.as_mut(), &plan.recipe.steps[0].texts, &plan.recipe.steps[0].parts, &mut |maps, moments| {
            let part = |weights: &patchclamp::treat::Matrix| (weights.dot(&moments.apart) * weights).sum();
            apart.extend(maps.iter().map(|(name, weights)| (*name, part(weights))));
            maps.into_iter().map(|(_, weights)| weights).collect()
        });
        apart
    };
    let (none, some) = (left(0.0), left(10.0));
    let sums = [&none, &some].map(|apart| apart.values().sum::<f64>());
    assert!(sums[1] < 0.5 * sums[0], "{sums:?}");
}

#[test]
fn the_last_step_of_a_list_sees_what_those_before_it_did() {
    let (both, ledger) = treated("Wanda(sparsity: 0.5), Round(bits: 4, per: Group(8))", || fresh("qwen2"));
    assert!(ledger.entries.iter().all(|entry| entry.zeros >= 0.5 && entry.bits < 1.0 + 0.5 * 6.0 + 1e-9));
    let pruned = treated("Wanda(sparsity: 0.5)", || fresh("qwen2")).0;
    for ((part, both), (_, pruned)) in of_blocks(both.model.as_ref()).iter().zip(of_blocks(pruned.model.as_ref())) {
        assert!(pruned.iter().zip(both).all(|(pruned, both)| *pruned != 0.0 || *both == 0.0), "{part}");
        assert_ne!(both, pruned, "{part}");
    }
}

/// Texts that the model says itself are its own, and other seeds are other texts.
#[test]
fn a_model_is_calibrated_on_what_it_says() {
    let by = |seed: u64| {
        let step = format!("Gptq(bits: 3, calibration: (from: Sampled, rows: 4, length: 8, seed: {seed}))");
        treated(&step, || fresh("gpt2"))
    };
    let [(one, ledger), (again, _), (other, _)] = [by(1), by(1), by(2)];
    assert_eq!(of_blocks(one.model.as_ref()), of_blocks(again.model.as_ref()));
    assert_ne!(of_blocks(one.model.as_ref()), of_blocks(other.model.as_ref()));
    assert!(ledger.entries.iter().all(|entry| entry.output.is_some_and(|error| error > 0.0)));
}
