"""flax's convolutions: channels last, any number of spatial axes, which `kernel_size` tells.

Source: google/flax v0.12.8, `flax/linen/linear.py`, `flax/nnx/nn/linear.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from initcli.errors import ArgumentError
from initcli.initializers.arguments import check_choice
from initcli.layers.base import Built, Shape, Weight, parse_sizes
from initcli.layers.flax_arguments import (
    Arguments,
    check_divides,
    flax_layer,
    known_sizes,
    last_size,
    parse_axis,
)

_WINDOW = "padding=SAME, input_dilation=1, kernel_dilation=1, feature_group_count=1, use_bias=True, mask=None"
_TRANSPOSED = "padding=SAME, kernel_dilation=None, use_bias=True, mask=None"
_DRAWN = "dtype=None, param_dtype=None, precision=None, kernel_init=lecun_normal, bias_init=zeros"
_METADATA = "kernel_metadata=(), bias_metadata=()"
_LINEN = (
    f"features, kernel_size, strides=1, {_WINDOW}, {_DRAWN}, promote_dtype=promote_dtype,"
    "conv_general_dilated=None, conv_general_dilated_cls=None"
)


@dataclass(frozen=True)
class _Steps:
    """How a window goes along one axis: `padding` is a word, or how much both ends are padded together."""

    kernel: int
    stride: int
    input_dilation: int
    kernel_dilation: int
    padding: str | int

    @property
    def reach(self) -> int:
        """The length that the dilated kernel spans."""
        return (self.kernel - 1) * self.kernel_dilation + 1

    def convolved(self, length: int | None) -> int | None:
        """Return the length that a convolution gives."""
        if length is None:
            return None
        padded = 0 if isinstance(self.padding, str) else self.padding
        if self.padding in ("SAME", "SAME_LOWER"):
            padded = max(0, (-(-length // self.stride) - 1) * self.stride + self.reach - length)
        elif self.padding in ("CIRCULAR", "REFLECT", "CAUSAL"):
            length += self.reach - 1
        dilated = (length - 1) * self.input_dilation + 1 if length else 0
        return max(0, (dilated + padded - self.reach) // self.stride + 1)

    def transposed(self, length: int | None) -> int | None:
        """Return the length that a transposed convolution gives."""
        if length is None:
            return None
        if isinstance(self.padding, str):
            return length * self.stride + (max(0, self.reach - self.stride) if self.padding == "VALID" else 0)
        return max(0, (length - 1) * self.stride + 2 + self.padding - self.reach)


def _parse_steps(given: Arguments) -> list[_Steps]:
    """Return how the window goes along each axis."""
    kernel = given.sizes("kernel_size")
    rank = len(kernel)
    is_transposed = "input_dilation" not in given.values
    words = ("SAME", "VALID", "CIRCULAR", *(() if is_transposed else ("SAME_LOWER", "REFLECT", "CAUSAL")))
    padding = _parse_padding(given["padding"], rank, words)
    steps = []
    for name in ("strides", "input_dilation", "kernel_dilation"):
        value = given.values.get(name)
        steps.append(parse_sizes(name, 1 if value is None else value, rank))
    if max(steps[1]) > 1 and isinstance(padding[0], str):
        what = f"`input_dilation` needs a `padding` in numbers, got `{padding[0]}`"
        raise ArgumentError(what, "write `padding: 0`, or a pair for each axis", parameter="input_dilation")
    return [_Steps(*axis) for axis in zip(kernel, *steps, padding, strict=True)]


def _parse_padding(value: Any, rank: int, words: tuple[str, ...]) -> list[Any]:
    """Return for each axis the word, or how much is padded at both ends together.

    A convolution takes `same` and `valid` in any case; JAX compares all other words as they are.
    """
    if isinstance(value, str):
        if "REFLECT" in words and value.upper() in ("SAME", "VALID", "SAME_LOWER"):
            value = value.upper()
        check_choice("padding", value, words)
        if value == "CAUSAL" and rank > 1:
            what = f"`padding` can be `CAUSAL` for one spatial axis, and `kernel_size` has {rank}"
            raise ArgumentError(what, parameter="padding")
        return [value] * rank
    ends = value if isinstance(value, list | tuple) else [value] * rank
    pairs = [each if isinstance(each, list | tuple) else [each, each] for each in ends]
    if len(pairs) != rank or any(len(pair) != 2 for pair in pairs):
        what = f"`padding` must be a word, a number, or a number or a pair for each of {rank} axes, got {value}"
        raise ArgumentError(what, parameter="padding")
    return [sum(parse_axis("padding", end) for end in pair) for pair in pairs]


def _check_rank(inputs: Shape, rank: int) -> None:
    """Raise `ArgumentError` if the input has no `rank` spatial axes before its channels."""
    if len(inputs) <= rank:
        what = f"a `kernel_size` of {rank} axes needs an input of rank {rank + 1} or more, got {list(inputs)}"
        raise ArgumentError(what, "one number is a kernel of one axis", parameter="kernel_size")


def _convolution(given: Arguments, ins: int, outs: int) -> list[Weight]:
    """Return kernel and bias; the fans are read from the kernel's own shape."""
    groups = given.size("feature_group_count")
    check_divides("feature_group_count", groups, ins, "features of the input")
    check_divides("feature_group_count", groups, outs, "features of the output")
    return _drawn(given, (*given.sizes("kernel_size"), ins // groups, outs), (outs,))


def _transposed_convolution(given: Arguments, ins: int, outs: int) -> list[Weight]:
    """Return kernel and bias; where the kernel is transposed, fan_in is read from the outputs."""
    kernel = given.sizes("kernel_size")
    if len(kernel) > 3:
        raise ArgumentError(f"`kernel_size` has at most 3 axes here, got {list(kernel)}", parameter="kernel_size")
    return _drawn(given, (*kernel, *((outs, ins) if given.flag("transpose_kernel") else (ins, outs))), (outs,))


def _drawn(given: Arguments, kernel: tuple[int, ...], bias: tuple[int, ...]) -> list[Weight]:
    shift = [given.weight("bias", bias, "bias_init")] if given.flag("use_bias") else []
    return [given.weight("kernel", kernel, "kernel_init"), *shift]


@flax_layer("Conv", _LINEN)
def _conv(given: Arguments, inputs: Shape) -> Built:
    """A cross-correlation over the axes before the last."""
    steps = _parse_steps(given)
    rank, outs = len(steps), given.size("features")
    _check_rank(inputs, rank)
    lengths = (axis.convolved(n) for axis, n in zip(steps, inputs[-rank - 1 : -1], strict=True))
    return Built(_convolution(given, last_size(inputs), outs), (*inputs[: -rank - 1], *lengths, outs))


@flax_layer("ConvLocal", _LINEN)
def _conv_local(given: Arguments, inputs: Shape) -> Built:
    """A convolution with a kernel of its own at each place, whose fans count the places too."""
    if given.size("feature_group_count") > 1:
        raise ArgumentError("`ConvLocal` has no groups", parameter="feature_group_count")
    outputs = _conv(given, inputs).outputs or ()
    *places, outs = known_sizes(outputs[-len(given.sizes("kernel_size")) - 1 :])
    patch = prod(given.sizes("kernel_size")) * last_size(inputs)
    return Built(_drawn(given, (*places, patch, outs), (*places, outs)), outputs)


@flax_layer(
    "nnx.Conv",
    f"in_features, out_features, kernel_size, strides=1, {_WINDOW}, {_DRAWN},"
    f"conv_general_dilated=conv_general_dilated, promote_dtype=promote_dtype, preferred_element_type=None, {_METADATA}",
)
def _nnx_conv(given: Arguments) -> Built:
    """A cross-correlation over the axes before the last."""
    _parse_steps(given)
    return Built(_convolution(given, given.size("in_features"), given.size("out_features")))


@flax_layer(
    "ConvTranspose",
    f"features, kernel_size, strides=None, {_TRANSPOSED}, {_DRAWN}, transpose_kernel=False,"
    "promote_dtype=promote_dtype, preferred_element_type=None",
)
def _conv_transpose(given: Arguments, inputs: Shape) -> Built:
    """The gradient of a convolution, or with `transpose_kernel=False` a convolution of the spread-out input."""
    steps = _parse_steps(given)
    rank, outs = len(steps), given.size("features")
    _check_rank(inputs, rank)
    lengths = (axis.transposed(n) for axis, n in zip(steps, inputs[-rank - 1 : -1], strict=True))
    return Built(_transposed_convolution(given, last_size(inputs), outs), (*inputs[: -rank - 1], *lengths, outs))


@flax_layer(
    "nnx.ConvTranspose",
    f"in_features, out_features, kernel_size, strides=None, {_TRANSPOSED}, {_DRAWN}, transpose_kernel=False,"
    f"promote_dtype=promote_dtype, preferred_element_type=None, {_METADATA}",
)
def _nnx_conv_transpose(given: Arguments) -> Built:
    """The gradient of a convolution, or a convolution of the spread-out input."""
    _parse_steps(given)
    return Built(_transposed_convolution(given, given.size("in_features"), given.size("out_features")))
