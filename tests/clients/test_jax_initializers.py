"""JAX itself says what `jax.nn.initializers` draws, from which fans, and what it refuses."""

from __future__ import annotations

import inspect
import math

import h5py
import jax
import numpy as np
import pytest
from jax._src.nn.initializers import _compute_fans
from jax.nn import initializers as theirs_by_name
from scipy import stats

from initcli.fans import jax_fans
from initcli.initializers import get as get_initializer
from initcli.initializers import registered

FRAMEWORK = f"jax {jax.__version__}"

# The chance of a false alarm of one test: that of a normal deviate beyond five standard errors.
FALSE_ALARM = 2 * stats.norm.sf(5)
OURS, THEIRS = 42, 1234  # seeds

NAMES = [cls.name for cls in registered().values() if cls.framework == "jax"]
ALIASES = {alias: cls.name for cls in registered().values() if cls.framework == "jax" for alias in cls.aliases}


def normal(std):
    return stats.norm(0, std)


def cut(std, lower=-2, upper=2):
    """A normal cut at multiples of its own standard deviation, which is that before the cut."""
    return stats.truncnorm(lower, upper, 0, std)


def corrected(std):
    """A normal cut at two standard deviations, so scaled that `std` is left after the cut."""
    return cut(std / stats.truncnorm(-2, 2).std())


def symmetric(std):
    """The uniform law around 0 with this standard deviation."""
    return stats.uniform(-math.sqrt(3) * std, 2 * math.sqrt(3) * std)


def scaling(scale, mode, distribution, **axes):
    return {"scale": scale, "mode": mode, "distribution": distribution, **axes}


# name, parameters, shape, and the law in closed form, with the fans written out by hand.
RANDOM = [
    ("uniform", {}, (500, 500), stats.uniform(0, 0.01)),
    ("uniform", {"scale": 3.0}, (100_000,), stats.uniform(0, 3)),
    ("normal", {}, (500, 500), normal(0.01)),
    ("normal", {"stddev": 2.0}, (3, 3, 64, 128), normal(2)),
    ("truncated_normal", {}, (500, 500), cut(0.01)),
    ("truncated_normal", {"stddev": 0.5, "lower": -1.0, "upper": 1.0}, (100_000,), cut(0.5, -1, 1)),
    ("truncated_normal", {"stddev": 0.02, "lower": -3, "upper": 3}, (300, 400), cut(0.02, -3, 3)),
    ("truncated_normal", {"stddev": 1.5, "lower": -0.5, "upper": 2.5}, (300, 400), cut(1.5, -0.5, 2.5)),
    ("truncated_normal", {"lower": 0.5, "upper": 1.0}, (300, 400), cut(0.01, 0.5, 1)),
    ("variance_scaling", scaling(1.0, "fan_in", "truncated_normal"), (512, 256), corrected(math.sqrt(1 / 512))),
    (
        "variance_scaling",
        scaling(2.0, "fan_in", "normal", in_axis=1, out_axis=0),
        (128, 784),
        normal(math.sqrt(2 / 784)),
    ),
    ("variance_scaling", scaling(2.0, "fan_out", "normal"), (3, 3, 64, 128), normal(math.sqrt(2 / (9 * 128)))),
    ("variance_scaling", scaling(0.1, "fan_avg", "uniform"), (784, 128), symmetric(math.sqrt(0.1 / 456))),
    (
        "variance_scaling",
        scaling(1.5, "fan_geo_avg", "truncated_normal"),
        (3, 64, 256),
        corrected(math.sqrt(1.5 / (3 * 128))),
    ),
    ("variance_scaling", scaling(1.0, "fan_geo_avg", "uniform"), (100, 900), symmetric(math.sqrt(1 / 300))),
    (
        "variance_scaling",
        scaling(1, "fan_in", "uniform", batch_axis=0),
        (8, 128, 64),
        symmetric(math.sqrt(1 / 128)),
    ),
    ("variance_scaling", scaling(1.0, "fan_in", "normal", out_axis=0), (1000, 64), normal(math.sqrt(1 / 64))),
    (
        "variance_scaling",
        scaling(1.0, "fan_out", "normal", in_axis=[0, 1], out_axis=2, batch_axis=(3,)),
        (4, 50, 60, 7),
        normal(math.sqrt(1 / 60)),
    ),
    (
        "variance_scaling",
        scaling(1.0, "fan_in", "normal", in_axis=0, out_axis=0, batch_axis=0),
        (400, 250),
        normal(math.sqrt(400 / 250)),
    ),
    ("lecun_uniform", {}, (784, 128), symmetric(math.sqrt(1 / 784))),
    ("lecun_uniform", {"in_axis": -1, "out_axis": -2}, (784, 128), symmetric(math.sqrt(1 / 128))),
    ("lecun_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(1 / (9 * 64)))),
    ("lecun_normal", {"in_axis": 0, "out_axis": (1, 2)}, (512, 8, 64), corrected(math.sqrt(1 / 512))),
    ("glorot_uniform", {}, (784, 128), symmetric(math.sqrt(2 / (784 + 128)))),
    ("glorot_uniform", {"batch_axis": 0}, (9, 64, 128), symmetric(math.sqrt(2 / (64 + 128)))),
    ("glorot_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(2 / (9 * (64 + 128))))),
    ("glorot_normal", {"in_axis": (0, 1), "out_axis": -1}, (8, 64, 100), corrected(math.sqrt(2 / (512 + 100)))),
    ("he_uniform", {}, (784, 128), symmetric(math.sqrt(2 / 784))),
    ("he_uniform", {"in_axis": 1, "out_axis": 0}, (64, 32, 3, 3), symmetric(math.sqrt(2 / (9 * 32)))),
    ("he_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(2 / (9 * 64)))),
    ("he_normal", {"in_axis": 0}, (90_000,), corrected(math.sqrt(2))),
]

EXACT = [
    ("zeros", {}, (3, 4)),
    ("zeros", {}, ()),
    ("ones", {}, (2, 3, 4)),
    ("ones", {}, (0, 5)),
    ("constant", {"value": 0.3}, (5,)),
    ("constant", {"value": -7}, (2, 3)),
    ("constant", {"value": True}, (2, 3)),
    ("uniform", {"scale": 0.0}, (4, 5)),
    ("normal", {"stddev": 0.0}, (4, 5)),
    ("truncated_normal", {"stddev": 0.0}, (4, 5)),
    ("variance_scaling", scaling(0.0, "fan_in", "uniform"), (4, 5)),
    ("orthogonal", {}, (0, 3)),
    ("orthogonal", {}, (3, 0, 2)),
    ("delta_orthogonal", {}, (3, 0, 4)),
]

REFUSED = [
    ("constant", {}, (3,)),
    ("constant", {"value": [1.0, 2.0]}, (3, 2)),
    ("variance_scaling", {}, (4, 4)),
    ("variance_scaling", scaling(1.0, "fan", "normal"), (4, 4)),
    ("variance_scaling", scaling(1.0, "FAN_IN", "normal"), (4, 4)),
    ("variance_scaling", scaling(1.0, "fan_in", "NORMAL"), (4, 4)),
    ("variance_scaling", scaling(1.0, "fan_in", "untruncated_normal"), (4, 4)),
    ("variance_scaling", scaling("1", "fan_in", "normal"), (4, 4)),
    ("he_normal", {}, ()),
    ("he_normal", {}, (5,)),
    ("he_normal", {}, (0, 5)),
    ("he_normal", {}, (5, 0)),
    ("glorot_uniform", {}, (0, 3, 2)),
    ("glorot_uniform", {"in_axis": 0}, ()),
    ("lecun_normal", {"in_axis": 2}, (3, 4)),
    ("lecun_normal", {"in_axis": (-2,)}, (3,)),
    ("lecun_normal", {"out_axis": -3}, (3, 4)),
    ("lecun_normal", {"batch_axis": (0, 2)}, (3, 4)),
    ("lecun_normal", {"in_axis": 1.0}, (3, 4)),
    ("lecun_normal", {"in_axis": (0, 1.0)}, (3, 4)),
    ("lecun_normal", {"in_axis": "0"}, (3, 4)),
    ("lecun_normal", {"in_axis": None}, (3, 4)),
    ("orthogonal", {}, (5,)),
    ("orthogonal", {}, ()),
    ("orthogonal", {"column_axis": 2}, (3, 4)),
    ("orthogonal", {"column_axis": -3}, (3, 4)),
    ("orthogonal", {"column_axis": (0,)}, (3, 4)),
    ("delta_orthogonal", {}, (3, 4)),
    ("delta_orthogonal", {}, (1, 1, 1, 1, 3, 4)),
    ("delta_orthogonal", {}, (3, 5, 4)),
    ("delta_orthogonal", {}, (0, 3, 4)),
    ("delta_orthogonal", {"column_axis": 2}, (3, 3, 4)),
    ("delta_orthogonal", {"column_axis": -3}, (3, 3, 4)),
]

FANS = [
    ("lecun_normal", shape, axes)
    for shape, axes in [
        ((7, 5), {}),
        ((3, 7, 5), {}),
        ((2, 2, 3, 4, 7, 5), {}),
        ((64, 32, 3, 3), {"in_axis": 1, "out_axis": 0}),
        ((512, 8, 64), {"in_axis": 0, "out_axis": (1, 2)}),
        ((3, 7, 5), {"in_axis": (0, 1)}),
        ((8, 128, 64), {"batch_axis": 0}),
        ((8, 4, 128, 64), {"batch_axis": (0, 1)}),
        ((1000, 64), {"out_axis": 0}),
        ((3, 4, 5), {"in_axis": (0, 1), "out_axis": 1}),
        ((3, 4, 5), {"in_axis": 0, "out_axis": 0, "batch_axis": 0}),
        ((4,), {"in_axis": 0}),
        ((4,), {"in_axis": (), "out_axis": ()}),
        ((), {"in_axis": (), "out_axis": ()}),
    ]
]


def get(name, **parameters):
    return get_initializer(name, framework="jax", **parameters)


def draw_ours(name, parameters, shape, seed=OURS, tensor="w"):
    return get(name, seed=seed, **parameters)(shape=shape, dtype="float32", name=tensor)


def draw_theirs(name, parameters, shape, seed=THEIRS):
    return np.asarray(make_theirs(name, parameters)(jax.random.key(seed), shape, np.float32))


def make_theirs(name, parameters):
    theirs = getattr(theirs_by_name, name)
    return theirs if name in ("zeros", "ones") else theirs(**parameters)


@pytest.mark.proves("names and defaults")
def test_every_initializer_of_jax_is_here():
    """Each public name, and every alias as the same initializer."""
    public = {name for name in dir(theirs_by_name) if not name.startswith("_") and name.islower()}

    assert public == set(NAMES) | set(ALIASES)
    for alias, name in ALIASES.items():
        assert getattr(theirs_by_name, alias) is getattr(theirs_by_name, name)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_defaults_are_jaxs(name):
    """By name, in JAX's order, with JAX's defaults; the dtype is no parameter here."""
    if name in ("zeros", "ones"):
        assert not type(get(name)).parameters()
        return
    theirs = inspect.signature(getattr(theirs_by_name, name)).parameters.values()
    ours = next(cls for cls in registered().values() if cls.qualified_name() == f"jax.{name}").parameters()

    assert [f.name for f in ours] == [p.name for p in theirs if p.name != "dtype"]
    for f, p in zip(ours, (p for p in theirs if p.name != "dtype"), strict=True):
        if p.default is not inspect.Parameter.empty:
            assert (f.default, type(f.default)) == (p.default, type(p.default))
        else:
            assert not isinstance(f.default, int | float | str | tuple)


@pytest.mark.parametrize(("name", "shape", "axes"), FANS)
def test_fans_are_those_that_jax_computes(name, shape, axes):
    """To the roundings of JAX's three divisions and one product; whole numbers exactly."""
    fans = jax_fans(shape, **axes)

    theirs = _compute_fans(shape, **axes)

    assert (fans.fan_in, fans.fan_out) == pytest.approx(theirs, rel=4 * 2**-53)


@pytest.mark.parametrize(("name", "parameters", "shape", "law"), RANDOM)
def test_values_follow_the_law_that_jax_draws_from(name, parameters, shape, law):
    """A two-sample Kolmogorov–Smirnov test does not tell our values from JAX's."""
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
    """No value passes a bound by more than three roundings, JAX's, and the extremes are as far out as they must be."""
    values = draw(name, parameters, shape).astype(np.float64)

    low, high = law.support()
    rounding = 3 * 2.0**-24
    assert low - rounding * abs(low) <= values.min()
    assert values.max() <= high + rounding * abs(high)

    # the chance that all n values stay below the largest one seen: F(max)^n, uniform on (0, 1)
    nobody_above = math.exp(values.size * law.logcdf(float(values.max())))
    nobody_below = math.exp(values.size * law.logsf(float(values.min())))
    assert nobody_above >= FALSE_ALARM / 2
    assert nobody_below >= FALSE_ALARM / 2
    if math.isinf(high):
        assert nobody_above <= 1 - FALSE_ALARM / 2
        assert nobody_below <= 1 - FALSE_ALARM / 2


@pytest.mark.parametrize(("name", "parameters", "shape", "law"), RANDOM)
def test_the_promised_law_is_the_closed_form(name, parameters, shape, law):
    """`law(shape)` states the mean, std and bounds of the formula, to the roundings of either side."""
    promised = get(name, **parameters).law(shape)

    # eight operations of ours; scipy's moments of an asymmetric cut lose a few more digits
    rounding = 8 * np.finfo(np.float64).eps if name != "truncated_normal" else 1e-13
    assert promised.mean == pytest.approx(law.mean(), rel=rounding, abs=rounding * law.std())
    assert promised.std == pytest.approx(law.std(), rel=rounding)
    low, high = law.support()
    assert promised.low == pytest.approx(low, rel=rounding, abs=rounding * law.std())
    assert promised.high == pytest.approx(high, rel=rounding, abs=rounding * law.std())


@pytest.mark.parametrize(("name", "parameters", "shape"), EXACT)
def test_deterministic_initializers_agree_element_for_element(name, parameters, shape):
    """What is not random has JAX's values."""
    ours, theirs = draw_ours(name, parameters, shape), draw_theirs(name, parameters, shape)

    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(ours, theirs)


def assert_short_side_is_orthonormal(matrix, scale, draw):
    """Compare the smaller Gram matrix with scale² times the identity."""
    matrix = matrix.astype(np.float64)
    rows, columns = matrix.shape
    gram = matrix @ matrix.T if rows < columns else matrix.T @ matrix
    # Ours: two roundings of each entry, for Q and for the scale, and Cauchy–Schwarz over the columns: 4 units in the
    # last place of 1. JAX works in float32 throughout: Householder's QR is good to rows × columns roundings.
    units = 4 if draw is draw_ours else rows * columns
    atol = scale**2 * units * np.finfo(np.float32).eps / 2
    np.testing.assert_allclose(gram, scale**2 * np.eye(len(gram)), rtol=0, atol=atol)


@pytest.mark.parametrize("draw", [draw_ours, draw_theirs])
@pytest.mark.parametrize("name", ["orthogonal"])
@pytest.mark.parametrize("scale", [1.0, -2.0])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((64, 64), -1),
        ((96, 32), 0),
        ((32, 96), 1),
        ((3, 3, 16, 48), -1),
        ((3, 3, 16, 48), 2),
        ((48, 16, 3, 3), 0),
        ((2, 4, 200), -2),
        ((8, 1), 0),
    ],
)
def test_the_columns_along_the_axis_or_the_rows_are_orthonormal(name, scale, shape, axis, draw):
    """With the column axis last and the others flattened, the smaller Gram matrix is scale² I."""
    kernel = draw(name, {"scale": scale, "column_axis": axis}, shape)

    assert kernel.shape == shape
    assert_short_side_is_orthonormal(np.moveaxis(kernel, axis, -1).reshape(-1, shape[axis]), scale, draw)


@pytest.mark.parametrize("draw", [draw_ours, draw_theirs])
@pytest.mark.parametrize("name", ["delta_orthogonal"])
@pytest.mark.parametrize("axis", [-1, 0])
@pytest.mark.parametrize("shape", [(4, 4, 8), (3, 5, 16, 16), (1, 2, 3, 8, 32), (3, 3, 32, 64)])
def test_a_delta_kernel_is_orthogonal_at_its_centre_and_zero_elsewhere(name, shape, axis, draw):
    """The centre is tap (k − 1) // 2, and there W Wᵀ = scale² I."""
    kernel = draw(name, {"scale": 2.0, "column_axis": axis}, shape).copy()
    centre = tuple((k - 1) // 2 for k in shape[:-2])

    assert_short_side_is_orthonormal(kernel[centre], 2.0, draw)
    kernel[centre] = 0
    assert not kernel.any()


@pytest.mark.parametrize(
    ("name", "parameters", "shape", "matrix"),
    [
        ("orthogonal", {}, (4, 6), np.s_[:]),
        ("orthogonal", {"column_axis": 1}, (2, 6, 3), np.s_[0]),
        ("orthogonal", {"column_axis": 0}, (6, 2, 3), np.s_[:, 1]),
        ("delta_orthogonal", {}, (2, 4, 6), np.s_[0]),
        ("delta_orthogonal", {"column_axis": 0}, (3, 4, 6), np.s_[1]),
    ],
)
def test_small_matrices_are_uniform_over_the_group_as_jaxs_are(name, parameters, shape, matrix):
    """Single entries of many have the Haar law of side 6, and products of entries JAX's."""
    side, count = 6, 600
    ours = np.stack([draw_ours(name, parameters, shape, tensor=f"w{i}")[matrix] for i in range(count)])
    theirs = np.stack([draw_theirs(name, parameters, shape, seed=i)[matrix] for i in range(count)])

    # One entry is a coordinate of a uniform point on the sphere: (x + 1)/2 ~ Beta((n − 1)/2, (n − 1)/2).
    entry = stats.beta((side - 1) / 2, (side - 1) / 2, loc=-1, scale=2)
    for i, j in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert stats.kstest(ours[:, i, j], entry.cdf).pvalue > FALSE_ALARM
        assert stats.ks_2samp(ours[:, i, j], theirs[:, i, j]).pvalue > FALSE_ALARM
    for statistic in (lambda m: m[:, 0, 0] * m[:, 1, 1], lambda m: m[:, 0, 1] - m[:, 1, 0]):
        assert stats.ks_2samp(statistic(ours), statistic(theirs)).pvalue > FALSE_ALARM


@pytest.mark.parametrize(
    ("name", "parameters", "shape"),
    [
        ("orthogonal", {}, (256, 256)),
        ("orthogonal", {"column_axis": 0, "scale": 3.0}, (3, 16, 64)),
        ("orthogonal", {"column_axis": 1}, (16, 100, 9)),
        ("delta_orthogonal", {}, (1, 100, 300)),
    ],
)
def test_entries_of_a_large_orthogonal_matrix_have_jaxs_law(name, parameters, shape):
    """The pooled entries of one kernel are not told from those of JAX's."""
    ours, theirs = draw_ours(name, parameters, shape), draw_theirs(name, parameters, shape)

    assert stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp").pvalue > FALSE_ALARM


@pytest.mark.parametrize(("name", "parameters", "shape"), REFUSED)
def test_what_jax_refuses_is_refused_here(name, parameters, shape):
    """Arguments that JAX takes exception to, of whatever kind, raise a ValueError here."""
    with pytest.raises((ValueError, TypeError, IndexError, ZeroDivisionError)):
        draw_theirs(name, parameters, shape)

    with pytest.raises(ValueError, match=r"."):
        draw_ours(name, parameters, shape)


@pytest.mark.proves("a spec of jax")
def test_a_spec_of_jax_gives_what_the_initializers_draw(generate, tmp_path):
    """The command writes the arrays that the Python API draws, named axes included."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "initcli: 1\nframework: jax\nseed: 42\ntensors:\n"
        "  query: {shape: [64, 4, 16], init: {name: lecun_normal, in_axis: 0, out_axis: [1, 2]}}\n"
        "  conv: {shape: [3, 8, 8], init: delta_orthogonal}\n",
        "utf-8",
    )

    with h5py.File(generate(spec, tmp_path / "w.h5"), "r") as file:
        query, conv = file["query"][...], file["conv"][...]

    expected = draw_ours("lecun_normal", {"in_axis": 0, "out_axis": (1, 2)}, (64, 4, 16), 42, "query")
    assert (query == expected).all()
    assert (conv == draw_ours("delta_orthogonal", {}, (3, 8, 8), 42, "conv")).all()
