"""What a weight file should hold: the spec that it carries, and any range of the values that this spec means.

A law that rests on LAPACK gives other bits on another machine. There a value may differ by a rounding of its dtype and
by √ε of float64 times the law's greatest value: half of the digits, which a factorization loses if the condition of its
matrix, times its size, is as much as 1/√ε, some 7 · 10⁷.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from math import isfinite, sqrt
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initcli.comparison import Tolerance
from initcli.drawing import draw_range
from initcli.errors import Fault, InitcliError
from initcli.formats.weights import WeightFile
from initcli.plan import Plan, PlannedTensor
from initcli.provenance import SCHEME_KEY, SPEC_KEY
from initcli.resolution import load_plan
from initcli.scratch import Scratch
from initcli.stream import SCHEME


def load_embedded(weights: WeightFile) -> Plan:
    """Return the plan of the spec that a weight file carries.

    Raises:
        InitcliError: it carries none, or one that means nothing here.
    """
    text = weights.header.metadata.get(SPEC_KEY)
    if text is None:
        what = f"`{weights.path}` does not carry the spec that it was made from"
        raise InitcliError(Fault(what, hint="name the spec with `--spec SPEC`"))
    return load_plan(text.encode("utf-8", "surrogatepass"), f"{weights.path} ({SPEC_KEY})")


def check_scheme(weights: WeightFile) -> None:
    """Raise an error if the values of a file were drawn by a scheme that is not known here."""
    scheme = weights.header.metadata.get(SCHEME_KEY, str(SCHEME))
    if scheme != str(SCHEME):
        what = f"`{weights.path}` was drawn by scheme `{scheme[:20]}`, and this initcli knows scheme {SCHEME} alone"
        raise InitcliError(Fault(what, hint="verify it with the initcli that made it"))


def select(globs: tuple[str, ...], names: set[str]) -> set[str]:
    """Return the names that one of the globs fits; all if there are no globs.

    Raises:
        InitcliError: a glob fits none.
    """
    for glob in globs:
        if not any(fnmatchcase(name, glob) for name in names):
            raise InitcliError(Fault(f"`--only {glob}` fits no tensor", hint="`initcli inspect` shows the names"))
    return {name for name in names if not globs or any(fnmatchcase(name, glob) for glob in globs)}


def tolerance_of(tensor: PlannedTensor) -> Tolerance | None:
    """Return how far another machine's values may lie from ours; None where they must have the same bits."""
    greatest = max(abs(tensor.law.low), abs(tensor.law.high))
    if tensor.law.is_portable or not isfinite(greatest):
        return None
    dtype = tensor.dtype
    unit = float(np.finfo(dtype.working).eps) if dtype.working.kind == "f" else 0.0
    return Tolerance(
        sqrt(np.finfo(np.float64).eps) * greatest + 2 * dtype.rounding(0.0), max(unit, 2 * dtype.rounding(1.0))
    )


class Drawer:
    """What the threads that draw share: their scratch, and the right to draw a whole tensor, one at a time."""

    def __init__(self) -> None:
        self.scratch, self.one_whole_tensor = Scratch(), Lock()


class Expected:
    """What a tensor should hold, and how closely; of a whole-tensor law all is drawn, once, at the first demand."""

    def __init__(self, tensor: PlannedTensor, drawer: Drawer) -> None:
        self.tensor, self.drawer = tensor, drawer
        self.tolerance = tolerance_of(tensor)
        self._whole: NDArray[Any] | None = None

    def draw(self, start: int, stop: int) -> NDArray[Any]:
        """Return the elements [start, stop), valid until the thread draws again."""
        if not self.tensor.is_drawn_whole:
            return draw_range(self.tensor, start, stop, self.drawer.scratch)
        with self.drawer.one_whole_tensor:
            if self._whole is None:
                self._whole = draw_range(self.tensor, 0, self.tensor.size, self.drawer.scratch)
        return self._whole[start:stop]
