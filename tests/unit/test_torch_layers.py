"""What PyTorch's layers draw by default: laws, zeros, and what is refused."""

from math import inf, sqrt
from typing import Any

import numpy as np
import pytest

from initcli.errors import ArgumentError
from initcli.initializers import get
from initcli.laws import Constant, Normal
from initcli.laws.embedding import PaddedNormal
from initcli.scratch import Scratch
from initcli.stream import Stream

# Expected std and bound of what the layers of PyTorch 2.13.0 drew: (entry, parameters, shape, std, bound).
MEASURED: list[tuple[str, dict[str, Any], tuple[int, ...], float, float]] = [
    ("linear_default", {}, (2000, 784), 0.0206196524711, 0.0357142857143),  # Linear on 784
    ("conv_default", {}, (512, 4, 3, 3), 0.0962250448649, 0.166666666667),  # Conv2d on 16 of 3 × 3 in 4 groups
    ("conv_default_bias", {"fan_in": 36}, (512,), 0.0962250448649, 0.166666666667),  # its bias
    ("embedding_default", {}, (2000, 128), 1, inf),
    ("rnn_default", {"hidden_size": 64}, (256, 100), 0.0721687836487, 0.125),  # LSTM
    ("linear_default", {}, (256, 256), 0.0360843918244, 0.0625),  # MultiheadAttention's out_proj
    ("bilinear_default", {}, (50, 30, 40), 0.105409255339, 0.182574185835),
    ("linear_default_bias", {"fan_in": 30}, (50,), 0.105409255339, 0.182574185835),  # Bilinear's
    # ConvTranspose2d from 16 to 32 of 3 × 3 in 4 groups: fan_in is read from axis 1, 1 / √(8 · 9)
    ("conv_transpose_default", {}, (16, 8, 3, 3), 0.0680413817440, 0.117851130198),
]


@pytest.mark.parametrize(("name", "parameters", "shape", "std", "bound"), MEASURED)
def test_laws_are_those_of_the_layers(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], std: float, bound: float
) -> None:
    """Promises equal them to eleven digits, draws agree within five standard errors and keep to the bounds."""
    initializer = get(f"torch.{name}", **parameters)

    law = initializer.law(shape)
    drawn = initializer(shape, dtype="float64")

    assert (law.mean, law.std, law.low, law.high) == pytest.approx((0, std, -bound, bound), rel=1e-11)
    mean_error, std_error = law.standard_errors(drawn.size)
    assert abs(drawn.mean()) <= 5 * mean_error
    assert abs(drawn.std() - std) <= 5 * std_error
    assert np.abs(drawn).max() <= bound


def test_a_linear_weight_is_kaiming_uniform_with_a_slope_of_root_five() -> None:
    """As PyTorch calls it: the same law to rounding, and so the same values."""
    ours, theirs = get("torch.linear_default"), get("torch.kaiming_uniform", a=sqrt(5))

    assert ours.law((64, 48, 3)).high == pytest.approx(theirs.law((64, 48, 3)).high, rel=4e-16)
    assert ours((64, 48, 3)) == pytest.approx(theirs((64, 48, 3)), rel=2e-7)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (3, 4, 0), (0,)])
def test_an_empty_weight_is_left_empty_whatever_its_rank(shape: tuple[int, ...]) -> None:
    """As kaiming_uniform_, which passes over it."""
    assert get("torch.linear_default")(shape).shape == shape


def test_a_bias_of_a_weight_without_inputs_is_zero() -> None:
    """Linear(0, 3) has the bias 0, 0, 0."""
    assert get("torch.linear_default_bias", fan_in=0).law((3,)) == Constant(0.0)


@pytest.mark.parametrize(("padding_idx", "row"), [(0, 0), (3, 3), (-1, 4), (-5, 0)])
def test_the_row_of_the_padding_is_zero_and_moves_no_other(padding_idx: int, row: int) -> None:
    """A negative index counts from the end; in every cut of the table."""
    table = get("torch.embedding_default", padding_idx=padding_idx)((5, 7), name="w")
    free = get("torch.embedding_default")((5, 7), name="w")

    free[row] = 0
    assert (table == free).all()
    for start in range(35):
        part = np.empty(min(9, 35 - start), np.float32)
        PaddedNormal(5, 7, row).fill(Stream(0, "w"), start, part, Scratch())
        assert (part == free.reshape(-1)[start : start + len(part)]).all()


def test_a_padded_table_promises_its_zeros() -> None:
    """Of 40 rows 39 are drawn: std √(39 / 40), and draws agree within five standard errors."""
    law = get("torch.embedding_default", padding_idx=7).law((40, 500))
    drawn = get("torch.embedding_default", padding_idx=7)((40, 500), dtype="float64")

    assert law.std == pytest.approx(sqrt(39 / 40))
    assert law.kurtosis == pytest.approx(3 * 40 / 39)
    mean_error, std_error = law.standard_errors(drawn.size)
    assert abs(drawn.mean()) <= 5 * mean_error
    assert abs(drawn.std() - law.std) <= 5 * std_error
    # the sum of squares of n values that are drawn has the variance 2n
    assert std_error == pytest.approx(sqrt(2 * 39 * 500) / (40 * 500) / (2 * sqrt(39 / 40)))
    assert PaddedNormal(1, 500, 0).standard_errors(500) == (0, 0)


def test_prelu_begins_at_a_quarter() -> None:
    """Or at the `init` that the layer is given."""
    assert get("torch.prelu_default")((2,)).tolist() == [0.25, 0.25]
    assert get("torch.prelu_default", init=0.5)((1,)).tolist() == [0.5]


@pytest.mark.parametrize(
    ("name", "parameters", "shape", "what"),
    [
        ("linear_default", {}, (5,), "fewer than 2 dimensions"),
        ("linear_default_bias", {}, (5,), "needs `fan_in`"),
        ("linear_default_bias", {"fan_in": -1}, (5,), "`fan_in` must be at least 0"),
        ("linear_default_bias", {"fan_in": 2.5}, (5,), "`fan_in` must be a whole number"),
        ("bilinear_default", {}, (5, 4), "rank 3"),
        ("bilinear_default", {}, (5, 0, 4), "first input that is not empty"),
        ("rnn_default", {}, (5,), "needs `hidden_size`"),
        ("rnn_default", {"hidden_size": 0}, (5,), "`hidden_size` must be at least 1"),
        ("rnn_default", {"hidden_size": True}, (5,), "`hidden_size` must be a number"),
        ("embedding_default", {}, (5,), "rank 2"),
        ("embedding_default", {"padding_idx": 5}, (5, 3), "row 5, which the shape"),
        ("embedding_default", {"padding_idx": -6}, (5, 3), "row -6, which the shape"),
        ("embedding_default", {"padding_idx": 1.0}, (5, 3), "`padding_idx` must be a whole number"),
        ("prelu_default", {"init": inf}, (1,), "`init` must be finite"),
    ],
)
def test_what_a_layer_refuses_is_refused(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], what: str
) -> None:
    """As PyTorch 2.13.0 does, by name."""
    with pytest.raises(ArgumentError, match=what):
        get(f"torch.{name}", **parameters).law(shape)


def test_a_table_without_rows_has_nothing_to_pad() -> None:
    """Embedding(0, 3) is empty."""
    assert get("torch.embedding_default").law((0, 3)) == Normal()
    with pytest.raises(ArgumentError, match="row 0, which the shape"):
        get("torch.embedding_default", padding_idx=0).law((0, 3))
