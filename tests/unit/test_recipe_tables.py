"""ZerO, position tables and rotary frequencies: values of the papers and of transformers, shapes, refusals."""

from math import ceil, log, log2, pi, sqrt
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from numpy.typing import NDArray
from scipy.linalg import hadamard

from initcli.errors import ArgumentError
from initcli.initializers import get
from initcli.initializers.base import Initializer

UNIT = 2.0**-53


def make(name: str, **parameters: Any) -> Initializer:
    return get(f"recipe.{name}", **parameters)


def draw(name: str, shape: tuple[int, ...], dtype: str = "float64", **parameters: Any) -> NDArray[Any]:
    return make(name, **parameters)(shape, dtype)


def exact_table(rows: int, frequencies: list[Any], function: str) -> NDArray[np.float64]:
    """Return sines or cosines of every position times every frequency, by mpmath."""
    with mp.workprec(120):
        return np.array([[float(getattr(mp, function)(row * f)) for f in frequencies] for row in range(rows)])


def falling(base: float, count: int, divisor: float) -> list[Any]:
    """Return base^(−i / divisor), by mpmath."""
    with mp.workprec(120):
        return [mpf(base) ** (-mpf(i) / mpf(divisor)) for i in range(count)]


def zero_by_the_paper(rows: int, cols: int) -> NDArray[np.float64]:
    """Return ZerO's matrix (out, in) as the authors' notebook makes it: identity, or I · H / 2^(c/2) · I."""
    if rows <= cols:
        return np.eye(rows, cols)
    c = ceil(log2(rows))
    found: NDArray[np.float64] = np.eye(rows, 2**c) @ (hadamard(2**c) / 2 ** (c / 2)) @ np.eye(2**c, cols)
    return found


def test_zero_init_of_four_by_three_is_known() -> None:
    """Entries ±½."""
    half = draw("zero_init", (4, 3), order="torch") * 2

    assert half.tolist() == [[1, 1, 1], [1, -1, 1], [1, 1, -1], [1, -1, -1]]


def test_zero_init_of_five_by_two_is_known() -> None:
    """Entries ±0.353553390593 = ±1 / √8, of the facts."""
    found = draw("zero_init", (5, 2), order="torch")

    assert np.abs(found).tolist() == [[sqrt(1 / 8)] * 2] * 5
    assert np.sign(found).tolist() == [[1, 1], [1, -1], [1, 1], [1, -1], [1, 1]]


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (4, 4), (3, 7), (7, 3), (33, 32), (64, 10), (100, 99)])
def test_zero_init_is_the_authors(shape: tuple[int, int]) -> None:
    """By SciPy's Hadamard matrix, as in their notebook; in another order of axes it is transposed."""
    expected = zero_by_the_paper(*shape)

    np.testing.assert_allclose(draw("zero_init", shape, order="torch"), expected, rtol=4 * UNIT)
    np.testing.assert_allclose(draw("zero_init", shape[::-1], order="keras"), expected.T, rtol=4 * UNIT)


def test_the_papers_table_interleaves_sines_and_cosines() -> None:
    """sin(p / 10000^(2i / d)) and cos, also where the last cosine is left out."""
    for cols in (8, 7):
        found = draw("sinusoidal", (50, cols))

        frequencies = falling(10000, ceil(cols / 2), cols / 2)
        np.testing.assert_allclose(found[:, ::2], exact_table(50, frequencies, "sin"), rtol=0, atol=3 * UNIT)
        cosines = exact_table(50, frequencies[: cols // 2], "cos")
        np.testing.assert_allclose(found[:, 1::2], cosines, rtol=0, atol=3 * UNIT)


def test_the_concatenated_table_has_the_same_columns_sines_first() -> None:
    """Marian's; with an odd number of features there is a sine more."""
    for cols in (8, 7):
        interleaved = draw("sinusoidal", (50, cols))

        expected = np.concatenate([interleaved[:, ::2], interleaved[:, 1::2]], axis=1)
        np.testing.assert_array_equal(draw("sinusoidal_concatenated", (50, cols)), expected)


def test_the_table_of_tensor2tensor_ends_at_the_base_itself() -> None:
    """For d = 8 frequencies 1, 0.0464, 0.00215, 0.0001; a zero column for an odd d, a zero row for padding."""
    found = draw("sinusoidal_tensor2tensor", (20, 9), padding_idx=1)

    frequencies = falling(10000, 4, 3)
    assert [f"{float(f):.5g}" for f in frequencies] == ["1", "0.046416", "0.0021544", "0.0001"]
    expected = np.concatenate(
        [exact_table(20, frequencies, "sin"), exact_table(20, frequencies, "cos"), np.zeros((20, 1))], axis=1
    )
    expected[1] = 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=3 * UNIT)


def test_the_table_of_a_grid_tells_the_column_first() -> None:
    """A row of zeros, then (y, x) in order: sines and cosines of x, then of y."""
    found = draw("sinusoidal_2d", (1, 10, 8), cls_token=True)[0]

    frequencies = falling(10000, 2, 2)
    one = np.concatenate([exact_table(3, frequencies, "sin"), exact_table(3, frequencies, "cos")], axis=1)
    expected = [np.zeros(8), *(np.concatenate([one[x], one[y]]) for y in range(3) for x in range(3))]
    np.testing.assert_allclose(found, expected, rtol=0, atol=3 * UNIT)
    np.testing.assert_array_equal(draw("sinusoidal_2d", (9, 8)), found[1:])


def test_rotary_frequencies_are_known() -> None:
    """1, 0.749894, 0.562341, 0.421697, … for dim 64; Llama 3's base is another."""
    found = draw("rotary_inv_freq", (32,))

    np.testing.assert_allclose(found[:4], [1, 0.749894, 0.562341, 0.421697], atol=5e-7)
    np.testing.assert_allclose(found, [float(f) for f in falling(10000, 32, 32)], rtol=2 * UNIT)
    other = draw("rotary_inv_freq", (32,), base=500000)
    np.testing.assert_allclose(other, [float(f) for f in falling(500000, 32, 32)], rtol=2 * UNIT)


def test_rotary_tables_have_two_equal_halves() -> None:
    """cos and sin of position × frequency / factor."""
    frequencies = [f / 4 for f in falling(10000, 4, 4)]

    for name in ("cos", "sin"):
        found = draw(f"rotary_{name}", (40, 8), factor=4)
        expected = exact_table(40, frequencies, name)
        np.testing.assert_allclose(found, np.tile(expected, 2), rtol=0, atol=3 * UNIT)


# From transformers 5.23.0 (torch 2.13.0), ROPE_INIT_FUNCTIONS, head_dim 16, rope_theta 10000, in float32.
SCALED = [
    (
        "linear",
        {"factor": 4.0},
        [0.25, 0.079056941, 0.0250000004, 0.00790569466, 0.00249999994, 0.000790569466, 0.000250000012, 7.90569466e-05],
    ),
    (
        "dynamic",
        {"factor": 2.0, "seq_len": 5000, "max_position_embeddings": 2048},
        [1.0, 0.260517091, 0.0678691566, 0.0176810753, 0.00460622227, 0.00119999971, 0.000312620425, 8.14429659e-05],
    ),
    (
        "llama3",
        {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 256},
        [1.0, 0.316227764, 0.100000001, 0.00661310693, 0.00124999997, 0.000395284733, 0.000125000006, 3.95284733e-05],
    ),
    (
        "yarn",
        {"factor": 4.0, "original_max_position_embeddings": 4096},
        [1.0, 0.316227764, 0.100000001, 0.025693506, 0.00624999963, 0.00138349656, 0.000250000012, 7.90569466e-05],
    ),
    (
        "yarn",
        {"factor": 4.0, "original_max_position_embeddings": 4096, "truncate": False},
        [1.0, 0.316227764, 0.100000001, 0.0286136102, 0.006556971, 0.00128563191, 0.000250000012, 7.90569466e-05],
    ),
    (
        "longrope",
        {"factors": [1.0, 1.25, 2.0, 4.0, 7.5, 16.0, 31.0, 60.0]},
        [1.0, 0.252982229, 0.0500000007, 0.00790569466, 0.00133333332, 0.000197642366, 3.22580636e-05, 5.27046268e-06],
    ),
    (
        "proportional",
        {"partial_rotary_factor": 0.7, "factor": 3.0},
        [0.333333343, 0.105409257, 0.0333333351, 0.0105409259, 0.00333333318, 0.0, 0.0, 0.0],
    ),
]


@pytest.mark.parametrize(("name", "parameters", "expected"), SCALED)
def test_scaled_rotary_frequencies_are_those_of_transformers(
    name: str, parameters: dict[str, Any], expected: list[float]
) -> None:
    """Values that transformers gave, within what its float32 leaves of them."""
    found = draw(f"rotary_inv_freq_{name}", (8,), **parameters)

    # an exponent of at most ln 10000, rounded twice; a power, a quotient, and the mixture of two: sixteen roundings
    np.testing.assert_allclose(found, expected, rtol=(2 * log(10000) + 16) * 2.0**-24)


def test_scalings_of_factor_one_change_nothing() -> None:
    """Whatever the rule."""
    plain = draw("rotary_inv_freq", (8,))

    for name, rest in [
        ("linear", {"factor": 1}),
        ("dynamic", {"factor": 1, "seq_len": 10, "max_position_embeddings": 10}),
        ("llama3", {"factor": 1}),
        ("yarn", {"factor": 1, "original_max_position_embeddings": 100}),
        ("longrope", {"factors": [1] * 8}),
        ("proportional", {}),
    ]:
        np.testing.assert_array_equal(draw(f"rotary_inv_freq_{name}", (8,), **rest), plain)


def test_llama3_keeps_what_turns_often_and_divides_what_turns_seldom() -> None:
    """Within 8192 positions: more than four turns are kept, less than one is divided by eight."""
    plain, found = draw("rotary_inv_freq", (64,)), draw("rotary_inv_freq_llama3", (64,))

    turns = 8192 * plain / (2 * pi)
    np.testing.assert_array_equal(found[turns > 4], plain[turns > 4])
    np.testing.assert_array_equal(found[turns < 1], plain[turns < 1] / 8)
    between = (turns >= 1) & (turns <= 4)
    assert between.any()
    assert ((plain / 8 < found) & (found < plain))[between].all()


@pytest.mark.parametrize(
    "name", ["sinusoidal", "sinusoidal_concatenated", "sinusoidal_tensor2tensor", "rotary_cos", "rotary_sin"]
)
def test_a_table_in_float32_is_the_exact_one_rounded_once(name: str) -> None:
    """And so at any place of it, and with an axis of length 1 before."""
    exact = draw(name, (300, 64))

    np.testing.assert_array_equal(draw(name, (300, 64), "float32"), exact.astype(np.float32))
    np.testing.assert_array_equal(draw(name, (1, 300, 64)), exact[None])


REFUSED: list[tuple[str, dict[str, Any], tuple[int, ...], str]] = [
    ("zero_init", {}, (4,), "shape"),
    ("zero_init", {}, (3, 3, 4, 4), "shape"),
    ("zero_init", {"order": "fortran"}, (4, 4), "order"),
    ("sinusoidal", {}, (4,), "shape"),
    ("sinusoidal", {}, (2, 4, 4), "shape"),
    ("sinusoidal", {}, (2**32 + 1, 1), "shape"),
    ("sinusoidal", {"base": 0.5}, (4, 4), "base"),
    ("sinusoidal", {"base": "10"}, (4, 4), "base"),
    ("sinusoidal_tensor2tensor", {}, (4, 3), "shape"),
    ("sinusoidal_tensor2tensor", {"padding_idx": 4}, (4, 8), "padding_idx"),
    ("sinusoidal_tensor2tensor", {"padding_idx": -1}, (4, 8), "padding_idx"),
    ("sinusoidal_tensor2tensor", {"padding_idx": True}, (4, 8), "padding_idx"),
    ("sinusoidal_2d", {}, (10, 8), "shape"),
    ("sinusoidal_2d", {}, (9, 6), "shape"),
    ("sinusoidal_2d", {"cls_token": True}, (9, 8), "shape"),
    ("sinusoidal_2d", {"cls_token": True}, (1, 8), "shape"),
    ("sinusoidal_2d", {"cls_token": 1}, (10, 8), "cls_token"),
    ("rotary_inv_freq", {}, (4, 4), "shape"),
    ("rotary_inv_freq", {"base": 1}, (4,), "base"),
    ("rotary_inv_freq_linear", {}, (4,), "factor"),
    ("rotary_inv_freq_linear", {"factor": 0.5}, (4,), "factor"),
    ("rotary_inv_freq_dynamic", {"factor": 2, "seq_len": 9, "max_position_embeddings": 4}, (1,), "shape"),
    ("rotary_inv_freq_dynamic", {"factor": 2, "seq_len": 0, "max_position_embeddings": 4}, (4,), "seq_len"),
    ("rotary_inv_freq_llama3", {"low_freq_factor": 0}, (4,), "low_freq_factor"),
    ("rotary_inv_freq_llama3", {"low_freq_factor": 4}, (4,), "high_freq_factor"),
    ("rotary_inv_freq_yarn", {"factor": 2}, (4,), "original_max_position_embeddings"),
    ("rotary_inv_freq_yarn", {"factor": 2, "original_max_position_embeddings": 9, "beta_fast": 0}, (4,), "beta_fast"),
    ("rotary_inv_freq_yarn", {"factor": 2, "original_max_position_embeddings": 9, "truncate": 1}, (4,), "truncate"),
    ("rotary_inv_freq_longrope", {"factors": [1.0, 2.0]}, (4,), "factors"),
    ("rotary_inv_freq_longrope", {"factors": [1.0, 0.0]}, (2,), "factors"),
    ("rotary_inv_freq_longrope", {"factors": 1.0}, (2,), "factors"),
    ("rotary_inv_freq_proportional", {"partial_rotary_factor": 1.5}, (2,), "partial_rotary_factor"),
    ("rotary_cos", {}, (4, 7), "shape"),
    ("rotary_sin", {"factor": 0}, (4, 8), "factor"),
]


@pytest.mark.parametrize(("name", "parameters", "shape", "at_fault"), REFUSED)
def test_what_makes_no_sense_is_refused(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], at_fault: str
) -> None:
    """The error names the parameter, or the shape."""
    with pytest.raises(ArgumentError) as caught:
        make(name, **parameters).law(shape)

    assert caught.value.parameter == at_fault


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("zero_init", (0, 3)),
        ("sinusoidal", (0, 4)),
        ("sinusoidal", (4, 0)),
        ("rotary_inv_freq", (0,)),
        ("rotary_cos", (0, 8)),
        ("rotary_cos", (3, 0)),
    ],
)
def test_an_empty_table_is_empty(name: str, shape: tuple[int, ...]) -> None:
    """No row, or no feature."""
    assert draw(name, shape).shape == shape
