//! The largest difference of two states of a site, with its place.

use crate::model::parts::position::is_masked;
use crate::site::{Layout, Site};
use crate::text::Tokens;
use serde::Serialize;

/// Where in a site: counted from 0, the position from the start of the prompt's own tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct At {
    /// The item.
    pub item: usize,
    /// The position; of a pattern the query.
    pub position: usize,
    /// The head, where the site has heads.
    pub head: Option<usize>,
    /// The neuron; of a pattern the key, counted as the position is.
    pub index: usize,
}

/// What is largest of a site in two passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Largest {
    /// The largest |difference|: infinite where only one of the two is a number.
    pub difference: f64,
    /// Where it is; nowhere when there is none.
    pub at: Option<At>,
    /// The two values there.
    pub values: Option<[f64; 2]>,
    /// The largest |value| of the first pass.
    pub scale: f64,
}

impl Largest {
    /// The difference as a share of the scale.
    pub fn relative(&self) -> f64 {
        if self.difference == 0.0 { 0.0 } else { self.difference / self.scale }
    }

    /// Takes in a part of both states, laid out as in files; padding and masked scores are passed over.
    pub(super) fn take(
        &mut self,
        site: Site,
        [own, other]: [&[f64]; 2],
        shape: &[usize],
        tokens: &Tokens,
        first_item: usize,
    ) {
        let scores = matches!(site, Site::Scores(_));
        for (flat, (a, b)) in own.iter().zip(other).enumerate() {
            let at = At::of(site.layout(), shape, flat);
            if (scores && is_masked(*a) && is_masked(*b)) || !at.is_real(site.layout(), tokens) {
                continue;
            }
            self.scale = self.scale.max(a.abs());
            let difference = difference(*a, *b);
            if difference > self.difference {
                let at = At { item: first_item + at.item, ..at.unpadded(site.layout(), tokens) };
                *self = Largest { difference, at: Some(at), values: Some([*a, *b]), ..*self };
            }
        }
    }
}

/// |a − b|; nothing where both are not numbers, or the same infinity.
fn difference(a: f64, b: f64) -> f64 {
    match (a - b).abs() {
        _ if a == b || (a.is_nan() && b.is_nan()) => 0.0,
        difference if difference.is_nan() => f64::INFINITY,
        difference => difference,
    }
}

impl At {
    /// The place of the value at `flat`, the last axis fastest.
    fn of(layout: Layout, shape: &[usize], flat: usize) -> Self {
        let (width, rest) = (shape[shape.len() - 1], flat / shape[shape.len() - 1]);
        let (index, inner) = (flat % width, shape[shape.len() - 2]);
        match layout {
            Layout::Stream => At { item: rest / inner, position: rest % inner, head: None, index },
            Layout::Heads => {
                let (item, position) = (rest / inner / shape[1], rest / inner % shape[1]);
                At { item, position, head: Some(rest % inner), index }
            }
            Layout::Pattern => {
                let (item, head) = (rest / inner / shape[1], rest / inner % shape[1]);
                At { item, position: rest % inner, head: Some(head), index }
            }
        }
    }

    fn is_real(&self, layout: Layout, tokens: &Tokens) -> bool {
        let key = layout != Layout::Pattern || tokens.is_real(self.item, self.index);
        key && tokens.is_real(self.item, self.position)
    }

    /// Positions counted without the padding before the prompt.
    fn unpadded(self, layout: Layout, tokens: &Tokens) -> Self {
        let padding = (0..tokens.width()).take_while(|position| !tokens.is_real(self.item, *position)).count();
        let index = if layout == Layout::Pattern { self.index - padding } else { self.index };
        At { position: self.position - padding, index, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Padding;

    #[test]
    fn a_place_is_found_in_every_layout() {
        let at = |layout, shape: &[usize], flat| {
            let At { item, position, head, index } = At::of(layout, shape, flat);
            (item, position, head, index)
        };
        assert_eq!(at(Layout::Stream, &[2, 3, 4], 12 + 2 * 4 + 3), (1, 2, None, 3));
        assert_eq!(at(Layout::Heads, &[2, 3, 5, 4], 60 + 2 * 20 + 4 * 4 + 1), (1, 2, Some(4), 1));
        assert_eq!(at(Layout::Pattern, &[2, 5, 3, 3], 45 + 4 * 9 + 2 * 3 + 1), (1, 2, Some(4), 1));
    }

    #[test]
    fn what_is_no_number_is_infinitely_far_and_padding_is_passed_over() {
        let tokens = Tokens::padded(vec![vec![1, 2], vec![3]], Padding::Left, 0);
        let take = |own: [f64; 4], other: [f64; 4]| {
            let mut largest = Largest::default();
            largest.take(Site::Embed, [&own, &other], &[2, 2, 1], &tokens, 10);
            largest
        };
        let padding = take([1.0, -4.0, 9.0, 2.0], [1.0, -4.0, 0.0, 2.5]);
        assert_eq!((padding.difference, padding.scale, padding.relative()), (0.5, 4.0, 0.125));
        assert_eq!(padding.at, Some(At { item: 11, position: 0, head: None, index: 0 }));
        assert_eq!(take([f64::NAN, 1.0, 0.0, 0.0], [f64::NAN, 1.0, 0.0, 0.0]).difference, 0.0);
        assert_eq!(take([f64::NAN, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]).difference, f64::INFINITY);
    }
}
