//! Attention knockout and patchscopes against whole runs with hooks of the test's own.

use super::common::*;
use patchclamp::hook::{Activation, Hook};
use patchclamp::metric::Metric;
use patchclamp::model::Model;
use patchclamp::plan::{Item, Plan};
use patchclamp::site::Site;
use patchclamp::table::Row;
use patchclamp::tensor::{Tensor, from_floats, to_doubles, to_floats};
use patchclamp::text::Tokens;

/// f32 in another order of additions.
const TOLERANCE: f64 = 1e-4;

/// Takes keys out of the pattern of one query and scales the rest of it up to one: behind the softmax, where the method
/// works before it.
struct Blind {
    layers: Vec<usize>,
    heads: Vec<usize>,
    query: usize,
    keys: Vec<usize>,
}

impl Hook for Blind {
    fn visit(&mut self, _: Site, act: Activation) -> Activation {
        let [batch, heads, queries, keys] = act.dims();
        let mut values = to_floats(&act);
        for row in 0..batch * heads * queries {
            let (head, query) = (row / queries % heads, row % queries);
            let pattern = &mut values[row * keys..(row + 1) * keys];
            if query == self.query && self.heads.contains(&head) {
                self.keys.iter().for_each(|key| pattern[*key] = 0.0);
                let sum: f32 = pattern.iter().sum();
                pattern.iter_mut().for_each(|share| *share /= sum);
            }
        }
        from_floats(values, [batch, heads, queries, keys], &device())
    }
    fn wants(&self, site: Site) -> bool {
        self.layers.iter().any(|layer| site == Site::Pattern(*layer))
    }
}

fn metric(model: &dyn Model, item: &Item, prompt: &[u32], at: usize, hook: &mut dyn Hook) -> f64 {
    let answers = item.answers.clone().unwrap();
    let all: Tensor<3> = logits(model, &Tokens::new(vec![prompt.to_vec()]), hook);
    Metric::LogitDiff.value(&to_doubles(&all.narrow(1, at, 1)), &answers.right, &answers.wrong)
}

fn rows(case: &str, data: &str, method: &str, check: impl Fn(&dyn Model, &Item, &Row) -> f64) {
    let loaded = load(case);
    let (plan, outcome) = carry_out(&question(data, method, ""), &loaded);
    let rows = &outcome.findings[0].items[0].rows;
    assert!(!rows.is_empty(), "{case} {method}");
    for row in rows {
        let expected = check(loaded.model.as_ref(), &plan.items[row.item.unwrap()], row);
        let difference = (row.effect - expected).abs();
        let (layer, head, position) = (row.layer, row.head, row.position);
        assert!(difference < TOLERANCE, "{case} {method} {layer:?} {head:?} {position:?}: {difference}");
    }
}

#[test]
fn a_knockout_equals_a_pattern_without_the_keys() {
    let data = random_pairs(&[6, 6, 6], None);
    for case in ["gpt2", "llama", "mistral", "pythia-parallel"] {
        let all = |count: usize| (0..count).collect::<Vec<_>>();
        let blind = |model: &dyn Model, item: &Item, layers: Vec<usize>, heads: Vec<usize>, keys: Vec<usize>| {
            let mut hook = Blind { layers, heads, query: 5, keys };
            metric(model, item, &item.clean, 5, &mut hook) - metric(model, item, &item.clean, 5, &mut ())
        };
        rows(case, &data, "Knockout(from: [1, 2], over: [Layer, Head])", |model, item, row| {
            blind(model, item, vec![row.layer.unwrap()], vec![row.head.unwrap()], vec![1, 2])
        });
        rows(case, &data, "Knockout(over: [Position])", |model, item, row| {
            blind(model, item, all(model.dims().layers), all(model.dims().heads), vec![row.position.unwrap()])
        });
        rows(case, &data, "Knockout(from: [0, 3], window: 2, over: [Layer])", |model, item, row| {
            let layer = row.layer.unwrap(); // two layers: the one before and itself
            blind(model, item, (layer.saturating_sub(1)..=layer).collect(), all(model.dims().heads), vec![0, 3])
        });
    }
}

#[test]
fn a_knockout_finds_roles_item_by_item() {
    // answers are read at other places in other items, and prompts have several lengths
    let data = "Pairs([(clean: [1, 2, 3, 4], corrupt: [1, 9, 3, 4], right: 5, wrong: 6, at: 2), \
                       (clean: [7, 8, 2, 3, 4], corrupt: [7, 8, 9, 3, 4], right: 5, wrong: 6), \
                       (clean: [3, 2, 3, 4, 5], corrupt: [9, 2, 3, 4, 5], right: 5, wrong: 6, at: 3)])";
    for case in ["gpt2", "llama"] {
        rows(case, data, "Knockout(from: [Contrast], to: [Answer], over: [Layer])", |model, item, row| {
            let (at, heads) = (item.answers.clone().unwrap().at, (0..model.dims().heads).collect());
            let key = (0..item.clean.len()).find(|key| item.clean[*key] != item.corrupt[*key]).unwrap();
            let mut hook = Blind { layers: vec![row.layer.unwrap()], heads, query: at, keys: vec![key] };
            metric(model, item, &item.clean, at, &mut hook) - metric(model, item, &item.clean, at, &mut ())
        });
    }
}

/// Windows are three tokens wide, so that the last of six sees positions 3 to 5 through them; the mask would then be all that
/// a softmax has to go by.
#[test]
fn a_query_whose_window_is_taken_whole_is_refused() {
    let data = random_pairs(&[6, 6], None);
    let told = |case: &str, from: &str, more: &str| {
        let text = question(&data, &format!("Knockout(from: {from}, over: [Layer]{more})"), "");
        Plan::new(&experiment(&text), &load(case)).err().map_or(String::new(), |error| error.to_string())
    };
    let blind = |layer: usize| {
        format!(
            "methods[0].from: the query at position 5 would see nothing at all in layer {layer}, whose window is 3 tokens; \
             leave it a key, for instance itself"
        )
    };
    assert!(told("mistral", "[3, 4, 5]", "").starts_with(&blind(0)));
    assert_eq!(told("mistral", "[3, 4]", ""), "");
    // every other layer sees all
    assert_eq!(told("gpt-neo", "[3, 4, 5]", ""), blind(1));
    assert_eq!(told("gpt-neo", "[3, 4, 5]", ", only: (layers: [0])"), "");
    // of the two that are cut at once, the one that is local
    assert_eq!(told("gpt-neo", "[3, 4, 5]", ", only: (layers: [0]), window: 2"), "");
    assert_eq!(told("gpt-neo", "[3, 4, 5]", ", only: (layers: [1]), window: 2"), blind(1));
    assert_eq!(told("gpt2", "[3, 4, 5]", ""), "");
    assert!(told("gpt2", "[0, 1, 2, 3, 4, 5]", "").contains("would see nothing at all; leave"));
}

/// Where no later position sees the one token that two prompts differ in, the prompts have the same logits: what one of
/// them gives its answer the other takes from it.
#[test]
fn a_token_that_nobody_sees_makes_no_difference() {
    let data = "Pairs([(clean: [1, 2, 3, 4, 5], corrupt: [1, 9, 3, 4, 5], right: 5, wrong: 6), \
                       (clean: [1, 9, 3, 4, 5], corrupt: [1, 2, 3, 4, 5], right: 6, wrong: 5)])";
    for case in DECODERS {
        let found = &findings(&question(data, "Knockout(from: [1], to: [2, 3, 4], over: [])", ""), &load(case))[0];
        let [one, other] = [0, 1].map(|item| found.items[0].rows[item].effect);
        let whole = 2.0 * fact(&found.tables[0], "metric, clean"); // of both prompts
        assert!((one + other + whole).abs() < 1e-3, "{case}: the fact has four decimals");
    }
}

/// Puts a state in at one position of a layer's stream.
struct Insert(usize, usize, Tensor<4>);

impl Hook for Insert {
    fn visit(&mut self, _: Site, act: Activation) -> Activation {
        let [batch, heads, _, width] = act.dims();
        act.slice_assign([0..batch, 0..heads, self.1..self.1 + 1, 0..width], self.2.clone())
    }
    fn wants(&self, site: Site) -> bool {
        site == Site::ResidPre(self.0)
    }
}

#[test]
fn a_patchscope_equals_a_run_of_the_other_prompt_with_the_state_in_it() {
    let (data, other) = (random_pairs(&[6, 6, 6], None), [9u32, 4, 30, 7]);
    for case in ["gpt2", "llama", "pythia-parallel"] {
        for (into, word) in [(None, ""), (Some(1), ", into: 1")] {
            let method = format!("Patchscope(prompt: {other:?}, at: 2, tokens: 3{word})");
            rows(case, &data, &method, |model, item, row| {
                let (layer, position) = (row.layer.unwrap(), row.position.unwrap());
                let states = recorded(model, &Tokens::new(vec![item.clean.clone()]), [Site::ResidPre(layer)]);
                let state = states.at(Site::ResidPre(layer)).unwrap().clone().narrow(2, position, 1);
                let mut hook = Insert(into.unwrap_or(layer), 2, state);
                metric(model, item, &other, 3, &mut hook) - metric(model, item, &other, 3, &mut ())
            });
        }
    }
}

/// A state put back where it was, in its own prompt, is the prompt left alone: also in what follows.
#[test]
fn a_state_read_in_its_own_prompt_changes_nothing() {
    let data = "Pairs([(clean: [9, 4, 30, 7], corrupt: [9, 4, 31, 7], right: 5, wrong: 6)])";
    let methods = "Patchscope(prompt: [9, 4, 30, 7], at: 2, from: [Contrast], tokens: 4), Generate(tokens: 4)";
    for case in ["gpt2", "llama"] {
        let found = findings(&question(data, methods, ""), &load(case));
        assert!(found[0].tables[0].rows.iter().all(|row| row.effect.abs() < TOLERANCE), "{case}");
        let plain = &found[1].texts[0].plain_tokens;
        assert!(found[0].texts.iter().all(|text| text.edited_tokens == *plain), "{case}");
    }
}

/// Prompts of several lengths are run in batches of one length, in which an item has another number than among all.
#[test]
fn a_patchscope_finds_roles_item_by_item() {
    let other = [9u32, 4, 30, 7];
    let data = "Pairs([(clean: [1, 2, 3, 4], corrupt: [1, 9, 3, 4], right: 5, wrong: 6), \
                       (clean: [7, 8, 2, 3, 4], corrupt: [7, 8, 9, 3, 4], right: 5, wrong: 6), \
                       (clean: [3, 2, 3, 4], corrupt: [9, 2, 3, 4], right: 5, wrong: 6)])";
    let method = format!("Patchscope(prompt: {other:?}, at: 2, from: [Contrast], tokens: 1)");
    rows("gpt2", data, &method, |model, item, row| {
        let layer = row.layer.unwrap();
        let position = (0..item.clean.len()).find(|key| item.clean[*key] != item.corrupt[*key]).unwrap();
        let states = recorded(model, &Tokens::new(vec![item.clean.clone()]), [Site::ResidPre(layer)]);
        let state = states.at(Site::ResidPre(layer)).unwrap().clone().narrow(2, position, 1);
        metric(model, item, &other, 3, &mut Insert(layer, 2, state)) - metric(model, item, &other, 3, &mut ())
    });
}
