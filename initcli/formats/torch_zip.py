"""Torch's checkpoints, `.pt`: a zip of a pickle and of one member for each storage, made and read without torch.

`torch.load` reads them with `weights_only=True`, its default, and with `mmap=True`. The root folder, which torch calls
after the file, is always `archive`, so the bytes do not depend on the file's name; the metadata has a member of its own
beside torch's.

Source: https://docs.pytorch.org/docs/stable/notes/serialization.html, checked against torch 2.13
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from initcli.dtypes import DTYPES
from initcli.errors import Fault, InitcliError
from initcli.formats import Contents, Entry, Header, Layout, Refusal, Tensor
from initcli.formats.naming import check_metadata, refuse_common
from initcli.formats.reading import missing_tensor, reading
from initcli.formats.safetensors import MAX_HEADER_NBYTES
from initcli.formats.torch_pickle import MAX_RANK, View, parse_pickle, render_pickle
from initcli.formats.zip_layout import Member, allocate_zip, lay_out_zip
from initcli.formats.zip_reading import Archive, open_archive

KIND = "a torch checkpoint"
ROOT = "archive"
"""The folder that `torch.save` puts all into where it knows no file name."""
PICKLE = "/data.pkl"
METADATA = "/initcli.json"
MAX_MEMBER_NBYTES = 100_000_000
"""The longest pickle, and the longest metadata, that are read: those of half a million tensors."""


class TorchZip:
    """The format `.pt`."""

    name = "pt"
    suffixes: tuple[str, ...] = (".pt", ".pth", ".bin")
    is_directory = False
    is_streamable = True

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse what nothing can hold, and more axes than torch computes with."""
        refusals = []
        for index, tensor in enumerate(tensors):
            if refusal := refuse_common(index, tensor):
                refusals.append(refusal)
            elif len(tensor.shape) > MAX_RANK:
                what = f"`{tensor.name}` has {len(tensor.shape)} axes, and torch's own operations stop at {MAX_RANK}"
                refusals.append(Refusal(index, what))
        return refusals

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return the pickle and the small members, then a storage for each tensor, in their order."""
        return lay_out_zip(_list_members(contents), path)

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Reserve the whole file, all zeros."""
        return allocate_zip(_list_members(contents), path)

    def read_header(self, path: Path) -> Header:
        """Return what the pickle says of each tensor, and our metadata if there is any."""
        archive, root, views = _open(path)
        with reading(path, KIND):
            metadata = _read_metadata(archive, root)
        ties = _find_ties(views)
        return Header(metadata, [_describe(name, views[name]) for name in sorted(views.keys() - ties)], ties)

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the tensors, each checked against its storage's checksum and read in place from the disk."""
        archive, root, views = _open(path)
        for name in names:
            if name not in views:
                raise missing_tensor(path, name, views)
            with reading(path, KIND):
                member = f"{root}/data/{views[name].key}"
                archive.check(member)
                array = _map_view(archive, member, views[name])
            yield array

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return one tensor, read in place from the disk."""
        return next(self.read_tensors(path, [name]))


def is_checkpoint(archive: Archive) -> bool:
    """Tell whether a zip is torch's: there is a pickle in its root folder."""
    return any(name.endswith(PICKLE) for name in archive.records)


def is_bare_pickle(start: bytes) -> bool:
    """Tell whether a file's first 8 bytes are a pickle's: as the length that safetensors begins with, too large."""
    is_length = int.from_bytes(start, "little") <= MAX_HEADER_NBYTES
    return start.startswith((b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5")) and not is_length


def _list_members(contents: Contents) -> Iterator[Member]:
    """Yield the archive's members; torch knows a checkpoint by the first."""
    metadata = contents.metadata
    check_metadata(metadata)
    pickled = render_pickle(contents.tensors, contents.ties)
    if len(pickled) > MAX_MEMBER_NBYTES:
        what = (
            f"the pickle of a `.pt` needs {len(pickled):,} bytes, and more than {MAX_MEMBER_NBYTES:,} are not read back"
        )
        raise InitcliError(Fault(what, hint="fewer tensors, shorter names, or HDF5: `.h5`"))
    yield Member(ROOT + PICKLE, pickled)
    yield Member(f"{ROOT}/byteorder", b"little")
    yield Member(f"{ROOT}/version", b"3\n")
    if metadata:
        yield Member(ROOT + METADATA, json.dumps(dict(metadata), ensure_ascii=False, separators=(",", ":")).encode())
    for index, tensor in enumerate(contents.tensors):
        yield Member(f"{ROOT}/data/{index}", b"", tensor.nbytes)


def _open(path: Path) -> tuple[Archive, str, dict[str, View]]:
    """Return the checkpoint, its root folder and its tensors, whose storages are all there at full length."""
    with reading(path, KIND):
        with path.open("rb") as file:
            if is_bare_pickle(file.read(8)):
                what = f"`{path}` is a bare pickle, which could run code and is never loaded"
                hint = "`torch.save(torch.load(path, weights_only=True), path)` writes it as a zip"
                raise InitcliError(Fault(what, hint=hint))
        archive = open_archive(path)
        pickles = [name for name in archive.records if name.endswith(PICKLE)]
        if len(pickles) != 1:
            raise ValueError(f"{len(pickles)} members are called `…{PICKLE}`, and there must be one")
        root = pickles[0].removesuffix(PICKLE)
        order = f"{root}/byteorder"
        if order in archive.records and archive.read(order, 16) != b"little":
            raise ValueError("its byte order is not little-endian")
        views = parse_pickle(archive.read(pickles[0], MAX_MEMBER_NBYTES))
        for name, view in views.items():
            record = archive.records.get(f"{root}/data/{view.key}")
            if record is None or record.stop - record.start != view.nbytes:
                raise ValueError(f"the storage of {name!r} is absent or not {view.nbytes:,} bytes")
        return archive, root, views


def _read_metadata(archive: Archive, root: str) -> dict[str, str]:
    """Return what we wrote beside torch's members."""
    if root + METADATA not in archive.records:
        return {}
    metadata = json.loads(archive.read(root + METADATA, MAX_MEMBER_NBYTES))
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError(f"`{root}{METADATA}` is no mapping from text to text")
    return metadata


def _find_ties(views: Mapping[str, View]) -> dict[str, str]:
    """Return the names that stand for all that an earlier name stands for, each with the first such name."""
    first: dict[View, str] = {}
    return {name: first[view] for name, view in views.items() if first.setdefault(view, name) != name}


def _describe(name: str, view: View) -> Entry:
    """Return what the pickle says of one tensor."""
    return Entry(name, view.dtype, view.shape, math.prod(view.shape) * DTYPES[view.dtype].itemsize)


def _map_view(archive: Archive, member: str, view: View) -> np.ndarray[Any, Any]:
    """Return a tensor of a checked storage, read in place."""
    dtype = DTYPES[view.dtype].numpy
    if not math.prod(view.shape):
        return np.empty(view.shape, dtype)
    start = archive.records[member].start + view.offset * dtype.itemsize
    return np.ndarray(view.shape, dtype, archive.data, start, [stride * dtype.itemsize for stride in view.strides])


torch_zip = TorchZip()
