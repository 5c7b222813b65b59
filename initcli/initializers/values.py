"""Arrays as parameters: numbers in any nesting of lists, kept as tuples so that they compare and go through JSON."""

from __future__ import annotations

from math import prod
from typing import Any, TypeAlias

import numpy as np

from initcli.errors import ArgumentError
from initcli.initializers.arguments import parse_number
from initcli.laws import Constant, Law
from initcli.laws.fixed import Broadcast

Value: TypeAlias = float | int | bool
Values: TypeAlias = float | int | bool | tuple[Any, ...]
"""A number, or numbers in any nesting."""


def parse_values(parameter_name: str, value: Any) -> Values:
    """Return a number as it is, and an array or list of numbers, nested or not, as tuples.

    >>> parse_values("value", [[1, 2], [3, 4]])
    ((1, 2), (3, 4))

    Raises:
        ArgumentError: something else.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, bool):
        return value
    if isinstance(value, tuple | list):
        return tuple(parse_values(parameter_name, item) for item in value)
    return parse_number(parameter_name, value)


def flatten(values: Values) -> tuple[Value, ...]:
    """Return the numbers of a nesting, in order."""
    if not isinstance(values, tuple):
        return (values,)
    return tuple(number for item in values for number in flatten(item))


def array_shape(parameter_name: str, values: Values) -> tuple[int, ...]:
    """Return the shape of the array that a nesting is.

    >>> array_shape("value", ((1, 2), (3, 4), (5, 6)))
    (3, 2)

    Raises:
        ArgumentError: its items are not of one shape.
    """
    if not isinstance(values, tuple):
        return ()
    inner = {array_shape(parameter_name, item) for item in values}
    if len(inner) > 1:
        what = f"`{parameter_name}` is a list whose items are not of one shape"
        raise ArgumentError(what, "make the inner lists equally long", parameter=parameter_name)
    return (len(values), *next(iter(inner), ()))


def broadcast_law(parameter_name: str, values: Values, shape: tuple[int, ...]) -> Law:
    """Return the law of a tensor of `shape` to which `values` broadcasts as in NumPy.

    Raises:
        ArgumentError: it does not.
    """
    if not isinstance(values, tuple):
        return Constant(values)
    given = array_shape(parameter_name, values)
    axes = shape[len(shape) - len(given) :] if len(given) <= len(shape) else ()
    if len(axes) != len(given) or any(n not in (1, m) for n, m in zip(given, axes, strict=True)):
        what = f"`{parameter_name}` has the shape {list(given)}, which does not broadcast to {list(shape)}"
        raise ArgumentError(what, "make each of its axes as long as the tensor's, or 1", parameter=parameter_name)
    return Broadcast(flatten(values), given, shape) if prod(shape) else Constant(0)
