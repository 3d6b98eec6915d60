//! How many weights are set to zero: `0.5`, or `"2:4"`.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// How many weights are set to zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sparsity {
    /// A share of them, the lowest.
    Share(f64),
    /// So many of every so many neighbours of one output, exactly (Frantar & Alistarh 2023).
    Of(usize, usize),
}

impl fmt::Display for Sparsity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sparsity::Share(share) => write!(out, "{share}"),
            Sparsity::Of(zeros, of) => write!(out, "{zeros}:{of}"),
        }
    }
}

impl Serialize for Sparsity {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Sparsity::Share(share) => to.serialize_f64(*share),
            Sparsity::Of(..) => to.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Sparsity {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Sparsity;
            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("a share from 0 to 1, or zeros in so many neighbours, as in \"2:4\"")
            }
            fn visit_f64<E>(self, share: f64) -> Result<Sparsity, E> {
                Ok(Sparsity::Share(share))
            }
            fn visit_u64<E>(self, share: u64) -> Result<Sparsity, E> {
                Ok(Sparsity::Share(share as f64))
            }
            fn visit_i64<E>(self, share: i64) -> Result<Sparsity, E> {
                Ok(Sparsity::Share(share as f64))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Sparsity, E> {
                let numbers = text.split_once(':').map(|(zeros, of)| (zeros.trim().parse(), of.trim().parse()));
                match numbers {
                    Some((Ok(zeros), Ok(of))) => Ok(Sparsity::Of(zeros, of)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        from.deserialize_any(Either)
    }
}
