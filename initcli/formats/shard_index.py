"""The index of a Hugging Face checkpoint in several files: their names, how tensors are split, and which file has what.

Source: `split_state_dict_into_shards_factory` of huggingface_hub 2.4.0, `save_pretrained` of transformers 5.23.0.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from initcli.errors import Fault, InitcliError
from initcli.formats.reading import reading

SINGLE = "model.safetensors"
"""The file where one is enough; every reader takes it before an index that stands beside it."""
INDEX = "model.safetensors.index.json"
CONFIG = "config.json"
MAX_INDEX_NBYTES = 100_000_000
"""The longest index: as long as a safetensors header may be."""
REPAIR = "the files are not of one set: generate or download it again"


def split(sizes: Sequence[int], limit: int | None) -> list[list[int]]:
    """Return the places of the sizes by shard: in order, each as full as `limit` lets it be.

    What is larger than the limit has a shard of its own, which stands before the one that is being filled.

    >>> split([6, 6, 2, 12, 2], 8)
    [[0], [3], [1, 2], [4]]
    """
    shards: list[list[int]] = []
    current: list[int] = []
    filled = 0
    for place, size in enumerate(sizes):
        if limit is not None and size > limit:
            shards.append([place])
            continue
        if limit is not None and filled + size > limit:
            shards.append(current)
            current, filled = [], 0
        current.append(place)
        filled += size
    return [*shards, current] if current or not shards else shards


def name_shards(count: int, edition: int = 1) -> list[str]:
    """Return the names of so many files; a later edition has others, so that it can stand beside an earlier one.

    >>> name_shards(2)
    ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
    >>> name_shards(1), name_shards(2, edition=2)[0]
    (['model.safetensors'], 'model_2-00001-of-00002.safetensors')
    """
    if count == 1:
        return [SINGLE]
    stem = "model" if edition == 1 else f"model_{edition}"
    return [f"{stem}-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]


def render_index(weight_map: Mapping[str, str], metadata: Mapping[str, int]) -> bytes:
    """Return an index as transformers writes it."""
    index = {"metadata": dict(metadata), "weight_map": dict(weight_map)}
    return (json.dumps(index, indent=2, sort_keys=True) + "\n").encode()


def rename_shards(index: bytes, names: Mapping[str, str]) -> bytes:
    """Return an index of ours whose files have new names."""
    old = json.loads(index)
    return render_index({tensor: names[shard] for tensor, shard in old["weight_map"].items()}, old["metadata"])


def read_index(path: Path) -> dict[str, str]:
    """Return the name of each tensor's file, which is always one beside the index.

    Raises:
        InitcliError: the file cannot be read, is too long or no index, or names a file that is somewhere else.
    """
    weight_map = read_weight_map(path)
    for name, shard in weight_map.items():
        check_file_name(path, name, shard, ".safetensors")
    return weight_map


def read_weight_map(path: Path) -> dict[str, Any]:
    """Return what an index says of each of its names, whatever that is.

    Raises:
        InitcliError: the file cannot be read, is too long or no index.
    """
    with reading(path, "an index of shards"), path.open("rb") as file:
        text = file.read(MAX_INDEX_NBYTES + 1)
        if len(text) > MAX_INDEX_NBYTES:
            raise InitcliError(Fault(f"`{path}` is longer than {MAX_INDEX_NBYTES:,} bytes: no index is"))
        index = json.loads(text, object_pairs_hook=_unique)
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weight_map, dict):
        raise InitcliError(Fault(f"`{path}` has no `weight_map`", hint="an index tells the file of each tensor there"))
    return weight_map


def check_file_name(index: Path, name: str, shard: Any, suffix: str) -> None:
    """Raise an error unless what an index says of `name` is a file of this suffix in the same directory."""
    if not isinstance(shard, str) or not is_file_name(shard, suffix):
        raise InitcliError(Fault(f"`{index}` has `{name}` in {str(shard)[:80]!r}, which is no {suffix} file beside it"))


def require_shards(index: Path, shards: Collection[str]) -> None:
    """Raise an error unless all files that an index names are beside it."""
    if missing := sorted(shard for shard in shards if not index.with_name(shard).exists()):
        what = f"{len(missing):,} of the {len(shards):,} shards that `{index}` names are missing"
        raise InitcliError(Fault(f"{what}: `{missing[0]}`{', …' * (len(missing) > 1)}", hint=REPAIR))


def is_file_name(shard: str, suffix: str) -> bool:
    """Tell whether a shard's name is that of a file of this suffix in the same directory."""
    return shard.endswith(suffix) and shard.isprintable() and not {"/", "\\", os.sep} & {*shard}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of a JSON object, refusing one that is there twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in members if keys.count(key) > 1)!r} is there twice")
    return members
