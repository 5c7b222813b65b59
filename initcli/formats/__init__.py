"""Weight-file formats: each lays out names, shapes and dtypes as byte ranges, and writes no tensor data.

A format answers two questions about a plan. `faults`: can it hold these tensors, under these names? `allocate`: make
the file (or directory) at a path at its final length, and tell where each tensor's bytes go. What makes the file
readable, its header or signature, is not written by `allocate` but returned as a `Seal`: the engine writes it last, so
that an unfinished file opens nowhere. The reading side serves `inspect`, through the libraries that own the formats.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from initcli.dtypes import DType
from initcli.errors import Fault, InitcliError, suggest

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


class Listing(NamedTuple):
    """Where a format is to be found, without loading it: the `module` of this package, its `value` there, and what
    chooses it.
    """

    module: str
    value: str
    name: str
    suffixes: tuple[str, ...] = ()

    def load(self) -> Format:
        """Return the format itself."""
        loaded: Format = getattr(import_module(f"initcli.formats.{self.module}"), self.value)
        return loaded


LISTINGS = (
    Listing("safetensors", "safetensors", "safetensors", (".safetensors",)),
    Listing("sharded", "sharded", "safetensors"),
    Listing("gguf", "gguf", "gguf", (".gguf",)),
    Listing("onnx_data", "onnx", "onnx", (".onnx",)),
    Listing("flax_msgpack", "flax_msgpack", "msgpack", (".msgpack",)),
    Listing("keras_weights", "keras_weights", "weights.h5", (".weights.h5",)),
    Listing("keras_shards", "keras_shards", "weights.json", (".weights.json",)),
    Listing("hdf5", "hdf5", "h5", (".h5", ".hdf5")),
    Listing("keras_weights", "keras_legacy", "keras-legacy-h5", (".h5", ".hdf5")),
    Listing("keras_archive", "keras_archive", "keras", (".keras",)),
    Listing("npy", "npy", "npy", (".npy",)),
    Listing("npy", "npy_directory", "npy"),
    Listing("npz", "npz", "npz", (".npz",)),
    Listing("torch_zip", "torch_zip", "pt", (".pt", ".pth", ".bin")),
)
"""Every format; of those with a suffix the first is meant by it. A run loads the one that it writes."""


def known_formats() -> tuple[Format, ...]:
    """Return every format, loaded."""
    return tuple(listing.load() for listing in LISTINGS)


def detect_format(path: Path) -> Format:
    """Return the format of the file at `path` by its first bytes, else safetensors; load what tells it, and no more.

    A directory is a Hugging Face checkpoint where there is one, else .npy files.

    Raises:
        InitcliError: the file is absent, unreadable, not a regular file, empty, never finished, a damaged zip, or of
            no known format.
    """
    if os.path.isdir(path):  # noqa: PTH112, for Path.is_dir raises where a directory above may not be entered
        from initcli.formats import npy, sharded

        return sharded.sharded if sharded.holds_checkpoint(path) else npy.npy_directory
    from initcli.formats import reading, safetensors

    start = reading.read_start(path, 8)
    if len(start) == 8 and int.from_bytes(start, "little") <= safetensors.MAX_HEADER_NBYTES:
        return safetensors.safetensors
    found = _detect_other(path, start)
    if found is None and len(start) == 8:
        known = ", ".join(sorted({listing.name for listing in LISTINGS}))
        what = f"`{path}` cannot be read as safetensors, nor as any other format: its first bytes are none's"
        raise InitcliError(Fault(what, hint=f"initcli reads {known}; is the file whole?"))
    return found or safetensors.safetensors


def _detect_other(path: Path, start: bytes) -> Format | None:
    """Return the format of a file whose first 8 bytes are no length that safetensors begins with, if it is known."""
    from initcli.formats import (
        flax_msgpack,
        gguf_reading,
        hdf5,
        keras_shards,
        npy,
        onnx_reading,
        torch_zip,
        zip_reading,
    )

    if start == hdf5.SIGNATURE:
        return hdf5.hdf5
    if start.startswith(npy.MAGIC):
        return npy.npy
    if start.startswith(gguf_reading.MAGIC):
        from initcli.formats import gguf

        return gguf.gguf
    if start.startswith(zip_reading.MAGICS):
        return _detect_zip(path)
    if keras_shards.is_index(path):
        return keras_shards.keras_shards
    if torch_zip.is_bare_pickle(start):
        return torch_zip.torch_zip
    if onnx_reading.is_model(start):
        from initcli.formats import onnx_data

        return onnx_data.onnx
    return flax_msgpack.flax_msgpack if flax_msgpack.is_tree(start) else None


def _detect_zip(path: Path) -> Format:
    """Return the format of an archive: Keras's if there are its weights in it, torch's if a pickle, else NumPy's."""
    from initcli.formats import keras_archive, npz, reading, torch_zip, zip_reading

    with reading.reading(path, "a zip archive"):
        archive = zip_reading.open_archive(path)
        if keras_archive.is_keras_model(archive):
            return keras_archive.keras_archive
        return torch_zip.torch_zip if torch_zip.is_checkpoint(archive) else npz.npz


def choose_format(out: str, name: str | None, count: int) -> Format:
    """Return the format for `--out` and `--format`, checked against each other and against the count of tensors.

    >>> choose_format("model.h5", None, 3).name
    'h5'
    >>> choose_format("weights", "npy", 3).is_directory
    True

    Raises:
        InitcliError: no such format, the two contradict each other, or the output cannot take it.
    """
    by_suffix = find_listing(out)
    listing = by_suffix if name is None else _by_name(name, out)
    if listing is None:
        raise _unknown_suffix(out)
    if by_suffix is not None and by_suffix.suffixes != listing.suffixes:
        raise InitcliError(
            Fault(
                f"`--out {out}` means {by_suffix.name}, but `--format {name}` was given",
                hint=f"leave `--format` out, or use the suffix `{listing.suffixes[0]}`"
                if listing.suffixes
                else "leave `--format` out, or name a directory",
            )
        )
    chosen = listing.load()
    if out == STREAM and not chosen.is_streamable:
        is_many = isinstance(chosen, IndexedFormat)
        why = "it is more than one file" if is_many else "HDF5 is not written front to back"
        raise InitcliError(
            Fault(
                f"`{chosen.name}` cannot go to standard output: {why}",
                hint="use `--format safetensors` (or `npy` for one tensor), or name a file with `--out`",
            )
        )
    if chosen.name == "npy" and not chosen.is_directory and count != 1:
        from initcli.formats.npy import ONE_TENSOR_HINT

        raise InitcliError(Fault(f"a `.npy` file holds one tensor, and here are {count}", hint=ONE_TENSOR_HINT))
    return chosen


def find_listing(out: str) -> Listing | None:
    """Return the format that the suffix of `out` chooses, if it chooses one."""
    lowered = out.lower()
    return next((each for each in LISTINGS if each.suffixes and lowered.endswith(each.suffixes)), None)


def _by_name(name: str, out: str) -> Listing:
    """Return the format called `name`, or called after one of its suffixes (`hdf5`), as it fits `out`."""
    names: dict[str, Listing] = {}
    for each in LISTINGS:
        for key in (each.name, *(suffix[1:] for suffix in each.suffixes)):
            names.setdefault(key, each)
    if name not in names:
        raise InitcliError(
            Fault(f"unknown format `{name}`", hint=suggest(name, names) or f"known: {', '.join(sorted(names))}")
        )
    if name == "npy" and out != STREAM and find_listing(out) is None:
        return next(each for each in LISTINGS if each.name == name and not each.suffixes)
    return names[name]


def _unknown_suffix(out: str) -> InitcliError:
    """Return the error for an `--out` that tells no format."""
    known = {suffix: each.name for each in LISTINGS for suffix in each.suffixes}
    if out == STREAM:
        return InitcliError(
            Fault("`--out -` does not tell the format", hint="add `--format safetensors`, or `--format npy`")
        )
    if out.endswith("/"):
        return InitcliError(
            Fault(
                f"`{out}` is a directory and tells no format", hint="`--format safetensors` or `--format npy` fills one"
            )
        )
    suffix = Path(out).suffix
    what = f"unknown suffix `{suffix}` in `{out}`" if suffix else f"`{out}` has no suffix that tells the format"
    choice = f"use one of {', '.join(known)}, or `--format`"
    return InitcliError(Fault(what, hint=" ".join(filter(None, (suggest(suffix, known), choice)))))
