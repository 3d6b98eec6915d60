//! Units are picked and lesioned as it is said.

use super::*;
use patchclamp::builtin;
use patchclamp::hook::{Edit, Edits, Replace};
use patchclamp::site::{Place, Site};
use patchclamp::tensor::from_bools;
use std::collections::BTreeMap;

/// Everything that the goldens have is picked by both parts.
const ALL: &str = r#"Localise(units: SharePerLayer(1.0), at: [Last], apart: Label("part"), false_discoveries: 1.0,
    lesion: [Zero], random: 1)"#;

#[test]
fn welch_d_prime_and_selectivity_are_those_of_scipy() {
    const CLOSE: f64 = 1e-4; // of quotients of differences of activations in f32
    let goldens = goldens();
    let (pairs, _) = golden_parts(&goldens);
    let found = &findings(&question(&pairs, ALL, ""), &load("gpt2"))[0];
    let rows = &table(found, "localise.units").rows;
    for (layer, neuron) in (0..2).flat_map(|layer| (0..96).map(move |neuron| (layer, neuron))) {
        let of = |metric: &str| {
            let here = |row: &&Row| (row.layer, row.neuron) == (Some(layer), Some(neuron));
            rows.iter().filter(here).find(|row| row.metric == format!("data: {metric}")).unwrap()
        };
        let expected =
            |field: &str| mean_of_parts(&goldens, |part| vec![part["layers"][layer][field][neuron].as_f64().unwrap()]);
        let check = |found: f64, field: &str| {
            let expected = expected(field);
            close(found, expected, CLOSE * expected.abs().max(1.0), &format!("{field} of L{layer}N{neuron}"));
        };
        check(of("welch_t").effect, "t");
        check(of("welch_t").p.unwrap(), "p");
        check(of("d_prime").effect, "d_prime");
        check(of("selectivity").effect, "selectivity");
        assert_eq!(of("halves").effect, 2.0);
    }
    let halves = &table(found, "localise.halves").rows;
    assert_eq!(row(halves, "data", "overlap of halves: jaccard").effect, 1.0);
}

#[test]
fn a_lesion_is_that_of_plain_hooks() {
    let goldens = goldens();
    let (pairs, _) = golden_parts(&goldens);
    let all = ALL.replace("Localise(", "Localise(sites: [\"blocks.1.mlp.hook_post\"], ");
    let found = &findings(&question(&pairs, &all, ""), &load("gpt2"))[0];
    let rows = &table(found, "localise.lesion.zero").rows;
    for (metric, field) in
        [("data: logit_diff", "score"), ("own tokens: log_prob", "own"), ("next token: divergence", "kl")]
    {
        let expected = mean_of_parts(&goldens, |part| floats(&part["zeroed"][field]));
        close(row(rows, "data", metric).effect, expected, ROUNDING, field);
    }
}

#[test]
fn a_lesion_of_all_units_is_the_ablation_of_their_site() {
    let goldens = goldens();
    let (pairs, count) = golden_parts(&goldens);
    // the same prompts with each corrupted one in the place of the clean one
    let turned = experiment(&question(&pairs, "Attention()", "")).data;
    let patchclamp::spec::Data::Pairs(turned) = turned else { panic!("pairs") };
    let turned: Vec<_> = turned
        .into_iter()
        .map(|pair| patchclamp::spec::Pair {
            clean: pair.corrupt,
            corrupt: pair.clean,
            right: pair.wrong,
            wrong: pair.right,
            ..pair
        })
        .collect();
    let sites = "sites: [\"blocks.0.mlp.hook_post\"], ";
    let found =
        &findings(&question(&pairs, &ALL.replace("Localise(", &format!("Localise({sites}")), ""), &load("gpt2"))[0];
    let ablate = format!("Ablate({sites}over: [], with: Zero)");
    let mut other = experiment(&question(&pairs, &ablate, ""));
    let of = |experiment: &patchclamp::spec::Experiment| {
        let loaded = load("gpt2");
        let plan = Plan::new(experiment, &loaded).unwrap();
        let found = patchclamp::run::run(&plan, &loaded, &mut patchclamp::steps::Steps::unkept(&mut ())).unwrap();
        found.findings[0].items[0].rows.iter().map(|row| row.effect).collect::<Vec<f64>>()
    };
    let clean = of(&other);
    other.data = patchclamp::spec::Data::Pairs(turned);
    let corrupted = of(&other);
    let singles = &found.items[0].rows;
    assert_eq!((singles.len(), clean.len()), (2 * count, 2 * count));
    for (item, single) in singles.iter().enumerate() {
        close(single.effect, f64::midpoint(clean[item], corrupted[item]), ROUNDING, &format!("pair {item}"));
    }
}

#[test]
fn a_lesion_of_nothing_is_the_run_itself() {
    let (pairs, _) = golden_parts(&goldens());
    let none =
        ALL.replace("false_discoveries: 1.0", "false_discoveries: 1e-300").replace("[Zero]", "[Zero, Mean, Resample]");
    let found = &findings(&question(&pairs, &none, ""), &load("gpt2"))[0];
    assert!(table(found, "localise.units").rows.is_empty());
    for name in ["zero", "mean", "resample"] {
        let rows = &table(found, &format!("localise.lesion.{name}")).rows;
        assert!(rows.len() >= 9 && rows.iter().all(|row| row.effect == 0.0), "{name}: {rows:?}");
    }
    let loaded = load("gpt2");
    let (model, tokens) = (loaded.model.as_ref(), random_tokens(&[5, 5], patchclamp::text::Padding::Right));
    let mask = from_bools(vec![false; 96], [1, 1, 1, 96], &device());
    let mut nothing = Replace::new(BTreeMap::from([(Site::MlpPost(0), (mask, random_tensor([1, 1, 1, 1], 1)))]));
    assert_eq!(bits(&logits(model, &tokens, &mut nothing)), bits(&logits(model, &tokens, &mut ())));
}

#[test]
fn replacing_units_is_putting_values_there() {
    let loaded = load("gpt2");
    let (model, tokens) = (loaded.model.as_ref(), random_tokens(&[6, 6], patchclamp::text::Padding::Right));
    let value = random_tensor([1, 3, 1, 8], 2);
    // one row has one unit, the other has two in another head
    let mut picked = vec![false; 2 * 24];
    [5, 24 + 8, 24 + 15].into_iter().for_each(|unit| picked[unit] = true);
    let mask = from_bools(picked, [2, 3, 1, 8], &device());
    let mut replace = Replace::new(BTreeMap::from([(Site::Mix(1), (mask, value.clone()))]));
    let edit = |row: usize, head: usize, neurons: &[usize]| {
        let place = Place {
            rows: Some(vec![row]),
            heads: Some(vec![head]),
            neurons: Some(neurons.to_vec()),
            ..Place::all(Site::Mix(1))
        };
        Edit { change: patchclamp::hook::Change::Put(place.part_of(&value)), place }
    };
    let mut edits = Edits::new(vec![edit(0, 0, &[5]), edit(1, 1, &[0, 7])]);
    assert_eq!(bits(&logits(model, &tokens, &mut replace)), bits(&logits(model, &tokens, &mut edits)));
}

/// Names, what verbs are followed by, and occupations, in sentences of their own.
const PLANTED: &str = r#"features: [(name: "verb", data: Templates(
    templates: ["{name} {verb} a", "One day {name} {verb} a", "At noon {name} {verb} a", "Today {name} {verb} a"],
    clean: {"verb": ["read", "wrote"]},
    corrupt: {"verb": ["bought", "found"], "thing": ["coat", "key"]},
    shared: {"name": ["Mary", "John"]},
    right: " story", wrong: " {thing}",
))]"#;

const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} closed the book, so", "{name} visited the market when", "One day {name} left the house because"],
    clean: {"name": ["Mary", "Emily", "Grace", "Helen"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry"]},
    right: " she", wrong: " he",
)"#;

#[test]
fn units_of_gender_and_units_of_verbs_dissociate_doubly() {
    let text = std::fs::read_to_string(golden("../../experiments/lesion.ron")).unwrap();
    let text = text.replace("lesion: [Zero, Mean, Resample], random: 99", "lesion: [Mean], random: 19");
    let found = &findings(&text, &builtin::load("organism", &[], &device()).unwrap())[0];
    let halves = &table(found, "localise.halves").rows;
    for task in ["data", "verb", "stereotype"] {
        let overlap = row(halves, task, "overlap of halves: jaccard");
        let chance = row(halves, task, "overlap by chance: jaccard");
        assert!(overlap.effect > chance.high.unwrap() && overlap.p.unwrap() < 0.01, "{overlap:?} {chance:?}");
        assert!(row(halves, task, "held out: sign kept").effect > 0.95);
    }
    let lesions = table(found, "localise.lesion.mean");
    for (own, other) in [("data", "verb"), ("verb", "data")] {
        let lost = |site: &str, on: &str| row(&lesions.rows, site, &format!("{on}: logit_diff"));
        let hit = lost(own, own);
        assert!(hit.high.unwrap() < 0.0 && hit.p.unwrap() <= 0.05, "no random lesion takes as much: {hit:?}");
        assert!(hit.effect < lost(&format!("{own}, random"), own).low.unwrap(), "{hit:?}");
        for control in [lost(own, other), lost(&format!("{own}, random"), own), lost(&format!("{own}, shuffled"), own)]
        {
            let (hit, control) = (hit.normalised.unwrap(), control.normalised.unwrap());
            assert!(control > 0.5 * hit, "{own}: {control} beside {hit}");
        }
        // of two to three nats a token
        assert!(row(&lesions.rows, own, "own tokens: log_prob").effect.abs() < 0.05);
    }
    let verdict = &table(found, "localise.dissociation.mean").facts["double dissociation"];
    assert!(verdict.starts_with("data and verb: yes") && verdict.contains("data and stereotype: no"), "{verdict}");
}

#[test]
fn what_the_model_does_not_do_does_not_dissociate() {
    let nothing = PLANTED.replace("right: \" story\", wrong: \" {thing}\"", "right: \" river\", wrong: \" park\"");
    let nothing = nothing.replace(", \"thing\": [\"coat\", \"key\"]", "");
    let method = "Localise(units: Share(0.02), lesion: [Mean], random: 1)";
    let found = &findings(&question(NAMES, method, &nothing), &builtin::load("organism", &[], &device()).unwrap())[0];
    let facts = &table(found, "localise.dissociation.mean").facts;
    assert!(facts["double dissociation"].contains("data and verb: "), "{facts:?}");
    assert!(!facts["double dissociation"].contains("yes"), "{facts:?}");
}

#[test]
fn the_neuron_of_a_compiled_gate_is_found() {
    let pair = |corrupt: &str| format!("(clean: \"1 1\", corrupt: \"{corrupt}\", right: \" 1\", wrong: \" 0\")");
    let pairs = ["0 1", "1 0", "0 0", "0 1", "1 0", "0 0", "0 1", "1 0"].map(pair).join(", ");
    let method = "Localise(units: Count(1), prefers: Clean, apart: Items, lesion: [Zero], random: 1)";
    let text = question(&format!("Pairs([{pairs}])"), method, "")
        .replace("model: Path(\".\")", "model: Compiled(program: And)");
    let loaded = compiled(&text);
    let found = &findings(&text, &loaded)[0];
    let units = &table(found, "localise.units").rows;
    let picked = units.iter().find(|row| row.metric == "data: halves").unwrap();
    assert_eq!(picked.effect, 2.0, "both halves pick the same one: {units:?}");
    // it is the one that is on where both bits are 1, and nowhere else
    let site = Site::MlpPost(picked.layer.unwrap());
    let on = |bits: &str| {
        let ids = loaded.text.as_ref().unwrap().encode(bits, Default::default()).unwrap();
        let last = ids.len() - 1;
        let record = recorded(loaded.model.as_ref(), &patchclamp::text::Tokens::new(vec![ids]), [site]);
        let state = record.at(site).unwrap().clone().narrow(2, last, 1);
        patchclamp::tensor::to_doubles(&state)[picked.neuron.unwrap()]
    };
    assert!(on("1 1") > 0.5, "{}", on("1 1"));
    for bits in ["0 1", "1 0", "0 0"] {
        assert!(on(bits).abs() < 1e-3, "{bits}: {}", on(bits));
    }
    let lesion = row(&table(found, "localise.lesion.zero").rows, "data", "data: logit_diff");
    assert!(lesion.normalised.unwrap() < -0.4, "without it \"1 1\" is answered no better than the others: {lesion:?}");
}

/// The model that an experiment names.
fn compiled(text: &str) -> patchclamp::model::load::Loaded {
    let patchclamp::spec::ModelSpec::Compiled(task) = experiment(text).model else { panic!("a program") };
    patchclamp::compile::compile(&task).unwrap().load(&[], &device()).unwrap()
}

#[test]
fn what_cannot_be_localised_is_said_at_once() {
    let (pairs, _) = golden_parts(&goldens());
    let wrong = r#"Localise(sites: ["attn.hook_pattern"], units: Share(1.5), at: [Position], false_discoveries: 0, random: 0,
        lesion: [MeanPerPosition], apart: Label("template"))"#;
    let told = refused(&question(&pairs, &wrong.replace("[Position]", "[99]"), ""), "gpt2");
    for part in [
        "sites",
        "units: the share 1.5",
        "at: position 99",
        "false_discoveries",
        "random",
        "lesion",
        "apart: \"template\"",
    ] {
        assert!(told.contains(part), "{part} in:\n{told}");
    }
    let twice = "Pairs([(clean: [1, 2], corrupt: [3, 2], right: 5, wrong: 6), (clean: [3, 2], corrupt: [1, 2], right: 6, wrong: 5)])";
    let told = refused(&question(twice, "Localise()", ""), "gpt2");
    assert!(told.contains("both_ways") && told.contains("two at the least"), "{told}");
    let told = refused(&question(&random_pairs(&[5, 6, 5, 5, 5], None), "Localise(lesion: [Resample])", ""), "gpt2");
    assert!(told.contains("another pair of 6 tokens"), "{told}");
    let data = format!("features: [(name: \"data\", data: {pairs})]");
    assert!(refused(&question(&pairs, "Localise()", &data), "gpt2").contains("rename it"));
}
