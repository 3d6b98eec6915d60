//! Searches held against true circuits: what must be recovered is, and labels shuffled at random are at chance.

mod common;

use common::*;
use patchclamp::circuit::{Circuit, Recovery};
use patchclamp::compile::compile;
use patchclamp::method::circuit::Evaluation;
use patchclamp::method::{Bench, Finding, Side};
use patchclamp::model::load::Loaded;
use patchclamp::plan::Plan;
use patchclamp::program::{Name, Task};
use patchclamp::spec::Stand;
use patchclamp::steps::Steps;
use patchclamp::table::Row;

/// How far the mean of a thousand shuffles may be off a half: their deviation is below 0.2, so that of the mean is 0.006.
const CHANCE: f64 = 0.03;

fn asked(model: &str, data: &str, methods: &str) -> String {
    format!(r#"(question: "?", model: Compiled({model}), data: {data}, truth: Own, methods: [{methods}])"#)
}

fn load_task(program: Name) -> (Task, Loaded) {
    let task = Task { program, symbols: None, length: None, beside: Vec::new() };
    let loaded = compile(&task).unwrap().load(&[], &device()).unwrap();
    (task, loaded)
}

fn planned(text: &str, loaded: &Loaded) -> Plan {
    Plan::new(&experiment(text), loaded).unwrap_or_else(|error| panic!("{error}"))
}

fn bench<'a>(plan: &'a Plan, loaded: &'a Loaded) -> Bench<'a> {
    let (model, text, statistics) = (loaded.model.as_ref(), loaded.text.as_ref(), plan.experiment.statistics);
    Bench { model, text, items: &plan.items, features: &[], metric: plan.metric(), statistics, seed: 0, rows: 64 }
}

/// What each edge, ablated alone by zero, changes of the metric, the mean size over items.
fn ablated_alone(plan: &Plan, loaded: &Loaded) -> Circuit {
    let (bench, truth) = (bench(plan, loaded), plan.truth.as_ref().unwrap());
    let edges = truth.blocks().edges();
    let outsides: Vec<_> = std::iter::once(Vec::new()).chain(edges.iter().map(|edge| vec![*edge])).collect();
    let mut sums = vec![0.0; edges.len()];
    let evaluation = Evaluation::new(&bench, Stand::Zero).unwrap();
    for items in bench.batches(64) {
        let found = evaluation.values(&items, &outsides).unwrap();
        for (sum, values) in sums.iter_mut().zip(&found[1..]) {
            *sum += values.iter().zip(&found[0]).map(|(value, whole)| (value - whole).abs()).sum::<f64>();
        }
    }
    Circuit::new(truth.blocks().clone(), edges.into_iter().zip(sums)).unwrap()
}

#[test]
fn edges_ablated_alone_by_zero_recover_every_compiled_circuit() {
    // of a backup each way alone does nothing, and texts of one length have one length
    for program in Name::ALL.into_iter().filter(|name| ![Name::Backup, Name::Length].contains(name)) {
        let (_, loaded) = load_task(program);
        let text =
            asked(&format!("program: {program:?}"), "Program(items: 40, shortest: 2)", "Circuit(select: TopN(3))");
        let text = if program.bits().is_some() { text.replace(", shortest: 2", "") } else { text };
        let plan = planned(&text, &loaded);
        let found = ablated_alone(&plan, &loaded).recovery(plan.truth.as_ref().unwrap(), 0).unwrap();
        assert_eq!((found.area.found, found.staircase.found), (1.0, 1.0), "{program:?}");
        assert!((found.area.chance() - 0.5).abs() < CHANCE, "{program:?}: {}", found.area.chance());
        assert!(found.area.p() < 0.05, "{program:?}: {}", found.area.p());
    }
}

/// What each method of an experiment on gates finds.
fn on(program: Name, data: &str, methods: &str) -> Vec<Finding> {
    let (_, loaded) = load_task(program);
    let plan = planned(&asked(&format!("program: {program:?}"), data, methods), &loaded);
    patchclamp::run::run(&plan, &loaded, &mut Steps::unkept(&mut ())).unwrap().findings
}

fn score(finding: &Finding, edge: &str) -> f64 {
    finding.circuits[0].1.link(edge.parse().unwrap()).unwrap().score
}

const BOTH: &str = r#"Pairs([(clean: "1 1", corrupt: "0 0", right: " 1", wrong: " 0")])"#;

/// Where both inputs of an OR are 1 each alone is not needed, and the gate is flat: no gradient, no effect of one edge. The
/// gradients between the two prompts see the slope that lies between.
#[test]
fn what_backs_each_other_up_is_seen_on_the_way_between_only() {
    let methods = "Circuit(score: Eap, select: TopN(3)), Circuit(score: Exact, select: TopN(3)), \
                   Circuit(score: EapIg(steps: 5), select: TopN(3))";
    let found = on(Name::Or, BOTH, methods);
    for edge in ["a1.h0->m1", "a1.h1->m1", "m0->a1.h0<v>"] {
        let [eap, exact, between] = [0, 1, 2].map(|method| score(&found[method], edge));
        assert!(eap == 0.0 && exact == 0.0 && between < -1.0, "{edge}: {eap} {exact} {between}");
    }
    // an AND needs both: each alone takes the answer away
    let found = on(Name::And, BOTH, methods);
    for finding in &found[..2] {
        assert!(score(finding, "a1.h0->m1") < -1.0 && score(finding, "a1.h1->m1") < -1.0);
    }
}

/// A sum is linear: what gradients say of an edge is what happens, to the last bit that f32 can keep of logits.
#[test]
fn gradients_are_exact_on_a_sum() {
    let methods = "Circuit(score: Eap, select: TopN(3)), Circuit(score: Exact, select: TopN(3))";
    // with the third bit 1 the neurons are never at their bend
    let data = r#"Pairs([(clean: "1 1 1", corrupt: "0 1 1", right: " 3", wrong: " 2"),
        (clean: "0 1 1", corrupt: "1 0 1", right: " 2", wrong: " 0")])"#;
    let found = on(Name::Adder, data, methods);
    for edge in ["m0->a1.h0<v>", "a1.h0->m1", "a1.h1->m1", "m1->logits", "a1.h2->m1", "input->logits"] {
        let [eap, exact] = [0, 1].map(|method| score(&found[method], edge));
        assert!((eap - exact).abs() <= 1e-4 * exact.abs(), "{edge}: {eap} {exact}");
    }
    assert!(score(&found[0], "a1.h0->m1").abs() > 1.0);
}

#[test]
fn a_run_tells_how_much_of_the_true_circuit_it_found() {
    let found = on(Name::Gates, "Program(items: 64)", "Circuit(score: EapIg(steps: 5), select: TopN(11))");
    let table = &found[1].tables[0];
    assert_eq!(table.name, "02_recovery");
    let effect = |what: &str, metric: &str| {
        let site = format!("1{what}: EAP-IG, 5 steps");
        let site = site.as_str();
        table.rows.iter().find(|row| row.site.as_deref() == Some(site) && row.metric == metric).unwrap().effect
    };
    let truth = compile(&load_task(Name::Gates).0).unwrap().truth;
    let Recovery { area, staircase, hits, chosen, .. } = found[0].circuits[0].1.recovery(&truth, 0).unwrap();
    assert_eq!(effect("", "roc_area"), area.found);
    assert_eq!(effect("", "roc_staircase"), staircase.found);
    assert_eq!(effect("", "precision"), hits as f64 / chosen as f64);
    // positions are the same in both prompts: only what carries bits differs, and all of that is found
    assert_eq!((hits, chosen, effect("", "false_positives")), (11, 11, 0.0));
    assert!((effect(" shuffled", "roc_area") - 0.5).abs() < CHANCE);
}

/// The clean run of every question has the right answer, with all that the metric promises.
#[test]
fn questions_are_answered_right() {
    for program in Name::ALL.into_iter().filter(|name| *name != Name::Length) {
        let (_, loaded) = load_task(program);
        let text = asked(&format!("program: {program:?}"), "Program(items: 30)", "Circuit(select: TopN(3))");
        let plan = planned(&text, &loaded);
        let whole = |side| bench(&plan, &loaded).whole(side, &mut Steps::unkept(&mut ())).unwrap();
        let (clean, corrupt) = (whole(Side::Clean), whole(Side::Corrupt));
        assert!(clean.iter().all(|metric| *metric > 9.9) && corrupt.iter().all(|metric| *metric < -9.9), "{program:?}");
    }
}

/// What was published of ACDC with zero ablation, on every program: one circuit is the true one, edge by edge; and so is the
/// area under its circuits over thresholds 1, the pessimistic one too.
#[test]
fn acdc_with_zero_ablation_recovers_every_compiled_circuit() {
    for program in Name::ALL.into_iter().filter(|name| ![Name::Backup, Name::Length].contains(name)) {
        let (_, loaded) = load_task(program);
        let methods = "Acdc(threshold: [0.001, 0.01], judge: Divergence, ablate: Zero)";
        let text = asked(&format!("program: {program:?}"), "Program(items: 40)", methods);
        let plan = planned(&text, &loaded);
        let found = patchclamp::run::run(&plan, &loaded, &mut Steps::unkept(&mut ())).unwrap().findings;
        let rows = &found[1].tables[0].rows;
        let effect = |what: &str, metric: &str| {
            let is = |row: &&Row| row.metric == metric && row.site.as_deref() == Some(what);
            rows.iter().find(is).unwrap_or_else(|| panic!("{what} {metric}")).effect
        };
        assert_eq!(effect("1: over 2 thresholds", "roc_area"), 1.0, "{program:?}");
        assert_eq!(effect("1: over 2 thresholds", "roc_staircase"), 1.0, "{program:?}");
        assert!((effect("1 shuffled: over 2 thresholds", "roc_area") - 0.5).abs() < CHANCE, "{program:?}");
        let (own, truth) = (&found[0].circuits[0].1, plan.truth.as_ref().unwrap());
        assert_eq!(own.members(), truth.members(), "{program:?}");
    }
}

/// A query that sees both ways hears of later positions: a sweep must not begin behind the place where the answer is read.
#[test]
fn what_stands_behind_the_answer_reaches_it() {
    let data = r#"Pairs([(clean: "a b c d a", corrupt: "a b c d b", right: " a", wrong: " b", at: 1)])"#;
    let (_, loaded) = load_task(Name::Reverse);
    let text = question(data, r#"Patch(sites: ["hook_resid_pre"], over: [Layer, Position])"#, "");
    let rows = &findings(&text, &loaded)[0].tables[0].rows;
    let share = |layer, position| row_at(rows, Some(layer), None, Some(position)).normalised.unwrap();
    // the last token is read by the head of layer 2, and nothing brings it to the first before
    for layer in 0..3 {
        assert!((share(layer, 5) - 1.0).abs() < 1e-5 && share(layer, 1).abs() < 1e-5, "layer {layer}");
    }
}
