"""PyTorch itself says what the functions of `torch.nn.init` draw, put where, and refuse."""

from __future__ import annotations

import inspect
import math
import warnings

import numpy as np
import pytest
import torch
from battery import THEIRS
from closed_forms import FALSE_ALARM, cut, normal, symmetric, uniform
from complex_battery import ComplexBattery, parts
from haar_battery import first_rows
from scipy import stats
from torch.nn import init

from initcli.initializers import calculate_gain, get

FRAMEWORK = f"torch {torch.__version__}"
SIDES = ("ours", "theirs")

# name, parameters, shape, and the law in closed form, with gains and fans written out by hand.
RANDOM = [
    ("uniform", {}, (500, 500), uniform(0, 1)),
    ("uniform", {"a": -0.25, "b": 1.5}, (70, 30, 40), uniform(-0.25, 1.5)),
    ("normal", {}, (500, 500), normal(1)),
    ("normal", {"mean": 1.0, "std": 0.02}, (100_000,), normal(0.02, 1)),
    ("trunc_normal", {}, (500, 500), cut(0, 1, -2, 2)),
    ("trunc_normal", {"std": 0.02}, (500, 500), cut(0, 0.02, -2, 2)),
    ("trunc_normal", {"std": 0.02, "a": -0.04, "b": 0.04}, (64, 32, 3, 3), cut(0, 0.02, -0.04, 0.04)),
    ("trunc_normal", {"mean": 1.0}, (500, 500), cut(1, 1, -2, 2)),
    ("trunc_normal", {"mean": 0.5, "std": 2.0, "a": 0.0, "b": 1.0}, (500, 500), cut(0.5, 2, 0, 1)),
    ("trunc_normal", {"a": 1.0, "b": 4.0}, (300, 300), cut(0, 1, 1, 4)),
    ("xavier_uniform", {}, (128, 784), symmetric(math.sqrt(2 / (128 + 784)))),
    ("xavier_uniform", {}, (784, 128), symmetric(math.sqrt(2 / (128 + 784)))),
    ("xavier_uniform", {"gain": 2.5}, (64, 32, 3, 3), symmetric(2.5 * math.sqrt(2 / (9 * (64 + 32))))),
    ("xavier_uniform", {"gain": "relu"}, (128, 784), symmetric(2 / math.sqrt(128 + 784))),
    ("xavier_normal", {}, (128, 784), normal(math.sqrt(2 / (128 + 784)))),
    ("xavier_normal", {}, (96, 64, 5), normal(math.sqrt(2 / (5 * (96 + 64))))),
    ("xavier_normal", {"gain": "tanh"}, (32, 16, 3, 3, 3), normal(5 / 3 * math.sqrt(2 / (27 * (32 + 16))))),
    ("kaiming_uniform", {}, (128, 784), symmetric(math.sqrt(2 / 784))),
    ("kaiming_uniform", {}, (784, 128), symmetric(math.sqrt(2 / 128))),
    ("kaiming_uniform", {"a": math.sqrt(5)}, (128, 784), uniform(-1 / 28, 1 / 28)),
    ("kaiming_uniform", {"mode": "fan_out"}, (128, 64, 3, 3), symmetric(math.sqrt(2 / (9 * 128)))),
    ("kaiming_uniform", {"nonlinearity": "sigmoid"}, (128, 784), symmetric(1 / 28)),
    ("kaiming_normal", {}, (128, 784), normal(math.sqrt(2 / 784))),
    ("kaiming_normal", {"mode": "FAN_OUT", "nonlinearity": "relu"}, (128, 64, 3, 3), normal(math.sqrt(2 / (9 * 128)))),
    ("kaiming_normal", {"nonlinearity": "selu"}, (96, 64, 5), normal(0.75 / math.sqrt(5 * 64))),
    ("kaiming_normal", {"a": 0.2}, (32, 16, 3, 3, 3), normal(math.sqrt(2 / 1.04 / (27 * 16)))),
    ("kaiming_normal", {"a": 7.0, "nonlinearity": "tanh"}, (128, 784), normal(5 / 3 / 28)),
]

FIXED = [
    ("zeros", {}, (3, 4)),
    ("zeros", {}, ()),
    ("ones", {}, (2, 3, 4)),
    ("ones", {}, (0, 5)),
    ("constant", {"val": 0.3}, (3, 3, 2, 2)),
    ("constant", {"val": -7}, (5,)),
    ("eye", {}, (4, 4)),
    ("eye", {}, (3, 5)),
    ("eye", {}, (7, 2)),
    ("eye", {}, (0, 2)),
    ("dirac", {}, (2, 2, 4)),
    ("dirac", {}, (8, 3, 3, 3)),
    ("dirac", {}, (3, 8, 2, 5)),
    ("dirac", {"groups": 2}, (6, 2, 3, 4)),
    ("dirac", {"groups": 4}, (4, 1, 3, 3)),
    ("dirac", {"groups": 3}, (6, 5, 2, 3, 4)),
    ("dirac", {}, (0, 2, 3)),
    ("dirac", {}, (2, 0, 3)),
]

WIDTHLESS = [
    ("normal", {"mean": 0.5, "std": 0.0}, (3, 4)),
    ("uniform", {"a": 0.25, "b": 0.25}, (3, 4)),
    ("trunc_normal", {"a": 0.5, "b": 0.5}, (3, 4)),
    ("sparse", {"sparsity": 1.0}, (10, 4)),
    ("xavier_uniform", {"gain": 0.0}, (3, 4)),
    ("orthogonal", {"gain": 0.0}, (3, 4)),
]

ACCEPTED = [
    *(("kaiming_uniform", {}, shape) for shape in ((0,), (0, 5), (3, 0), (0, 0), (3, 4, 0))),
    *(("kaiming_normal", {}, shape) for shape in ((0,), (0, 5), (3, 0), (0, 0), (3, 4, 0))),
    *((name, {}, shape) for name in ("xavier_uniform", "xavier_normal") for shape in ((0, 5), (5, 0))),
    *(("orthogonal", {}, shape) for shape in ((0, 5), (5, 0), (3, 0, 2))),
    *(("sparse", {"sparsity": 0.5}, shape) for shape in ((0, 5), (5, 0))),
    *((name, {}, (0, 5)) for name in ("uniform", "normal", "trunc_normal")),
    *((name, {}, (3, 3), dtype) for name in ("zeros", "ones", "eye") for dtype in ("int32", "bool", "complex64")),
    ("constant", {"val": 0.5}, (2, 3), "complex64"),
    *((name, {}, (4, 5), dtype) for name in ("uniform", "kaiming_normal") for dtype in ("float16", "bfloat16")),
]

REFUSED = [
    ("uniform", {"a": 1.0, "b": 0.0}, (4, 4)),
    ("normal", {"std": -1.0}, (4, 4)),
    *((name, {}, (4, 4), "int32") for name in ("uniform", "normal", "trunc_normal", "xavier_normal", "orthogonal")),
    *((name, {}, (4, 4), "complex64") for name in ("trunc_normal", "orthogonal")),
    ("trunc_normal", {"std": 0.0}, (4, 4)),
    ("trunc_normal", {"a": 2.0, "b": -2.0}, (4, 4)),
    ("constant", {}, (4, 4)),
    ("eye", {}, (3,)),
    ("eye", {}, (2, 2, 2)),
    ("dirac", {}, (2, 2)),
    ("dirac", {}, (2, 2, 1, 1, 1, 1)),
    ("dirac", {"groups": 2}, (5, 2, 3)),
    ("dirac", {"groups": 0}, (4, 2, 3)),
    ("xavier_uniform", {}, (5,)),
    ("xavier_uniform", {}, ()),
    ("xavier_uniform", {}, (0, 0)),
    ("xavier_uniform", {"gain": -1.0}, (4, 4)),
    ("xavier_normal", {}, (5,)),
    ("xavier_normal", {}, (3, 4, 0)),
    ("xavier_normal", {"gain": -1.0}, (4, 4)),
    ("kaiming_uniform", {}, (5,)),
    ("kaiming_uniform", {"mode": "fan_avg"}, (4, 4)),
    ("kaiming_uniform", {"nonlinearity": "gelu"}, (4, 4)),
    ("kaiming_uniform", {"a": True}, (4, 4)),
    ("kaiming_normal", {}, ()),
    ("kaiming_normal", {"mode": "in"}, (4, 4)),
    ("kaiming_normal", {"nonlinearity": "RELU"}, (4, 4)),
    ("kaiming_normal", {"a": "0.2"}, (4, 4)),
    ("orthogonal", {}, (5,)),
    ("orthogonal", {}, ()),
    ("sparse", {"sparsity": 0.5}, (5,)),
    ("sparse", {"sparsity": 0.5}, (2, 2, 2)),
    ("sparse", {"sparsity": 0.5, "std": -1.0}, (4, 4)),
    ("sparse", {}, (4, 4)),
]

NONLINEARITIES = [
    *("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    *("sigmoid", "tanh", "relu", "leaky_relu", "selu"),
]


STRICTER = [
    ("normal", {"std": math.inf}, (4, 4)),
    ("sparse", {"sparsity": 1.5}, (4, 4)),
    ("sparse", {"sparsity": -0.5}, (4, 4)),
    ("sparse", {"sparsity": 0.5}, (4, 4), "complex64"),
    ("constant", {"val": 0.5}, (4, 4), "int32"),
]

MATRICES = [
    ("orthogonal", {"gain": gain}, shape, value, first_rows)
    for gain, value in ((1.0, 1.0), ("relu", math.sqrt(2)), (-2.0, -2.0))
    for shape in ((64, 64), (96, 32), (32, 96), (16, 48, 3, 3), (200, 4, 2), (8, 1), (1, 8))
]

FANS = [
    ("xavier_uniform", {}, shape)
    for shape in ((7, 5), (5, 7, 3), (5, 7, 3, 3), (5, 7, 2, 3, 4), (0, 5), (4, 3, 0), (7,), ())
]
SMALL = [("orthogonal", {}, (6, 6), first_rows), ("orthogonal", {}, (6, 2, 3), first_rows)]
LARGE = [("orthogonal", {}, shape) for shape in ((256, 256), (100, 300), (64, 16, 3, 3))]

COMPLEX = [
    (name, parameters, parts, law)
    for name, parameters, law in [
        ("normal", {}, normal(math.sqrt(1 / 2))),
        ("normal", {"mean": 0.5, "std": 2.0}, normal(math.sqrt(2), 0.5)),
        ("uniform", {}, uniform(0, 1)),
        ("uniform", {"a": -0.25, "b": 1.5}, uniform(-0.25, 1.5)),
        ("xavier_uniform", {}, symmetric(math.sqrt(2 / 900))),
        ("xavier_normal", {"gain": 2.0}, normal(2 * math.sqrt(1 / 900))),
        ("kaiming_uniform", {}, symmetric(math.sqrt(2 / 400))),
        ("kaiming_normal", {"mode": "fan_out"}, normal(math.sqrt(1 / 500))),
    ]
]

MOMENTS = {"trunc_normal": 1e-10}  # SciPy's are good to about eleven digits


class TestTorch(ComplexBattery):
    framework = "torch"
    exempt = ("torch_layers",)
    extras = ("tensor", "generator")
    random, fixed, widthless, moments, fans = RANDOM, FIXED, WIDTHLESS, MOMENTS, FANS
    accepted, stricter, refused = ACCEPTED, STRICTER, REFUSED
    matrices, small, large, complex, special = MATRICES, SMALL, LARGE, COMPLEX, ("sparse",)

    def draw_theirs(self, name, parameters, shape, seed=THEIRS, dtype="float32"):
        torch.manual_seed(seed)
        gain = parameters.get("gain")
        parameters = parameters | ({"gain": init.calculate_gain(gain)} if isinstance(gain, str) else {})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that an empty tensor has nothing to fill
            tensor = getattr(init, f"{name}_")(torch.empty(shape, dtype=getattr(torch, dtype)), **parameters)
        return tensor.numpy() if dtype != "bfloat16" else tensor.float().numpy().astype(np.dtype(dtype))

    def fans_theirs(self, parameters, shape):
        return init._calculate_fan_in_and_fan_out(torch.empty(shape))

    def signature_theirs(self, name):
        return inspect.signature(getattr(init, f"{name}_")).parameters.values()


BATTERY = TestTorch()


@pytest.mark.proves("the list of entries")
def test_every_function_of_torch_is_here():
    """Every public function whose name ends with an underscore."""
    assert {f"{name}_" for name in BATTERY.entries_ours()} == {name for name in init.__all__ if name.endswith("_")}


@pytest.mark.proves("calculate_gain")
@pytest.mark.parametrize("param", [None, 0, 0.01, 0.2, math.sqrt(5), -1, 3])
@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_gains_are_equal_to_the_last_bit(nonlinearity, param):
    """For every nonlinearity, with and without a parameter."""
    assert calculate_gain(nonlinearity, param) == init.calculate_gain(nonlinearity, param)


@pytest.mark.proves("calculate_gain")
@pytest.mark.parametrize(
    ("nonlinearity", "param"),
    [*((name, None) for name in ("identity", "gelu", "silu", "elu", "")), ("leaky_relu", True), ("leaky_relu", "0.2")],
)
def test_a_gain_that_torch_refuses_is_refused(nonlinearity, param):
    """Both raise a ValueError."""
    for calculate in (init.calculate_gain, calculate_gain):
        with pytest.raises(ValueError, match=r"."):
            calculate(nonlinearity, param)


@pytest.mark.parametrize("name", ["sparse"])
@pytest.mark.parametrize("sparsity", [0, 0.07, 0.25, 0.3, 0.9, 0.999, 1])
@pytest.mark.parametrize("shape", [(10, 4), (100, 30), (333, 7), (1, 5)])
def test_every_column_of_sparse_has_as_many_zeros_as_torchs(name, sparsity, shape):
    """Rounded up as PyTorch rounds, in every column the same."""
    ours, theirs = (BATTERY.draw(side, name, {"sparsity": sparsity}, shape) for side in SIDES)

    assert (ours == 0).sum(axis=0).tolist() == (theirs == 0).sum(axis=0).tolist()


@pytest.mark.parametrize("name", ["sparse"])
@pytest.mark.parametrize(("sparsity", "std"), [(0.9, 0.01), (0.25, 2.0)])
def test_what_sparse_leaves_has_torchs_law(name, sparsity, std):
    """The non-zeros by Kolmogorov–Smirnov; the std of the whole within five standard errors on both sides."""
    parameters, shape = {"sparsity": sparsity, "std": std}, (1000, 500)
    ours, theirs = (BATTERY.draw(side, name, parameters, shape).astype(np.float64) for side in SIDES)

    law = get(name, "torch", **parameters).law(shape)

    assert stats.ks_2samp(ours[ours != 0], theirs[theirs != 0], method="asymp").pvalue > FALSE_ALARM
    for values in (ours, theirs):
        mean_error, std_error = law.standard_errors(values.size)
        assert abs(values.mean()) <= 5 * mean_error
        assert abs(values.std() - law.std) <= 5 * std_error
        # zeros of a row are Bernoulli over its 500 columns
        by_row = (values == 0).mean(axis=1)
        assert np.abs(by_row - sparsity).max() <= 5 * math.sqrt(sparsity * (1 - sparsity) / shape[1])
