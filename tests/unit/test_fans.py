"""Fans of shapes in each framework's axis order: as functions, and as its initializers read them."""

import sys
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcli.calls import parse_call
from initcli.errors import ArgumentError
from initcli.fans import FANS_BY_FRAMEWORK, Fans, axes_fans, jax_fans, keras_fans, mlx_fans, torch_fans
from initcli.initializers.base import Initializer, build
from initcli.initializers.registry import find, registered

ROUNDING = 8 * sys.float_info.epsilon
"""A few roundings: dividing, multiplying with √3 and dividing by it, taking roots."""

REFUSED = None
Shape = tuple[int, ...]

READERS: dict[str, tuple[str, str]] = {
    "keras": ("lecun_uniform", "glorot_uniform"),
    "keras2_1": ("lecun_uniform", "glorot_uniform"),
    "keras2_2": ("lecun_normal", "glorot_uniform"),
    "tensorflow": ("lecun_uniform", "glorot_uniform"),
    "tensorflow1_9": ("variance_scaling(distribution=uniform)", "variance_scaling(1, fan_avg, uniform)"),
    "tf_contrib": ("variance_scaling(1, uniform=true)", "xavier"),
    "haiku": ("variance_scaling(distribution=normal)", "variance_scaling(1, fan_avg, uniform)"),
    "sonnet": ("variance_scaling(distribution=normal)", "variance_scaling(1, fan_avg, uniform)"),
    "jax": ("lecun_uniform", "glorot_uniform"),
    "torch": ("kaiming_uniform(nonlinearity=linear)", "xavier_normal"),
    "mxnet": ("xavier(factor_type='in')", "xavier"),
    "chainer": ("lecun_normal", "glorot_uniform"),
    "caffe": ("xavier", "xavier(AVERAGE)"),
    "paddle": ("kaiming_normal(nonlinearity=linear)", "xavier_uniform"),
    "lasagne": ("he_normal", "glorot_uniform"),
    "mlx": ("he_uniform", "glorot_normal"),
    "flux": ("kaiming_uniform(gain=1)", "glorot_normal"),
}
"""Of each framework, an initializer whose std is 1 / √fan_in and one whose std is √(2 / (fan_in + fan_out))."""

ONES = {(): (1, 1)}
REFUSED_BELOW_2: dict[Shape, Any] = {(): REFUSED, (7,): REFUSED}
KERNELS = {(3,): (21, 15), (3, 3): (63, 45), (2, 3, 4): (168, 120), (2, 2, 3, 4): (336, 240)}
KERNELS_LAST = {(*field, 7, 5): fans for field, fans in KERNELS.items()}
KERNELS_FIRST = {(5, 7, *field): fans for field, fans in KERNELS.items()}
KERNELS_BETWEEN = {(5, *field, 7): fans for field, fans in KERNELS.items()}
IN_OUT, OUT_IN = {(7, 5): (7, 5)}, {(5, 7): (7, 5)}
KERAS = {**ONES, (7,): (7, 7), **IN_OUT, **KERNELS_LAST}
KERAS_2 = {**KERAS, (7,): (sqrt(7), sqrt(7)), (2, 2, 3, 4, 7, 5): (sqrt(1680), sqrt(1680))}
TORCH = {**REFUSED_BELOW_2, **OUT_IN, **KERNELS_FIRST}

RULES: dict[str, dict[Shape, Any]] = {
    **dict.fromkeys(("keras", "tensorflow", "tensorflow1_9", "haiku", "sonnet"), KERAS),
    **dict.fromkeys(("keras2_1", "keras2_2"), KERAS_2),
    "tf_contrib": {**KERAS, (): REFUSED},
    "jax": {**REFUSED_BELOW_2, **IN_OUT, **KERNELS_LAST},
    **dict.fromkeys(("torch", "mxnet", "chainer"), TORCH),
    "caffe": {**TORCH, (7,): (1, 7)},
    "paddle": {**ONES, (7,): (7, 7), **IN_OUT, **KERNELS_FIRST},
    "lasagne": {**REFUSED_BELOW_2, **IN_OUT, **KERNELS_FIRST},
    "mlx": {**REFUSED_BELOW_2, **OUT_IN, **KERNELS_BETWEEN},
    "flux": {**ONES, (7,): (1, 7), **OUT_IN, **KERNELS_LAST},
}
"""What each framework reads from a shape: a layer of 7 inputs and 5 outputs, in its own order of axes.

Keras's, JAX's and PyTorch's were printed by Keras 3.15.1 (keras2_1's by 2.0.9 and 2.2.4), jax 0.10.2 and torch 2.13.0;
the others follow from the frameworks' sources.
"""

CELLS = [(framework, shape, fans) for framework, rule in RULES.items() for shape, fans in rule.items()]


def make(call: str) -> Initializer:
    name, positional, named = parse_call(call)
    return build(find(name), named, positional)


def read(framework: str, place: int) -> Initializer:
    return make(f"{framework}.{READERS[framework][place]}")


def test_every_framework_that_reads_fans_has_its_rule_here() -> None:
    """Those whose initializers tell fans, but for recipes, which read them in an order that the spec chooses."""
    known = registered().values()
    scaling = {cls.framework for cls in known if cls.fans is not Initializer.fans}

    assert scaling - {"recipe"} == set(RULES) == set(READERS)
    assert set(RULES) <= set(FANS_BY_FRAMEWORK)


@pytest.mark.parametrize(("framework", "shape", "expected"), CELLS)
def test_each_framework_reads_fans_at_every_rank_by_its_own_rule(framework: str, shape: Shape, expected: Any) -> None:
    """Its initializers tell these fans and their laws have the std that follows; or they refuse the shape."""
    by_fan_in, by_both = read(framework, 0), read(framework, 1)

    if expected is REFUSED:
        for ask in (by_fan_in.fans, by_fan_in.law, by_fan_in, by_both.fans, by_both.law, by_both):
            with pytest.raises(ArgumentError) as caught:
                ask(shape)
            assert caught.value.parameter == "shape"
        return
    fan_in, fan_out = expected
    for initializer in (by_fan_in, by_both):
        assert initializer.fans(shape) == FANS_BY_FRAMEWORK[framework](shape) == Fans(fan_in, fan_out)
    assert by_fan_in.law(shape).std == pytest.approx(1 / sqrt(fan_in), rel=ROUNDING)
    assert by_both.law(shape).std == pytest.approx(sqrt(2 / (fan_in + fan_out)), rel=ROUNDING)


GUARDED = ("keras", "keras2_1", "keras2_2", "tensorflow", "tensorflow1_9", "haiku", "sonnet")
ALONE, SHARED = 1 / sqrt(5), sqrt(2 / 5)
EMPTY: list[tuple[str, Shape, Any, Any]] = [
    *((name, (0, 5), 1, SHARED) for name in GUARDED),
    *((name, (3, 0, 5, 5), 1, 1) for name in GUARDED),
    ("keras", (0,), 1, 1),
    ("keras2_1", (0,), 1, 1),
    ("tf_contrib", (0, 5), REFUSED, SHARED),
    ("tf_contrib", (5, 0), ALONE, SHARED),
    ("tf_contrib", (3, 0, 5, 5), REFUSED, REFUSED),
    ("tf_contrib", (0,), REFUSED, REFUSED),
    *(("jax", shape, REFUSED, REFUSED) for shape in ((0, 5), (5, 0), (3, 0, 5, 5), (0,))),
    ("torch", (0, 5), 1, SHARED),
    ("torch", (5, 0), 1, SHARED),
    ("torch", (5, 5, 0), 1, REFUSED),
    ("torch", (0,), 1, REFUSED),
    *((name, (0, 5), ALONE, SHARED) for name in ("mxnet", "chainer", "mlx")),
    *((name, (5, 0), REFUSED, SHARED) for name in ("mxnet", "chainer", "mlx")),
    *(("caffe", shape, REFUSED, REFUSED) for shape in ((0, 5), (5, 0), (5, 5, 0), (0,))),
    ("flux", (0, 5), ALONE, SHARED),
    ("flux", (5, 0), 0, SHARED),
    ("lasagne", (0, 5), REFUSED, SHARED),
    ("lasagne", (5, 5, 0), 0, REFUSED),
    ("paddle", (0, 5), REFUSED, 0),
    ("paddle", (5, 0), ALONE, 0),
    ("paddle", (5, 5, 0), REFUSED, 0),
]
"""The std by fan_in and by both fans of a shape without elements.

Keras, TensorFlow 1, Haiku and Sonnet divide by max(1, n); PyTorch's Kaiming returns before it looks at the shape;
Paddle's Xavier has a limit of 0; Julia divides by zero, and Flux draws nothing from an infinite law, as Lasagne's
HeNormal does where NumPy divides; Caffe refuses whatever is empty. All others divide by zero, which is refused.
"""


@pytest.mark.parametrize(("framework", "shape", "by_fan_in", "by_both"), EMPTY)
def test_a_dimension_of_zero_is_guarded_or_refused_as_in_the_framework(
    framework: str, shape: Shape, by_fan_in: Any, by_both: Any
) -> None:
    """What is not refused draws an empty array."""
    for place, expected in enumerate((by_fan_in, by_both)):
        initializer = read(framework, place)
        if expected is REFUSED:
            with pytest.raises(ArgumentError) as caught:
                initializer(shape)
            assert caught.value.parameter == "shape"
        else:
            assert initializer.law(shape).std == pytest.approx(expected, rel=ROUNDING)
            assert initializer(shape).shape == shape


@pytest.mark.parametrize(
    ("layer", "call", "shape", "expected"),
    [
        ("Conv2DTranspose(32, 3) on 64 channels", "keras.he_normal", (3, 3, 32, 64), (9 * 32, 9 * 64)),
        ("DepthwiseConv2D(3) on 512 channels", "keras.glorot_uniform", (3, 3, 512, 1), (9 * 512, 9)),
        ("grouped Conv2D(64, 3, groups=4) on 32", "keras.glorot_uniform", (3, 3, 8, 64), (9 * 8, 9 * 64)),
        ("MultiHeadAttention's query up to 3.14", "keras.glorot_uniform", (512, 8, 64), (512 * 8, 512 * 64)),
        ("its query", "keras.glorot_uniform(input_axes=(0,), output_axes=(1, 2))", (512, 8, 64), (512, 512)),
        ("its output", "keras.glorot_uniform(input_axes=(0, 1), output_axes=(2,))", (8, 64, 512), (512, 512)),
        ("Conv2DTranspose in Keras 2", "keras2_1.he_normal", (3, 3, 32, 64), (9 * 32, 9 * 64)),
        ("Conv2d(16, 512, 3, groups=4)", "torch.kaiming_uniform", (512, 4, 3, 3), (4 * 9, 512 * 9)),
        ("Conv2d(512, 512, 3, groups=512)", "torch.kaiming_uniform", (512, 1, 3, 3), (9, 512 * 9)),
        ("ConvTranspose2d(16, 32, 3)", "torch.kaiming_uniform", (16, 32, 3, 3), (32 * 9, 16 * 9)),
        ("ConvTranspose2d(16, 32, 3, groups=4)", "torch.xavier_normal", (16, 8, 3, 3), (8 * 9, 16 * 9)),
        ("nn.Conv(512, groups=4) on 16", "jax.lecun_normal", (3, 3, 4, 512), (9 * 4, 9 * 512)),
        ("nn.ConvTranspose(32) on 16", "jax.lecun_normal", (3, 3, 16, 32), (9 * 16, 9 * 32)),
        ("experts", "jax.lecun_normal(batch_axis=0)", (8, 128, 64), (128, 64)),
        ("query", "jax.lecun_normal(in_axis=0, out_axis=(1, 2))", (512, 8, 64), (512, 512)),
        ("fan_in_axes", "haiku.variance_scaling(fan_in_axes=(0, 1))", (8, 64, 512), (512, 512)),
        ("fan_in_axes of a matrix", "haiku.variance_scaling(fan_in_axes=(1,))", (64, 512), (64, 512)),
        ("Conv2D(16, 3200, 3, groups=4)", "paddle.kaiming_normal", (3200, 4, 3, 3), (4 * 9, 3200 * 9)),
        ("Linear(784, 128)", "paddle.kaiming_normal", (784, 128), (784, 128)),
        ("DenseLayer of 128 on 784", "lasagne.he_normal", (784, 128), (784, 128)),
        ("cuda-convnet's order", "lasagne.he_normal(c01b=true)", (7, 3, 3, 5), (63, 45)),
        ("Conv2d(16, 32, 3), OHWI", "mlx.he_normal", (32, 3, 3, 16), (16 * 9, 32 * 9)),
        ("Conv((3, 3), 16 => 32), WHIO", "flux.kaiming_normal", (3, 3, 16, 32), (16 * 9, 32 * 9)),
        ("Dense(16 => 32)", "flux.kaiming_normal", (32, 16), (16, 32)),
    ],
)
def test_layers_with_groups_depth_or_transposition_have_the_fans_of_their_weights_shape(
    layer: str, call: str, shape: Shape, expected: tuple[int, int]
) -> None:
    """No framework looks at the layer: a transposed convolution's fan_in is that of the axis that stands there."""
    assert make(call).fans(shape) == Fans(*expected), layer


def test_keras_2_had_the_root_of_the_size_for_both_fans_of_a_vector() -> None:
    """Keras 2.0.9 and 2.2.4 printed 2.6457513 and 40.987803; fan_avg and fan_in are alike there."""
    vector, rank_6 = read("keras2_1", 1).fans((7,)), read("keras2_1", 1).fans((2, 2, 3, 4, 7, 5))

    assert vector.fan_in == vector.fan_out == pytest.approx(2.6457513, abs=5e-8)
    assert rank_6.fan_in == rank_6.fan_out == pytest.approx(40.987803, abs=5e-7)


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((7, 5), {}, (7, 5)),
        ((3, 3, 7, 5), {}, (63, 45)),
        ((64, 32, 3, 3), {"in_axis": 1, "out_axis": 0}, (288, 576)),
        ((8, 128, 64), {"batch_axis": 0}, (128, 64)),
        ((3, 7, 5), {"in_axis": (0, 1)}, (21, 5)),
        ((1000, 64), {"out_axis": 0}, (64, 64)),
        ((3, 4, 5), {"in_axis": 0, "out_axis": 0, "batch_axis": 0}, (60 / 9, 60 / 9)),
        ((4,), {"in_axis": 0}, (1, 1)),
        ((4,), {"in_axis": (), "out_axis": ()}, (4, 4)),
    ],
)
def test_fans_of_axes_by_number_are_those_that_jax_computes(
    shape: Shape, axes: dict[str, Any], expected: tuple[float, float]
) -> None:
    """The values were printed by jax 0.10.2's `_compute_fans`; whole ones are whole here."""
    fans = jax_fans(shape, **axes)

    assert fans == Fans(*expected)
    assert isinstance(fans.fan_in, int) == isinstance(expected[0], int)


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((5, 7), "out in", (7, 5)),
        ((5, 7, 3, 3), "out in h w", (63, 45)),
        ((3, 3, 7, 5), "  h w\tin out ", (63, 45)),
        ((8, 128, 64), "batch in out", (128, 64)),
        ((512, 8, 64), "in out out", (512, 512)),
        ((8, 64, 512), "in in out", (512, 512)),
        ((2, 3, 512, 1), "batch batch in out", (512, 1)),
        ((16, 3, 3, 3), "out x x x", (27, 16 * 27)),
        ((7,), "out", (1, 7)),
        ((7,), "in", (7, 1)),
        ((7,), "batch", (1, 1)),
        ((), "", (1, 1)),
        ((0, 5), "in out", (0, 5)),
        ((0, 5, 3), "batch in out", (5, 3)),
        ((7, 5, 0), "in out h", (0, 0)),
        ((7, 5), "h w", (35, 35)),
    ],
)
def test_named_axes_give_the_fans(shape: Shape, axes: str, expected: tuple[int, int]) -> None:
    """Roles count together, batches not at all, all other words as receptive field; products by hand."""
    assert axes_fans(shape, axes) == Fans(*expected)


@pytest.mark.parametrize(("shape", "axes"), [((7, 5), "in"), ((7, 5), "in out h"), ((), "in"), ((7,), "")])
def test_a_shape_has_as_many_axes_as_are_named(shape: Shape, axes: str) -> None:
    """The error says both counts, and which words there are."""
    with pytest.raises(ArgumentError, match=rf"names {len(axes.split())} axes.* has {len(shape)}") as caught:
        axes_fans(shape, axes)

    assert caught.value.parameter == "axes"
    assert "`batch`" in caught.value.faults[0].hint


ROLES = st.sampled_from(["in", "out", "batch", "h", "w"])


@given(st.lists(st.tuples(ROLES, st.integers(1, 9)), max_size=6))
def test_named_axes_are_jaxs_numbered_ones(named: list[tuple[str, int]]) -> None:
    """Whatever the order, and however often a role comes."""
    axes = {role: tuple(i for i, (word, _) in enumerate(named) if word == role) for role in ("in", "out", "batch")}
    shape = tuple(n for _, n in named)
    words = " ".join(word for word, _ in named)

    assert axes_fans(shape, words) == jax_fans(shape, axes["in"], axes["out"], axes["batch"])


@given(st.lists(st.integers(0, 9), min_size=2, max_size=6).map(tuple))
def test_named_axes_can_say_every_frameworks_order(shape: Shape) -> None:
    """From rank 2 on, zeros too."""
    field = " ".join(f"axis{i}" for i in range(len(shape) - 2))

    assert axes_fans(shape, f"{field} in out") == keras_fans(shape)
    assert axes_fans(shape, f"out in {field}") == torch_fans(shape)
    assert axes_fans(shape, f"out {field} in") == mlx_fans(shape)


def test_the_averages_of_fans_lie_between_them() -> None:
    """(4 + 9) / 2 and √(4 × 9)."""
    assert Fans(4, 9).fan_avg == 6.5
    assert Fans(4, 9).fan_geo_avg == 6
