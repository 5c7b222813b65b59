"""The laws in closed form that both sides are compared with, as SciPy's distributions."""

from __future__ import annotations

import math

from scipy import stats

FALSE_ALARM = 2 * stats.norm.sf(5)
"""The chance of a false alarm of one test: that of a normal deviate beyond five standard errors."""


def normal(std, mean=0.0):
    return stats.norm(mean, std)


def uniform(low, high):
    return stats.uniform(low, high - low)


def symmetric(std):
    """The uniform law around 0 with this standard deviation."""
    return uniform(-math.sqrt(3) * std, math.sqrt(3) * std)


def cut(mean, std, low, high):
    """A normal cut at two values, `std` being its standard deviation before the cut."""
    return stats.truncnorm((low - mean) / std, (high - mean) / std, mean, std)


def truncated(std, mean=0.0, lower=-2.0, upper=2.0):
    """A normal cut at multiples of its own standard deviation, which is that before the cut."""
    return stats.truncnorm(lower, upper, mean, std)


def corrected(std):
    """A normal cut at two standard deviations, so scaled that `std` is left after the cut."""
    return truncated(std / stats.truncnorm(-2, 2).std())


def exponential(variance):
    """The law of a complex normal's squared modulus."""
    return stats.expon(scale=variance)


def disk(variance):
    """The law of a squared modulus that is uniform over a disk."""
    return uniform(0, 2 * variance)


def cut_modulus(variance):
    """The law of the squared modulus of a complex normal cut at 2 before JAX widens it by 1 / √(1 − 5 e⁻⁴)."""
    return stats.truncexpon(4, scale=variance / (1 - 5 * math.exp(-4)))
