//! Rates and gaps against fairlearn, WEAT against numpy, hand cases, and what must hold.

mod common;

use common::{assert_close, labels, matrix, normal, values};
use ndarray::{Array2, array};
use patchclamp_probes::DataError;
use patchclamp_probes::fairness::{
    Counts, Judged, Standing, associations, cells, distance_to_optimum, effect_size, relative_distance, weat,
};
use serde_json::Value;

/// Both sides count, and divide once.
const TOLERANCE: f64 = 1e-12;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/fairness.json")).unwrap()
}

fn judged() -> (Judged, Value) {
    let golden = golden()["classification"].clone();
    let of = |name: &str| labels(&golden[name]);
    (Judged::new(of("truth"), of("prediction"), of("group")).unwrap(), golden)
}

#[test]
fn rates_and_gaps_are_those_of_fairlearn() {
    let (judged, golden) = judged();
    let counts = judged.counts();
    for (class, expected) in golden["classes"].as_array().unwrap().iter().enumerate() {
        let rates = |rate: fn(&Counts, usize, usize) -> Option<f64>| -> Vec<f64> {
            (0..3).map(|group| rate(&counts, group, class).unwrap()).collect()
        };
        assert_close(&rates(Counts::true_positive_rate), &values(&expected["tpr"]), TOLERANCE);
        assert_close(&rates(Counts::false_positive_rate), &values(&expected["fpr"]), TOLERANCE);
        assert_close(&rates(Counts::selection_rate), &values(&expected["selection"]), TOLERANCE);
        let spreads = [
            ("demographic_parity", counts.demographic_parity(class)),
            ("equal_opportunity", counts.equal_opportunity(class)),
            ("equalised_odds", counts.equalised_odds(class)),
            ("mean_odds", counts.mean_odds(class)),
        ];
        for (name, found) in spreads {
            assert_close(&[found.unwrap()], &[expected[name].as_f64().unwrap()], TOLERANCE);
        }
    }
    let gaps: Vec<f64> = (0..4).map(|class| counts.gap(class, [0, 2]).unwrap()).collect();
    assert_close(&gaps, &values(&golden["gaps"]), TOLERANCE);
    assert_close(&[counts.rms_gap([0, 2]).unwrap()], &[golden["rms"].as_f64().unwrap()], TOLERANCE);
    let accuracy: Vec<f64> = (0..3).map(|group| counts.accuracy(group).unwrap()).collect();
    assert_close(&accuracy, &values(&golden["accuracy"]), TOLERANCE);
    assert_close(&[counts.overall_accuracy().unwrap()], &[golden["overall"].as_f64().unwrap()], TOLERANCE);
    assert_close(&[counts.worst_group().unwrap()], &[golden["worst_group"].as_f64().unwrap()], TOLERANCE);
}

#[test]
fn a_class_without_items_of_a_group_has_no_gap_and_is_left_out() {
    // class 1 has nobody of group 1; class 2 was never true, but predicted once
    let judged = Judged::new(vec![0, 0, 1, 1], vec![0, 2, 1, 1], vec![0, 1, 0, 0]).unwrap();
    let counts = judged.counts();
    assert_eq!((counts.gap(0, [0, 1]), counts.gap(1, [0, 1]), counts.gap(2, [0, 1])), (Some(1.0), None, None));
    assert_eq!(counts.rms_gap([0, 1]), Some(1.0));
    assert_eq!(counts.equal_opportunity(1), None);
    assert_eq!(counts.mean(Counts::equal_opportunity), Some(1.0));
    assert_eq!(counts.most(Counts::demographic_parity), Some(1.0));
    assert_eq!(counts.worst_class_and_group(), Some(0.0));
    // group 0 alone: nothing to hold it against
    let alone = judged.counts_of([0, 2, 3]);
    assert_eq!((alone.rms_gap([0, 1]), alone.most(Counts::equalised_odds), alone.accuracy(1)), (None, None, None));
    assert_eq!(judged.counts_of([]).overall_accuracy(), None);
}

#[test]
fn items_drawn_twice_count_twice() {
    let (judged, _) = judged();
    let twice: Vec<usize> = (0..judged.count()).chain(0..judged.count()).collect();
    let (once, twice) = (judged.counts(), judged.counts_of(twice));
    assert_eq!(twice.total(), 2 * once.total());
    assert_eq!(once.rms_gap([0, 1]), twice.rms_gap([0, 1]));
    assert_eq!(judged.counts_of([0, 0, 0]).total(), 3);
}

#[test]
fn lists_of_different_length_or_none_are_refused() {
    let wrong = |truth: &[usize], prediction: &[usize], group: &[usize]| {
        Judged::new(truth.to_vec(), prediction.to_vec(), group.to_vec()).unwrap_err().to_string()
    };
    assert!(wrong(&[0], &[0, 1], &[0]).starts_with("predictions: 2 were given where 1"));
    assert!(wrong(&[0], &[0], &[]).starts_with("groups: 0 were given where 1"));
    assert!(wrong(&[], &[], &[]).starts_with("items: 0 are too few"));
}

#[test]
fn cells_hold_every_class_once() {
    let (judged, _) = judged();
    let counts = judged.counts();
    let found = cells(&counts, 0, &[0.1, 0.4], &[0.33]);
    let mut classes: Vec<usize> = found.iter().flat_map(|cell| cell.classes.clone()).collect();
    classes.sort_unstable();
    assert_eq!(classes, [0, 1, 2, 3]);
    assert_eq!(found.iter().map(|cell| cell.items(&counts)).sum::<usize>(), 400);
    let right: f64 = found.iter().map(|cell| cell.accuracy(&counts).unwrap() * cell.items(&counts) as f64).sum();
    assert!((right / 400.0 - counts.overall_accuracy().unwrap()).abs() < TOLERANCE);
    let all = &cells(&counts, 0, &[], &[])[0];
    assert_eq!(all.rms_gap(&counts, [0, 1]), counts.rms_gap([0, 1]));
}

#[test]
fn the_relative_distance_hangs_on_the_candidates_and_the_fixed_one_does_not() {
    let model = Standing { performance: 0.6, fairness: 0.7 };
    assert_eq!(relative_distance(&[model]), [Some(0.0)]);
    let better = Standing { performance: 0.9, fairness: 0.7 };
    let relative = relative_distance(&[model, better]);
    assert!((relative[0].unwrap() - 1.0 / 3.0).abs() < TOLERANCE && relative[1] == Some(0.0));
    assert!((distance_to_optimum(model) - 0.5).abs() < TOLERANCE);
    assert_eq!(relative_distance(&[Standing { performance: 0.0, fairness: 1.0 }]), [None]);
    assert_eq!(relative_distance(&[]), []);
}

#[test]
fn weat_is_that_of_numpy() {
    for expected in golden()["weat"].as_array().unwrap() {
        let of = |name: &str| matrix(&expected[name]);
        let [x, y, a, b] = ["x", "y", "a", "b"].map(of);
        let attributes = [a.view(), b.view()];
        let own = [associations("x", x.view(), attributes), associations("y", y.view(), attributes)];
        let own = own.map(Result::unwrap).concat();
        assert_close(&own, &values(&expected["associations"]), 1e-12);
        let found = weat([x.view(), y.view()], attributes, 10, 1).unwrap();
        assert_close(
            &[found.effect, found.p],
            &[&expected["effect"], &expected["p"]].map(|of| of.as_f64().unwrap()),
            1e-12,
        );
        assert_eq!((found.exact, found.partitions as u64), (true, expected["partitions"].as_u64().unwrap()));
    }
}

#[test]
fn exchanged_sets_turn_the_effect_round_and_scaled_vectors_change_nothing() {
    let [x, y, a, b] = [1, 2, 3, 4].map(|seed| normal(4, 5, seed));
    let of = |x: &Array2<f64>, y: &Array2<f64>| weat([x.view(), y.view()], [a.view(), b.view()], 10, 1).unwrap();
    let (found, turned) = (of(&x, &y), of(&y, &x));
    assert!((found.effect + turned.effect).abs() < 1e-12);
    // both count the partitions that tie with the observed one, of which it is one
    assert!((found.p + turned.p - 1.0 - 1.0 / 70.0).abs() < 1e-12);
    let scaled = of(&(3.0 * &x), &y);
    assert!((scaled.effect - found.effect).abs() < 1e-12 && scaled.p == found.p);
}

#[test]
fn drawn_partitions_come_near_those_of_all_and_count_the_observed_one() {
    let [a, b] = [3, 4].map(|seed| normal(4, 5, seed));
    let (x, y) = (normal(12, 5, 1) + &a.row(0) * 0.3, normal(12, 5, 2));
    let found = weat([x.view(), y.view()], [a.view(), b.view()], 9_999, 5).unwrap();
    assert!(!found.exact && found.partitions == 10_000 && found.p >= 1e-4);
    let again = weat([x.view(), y.view()], [a.view(), b.view()], 9_999, 6).unwrap();
    assert!((found.p - again.p).abs() < 0.03, "{} {}", found.p, again.p);
    // no random partition of 24 is as far as this one
    let (a, b) = (array![[1.0, 0.0]], array![[0.0, 1.0]]);
    let [far, near] = [&a, &b].map(|attribute| attribute * &Array2::<f64>::ones((12, 2)));
    let extreme = weat([far.view(), near.view()], [a.view(), b.view()], 9_999, 5).unwrap();
    assert_eq!(extreme.p, 1e-4);
}

#[test]
fn what_has_no_association_is_refused_or_zero() {
    let (a, b) = (array![[1.0, 0.0]], array![[0.0, 1.0]]);
    let word = array![[1.0, 1.0]];
    let of = |x: &Array2<f64>| weat([x.view(), word.view()], [a.view(), b.view()], 10, 1);
    assert_eq!(of(&word).map(|found| (found.effect, found.p)), Ok((0.0, 1.0)));
    assert_eq!(of(&array![[0.0, 0.0]]), Err(DataError::Zero { what: "x", row: 0 }));
    assert!(matches!(of(&array![[f64::NAN, 0.0]]), Err(DataError::NotFinite { what: "x", .. })));
    assert!(matches!(of(&Array2::zeros((0, 2))), Err(DataError::TooFew { what: "x", .. })));
    assert!(matches!(of(&array![[1.0]]), Err(DataError::Count { .. })));
    assert_eq!((effect_size(&[1.0], &[]), effect_size(&[1.0], &[1.0])), (None, None));
}

#[test]
fn a_class_that_was_not_drawn_has_no_item() {
    let judged = Judged::new(vec![0, 0], vec![0, 1], vec![0, 0]).unwrap().of_sizes(3, 2);
    let counts = judged.counts();
    assert_eq!((counts.classes(), counts.groups(), counts.total()), (3, 2, 2));
    assert_eq!((counts.items(1, 2), counts.gap(2, [0, 1]), counts.gap(0, [0, 1])), (0, None, None));
    assert_eq!(counts.overall_accuracy(), Some(0.5));
}
