//! The receiver operating characteristic: does what scores high belong to those that are known?
//!
//! **What it measures.** For every threshold, the share of those known that score at least as high (true positives)
//! against the share of the others that do (false positives). [`area`] lies under the curve, straight between its
//! points: the chance that one of those known scores higher than one of the others, half for a tie. [`staircase`] is
//! ACDC's area, which takes the worst that points allow between them, so that two methods with points at different
//! thresholds can be told apart.
//!
//! **What it cannot show.** Which threshold to take, or that what is known is all there is to know.
//!
//! **Reference.** Fawcett 2006, *An introduction to ROC analysis*; Conmy et al. 2023, *Towards Automated Circuit
//! Discovery*.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::roc;
//!
//! let points = roc::points(&[3.0, 2.0, 1.0], &[true, false, true]).unwrap();
//! assert_eq!(points, [(0.0, 0.0), (0.0, 0.5), (1.0, 0.5), (1.0, 1.0)]);
//! assert_eq!(roc::area(&points), 0.5);
//! ```

/// `(false positive rate, true positive rate)`, both 0 to 1.
pub type Point = (f64, f64);

/// The points at every threshold of `scores`, from none taken to all; equal scores are taken together. `None` if one is
/// not finite, or if all are known or none is.
///
/// # Panics
/// If there is not one score for each.
pub fn points(scores: &[f64], known: &[bool]) -> Option<Vec<Point>> {
    assert_eq!(scores.len(), known.len(), "one score for each");
    let positives = known.iter().filter(|known| **known).count();
    let negatives = known.len() - positives;
    if positives == 0 || negatives == 0 || !scores.iter().all(|score| score.is_finite()) {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let mut points = vec![(0.0, 0.0)];
    let (mut hits, mut alarms) = (0, 0);
    for tied in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let found = tied.iter().filter(|place| known[**place]).count();
        hits += found;
        alarms += tied.len() - found;
        points.push((alarms as f64 / negatives as f64, hits as f64 / positives as f64));
    }
    Some(points)
}

/// Σ over neighbours in order of (fpr, tpr): the trapezoid under them.
pub fn area(points: &[Point]) -> f64 {
    neighbours(points, |(x, y), (next_x, next_y)| (next_x - x) * f64::midpoint(y, next_y))
}

/// Σ over neighbours in order of (fpr, tpr): what a rise is worth if it comes as late as the points allow.
pub fn staircase(points: &[Point]) -> f64 {
    neighbours(points, |(_, y), (next_x, next_y)| (1.0 - next_x) * (next_y - y))
}

fn neighbours(points: &[Point], part: impl Fn(Point, Point) -> f64) -> f64 {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    sorted.windows(2).map(|pair| part(pair[0], pair[1])).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of sums of a few hundred numbers below 1.
    const ROUNDING: f64 = 1e-12;

    fn diagonal(values: &[f64]) -> Vec<Point> {
        values.iter().map(|value| (*value, *value)).collect()
    }

    /// The unit values of ACDC's own tests.
    #[test]
    fn the_staircase_has_the_values_of_its_authors() {
        let cases: [(&[f64], f64); 4] = [
            (&[0.0, 1.0], 0.0),
            (&[0.0, 0.5, 1.0], 0.25),
            (&[0.0, 0.25, 1.0], 0.1875),
            (&[0.0, 0.25, 0.5, 1.0], 0.3125),
        ];
        for (values, expected) in cases {
            assert_eq!(staircase(&diagonal(values)), expected, "{values:?}");
            assert_eq!(area(&diagonal(values)), 0.5, "{values:?}");
        }
    }

    #[test]
    fn the_order_of_points_does_not_matter() {
        let points = [(1.0, 1.0), (0.0, 0.0), (0.5, 0.75)];
        // by hand: ½·½·¾ + ½·(¾+1)/2, and ½·¾
        assert_eq!((area(&points), staircase(&points)), (0.1875 + 0.4375, 0.375));
    }

    /// The area is the share of pairs in the right order, ties half: counted pair by pair.
    #[test]
    fn the_area_is_the_chance_of_the_right_order() {
        let scores: Vec<f64> = (0..60).map(|place| f64::from(place * 37 % 23)).collect();
        let known: Vec<bool> = (0..60).map(|place| place * 53 % 7 < 3).collect();
        let (mut right, mut pairs) = (0.0, 0.0);
        for (a, _) in known.iter().enumerate().filter(|(_, known)| **known) {
            for (b, _) in known.iter().enumerate().filter(|(_, known)| !**known) {
                right += if scores[a] > scores[b] { 1.0 } else { f64::from(scores[a] == scores[b]) / 2.0 };
                pairs += 1.0;
            }
        }
        let points = points(&scores, &known).unwrap();
        assert!((area(&points) - right / pairs).abs() < ROUNDING);
        assert!(staircase(&points) < area(&points));
    }

    #[test]
    fn without_both_kinds_there_is_no_curve() {
        assert_eq!(points(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(points(&[1.0, 2.0], &[false, false]), None);
        assert_eq!(points(&[1.0, f64::NAN], &[false, true]), None);
    }
}
