//! Laws: cutting nothing is nothing, all edges are the ablated run, a score by patching is what its cut does, and turned maps write
//! nothing along their direction, as a hook that takes it out would have it.

use super::*;
use patchclamp::circuit::Blocks;
use patchclamp::hook::{Ablated, Activation, Change as Edited, Edit, Edits, Record, Severed};
use patchclamp::method::Side;
use patchclamp::method::ablate::means;
use patchclamp::method::circuit::brought;
use patchclamp::method::cut::{Change, Scored, Turn, edits, said, strongest, taught, turned};
use patchclamp::method::score::{Order, Written};
use patchclamp::model::{Pass, run};
use patchclamp::node::{Edge, Node};
use patchclamp::plan::Step;
use patchclamp::precision::Precision;
use patchclamp::site::{Place, Site};
use patchclamp::spec::{Ablation, Erasure, Score, Spare, Stand};
use patchclamp::tensor::to_doubles;
use std::rc::Rc;

/// Sums in another order.
const ROUNDING: f64 = 1e-9;

/// Wirings in which a model has edges: heads before the MLP, beside it, and with shared keys.
const CASES: [&str; 3] = ["gpt2", "pythia-parallel", "llama"];

fn order(model: &dyn Model) -> Order {
    let dims = model.dims();
    Order::new(&Blocks::new(dims.layers, dims.heads, model.flow().unwrap()))
}

fn pairs() -> String {
    random_pairs(&[5, 6, 5, 6, 5], None)
}

/// A plan on random pairs, whose items serve as the bias and as what is kept.
fn random_plan(ways: &str, more: &str, loaded: &Loaded) -> Plan {
    planned(&cutting(&pairs(), &pairs(), ways, &format!("apart: Items, {more}")), loaded)
}

#[test]
fn cutting_nothing_changes_no_bit() {
    for case in CASES {
        let loaded = load(case);
        let plan = random_plan("Erase()", "random: 0", &loaded);
        let model = loaded.model.ungrouped();
        let bench = bench(model.as_ref(), &plan.items, &plan);
        let ablated = brings(&bench, Stand::Mean);
        let nothing = [Change::Edges(ablated, Vec::new()), Change::States(Vec::new()), Change::Weights(Vec::new())];
        let whole = said(&bench, &[0, 2, 4], None).unwrap();
        for change in &nothing {
            assert_eq!(said(&bench, &[0, 2, 4], Some(change)).unwrap(), whole, "{case}");
        }
        assert!(whole.iter().all(|said| said.contrast != 0.0));
    }
}

/// What stands in for what nodes write.
fn brings(bench: &Bench, stand: Stand) -> Rc<Ablated> {
    let means = means(bench, &Written::sites(bench.model), Ablation::Mean).unwrap();
    let zero =
        |(site, state): (Site, Activation)| (site, if stand == Stand::Zero { state.zeros_like() } else { state });
    Rc::new(brought(means.into_iter().map(zero).collect(), bench.model))
}

/// The contrast of an item when edges bring what stands in, by the engine that runs circuits.
fn severed(bench: &Bench, item: usize, ablated: &Ablated, edges: &[Edge]) -> f64 {
    let value = |side: Side| {
        let tokens = bench.tokens(&[item], side);
        let pass = Pass::whole(&tokens).reading(bench.read(&[item]));
        let mut hook = Severed::new(ablated, edges.iter().copied());
        bench.values(&run(bench.model, &pass, &mut hook).unwrap(), &[item])[0]
    };
    value(Side::Clean) - value(Side::Corrupt)
}

/// The whole method: what every item is asked with is what the other part chooses, and the mean over the other part of both
/// tasks; and nothing of a prompt is left where all edges are cut.
#[test]
fn every_item_is_asked_with_the_cut_of_the_other_part() {
    for case in CASES {
        let loaded = load_in(case, Precision::F64);
        let model = loaded.model.ungrouped();
        let order = order(model.as_ref());
        let (edges, count) = (order.edges(), 10);
        let parts: Vec<Vec<usize>> = (0..edges.len()).map(|edge| vec![edge]).collect();
        for stand in [Stand::Mean, Stand::Zero] {
            let ways = format!("Edges(score: Eap, counts: [{count}, {}], ablate: {stand})", edges.len());
            let text = cutting(&pairs(), &random_pairs(&[4, 6, 4], None), &ways, "apart: Items, random: 0");
            let (plan, mut outcome) = carry_out(&text, &loaded);
            let finding = outcome.findings.remove(0);
            let Step::Cut(cut) = &plan.steps[0] else { panic!("another method") };
            let found = |count: usize, item: usize| {
                let is_it = |row: &&Row| row.item == Some(item) && row.metric == "bias";
                let mut rows = finding.items[0].rows.iter().filter(is_it);
                rows.find(|row| row.site == Some(format!("edges: {count}"))).unwrap().effect
            };
            for fold in 0..2 {
                let fit = [0, 1].map(|task| {
                    let trial = &cut.tasks[task];
                    trial.choosing(fold).into_iter().map(|item| trial.items[item].clone()).collect::<Vec<Item>>()
                });
                let all = fit.concat();
                let ablated = brings(&bench(model.as_ref(), &all, &plan), stand);
                let scored = fit.each_ref().map(|items| {
                    Scored::of(&bench(model.as_ref(), items, &plan), &order, (Score::Eap, stand), &ablated.states)
                        .unwrap()
                });
                let choice = strongest(&scored, &parts, count, Spare::Nothing);
                let chosen: Vec<Edge> = choice.cut.into_iter().map(|edge| edges[edge]).collect();
                let bench = bench(model.as_ref(), &cut.tasks[0].items, &plan);
                for item in cut.tasks[0].tried(fold) {
                    let expected = severed(&bench, item, &ablated, &chosen);
                    let own = found(count, item);
                    assert!((own - expected).abs() < ROUNDING && own != 0.0, "{case} {stand:?}: {own} {expected}");
                    assert!(
                        found(edges.len(), item).abs() < ROUNDING,
                        "{case} {stand:?}: {}",
                        found(edges.len(), item)
                    );
                }
            }
        }
    }
}

#[test]
fn the_score_of_an_edge_by_patching_is_what_its_cut_does() {
    let loaded = load_in("gpt2", Precision::F64);
    let plan = random_plan("Erase()", "random: 0", &loaded);
    let bench = bench(loaded.model.as_ref(), &plan.items, &plan);
    let order = order(bench.model);
    for stand in [Stand::Mean, Stand::Zero] {
        let states = means(&bench, &Written::sites(bench.model), Ablation::Mean).unwrap();
        let found = Scored::of(&bench, &order, (Score::Exact, stand), &states).unwrap();
        let ablated = brings(&bench, stand);
        let mean = |change: Option<&Change>| {
            let said = [[0, 2, 4].as_slice(), &[1, 3]].map(|items| said(&bench, items, change).unwrap()).concat();
            said.iter().map(|said| said.contrast).sum::<f64>() / said.len() as f64
        };
        let whole = mean(None);
        assert!((found.whole - whole).abs() < ROUNDING);
        for edge in (0..order.count()).step_by(11) {
            let lost = mean(Some(&Change::Edges(ablated.clone(), vec![order.edges()[edge]]))) - whole;
            // scores of items are kept in f32
            assert!(
                (found.edges[edge] - lost).abs() < 1e-6,
                "{stand:?} {}: {} {lost}",
                order.edges()[edge],
                found.edges[edge]
            );
        }
        assert!(found.edges.iter().any(|score| score.abs() > 1e-3));
    }
}

fn unit(width: usize, seed: u64) -> Vec<f64> {
    let vector = to_doubles(&random_tensor([width], seed));
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    vector.iter().map(|value| value / length).collect()
}

#[test]
fn turned_maps_write_nothing_along_a_direction_as_under_a_hook() {
    for case in DECODERS {
        let loaded = load_in(case, Precision::F64);
        let model = loaded.model.as_ref();
        if model.flow().is_none() {
            continue;
        }
        let dims = model.dims();
        let turns = [Node::Head(0, 1), Node::Head(1, 0), Node::Mlp(0), Node::Mlp(1)];
        let turns: Vec<Turn> = turns
            .into_iter()
            .enumerate()
            .map(|(seed, node)| Turn { node, direction: unit(dims.d_model, seed as u64) })
            .collect();
        let out = |turn: &Turn| {
            let weight = |i: usize, j: usize| f64::from(u8::from(i == j)) - turn.direction[i] * turn.direction[j];
            let weight = ndarray::Array2::from_shape_fn((dims.d_model, dims.d_model), |(i, j)| weight(i, j));
            let affine = patchclamp_probes::Affine::new(weight, ndarray::Array1::zeros(dims.d_model)).unwrap();
            let (site, heads) = match turn.node {
                Node::Head(layer, head) => (Site::HeadOut(layer), Some(vec![head])),
                Node::Mlp(layer) => (Site::MlpOut(layer), None),
                _ => unreachable!(),
            };
            Edit { place: Place { heads, ..Place::all(site) }, change: Edited::map(&affine, model.setting()) }
        };
        let tokens = random_tokens(&[5, 5], patchclamp::text::Padding::Left);
        let changed = turned(model, &turns);
        let hooked = logits(model, &tokens, &mut Edits::new(turns.iter().map(out).collect()));
        let (own, whole) = (to_doubles(&logits(changed.as_ref(), &tokens, &mut ())), logits(model, &tokens, &mut ()));
        let most = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(most(&own, &to_doubles(&hooked)) < ROUNDING, "{case}");
        assert!(most(&own, &to_doubles(&whole)) > 1e-4, "{case}: nothing was turned");
        let record = recorded(changed.as_ref(), &tokens, turns.iter().map(|turn| out(turn).place.site));
        for turn in &turns {
            let place = out(turn).place;
            let state = to_doubles(&place.part_of(record.at(place.site).unwrap()));
            for written in state.chunks_exact(dims.d_model) {
                let along: f64 = written.iter().zip(&turn.direction).map(|(a, b)| a * b).sum();
                assert!(along.abs() < ROUNDING, "{case} {}: {along}", turn.node);
            }
        }
    }
}

/// The means of both classes are one where erasers have been, stream after stream, for the prompts that taught them.
#[test]
fn scrubbed_streams_do_not_tell_the_prompts_apart_on_average() {
    let loaded = load_in("gpt2", Precision::F64);
    let plan = random_plan("Erase()", "random: 0", &loaded);
    let bench = bench(loaded.model.as_ref(), &plan.items, &plan);
    let sites = [Site::ResidPost(0), Site::ResidPost(1)];
    let last: Vec<Vec<usize>> = plan.items.iter().map(|item| vec![item.clean.len() - 1]).collect();
    let spots: Vec<&Vec<usize>> = last.iter().collect();
    for with in [Erasure::Leace, Erasure::Mean] {
        let (erasers, ranks) = taught(&bench, (&sites, with), &spots).unwrap();
        assert!(ranks.iter().all(|(_, rank, why)| *rank == 1 && why.is_none()), "{ranks:?}");
        let apart = |edits: Vec<Edit>| {
            let mean = |side: Side, site: Site| {
                let mut sum = vec![0.0; bench.model.dims().d_model];
                for (item, last) in last.iter().enumerate() {
                    let tokens = bench.tokens(&[item], side);
                    let mut hook = (Edits::new(edits.clone()), Record::of([site]));
                    run(bench.model, &Pass::whole(&tokens), &mut hook).unwrap();
                    let state = to_doubles(hook.1.at(site).unwrap());
                    let own = &state[last[0] * sum.len()..];
                    sum.iter_mut().zip(own).for_each(|(sum, value)| *sum += value);
                }
                sum
            };
            let differ = |site: Site| {
                let both = mean(Side::Clean, site).into_iter().zip(mean(Side::Corrupt, site));
                both.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
            };
            sites.map(differ)
        };
        let (before, after) = (apart(Vec::new()), apart(edits(&erasers, &bench)));
        for (before, after) in before.into_iter().zip(after) {
            assert!(before > 1e-2 && after < 1e-6, "{with:?}: {before} {after}");
        }
    }
}

/// What is lost under a cut is what a whole pass with the same hook says of every prompt; so are the answers.
#[test]
fn loss_and_answers_are_what_whole_passes_say() {
    let loaded = load_in("gpt2", Precision::F64);
    let count = order(loaded.model.as_ref()).count();
    let ways = format!("Edges(score: Eap, counts: [{count}], ablate: Zero)");
    let (plan, mut outcome) = carry_out(&cutting(&pairs(), &pairs(), &ways, "apart: Items, random: 0"), &loaded);
    let finding = outcome.findings.remove(0);
    let bench = bench(loaded.model.as_ref(), &plan.items, &plan);
    let ablated = brings(&bench, Stand::Zero);
    let edges = order(bench.model).edges();
    let loss = |cut: bool| {
        let (mut sum, mut tokens) = (0.0, 0.0);
        for prompt in plan.items.iter().flat_map(|item| [&item.clean, &item.corrupt]) {
            let rows = patchclamp::text::Tokens::new(vec![prompt.clone()]);
            let mut hook = Severed::new(&ablated, edges.iter().copied().filter(|_| cut));
            let logits = run(bench.model, &Pass::whole(&rows), &mut hook).unwrap();
            let vocabulary = *logits.dims().last().unwrap();
            let logits = to_doubles(&logits);
            for (row, next) in logits.chunks_exact(vocabulary).zip(&prompt[1..]) {
                let most = row.iter().copied().fold(f64::MIN, f64::max);
                sum += most + row.iter().map(|logit| (logit - most).exp()).sum::<f64>().ln() - row[*next as usize];
                tokens += 1.0;
            }
        }
        sum / tokens
    };
    let site = format!("edges: {count}");
    let (whole, cut) = (loss(false), loss(true));
    assert!((effect(&finding, "whole model", "loss") - whole).abs() < 1e-6, "{whole}");
    assert!((effect(&finding, &site, "loss: change") - (cut - whole)).abs() < 1e-6, "{cut} {whole}");
    assert!((cut - whole).abs() > 1e-3);
    // all prompts say the same then, so that one of each pair is right, or with a tie none
    let right = "kept: answered right";
    let [before, after] = ["whole model", &site].map(|site| effect(&finding, site, right));
    assert!((effect(&finding, &site, "kept: answered right, change") - (after - before)).abs() < 1e-12);
    assert!((after - 0.5).abs() < 1e-12, "{after}");
}
