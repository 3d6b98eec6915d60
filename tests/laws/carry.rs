//! Laws of feature flow: a span of everything carries everything, chance is what it says, and what is no feature is refused.

use super::common::*;
use insta::assert_snapshot;
use patchclamp::method::Finding;
use patchclamp::plan::Plan;
use patchclamp::table::Row;

/// Sums of f32 products in another order, relative.
const TOLERANCE: f64 = 2e-4;

/// As many directions as the stream is wide.
const ALL: Option<usize> = None;

fn flow(case: &str, dimensions: Option<usize>) -> Finding {
    let loaded = load(case);
    let dimensions = dimensions.unwrap_or(loaded.model.dims().d_model);
    // random prompts, enough that their differences span the whole stream
    let pairs = random_pairs(&[6, 6, 6, 6, 6, 6, 6, 5, 5], None);
    let features = format!("features: [(name: \"all\", data: {pairs}, dimensions: {dimensions})]");
    let data = random_pairs(&[6, 6, 4], None);
    findings(&question(&data, "Circuit(score: EapIg(steps: 5), select: TopN(25))", &features), &loaded).remove(0)
}

fn of<'a>(finding: &'a Finding, metric: &'a str) -> Vec<&'a Row> {
    finding.tables.iter().flat_map(|table| &table.rows).filter(|row| row.metric == metric).collect()
}

#[test]
fn a_span_of_the_whole_stream_carries_reads_writes_and_passes_on_everything() {
    for case in ["gpt2", "llama", "pythia-parallel", "gemma"] {
        let found = flow(case, ALL);
        let largest = of(&found, "all: carries").iter().fold(0.0f64, |most, row| most.max(row.effect.abs()));
        // a share of what is itself no more than rounding says nothing
        let weak = |site: &Option<String>| {
            of(&found, "all: carries").iter().any(|row| row.site == *site && row.effect.abs() < 1e-3 * largest)
        };
        for metric in ["all: share", "all: reads", "all: writes", "all: passes on"] {
            let rows: Vec<&Row> = of(&found, metric).into_iter().filter(|row| !weak(&row.site)).collect();
            assert!(!rows.is_empty(), "{case} {metric}");
            for row in rows {
                assert!((row.effect - 1.0).abs() < TOLERANCE, "{case} {metric} {row:?}");
            }
        }
        let scores = &found.circuits[0].1;
        for row in of(&found, "all: carries") {
            let edge = scores.edges().find(|link| Some(link.edge.to_string()) == row.site).unwrap();
            assert!((row.effect - edge.score).abs() < TOLERANCE * edge.score.abs().max(1e-3), "{case} {row:?}");
        }
    }
}

#[test]
fn fewer_directions_write_and_read_less_and_never_less_than_nothing() {
    let [few, more] = [2, 9].map(|dimensions| flow("gpt2", Some(dimensions)));
    for metric in ["all: reads", "all: writes"] {
        for (few, more) in of(&few, metric).into_iter().zip(of(&more, metric)) {
            assert_eq!(few.site, more.site);
            assert!(0.0 <= few.effect && few.effect <= more.effect && more.effect <= 1.0, "{few:?} {more:?}");
        }
    }
}

#[test]
fn a_span_of_everything_is_no_more_than_one_drawn_by_chance() {
    for row in of(&flow("gpt2", ALL), "all: share") {
        assert!(row.p.unwrap() > 0.2, "{row:?}");
    }
}

#[test]
fn a_feature_that_is_none_is_refused_with_its_place() {
    let pair = |clean: &str| format!("Pairs([(clean: [1, {clean}], corrupt: [1, 3], right: 5, wrong: 6)])");
    let features = format!(
        "features: [(name: \" \", data: {}), (name: \"a\", data: {}), (name: \"a\", data: {}, dimensions: 0)]",
        pair("2"),
        pair("3"),
        pair("200")
    );
    let text = question(&pair("2"), "Attention()", &features);
    let told = Plan::new(&experiment(&text), &load("gpt2")).map(|_| ()).expect_err("it cannot be run").to_string();
    assert_snapshot!(told, @r#"
    features[2].data[0].clean: token 200 does not exist; the vocabulary has 0 to 47
    features: are told of circuits, and no method finds one; add for instance `Circuit(select: TopN(40))`
    features[0].name: is empty; write what prompts differ in, for instance "gender"
    features[1].data: no pair's prompts differ; a feature needs pairs, of which the clean prompt has it and the other has not
    features[2].name: "a" is the name of an earlier feature too
    features[2].dimensions: 0 directions; a stream of this model has 1 to 24
    "#);
}
