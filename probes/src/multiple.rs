//! Holm's adjustment of p-values: what is left after asking many questions at once.
//!
//! **What it measures.** For each question the smallest error rate of the whole family at which Holm's
//! step-down procedure still rejects it. Holds whatever the dependence between the questions.
//!
//! **What it cannot show.** Anything about questions left out of the family: looking first and asking
//! then is not adjusted for. It guards against one false alarm in the family, so it misses much where
//! thousands are asked.
//!
//! **Reference.** Holm 1979, *A Simple Sequentially Rejective Multiple Test Procedure*, Scandinavian
//! Journal of Statistics 6.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::holm;
//!
//! assert_eq!(holm(&[0.5, 0.125, 0.75]), [1.0, 0.375, 1.0]);
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

/// [`holm`] over the p-values that are known. A `None` stays `None` and does not count as a question:
/// a test that could not be made cannot raise a false alarm.
///
/// # Panics
/// If a p-value is not in 0 to 1.
pub fn holm_known(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let known: Vec<f64> = p.iter().copied().flatten().collect();
    let mut adjusted = holm(&known).into_iter();
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
