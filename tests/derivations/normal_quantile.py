"""Derive the float32 constants of `initcli/quantiles.py`: run it, and compare what it prints with that file.

Each piece is a sum of simple fractions with positive weights, fitted for the least greatest error (Lawson's reweighting
round Levenberg-Marquardt), then rounded to float32 one group at a time, the rest being fitted again round the rounded
ones. Why fractions: x ↦ a / (b − x) is monotone under correct rounding, and so are sums of such, so the quantile never
falls where it should rise; and with all weights positive no digits cancel.

    python tests/derivations/normal_quantile.py
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import erfinv, ndtri

Floats = NDArray[np.float64]
Model = Callable[[Floats], Floats]

CENTRE = 0.47732  # |u| of the centre; just above Φ(2) − ½ = 0.47725, so that a cut at ±2 needs no tail
NODES = 3000


def chebyshev(low: float, high: float) -> Floats:
    theta = np.pi * (np.arange(NODES) + 0.5) / NODES
    return low + (high - low) * (1 - np.cos(theta)) / 2


def fit(model: Model, start: Floats, target: Floats, scale: Floats, rounds: int = 100) -> tuple[Floats, float]:
    """Return the parameters with the least greatest |model − target| / scale, and that error."""
    weights, parameters = np.ones(len(target)), start
    best, least = start, np.inf
    for _ in range(rounds):

        def residual(q: Floats, weights: Floats = weights) -> Floats:
            return weights * (model(q) - target) / scale * 1e6

        parameters = least_squares(residual, parameters, method="lm", xtol=1e-15, ftol=1e-15, max_nfev=4000).x
        error = np.abs((model(parameters) - target) / scale)
        if error.max() < least:
            best, least = parameters, float(error.max())
        weights = weights * ((error / error.max()) ** 0.3 + 1e-3)
        weights /= weights.max()
    return best, least


def float32(x: Floats) -> Floats:
    return np.asarray(x, np.float32).astype(np.float64)


def fractions(
    title: str, x: Floats, target: Floats, scale: Floats, signs: tuple[int, int], linear: int, start: Floats
) -> None:
    """Fit c0 + c1 x + weight_sign Σ aᵢ / (bᵢ + x_sign x), round b, fit again, round a, fit again, and print."""
    weight_sign, x_sign = signs
    terms = (len(start) - 1 - linear) // 2
    base = x.max() if x_sign < 0 else 0.0  # poles stay outside the interval

    def value(head: Floats, a: Floats, b: Floats) -> Floats:
        line = head[0] + (head[1] * x if linear else 0.0)
        return line + weight_sign * (a / (b + x_sign * x[:, None])).sum(axis=1)

    split = 1 + linear
    free, _ = fit(
        lambda q: value(q[:split], np.exp(q[split : split + terms]), base + np.exp(q[split + terms :])),
        start,
        target,
        scale,
    )
    b = float32(base + np.exp(free[split + terms :]))
    half, _ = fit(lambda q: value(q[:split], np.exp(q[split:]), b), free[: split + terms], target, scale)
    a = float32(np.exp(half[split:]))
    head, _ = fit(lambda q: value(q, a, b), half[:split], target, scale)
    head = float32(head)
    error = np.abs((value(head, a, b) - target) / scale).max()
    order = np.argsort(b)
    print(f"{title}: greatest error {error:.2e}")
    print("  constant", ", ".join(f"{v:.9g}" for v in head))
    for i in order:
        print(f"  ({a[i]:.9g}, {b[i]:.9g}),")


def main() -> None:
    u = np.maximum(chebyshev(0.0, CENTRE), 1e-12)
    ratio = np.sqrt(2) * erfinv(2 * u) / u
    start = np.r_[0.86, np.log([0.0089, 0.041, 0.175, 1.18]), np.log([0.027, 0.057, 0.175, 0.92])]
    fractions("centre, z / u in u²", u * u, ratio, ratio, (1, -1), 0, start)

    mantissa = chebyshev(1.0, 2.0)
    start = np.r_[3.08, 0.11, np.log([1.07, 8.39]), np.log([0.257, 2.58])]
    fractions("log2 of the mantissa", mantissa, np.log2(mantissa), np.ones(NODES), (-1, 1), 1, start)

    s = chebyshev(np.sqrt(-np.log2(0.5 - CENTRE + 1e-4)), np.sqrt(33))
    z = -ndtri(np.exp2(-s * s))
    start = np.r_[-0.071, 1.179, np.log([1.12, 1.68]), np.log([0.556, 3.34])]
    fractions("tail, z in √(−log2 p)", s, z, z, (-1, 1), 1, start)


if __name__ == "__main__":
    main()
