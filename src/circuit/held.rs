//! Which edges a circuit holds, a bit each: thousands of drawn circuits are held against each other at once.

/// Bits of a word.
const WORD: usize = u64::BITS as usize;

/// The members of a circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held(Vec<u64>);

impl Held {
    /// From whether each edge is in.
    pub fn of(members: &[bool]) -> Self {
        let word = |some: &[bool]| some.iter().rev().fold(0, |word, member| word << 1 | u64::from(*member));
        Held(members.chunks(WORD).map(word).collect())
    }

    /// The places of the edges that are in.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        let within = |(place, word): (usize, &u64)| {
            let word = *word;
            (0..WORD).filter(move |bit| word >> bit & 1 == 1).map(move |bit| place * WORD + bit)
        };
        self.0.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(within)
    }

    /// Edges in both over edges in either; two circuits without edges are the same.
    pub fn jaccard(&self, other: &Self) -> f64 {
        let count = |of: fn(u64, u64) -> u64| -> u32 {
            self.0.iter().zip(&other.0).map(|(a, b)| of(*a, *b).count_ones()).sum()
        };
        let (both, either) = (count(|a, b| a & b), count(|a, b| a | b));
        if either == 0 { 1.0 } else { f64::from(both) / f64::from(either) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_say_what_members_say() {
        let members: Vec<bool> = (0..200).map(|place| place % 7 == 0 || place == 64).collect();
        let other: Vec<bool> = (0..200).map(|place| place % 5 == 0).collect();
        let places: Vec<usize> = (0..200).filter(|place| members[*place]).collect();
        assert_eq!(Held::of(&members).places().collect::<Vec<_>>(), places);
        let count =
            |of: fn(bool, bool) -> bool| members.iter().zip(&other).filter(|(a, b)| of(**a, **b)).count() as f64;
        let expected = count(|a, b| a && b) / count(|a, b| a || b);
        assert_eq!(Held::of(&members).jaccard(&Held::of(&other)), expected);
        assert_eq!(Held::of(&[false; 3]).jaccard(&Held::of(&[false; 3])), 1.0);
    }
}
