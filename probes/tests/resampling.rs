//! Groups, BCa, effect sizes and power: by hand, in the long run, and against scipy and statsmodels.

mod common;

use common::{assert_close, golden, normal, values};
use patchclamp_probes::bca::bca;
use patchclamp_probes::effect::{cliffs_delta, cohens_d, hedges_g, odds_ratio, paired_d};
use patchclamp_probes::power::{items_needed, sign_flip_power, t_power, two_sample_power};
use patchclamp_probes::{
    Interval, Resamples, bca_clustered, bca_interval, benjamini_hochberg, bootstrap_clustered, mean_interval,
};

/// What the issue asks for.
const TOLERANCE: f64 = 1e-6;

/// Samples of a simulation.
const SAMPLES: u64 = 2000;

fn mean_of(values: &[f64]) -> impl Fn(&[usize]) -> f64 {
    |drawn| drawn.iter().map(|item| values[*item]).sum::<f64>() / drawn.len() as f64
}

#[test]
fn bca_is_that_of_scipys_quantiles() {
    let golden = golden("resampling");
    let (draws, left_out) = (values(&golden["draws"]), values(&golden["left_out"]));
    let found = bca(golden["observed"].as_f64().unwrap(), &draws, &left_out, 0.9).unwrap();
    assert_close(&[found.low, found.high], &values(&golden["bca"]), TOLERANCE);
}

#[test]
fn effects_power_and_adjusted_values_are_those_of_statsmodels() {
    let golden = golden("resampling");
    let (a, b) = (values(&golden["a"]), values(&golden["b"]));
    let found = [cohens_d(&a, &b).unwrap(), hedges_g(&a, &b).unwrap()];
    assert_close(&found, &[&golden["cohens_d"], &golden["hedges_g"]].map(|value| value.as_f64().unwrap()), TOLERANCE);
    let (ratio, range) = odds_ratio([[12, 5], [3, 9]], 0.9).unwrap();
    assert_close(&[ratio, range.low, range.high], &values(&golden["odds"]), TOLERANCE);
    assert_close(&benjamini_hochberg(&values(&golden["p"])), &values(&golden["benjamini_hochberg"]), TOLERANCE);
    for case in golden["power"].as_array().unwrap() {
        let case = values(case);
        assert_close(&[t_power(case[0], case[1] as usize, case[2]).unwrap()], &case[3..], TOLERANCE);
    }
    for case in golden["two_sample_power"].as_array().unwrap() {
        let case = values(case);
        let found = two_sample_power(case[0], case[1] as usize, case[2] as usize, 0.05).unwrap();
        assert_close(&[found], &case[3..], TOLERANCE);
    }
}

#[test]
fn groups_of_one_are_items() {
    let values: Vec<f64> = normal(1, 20, 1).into_raw_vec_and_offset().0;
    let singles: Vec<usize> = (0..20).map(|item| item * 3 + 1).collect();
    let (plain, grouped) = (Resamples::new(20, 300, 5), Resamples::clustered(&singles, 300, 5));
    assert_eq!(plain.means(&values), grouped.means(&values));
    assert_eq!(plain.bca(&values, 0.9), grouped.bca(&values, 0.9));
}

#[test]
fn whole_groups_are_drawn_and_the_mean_is_over_their_items() {
    let (groups, values) = ([7, 2, 7, 7, 2, 5], [1.0, 2.0, 3.0, 4.0, 5.0, 60.0]);
    bootstrap_clustered(&groups, 200, 3, |drawn| {
        for group in [2, 5, 7] {
            let times = |item: usize| drawn.iter().filter(|drawn| **drawn == item).count();
            let held: Vec<usize> = (0..6).filter(|item| groups[*item] == group).map(times).collect();
            assert!(held.iter().all(|times| *times == held[0]), "{drawn:?}");
        }
        assert!((3..=9).contains(&drawn.len()));
        0.0
    });
    let general = bootstrap_clustered(&groups, 200, 3, mean_of(&values));
    assert_close(&Resamples::clustered(&groups, 200, 3).means(&values).unwrap(), &general, 1e-12);
    assert_eq!(Resamples::clustered(&[4, 4, 4], 9, 0).means(&[1.0, 2.0, 3.0]), None, "one group says nothing");
}

#[test]
fn bca_of_the_mean_is_the_general_one_for_items_and_groups() {
    let values: Vec<f64> = normal(1, 18, 1).iter().map(|value| value.exp()).collect();
    let groups: Vec<usize> = (0..18).map(|item| item / 3).collect();
    let close = |a: Interval, b: Interval| assert_close(&[a.low, a.high], &[b.low, b.high], 1e-12);
    let general = bca_interval(18, 0.9, 400, 2, mean_of(&values)).unwrap();
    close(Resamples::new(18, 400, 2).bca(&values, 0.9).unwrap(), general);
    let general = bca_clustered(&groups, 0.9, 400, 2, mean_of(&values)).unwrap();
    close(Resamples::clustered(&groups, 400, 2).bca(&values, 0.9).unwrap(), general);
}

#[test]
fn draws_that_say_nothing_have_no_interval_and_equal_ones_a_point() {
    assert_eq!(bca(1.0, &[1.0; 9], &[1.0; 4], 0.9), Some(Interval { low: 1.0, high: 1.0 }));
    assert_eq!(bca(5.0, &[1.0, 2.0], &[1.0, 2.0], 0.9), None, "all on one side");
    assert_eq!(bca(f64::NAN, &[1.0, 2.0], &[1.0, 2.0], 0.9), None);
    assert_eq!(bca(1.0, &[], &[1.0], 0.9), None);
    assert_eq!(bca_interval(1, 0.9, 9, 0, |_| 1.0), None);
}

#[test]
fn bca_covers_the_mean_of_skewed_values_better_than_percentiles() {
    let resamples = Resamples::new(25, 1000, 1);
    let (mut gained, mut lost) = (0.0, 0.0);
    let truth = 0.5_f64.exp();
    for seed in 0..4 * SAMPLES {
        let values: Vec<f64> = normal(1, 25, seed).iter().map(|value| value.exp()).collect();
        match (resamples.interval(&values, 0.95), resamples.bca(&values, 0.95)) {
            (Some(plain), Some(better)) if better.contains(truth) && !plain.contains(truth) => gained += 1.0,
            (Some(plain), Some(better)) if !better.contains(truth) && plain.contains(truth) => lost += 1.0,
            (plain, better) => assert!(plain.is_some() && better.is_some()),
        }
    }
    // were the two alike, each sample in which they differ would go either way: four standard errors of that
    let differ: f64 = gained + lost;
    assert!(gained - lost > 4.0 * differ.sqrt(), "{gained} {lost}");
}

#[test]
fn groups_cover_where_items_of_a_template_go_together() {
    // 30 templates of 4 items that share most of their value: as though there were 30 items, 0.936 as for those
    let groups: Vec<usize> = (0..120).map(|item| item / 4).collect();
    let (grouped, single) = (Resamples::clustered(&groups, 1000, 1), Resamples::new(120, 1000, 1));
    let (mut whole, mut torn) = (0.0, 0.0);
    for seed in 0..SAMPLES {
        let (shared, own) = (normal(1, 30, 2 * seed), normal(1, 120, 2 * seed + 1));
        let values: Vec<f64> = (0..120).map(|item| shared[[0, item / 4]] + 0.3 * own[[0, item]]).collect();
        whole += f64::from(grouped.interval(&values, 0.95).unwrap().contains(0.0)) / SAMPLES as f64;
        torn += f64::from(single.interval(&values, 0.95).unwrap().contains(0.0)) / SAMPLES as f64;
    }
    let allowance = 4.0 * (0.936_f64 * 0.064 / SAMPLES as f64).sqrt();
    assert!((whole - 0.936).abs() < allowance, "{whole}");
    assert!(torn < 0.75, "{torn}: as though items were independent");
}

#[test]
fn effects_are_right_by_hand() {
    assert_eq!(cliffs_delta(&[1.0, 2.0, 3.0], &[2.0, 2.0]), Some(0.0)); // two below, two tied, two above
    assert_eq!(cliffs_delta(&[5.0], &[1.0, 2.0]), Some(1.0));
    assert_eq!(paired_d(&[1.0, 3.0]), Some(2.0 / 2.0_f64.sqrt()));
    assert_eq!((paired_d(&[1.0, 1.0]), paired_d(&[1.0])), (None, None));
    assert_eq!((cohens_d(&[1.0], &[2.0]), cohens_d(&[1.0, 1.0], &[2.0])), (None, None));
    // the exact factor for two degrees of freedom is Γ(1)/Γ(½) = 1/√π
    let (d, g) = (cohens_d(&[1.0, 3.0], &[0.0, 1.0]).unwrap(), hedges_g(&[1.0, 3.0], &[0.0, 1.0]).unwrap());
    assert!((g / d - 1.0 / std::f64::consts::PI.sqrt()).abs() < 1e-12);
    let (ratio, _) = odds_ratio([[4, 0], [2, 3]], 0.95).unwrap();
    assert!((ratio - 4.5 * 3.5 / (0.5 * 2.5)).abs() < 1e-12);
    assert_eq!(odds_ratio([[0, 0], [2, 3]], 0.95), None);
}

#[test]
fn hedges_g_is_right_on_average_and_cohens_d_is_too_large() {
    let (mut d, mut g) = (0.0, 0.0);
    for seed in 0..SAMPLES {
        let (a, b) = (normal(1, 5, 2 * seed) + 1.0, normal(1, 5, 2 * seed + 1));
        let (a, b) = (a.as_slice().unwrap(), b.as_slice().unwrap());
        d += cohens_d(a, b).unwrap() / SAMPLES as f64;
        g += hedges_g(a, b).unwrap() / SAMPLES as f64;
    }
    // one d of five and five varies by about 0.8, so that four standard errors are 0.07; d is too large by 1/0.903
    assert!((g - 1.0).abs() < 0.07 && d > g * 1.09, "{d} {g}");
}

#[test]
fn power_without_effect_is_the_level_and_the_fewest_items_are_the_fewest() {
    for items in [2, 5, 100] {
        assert!((t_power(0.0, items, 0.05).unwrap() - 0.05).abs() < 1e-6);
    }
    let needed = items_needed(0.3, 0.9, 0.05).unwrap();
    assert!(t_power(0.3, needed, 0.05).unwrap() >= 0.9 && t_power(0.3, needed - 1, 0.05).unwrap() < 0.9);
    assert_eq!((items_needed(0.0, 0.9, 0.05), t_power(1.0, 1, 0.05), t_power(f64::NAN, 9, 0.05)), (None, None, None));
    assert_eq!(items_needed(50.0, 0.5, 0.05), Some(2));
}

#[test]
fn sign_flips_have_nearly_the_power_of_students_test() {
    let found = sign_flip_power(0.5, 25, 0.05, 999, 2000, 3).unwrap();
    let expected = t_power(0.5, 25, 0.05).unwrap();
    assert!((found - expected).abs() < 4.0 * (expected * (1.0 - expected) / 2000.0).sqrt(), "{found} {expected}");
    assert_eq!(sign_flip_power(0.5, 1, 0.05, 9, 9, 0), None);
}

#[test]
fn intervals_of_items_have_not_moved() {
    // what a seed drew before groups could be drawn
    let values: Vec<f64> = (1..=20).map(|item| (f64::from(item) * 2.7).sin() * 3.0).collect();
    assert_eq!(mean_interval(&values, 0.9, 500, 3), Resamples::new(20, 500, 3).interval(&values, 0.9));
}
