"""Keras's recurrent layers and their cells. The gates are side by side: i, f, c, o of LSTM, z, r, h of GRU.

Source: keras-team/keras v3.15.1, `keras/src/layers/rnn/`; checked by `make clients`.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from initcli.errors import ArgumentError
from initcli.layers.base import STYLES, Built, Shape, Weight
from initcli.layers.keras_arguments import Given, check_input, keras_layer, tell_name, weight_arguments
from initcli.layers.keras_convolution import check_dilation, convolve
from initcli.layers.keras_feature_maps import read_map
from initcli.layers.keras_inner import Inner, parse_inner, parse_inners

_GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}
_CELLS = {"SimpleRNN": "simple_rnn_cell", "GRU": "gru_cell", "LSTM": "lstm_cell"}
_DROPOUT = "dropout=0.0, recurrent_dropout=0.0"
_STATES = "return_sequences=False, return_state=False, go_backwards=False, stateful=False"


def _weight_arguments(name: str, has_activity: bool) -> str:
    forget = "unit_forget_bias=True" if "LSTM" in name else ""
    laws = {"kernel": "glorot_uniform", "recurrent": "orthogonal", "bias": "zeros"}
    return weight_arguments(forget, has_activity=has_activity, **laws)


def _cell(name: str, inputs: Shape, given: Given) -> Built:
    """One step, of a state of `units`."""
    check_input(f"{name}Cell", inputs, 1, 1)
    units = given.size("units")
    columns = _GATES[name] * units
    weights = [
        given.weight("kernel", (inputs[0], columns)),
        given.weight("recurrent_kernel", (units, columns), initializer="recurrent_initializer"),
    ]
    if given.flag("use_bias"):
        is_split = name == "GRU" and given.flag("reset_after")
        bias = (2, columns) if is_split else (columns,)
        weights.append(_forgetful_bias(given, bias) if name == "LSTM" else given.weight("bias", bias))
    return Built(weights, (units,))


def _recurrence(name: str, inputs: Shape, given: Given) -> Built:
    """A cell that walks along the first axis."""
    check_input(name, inputs, 2, 2)
    cell = _cell(name, inputs[1:], given)
    return Built(cell.below(f"{_CELLS[name]}/", "cell"), _walk(inputs, cell.outputs, given))


def _convolutional(rank: int, inputs: Shape, given: Given) -> Built:
    """An LSTM whose products are convolutions; the state is as large as the convolved input, and is padded."""
    name = f"ConvLSTM{rank}D"
    check_input(name, inputs, rank + 2, rank + 2)
    filters, kernel_size = given.size("filters"), given.sizes("kernel_size", rank)
    seen = read_map(name, inputs[1:], rank, given)
    given.known("kernel", seen.lengths)
    check_dilation(given, rank)
    outputs = convolve(seen, given, filters)
    weights = [
        given.weight("kernel", (*kernel_size, seen.channels, 4 * filters)),
        given.weight("recurrent_kernel", (*kernel_size, filters, 4 * filters), initializer="recurrent_initializer"),
    ]
    if given.flag("use_bias"):
        weights.append(_forgetful_bias(given, (4 * filters,)))
    return Built(Built(weights).below("conv_lstm_cell/", "cell"), _walk(inputs, outputs, given))


@keras_layer("StackedRNNCells", "cells")
def stacked_cells(inputs: Shape, given: Given) -> Built:
    """Cells one upon the other, which are written as mappings with their classes."""
    return _stack(parse_inners("cells", given["cells"]), inputs)


@keras_layer("RNN", f"cell, {_STATES}, unroll=False, zero_output_for_mask=False")
def rnn(inputs: Shape, given: Given) -> Built:
    """A cell, or a list of them, written as mappings with their classes, that walks along the first axis."""
    check_input("RNN", inputs, 2, 2)
    if isinstance(given["cell"], list | tuple):
        step, name = _stack(parse_inners("cell", given["cell"]), inputs[1:]), "stacked_rnn_cells"
    else:
        cell = _parse_cell(parse_inner("cell", given["cell"]))
        step, name = cell.build(inputs[1:]), cell.name
    return Built(step.below(f"{name}/", "cell"), _walk(inputs, step.outputs, given))


def _stack(cells: list[Inner], inputs: Shape) -> Built:
    weights: list[Weight] = []
    outputs: Shape | None = inputs
    seen: Counter[str] = Counter()
    for cell in cells:
        built = _parse_cell(cell).build(outputs)
        place = STYLES["keras"].name(cell.layer.name, 0, seen[cell.layer.name])
        seen[cell.layer.name] += 1
        weights += built.below(f"{cell.name}/", f"cells/{place}")
        outputs = built.outputs
    return Built(weights, outputs)


def _parse_cell(inner: Inner) -> Inner:
    if not inner.layer.name.endswith(("Cell", "Cells")):
        what = f"`{inner.parameter}` must be a cell, got `{inner.layer.name}`"
        raise ArgumentError(what, "for example `{class: LSTMCell, units: 64}`", parameter=inner.parameter)
    return inner


def _walk(inputs: Shape, state: Shape | None, given: Given) -> Shape | None:
    """Return the last state or all of them; None if states come beside, of which no chain makes use."""
    is_sequence = given.flag("return_sequences")
    if given.flag("return_state") or state is None:
        return None
    return (inputs[0], *state) if is_sequence else state


def _forgetful_bias(given: Given, shape: tuple[int, ...]) -> Weight:
    """Return the bias of an LSTM: with `unit_forget_bias` zeros, but ones for the forget gate, which is the second.

    Raises:
        ArgumentError: the other gates are to have another initializer, which no single one of a spec can say.
    """
    bias = given.weight("bias", shape)
    if not given.flag("unit_forget_bias"):
        return bias
    if tell_name(bias.init) not in ("zeros", "zero", "Zeros"):
        what = "`bias_initializer` cannot be other than zeros with `unit_forget_bias`, which fills one of four gates"
        raise ArgumentError(what, "write `unit_forget_bias: false`", parameter="bias_initializer")
    return bias._replace(init="mxnet.lstm_bias(forget_bias=1.0)")


for _name, (_cell_end, _end) in {
    "SimpleRNN": ("seed=None", f"{_STATES}, unroll=False, seed=None"),
    "GRU": ("reset_after=True, seed=None", f"seed=None, {_STATES}, unroll=False, reset_after=True, use_cudnn='auto'"),
    "LSTM": ("seed=None", f"seed=None, {_STATES}, unroll=False, use_cudnn='auto'"),
}.items():
    _activations = "activation='tanh'" if _name == "SimpleRNN" else "activation='tanh', recurrent_activation='sigmoid'"
    _begin = f"units, {_activations}, use_bias=True"
    keras_layer(f"{_name}Cell", f"{_begin}, {_weight_arguments(_name, False)}, {_DROPOUT}, {_cell_end}")(
        partial(_cell, _name)
    )
    keras_layer(_name, f"{_begin}, {_weight_arguments(_name, True)}, {_DROPOUT}, {_end}")(partial(_recurrence, _name))

for _rank in (1, 2, 3):
    keras_layer(
        f"ConvLSTM{_rank}D",
        "filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1, activation='tanh', "
        f"recurrent_activation='sigmoid', use_bias=True, {_weight_arguments('LSTM', True)}, {_DROPOUT}, seed=None, "
        f"{_STATES}",
    )(partial(_convolutional, _rank))
