//! Positions as nodes of circuits: parity with torch's autograd, and laws of cutting edges up by position.

#[path = "../common/mod.rs"]
mod common;

mod planted;
mod runs;

use common::edges::{bench, blocks, plan};
use common::*;
use patchclamp::circuit::{Blocks, Places};
use patchclamp::method::circuit::Evaluation;
use patchclamp::method::path::noised;
use patchclamp::method::score::{Order, scores};
use patchclamp::method::{Bench, Side};
use patchclamp::model::load;
use patchclamp::node::{Edge, Path, Port};
use patchclamp::plan::Paths;
use patchclamp::precision::Precision;
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
