//! What circuits of any search are held against: the fewest edges, parts taken out, chance.

use super::*;
use patchclamp::circuit::Blocks;
use patchclamp::circuit::{By, Rule};
use patchclamp::method::score::{Order, scores};
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
        let count = if names.is_empty() { 25 } else { 90 };
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
