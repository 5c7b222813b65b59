"""What initializers ask of their arguments: numbers, choices, ranks, seeds and shapes, each checked by name."""

from __future__ import annotations

import sys

import numpy as np

from initcli.errors import ArgumentError

_GREATEST = sys.float_info.max


def parse_number(parameter_name: str, value: object, least: float | None = None) -> float | int:
    """Return `value` if it is a finite number, at least `least`.

    Raises:
        ArgumentError: it is not.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentError(f"`{parameter_name}` must be a number, got `{value}`", parameter=parameter_name)
    if not -_GREATEST <= value <= _GREATEST:
        shown = f"{value}" if isinstance(value, float) else "a whole number beyond float64"
        raise ArgumentError(f"`{parameter_name}` must be finite, got {shown}", parameter=parameter_name)
    if least is not None and value < least:
        raise ArgumentError(f"`{parameter_name}` must be at least {least:g}, got {value}", parameter=parameter_name)
    return value


def check_ordered(low_name: str, low: float, high_name: str, high: float) -> None:
    """Raise `ArgumentError` if the parameter `low_name` is greater than `high_name`."""
    if low > high:
        what = f"`{low_name}` must not exceed `{high_name}`, got {low} and {high}"
        raise ArgumentError(what, "exchange the two", parameter=low_name)


def check_choice(parameter_name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise `ArgumentError` if `value` is none of `choices`."""
    if value not in choices:
        what = f"`{parameter_name}` cannot be `{value}`"
        raise ArgumentError(what, f"one of: {', '.join(choices)}", parameter=parameter_name)


def check_flag(parameter_name: str, value: object) -> None:
    """Raise `ArgumentError` if `value` is neither true nor false."""
    if not isinstance(value, bool):
        raise ArgumentError(f"`{parameter_name}` must be true or false, got `{value}`", parameter=parameter_name)


def check_rank(initializer_name: str, shape: tuple[int, ...], least: int, most: int | None = None) -> None:
    """Raise `ArgumentError` if `shape` has fewer than `least` axes, or more than `most`."""
    if len(shape) < least or (most is not None and len(shape) > most):
        ranks = f"{least} or more" if most is None else f"{least}" if most == least else f"{least} to {most}"
        what = f"`{initializer_name}` needs a shape of rank {ranks}, got {list(shape)}"
        raise ArgumentError(what, "give it a matrix" if least == 2 else "", parameter="shape")


def parse_seed(seed: object) -> int | None:
    """Return `seed` if it is None or a whole number ≥ 0 of any size.

    Raises:
        ArgumentError: something else.
    """
    if seed is None or (isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0):
        return seed
    raise ArgumentError(f"`seed` must be a whole number ≥ 0, got `{seed}`", parameter="seed")


def parse_shape(shape: object) -> tuple[int, ...]:
    """Return `shape` as a tuple of non-negative ints; one int stands for one dimension.

    Raises:
        ArgumentError: something else.
    """
    dims = (shape,) if isinstance(shape, int | np.integer) else shape
    if isinstance(dims, tuple | list | np.ndarray) and all(
        isinstance(d, int | np.integer) and not isinstance(d, bool) and d >= 0 for d in dims
    ):
        return tuple(int(d) for d in dims)
    raise ArgumentError(f"a shape is a tuple of whole numbers ≥ 0, got {shape}", parameter="shape")
