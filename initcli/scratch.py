"""Arrays that a thread uses again and again, so that sampling allocates little and its work stays in cache."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Scratch(threading.local):
    """Working arrays, each thread's own; what a method returns is valid until the same thread calls it again."""

    def __init__(self) -> None:
        self._buffers: dict[int, NDArray[np.uint8]] = {}

    def take(self, size: int, *dtypes: DTypeLike) -> list[NDArray[Any]]:
        """Return one uninitialized array of `size` elements for each dtype.

        >>> [array.dtype.name for array in Scratch().take(3, "f4", "?")]
        ['float32', 'bool']
        """
        return [self._array(slot, size, np.dtype(dtype)) for slot, dtype in enumerate(dtypes)]

    def result(self, size: int, dtype: DTypeLike) -> NDArray[Any]:
        """Return an uninitialized array that `take` leaves alone."""
        return self._array(-1, size, np.dtype(dtype))

    def _array(self, slot: int, size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        nbytes = size * dtype.itemsize
        buffer = self._buffers.get(slot)
        if buffer is None or len(buffer) < nbytes:
            buffer = self._buffers[slot] = np.empty(nbytes, np.uint8)
        return buffer[:nbytes].view(dtype)
