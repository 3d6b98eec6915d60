//! What a diagram's widths, colours and pale wires mean: lines of text, some behind a wire.

use super::super::font;
use super::Diagram;
use super::look::Side;
use crate::table::Rounding;

/// A longer line is broken, in points.
const LONGEST: f64 = 104.0;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// Words alone.
    Text(String),
    /// What a wire of this weight looks like.
    Sample(f64, String),
    /// What a wire looks like that carries one of the kinds.
    Kind(usize, String),
}

impl Line {
    /// What is to be read.
    pub fn text(&self) -> &String {
        let (Self::Text(text) | Self::Sample(_, text) | Self::Kind(_, text)) = self;
        text
    }
}

impl Diagram {
    /// The lines, top to bottom, in letters of `size` points.
    pub(super) fn legend_lines(&self, size: f64) -> Vec<Line> {
        let broken = |text: &str| font::wrap(text, size, LONGEST).into_iter().map(Line::Text);
        let mut lines: Vec<Line> = broken(&self.unit).collect();
        let sides = Side::BOTH.into_iter().zip(&self.signs).filter(|(side, _)| self.has(*side));
        for (side, sign) in sides {
            lines.extend(broken(sign));
            lines.extend(self.samples(side));
        }
        lines.extend(self.kinds().into_iter().enumerate().map(|(kind, name)| Line::Kind(kind, name.clone())));
        lines.extend(self.counts().iter().flat_map(|text| broken(text)));
        lines.extend(self.legend.iter().flat_map(|text| broken(text)));
        lines
    }

    /// The scale of widths: the strongest of a side, and what is half and a quarter as strong as the strongest of all.
    fn samples(&self, side: Side) -> Vec<Line> {
        let own = self.edges().map(|wire| wire.weight).filter(|weight| Side::of(*weight) == Some(side));
        let most = own.map(f64::abs).fold(0.0, f64::max);
        let strongest = self.strongest();
        let rounding = Rounding::of([strongest]);
        let lesser = [0.5, 0.25].map(|share| share * strongest).into_iter().filter(|size| *size < 0.8 * most);
        let sample = |size: f64| Line::Sample(side.weight(size), rounding.show(side.weight(size)));
        std::iter::once(most).chain(lesser).map(sample).collect()
    }

    /// How many wires are pale, and how many are not there.
    fn counts(&self) -> Vec<String> {
        let pale = self.threshold().map(|threshold| {
            let pale = self.edges().filter(|wire| wire.weight.abs() < threshold).count();
            let least = Rounding::of([threshold]).show(threshold);
            format!("pale: sizes under {least} ({pale} of {} edges)", self.edges().count())
        });
        let left_out = (self.left_out > 0).then(|| format!("{} weaker edges not drawn", self.left_out));
        pale.into_iter().chain(left_out).collect()
    }
}
