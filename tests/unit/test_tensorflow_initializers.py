"""TensorFlow 1's, tf.contrib's and older Keras 2's: closed forms, drawn values, and what each refuses."""

import json
from math import inf, prod, sqrt
from typing import Any

import numpy as np
import pytest

from initcli import initializers
from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError, InitcliError
from initcli.fans import Fans, keras2_fans
from initcli.laws import ElementwiseLaw, TruncatedNormal, Uniform
from initcli.laws.convolution import ConvolutionOrthogonal
from initcli.laws.fixed import Listed, TiledEye
from initcli.moments import measure
from initcli.report import agrees
from initcli.resolution import load_plan
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

# Expected std, mean and bound round the mean, of what the real code drew (tf.compat.v1 2.21.0; Keras 2.0.9 and 2.2.4
# run on NumPy) or, for TensorFlow 1.9 and contrib, of their formulas drawn by tf.random:
# (initializer, parameters, shape, std, mean, bound)
MEASURED: list[tuple[str, dict[str, Any], tuple[int, ...], float, float, float]] = [
    ("keras2_1.glorot_normal", {}, (784, 128), 0.0411922456814, 0, 0.0936585811582),
    ("keras2_1.he_normal", {}, (3, 3, 64, 128), 0.0518324391519, 0, 0.117851130198),
    ("keras2_1.glorot_uniform", {}, (2, 2, 2, 10, 20, 30), 0.0675600077404, 0, 0.117017365966),
    ("keras2_1.glorot_uniform", {}, (90000,), 0.057735026919, 0, 0.1),
    ("tensorflow.random_uniform", {}, (500, 500), 0.288675134595, 0.5, 0.5),
    ("tensorflow.random_normal", {}, (500, 500), 1, 0, inf),
    ("tensorflow.variance_scaling", {}, (512, 256), 0.0441941738242, 0, 0.100484048572),
    (
        "tensorflow.variance_scaling",
        {"scale": 2, "mode": "fan_out", "distribution": "untruncated_normal"},
        (3, 3, 64, 128),
        0.0416666666667,
        0,
        inf,
    ),
    ("tensorflow1_9.glorot_normal", {}, (784, 128), 0.0411922456814, 0, 0.0936585811582),
    ("tensorflow1_9.variance_scaling", {"mode": "fan_avg"}, (784, 128), 0.0411922456814, 0, 0.0936585811582),
    ("tf_contrib.xavier", {"uniform": False}, (784, 128), 0.0469663862306, 0, 0.106787212586),
    ("tf_contrib.variance_scaling", {}, (3, 3, 64, 128), 0.059098073344, 0, 0.134370962472),
]


@pytest.mark.parametrize(("name", "parameters", "shape", "std", "mean", "bound"), MEASURED)
def test_promises_and_draws_are_those_measured(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], std: float, mean: float, bound: float
) -> None:
    """Promises equal the measured law to eleven digits; draws agree within five standard errors and fill the bounds."""
    initializer = initializers.get(name, **parameters)

    law = initializer.law(shape)
    drawn = initializer(shape, dtype="float32").astype(np.float64)

    assert law.std == pytest.approx(std, rel=1e-11)
    assert law.mean == mean
    assert law.high - mean == pytest.approx(bound, rel=1e-11)
    mean_error, std_error = law.standard_errors(drawn.size)
    assert abs(drawn.mean() - mean) <= 5 * mean_error
    assert abs(drawn.std() - std) <= 5 * std_error + 1e-7 * std
    assert np.abs(drawn - mean).max() <= bound * (1 + 2e-7)
    if bound < inf:
        assert np.abs(drawn - mean).max() > 0.97 * bound


# Closed forms worked by hand from the sources' formulas; a fan of (3, 3, 64, 128) is 576, of (300, 100) 300.
CLOSED: list[tuple[str, dict[str, Any], tuple[int, ...], Any]] = [
    ("tensorflow.random_uniform", {"minval": -3}, (5,), Uniform(-3, 1)),
    ("tensorflow.truncated_normal", {}, (5,), TruncatedNormal(0.0, 1.0)),
    ("tensorflow.glorot_uniform", {}, (300, 100), Uniform(-sqrt(6 / 400), sqrt(6 / 400))),
    ("tensorflow.glorot_normal", {}, (300, 100), TruncatedNormal.with_std(sqrt(2 / 400))),
    ("tensorflow.he_normal", {}, (3, 3, 64, 128), TruncatedNormal.with_std(sqrt(2 / 576))),
    ("tensorflow.he_uniform", {}, (3, 3, 64, 128), Uniform(-sqrt(6 / 576), sqrt(6 / 576))),
    ("tensorflow.lecun_normal", {}, (300, 100), TruncatedNormal.with_std(sqrt(1 / 300))),
    ("tensorflow.lecun_uniform", {}, (300, 100), Uniform(-0.1, 0.1)),
    ("tensorflow.variance_scaling", {"distribution": "NORMAL"}, (16,), TruncatedNormal.with_std(0.25)),
    ("tensorflow.uniform_unit_scaling", {"factor": 2}, (3, 100, 7), Uniform(-0.2, 0.2)),
    ("tensorflow.uniform_unit_scaling", {}, (5,), Uniform(-sqrt(3), sqrt(3))),
    ("tensorflow.uniform_unit_scaling", {}, (0, 5), Uniform(-sqrt(3), sqrt(3))),
    ("tensorflow1_9.variance_scaling", {"scale": 4}, (16, 3), TruncatedNormal(0.0, 0.5)),
    ("tensorflow1_9.variance_scaling", {"distribution": "uniform"}, (300, 1), Uniform(-0.1, 0.1)),
    ("tf_contrib.xavier", {}, (300, 300), Uniform(-0.1, 0.1)),
    ("tf_contrib.variance_scaling", {"mode": "FAN_OUT", "uniform": True}, (5, 600), Uniform(-0.1, 0.1)),
    ("tf_contrib.variance_scaling", {"factor": 1}, (130,), TruncatedNormal(0.0, 0.1)),
    ("keras2_1.lecun_normal", {}, (16, 3), TruncatedNormal(0.0, 0.25)),
    ("keras2_1.lecun_normal", {}, (256,), TruncatedNormal(0.0, 0.25)),
    ("keras2_1.lecun_uniform", {}, (300, 3), Uniform(-0.1, 0.1)),
    ("keras2_1.he_uniform", {}, (600, 3), Uniform(-0.1, 0.1)),
    ("keras2_1.variance_scaling", {"scale": 4, "mode": "FAN_OUT"}, (3, 16), TruncatedNormal(0.0, 0.5)),
    ("keras2_1.variance_scaling", {"distribution": "Uniform"}, (300, 3), Uniform(-0.1, 0.1)),
]


@pytest.mark.parametrize(("name", "parameters", "shape", "expected"), CLOSED)
def test_a_law_is_its_closed_form(name: str, parameters: dict[str, Any], shape: tuple[int, ...], expected: Any) -> None:
    """The kind of law, and its two numbers to the last few bits."""
    law = initializers.get(name, **parameters).law(shape)

    assert type(law) is type(expected)
    assert (law.low, law.high) == pytest.approx((expected.low, expected.high), rel=1e-14)
    assert law.std == pytest.approx(expected.std, rel=1e-14)


def test_given_fans_take_the_place_of_the_shapes() -> None:
    """As for every initializer that scales with fans."""
    fans = Fans(16, 48)

    assert initializers.get("tensorflow1_9.variance_scaling").law((5, 5), fans) == TruncatedNormal(0.0, 0.25)
    assert initializers.get("keras2_1.variance_scaling").law((5,), fans) == TruncatedNormal(0.0, 0.25)
    assert initializers.get("tf_contrib.variance_scaling", factor=3, uniform=True).law((5,), fans) == Uniform(
        -0.75, 0.75
    )
    assert initializers.get("tensorflow.uniform_unit_scaling").law((5, 5), fans).std == pytest.approx(0.25)


def test_the_fans_of_keras_2_are_roots_at_rank_one_and_from_rank_six_on() -> None:
    """The values were printed by Keras 2.0.9's `_compute_fans`; ranks 2 to 5 are those of today."""
    assert keras2_fans(()) == Fans(1, 1)
    assert keras2_fans((7,)).fan_in == pytest.approx(2.6457513, abs=5e-8)
    assert keras2_fans((7, 5)) == Fans(7, 5)
    assert keras2_fans((2, 3, 4, 7, 5)) == Fans(168, 120)
    assert keras2_fans((2, 2, 3, 4, 7, 5)).fan_out == pytest.approx(40.987803, abs=5e-7)


def test_a_constant_list_is_filled_up_with_its_last_value() -> None:
    """TensorFlow 1's constant [1, 2, 3] in (2, 3); nested lists and arrays are read row by row."""
    expected = [[1, 2, 3], [3, 3, 3]]

    for value in ([1, 2, 3], (1, 2, 3), [[1], [2], [3]], np.array([[1, 2, 3]])):
        assert initializers.get("tensorflow.constant", value=value)((2, 3), dtype="int32").tolist() == expected
    assert initializers.get("tensorflow.constant")((2,), dtype="int32").tolist() == [0, 0]
    assert initializers.get("tensorflow.constant", value=[True])((2,), dtype="bool").tolist() == [True, True]


@pytest.mark.parametrize("law", [Listed((1, 2, 3.5, -4), 21), TiledEye(3, 6, -2), TiledEye(6, 3), TiledEye(1, 5)])
def test_a_law_that_draws_nothing_fills_any_range_and_promises_what_it_fills(law: ElementwiseLaw) -> None:
    """A range is the part of the whole; mean and std are those of the values."""
    size = law.size if isinstance(law, Listed) else law.rows * law.cols  # type: ignore[attr-defined]
    float64, stream = DTYPES["float64"], Stream(0, "w")

    whole = sample_range(law, stream, float64, 0, size, Scratch()).copy()

    for start in range(size):
        for stop in range(start, size + 1):
            assert (sample_range(law, stream, float64, start, stop, Scratch()) == whole[start:stop]).all()
    assert (law.mean, law.std) == pytest.approx((whole.mean(), whole.std()), abs=1e-14)
    assert (law.low, law.high) == (whole.min(), whole.max()) or law == TiledEye(1, 5)
    assert agrees(law, float64, measure(whole, law.mean, Scratch()))


def test_the_identity_of_keras_2_2_is_tiled_along_the_longer_side() -> None:
    """Keras 2.2.4's Identity of (2, 4) and of (4, 2); a square is the plain one."""
    tiled = initializers.get("keras2_2.identity", gain=2)

    assert tiled((2, 4)).tolist() == [[2, 0, 2, 0], [0, 2, 0, 2]]
    assert tiled((4, 2)).tolist() == [[2, 0], [0, 2], [2, 0], [0, 2]]
    assert (tiled((3, 3)) == 2 * np.eye(3)).all()
    assert tiled((0, 3)).shape == (0, 3)


def test_the_identity_of_keras_2_1_is_square() -> None:
    """And TensorFlow's fills the main diagonal of any matrix."""
    assert (initializers.get("keras2_1.identity", gain=2)((3, 3)) == 2 * np.eye(3)).all()
    assert initializers.get("tensorflow.identity", gain=2)((2, 3)).tolist() == [[2, 0, 0], [0, 2, 0]]


SPREAD = [
    ("convolutional_orthogonal_1d", (4, 3, 5)),
    ("convolutional_orthogonal_1d", (1, 4, 4)),
    ("convolutional_orthogonal_2d", (3, 3, 6, 6)),
    ("convolutional_orthogonal_2d", (2, 2, 1, 4)),
    ("convolutional_orthogonal_3d", (3, 3, 3, 2, 5)),
]


@pytest.mark.parametrize(("name", "shape"), SPREAD)
def test_an_orthogonal_convolution_keeps_every_length(name: str, shape: tuple[int, ...]) -> None:
    """The taps sum to gain times orthonormal rows, the squares to gain² in; so does the kernel at every frequency."""
    gain, axes = 2.0, tuple(range(len(shape) - 2))

    kernel = initializers.get(f"tensorflow.{name}", gain=gain)(shape, dtype="float64")

    total = kernel.sum(axis=axes)
    identity = gain**2 * np.eye(shape[-2])
    rounding = 1e-13 * gain**2
    assert np.abs(total @ total.T - identity).max() < rounding
    assert abs((kernel**2).sum() - gain**2 * shape[-2]) < rounding * shape[-2]
    waves = np.fft.fftn(kernel, s=(5,) * len(axes), axes=axes)
    assert np.abs(waves @ waves.conj().swapaxes(-1, -2) - identity).max() < rounding * 10
    assert shape[0] == 1 or np.count_nonzero(np.abs(kernel).sum(axis=(-1, -2))) > 1


def test_an_orthogonal_convolution_promises_the_moments_that_it_has() -> None:
    """Over a thousand kernels: the mean of squares always, and the spread of the mean as the standard error says."""
    law = ConvolutionOrthogonal(2, 3, 4, 5, 1.5)
    kernels = np.array([law.sample(Stream(seed, "w"), DTYPES["float64"]) for seed in range(1000)])

    means = kernels.mean(axis=1)

    assert (kernels**2).mean(axis=1) == pytest.approx(law.std**2, rel=1e-12)
    assert np.abs(kernels).max() <= law.high
    error = law.standard_errors(kernels.shape[1])[0]
    assert means.std() == pytest.approx(error, rel=5 / sqrt(2 * 1000))
    assert all(agrees(law, DTYPES["float64"], measure(kernel, 0.0, Scratch())) for kernel in kernels)


def test_the_projections_of_a_convolution_come_from_separate_draws() -> None:
    """The kernel of two taps is H P, H (I − P): P is a projection, of about half of the dimensions, and not H's own."""
    n, kernels = 8, 200
    ranks = []
    for seed in range(kernels):
        first, second = ConvolutionOrthogonal(1, 2, n, n).sample(Stream(seed, "w"), DTYPES["float64"]).reshape(2, n, n)
        projection = (first + second).T @ first

        assert np.abs(projection @ projection - projection).max() < 1e-13
        assert np.abs(projection - projection.T).max() < 1e-13
        ranks.append(round(float(np.trace(projection))))

    assert abs(np.mean(ranks) - n / 2) < 5 * sqrt(n / 4 / kernels)
    assert abs(np.var(ranks) - n / 4) < 5 * (n / 4) * sqrt(2 / kernels)


@pytest.mark.parametrize("shape", [(3, 3, 32, 64), (4, 8, 8), (1, 2, 4, 3, 5)])
def test_a_delta_orthogonal_kernel_has_only_its_centre(shape: tuple[int, ...]) -> None:
    """At (k − 1) // 2 of every axis; the squares sum to gain² in, 128 for (3, 3, 32, 64) and gain 2."""
    kernel = initializers.get("tensorflow.convolutional_delta_orthogonal", gain=2)(shape, dtype="float64")

    centre = tuple((k - 1) // 2 for k in shape[:-2])
    assert np.abs(kernel[centre] @ kernel[centre].T - 4 * np.eye(shape[-2])).max() < 1e-13
    assert (kernel**2).sum() == pytest.approx(4 * shape[-2], rel=1e-13)
    kernel[centre] = 0
    assert not kernel.any()


@pytest.mark.parametrize(("name", "shape"), [*SPREAD, ("convolutional_delta_orthogonal", (3, 3, 2, 4))])
def test_before_1_13_a_convolution_was_multiplied_with_the_root_of_its_gain(name: str, shape: tuple[int, ...]) -> None:
    """The gain 4 of TensorFlow 1.9 is the gain 2 of 1.13, from the same draws."""
    old, new = initializers.get(f"tensorflow1_9.{name}", gain=4), initializers.get(f"tensorflow.{name}", gain=2)

    assert old.law(shape) == new.law(shape)
    assert (old(shape) == new(shape)).all()
    assert not old.law(shape).is_portable


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("tensorflow.constant", {"value": "many"}, "`value` must be a number"),
        ("tensorflow.constant", {"value": [1, [2, "x"]]}, "`value` must be a number"),
        ("tensorflow.constant", {"value": [1, float("nan")]}, "`value` must be finite"),
        ("tensorflow.constant", {"value": [[], []]}, "`value` is a list without a value"),
        ("tensorflow.constant", {"value": [[1, 2], [3]]}, "`value` is a list whose items are not of one shape"),
        ("tensorflow.random_uniform", {"minval": 2}, "`minval` must not exceed `maxval`, got 2 and 1"),
        ("tensorflow.random_uniform", {"maxval": "x"}, "`maxval` must be a number"),
        ("tensorflow.random_normal", {"stddev": -1}, "`stddev` must be at least 0"),
        ("tensorflow.uniform_unit_scaling", {"factor": -1}, "`factor` must be at least 0"),
        ("tensorflow.variance_scaling", {"mode": "FAN_IN"}, "`mode` cannot be `FAN_IN`"),
        ("tensorflow.convolutional_orthogonal_2d", {"gain": "big"}, "`gain` must be a number"),
        ("tensorflow1_9.convolutional_orthogonal_2d", {"gain": -1}, "`gain` must be at least 0"),
        ("tensorflow1_9.variance_scaling", {"distribution": "truncated_normal"}, "`distribution` cannot be"),
        ("tensorflow1_9.variance_scaling", {"scale": 0}, "`scale` must be positive"),
        ("tf_contrib.variance_scaling", {"mode": "fan_in"}, "`mode` cannot be `fan_in`"),
        ("tf_contrib.variance_scaling", {"factor": -1}, "`factor` must be at least 0"),
        ("tf_contrib.xavier", {"uniform": 1}, "`uniform` must be true or false"),
        ("keras2_1.variance_scaling", {"distribution": "untruncated_normal"}, "`distribution` cannot be"),
        ("keras2_1.variance_scaling", {"mode": "avg"}, "`mode` cannot be `avg`"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(name: str, parameters: dict[str, Any], message: str) -> None:
    """When it is made, before any shape."""
    with pytest.raises(ArgumentError, match=message):
        initializers.get(name, **parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "shape", "message"),
    [
        (
            "tensorflow.constant",
            {"value": [1] * 8},
            (2, 3),
            r"`value` has 8 elements, but the shape \[2, 3\] takes at most 6",
        ),
        ("tensorflow.constant", {"value": [1]}, (0,), "takes at most 0"),
        ("tensorflow.orthogonal", {}, (5,), "rank 2 or more"),
        ("tensorflow.identity", {}, (2, 2, 2), "rank 2"),
        ("tensorflow.convolutional_delta_orthogonal", {}, (4, 4), "rank 3 to 5"),
        ("tensorflow.convolutional_delta_orthogonal", {}, (3, 5, 4), "no more inputs than outputs"),
        ("tensorflow.convolutional_orthogonal_1d", {}, (3, 3, 4, 4), "rank 3, got"),
        ("tensorflow.convolutional_orthogonal_2d", {}, (3, 2, 4, 4), "equal sides"),
        ("tensorflow.convolutional_orthogonal_2d", {}, (3, 3, 5, 4), "no more inputs than outputs"),
        ("tensorflow.convolutional_orthogonal_3d", {}, (0, 0, 0, 4, 4), "needs a centre"),
        ("tf_contrib.variance_scaling", {}, (0, 5), "fan of 0"),
        ("tf_contrib.variance_scaling", {"mode": "FAN_OUT"}, (5, 0), "fan of 0"),
        ("tf_contrib.xavier", {}, (), "rank 1 or more"),
        ("keras2_1.identity", {}, (2, 4), "square matrix"),
        ("keras2_1.identity", {}, (2, 2, 2), "square matrix"),
        ("keras2_2.identity", {}, (2, 5), "a multiple of the shorter"),
        ("keras2_2.identity", {}, (4,), "rank 2"),
    ],
)
def test_a_shape_that_a_law_does_not_fit_is_refused(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], message: str
) -> None:
    """When the law is made, before anything is drawn."""
    with pytest.raises(ArgumentError, match=message):
        initializers.get(name, **parameters).law(shape)


def test_an_empty_kernel_and_an_empty_fan_are_no_errors_in_core() -> None:
    """No inputs, no outputs; and the guard max(1, n)."""
    assert initializers.get("tensorflow.convolutional_orthogonal_2d")((3, 3, 0, 4)).shape == (3, 3, 0, 4)
    assert initializers.get("tensorflow.convolutional_orthogonal_2d")((3, 3, 0, 0)).shape == (3, 3, 0, 0)
    assert initializers.get("tensorflow.glorot_normal")((0, 0)).shape == (0, 0)


def test_tensorflows_longer_names_mean_the_same() -> None:
    """`tf.zeros_initializer` is `tf.initializers.zeros`; contrib's names end so too."""
    for short, long in [
        ("tensorflow.zeros", "tensorflow.zeros_initializer"),
        ("tensorflow.ones", "tensorflow.Ones"),
        ("tensorflow.glorot_normal", "tensorflow.glorot_normal_initializer"),
        ("tensorflow1_9.glorot_normal", "tensorflow1_9.GlorotNormal"),
        ("tf_contrib.xavier", "tf_contrib.xavier_initializer_conv2d"),
        ("keras2_2.identity", "keras2_2.Identity"),
    ]:
        assert initializers.find(short) is initializers.find(long)
        assert initializers.find(short).qualified_name() == short


@pytest.mark.parametrize(
    ("init", "normal"),
    [
        ("{name: constant, value: [[1, 2], [3, 4]]}", {"name": "tensorflow.constant", "value": [[1, 2], [3, 4]]}),
        ("random_uniform", {"name": "tensorflow.random_uniform", "minval": 0, "maxval": None}),
        ("keras2_1.variance_scaling(mode=FAN_OUT)", None),
        ("tf_contrib.xavier(uniform=false)", {"name": "tf_contrib.xavier", "uniform": False}),
        ("tensorflow1_9.convolutional_orthogonal_1d(gain=3)", None),
    ],
)
def test_a_plan_survives_the_way_through_its_own_spec(init: str, normal: dict[str, Any] | None) -> None:
    """The spec that a file carries resolves to the same laws, whatever the parameters are."""
    text = f"initcli: 1\nframework: tensorflow\ntensors: {{w: {{shape: [2, 2, 4], init: '{init}'}}}}"
    text = text.replace("'{", "{").replace("}'", "}")

    plan = load_plan(text.encode(), "spec.yaml")
    written = json.dumps(plan.normalized_spec())
    again = load_plan(written.encode(), "spec.json")

    assert [t.law for t in again.tensors] == [t.law for t in plan.tensors]
    assert [t.initializer for t in again.tensors] == [t.initializer for t in plan.tensors]
    assert json.dumps(again.normalized_spec()) == written
    if normal:
        assert json.loads(written)["tensors"]["w"]["init"] == normal


def test_a_list_too_long_is_a_fault_at_its_place_in_the_spec() -> None:
    """Found before anything is drawn; a fraction does not go into integers."""
    for value, what in [("[1, 2, 3]", "`value` has 3 elements"), ("[1.5]", "1.5 is no int8 value")]:
        init = f"{{name: tensorflow.constant, value: {value}}}"
        text = f"initcli: 1\ntensors: {{w: {{shape: [2], dtype: int8, init: {init}}}}}"

        with pytest.raises(InitcliError, match=what):
            load_plan(text.encode(), "spec.yaml")


def test_what_a_convolution_holds_is_within_what_it_told() -> None:
    """The peak that a plan tells counts kernel, parts and matrices; measured by NumPy's own traced allocations."""
    import tracemalloc

    law = ConvolutionOrthogonal(2, 3, 96, 128)
    law.sample(Stream(0, "w"), DTYPES["float32"])  # what is imported at first use is no part of it

    tracemalloc.start()
    values = law.sample(Stream(0, "w"), DTYPES["float32"])
    rounded = values.astype(np.float32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert values.size == rounded.size == prod(law.shape)
    assert peak <= law.peak_nbytes(DTYPES["float32"]) + 2**16
