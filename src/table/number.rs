//! How numbers are rounded where a person reads them; the CSV and the JSON are never rounded.

/// Significant digits kept of a column's largest number.
const DIGITS: i32 = 3;
/// More decimals than this are unreadable: such columns are written with an exponent.
const MOST_DECIMALS: i32 = 5;
/// p-values below are given as a bound, as journals ask.
const LEAST_P: f64 = 0.001;

/// One rounding for all numbers of a column, so that their decimal points stand in line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rounding {
    /// This many decimals.
    Decimals(usize),
    /// `1.23e−7`.
    Exponent,
}

impl Rounding {
    /// The rounding that keeps three digits of the largest of `values`.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let largest = finite.fold(0.0, |most: f64, value| most.max(value.abs()));
        if largest == 0.0 {
            return Self::Decimals(1);
        }
        let decimals = DIGITS - 1 - largest.log10().floor() as i32;
        if !(-DIGITS..=MOST_DECIMALS).contains(&decimals) {
            return Self::Exponent;
        }
        Self::Decimals(decimals.max(0) as usize)
    }

    /// The number with a true minus sign; never a negative zero.
    pub fn show(self, value: f64) -> String {
        let plain = match self {
            Self::Decimals(decimals) => format!("{value:.decimals$}"),
            Self::Exponent => format!("{value:.2e}"),
        };
        let zero = plain.starts_with('-') && !plain.contains(|c: char| ('1'..='9').contains(&c));
        let zero = zero && value.is_finite();
        plain.trim_start_matches(if zero { "-" } else { "" }).replace('-', "−")
    }
}

/// A p-value: `<0.001`, else three decimals.
pub fn p_value(p: f64) -> String {
    if p < LEAST_P { "<0.001".into() } else { format!("{p:.3}") }
}

#[cfg(test)]
mod tests {
    use super::{Rounding, p_value};

    #[test]
    fn a_column_has_one_number_of_decimals() {
        let rounding = Rounding::of([0.1234, -2.0, f64::NAN]);
        assert_eq!(rounding.show(0.1234), "0.12");
        assert_eq!(rounding.show(-2.0), "−2.00");
        assert_eq!(rounding.show(-0.0001), "0.00");
        assert_eq!(rounding.show(f64::NAN), "NaN");
    }

    #[test]
    fn tiny_and_huge_numbers_keep_their_size() {
        assert_eq!(Rounding::of([1.234e-9]).show(-1.234e-9), "−1.23e−9");
        assert_eq!(Rounding::of([5.6e12]).show(5.6e12), "5.60e12");
    }

    #[test]
    fn a_small_p_is_a_bound() {
        assert_eq!(p_value(0.0), "<0.001");
        assert_eq!(p_value(0.0421), "0.042");
    }
}
