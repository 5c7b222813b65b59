"""flax's recurrent cells. linen has a kernel for each gate; nnx packs them, all but `nnx.LSTMCell`.

What is packed is drawn as one matrix: its recurrent kernel has orthonormal rows, and no gate's is orthogonal.

Source: google/flax v0.12.8, `flax/linen/recurrent.py`, `flax/nnx/nn/recurrent.py`; checked by `make clients`.
"""

from __future__ import annotations

from initcli.layers.base import Built, Shape, Weight
from initcli.layers.flax_arguments import Arguments, flax_layer, last_size

_GATES = "gate_fn=sigmoid, activation_fn=tanh"
_KERNELS = "kernel_init=lecun_normal, recurrent_kernel_init=orthogonal"
_INITS = f"{_KERNELS}, bias_init=zeros"
_CARRIED = "dtype=None, param_dtype=None, carry_init=zeros"
_NNX = (
    "promote_dtype=promote_dtype, keep_rngs=False, kernel_metadata=(), recurrent_kernel_metadata=(), bias_metadata=()"
)
_NNX_CARRIED = f"dtype=None, param_dtype=None, carry_init=None, {_NNX}"


def _cell(given: Arguments, inputs: Shape, parts: str) -> Built:
    """Return a linen cell, of which each part is from the input or the state to `features`."""
    width, features = last_size(inputs), given.size("features")
    return Built(_parts(given, (width, features, features), parts), (*inputs[:-1], features))


def _nnx_cell(given: Arguments, parts: str, gates: int = 1) -> Built:
    """Return a cell of nnx, each part of which packs so many gates."""
    hidden = given.size("hidden_features")
    return Built(_parts(given, (given.size("in_features"), hidden, gates * hidden), parts))


def _parts(given: Arguments, sizes: tuple[int, int, int], parts: str) -> list[Weight]:
    """Return the weights of each of `parts`, which is its name, a colon and the argument that draws its bias, if any.

    `sizes` are those of the input, of the state, and of what each part gives. A name in i reads the input, in h the
    state.
    """
    weights = []
    for name, _, bias_init in (part.partition(":") for part in parts.split()):
        reads_input = name.removeprefix("dense_").startswith("i")
        source, init = (sizes[0], "kernel_init") if reads_input else (sizes[1], "recurrent_kernel_init")
        weights += given.projection((source,), (sizes[2],), (init, bias_init)).below(f"{name}/")
    return weights


@flax_layer("LSTMCell", f"features, {_GATES}, {_INITS}, {_CARRIED}")
@flax_layer("OptimizedLSTMCell", f"features, {_GATES}, {_INITS}, {_CARRIED}")
def _lstm_cell(given: Arguments, inputs: Shape) -> Built:
    """Long short-term memory; the bias of the forget gate is zero like all others."""
    return _cell(given, inputs, "ii hi:bias_init if hf:bias_init ig hg:bias_init io ho:bias_init")


@flax_layer("GRUCell", f"features, {_GATES}, {_INITS}, {_CARRIED}")
def _gru_cell(given: Arguments, inputs: Shape) -> Built:
    """Gated recurrent units."""
    return _cell(given, inputs, "ir:bias_init hr iz:bias_init hz in:bias_init hn:bias_init")


@flax_layer(
    "MGUCell",
    f"features, {_GATES}, {_KERNELS}, forget_bias_init=ones, activation_bias_init=zeros, {_CARRIED}, reset_gate=True",
)
def _mgu_cell(given: Arguments, inputs: Shape) -> Built:
    """Minimal gated units, whose forget gate is open at first."""
    reset = "hn:activation_bias_init" if given.flag("reset_gate") else "hn"
    return _cell(given, inputs, f"if:forget_bias_init hf {reset} in:activation_bias_init")


@flax_layer("SimpleCell", f"features, activation_fn=tanh, {_INITS}, {_CARRIED}, residual=False")
def _simple_cell(given: Arguments, inputs: Shape) -> Built:
    """Elman's network."""
    return _cell(given, inputs, "i:bias_init h")


@flax_layer("nnx.LSTMCell", f"in_features, hidden_features, {_GATES}, {_INITS}, {_NNX_CARRIED}")
def _nnx_lstm_cell(given: Arguments) -> Built:
    """Long short-term memory; the input's part of the forget gate is `if_`, as Python needs it."""
    return _nnx_cell(given, "ii if_ ig io hi:bias_init hf:bias_init hg:bias_init ho:bias_init")


@flax_layer("nnx.OptimizedLSTMCell", f"in_features, hidden_features, {_GATES}, {_INITS}, {_NNX_CARRIED}")
def _nnx_optimized_lstm_cell(given: Arguments) -> Built:
    """Long short-term memory, its four gates packed."""
    return _nnx_cell(given, "dense_i dense_h:bias_init", 4)


@flax_layer("nnx.GRUCell", f"in_features, hidden_features, {_GATES}, {_INITS}, {_NNX_CARRIED}")
def _nnx_gru_cell(given: Arguments) -> Built:
    """Gated recurrent units, packed; unlike in linen, the state has no bias of its own."""
    return _nnx_cell(given, "dense_i:bias_init dense_h", 3)


@flax_layer(
    "nnx.SimpleCell",
    "in_features, hidden_features, dtype=float32, param_dtype=None, carry_init=None, residual=False,"
    f"activation_fn=tanh, {_INITS}, {_NNX}",
)
def _nnx_simple_cell(given: Arguments) -> Built:
    """Elman's network."""
    return _nnx_cell(given, "dense_i:bias_init dense_h")
