//! Laws of whole experiments: a sweep equals one whole run a cell, generation with kept keys equals generation without,
//! and two runs of one seed are the same.

use super::common::*;
use patchclamp::hook::{Activation, Change, Edit, Edits};
use patchclamp::method::Finding;
use patchclamp::method::generate::Continuation;
use patchclamp::model::Model;
use patchclamp::model::load::Loaded;
use patchclamp::plan::{Cell, Item, Plan, Step};
use patchclamp::site::{Place, Site};
use patchclamp::tensor::{Tensor, to_floats};
use patchclamp::text::Tokens;
use std::collections::BTreeMap;

/// Two orders of addition in f32, on differences of logits of a few units.
const TOLERANCE: f64 = 2e-5;

/// The metric of one item, run whole and alone with edits.
fn whole(model: &dyn Model, prompt: &[u32], item: &Item, edits: Vec<Edit>) -> f64 {
    let answers = item.answers.clone().unwrap();
    let logits = logits(model, &Tokens::new(vec![prompt.to_vec()]), &mut Edits::new(edits));
    let logits = to_floats(&logits.narrow(1, answers.at, 1));
    f64::from(logits[answers.right[0] as usize]) - f64::from(logits[answers.wrong[0] as usize])
}

fn put(place: Place, stand: &Activation) -> Edit {
    let place = |rows| Place { rows, ..place.clone() };
    Edit { change: Change::Put(picked(stand, &place(None))), place: place(Some(vec![0])) }
}

/// Checks every row of a finding's items against whole runs of `base` prompts with what `stand` gives.
fn check(
    what: &str,
    loaded: &Loaded,
    (plan, cells, finding): (&Plan, &[Cell], &Finding),
    base: fn(&Item) -> &[u32],
    stand: impl Fn(&Item, &Place) -> Activation,
) {
    let (model, rows) = (loaded.model.as_ref(), &finding.items[0].rows);
    assert_eq!(rows.len(), cells.len() * plan.items.len(), "{what}");
    let mut most = 0.0f64;
    for (index, row) in rows.iter().enumerate() {
        let (cell, item) = (&cells[index / plan.items.len()], &plan.items[row.item.unwrap()]);
        let edits = cell.places(None).into_iter().map(|place| put(place.clone(), &stand(item, &place))).collect();
        let effect = whole(model, base(item), item, edits) - whole(model, base(item), item, Vec::new());
        assert!((row.effect - effect).abs() < TOLERANCE, "{what} {row:?}: a whole run gives {effect}");
        most = most.max(effect.abs());
    }
    assert!(most > 0.01, "{what}: no cell does anything");
}

fn clean(item: &Item) -> &[u32] {
    &item.clean
}

fn corrupt(item: &Item) -> &[u32] {
    &item.corrupt
}

fn check_patches(case: &str, data: &str, sites: &str, over: &str) {
    let loaded = load(case);
    for (direction, base, source) in
        [("Denoise", corrupt as fn(&Item) -> &[u32], clean as fn(&Item) -> &[u32]), ("Noise", clean, corrupt)]
    {
        let method = format!("Patch(sites: {sites}, over: [{over}], direction: {direction})");
        let (plan, outcome) = carry_out(&question(data, &method, ""), &loaded);
        let Step::Patch(sweep, _) = &plan.steps[0] else { panic!("a patch was asked for") };
        let found = (&plan, sweep.cells.as_slice(), &outcome.findings[0]);
        let what = format!("{case} {sites} {over} {direction}");
        check(&what, &loaded, found, base, |item, place| {
            let tokens = Tokens::new(vec![source(item).to_vec()]);
            recorded(loaded.model.as_ref(), &tokens, [place.site]).at(place.site).unwrap().clone()
        });
    }
}

const STREAMS: &str = r#"["hook_resid_pre", "hook_attn_out", "hook_resid_post", "hook_mlp_in", "mlp.hook_post", "ln1.hook_scale", "ln2.hook_normalized"]"#;
const HEADS: &str = r#"["attn.hook_q", "attn.hook_k", "attn.hook_v", "attn.hook_z", "attn.hook_result", "hook_q_input", "attn.hook_pattern"]"#;

#[test]
fn a_sweep_equals_whole_runs_with_edits() {
    let pairs = random_pairs(&[5, 5, 5], None);
    for case in ["gpt2", "llama", "mistral", "pythia-parallel", "gpt-neo", "gemma2", "qwen3", "phi3-long"] {
        check_patches(case, &pairs, STREAMS, "Layer, Position");
        check_patches(case, &pairs, HEADS, "Layer, Head");
        check_patches(case, &pairs, r#"["attn.hook_z", "attn.hook_v"]"#, "Layer, Head, Position");
        check_patches(case, &pairs, r#"["hook_resid_pre", "attn.hook_z"]"#, "Position");
        check_patches(case, &pairs, r#"["hook_embed", "ln_final.hook_normalized", "logits"]"#, "Position");
    }
    check_patches("opt-behind", &pairs, STREAMS, "Layer, Position");
    check_patches("opt-behind", &pairs, HEADS, "Layer, Head");
    for case in ["bert", "roberta"] {
        check_patches(case, &random_pairs(&[5, 5, 5], Some(2)), STREAMS, "Layer, Position");
        check_patches(case, &random_pairs(&[5, 5, 5], Some(2)), HEADS, "Layer, Head");
    }
}

#[test]
fn a_sweep_of_every_site_equals_whole_runs() {
    let unequal = random_pairs(&[5, 3, 5, 4], None); // prompts of several lengths
    let early = random_pairs(&[5, 5], Some(2)); // an answer read before the end
    for case in ["gpt2", "llama", "gemma2", "qwen3", "opt-behind", "opt-bare"] {
        check_patches(case, &unequal, "All", "");
        check_patches(case, &early, "All", "Position");
    }
}

#[test]
fn an_ablation_equals_whole_runs_with_edits() {
    for case in ["gpt2", "llama"] {
        let (loaded, data) = (load(case), random_pairs(&[5, 5, 5], None));
        for with in ["Zero", "Mean", "MeanPerPosition"] {
            let method =
                format!(r#"Ablate(sites: ["attn.hook_z", "hook_attn_out"], over: [Layer, Position], with: {with})"#);
            let (plan, outcome) = carry_out(&question(&data, &method, ""), &loaded);
            let Step::Ablate(sweep, _) = &plan.steps[0] else { panic!("an ablation was asked for") };
            let sites: Vec<Site> = sweep.cells.iter().flat_map(|cell| cell.sites.clone()).collect();
            let means = means(loaded.model.as_ref(), &plan.items, sites);
            let found = (&plan, sweep.cells.as_slice(), &outcome.findings[0]);
            check(&format!("{case} {with}"), &loaded, found, clean, |_, place| match with {
                "Zero" => means[&place.site].zeros_like(),
                "Mean" => means[&place.site].clone().mean_dim(2).expand(means[&place.site].dims()),
                _ => means[&place.site].clone(),
            });
        }
    }
}

/// Means over the clean and the corrupted prompts, `[1, head, pos, width]`.
fn means(model: &dyn Model, items: &[Item], sites: Vec<Site>) -> BTreeMap<Site, Activation> {
    let prompts = items.iter().flat_map(|item| [item.clean.clone(), item.corrupt.clone()]).collect();
    let record = recorded(model, &Tokens::new(prompts), sites);
    record.into_kept().into_iter().map(|(site, act)| (site, act.mean_dim(0))).collect()
}

/// The most probable tokens, one after another, each from a run of the whole text.
fn continued(model: &dyn Model, prompt: &[u32], edits: &[Edit], count: usize) -> Vec<u32> {
    let mut text = prompt.to_vec();
    for _ in 0..count {
        let logits: Tensor<3> = logits(model, &Tokens::new(vec![text.clone()]), &mut Edits::new(edits.to_vec()));
        let last = to_floats(&logits.narrow(1, text.len() - 1, 1));
        let most = last.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        text.push(last.iter().position(|logit| *logit == most).unwrap() as u32);
    }
    text[prompt.len()..].to_vec()
}

#[test]
fn generation_with_kept_keys_equals_generation_without() {
    const COUNT: usize = 8;
    let edits = r#"[
        (site: "blocks.1.hook_resid_pre", change: AddContrast(1.5)),
        (site: "blocks.0.attn.hook_z", heads: [1], positions: [2, 5, 9], rows: [1, 2], change: Zero),
        (site: "attn.hook_k", positions: [0], change: Scale(-2.0)),
    ]"#;
    for case in DECODERS {
        let (loaded, data) = (load(case), random_pairs(&[4, 7, 4], None));
        let method = format!("Generate(tokens: {COUNT}, edits: {edits})");
        let (plan, outcome) = carry_out(&question(&data, &method, ""), &loaded);
        let Step::Generate { edits, .. } = &plan.steps[0] else { panic!("a generation was asked for") };
        let texts = &outcome.findings[0].texts;
        assert!(texts.iter().any(|text| text.plain_tokens != text.edited_tokens), "{case}: the edits do nothing");
        for (item, text) in plan.items.iter().zip(texts) {
            let plain = continued(loaded.model.as_ref(), &item.clean, &[], COUNT);
            assert_eq!(text.plain_tokens, plain, "{case} item {}", text.item);
            let here = |edit: &&Edit| edit.place.rows.as_ref().is_none_or(|rows| rows.contains(&text.item));
            let alone = |edit: &Edit| Edit { place: Place { rows: None, ..edit.place.clone() }, ..edit.clone() };
            let edits: Vec<Edit> = edits.iter().filter(here).map(alone).collect();
            let edited = continued(loaded.model.as_ref(), &item.clean, &edits, COUNT);
            assert_eq!(text.edited_tokens, edited, "{case} item {}, edited", text.item);
        }
    }
}

/// A finding as it can be compared: rows, tensors by name and bit, texts.
type Shown = (Vec<String>, Vec<(String, Vec<u32>)>, Vec<Continuation>);

#[test]
fn two_runs_of_one_seed_are_the_same_to_the_bit() {
    let methods = r#"
        Record(sites: All, gradients: All),
        Patch(sites: ["attn.hook_z"], over: [Layer, Head]),
        Ablate(sites: ["hook_mlp_out"], over: [Layer], with: Resample),
        DirectLogitAttribution,
        LogitLens(),
        Attention(weighting: ValueWeighted),
        Generate(tokens: 6, temperature: 1.0, edits: [(site: "hook_resid_post", change: AddContrast(1.0))]),
    "#;
    for case in ["gpt2", "llama"] {
        let found = |seed: usize| {
            let data = random_pairs(&[5; 14], None); // more items than are permuted exhaustively
            let text = question(&data, methods, &format!("control: ShuffledAnswers, seed: {seed}"));
            let shown = |finding: Finding| -> Shown {
                let tables: Vec<String> =
                    finding.tables.iter().chain(&finding.items).map(|table| table.to_csv()).collect();
                let tensors = finding
                    .tensors
                    .into_iter()
                    .flat_map(|(_, tensors)| tensors)
                    .map(|(name, (_, values))| (name, values.into_iter().map(f32::to_bits).collect::<Vec<_>>()));
                (tables, tensors.collect::<Vec<_>>(), finding.texts)
            };
            // models are loaded anew: nothing may hang on where they lie in memory
            findings(&text, &load(case)).into_iter().map(shown).collect::<Vec<_>>()
        };
        let (first, second, other) = (found(4), found(4), found(5));
        assert!(first == second, "{case}: two runs of one seed differ");
        let [resampled, drawn] = [2, 6];
        assert!(first[resampled].0 != other[resampled].0, "{case}: donors do not heed the seed");
        let texts = |found: &[Shown]| found[drawn].2.iter().map(|text| text.plain_tokens.clone()).collect::<Vec<_>>();
        assert!(texts(&first) != texts(&other), "{case}: drawn tokens do not heed the seed");
    }
}
