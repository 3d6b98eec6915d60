//! Twins of treatments: what chance does in the place of a choice.

use super::by_chance::{Matched, Whichever};
use super::calibration::Calibration;
use super::treat::{Rounding, Treatment};
use std::collections::BTreeSet;

impl Treatment {
    /// Which maps it is for; what takes whole heads, layers or models has none.
    pub fn only(&self) -> Option<&super::Parts> {
        match self {
            Treatment::Round(round) => Some(&round.only),
            Treatment::Nf4(nf4) => Some(&nf4.only),
            Treatment::Gptq(gptq) => Some(&gptq.only),
            Treatment::FairGptq(fair) => Some(&fair.only),
            Treatment::Awq(awq) => Some(&awq.only),
            Treatment::Magnitude(mask) | Treatment::RandomMask(mask) => Some(&mask.only),
            Treatment::Wanda(wanda) => Some(&wanda.only),
            Treatment::SparseGpt(pruned) => Some(&pruned.only),
            Treatment::Matched(matched) => matched.step.only(),
            Treatment::PruneHeads(_) | Treatment::PruneLayers(_) => None,
            Treatment::RandomHeads(_) | Treatment::RandomLayers(_) => None,
            Treatment::Merge(_) | Treatment::Distil(_) => None,
        }
    }

    /// The texts that it is calibrated on, where it is.
    pub fn calibration(&self) -> Option<&Calibration> {
        match self {
            Treatment::Gptq(gptq) => Some(&gptq.calibration),
            Treatment::FairGptq(fair) => Some(&fair.calibration),
            Treatment::Awq(awq) => Some(&awq.calibration),
            Treatment::Wanda(wanda) => Some(&wanda.calibration),
            Treatment::SparseGpt(pruned) => Some(&pruned.calibration),
            Treatment::Distil(distil) => Some(&distil.calibration),
            Treatment::Matched(matched) => matched.step.calibration(),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn calibration_mut(&mut self) -> Option<&mut Calibration> {
        match self {
            Treatment::Gptq(gptq) => Some(&mut gptq.calibration),
            Treatment::FairGptq(fair) => Some(&mut fair.calibration),
            Treatment::Awq(awq) => Some(&mut awq.calibration),
            Treatment::Wanda(wanda) => Some(&mut wanda.calibration),
            Treatment::SparseGpt(pruned) => Some(&mut pruned.calibration),
            Treatment::Distil(distil) => Some(&mut distil.calibration),
            Treatment::Matched(matched) => matched.step.calibration_mut(),
            _ => None,
        }
    }

    /// A twin: what chance does in the place of a choice, on another draw of the texts.
    ///
    /// Rounding keeps its bits and its levels, and goes to either level by chance: with about twice the squared error of the
    /// nearest one. Fair-GPTQ's twin leaves its pairs out, which are what it is held against GPTQ for. Prunings of single weights
    /// have a random mask that takes as much of each map as they do ([`Matched`]), not as many: of normal weights the smaller
    /// half is 7 in 100 of their squares, and any half is 50. Heads and blocks have as many, whichever. A student is trained
    /// with another seed: in another order, and on other texts where there are more than are used. What nothing is left to chance in (`Merge`) is its own twin.
    pub fn twin(&self, number: u64) -> Treatment {
        match self {
            Treatment::Magnitude(_) | Treatment::Wanda(_) | Treatment::SparseGpt(_) => {
                Treatment::Matched(Matched { step: Box::new(self.clone()), draw: number })
            }
            Treatment::PruneHeads(heads) => Treatment::RandomHeads(Whichever { count: heads.count(), draw: number }),
            Treatment::PruneLayers(layers) => {
                let count = layers.iter().collect::<BTreeSet<_>>().len();
                Treatment::RandomLayers(Whichever { count, draw: number })
            }
            _ => self.drawn(number),
        }
    }

    /// The same with chance in it, in this draw.
    fn drawn(&self, number: u64) -> Treatment {
        let mut twin = self.clone();
        match &mut twin {
            Treatment::Round(round) => (round.rounding, round.draw) = (Rounding::Stochastic, number),
            Treatment::Nf4(nf4) => (nf4.rounding, nf4.draw) = (Rounding::Stochastic, number),
            Treatment::Gptq(gptq) => (gptq.rounding, gptq.draw) = (Rounding::Stochastic, number),
            Treatment::FairGptq(fair) => {
                (fair.rounding, fair.draw, fair.alpha) = (Rounding::Stochastic, number, 0.0);
            }
            Treatment::Awq(awq) => (awq.rounding, awq.draw) = (Rounding::Stochastic, number),
            Treatment::RandomMask(mask) => mask.draw = number,
            // never its own, whichever that is
            Treatment::Distil(distil) => distil.seed = distil.seed.wrapping_add(number),
            Treatment::RandomHeads(any) | Treatment::RandomLayers(any) => any.draw = number,
            Treatment::Matched(matched) => {
                matched.draw = number;
                return twin; // what it is matched to stays as it is
            }
            _ => {}
        }
        if let Some(calibration) = twin.calibration_mut() {
            calibration.seed = calibration.seed.wrapping_add(number);
        }
        twin
    }

    /// Whether its twins leave to chance what it chooses; else they are the same treatment again, drawn anew.
    pub fn is_chosen(&self) -> bool {
        match self {
            Treatment::Round(round) => round.rounding == Rounding::Nearest,
            Treatment::Nf4(nf4) => nf4.rounding == Rounding::Nearest,
            Treatment::Gptq(gptq) => gptq.rounding == Rounding::Nearest,
            Treatment::Awq(awq) => awq.rounding == Rounding::Nearest,
            Treatment::RandomMask(_) | Treatment::RandomHeads(_) | Treatment::RandomLayers(_) => false,
            Treatment::Matched(_) | Treatment::Merge(_) | Treatment::Distil(_) => false,
            _ => true,
        }
    }

    /// The draw that a step names, though nothing in it is left to chance.
    pub fn idle_draw(&self) -> Option<u64> {
        let (draw, by_chance) = match self {
            Treatment::Round(round) => (round.draw, round.rounding == Rounding::Stochastic),
            Treatment::Nf4(nf4) => (nf4.draw, nf4.rounding == Rounding::Stochastic),
            Treatment::Gptq(gptq) => (gptq.draw, gptq.rounding == Rounding::Stochastic),
            Treatment::FairGptq(fair) => (fair.draw, fair.rounding == Rounding::Stochastic),
            Treatment::Awq(awq) => (awq.draw, awq.rounding == Rounding::Stochastic),
            Treatment::Magnitude(mask) => (mask.draw, false),
            _ => return None,
        };
        (draw != 0 && !by_chance).then_some(draw)
    }
}
