//! Positions as nodes of circuits: parity with torch's autograd, laws of cutting edges up by position, and a name that is found
//! where it stands.

mod common;

use common::edges::{bench, blocks, plan};
use common::*;
use insta::assert_snapshot;
use patchclamp::builtin;
use patchclamp::circuit::{Blocks, Heard, Places};
use patchclamp::compile::compile;
use patchclamp::method::circuit::Evaluation;
use patchclamp::method::path::noised;
use patchclamp::method::score::{Order, scores};
use patchclamp::method::{Bench, Finding, Side};
use patchclamp::model::load;
use patchclamp::node::{Edge, Node, Path, Port};
use patchclamp::plan::{Paths, Plan};
use patchclamp::precision::Precision;
use patchclamp::program::{Name, Task};
use patchclamp::spec::{Score, Stand};
use patchclamp::steps::Steps;
use patchclamp::tensor::Setting;
use serde_json::Value;

/// Plain and gated MLPs, keys that heads share, sequential and parallel blocks.
const KINDS: [&str; 3] = ["gpt2", "llama", "pythia-parallel"];
/// What can stand in for a node before there is a circuit.
const STANDS: [Stand; 4] = [Stand::Corrupted, Stand::Zero, Stand::Mean, Stand::MeanPerPosition];

fn scored(bench: &Bench, blocks: &Blocks, score: Score, stand: Stand) -> Vec<Vec<f32>> {
    scores(bench, &Order::new(blocks), (score, stand), &mut Steps::unkept(&mut ())).unwrap()
}

/// The same edge at all positions.
fn whole(edge: Edge) -> Edge {
    edge.at(None)
}

/// How near a score comes: relative to itself, and to the largest of its item.
fn check(name: &str, precision: Precision, (relative, floor): (f64, f64)) {
    let text = std::fs::read_to_string(golden("positions.json")).unwrap();
    let golden_of = &serde_json::from_str::<Value>(&text).unwrap()[name];
    let loaded = load::folder(&golden(name), &[], &Setting { device: device(), precision }).unwrap();
    let (model, plan) = (loaded.model.ungrouped(), plan(&golden_pairs(golden_of), &loaded));
    let bench = bench(model.as_ref(), &plan, 16);
    let length = plan.items[0].clean.len();
    let blocks = blocks(model.as_ref()).at_positions(Some(Places::causal(length)));
    let edges = blocks.edges();
    let number = |key: &str| golden_of[key].as_u64().unwrap() as usize;
    let (step, steps) = (number("step"), number("steps"));
    let names: Vec<String> = edges.iter().step_by(step).map(ToString::to_string).collect();
    let expected: Vec<&str> = golden_of["some"].as_array().unwrap().iter().map(|edge| edge.as_str().unwrap()).collect();
    assert_eq!((names, edges.len()), (expected.iter().map(ToString::to_string).collect(), number("edges")));
    let methods = [
        ("eap", Score::Eap),
        ("eap_ig_inputs", Score::EapIg { steps }),
        ("clean_corrupted", Score::CleanCorrupted),
        ("eap_ig_activations", Score::EapIgActivations { steps }),
        ("exact", Score::Exact),
        ("information_flow", Score::InformationFlow),
    ];
    for (method, score) in methods {
        let found = scored(&bench, &blocks, score, Stand::Corrupted);
        for (item, expected) in golden_of["scores"][method].as_array().unwrap().iter().enumerate() {
            let expected = floats(expected);
            // an exact score is a difference of two metrics, and rounded as they are
            let metric = if method == "exact" { floats(&golden_of["clean_metric"])[item].abs() } else { 0.0 };
            let most = expected.iter().fold(metric, |most: f64, score| most.max(score.abs()));
            for (edge, expected) in (0..edges.len()).step_by(step).zip(expected) {
                let difference = (f64::from(found[item][edge]) - expected).abs();
                let allowed = relative * expected.abs() + floor * most;
                assert!(difference <= allowed, "{name} {precision:?} {method} {item} {}: {difference}", edges[edge]);
            }
        }
    }
    for case in golden_of["circuits"].as_array().unwrap() {
        let stand = STANDS.into_iter().find(|stand| stand.to_string() == case["ablation"]).unwrap();
        let outside: Vec<Edge> =
            case["outside"].as_array().unwrap().iter().map(|edge| edges[edge.as_u64().unwrap() as usize]).collect();
        let found = Evaluation::new(&bench, stand).unwrap().values(&[0, 1, 2], &[outside]).unwrap();
        for (found, expected) in found[0].iter().zip(floats(&case["metric"])) {
            assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0), "{name} {stand:?}: {found} {expected}");
        }
    }
}

#[test]
fn scores_and_circuits_agree_with_autograd_through_gpt2() {
    check("gpt2", Precision::F64, (5e-6, 1e-9));
    check("gpt2", Precision::F32, (1e-4, 3e-6));
}

/// The reference rotates and norms in f32.
#[test]
fn scores_and_circuits_agree_with_autograd_where_heads_share_keys() {
    check("llama", Precision::F64, (1e-4, 3e-6));
    check("llama", Precision::F32, (1e-4, 3e-6));
}

/// Over its positions the scores of an edge add up to that of the whole edge; of a share of a stream they have it as their mean.
#[test]
fn scores_at_positions_add_up_to_those_of_whole_edges() {
    let (data, early) = (random_pairs(&[5, 5, 5], None), random_pairs(&[6, 6], Some(3)));
    for case in KINDS {
        let loaded = load_in(case, Precision::F64);
        let model = loaded.model.ungrouped().parted(&[(0, 3), (1, 7)]);
        // behind the answer nothing counts, and nothing is a node
        for (data, count) in [(&data, 5), (&early, 4)] {
            let plan = plan(data, &loaded);
            let bench = bench(model.as_ref(), &plan, 64);
            let (all, each) =
                (blocks(model.as_ref()), blocks(model.as_ref()).at_positions(Some(Places::causal(count))));
            let (edges, placed) = (all.edges(), each.edges());
            let linear =
                [Score::Eap, Score::EapIg { steps: 3 }, Score::EapIgActivations { steps: 2 }, Score::CleanCorrupted];
            let shares = (count == 5).then_some(Score::InformationFlow);
            for (score, stand) in linear.into_iter().chain(shares).flat_map(|score| STANDS.map(|stand| (score, stand)))
            {
                let is_share = score == Score::InformationFlow;
                let [sums, parts] = [&all, &each].map(|blocks| scored(&bench, blocks, score, stand));
                for (sums, parts) in sums.iter().zip(&parts) {
                    let most = sums.iter().fold(0.0, |most: f32, score| most.max(score.abs()));
                    assert!(most > 0.0, "{case} {score:?}");
                    for (edge, sum) in edges.iter().zip(sums).filter(|(edge, _)| !is_share || edge.to != Port::Logits) {
                        let own = placed.iter().zip(parts).filter(|(part, _)| whole(**part) == *edge);
                        let found: f32 = own.map(|(_, score)| score).sum();
                        let found = if is_share { found / count as f32 } else { found };
                        assert!((found - sum).abs() <= 2e-6 * most, "{case} {score:?} {stand:?} {edge}: {found} {sum}");
                    }
                }
            }
        }
    }
}

#[test]
fn all_edges_are_the_clean_run_and_none_the_corrupted() {
    let data = random_pairs(&[5, 5, 5], None);
    for case in DECODERS {
        let loaded = load(case);
        if loaded.model.flow().is_none() {
            continue;
        }
        let (model, plan) = (loaded.model.ungrouped(), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, 64);
        let run = |side| bench.whole(side, &mut Steps::unkept(&mut ())).unwrap();
        let (clean, corrupt) = (run(Side::Clean), run(Side::Corrupt));
        let circuits = [Vec::new(), blocks(model.as_ref()).at_positions(Some(Places::causal(5))).edges()];
        let found = Evaluation::new(&bench, Stand::Corrupted).unwrap().values(&[0, 1, 2], &circuits).unwrap();
        assert_eq!(found[0], clean, "{case}");
        for (found, corrupt) in found[1].iter().zip(&corrupt) {
            assert!((found - corrupt).abs() < 1e-4, "{case}: {found} {corrupt}");
        }
    }
}

/// Some edges severed at every position up to the answer are these edges severed.
#[test]
fn edges_at_all_positions_are_whole_edges() {
    for (data, count) in [(random_pairs(&[5, 5, 5], None), 5), (random_pairs(&[6, 6, 6], Some(4)), 5)] {
        for case in KINDS {
            let loaded = load_in(case, Precision::F64);
            let (model, plan) = (loaded.model.ungrouped().parted(&[(0, 3)]), plan(&data, &loaded));
            let bench = bench(model.as_ref(), &plan, 64);
            let outside: Vec<Edge> = blocks(model.as_ref()).edges().into_iter().step_by(3).collect();
            let placed = blocks(model.as_ref()).at_positions(Some(Places::causal(count))).edges();
            let cut: Vec<Edge> = placed.into_iter().filter(|edge| outside.contains(&whole(*edge))).collect();
            for stand in STANDS {
                let evaluation = Evaluation::new(&bench, stand).unwrap();
                let found = evaluation.values(&[0, 1, 2], &[Vec::new(), outside.clone(), cut.clone()]).unwrap();
                for ((clean, whole), placed) in found[0].iter().zip(&found[1]).zip(&found[2]) {
                    assert!(
                        (whole - placed).abs() < 1e-9 && (whole - clean).abs() > 1e-6,
                        "{case} {stand:?}: {whole} {placed}"
                    );
                }
            }
        }
    }
}

/// An edge patched at a position is the model with that edge severed there.
#[test]
fn an_exact_score_is_a_circuit_without_one_edge_at_one_position() {
    let data = random_pairs(&[4, 4], None);
    for case in KINDS {
        let loaded = load_in(case, Precision::F64);
        let (model, plan) = (loaded.model.ungrouped().parted(&[(0, 3)]), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, 16);
        let blocks = blocks(model.as_ref()).at_positions(Some(Places::causal(4)));
        let some: Vec<(usize, Edge)> = blocks.edges().into_iter().enumerate().step_by(3).collect();
        let circuits: Vec<Vec<Edge>> =
            std::iter::once(Vec::new()).chain(some.iter().map(|(_, edge)| vec![*edge])).collect();
        for stand in [Stand::Corrupted, Stand::Mean] {
            let exact = scored(&bench, &blocks, Score::Exact, stand);
            let found = Evaluation::new(&bench, stand).unwrap().values(&[0, 1], &circuits).unwrap();
            for ((number, edge), without) in some.iter().zip(&found[1..]) {
                for (item, exact) in exact.iter().enumerate() {
                    let severed = without[item] - found[0][item];
                    assert!((severed - f64::from(exact[*number])).abs() < 1e-6, "{case} {stand:?} {edge}: {severed}");
                }
            }
            assert!(exact.iter().flatten().any(|score| score.abs() > 1e-3), "{case} {stand:?}");
        }
    }
}

/// A model that sees both ways has nodes behind the answer too, and they matter.
#[test]
fn positions_behind_the_answer_count_where_a_model_sees_both_ways() {
    let task = Task { program: Name::Reverse, symbols: None, length: None, beside: Vec::new() };
    let loaded = compile(&task).unwrap().load(&[], &device()).unwrap();
    let data = "Pairs([(clean: [0, 3, 4, 5], corrupt: [0, 3, 5, 4], right: 5, wrong: 4, at: 1)])";
    let methods = "Circuit(score: Exact, positions: Each, ablate: Corrupted, select: TopN(20), random_circuits: 0)";
    let text = question(data, methods, "").replace("Path(\".\")", "Compiled(program: Reverse)");
    let (_, outcome) = carry_out(&text, &loaded);
    let circuit = &outcome.findings[0].circuits[0].1;
    assert_eq!(circuit.blocks().positions(), Some(Places { count: 4, answer: 1, heard: Heard::Everywhere }));
    // the first symbol of the reversed text is the last one, which stands behind it
    let behind = circuit.edges().filter(|link| link.edge.from == Node::Input && link.edge.position == Some(3));
    assert!(behind.count() > 0, "{:?}", circuit.edges().map(|link| link.edge.to_string()).collect::<Vec<_>>());
    let done = &outcome.findings[0].tables[1].rows;
    let row = done.iter().find(|row| row.site.as_deref() == Some("circuit") && row.metric == "faithfulness").unwrap();
    assert!((row.effect - 1.0).abs() < 1e-6, "{row:?}");
}

/// A part taken out of all edges is that edge severed; what an edge carries of a feature adds up over its positions.
#[test]
fn removals_and_features_speak_of_single_positions() {
    let data = random_pairs(&[4, 4, 4], None);
    let loaded = load_in("gpt2", Precision::F64);
    let features = format!(
        "features: [(name: \"f\", data: {})], precision: F64, statistics: (resamples: 20)",
        random_pairs(&[4, 4], None)
    );
    let found = |positions: &str, count: usize| {
        let method = format!(
            "Circuit(score: Exact, {positions}, select: TopN({count}), random_circuits: 0, shuffled_answers: 0)"
        );
        findings(&question(&data, &method, &features), &loaded).remove(0)
    };
    let all = blocks(loaded.model.as_ref()).at_positions(Some(Places::causal(4)));
    let (placed, whole) =
        (found("positions: Each", all.count()), found("positions: Together", blocks(loaded.model.as_ref()).count()));
    let table = |finding: &Finding, name: &str| finding.tables.iter().find(|table| table.name == name).unwrap().clone();
    let circuit = &placed.circuits[0].1;
    let removals = table(&placed, "circuit.removals");
    let mut told = 0;
    for row in removals.rows.iter().filter(|row| row.metric == "logit_diff") {
        let Ok(edge) = row.site.as_ref().unwrap().parse::<Edge>() else { continue };
        let score = circuit.link(edge).unwrap().score;
        assert!((row.effect - score).abs() < 1e-6 && row.position == edge.position, "{row:?} {score}");
        told += 1;
    }
    assert!(told > 100, "{told}");
    let carries = |finding: &Finding| -> Vec<(Edge, f64)> {
        let rows = table(finding, "circuit.features").rows;
        let rows = rows.iter().filter(|row| row.metric == "f: carries");
        rows.map(|row| (row.site.as_ref().unwrap().parse().unwrap(), row.effect)).collect()
    };
    let parts = carries(&placed);
    let sums = carries(&whole);
    assert!(sums.len() > 30 && parts.len() > 2 * sums.len(), "{} {}", sums.len(), parts.len());
    let most = sums.iter().fold(0.0, |most: f64, (_, sum)| most.max(sum.abs()));
    for (edge, sum) in sums {
        let found: f64 = parts.iter().filter(|(part, _)| part.at(None) == edge).map(|(_, part)| part).sum();
        assert!((found - sum).abs() < 1e-9 * most, "{edge}: {found} {sum}");
    }
}

/// Where prompts differ at one position alone, a path from there is the whole path, and one from elsewhere nothing.
#[test]
fn a_path_carries_from_where_prompts_differ() {
    const DIFFERENT: usize = 1;
    let pair = |clean: [usize; 4], other: usize, answers: [usize; 2]| {
        let mut corrupt = clean;
        corrupt[DIFFERENT] = other;
        format!("(clean: {clean:?}, corrupt: {corrupt:?}, right: {}, wrong: {})", answers[0], answers[1])
    };
    let data = format!("Pairs([{}, {}])", pair([2, 8, 20, 14], 31, [30, 36]), pair([12, 4, 8, 40], 17, [10, 22]));
    for case in KINDS {
        let loaded = load_in(case, Precision::F64);
        let (model, plan) = (loaded.model.ungrouped(), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, 16);
        let paths = ["input->a0.h1<v>->logits", "input->a0.h1<v>@1->logits@3", "input->a0.h1<v>@2->logits@3"];
        let paths: Vec<Path> = paths.map(|path| path.parse().unwrap()).to_vec();
        let found = noised(&bench, &[0, 1], &Paths::noised(&paths, 2, model.flow().unwrap())).unwrap();
        for item in 0..2 {
            assert!(found[0][item].abs() > 1e-6, "{case}: {found:?}");
            assert!(
                (found[0][item] - found[1][item]).abs() < 1e-12 && found[2][item].abs() < 1e-12,
                "{case}: {found:?}"
            );
        }
    }
}

/// Every score, everything that can stand in, neurons as nodes: it runs, and says the same of all edges and of none.
#[test]
fn circuits_at_positions_run_with_every_score_and_ablation() {
    let data = random_pairs(&[4, 4, 4], None);
    let loaded = load("llama");
    let ways = [
        "score: Eap, select: Greedy(200), ablate: Zero",
        "score: EapIg(steps: 2), select: TopN(40), ablate: Mean, neurons: Top(2)",
        "score: CleanCorrupted, select: TopN(40), by: Sign, ablate: MeanPerPosition",
        "score: EapIgActivations(steps: 2), select: Faithful(0.9)",
        "score: InformationFlow, select: TopN(60)",
        r#"score: Exact, select: TopN(40), neurons: Named(["m0.n3"])"#,
        "score: Eap, select: TopN(40), ablate: Optimal(steps: 3)",
    ];
    for way in ways {
        let method = format!("Circuit(positions: Each, {way}, random_circuits: 2, shuffled_answers: 2)");
        let found = &findings(&question(&data, &method, "statistics: (resamples: 20)"), &loaded)[0];
        let done = &found.tables[1].rows;
        let value = |name: &str| {
            done.iter().find(|row| row.site.as_deref() == Some(name) && row.metric == "faithfulness").unwrap().effect
        };
        assert_eq!((value("all edges"), value("no edge")), (1.0, 0.0), "{way}");
        let circuit = &found.circuits[0].1;
        assert!(circuit.size() > 0 && circuit.edges().all(|link| link.edge.position.is_some()), "{way}");
        let edges = &found.tables[0].rows;
        assert!(
            edges.iter().all(|row| row.position.is_some()
                && row.site.as_ref().unwrap().ends_with(&format!("@{}", row.position.unwrap()))),
            "{way}"
        );
        let names: Vec<&str> = found.tables.iter().map(|table| table.name.as_str()).collect();
        assert!(
            ["circuit.removals", "circuit.paths", "circuit.stability"].iter().all(|name| names.contains(name)),
            "{way}: {names:?}"
        );
        let removed = found.tables.iter().find(|table| table.name == "circuit.removals").unwrap();
        assert_eq!(removed.rows.is_empty(), way.contains("Optimal"), "{way}");
    }
}

#[test]
fn positions_that_mean_nothing_are_refused_with_a_reason() {
    let told = |data: &str, more: &str| {
        let text = question(data, "Circuit(positions: Each, select: TopN(9))", more);
        Plan::new(&experiment(&text), &load("gpt2")).map(|_| ()).expect_err("it cannot be run").to_string()
    };
    assert_snapshot!(told(&random_pairs(&[5, 4], None), ""), @"methods[0].positions: Each needs prompts whose positions mean the same: these have 4 to 5 tokens; split the data by length, choose words of as many tokens each, or leave nodes at all positions `Together`");
    let early = random_pairs(&[5, 5], Some(3)).replacen("at: 3", "at: 2", 1);
    assert_snapshot!(told(&early, ""), @"methods[0].positions: Each needs prompts whose positions mean the same: answers are read at positions 2 to 3; split the data by length, choose words of as many tokens each, or leave nodes at all positions `Together`");
}

/// Position of the name, and of the last token, in every prompt of [`NAMES`]; the boundary token stands before.
const NAME: usize = 1;
const LAST: usize = 5;
const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} visited the market when"],
    clean: {"name": ["Mary", "Anna", "Emily", "Grace", "Helen", "Lucy"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry", "James", "Oliver"]},
    right: " she", wrong: " he", both_ways: Yes,
)"#;

fn on_names(methods: &str, more: &str) -> Vec<Finding> {
    findings(&question(NAMES, methods, more), &builtin::load("organism", &[], &device()).unwrap())
}

#[test]
fn gender_leaves_the_input_at_the_name_and_is_read_at_the_end() {
    let found = &on_names("Circuit(score: EapIg(steps: 5), positions: Each, select: TopN(40))", "")[0];
    let circuit = &found.circuits[0].1;
    for link in circuit.edges() {
        let (edge, position) = (link.edge, link.edge.position.unwrap());
        // prompts differ in the name alone, and nothing before it knows of it
        assert!(edge.from != Node::Input || position == NAME, "{edge}");
        assert!(position >= NAME && (edge.to != Port::Logits || position == LAST), "{edge}");
    }
    // the way that path patching finds, and where it goes: from the name into the last position
    for edge in ["input->a0.h1<v>@1", "a0.h1->m0@5", "m0->logits@5"] {
        assert!(circuit.contains(edge.parse().unwrap()), "{edge}");
    }
    let elsewhere = circuit.links().filter(|link| link.edge.from == Node::Input && link.edge.position != Some(NAME));
    assert!(elsewhere.clone().count() > 100 && elsewhere.into_iter().all(|link| link.score.abs() < 1e-6));
    let done = &found.tables[1].rows;
    let row =
        |name: &str| done.iter().find(|row| row.site.as_deref() == Some(name) && row.metric == "faithfulness").unwrap();
    let (circuit, complement, chance) = (row("circuit"), row("complement"), row("random circuits"));
    assert!(circuit.effect > 0.9 && complement.effect.abs() < 0.1, "{circuit:?} {complement:?}");
    assert!(chance.p == Some(1.0 / 21.0) && chance.high.unwrap() < circuit.low.unwrap(), "{chance:?}");
}

#[test]
fn shuffled_answers_have_no_circuit_at_any_position() {
    for seed in 0..3 {
        let method = "Circuit(score: Eap, positions: Each, select: TopN(40), random_circuits: 0, shuffled_answers: 0)";
        let found = &on_names(method, &format!("control: ShuffledAnswers, seed: {seed}"))[0];
        assert!(found.tables[0].facts["stability"].starts_with("none"), "{}", found.tables[0].facts["stability"]);
    }
}
