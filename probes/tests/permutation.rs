//! The permutation tests against hand counts, brute force and their laws.

use patchclamp_probes::{Flips, sign_flip, two_sample};

/// `items` numbers that lie irregularly about `centre`.
fn scattered(items: u32, centre: f64) -> Vec<f64> {
    (1..=items).map(|item| centre + (f64::from(item) * 2.7).sin()).collect()
}

/// All sign patterns one by one, in whole numbers: no tie can be missed.
fn sign_flip_by_recursion(values: &[i32]) -> f64 {
    fn as_far(rest: &[i32], sum: i32, observed: i32) -> u32 {
        match rest {
            [] => u32::from(sum.abs() >= observed.abs()),
            [value, rest @ ..] => as_far(rest, sum + value, observed) + as_far(rest, sum - value, observed),
        }
    }
    let observed: i32 = values.iter().sum();
    f64::from(as_far(values, 0, observed)) / f64::from(1_u32 << values.len())
}

#[test]
fn exact_sign_flips_are_right_by_hand() {
    // Three of one sign: only +++ and −−− reach 6, 2 of 8.
    assert_eq!(sign_flip(&[1.0, 2.0, 3.0], 10, 0), Some(0.25));
    // Sum 0, which every pattern reaches.
    assert_eq!(sign_flip(&[1.0, 2.0, -3.0], 10, 0), Some(1.0));
    // Of 1, 1, 2, 3 (7 in all) those turned around must sum to at most 1 to leave 5: none, one 1
    // or the other; as many on the far side: 6 of 16.
    assert_eq!(sign_flip(&[3.0, 1.0, -1.0, 2.0], 10, 0), Some(0.375));
    // Of 1 to 5 (15 in all) those turned around must sum to at most 5 to leave 5: 10 subsets, and
    // as many on the far side: 20 of 32.
    assert_eq!(sign_flip(&[1.0, 2.0, 3.0, 4.0, -5.0], 10, 0), Some(0.625));
}

#[test]
fn exact_sign_flips_are_those_of_counting_one_by_one() {
    for items in 2..=12 {
        let whole: Vec<i32> = (0..items).map(|item| (item * 7 + 3) % 11 - 2).collect();
        let values: Vec<f64> = whole.iter().copied().map(f64::from).collect();
        assert_eq!(sign_flip(&values, 10, 0), Some(sign_flip_by_recursion(&whole)), "{items}");
    }
}

#[test]
fn sums_tied_but_for_rounding_count_as_tied() {
    // 0.1 + 0.2 − 0.3 is 5.6e-17 in floating point, and turned around −5.6e-17; every pattern
    // leaves 0.05 at least, so that p is 1, but the rounded 0.05s differ.
    assert_ne!(0.1 + 0.2 - 0.3 + 0.05, -0.1 - 0.2 + 0.3 + 0.05);
    assert_eq!(sign_flip(&[0.1, 0.2, -0.3, 0.05], 10, 0), Some(1.0));
}

#[test]
fn ties_of_large_samples_are_seen_in_any_unit() {
    // Most draws of two kinds of value are tied with others: exactly so in whole numbers, and but for
    // the rounding of five thousand terms in tenths.
    let kinds = |items: usize, unit: f64| (0..items).map(|i| unit * [1.0, 7.0, 7.0][i % 3]).collect::<Vec<_>>();
    let p = |unit| two_sample(&kinds(2000, unit), &kinds(3001, unit), 200, 3);
    assert_eq!(p(0.1), p(1.0));
}

#[test]
fn sums_that_differ_little_are_not_tied() {
    // ±(1 + 1e-9) is as far out as observed, ±(1 − 1e-9) is not.
    assert_eq!(sign_flip(&[1.0, 1e-9], 10, 0), Some(0.5));
}

#[test]
fn up_to_twelve_items_neither_seed_nor_draws_matter_and_above_they_do() {
    let p = |items, draws, seed| sign_flip(&scattered(items, 0.4), draws, seed);
    assert_eq!(p(12, 10, 1), p(12, 3000, 2));
    assert_ne!(p(13, 3000, 1), p(13, 3000, 2));
    assert_eq!(p(13, 3000, 1), p(13, 3000, 1));
}

#[test]
fn random_flips_come_near_the_exact_share() {
    let whole: Vec<i32> = (0..16).map(|item| (item * 7 + 3) % 11 - 3).collect();
    let values: Vec<f64> = whole.iter().copied().map(f64::from).collect();
    let (found, exact) = (sign_flip(&values, 10_000, 4).unwrap(), sign_flip_by_recursion(&whole));
    // Four standard errors of a share of 10 000 draws.
    assert!((found - exact).abs() < 4.0 * (exact * (1.0 - exact) / 1e4).sqrt(), "{found} {exact}");
    assert!(exact > 0.005 && exact < 0.5, "{exact} says too little");
}

#[test]
fn random_draws_count_the_observed_pattern_among_them() {
    // No random pattern of 60 signs, or of 30 and 30 labels, is as extreme: 1 of 1 + 99.
    let (a, b) = (scattered(30, 50.0), scattered(30, -50.0));
    assert_eq!(sign_flip(&vec![1.0; 60], 99, 0), Some(0.01));
    assert_eq!(two_sample(&a, &b, 99, 0), Some(0.01));
    assert_eq!(sign_flip(&vec![1.0; 60], 0, 0), Some(1.0));
}

#[test]
fn drawn_once_or_drawn_anew_the_p_value_is_the_same() {
    for items in [8, 40] {
        let flips = Flips::new(items as usize, 500, 9);
        for centre in [0.0, 0.1, 0.3] {
            let values = scattered(items, centre);
            assert_eq!(flips.p_value(&values), sign_flip(&values, 500, 9));
        }
    }
}

#[test]
fn the_sign_and_the_unit_of_the_values_do_not_matter() {
    for items in [9, 40] {
        let values = scattered(items, 0.2);
        let turned: Vec<f64> = values.iter().map(|value| value * -1024.0).collect();
        assert_eq!(sign_flip(&values, 500, 9), sign_flip(&turned, 500, 9));
    }
}

#[test]
fn exact_swaps_of_labels_are_right_by_hand() {
    // Of the 6 ways to choose two of 1, 2, 3, 4 only {1, 2} and {3, 4} differ by 2.
    assert_eq!(two_sample(&[1.0, 2.0], &[3.0, 4.0], 10, 0), Some(2.0 / 6.0));
    // Two of 1, 2, 4, 5, 9 with sum s leave a difference of 5s/6 − 7: −4.5 for {1, 2}, as far as
    // which only {5, 9} comes, 4.7: 2 of 10.
    assert_eq!(two_sample(&[1.0, 2.0], &[4.0, 5.0, 9.0], 10, 0), Some(0.2));
    // 1.3 for {1, 9}. Only {4, 5} at 0.5 and {2, 5} at −1.2 are nearer.
    assert_eq!(two_sample(&[1.0, 9.0], &[2.0, 4.0, 5.0], 10, 0), Some(0.8));
}

#[test]
fn two_samples_can_be_named_either_way_and_shifted_together() {
    let (a, b) = (scattered(5, 0.6), scattered(7, 0.0));
    let p = two_sample(&a, &b, 10, 0).unwrap();
    let shifted = |values: &[f64]| values.iter().map(|value| value + 1e6).collect::<Vec<_>>();
    assert_eq!(two_sample(&b, &a, 10, 0), Some(p));
    assert_eq!(two_sample(&shifted(&a), &shifted(&b), 10, 0), Some(p));
    assert!(p > 0.01 && p < 0.5, "{p} says too little");
}

#[test]
fn random_swaps_come_near_the_exact_share() {
    // Ranks: of the C(14, 7) = 3432 ways to share 1 to 14 those as uneven as 40 to 65.
    let ranks = [1.0, 2.0, 4.0, 5.0, 8.0, 9.0, 11.0];
    let rest = [3.0, 6.0, 7.0, 10.0, 12.0, 13.0, 14.0];
    let as_far = (0..1_u32 << 14).filter(|chosen| chosen.count_ones() == 7).filter(|chosen| {
        let sum: u32 = (0..14).filter(|item| chosen >> item & 1 == 1).map(|item| item + 1).sum();
        sum <= 40 || sum >= 65
    });
    let exact = as_far.count() as f64 / 3432.0;
    let found = two_sample(&ranks, &rest, 10_000, 4).unwrap();
    assert!((found - exact).abs() < 4.0 * (exact * (1.0 - exact) / 1e4).sqrt(), "{found} {exact}");
}

#[test]
fn items_that_are_too_few_or_not_finite_have_no_p_value() {
    for values in [&[][..], &[1.0], &[1.0, f64::NAN, 2.0], &[f64::INFINITY, 0.0]] {
        assert_eq!(sign_flip(values, 100, 0), None);
        assert_eq!(Flips::new(values.len(), 100, 0).p_value(values), None);
        assert_eq!(two_sample(values, &[1.0, 2.0, 3.0], 100, 0), None);
        assert_eq!(two_sample(&[1.0, 2.0, 3.0], values, 100, 0), None);
    }
}

#[test]
fn no_effect_and_no_spread_is_no_evidence() {
    for items in [5, 50] {
        let zeros = vec![0.0; items];
        assert_eq!(sign_flip(&zeros, 100, 0), Some(1.0));
        assert_eq!(two_sample(&zeros, &zeros, 100, 0), Some(1.0));
    }
}

#[test]
fn sums_that_overflow_are_no_evidence() {
    assert_eq!(sign_flip(&[1e308; 5], 100, 0), Some(1.0));
}

#[test]
#[should_panic(expected = "one value for each item")]
fn values_for_other_items_are_a_mistake_of_the_caller() {
    Flips::new(3, 10, 0).p_value(&[1.0, 2.0]);
}
