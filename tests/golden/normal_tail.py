"""Coefficients of the normal distribution's tail in src/kernel/function.rs, by minimax (Lawson's weights) on relative error.

Φ(−x) = e^(−x²/2) t P(t), t = 1/(1 + 0.35 x): the form of Hastings (1955, sheet 43), with P of degree 8.
Needs mpmath and numpy.
"""
import mpmath, numpy

SLOPE, DEGREE, END, POINTS = 0.35, 8, 14, 1200
mpmath.mp.dps = 40


def scaled_tail(x):
    return float(mpmath.erfc(x / mpmath.sqrt(2)) / 2 * mpmath.exp(mpmath.mpf(x) ** 2 / 2))


low = 1 / (1 + SLOPE * END)
t = (1 + low) / 2 + (1 - low) / 2 * numpy.cos(numpy.pi * (numpy.arange(POINTS) + 0.5) / POINTS)
target = numpy.array([scaled_tail((1 / t - 1) / SLOPE) / t for t in t])
powers, weights = numpy.vander(t, DEGREE + 1, increasing=True), numpy.ones(POINTS)
for _ in range(30):
    root = numpy.sqrt(weights) / target
    found, *_ = numpy.linalg.lstsq(powers * root[:, None], target * root, rcond=None)
    error = abs((powers @ found - target) / target)
    weights = weights * (error + 1e-20)
    weights /= weights.mean()
print("largest relative error", error.max())
print([numpy.float32(value) for value in found])
