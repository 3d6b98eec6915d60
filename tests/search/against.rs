//! What circuits of any search are held against: the fewest edges, parts taken out, chance.

use super::*;
use patchclamp::circuit::Blocks;
use patchclamp::circuit::{By, Rule, Strength};
use patchclamp::method::score::{Order, scores};
use patchclamp::node::Node;
use patchclamp::precision::Precision;
use patchclamp::spec::{Score, Stand};
use patchclamp::steps::Steps;

/// The mean metric with edges severed, by whole passes.
fn severed(bench: &Bench, stand: Stand, edges: &[Edge]) -> Vec<f64> {
    let asked = acdc(bench.model, 1.0, Judge::Metric, stand);
    whole_pass(bench, &asked, edges).into_iter().map(|value| -value).collect()
}

fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// What every edge and node of a circuit does in it, against whole passes.
#[test]
fn parts_are_taken_out_as_whole_passes_do() {
    let some = [(0, 3), (0, 17), (1, 5)];
    for (case, stand, neurons) in [
        ("gpt2", Stand::Corrupted, &[][..]),
        ("llama", Stand::Mean, &[]),
        ("pythia-parallel", Stand::Zero, &[]),
        ("gpt2", Stand::Zero, &some),
        ("llama", Stand::Corrupted, &some),
        ("pythia-parallel", Stand::Mean, &some),
    ] {
        let loaded = load_in(case, Precision::F64);
        let names: Vec<String> = neurons.iter().map(|(layer, neuron)| format!("\"m{layer}.n{neuron}\"")).collect();
        let named = if names.is_empty() { "None".into() } else { format!("Named([{}])", names.join(", ")) };
        let count = if names.is_empty() { 25 } else { 60 };
        let method = format!("Circuit(score: Eap, neurons: {named}, select: TopN({count}), ablate: {stand:?})");
        let found = &findings(&question(LATE, &method, "precision: F64"), &loaded)[0];
        let (model, plan) = (loaded.model.ungrouped().parted(neurons), plan(LATE, &loaded));
        let bench = bench(model.as_ref(), &plan, 64);
        let parts = found.tables.iter().find(|table| table.name.ends_with(".removals")).unwrap();
        let (circuit, rows) = (&found.circuits[0].1, &parts.rows);
        let outside: Vec<Edge> = circuit.links().filter(|link| !link.in_circuit).map(|link| link.edge).collect();
        let own = severed(&bench, stand, &outside);
        let without = |holds: &dyn Fn(&Edge) -> bool| -> Vec<f64> {
            let more = circuit.edges().map(|link| link.edge).filter(|edge| holds(edge));
            severed(&bench, stand, &outside.iter().copied().chain(more).collect::<Vec<_>>())
        };
        let effect = |site: String, metric: &str| run_row(rows, &site, metric).effect;
        for link in circuit.edges() {
            let expected = average(&without(&|edge| *edge == link.edge)) - average(&own);
            assert!((effect(link.edge.to_string(), "logit_diff") - expected).abs() < 1e-9, "{case} {}", link.edge);
        }
        let all = circuit.blocks().edges();
        let total = average(&severed(&bench, stand, &[])) - average(&severed(&bench, stand, &all));
        for node in circuit.vertices().into_iter().filter_map(|vertex| vertex.node()) {
            let leaves = |edge: &Edge| edge.from == node;
            let alone = average(&without(&leaves));
            assert!((effect(node.to_string(), "logit_diff") - (alone - average(&own))).abs() < 1e-9, "{case} {node}");
            let of_node: Vec<Edge> = all.iter().copied().filter(leaves).collect();
            let expected = (alone - average(&severed(&bench, stand, &of_node))) / total;
            assert!((effect(node.to_string(), "incompleteness") - expected).abs() < 1e-9, "{case} {node}");
        }
        let has_neurons = circuit.vertices().iter().any(|vertex| vertex.node().is_some_and(|n| n.neuron().is_some()));
        assert_eq!(has_neurons, !neurons.is_empty(), "{case}");
        assert!(circuit.contains("input->logits".parse().unwrap()) || circuit.vertices().len() > 2, "{case}");
    }
}

/// The row of an edge, a node or a circuit.
fn run_row<'a>(rows: &'a [patchclamp::table::Row], site: &str, metric: &str) -> &'a patchclamp::table::Row {
    rows.iter().find(|row| row.site.as_deref() == Some(site) && row.metric == metric).unwrap()
}

/// One edge fewer is not faithful enough, and what chance draws is told beside it.
#[test]
fn the_fewest_faithful_edges_are_found() {
    let loaded = load_in("gpt2", Precision::F64);
    for least in [0.5, 0.95, 1.0] {
        let method = format!("Circuit(score: Exact, select: Faithful({least}), by: Sign, random_circuits: 7)");
        let found = &findings(&question(LATE, &method, "precision: F64"), &loaded)[0];
        let circuit = &found.circuits[0].1;
        let told = &found.tables[0].facts["selection"];
        let count: usize = told.trim_end_matches(", then pruned").rsplit(": ").next().unwrap().parse().unwrap();
        let plan = plan(LATE, &loaded);
        let bench = bench(loaded.model.as_ref(), &plan, 64);
        let metric = |outside: &[Edge]| average(&severed(&bench, Stand::Corrupted, outside));
        let (whole, empty) = (metric(&[]), metric(&circuit.blocks().edges()));
        let faithful = |count: usize| {
            let chosen = circuit.select(Rule::Top(By::Loss), count).prune();
            let outside: Vec<Edge> = chosen.links().filter(|link| !link.in_circuit).map(|link| link.edge).collect();
            (metric(&outside) - empty) / (whole - empty)
        };
        assert!(faithful(count) >= least && faithful(count - 1) < least, "{told}");
        assert_eq!(circuit.members(), circuit.select(Rule::Top(By::Loss), count).prune().members());
        let done = &found.tables[1].rows;
        assert!((run_row(done, "circuit", "faithfulness").effect - faithful(count)).abs() < 1e-9);
        let chance = ["random circuits", "shuffled answers"].map(|name| run_row(done, name, "faithfulness").n);
        assert_eq!(chance, [7, 20]);
        // draws are not all the same one
        let random = run_row(done, "random circuits", "faithfulness");
        assert!(random.low < random.high, "{random:?}");
    }
}

/// What stands in for scoring again where answers are exchanged.
#[test]
fn scores_of_exchanged_answers_are_turned() {
    let loaded = load("gpt2");
    let plan = plan(LATE, &loaded);
    let mut other = plan.items.clone();
    for item in &mut other {
        let answers = item.answers.as_mut().unwrap();
        std::mem::swap(&mut answers.right, &mut answers.wrong);
    }
    let dims = loaded.model.dims();
    let order = Order::new(&Blocks::new(dims.layers, dims.heads, loaded.model.flow().unwrap()));
    for (score, sign) in [
        (Score::Eap, -1.0),
        (Score::EapIg { steps: 3 }, -1.0),
        (Score::EapIgActivations { steps: 2 }, -1.0),
        (Score::CleanCorrupted, -1.0),
        (Score::Exact, -1.0),
        (Score::InformationFlow, 1.0),
    ] {
        let own = bench(loaded.model.as_ref(), &plan, 64);
        let turned = Bench { items: &other, ..own };
        let [own, turned] = [own, turned]
            .map(|bench| scores(&bench, &order, (score, Stand::Corrupted), &mut Steps::unkept(&mut ())).unwrap());
        for (own, turned) in own.iter().flatten().zip(turned.iter().flatten()) {
            assert!((sign * own - turned).abs() < 1e-5, "{score:?}: {own} {turned}");
        }
    }
}

/// Pairs of two kinds: the answer hangs on the first token of the one and on the last of the other.
fn kinds(labels: [&str; 6]) -> String {
    let pair = |(number, label): (usize, &str)| {
        let (a, b, c) = (2 + number, 11 + number, 20 + number);
        let [clean, corrupt] = [[a, b, c, 6], if label == "first" { [a + 7, b, c, 6] } else { [a, b, c + 7, 6] }];
        format!(
            "(clean: {clean:?}, corrupt: {corrupt:?}, right: 30, wrong: 36, labels: {{\"kind\": \"{label}\", \"pair\": \"{}\"}})",
            number / 2
        )
    };
    format!("Pairs([{}])", labels.into_iter().enumerate().map(pair).collect::<Vec<_>>().join(", "))
}

/// The labels of a table of stability, in order.
fn told(labels: [&str; 6]) -> Vec<String> {
    let found = &findings(&question(&kinds(labels), "Circuit(score: Eap, select: TopN(12))", ""), &load("gpt2"))[0];
    let table = found.tables.iter().find(|table| table.name.ends_with(".stability")).unwrap();
    table.rows.iter().map(|row| row.site.clone().unwrap()).collect()
}

#[test]
fn items_of_a_label_are_held_against_the_others() {
    let always = ["draws with all items", "draws with each other", "halves of the items"].map(String::from).to_vec();
    // of two labels either is all the others; what is a pair is no label, and two items of one are one observation
    let own = ["kind first with the others", "kind first, by chance"].map(String::from);
    assert_eq!(told(["first", "first", "last", "last", "last", "last"]), [always.clone(), own.to_vec()].concat());
    assert_eq!(told(["first"; 6]), always);
    let three = told(["first", "first", "last", "last", "other", "other"]);
    assert_eq!(three.len(), always.len() + 6);
    // the circuit of the label is that of its items alone
    let data = kinds(["first", "first", "last", "last", "last", "last"]);
    let loaded = load("gpt2");
    let plan = plan(&data, &loaded);
    let bench = bench(loaded.model.as_ref(), &plan, 64);
    let dims = loaded.model.dims();
    let order = Order::new(&Blocks::new(dims.layers, dims.heads, loaded.model.flow().unwrap()));
    let found = scores(&bench, &order, (Score::Eap, Stand::Corrupted), &mut Steps::unkept(&mut ())).unwrap();
    let circuit = |items: std::ops::Range<usize>| {
        let count = items.len() as f64;
        let mean = |edge: usize| items.clone().map(|item| f64::from(found[item][edge])).sum::<f64>() / count;
        let blocks = Blocks::new(dims.layers, dims.heads, loaded.model.flow().unwrap());
        let scored = order.edges().into_iter().enumerate().map(|(place, edge)| (edge, mean(place)));
        patchclamp::circuit::Circuit::new(blocks, scored).unwrap().select(Rule::Top(By::Size), 12).prune()
    };
    let expected = circuit(0..2).jaccard(&circuit(2..6)).unwrap();
    let run = &findings(&question(&data, "Circuit(score: Eap, select: TopN(12))", ""), &loaded)[0];
    let table = run.tables.iter().find(|table| table.name.ends_with(".stability")).unwrap();
    assert_eq!(run_row(&table.rows, "kind first with the others", "jaccard").effect, expected);
    assert!(expected < 1.0);
}

/// With every edge in, a draw of the null does the whole effect, turned in the items whose answers are exchanged: one of
/// three here.
#[test]
fn shuffled_answers_turn_the_effect_of_the_items_that_they_are_exchanged_in() {
    let loaded = load_in("gpt2", Precision::F64);
    let all = plan_edges(&loaded);
    let found =
        &findings(&question(LATE, &format!("Circuit(score: Eap, select: TopN({all}))"), "precision: F64"), &loaded)[0];
    let of_items = |site: &str| -> Vec<f64> {
        let rows = found.items[0].rows.iter().filter(|row| row.site.as_deref() == Some(site));
        rows.map(|row| row.effect).collect()
    };
    let effects: Vec<f64> =
        of_items("all edges").iter().zip(of_items("no edge")).map(|(whole, empty)| whole - empty).collect();
    let total: f64 = effects.iter().sum();
    let shares: Vec<f64> = effects.iter().map(|effect| 1.0 - 2.0 * effect / total).collect();
    let [least, most] = [f64::min, f64::max].map(|of| shares.iter().copied().reduce(of).unwrap());
    let null = run_row(&found.tables[1].rows, "shuffled answers", "faithfulness");
    assert!(effects.len() == 3 && null.n == 20 && least < most);
    let ends = [null.low.unwrap(), null.high.unwrap()];
    assert!((ends[0] - least).abs() < 1e-6 && (ends[1] - most).abs() < 1e-6, "{null:?} {shares:?}");
}

fn plan_edges(loaded: &Loaded) -> usize {
    let dims = loaded.model.dims();
    Blocks::new(dims.layers, dims.heads, loaded.model.flow().unwrap()).edges().len()
}

#[test]
fn a_path_of_a_circuit_does_what_path_patching_says() {
    for case in ["gpt2", "llama", "pythia-parallel"] {
        let loaded = load_in(case, Precision::F64);
        let circuit = "Circuit(score: Eap, select: TopN(30))";
        let found = &findings(&question(LATE, circuit, "precision: F64"), &loaded)[0];
        let told = found.tables.iter().find(|table| table.name.ends_with(".paths")).unwrap();
        let paths: Vec<&patchclamp::table::Row> = told.rows.iter().filter(|row| row.metric == "logit_diff").collect();
        assert!(paths.len() > 3 && paths.windows(2).all(|two| two[0].effect.abs() >= two[1].effect.abs()), "{case}");
        let names: Vec<String> = paths.iter().map(|row| row.site.clone().unwrap()).collect();
        let patch = format!("PathPatch(paths: {names:?}, direction: Noise)");
        let patched = &findings(&question(LATE, &patch, "precision: F64"), &loaded)[0].tables[0];
        for (own, other) in paths.iter().zip(&patched.rows) {
            assert!(own.site == other.site && (own.effect - other.effect).abs() < 1e-9, "{case} {own:?} {other:?}");
        }
        // the strongest by their weakest edge are all there
        let strongest = found.circuits[0].1.paths(Node::Input, Strength::Weakest, 3);
        assert!(strongest.iter().all(|(path, _)| names.contains(&path.to_string())), "{case} {names:?}");
    }
}
