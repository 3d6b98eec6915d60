//! Weights put in: parts, hybrids, and figures of models changed by hand.

use super::*;

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

/// Answers turned round turn the sign of the metric: told of one answer, the change is that of data whose answers all are so.
#[test]
fn what_weights_do_to_one_answer_is_told_where_answers_are_turned() {
    let pair = |right: u32, wrong: u32, token: u32| {
        format!("(clean: [3, {token}, 9], corrupt: [4, {token}, 9], right: {right}, wrong: {wrong})")
    };
    let of = |data: &str| {
        let text = question(data, "PatchWeights(with: \"other\", by: Layer, sets: 64)", AGAINST);
        found(&text, beside("gpt2", |model| twin(model, 5))).remove(0)
    };
    let straight = of(&format!("Pairs([{}, {}])", pair(5, 6, 7), pair(5, 6, 8)));
    let turned = of(&format!("Pairs([{}, {}])", pair(5, 6, 7), pair(6, 5, 8)));
    assert!(straight.tables.iter().all(|table| !table.name.contains("one_answer")));
    assert!((whole(&straight, "patch_weights") - whole(&turned, "patch_weights.one_answer")).abs() < IN_F32);
    assert!((whole(&straight, "patch_weights") - whole(&turned, "patch_weights")).abs() > 1e-3);
}
