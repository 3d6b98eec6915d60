//! Neurons as nodes of circuits: parity with torch's autograd, laws of splitting an MLP, and a neuron that does the work.

mod common;

use common::edges::*;
use common::*;
use insta::assert_snapshot;
use patchclamp::circuit::Blocks;
use patchclamp::hook::{Change, Edit, Edits, Record};
use patchclamp::method::circuit::Evaluation;
use patchclamp::method::path::noised;
use patchclamp::method::score::{Order, Reader};
use patchclamp::method::{Finding, Side};
use patchclamp::node::{Node, Path, Port};
use patchclamp::plan::{Paths, Plan};
use patchclamp::precision::Precision;
use patchclamp::site::{Place, Site};
use patchclamp::spec::{Score, Stand};
use patchclamp::steps::Steps;
use patchclamp::text::Padding;

/// Neurons of two layers, not in order.
const SOME: [(usize, usize); 4] = [(1, 7), (0, 12), (0, 3), (1, 2)];

/// Plain and gated MLPs, sequential and parallel blocks, norms that centre and norms that do not.
const KINDS: [&str; 4] = ["gpt2", "llama", "pythia-parallel", "opt"];

#[test]
fn scores_and_circuits_agree_with_autograd_through_gpt2() {
    check("neurons.json", "gpt2", &golden("gpt2"));
}

#[test]
fn scores_and_circuits_agree_with_autograd_through_parallel_blocks() {
    check("neurons.json", "pythia-parallel", &golden("pythia-parallel"));
}

#[test]
fn scores_and_circuits_agree_with_autograd_through_gated_neurons() {
    check("neurons.json", "llama", &golden("llama"));
}

/// A model with neurons apart is the model, watched or not.
#[test]
fn watching_neurons_changes_nothing() {
    let tokens = random_tokens(&[5, 5], Padding::Right);
    for case in KINDS {
        let loaded = load(case);
        let parted = loaded.model.parted(&SOME);
        let plain = bits(&logits(loaded.model.as_ref(), &tokens, &mut ()));
        for sites in [vec![], vec![Site::MlpIn(0)], vec![Site::MlpOut(1)], vec![Site::MlpIn(1), Site::MlpOut(1)]] {
            let watched = logits(parted.as_ref(), &tokens, &mut Record::of(sites.clone()));
            assert_eq!(bits(&watched), plain, "{case} {sites:?}");
        }
    }
}

/// What the parts of an MLP write is what it writes.
#[test]
fn parts_add_up_to_their_mlp() {
    let tokens = random_tokens(&[5, 5], Padding::Right);
    for case in KINDS {
        let loaded = load(case);
        let whole = recorded(loaded.model.as_ref(), &tokens, [Site::MlpOut(0)]);
        let parts = recorded(loaded.model.parted(&SOME).as_ref(), &tokens, [Site::MlpOut(0)]);
        let parts = parts.at(Site::MlpOut(0)).unwrap().clone();
        assert_eq!(parts.dims()[1], 3, "{case}");
        assert_close(&parts.sum_dim(1), whole.at(Site::MlpOut(0)).unwrap(), 1e-5, case);
    }
}

/// Of one edge of the whole model the sum over the edges that it is split into; every neuron of layer 0 is apart.
#[test]
fn splitting_an_mlp_splits_its_scores() {
    let data = random_pairs(&[5, 5], None);
    for case in KINDS {
        let loaded = load_in(case, Precision::F64);
        let neurons: Vec<(usize, usize)> = (0..loaded.model.dims().d_mlp).map(|neuron| (0, neuron)).collect();
        let (model, plan) = (loaded.model.ungrouped(), plan(&data, &loaded));
        let parted = model.parted(&[neurons, vec![(1, 5)]].concat());
        for score in [Score::Eap, Score::EapIg { steps: 2 }, Score::CleanCorrupted] {
            let whole = scored(&bench(model.as_ref(), &plan, 64), score);
            let split = scored(&bench(parted.as_ref(), &plan, 64), score);
            let (edges, finer) = (order(model.as_ref()).edges(), order(parted.as_ref()).edges());
            for (whole, split) in whole.iter().zip(&split) {
                let most = whole.iter().fold(0.0, |most: f32, score| most.max(score.abs()));
                for (edge, whole) in edges.iter().zip(whole) {
                    let within = |own: Node, of: Node| match own {
                        Node::Neuron(layer, _) => of == Node::Mlp(layer),
                        own => own == of,
                    };
                    let into = |own: Port| match (own.node(), edge.to.node()) {
                        (Some(own @ Node::Neuron(..)), Some(of)) => within(own, of),
                        _ => own == edge.to,
                    };
                    let parts = finer.iter().zip(split).filter(|(own, _)| within(own.from, edge.from) && into(own.to));
                    let sum: f32 = parts.map(|(_, score)| score).sum();
                    assert!((sum - whole).abs() <= 1e-5 * most, "{case} {score:?} {edge}: {sum} {whole}");
                }
            }
        }
    }
}

#[test]
fn the_full_circuit_is_the_clean_run_and_the_empty_one_the_corrupted() {
    let data = random_pairs(&[5, 5, 5], None);
    for case in DECODERS {
        let loaded = load(case);
        if loaded.model.flow().is_none() {
            continue;
        }
        let (model, plan) = (loaded.model.ungrouped().parted(&SOME), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, 64);
        let whole = |side| bench.whole(side, &mut Steps::unkept(&mut ())).unwrap();
        let (clean, corrupt) = (whole(Side::Clean), whole(Side::Corrupt));
        let circuits = [Vec::new(), order(model.as_ref()).edges()];
        let found = Evaluation::new(&bench, Stand::Corrupted).unwrap().values(&[0, 1, 2], &circuits).unwrap();
        assert_eq!(found[0], clean, "{case}");
        for (found, corrupt) in found[1].iter().zip(&corrupt) {
            assert!((found - corrupt).abs() < 1e-4, "{case}: {found} {corrupt}");
        }
    }
}

/// An edge patched by itself is the model with that edge severed alone.
#[test]
fn an_exact_score_is_a_circuit_without_one_edge() {
    let data = random_pairs(&[4, 4], None);
    for case in KINDS {
        let loaded = load_in(case, Precision::F64);
        let (model, plan) = (loaded.model.ungrouped().parted(&SOME), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, 16);
        let edges = order(model.as_ref()).edges();
        let circuits: Vec<_> = std::iter::once(Vec::new()).chain(edges.iter().map(|edge| vec![*edge])).collect();
        for stand in [Stand::Corrupted, Stand::Zero, Stand::Mean] {
            let exact = scored_by(&bench, Score::Exact, stand);
            let found = Evaluation::new(&bench, stand).unwrap().values(&[0, 1], &circuits).unwrap();
            for (number, edge) in edges.iter().enumerate() {
                for (item, exact) in exact.iter().enumerate() {
                    let severed = found[number + 1][item] - found[0][item];
                    assert!((severed - f64::from(exact[number])).abs() < 1e-6, "{case} {stand:?} {edge}: {severed}");
                }
            }
        }
    }
}

/// What the path through a neuron does by itself is what the neuron makes of the other input, read out where it is heard.
#[test]
fn a_path_goes_through_a_neuron_alone() {
    let data = random_pairs(&[4, 4], None);
    for case in ["gpt2", "llama", "pythia-parallel"] {
        let loaded = load_in(case, Precision::F64);
        let (model, plan) = (loaded.model.ungrouped().parted(&SOME), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, 16);
        let paths: Vec<Path> = ["input->m0.n12->logits", "m0.n3->logits"].map(|path| path.parse().unwrap()).to_vec();
        let found = noised(&bench, &[0, 1], &Paths::noised(&paths, 2, model.flow().unwrap())).unwrap();
        let mid = Reader::Mlp(0).stream(model.as_ref());
        let sites = [Site::ResidPre(0), Site::MlpOut(0), mid, model.last_stream()];
        let record = |side: Side| recorded(model.as_ref(), &bench.tokens(&[0, 1], side), sites);
        let (clean, corrupt) = (record(Side::Clean), record(Side::Corrupt));
        let at = |record: &Record, site: Site| record.at(site).unwrap().clone();
        let read = at(&clean, mid) + at(&corrupt, Site::ResidPre(0)) - at(&clean, Site::ResidPre(0));
        let place = Place { heads: Some(vec![2]), ..Place::all(Site::MlpIn(0)) };
        let edits = Edits::new(vec![Edit { place, change: Change::Put(read) }]);
        let mut hook = (edits, Record::of([Site::MlpOut(0)]));
        logits(model.as_ref(), &bench.tokens(&[0, 1], Side::Clean), &mut hook);
        // apart in layer 0 are neurons 3 and 12, in this order, behind the rest
        let parts = [(at(&hook.1, Site::MlpOut(0)), 2), (at(&corrupt, Site::MlpOut(0)), 1)];
        let own = bench.whole(Side::Clean, &mut Steps::unkept(&mut ())).unwrap();
        for (found, (written, part)) in found.iter().zip(parts) {
            let change = (written - at(&clean, Site::MlpOut(0))).narrow(1, part, 1);
            let stream = (at(&clean, model.last_stream()) + change).squeeze_dim(1);
            let read = bench.read(&[0, 1]);
            let positions = read.positions.clone().unwrap();
            let index = patchclamp::tensor::from_ints(vec![positions[0] as i32], [1], &device());
            let logits = model.read_out(stream.select(1, index), &read);
            for (item, value) in bench.values(&logits, &[0, 1]).into_iter().enumerate() {
                let expected = value - own[item];
                assert!((found[item] - expected).abs() < 1e-9 && expected.abs() > 1e-9, "{case}: {found:?} {expected}");
            }
        }
    }
}

/// Of an MLP, leaves one neuron's output as it is and makes those of all others small.
struct Alone {
    layer: usize,
    neuron: usize,
}

impl patchclamp::model::Visitor for Alone {
    fn matrix(&mut self, name: &str, weight: &mut patchclamp::tensor::Tensor<2>) {
        if name != format!("blocks.{}.mlp.out.weight", self.layer) {
            return;
        }
        let [neurons, width] = weight.dims();
        let scale = |neuron: usize| if neuron == self.neuron { 1.0 } else { 1e-3 };
        let scales = (0..neurons * width).map(|place| scale(place / width)).collect();
        let setting = patchclamp::tensor::Setting::of(weight);
        *weight = weight.clone() * patchclamp::tensor::from_doubles::<2>(scales, [neurons, width], &setting);
    }
    fn vector(&mut self, _: &str, _: &mut patchclamp::tensor::Tensor<1>) {}
}

/// The neuron that does the work of its MLP, and nothing else of that, is found.
#[test]
fn the_neuron_that_does_the_work_comes_first() {
    let data = random_pairs(&[5, 5, 5, 5], None);
    for (case, layer, neuron) in [("gpt2", 1, 31), ("llama", 0, 22), ("pythia-parallel", 1, 0)] {
        let mut loaded = load(case);
        loaded.model.visit(&mut Alone { layer, neuron });
        let others: Vec<(usize, usize)> = (0..loaded.model.dims().layers).map(|layer| (layer, 0)).collect();
        for other in others.iter().filter(|(other, _)| *other != layer) {
            // no neuron of another layer stands in its light
            loaded.model.visit(&mut Alone { layer: other.0, neuron: usize::MAX });
        }
        for score in ["Eap", "EapIg(steps: 3)", "CleanCorrupted", "EapIgActivations(steps: 2)", "Exact"] {
            let method = format!("Circuit(score: {score}, neurons: Top(2), select: TopN(30), random_circuits: 0)");
            let found = &findings(&question(&data, &method, ""), &loaded)[0];
            let node = Node::Neuron(layer, neuron);
            let told = &found.tables[0].facts["neurons"];
            assert!(told.contains(&format!("these same items: {node} (")), "{case} {score}: {told}");
            let most = strongest_of_mlps(found);
            assert_eq!(most, node, "{case} {score}");
        }
    }
}

/// The MLP, or neuron, that the edge of largest score out of any of them leaves.
fn strongest_of_mlps(found: &Finding) -> Node {
    let of_mlp = |node: Node| matches!(node, Node::Mlp(_) | Node::Neuron(..));
    let links = found.circuits[0].1.links().filter(|link| of_mlp(link.edge.from));
    links.max_by(|a, b| a.score.abs().total_cmp(&b.score.abs())).unwrap().edge.from
}

#[test]
fn neurons_stand_behind_the_rest_of_their_mlp() {
    let blocks = Blocks::new(2, 1, patchclamp::node::Flow::Sequential).with_neurons([(1, 5), (0, 9), (0, 2), (7, 0)]);
    let names: Vec<String> = blocks.vertices().iter().map(ToString::to_string).collect();
    assert_eq!(names.join(" "), "input a0.h0 m0 m0.n2 m0.n9 a1.h0 m1 m1.n5 logits");
    let places: Vec<usize> = blocks.vertices().into_iter().map(|vertex| blocks.place(vertex)).collect();
    assert!(places.into_iter().eq(0..9));
    let edges = blocks.edges();
    assert!(edges.is_sorted_by_key(|edge| blocks.order(*edge)));
    assert_eq!(edges, Order::new(&blocks).edges());
    let has = |edge: &str| edges.contains(&edge.parse().unwrap());
    assert!(has("m0.n2->m1.n5") && has("m0.n9->a1.h0<k>") && has("a1.h0->m1.n5") && has("input->m0.n2"));
    assert!(!has("m0->m0.n2") && !has("m0.n2->m0") && !has("m0.n2->m0.n9") && !has("m0.n3->logits"));
    assert_snapshot!(blocks.to_string(), @"2 layers of 1 heads, with m0.n2, m0.n9, m1.n5 as nodes of their own");
}

#[test]
fn neurons_that_are_none_are_refused_with_a_reason() {
    let told = |neurons: &str, more: &str| {
        let methods = format!("Circuit(neurons: {neurons}, select: TopN(9))");
        let text = question(&random_pairs(&[4, 4], None), &methods, more);
        Plan::new(&experiment(&text), &load("gpt2")).map(|_| ()).expect_err("it cannot be run").to_string()
    };
    assert_snapshot!(told(r#"Named(["m2.n0", "m0.n96", "m1", "neuron", "m0.n1", "m0.n1"])"#, ""), @r#"
    methods[0].neurons: "m0.n1" stands twice
    methods[0].neurons[0]: layer 2 does not exist; gpt2 has layers 0 to 1
    methods[0].neurons[1]: neuron 96 does not exist; gpt2 has neurons 0 to 95
    methods[0].neurons[2]: "m1" is no neuron; write m3.n17 for neuron 17 of the MLP of layer 3
    methods[0].neurons[3]: "neuron" is no neuron; write m3.n17 for neuron 17 of the MLP of layer 3
    "#);
    assert_snapshot!(told("Named([])", ""), @r#"methods[0].neurons: is empty; name at least one, for instance ["m3.n17"], or write Top(20)"#);
    assert_snapshot!(told("Top(0)", ""), @"methods[0].neurons: 0 neurons; gpt2 has 1 to 192 to choose from");
    assert_snapshot!(told("Top(193)", ""), @"methods[0].neurons: 193 neurons; gpt2 has 1 to 192 to choose from");
    let many: Vec<String> = (0..300).map(|neuron| format!("\"m0.n{neuron}\"")).collect();
    assert!(told(&format!("Named([{}])", many.join(", ")), "").contains("300 neurons; 256 are the most"));
    assert_snapshot!(told("Top(3)", r#"against: [(name: "other", seed: 3)]"#), @"against: `neurons: Top` chooses other neurons in each variant, and circuits of other nodes cannot be held against each other; name them, for instance as the facts of a run without `against` do");
    let path = question(&random_pairs(&[4, 4], None), r#"PathPatch(paths: ["m0.n3->logits"])"#, "");
    let told = Plan::new(&experiment(&path), &load("gpt2")).map(|_| ()).expect_err("paths have none").to_string();
    assert_snapshot!(told, @"methods[0].paths[0]: m0.n3 is a neuron, and paths go through whole MLPs; write m0, or use Circuit with `neurons`");
}
