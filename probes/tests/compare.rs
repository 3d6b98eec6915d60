//! Laws of comparisons: what they do not see, what they are bounded by, what they find when it is planted.

mod common;

use common::{assert_close, normal};
use ndarray::{Array1, Array2, ArrayView2, Axis, array, s};
use patchclamp_probes::DataError;
use patchclamp_probes::compare::noise::residuals;
use patchclamp_probes::compare::{
    Dissimilarities, Noise, Resampled, Similarity, cca, compare_models, condition_permutation, debiased_cka,
    debiased_rbf_cka, linear_cka, noise_ceiling, participation_ratio, precision, procrustes, pwcca, rbf_cka, svcca,
    two_nn,
};
use patchclamp_probes::erase::random_directions;

/// Rounding of a few thousand products of numbers below 30.
const ROUNDING: f64 = 1e-9;

const SIMILARITIES: [Similarity; 7] = [
    Similarity::Cosine,
    Similarity::Pearson,
    Similarity::Spearman,
    Similarity::RhoA,
    Similarity::TauA,
    Similarity::WhitenedCosine,
    Similarity::WhitenedPearson,
];

/// An orthogonal matrix.
fn rotation(width: usize, seed: u64) -> Array2<f64> {
    random_directions(width, width, Array1::zeros(width), seed).unwrap().reads().to_owned()
}

fn of(patterns: &Array2<f64>) -> Dissimilarities {
    Dissimilarities::squared_euclidean(patterns.view()).unwrap()
}

/// Dissimilarities of a shape in common, seen through noise.
fn subjects(count: u64, conditions: usize, noise: f64) -> Vec<Dissimilarities> {
    let shape = normal(conditions, 10, 100);
    (0..count).map(|seed| of(&(&shape + &(normal(conditions, 10, seed) * noise)))).collect()
}

#[test]
fn kernels_do_not_see_rotation_scale_and_shift() {
    for (items, width) in [(60, 8), (12, 40)] {
        let (x, y) = (normal(items, width, 1), normal(items, 7, 2));
        let moved = x.dot(&rotation(width, 3)) * 5.0 + 2.0;
        type Measure = fn(ArrayView2<f64>, ArrayView2<f64>) -> Result<f64, DataError>;
        let measures: [Measure; 4] =
            [linear_cka, debiased_cka, |x, y| rbf_cka(x, y, 0.7), |x, y| debiased_rbf_cka(x, y, 0.7)];
        for measure in measures {
            assert!((measure(x.view(), moved.view()).unwrap() - 1.0).abs() < ROUNDING);
            let plain = measure(x.view(), y.view()).unwrap();
            assert!((measure(moved.view(), y.view()).unwrap() - plain).abs() < ROUNDING);
            assert!((measure(y.view(), x.view()).unwrap() - plain).abs() < ROUNDING);
            assert!(plain < 0.99);
        }
        assert!(procrustes(x.view(), moved.view()).unwrap() < ROUNDING);
    }
}

#[test]
fn independent_wide_spaces_are_alike_to_the_plain_estimate_alone() {
    let mean = |measure: fn(ArrayView2<f64>, ArrayView2<f64>) -> Result<f64, DataError>| {
        (0..40)
            .map(|seed| measure(normal(20, 100, seed).view(), normal(20, 100, seed + 99).view()).unwrap())
            .sum::<f64>()
            / 40.0
    };
    assert!(mean(linear_cka) > 0.8);
    assert!(mean(debiased_cka).abs() < 0.03); // one estimate varies by about 0.05, so this is 4 standard errors
}

#[test]
fn canonical_correlations_do_not_see_linear_maps() {
    let (x, y) = (normal(80, 5, 1), normal(80, 4, 2));
    let mapped = x.dot(&normal(5, 5, 3)) + 1.0;
    assert_close(&cca(x.view(), mapped.view()).unwrap().correlations, &[1.0; 5], ROUNDING);
    let plain = cca(x.view(), y.view()).unwrap();
    assert_close(&cca(mapped.view(), y.view()).unwrap().correlations, &plain.correlations, ROUNDING);
    assert!(plain.mean() > 0.0 && plain.correlations[0] < 0.9);
    let weighed = pwcca(x.view(), y.view()).unwrap();
    assert!(weighed > plain.correlations[3] && weighed < plain.correlations[0]);
    // a column twice adds nothing
    let twice = ndarray::concatenate![Axis(1), x, x.slice(s![.., ..1])];
    assert_close(&cca(twice.view(), y.view()).unwrap().correlations, &plain.correlations, ROUNDING);
}

#[test]
fn svcca_forgets_what_has_little_variance() {
    let signal = normal(80, 2, 1);
    let with_noise = |seed| ndarray::concatenate![Axis(1), signal, normal(80, 6, seed) * 1e-3];
    let (x, y) = (with_noise(2), with_noise(3));
    let found = svcca(x.view(), y.view(), 0.99).unwrap();
    assert_eq!(found.correlations.len(), 2);
    assert!(found.mean() > 0.999 && cca(x.view(), y.view()).unwrap().mean() < 0.8);
}

#[test]
fn procrustes_is_a_metric_by_its_root() {
    let spaces: Vec<Array2<f64>> = (0..6).map(|seed| normal(20, 5, seed)).collect();
    let far = |a: usize, b: usize| procrustes(spaces[a].view(), spaces[b].view()).unwrap().sqrt();
    for (a, b, c) in (0..6).flat_map(|a| (0..6).flat_map(move |b| (0..6).map(move |c| (a, b, c)))) {
        assert!(far(a, c) <= far(a, b) + far(b, c) + 1e-6);
        assert!((far(a, b) - far(b, a)).abs() < 1e-6);
    }
}

#[test]
fn dimensions_are_those_of_what_was_made() {
    let plane = normal(1500, 2, 1).dot(&rotation(2, 2)).dot(&normal(2, 30, 3));
    let cube = normal(1500, 5, 4).dot(&rotation(5, 5).dot(&normal(5, 30, 6)));
    assert!((two_nn(plane.view(), 0.1).unwrap() - 2.0).abs() < 0.2);
    assert!((two_nn(cube.view(), 0.1).unwrap() - 5.0).abs() < 0.5);
    let round = normal(4000, 6, 7).dot(&rotation(6, 8));
    assert!((participation_ratio(round.view()).unwrap() - 6.0).abs() < 0.1);
    let wide = normal(5, 400, 9);
    let tall = ndarray::concatenate![Axis(0), wide, wide];
    let (few, twice) = (participation_ratio(wide.view()).unwrap(), participation_ratio(tall.view()).unwrap());
    assert!((few - twice).abs() < ROUNDING); // by items and by columns
    assert!(few > 3.0 && few <= 4.0);
    // twins say nothing
    let curve = Array2::from_shape_fn((200, 3), |(item, column)| (item as f64 * [0.01, 0.02, 0.03][column]).sin());
    let doubled = ndarray::concatenate![Axis(0), plane, plane.slice(s![..1, ..])];
    assert!((two_nn(doubled.view(), 0.1).unwrap() - 2.0).abs() < 0.2);
    assert!(matches!(two_nn(ndarray::concatenate![Axis(0), curve, curve].view(), 0.1), Err(DataError::TooFew { .. })));
}

#[test]
fn the_noise_ceiling_brackets_the_shape_in_common() {
    let subjects = subjects(8, 12, 1.0);
    let truth = of(&normal(12, 10, 100));
    for similarity in SIMILARITIES {
        let ceiling = noise_ceiling(&subjects, similarity).unwrap();
        let reached: f64 = subjects.iter().map(|subject| similarity.of(&truth, subject).unwrap()).sum::<f64>() / 8.0;
        assert!(ceiling.lower < ceiling.upper && reached < ceiling.upper, "{similarity:?}");
        assert!(ceiling.lower > 0.2 && ceiling.upper < 1.0, "{similarity:?}");
    }
}

#[test]
fn no_dissimilarities_exceed_the_upper_ceiling() {
    let subjects = subjects(4, 6, 1.0);
    for similarity in [Similarity::Cosine, Similarity::Pearson, Similarity::Spearman, Similarity::RhoA] {
        let upper = noise_ceiling(&subjects, similarity).unwrap().upper;
        for seed in 0..300 {
            let (weights, own) = (normal(1, 4, seed), normal(1, 15, seed + 1000) * 0.3);
            let mixed = (0..15).map(|pair| {
                own[[0, pair]] + (0..4).map(|of| weights[[0, of]].abs() * subjects[of].values()[pair]).sum::<f64>()
            });
            let model = Dissimilarities::new(6, mixed.collect()).unwrap();
            let reached = subjects.iter().map(|subject| similarity.of(&model, subject).unwrap()).sum::<f64>() / 4.0;
            assert!(reached <= upper + ROUNDING, "{similarity:?} {seed}");
        }
    }
}

#[test]
fn agreement_is_one_with_itself_and_does_not_see_scale_or_the_order_of_conditions() {
    let (x, y) = (of(&normal(7, 5, 1)), of(&normal(7, 5, 2)));
    let scaled = Dissimilarities::new(7, x.values().iter().map(|value| value * 3.0).collect()).unwrap();
    let order = [3, 1, 6, 0, 2, 5, 4];
    for similarity in SIMILARITIES {
        let plain = similarity.of(&x, &y).unwrap();
        assert!((similarity.of(&x, &x).unwrap() - 1.0).abs() < ROUNDING, "{similarity:?}");
        assert!((similarity.of(&scaled, &y).unwrap() - plain).abs() < ROUNDING, "{similarity:?}");
        let turned = similarity.of(&x.reordered(&order), &y.reordered(&order)).unwrap();
        assert!((turned - plain).abs() < ROUNDING, "{similarity:?}");
    }
}

#[test]
fn whitened_cosine_of_distances_is_linear_cka() {
    let (x, y) = (normal(9, 4, 1), normal(9, 6, 2));
    let cka = linear_cka(x.view(), y.view()).unwrap();
    assert!((Similarity::WhitenedCosine.of(&of(&x), &of(&y)).unwrap() - cka).abs() < ROUNDING);
}

#[test]
fn crossnobis_is_zero_on_average_where_conditions_do_not_differ() {
    let (conditions, folds): (Vec<usize>, Vec<usize>) = (0..24).map(|item| (item % 4, item / 8)).unzip();
    let mut sums = (0.0, 0.0);
    for seed in 0..200 {
        let rows = normal(24, 10, seed);
        let weights = Array2::eye(10);
        let found = Dissimilarities::crossnobis(rows.view(), &conditions, &folds, weights.view()).unwrap();
        sums.0 += found.values().iter().sum::<f64>() / 6.0 / 200.0;
        let means = patchclamp_probes::compare::dissimilarity::condition_means(rows.view(), &conditions).unwrap();
        sums.1 += of(&means).values().iter().sum::<f64>() / 6.0 / 200.0;
    }
    assert!(sums.0.abs() < 0.02, "{}", sums.0); // one varies by about 0.06
    assert!((sums.1 - 2.0 / 6.0).abs() < 0.02, "{}: twice the variance of a mean of six", sums.1);
}

#[test]
fn mahalanobis_is_euclidean_after_whitening() {
    let (patterns, noise) = (normal(5, 4, 1), normal(50, 4, 2).dot(&normal(4, 4, 3)));
    let weights = precision(noise.view(), 49.0, Noise::Full).unwrap();
    let found = Dissimilarities::mahalanobis(patterns.view(), weights.view()).unwrap();
    let (left, conditions) = residuals(noise.view(), &[0, 1].repeat(25)).unwrap();
    assert_eq!((left.dim(), conditions), ((50, 4), 48.0));
    for ((i, j), value) in (0..5).flat_map(|i| (i + 1..5).map(move |j| (i, j))).zip(found.values()) {
        let apart = &patterns.row(i) - &patterns.row(j);
        assert!((apart.dot(&weights.dot(&apart)) / 4.0 - value).abs() < ROUNDING);
        assert_eq!(found.between(j, i), *value);
    }
}

#[test]
fn conditions_named_at_random_give_every_p_value_equally_often() {
    let low = (0..400).filter(|seed| {
        let (x, y) = (of(&normal(6, 5, 2 * seed)), of(&normal(6, 5, 2 * seed + 1)));
        condition_permutation(&x, &y, Similarity::Pearson, 0, 0).unwrap() <= 0.2
    });
    let share = low.count() as f64 / 400.0;
    assert!((share - 0.2).abs() < 0.08, "{share}"); // four standard errors
    let (x, noisy) = (normal(12, 5, 1), normal(12, 5, 2) * 0.3);
    let p = condition_permutation(&of(&x), &of(&(&x + &noisy)), Similarity::Spearman, 199, 7).unwrap();
    assert_eq!(p, 1.0 / 200.0);
}

#[test]
fn the_model_that_made_the_data_agrees_best() {
    let subjects = subjects(8, 12, 0.7);
    let shape = normal(12, 10, 100);
    let models = [of(&normal(12, 10, 50)), of(&shape), of(&(&shape + &normal(12, 10, 60)))];
    for resampled in [Resampled::Subjects, Resampled::Conditions, Resampled::Both] {
        for similarity in SIMILARITIES {
            let found = compare_models(&models, &subjects, similarity, resampled, 0.95, 100, 3).unwrap();
            assert!(found.similarities[1] > found.similarities[2] && found.similarities[2] > found.similarities[0]);
            let first = &found.differences[0];
            assert!(first.estimate < 0.0 && first.interval.high < 0.0, "{resampled:?} {similarity:?}");
            assert!(first.p <= 0.05 && first.adjusted >= first.p);
            assert!(
                found
                    .intervals
                    .iter()
                    .zip(&found.similarities)
                    .all(|(range, value)| range.width() < 0.9 && value.abs() < 1.0)
            );
            assert!(found.ceiling.unwrap().upper >= found.similarities[1]);
        }
    }
    let again = |seed| compare_models(&models, &subjects, Similarity::RhoA, Resampled::Both, 0.95, 50, seed).unwrap();
    assert_eq!(again(1), again(1));
    assert_ne!(again(1), again(2));
}

#[test]
fn data_of_which_nothing_can_be_made_say_why() {
    let (good, flat) = (normal(5, 3, 1), Array2::<f64>::ones((5, 3)));
    let broken = array![[1.0, 2.0], [f64::NAN, 0.0], [1.0, 1.0], [0.0, 1.0], [2.0, 2.0]];
    type Measure = fn(ArrayView2<f64>, ArrayView2<f64>) -> Result<f64, DataError>;
    let measures: [Measure; 6] =
        [linear_cka, debiased_cka, |x, y| rbf_cka(x, y, 1.0), procrustes, pwcca, |x, y| Ok(cca(x, y)?.mean())];
    for measure in measures {
        assert_eq!(measure(good.view(), flat.view()), Err(DataError::Constant { what: "y" }));
        assert_eq!(measure(broken.view(), good.view()), Err(DataError::NotFinite { what: "x", row: 1, column: 0 }));
        assert!(matches!(measure(good.view(), good.slice(s![..4, ..])), Err(DataError::Count { .. })));
        assert!(matches!(measure(good.slice(s![..1, ..]), good.slice(s![..1, ..])), Err(DataError::TooFew { .. })));
    }
    let few = good.slice(s![..3, ..]);
    assert_eq!(debiased_cka(few, few), Err(DataError::TooFew { what: "items", found: 3, needed: 4 }));
    assert_eq!(Dissimilarities::correlation(flat.view()), Err(DataError::Constant { what: "a pattern" }));
    assert_eq!(participation_ratio(flat.view()), Err(DataError::Constant { what: "states" }));
    let noise = precision(normal(4, 9, 1).view(), 3.0, Noise::Full);
    assert_eq!(noise, Err(DataError::Singular { what: "covariance of the noise" }));
    assert!(precision(normal(4, 9, 1).view(), 3.0, Noise::ShrunkToDiagonal).is_ok());
    let (of_good, of_flat) = (of(&good), Dissimilarities::new(5, vec![1.0; 10]).unwrap());
    assert!(matches!(Similarity::Pearson.of(&of_good, &of_flat), Err(DataError::Constant { .. })));
    assert_eq!(Similarity::TauA.of(&of_good, &of_flat), Ok(0.0));
    let folds = Dissimilarities::crossnobis(good.view(), &[0, 1, 0, 1, 2], &[0, 0, 1, 1, 1], Array2::eye(3).view());
    assert!(matches!(folds, Err(DataError::Empty { label: 2, .. })));
}
