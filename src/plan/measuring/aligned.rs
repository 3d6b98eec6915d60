//! What two sequences have in common, as Python's `difflib.SequenceMatcher` finds it: CrowS-Pairs is defined by it.
//!
//! The longest block that stands in both, the earliest of several, and the same again on either side of it. Of a second
//! sequence of 200 tokens or more, those that make up over 1 % of it begin no block, but may lengthen one.

use std::collections::{BTreeMap, BTreeSet};

/// Sequences shorter than this have no popular tokens.
const LONG: usize = 200;

/// Positions of the tokens of `a` and of `b` that are matched with each other, in order.
pub(super) fn matched(a: &[u32], b: &[u32]) -> Vec<(usize, usize)> {
    let mut places: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    b.iter().enumerate().for_each(|(at, token)| places.entry(*token).or_default().push(at));
    if b.len() >= LONG {
        let most = b.len() / 100 + 1;
        places.retain(|_, at| at.len() <= most);
    }
    let matcher = Matcher { a, b, places };
    let (mut open, mut pairs) = (vec![[0, a.len(), 0, b.len()]], BTreeSet::new());
    while let Some([a_low, a_high, b_low, b_high]) = open.pop() {
        let (i, j, size) = matcher.longest([a_low, a_high, b_low, b_high]);
        if size > 0 {
            pairs.extend((0..size).map(|at| (i + at, j + at)));
            open.push([a_low, i, b_low, j]);
            open.push([i + size, a_high, j + size, b_high]);
        }
    }
    pairs.into_iter().collect()
}

struct Matcher<'a> {
    a: &'a [u32],
    b: &'a [u32],
    /// Where each token stands in `b`, but for those that are popular.
    places: BTreeMap<u32, Vec<usize>>,
}

impl Matcher<'_> {
    /// The longest block within bounds: where it begins in either, and how long it is.
    fn longest(&self, [a_low, a_high, b_low, b_high]: [usize; 4]) -> (usize, usize, usize) {
        let mut best = (a_low, b_low, 0);
        let mut ending: BTreeMap<usize, usize> = BTreeMap::new(); // length of the block that ends at a place of b
        for i in a_low..a_high {
            let mut next = BTreeMap::new();
            for j in self.places.get(&self.a[i]).into_iter().flatten().copied() {
                if j < b_low || j >= b_high {
                    continue;
                }
                let size = j.checked_sub(1).and_then(|before| ending.get(&before)).unwrap_or(&0) + 1;
                next.insert(j, size);
                if size > best.2 {
                    best = (i + 1 - size, j + 1 - size, size);
                }
            }
            ending = next;
        }
        self.lengthened(best, [a_low, a_high, b_low, b_high])
    }

    /// The block with what equals on either side, popular tokens too.
    fn lengthened(&self, block: (usize, usize, usize), bounds: [usize; 4]) -> (usize, usize, usize) {
        let ((mut i, mut j, mut size), [a_low, a_high, b_low, b_high]) = (block, bounds);
        while i > a_low && j > b_low && self.a[i - 1] == self.b[j - 1] {
            (i, j, size) = (i - 1, j - 1, size + 1);
        }
        while i + size < a_high && j + size < b_high && self.a[i + size] == self.b[j + size] {
            size += 1;
        }
        (i, j, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(a: &str, b: &str) -> String {
        let tokens = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
        let pairs = matched(&tokens(a), &tokens(b));
        pairs.iter().map(|(i, j)| format!("{i}-{j}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn blocks_are_those_of_difflib() {
        // SequenceMatcher(None, a, b).get_matching_blocks() of CPython 3.11
        assert_eq!(told("abxcd", "abcd"), "0-0 1-1 3-2 4-3");
        assert_eq!(told("qabxcd", "abycdf"), "1-0 2-1 4-3 5-4");
        assert_eq!(told("aab", "ab"), "1-0 2-1");
        assert_eq!(told("private", "briefly"), "1-1 2-2 6-3"); // the earliest of equally long blocks
        assert_eq!(told("abc", "xyz"), "");
    }

    #[test]
    fn popular_tokens_begin_no_block() {
        // SequenceMatcher(None, "xa", "a" * 200 + "b").ratio() is 0, of 199 letters it is not
        assert_eq!(told("xa", &("a".repeat(200) + "b")), "");
        assert_eq!(told("xa", &"a".repeat(199)), "1-0");
        // and lengthen one that begins elsewhere
        assert_eq!(told("ab", &("a".repeat(200) + "b")), "0-199 1-200");
    }
}
