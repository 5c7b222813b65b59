"""The files of a set that are open at once: a few, however many there are, each read on from where it was left."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_OPEN = 64
"""The most shards that are kept open at once."""


class Shelf(Generic[T]):
    """The shards that are open, at most `MAX_OPEN`: each has a reader, which asks for the next tensor when it can."""

    def __init__(self, folder: Path, read: Callable[[Path, Iterator[str]], Iterator[T]]) -> None:
        self.folder, self.read = folder, read
        self.open: OrderedDict[str, tuple[deque[str], Iterator[T]]] = OrderedDict()

    def ask(self, shard: str, name: str) -> Iterator[T]:
        """Return the reader of a shard: the next that it yields is of the tensor called `name`."""
        if shard not in self.open:
            if len(self.open) == MAX_OPEN:
                self.open.popitem(last=False)
            asked: deque[str] = deque()
            self.open[shard] = asked, self.read(self.folder / shard, _take(asked))
        self.open.move_to_end(shard)
        asked, tensors = self.open[shard]
        asked.append(name)
        return tensors


def _take(asked: deque[str]) -> Iterator[str]:
    """Yield what is asked for by the time that it is wanted."""
    while asked:
        yield asked.popleft()
