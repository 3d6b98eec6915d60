//! Data that cannot be decoded: each gives an error that says what and what to do, and never a panic or a silent NaN.

use ndarray::{Array2, array};
use patchclamp_probes::decode::{
    Choice, DecodeError, Design, Exchange, Family, Hidden, Labels, Logistic, PORTIONS, Probe, Task, Training, Units,
    anova, chance, control, held_out, majority, mean_difference, online_code, regress, ridge, sparse,
};

fn states() -> Array2<f64> {
    Array2::from_shape_fn((12, 3), |(item, feature)| ((item * 5 + feature * 7) as f64).sin())
}

fn labels() -> Labels {
    Labels::new((0..12).map(|item| item % 2).collect(), 2).unwrap()
}

fn every() -> Vec<usize> {
    (0..12).collect()
}

fn training<'a>(family: &'a Logistic, penalties: &'a [f64]) -> Training<'a, Logistic> {
    Training { family, penalties, design: Design::Items, folds: 2, seed: 0 }
}

#[test]
fn a_state_that_is_not_finite_is_named() {
    let (labels, items) = (labels(), every());
    let task = Task { labels: &labels, items: &items };
    let error = DecodeError::NotFinite { item: 9, feature: 1 };
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut states = states();
        states[[9, 1]] = value;
        let view = &states.view();
        let splits = Design::Items.splits(labels.of(), &items, 3, 0).unwrap();
        let family = Logistic::default();
        assert_eq!(family.fit(view, task, 1.0).unwrap_err(), error);
        assert_eq!(Hidden::default().fit(view, task, 1.0).unwrap_err(), error);
        assert_eq!(held_out(view, &[&labels], &splits, &training(&family, &[0.1, 1.0])).unwrap_err(), error);
        let targets = Array2::zeros((12, 1));
        assert_eq!(ridge(view, targets.view(), &items, &[1.0], Units::Own).unwrap_err(), error);
        let inner = (Design::Items, 2, 0);
        assert_eq!(regress(view, targets.view(), &splits, &[1.0], inner, Units::Own).unwrap_err(), error);
        assert_eq!(anova(view, task).unwrap_err(), error);
        assert_eq!(mean_difference(view, task).unwrap_err(), error);
        assert_eq!(online_code(view, &labels, &[0.5, 1.0], &training(&family, &[1.0]), 0).unwrap_err(), error);
        // also where no probe ever learns from it
        let only: Vec<usize> = items.iter().copied().filter(|item| *item != 9).collect();
        let split = patchclamp_probes::decode::Split { train: only, test: items.clone() };
        let split = &[split];
        assert_eq!(held_out(view, &[&labels], split, &training(&family, &[1.0])).unwrap_err(), error);
        assert_eq!(regress(view, targets.view(), split, &[1.0], inner, Units::Own).unwrap_err(), error);
        let choice = Choice::Thinned { penalty: 1.0 };
        assert_eq!(sparse(view, &labels, split, &[3], choice, &training(&family, &[1.0])).unwrap_err(), error);
    }
    assert_eq!(
        error.to_string(),
        "item 9, feature 1 is not finite: look for NaN or infinity where the states were made"
    );
}

#[test]
fn targets_penalties_and_lengths_are_checked() {
    let (states, labels, items) = (states(), labels(), every());
    let task = Task { labels: &labels, items: &items };
    let view = &states.view();
    for found in [0.0, -1.0, f64::INFINITY] {
        assert_eq!(Logistic::default().fit(view, task, found).unwrap_err(), DecodeError::Penalty { found });
        let targets = Array2::zeros((12, 1));
        assert_eq!(
            ridge(view, targets.view(), &items, &[found], Units::Own).unwrap_err(),
            DecodeError::Penalty { found }
        );
    }
    assert!(matches!(Logistic::default().fit(view, task, f64::NAN), Err(DecodeError::Penalty { .. })));
    assert_eq!(Logistic::default().path(view, &[task], &[]).unwrap_err(), DecodeError::Empty { what: "penalties" });
    let mut targets = Array2::zeros((12, 2));
    targets[[4, 1]] = f64::NAN;
    assert_eq!(ridge(view, targets.view(), &items, &[1.0], Units::Own).unwrap_err(), DecodeError::Target { item: 4 });
    let short = Labels::new(vec![0, 1], 2).unwrap();
    let task = Task { labels: &short, items: &[0, 1] };
    assert_eq!(Logistic::default().fit(view, task, 1.0).unwrap_err(), DecodeError::Lengths { rows: 12, values: 2 });
    let none = Array2::<f64>::zeros((12, 0));
    let task = Task { labels: &labels, items: &items };
    assert_eq!(Logistic::default().fit(&none.view(), task, 1.0).unwrap_err(), DecodeError::Empty { what: "features" });
}

#[test]
fn a_class_that_a_fold_leaves_out_is_named() {
    let states = states();
    let mut of = vec![0; 12];
    of[3] = 1;
    of[4] = 2;
    of[5] = 2;
    let labels = Labels::new(of, 3).unwrap();
    let splits = Design::Items.splits(labels.of(), &every(), 3, 0).unwrap();
    let family = Logistic::default();
    let error = DecodeError::ClassUnseen { class: 1 };
    assert_eq!(held_out(&states.view(), &[&labels], &splits, &training(&family, &[1.0])).unwrap_err(), error);
    assert_eq!(majority(&labels, &splits).unwrap_err(), error);
    assert!(error.to_string().contains("take fewer folds"), "{error}");
}

#[test]
fn features_that_are_all_constant_say_the_shares_and_nothing_else() {
    let states = Array2::from_elem((12, 3), 0.1);
    let labels = Labels::new((0..12).map(|item| usize::from(item % 4 == 0)).collect(), 2).unwrap();
    let task = Task { labels: &labels, items: &every() };
    let probe = Logistic::default().fit(&states.view(), task, 1.0).unwrap();
    assert!(probe.weights().iter().all(|weight| *weight == 0.0));
    let share = probe.log_probabilities(&states.view())[[0, 1]].exp();
    assert!((share - 0.25).abs() < 1e-9, "{share}");
    assert_eq!(anova(&states.view(), task).unwrap(), [0.0; 3]);
    assert_eq!(mean_difference(&states.view(), task).unwrap(), [0.0; 3]);
    let hidden = Hidden { width: 4, ..Hidden::default() }.fit(&states.view(), task, 1.0).unwrap();
    assert!(hidden.log_probabilities(&states.view()).iter().all(|log| log.is_finite()));
    let targets = array![[1.0, 2.0]].broadcast((12, 2)).unwrap().to_owned();
    let map = &ridge(&states.view(), targets.view(), &every(), &[1.0], Units::Spread).unwrap()[0];
    assert!(map.weight().iter().all(|weight| weight.abs() < 1e-12) && (map.bias()[1] - 2.0).abs() < 1e-12);
    let splits = Design::Items.splits(&[0; 12], &every(), 3, 0).unwrap();
    let inner = (Design::Items, 2, 0);
    let told = regress(&states.view(), targets.view(), &splits, &[1.0, 2.0], inner, Units::Own).unwrap();
    assert_eq!(told.explained(targets.view()), [None, None]);
}

#[test]
fn classes_that_can_be_told_perfectly_have_finite_weights() {
    let states = array![[-2.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [2.0, 0.0]];
    let labels = Labels::new(vec![0, 0, 1, 1], 2).unwrap();
    let task = Task { labels: &labels, items: &[0, 1, 2, 3] };
    let probe = Logistic::default().fit(&states.view(), task, 1e-8).unwrap();
    assert!(probe.slope() <= 1e-6 && probe.weights().iter().all(|weight| weight.is_finite()));
    assert!(probe.log_probabilities(&states.view()).iter().all(|log| !log.is_nan() && *log <= 0.0));
}

#[test]
fn states_of_a_huge_size_give_an_error_or_a_probe_and_no_nan() {
    let (labels, items) = (labels(), every());
    let task = Task { labels: &labels, items: &items };
    for size in [1e-200, 1e-30, 1e30, 1e140, 1e200, 1e300] {
        let states = states() * size;
        for units in [Units::Own, Units::Spread] {
            match (Logistic { units, ..Logistic::default() }).fit(&states.view(), task, 1.0) {
                Ok(probe) => assert!(probe.weights().iter().all(|weight| weight.is_finite()), "{size} {units:?}"),
                Err(error) => assert!(matches!(error, DecodeError::Decomposition), "{size} {error}"),
            }
        }
    }
}

#[test]
fn features_portions_and_designs_that_do_not_fit_are_refused() {
    let (states, labels, items) = (states(), labels(), every());
    let family = Logistic::default();
    let splits = Design::Items.splits(labels.of(), &items, 3, 0).unwrap();
    for wanted in [0, 4] {
        let found = sparse(&states.view(), &labels, &splits, &[1, wanted], Choice::Anova, &training(&family, &[1.0]));
        assert_eq!(found.unwrap_err(), DecodeError::Features { wanted, width: 3 });
    }
    let code = |shares: &[f64]| online_code(&states.view(), &labels, shares, &training(&family, &[1.0]), 0);
    assert_eq!(code(&[0.5]).unwrap_err(), DecodeError::Portions);
    assert!(code(&PORTIONS).is_ok());
    let deep = Training { folds: 9, ..training(&family, &[0.1, 1.0]) };
    assert!(matches!(held_out(&states.view(), &[&labels], &splits, &deep), Err(DecodeError::Folds { .. })));
    assert!(matches!(control(&labels, &[0; 12], 0), Err(DecodeError::FewTypes { types: 1, classes: 2 })));
    let mixed = Exchange::Between(&[0; 12]);
    let found = chance(&states.view(), &labels, &splits, &training(&family, &[1.0]), mixed, 3, 0);
    assert_eq!(found, Err(DecodeError::MixedGroup { item: 0 }));
}
