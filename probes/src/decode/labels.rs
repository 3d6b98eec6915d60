//! Classes of items: what a probe is to tell.
//!
//! **What it measures.** How many items have which class, and what can be known without looking at the states.
//!
//! **What it cannot show.** Whether the classes are the right ones.
//!
//! **Reference.** Shannon 1948, *A mathematical theory of communication*, for entropy in bits.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::decode::Labels;
//!
//! let labels = Labels::new(vec![0, 1, 1, 1], 2)?;
//! assert_eq!(labels.counts(&[0, 1, 2, 3]), [1, 3]);
//! assert!((labels.entropy() - 0.8113).abs() < 1e-4);
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::DecodeError;

/// The class of each item, `0..classes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    of: Vec<usize>,
    classes: usize,
}

impl Labels {
    /// The class of each item in `of`, numbered from 0.
    ///
    /// # Errors
    /// Where a label is too large, items are fewer than classes, or all are of one class.
    pub fn new(of: Vec<usize>, classes: usize) -> Result<Self, DecodeError> {
        if let Some(item) = of.iter().position(|label| *label >= classes) {
            return Err(DecodeError::Label { item, label: of[item], classes });
        }
        if of.is_empty() {
            return Err(DecodeError::Empty { what: "labels" });
        }
        if of.len() < classes {
            return Err(DecodeError::FewItems { items: of.len(), classes });
        }
        if of.iter().all(|label| *label == of[0]) {
            return Err(DecodeError::OneClass);
        }
        Ok(Self { of, classes })
    }

    /// The class of each item, `[item]`.
    pub fn of(&self) -> &[usize] {
        &self.of
    }

    /// How many items there are.
    pub fn count(&self) -> usize {
        self.of.len()
    }

    /// How many classes there are, those without an item among them.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many of `items` have each class, `[class]`.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn counts(&self, items: &[usize]) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        items.iter().for_each(|item| counts[self.of[*item]] += 1);
        counts
    }

    /// The entropy of the classes' shares in bits: what a code must spend on an item that knows the shares and nothing else.
    pub fn entropy(&self) -> f64 {
        let all: Vec<usize> = (0..self.count()).collect();
        let shares = self.counts(&all).into_iter().filter(|count| *count > 0);
        shares.map(|count| count as f64 / self.count() as f64).map(|share| -share * share.log2()).sum()
    }

    /// Whether every class has one of `items`.
    ///
    /// # Errors
    /// [`DecodeError::ClassUnseen`], or [`DecodeError::Empty`] without items.
    pub(crate) fn all_among(&self, items: &[usize]) -> Result<(), DecodeError> {
        if items.is_empty() {
            return Err(DecodeError::Empty { what: "items to learn from" });
        }
        match self.counts(items).iter().position(|count| *count == 0) {
            Some(class) => Err(DecodeError::ClassUnseen { class }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_no_probe_can_learn_are_refused() {
        assert_eq!(Labels::new(vec![], 2), Err(DecodeError::Empty { what: "labels" }));
        assert_eq!(Labels::new(vec![0, 2], 2), Err(DecodeError::Label { item: 1, label: 2, classes: 2 }));
        assert_eq!(Labels::new(vec![0, 1], 3), Err(DecodeError::FewItems { items: 2, classes: 3 }));
        assert_eq!(Labels::new(vec![1, 1, 1], 2), Err(DecodeError::OneClass));
        assert_eq!(Labels::new(vec![0, 0], 1), Err(DecodeError::OneClass));
        let labels = Labels::new(vec![0, 1, 0, 2], 3).unwrap();
        assert_eq!(labels.all_among(&[0, 2, 3]), Err(DecodeError::ClassUnseen { class: 1 }));
        assert_eq!(labels.all_among(&[3, 1, 0]), Ok(()));
    }

    #[test]
    fn entropy_is_that_of_the_shares_by_hand() {
        let entropy = |of: &[usize]| Labels::new(of.to_vec(), 4).unwrap().entropy();
        assert_eq!(entropy(&[0, 1, 2, 3]), 2.0);
        assert_eq!(entropy(&[0, 0, 3, 3]), 1.0);
        assert_eq!(entropy(&[0, 0, 1, 3]), 1.5);
    }
}
