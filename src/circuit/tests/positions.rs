//! Nodes at positions: what reaches what, chosen and pruned, exchanged and drawn.

use super::super::exchange::{Facts, read, write};
use super::super::*;
use super::{SMALL, edge, names};
use crate::node::{Edge, Node, Port};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;

/// Positions of the small model.
const COUNT: usize = 4;

fn blocks() -> Blocks {
    SMALL.with_neurons([(0, 5)]).at_positions(Some(Places::causal(COUNT)))
}

fn placed(scores: &[(&str, f64)]) -> Circuit {
    Circuit::new(
        SMALL.at_positions(Some(Places::causal(COUNT))),
        scores.iter().map(|(name, score)| (edge(name), *score)),
    )
    .unwrap()
}

/// Every edge with a score by chance.
fn scored(seed: u64) -> Circuit {
    scored_of(&blocks(), seed)
}

fn scored_of(blocks: &Blocks, seed: u64) -> Circuit {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let scores: Vec<(Edge, f64)> =
        blocks.edges().into_iter().map(|edge| (edge, random.random_range(-1.0..1.0))).collect();
    Circuit::new(blocks.clone(), scores).unwrap()
}

/// Every way from the input to the logits, written out: what a head reads as key and value it writes there or later, or where
/// it sees both ways anywhere.
fn on_ways(edges: &[Edge], heard: Heard) -> BTreeSet<Edge> {
    fn walk(at: (Node, usize), (edges, heard): (&[Edge], Heard), way: &mut Vec<Edge>, found: &mut BTreeSet<Edge>) {
        for edge in edges.iter().filter(|edge| (edge.from, edge.position) == (at.0, Some(at.1))) {
            way.push(*edge);
            match (edge.to.node(), edge.to) {
                (None, _) => found.extend(way.iter().copied()),
                (Some(node), Port::Key(..) | Port::Value(..)) => {
                    let first = if heard == Heard::Onward { at.1 } else { 0 };
                    (first..COUNT).for_each(|later| walk((node, later), (edges, heard), way, found));
                }
                (Some(node), _) => walk((node, at.1), (edges, heard), way, found),
            }
            way.pop();
        }
    }
    let mut found = BTreeSet::new();
    (0..COUNT).for_each(|position| walk((Node::Input, position), (edges, heard), &mut Vec::new(), &mut found));
    found
}

#[test]
fn every_edge_is_one_at_each_position_but_those_into_the_logits() {
    let (blocks, whole) = (blocks(), SMALL.with_neurons([(0, 5)]));
    let edges = blocks.edges();
    let into_logits = whole.edges().iter().filter(|edge| edge.to == Port::Logits).count();
    assert_eq!(edges.len(), (whole.edges().len() - into_logits) * COUNT + into_logits);
    assert_eq!((edges.len(), whole.edges().len()), (blocks.count(), whole.count()));
    assert!(edges.iter().all(|edge| edge.to != Port::Logits || edge.position == Some(COUNT - 1)));
    assert!(edges.is_sorted_by_key(|edge| blocks.order(*edge)));
    assert!(blocks.vertices().iter().enumerate().all(|(place, vertex)| blocks.place(*vertex) == place));
    let names: Vec<String> = blocks.vertices().iter().map(ToString::to_string).collect();
    assert_eq!(names[..5], ["input@0", "input@1", "input@2", "input@3", "a0.h0@0"]);
    assert_eq!(names.last().unwrap(), "logits");
    assert!(names.iter().all(|name| name.parse::<Vertex>().unwrap().to_string() == *name));
    insta::assert_snapshot!(blocks, @"2 layers of 2 heads, a node at each of 4 positions, with m0.n5 as nodes of their own");
}

#[test]
fn pruning_leaves_what_lies_on_a_way_over_positions() {
    let both = Places { count: COUNT, answer: 1, heard: Heard::Everywhere };
    for places in [Places::causal(COUNT), both] {
        let all = scored_of(&SMALL.with_neurons([(0, 5)]).at_positions(Some(places)), 0);
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut left = 0;
        for round in 0..40 {
            let share = [0.1, 0.14, 0.2][round % 3];
            let members: Vec<bool> = all.links().map(|_| random.random_bool(share)).collect();
            let chosen = all.with(&members);
            let edges: Vec<Edge> = chosen.edges().map(|link| link.edge).collect();
            let pruned: BTreeSet<Edge> = chosen.prune().edges().map(|link| link.edge).collect();
            assert_eq!(pruned, on_ways(&edges, places.heard));
            assert!(chosen.prune().prune().members() == chosen.prune().members());
            left += pruned.len();
        }
        assert!(left > 100, "{left}");
    }
}

#[test]
fn what_a_head_reads_at_a_position_it_does_not_write_before() {
    let way = |read: &str, written: &str| placed(&[(read, 1.0), (written, 1.0)]).prune().size();
    assert_eq!(way("input->a1.h0<v>@1", "a1.h0->logits@3"), 2);
    assert_eq!(way("input->a1.h0<k>@3", "a1.h0->logits@3"), 2);
    assert_eq!(way("input->a1.h0<q>@3", "a1.h0->logits@3"), 2);
    assert_eq!(way("input->a1.h0<q>@1", "a1.h0->logits@3"), 0);
    let middle = |read: &str, written: &str| {
        placed(&[(read, 1.0), (written, 1.0), ("m0->a1.h1<v>@1", 1.0), ("a1.h1->logits@3", 1.0)])
    };
    assert_eq!(middle("input->a0.h0<v>@1", "a0.h0->m0@1").prune().size(), 4);
    assert_eq!(names(&middle("input->a0.h0<v>@2", "a0.h0->m0@1").prune()), [""; 0]);
}

#[test]
fn greedy_takes_only_what_is_heard_at_the_answer() {
    let all = scored(3);
    for count in [1, 5, 20, 60] {
        let chosen = all.select(Rule::Greedy(By::Size), count);
        assert_eq!(chosen.size(), count);
        // with the whole of the other edges in front everything that was taken lies on a way
        let taken: BTreeSet<Edge> = chosen.edges().map(|link| link.edge).collect();
        let input: Vec<Edge> = blocks().edges().into_iter().filter(|edge| edge.from == Node::Input).collect();
        let ways = on_ways(&taken.iter().copied().chain(input).collect::<Vec<_>>(), Heard::Onward);
        assert!(taken.is_subset(&ways), "{count}");
    }
    let first = all.select(Rule::Greedy(By::Size), 1);
    let strongest = all.links().filter(|link| link.edge.to == Port::Logits);
    let strongest = strongest.max_by(|a, b| a.score.abs().total_cmp(&b.score.abs())).unwrap();
    assert_eq!(names(&first), [strongest.edge.to_string()]);
}

#[test]
fn random_circuits_are_as_large_and_lead_somewhere() {
    let all = scored(4);
    let own = all.select(Rule::Top(By::Size), 60).prune();
    for seed in 0..5 {
        let random = own.random(seed);
        assert!((own.size()..own.size() + 4).contains(&random.size()), "{} {}", own.size(), random.size());
        assert!(random.prune().members() == random.members());
    }
}

#[test]
fn shares_of_all_paths_over_positions_add_up_to_one() {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let all = scored(5);
    let places: Vec<usize> = (0..all.links().len()).collect();
    let drawn: BTreeSet<usize> = places.choose_multiple(&mut random, 140).copied().collect();
    let members: Vec<bool> = places.iter().map(|place| drawn.contains(place)).collect();
    let circuit = all.with(&members).prune();
    assert!(circuit.size() > 20, "{}", circuit.size());
    let paths = circuit.paths(Node::Input, Strength::Share, 100_000);
    let sum: f64 = paths.iter().map(|(_, share)| share).sum();
    assert!((sum - 1.0).abs() < 1e-9 && paths.len() > 10, "{sum} of {}", paths.len());
    for (path, _) in &paths {
        let edges = path.edges();
        assert!(edges.iter().all(|edge| circuit.contains(*edge)), "{path}");
        let later = |pair: &[Edge]| match looks_back(pair[0].to) {
            true => pair[0].position <= pair[1].position,
            false => pair[0].position == pair[1].position,
        };
        assert!(edges.windows(2).all(later), "{path}");
    }
    assert_eq!(paths.iter().map(|(path, _)| path.to_string()).collect::<BTreeSet<_>>().len(), paths.len());
}

fn sample() -> Circuit {
    placed(&[
        ("input->a0.h1<v>@1", -3.0),
        ("input->a0.h1<q>@3", 0.25),
        ("a0.h1->m0@3", -2.0),
        ("m0->a1.h0<k>@3", 0.5),
        ("a1.h0->logits@3", 1.0),
        ("m0->logits@3", -1.5),
    ])
}

#[test]
fn a_file_brings_positions_back() {
    let text = write(&sample(), &Facts::new());
    assert!(
        text.contains("\"positions\":{\"count\":4,\"answer\":3,\"heard\":\"onward\"}")
            && text.contains("{\"name\":\"m0->a1.h0<k>@3\",\"position\":3,"),
        "{text}"
    );
    let found = read("a.json", &text).unwrap().circuit;
    assert!(found.blocks() == sample().blocks() && found.links().eq(sample().links()));
    assert!(!write(&super::small(&[("input->logits", 1.0)]), &Facts::new()).contains("position"));
    let mismatched = read("c.json", &text).unwrap().of("c.json", &SMALL).unwrap_err();
    insta::assert_snapshot!(mismatched, @"c.json is a circuit of another model: it has 2 layers of 2 heads, a node at each of 4 positions, and here are 2 layers of 2 heads");
}

#[test]
fn positions_that_are_none_are_refused() {
    let text = write(&sample(), &Facts::new());
    let told = |from: &str, to: &str| read("c.json", &text.replacen(from, to, 1)).unwrap_err().to_string();
    insta::assert_snapshot!(told("m0->logits@3\",\"position\":3", "m0->logits@1\",\"position\":1"), @r"
    c.json is no circuit:
    edges[4]: m0->logits@1 does not exist: the model has 2 layers of 2 heads, a node at each of 4 positions, counted from 0; the logits are read where the answer is alone
    ");
    insta::assert_snapshot!(told("a0.h1->m0@3\",\"position\":3", "a0.h1->m0@9\""), @r"
    c.json is no circuit:
    edges[2]: a0.h1->m0@9 does not exist: the model has 2 layers of 2 heads, a node at each of 4 positions, counted from 0; the logits are read where the answer is alone
    ");
    insta::assert_snapshot!(told("a0.h1->m0@3\",\"position\":3", "a0.h1->m0\""), @r"
    c.json is no circuit:
    edges[2]: a0.h1->m0: the model has 2 layers of 2 heads, a node at each of 4 positions; where nodes are at each position every edge names its own, as in m0->a5.h5<k>@3, and none does where they are not
    ");
    insta::assert_snapshot!(told("a0.h1->m0@3\",\"position\":3", "a0.h1->m0@2\",\"position\":3"), @r"
    c.json is no circuit:
    edges[2] (a0.h1->m0@2): its position is 3, and its name says another
    ");
    insta::assert_snapshot!(told("a0.h1->m0@3\"", "a0.h1->m0@x\""), @r"
    c.json is no circuit:
    edges[2] (a0.h1->m0@x): its position is 3, and its name says another
    ");
    insta::assert_snapshot!(told("{\"name\":\"m0@3\"", "{\"name\":\"m0@4\""), @r"
    c.json is no circuit:
    nodes[15]: m0@4 does not exist: the model has 2 layers of 2 heads, a node at each of 4 positions, counted from 0
    ");
    assert!(told("\"count\":4", "\"count\":0").contains("is none that can be"));
    assert!(told("\"answer\":3", "\"answer\":4").contains("is none that can be"));
}

#[test]
fn other_programs_get_positions() {
    let (graphml, dot) = (sample().graphml(&Facts::new()), sample().dot(&Facts::new()));
    let part =
        |text: &str, from: &str, to: &str| text.split(from).nth(1).unwrap().split(to).next().unwrap().to_string();
    insta::assert_snapshot!(part(&graphml, "<node id=\"a0.h1@1\">", "</node>"), @r#"
    <data key="label">a0.h1@1</data>
    <data key="kind">head</data>
    <data key="layer">0</data>
    <data key="head">1</data>
    <data key="at">1</data>
    "#);
    insta::assert_snapshot!(part(&graphml, "source=\"input@1\" target=\"a0.h1@1\">", "</edge>"), @r#"
    <data key="name">input-&gt;a0.h1&lt;v&gt;@1</data>
    <data key="port">v</data>
    <data key="position">1</data>
    <data key="score">-3.0</data>
    <data key="weight">3.0</data>
    "#);
    assert!(
        dot.contains("\"input@1\" -> \"a0.h1@1\" [label=\"v\", score=\"-3.0\"") && dot.contains(", position=1];"),
        "{dot}"
    );
}

#[test]
fn a_drawing_has_a_box_for_what_is_read_and_one_for_what_is_written() {
    let tokens = ["<s>", " Mary", " has", " a"].map(String::from).to_vec();
    let diagram = sample().diagram(&Caption { tokens, ..Caption::default() });
    let names: Vec<&str> = diagram.spots.iter().map(|spot| spot.name.as_str()).collect();
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len());
    assert!(
        ["a0.h1<kv>@1", "a0.h1@3", "m0@3", "a1.h0<kv>@3", "a1.h0@3", "logits"].iter().all(|name| names.contains(name))
    );
    let inside: Vec<&str> = diagram
        .wires
        .iter()
        .filter(|wire| wire.kind == crate::figure::Kind::Inside)
        .map(|wire| wire.name.as_str())
        .collect();
    assert_eq!(inside, ["a0.h1<kv>@1|a0.h1@3", "a1.h0<kv>@3|a1.h0@3"]);
    let below: Vec<&str> = diagram.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(below, ["1 ␣Mary", "3 ␣a"]);
    let svg = diagram.svg();
    assert!(
        svg.contains("data-edge=\"input-&gt;a0.h1&lt;v&gt;@1\"") && svg.contains("data-node=\"a0.h1&lt;kv&gt;@1\""),
        "{svg}"
    );
}

#[test]
fn wires_of_many_positions_go_up() {
    let circuit = scored(6).select(Rule::Top(By::Size), 250).prune();
    let diagram = circuit.diagram(&Caption::default());
    assert_eq!(diagram.wires.iter().filter(|wire| wire.kind == crate::figure::Kind::Edge).count(), circuit.size());
    assert!(diagram.wires.iter().all(|wire| diagram.spots[wire.from].row < diagram.spots[wire.to].row));
    // no two boxes at one place
    let places: BTreeSet<_> = diagram.spots.iter().map(|spot| (spot.row, spot.column)).collect();
    assert_eq!(places.len(), diagram.spots.len());
}
