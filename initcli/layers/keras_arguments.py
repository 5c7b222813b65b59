"""Keras's signatures, written as text, and what a layer reads from the arguments that it was given.

A layer is a function of the input's shape and of its arguments by name; what changes no weight stands in the signature
alone. `name` and `dtype` are no arguments here: a spec says both of every layer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

from initcli.calls import parse_call
from initcli.errors import ArgumentError, suggest
from initcli.initializers.arguments import check_choice, check_flag
from initcli.layers.base import Built, Shape, Weight, layer, parse_size, parse_sizes

LORA = "lora_rank=None, lora_alpha=None"

ACTIVATIONS = (
    "relu leaky_relu relu6 softmax celu elu selu softplus softsign squareplus soft_shrink sparse_plus silu gelu glu "
    "tanh tanh_shrink threshold sigmoid sparse_sigmoid exponential hard_sigmoid hard_silu hard_tanh hard_shrink "
    "linear mish log_softmax log_sigmoid sparsemax swish hard_swish"
)
"""The functions that `activation` can name.

Source: keras-team/keras v3.15.1, `keras/src/activations/__init__.py`
"""

_COMMON = ("activity_regularizer=None", "trainable=True", "autocast=True")
"""What every class takes, by name only."""


@dataclass(frozen=True)
class Given:
    """A layer's arguments by name, with the defaults of those that were not given."""

    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def size(self, name: str, least: int = 1) -> int:
        """Return an argument that is a whole number of at least `least`."""
        return parse_size(name, self[name], least)

    def sizes(self, name: str, count: int, least: int = 1) -> tuple[int, ...]:
        """Return an argument that is `count` whole numbers, or one that stands for each."""
        return parse_sizes(name, self[name], count, least)

    def flag(self, name: str) -> bool:
        """Return an argument that is true or false."""
        check_flag(name, self[name])
        return bool(self[name])

    def choice(self, name: str, *choices: str) -> str:
        """Return an argument that is one of the words, which Keras reads in capitals too."""
        word = str(self[name]).lower()
        check_choice(name, word, choices)
        return word

    def weight(self, name: str, shape: Shape, axes: str = "", initializer: str = "") -> Weight:
        """Return the weight `name`, which the argument `initializer`, else that of its own name, fills.

        Raises:
            ArgumentError: a length of the input that it needs is not known.
        """
        init = self[initializer or f"{name}_initializer"]
        if init is None:  # what add_weight falls back to
            init, axes = "glorot_uniform", ""
        return Weight(name, self.known(name, shape), init, axes)

    def known(self, name: str, shape: Shape) -> tuple[int, ...]:
        """Return the shape of the weight `name`.

        Raises:
            ArgumentError: a length of it is not known.
        """
        lengths = tuple(length for length in shape if length is not None)
        if len(lengths) < len(shape):
            shown = ", ".join("?" if length is None else str(length) for length in shape)
            what = f"the shape of `{name}` would be [{shown}], of an input whose length is not known there"
            raise ArgumentError(what, "give a number there in `input_shape`", parameter="input_shape")
        return lengths

    def bias(self, *shape: int | None) -> list[Weight]:
        """Return the bias, if `use_bias`."""
        return [self.weight("bias", shape)] if self.flag("use_bias") else []

    def adapters(self, kernel: Weight) -> list[Weight]:
        """Return the two matrices of low rank that `lora_rank` adds to the weight `kernel`.

        Keras's files keep neither: it writes their product into the kernel.
        """
        if not self["lora_rank"]:
            return []
        *rows, columns = kernel.shape
        rank = self.size("lora_rank")
        return [
            Weight(f"lora_{kernel.name}_a", (*rows, rank), "he_uniform", dtype="float32", holders=()),
            Weight(f"lora_{kernel.name}_b", (rank, columns), "zeros", dtype="float32", holders=()),
        ]

    def refuse(self, name: str, hint: str) -> None:
        """Raise `ArgumentError` if the argument `name` was given, which says what no spec can."""
        if self[name] is not None:
            raise ArgumentError(f"`{name}` is not taken here", hint, parameter=name)

    def check_activations(self) -> None:
        """Raise `ArgumentError` for a word that names no activation."""
        known = ACTIVATIONS.split()
        for name in ("activation", "recurrent_activation"):
            word = self.values.get(name)
            if isinstance(word, str) and word not in known:
                hint = suggest(word, known) or f"one of: {', '.join(known)}"
                raise ArgumentError(f"`{name}` cannot be `{word}`", hint, parameter=name)


def check_input(layer_name: str, inputs: Shape, least: int, most: int | None = None) -> None:
    """Raise `ArgumentError` if an example has fewer than `least` axes, or more than `most`."""
    if len(inputs) < least or (most is not None and len(inputs) > most):
        ranks = f"{least} or more" if most is None else f"{least}"
        shown = ", ".join("?" if length is None else str(length) for length in inputs)
        what = f"`{layer_name}` needs an input of {ranks} axes, got [{shown}]"
        raise ArgumentError(what, "the batch is not counted", parameter="input_shape")


def find_length(parameter: str, axis: object, inputs: Shape) -> int | None:
    """Return the length of the input along an axis of Keras's, which counts the batch as the first.

    Raises:
        ArgumentError: it is no whole number, or there is no such axis.
    """
    lengths = (None, *inputs)
    if isinstance(axis, bool) or not isinstance(axis, int) or not -len(lengths) <= axis < len(lengths):
        what = f"`{parameter}` must be an axis from {-len(lengths)} to {len(lengths) - 1}, got `{axis}`"
        raise ArgumentError(what, "axis 0 is the batch", parameter=parameter)
    return lengths[axis]


def tell_name(init: Any) -> str:
    """Return the name of Keras's initializer that is written as text, as a mapping, or read from a spec already."""
    name = init.get("name", init.get("class_name")) if isinstance(init, Mapping) else getattr(init, "name", init)
    return str(name).removeprefix("keras.")


def weight_arguments(between: str = "", *, has_activity: bool = True, **initializers: str) -> str:
    """Return the arguments of classes with weights: initializers, what is `between`, regularizers and constraints."""
    return ", ".join(
        [
            *(f"{name}_initializer={value!r}" for name, value in initializers.items()),
            *filter(None, [between]),
            *(f"{name}_regularizer=None" for name in initializers),
            *(["activity_regularizer=None"] if has_activity else []),
            *(f"{name}_constraint=None" for name in initializers),
        ]
    )


def repeat(value: int, count: int) -> str:
    """Return the default of an argument that Keras has once for each of `count` axes: `1`, `(1, 1)`."""
    return str(value if count == 1 else (value,) * count)


def keras_layer(
    names: str, signature: str, is_strict: bool = False
) -> Callable[[Callable[..., Built]], Callable[..., Built]]:
    """Add a function of `inputs`, if it has them, and of what is `Given` as the layers called `names`.

    A class that `is_strict` takes nothing beside its own signature.
    """
    _, required, optional = parse_call(f"layer({signature})")
    known = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in required]
    known += [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=value) for name, value in optional.items()]
    common = {} if is_strict else parse_call(f"layer({', '.join(_COMMON)})")[2]
    known += [
        Parameter(name, Parameter.KEYWORD_ONLY, default=value) for name, value in common.items() if name not in optional
    ]
    defaults = {each.name: each.default for each in known}

    def add(function: Callable[..., Built]) -> Callable[..., Built]:
        takes_inputs = "inputs" in inspect.signature(function).parameters

        def made(*inputs: Shape, **arguments: Any) -> Built:
            given = Given({**defaults, **arguments})
            given.check_activations()
            return function(*inputs, given)

        first = [Parameter("inputs", Parameter.POSITIONAL_ONLY)] if takes_inputs else []
        made.__signature__ = Signature([*first, *known])  # type: ignore[attr-defined]
        for name in names.split():
            layer("keras", name)(made)
        return function

    return add
