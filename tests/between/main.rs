//! Between models: weights that are put in are the other model's, shares sum to the whole, and what differs nowhere does nothing.

#[path = "../common/mod.rs"]
mod common;
mod refused;
mod weights;

use common::*;
use patchclamp::builtin;
use patchclamp::method::Finding;
use patchclamp::model::exchange::{Exchange, Grain};
use patchclamp::model::load::Loaded;
use patchclamp::model::random::twin;
use patchclamp::model::{Model, Visitor};
use patchclamp::plan::{Guest, Named, Plan};
use patchclamp::steps::Steps;
use patchclamp::table::Row;
use patchclamp::tensor::{Tensor, to_doubles, to_floats};
use patchclamp::text::Padding;
use std::collections::BTreeMap;
use std::rc::Rc;

const GRAINS: [Grain; 4] = [Grain::Map, Grain::Layer, Grain::Head, Grain::Kind];

/// Sums of f32 in another order, of metrics below ten.
const IN_F32: f64 = 2e-5;

fn bits(model: &dyn Model) -> Vec<u32> {
    let tokens = random_tokens(&[5, 3], Padding::Right);
    to_floats(&logits(model, &tokens, &mut ())).into_iter().map(f32::to_bits).collect()
}

/// Adds to some columns, or rows, of one weight.
struct Changed {
    weight: &'static str,
    axis: usize,
    from: usize,
    width: usize,
}

impl Visitor for Changed {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        if name == self.weight {
            let shape = weight.dims();
            let mask = (0..shape[0] * shape[1]).map(|place| {
                let at = [place / shape[1], place % shape[1]][self.axis];
                if (self.from..self.from + self.width).contains(&at) { 0.3 } else { 0.0 }
            });
            *weight = weight.clone() + patchclamp::tensor::from_floats(mask.collect(), shape, &device());
        }
    }
    fn vector(&mut self, _: &str, _: &mut Tensor<1>) {}
}

fn changed(model: &dyn Model, mut by: Changed) -> Box<dyn Model> {
    let mut changed = model.parted(&[]);
    changed.visit(&mut by);
    changed
}

fn names(exchange: &Exchange) -> Vec<(&str, Option<usize>, Option<usize>)> {
    exchange.parts().iter().map(|part| (part.name.as_str(), part.layer, part.head)).collect()
}

const AGAINST: &str = "against: [(name: \"other\", model: Builtin(\"organism-flat\"))],";

/// A golden model, and another that the variant is of.
fn beside(case: &str, other: impl FnOnce(&dyn Model) -> Box<dyn Model>) -> [Loaded; 2] {
    let loaded = load(case);
    let other = Loaded { model: other(loaded.model.as_ref()), ..load(case) };
    [loaded, other]
}

fn planned(text: &str, [loaded, other]: [Loaded; 2]) -> Result<(Plan, Loaded), String> {
    let guest = Guest { named: Named::Variant("other".into()), loaded: Rc::new(other) };
    let plan = Plan::among(&experiment(text), &loaded, &[guest]).map_err(|error| error.to_string())?;
    Ok((plan, loaded))
}

fn found(text: &str, models: [Loaded; 2]) -> Vec<Finding> {
    let (plan, loaded) = planned(text, models).unwrap();
    patchclamp::run::run(&plan, &loaded, &mut Steps::unkept(&mut ())).unwrap().findings
}

fn rows<'a>(finding: &'a Finding, table: &str, metric: &str) -> Vec<&'a Row> {
    let table = finding.tables.iter().find(|one| one.name.ends_with(table)).unwrap();
    table.rows.iter().filter(|row| row.metric == metric && row.site.as_deref() != Some("all parts")).collect()
}

fn whole(finding: &Finding, table: &str) -> f64 {
    let table = finding.tables.iter().find(|one| one.name.ends_with(table)).unwrap();
    table.rows.iter().find(|row| row.site.as_deref() == Some("all parts")).unwrap().effect
}

#[test]
fn an_activation_carries_what_the_weights_below_it_have_changed() {
    let change =
        |model: &dyn Model| changed(model, Changed { weight: "blocks.1.mlp.out.weight", axis: 1, from: 0, width: 3 });
    let mut carried_whole: Vec<f64> = Vec::new();
    for direction in ["Noise", "Denoise"] {
        let method = format!(
            "PatchModels(with: \"other\", sites: [\"hook_resid_pre\", \"hook_mlp_out\", \"hook_attn_out\"], direction: {direction})"
        );
        let finding = &found(&question(&random_pairs(&[4, 4], None), &method, AGAINST), beside("gpt2", change))[0];
        for row in &finding.tables[0].rows {
            let site = row.site.as_deref().unwrap();
            // in two layers only the last block's MLP writes anything else
            let carried = if (site, row.layer) == ("hook_mlp_out", Some(1)) { 1.0 } else { 0.0 };
            if carried == 1.0 {
                carried_whole.push(row.effect);
            }
            assert_eq!(
                row.normalised.map(|share| (share * 1e4).round() / 1e4),
                Some(carried),
                "{direction} {site} {row:?}"
            );
        }
    }
    // what the one does the other undoes
    assert!((carried_whole[0] + carried_whole[1]).abs() < IN_F32 && carried_whole[0].abs() > 1e-3, "{carried_whole:?}");
}

#[test]
fn the_slope_is_that_of_the_effects_on_the_numbers() {
    let pair = |first: u32, share: f64| {
        format!("(clean: [{first}, 7, 3], corrupt: [9, 7, 3], right: 5, wrong: 6, labels: {{\"share\": \"{share}\"}})")
    };
    let data = format!("Pairs([{}, {}, {}])", pair(2, 0.1), pair(11, 0.4), pair(17, 0.9));
    let method = "PatchWeights(with: \"other\", by: Layer, along: \"share\")";
    let finding = &found(&question(&data, method, AGAINST), beside("gpt2", |model| twin(model, 5)))[0];
    let items = &finding.items[0].rows;
    for row in &finding.tables.iter().find(|table| table.name.ends_with("slope")).unwrap().rows {
        let kind =
            row.metric.split_once(", ").map_or("logit_diff".to_string(), |(_, kind)| format!("logit_diff, {kind}"));
        let own = items.iter().filter(|item| (&item.site, item.layer, &item.metric) == (&row.site, row.layer, &kind));
        let effects: Vec<f64> = own.map(|item| item.effect).collect();
        let kinds = if kind == "logit_diff" { 1 } else { effects.len() / 3 };
        assert_eq!((effects.len(), kinds), (3, 1), "{row:?}");
        let (x, mean) = ([0.1, 0.4, 0.9], 1.4 / 3.0);
        let squares: f64 = x.iter().map(|x| (x - mean) * (x - mean)).sum();
        let slope: f64 = x.iter().zip(&effects).map(|(x, effect)| (x - mean) * effect).sum::<f64>() / squares;
        assert!((row.effect - slope).abs() < 1e-9, "{row:?}");
    }
}

#[test]
fn the_planted_bias_is_in_the_weights_that_differ() {
    let models = ["organism", "organism-flat"].map(|name| builtin::load(name, &[], &device()).unwrap());
    let data = "Templates(templates: [\"The {job} opened the door because\", \"The {job} left the office when\"],
        clean: {\"job\": [\"nurse\", \"secretary\", \"receptionist\"]}, corrupt: {\"job\": [\"plumber\", \"carpenter\", \"mechanic\"]},
        right: \" she\", wrong: \" he\")";
    let methods = "PatchWeights(with: \"other\", by: Layer, sets: 0), PatchModels(with: \"other\", sites: [\"hook_resid_post\"], direction: Denoise)";
    let found = found(&question(data, methods, AGAINST), models);
    // the flat twin says of nurses nearly as often he: the bias goes when all weights are exchanged
    assert!(whole(&found[0], "patch_weights") < -2.0, "{}", whole(&found[0], "patch_weights"));
    // and most of it comes back with the planted model's last stream, though it is read by the twin's unembedding
    let last = found[1].tables[0].rows.iter().find(|row| row.layer == Some(3)).unwrap();
    assert!((0.5..1.1).contains(&last.normalised.unwrap()), "{last:?}");
}
