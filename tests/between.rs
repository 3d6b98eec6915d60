//! Between models: weights that are put in are the other model's, shares sum to the whole, and what differs nowhere does nothing.

mod common;

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

#[test]
fn all_parts_are_the_other_model_and_none_is_this_one() {
    for case in ["gpt2", "llama", "pythia-parallel", "qwen3", "gemma2", "opt-behind", "bert", "distilbert"] {
        let model = load(case).model;
        let other = twin(model.as_ref(), 3);
        for grain in GRAINS {
            let exchange = Exchange::new(model.as_ref(), other.as_ref(), grain).unwrap();
            let all: Vec<usize> = (0..exchange.parts().len()).collect();
            assert_eq!(bits(exchange.with(model.as_ref(), &all).as_ref()), bits(other.as_ref()), "{case} {grain:?}");
            assert_eq!(bits(exchange.with(model.as_ref(), &[]).as_ref()), bits(model.as_ref()), "{case} {grain:?}");
            assert!(all.len() > 1, "{case} {grain:?}");
        }
    }
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

#[test]
fn only_what_differs_is_a_part() {
    let model = load("gpt2").model;
    let dims = model.dims().clone();
    let (wide, heads) = (dims.d_head, dims.heads);
    // the keys of head 1
    let from = heads * wide + wide;
    let other = changed(model.as_ref(), Changed { weight: "blocks.1.attn.qkv.weight", axis: 1, from, width: wide });
    let of = |grain| Exchange::new(model.as_ref(), other.as_ref(), grain).unwrap();
    assert_eq!(names(&of(Grain::Map)), [("attn.k", Some(1), None)]);
    assert_eq!(names(&of(Grain::Head)), [("attn", Some(1), Some(1))]);
    assert_eq!(names(&of(Grain::Layer)), [("block", Some(1), None)]);
    assert_eq!(names(&of(Grain::Kind)), [("attn.k", None, None)]);
    // the rows by which head 0 writes
    let other = changed(model.as_ref(), Changed { weight: "blocks.0.attn.out.weight", axis: 0, from: 0, width: wide });
    let exchange = Exchange::new(model.as_ref(), other.as_ref(), Grain::Head).unwrap();
    assert_eq!(names(&exchange), [("attn", Some(0), Some(0))]);
    // heads that share keys: what is shared is a part of its own
    let grouped = load("llama").model;
    let dims = grouped.dims().clone();
    assert!(dims.key_heads < dims.heads);
    let from = dims.heads * dims.d_head;
    let by = Changed { weight: "blocks.0.attn.qkv.weight", axis: 1, from, width: dims.d_head };
    let other = changed(grouped.as_ref(), by);
    let exchange = Exchange::new(grouped.as_ref(), other.as_ref(), Grain::Head).unwrap();
    assert_eq!(names(&exchange), [("attn.k", Some(0), Some(0))]);
}

#[test]
fn models_of_other_shapes_exchange_nothing() {
    let (own, other) = (load("gpt2").model, load("llama").model);
    let error = Exchange::new(own.as_ref(), other.as_ref(), Grain::Map).err().unwrap().to_string();
    assert!(error.contains("only models of one shape"), "{error}");
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
fn figures_are_those_of_models_changed_by_hand_and_shares_sum_to_the_whole() {
    let data = random_pairs(&[4, 4, 5], None);
    for case in ["gpt2", "llama"] {
        let text = question(&data, "PatchWeights(with: \"other\", by: Layer, sets: 64)", AGAINST);
        let finding = &found(&text, beside(case, |model| twin(model, 5)))[0];
        let [loaded, other] = beside(case, |model| twin(model, 5));
        let plan = planned(&text, beside(case, |model| twin(model, 5))).unwrap().0;
        let metric = |model: &dyn Model, item: usize| -> f64 {
            let (item, answers) = (&plan.items[item], plan.items[item].answers.as_ref().unwrap());
            let tokens = patchclamp::text::Tokens::new(vec![item.clean.clone()]);
            let all = to_doubles(&logits(model, &tokens, &mut ()));
            let last = &all[all.len() - model.dims().vocabulary..];
            last[answers.right[0] as usize] - last[answers.wrong[0] as usize]
        };
        let mean = |model: &dyn Model| (0..3).map(|item| metric(model, item)).sum::<f64>() / 3.0;
        let other = other.model.as_ref();
        assert!((whole(finding, "patch_weights") - (mean(other) - mean(loaded.model.as_ref()))).abs() < IN_F32);
        let loss = |model: &dyn Model, item: usize| -> f64 {
            let (clean, vocabulary) = (&plan.items[item].clean, model.dims().vocabulary);
            let all = to_doubles(&logits(model, &patchclamp::text::Tokens::new(vec![clean.clone()]), &mut ()));
            let next = |at: usize| {
                let row = &all[at * vocabulary..][..vocabulary];
                row.iter().map(|logit| logit.exp()).sum::<f64>().ln() - row[clean[at + 1] as usize]
            };
            (0..clean.len() - 1).map(next).sum::<f64>() / (clean.len() - 1) as f64
        };
        let lost = (0..3).map(|item| loss(other, item) - loss(loaded.model.as_ref(), item)).sum::<f64>() / 3.0;
        assert!((whole(finding, "patch_weights.loss") - lost).abs() < IN_F32, "{case}: {lost}");
        // block 1 by hand
        let (mut alone, mut last) = (loaded.model.parted(&[]), other.parted(&[]));
        alone.visit(&mut Block::of(other));
        last.visit(&mut Block::of(loaded.model.as_ref()));
        let one = |kind: &str| {
            let rows = rows(finding, "patch_weights", &format!("logit_diff, {kind}"));
            rows.into_iter().find(|row| row.layer == Some(1)).unwrap().effect
        };
        assert!((one("alone") - (mean(alone.as_ref()) - mean(loaded.model.as_ref()))).abs() < IN_F32, "{case}");
        assert!((one("last") - (mean(other) - mean(last.as_ref()))).abs() < IN_F32, "{case}");
        for (table, metric) in [("patch_weights", "logit_diff"), ("patch_weights.loss", "loss")] {
            let shares: f64 = rows(finding, table, &format!("{metric}, share")).iter().map(|row| row.effect).sum();
            assert!((shares - whole(finding, table)).abs() < 1e-9, "{case} {table}");
        }
    }
}

/// The weights of block 1 of a model, put into another.
struct Block(BTreeMap<String, Tensor<2>>, BTreeMap<String, Tensor<1>>, bool);

impl Block {
    fn of(model: &dyn Model) -> Self {
        let mut all = Block(BTreeMap::new(), BTreeMap::new(), true);
        model.parted(&[]).visit(&mut all);
        all.2 = false;
        all
    }
}

impl Visitor for Block {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        match self.2 {
            true => drop(self.0.insert(name.into(), weight.clone())),
            false if name.starts_with("blocks.1.") => *weight = self.0[name].clone(),
            false => {}
        }
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        match self.2 {
            true => drop(self.1.insert(name.into(), weight.clone())),
            false if name.starts_with("blocks.1.") => *weight = self.1[name].clone(),
            false => {}
        }
    }
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
fn what_cannot_be_put_in_is_said() {
    let problems = |methods: &str, more: &str| {
        let text = question(&random_pairs(&[4, 4], None), methods, more);
        planned(&text, beside("gpt2", |model| twin(model, 5))).err().unwrap_or_default()
    };
    let said = |methods: &str, more: &str, expected: &str| {
        let found = problems(methods, more);
        assert!(found.contains(expected), "{found}");
    };
    said(
        "PatchWeights(with: \"int4\")",
        AGAINST,
        "methods[0].with: no variant of `against` is called \"int4\"; there are \"other\"",
    );
    said("PatchModels(with: \"int4\")", "", "there is none");
    said(
        "PatchWeights(with: \"other\", along: \"share\")",
        AGAINST,
        "methods[0].along: not every item has a label \"share\"",
    );
    said("PatchModels(with: \"other\", sites: [\"hook_z\"], over: [Layer, Neuron])", AGAINST, "");
    let own = AGAINST.replace("model:", "metric: Logit, model:");
    said("PatchModels(with: \"other\")", &own, "has data, a control or a metric of its own");
    said("PatchModels(with: \"other\"), Circuit(select: TopN(3))", AGAINST, "methods[0]: stands before methods[1]");
    let same = beside("gpt2", |model| model.parted(&[]));
    let text = question(&random_pairs(&[4, 4], None), "PatchWeights(with: \"other\")", AGAINST);
    let error = planned(&text, same).err().unwrap();
    assert!(error.contains("has the very same weights"), "{error}");
    for (method, expected) in
        [("PatchWeights", "only models of one shape"), ("PatchModels", "other layers, heads or widths")]
    {
        let text = question(&random_pairs(&[4, 4], None), &format!("{method}(with: \"other\")"), AGAINST);
        let error = planned(&text, [load("gpt2"), load("llama")]).err().unwrap();
        assert!(error.contains(expected) || error.contains("tokens"), "{error}");
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
