//! What curves, the smallest circuits, paths and comparisons must hold.

use super::super::*;
use super::{GPT2, SMALL, edge, full, names, published, small};
use crate::node::{Flow, Node};
use std::convert::Infallible;

/// Rounding of sums of a few numbers about 1.
const ROUNDING: f64 = 1e-12;

fn close(value: Option<f64>, expected: f64) -> bool {
    value.is_some_and(|value| (value - expected).abs() < ROUNDING)
}

fn step(share: f64, faithfulness: f64) -> Step {
    Step { share, chosen: 0, edges: 0, value: 0.0, faithfulness: Some(faithfulness) }
}

#[test]
fn a_circuit_that_does_all_has_the_areas_of_the_definition() {
    let perfect: Vec<_> = SHARES.iter().map(|share| step(*share, 1.0)).collect();
    let areas = Areas::of(&perfect);
    assert!(close(areas.cpr, 0.999) && close(areas.cmd, 0.0), "{areas:?}");
}

/// Worked by hand: f rises 0, ½, 2 at shares .1, .3, .7.
/// CPR = .2·¼ + .4·1¼ = .55; |1 − f| is 1, ½, 1, so CMD = .2·¾ + .4·¾ = .45.
#[test]
fn areas_are_those_worked_by_hand() {
    let areas = Areas::of(&[step(0.1, 0.0), step(0.3, 0.5), step(0.7, 2.0)]);
    assert!(close(areas.cpr, 0.55) && close(areas.cmd, 0.45), "{areas:?}");
}

/// The metric is the sum of the scores in the circuit: with all it is the whole, with none zero.
#[test]
fn the_whole_is_faithful_and_nothing_is_not() {
    let published = published();
    let sum = |circuit: &Circuit| Ok::<_, Infallible>(circuit.edges().map(|link| link.score).sum::<f64>());
    let Ok(whole) = sum(&full_of(&published));
    let curve = |rule| published.curve(rule, Ends { empty: 0.0, whole }, sum).unwrap();
    let [sign, size] = [By::Sign, By::Size].map(|by| curve(Rule::Top(by)));
    assert!(close(sign[9].faithfulness, 1.0) && close(size[9].faithfulness, 1.0));
    assert_eq!(sign[0].faithfulness, Some(0.0)); // pruned to nothing
    assert_eq!(
        sign.iter().map(|step| step.chosen).collect::<Vec<_>>(),
        [32, 64, 162, 324, 649, 1624, 3249, 6498, 16245, 32491]
    );
    let both = BothRules { sign: Areas::of(&sign), size: Areas::of(&size) };
    assert_ne!(both.sign, both.size);
    assert_eq!(Ends { empty: 2.0, whole: 2.0 }.faithfulness(2.0), None);
}

fn full_of(circuit: &Circuit) -> Circuit {
    circuit.with(&vec![true; circuit.links().len()])
}

#[test]
fn a_share_is_rounded_down_and_not_by_rounding_of_numbers() {
    assert_eq!(
        [(0.29, 100), (0.001, 32_491), (1.0, 7), (0.5, 7)].map(|(share, edges)| count(share, edges)),
        [29, 32, 7, 3]
    );
}

#[test]
fn the_smallest_circuit_is_the_first_that_is_enough() {
    let published = published();
    let rule = Rule::Top(By::Size);
    for least in [1, 2, 21, 500, 756, 757, 32_491] {
        let enough = |circuit: &Circuit| Ok::<_, Infallible>(circuit.size() as f64);
        let Ok(found) = published.smallest(rule, f64::from(least), enough);
        let found = found.unwrap();
        let fewer = published.select(rule, found.chosen - 1).prune().size();
        assert!(found.circuit.size() >= least as usize && fewer < least as usize, "{least}");
        assert!(found.tried.len() <= 17 && found.is_certain());
        assert_eq!(found.circuit.members(), published.select(rule, found.chosen).prune().members());
    }
    let Ok(none) = published.smallest(rule, 2.0, |_| Ok::<_, Infallible>(1.0));
    assert!(none.is_none());
    let Ok(nothing) = published.smallest(rule, 0.0, |_| Ok::<_, Infallible>(1.0));
    assert_eq!(nothing.unwrap().chosen, 0);
    assert_eq!(published.smallest(rule, 0.0, |_| Err::<f64, _>("stop")).unwrap_err(), "stop");
}

#[test]
fn a_curve_that_falls_makes_the_smallest_uncertain() {
    let Ok(found) = full(SMALL)
        .smallest(Rule::Top(By::Size), 0.5, |circuit| Ok::<_, Infallible>(if circuit.size() > 40 { 0.6 } else { 0.9 }));
    assert!(!found.unwrap().is_certain());
}

#[test]
fn what_is_left_out_is_said_in_few_words() {
    insta::assert_snapshot!(full(SMALL).left_out(), @"0 of 46 edges and 0 of 8 nodes are left out");
    let circuit = small(&[("input->a1.h0<q>", 1.0), ("a1.h0->logits", 1.0), ("m0->logits", 1.0)]);
    insta::assert_snapshot!(circuit.left_out(), @"43 of 46 edges and 4 of 8 nodes are left out: all heads of layer 0; layer 1 head 1; MLP 1");
    insta::assert_snapshot!(published().select(Rule::Top(By::Size), 400).prune().left_out(), @"32120 of 32491 edges and 100 of 158 nodes are left out: layer 0 heads 0, 2, 6–9, 11; layer 1 heads 0–10; layer 2 heads but 2; layer 3 heads but 0, 4, 6; layer 4 heads but 3, 4; layer 5 heads but 5, 8–10; layer 6 heads but 0, 6, 9; layer 7 heads but 1, 3, 9; layer 8 heads but 3, 6, 10, 11; layer 9 heads but 3, 4, 6, 7, 9; layer 10 heads 4, 5, 8, 9, 11; layer 11 heads 0, 4, 7–9, 11");
}

/// Every path, counted one by one.
fn all_paths(circuit: &Circuit, from: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for link in circuit.edges().filter(|link| link.edge.from.to_string() == from) {
        match link.edge.to.node() {
            None => found.push(vec![link.edge.to_string()]),
            Some(node) => found.extend(all_paths(circuit, &node.to_string()).into_iter().map(|mut rest| {
                rest.insert(0, link.edge.to_string());
                rest
            })),
        }
    }
    found
}

fn uneven(blocks: Blocks) -> Circuit {
    let score = |place: usize| ((place * 7919 % 104_729) as f64 / 104_729.0 - 0.5) * 3.0;
    Circuit::new(blocks.clone(), blocks.edges().into_iter().enumerate().map(|(place, edge)| (edge, score(place))))
        .unwrap()
}

#[test]
fn the_strongest_paths_are_those_of_an_enumeration() {
    let circuit = uneven(SMALL).select(Rule::Top(By::Size), 36);
    let paths = all_paths(&circuit, "input");
    assert!(paths.len() > 20, "{}", paths.len());
    let score = |name: &String| circuit.link(edge(name)).unwrap().score.abs();
    let entering = |name: &String| {
        let end = edge(name).to.node();
        circuit.edges().filter(|link| link.edge.to.node() == end).map(|link| link.score.abs()).sum::<f64>()
    };
    let weakest = |path: &Vec<String>| path.iter().map(score).fold(f64::INFINITY, f64::min);
    let share = |path: &Vec<String>| path.iter().map(|name| score(name) / entering(name)).product::<f64>();
    for (strength, by) in [(Strength::Weakest, &weakest as &dyn Fn(&Vec<String>) -> f64), (Strength::Share, &share)] {
        let mut expected: Vec<f64> = paths.iter().map(by).collect();
        expected.sort_by(|a, b| b.total_cmp(a));
        let found = circuit.paths(Node::Input, strength, paths.len() + 9);
        assert_eq!(found.len(), paths.len());
        for ((path, value), expected) in found.iter().zip(&expected) {
            let edges: Vec<_> = path.edges().iter().map(ToString::to_string).collect();
            assert!((value - expected).abs() < ROUNDING && (by(&edges) - value).abs() < ROUNDING, "{path}");
        }
        let first = circuit.paths(Node::Input, strength, 5);
        assert!(first.iter().zip(&found).all(|(few, many)| few.1 == many.1));
    }
}

#[test]
fn all_shares_from_the_input_are_one() {
    let circuit = uneven(SMALL).select(Rule::Top(By::Size), 36).prune();
    let sum: f64 = circuit.paths(Node::Input, Strength::Share, 100_000).iter().map(|(_, share)| share).sum();
    assert!((sum - 1.0).abs() < ROUNDING, "{sum}");
}

#[test]
fn paths_are_found_where_there_are_too_many_to_count() {
    let paths = full(GPT2).paths(Node::Input, Strength::Weakest, 3);
    assert_eq!(paths.len(), 3);
    assert!(full(SMALL).paths(Node::Head(7, 0), Strength::Share, 3).is_empty());
    assert!(small(&[("input->m0", 1.0)]).paths(Node::Input, Strength::Share, 3).is_empty());
}

#[test]
fn circuits_are_sets_of_edges() {
    let scores = uneven(SMALL);
    let [left, right] = [By::Size, By::Sign].map(|by| scores.select(Rule::Top(by), 17));
    let (both, only) = (left.intersect(&right).unwrap(), left.subtract(&right).unwrap());
    let either = left.union(&right).unwrap();
    assert_eq!(both.size() + only.size(), left.size());
    assert_eq!(either.size() + both.size(), left.size() + right.size());
    assert_eq!(only.union(&both).unwrap().members(), left.members());
    assert_eq!(left.jaccard(&right).unwrap(), both.size() as f64 / either.size() as f64);
    assert_eq!(left.jaccard(&left).unwrap(), 1.0);
    assert_eq!(only.jaccard(&both).unwrap(), 0.0);
    let none = scores.select(Rule::Top(By::Size), 0);
    assert_eq!(none.jaccard(&none).unwrap(), 1.0);
}

#[test]
fn circuits_with_other_scored_edges_are_joined_by_name() {
    let left = small(&[("input->m0", 1.0), ("m0->logits", 2.0)]);
    let right = small(&[("m0->logits", 5.0), ("input->logits", 3.0)]);
    assert_eq!(names(&left.union(&right).unwrap()), ["input->m0", "input->logits", "m0->logits"]);
    assert_eq!(names(&left.intersect(&right).unwrap()), ["m0->logits"]);
    assert_eq!(left.union(&right).unwrap().link(edge("m0->logits")).unwrap().score, 2.0);
    let aligned = left.align(&right).unwrap();
    assert_eq!(aligned.scores, [(edge("m0->logits"), 2.0, 5.0)]);
    assert_eq!((aligned.spearman, aligned.differences()), (None, vec![(edge("m0->logits"), 3.0)]));
}

#[test]
fn scores_that_rise_together_have_rank_correlation_one() {
    let left = uneven(SMALL);
    let cubed = left.links().map(|link| (link.edge, link.score.powi(3)));
    let right = Circuit::new(SMALL, cubed).unwrap();
    let aligned = left.align(&right).unwrap();
    assert!(close(aligned.spearman, 1.0) && aligned.pearson.unwrap() < 0.99);
    let differences = aligned.differences();
    assert!(differences.len() == 46 && differences[0].1.abs() >= differences[45].1.abs());
}

#[test]
fn circuits_of_different_models_are_not_compared() {
    let parallel = Blocks::new(2, 2, Flow::Parallel);
    let error = full(SMALL).intersect(&full(parallel)).unwrap_err();
    insta::assert_snapshot!(error, @"circuits of different models cannot be compared: one is of 2 layers of 2 heads, the other of 2 layers of 2 heads, heads and MLP of a block in parallel");
}

/// The straight way from the input to the logits is lost: once the other circuit goes round through an MLP, once it does not.
#[test]
fn a_lost_edge_is_gone_round_where_the_other_circuit_joins_its_ends() {
    let scores = [("input->m0", 1.0), ("m0->logits", 1.0), ("input->logits", 1.0), ("input->m1", 1.0)];
    let of = |members: [bool; 4]| {
        let named: Vec<&str> =
            scores.iter().zip(members).filter(|(_, held)| *held).map(|((name, _), _)| *name).collect();
        let all = small(&scores);
        let held: Vec<bool> = all.links().map(|link| named.contains(&link.edge.to_string().as_str())).collect();
        all.with(&held)
    };
    let here = of([true, true, true, true]);
    let round = here.rerouted(&of([true, true, false, false])).unwrap();
    assert_eq!(round, [edge("input->logits")]);
    assert!(here.rerouted(&of([true, false, false, false])).unwrap().is_empty());
    assert!(here.rerouted(&here).unwrap().is_empty());
}
