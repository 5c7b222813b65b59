"""A weight file to be read: what its header says, and its values chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from initcli.formats import Entry, Format, Header
from initcli.formats.chunks import Chunk, read_chunks, seek_chunks
from initcli.formats.detection import detect_format


class WeightFile(NamedTuple):
    """A file or a directory at `path`, its format, and its header."""

    path: Path
    format: Format
    header: Header

    @property
    def entries(self) -> dict[str, Entry]:
        """What it says of each tensor, by name."""
        return {entry.name: entry for entry in self.header.entries}

    @property
    def ties(self) -> dict[str, Entry]:
        """What it says of each tie, by name: all but the name is its tensor's."""
        entries = self.entries
        return {name: entries[target]._replace(name=name) for name, target in self.header.ties.items()}

    @property
    def tells_names(self) -> bool:
        """Whether its tensors' names are written in it: a single `.npy` is called after its file."""
        return self.format.name != "npy" or self.format.is_directory

    def called(self, name: str) -> WeightFile:
        """Return it with its only tensor, whose name is not written in it, under this name."""
        (entry,) = self.header.entries
        return self._replace(header=Header(self.header.metadata, [entry._replace(name=name)]))

    def read_chunks(self, names: Sequence[str]) -> Iterator[Chunk]:
        """Yield the chunks of the tensors called `names`, in this order; a tensor without elements has none."""
        if self.tells_names:
            yield from read_chunks(self.format, self.path, names)
            return
        for name in names:
            chunks = read_chunks(self.format, self.path, [self.path.stem])
            yield from (chunk._replace(name=name) for chunk in chunks)

    def seek_chunks(self, name: str, start: int) -> Iterator[Chunk]:
        """Yield the chunks of the tensor called `name` from the one that holds its element `start`."""
        stored = name if self.tells_names else self.path.stem
        chunks = seek_chunks(self.format, self.path, stored, start)
        return (chunk._replace(name=name) for chunk in chunks)


def open_weights(path: Path) -> WeightFile:
    """Return the file at `path`; its first bytes tell the format.

    Raises:
        InitcliError: it cannot be read, or is no weight file.
    """
    chosen = detect_format(path)
    return WeightFile(path, chosen, chosen.read_header(path))
