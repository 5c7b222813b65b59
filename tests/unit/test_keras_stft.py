"""Keras's STFT: kernels, windows, what they promise, and what is refused."""

import sys
from math import cos, pi, sqrt
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from initcli.errors import ArgumentError
from initcli.initializers import get
from initcli.laws.fourier import COSINE_SUMS, Fourier, cosine_window
from initcli.resolution import load_plan
from initcli.scratch import Scratch
from initcli.stream import Stream

# What Keras 3.15.1 returned (JAX backend, SciPy 1.17.1), to seven places: (parameters, shape, values by time and bin).
RETURNED: list[tuple[dict[str, Any], tuple[int, ...], list[list[float]]]] = [
    (
        {},
        (4, 1, 3),
        [[0, 0, 0], [0.7071068, 0, -0.7071068], [0.7071068, -0.7071068, 0.7071068], [0, 0, 0]],
    ),
    (
        {"side": "imag", "window": "hamming", "scaling": "spectrum"},
        (5, 1, 4),
        [
            [0, 0, 0, 0],
            [0, -0.208774, -0.208774, 0],
            [0, -0.3866185, 0.3866185, -1e-07],
            [0, 0, 0, 0],
            [0, 0.0309295, -0.0309295, 0],
        ],
    ),
    (
        {"window": "blackman", "periodic": True, "scaling": None},
        (4, 1, 4),
        [[0, 0, 0, 0], [0.34, 0.17, -0.17, -0.34], [1, -0.5000001, -0.4999999, 1], [0.34, -0.34, 0.34, -0.34]],
    ),
    (
        {"side": "imag", "window": [1.0, -2.0, 0.5]},
        (3, 1, 4),
        [[0, 0, 0, 0], [0, 0.7559289, 0.7559289, -1e-07], [0, -0.1889822, 0.1889822, 0]],
    ),
    (
        {"window": None, "scaling": "spectrum"},
        (3, 1, 4),
        [[1, 1, 1, 1], [1, 0.5, -0.5000001, -1], [1, -0.5000001, -0.4999999, 1]],
    ),
    (
        {"window": "flattop"},
        (6, 1, 2),
        [
            [-0.0004876, -0.0004876],
            [-0.0784117, 0.0784117],
            [0.7027456, 0.7027456],
            [0.7027456, -0.7027456],
            [-0.0784117, -0.0784117],
            [-0.0004876, 0.0004876],
        ],
    ),
]


@pytest.mark.parametrize(("parameters", "shape", "values"), RETURNED)
def test_kernels_are_those_that_keras_returned(
    parameters: dict[str, Any], shape: tuple[int, ...], values: list[list[float]]
) -> None:
    """To the seventh place, and four float32 roundings of the greatest angle, 2π t f / n ≤ π t."""
    kernel = get("stft", **parameters)(shape)

    assert kernel.shape == shape
    assert kernel.dtype == np.float32
    rounding = (4 * pi * (shape[0] - 1) + 4) * 2**-24
    assert kernel[:, 0] == pytest.approx(np.array(values), abs=5e-8 + rounding)


# What scipy.signal.get_window of SciPy 1.17.1 returned.
@pytest.mark.parametrize(
    ("name", "length", "is_periodic", "values"),
    [
        ("hann", 4, False, [0, 0.75, 0.75, 0]),
        ("hann", 4, True, [0, 0.5, 1, 0.5]),
        ("boxcar", 3, False, [1, 1, 1]),
        ("hamming", 1, False, [1]),
        (
            "nuttall",
            5,
            True,
            [0.0003628000000000381, 0.11051525304987181, 0.7982580969501283, 0.7982580969501283, 0.11051525304987181],
        ),
        (
            "blackmanharris",
            6,
            False,
            [6e-5, 0.10301148934566379, 0.7938335106543363, 0.7938335106543363, 0.10301148934566379, 6e-5],
        ),
    ],
)
def test_windows_are_scipys(name: str, length: int, is_periodic: bool, values: list[float]) -> None:
    """A symmetric window's period is one less than its length; each is a sum of at most five cosines."""
    rounding = 5 * 4 * np.finfo(np.float64).eps  # each cosine is good to 4 units

    assert cosine_window(name, length, is_periodic) == pytest.approx(values, abs=rounding)


def test_every_cosine_sum_is_one_at_the_middle() -> None:
    """The weights add up to one but for the digits that they are given with."""
    for name in COSINE_SUMS:
        assert cosine_window(name, 9, is_periodic=False)[4] == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize("window", ["hann", "flattop", None, tuple((-1.5) ** (t % 3) for t in range(24))])
@pytest.mark.parametrize("shape", [(24, 1, bins) for bins in (2, 3, 4, 10, 17, 100)])
def test_the_promise_is_what_the_kernel_has(side: str, window: Any, shape: tuple[int, ...]) -> None:
    """Mean and std to the roundings of the sums; a real kernel's bounds exactly, an imaginary one's in modulus."""
    initializer = get("stft", side=side, window=window)
    law, values = initializer.law(shape), initializer(shape, dtype="float64")

    greatest = np.abs(values).max(initial=0)
    assert law.mean == pytest.approx(values.mean(), abs=16 * greatest * np.finfo(np.float64).eps)
    assert law.std == pytest.approx(values.std(), abs=16 * greatest * np.finfo(np.float64).eps)
    assert law.low <= values.min()
    assert values.max() <= law.high
    if side == "real":
        assert (law.low, law.high) == (values.min(), values.max())
    else:
        assert max(-law.low, law.high) == greatest
    assert law.standard_errors(values.size) == (0, 0)
    assert law.is_portable
    assert not law.is_random


def test_angles_are_reduced_before_they_are_rounded() -> None:
    """Near three quarters of a turn the cosine keeps its digits; that of a rounded angle loses them."""
    law = Fourier((1.0,) * 4, 5)
    far = Fourier((1.0,) * 4, 2**20 + 1).values(np.array([3 * (2**20 + 1) + 2**19 + 1]))

    assert law.values(np.array([3 * 5 + 1]))[0] == pytest.approx(cos(2 * pi * 3 / 8), abs=4e-16)
    # 3 (2¹⁹ + 1) / 2²¹ turns are three quarters of one and 3 / 2²¹
    assert far[0] == pytest.approx(2 * pi * 3 / 2**21, rel=1e-11)


def test_a_part_of_a_kernel_is_that_part_of_the_whole() -> None:
    """An element-wise law: any range can be filled alone."""
    law = get("stft").law((16, 1, 9))
    whole, part = np.empty(144, np.float32), np.empty(31, np.float32)

    assert isinstance(law, Fourier)
    law.fill(Stream(0, "w"), 0, whole, Scratch())
    law.fill(Stream(0, "w"), 40, part, Scratch())

    assert (part == whole[40:71]).all()


@pytest.mark.parametrize(("scaling", "scale"), [("density", sqrt(30)), ("spectrum", 10), (None, 1)])
def test_a_window_is_divided_by_its_length_or_its_sum(scaling: str | None, scale: float) -> None:
    """√(1 + 4 + 9 + 16) and 1 + 2 + 3 + 4; at bin 0 the kernel is the window."""
    kernel = get("stft", window=[1, -2, 3, 4], scaling=scaling)((4, 1, 3), dtype="float64")

    assert kernel[:, 0, 0] == pytest.approx(np.array([1, -2, 3, 4]) / scale)


@pytest.mark.parametrize(
    ("parameters", "shape", "what"),
    [
        ({"side": "both"}, (4, 1, 3), "`side` cannot be `both`"),
        ({"scaling": "power"}, (4, 1, 3), "`scaling` cannot be `power`"),
        ({"periodic": 1}, (4, 1, 3), "`periodic` must be true or false"),
        ({"window": 3}, (4, 1, 3), "`window` must be a name or a list"),
        ({"window": [[1.0] * 4]}, (4, 1, 3), "`window` must be a number"),
        ({"window": [1.0, 2.0]}, (4, 1, 3), "the window has 2 values, but the first axis 4"),
        ({"window": [0.0] * 4}, (4, 1, 3), "4 zeros cannot be scaled"),
        ({}, (2, 1, 3), "2 zeros cannot be scaled"),
        ({}, (4, 3), "rank 3"),
        ({}, (4, 1, 3, 1), "rank 3"),
        ({}, (4, 2, 3), r"\(times, 1, bins\)"),
        ({}, (4, 1, 1), "two bins or more"),
        ({}, (0, 1, 3), "one time at least"),
    ],
)
def test_what_has_no_kernel_is_refused(parameters: dict[str, Any], shape: tuple[int, ...], what: str) -> None:
    """Where Keras raises an error, or returns nan or another shape."""
    with pytest.raises(ArgumentError, match=what):
        get("stft", **parameters).law(shape)


def test_an_integer_dtype_is_refused() -> None:
    """A kernel has fractions; Keras returns nan."""
    with pytest.raises(ArgumentError, match="is no int32 value"):
        get("stft")((4, 1, 3), dtype="int32")


def test_empty_kernels_are_empty() -> None:
    """No time without a window, or no bins."""
    assert get("stft", window=None)((0, 1, 3)).shape == (0, 1, 3)
    assert get("stft")((4, 1, 0)).shape == (4, 1, 0)
    assert get("stft").law((4, 1, 0)).std == 0


def test_a_window_of_scipys_needs_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says so, and which windows need nothing."""
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.signal", None)

    with pytest.raises(ArgumentError, match="without SciPy `window` cannot be `parzen`") as caught:
        get("stft", window="parzen")

    assert "hann" in caught.value.faults[0].hint


def test_with_scipy_its_windows_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its `get_window(name, length, periodic)`, whose refusal is told; the bits are then its C library's."""

    def get_window(name: str, length: int, fftbins: bool) -> Any:
        if name != "ramp":
            raise ValueError(f"Invalid window name {name}")
        return np.arange(length) + fftbins

    signal = ModuleType("scipy.signal")
    signal.get_window = get_window  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "scipy", ModuleType("scipy"))
    monkeypatch.setitem(sys.modules, "scipy.signal", signal)

    ramp = get("stft", window="ramp", scaling=None, periodic=True)

    assert ramp((3, 1, 2))[:, 0, 0].tolist() == [1, 2, 3]
    assert not ramp.law((3, 1, 2)).is_portable
    with pytest.raises(ArgumentError, match="`window` cannot be `nope`: Invalid window name nope"):
        get("stft", window="nope")


@pytest.mark.parametrize("name", ["stft", "STFT", "STFTInitializer", "keras.STFTInitializer"])
def test_its_names_are_keras_s(name: str) -> None:
    """Those of 3.7 and later."""
    assert get(name) == get("stft")


def test_a_plan_keeps_the_window_that_was_given() -> None:
    """As a list, in the spec that a file carries."""
    init = "{name: stft, window: [1, 2, 3, 4]}"
    plan = load_plan(f"initcli: 1\ntensors: {{w: {{shape: [4, 1, 3], init: {init}}}}}".encode(), "spec.yaml")

    assert plan.normalized_spec()["tensors"]["w"]["init"]["window"] == [1, 2, 3, 4]
