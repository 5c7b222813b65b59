"""EinsumDense, whose equation says the shapes of its weights and which axes of the kernel are inputs.

Source: keras-team/keras v3.15.1, `keras/src/layers/core/einsum_dense.py`; checked by `make clients`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from initcli.errors import ArgumentError
from initcli.layers.base import Built, Shape, parse_size
from initcli.layers.keras_arguments import LORA, Given, keras_layer, weight_arguments

_FORMS = (
    r"(?P<inputs>[a-zA-Z]+),(?P<kernel>[a-zA-Z]+)->(?P<outputs>[a-zA-Z]+)",
    r"(?P<left>\.\.\.)(?P<inputs>[a-zA-Z]+),(?P<kernel>[a-zA-Z]+)->\.\.\.(?P<outputs>[a-zA-Z]+)",
    r"(?P<inputs>[a-zA-Z]{2,})\.\.\.,(?P<kernel>[a-zA-Z]+)->(?P<outputs>[a-zA-Z]+)\.\.\.",
)


class Equation(NamedTuple):
    """A letter for each axis of input, kernel and output; more of the input's pass through, left or right of them."""

    inputs: str
    kernel: str
    outputs: str
    is_left: bool


@keras_layer(
    "EinsumDense",
    "equation, output_shape, activation=None, bias_axes=None, "
    f"{weight_arguments(has_activity=False, kernel='glorot_uniform', bias='zeros')}, {LORA}, "
    "gptq_unpacked_column_size=None, quantization_config=None",
)
def einsum_dense(inputs: Shape, given: Given) -> Built:
    """y = einsum(equation, x, W) + b; what scales with fans reads them from the true inputs and outputs."""
    given.refuse("quantization_config", "quantize the model that has read the file")
    equation = _parse_equation(given["equation"])
    passed = 1 + len(inputs) - len(equation.inputs)  # the batch is an axis too
    if passed < 0:
        what = (
            f"the input of `{given['equation']}` has {len(equation.inputs)} axes with the batch, got {1 + len(inputs)}"
        )
        raise ArgumentError(what, parameter="equation")
    outputs = _lay_out(inputs, _parse_output_shape(given["output_shape"]), passed, equation.is_left)
    skipped = passed if equation.is_left else 0
    ins = dict(zip(equation.inputs, (None, *inputs)[skipped:], strict=False))
    outs = dict(zip(equation.outputs, outputs[skipped:], strict=False))
    _check_letters(equation, ins, outs)

    lengths = tuple({**ins, **outs}[letter] for letter in equation.kernel)
    axes = " ".join("out" if letter in outs else "in" for letter in equation.kernel)
    kernel = given.weight("kernel", lengths, axes)
    weights = [kernel]
    if given["bias_axes"] is not None:
        shape = _shape_bias(given["bias_axes"], equation, outs)
        weights.append(given.weight("bias", shape if equation.is_left else (*shape, *(1,) * passed)))
    return Built([*weights, *given.adapters(kernel)], outputs[1:])


def _parse_equation(text: object) -> Equation:
    for form in _FORMS:
        if match := re.fullmatch(form, str(text)):
            found = match.groupdict()
            return Equation(found["inputs"], found["kernel"], found["outputs"], "left" in found)
    what = f"`equation` cannot be `{text}`"
    raise ArgumentError(what, "write `ab,bc->ac`, `...ab,bc->...ac` or `ab...,bc->ac...`", parameter="equation")


def _parse_output_shape(value: object) -> Shape:
    lengths = value if isinstance(value, list | tuple) else [value]
    return tuple(None if length is None else parse_size("output_shape", length) for length in lengths)


def _lay_out(inputs: Shape, output_shape: Shape, passed: int, is_left: bool) -> Shape:
    """Return the whole shape of the output, with the batch and the axes that pass through.

    Those on the left come backwards, as Keras infers them; what it computes has them in order.
    """
    if is_left:
        return (None, *inputs[: max(0, passed - 1)][::-1], *output_shape)
    return (None, *output_shape, *inputs[len(inputs) - passed :])


def _check_letters(equation: Equation, ins: dict[str, int | None], outs: dict[str, int | None]) -> None:
    """Raise `ArgumentError` if a letter has no length, two of them, or no place."""
    missing = [letter for letter in equation.outputs if letter not in outs]
    if missing:
        what = f"`output_shape` says no length for `{missing[0]}` of the equation"
        raise ArgumentError(what, "the batch is not counted", parameter="output_shape")
    for letter in ins:
        if outs.get(letter) not in (None, ins[letter]):
            what = f"`{letter}` of the equation is {ins[letter]} in the input and {outs[letter]} in `output_shape`"
            raise ArgumentError(what, "write null there", parameter="output_shape")
    for letter in equation.outputs:
        if letter not in equation.inputs + equation.kernel:
            raise ArgumentError(f"`{letter}` of the output is in neither input nor kernel", parameter="equation")
    for letter in equation.kernel:
        if letter not in equation.inputs + equation.outputs:
            raise ArgumentError(f"`{letter}` of the kernel is in neither input nor output", parameter="equation")


def _shape_bias(axes: object, equation: Equation, outs: dict[str, int | None]) -> Shape:
    """Return the lengths of the output from the first of the bias's axes on, 1 for those that it has not."""
    if not isinstance(axes, str) or not axes or not set(axes) <= set(equation.outputs):
        what = f"`bias_axes` must be letters of the output `{equation.outputs}`, got `{axes}`"
        raise ArgumentError(what, parameter="bias_axes")
    first = min(equation.outputs.find(letter) for letter in axes)
    return tuple(outs[letter] if letter in axes else 1 for letter in equation.outputs[first:])
