//! Distribution functions: normal, Student's t and F, by the incomplete beta function.

use libm::{erfc, lgamma};
use std::f64::consts::SQRT_2;

/// The standard normal distribution function.
pub(crate) fn normal_below(z: f64) -> f64 {
    erfc(-z / SQRT_2) / 2.0
}

/// The value below which a standard normal one lies with chance `p`: infinite at 0 and 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return if p <= 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    // from the nearer tail, where the distribution function keeps its digits
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    halved(-40.0, 0.0, |z| normal_below(z) < p)
}

/// The chance that a t of `freedom` degrees lies at least as far from zero as `t`.
pub(crate) fn t_beyond(t: f64, freedom: f64) -> f64 {
    if !t.is_finite() {
        return 0.0;
    }
    beta_share(freedom / (freedom + t * t), freedom / 2.0, 0.5)
}

/// The `t` above 0 beyond which, on both sides, a t of `freedom` degrees lies with chance `p`.
pub(crate) fn t_critical(p: f64, freedom: f64) -> f64 {
    let mut far = 1.0;
    while t_beyond(far, freedom) > p && far < 1e300 {
        far *= 2.0;
    }
    halved(0.0, far, |t| t_beyond(t, freedom) > p)
}

/// The chance that an F of (`above`, `below`) degrees is at least `f`.
pub(crate) fn f_beyond(f: f64, above: f64, below: f64) -> f64 {
    if !f.is_finite() {
        return 0.0;
    }
    beta_share(below / (below + above * f), below / 2.0, above / 2.0)
}

/// ln Γ(x) for x above 0.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    lgamma(x)
}

/// Where `low_side` ceases to hold, between `low` and `high`: halved until the two are neighbours.
fn halved(mut low: f64, mut high: f64, low_side: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if low_side(middle) { low = middle } else { high = middle }
    }
}

/// The incomplete beta function I_x(a, b), 0 to 1 [Abramowitz & Stegun 1964, 26.5.8, by Lentz's method].
pub(crate) fn beta_share(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (lgamma(a + b) - lgamma(a) - lgamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    match x < (a + 1.0) / (a + b + 2.0) {
        true => front * fraction(x, a, b) / a,
        false => 1.0 - front * fraction(1.0 - x, b, a) / b,
    }
}

/// Terms of the continued fraction: 40 or so are needed in practice, √max(a, b) at worst.
const TERMS: u32 = 10_000;

/// The continued fraction of the incomplete beta function.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |value: f64| if value.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for term in 1..TERMS {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for step in [even, odd] {
            d = 1.0 / away(1.0 + step * d);
            c = away(1.0 + step / c);
            value *= c * d;
            change = c * d;
        }
        if (change - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

/// In how many ways `chosen` of `all` can be picked.
pub(crate) fn binomial(all: usize, chosen: usize) -> f64 {
    let chosen = chosen.min(all - chosen);
    (0..chosen).map(|place| (all - place) as f64 / (place + 1) as f64).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1e-300), "{found} is not {expected}");
    }

    #[test]
    fn the_normal_distribution_and_its_quantiles_are_those_of_tables() {
        close(normal_below(1.0), 0.841_344_746_068_542_9);
        close(normal_below(-6.0), 9.865_876_450_376_98e-10);
        close(normal_quantile(0.975), 1.959_963_984_540_054);
        close(normal_quantile(1e-9), -5.997_807_015_007_686_6);
        for p in [1e-12, 0.01, 0.3, 0.5, 0.9] {
            assert!((normal_below(normal_quantile(p)) - p).abs() < 1e-12 * p);
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
    }

    #[test]
    fn students_t_has_its_closed_forms() {
        // one degree: 1 − 2·atan(t)/π; two: 1 − t/√(2 + t²)
        for t in [0.1, 1.0, 7.5] {
            close(t_beyond(t, 1.0), 1.0 - 2.0 * f64::atan(t) / std::f64::consts::PI);
            close(t_beyond(t, 2.0), 1.0 - t / f64::sqrt(2.0 + t * t));
        }
        // the usual table: 2.228 of ten degrees
        assert!((t_critical(0.05, 10.0) - 2.228).abs() < 5e-4);
    }

    #[test]
    fn f_is_t_squared_and_has_its_closed_form() {
        close(f_beyond(4.0, 1.0, 9.0), t_beyond(2.0, 9.0));
        // two degrees above: (1 + 2f/b)^(−b/2)
        close(f_beyond(3.0, 2.0, 8.0), f64::powi(1.0 + 6.0 / 8.0, -4));
    }
}
