"""PyTorch itself says what the functions of `torch.nn.init` draw, put where, and refuse."""

from __future__ import annotations

import inspect
import math
import warnings

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn import init

from initcli.fans import torch_fans
from initcli.initializers import calculate_gain, get, registered

FRAMEWORK = f"torch {torch.__version__}"

# The chance of a false alarm of one test: that of a normal deviate beyond five standard errors.
FALSE_ALARM = 2 * stats.norm.sf(5)
OURS, THEIRS = 42, 1234  # seeds


def normal(std, mean=0.0):
    return stats.norm(mean, std)


def uniform(low, high):
    return stats.uniform(low, high - low)


def symmetric(std):
    """The uniform law around 0 with this standard deviation."""
    return uniform(-math.sqrt(3) * std, math.sqrt(3) * std)


def cut(mean, std, low, high):
    """A normal cut at two values."""
    return stats.truncnorm((low - mean) / std, (high - mean) / std, mean, std)


# name, parameters, shape, and the law in closed form, with gains and fans written out by hand.
RANDOM = [
    ("uniform", {}, (500, 500), uniform(0, 1)),
    ("uniform", {"a": -0.25, "b": 1.5}, (70, 30, 40), uniform(-0.25, 1.5)),
    ("normal", {}, (500, 500), normal(1)),
    ("normal", {"mean": 1.0, "std": 0.02}, (100_000,), normal(0.02, 1)),
    ("trunc_normal", {}, (500, 500), cut(0, 1, -2, 2)),
    ("trunc_normal", {"std": 0.02}, (500, 500), normal(0.02)),
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

EXACT = [
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
    ("normal", {"mean": 0.5, "std": 0.0}, (3, 4)),
    ("uniform", {"a": 0.25, "b": 0.25}, (3, 4)),
    ("trunc_normal", {"a": 0.5, "b": 0.5}, (3, 4)),
    ("sparse", {"sparsity": 1.0}, (10, 4)),
    ("xavier_uniform", {"gain": 0.0}, (3, 4)),
    ("orthogonal", {"gain": 0.0}, (3, 4)),
]

EMPTY = [
    *(("kaiming_uniform", {}, shape) for shape in ((0,), (0, 5), (3, 0), (0, 0), (3, 4, 0))),
    *(("kaiming_normal", {}, shape) for shape in ((0,), (0, 5), (3, 0), (0, 0), (3, 4, 0))),
    *((name, {}, shape) for name in ("xavier_uniform", "xavier_normal") for shape in ((0, 5), (5, 0))),
    *(("orthogonal", {}, shape) for shape in ((0, 5), (5, 0), (3, 0, 2))),
    *(("sparse", {"sparsity": 0.5}, shape) for shape in ((0, 5), (5, 0))),
    *((name, {}, (0, 5)) for name in ("uniform", "normal", "trunc_normal")),
]

REFUSED = [
    ("uniform", {"a": 1.0, "b": 0.0}, (4, 4)),
    ("normal", {"std": -1.0}, (4, 4)),
    ("normal", {}, (4, 4), "int32"),
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


def draw_ours(name, parameters, shape, seed=OURS, tensor="w", dtype="float32"):
    return get(name, "torch", seed=seed, **parameters)(shape=shape, dtype=dtype, name=tensor)


def draw_theirs(name, parameters, shape, seed=THEIRS, dtype="float32"):
    torch.manual_seed(seed)
    gain = parameters.get("gain")
    parameters = parameters | ({"gain": init.calculate_gain(gain)} if isinstance(gain, str) else {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that an empty tensor has nothing to fill
        return getattr(init, f"{name}_")(torch.empty(shape, dtype=getattr(torch, dtype)), **parameters).numpy()


@pytest.mark.proves("torch: names, defaults")
def test_names_parameters_and_defaults_are_those_of_torch():
    """Every public function with an underscore, with its parameters in order; only the generator is left out."""
    ours = {cls.name: cls for cls in registered().values() if cls.framework == "torch"}

    assert {f"{name}_" for name in ours} == {name for name in init.__all__ if name.endswith("_")}
    for name, cls in ours.items():
        theirs = list(inspect.signature(getattr(init, f"{name}_")).parameters.values())[1:]
        assert [field.name for field in cls.parameters()] == [p.name for p in theirs if p.name != "generator"], name
        for field in cls.parameters():
            default = next(p.default for p in theirs if p.name == field.name)
            assert default is inspect.Parameter.empty or field.default == default, (name, field.name)


@pytest.mark.parametrize(("name", "parameters", "shape", "law"), RANDOM)
def test_values_follow_the_law_that_torch_draws_from(name, parameters, shape, law):
    """A two-sample Kolmogorov–Smirnov test does not tell our values from PyTorch's."""
    ours, theirs = draw_ours(name, parameters, shape), draw_theirs(name, parameters, shape)

    found = stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp")

    assert ours.shape == theirs.shape == shape
    assert found.pvalue > FALSE_ALARM


@pytest.mark.parametrize("draw", [draw_ours, draw_theirs])
@pytest.mark.parametrize(("name", "parameters", "shape", "law"), RANDOM)
def test_mean_and_std_are_those_of_the_closed_form(name, parameters, shape, law, draw):
    """Sample mean and std of both sides lie within five standard errors of the formula."""
    values = draw(name, parameters, shape).astype(np.float64)

    kurtosis = float(law.stats("k")) + 3
    mean_error = law.std() / math.sqrt(values.size)
    std_error = law.std() * math.sqrt((kurtosis - 1) / (4 * values.size))

    assert abs(values.mean() - law.mean()) <= 5 * mean_error
    assert abs(values.std() - law.std()) <= 5 * std_error


@pytest.mark.parametrize("draw", [draw_ours, draw_theirs])
@pytest.mark.parametrize(("name", "parameters", "shape", "law"), RANDOM)
def test_extremes_keep_to_the_bounds_and_come_near_them(name, parameters, shape, law, draw):
    """No value passes a bound by more than a rounding, and the extremes are as far out as a sample's must be."""
    values = draw(name, parameters, shape)

    low, high = (np.float32(bound) for bound in law.support())
    assert np.nextafter(low, np.float32(-np.inf)) <= values.min()
    assert values.max() <= np.nextafter(high, np.float32(np.inf))
    # the chance that all n values stay below the largest one seen: F(max)^n, uniform on (0, 1)
    assert math.exp(values.size * law.logcdf(float(values.max()))) >= FALSE_ALARM / 2
    assert math.exp(values.size * law.logsf(float(values.min()))) >= FALSE_ALARM / 2


@pytest.mark.parametrize(("name", "parameters", "shape", "law"), RANDOM)
def test_the_promised_law_is_the_closed_form(name, parameters, shape, law):
    """`law(shape)` states the mean, std and bounds of the formula."""
    promised = get(name, "torch", **parameters).law(shape)

    # SciPy's own moments of a cut normal are good to about eleven digits; the others to a few roundings
    rounding = 1e-10 if name == "trunc_normal" else 8 * np.finfo(np.float64).eps
    assert promised.mean == pytest.approx(law.mean(), rel=rounding, abs=rounding * law.std())
    assert promised.std == pytest.approx(law.std(), rel=rounding)
    if parameters != {"std": 0.02}:  # cut at a hundred std, which the closed form leaves out
        assert promised.low == pytest.approx(law.support()[0], rel=rounding)
        assert promised.high == pytest.approx(law.support()[1], rel=rounding)


@pytest.mark.parametrize(("name", "parameters", "shape"), EXACT)
def test_what_is_not_random_agrees_element_for_element(name, parameters, shape):
    """Constants, ones on diagonals and at centres, and random laws of no width: the same values in float32."""
    ours, theirs = draw_ours(name, parameters, shape), draw_theirs(name, parameters, shape)

    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("name", "parameters", "shape"), EMPTY)
def test_an_empty_tensor_that_torch_lets_through_is_let_through(name, parameters, shape):
    """An empty array of that shape, and no division by zero."""
    assert draw_ours(name, parameters, shape).shape == draw_theirs(name, parameters, shape).shape == shape


@pytest.mark.parametrize(("name", "parameters", "shape", "dtype"), [(*case, "float32")[:4] for case in REFUSED])
def test_what_torch_refuses_is_refused_here(name, parameters, shape, dtype):
    """Whatever error PyTorch raises, it is a ValueError here."""
    with pytest.raises((ValueError, TypeError, RuntimeError, NotImplementedError, ZeroDivisionError)):
        draw_theirs(name, parameters, shape, dtype=dtype)

    with pytest.raises(ValueError, match=r"."):
        draw_ours(name, parameters, shape, dtype=dtype)


@pytest.mark.proves("torch: calculate_gain")
@pytest.mark.parametrize("param", [None, 0, 0.01, 0.2, math.sqrt(5), -1, 3])
@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_gains_are_equal_to_the_last_bit(nonlinearity, param):
    """For every nonlinearity, with and without a parameter."""
    assert calculate_gain(nonlinearity, param) == init.calculate_gain(nonlinearity, param)


@pytest.mark.proves("torch: calculate_gain")
@pytest.mark.parametrize(
    ("nonlinearity", "param"),
    [*((name, None) for name in ("identity", "gelu", "silu", "elu", "")), ("leaky_relu", True), ("leaky_relu", "0.2")],
)
def test_a_gain_that_torch_refuses_is_refused(nonlinearity, param):
    """Both raise a ValueError."""
    for calculate in (init.calculate_gain, calculate_gain):
        with pytest.raises(ValueError, match=r"."):
            calculate(nonlinearity, param)


@pytest.mark.proves("torch: fans")
@pytest.mark.parametrize("shape", [(7, 5), (5, 7, 3), (5, 7, 3, 3), (5, 7, 2, 3, 4), (0, 5), (4, 3, 0), (7,), ()])
def test_fans_are_those_that_torch_reads(shape):
    """Or both refuse the shape."""
    try:
        theirs = init._calculate_fan_in_and_fan_out(torch.empty(shape))
    except ValueError:
        with pytest.raises(ValueError, match="fewer than 2 dimensions"):
            torch_fans(shape)
    else:
        ours = torch_fans(shape)
        assert (ours.fan_in, ours.fan_out) == theirs


@pytest.mark.parametrize("draw", [draw_ours, draw_theirs])
@pytest.mark.parametrize("name", ["orthogonal"])
@pytest.mark.parametrize("gain", [1.0, "relu", -2.0])
@pytest.mark.parametrize("shape", [(64, 64), (96, 32), (32, 96), (16, 48, 3, 3), (200, 4, 2), (8, 1), (1, 8)])
def test_the_short_side_of_an_orthogonal_matrix_is_orthonormal(name, gain, shape, draw):
    """With the first axis as rows, the smaller Gram matrix is gain² times the identity."""
    matrix = draw(name, {"gain": gain}, shape).reshape(shape[0], -1).astype(np.float64)
    rows, columns = matrix.shape
    square = {"relu": 2.0}.get(gain) or gain**2

    gram = matrix @ matrix.T if rows < columns else matrix.T @ matrix

    # Ours: two roundings of each entry and Cauchy–Schwarz, 4 units in the last place of 1. PyTorch works in float32
    # throughout: Householder's QR is good to rows × columns roundings.
    units = 4 if draw is draw_ours else rows * columns
    unit = np.finfo(np.float32).eps / 2
    np.testing.assert_allclose(gram, square * np.eye(len(gram)), rtol=0, atol=square * units * unit)


@pytest.mark.parametrize("name", ["orthogonal"])
@pytest.mark.parametrize("shape", [(256, 256), (100, 300), (64, 16, 3, 3)])
def test_entries_of_a_large_orthogonal_matrix_have_torchs_law(name, shape):
    """The pooled entries of one matrix are not told from those of PyTorch's."""
    ours, theirs = draw_ours(name, {}, shape), draw_theirs(name, {}, shape)

    assert stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp").pvalue > FALSE_ALARM


@pytest.mark.parametrize("name", ["orthogonal"])
def test_orthogonal_matrices_are_as_uniform_as_torchs(name):
    """Single entries and traces of many small matrices have PyTorch's law."""
    side, count = 6, 800
    ours = np.stack([draw_ours(name, {}, (side, side), tensor=f"w{i}") for i in range(count)]).astype(np.float64)
    theirs = np.stack([draw_theirs(name, {}, (side, side), seed=i) for i in range(count)]).astype(np.float64)

    for i, j in ((0, 0), (0, side - 1), (side - 1, 0), (side - 1, side - 1)):
        assert stats.ks_2samp(ours[:, i, j], theirs[:, i, j]).pvalue > FALSE_ALARM
    assert stats.ks_2samp(*(np.trace(m, axis1=1, axis2=2) for m in (ours, theirs))).pvalue > FALSE_ALARM


@pytest.mark.parametrize("name", ["sparse"])
@pytest.mark.parametrize("sparsity", [0, 0.07, 0.25, 0.3, 0.9, 0.999, 1])
@pytest.mark.parametrize("shape", [(10, 4), (100, 30), (333, 7), (1, 5)])
def test_every_column_of_sparse_has_as_many_zeros_as_torchs(name, sparsity, shape):
    """Rounded up as PyTorch rounds, in every column the same."""
    ours, theirs = (draw(name, {"sparsity": sparsity}, shape) for draw in (draw_ours, draw_theirs))

    assert (ours == 0).sum(axis=0).tolist() == (theirs == 0).sum(axis=0).tolist()


@pytest.mark.parametrize("name", ["sparse"])
@pytest.mark.parametrize(("sparsity", "std"), [(0.9, 0.01), (0.25, 2.0)])
def test_what_sparse_leaves_has_torchs_law(name, sparsity, std):
    """The non-zeros by Kolmogorov–Smirnov; the std of the whole within five standard errors on both sides."""
    parameters, shape = {"sparsity": sparsity, "std": std}, (1000, 500)
    ours, theirs = (draw(name, parameters, shape).astype(np.float64) for draw in (draw_ours, draw_theirs))

    law = get(name, "torch", **parameters).law(shape)

    assert stats.ks_2samp(ours[ours != 0], theirs[theirs != 0], method="asymp").pvalue > FALSE_ALARM
    for values in (ours, theirs):
        mean_error, std_error = law.standard_errors(values.size)
        assert abs(values.mean()) <= 5 * mean_error
        assert abs(values.std() - law.std) <= 5 * std_error
        # zeros of a row are Bernoulli over its 500 columns
        by_row = (values == 0).mean(axis=1)
        assert np.abs(by_row - sparsity).max() <= 5 * math.sqrt(sparsity * (1 - sparsity) / shape[1])
