"""Weight-file formats: each lays out names, shapes and dtypes as byte ranges, and writes no tensor data.

A format answers two questions about a plan. `faults`: can it hold these tensors, under these names? `allocate`: make
the file (or directory) at a path at its final length, and tell where each tensor's bytes go. What makes the file
readable, its header or signature, is not written by `allocate` but returned as a `Seal`: the engine writes it last, so
that an unfinished file opens nowhere. The reading side serves `inspect`, through the libraries that own the formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from initcli.dtypes import DType

if TYPE_CHECKING:
    from initcli.object_paths import Stored

STREAM = "-"
"""The `--out` that means standard output."""


class Tensor(Protocol):
    """What a format needs to know of a tensor; `plan.PlannedTensor` is one. Names are distinct: the plan sees to it."""

    @property
    def name(self) -> str:
        """The tensor's full name."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape; `()` is a scalar, and a dimension may be 0."""

    @property
    def dtype(self) -> DType:
        """Its element type."""

    @property
    def nbytes(self) -> int:
        """Its bytes: elements times the size of one."""

    @property
    def stored(self) -> Stored | None:
        """Where Keras's own files keep it, if it is a weight of a layer of Keras."""


@dataclass(frozen=True)
class Contents:
    """All that a file may hold of a plan: its `tensors`, `metadata` about it, `ties`, which are other names for some of
    the tensors, and the model's `config`, if there is one.
    """

    tensors: Sequence[Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    ties: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] | None = None


class Refusal(NamedTuple):
    """Why a format cannot hold a tensor: the tensor's `place` in the sequence, what is wrong, and the way out."""

    place: int
    what: str
    hint: str = ""


@dataclass(frozen=True)
class Slot:
    """Where one tensor's bytes go: `file`, byte `offset` from its start, `nbytes`. Row-major, little-endian."""

    file: Path
    offset: int
    nbytes: int


@dataclass(frozen=True)
class Seal:
    """Bytes of `file`, at `offset`, that are no tensor's: they make it readable, and are written last."""

    file: Path
    data: bytes
    offset: int = 0


class Trailer(Protocol):
    """The bytes of a file that tell checksums of its tensors: a zip's. They are known when the tensors are written."""

    def after(self, index: int, crc32: int) -> Seal:
        """Return what stands behind the tensor at `index`, whose bytes have this CRC-32."""

    def last(self, crc32s: Sequence[int]) -> Seal:
        """Return what ends the file, from the CRC-32 of each tensor."""


@dataclass(frozen=True)
class Layout:
    """A whole output: one slot for each tensor, in the tensors' order, and the seals of its files.

    Of a file that is written front to back the seals stand in the order of their offsets, and what no slot and no seal
    covers is zeros. A `trailer` makes the seals that hold checksums.
    """

    slots: tuple[Slot, ...]
    seals: tuple[Seal, ...]
    trailer: Trailer | None = None


class Entry(NamedTuple):
    """What a file's header says of one tensor. `dtype` may be a type that a spec cannot name (`float8_e4m3fn`)."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int


class Header(NamedTuple):
    """What a file says of itself without its data: its metadata, and its tensors in the order of their names.

    `ties` are other names for some of the tensors, in the file itself: they lead to the very same bytes.
    """

    metadata: dict[str, str]
    entries: list[Entry]
    ties: Mapping[str, str] = MappingProxyType({})


class Format(Protocol):
    """One kind of weight file. A module of this package holds one, as a value called after it."""

    name: str
    """What `--format` calls it."""
    suffixes: tuple[str, ...]
    """The file suffixes that choose it, `.h5`."""
    is_directory: bool
    """Whether its output is a directory of files."""
    is_streamable: bool
    """Whether it can be written front to back, so that `--out -` works: one file, whose seals and tensors can be put
    in the order of their offsets, with zeros between them."""

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Return a refusal for each tensor that this format cannot hold, in the tensors' order."""

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return the layout without touching the disk: the same that `allocate` returns."""

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Give the new, empty output at `path` its final length, unreadable until sealed, and return its layout."""

    def read_header(self, path: Path) -> Header:
        """Return what the file at `path` holds, without its tensors' data."""

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the tensors called `names`, one after the other, from one opening of the file at `path`."""

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return one tensor of the file at `path`."""


@runtime_checkable
class IndexedFormat(Format, Protocol):
    """A format of several files: the output is an index, and the members that it names stand beside it, anywhere.

    `lay_out(contents, path)` puts the members in `path.parent`, under names that follow from `path.name` and from the
    edition alone: the output is made in an empty directory, and its files are moved as they are to those beside which
    they belong. Members of a new output never take the place of old ones, which a reader may need: they are of another
    edition. The index is replaced last.
    """

    edition: int
    """Which names the members have: 1 means the client's own, and each later one others."""

    def with_edition(self, edition: int) -> IndexedFormat:
        """Return this format with members of other names."""

    def is_member(self, path: Path, name: str) -> bool:
        """Tell whether a member of this edition, of an index at `path`, may be called `name`."""

    def name_entrance(self, path: Path) -> str | None:
        """Return the file that clients open by its name, whatever the index says, if there is one.

        In the first edition it is a member. In a later one it is a file without weights, which is replaced behind the
        index: whichever of the two stands there, what the index names is found.
        """

    def list_members(self, path: Path) -> list[str]:
        """Return the names of the files beside the index at `path` that it leads to.

        Raises:
            InitcliError: it cannot be read, is no index, or leads elsewhere.
        """
