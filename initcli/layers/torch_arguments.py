"""What PyTorch's classes ask of their arguments, beside what every layer asks.

`device` and `dtype` are no arguments here: a spec has its own dtype, and a file has no device.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from initcli.errors import ArgumentError
from initcli.initializers.arguments import parse_number
from initcli.layers.base import parse_size

Ignored: TypeAlias = Any
"""An argument that changes no weight: it is accepted, whatever its value."""

MOST_WEIGHTS = 1_000_000
"""The most weights that one layer may have, so that a slip in a number of layers is told and not computed."""


def check_divisible(parameter: str, count: int, divisor_name: str, divisor: int) -> None:
    """Raise `ArgumentError` if `count` is no multiple of `divisor`."""
    if count % divisor:
        what = f"`{parameter}` must be divisible by `{divisor_name}`, got {count} and {divisor}"
        raise ArgumentError(what, parameter=parameter)


def check_probability(parameter: str, value: object) -> None:
    """Raise `ArgumentError` if `value` is no number from 0 to 1."""
    if parse_number(parameter, value, 0) > 1:
        raise ArgumentError(f"`{parameter}` must be a number from 0 to 1, got {value}", parameter=parameter)


def parse_repeats(parameter: str, value: object, weights: int, least: int) -> int:
    """Return how often something of so many weights is repeated.

    Raises:
        ArgumentError: it is no whole number of at least `least`, or the weights would be too many.
    """
    repeats = parse_size(parameter, value, least)
    if repeats * max(weights, 1) > MOST_WEIGHTS:
        what = f"`{parameter}` is too large: {repeats:,} times {weights} weights"
        raise ArgumentError(what, f"a layer has at most {MOST_WEIGHTS:,}", parameter=parameter)
    return repeats
