"""Keras's STFT: the convolution kernels of a short-time Fourier transform.

Source: keras-team/keras v3.15.1, `keras/src/initializers/constant_initializers.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from math import fsum, sqrt
from typing import Any, ClassVar

import numpy as np

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.arguments import check_choice, check_flag, check_rank, parse_number
from initcli.initializers.base import parameter
from initcli.initializers.keras import KerasInitializer
from initcli.initializers.registry import register
from initcli.laws import Array, Law
from initcli.laws.fourier import COSINE_SUMS, Fourier, cosine_window


class ForeignWindow(Fourier):
    """A kernel whose window SciPy computed, with its C library's cosines."""

    is_portable: ClassVar[bool] = False


@register
@dataclass(frozen=True)
class STFT(KerasInitializer):
    """Fill a convolution with the cosines or sines of a short-time Fourier transform, times a window.

    W[t, 0, f] = w[t] cos(2π t f / n) / s for real, −w[t] sin(2π t f / n) / s for imag;  shape (T, 1, F), n = 2 (F − 1)
    s = √(Σ w²) for density, Σ |w| for spectrum, 1 for None or without a window

    >>> STFT(window=None)((2, 1, 3)).tolist()
    [[[1.0, 1.0, 1.0]], [[1.0, 0.0, -1.0]]]

    Bounds: ±max |w| / s
    Differs: Keras multiplies the angle out in float32, and so strays by up to 2⁻²³ of it; float64 here.
    Source: Keras 3.15
    """

    name: ClassVar[str] = "stft"
    aliases: ClassVar[tuple[str, ...]] = ("STFTInitializer",)

    side: str = parameter("real", "which part of the transform: real or imag")
    window: str | tuple[float, ...] | None = parameter(
        "hann", f"the window: null, its values, {', '.join(COSINE_SUMS)}, or a name of SciPy's if that is installed"
    )
    scaling: str | None = parameter("density", "what the window is divided by: density, spectrum or null")
    periodic: bool = parameter(False, "whether a window's period is its length; else it is symmetric")

    def __post_init__(self) -> None:
        check_choice("side", self.side, ("real", "imag"))
        if self.scaling is not None:
            check_choice("scaling", self.scaling, ("density", "spectrum"))
        check_flag("periodic", self.periodic)
        if isinstance(self.window, str):
            self._named_window(1)
        elif self.window is not None:
            object.__setattr__(self, "window", _parse_values(self.window))

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 3, 3)
        if shape[1] != 1 or shape[2] == 1:
            what = f"`stft` needs a shape of (times, 1, bins) with two bins or more, got {list(shape)}"
            raise ArgumentError(what, "513 bins are those of a transform of 1024 samples", parameter="shape")
        window = self._values(shape[0])
        is_foreign = isinstance(self.window, str) and self.window not in COSINE_SUMS
        law = ForeignWindow if is_foreign else Fourier
        return law(tuple(window.tolist()), shape[2], self._scale(window), self.side == "imag")

    def _values(self, length: int) -> Array:
        """Return the window of that length."""
        if self.window is None:
            return np.ones(length)
        if isinstance(self.window, str):
            if not length:
                raise ArgumentError("a window needs one time at least, got 0", "leave it out", parameter="shape")
            return self._named_window(length)
        if len(self.window) != length:
            what = f"the window has {len(self.window)} values, but the first axis {length}"
            raise ArgumentError(what, "make them equally long", parameter="window")
        return np.array(self.window)

    def _named_window(self, length: int) -> Array:
        if self.window in COSINE_SUMS:
            return cosine_window(str(self.window), length, self.periodic)
        try:
            signal = import_module("scipy.signal")
        except ImportError:
            what = f"without SciPy `window` cannot be `{self.window}`"
            raise ArgumentError(what, f"install SciPy, or one of: {', '.join(COSINE_SUMS)}", "window") from None
        try:
            return np.asarray(signal.get_window(self.window, length, self.periodic), np.float64)
        except ValueError as error:
            raise ArgumentError(f"`window` cannot be `{self.window}`: {error}", parameter="window") from None

    def _scale(self, window: Array) -> float:
        """Return what the window is divided by."""
        if self.window is None or self.scaling is None:
            return 1.0
        scale = sqrt(fsum(window * window)) if self.scaling == "density" else fsum(np.abs(window))
        if not scale and len(window):
            what = f"a window of {len(window)} zeros cannot be scaled"
            raise ArgumentError(what, "make it longer, or `scaling` null", parameter="window")
        return scale or 1.0

    def get_config(self) -> dict[str, Any]:
        """Return the parameters and the seed, a window's values as a list."""
        config = super().get_config()
        return {**config, "window": list(self.window)} if isinstance(self.window, tuple) else config


def _parse_values(window: object) -> tuple[float, ...]:
    """Return the values of a window.

    Raises:
        ArgumentError: it is no list of numbers.
    """
    values = window.tolist() if isinstance(window, np.ndarray) else window
    if not isinstance(values, list | tuple):
        raise ArgumentError(f"`window` must be a name or a list of numbers, got `{window}`", parameter="window")
    return tuple(float(parse_number("window", value)) for value in values)
