"""PyTorch's functions: closed forms, drawn values, gains, and what each refuses."""

import dataclasses
from math import inf, sqrt
from typing import Any

import numpy as np
import pytest

from initcli import initializers
from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError
from initcli.fans import Fans, torch_fans
from initcli.initializers import calculate_gain
from initcli.laws import Constant, Eye
from initcli.laws.sparse import Dirac, Sparse
from initcli.moments import measure
from initcli.report import agrees
from initcli.resolution import load_plan
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

FUNCTIONS = [
    "uniform",
    "normal",
    "trunc_normal",
    "constant",
    "ones",
    "zeros",
    "eye",
    "dirac",
    "xavier_uniform",
    "xavier_normal",
    "kaiming_uniform",
    "kaiming_normal",
    "orthogonal",
    "sparse",
]
REQUIRED: dict[str, dict[str, Any]] = {"constant": {"val": 3}, "sparse": {"sparsity": 0.5}}

# Std, mean and greatest value of what torch 2.13.0 drew:
# (initializer, parameters, shape, std, mean, greatest value)
MEASURED: list[tuple[str, dict[str, Any], tuple[int, ...], float, float, float]] = [
    ("xavier_uniform", {"gain": "relu"}, (128, 784), 0.0662266178533, 0, 0.114707866935),
    ("xavier_uniform", {"gain": "calculate_gain(relu)"}, (128, 784), 0.0662266178533, 0, 0.114707866935),
    ("xavier_uniform", {"gain": sqrt(2)}, (128, 784), 0.0662266178533, 0, 0.114707866935),
    ("xavier_normal", {}, (128, 784), 0.0468292905791, 0, inf),
    ("kaiming_uniform", {}, (128, 784), 0.0505076272276, 0, 0.087481776528),
    ("kaiming_uniform", {"a": sqrt(5)}, (128, 784), 0.0206196524711, 0, 0.0357142857143),
    ("kaiming_normal", {"nonlinearity": "tanh"}, (128, 784), 0.0595238095238, 0, inf),
    ("kaiming_normal", {"a": 0.2}, (128, 784), 0.0495268032344, 0, inf),
    ("kaiming_uniform", {"nonlinearity": "sigmoid"}, (128, 784), 0.0357142857143, 0, 0.0618589574132),
    ("kaiming_uniform", {"nonlinearity": "linear"}, (128, 784), 0.0357142857143, 0, 0.0618589574132),
    ("trunc_normal", {}, (500, 500), 0.879625661034, 0, 2),
    ("trunc_normal", {"std": 0.02, "a": -0.04, "b": 0.04}, (500, 500), 0.0175925132207, 0, 0.04),
    ("trunc_normal", {"mean": 1, "std": 1, "a": -2, "b": 2}, (500, 500), 0.784946963404, 0.717213889273, 2),
    ("orthogonal", {"gain": "relu"}, (64, 32, 3, 3), 0.0833333333333, 0, sqrt(2)),
    ("uniform", {}, (500, 500), 1 / sqrt(12), 0.5, 1),
    ("normal", {}, (500, 500), 1, 0, inf),
]


@pytest.mark.parametrize(("name", "parameters", "shape", "std", "mean", "greatest"), MEASURED)
def test_promises_and_draws_are_those_measured_of_torch(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], std: float, mean: float, greatest: float
) -> None:
    """Promises equal the measured law to eleven digits; draws agree within five standard errors and fill the bounds."""
    initializer = initializers.get(name, "torch", **parameters)

    law = initializer.law(shape)
    drawn = initializer(shape, dtype="float32").astype(np.float64)

    assert law.std == pytest.approx(std, rel=1e-11)
    assert law.mean == pytest.approx(mean, rel=1e-11)
    assert law.high == pytest.approx(greatest, rel=1e-11)
    mean_error, std_error = law.standard_errors(drawn.size)
    assert abs(drawn.mean() - mean) <= 5 * mean_error
    assert abs(drawn.std() - std) <= 5 * std_error + 1e-7 * std
    assert drawn.max() <= greatest * (1 + 2e-7)
    if greatest < inf and name != "orthogonal":
        assert drawn.max() > 0.97 * greatest


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_found_by_each_of_its_names(name: str) -> None:
    """Without and with the underscore, as a class, each with the framework before it."""
    cls = initializers.find(f"torch.{name}")
    instance = cls(**REQUIRED.get(name, {}))

    assert cls.qualified_name() == f"torch.{name}"
    for form in (name, f"{name}_", cls.__name__, f"torch.{name}_", f"torch.{cls.__name__}"):
        assert initializers.get(form, "torch", **REQUIRED.get(name, {})) == instance


def test_torch_has_all_functions_and_no_others() -> None:
    """Those that `torch.nn.init.__all__` lists with an underscore."""
    classes = [cls for cls in initializers.registered().values() if cls.framework == "torch"]
    names = [cls.name for cls in classes if not cls.__module__.endswith(".torch_layers")]

    assert sorted(names) == sorted(FUNCTIONS)


def test_keras_lists_first_and_keeps_its_bare_names() -> None:
    """`uniform` alone is Keras's; what only torch has is told by its full name."""
    assert next(iter(initializers.registered())).startswith("keras.")
    assert initializers.find("uniform").qualified_name() == "keras.random_uniform"
    with pytest.raises(ArgumentError) as caught:
        initializers.find("kaiming_normal_")
    assert "`torch.kaiming_normal_`" in caught.value.faults[0].hint


def test_a_spec_of_the_framework_torch_means_torchs_laws() -> None:
    """Bare names, gains in words, both forms of parameters."""
    spec = """
initcli: 1
framework: torch
tensors:
  a: {shape: [128, 784], init: {name: xavier_uniform_, gain: "calculate_gain(leaky_relu, 0.2)"}}
  b: {shape: [128, 784], init: kaiming_normal(mode=fan_out)}
  c: {shape: [128, 784], init: xavier_normal(gain=tanh)}
  d: {shape: [784, 128], init: keras.he_normal}
"""
    plan = load_plan(spec.encode(), "spec.yaml")

    assert [tensor.law.std for tensor in plan.tensors] == pytest.approx(
        [1.3867504905630728 * sqrt(2 / 912), sqrt(2 / 128), 5 / 3 * sqrt(2 / 912), sqrt(2 / 784)], rel=1e-14
    )


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5, 7), (7, 5)),
        ((5, 7, 3), (21, 15)),
        ((5, 7, 3, 3), (63, 45)),
        ((5, 7, 2, 3, 4), (168, 120)),
        ((0, 5), (5, 0)),
    ],
)
def test_fans_read_out_in_and_the_receptive_field(shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    """Fan_in = shape[1] × field, fan_out = shape[0] × field."""
    assert torch_fans(shape) == Fans(*expected)


def test_given_fans_replace_those_of_the_shape() -> None:
    """A packed or transposed kernel has other fans than its shape says."""
    assert initializers.get("torch.kaiming_normal").law((4, 4), Fans(8, 2)).std == pytest.approx(0.5)
    assert initializers.get("torch.xavier_normal").law((4,), Fans(6, 2)).std == pytest.approx(0.5)


# Printed by torch 2.13.0's calculate_gain
GAINS = [
    *((name, None, 1) for name in ("linear", "conv1d", "conv2d", "conv3d", "sigmoid")),
    *((f"conv_transpose{n}d", None, 1) for n in (1, 2, 3)),
    ("tanh", None, 1.6666666666666667),
    ("relu", None, 1.4142135623730951),
    ("selu", None, 0.75),
    ("leaky_relu", None, 1.4141428569978354),
    ("leaky_relu", 0, 1.4142135623730951),
    ("leaky_relu", 0.2, 1.3867504905630728),
    ("leaky_relu", sqrt(5), 0.5773502691896257),
    ("relu", "ignored", 1.4142135623730951),
]


@pytest.mark.parametrize(("nonlinearity", "param", "expected"), GAINS)
def test_gains_are_torchs_to_the_last_bit(nonlinearity: str, param: Any, expected: float) -> None:
    """The param matters to leaky_relu alone."""
    assert calculate_gain(nonlinearity, param) == expected


@pytest.mark.parametrize(
    ("nonlinearity", "param", "message"),
    [
        *((name, None, f"unsupported nonlinearity `{name}`") for name in ("identity", "gelu", "silu", "elu", "RELU")),
        ("leaky_relu", True, "`param` must be a number"),
        ("leaky_relu", "0.2", "`param` must be a number"),
    ],
)
def test_a_gain_that_torch_does_not_know_is_refused(nonlinearity: str, param: Any, message: str) -> None:
    """A ValueError, as torch's."""
    with pytest.raises(ValueError, match=message):
        calculate_gain(nonlinearity, param)


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        (2, 2),
        (0.5, 0.5),
        ("tanh", 5 / 3),
        ("leaky_relu", 1.4141428569978354),
        ("calculate_gain(leaky_relu, 0.2)", 1.3867504905630728),
        ("calculate_gain('leaky_relu', param=0.2)", 1.3867504905630728),
        ("calculate_gain(nonlinearity=selu)", 0.75),
        ("nn.init.calculate_gain('relu')", 1.4142135623730951),
    ],
)
@pytest.mark.parametrize("name", ["xavier_uniform", "xavier_normal", "orthogonal"])
def test_a_gain_is_a_number_a_name_or_a_call(name: str, gain: Any, expected: float) -> None:
    """All three forms give the std that the number gives."""
    law = initializers.get(name, "torch", gain=gain).law((3, 5))

    assert law == initializers.get(name, "torch", gain=expected).law((3, 5))


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("normal", {"std": -1}, "`std` must be at least 0, got -1"),
        ("normal", {"mean": float("nan")}, "`mean` must be finite"),
        ("uniform", {"a": 1, "b": 0}, "`a` must not exceed `b`, got 1 and 0"),
        ("uniform", {"b": "one"}, "`b` must be a number"),
        ("trunc_normal", {"std": 0}, "`std` must be positive, got 0"),
        ("trunc_normal", {"std": -0.1}, "`std` must be positive"),
        ("trunc_normal", {"a": 3}, "`a` must not exceed `b`, got 3 and 2.0"),
        ("constant", {}, "`constant` needs `val`"),
        ("constant", {"val": "x"}, "`val` must be a number"),
        ("dirac", {"groups": 0}, "`groups` must be at least 1"),
        ("dirac", {"groups": 1.5}, "`groups` must be a whole number"),
        ("xavier_uniform", {"gain": -1}, "`gain` must be at least 0"),
        ("xavier_normal", {"gain": -0.5}, "`gain` must be at least 0"),
        ("xavier_normal", {"gain": "gelu"}, "unsupported nonlinearity `gelu`"),
        ("xavier_normal", {"gain": "relu + 1"}, "`gain` cannot be `relu"),
        ("xavier_normal", {"gain": ["relu"]}, "`gain` must be a number"),
        ("kaiming_normal", {"nonlinearity": ["relu"]}, "unsupported nonlinearity"),
        ("kaiming_normal", {"mode": None}, "`mode` cannot be `none`"),
        ("xavier_normal", {"gain": "relu(2)"}, "`gain` cannot be `relu"),
        ("xavier_normal", {"gain": "calculate_gain()"}, "`gain` cannot be"),
        ("xavier_normal", {"gain": "calculate_gain"}, "`gain` cannot be"),
        ("xavier_normal", {"gain": "calculate_gain(relu, slope=1)"}, "`gain` cannot be"),
        ("xavier_normal", {"gain": "calculate_gain(relu, nonlinearity=tanh)"}, "`gain` cannot be"),
        ("xavier_normal", {"gain": "calculate_gain(relu, 1, 2)"}, "`gain` cannot be"),
        ("orthogonal", {"gain": None}, "`gain` must be a number"),
        ("kaiming_normal", {"mode": "fan_avg"}, "`mode` cannot be `fan_avg`"),
        ("kaiming_uniform", {"nonlinearity": "gelu"}, "unsupported nonlinearity `gelu`"),
        ("kaiming_uniform", {"a": True}, "`a` must be a number"),
        ("sparse", {}, "`sparse` needs `sparsity`"),
        ("sparse", {"sparsity": 1.1}, "`sparsity` must be at most 1"),
        ("sparse", {"sparsity": -0.1}, "`sparsity` must be at least 0"),
        ("sparse", {"sparsity": 0.5, "std": -1}, "`std` must be at least 0"),
        ("ones", {"value": 1}, "`ones` has no parameter `value`"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(name: str, parameters: dict[str, Any], message: str) -> None:
    """Before anything is drawn."""
    with pytest.raises(ArgumentError, match=message):
        initializers.get(name, "torch", **parameters)


def test_a_missing_value_is_asked_for_without_inventing_a_default() -> None:
    """The hint names the parameters; one without a default stands alone."""
    with pytest.raises(ArgumentError) as caught:
        initializers.get("torch.sparse")

    assert caught.value.faults[0].hint == "its parameters: sparsity, std=0.01"


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("eye", (3,), "rank 2, got"),
        ("eye", (2, 2, 2), "rank 2, got"),
        ("sparse", (2, 2, 2), "rank 2, got"),
        ("dirac", (2, 2), "rank 3 to 5"),
        ("dirac", (2, 2, 1, 1, 1, 1), "rank 3 to 5"),
        ("orthogonal", (5,), "rank 2 or more"),
        *((name, (5,), "fewer than 2 dimensions") for name in ("xavier_uniform", "kaiming_normal")),
        *((name, (), "fewer than 2 dimensions") for name in ("xavier_normal", "kaiming_uniform")),
        ("xavier_uniform", (0, 0), "needs a fan that is not zero"),
        ("xavier_normal", (3, 4, 0), "needs a fan that is not zero"),
    ],
)
def test_a_shape_that_torch_refuses_is_refused(name: str, shape: tuple[int, ...], message: str) -> None:
    """The ranks of each function, and Xavier's division by zero."""
    with pytest.raises(ArgumentError, match=message):
        initializers.get(name, "torch", **REQUIRED.get(name, {}))(shape)


def test_groups_must_divide_the_outputs() -> None:
    """As torch: dim 0 must be divisible by groups."""
    with pytest.raises(ArgumentError, match="divisible by `groups`, got 5 and 2"):
        initializers.get("torch.dirac", groups=2).law((5, 2, 3))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        *(
            (name, shape)
            for name in ("kaiming_uniform", "kaiming_normal")
            for shape in ((0,), (0, 0), (3, 0), (3, 4, 0))
        ),
        *((name, shape) for name in ("xavier_normal", "orthogonal", "sparse", "eye") for shape in ((0, 5), (5, 0))),
        *(("dirac", shape) for shape in ((0, 2, 3), (2, 0, 3), (2, 2, 0))),
        ("trunc_normal", (0,)),
    ],
)
def test_a_zero_dimension_gives_an_empty_array(name: str, shape: tuple[int, ...]) -> None:
    """Kaiming whatever the rank, as torch; nothing divides by zero."""
    initializer = initializers.get(name, "torch", **REQUIRED.get(name, {}))

    assert initializer(shape).shape == shape
    assert all(np.isfinite(initializer.law(shape).promise[:2]))


def test_the_mode_is_lower_cased() -> None:
    """As torch does."""
    assert initializers.get("torch.kaiming_normal", mode="FAN_OUT").law((2, 8)).std == pytest.approx(1)


@pytest.mark.parametrize("cut", [0.0, 1.5, -2.0])
def test_a_cut_of_one_point_is_that_point(cut: float) -> None:
    """A = b is allowed, as it is in torch."""
    values = initializers.get("torch.trunc_normal", a=cut, b=cut)((4,))

    assert values.tolist() == [cut] * 4


def test_constants_and_eye_are_what_their_names_say() -> None:
    """Element for element."""
    assert initializers.get("torch.constant", val=0.25).law((2,)) == Constant(0.25)
    assert initializers.get("torch.ones")((2,), "int32").tolist() == [1, 1]
    assert initializers.get("torch.zeros")(()).tolist() == 0
    assert initializers.get("torch.eye").law((2, 3)) == Eye(2, 3)


@pytest.mark.parametrize(
    ("shape", "groups", "ones"),
    [
        ((6, 2, 3, 4), 2, [(0, 0, 1, 2), (1, 1, 1, 2), (3, 0, 1, 2), (4, 1, 1, 2)]),
        ((2, 2, 4), 1, [(0, 0, 2), (1, 1, 2)]),
        ((2, 5, 1, 1, 1), 1, [(0, 0, 0, 0, 0), (1, 1, 0, 0, 0)]),
    ],
)
def test_dirac_puts_its_ones_where_torch_does(shape: tuple[int, ...], groups: int, ones: list[tuple[int, ...]]) -> None:
    """The centre of an even kernel of 4 is index 2."""
    values = initializers.get("torch.dirac", groups=groups)(shape)

    assert [tuple(index) for index in np.argwhere(values).tolist()] == ones
    assert set(np.unique(values)) == {0, 1}


@pytest.mark.parametrize(
    ("shape", "groups"), [((6, 2, 3, 2), 2), ((4, 3, 1), 1), ((6, 1, 1), 3), ((2, 5, 4), 2), ((3, 2, 2, 1, 3), 1)]
)
def test_every_range_of_a_dirac_is_the_slice_of_the_whole(shape: tuple[int, ...], groups: int) -> None:
    """And its promises are the exact moments; any dtype can hold it."""
    law, size = Dirac(shape, groups), int(np.prod(shape))
    whole = np.zeros(shape)
    block = shape[0] // groups
    for output in range(shape[0]):
        if output % block < shape[1]:
            whole[(output, output % block, *(n // 2 for n in shape[2:]))] = 1

    for start in range(size + 1):
        for stop in range(start, size + 1):
            part = sample_range(law, Stream(0, "w"), DTYPES["uint8"], start, stop, Scratch())
            assert part.tolist() == whole.reshape(-1)[start:stop].tolist()
    law.check(DTYPES["bool"])
    assert (law.mean, law.std) == (pytest.approx(whole.mean()), pytest.approx(whole.std()))
    assert law.standard_errors(size) == (0, 0)


@pytest.mark.parametrize("dtype", ["int32", "bool", "float64", "float32"])
@pytest.mark.parametrize(
    "law", [Dirac((6, 2, 3, 4), 2), Dirac((64, 64, 3, 3)), Dirac((7, 5, 3)), Eye(3, 7), Eye(49, 11), Eye(300, 300)]
)
def test_what_is_exact_agrees_with_its_promise_in_any_dtype(law: Dirac | Eye, dtype: str) -> None:
    """The values are exact, but the mean and std that are observed of them are rounded."""
    size = int(np.prod(law.shape)) if isinstance(law, Dirac) else law.rows * law.cols
    values = sample_range(law, Stream(0, "w"), DTYPES[dtype], 0, size, Scratch())

    observed = measure(values.astype(np.float64), law.mean, Scratch())

    assert agrees(law, DTYPES[dtype], observed)
    assert not agrees(law, DTYPES[dtype], dataclasses.replace(observed, mean=observed.mean + 1 / size))


@pytest.mark.parametrize(
    ("shape", "sparsity", "zeros"), [((10, 4), 0.25, 3), ((10, 4), 1.0, 10), ((10, 4), 0, 0), ((1000, 5), 0.1, 100)]
)
def test_sparse_zeroes_the_same_number_in_each_column(shape: tuple[int, int], sparsity: float, zeros: int) -> None:
    """⌈sparsity · rows⌉, chosen in each column alone."""
    values = initializers.get("torch.sparse", sparsity=sparsity)(shape, "float64")

    assert (values == 0).sum(axis=0).tolist() == [zeros] * shape[1]
    if 0 < zeros < shape[0]:
        assert len({tuple(column) for column in (values == 0).T.tolist()}) > 1


def test_the_values_of_sparse_have_their_std_and_its_zeros_no_place_of_their_own() -> None:
    """Std of the non-zeros and of the whole within five standard errors; each row gets its share of zeros."""
    law = initializers.get("torch.sparse", sparsity=0.9).law((1000, 500))
    assert isinstance(law, Sparse)

    values = law.sample(Stream(1, "w"), DTYPES["float32"])
    mean_error, std_error = law.standard_errors(values.size)
    nonzero = values[values != 0]
    by_row = (values.reshape(1000, 500) == 0).mean(axis=1)

    assert law.std == pytest.approx(0.01 * sqrt(0.1), rel=1e-12)
    assert law.kurtosis == pytest.approx(30)
    assert abs(values.mean()) < 5 * mean_error
    assert abs(values.std() - law.std) < 5 * std_error
    assert abs(nonzero.std() - 0.01) < 5 * 0.01 / sqrt(2 * nonzero.size)
    assert np.abs(by_row - 0.9).max() < 5 * sqrt(0.9 * 0.1 / 500)


def test_the_std_error_of_sparse_is_that_of_many_draws() -> None:
    """The spread of the observed std over 2,000 seeds, itself within five standard errors."""
    law = Sparse(20, 10, 15, 2.0)

    stds = [law.sample(Stream(seed, "w"), DTYPES["float64"]).std() for seed in range(2000)]

    # 50 normal values a tensor: the formula is asymptotic, and off by a relative 1 / (8 · 50)
    error = law.standard_errors(200)[1]
    assert abs(np.std(stds) - error) < error * (5 / sqrt(2 * 2000) + 1 / (4 * 50))


def test_which_rows_of_sparse_are_zero_is_read_from_the_second_draws() -> None:
    """The rows of a column's smallest unsigned words, by plain Python."""
    rows, cols, zeros = 7, 3, 4
    words = [int(word) for word in Stream(5, "w").words(rows * cols, 2 * rows * cols)]

    values = Sparse(rows, cols, zeros).sample(Stream(5, "w"), DTYPES["float64"]).reshape(rows, cols)

    for col in range(cols):
        first = sorted(range(rows), key=lambda row: words[row * cols + col])[:zeros]
        assert np.flatnonzero(values[:, col] == 0).tolist() == sorted(first)


def test_sparse_holds_no_more_memory_than_it_says() -> None:
    """The peak of NumPy's allocations while it draws."""
    import tracemalloc

    law = Sparse(500, 400, 100)
    law.sample(Stream(0, "w"), DTYPES["float32"])
    tracemalloc.start()
    law.sample(Stream(0, "w"), DTYPES["float32"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak <= law.peak_nbytes(DTYPES["float32"])
