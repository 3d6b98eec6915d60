//! Path patching: parity with single passes through transformers' modules, and the laws that hold whatever the weights.

mod common;

use common::*;
use insta::assert_snapshot;
use patchclamp::hook::{Edges, Frozen, Record, Route, Wire};
use patchclamp::model::load::{self, Loaded};
use patchclamp::model::{Model, Pass, Start, run};
use patchclamp::node::{Node, Port};
use patchclamp::plan::Plan;
use patchclamp::site::Site;
use patchclamp::table::Row;
use patchclamp::tensor::to_floats;
use patchclamp::text::Tokens;
use serde_json::Value;
use std::collections::BTreeSet;

/// f32 in another order of additions, relative to the larger of a metric and 1.
const TOLERANCE: f64 = 1e-5;
/// The same where many small changes come one after another.
const LOOSE: f64 = 1e-4;

fn method(case: &Value) -> String {
    let word = |name: &str| case[name].as_str().map(|word| format!("{name}: {word}"));
    let list = |name: &str| case[name].is_array().then(|| format!("{name}: {}", case[name]));
    let fields =
        ["senders", "through", "direction"].map(word).into_iter().chain(["paths", "receivers", "at"].map(list));
    format!("PathPatch({})", fields.flatten().collect::<Vec<_>>().join(", "))
}

fn check_golden(name: &str, loaded: &Loaded) {
    let text = std::fs::read_to_string(golden("paths.json")).unwrap();
    let golden = &serde_json::from_str::<Value>(&text).unwrap()[name];
    for case in golden["cases"].as_array().unwrap() {
        let (method, rows) = (method(case), case["values"].as_array().unwrap());
        let found = &findings(&question(&golden_pairs(golden), &method, ""), loaded)[0];
        let base = if case["direction"] == "Noise" { "clean_metric" } else { "corrupt_metric" };
        let (base, items) = (floats(&golden[base]), &found.items[0].rows);
        assert_eq!(items.len(), rows.len() * base.len(), "{name} {method}");
        for (place, expected) in items.chunks(base.len()).zip(rows) {
            for ((row, expected), base) in place.iter().zip(floats(expected)).zip(&base) {
                let difference = (row.effect + base - expected).abs() / expected.abs().max(1.0);
                assert!(difference < TOLERANCE, "{name} {method} {:?} {:?}: {difference}", row.site, row.head);
            }
        }
    }
}

#[test]
fn paths_agree_with_single_passes_through_gpt2() {
    check_golden("gpt2", &load("gpt2"));
}

#[test]
fn paths_agree_with_single_passes_through_parallel_blocks() {
    check_golden("pythia-parallel", &load("pythia-parallel"));
}

#[test]
fn paths_agree_with_single_passes_where_heads_share_keys() {
    if let Some(folder) = real_weights("stories260K") {
        check_golden("stories260K", &load::folder(&folder, &[], &device()).unwrap());
    }
}

fn frozen(model: &dyn Model, base: &Tokens, given: &Tokens) -> Frozen {
    let layers = model.dims().layers;
    let out = |layer: usize| {
        let [_, heads, d_head, d_model] = model.block(layer).attention.out_by_head().dims();
        model.block(layer).attention.out_by_head().reshape([heads * d_head, d_model])
    };
    Frozen {
        neurons: vec![Vec::new(); model.dims().layers],
        base: recorded(model, base, model.sites()).into_kept(),
        given: recorded(model, given, model.sites()).into_kept(),
        outs: (0..layers).map(out).collect(),
        last: model.last_stream(),
    }
}

fn everything(model: &dyn Model) -> Wire {
    let dims = model.dims();
    Wire {
        from: Node::all(dims.layers, dims.heads).into_iter().collect(),
        into: Port::all(dims.layers, dims.heads).into_iter().collect(),
        at: None,
    }
}

/// One wire for each node that writes: as many as a circuit may have.
fn one_by_one(wire: &Wire) -> Vec<Wire> {
    wire.from.iter().map(|node| Wire { from: [*node].into(), into: wire.into.clone(), at: None }).collect()
}

#[test]
fn all_paths_from_the_input_are_the_other_run() {
    for case in DECODERS {
        let loaded = load(case);
        let model = loaded.model.ungrouped();
        let model = model.as_ref();
        if model.flow().is_none() {
            continue; // a norm behind what is written: no stream that is a sum
        }
        let (base, given) = (Tokens::new(random_rows(&[5, 5], 1)), Tokens::new(random_rows(&[5, 5], 2)));
        let frozen = frozen(model, &base, &given);
        let all = everything(model);
        for wires in [one_by_one(&all), vec![all]] {
            let route = Route { senders: [Node::Input].into(), wires };
            let mut edges = Edges::new(&frozen, &[(0, &route), (1, &route)], 0);
            let pass = Pass { start: Start::at(0, edges.start()), ..Pass::whole(&base) };
            let found = run(model, &pass, &mut edges).unwrap();
            let other = logits(model, &given, &mut ());
            assert_close(&found, &other, LOOSE as f32, case);
        }
    }
}

#[test]
fn no_path_is_nothing() {
    for case in DECODERS {
        let model = load(case).model.ungrouped();
        if model.flow().is_none() {
            continue;
        }
        let (base, given) = (Tokens::new(random_rows(&[5, 5], 1)), Tokens::new(random_rows(&[5, 5], 2)));
        let frozen = frozen(model.as_ref(), &base, &given);
        let route = Route { senders: [Node::Input, Node::Mlp(0)].into(), wires: vec![Wire::default()] };
        let mut edges = Edges::new(&frozen, &[(0, &route), (1, &route)], 0);
        let pass = Pass { start: Start::at(0, edges.start()), ..Pass::whole(&base) };
        let found = run(model.as_ref(), &pass, &mut edges).unwrap();
        assert_eq!(bits(&found), bits(&logits(model.as_ref(), &base, &mut ())), "{case}");
    }
}

#[test]
fn keys_of_their_own_change_nothing() {
    for case in DECODERS {
        let loaded = load(case);
        let own = loaded.model.ungrouped();
        assert_eq!(own.dims().key_heads, own.dims().heads);
        let tokens = Tokens::new(random_rows(&[5, 5], 1));
        let (a, b) = (logits(own.as_ref(), &tokens, &mut ()), logits(loaded.model.as_ref(), &tokens, &mut ()));
        assert_close(&a, &b, TOLERANCE as f32, case);
    }
}

fn effects(loaded: &Loaded, data: &str, method: &str) -> Vec<Row> {
    findings(&question(data, method, ""), loaded).remove(0).items.remove(0).rows
}

/// All ways from a sender on are open where it gives everything it reaches first to what runs freely behind.
#[test]
fn all_paths_from_a_sender_are_a_plain_patch_of_it() {
    let data = random_pairs(&[5, 5, 5], None);
    for case in ["gpt2", "llama", "pythia-parallel", "pythia-sequential", "mistral"] {
        let loaded = load(case);
        let own = loaded.model.ungrouped();
        let model = own.as_ref();
        let rows = |seed| Tokens::new(random_rows(&[5, 5, 5], seed));
        let (clean, corrupt) = (rows(1), rows(2));
        let frozen = frozen(model, &corrupt, &clean);
        let all = everything(model);
        for (sender, site) in [(Node::Head(0, 1), "attn.hook_result"), (Node::Mlp(0), "hook_mlp_out")] {
            let later = |node: &Node| {
                *node == sender || node.layer() > Some(0) || (sender == Node::Head(0, 1) && *node == Node::Mlp(0))
            };
            let from: BTreeSet<Node> = all.from.iter().copied().filter(later).collect();
            let flow = model.flow().unwrap();
            // a port that nothing here comes before is not entered
            let into = all.into.iter().copied().filter(|port| sender.precedes(*port, flow)).collect();
            let route = Route { senders: [sender].into(), wires: vec![Wire { from, into, at: None }] };
            let routes: Vec<(usize, &Route)> = (0..3).map(|item| (item, &route)).collect();
            let begin = route.begin(model.dims().layers);
            let mut edges = Edges::new(&frozen, &routes, begin);
            let pass = Pass { start: Start::at(begin, edges.start()), ..Pass::whole(&corrupt) };
            let found = to_floats(&run(model, &pass, &mut edges).unwrap().narrow(1, 4, 1));
            let over = if sender.head().is_some() { "Layer, Head" } else { "Layer" };
            let method = format!(r#"Patch(sites: ["{site}"], over: [{over}])"#);
            let patched = effects(&loaded, &data, &method);
            let base = to_floats(&logits(model, &corrupt, &mut ()).narrow(1, 4, 1));
            let (answers, vocabulary) = (random_rows(&[2; 3], 3), model.dims().vocabulary);
            for item in 0..3 {
                let metric = |logits: &[f32]| {
                    let logit = |answer: usize| f64::from(logits[item * vocabulary + answers[item][answer] as usize]);
                    logit(0) - logit(1)
                };
                let here = |row: &&Row| (row.layer, row.head, row.item) == (Some(0), sender.head(), Some(item));
                let expected = patched.iter().find(here).unwrap().effect;
                let difference = (metric(&found) - metric(&base) - expected).abs();
                assert!(difference < LOOSE, "{case} {site} item {item}: {difference}");
            }
        }
    }
}

/// The direct way to the logits, from the formula: the last norm of the base stream and the sender's change.
#[test]
fn a_direct_path_is_the_last_norm_of_the_changed_stream() {
    let data = random_pairs(&[5, 5, 5], None);
    for case in ["gpt2", "llama", "pythia-parallel"] {
        let loaded = load(case);
        let model = loaded.model.as_ref();
        let rows = effects(&loaded, &data, r#"PathPatch(senders: Heads)"#);
        let tokens = |seed| Tokens::new(random_rows(&[5, 5, 5], seed));
        let layers = model.dims().layers;
        let sites = || (0..layers).map(Site::HeadOut).chain([model.last_stream()]);
        let (clean, corrupt): (Record, Record) =
            (recorded(model, &tokens(1), sites()), recorded(model, &tokens(2), sites()));
        let base = corrupt.at(model.last_stream()).unwrap().clone();
        let unembed = |stream: patchclamp::hook::Activation| {
            let normed = model.final_norm().unwrap().apply(stream.narrow(2, 4, 1));
            to_floats(&model.unembedding().forward(normed.squeeze_dim(1)))
        };
        let (plain, vocabulary, answers) = (unembed(base.clone()), model.dims().vocabulary, random_rows(&[2; 3], 3));
        for row in rows {
            let (site, head, item) = (Site::HeadOut(row.layer.unwrap()), row.head.unwrap(), row.item.unwrap());
            let out = |record: &Record| record.at(site).unwrap().clone().narrow(1, head, 1);
            let changed = unembed(base.clone() + out(&clean) - out(&corrupt));
            let logit =
                |logits: &[f32], answer: usize| f64::from(logits[item * vocabulary + answers[item][answer] as usize]);
            let metric = |logits: &[f32]| logit(logits, 0) - logit(logits, 1);
            let difference = (metric(&changed) - metric(&plain) - row.effect).abs();
            assert!(difference < TOLERANCE * 10.0, "{case} {site} head {head}: {difference}");
        }
    }
}

fn problems(methods: &str, model: &str) -> String {
    let text = question("Pairs([(clean: [1, 2, 3], corrupt: [1, 4, 3], right: 5, wrong: 6, at: 2)])", methods, "");
    Plan::new(&experiment(&text), &load(model)).map(|_| ()).expect_err("the plan has a mistake").to_string()
}

#[test]
fn paths_that_lead_nowhere_are_refused() {
    let methods = r#"
        PathPatch(),
        PathPatch(paths: ["a0.h1", "a0.h1->a1.h1->logits", "a1.h0->a0.h1<v>", "m7->logits", "a0.h9->logits->m1", "m1->logits", "m1->logits"]),
        PathPatch(senders: Heads, receivers: ["a0.h0<q>", "logits"], at: [3]),
        PathPatch(senders: Heads, receivers: ["a0.h0<q>"]),
    "#;
    assert_snapshot!(problems(methods, "gpt2"), @r#"
    methods[0]: needs either `paths`, for instance ["a0.h1->logits"], or `senders`: Heads, Mlps, Input or All
    methods[1].paths[0]: "a0.h1" has no arrow; write for instance a0.h1->logits, or a0.h1->a2.h1<v>->logits
    methods[1].paths[1]: "a1.h1" is nothing that reads the stream; write a5.h3<q>, a5.h3<k> or a5.h3<v> for what a head reads, m7 for an MLP, or logits
    methods[1].paths[2]: a1.h0 does not come before a0.h1<v>
    methods[1].paths[3]: layer 7 does not exist; gpt2 has layers 0 to 1
    methods[1].paths[4]: head 9 does not exist; gpt2 has heads 0 to 2
    methods[1].paths[4]: nothing comes behind the logits
    methods[1].paths[6]: stands twice
    methods[2].at: position 3 does not exist; the shortest prompt has positions 0 to 2
    methods[2].receivers: what goes straight to the logits and what runs on through a head are two questions; ask the logits in a method of their own
    methods[3].receivers: nothing of this kind comes before any of them
    "#);
}

#[test]
fn cuts_and_scopes_are_checked_like_sweeps() {
    let methods = r#"
        Knockout(from: [9], to: [], window: 0, over: [Neuron], only: (heads: [3], positions: [1])),
        Knockout(from: [0, 1, 2], over: [Layer]),
        Knockout(to: [0], over: [Layer]),
        Patchscope(prompt: [1, 99], layers: [2]),
        Patchscope(prompt: [1, 2], at: 2, into: 2, layers: [2, 2], from: [3], tokens: 15),
    "#;
    assert_snapshot!(problems(methods, "gpt2"), @r"
    methods[0].from: position 9 does not exist; the shortest prompt has positions 0 to 2
    methods[0].to: is empty; name the queries, for instance [Answer]
    methods[0].window: 0 layers; it holds 1 to 2
    methods[0]: attention has no neurons; sweep Layer, Head or Position
    methods[0].only.positions: name the keys in `from` and the queries in `to`
    methods[0].only.heads: head 3 does not exist; gpt2 has heads 0 to 2
    methods[1].from: the query at position 2 would see nothing at all; leave it a key, for instance itself
    methods[2].from: there is no key before the query; name others
    methods[3].prompt: token 99 does not exist; the vocabulary has 0 to 47
    methods[4].layers: 2 stands twice
    methods[4].from: position 3 does not exist; the shortest prompt has positions 0 to 2
    methods[4].layers: layer 2 does not exist; gpt2 has layers 0 to 1
    methods[4].into: layer 2 does not exist; gpt2 has layers 0 to 1
    methods[4].at: position 2 does not exist; the prompt has positions 0 to 1
    methods[4].tokens: 15 tokens after a prompt of 2; the model's positions leave 1 to 14
    ");
}

#[test]
fn an_encoder_has_no_single_edges() {
    assert_snapshot!(problems("PathPatch(senders: Heads)", "bert"), @"methods[0]: needs a model in which everything that heads and MLPs write is added to one stream; here a norm stands between, so a single edge is not defined");
}
