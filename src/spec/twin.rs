//! Twins of treatments: as strong as they are, and otherwise left to chance.

use super::calibration::Calibration;
use super::treat::{Mask, Rounding, Treatment, Within};

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
            Treatment::PruneHeads(_) | Treatment::PruneLayers(_) | Treatment::Merge(_) => None,
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
            _ => None,
        }
    }

    /// A twin that is as strong: rounded to as many bits by chance, on another draw of its texts, or with as many weights of
    /// any kind set to zero. What nothing is left to chance in is its own twin.
    pub fn twin(&self, number: u64) -> Treatment {
        let mut twin = self.clone();
        if let Some(calibration) = twin.calibration_mut() {
            calibration.seed = number;
        }
        match &mut twin {
            Treatment::Round(round) => (round.rounding, round.draw) = (Rounding::Stochastic, number),
            Treatment::Nf4(nf4) => (nf4.rounding, nf4.draw) = (Rounding::Stochastic, number),
            Treatment::Gptq(gptq) => (gptq.rounding, gptq.draw) = (Rounding::Stochastic, number),
            Treatment::FairGptq(fair) => (fair.rounding, fair.draw) = (Rounding::Stochastic, number),
            Treatment::Awq(awq) => (awq.rounding, awq.draw) = (Rounding::Stochastic, number),
            _ => {}
        }
        match twin {
            Treatment::Magnitude(mask) | Treatment::RandomMask(mask) => {
                Treatment::RandomMask(Mask { draw: number, ..mask })
            }
            Treatment::Wanda(wanda) => {
                let (sparsity, within, only) = (wanda.sparsity, Within::Row, wanda.only);
                Treatment::RandomMask(Mask { sparsity, within, draw: number, only })
            }
            Treatment::SparseGpt(pruned) => {
                let (sparsity, within, only) = (pruned.sparsity, Within::Tensor, pruned.only);
                Treatment::RandomMask(Mask { sparsity, within, draw: number, only })
            }
            other => other,
        }
    }
}
