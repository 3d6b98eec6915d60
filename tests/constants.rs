//! Optimal constants: never worse than means where they were fitted, and used where they were not.

mod common;

use common::*;
use insta::assert_snapshot;
use patchclamp::circuit::Blocks;
use patchclamp::method::Bench;
use patchclamp::method::circuit::{Constants, Evaluation};
use patchclamp::method::edge_pruning::Masked;
use patchclamp::method::score::Order;
use patchclamp::model::Model;
use patchclamp::model::load::Loaded;
use patchclamp::node::Edge;
use patchclamp::plan::{Item, Plan};
use patchclamp::precision::Precision;
use patchclamp::spec::{Judge, Stand};
use patchclamp::tensor::to_doubles;

const FIT: (usize, f64) = (25, 0.03);

fn plan(data: &str, loaded: &Loaded) -> Plan {
    Plan::new(&experiment(&question(data, "LogitLens()", "")), loaded).unwrap()
}

fn bench<'a>(model: &'a dyn Model, plan: &'a Plan, items: &'a [Item]) -> Bench<'a> {
    let statistics = plan.experiment.statistics;
    Bench { model, text: None, items, features: &[], metric: plan.metric(), statistics, seed: 0, rows: 3 }
}

fn edges(model: &dyn Model) -> (Order, Vec<Edge>) {
    let order = Order::new(&Blocks::new(model.dims().layers, model.dims().heads, model.flow().unwrap()));
    let edges = order.edges();
    (order, edges)
}

#[test]
fn constants_lose_no_more_than_means_on_the_items_they_were_fitted_on() {
    let data = random_pairs(&[5, 4, 5, 5, 4, 5], None);
    for case in ["gpt2", "llama", "pythia-parallel"] {
        let loaded = load_in(case, Precision::F64);
        let (model, plan) = (loaded.model.ungrouped(), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, &plan.items);
        let (_, all) = edges(model.as_ref());
        let some: Vec<Edge> = all.iter().copied().step_by(3).collect();
        let constants = Constants::fit(&bench, &[all.clone(), some.clone(), Vec::new()], FIT).unwrap();
        for outside in [&all, &some] {
            for fitted in constants.fitted(outside) {
                assert!(fitted.lost < 0.99 * fitted.by_means, "{case}: {} {}", fitted.lost, fitted.by_means);
            }
        }
        // where nothing is severed nothing is lost, and nothing is changed
        let [whole, _] = constants.fitted(&[]);
        assert_eq!((whole.lost, whole.by_means), (0.0, 0.0));
    }
}

/// What is said to be lost by means is what masks of the same edges lose by them.
#[test]
fn what_means_lose_is_what_severed_edges_lose_by_means() {
    let data = random_pairs(&[5, 5, 4, 5], None);
    let loaded = load_in("gpt2", Precision::F64);
    let plan = plan(&data, &loaded);
    let model = loaded.model.as_ref();
    let (order, all) = edges(model);
    let some: Vec<Edge> = all.iter().copied().step_by(2).collect();
    let whole = bench(model, &plan, &plan.items);
    let constants = Constants::fit(&whole, std::slice::from_ref(&some), (1, 0.01)).unwrap();
    // every way of taking half of four items, among which is the one that was taken
    let mut lost = Vec::new();
    for (first, second) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
        let items = [plan.items[first].clone(), plan.items[second].clone()];
        let half = bench(model, &plan, &items);
        let shares: Vec<f64> = all.iter().map(|edge| f64::from(u8::from(some.contains(edge)))).collect();
        lost.push(Masked::new(&half, &order, (Judge::Divergence, Stand::Mean)).unwrap().cost(&shares).unwrap().0);
    }
    for fitted in constants.fitted(&some) {
        let near = lost.iter().any(|lost| (lost - fitted.by_means).abs() < 1e-9);
        assert!(near, "{} is not among {lost:?}", fitted.by_means);
    }
}

#[test]
fn no_item_has_a_part_in_the_constants_that_it_is_run_with() {
    let loaded = load_in("gpt2", Precision::F64);
    let (clean, corrupt) = (random_rows(&[5; 3], 11), random_rows(&[5; 3], 12));
    let pair = |row: usize| format!("(clean: {:?}, corrupt: {:?}, right: 5, wrong: 6)", clean[row], corrupt[row]);
    // the constants that both items are run with, among them that of the one that is the same both times
    let of = |rows: [usize; 2]| -> Vec<Vec<f64>> {
        let plan = plan(&format!("Pairs([{}, {}])", pair(rows[0]), pair(rows[1])), &loaded);
        let bench = bench(loaded.model.as_ref(), &plan, &plan.items);
        let (_, all) = edges(loaded.model.as_ref());
        let constants = Constants::fit(&bench, std::slice::from_ref(&all), FIT).unwrap();
        let item = |item: usize| constants.of(&all, &[item]).values().flat_map(to_doubles).collect();
        vec![item(0), item(1)]
    };
    let (one, other) = (of([0, 1]), of([2, 1]));
    assert_eq!(one[0], other[0], "item 0 is run with what was fitted on item 1, whatever item 0 is");
    assert_ne!(one[1], other[1], "item 1 is run with what was fitted on item 0");
}

#[test]
fn a_circuit_is_run_with_constants() {
    let data = random_pairs(&[5, 4, 5, 5], None);
    let loaded = load("llama");
    let method = "Circuit(score: Eap, select: TopN(30), ablate: Optimal(steps: 5))";
    let found = findings(&question(&data, method, ""), &loaded).remove(0);
    assert!(found.tables[1].facts["ablation"].starts_with("Optimal(steps: 5, learning_rate: 0.03): of each circuit"));
    let row = |name: &str| {
        let is_it = |row: &&patchclamp::table::Row| row.site.as_deref() == Some(name) && row.metric == "faithfulness";
        found.tables[1].rows.iter().find(is_it).unwrap().effect
    };
    assert_eq!((row("all edges"), row("no edge")), (1.0, 0.0));
    // of items in the order they were asked for
    let (model, plan) = (loaded.model.ungrouped(), plan(&data, &loaded));
    let bench = bench(model.as_ref(), &plan, &plan.items);
    let (_, all) = edges(model.as_ref());
    let stand = Stand::Optimal { steps: 3, learning_rate: 0.03 };
    let mut evaluation = Evaluation::new(&bench, stand).unwrap();
    evaluation.prepare(std::slice::from_ref(&all)).unwrap();
    let values = |items: &[usize]| evaluation.values(items, std::slice::from_ref(&all)).unwrap().remove(0);
    let (both, turned) = (values(&[0, 2, 3]), values(&[3, 0, 2]));
    for (one, other) in [both[2], both[0], both[1]].into_iter().zip(turned) {
        assert!((one - other).abs() < 1e-5, "{one} {other}");
    }
}

#[test]
fn constants_that_cannot_be_fitted_are_refused_with_a_reason() {
    let text = question(
        &random_pairs(&[5], None),
        "Circuit(select: TopN(5), ablate: Optimal(steps: 0, learning_rate: 0.0)), EdgePruning(target: Edges(5), ablate: Optimal())",
        "",
    );
    let told = Plan::new(&experiment(&text), &load("gpt2")).map(|_| ()).expect_err("it cannot be run").to_string();
    assert_snapshot!(told, @r"
    methods[0].ablate.steps: 0 is not between 1 and 10000
    methods[0].ablate.learning_rate: 0 is no number above 0; give for instance 0.1
    methods[0].ablate: Optimal fits constants on one half of the items for the other, so it needs at least two; use Mean
    methods[1].ablate: Optimal fits constants on one half of the items for the other, so it needs at least two; use Mean
    methods[1].ablate: Optimal fits constants to a circuit that is there; search with Mean, Zero or Corrupted
    ");
}
