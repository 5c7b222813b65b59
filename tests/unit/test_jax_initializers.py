"""JAX's initializers: closed forms, drawn values, named axes, and what each refuses."""

from math import inf, sqrt
from typing import Any

import numpy as np
import pytest

from initcli import initializers
from initcli.calls import parse_call
from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError
from initcli.initializers.jax_scaling import VarianceScaling
from initcli.laws.whole import WholeTensorLaw
from initcli.resolution import load_plan

# Expected std, mean and greatest distance from zero of what jax 0.10.2 and flax 0.12.8 drew, from sampling the real
# frameworks: (initializer, parameters, shape, std, mean, bound)
MEASURED: list[tuple[str, dict[str, Any], tuple[int, ...], float, float, float]] = [
    ("glorot_uniform", {}, (784, 128), 0.0468292905791, 0, 0.0811107105654),
    ("he_normal", {}, (3, 3, 64, 128), 0.0589255650989, 0, 0.133978731429),
    ("lecun_normal", {}, (512, 256), 0.0441941738242, 0, 0.100484048572),
    (
        "variance_scaling",
        {"scale": 2, "mode": "fan_in", "distribution": "normal", "in_axis": 1, "out_axis": 0},
        (128, 784),
        0.0505076272276,
        0,
        inf,
    ),
    (
        "variance_scaling",
        {"scale": 1, "mode": "fan_in", "distribution": "uniform", "batch_axis": 0},
        (8, 128, 64),
        0.0883883476483,
        0,
        0.153093108924,
    ),
    ("uniform", {}, (500, 500), 0.00288675134595, 0.005, 0.01),
    ("truncated_normal", {}, (500, 500), 0.00879625661034, 0, 0.02),
    # flax's Embed: the axes overlap and cancel
    (
        "variance_scaling",
        {"scale": 1, "mode": "fan_in", "distribution": "normal", "out_axis": 0},
        (1000, 64),
        0.125,
        0,
        inf,
    ),
    # flax's MultiHeadDotProductAttention query kernel, flattened by flax, by named axes here
    ("lecun_normal", {"in_axis": 0, "out_axis": (1, 2)}, (512, 8, 64), 0.0441941738242, 0, 0.100484048572),
    # flax's ConvTranspose kernel
    ("lecun_normal", {}, (3, 3, 16, 32), 0.0833333333333, 0, 0.189474539056),
]

EVERY: dict[str, dict[str, Any]] = {
    "zeros": {},
    "ones": {},
    "constant": {"value": 0.5},
    "uniform": {},
    "normal": {},
    "truncated_normal": {},
    "variance_scaling": {"scale": 1.0, "mode": "fan_in", "distribution": "normal"},
    "glorot_uniform": {},
    "glorot_normal": {},
    "lecun_uniform": {},
    "lecun_normal": {},
    "he_uniform": {},
    "he_normal": {},
    "orthogonal": {},
    "delta_orthogonal": {},
}


def get(name: str, **parameters: Any) -> Any:
    return initializers.get(name, framework="jax", **parameters)


def test_jax_has_its_fifteen() -> None:
    """No more, no fewer, under their own names."""
    names = [cls.name for cls in initializers.registered().values() if cls.framework == "jax"]

    assert sorted(names) == sorted(EVERY)


@pytest.mark.parametrize(("name", "parameters", "shape", "std", "mean", "bound"), MEASURED)
def test_promises_and_draws_are_those_measured_of_jax(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], std: float, mean: float, bound: float
) -> None:
    """Promises equal the measured law to eleven digits; draws agree within five standard errors and fill the bounds."""
    initializer = get(name, **parameters)

    law = initializer.law(shape)
    drawn = initializer(shape, dtype="float32").astype(np.float64)

    assert law.std == pytest.approx(std, rel=1e-11)
    assert law.mean == pytest.approx(mean, rel=1e-11)
    assert law.high == pytest.approx(bound, rel=1e-11)
    mean_error, std_error = law.standard_errors(drawn.size)
    assert abs(drawn.mean() - mean) <= 5 * mean_error
    assert abs(drawn.std() - std) <= 5 * std_error
    assert np.abs(drawn).max() <= bound * (1 + 2e-7)
    if bound < inf:
        assert np.abs(drawn).max() > 0.97 * bound  # a clipped or uncorrected cut would stop short or pile up


def test_geometric_fans_and_named_axes_give_the_closed_form() -> None:
    """By hand, (5, 3, 4, 6) with in 1 and 2, out 0, batch 3: fans 12 and 5, geometric average √60."""
    axes = {"in_axis": (1, 2), "out_axis": 0, "batch_axis": 3}

    law = get("variance_scaling", scale=3, mode="fan_geo_avg", distribution="normal", **axes).law((5, 3, 4, 6))

    assert law.std == pytest.approx(sqrt(3 / sqrt(60)), rel=1e-15)


def test_a_fan_below_one_is_not_raised_to_one() -> None:
    """With every axis of (4, 2) the first, both fans are 8 / 4 / 4 = ½."""
    axes = {"in_axis": 0, "out_axis": 0, "batch_axis": 0}

    law = get("variance_scaling", scale=1.0, mode="fan_in", distribution="normal", **axes).law((4, 2))

    assert law.std == pytest.approx(sqrt(2), rel=1e-15)


def test_an_asymmetric_cut_shifts_the_mean() -> None:
    """Cut at −2 and 1, mean (φ(2) − φ(1)) / (Φ(1) − Φ(−2)): figures from scipy 1.17 `truncnorm(-2, 1)`."""
    law = get("truncated_normal", stddev=0.1, lower=-2, upper=1).law((400, 400))
    drawn = get("truncated_normal", stddev=0.1, lower=-2, upper=1)((400, 400), dtype="float64")

    assert law.mean == pytest.approx(-0.022963717909132902, rel=1e-14)
    assert law.std == pytest.approx(0.07209455868590457, rel=1e-14)
    assert (law.low, law.high) == (-0.2, 0.1)
    mean_error, std_error = law.standard_errors(drawn.size)
    assert abs(drawn.mean() - law.mean) <= 5 * mean_error
    assert abs(drawn.std() - law.std) <= 5 * std_error


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 40)])
def test_the_column_axis_counts_the_orthonormal_columns(shape: tuple[int, ...], axis: int) -> None:
    """With that axis last and the others flattened, the smaller Gram matrix is scale² I to float64 rounding."""
    kernel = get("orthogonal", scale=2.0, column_axis=axis)(shape, dtype="float64")

    matrix = np.moveaxis(kernel, axis, -1).reshape(-1, shape[axis])
    rows, cols = matrix.shape
    gram = matrix @ matrix.T if rows < cols else matrix.T @ matrix

    # Householder's QR is good to rows × columns roundings
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), rtol=0, atol=4 * rows * cols * 2**-53)
    assert np.sqrt((kernel**2).mean()) == pytest.approx(2 / sqrt(max(rows, cols)))


def test_a_square_matrix_of_column_axis_zero_has_columns_there() -> None:
    """Of (4, 6), axis 0: the 6 × 4 matrix of the same draws, transposed."""
    moved = get("orthogonal", column_axis=0)((4, 6), dtype="float64", name="w")

    assert (moved == get("orthogonal")((6, 4), dtype="float64", name="w").T).all()


@pytest.mark.parametrize("shape", [(4, 4, 8), (3, 5, 6, 6), (1, 2, 3, 4, 9), (3, 3, 32, 64)])
@pytest.mark.parametrize("column_axis", [-1, 0])
def test_delta_orthogonal_is_an_orthogonal_matrix_at_the_centre(shape: tuple[int, ...], column_axis: int) -> None:
    """Only tap (k − 1) // 2 is not zero, and there W Wᵀ = scale² I; the squares sum to scale² in."""
    law = get("delta_orthogonal", scale=2.0, column_axis=column_axis).law(shape)
    kernel = get("delta_orthogonal", scale=2.0, column_axis=column_axis)(shape, dtype="float64")

    centre = kernel[tuple((k - 1) // 2 for k in shape[:-2])].copy()
    kernel[tuple((k - 1) // 2 for k in shape[:-2])] = 0

    assert not kernel.any()
    atol = 4 * shape[-1] * shape[-2] * 2**-53
    np.testing.assert_allclose(centre @ centre.T, 4 * np.eye(shape[-2]), rtol=0, atol=atol)
    assert law.std == pytest.approx(sqrt(4 * shape[-2] / kernel.size))
    assert (law.low, law.high) == (-2, 2)
    mean_error, std_error = law.standard_errors(kernel.size)
    assert abs(centre.sum() / kernel.size) <= 5 * mean_error
    deviation = sqrt((centre**2).sum() / kernel.size - (centre.sum() / kernel.size) ** 2)
    assert abs(deviation - law.std) <= 5 * std_error


@pytest.mark.parametrize("shape", [(3, 40, 50), (3, 3, 20, 20)])
@pytest.mark.parametrize("name", ["orthogonal", "delta_orthogonal"])
def test_the_orthogonal_laws_tell_what_they_hold_and_that_their_bits_may_move(
    name: str, shape: tuple[int, ...]
) -> None:
    """Whole-tensor laws, whose peak is at least the tensor that they return."""
    law = get(name, column_axis=0).law(shape)

    assert isinstance(law, WholeTensorLaw)
    assert not law.is_portable
    assert law.peak_nbytes(DTYPES["float32"]) >= 8 * np.prod(shape)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0, 2)])
@pytest.mark.parametrize("name", ["zeros", "ones", "uniform", "normal", "truncated_normal", "orthogonal"])
def test_what_needs_no_fan_gives_an_empty_array_of_an_empty_shape(name: str, shape: tuple[int, ...]) -> None:
    """As in JAX."""
    assert get(name)(shape).shape == shape


def test_a_scale_of_zero_gives_zeros() -> None:
    """As in JAX, whatever the distribution."""
    for distribution in ("truncated_normal", "normal", "uniform"):
        assert not get("variance_scaling", scale=0, mode="fan_in", distribution=distribution)((5, 6)).any()
    assert not get("uniform", scale=0)((5,)).any()
    assert not get("truncated_normal", stddev=0, lower=1, upper=3)((5,)).any()


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("xavier_uniform", "glorot_uniform"),
        ("xavier_normal", "glorot_normal"),
        ("kaiming_uniform", "he_uniform"),
        ("kaiming_normal", "he_normal"),
        ("HeNormal", "he_normal"),
        ("jax.xavier_normal", "glorot_normal"),
    ],
)
def test_aliases_are_jaxs(alias: str, name: str) -> None:
    """The names of other papers, and the class's."""
    assert get(alias) == get(name)


def test_a_bare_name_means_jaxs_in_a_spec_of_jax() -> None:
    """`normal` there is jax.normal, of 0.01, and Keras's in a spec without a framework."""
    text = "{{initcli: 1, framework: {}, tensors: {{w: {{shape: [2, 2], init: normal}}}}}}"

    assert load_plan(text.format("jax").encode(), "x").tensors[0].law.std == 0.01
    assert load_plan(text.format("keras").encode(), "x").tensors[0].law.std == 0.05


@pytest.mark.parametrize(
    "init",
    [
        "{name: lecun_normal, in_axis: [0, 1], out_axis: [2]}",
        "'lecun_normal(in_axis=(0, 1), out_axis=[2])'",
        "'variance_scaling(1.0, fan_in, truncated_normal, (0, 1), (2,))'",
    ],
)
def test_lists_of_axes_go_from_spec_to_plan_and_back(init: str) -> None:
    """Every way to write them makes the same law; the embedded spec and the printed call make an equal plan."""
    plan = load_plan(
        f"{{initcli: 1, framework: jax, tensors: {{w: {{shape: [4, 5, 6], init: {init}}}}}}}".encode(), "x"
    )

    again = load_plan(plan.metadata()["initcli.spec"].encode(), "y")

    (tensor,), (same) = plan.tensors, again.tensors[0]
    assert tensor.initializer.in_axis == (0, 1)  # type: ignore[attr-defined]
    assert tensor.law.std == pytest.approx(sqrt(1 / 20))
    assert (same.initializer, same.law) == (tensor.initializer, tensor.law)
    assert again.normalized_spec() == plan.normalized_spec()
    name, _, parameters = parse_call(str(tensor.initializer))
    assert get(name, **parameters) == tensor.initializer


def test_positional_parameters_of_variance_scaling_come_in_jaxs_order() -> None:
    """Scale, mode, distribution, then the axes, though Python takes these by name only."""
    assert [f.name for f in VarianceScaling.parameters()] == [
        "scale",
        "mode",
        "distribution",
        "in_axis",
        "out_axis",
        "batch_axis",
    ]


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("constant", {}, "`constant` needs `value`"),
        ("constant", {"value": [1, 2]}, "`value` must be a number"),
        ("uniform", {"scale": -1}, "`scale` must be at least 0"),
        ("normal", {"stddev": -1}, "`stddev` must be at least 0"),
        ("normal", {"mean": 1}, "`normal` has no parameter `mean`"),
        ("truncated_normal", {"stddev": -1}, "`stddev` must be at least 0"),
        ("truncated_normal", {"lower": 1, "upper": -1}, "`lower` must not exceed `upper`"),
        ("truncated_normal", {"lower": float("nan")}, "`lower` must be finite"),
        ("variance_scaling", {}, "`variance_scaling` needs `scale`"),
        ("variance_scaling", {"scale": 1, "mode": "fan_in"}, "`variance_scaling` needs `distribution`"),
        (
            "variance_scaling",
            {"scale": -1.0, "mode": "fan_in", "distribution": "normal"},
            "`scale` must be at least 0",
        ),
        (
            "variance_scaling",
            {"scale": 1, "mode": "FAN_IN", "distribution": "normal"},
            "`mode` cannot be `FAN_IN`",
        ),
        (
            "variance_scaling",
            {"scale": 1, "mode": "fan_in", "distribution": "untruncated_normal"},
            "`distribution` cannot be `untruncated_normal`",
        ),
        ("he_normal", {"in_axis": 1.0}, "`in_axis` must be a whole number, got `1.0`"),
        ("he_normal", {"in_axis": [0, True]}, "`in_axis` must be a whole number, got `True`"),
        ("he_normal", {"batch_axis": None}, "`batch_axis` must be a whole number"),
        ("orthogonal", {"scale": "big"}, "`scale` must be a number"),
        ("orthogonal", {"column_axis": (0,)}, "`column_axis` must be a whole number"),
        ("delta_orthogonal", {"column_axis": "last"}, "`column_axis` must be a whole number"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(name: str, parameters: dict[str, Any], message: str) -> None:
    """The error is a ValueError and names the parameter."""
    with pytest.raises(ValueError, match=message):
        get(name, **parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "shape", "message"),
    [
        ("he_normal", {}, (5,), "needs a shape of rank 2 or more"),
        ("he_normal", {}, (), "needs a shape of rank 2 or more"),
        ("he_normal", {"in_axis": (-2,)}, (5,), "`in_axis` names axis -2"),
        ("he_normal", {"in_axis": 0}, (), "`in_axis` names axis 0, which the shape"),
        ("he_normal", {"out_axis": 2}, (3, 4), "`out_axis` names axis 2"),
        ("he_normal", {"batch_axis": (-3,)}, (3, 4), "`batch_axis` names axis -3"),
        ("he_normal", {}, (0, 5), "without elements has no fans"),
        ("glorot_uniform", {}, (0, 3, 2), "without elements has no fans"),
        ("orthogonal", {}, (5,), "rank 2 or more"),
        ("orthogonal", {"column_axis": 2}, (3, 4), "`column_axis` names axis 2"),
        ("delta_orthogonal", {}, (3, 4), "rank 3 to 5"),
        ("delta_orthogonal", {}, (1, 1, 1, 1, 3, 4), "rank 3 to 5"),
        ("delta_orthogonal", {}, (3, 5, 4), "no more inputs than outputs"),
        ("delta_orthogonal", {}, (0, 3, 4), "needs a centre"),
        ("delta_orthogonal", {"column_axis": 2}, (3, 3, 4), "`column_axis` names axis 2"),
    ],
)
def test_a_shape_that_jax_cannot_fill_is_refused(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], message: str
) -> None:
    """Where JAX raises ValueError, IndexError or ZeroDivisionError, the error here says what is wrong."""
    with pytest.raises(ArgumentError, match=message):
        get(name, **parameters)(shape)
