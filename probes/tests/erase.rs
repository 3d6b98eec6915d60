//! What an erasure promises: nothing linear is left, the least is moved, twice is once.

mod common;

use common::{apart, normal, states_of_classes};
use ndarray::{Array1, Array2, ArrayView2, Axis, array, s};
use patchclamp_probes::DataError;
use patchclamp_probes::erase::{
    Covariance, Eraser, Inlp, Leace, LeastSquares, Moments, Oracle, inlp, leace, mean_projection, random_directions,
};

/// Rounding of a few hundred products of numbers below 30.
const ROUNDING: f64 = 1e-9;

fn class_means(states: ArrayView2<f64>, labels: &[usize]) -> Vec<Array1<f64>> {
    let of = |class: usize| -> Vec<usize> { (0..labels.len()).filter(|item| labels[*item] == class).collect() };
    (0..3).map(|class| states.select(Axis(0), &of(class)).mean_axis(Axis(0)).unwrap()).collect()
}

fn erasers(moments: &Moments) -> [(&'static str, Eraser); 3] {
    let shrunk = Leace { covariance: Covariance::Shrunk, ..Leace::default() };
    [
        ("leace", leace(moments).unwrap()),
        ("shrunk", shrunk.fit(moments).unwrap()),
        ("means", mean_projection(moments).unwrap()),
    ]
}

fn by_least_squares(states: ArrayView2<f64>, labels: &[usize]) -> Result<Array2<f64>, DataError> {
    Ok(LeastSquares::fit(states, labels, 0.0)?.weights().slice(s![..1, ..]).to_owned())
}

#[test]
fn after_an_erasure_class_means_are_equal_and_nothing_linear_is_left() {
    for (items, width) in [(200, 12), (40, 60)] {
        let (states, labels) = states_of_classes(items, width, 3);
        let moments = Moments::of_classes(states.view(), &labels, 3).unwrap();
        for (name, eraser) in erasers(&moments) {
            let erased = eraser.apply(states.view());
            let means = class_means(erased.view(), &labels);
            for mean in &means {
                assert!((mean - &means[0]).iter().all(|gap| gap.abs() < ROUNDING), "{name} {width}");
            }
            let after = Moments::of_classes(erased.view(), &labels, 3).unwrap();
            assert!(after.cross_covariance().unwrap().iter().all(|value| value.abs() < ROUNDING), "{name} {width}");
            let before = LeastSquares::fit(states.view(), &labels, 0.0).unwrap();
            assert!(before.accuracy(states.view(), &labels).unwrap() > 0.6);
            let probe = LeastSquares::fit(erased.view(), &labels, 1e-6).unwrap();
            assert_eq!(probe.accuracy(erased.view(), &labels).unwrap(), 0.5, "{name} {width}: the majority");
        }
    }
}

#[test]
fn an_erasure_twice_is_an_erasure_once_and_the_mean_stays() {
    let (states, labels) = states_of_classes(100, 12, 3);
    let moments = Moments::of_classes(states.view(), &labels, 3).unwrap();
    for (name, eraser) in erasers(&moments) {
        let once = eraser.apply(states.view());
        assert!(apart(eraser.apply(once.view()).view(), once.view()) < ROUNDING, "{name}");
        let gap = once.mean_axis(Axis(0)).unwrap() - moments.mean();
        assert!(gap.iter().all(|gap| gap.abs() < ROUNDING), "{name}");
        assert_eq!(eraser.rank(), 2, "{name}: three classes differ in two directions");
    }
}

#[test]
fn leace_moves_states_least_in_every_norm() {
    let (states, labels) = states_of_classes(300, 12, 3);
    let moments = Moments::of_classes(states.view(), &labels, 3).unwrap();
    let Inlp { eraser, .. } = inlp(states.view(), &labels, 20, by_least_squares).unwrap();
    let others = [("means", mean_projection(&moments).unwrap()), ("inlp", eraser)];
    let least = leace(&moments).unwrap();
    let scale = normal(12, 12, 9);
    let norms = [Array2::eye(12), scale.t().dot(&scale), moments.covariance().unwrap()];
    for (place, norm) in norms.iter().enumerate() {
        let moved = |eraser: &Eraser| {
            let gaps = &states - &eraser.apply(states.view());
            (gaps.dot(norm) * &gaps).sum() / 300.0
        };
        for (name, other) in &others {
            assert!(moved(&least) < moved(other), "{name} in norm {place}");
        }
    }
    let moved = (&states - &least.apply(states.view())).mapv(|gap| gap * gap).sum() / 300.0;
    assert!((least.moved(&moments).unwrap() - moved).abs() < ROUNDING);
}

#[test]
fn the_trace_of_the_covariance_never_grows() {
    for seed in 0..20 {
        let (states, labels) = states_of_classes(60, 12, seed);
        let moments = Moments::of_classes(states.view(), &labels, 3).unwrap();
        let erased = leace(&moments).unwrap().apply(states.view());
        let after = Moments::of_classes(erased.view(), &labels, 3).unwrap();
        assert!(after.covariance().unwrap().diag().sum() < moments.covariance().unwrap().diag().sum());
    }
}

#[test]
fn an_oracle_moves_states_less_and_leaves_nothing_either() {
    let (states, labels) = states_of_classes(200, 12, 3);
    let moments = Moments::of_classes(states.view(), &labels, 3).unwrap();
    let erased = Oracle::fit(&moments).unwrap().apply_classes(states.view(), &labels).unwrap();
    let means = class_means(erased.view(), &labels);
    assert!(means.iter().all(|mean| (mean - &means[0]).iter().all(|gap| gap.abs() < ROUNDING)));
    let moved = |after: &Array2<f64>| (&states - after).mapv(|gap| gap * gap).sum();
    assert!(moved(&erased) < moved(&leace(&moments).unwrap().apply(states.view())));
}

#[test]
fn the_affine_map_of_an_eraser_is_the_eraser() {
    let (states, labels) = states_of_classes(100, 12, 3);
    let moments = Moments::of_classes(states.view(), &labels, 3).unwrap();
    for (name, eraser) in erasers(&moments) {
        let mapped = eraser.affine().unwrap().apply(states.view());
        assert!(apart(mapped.view(), eraser.apply(states.view()).view()) < ROUNDING, "{name}");
    }
}

#[test]
fn the_projection_of_inlp_is_one_and_holds_what_every_classifier_read() {
    let (states, labels) = states_of_classes(100, 12, 3);
    let found = inlp(states.view(), &labels, 4, by_least_squares).unwrap();
    assert_eq!(found.ranks, [1, 2, 3, 4]);
    let matrix = found.eraser.affine().unwrap().weight().to_owned();
    assert!(apart(matrix.dot(&matrix).view(), matrix.view()) < ROUNDING);
    assert!(apart(matrix.t(), matrix.view()) < ROUNDING);
    assert!((matrix.diag().sum() - 8.0).abs() < ROUNDING, "its trace is the rank that is left");
    let first = by_least_squares(states.view(), &labels).unwrap();
    assert!(matrix.dot(&first.t()).iter().all(|value| value.abs() < ROUNDING));
}

#[test]
fn inlp_ends_where_a_classifier_reads_nothing() {
    // one column tells the class and the other is noise at right angles to it
    let states = array![[0.0, 1.0], [0.0, -1.0], [5.0, 1.0], [5.0, -1.0]];
    let found = inlp(states.view(), &[0, 0, 1, 1], 9, by_least_squares).unwrap();
    assert_eq!(found.ranks, [1]);
}

#[test]
fn random_directions_are_a_projection_of_their_rank_and_their_seed() {
    let of = |seed| random_directions(30, 4, Array1::zeros(30), seed).unwrap();
    let matrix = of(1).affine().unwrap().weight().to_owned();
    assert!(apart(matrix.dot(&matrix).view(), matrix.view()) < ROUNDING);
    assert!((matrix.diag().sum() - 26.0).abs() < ROUNDING);
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    let error = random_directions(3, 4, Array1::zeros(3), 1).unwrap_err();
    assert_eq!(error.to_string(), "dimensions of the states: 3 are too few: give 4 or more");
}

#[test]
fn blocks_and_parts_sum_to_the_moments_of_all() {
    let (mut states, labels) = states_of_classes(100, 12, 3);
    states += 1e6; // far from zero
    let whole = Moments::of_classes(states.view(), &labels, 3).unwrap();
    let mut parts = Moments::new(12, 3);
    let mut rest = Moments::new(12, 3);
    for (from, to) in [(0, 1), (1, 37), (37, 60)] {
        parts.add_classes(states.slice(s![from..to, ..]), &labels[from..to]).unwrap();
    }
    rest.add_classes(states.slice(s![60.., ..]), &labels[60..]).unwrap();
    parts.merge(&rest).unwrap();
    assert_eq!(parts.items(), 100);
    assert!(apart(parts.covariance().unwrap().view(), whole.covariance().unwrap().view()) < 1e-6);
    assert!(apart(parts.cross_covariance().unwrap().view(), whole.cross_covariance().unwrap().view()) < 1e-6);
    // by two passes
    let mean = states.mean_axis(Axis(0)).unwrap();
    let centred = &states - &mean;
    assert!(apart(whole.covariance().unwrap().view(), (centred.t().dot(&centred) / 99.0).view()) < 1e-6);
}

#[test]
fn single_precision_gives_the_moments_of_the_same_values() {
    let (states, labels) = states_of_classes(50, 5, 3);
    let single = states.mapv(|value| value as f32);
    let mut moments = Moments::new(5, 3);
    moments.add_classes(single.view(), &labels).unwrap();
    let same = Moments::of_classes(single.mapv(f64::from).view(), &labels, 3).unwrap();
    assert_eq!(moments.covariance().unwrap(), same.covariance().unwrap());
}

#[test]
fn collinear_and_constant_columns_are_no_trouble() {
    let (states, labels) = states_of_classes(80, 4, 3);
    let first = states.column(0).insert_axis(Axis(1)).to_owned();
    let columns = ndarray::concatenate![Axis(1), states, &first * 2.0, &first * 0.0 + 3.0];
    let moments = Moments::of_classes(columns.view(), &labels, 3).unwrap();
    for (name, eraser) in erasers(&moments) {
        let erased = eraser.apply(columns.view());
        let means = class_means(erased.view(), &labels);
        assert!(means.iter().all(|mean| (mean - &means[0]).iter().all(|gap| gap.abs() < ROUNDING)), "{name}");
        assert!((erased.column(5).to_owned() - 3.0).iter().all(|gap| gap.abs() < ROUNDING), "{name}");
    }
}

#[test]
fn data_of_which_nothing_can_be_made_say_why() {
    let states = array![[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]];
    let of = |labels: &[usize]| Moments::of_classes(states.view(), labels, 2);
    let message = |error: DataError| error.to_string();
    assert_eq!(message(of(&[0, 1]).unwrap_err()), "labels: 2 were given where 3 were expected: give as many");
    assert_eq!(message(of(&[0, 1, 2]).unwrap_err()), "classes: number 2 does not exist: there are 2, counted from 0");
    assert_eq!(leace(&of(&[0, 1, 1]).unwrap()), Err(DataError::Constant { what: "states" }));
    assert!(matches!(leace(&Moments::new(2, 2)), Err(DataError::TooFew { found: 0, needed: 2, .. })));
    let mut moments = Moments::new(2, 1);
    let error = moments.add(array![[1.0, f64::NAN]].view(), array![[1.0]].view()).unwrap_err();
    assert_eq!(error, DataError::NotFinite { what: "states", row: 0, column: 1 });
    assert_eq!(moments.items(), 0);
    assert_eq!(
        message(LeastSquares::fit(states.view(), &[0, 0, 0], 0.0).unwrap_err()),
        "classes: 1 are too few: give 2 or more"
    );
}

#[test]
fn one_class_leaves_states_as_they_are() {
    let (states, _) = states_of_classes(20, 3, 3);
    let moments = Moments::of_classes(states.view(), &[1; 20], 2).unwrap();
    assert_eq!(leace(&moments).unwrap().rank(), 0);
    assert_eq!(leace(&moments).unwrap().apply(states.view()), states);
    assert_eq!(mean_projection(&moments).unwrap().rank(), 0);
    assert_eq!(Oracle::fit(&moments).unwrap().apply_classes(states.view(), &[1; 20]).unwrap(), states);
}
