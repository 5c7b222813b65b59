"""The element types that a tensor can have, by the name that a spec uses.

The name is the identity (`bfloat16` is no NumPy type of its own), so a `DType` carries the name and makes the NumPy
dtype on demand: ml_dtypes is imported only when something needs it. An element is one number, or the two parts of a
complex one: laws, roundings and statistics are those of the parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from initcli.errors import ArgumentError, suggest


@dataclass(frozen=True)
class DType:
    """An element type: its `name`, its size in bytes, and its `kind`: float, int, uint, bool or complex."""

    name: str
    itemsize: int
    kind: str

    @property
    def numpy(self) -> np.dtype[Any]:
        """The little-endian NumPy dtype; that of the short floats comes from ml_dtypes."""
        if self.is_extended:
            import ml_dtypes

            extended: np.dtype[Any] = np.dtype(getattr(ml_dtypes, self.name))
            return extended
        return np.dtype(self.name).newbyteorder("<")

    @property
    def is_extended(self) -> bool:
        """Whether NumPy itself does not know it: bfloat16 and the floats of 8 bits."""
        return self.name in _MANTISSAS and self.name != "float16"

    @property
    def parts(self) -> int:
        """The numbers of an element: 2 if it is complex, the real and the imaginary part, else 1."""
        return 2 if self.kind == "complex" else 1

    @property
    def working(self) -> np.dtype[Any]:
        """The type that laws compute a part in before it is rounded once: float32 for the smaller floats, too."""
        return np.dtype(np.float32) if self.kind == "complex" or self.name in _MANTISSAS else np.dtype(self.name)

    @property
    def greatest(self) -> float:
        """The greatest finite number that a float, or a part of a complex number, can be."""
        return _GREATEST.get(self.name) or float(np.finfo(self.working).max)

    def rounding(self, magnitude: float) -> float:
        """Return the most that rounding a float32 of this magnitude once, to this type, moves it."""
        if self.name not in _MANTISSAS:
            return 0.0
        bits, least_exponent = _MANTISSAS[self.name]
        return max(magnitude * 2.0 ** -(bits + 1), 2.0 ** (least_exponent - bits - 1))

    def __str__(self) -> str:
        return self.name


_MANTISSAS = {"float16": (10, -14), "bfloat16": (7, -126), "float8_e4m3fn": (3, -6), "float8_e5m2": (2, -14)}
"""Stored bits of the mantissa and exponent of the least normal number of the floats below 32 bits."""
_GREATEST = {
    "float16": 65504.0,
    "bfloat16": (2 - 2.0**-7) * 2.0**127,
    "float8_e4m3fn": 448.0,
    "float8_e5m2": 57344.0,
}
"""Their greatest finite numbers. What rounds beyond becomes infinite, in float8_e4m3fn nan.

Source: IEEE 754-2019, table 3.5; the Open Compute Project's OFP8 specification, revision 1.0, table 1.
"""

DTYPES = {
    dtype.name: dtype
    for dtype in (
        DType("float64", 8, "float"),
        DType("float32", 4, "float"),
        DType("float16", 2, "float"),
        DType("bfloat16", 2, "float"),
        DType("float8_e4m3fn", 1, "float"),
        DType("float8_e5m2", 1, "float"),
        DType("complex64", 8, "complex"),
        DType("int64", 8, "int"),
        DType("int32", 4, "int"),
        DType("int16", 2, "int"),
        DType("int8", 1, "int"),
        DType("uint64", 8, "uint"),
        DType("uint32", 4, "uint"),
        DType("uint16", 2, "uint"),
        DType("uint8", 1, "uint"),
        DType("bool", 1, "bool"),
    )
}


def parse_dtype(name: object) -> DType:
    """Return the `DType` called `name`; NumPy dtypes and scalar types pass through their name.

    >>> parse_dtype("bfloat16").itemsize
    2

    Raises:
        ArgumentError: no such element type.
    """
    if isinstance(name, DType):
        return name
    if isinstance(name, np.dtype):
        name = name.name
    elif isinstance(name, type) and name is not str:
        name = "float32" if name is float else np.dtype(name).name
    if isinstance(name, str) and name in DTYPES:
        return DTYPES[name]
    raise ArgumentError(
        f"unknown dtype `{name}`", suggest(str(name), DTYPES) or f"known: {', '.join(DTYPES)}", parameter="dtype"
    )
