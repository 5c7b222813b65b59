"""Layers expanded to the tensors of their framework: names, blocks, loops, overrides, and one fault for one slip."""

from __future__ import annotations

from textwrap import dedent

import pytest

from initcli.errors import Fault, InitcliError
from initcli.plan import Plan
from initcli.resolution import load_plan
from initcli.resolution.layer_expansion import MAX_LAYERS


def plan_of(text: str) -> Plan:
    return load_plan(dedent(text).encode(), "spec.yaml")


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(InitcliError) as caught:
        plan_of(text)
    return caught.value.faults


def shapes(plan: Plan) -> dict[str, tuple[int, ...]]:
    return {tensor.name: tensor.shape for tensor in plan.tensors}


def test_layers_without_a_name_have_the_frameworks_own() -> None:
    """PyTorch numbers them as nn.Sequential does, Keras by class; flax too, below `params`."""
    torch = plan_of("framework: torch\nlayers: [{class: Linear, in_features: 2, out_features: 3}, {class: ReLU}]\n")
    keras = plan_of("input_shape: [2]\nlayers: [{class: Dense, units: 3}, {class: ReLU}, {class: Dense, units: 1}]\n")
    flax = plan_of("framework: jax\ninput_shape: [2]\nlayers: [{class: Dense, features: 3}]\n")

    assert shapes(torch) == {"0.weight": (3, 2), "0.bias": (3,)}
    assert shapes(keras) == {
        "dense/kernel": (2, 3), "dense/bias": (3,), "dense_1/kernel": (3, 1), "dense_1/bias": (1,),
    }  # fmt: skip
    assert shapes(flax) == {"params/Dense_0/kernel": (2, 3), "params/Dense_0/bias": (3,)}


def test_blocks_are_repeated_and_looped_and_their_indices_stand_in_what_is_below() -> None:
    """Shapes, arguments, initializers and dtypes of a layer may use the loops around it."""
    plan = plan_of(
        """\
        framework: torch
        vars: {n: 2}
        layers:
          - prefix: "h.{i:0..n-1}"
            layers:
              - prefix: mlp
                repeat: n
                layers:
                  - {class: Linear, name: "fc{j:0..i}", in_features: i+1, out_features: j+1, bias: false,
                     init: {weight: "normal(std=1/(i+j+1))"}}
        """
    )

    assert [(t.name, t.shape, t.law.std) for t in plan.tensors] == [
        *((f"h.0.mlp.{k}.fc0.weight", (1, 1), 1.0) for k in range(2)),
        *((f"h.1.mlp.{k}.fc{j}.weight", (j + 1, 2), 1 / (j + 2)) for k in range(2) for j in range(2)),
    ]


def test_arguments_that_are_lists_or_layers_may_hold_arithmetic() -> None:
    """In the list of a kernel's size, and in the layer that an encoder repeats."""
    plan = plan_of(
        """\
        framework: torch
        vars: {d: 4, h: 2}
        layers:
          - {class: Conv2d, name: c, in_channels: d, out_channels: 2*d, kernel_size: [h+1, sqrt(9)], bias: false}
          - {class: TransformerEncoder, name: e, num_layers: h-1,
             encoder_layer: {class: TransformerEncoderLayer, d_model: d, nhead: h, dim_feedforward: 3*d}}
        """
    )

    assert shapes(plan)["c.weight"] == (8, 4, 3, 3)
    assert shapes(plan)["e.layers.0.linear1.weight"] == (12, 4)


def test_an_init_is_the_layers_own_before_a_rules_before_the_classs() -> None:
    """Rules beat what the framework does by default, and nothing that the spec says of the layer."""
    plan = plan_of(
        """\
        input_shape: [2]
        layers:
          - {class: Dense, units: 3, kernel_initializer: ones}
          - {class: Dense, units: 3, init: {kernel: zeros}}
          - {class: Dense, units: 3}
        rules: [{match: "*/kernel", init: he_normal}]
        """
    )

    assert [str(t.initializer) for t in plan.tensors if t.name.endswith("kernel")] == ["ones", "zeros", "he_normal"]
    assert [str(t.initializer) for t in plan.tensors if t.name.endswith("bias")] == ["zeros"] * 3


TORCH = "framework: torch\nvars: {d: 4}\nlayers:\n"

# kind of fault -> (spec, line, column, key path, what it says, what mends it)
FAULTS: dict[str, tuple[str, int, int, str, str, str]] = {
    "unknown class": (
        TORCH + "- {class: Linaer}\n", 4, 11, "layers[0].class", "unknown layer class `Linaer` of torch", "`Linear`?",
    ),
    "class of another framework": (
        "layers:\n- {class: Linear, input_shape: [2]}\n",
        2, 11, "layers[0].class", "unknown layer class `Linear` of keras", "`Linear` is torch's",
    ),
    "unknown argument": (
        TORCH + "- {class: Linear, in_featrues: 2, out_features: 2}\n",
        4, 32, "layers[0].in_featrues", "`Linear` has no argument `in_featrues`", "did you mean `in_features`?",
    ),
    "missing argument": (
        TORCH + "- {class: Linear, in_features: 2}\n",
        4, 3, "layers[0]", "`Linear` needs `out_features`", "its arguments: in_features, out_features, bias",
    ),
    "argument of no such variable": (
        TORCH + "- {class: Linear, in_features: dd, out_features: 2}\n",
        4, 32, "layers[0].in_features", "must be a whole number ≥ 0, got `dd`", "did you mean `d`?",
    ),
    "size and chain": (
        "input_shape: [2]\nlayers:\n- {class: Dense, units: 2, input_shape: [3]}\n",
        3, 41, "layers[0].input_shape", "stands in a layer whose input is known already", "remove it",
    ),
    "size within the chain": (
        "layers:\n- {class: Dense, units: 2, input_shape: [3]}\n- {class: Dense, units: 2, input_shape: [2]}\n",
        3, 41, "layers[1].input_shape", "stands in a layer whose input is known already", "remove it",
    ),
    "no size": ("layers: [{class: Dense, units: 2}]\n", 1, 10, "layers[0]", "needs the shape of its input", "give `in"),
    "size of no chain": (
        "framework: torch\ninput_shape: [2]\nlayers: [{class: Linear, in_features: 2, out_features: 2}]\n",
        2, 14, "input_shape", "layers of torch take no `input_shape`", "remove it",
    ),
    "size without layers": (
        "input_shape: [2]\ntensors: {w: {shape: [2], init: zeros}}\n",
        1, 14, "input_shape", "`input_shape` is for `layers`, and there are none", "remove it",
    ),
    "framework without layers": (
        "framework: mxnet\nlayers: [{class: Dense}]\n", 2, 10, "layers[0]", "`mxnet` has no layers here", "keras",
    ),
    "init of no weight": (
        TORCH + "- {class: Linear, in_features: 2, out_features: 2, init: {weigth: zeros}}\n",
        4, 59, "layers[0].init.weigth", "`weigth` fits no weight of this layer", "did you mean `weight`?",
    ),
    "init in the shadow of another": (
        TORCH + '- {class: Linear, in_features: 2, out_features: 2, init: {"*": zeros, bias: ones}}\n',
        4, 71, "layers[0].init.bias", "`bias` decides nothing", "remove one of them",
    ),
    "init that is no mapping": (
        TORCH + "- {class: Linear, in_features: 2, out_features: 2, init: zeros}\n",
        4, 58, "layers[0].init", "`init` of a layer must be a mapping", "`{weight: zeros}`",
    ),
    "repeated never": (
        TORCH + "- {repeat: 0, layers: [{class: ReLU}]}\n", 4, 12, "layers[0].repeat", "100,000, got 0", "leave",
    ),
    "repeated by an unknown variable": (
        TORCH + "- {repeat: n, layers: [{class: ReLU}]}\n", 4, 12, "layers[0].repeat", "unknown variable `n`", "d",
    ),
    "an empty block": (TORCH + "- {layers: []}\n", 4, 12, "layers[0].layers", "`layers` is empty", "write a list"),
    "no class": (TORCH + "- {name: a}\n", 4, 3, "layers[0]", "`class` is missing", "add `class: Dense`"),
    "an empty name": (
        TORCH + "- {class: ReLU, name: ''}\n", 4, 23, "layers[0].name", "`name` is empty", "leave `name` out",
    ),
    "an empty range": (
        TORCH + '- {class: ReLU, name: "a{3..d-2}"}\n', 4, 23, "layers[0].name", "`3..d-2` is empty", "the last",
    ),
    "too many axes": (
        TORCH + f"- {{class: LayerNorm, normalized_shape: {[1] * 40}}}\n",
        4, 3, "layers[0]", "the shape of `weight` has 40 dimensions", "at most 32",
    ),
    "too many elements": (
        TORCH + "- {class: Linear, in_features: 10**7, out_features: 10**7}\n",
        4, 3, "layers[0]", "100,000,000,000,000 elements, 400 TB in float32 are too many", "at most 10,000,000,000,000",
    ),
    "too many blocks": (
        TORCH + "- {repeat: 1000, layers: [{repeat: 1000, layers: [{class: ReLU}]}]}\n",
        4, 36, "layers[0].layers[0].repeat", f"more than {MAX_LAYERS:,} layers and blocks", "less often",
    ),
    "too many names": (
        TORCH + '- {class: ReLU, name: "a{0..10**9}{0..9}"}\n',
        4, 23, "layers[0].name", "stands for 10,000,000,010 layers", "at most 100,000",
    ),
    "names that collide": (
        TORCH + "- &a {class: Linear, name: a, in_features: 2, out_features: 2}\n"
        "- {class: Linear, name: a, in_features: 2, out_features: 2}\n",
        5, 3, "layers[1]", "two tensors are called `a.weight`", "`a.weight` at line 4 stands for it too",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_of_a_layer_tells_what_where_and_the_way_out(kind: str) -> None:
    """One fault for one slip, at the innermost place."""
    text, line, column, path, what, hint = FAULTS[kind]

    (fault,) = faults_of(text)

    assert what in fault.what
    assert hint in fault.hint
    assert fault.position is not None
    assert (fault.position.line, fault.position.column, fault.path) == (line, column, path)


def test_a_fault_in_a_repeated_block_is_told_once_and_makes_up_no_other() -> None:
    """Not once for each repeat; and a rule or a tie for what is not there yet is no second fault."""
    (fault,) = faults_of(
        """\
        framework: torch
        layers: [{prefix: h, repeat: 100, layers: [{class: Linear, name: fc, in_features: -1, out_features: 2}]}]
        tensors: {x: {tie: h.0.fc.weight}}
        rules: [{match: "*weight", init: zeros}]
        """
    )

    assert fault.path == "layers[0].layers[0].in_features"


def test_a_broken_chain_is_told_at_its_first_break() -> None:
    """What follows has no input; where layers are no chain every one is looked into."""
    chain = faults_of("input_shape: [2]\nlayers: [{class: Dense}, {class: Dense, units: -1}]\n")
    free = faults_of("framework: torch\nlayers: [{class: Linear}, {class: ReLUU}]\n")

    assert [fault.path for fault in chain] == ["layers[0]"]
    assert [fault.path for fault in free] == ["layers[0]", "layers[1].class"]


def test_a_wrapped_layer_counts_with_the_others_of_its_class() -> None:
    """Keras 3.15.1: an LSTM, then two Bidirectional(LSTM), have forward_lstm_1 and forward_lstm_2 inside."""
    plan = load_plan(
        b"input_shape: [7, 5]\n"
        b"layers:\n"
        b"  - {class: LSTM, units: 4, return_sequences: true}\n"
        b"  - {class: Bidirectional, layer: {class: LSTM, units: 3, return_sequences: true}}\n"
        b"  - {class: Bidirectional, layer: {class: LSTM, units: 3}}\n",
        "spec.yaml",
    )

    assert [tensor.name.rpartition("/lstm_cell/")[0] for tensor in plan.tensors[::3]] == [
        "lstm",
        "bidirectional/forward_lstm_1",
        "bidirectional/backward_lstm_1",
        "bidirectional_1/forward_lstm_2",
        "bidirectional_1/backward_lstm_2",
    ]


def test_the_axes_that_an_initializer_names_itself_stand_against_its_layers() -> None:
    """Keras's attention names its kernels' axes to initializers that name none."""
    text = (
        "input_shape: [7, 512]\n"
        "layers: [{class: MultiHeadAttention, num_heads: 8, key_dim: 64, kernel_initializer: INIT}]\n"
    )

    default, own = (
        load_plan(text.replace("INIT", init).encode(), "spec.yaml").tensors[0].law
        for init in ("he_uniform", "{name: he_uniform, input_axes: [1], output_axes: [2]}")
    )

    assert round(default.std, 12) == round((2 / 512) ** 0.5, 12)
    assert round(own.std, 12) == round((2 / 8) ** 0.5, 12)
