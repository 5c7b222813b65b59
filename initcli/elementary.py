"""Elementary functions of float64 arrays, by operations that IEEE 754 rounds correctly and nothing else.

A value of a tensor must not depend on a C library, so exp, log and sine are made here of + − × ÷, comparison,
conversion and exponent bits: each operation is a NumPy call of its own and rounds once, on every machine alike.

| function | range | error, of millions measured, below |
|---|---|---|
| `log` | positive normal numbers | 3 ulp |
| `exp`, `expm1` | −708 ≤ x ≤ 709 | 0.9 ulp, 1.6 ulp |
| `sine` | every angle | 2.6 ulp |

An angle is counted in turns, as an integer: a whole multiple of a frequency is then exact, however far it has gone
round, and so is a quarter of a turn, which makes a sine a cosine.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
Words = NDArray[np.uint64]

TURN = 1 << 96
"""The integer that stands for a whole turn."""

QUARTER = TURN >> 2
"""A quarter of a turn: sine(angle + QUARTER) is the cosine."""

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")

# ln 2 in two parts, the first of 32 bits, so that a whole multiple of it is exact
_LN2 = (float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33"))
# (exp(r) − 1 − r) / r² = Σ rⁿ / (n + 2)!, highest power first; |r| ≤ ln 2 / 2, so what is left out is < 1e-18
_EXP = tuple(1 / factorial(n) for n in range(14, 1, -1))
# sin(z π/2) / z − 1 = (1 − z²) Σ qₙ z^2n, which is exact at z = 1; qₙ is what the Taylor series lacks of 1 after its
# term of power 2n, highest first; |z| ≤ 1, so what is left out is < 1e-18
with localcontext(Context(prec=60)):
    _TAYLOR = [(-1) ** n * (PI / 2) ** (2 * n + 1) / factorial(2 * n + 1) for n in range(11)]
    _SINE = tuple(float(sum(_TAYLOR[: n + 1]) - 1) for n in range(9, -1, -1))


def log(x: Floats) -> Floats:
    """Return ln x of positive normal float64: x = 2^e m, ln m = 2 artanh((m − 1) / (m + 1)), m in [√½, √2).

    >>> log(np.array([1.0, 16.0])).tolist()
    [0.0, 2.772588722239781]
    """
    bits = x.view(np.int64)
    mantissa = ((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000).view(np.float64)
    exponent = ((bits >> 52) - 1023).astype(np.float64)
    upper = mantissa > 1.4142135623730951
    mantissa[upper] *= 0.5
    exponent[upper] += 1.0
    s = (mantissa - 1.0) / (mantissa + 1.0)
    # |s| ≤ 0.1716, so the first term left out is 2 s²³ / 23 < 3e-19
    series = horner(s * s, tuple(1.0 / (2 * i + 1) for i in reversed(range(11))))
    return exponent * 0.6931471805599453 + 2.0 * s * series


def exp(x: Floats) -> Floats:
    """Return eˣ = 2^k eʳ for −708 ≤ x ≤ 709, r = x − k ln 2.

    >>> exp(np.array([0.0, 2.0])).tolist()
    [1.0, 7.38905609893065]
    """
    power, less_one = _reduced_exp(x)
    return (1.0 + less_one) * power


def expm1(x: Floats) -> Floats:
    """Return eˣ − 1 = 2^k (eʳ − 1) + (2^k − 1) for −708 ≤ x ≤ 709, r = x − k ln 2.

    >>> expm1(np.array([0.0, 1e-20])).tolist()
    [0.0, 1e-20]
    """
    power, less_one = _reduced_exp(x)
    return power * less_one + (power - 1.0)


def sine(angle: Words, rest: Words) -> Floats:
    """Return the sine of angles in turns: `angle` in units of 2⁻⁶⁴, and `rest` < 2³² in units of 2⁻⁹⁶.

    >>> sine(np.array([0, 1 << 62, 3 << 62], np.uint64), np.zeros(3, np.uint64)).tolist()
    [0.0, 1.0, -1.0]
    """
    # To a quarter of a turn and a sign, exactly: an angle behind half a turn is below none, one behind a quarter has
    # the sine of half a turn less itself.
    is_negative = (angle > np.uint64(2**63)) | ((angle == np.uint64(2**63)) & (rest > 0))
    angle, rest = _fold(is_negative, np.uint64(0), angle, rest)
    angle, rest = _fold(angle >= np.uint64(2**62), np.uint64(2**63), angle, rest)
    near = angle.astype(np.float64)
    near += rest.astype(np.float64) * 2.0**-32
    near *= 2.0**-62  # in quarters of a turn, 0 to 1
    np.negative(near, out=near, where=is_negative)
    squared = near * near
    beyond = horner(squared, _SINE)
    np.subtract(1.0, squared, out=squared)
    beyond *= squared
    beyond *= near
    beyond += near
    return beyond


def _fold(chosen: NDArray[np.bool_], whole: np.uint64, angle: Words, rest: Words) -> tuple[Words, Words]:
    """Return `whole` less the chosen angles, the others as they are; both parts exactly, whole turns left out."""
    borrow = (rest > 0).astype(np.uint64)
    return (
        np.where(chosen, whole - angle - borrow, angle),
        np.where(chosen, (np.uint64(2**32) - rest) & np.uint64(2**32 - 1), rest),
    )


def split(turns: int) -> tuple[int, int]:
    """Return the two parts of an angle in units of 2⁻⁹⁶ turns as `sine` takes them, whole turns left out."""
    return (turns >> 32) % 2**64, turns % 2**32


def multiply(count: Words, angle: Words, rest: Words) -> tuple[Words, Words]:
    """Return `count` < 2³² times an angle, exactly, whole turns left out."""
    low = count * rest
    return count * angle + (low >> np.uint64(32)), low & np.uint64(2**32 - 1)


def horner(x: Floats, polynomial: tuple[float, ...]) -> Floats:
    """Return the polynomial at `x`, its coefficients given from the highest power on."""
    y = np.full_like(x, polynomial[0])
    for c in polynomial[1:]:
        y *= x
        y += c
    return y


def _reduced_exp(x: Floats) -> tuple[Floats, Floats]:
    """Return 2^k and eʳ − 1 for x = k ln 2 + r, |r| ≤ ln 2 / 2."""
    k = np.rint(x * 1.4426950408889634)
    far = x - k * _LN2[0]  # exact
    below = k * _LN2[1]
    r = far - below
    lost = (far - r) - below
    less_one = r * r * horner(r, _EXP)
    less_one += lost
    less_one += r
    power = ((k.astype(np.int64) + 1023) << 52).view(np.float64)
    return power, less_one
