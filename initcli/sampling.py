"""Any range of any tensor: law and stream to stored elements. Everything that is ever drawn comes through here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import DType
from initcli.laws import ElementwiseLaw, Law
from initcli.laws.whole import WholeTensorLaw
from initcli.scratch import Scratch
from initcli.stream import Stream


def sample_range(law: Law, stream: Stream, dtype: DType, start: int, stop: int, scratch: Scratch) -> NDArray[Any]:
    """Return the elements [start, stop) of a tensor, flat and little-endian, valid until the thread samples again.

    Element-wise laws draw just these; a whole-tensor law draws all and gives the part. A float of 8 or 16 bits is the
    float32 value rounded once, to nearest even; what is too great for it becomes infinite, or nan in float8_e4m3fn. A
    complex element i is the law's elements 2i and 2i + 1.
    """
    if isinstance(law, ElementwiseLaw):
        parts = scratch.result(dtype.parts * (stop - start), dtype.working)
        with np.errstate(over="ignore", invalid="ignore"):
            law.fill(stream, dtype.parts * start, parts, scratch)
        values = parts.view(dtype.numpy) if dtype.kind == "complex" else parts
    elif isinstance(law, WholeTensorLaw):
        values = law.sample(stream, dtype)[start:stop]
    else:
        raise TypeError(f"{type(law).__name__} is neither an ElementwiseLaw nor a WholeTensorLaw")
    with np.errstate(over="ignore", invalid="ignore"):
        if dtype.kind != "complex":
            values = values.astype(dtype.working, copy=False)
        return values.astype(dtype.numpy, copy=False)
