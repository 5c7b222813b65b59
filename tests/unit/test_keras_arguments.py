"""What Keras's initializers take and refuse, argument by argument, as Keras 3.15.1 was seen to do when it was run."""

from math import inf, nan
from typing import Any

import numpy as np
import pytest

from initcli import initializers
from initcli.errors import ArgumentError

ARRAY = np.array([[0.0], [1.0]])

# Odd arguments that Keras 3.15.1 takes, run on its JAX, PyTorch and TensorFlow backends: what it does with them.
TAKEN: list[tuple[str, dict[str, Any], tuple[int, ...], str]] = [
    *(("random_normal", {"stddev": std}, (2, 3), "float32") for std in (0, 0.0, np.float32(0.5), np.int64(2))),
    *(("truncated_normal", {"stddev": std}, (2, 3), "float32") for std in (0, np.float64(0.5))),
    ("random_normal", {"mean": -1}, (), "float32"),
    ("random_uniform", {"minval": 0.5, "maxval": 0.5}, (2, 3), "float32"),
    ("random_uniform", {"minval": np.float32(0), "maxval": np.float32(1)}, (0,), "float16"),
    *(("orthogonal", {"gain": gain}, (2, 3), "float32") for gain in (0, -2.0, np.float32(2), np.int64(2))),
    *(("identity", {"gain": gain}, (2, 3), "float32") for gain in (0, -2.0, np.int64(2))),
    ("identity", {"gain": 2}, (2, 3), "int32"),
    ("identity", {"gain": 1}, (0, 0), "float32"),
    *(("variance_scaling", {"scale": scale}, (2, 3), "float32") for scale in (1, np.float32(2), np.int64(2))),
    *(("variance_scaling", {"distribution": word}, (2, 3), "float32") for word in ("NORMAL", "Uniform")),
    *(("constant", {"value": value}, (2, 3), "float32") for value in (True, np.int64(2), np.float32(2), -0.0)),
    *(("constant", {"value": value}, (2, 3), "float32") for value in ([1, 2, 3], (1, 2, 3), [[1, 2, 3]], ARRAY)),
    ("constant", {"value": [True, False, True]}, (2, 3), "bool"),
    ("constant", {"value": [1, 2, 3]}, (2, 3), "int32"),
    *(
        (name, {}, shape, "float32")
        for name in ("he_normal", "glorot_uniform")
        for shape in ((), (5,), (0,), (3, 0, 2))
    ),
    *((name, {}, (2, 3), dtype) for name in ("zeros", "ones") for dtype in ("int32", "bool", "uint32", "bfloat16")),
    ("he_normal", {"input_axes": [5]}, (4, 3), "float32"),  # one alone is not looked at
    ("he_normal", {"input_axes": [], "output_axes": []}, (4, 3), "float32"),
    ("he_normal", {"input_axes": np.array([0]), "output_axes": range(1, 2)}, (4, 3), "float32"),
]


@pytest.mark.parametrize(("name", "parameters", "shape", "dtype"), TAKEN)
def test_what_keras_takes_is_taken(name: str, parameters: dict[str, Any], shape: tuple[int, ...], dtype: str) -> None:
    """Values of that shape and dtype, all of them finite; the shape may be a list or an array, too."""
    for written in (shape, list(shape), np.array(shape, np.int64)):
        drawn = initializers.get(name, **parameters)(written, dtype=dtype)

        assert drawn.shape == shape
        assert drawn.dtype.name == dtype
        assert np.isfinite(drawn.astype(np.float64)).all()


# What Keras 3.15.1 refuses, on every backend.
REFUSED: list[tuple[str, dict[str, Any], tuple[int, ...], str]] = [
    *(
        (name, {"stddev": std}, (2, 3), "float32")
        for name in ("random_normal", "truncated_normal")
        for std in ("1", None)
    ),
    *(("random_uniform", {"minval": low}, (2, 3), "float32") for low in ("0", None)),
    *((name, {"gain": gain}, (2, 3), "float32") for name in ("orthogonal", "identity") for gain in ("2", None)),
    *(("variance_scaling", {"scale": scale}, (2, 3), "float32") for scale in (0, -1.0, False, "2", None, [1.0])),
    *(("variance_scaling", {"distribution": word}, (2, 3), "float32") for word in (None, 3, "gauss")),
    *(("variance_scaling", {"mode": word}, (2, 3), "float32") for word in (None, "FAN_IN", "fan")),
    *(("constant", {"value": value}, (2, 3), "float32") for value in ("a", None, [1, 2], [], [[1], [2], [3]])),
    *(
        (name, {}, (2, 3), dtype)
        for name in ("random_normal", "random_uniform", "he_normal")
        for dtype in ("int32", "bool")
    ),
    *((name, {}, shape, "float32") for name in ("orthogonal", "identity") for shape in ((), (0,), (5,))),
    ("identity", {}, (3, 0, 2), "float32"),
    *(("zeros", {}, shape, "float32") for shape in ((2.0, 3), (2, -1), (None, 3))),  # type: ignore[list-item]
    *(("random_normal", {"seed": seed}, (2, 3), "float32") for seed in (1.0, "3", [1], {}, np.int64(3))),
    *(
        ("he_normal", {"input_axes": axes, "output_axes": [1]}, (4, 3), "float32")
        for axes in ([2], [-3], 0, ["0"], [0.0])
    ),
]


@pytest.mark.parametrize(("name", "parameters", "shape", "dtype"), REFUSED)
def test_what_keras_refuses_is_refused(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], dtype: str
) -> None:
    """Always by an `ArgumentError`, where Keras raises what its backend happens to."""
    with pytest.raises(ArgumentError):
        initializers.get(name, **parameters)(shape, dtype=dtype)


# What Keras 3.15.1 takes on its JAX backend and is refused here, and why.
STRICTER: list[tuple[str, dict[str, Any], str]] = [
    ("random_normal", {"stddev": -1.0}, "refused by the PyTorch and NumPy backends"),
    ("truncated_normal", {"stddev": -1.0}, "refused by the NumPy backend"),
    ("random_uniform", {"minval": 1, "maxval": -1}, "1 everywhere on JAX, all between on PyTorch and TensorFlow"),
    *(("random_normal", {"mean": value}, "no number comes of it") for value in (nan, inf)),
    *(("random_normal", {"stddev": value}, "no number comes of it") for value in (nan, inf, 1e39)),
    *(("orthogonal", {"gain": value}, "no number comes of it") for value in (nan, inf)),
    *(("variance_scaling", {"scale": value}, "no number comes of it") for value in (nan, inf)),
    *(("constant", {"value": value}, "no number comes of it") for value in (nan, -inf, 1e39)),
    *((name, {"gain": True}, "a switch is no factor") for name in ("orthogonal", "identity")),
    ("constant", {"value": np.ones((1, 2, 3))}, "the tensor would have another shape"),
    ("constant", {"value": "2"}, "refused by the PyTorch and TensorFlow backends"),
]


@pytest.mark.parametrize(("name", "parameters", "reason"), STRICTER)
def test_what_makes_no_law_of_keras_is_refused(name: str, parameters: dict[str, Any], reason: str) -> None:
    """Where its backends disagree, and where a weight would not be a finite number."""
    assert reason
    with pytest.raises(ArgumentError):
        initializers.get(name, **parameters)((2, 3))


@pytest.mark.parametrize(
    ("value", "drawn"),
    [
        ([1, 2, 3], [[1, 2, 3], [1, 2, 3]]),
        ([[1], [2]], [[1, 1, 1], [2, 2, 2]]),
        (np.array([[0.5]]), [[0.5] * 3] * 2),
    ],
)
def test_a_constant_array_is_broadcast(value: Any, drawn: list[list[float]]) -> None:
    """As Keras 3.15.1 does, which multiplies it with ones of the shape."""
    constant = initializers.get("constant", value=value)

    assert constant((2, 3)).tolist() == drawn
    assert constant == initializers.get("constant", **constant.config())
