"""Keras's whole models, `.keras`: a zip of the model's config and of its weights, as a `.weights.h5`.

The weights are one member, whose checksum is made of those of its tensors and of what lies between them.

Source: keras-team/keras v3.15.1, `keras/src/saving/saving_lib.py`: `save_model`, `load_model`
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from initcli.checksums import combine_crc32
from initcli.files import write_at
from initcli.formats import Contents, Header, Layout, Refusal, Seal, Slot, Tensor, Trailer
from initcli.formats.chunks import Chunk
from initcli.formats.hdf5_reading import Datasets, open_datasets
from initcli.formats.keras_weights import KERAS_VERSION, keras_weights
from initcli.formats.reading import reading
from initcli.formats.sketch import Sketch
from initcli.formats.zip_layout import Member, allocate_zip, lay_out_zip
from initcli.formats.zip_reading import Archive, open_archive

KIND = "a Keras model"
WEIGHTS = "model.weights.h5"
_METADATA = {"keras_version": KERAS_VERSION, "date_saved": "1980-01-01@00:00:00"}
_HINT = "give what `model.to_json()` returns as `config:` or `--config`, or use the suffix `.weights.h5`"


class KerasArchive:
    """The format `.keras`, with the model's `config` as JSON."""

    name = "keras"
    suffixes: tuple[str, ...] = (".keras",)
    is_directory = False
    is_streamable = False

    def __init__(self, config: bytes | None = None) -> None:
        self.config = config

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse what `.weights.h5` cannot hold, and with the first tensor a config that makes no model."""
        refusals = keras_weights.faults(tensors)
        if refusals or not tensors:
            return refusals
        if self.config is None:
            return [Refusal(0, "a `.keras` file holds the config of the model, and there is none", _HINT)]
        config = json.loads(self.config)
        if not isinstance(config, dict) or not {"class_name", "config"} <= config.keys():
            return [Refusal(0, "the config is none of a Keras model: it has no `class_name` and `config`", _HINT)]
        return []

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return where the weights' own layout puts each tensor, behind the other members."""
        sketch, inner = keras_weights.sketch(contents, path)
        return _shift(lay_out_zip(self._members(sketch), path), sketch, inner)

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Reserve the whole file and write what is no data of the weights."""
        sketch, inner = keras_weights.sketch(contents, path)
        outer = allocate_zip(self._members(sketch), path)
        with path.open("r+b", buffering=0) as file:
            for offset, data in sketch.pieces():
                write_at(file.fileno(), data, outer.slots[0].offset + offset)
        return _shift(outer, sketch, inner)

    def _members(self, sketch: Sketch) -> Iterator[Member]:
        """Yield the archive's members, of which the last is all that is not known yet."""
        yield Member("metadata.json", json.dumps(_METADATA).encode())
        yield Member("config.json", self.config or b"{}")
        yield Member(WEIGHTS, b"", sketch.size)

    def read_header(self, path: Path) -> Header:
        """Return what the weights are, with the texts of their root."""
        with reading(path, KIND), _open(path) as (_, datasets):
            return datasets.header()

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield copies of the tensors, after the checksum of all was compared."""
        with reading(path, KIND), _open(path) as (archive, datasets):
            archive.check(WEIGHTS)
            yield from datasets.read(names)

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return a copy of one tensor."""
        return next(self.read_tensors(path, [name]))

    def read_chunks(self, path: Path, names: Sequence[str]) -> Iterator[Chunk]:
        """Yield the elements of the tensors, after the checksum of all was compared."""
        with reading(path, KIND), _open(path) as (archive, datasets):
            archive.check(WEIGHTS)
            yield from datasets.read_chunks(names)


def is_keras_model(archive: Archive) -> bool:
    """Tell whether a zip is Keras's: there are weights of that name."""
    return WEIGHTS in archive.records


@dataclass(frozen=True)
class _WeightsTrailer:
    """The end of the archive: `runs` are the tensors' indices and sizes as they lie, `gaps` what is before and behind.

    A gap is its CRC-32 and size; there is one more than there are runs.
    """

    archive: Trailer
    end: Seal
    runs: tuple[tuple[int, int], ...]
    gaps: tuple[tuple[int, int], ...]

    def after(self, index: int, crc32: int) -> Seal:
        """Return nothing: behind a tensor there is more of the member."""
        del index, crc32
        return self.end

    def last(self, crc32s: Sequence[int]) -> Seal:
        """Return what stands behind the weights, and the central directory."""
        total = self.gaps[0][0]
        for (index, nbytes), (crc32, gap_nbytes) in zip(self.runs, self.gaps[1:], strict=True):
            total = combine_crc32(combine_crc32(total, crc32s[index], nbytes), crc32, gap_nbytes)
        behind, end = self.archive.after(0, total), self.archive.last([total])
        return Seal(behind.file, behind.data + end.data, behind.offset)


def _shift(outer: Layout, sketch: Sketch, inner: Layout) -> Layout:
    """Return the layout of the archive `outer`, of which the weights are a member laid out as `inner`."""
    (member,), archive = outer.slots, outer.trailer
    assert archive is not None  # noqa: S101, for mypy
    slots = tuple(Slot(each.file, member.offset * bool(each.nbytes) + each.offset, each.nbytes) for each in inner.slots)
    order = sorted((slot.offset, index, slot.nbytes) for index, slot in enumerate(inner.slots) if slot.nbytes)
    gaps, start = [], 0
    for offset, _, nbytes in (*order, (sketch.size, 0, 0)):
        sketch.seek(start)
        gaps.append((zlib.crc32(sketch.read(offset - start)), offset - start))
        start = offset + nbytes
    runs = tuple((index, nbytes) for _, index, nbytes in order)
    end = Seal(member.file, b"", member.offset + member.nbytes)
    return Layout(slots, outer.seals, _WeightsTrailer(archive, end, runs, tuple(gaps)))


@contextmanager
def _open(path: Path) -> Iterator[tuple[Archive, Datasets]]:
    """Open the archive and the weights in it."""
    archive = open_archive(path)
    if WEIGHTS not in archive.records:
        raise ValueError(f"there is no `{WEIGHTS}` in it")
    start, stop, _ = archive.records[WEIGHTS]
    with open_datasets(path, _Window(memoryview(archive.data)[start:stop]), start) as datasets:
        yield archive, datasets


class _Window(io.RawIOBase):
    """A part of a file, for h5py to read."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.position = data, 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to `offset` from the start (0), from here (1) or from the end (2)."""
        self.position = (0, self.position, len(self.data))[whence] + offset
        return self.position

    def tell(self) -> int:
        """Return the position."""
        return self.position

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` from the position, as far as there is something."""
        part = self.data[self.position : self.position + len(buffer)]
        buffer[: len(part)] = part
        self.position += len(part)
        return len(part)


keras_archive = KerasArchive()
