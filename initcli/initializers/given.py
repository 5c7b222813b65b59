"""Values that exist already: an array in an initializer's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import parse_dtype
from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.arguments import parse_shape
from initcli.initializers.base import Initializer
from initcli.laws import Law


@dataclass(frozen=True, eq=False)
class Given(Initializer):
    """Return the `values`, cast to the dtype; no other shape is taken."""

    values: NDArray[Any]

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the law that draws the values."""
        self._check(shape)
        return super().law(shape, fans)

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32", name: str = "") -> NDArray[Any]:
        """Return a new array of the values in `dtype`; what is too great for it becomes infinite."""
        del name
        self._check(parse_shape(shape))
        with np.errstate(over="ignore"):
            return np.array(self.values, dtype=parse_dtype("float32" if dtype is None else dtype).numpy)

    def _check(self, shape: tuple[int, ...]) -> None:
        if shape != self.values.shape:
            what = f"the array given as initializer has shape {list(self.values.shape)}, not {list(shape)}"
            raise ArgumentError(what, "ask for its shape, or reshape it", parameter="shape")
