//! Roles of positions, so that prompts of any lengths have places in common.

use crate::method::Bench;
use std::ops::Range;

/// As in the figures of Meng et al. 2022.
pub const NAMES: [&str; 6] = [
    "first subject token",
    "middle subject tokens",
    "last subject token",
    "first subsequent token",
    "further tokens",
    "last token",
];

/// The positions of each role in a prompt of some length. What stands before the subject has none: noise does not reach
/// it. As in the authors' code, a position is listed for each role that it has.
pub fn of(length: usize, subject: Range<usize>) -> [Vec<usize>; 6] {
    let (first, last, behind) = (subject.start, subject.end - 1, subject.end);
    let end = length - 1;
    [
        vec![first],
        (first + 1..last).collect(),
        vec![last],
        (behind..length).take(1).collect(),
        (behind + 1..end).collect(),
        vec![end],
    ]
}

/// Puts a star behind the labels of the positions where every item has its subject.
pub fn mark(labels: &mut [String], bench: &Bench) {
    let inside =
        |at: &usize| bench.items.iter().all(|item| item.subject.as_ref().is_some_and(|span| span.contains(at)));
    (0..labels.len()).filter(inside).for_each(|at| labels[at].push('*'));
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn every_token_from_the_subject_on_has_a_role() {
        // The | Space | Nee | dle | is | in | the | city | of
        assert_eq!(of(9, 1..4), [vec![1], vec![2], vec![3], vec![4], vec![5, 6, 7], vec![8]]);
    }

    #[test]
    fn short_prompts_have_tokens_of_two_roles() {
        assert_eq!(of(3, 1..2), [vec![1], vec![], vec![1], vec![2], vec![], vec![2]]);
        assert_eq!(of(2, 0..2), [vec![0], vec![], vec![1], vec![], vec![], vec![1]]);
    }
}
