"""What a layer is, and the one table of them by framework and class name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

from initcli.errors import ArgumentError, suggest

Shape: TypeAlias = tuple[int | None, ...]
"""The shape of one example, without the batch axis; None is a length that is not known."""

_layers: dict[str, dict[str, Layer]] = {}

MODULES: dict[str, tuple[str, ...]] = {
    "keras": (
        *("keras_core", "keras_einsum", "keras_convolution", "keras_pooling", "keras_reshaping", "keras_activation"),
        *("keras_recurrent", "keras_wrappers", "keras_normalization", "keras_attention"),
    ),
    "torch": (
        *("torch_linear", "torch_embedding", "torch_convolution", "torch_recurrent", "torch_norm"),
        *("torch_attention", "torch_transformer", "torch_activation", "torch_loss"),
    ),
    "jax": ("flax_linear", "flax_convolution", "flax_norm", "flax_recurrent", "flax_attention"),
}
"""The modules that register each framework's layers, imported when the framework is first asked for."""


class Weight(NamedTuple):
    """A tensor of a layer: its `name` below the layer's, its `shape`, and its initializer as a spec would write it.

    `init` is the framework's default as text, or whatever the user gave for it. `axes` names the axes where the
    framework reads its fans from others than the shape tells. `dtype` is empty for the layer's own. `collection` stands
    before the layer's own name, as flax's `params` does. `holders` are the attributes, `forward_layer/cell`, that lead
    to each object in which Keras's files keep it: the layer itself, or more than one, or none.
    """

    name: str
    shape: tuple[int, ...]
    init: Any
    axes: str = ""
    dtype: str = ""
    collection: str = ""
    holders: tuple[str, ...] = ("",)


class Built(NamedTuple):
    """A layer's `weights` in the framework's order, and the shape of its `outputs`; None if that is not inferred."""

    weights: list[Weight]
    outputs: Shape | None = None

    def below(self, prefix: str, attribute: str = "") -> list[Weight]:
        """Return the weights under another layer's name: `prefix` ends with the framework's separator.

        `attribute` is that of Keras's other layer which leads to this one.
        """
        if not attribute:
            return [weight._replace(name=prefix + weight.name) for weight in self.weights]
        return [
            weight._replace(
                name=prefix + weight.name,
                holders=tuple(f"{attribute}/{holder}".rstrip("/") for holder in weight.holders),
            )
            for weight in self.weights
        ]


@dataclass(frozen=True)
class Layer:
    """A class of a framework: `function` has its arguments, after the input's shape if `takes_inputs`."""

    framework: str
    name: str
    function: Callable[..., Built]
    takes_inputs: bool

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The class's arguments, in order."""
        known = inspect.signature(self.function).parameters
        return {name: each for name, each in known.items() if name != "inputs"}

    def build(self, arguments: Mapping[str, Any], inputs: Shape | None = None) -> Built:
        """Return what the layer makes of its arguments.

        Raises:
            ArgumentError: an unknown or missing argument, a value that the class refuses, or an input of no use to it.
        """
        known = self.parameters
        for name in arguments:
            if name not in known:
                hint = suggest(name, known) or f"its arguments: {', '.join(known)}"
                raise ArgumentError(f"`{self.name}` has no argument `{name}`", hint, parameter=name)
        for name, each in known.items():
            if each.default is each.empty and name not in arguments:
                hint = f"its arguments: {', '.join(known)}"
                raise ArgumentError(f"`{self.name}` needs `{name}`", hint, parameter=name)
        if not self.takes_inputs:
            return self.function(**arguments)
        if inputs is None:
            what = f"`{self.name}` needs the shape of its input"
            raise ArgumentError(what, "give `input_shape:`, at the top of the spec or in the layer", "input_shape")
        return self.function(inputs, **arguments)


class Style(NamedTuple):
    """How a framework names what stands in `layers:`, and whether each layer takes what the one before puts out.

    `name` makes the name of a layer that has none, of its class, its index, and how many of its class are before it.
    """

    separator: str
    is_chain: bool
    name: Callable[[str, int, int], str]
    name_inside: Callable[[dict[str, Any], dict[str, int]], dict[str, Any]] = lambda arguments, _counts: arguments
    """Gives names to the layers among a layer's arguments, where the framework counts them with the others."""


def _snake(name: str, _index: int, before: int) -> str:
    """Return Keras's automatic name: `dense`, `dense_1`, `conv2d_transpose`."""
    return f"{_words(name)}_{before}" if before else _words(name)


@cache
def _words(name: str) -> str:
    """Return a class's name in words; that of some is another than the one under which `keras.layers` has them."""
    for ours, own in (("GroupQuery", "GroupedQuery"), ("Avg", "Average"), (r"Pool(?=\dD)", "Pooling")):
        name = re.sub(ours, own, name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"\W+", "", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name))).lower()


def _name_inside(arguments: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    from initcli.layers.keras_inner import name_inside

    return name_inside(arguments, counts)


STYLES = {
    "keras": Style("/", True, _snake, _name_inside),
    "torch": Style(".", False, lambda _name, index, _before: str(index)),
    "jax": Style("/", True, lambda name, i, before: f"layers/{i}" if name.startswith("nnx.") else f"{name}_{before}"),
}
"""The frameworks that have layers: PyTorch's and nnx's are numbered as in their Sequential, linen's as in a
compact module."""


def layer(framework: str, name: str) -> Callable[[Callable[..., Built]], Callable[..., Built]]:
    """Add a function as the layer called `name`; its first parameter may be `inputs`, the shape of one example."""

    def add(function: Callable[..., Built]) -> Callable[..., Built]:
        takes_inputs = "inputs" in inspect.signature(function).parameters
        _layers.setdefault(framework, {})[name] = Layer(framework, name, function, takes_inputs)
        return function

    return add


def known_layers(framework: str) -> dict[str, Layer]:
    """Return a framework's layers by class name."""
    for module in MODULES.get(framework, ()):
        import_module(f"initcli.layers.{module}")
    return _layers.get(framework, {})


def find_layer(framework: str, name: str) -> Layer:
    """Return the layer of a framework called `name`.

    Raises:
        ArgumentError: there is none.
    """
    for module in MODULES.get(framework, ()):
        if name in _layers.get(framework, {}):
            break
        import_module(f"initcli.layers.{module}")
    known = _layers.get(framework, {})
    if name in known:
        return known[name]
    others = [other for other in MODULES if name in known_layers(other)]
    hint = suggest(name, known) or (f"`{name}` is {others[0]}'s" if others else f"there are: {', '.join(known)}")
    raise ArgumentError(f"unknown layer class `{name}` of {framework}", hint, parameter="class")


def parse_size(parameter: str, value: object, least: int = 1) -> int:
    """Return `value` if it is a whole number of at least `least`.

    Raises:
        ArgumentError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ArgumentError(f"`{parameter}` must be a whole number ≥ {least}, got `{value}`", parameter=parameter)
    return value


def parse_sizes(parameter: str, value: object, count: int, least: int = 1) -> tuple[int, ...]:
    """Return `count` whole numbers: a list of them, or one that stands for each.

    Raises:
        ArgumentError: it is neither.
    """
    if isinstance(value, list | tuple):
        if len(value) != count:
            what = f"`{parameter}` must be one number or {count}, got {list(value)}"
            raise ArgumentError(what, parameter=parameter)
        return tuple(parse_size(parameter, each, least) for each in value)
    return (parse_size(parameter, value, least),) * count
