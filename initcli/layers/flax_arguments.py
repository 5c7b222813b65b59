"""How flax's classes are written here: their arguments as text, read where they matter and else taken as they come.

flax has two trees of them. A linen module takes the sizes of its input from the input itself, and keeps its variables
in collections; one of nnx is told all sizes, and its variables stand in the order of their paths. What they have in
common is written once, for both.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

from initcli.calls import parse_call
from initcli.dtypes import parse_dtype
from initcli.errors import ArgumentError
from initcli.initializers.arguments import check_flag
from initcli.layers.base import Built, Shape, Weight, layer, parse_size, parse_sizes


@dataclass(frozen=True)
class Arguments:
    """What a class was given, its defaults filled in. Each is checked when it is read; the others change no weight.

    `collection` is where linen keeps the parameters; nnx has none.
    """

    values: Mapping[str, Any]
    collection: str

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def size(self, name: str) -> int:
        """Return a count of at least one."""
        return parse_size(name, self.values[name])

    def size_or(self, name: str, default: int) -> int:
        """Return a count of at least one; `default` if none was given."""
        return default if self.values[name] is None else self.size(name)

    def sizes(self, name: str) -> tuple[int, ...]:
        """Return several counts; one stands alone."""
        value = self.values[name]
        return parse_sizes(name, value, len(value) if isinstance(value, list | tuple) and value else 1)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value: bool = self.values[name]
        check_flag(name, value)
        return value

    @property
    def dtype(self) -> str:
        """The dtype of the parameters; empty for the layer's own."""
        if self.values["param_dtype"] is None:
            return ""
        try:
            return parse_dtype(self.values["param_dtype"]).name
        except ArgumentError as error:
            fault = error.faults[0]
            raise ArgumentError(fault.what, fault.hint, parameter="param_dtype") from None

    def weight(self, name: str, shape: tuple[int, ...], init: str, axes: str = "") -> Weight:
        """Return a parameter that is drawn by the argument called `init`."""
        if self.values[init] is None:
            raise ArgumentError(f"`{init}` must be an initializer", "leave it out for flax's own", parameter=init)
        return Weight(name, shape, self.values[init], axes, self.dtype, self.collection)

    def projection(self, inputs: tuple[int, ...], outputs: tuple[int, ...], inits: tuple[str, str]) -> Built:
        """Return a kernel, which flax draws as one matrix whatever its rank, and a bias.

        `inits` are the arguments that draw them; an empty one means that there is no bias.
        """
        axes = " ".join(["in"] * len(inputs) + ["out"] * len(outputs))
        weights = [self.weight("kernel", (*inputs, *outputs), inits[0], axes if axes != "in out" else "")]
        return Built([*weights, *([self.weight("bias", outputs, inits[1])] if inits[1] else [])])

    def bias_init(self) -> str:
        """Return the argument that draws the bias; empty if there is to be none."""
        return "bias_init" if self.flag("use_bias") else ""


def flax_layer(name: str, arguments: str) -> Callable[[Callable[..., Built]], Callable[..., Built]]:
    """Add the class `name` with its arguments and their defaults as text, of nnx if the name begins so.

    A word that is a default stands for flax's function of that name, () for an empty mapping, and a `param_dtype` of
    None for the layer's own. The function gets `Arguments`, and in linen the shape of one example.
    """
    _, required, optional = parse_call(f"flax({arguments})")
    defaults = {**dict.fromkeys(required, Parameter.empty), **optional}
    is_nnx = name.startswith("nnx.")
    collection = "" if is_nnx else "params"

    def add(function: Callable[..., Built]) -> Callable[..., Built]:
        def made(*inputs: Shape, **given: Any) -> Built:
            built = function(Arguments({**defaults, **given}, collection), *inputs)
            return Built(sorted(built.weights, key=lambda weight: weight.name.split("/"))) if is_nnx else built

        known = [Parameter(each, Parameter.KEYWORD_ONLY, default=value) for each, value in defaults.items()]
        leading = (
            [Parameter("inputs", Parameter.POSITIONAL_ONLY)]
            if "inputs" in inspect.signature(function).parameters
            else []
        )
        made.__signature__ = Signature([*leading, *known])  # type: ignore[attr-defined]
        layer("jax", name)(made)
        return function

    return add


def last_size(inputs: Shape) -> int:
    """Return the length of the input's last axis.

    Raises:
        ArgumentError: it has none, or its length is not known.
    """
    return known_sizes(inputs[-1:] or (None,))[0]


def known_sizes(lengths: Shape) -> tuple[int, ...]:
    """Return lengths of the input on which a weight's shape rests.

    Raises:
        ArgumentError: one is not known.
    """
    known = tuple(length for length in lengths if length)
    if len(known) < len(lengths):
        what = f"the shape of a weight rests on an axis of the input whose length is not known or zero: {list(lengths)}"
        raise ArgumentError(what, "give `input_shape` with that axis")
    return known


def resolve_axes(name: str, value: object, inputs: Shape) -> tuple[int, ...]:
    """Return the axes of a batch of inputs that `value` names, as flax counts them: 0 is the batch.

    Raises:
        ArgumentError: the input has no such axis, or it is named twice.
    """
    rank = len(inputs) + 1
    axes = tuple(parse_axis(name, each) for each in (value if isinstance(value, list | tuple) else [value]))
    if any(not -rank <= axis < rank for axis in axes) or len({axis % rank for axis in axes}) < len(axes):
        what = (
            f"`{name}` must name different axes of the input, which is of rank {rank} with its batch, got {list(axes)}"
        )
        raise ArgumentError(what, parameter=name)
    return tuple(sorted(axis % rank for axis in axes))


def resolve_features(name: str, value: object, inputs: Shape) -> tuple[int, ...]:
    """Return the axes as `resolve_axes` does.

    Raises:
        ArgumentError: one is the batch, of which no weight can be a part.
    """
    axes = resolve_axes(name, value, inputs)
    if 0 in axes:
        raise ArgumentError(f"`{name}` cannot be the axis of the batch", "axes are counted with it: 0", parameter=name)
    return axes


def parse_axis(name: str, value: object) -> int:
    """Return `value` if it is a whole number.

    Raises:
        ArgumentError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ArgumentError(f"`{name}` must be a whole number, got `{value}`", parameter=name)
    return value


def check_divides(name: str, divisor: int, count: int, what: str) -> None:
    """Raise `ArgumentError` if the argument `name` does not divide the `count` of `what`."""
    if count % divisor:
        raise ArgumentError(f"`{name}` must divide the {count} {what}, got {divisor}", parameter=name)
