//! How wires look: width by size, colour by sign or by what they carry, dashes by sign, and which of many are pale.

use super::super::palette::{AXIS, Colour, FAINT, SERIES};
use super::{Diagram, Kind, Wire};

/// Width of the strongest wire and of none, in points.
const WIDTH: (f64, f64) = (2.6, 0.4);
/// This many of the strongest wires are drawn in full; the rest are pale.
pub const FULL: usize = 80;
/// Opacity of a wire in full, and of a pale one.
const OPACITY: (f64, f64) = (0.9, 0.35);
/// Dash and gap of wires above zero where there are wires on both sides of it, so that grey print tells them apart.
const DASH: [f64; 2] = [4.0, 1.6];

/// A wire inside of a node: seen, and below all others.
const INSIDE: Look = Look { colour: AXIS, width: 0.6, opacity: 0.45, dash: Some([1.2, 1.6]) };

/// How one wire is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Blue below zero, orange above; where wires carry something, one for each such thing, and grey for nothing.
    pub colour: Colour,
    /// In points.
    pub width: f64,
    /// 0 to 1.
    pub opacity: f64,
    /// Of dashes and of the gaps between; solid where there are none.
    pub dash: Option<[f64; 2]>,
}

impl Diagram {
    /// The greatest size of a weight.
    pub(super) fn strongest(&self) -> f64 {
        self.edges().map(|wire| wire.weight.abs()).fold(f64::MIN_POSITIVE, f64::max)
    }

    /// The size below which wires are pale, where there are too many to draw all in full.
    pub(super) fn threshold(&self) -> Option<f64> {
        let mut sizes: Vec<f64> = self.edges().map(|wire| wire.weight.abs()).collect();
        sizes.sort_by(|a, b| b.total_cmp(a));
        (sizes.len() > FULL + FULL / 2).then(|| sizes[FULL - 1])
    }

    /// Whether weights stand on this side of zero: below it, or above.
    pub(super) fn has(&self, side: Side) -> bool {
        self.edges().any(|wire| Side::of(wire.weight) == Some(side))
    }

    /// What wires carry, where there are not more such things than colours.
    pub(super) fn kinds(&self) -> Vec<&String> {
        let mut kinds: Vec<&String> = self.wires.iter().filter_map(|wire| wire.label.as_ref()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.len() > SERIES.len() { Vec::new() } else { kinds }
    }

    /// The looks of a wire.
    pub(super) fn look_of(&self, wire: &Wire) -> Look {
        if wire.kind == Kind::Inside {
            return INSIDE;
        }
        let kinds = self.kinds();
        let kind = kinds.iter().position(|kind| Some(*kind) == wire.label.as_ref());
        self.look_as(wire.weight, kind)
    }

    /// The looks of a wire of this weight that carries one of the kinds.
    pub(super) fn look_as(&self, weight: f64, kind: Option<usize>) -> Look {
        let look = self.look(weight);
        match kind {
            Some(kind) => Look { colour: SERIES[kind], ..look },
            None if !self.kinds().is_empty() => Look { colour: AXIS, ..look },
            None => look,
        }
    }

    /// The looks of a wire of this weight among the others, where only its sign gives it a colour.
    pub(super) fn look(&self, weight: f64) -> Look {
        let share = weight.abs() / self.strongest();
        let pale = self.threshold().is_some_and(|threshold| weight.abs() < threshold);
        let side = Side::of(weight);
        Look {
            colour: side.map_or(FAINT, Side::colour),
            width: WIDTH.1 + (WIDTH.0 - WIDTH.1) * share,
            opacity: if pale { OPACITY.1 } else { OPACITY.0 },
            dash: (side == Some(Side::Above) && self.has(Side::Below)).then_some(DASH),
        }
    }
}

/// A side of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Less than nothing.
    Below,
    /// More.
    Above,
}

impl Side {
    /// That of a weight; none of zero itself.
    pub fn of(weight: f64) -> Option<Self> {
        match weight {
            below if below < 0.0 => Some(Self::Below),
            above if above > 0.0 => Some(Self::Above),
            _ => None,
        }
    }

    /// Both, the lower one first.
    pub const BOTH: [Side; 2] = [Side::Below, Side::Above];

    /// Told apart by everybody, and in grey print by the dashes beside.
    pub fn colour(self) -> Colour {
        SERIES[self as usize]
    }

    /// A weight of this side and of that size.
    pub fn weight(self, size: f64) -> f64 {
        if self == Self::Below { -size } else { size }
    }
}
