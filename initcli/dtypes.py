"""The element types that a tensor can have, by the name that a spec uses.

The name is the identity (`bfloat16` is no NumPy type of its own), so a `DType` carries the name and makes the NumPy
dtype on demand: ml_dtypes is imported only when something needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from initcli.errors import ArgumentError, suggest


@dataclass(frozen=True)
class DType:
    """An element type: its `name`, its size in bytes, and its `kind`: float, int, uint or bool."""

    name: str
    itemsize: int
    kind: str

    @property
    def numpy(self) -> np.dtype[Any]:
        """The little-endian NumPy dtype; bfloat16's comes from ml_dtypes."""
        if self.name == "bfloat16":
            import ml_dtypes

            bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
            return bfloat16
        return np.dtype(self.name).newbyteorder("<")

    @property
    def working(self) -> np.dtype[Any]:
        """The type that laws compute in before they round once: float32 for the smaller floats, else itself."""
        return np.dtype(np.float32) if self.kind == "float" and self.itemsize < 4 else np.dtype(self.name)

    def __str__(self) -> str:
        return self.name


DTYPES = {
    dtype.name: dtype
    for dtype in (
        DType("float64", 8, "float"),
        DType("float32", 4, "float"),
        DType("float16", 2, "float"),
        DType("bfloat16", 2, "float"),
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
