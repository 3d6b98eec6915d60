//! The hard concrete distribution: a mask that is 0 or 1 with some chance, and differentiable (Louizos et al. 2018).

/// How sharp it is.
const BETA: f64 = 2.0 / 3.0;
/// The ends that it is stretched to, before what is beyond 0 and 1 is cut off.
const ENDS: (f64, f64) = (-0.1, 1.1);

/// A value and its slope by α.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sloped {
    /// The value.
    pub value: f64,
    /// Its derivative by α.
    pub slope: f64,
}

/// The mask z that chance `u`, between 0 and 1, draws.
pub fn drawn(alpha: f64, u: f64) -> Sloped {
    let (low, high) = ENDS;
    let s = sigmoid((u.ln() - (1.0 - u).ln() + alpha) / BETA);
    let stretched = s * (high - low) + low;
    let inside = (0.0..=1.0).contains(&stretched);
    let slope = if inside { (high - low) * s * (1.0 - s) / BETA } else { 0.0 };
    Sloped { value: stretched.clamp(0.0, 1.0), slope }
}

/// The chance that the mask is above 0.
pub fn kept(alpha: f64) -> Sloped {
    let (low, high) = ENDS;
    let value = sigmoid(alpha - BETA * (-low / high).ln());
    Sloped { value, slope: value * (1.0 - value) }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_mask_is_above_zero_as_often_as_its_chance_says() {
        const DRAWS: usize = 100_000;
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for alpha in [-3.0, -1.0, 0.0, 0.7, 2.0] {
            let above = (0..DRAWS).filter(|_| drawn(alpha, random.random_range(1e-9..1.0 - 1e-9)).value > 0.0).count();
            let (share, chance) = (above as f64 / DRAWS as f64, kept(alpha).value);
            // five standard errors
            assert!((share - chance).abs() < 5.0 * (0.25 / DRAWS as f64).sqrt(), "{alpha}: {share} {chance}");
        }
    }

    #[test]
    fn slopes_are_differences() {
        const STEP: f64 = 1e-6;
        for (alpha, u) in [(0.3, 0.4), (-0.5, 0.6), (1.0, 0.2), (8.0, 0.5), (-8.0, 0.5)] {
            let of = |at: fn(f64, f64) -> Sloped| {
                let difference = (at(alpha + STEP, u).value - at(alpha - STEP, u).value) / (2.0 * STEP);
                assert!((at(alpha, u).slope - difference).abs() < 1e-8, "{alpha} {u}");
            };
            of(drawn);
            of(|alpha, _| kept(alpha));
        }
    }

    /// σ(0) = 1/2 stretches to 1/2; with α = 0 the chance is σ(−(2/3) ln(1/11)) = 11^(2/3) / (1 + 11^(2/3)).
    #[test]
    fn by_hand() {
        assert!((drawn(0.0, 0.5).value - 0.5).abs() < 1e-12);
        let power = 11f64.powf(2.0 / 3.0);
        assert!((kept(0.0).value - power / (1.0 + power)).abs() < 1e-12);
    }
}
