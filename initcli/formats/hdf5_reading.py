"""What an HDF5 file holds: its datasets, which only hard links lead to, and the texts of its root."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from initcli.dtypes import DTYPES
from initcli.errors import Fault, InitcliError
from initcli.formats import Entry, Header
from initcli.formats.chunks import Chunk, cut, read_stored, refuse_values
from initcli.formats.reading import missing_tensor

NAMES_KEY = "initcli.names"
"""The root's attribute that tells, as a JSON object by path, the tensors' names where the paths are others."""

MAX_EXPANSION = 1100
"""The most that deflate can expand, 1032:1, with room: a larger claim is a bomb."""


CACHE_NBYTES = 1 << 28
CACHE_SLOTS = 100_003
"""The library keeps so much of a compressed dataset: its chunks are needed again where a run of rows crosses them. A
chunk's number, modulo the slots, tells its place: a prime, above the number of chunks that lie side by side.
"""


_OPAQUE = {name: dtype for name, dtype in DTYPES.items() if dtype.is_extended}
"""The element types that are stored as so many bytes with the type's name in an attribute."""


@contextmanager
def open_datasets(path: Path, part: Any = None, start: int = 0) -> Iterator[Datasets]:
    """Open the file at `path` to read it, or a `part` of it that begins at `start`.

    It is not locked: file systems without locks hold weights too.
    """
    import h5py

    with h5py.File(part or path, "r", locking=False, rdcc_nbytes=CACHE_NBYTES, rdcc_nslots=CACHE_SLOTS) as file:
        yield Datasets(file, path, start)


class Datasets:
    """The tensors of an open `file`, whose HDF5 begins at the byte `start` of the file at `path`."""

    def __init__(self, file: Any, path: Path, start: int = 0) -> None:
        self.file, self.path, self.start = file, path, start
        self.names = _read_names(file)
        self.places = {name: place for place, name in self.names.items()}

    def header(self) -> Header:
        """Return every dataset that hard links reach, by its first name; its others, ties; the root's texts."""
        metadata = _read_metadata(self.file)
        entries: dict[str, Entry] = {}
        addresses: dict[str, int] = {}
        for name, address, dataset in self.walk():
            if addresses.setdefault(name, address) != address:
                raise ValueError(f"its attribute `{NAMES_KEY}` gives two datasets one name")
            entries[name] = _describe(self.path, name, dataset)
        first: dict[int, str] = {}
        for name in sorted(entries):
            first.setdefault(addresses[name], name)
        ties = {name: first[address] for name, address in sorted(addresses.items()) if first[address] != name}
        texts = {key: text for key, text in metadata.items() if key != NAMES_KEY}
        return Header(texts, [entries[name] for name in sorted(first.values())], ties)

    def walk(self) -> Iterator[tuple[str, int, Any]]:
        """Yield each link to a dataset: the tensor's name, the dataset's address, and the dataset."""
        for place, address, dataset in _walk(self.file):
            yield self.names.get(place, place), address, dataset

    def open(self, name: str) -> tuple[Any, Entry]:
        """Return a tensor's dataset, and what the file says of it, if so much data can be there."""
        dataset = _find(self.file, self.places.get(name, name))
        if dataset is None:
            raise missing_tensor(self.path, name, [known for known, _, _ in self.walk()])
        entry = _describe(self.path, name, dataset)
        if entry.nbytes > MAX_EXPANSION * self.path.stat().st_size:
            what = f"`{name}` in `{self.path}` claims {entry.nbytes:,} bytes that are not there"
            raise InitcliError(Fault(what))
        if (nbytes := _measure_packed(dataset)) > CACHE_NBYTES:
            what = f"`{name}` in `{self.path}` is compressed and unpacks {nbytes:,} bytes at once: more than is kept"
            raise InitcliError(Fault(what, hint="write it again without compression, or with smaller chunks"))
        return dataset, entry

    def read(self, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield copies of tensors."""
        for name in names:
            dataset, entry = self.open(name)
            array = np.asarray(dataset[()]) if entry.nbytes else np.empty(entry.shape, dataset.dtype)
            yield array.view(DTYPES[entry.dtype].numpy) if entry.dtype in _OPAQUE else array

    def read_chunks(self, names: Iterable[str], start: int = 0) -> Iterator[Chunk]:
        """Yield the elements of tensors, in place where they stand as they are, else as the library reads them.

        The chunks of a tensor before that of element `start` are left out.
        """
        with self.path.open("rb") as stored:
            for name in names:
                dataset, entry = self.open(name)
                element = DTYPES[entry.dtype].numpy if entry.dtype in _OPAQUE else dataset.dtype
                if element.names or (element.kind not in "biufc" and entry.dtype not in _OPAQUE):
                    raise refuse_values(self.path, name, entry.dtype)
                if _is_plain(dataset):
                    offset = self.start + dataset.id.get_offset()
                    yield from read_stored(stored, name, element, offset, math.prod(entry.shape), start=start)
                elif entry.nbytes:
                    little = element.newbyteorder("<")
                    yield from (chunk._replace(values=chunk.values.view(little)) for chunk in cut(name, dataset, start))


def _measure_packed(dataset: Any) -> int:
    """Return the bytes of the chunks that must be kept, so that each is unpacked once; 0 if none is compressed.

    Where a chunk has several rows, these are all chunks beside it, down to the last axis.
    """
    if dataset.chunks is None or not dataset.id.get_create_plist().get_nfilters():
        return 0
    axis = next((axis for axis, rows in enumerate(dataset.chunks) if rows > 1), dataset.ndim - 1)
    beside = (
        -(-size // rows) * rows
        for size, rows in zip(dataset.shape[axis + 1 :], dataset.chunks[axis + 1 :], strict=True)
    )
    return int(dataset.chunks[axis] * math.prod(beside) * dataset.dtype.itemsize)


def _is_plain(dataset: Any) -> bool:
    """Tell whether a dataset's bytes stand in the file one behind the other, as NumPy holds them."""
    import h5py

    stored = h5py.h5t.py_create(dataset.dtype, logical=True) == dataset.id.get_type()
    return stored and dataset.id.get_offset() is not None


def _walk(file: Any) -> Iterator[tuple[str, int, Any]]:
    """Yield each hard link to a dataset: its path, the dataset's address, the dataset. No other link is followed, and
    each group is entered once, so there is no cycle, no other file and no dangling link.
    """
    import h5py

    entered = {h5py.h5o.get_info(file.id).addr}
    groups = [("", file.id)]
    while groups:
        prefix, group = groups.pop()
        for link in group:
            if group.links.get_info(link).type != h5py.h5l.TYPE_HARD:
                continue
            child = h5py.h5o.open(group, link)
            address = h5py.h5o.get_info(child).addr
            if isinstance(child, h5py.h5d.DatasetID):
                yield prefix + link.decode(), address, h5py.Dataset(child)
            elif isinstance(child, h5py.h5g.GroupID) and address not in entered:
                entered.add(address)
                groups.append((f"{prefix}{link.decode()}/", child))


def _find(file: Any, name: str) -> Any | None:
    """Return the dataset at `name` if hard links alone lead there."""
    import h5py

    place = file.id
    for part in name.encode("utf-8", "surrogatepass").split(b"/"):
        if not isinstance(place, (h5py.h5f.FileID, h5py.h5g.GroupID)) or part in (b"", b".") or part not in place:
            return None
        if place.links.get_info(part).type != h5py.h5l.TYPE_HARD:
            return None
        place = h5py.h5o.open(place, part)
    return h5py.Dataset(place) if isinstance(place, h5py.h5d.DatasetID) else None


def _describe(path: Path, name: str, dataset: Any) -> Entry:
    """Return what the file says of a dataset; one whose data would come from another file is refused."""
    import h5py

    creation = dataset.id.get_create_plist()
    if creation.get_layout() == h5py.h5d.VIRTUAL or (
        creation.get_layout() == h5py.h5d.CONTIGUOUS and creation.get_external_count()
    ):
        raise InitcliError(Fault(f"`{name}` in `{path}` keeps its data in another file, which is not read"))
    shape = (0,) if dataset.shape is None else tuple(dataset.shape)
    return Entry(name, _name_dtype(dataset), shape, math.prod(shape) * dataset.dtype.itemsize)


def _name_dtype(dataset: Any) -> str:
    """Return the element type's name: ours where we have one, else NumPy's."""
    import h5py

    name = _read_text(dataset, "dtype") if dataset.dtype.kind == "V" and not dataset.dtype.names else None
    if name in _OPAQUE and dataset.dtype.itemsize == _OPAQUE[name].itemsize:
        return name
    return "string" if h5py.check_string_dtype(dataset.dtype) else str(dataset.dtype.name)


def _read_metadata(file: Any) -> dict[str, str]:
    """Return the root's attributes that are one text each."""
    texts = {key: _read_text(file, key) for key in file.attrs}
    return {key: text for key, text in texts.items() if text is not None}


def _read_names(file: Any) -> dict[str, str]:
    """Return the tensors' names by the paths of their datasets, where the file tells them."""
    try:
        names = json.loads(_read_text(file, NAMES_KEY) or "{}")
    except RecursionError:
        return {}
    is_mapping = isinstance(names, dict) and all(isinstance(name, str) for name in names.values())
    return names if is_mapping else {}


def _read_text(place: Any, key: str) -> str | None:
    """Return the attribute `key` if it is one text."""
    import h5py

    if key not in place.attrs:
        return None
    attribute = place.attrs.get_id(key)
    if attribute.shape != () or not h5py.check_string_dtype(attribute.dtype):
        return None
    value = place.attrs[key]
    raw = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "replace")
