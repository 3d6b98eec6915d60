//! What the graph, its selections and its comparisons must hold.

mod compare;
mod exchange;
mod neurons;
mod parts;
mod positions;
mod resample;

use super::*;
use crate::node::{Edge, Flow, Node, Port};

/// Rounding of sums of thousands of numbers.
const ROUNDING: f64 = 1e-9;

/// GPT-2 small.
pub const GPT2: Blocks = Blocks::new(12, 12, Flow::Sequential);
/// Two layers of two heads.
pub const SMALL: Blocks = Blocks::new(2, 2, Flow::Sequential);

/// The published scores of `tests/golden/mib.py`, and which edges are flagged.
pub fn published() -> Circuit {
    let bytes = include_bytes!("../../../tests/golden/ioi-eap-ig.bin");
    let edges = GPT2.edges();
    let (scores, flags) = bytes.split_at(8 * edges.len());
    let scores = scores.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()));
    let link = |((edge, score), flag): ((Edge, f64), &u8)| Link { in_circuit: *flag == 1, ..(edge, score).into() };
    Circuit::new(GPT2, edges.into_iter().zip(scores).zip(flags).map(link)).unwrap()
}

pub fn edge(name: &str) -> Edge {
    name.parse().unwrap()
}

/// A circuit of two layers of two heads from names and scores.
pub fn small(scores: &[(&str, f64)]) -> Circuit {
    Circuit::new(SMALL, scores.iter().map(|(name, score)| (edge(name), *score))).unwrap()
}

pub fn names(circuit: &Circuit) -> Vec<String> {
    circuit.edges().map(|link| link.edge.to_string()).collect()
}

#[test]
fn a_random_circuit_has_as_many_edges_and_all_of_them_lead_somewhere() {
    let whole = full(Blocks::new(4, 4, Flow::Sequential));
    for chosen in [3, 40, 200] {
        let circuit = whole.select(Rule::Top(By::Size), chosen);
        let random = circuit.random(1);
        assert!(random.size() >= chosen && random.size() < chosen + 3, "{} for {chosen}", random.size());
        assert_eq!(random.members(), random.prune().members());
        assert_eq!(random.members(), circuit.random(1).members());
        assert_ne!(random.members(), circuit.random(2).members());
    }
    assert_eq!(whole.random(1).size(), whole.size());
    assert_eq!(whole.select(Rule::Top(By::Size), 0).random(1).size(), 0);
}

#[test]
fn a_model_has_the_edges_that_the_definition_counts() {
    for flow in [Flow::Sequential, Flow::Parallel] {
        let blocks = Blocks::new(5, 3, flow);
        // all pairs of layers, then what a block has inside: its MLP reads its heads or not
        let (layers, heads) = (5, 3);
        let ports = layers * (3 * heads + 1) + 1;
        let later = layers * (layers - 1) / 2 * (heads + 1) * (3 * heads + 1) + layers * (heads + 1);
        let inside = if flow == Flow::Sequential { layers * heads } else { 0 };
        assert_eq!(blocks.edges().len(), ports + later + inside, "{flow:?}");
        assert!(!petgraph::algo::is_cyclic_directed(full(blocks).graph()));
    }
    assert_eq!((GPT2.vertices().len(), GPT2.edges().len()), (158, 32_491));
}

fn full(blocks: Blocks) -> Circuit {
    Circuit::new(blocks.clone(), blocks.edges().into_iter().map(|edge| (edge, 1.0))).unwrap()
}

#[test]
fn places_are_those_of_the_order() {
    for blocks in [GPT2, SMALL] {
        assert!(blocks.vertices().iter().enumerate().all(|(place, vertex)| blocks.place(*vertex) == place));
        assert!(blocks.edges().is_sorted_by_key(|edge| blocks.order(*edge)));
    }
}

#[test]
fn every_edge_is_found_and_no_other() {
    let circuit = full(SMALL);
    assert!(SMALL.edges().into_iter().all(|edge| circuit.contains(edge)));
    assert!(!circuit.contains(Edge::new(Node::Mlp(1), Port::Mlp(0))));
    let some = small(&[("input->m1", 0.5), ("m1->logits", -2.0)]);
    assert_eq!(some.link(edge("m1->logits")).unwrap().score, -2.0);
    assert!(some.link(edge("input->m0")).is_none());
    assert_eq!(some.vertices().iter().map(ToString::to_string).collect::<Vec<_>>(), ["input", "m1", "logits"]);
}

#[test]
fn everything_wrong_with_edges_is_said_at_once() {
    let interval = patchclamp_probes::Interval { low: 2.0, high: 1.0 };
    let links = [
        Link::from((edge("input->m0"), 1.0)),
        (edge("a2.h0->logits"), 1.0).into(),
        (edge("m1->a1.h0<k>"), 1.0).into(),
        (edge("input->m1"), f64::NAN).into(),
        (edge("m0->m1"), 1.0, Some(interval)).into(),
        (edge("input->m0"), 3.0).into(),
    ];
    insta::assert_snapshot!(Circuit::new(SMALL, links).unwrap_err(), @r"
    edges[1]: a2.h0->logits does not exist: the model has 2 layers of 2 heads, counted from 0
    edges[2]: m1->a1.h0<k> runs backwards: a port reads only what is written before it, and with this edge the graph would have a cycle
    edges[3]: input->m1 has the score NaN; a score must be a finite number
    edges[4]: m0->m1 has the interval 2 to 1; its ends must be finite numbers, the lower one first
    edges[5]: input->m0 stands here a second time; an edge has one score
    ");
}

/// The figures of the published circuit: `top 800 by |score|, then pruned, is exactly what is flagged`.
#[test]
fn the_published_circuit_is_its_800_strongest_edges_pruned() {
    let published = published();
    let again = published.select(Rule::Top(By::Size), 800);
    assert_eq!(again.size(), 800);
    assert_eq!(again.prune().members(), published.members());
    assert_eq!(published.size(), 756);
    let sum: f64 = published.scores().iter().sum();
    assert!((sum - -1.130230423423431).abs() < ROUNDING);
}

#[test]
fn every_share_of_the_published_scores_has_the_reference_s_count() {
    let reference = [
        (Rule::Top(By::Size), [21, 45, 145, 276, 608, 1573, 3212, 6498, 16245, 32491]),
        (Rule::Greedy(By::Size), [22, 55, 152, 306, 626, 1601, 3240, 6498, 16245, 32491]),
        (Rule::Top(By::Sign), [0, 25, 122, 230, 524, 1439, 3019, 5963, 14280, 32491]),
        (Rule::Greedy(By::Sign), [0, 35, 130, 242, 560, 1538, 3218, 6372, 15821, 32491]),
    ];
    let published = published();
    let ends = Ends { empty: 0.0, whole: 1.0 };
    for (rule, counts) in reference {
        let curve = published.curve(rule, ends, |_| Ok::<_, ()>(0.0)).unwrap();
        assert_eq!(curve.iter().map(|step| step.edges).collect::<Vec<_>>(), counts, "{rule:?}");
    }
}

#[test]
fn greedy_takes_only_what_leads_to_the_logits() {
    let circuit = small(&[("input->a0.h0<v>", 9.0), ("input->m1", 1.0), ("m0->m1", 8.0), ("m1->logits", 2.0)]);
    assert_eq!(names(&circuit.select(Rule::Greedy(By::Size), 2)), ["m0->m1", "m1->logits"]);
    assert_eq!(names(&circuit.select(Rule::Greedy(By::Size), 9)), ["input->m1", "m0->m1", "m1->logits"]);
    assert_eq!(names(&circuit.select(Rule::Top(By::Size), 2)), ["input->a0.h0<v>", "m0->m1"]);
}

#[test]
fn ties_fall_to_the_earlier_edge_whatever_order_they_came_in() {
    let scores = [("m1->logits", -1.0), ("input->m0", 1.0), ("m0->m1", 1.0), ("input->m1", -1.0)];
    let backwards: Vec<_> = scores.iter().rev().copied().collect();
    for circuit in [small(&scores), small(&backwards)] {
        assert_eq!(names(&circuit.select(Rule::Top(By::Size), 2)), ["input->m0", "input->m1"]);
        assert_eq!(names(&circuit.select(Rule::Top(By::Sign), 3)), ["input->m0", "input->m1", "m0->m1"]);
    }
    assert_eq!(
        names(&small(&[("input->logits", 0.0), ("m0->logits", -0.0)]).select(Rule::Top(By::Sign), 1)),
        ["input->logits"]
    );
    assert_eq!(
        names(&small(&[("input->logits", -0.0), ("m0->logits", 0.0)]).select(Rule::Top(By::Sign), 1)),
        ["input->logits"]
    );
}

#[test]
fn pruning_goes_on_until_nothing_is_left_to_prune() {
    let chain = [("a0.h0->a1.h0<q>", 1.0), ("a1.h0->m1", 1.0), ("m1->logits", 1.0), ("input->m0", 1.0)];
    assert!(names(&small(&chain).prune()).is_empty());
    let through = [chain.as_slice(), &[("input->a0.h0<k>", 1.0)]].concat();
    let pruned = small(&through).prune();
    assert_eq!(names(&pruned), ["input->a0.h0<k>", "a0.h0->a1.h0<q>", "a1.h0->m1", "m1->logits"]);
    assert_eq!(pruned.prune().members(), pruned.members());
    assert_eq!(names(&small(&[("input->logits", 0.1)]).prune()), ["input->logits"]);
}

/// MIB's own count: 756 of the first 800 are left by pruning.
#[test]
fn of_too_many_edges_the_weaker_are_left_out_and_counted() {
    let circuit = published().select(Rule::Top(By::Size), 800).prune();
    let diagram = circuit.diagram(&Caption::default());
    assert_eq!((diagram.wires.len(), diagram.left_out), (600, 156));
    let least = diagram.wires.iter().map(|wire| wire.weight.abs()).fold(f64::INFINITY, f64::min);
    let held = |name: &str| diagram.wires.iter().any(|wire| wire.name == name);
    for link in circuit.edges() {
        let name = link.edge.to_string();
        assert!(held(&name) || link.score.abs() <= least, "{name} is stronger than what is drawn");
    }
    assert_eq!(diagram.bands.len(), 12);
}
