//! Circuits at positions carried out: with everything that can be asked of them, and what cannot.

use super::common::edges::blocks;
use super::common::*;
use insta::assert_snapshot;
use patchclamp::circuit::{Heard, Places};
use patchclamp::compile::compile;
use patchclamp::method::Finding;
use patchclamp::node::{Edge, Node};
use patchclamp::plan::Plan;
use patchclamp::precision::Precision;
use patchclamp::program::{Name, Task};
use patchclamp::table::Row;

/// A model that sees both ways has nodes behind the answer too, and they matter.
#[test]
fn positions_behind_the_answer_count_where_a_model_sees_both_ways() {
    let task = Task { program: Name::Reverse, symbols: None, length: None, beside: Vec::new() };
    let loaded = compile(&task).unwrap().load(&[], &device()).unwrap();
    let data = "Pairs([(clean: [0, 1, 2, 3], corrupt: [0, 1, 3, 2], right: 3, wrong: 2, at: 1)])";
    let methods = "Circuit(score: Exact, positions: Each, ablate: Corrupted, select: TopN(20), random_circuits: 0)";
    let text = question(data, methods, "").replace("Path(\".\")", "Compiled(program: Reverse)");
    let (_, outcome) = carry_out(&text, &loaded);
    let circuit = &outcome.findings[0].circuits[0].1;
    assert_eq!(circuit.blocks().positions(), Some(Places { count: 4, answer: 1, heard: Heard::Everywhere }));
    // the first symbol of the reversed text is the last one, which stands behind it
    let behind = circuit.edges().filter(|link| link.edge.from == Node::Input && link.edge.position == Some(3));
    assert!(behind.count() > 0, "{:?}", circuit.edges().map(|link| link.edge.to_string()).collect::<Vec<_>>());
    let done = &outcome.findings[0].tables[1].rows;
    let row = done.iter().find(|row| row.site.as_deref() == Some("circuit") && row.metric == "faithfulness").unwrap();
    assert!((row.effect - 1.0).abs() < 1e-6, "{row:?}");
}

/// A part taken out of all edges is that edge severed; what an edge carries of a feature adds up over its positions.
#[test]
fn removals_and_features_speak_of_single_positions() {
    let data = random_pairs(&[4, 4, 4], None);
    let loaded = load_in("gpt2", Precision::F64);
    let features = format!(
        "features: [(name: \"f\", data: {})], precision: F64, statistics: (resamples: 20)",
        random_pairs(&[4, 4], None)
    );
    let found = |positions: &str, count: usize| {
        let method = format!(
            "Circuit(score: Exact, {positions}, select: TopN({count}), random_circuits: 0, shuffled_answers: 0)"
        );
        findings(&question(&data, &method, &features), &loaded).remove(0)
    };
    let all = blocks(loaded.model.as_ref()).at_positions(Some(Places::causal(4)));
    let (placed, whole) =
        (found("positions: Each", all.count()), found("positions: Together", blocks(loaded.model.as_ref()).count()));
    let table = |finding: &Finding, name: &str| finding.tables.iter().find(|table| table.name == name).unwrap().clone();
    let circuit = &placed.circuits[0].1;
    let removals = table(&placed, "01_circuit.removals");
    let mut told = 0;
    for row in removals.rows.iter().filter(|row| row.metric == "logit_diff") {
        let Ok(edge) = row.site.as_ref().unwrap().parse::<Edge>() else { continue };
        let score = circuit.link(edge).unwrap().score;
        assert!((row.effect - score).abs() < 1e-6 && row.position == edge.position, "{row:?} {score}");
        told += 1;
    }
    assert!(told > 100, "{told}");
    let carries = |finding: &Finding| -> Vec<(Edge, f64)> {
        let rows = table(finding, "01_circuit.features").rows;
        let rows = rows.iter().filter(|row| row.metric == "f: carries");
        rows.map(|row| (row.site.as_ref().unwrap().parse().unwrap(), row.effect)).collect()
    };
    let parts = carries(&placed);
    let sums = carries(&whole);
    assert!(sums.len() > 30 && parts.len() > 2 * sums.len(), "{} {}", sums.len(), parts.len());
    let most = sums.iter().fold(0.0, |most: f64, (_, sum)| most.max(sum.abs()));
    for (edge, sum) in sums {
        let found: f64 = parts.iter().filter(|(part, _)| part.at(None) == edge).map(|(_, part)| part).sum();
        assert!((found - sum).abs() < 1e-9 * most, "{edge}: {found} {sum}");
    }
}

/// The metric of a circuit that was run.
fn metric(rows: &[Row], name: &str) -> f64 {
    rows.iter().find(|row| row.site.as_deref() == Some(name) && row.metric == "logit_diff").unwrap().effect
}

/// Every score, everything that can stand in, neurons as nodes: it runs, and says the same of all edges and of none.
#[test]
fn circuits_at_positions_run_with_every_score_and_ablation() {
    let data = random_pairs(&[4, 4, 4], None);
    let loaded = load("llama");
    let ways = [
        "score: Eap, select: Greedy(200), ablate: Zero",
        "score: EapIg(steps: 2), select: TopN(40), ablate: Mean, neurons: Top(2)",
        "score: CleanCorrupted, select: TopN(40), by: Sign, ablate: MeanPerPosition",
        "score: EapIgActivations(steps: 2), select: Faithful(0.9)",
        "score: InformationFlow, select: Greedy(300)",
        r#"score: Exact, select: TopN(40), neurons: Named(["m0.n3"])"#,
        "score: Eap, select: TopN(40), ablate: Optimal(steps: 3)",
    ];
    for way in ways {
        let method = format!("Circuit(positions: Each, {way}, random_circuits: 2, shuffled_answers: 2)");
        let found = &findings(&question(&data, &method, "statistics: (resamples: 20)"), &loaded)[0];
        let done = &found.tables[1].rows;
        if !way.contains("Optimal") {
            let whole = method
                .replace("Each", "Together")
                .replace("Greedy(200)", "Greedy(20)")
                .replace("Greedy(300)", "Greedy(20)");
            let whole = &findings(&question(&data, &whole, ""), &loaded)[0].tables[1].rows;
            for name in ["all edges", "no edge"] {
                // an edge at every position up to the answer is the edge
                let [placed, whole] = [done, whole].map(|rows| metric(rows, name));
                assert!((placed - whole).abs() < 1e-5, "{way}, {name}: {placed} {whole}");
            }
        }
        let circuit = &found.circuits[0].1;
        assert!(circuit.size() > 0 && circuit.edges().all(|link| link.edge.position.is_some()), "{way}");
        let edges = &found.tables[0].rows;
        assert!(
            edges.iter().all(|row| row.position.is_some()
                && row.site.as_ref().unwrap().ends_with(&format!("@{}", row.position.unwrap()))),
            "{way}"
        );
        let names: Vec<&str> = found.tables.iter().map(|table| table.name.as_str()).collect();
        assert!(
            ["01_circuit.removals", "01_circuit.paths", "01_circuit.stability"].iter().all(|name| names.contains(name)),
            "{way}: {names:?}"
        );
        let removed = found.tables.iter().find(|table| table.name == "01_circuit.removals").unwrap();
        assert_eq!(removed.rows.is_empty(), way.contains("Optimal"), "{way}");
    }
}

#[test]
fn positions_that_mean_nothing_are_refused_with_a_reason() {
    let told = |data: &str, more: &str| {
        let text = question(data, "Circuit(positions: Each, select: TopN(9))", more);
        Plan::new(&experiment(&text), &load("gpt2")).map(|_| ()).expect_err("it cannot be run").to_string()
    };
    assert_snapshot!(told(&random_pairs(&[5, 4], None), ""), @"methods[0].positions: Each needs prompts whose positions mean the same: these have 4 to 5 tokens; split the data by length, choose words of as many tokens each, or leave nodes at all positions `Together`");
    let early = random_pairs(&[5, 5], Some(3)).replacen("at: 3", "at: 2", 1);
    assert_snapshot!(told(&early, ""), @"methods[0].positions: Each needs prompts whose positions mean the same: answers are read at positions 2 to 3; split the data by length, choose words of as many tokens each, or leave nodes at all positions `Together`");
}
