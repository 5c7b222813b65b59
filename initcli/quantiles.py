"""Uniform draws to normal values, by operations that IEEE 754 rounds correctly and nothing else.

An element's draw is a signed integer k of 32 or 64 bits and stands for u = (k + ½) / 2^bits in (−½, ½). Its normal
value is z = Φ⁻¹(½ + u), computed with + − × ÷ √, conversion, comparison and integer work alone: no exp or log of a C
library, no BLAS, no fused multiply-add. So every CPU agrees to the bit. The tail is measured from the integer,
p = ½ − |u|, and so keeps its full relative precision.

float32 (32-bit draws) uses fractions of our own, each a monotone function even as rounded: z never falls where k rises.
`tests/derivations/normal_quantile.py` derives them; `make exhaustive` checks all 2³² draws. float64 (64-bit draws) uses
Wichura's PPND16.

Source: Wichura (1988), Algorithm AS 241: The Percentage Points of the Normal Distribution, Applied Statistics 37(3).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from initcli.elementary import Floats, horner, log
from initcli.scratch import Scratch

KEPT_WITHIN_2 = 0.9544997361036416
"""P(|N(0, 1)| < 2) = 2Φ(2) − 1."""

FARTHEST_DRAW = 9.2
"""No |z| is as great: the last 64-bit draw is Φ⁻¹(1 − 2⁻⁶⁵) = 9.155, the last of 32 bits 6.338."""

_f = np.float32

# z / u = constant + Σ a / (b − u²) for |u| ≤ 0.47732, as (a, b)
_CENTRE_CONSTANT = _f(0.858452618)
_CENTRE = (
    (_f(0.0089112483), _f(0.255161554)),
    (_f(0.0407593176), _f(0.285025924)),
    (_f(0.174820855), _f(0.402306944)),
    (_f(1.18375599), _f(1.14294839)),
)
_CENTRE_EDGE = _f(0.47731 * 0.47731)  # of u²; beyond it lies the tail

# log2(m) = c₀ + c₁ m − Σ a / (b + m) for a mantissa m in [1, 2)
_LOG2_LINE = (_f(3.08220673), _f(0.111617014))
_LOG2 = ((_f(1.06926191), _f(0.256957352)), (_f(8.39128017), _f(2.58119798)))

# |z| = c₀ + c₁ s − Σ a / (b + s), s = √(−log2 p), for p = ½ − |u| < 0.0227
_TAIL_LINE = (_f(-0.0712285787), _f(1.1787796))
_TAIL = ((_f(1.12009227), _f(0.556175768)), (_f(1.67759299), _f(3.3424027)))

# PPND16, highest power first: centre |u| ≤ 0.425 in 0.180625 − u²; tails in √(−ln p) − 1.6 and √(−ln p) − 5
_P16_CENTRE = (
    (
        2.5090809287301226727e3,
        3.3430575583588128105e4,
        6.7265770927008700853e4,
        4.5921953931549871457e4,
        1.3731693765509461125e4,
        1.9715909503065514427e3,
        1.3314166789178437745e2,
        3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3,
        2.8729085735721942674e4,
        3.9307895800092710610e4,
        2.1213794301586595867e4,
        5.3941960214247511077e3,
        6.8718700749205790830e2,
        4.2313330701600911252e1,
        1.0,
    ),
)
_P16_NEAR = (
    (
        7.74545014278341407640e-4,
        2.27238449892691845833e-2,
        2.41780725177450611770e-1,
        1.27045825245236838258e0,
        3.64784832476320460504e0,
        5.76949722146069140550e0,
        4.63033784615654529590e0,
        1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9,
        5.47593808499534494600e-4,
        1.51986665636164571966e-2,
        1.48103976427480074590e-1,
        6.89767334985100004550e-1,
        1.67638483018380384940e0,
        2.05319162663775882187e0,
        1.0,
    ),
)
_P16_FAR = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        1.24266094738807843860e-3,
        2.65321895265761230930e-2,
        2.96560571828504891230e-1,
        1.78482653991729133580e0,
        5.46378491116411436990e0,
        6.65790464350110377720e0,
    ),
    (
        2.04426310338993978564e-15,
        1.42151175831644588870e-7,
        1.84631831751005468180e-5,
        7.86869131145613259100e-4,
        1.48753612908506148525e-2,
        1.36929880922735805310e-1,
        5.99832206555887937690e-1,
        1.0,
    ),
)


def fill_uniform(draws: NDArray[Any], out: Floats, scratch: Scratch) -> None:
    """Fill `out` with u = (k + ½) / 2^bits; exactly odd: the draw ~k gives −u."""
    bits = 8 * draws.itemsize
    inverted, half = scratch.take(len(draws), draws.dtype, out.dtype)
    np.invert(draws, out=inverted)
    np.copyto(out, draws, casting="unsafe")
    np.copyto(half, inverted, casting="unsafe")
    np.subtract(out, half, out=out)  # 2k + 1
    np.multiply(out, out.dtype.type(0.5 ** (bits + 1)), out=out)


def fill_normal(draws: NDArray[Any], out: Floats, scratch: Scratch) -> None:
    """Fill `out` with standard normal values z = Φ⁻¹(½ + u)."""
    fill_uniform(draws, out, scratch)
    if out.dtype == np.float64:
        _ppnd16(draws, out)
        return
    beyond, squared = _centre(out, scratch)
    np.greater(squared, _CENTRE_EDGE, out=beyond)
    tail = np.flatnonzero(beyond)
    out[tail] = _tail(draws[tail])


def fill_truncated_normal(draws: NDArray[Any], out: Floats, scratch: Scratch) -> None:
    """Fill `out` with standard normal values kept within ±2: z = Φ⁻¹(½ + u (2Φ(2) − 1))."""
    fill_uniform(draws, out, scratch)
    np.multiply(out, out.dtype.type(KEPT_WITHIN_2), out=out)
    if out.dtype == np.float64:
        _ppnd16_within(out, 0.5 - np.abs(out))
    else:
        _centre(out, scratch)
    np.clip(out, -2.0, 2.0, out=out)


def kept_normal(draws: NDArray[Any], below: float, inside: float, above: float) -> Floats:
    """Return standard normal values kept between two bounds, as float64.

    `below`, `inside` and `above` are the masses of N(0, 1) under, between and over the bounds. Each value is taken from
    the nearer tail, p = below + inside (½ + u) or above + inside (½ − u), so that intervals far out stay accurate.
    """
    bits = 8 * draws.itemsize
    unsigned = draws.view(f"<u{draws.itemsize}")
    top = unsigned.dtype.type(1 << (bits - 1))
    from_low = (unsigned ^ top).astype(np.float64)  # 2^bits (½ + u) − ½
    from_high = (~unsigned ^ top).astype(np.float64)  # 2^bits (½ − u) − ½
    for side, edge in ((from_low, below), (from_high, above)):
        side += 0.5
        side *= 0.5**bits * inside
        side += edge
    p = np.minimum(from_low, from_high)
    u: Floats = np.copysign(0.5 - p, np.where(from_low <= from_high, -1.0, 1.0))
    _ppnd16_within(u, p)
    return u


def _centre(u: Floats, scratch: Scratch) -> tuple[NDArray[np.bool_], Floats]:
    """Turn |u| ≤ 0.47732 into z in place; return a spare mask and u²."""
    beyond, squared, fraction, ratio = scratch.take(len(u), np.bool_, np.float32, np.float32, np.float32)
    np.multiply(u, u, out=squared)
    ratio.fill(_CENTRE_CONSTANT)
    for a, b in _CENTRE:
        np.subtract(b, squared, out=fraction)
        np.divide(a, fraction, out=fraction)
        np.add(ratio, fraction, out=ratio)
    np.multiply(u, ratio, out=u)
    return beyond, squared


def _tail(draws: NDArray[np.int32]) -> Floats:
    """Return z for float32 draws whose |u| lies beyond the centre."""
    p = (draws ^ (draws >> 31) ^ 0x7FFFFFFF).astype(np.float32)  # 2³² p − ½, counted from the near end
    p += _f(0.5)
    bits = p.view(np.int32)
    exponent = (bits >> 23).astype(np.float32)  # biased by 127; p is in units of 2⁻³²
    mantissa = ((bits & 0x7FFFFF) | 0x3F800000).view(np.float32)
    s = np.sqrt((_f(127 + 32) - exponent) - _rising(mantissa, _LOG2_LINE, _LOG2))
    return np.copysign(_rising(s, _TAIL_LINE, _TAIL), draws.astype(np.float32))


def _rising(x: Floats, line: tuple[np.float32, np.float32], terms: tuple[tuple[np.float32, np.float32], ...]) -> Floats:
    """Return line + Σ −a / (b + x), which rises with x term by term."""
    y = line[1] * x
    y += line[0]
    fraction = np.empty_like(x)
    for a, b in terms:
        np.add(x, b, out=fraction)
        np.divide(a, fraction, out=fraction)
        y -= fraction
    return y


def _ppnd16(draws: NDArray[np.int64], u: Floats) -> None:
    """Turn u into z in place, in float64, the tail measured from the integer."""
    from_end = (draws ^ (draws >> 63) ^ 0x7FFFFFFFFFFFFFFF).astype(np.float64)
    from_end += 0.5
    _ppnd16_within(u, from_end * 0.5**64)


def _ppnd16_within(u: Floats, p: Floats) -> None:
    """Turn u into z in place, given p = ½ − |u| to full precision."""
    tail = np.flatnonzero(np.abs(u) > 0.425)
    sign, root = u[tail], np.sqrt(-log(p[tail]))
    u *= _ratio(0.180625 - u * u, _P16_CENTRE)
    z = _ratio(root - 1.6, _P16_NEAR)
    far = np.flatnonzero(root > 5.0)
    z[far] = _ratio(root[far] - 5.0, _P16_FAR)
    u[tail] = np.copysign(z, sign)


def _ratio(x: Floats, coefficients: tuple[tuple[float, ...], tuple[float, ...]]) -> Floats:
    """Return numerator(x) / denominator(x), both by Horner's rule."""
    above, below = (horner(x, polynomial) for polynomial in coefficients)
    above /= below
    return above
