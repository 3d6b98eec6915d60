//! The numbers that programs compute with: exact fractions, so that equal means equal.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Mul, Sub};

/// A fraction in lowest terms.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Value {
    over: i64,
    /// Above zero.
    under: i64,
}

impl Value {
    /// Nothing of anything.
    pub const ZERO: Value = Value { over: 0, under: 1 };
    /// What a numerical variable holds where something is so.
    pub const ONE: Value = Value { over: 1, under: 1 };

    /// `over / under`.
    ///
    /// # Panics
    /// If `under` is 0.
    pub fn new(over: i64, under: i64) -> Self {
        assert!(under != 0, "a fraction of zero parts");
        let common = divisor(over.unsigned_abs(), under.unsigned_abs()) as i64 * under.signum();
        Value { over: over / common, under: under / common }
    }

    /// As a number of a weight.
    pub fn number(self) -> f64 {
        self.over as f64 / self.under as f64
    }

    /// The whole number that it is, counted from 0, if it is one.
    pub fn index(self) -> Option<usize> {
        if self.under == 1 { usize::try_from(self.over).ok() } else { None }
    }

    /// One of so many equal parts of it.
    pub fn shared_by(self, parts: usize) -> Self {
        Value::new(self.over, self.under * parts as i64)
    }
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { divisor(b, a % b) }
}

impl From<usize> for Value {
    fn from(index: usize) -> Self {
        Value { over: index as i64, under: 1 }
    }
}

impl From<bool> for Value {
    fn from(holds: bool) -> Self {
        if holds { Value::ONE } else { Value::ZERO }
    }
}

impl Add for Value {
    type Output = Value;
    fn add(self, other: Value) -> Value {
        Value::new(self.over * other.under + other.over * self.under, self.under * other.under)
    }
}

impl Sub for Value {
    type Output = Value;
    fn sub(self, other: Value) -> Value {
        Value::new(self.over * other.under - other.over * self.under, self.under * other.under)
    }
}

impl Mul for Value {
    type Output = Value;
    fn mul(self, other: Value) -> Value {
        Value::new(self.over * other.over, self.under * other.under)
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.over * other.under).cmp(&(other.over * self.under))
    }
}

/// `2`, `1/3`.
impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.under {
            1 => write!(out, "{}", self.over),
            under => write!(out, "{}/{under}", self.over),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_in_lowest_terms_and_in_order() {
        assert_eq!(Value::new(2, -6), Value::new(-1, 3));
        assert_eq!(Value::new(0, 5), Value::ZERO);
        assert_eq!(Value::new(1, 3) + Value::new(1, 6), Value::new(1, 2));
        assert_eq!(Value::new(1, 3) - Value::new(1, 2), Value::new(-1, 6));
        assert!(Value::new(-1, 2) < Value::new(-1, 3) && Value::new(1, 3) < Value::new(1, 2));
        assert_eq!([Value::new(4, 2), Value::new(3, 6)].map(|value| value.to_string()), ["2", "1/2"]);
        assert_eq!(
            (Value::new(4, 2).index(), Value::new(1, 2).index(), Value::new(-1, 1).index()),
            (Some(2), None, None)
        );
    }
}
