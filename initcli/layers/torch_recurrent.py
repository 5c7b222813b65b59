"""PyTorch's recurrent layers and cells. The gates are one behind the other: i, f, g, o of LSTM, r, z, n of GRU.

Source: pytorch/pytorch v2.13.0, `torch/nn/modules/rnn.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import dataclass

from initcli.errors import ArgumentError
from initcli.initializers.arguments import check_choice, check_flag
from initcli.layers.base import Built, Weight, layer, parse_size
from initcli.layers.torch_arguments import check_probability, parse_repeats


@dataclass(frozen=True)
class _Recurrence:
    """One step of `gates`, from the input and the last hidden state, which LSTM can project to `proj_size`."""

    gates: int
    hidden_size: int
    bias: bool
    proj_size: int = 0

    def __post_init__(self) -> None:
        parse_size("hidden_size", self.hidden_size)
        check_flag("bias", self.bias)
        if parse_size("proj_size", self.proj_size, 0) >= self.hidden_size:
            what = f"`proj_size` must be smaller than `hidden_size`, got {self.proj_size} and {self.hidden_size}"
            raise ArgumentError(what, parameter="proj_size")

    @property
    def output_size(self) -> int:
        """The features that the step gives to the next, and to the layer above."""
        return self.proj_size or self.hidden_size

    def weights(self, input_size: int, suffix: str = "") -> list[Weight]:
        """Return the weights and biases, every one drawn by `hidden_size`."""
        rows = self.gates * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, input_size), "weight_hh": (rows, self.output_size)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes |= {"weight_hr": (self.proj_size, self.hidden_size)}
        init = f"rnn_default(hidden_size={self.hidden_size})"
        return [Weight(name + suffix, shape, init) for name, shape in shapes.items()]

    def stack(self, input_size: int, num_layers: int, bidirectional: bool) -> Built:
        """Return `num_layers` of them, each forward and perhaps in reverse, the next one seeing both."""
        check_flag("bidirectional", bidirectional)
        directions = ("", "_reverse") if bidirectional else ("",)
        weights, seen = [], parse_size("input_size", input_size)
        each = len(directions) * len(self.weights(seen))
        for i in range(parse_repeats("num_layers", num_layers, each, 1)):
            for direction in directions:
                weights += self.weights(seen, f"_l{i}{direction}")
            seen = self.output_size * len(directions)
        return Built(weights)


@layer("torch", "RNN")
def rnn(
    input_size: int,
    hidden_size: int,
    num_layers: int = 1,
    nonlinearity: str = "tanh",
    bias: bool = True,
    batch_first: bool = False,
    dropout: float = 0.0,
    bidirectional: bool = False,
) -> Built:
    """Elman's network: h = tanh(W_ih x + b_ih + W_hh h + b_hh)."""
    check_choice("nonlinearity", nonlinearity, ("tanh", "relu"))
    check_flag("batch_first", batch_first)
    check_probability("dropout", dropout)
    return _Recurrence(1, hidden_size, bias).stack(input_size, num_layers, bidirectional)


@layer("torch", "LSTM")
def lstm(
    input_size: int,
    hidden_size: int,
    num_layers: int = 1,
    bias: bool = True,
    batch_first: bool = False,
    dropout: float = 0.0,
    bidirectional: bool = False,
    proj_size: int = 0,
) -> Built:
    """Long short-term memory; with `proj_size`, what it gives is W_hr h."""
    check_flag("batch_first", batch_first)
    check_probability("dropout", dropout)
    return _Recurrence(4, hidden_size, bias, proj_size).stack(input_size, num_layers, bidirectional)


@layer("torch", "GRU")
def gru(
    input_size: int,
    hidden_size: int,
    num_layers: int = 1,
    bias: bool = True,
    batch_first: bool = False,
    dropout: float = 0.0,
    bidirectional: bool = False,
) -> Built:
    """Gated recurrent units."""
    check_flag("batch_first", batch_first)
    check_probability("dropout", dropout)
    return _Recurrence(3, hidden_size, bias).stack(input_size, num_layers, bidirectional)


@layer("torch", "RNNCell")
def rnn_cell(input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh") -> Built:
    """One step of `RNN`."""
    check_choice("nonlinearity", nonlinearity, ("tanh", "relu"))
    return Built(_Recurrence(1, hidden_size, bias).weights(parse_size("input_size", input_size, 0)))


@layer("torch", "LSTMCell")
def lstm_cell(input_size: int, hidden_size: int, bias: bool = True) -> Built:
    """One step of `LSTM`."""
    return Built(_Recurrence(4, hidden_size, bias).weights(parse_size("input_size", input_size, 0)))


@layer("torch", "GRUCell")
def gru_cell(input_size: int, hidden_size: int, bias: bool = True) -> Built:
    """One step of `GRU`."""
    return Built(_Recurrence(3, hidden_size, bias).weights(parse_size("input_size", input_size, 0)))
