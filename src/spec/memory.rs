//! An amount of memory as it is written: `4GiB`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Units by name and bytes, the largest first.
const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

/// An amount of memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(pub u64);

impl Memory {
    /// In words, rounded up to a MiB: for estimates.
    pub fn rounded(self) -> String {
        format!("{} MiB", self.0.div_ceil(1 << 20))
    }
}

/// In the largest unit that it is a whole number of.
impl fmt::Display for Memory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes));
        let (name, bytes) = whole.expect("everything is a whole number of bytes");
        write!(out, "{}{name}", self.0 / bytes)
    }
}

impl FromStr for Memory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no amount of memory; write a number and B, kB, MB, GB, KiB, MiB or GiB: 4GiB");
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(wrong)?;
        let (number, unit) = (text[..end].parse::<f64>().map_err(|_| wrong())?, text[end..].trim());
        let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        Ok(Memory((number * *bytes as f64).round() as u64))
    }
}

impl Serialize for Memory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written() {
        for (text, bytes, shown) in [
            ("4GiB", 4 << 30, "4GiB"),
            ("4 GiB", 4 << 30, "4GiB"),
            ("1.5GiB", 3 << 29, "1536MiB"),
            ("1.5GB", 1_500_000_000, "1500MB"),
            ("512MiB", 512 << 20, "512MiB"),
            ("1000MB", 1_000_000_000, "1GB"),
            ("64KiB", 64 << 10, "64KiB"),
            ("7kB", 7_000, "7kB"),
            ("100B", 100, "100B"),
        ] {
            assert_eq!(text.parse(), Ok(Memory(bytes)), "{text}");
            assert_eq!(Memory(bytes).to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for wrong in ["", "4", "GiB", "4 gib", "4G", "-4GiB", "1.2.3GiB", "4GiBs"] {
            assert!(wrong.parse::<Memory>().is_err(), "{wrong}");
        }
    }
}
