//! Single units: hand counts, planted units, and figures of scipy, statsmodels and numpy.

mod common;

use common::{assert_close, golden, labels, matrix, normal, values};
use ndarray::{Array2, array};
use patchclamp_probes::DataError;
use patchclamp_probes::unit::information::information_of_table;
use patchclamp_probes::unit::{
    Bias, Contrast, Localiser, Prefers, d_prime, halves, information, mixed_selectivity, overlap, selectivity_index,
    tuning, welch,
};

/// What the issue asks for.
const TOLERANCE: f64 = 1e-6;

#[test]
fn a_tuning_curve_is_right_by_hand() {
    let curves = tuning(array![[1.0, 0.0], [4.0, 2.0], [7.0, 1.0], [3.0, 5.0]].view(), &[1, 0, 1, 1]).unwrap();
    assert_eq!(curves.items, [1, 3]);
    assert_eq!(curves.means, array![[4.0, 2.0], [11.0 / 3.0, 2.0]]);
    // deviations −8/3, 10/3, −2/3 sum to 168/9 squared; over 2, over 3
    assert!((curves.standard_error(1, 0).unwrap() - (168.0_f64 / 9.0 / 6.0).sqrt()).abs() < 1e-12);
    assert_eq!(curves.standard_error(0, 1), None);
}

#[test]
fn selectivity_is_right_by_hand_and_none_where_there_is_none() {
    assert_eq!(selectivity_index(&[3.0, 5.0], &[1.0, -3.0]), Some(5.0 / 5.0));
    assert_eq!(selectivity_index(&[0.0], &[0.0]), None);
    assert_eq!(selectivity_index(&[], &[1.0]), None);
    assert_eq!(d_prime(&[1.0, 1.0], &[0.0, 0.0]), None);
    assert_eq!(d_prime(&[1.0, f64::NAN], &[0.0, 1.0]), None);
    assert_eq!(d_prime(&[2.0, 4.0], &[1.0, 1.0]), Some(2.0)); // variances 2 and 0: spread 1
    assert_eq!(welch(&[1.0], &[0.0, 1.0]), None);
    assert_eq!(welch(&[1.0, 1.0], &[0.0, 0.0]), None);
}

#[test]
fn welchs_test_and_the_analysis_of_variance_are_those_of_scipy_and_statsmodels() {
    let golden = golden("units");
    let (t, p) = welch(&values(&golden["a"]), &values(&golden["b"])).unwrap();
    assert_close(&[t, p], &values(&golden["welch"]), TOLERANCE);
    let responses = matrix(&golden["responses"]);
    let found = mixed_selectivity(responses.view(), &labels(&golden["first"]), &labels(&golden["second"])).unwrap();
    for (unit, expected) in found.iter().zip(golden["anova"].as_array().unwrap()) {
        let shares = [unit.first, unit.second, unit.interaction, unit.residual];
        assert_close(&shares, &values(&expected["shares"]), TOLERANCE);
        let p = [unit.first_p, unit.second_p, unit.interaction_p].map(Option::unwrap);
        assert_close(&p, &values(&expected["p"]), TOLERANCE);
    }
}

#[test]
fn information_and_its_corrections_are_those_of_numpy() {
    let golden = golden("units");
    let table = matrix(&golden["counts"]);
    for bias in [Bias::Plain, Bias::MillerMadow, Bias::PanzeriTreves] {
        let expected = golden["information"][format!("{bias:?}")].as_f64().unwrap();
        assert_close(&[information_of_table(table.view(), bias)], &[expected], TOLERANCE);
    }
}

#[test]
fn a_response_that_names_the_condition_tells_all_and_one_that_does_not_vary_tells_nothing() {
    let conditions: Vec<usize> = (0..80).map(|item| item % 4).collect();
    let response: Vec<f64> = conditions.iter().map(|condition| *condition as f64).collect();
    assert!((information(&response, &conditions, 4, Bias::Plain).unwrap() - 2.0).abs() < 1e-12);
    for bias in [Bias::Plain, Bias::MillerMadow, Bias::PanzeriTreves] {
        assert!(information(&[3.0; 80], &conditions, 4, bias).unwrap().abs() < 1e-12);
    }
}

#[test]
fn corrections_bring_information_of_nothing_near_zero() {
    let conditions: Vec<usize> = (0..60).map(|item| item % 3).collect();
    let mean = |bias| {
        let one = |seed| information(normal(1, 60, seed).as_slice().unwrap(), &conditions, 5, bias).unwrap();
        (0..300).map(one).sum::<f64>() / 300.0
    };
    let (plain, madow, treves) = (mean(Bias::Plain), mean(Bias::MillerMadow), mean(Bias::PanzeriTreves));
    // the theory's first term: (3 − 1)(5 − 1) / (2 · 60 ln 2) = 0.096
    assert!((plain - 0.096).abs() < 0.015, "{plain}");
    assert!(madow.abs() < 0.015 && treves.abs() < 0.015, "{madow} {treves}");
}

#[test]
fn equal_responses_share_a_bin() {
    // the median falls among the equal ones: they all go below it, and the rest above
    let found = information(&[1.0, 1.0, 1.0, 2.0], &[0, 0, 0, 1], 2, Bias::Plain).unwrap();
    let entropy = -(0.25 * f64::log2(0.25) + 0.75 * f64::log2(0.75));
    assert!((found - entropy).abs() < 1e-12);
}

#[test]
fn planted_main_effects_and_interactions_are_told_apart() {
    let (first, second): (Vec<usize>, Vec<usize>) = (0..80).map(|item| (item % 2, item / 2 % 2)).unzip();
    let noise = normal(80, 4, 1) * 0.1;
    let signal = |item: usize, unit: usize| match unit {
        0 => first[item] as f64,
        1 => second[item] as f64,
        2 => (first[item] ^ second[item]) as f64,
        _ => 0.0,
    };
    let responses = Array2::from_shape_fn((80, 4), |(item, unit)| signal(item, unit) + noise[[item, unit]]);
    let found = mixed_selectivity(responses.view(), &first, &second).unwrap();
    assert!(found[0].first > 0.9 && found[1].second > 0.9 && found[2].interaction > 0.9 && found[3].residual > 0.9);
    for unit in &found {
        let sum = unit.first + unit.second + unit.interaction + unit.residual;
        assert!((sum - 1.0).abs() < 1e-9, "balanced shares sum to one");
    }
    assert!(found[2].interaction_p.unwrap() < 1e-9);
}

#[test]
fn planted_units_are_found_on_one_half_and_hold_on_the_other() {
    let groups: Vec<usize> = (0..120).map(|item| item / 6).collect();
    let in_first: Vec<bool> = (0..120).map(|item| item % 2 == 0).collect();
    let mut responses = normal(120, 50, 1);
    for item in (0..120).filter(|item| in_first[*item]) {
        responses[[item, 7]] += 2.0;
        responses[[item, 31]] += 2.0;
        responses[[item, 40]] -= 2.0;
    }
    let chooses = halves(&groups, 5);
    assert_eq!(chooses.iter().filter(|chosen| **chosen).count(), 60);
    assert!((0..120).all(|item| chooses[item] == chooses[item / 6 * 6]), "groups stay together");
    let find = |units, prefers| {
        Localiser { units, prefers, ..Default::default() }.find(responses.view(), &in_first, &chooses).unwrap()
    };
    let mut picked: Vec<usize> = find(2, Prefers::First).iter().map(|found| found.unit).collect();
    picked.sort_unstable();
    assert_eq!(picked, [7, 31]);
    assert_eq!(find(1, Prefers::Second)[0].unit, 40);
    assert!(find(3, Prefers::Either).iter().all(|found| found.tested.welch().unwrap().1 < 1e-4));
    // those of chance do not hold: chosen by their largest t, tested about zero
    let chance = &find(20, Prefers::First)[2..];
    let mean = |of: &dyn Fn(&Contrast) -> f64| chance.iter().map(|found| of(&found.tested)).sum::<f64>() / 18.0;
    assert!(chance.iter().all(|found| found.chosen_by > 0.0));
    assert!(mean(&|tested| tested.difference()).abs() < 0.25); // standard error √(4/60/18) = 0.06
    // and few of them survive the correction, while those that were planted do
    let all = Localiser { units: 50, prefers: Prefers::Either, false_discoveries: 0.01 };
    let survive = all.find(responses.view(), &in_first, &chooses).unwrap();
    let mut units: Vec<usize> = survive.iter().map(|found| found.unit).collect();
    units.sort_unstable();
    assert_eq!(units, [7, 31, 40]);
    assert!(survive.iter().all(|found| found.p <= 0.01));
}

#[test]
fn a_unit_that_varies_between_the_sets_alone_is_the_strongest() {
    let responses = array![[0.5, 1.0, 2.0], [0.4, 1.0, 2.0], [0.1, 0.0, 2.0], [0.2, 0.0, 2.0]];
    let responses = ndarray::concatenate![ndarray::Axis(0), responses, responses];
    let in_first: Vec<bool> = (0..8).map(|item| item % 4 < 2).collect();
    let chooses: Vec<bool> = (0..8).map(|item| item < 4).collect();
    let localiser = Localiser { units: 3, prefers: Prefers::Either, false_discoveries: 0.1 };
    let found = localiser.find(responses.view(), &in_first, &chooses).unwrap();
    assert_eq!(found.iter().map(|found| found.unit).collect::<Vec<_>>(), [1, 0]);
    assert_eq!((found[0].chosen_by, found[0].p), (f64::INFINITY, 0.0));
}

#[test]
fn the_overlap_of_two_choices_is_the_jaccard_index() {
    assert_eq!(overlap(&[3, 1, 2], &[2, 3, 4]), Some(0.5));
    assert_eq!(overlap(&[1], &[]), Some(0.0));
    assert_eq!(overlap(&[], &[]), None);
}

#[test]
fn data_of_which_nothing_can_be_made_say_why() {
    let responses = array![[1.0], [2.0], [f64::NAN], [0.0]];
    let good = array![[1.0], [2.0], [3.0], [0.0]];
    let broken = DataError::NotFinite { what: "responses", row: 2, column: 0 };
    assert_eq!(tuning(responses.view(), &[0, 1, 0, 1]).unwrap_err(), broken);
    assert_eq!(mixed_selectivity(responses.view(), &[0, 1, 0, 1], &[0, 0, 1, 1]).unwrap_err(), broken);
    assert!(matches!(tuning(good.view(), &[0, 0, 0, 0]), Err(DataError::TooFew { .. })));
    let missing = mixed_selectivity(good.view(), &[0, 0, 1, 1], &[0, 1, 0, 0]);
    assert!(matches!(missing, Err(DataError::Empty { label: 3, .. })));
    let flat = mixed_selectivity(Array2::ones((4, 1)).view(), &[0, 0, 1, 1], &[0, 1, 0, 1]).unwrap();
    assert_eq!((flat[0].residual, flat[0].first_p), (1.0, None));
    let few = Localiser::default().find(good.view(), &[true, true, false, false], &[true, true, true, false]);
    assert!(matches!(few, Err(DataError::TooFew { found: 1, needed: 2, .. })));
    assert!(matches!(information(&[1.0, 2.0], &[0, 1], 1, Bias::Plain), Err(DataError::TooFew { what: "bins", .. })));
}
