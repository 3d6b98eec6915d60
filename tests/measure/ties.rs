//! Cases at the edge, by hand: ties, answers that are all unknown, groups of one item, groups that are empty.

use super::figures::{case, set, value};
use patchclamp::method::measure::{clusters, columns, estimates, figures};
use patchclamp::plan::{Case, Kind};
use patchclamp::spec::Statistics;

fn texts(values: &[f64]) -> Vec<Vec<f64>> {
    values.iter().map(|value| vec![*value]).collect()
}

#[test]
fn a_tied_pair_is_in_the_denominator_and_out_of_the_other() {
    // masked scores are rounded to three decimals: the third pair is tied though its logarithms differ
    let told = [[-1.0, -2.0], [-2.0, -2.0], [-1.0004, -1.0001], [-3.0, -2.0]].map(|pair| texts(&pair));
    let cases = (0..4).map(|pair| case(&pair.to_string(), &[if pair == 1 { "tied" } else { "age" }], &[])).collect();
    let set = set(Kind::Crows { masked: true }, cases);
    let columns = columns(&set, &told);
    let figures = figures(&set, &columns);
    let of = |group: &str, metric: &str| value(&columns, &figures, group, metric);
    assert_eq!(of("all", "stereotype preferred"), (Some(25.0), 4));
    assert_eq!(of("all", "stereotype preferred, ties left out"), (Some(50.0), 4));
    assert_eq!(of("all", "ties"), (Some(50.0), 4));
    // a group of one tied pair: nobody prefers anything, and without ties nothing can be said
    assert_eq!(of("tied", "stereotype preferred"), (Some(0.0), 1));
    assert_eq!(of("tied", "stereotype preferred, ties left out").0, None);
    let found = estimates(&columns.rows, &clusters(&set), &figures, Statistics::default(), 1);
    for (figure, found) in figures.iter().zip(found) {
        assert_eq!(found.interval.is_some(), figure.group != "tied", "{} of {}", figure.metric, figure.group);
    }
}

#[test]
fn stereoset_by_hand_with_ties() {
    // target 0: a tie of stereotype and opposite above unrelated, a stereotype tied with unrelated; target 1: all are tied
    let told = [[-1.0, -1.0, -2.0], [-1.0, -3.0, -1.0], [-1.0, -1.0, -1.0]].map(|triple| texts(&triple));
    let cases = [0.0, 0.0, 1.0].map(|target| case(&target.to_string(), &["gender"], &[target])).to_vec();
    let set = set(Kind::StereoSet { masked: false }, cases);
    let columns = columns(&set, &told);
    let figures = figures(&set, &columns);
    let of = |metric: &str| value(&columns, &figures, "all", metric).0.unwrap();
    // related over unrelated: 2 and 0 of 2 in target 0, 0 of 2 in target 1; stereotype over opposite: 0 and 1 of 2, 0 of 1
    assert_eq!((of("LMS"), of("SS"), of("ICAT")), (25.0, 25.0, 12.5));
    assert!((of("LMS, over items") - 100.0 / 3.0).abs() < 1e-9 && (of("SS, over items") - 100.0 / 3.0).abs() < 1e-9);
}

#[test]
fn answers_that_are_all_unknown_have_no_bias_and_absent_questions_no_figure() {
    // right, unknown, biased, ambiguous: every question is ambiguous, and unknown is what is answered
    let known = [1.0, 1.0, 2.0, 1.0];
    let set = set(Kind::Bbq, vec![case("a", &["age"], &known), case("b", &["age"], &known)]);
    let columns = columns(&set, &[texts(&[-5.0, -1.0, -5.0]), texts(&[-5.0, -1.0, -4.0])]);
    let figures = figures(&set, &columns);
    let of = |metric: &str| value(&columns, &figures, "all", metric);
    assert_eq!(of("accuracy, ambiguous"), (Some(100.0), 2));
    assert_eq!(of("bias, ambiguous").0, None);
    assert_eq!([of("accuracy, disambiguated"), of("bias, disambiguated")], [(None, 0), (None, 0)]);
}

#[test]
fn of_tied_answers_the_first_is_chosen() {
    let told = texts(&[-1.0, -1.0, -1.0]);
    let columns = columns(&set(Kind::Bbq, vec![case("a", &["age"], &[0.0, 1.0, 2.0, 0.0])]), &[told]);
    assert_eq!(columns.rows[0][..2], [0.0, 0.0]);
}

#[test]
fn honest_by_hand() {
    // nats of women 2 and 4, of men 3, in one template: as much as the mean of both categories; a lone category says nothing
    let one = |category: &str| case("t", &[category], &[0.0]);
    let of = |cases: Vec<Case>, nats: &[f64]| {
        let set = set(Kind::Honest, cases);
        let told: Vec<Vec<Vec<f64>>> = nats.iter().map(|nats| texts(&[-nats])).collect();
        let columns = columns(&set, &told);
        let figures = figures(&set, &columns);
        let group = if nats.len() == 1 { "all" } else { "women" };
        let contrast = figures.iter().any(|figure| figure.metric == "contrast");
        (value(&columns, &figures, group, "nats a token"), contrast, value(&columns, &figures, "all", "perplexity").0)
    };
    let (nats, contrast, perplexity) = of(vec![one("women"), one("women"), one("men")], &[2.0, 4.0, 3.0]);
    assert_eq!((nats, contrast), ((Some(3.0), 2), true));
    assert!((perplexity.unwrap() - 3f64.exp()).abs() < 1e-9);
    // one category is no group but all, and there is nothing that it costs more than
    assert!(!of(vec![one("women")], &[2.0]).1);
}
