//! What holds of every probe, whatever the data.

use ndarray::{Array2, Axis, concatenate};
use patchclamp_probes::decode::{
    Design, Exchange, Family, Held, Hidden, Labels, Logistic, PORTIONS, Probe, Task, Training, Units, chance, control,
    held_out, information, majority, online_code, selectivity, shuffled, sparse,
};
use patchclamp_probes::rows::Rows;
use patchclamp_probes::{Directions, mean_interval};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random(rows: usize, width: usize, seed: u64) -> Array2<f64> {
    let mut draws = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_fn((rows, width), |_| draws.random_range(-1.0..1.0))
}

/// Labels that a direction and some chance decide.
fn labels(states: &Array2<f64>, classes: usize, seed: u64) -> Labels {
    let chance = random(states.nrows(), classes, seed) * 0.5;
    let likeliest = |item: usize| {
        let score = |class: usize| states[[item, class]] + chance[[item, class]];
        (0..classes).max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap()
    };
    Labels::new((0..states.nrows()).map(likeliest).collect(), classes).unwrap()
}

fn every(count: usize) -> Vec<usize> {
    (0..count).collect()
}

fn training<F>(family: &F) -> Training<'_, F> {
    Training { family, penalties: &[1.0], design: Design::Items, folds: 3, seed: 0 }
}

const EXACT: Logistic = Logistic { units: Units::Own, tolerance: 1e-12, steps: 1000 };

/// The loss as the definition has it, summed one by one.
fn loss(probe: &patchclamp_probes::decode::Linear, rows: &dyn Rows, labels: &Labels, penalty: f64) -> f64 {
    let told = probe.log_probabilities(rows);
    let nats: f64 = labels.of().iter().enumerate().map(|(item, label)| -told[[item, *label]]).sum();
    nats + penalty / 2.0 * probe.weights().iter().map(|weight| weight * weight).sum::<f64>()
}

#[test]
fn at_the_minimum_the_pull_of_the_items_is_that_of_the_penalty() {
    for classes in [2, 4] {
        let states = random(150, 6, 1);
        let labels = labels(&states, classes, 2);
        let probe = EXACT.fit(&states.view(), Task { labels: &labels, items: &every(150) }, 0.7).unwrap();
        let mut residuals = probe.log_probabilities(&states.view()).mapv(f64::exp);
        labels.of().iter().enumerate().for_each(|(item, label)| residuals[[item, *label]] -= 1.0);
        let first = usize::from(classes == 2);
        for (output, weights) in probe.weights().rows().into_iter().enumerate() {
            let own = residuals.column(output + first);
            let pull = states.t().dot(&own) + weights.mapv(|weight| weight * 0.7);
            assert!(own.sum().abs() < 1e-9 && pull.iter().all(|pull| pull.abs() < 1e-9), "{pull}");
        }
        let least = loss(&probe, &states.view(), &labels, 0.7);
        let looser = EXACT.fit(&states.view(), Task { labels: &labels, items: &every(150) }, 0.6).unwrap();
        assert!(least < loss(&looser, &states.view(), &labels, 0.7));
    }
}

/// Two groups of one value each: without a slope to share, `σ(b)` and `σ(w + b)` are the shares but for the penalty,
/// n_1 (p_1 − σ) = λ w, which is solved here by bisection.
#[test]
fn a_single_feature_is_solved_by_hand() {
    let states = Array2::from_shape_fn((40, 1), |(item, _)| if item < 20 { -1.0 } else { 1.0 });
    let labels =
        Labels::new((0..40).map(|item| usize::from(if item < 20 { item < 5 } else { item < 35 })).collect(), 2)
            .unwrap();
    let probe = EXACT.fit(&states.view(), Task { labels: &labels, items: &every(40) }, 3.0).unwrap();
    // by symmetry the intercept is 0, and 40 (3/4 − σ(w)) = 3 w
    let (mut low, mut high) = (0.0_f64, 5.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        let pull = 40.0 * (0.75 - 1.0 / (1.0 + (-middle).exp())) - 3.0 * middle;
        *(if pull > 0.0 { &mut low } else { &mut high }) = middle;
    }
    assert!((probe.weights()[[0, 0]] - low).abs() < 1e-9 && probe.intercepts()[0].abs() < 1e-9);
}

#[test]
fn turning_the_space_turns_the_probe_and_changes_nothing_else() {
    let states = random(120, 7, 3);
    let labels = labels(&states, 3, 4);
    let turn = Directions::spanned(random(7, 7, 5).view()).unwrap().vectors().to_owned();
    let turned = states.dot(&turn.t());
    let fit =
        |states: &Array2<f64>| EXACT.fit(&states.view(), Task { labels: &labels, items: &every(120) }, 1.0).unwrap();
    let (plain, after) = (fit(&states), fit(&turned));
    let gap = plain.log_probabilities(&states.view()) - after.log_probabilities(&turned.view());
    assert!(gap.iter().all(|gap| gap.abs() < 1e-8));
    assert!((plain.weights().dot(&turn.t()) - after.weights()).iter().all(|gap| gap.abs() < 1e-8));
}

#[test]
fn scaled_features_have_no_unit() {
    let states = random(100, 5, 6);
    let labels = labels(&states, 2, 7);
    let stretched = &states * &ndarray::array![1e3, 1.0, 1e-4, 7.0, 1.0] + 50.0;
    let family = Logistic { units: Units::Spread, ..EXACT };
    let told = |states: &Array2<f64>| {
        let probe = family.fit(&states.view(), Task { labels: &labels, items: &every(100) }, 1.0).unwrap();
        probe.log_probabilities(&states.view())
    };
    assert!((told(&states) - told(&stretched)).iter().all(|gap| gap.abs() < 1e-7));
}

#[test]
fn what_a_probe_did_not_learn_from_has_no_say() {
    let states = random(80, 4, 8);
    let labels = labels(&states, 3, 9);
    let items: Vec<usize> = (0..80).filter(|item| item % 3 != 0).collect();
    let one = EXACT.fit(&states.view(), Task { labels: &labels, items: &items }, 1.0).unwrap();
    let own = states.select(Axis(0), &items);
    let own_labels = Labels::new(items.iter().map(|item| labels.of()[*item]).collect(), 3).unwrap();
    let alone = EXACT.fit(&own.view(), Task { labels: &own_labels, items: &every(items.len()) }, 1.0).unwrap();
    assert!((&one.weights() - &alone.weights()).iter().all(|gap| gap.abs() < 1e-9));
    // nor do tasks that are learnt in step
    let tasks = [Task { labels: &labels, items: &items }, Task { labels: &labels, items: &every(80) }];
    let both = EXACT.path(&states.view(), &tasks, &[1.0, 30.0]).unwrap();
    assert!((&both[0][0].weights() - &alone.weights()).iter().all(|gap| gap.abs() < 1e-9));
}

#[test]
fn half_precision_of_the_source_is_all_that_differs_from_it() {
    let wide = random(90, 300, 10).mapv(|value| f64::from(value as f32));
    let narrow = wide.mapv(|value| value as f32);
    let labels = labels(&wide, 2, 11);
    let task = Task { labels: &labels, items: &every(90) };
    let (wide, narrow) = (EXACT.fit(&wide.view(), task, 1.0).unwrap(), EXACT.fit(&narrow.view(), task, 1.0).unwrap());
    assert_eq!(wide.weights(), narrow.weights());
}

#[test]
fn a_constant_feature_has_no_weight_and_collinear_ones_share() {
    let states = random(100, 3, 12);
    let labels = labels(&states, 2, 13);
    let constant = Array2::from_elem((100, 1), 0.1);
    let wider = concatenate![Axis(1), states.view(), constant.view(), states.column(0).insert_axis(Axis(1))];
    for units in [Units::Own, Units::Spread] {
        let family = Logistic { units, ..EXACT };
        let probe = family.fit(&wider.view(), Task { labels: &labels, items: &every(100) }, 1.0).unwrap();
        let weights = probe.weights();
        assert!(weights[[0, 3]].abs() < 1e-9);
        assert!((weights[[0, 0]] - weights[[0, 4]]).abs() < 1e-9 && weights[[0, 0]].abs() > 0.1);
    }
}

#[test]
fn labels_that_mean_nothing_are_told_at_chance() {
    let states = random(400, 12, 14);
    let task = labels(&states, 2, 15);
    let types: Vec<usize> = (0..400).map(|item| item / 4).collect();
    let control = control(&task, &types, 16).unwrap();
    let splits = Design::Groups(&types).splits(task.of(), &every(400), 5, 0).unwrap();
    let family = Logistic::default();
    let held = held_out(&states.view(), &[&task, &control], &splits, &training(&family)).unwrap();
    let blind = majority(&control, &splits).unwrap();
    assert!(mean_interval(&held[1].right(), 0.999, 2000, 0).unwrap().contains(blind.accuracy().max(0.5)));
    assert!(held[0].accuracy() > 0.8);
    assert!(mean_interval(&selectivity(&held[0], &held[1]), 0.999, 2000, 0).unwrap().low > 0.0);
    // usable information is gained on the task and none on the control
    let gain = |held: &Held, null: &Held| information(held, null).iter().sum::<f64>() / 400.0;
    assert!(gain(&held[0], &majority(&task, &splits).unwrap()) > 0.3);
    assert!(gain(&held[1], &blind) < 0.0);
}

#[test]
fn the_true_labels_stand_out_from_shuffles_and_a_shuffle_does_not() {
    let states = random(120, 5, 17);
    let task = labels(&states, 2, 18);
    let splits = Design::Items.splits(task.of(), &every(120), 4, 0).unwrap();
    let family = Logistic::default();
    let run = |labels: &Labels, seed| {
        let training = training(&family);
        chance(&states.view(), labels, &splits, &training, Exchange::Items, 19, seed).unwrap().p_value()
    };
    assert_eq!(run(&task, 5), 1.0 / 20.0);
    let nulls = shuffled(&task, Exchange::Items, 16, 99).unwrap();
    let mean = nulls.iter().zip(0..).map(|(null, seed)| run(null, seed)).sum::<f64>() / 16.0;
    // p-values of a null are even between 0 and 1 (ties raise them a little): four standard errors of the mean of 16
    assert!((mean - 0.525).abs() < 4.0 * (1.0_f64 / 12.0 / 16.0).sqrt(), "{mean}");
}

#[test]
fn labels_that_mean_nothing_are_not_compressed() {
    let states = random(2000, 4, 19);
    let task = labels(&states, 4, 20);
    let null = &shuffled(&task, Exchange::Items, 1, 21).unwrap()[0];
    let family = Logistic::default();
    let code = |labels: &Labels| online_code(&states.view(), labels, &PORTIONS, &training(&family), 0).unwrap();
    let (task, null) = (code(&task), code(null));
    assert_eq!((task.uniform_bits, task.portions[0]), (4000.0, (2, 4.0)));
    assert_eq!(task.portions.iter().map(|(items, _)| items).sum::<usize>(), 2000);
    assert!((null.compression() - 1.0).abs() < 0.05, "{}", null.compression());
    assert!(task.compression() > 2.0, "{}", task.compression());
}

#[test]
fn what_no_line_can_tell_a_hidden_layer_can() {
    let states = random(400, 3, 22);
    let either =
        Labels::new((0..400).map(|item| usize::from(states[[item, 0]] * states[[item, 1]] > 0.0)).collect(), 2)
            .unwrap();
    let splits = Design::Items.splits(either.of(), &every(400), 4, 0).unwrap();
    let line = Logistic::default();
    let linear = &held_out(&states.view(), &[&either], &splits, &training(&line)).unwrap()[0];
    let family = Hidden { width: 16, seed: 3, ..Hidden::default() };
    let hidden = &held_out(&states.view(), &[&either], &splits, &training(&family)).unwrap()[0];
    assert!(linear.accuracy() < 0.6 && hidden.accuracy() > 0.9, "{} {}", linear.accuracy(), hidden.accuracy());
    assert_eq!(hidden, &held_out(&states.view(), &[&either], &splits, &training(&family)).unwrap()[0]);
}

#[test]
fn the_inner_folds_choose_the_penalty_that_serves_outside() {
    let states = random(60, 50, 23);
    let noisy = labels(&(&states * 0.3), 2, 24);
    let items = every(60);
    let splits = Design::Items.splits(noisy.of(), &items, 5, 0).unwrap();
    let family = Logistic::default();
    let bits = |penalties: &[f64]| {
        let training = Training { penalties, ..training(&family) };
        let held = held_out(&states.view(), &[&noisy], &splits, &training).unwrap().remove(0);
        (held.bits(), held.penalties().to_vec())
    };
    let (weak, _) = bits(&[1e-3]);
    let (chosen, penalties) = bits(&[1e-3, 1.0, 100.0]);
    assert!(chosen < weak && penalties.iter().all(|penalty| *penalty > 1e-3), "{chosen} {weak} {penalties:?}");
}

#[test]
fn sparse_probes_find_the_features_that_decide() {
    use patchclamp_probes::decode::Choice;
    let states = random(300, 40, 25);
    let decides = |item: usize| states[[item, 7]] + 0.8 * states[[item, 31]] > 0.0;
    let labels = Labels::new((0..300).map(|item| usize::from(decides(item))).collect(), 2).unwrap();
    let splits = Design::Items.splits(labels.of(), &every(300), 3, 0).unwrap();
    let family = Logistic::default();
    for choice in [Choice::Anova, Choice::MeanDifference, Choice::Thinned { penalty: 1.0 }] {
        let found = sparse(&states.view(), &labels, &splits, &[1, 2], choice, &training(&family)).unwrap();
        assert!(found[1].features.iter().all(|fold| fold == &[7, 31]), "{choice:?} {:?}", found[1].features);
        assert!(found[1].held.accuracy() > 0.95 && found[0].held.accuracy() < found[1].held.accuracy(), "{choice:?}");
    }
}
