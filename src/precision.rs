//! The numbers that a model can compute in.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The type of a model's weights and activations. Statistics are f64 whatever it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 24 bits of precision.
    #[default]
    F32,
    /// 53 bits: what the others are measured against.
    F64,
    /// 11 bits, nothing above 65 504.
    F16,
    /// 8 bits, with the range of f32 (Kalamkar et al. 2019).
    Bf16,
}

/// Every precision with its name on the command line.
const NAMES: [(Precision, &str); 4] =
    [(Precision::F32, "f32"), (Precision::F64, "f64"), (Precision::F16, "f16"), (Precision::Bf16, "bf16")];

impl Precision {
    /// The unit roundoff, half the distance between 1 and the next number: no single operation is off by a larger share
    /// of its result (Higham 2002, §2.1).
    pub fn roundoff(self) -> f64 {
        let bits = match self {
            Precision::F32 => 24,
            Precision::F64 => 53,
            Precision::F16 => 11,
            Precision::Bf16 => 8,
        };
        f64::powi(2.0, -bits)
    }

    /// Whether it has fewer bits than weights are trained in, so that a run reports what that costs.
    pub fn is_half(self) -> bool {
        matches!(self, Precision::F16 | Precision::Bf16)
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(precision, _)| precision == self);
        out.write_str(name.map_or("", |(_, name)| name))
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = NAMES.iter().find(|(_, known)| *known == name);
        known.map(|(precision, _)| *precision).ok_or(format!("{name:?} is no precision; write f32, f64, f16 or bf16"))
    }
}
