//! Comparisons against `rsatoolbox`, scipy, scikit-learn and closed forms in numpy.

mod common;

use common::{apart, assert_close, golden, labels, matrix, values};
use patchclamp_probes::compare::noise::covariance;
use patchclamp_probes::compare::{
    Dissimilarities, Noise, Similarity, cca, debiased_cka, debiased_rbf_cka, linear_cka, noise_ceiling,
    participation_ratio, precision, procrustes, pwcca, rbf_cka, svcca, two_nn,
};
use serde_json::Value;

/// What the issue asks for; the values are below 20.
const TOLERANCE: f64 = 1e-6;

fn rows_of(part: &Value, conditions: usize) -> Vec<Dissimilarities> {
    let rows = matrix(part);
    rows.rows().into_iter().map(|row| Dissimilarities::new(conditions, row.to_vec()).unwrap()).collect()
}

#[test]
fn dissimilarities_are_those_of_rsatoolbox() {
    let golden = golden("similarities");
    let (patterns, weights) = (matrix(&golden["patterns"]), matrix(&golden["precision"]));
    let found = [
        ("squared_euclidean", Dissimilarities::squared_euclidean(patterns.view())),
        ("correlation", Dissimilarities::correlation(patterns.view())),
        ("cosine", Dissimilarities::cosine(patterns.view())),
        ("mahalanobis", Dissimilarities::mahalanobis(patterns.view(), weights.view())),
        (
            "crossnobis",
            Dissimilarities::crossnobis(
                matrix(&golden["items"]).view(),
                &labels(&golden["conditions"]),
                &labels(&golden["folds"]),
                matrix(&golden["weigh"]).view(),
            ),
        ),
    ];
    for (name, found) in found {
        assert_close(found.unwrap().values(), &values(&golden[name]), TOLERANCE);
    }
}

#[test]
fn noise_is_that_of_rsatoolbox() {
    let golden = golden("similarities");
    let residuals = matrix(&golden["residuals"]);
    for noise in [Noise::Full, Noise::Diagonal, Noise::ShrunkToEqual, Noise::ShrunkToDiagonal] {
        let found = covariance(residuals.view(), 11.0, noise).unwrap();
        let expected = matrix(&golden["covariance"][format!("{noise:?}")]);
        assert!(apart(found.view(), expected.view()) < TOLERANCE, "{noise:?}");
    }
    let found = precision(residuals.view(), 11.0, Noise::ShrunkToDiagonal).unwrap();
    assert!(apart(found.view(), matrix(&golden["inverse"]).view()) < TOLERANCE);
}

#[test]
fn similarities_and_ceilings_are_those_of_rsatoolbox() {
    let golden = golden("similarities");
    let (models, subjects) = (rows_of(&golden["models"], 7), rows_of(&golden["subjects"], 7));
    for similarity in [
        Similarity::Cosine,
        Similarity::Pearson,
        Similarity::Spearman,
        Similarity::RhoA,
        Similarity::TauA,
        Similarity::WhitenedCosine,
        Similarity::WhitenedPearson,
    ] {
        let name = format!("{similarity:?}");
        let expected = matrix(&golden["similarity"][&name]);
        for ((model, subject), expected) in expected.indexed_iter() {
            let found = similarity.of(&models[model], &subjects[subject]).unwrap();
            assert!((found - expected).abs() < TOLERANCE, "{name}: {found} is not {expected}");
        }
        let ceiling = noise_ceiling(&subjects, similarity).unwrap();
        assert_close(&[ceiling.lower, ceiling.upper], &values(&golden["ceiling"][&name]), TOLERANCE);
    }
}

#[test]
fn kernels_rotations_and_correlations_are_those_of_numpy() {
    let golden = golden("spaces");
    for pair in golden["pairs"].as_array().unwrap() {
        let (x, y) = (matrix(&pair["x"]), matrix(&pair["y"]));
        let figures = [
            ("cka", linear_cka(x.view(), y.view())),
            ("debiased_cka", debiased_cka(x.view(), y.view())),
            ("rbf_cka", rbf_cka(x.view(), y.view(), 0.8)),
            ("debiased_rbf_cka", debiased_rbf_cka(x.view(), y.view(), 0.8)),
            ("procrustes", procrustes(x.view(), y.view())),
        ];
        for (name, found) in figures {
            assert_close(&[found.unwrap()], &[pair[name].as_f64().unwrap()], TOLERANCE);
        }
        assert_close(&svcca(x.view(), y.view(), 0.9).unwrap().correlations, &values(&pair["svcca"]), TOLERANCE);
        if let Some(weighed) = pair["pwcca"].as_f64() {
            assert_close(&[pwcca(x.view(), y.view()).unwrap()], &[weighed], TOLERANCE);
            assert_close(&cca(x.view(), y.view()).unwrap().correlations, &values(&pair["correlations"]), TOLERANCE);
        }
    }
}

#[test]
fn dimensions_are_those_of_scikit_learns_neighbours_and_numpys_eigenvalues() {
    let golden = golden("spaces");
    let sheet = matrix(&golden["sheet"]);
    let found = [two_nn(sheet.view(), 0.1).unwrap(), participation_ratio(sheet.view()).unwrap()];
    assert_close(
        &found,
        &[&golden["two_nn"], &golden["participation"]].map(|value| value.as_f64().unwrap()),
        TOLERANCE,
    );
}
