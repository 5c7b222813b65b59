"""Keras 3's sharded weights: `m.weights.json`, an index, and beside it `m_00000.weights.h5`, `m_00001.weights.h5` …

The index tells the file of each object's variables, or its files, and a shard is laid out as any `.weights.h5`. Keras
opens the first before it looks into the index, so a file of that name is always there.

Keras reads such sets from 3.11 on. In 3.10, which knows no lists of files, those objects keep their random weights
without a word, and no less if a later Keras wrote the set.

Source: keras-team/keras v3.15.1, `keras/src/saving/saving_lib.py`: `ShardedH5IOStore`, `_walk_saveable`
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from initcli.errors import Fault, InitcliError
from initcli.files import preallocate
from initcli.formats import Contents, Header, Layout, Refusal, Seal, Slot, Tensor
from initcli.formats.chunks import CHUNK_ELEMS, Chunk
from initcli.formats.hdf5_reading import open_datasets
from initcli.formats.keras_weights import KerasWeights, keras_weights
from initcli.formats.reading import missing_tensor, read_start, reading
from initcli.formats.shard_index import REPAIR, check_file_name, read_weight_map, require_shards, split
from initcli.formats.shelf import Shelf

START_NBYTES = 4096
"""So much of a JSON file tells whether it is an index: what Keras writes before the `weight_map` is one number."""
_LISTS = ("layers", "cells")
"""The attributes that hold several objects, in an order of their own."""


class KerasShards(KerasWeights):
    """The format `weights.json`: shards of at most `max_shard_nbytes` each, if that is given.

    A shard of the second edition is `m_00000.2.weights.h5`: no index has such a one in its first.
    """

    name = "weights.json"
    suffixes: tuple[str, ...] = (".weights.json",)

    def __init__(self, max_shard_nbytes: int | None = None, edition: int = 1) -> None:
        self.max_shard_nbytes, self.edition = max_shard_nbytes, edition
        self._suffix = ".weights.h5" if edition == 1 else f".{edition}.weights.h5"

    def with_edition(self, edition: int) -> KerasShards:
        """Return this format with shards of other names."""
        return KerasShards(self.max_shard_nbytes, edition)

    def is_member(self, path: Path, name: str) -> bool:
        """Tell whether a shard of this edition may be called `name`: on some disks capitals are small letters."""
        pattern = rf"{re.escape(_stem(path))}_\d{{5,}}{re.escape(self._suffix)}"
        return re.fullmatch(pattern, name, re.IGNORECASE) is not None

    def name_entrance(self, path: Path) -> str:
        """Return the name of the shard that Keras opens first."""
        return f"{_stem(path)}_00000.weights.h5"

    def list_members(self, path: Path) -> list[str]:
        """Return the shards that the index names."""
        return sorted({shard for shards in _read_index(path).values() for shard in shards})

    def refuse(self, index: int, tensor: Tensor) -> Refusal | None:
        """Return why Keras would not find a tensor, or not write it."""
        refusal = super().refuse(index, tensor)
        if refusal is None and self.max_shard_nbytes is not None and tensor.nbytes > self.max_shard_nbytes:
            what = (
                f"`{tensor.name}` has {tensor.nbytes:,} bytes, and a shard of Keras's at most {self.max_shard_nbytes:,}"
            )
            return Refusal(index, what, f"give `--max-shard-size {tensor.nbytes}` or more")
        return refusal

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return where each tensor goes: shards filled in the order in which Keras saves; the index is sealed last."""
        return self._assemble(contents, path, keras_weights.lay_out)

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Reserve every file and write all but the data, the signatures of the shards, and the index."""
        layout = self._assemble(contents, path, keras_weights.allocate)
        preallocate(path, len(layout.seals[-1].data))
        return layout

    def _assemble(self, contents: Contents, path: Path, place: Callable[[Contents, Path], Layout]) -> Layout:
        """Return the layout of all files, of which `place` makes each shard's; the first alone has the metadata."""
        tensors = contents.tensors
        saved = order_as_saved([(where, at) for at, each in enumerate(tensors) for where, _ in self.names([each])])
        order = list(dict.fromkeys(at for _, at in saved))
        slots: dict[int, Slot] = {}
        seals: list[Seal] = []
        for number, shard in enumerate(split([tensors[at].nbytes for at in order], self.max_shard_nbytes)):
            kept = [order[each] for each in shard]
            part = Contents([tensors[at] for at in kept], {} if number else contents.metadata)
            layout = place(part, path.with_name(f"{_stem(path)}_{number:05}{self._suffix}"))
            slots.update(zip(kept, layout.slots, strict=True))
            seals += layout.seals
        if self.edition > 1:
            seals += place(Contents([]), path.with_name(self.name_entrance(path))).seals
        index = _render_index(
            [(where, slots[at].file.name) for where, at in saved], sum(each.nbytes for each in tensors)
        )
        return Layout(tuple(slots[at] for at in range(len(tensors))), (*seals, Seal(path, index)))

    def read_header(self, path: Path) -> Header:
        """Return the tensors of all shards, which must be where the index says, and all metadata of the shards."""
        return _read_shards(path)[0]

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield copies of the tensors; a shard stays open while its tensors are asked for."""
        _, shards = _read_shards(path)
        shelf = Shelf(path.parent, keras_weights.read_tensors)
        for name in names:
            if name not in shards:
                raise missing_tensor(path, name, shards)
            yield next(shelf.ask(shards[name], name))

    def read_chunks(self, path: Path, names: Iterable[str]) -> Iterator[Chunk]:
        """Yield the elements; a shard stays open while its tensors are asked for."""
        header, shards = _read_shards(path)
        sizes = {entry.name: prod(entry.shape) for entry in header.entries}
        shelf = Shelf(path.parent, keras_weights.read_chunks)
        for name in names:
            if name not in shards:
                raise missing_tensor(path, name, shards)
            size = sizes[header.ties.get(name, name)]
            yield from islice(shelf.ask(shards[name], name), -(-size // CHUNK_ELEMS))


def order_as_saved(places: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return variables, each the path to it and a number of ours, in the order in which Keras saves them.

    An object's own come first, then those that its attributes lead to, by their names, the private ones last; the
    objects of a list follow one another as they stand in it.

    >>> paths = ["rnn/_b/vars/0", "rnn/cells/z/vars/0", "rnn/cells/a/vars/0", "rnn/vars/0"]
    >>> [number for _, number in order_as_saved([(path, number) for number, path in enumerate(paths)])]
    [3, 1, 2, 0]
    """
    ranks: dict[str, int] = {}

    def rank(path: str) -> list[tuple[int, str]]:
        key, holder, prefix = [], "", ""
        for step in path.split("/")[:-1]:
            prefix += f"/{step}"
            if holder in _LISTS:
                key.append((ranks.setdefault(prefix, len(ranks)), ""))
            else:
                key.append((-1, "") if step == "vars" else (0, f"~{step}" if step.startswith("_") else step))
            holder = step
        return key

    return sorted(places, key=lambda place: rank(place[0]))


def is_index(path: Path) -> bool:
    """Tell whether a file is a JSON object, and an index by its name or by a `weight_map` near its start."""
    start = read_start(path, START_NBYTES)
    is_named = path.name.lower().endswith(KerasShards.suffixes)
    return start.lstrip().startswith(b"{") and (is_named or b'"weight_map"' in start)


def _stem(path: Path) -> str:
    """Return what Keras calls the shards of an index after."""
    return path.stem.replace(".weights", "")


def _group(where: str) -> str:
    """Return what an index calls the place of an object's variables, from the path to one.

    >>> _group("layers/dense/vars/0")
    '/layers/dense/vars'
    """
    return "/" + where.lstrip("/").rpartition("/")[0]


def _render_index(places: Sequence[tuple[str, str]], total_nbytes: int) -> bytes:
    """Return an index as Keras writes it, from paths and shards: of an object with one variable not a list, but one."""
    shards: dict[str, list[str]] = {}
    for where, shard in places:
        shards.setdefault(_group(where), []).append(shard)
    weight_map = {group: each[0] if len(each) == 1 else list(dict.fromkeys(each)) for group, each in shards.items()}
    return json.dumps({"metadata": {"total_size": float(total_nbytes)}, "weight_map": weight_map}, indent=4).encode()


def _read_index(path: Path) -> dict[str, list[str]]:
    """Return the shards of each object, all of them files beside the index.

    Raises:
        InitcliError: the file cannot be read, is too long or no index, or names a file that is somewhere else.
    """
    index = {}
    for group, shards in read_weight_map(path).items():
        index[group] = shards if isinstance(shards, list) else [shards]
        for shard in index[group]:
            check_file_name(path, group, shard, ".h5")
    return index


def _read_shards(path: Path) -> tuple[Header, dict[str, str]]:
    """Return what the shards hold, and the shard of each tensor.

    Raises:
        InitcliError: a shard is missing or damaged, or holds other variables than the index has there.
    """
    index = _read_index(path)
    awaited = {(group, shard) for group, shards in index.items() for shard in shards}
    names = sorted({shard for _, shard in awaited})
    require_shards(path, names)
    whole = Header({}, [], {})
    shards: dict[str, str] = {}
    for shard in names:
        header, groups = _read_shard(path.with_name(shard))
        for name, group in groups:
            if shard not in index.get(group, ()):
                raise _misplaced(path, f"`{group}` is", shard, index.get(group))
            if shards.setdefault(name, shard) != shard:
                raise _misplaced(path, f"`{name}` is", shard, [shards[name]])
            awaited.discard((group, shard))
        whole = Header(
            header.metadata | whole.metadata, [*whole.entries, *header.entries], {**whole.ties, **header.ties}
        )
    if awaited:
        group, shard = min(awaited)
        raise InitcliError(Fault(f"`{path}` has `{group}` in `{shard}`, but it is not there", hint=REPAIR))
    return whole._replace(entries=sorted(whole.entries)), shards


def _read_shard(path: Path) -> tuple[Header, list[tuple[str, str]]]:
    """Return what a shard holds, and the objects at whose paths each tensor is."""
    with reading(path, "HDF5"), open_datasets(path) as datasets:
        header, names = datasets.header(), datasets.names
    known = {*header.ties, *(entry.name for entry in header.entries)}
    told = [(name, _group(where)) for where, name in names.items() if name in known]
    return header, told + [(name, _group(name)) for name in known.difference(names.values())]


def _misplaced(path: Path, what: str, shard: str, told: Sequence[str] | None) -> InitcliError:
    """Return the error for what is in a shard where the index does not have it."""
    where = f"has it in `{told[0]}`" if told else "does not name it"
    return InitcliError(Fault(f"{what} in `{path.with_name(shard)}`, but `{path.name}` {where}", hint=REPAIR))


keras_shards = KerasShards()
