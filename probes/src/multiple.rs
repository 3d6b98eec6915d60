//! Adjustment of p-values: what is left after asking many questions at once.
//!
//! **What it measures.** [`holm`]: for each question the smallest error rate of the whole family at which Holm's
//! step-down procedure still rejects it. Holds whatever the dependence between the questions.
//! [`benjamini_hochberg`]: the smallest share of false alarms among what is rejected, on average, at which its step-up
//! procedure rejects the question. Holds where questions are independent, or depend positively.
//!
//! **What it cannot show.** Anything about questions left out of the family: looking first and asking
//! then is not adjusted for. Holm guards against one false alarm in the family, so it misses much where
//! thousands are asked; Benjamini and Hochberg let as many through as their share allows, and which they are is unknown.
//!
//! **Reference.** Holm 1979, *A Simple Sequentially Rejective Multiple Test Procedure*, Scandinavian
//! Journal of Statistics 6; Benjamini & Hochberg 1995, *Controlling the False Discovery Rate*, Journal of the Royal
//! Statistical Society B 57.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::{benjamini_hochberg, holm};
//!
//! assert_eq!(holm(&[0.5, 0.125, 0.75]), [1.0, 0.375, 1.0]);
//! assert_eq!(benjamini_hochberg(&[0.5, 0.125, 0.75]), [0.75, 0.375, 0.75]);
//! ```

/// Holm's adjusted p-values, 0 to 1, in the order of `p`: the i-th smallest of m times m − i + 1,
/// but never below a smaller one's, and 1 at most.
///
/// # Panics
/// If a p-value is not in 0 to 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "p-values must lie in 0 to 1");
    let mut rising: Vec<usize> = (0..p.len()).collect();
    rising.sort_by(|left, right| p[*left].total_cmp(&p[*right]));
    let mut adjusted = vec![0.0; p.len()];
    let mut so_far = 0.0_f64;
    for (rank, question) in rising.into_iter().enumerate() {
        let questions_left = p.len() - rank;
        so_far = so_far.max(p[question] * questions_left as f64).min(1.0);
        adjusted[question] = so_far;
    }
    adjusted
}

/// Benjamini and Hochberg's adjusted p-values, 0 to 1, in the order of `p`: the i-th smallest of m times m / i, but never
/// above a larger one's.
///
/// # Panics
/// If a p-value is not in 0 to 1.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "p-values must lie in 0 to 1");
    let mut falling: Vec<usize> = (0..p.len()).collect();
    falling.sort_by(|left, right| p[*right].total_cmp(&p[*left]));
    let mut adjusted = vec![0.0; p.len()];
    let mut so_far = 1.0_f64;
    for (place, question) in falling.into_iter().enumerate() {
        let rank = p.len() - place;
        so_far = so_far.min(p[question] * p.len() as f64 / rank as f64);
        adjusted[question] = so_far;
    }
    adjusted
}

/// [`benjamini_hochberg`] over the p-values that are known, as [`holm_known`].
///
/// # Panics
/// If a p-value is not in 0 to 1.
pub fn benjamini_hochberg_known(p: &[Option<f64>]) -> Vec<Option<f64>> {
    over_known(p, benjamini_hochberg)
}

/// [`holm`] over the p-values that are known. A `None` stays `None` and does not count as a question:
/// a test that could not be made cannot raise a false alarm.
///
/// # Panics
/// If a p-value is not in 0 to 1.
pub fn holm_known(p: &[Option<f64>]) -> Vec<Option<f64>> {
    over_known(p, holm)
}

fn over_known(p: &[Option<f64>], adjust: fn(&[f64]) -> Vec<f64>) -> Vec<Option<f64>> {
    let known: Vec<f64> = p.iter().copied().flatten().collect();
    let mut adjusted = adjust(&known).into_iter();
    p.iter().map(|p| p.and_then(|_| adjusted.next())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of a product of two numbers up to 10.
    const ROUNDING: f64 = 1e-15;

    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        let gaps = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
        assert!(gaps.fold(0.0, f64::max) < ROUNDING, "{found:?} is not {expected:?}");
    }

    #[test]
    fn a_small_case_is_right_by_hand_in_input_order() {
        // Rising: 0.005·4 = 0.02, 0.01·3 = 0.03, 0.03·2 = 0.06, and 0.04·1 held at 0.06.
        assert_close(&holm(&[0.01, 0.04, 0.03, 0.005]), &[0.03, 0.06, 0.06, 0.02]);
    }

    #[test]
    fn the_share_of_false_alarms_is_right_by_hand_in_input_order() {
        // Rising: 0.005·4/1 = 0.02, 0.01·4/2 = 0.02, 0.03·4/3 = 0.04, 0.04·4/4 = 0.04.
        assert_close(&benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005]), &[0.02, 0.04, 0.04, 0.02]);
        // The larger of two may lower the smaller: 0.03·2/1 = 0.06 held at 0.04.
        assert_close(&benjamini_hochberg(&[0.03, 0.04]), &[0.04, 0.04]);
        assert_eq!(benjamini_hochberg(&[]), Vec::<f64>::new());
        assert_eq!(benjamini_hochberg_known(&[None, Some(0.5)]), [None, Some(0.5)]);
    }

    #[test]
    fn the_share_of_false_alarms_is_never_above_the_chance_of_one() {
        let p: Vec<f64> = (1..50).map(|i| f64::from(i * 37 % 101) / 101.0).collect();
        for (share, chance) in benjamini_hochberg(&p).into_iter().zip(holm(&p)) {
            assert!(share <= chance + ROUNDING);
        }
    }

    #[test]
    fn adjusted_values_stop_at_one() {
        assert_close(&holm(&[0.6, 0.9, 0.4]), &[1.0, 1.0, 1.0]);
    }

    #[test]
    fn equal_values_stay_equal() {
        assert_close(&holm(&[0.02, 0.01, 0.02, 0.02]), &[0.06, 0.04, 0.06, 0.06]);
    }

    #[test]
    fn one_question_is_not_adjusted_and_none_gives_none() {
        assert_close(&holm(&[0.03]), &[0.03]);
        assert_close(&holm(&[]), &[]);
    }

    #[test]
    fn adjustment_keeps_the_order_and_never_lowers() {
        let p: Vec<f64> = (1..50).map(|i| f64::from(i * 37 % 101) / 4000.0).collect();
        let adjusted = holm(&p);
        for (i, j) in (0..p.len()).flat_map(|i| (0..p.len()).map(move |j| (i, j))) {
            assert!(p[i] > p[j] || adjusted[i] <= adjusted[j]);
            assert!(adjusted[i] >= p[i]);
        }
    }

    #[test]
    fn an_unknown_value_is_no_question() {
        let adjusted = holm_known(&[Some(0.02), None, Some(0.01), None]);
        assert_eq!(adjusted, [Some(0.02), None, Some(0.02), None]);
    }

    #[test]
    #[should_panic(expected = "0 to 1")]
    fn a_value_that_is_no_probability_is_a_mistake_of_the_caller() {
        holm(&[0.5, f64::NAN]);
    }
}
