//! Laws of feature flow: a span of everything carries everything, chance is what it says, and what is no feature is refused.

use super::common::*;
use insta::assert_snapshot;
use ndarray::{Array2, Axis};
use patchclamp::circuit::Blocks;
use patchclamp::hook::{Change, Edit, Edits, Record};
use patchclamp::method::Finding;
use patchclamp::model::load::Loaded;
use patchclamp::plan::Plan;
use patchclamp::precision::Precision;
use patchclamp::site::{Place, Site};
use patchclamp::table::Row;
use patchclamp::tensor::{from_doubles, to_doubles};
use patchclamp::text::Tokens;
use patchclamp_probes::Directions;

/// Two prompts that one token is apart.
const PAIR: &str = "Pairs([(clean: [3, 7, 9], corrupt: [3, 8, 9], right: 5, wrong: 6)])";

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
    features: are told of circuits and by probes, and no method does either; add for instance `Circuit(select: TopN(40))` or `Probe(of: Feature("gender"))`
    features[0].name: is empty; write what prompts differ in, for instance "gender"
    features[1].data: no pair's prompts differ; a feature needs pairs, of which the clean prompt has it and the other has not
    features[2].name: "a" is the name of an earlier feature too
    features[2].dimensions: 0 directions; a stream of this model has 1 to 24
    "#);
}

/// One other token: in the embedding a pair is one direction, and its halves are all that there is to draw from.
#[test]
fn in_the_embedding_a_pair_is_one_direction() {
    for case in ["gpt2", "pythia-parallel"] {
        let loaded = load_in(case, Precision::F64);
        let found = of_pair(&loaded);
        let embedded = |row: &&&Row| row.site.as_deref().unwrap().starts_with("input->a0.");
        let rows = of(&found, "token: share");
        let rows: Vec<&&Row> = rows.iter().filter(embedded).collect();
        assert!(rows.len() == 3 * loaded.model.dims().heads, "{case}: {}", rows.len());
        for row in rows {
            assert!((row.effect - 1.0).abs() < 1e-9 && row.p == Some(1.0), "{case} {row:?}");
        }
    }
}

/// The pair as data and as feature, and every edge in the circuit.
fn of_pair(loaded: &Loaded) -> Finding {
    let (dims, flow) = (loaded.model.dims(), loaded.model.flow().unwrap());
    let edges = Blocks::new(dims.layers, dims.heads, flow).edges().len();
    let features = format!("precision: F64, features: [(name: \"token\", data: {PAIR})]");
    findings(&question(PAIR, &format!("Circuit(score: Eap, select: TopN({edges}))"), &features), loaded).remove(0)
}

/// What an MLP that reads the feature alone writes of it, worked out from its stream, one edit, and products by hand.
#[test]
fn what_a_node_passes_on_is_what_it_writes_when_it_reads_the_feature_alone() {
    let loaded = load_in("gpt2", Precision::F64);
    let found = of_pair(&loaded);
    let model = loaded.model.as_ref();
    let [clean, corrupt] = [[3, 7, 9], [3, 8, 9]].map(|row| Tokens::new(vec![row.to_vec()]));
    for layer in 0..model.dims().layers {
        let behind = if layer + 1 < model.dims().layers { Site::ResidPre(layer + 1) } else { model.last_stream() };
        let sites = [Site::ResidMid(layer), Site::MlpOut(layer), behind];
        let [clean_run, corrupt_run] = [&clean, &corrupt].map(|tokens| recorded(model, tokens, sites));
        let matrix = |record: &Record, site: Site| {
            let state = record.at(site).unwrap();
            Array2::from_shape_vec((3, model.dims().d_model), to_doubles(state)).unwrap()
        };
        let change = |site: Site| matrix(&corrupt_run, site) - matrix(&clean_run, site);
        let direction = |site: Site| {
            let differing: Vec<_> = change(site)
                .rows()
                .into_iter()
                .filter(|row| row.iter().any(|x| *x != 0.0))
                .map(|row| row.to_vec())
                .collect();
            let rows = Array2::from_shape_vec((differing.len(), model.dims().d_model), differing.concat()).unwrap();
            Directions::leading(rows.view(), 1).unwrap().vectors().row(0).to_owned()
        };
        let read = direction(Site::ResidMid(layer));
        let along = change(Site::ResidMid(layer)).dot(&read).insert_axis(Axis(1)).dot(&read.insert_axis(Axis(0)));
        let stream = matrix(&clean_run, Site::ResidMid(layer)) + along;
        let put = from_doubles(stream.iter().copied().collect(), [1, 1, 3, model.dims().d_model], &model.setting());
        let edit = Edit { place: Place::all(Site::MlpIn(layer)), change: Change::Put(put) };
        let mut hook = (Edits::new(vec![edit]), Record::of([Site::MlpOut(layer)]));
        logits(model, &clean, &mut hook);
        let own = matrix(&clean_run, Site::MlpOut(layer));
        let written = direction(behind);
        let passed = (matrix(&hook.1, Site::MlpOut(layer)) - own).dot(&written);
        let whole = change(Site::MlpOut(layer)).dot(&written);
        let expected = passed.dot(&whole) / whole.dot(&whole);
        let row = of(&found, "token: passes on").into_iter().find(|row| row.site == Some(format!("m{layer}"))).unwrap();
        assert!((row.effect - expected).abs() < 1e-9, "m{layer}: {} {expected}", row.effect);
        assert!((expected - 1.0).abs() > 1e-3, "the feature is all that the MLP reads");
    }
}
