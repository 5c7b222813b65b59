"""Hugging Face checkpoints: a directory with one `model.safetensors`, or with shards of it and an index.

Each shard is a safetensors file; the first alone carries the spec, for the index is left as transformers writes it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from initcli.errors import Fault, InitcliError
from initcli.formats import Contents, Header, Layout, Refusal, Seal, Slot, Tensor
from initcli.formats.chunks import CHUNK_ELEMS, Chunk
from initcli.formats.reading import missing_tensor
from initcli.formats.reserving import reserve
from initcli.formats.safetensors import safetensors
from initcli.formats.shard_index import (
    CONFIG,
    INDEX,
    REPAIR,
    SINGLE,
    name_shards,
    read_index,
    render_index,
    require_shards,
    split,
)
from initcli.formats.shelf import Shelf
from initcli.provenance import SPEC_KEY


class Sharded:
    """The format `safetensors` with a directory: shards of at most `max_shard_nbytes` each, if that is given.

    A `config` is written beside them as config.json.
    """

    name = "safetensors"
    suffixes: tuple[str, ...] = ()
    is_directory = True
    is_streamable = False

    def __init__(self, max_shard_nbytes: int | None = None, config: bytes | None = None) -> None:
        self.max_shard_nbytes, self.config = max_shard_nbytes, config

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse what a safetensors file cannot hold."""
        return safetensors.faults(tensors)

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return where each tensor goes: shards filled in the tensors' order; the index is sealed last."""
        tensors = contents.tensors
        shards = split([tensor.nbytes for tensor in tensors], self.max_shard_nbytes)
        names = name_shards(len(shards))
        slots: dict[int, Slot] = {}
        seals: list[Seal] = []
        told = dict(contents.metadata)
        for name, places in zip(names, shards, strict=True):
            layout = safetensors.lay_out(Contents([tensors[place] for place in places], told), path / name)
            slots.update(zip(places, layout.slots, strict=True))
            seals += layout.seals
            told.pop(SPEC_KEY, None)
        if self.config is not None:
            seals.append(Seal(path / CONFIG, self.config))
        if len(shards) > 1:
            weight_map = {
                tensors[place].name: name for name, places in zip(names, shards, strict=True) for place in places
            }
            seals.append(Seal(path / INDEX, render_index(weight_map, _total(tensors))))
        return Layout(tuple(slots[place] for place in range(len(tensors))), tuple(seals))

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Make and reserve every file; zeros stand where the headers, the config and the index go."""
        layout = self.lay_out(contents, path)
        reserve(layout)
        return layout

    def read_header(self, path: Path) -> Header:
        """Return the tensors of all shards, which must be where the index says, and all metadata of the shards."""
        files = _find_files(path)
        if files is None:
            return safetensors.read_header(path / SINGLE)
        metadata: dict[str, str] = {}
        entries = []
        for shard in sorted(set(files.values())):
            header = safetensors.read_header(path / shard)
            metadata = header.metadata | metadata
            for entry in header.entries:
                if files.get(entry.name) != shard:
                    raise _misplaced(path, entry.name, shard, files)
            entries += header.entries
        if absent := files.keys() - {entry.name for entry in entries}:
            name = min(absent)
            raise InitcliError(
                Fault(f"`{path / INDEX}` has `{name}` in `{files[name]}`, but it is not there", hint=REPAIR)
            )
        return Header(metadata, sorted(entries))

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield copies of the tensors; a shard stays open while its tensors are asked for."""
        files = _find_files(path)
        if files is None:
            yield from safetensors.read_tensors(path / SINGLE, names)
            return
        shelf = Shelf(path, safetensors.read_tensors)
        for name in names:
            if name not in files:
                raise missing_tensor(path, name, files)
            yield next(shelf.ask(files[name], name))

    def read_chunks(self, path: Path, names: Iterable[str]) -> Iterator[Chunk]:
        """Yield the elements; a shard stays open while its tensors are asked for."""
        files = _find_files(path)
        if files is None:
            yield from safetensors.read_chunks(path / SINGLE, names)
            return
        sizes = {entry.name: prod(entry.shape) for entry in self.read_header(path).entries}
        shelf = Shelf(path, safetensors.read_chunks)
        for name in names:
            if name not in files:
                raise missing_tensor(path, name, files)
            yield from islice(shelf.ask(files[name], name), -(-sizes[name] // CHUNK_ELEMS))

    def seek_chunks(self, path: Path, name: str, start: int) -> Iterator[Chunk]:
        """Yield the elements from the chunk of element `start`; no shard but the tensor's is opened."""
        files = _find_files(path) or {name: SINGLE}
        if name not in files:
            raise missing_tensor(path, name, files)
        return safetensors.seek_chunks(path / files[name], name, start)

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return a copy of one tensor."""
        return next(self.read_tensors(path, [name]))


def holds_checkpoint(path: Path) -> bool:
    """Tell whether a directory holds weights as Hugging Face's libraries find them."""
    return any(os.path.lexists(path / name) for name in (INDEX, SINGLE))


"""The format that makes shards of Keras's, beside their index."""


def _total(tensors: Sequence[Tensor]) -> dict[str, int]:
    """Return the index's two totals: bytes of all tensors, and elements."""
    return {
        "total_parameters": sum(prod(tensor.shape) for tensor in tensors),
        "total_size": sum(tensor.nbytes for tensor in tensors),
    }


def _find_files(path: Path) -> dict[str, str] | None:
    """Return the file of each tensor as the index says, all of them there; None if there is one file and no index."""
    if not os.path.lexists(path / INDEX):
        if not os.path.lexists(path / SINGLE):
            raise InitcliError(Fault(f"`{path}` holds neither `{SINGLE}` nor `{INDEX}`"))
        return None
    files = read_index(path / INDEX)
    if os.path.lexists(path / SINGLE) and SINGLE not in files.values():
        what = f"`{path}` holds `{SINGLE}` beside `{INDEX}`: readers take the one file and never see the shards"
        raise InitcliError(Fault(what, hint="remove the one that is stale"))
    require_shards(path / INDEX, set(files.values()))
    return files


def _misplaced(path: Path, name: str, shard: str, files: Mapping[str, str]) -> InitcliError:
    """Return the error for a tensor in a shard where the index does not have it."""
    told = f"has it in `{files[name]}`" if name in files else "does not name it"
    return InitcliError(Fault(f"`{name}` is in `{path / shard}`, but `{INDEX}` {told}", hint=REPAIR))


sharded = Sharded()
