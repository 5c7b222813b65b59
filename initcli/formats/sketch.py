"""A file in memory of which only the written parts take room, for a library that lays out far more than it writes."""

from __future__ import annotations

from collections.abc import Iterator

PAGE_NBYTES = 1024
"""What one write keeps at least: HDF5 writes a kilobyte or two for each dataset."""


class Sketch:
    """A binary file for h5py to write and read; `size` is its length in bytes, and what was never written is zeros."""

    def __init__(self) -> None:
        self.size = 0
        self._pages: dict[int, bytearray] = {}
        self._position = 0

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, bytes) of all that was written, in ascending order, each piece whole."""
        for number, page in sorted(self._pages.items()):
            offset = number * PAGE_NBYTES
            yield offset, bytes(page[: max(0, self.size - offset)])

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to `offset` from the start (0), from here (1) or from the end (2)."""
        self._position = (0, self._position, self.size)[whence] + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def truncate(self, size: int) -> int:
        """Set the length."""
        self.size = size
        return size

    def flush(self) -> None:
        """Do nothing: there is nothing behind."""

    def write(self, data: memoryview) -> int:
        """Keep `data` at the position."""
        rest = memoryview(data).cast("B")
        for number, start, stop in self._cut(len(rest)):
            page = self._pages.setdefault(number, bytearray(PAGE_NBYTES))
            page[start:stop], rest = rest[: stop - start], rest[stop - start :]
        self.size = max(self.size, self._position)
        return memoryview(data).nbytes

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer` from the position."""
        rest = memoryview(buffer).cast("B")
        for number, start, stop in self._cut(len(rest)):
            page = self._pages.get(number)
            rest[: stop - start] = bytes(stop - start) if page is None else page[start:stop]
            rest = rest[stop - start :]
        return memoryview(buffer).nbytes

    def read(self, size: int) -> bytes:
        """Return `size` bytes from the position."""
        buffer = bytearray(size)
        self.readinto(memoryview(buffer))
        return bytes(buffer)

    def _cut(self, size: int) -> Iterator[tuple[int, int, int]]:
        """Yield (page, start, stop) for `size` bytes from the position, and move it behind them."""
        stop = self._position + size
        while self._position < stop:
            number, start = divmod(self._position, PAGE_NBYTES)
            taken = min(PAGE_NBYTES - start, stop - self._position)
            self._position += taken
            yield number, start, start + taken
