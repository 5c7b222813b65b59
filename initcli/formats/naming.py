"""What names and shapes the formats share a view on: names as paths, and sizes that no reader can address."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from initcli.errors import Fault, InitcliError
from initcli.formats import Refusal, Tensor

MAX_NBYTES = 2**63 - 1
"""The longest a file or array can be: offsets and NumPy's sizes are signed 64-bit integers."""


def refuse_common(index: int, tensor: Tensor) -> Refusal | None:
    """Return why no format could hold the tensor: a name that is no Unicode text, or a size beyond all addresses."""
    if not is_text(tensor.name):
        return Refusal(index, f"the name {tensor.name!r} is not valid Unicode", "a lone surrogate cannot be written")
    if math.prod(max(size, 1) for size in tensor.shape) * tensor.dtype.itemsize > MAX_NBYTES:
        shape = "×".join(map(str, tensor.shape))
        return Refusal(index, f"`{tensor.name}` ({shape} {tensor.dtype}) is larger than any file can be")
    return None


def refuse_path(index: int, name: str, forbidden: Sequence[str], where: str) -> Refusal | None:
    """Return why `name`, cut at `/`, is no path in `where`: a part is empty or forbidden, or there is a NUL."""
    if "\0" in name:
        return Refusal(index, f"the name {name!r} contains a NUL, which {where} cannot hold")
    parts = name.split("/")
    if "" in parts:
        what = "is empty" if not name else f"`{name}` has an empty part before or after a `/`"
        return Refusal(index, f"the name {what}, which {where} cannot hold", "`/` separates the parts of a name")
    for part in parts:
        if part in forbidden:
            return Refusal(index, f"the name `{name}` has a part `{part}`, which {where} cannot hold")
    return None


def find_parents(paths: Sequence[str]) -> dict[int, int]:
    """Return, for each path that another one passes through, its index and the first such other's.

    >>> find_parents(["a/b", "a", "ab"])
    {1: 0}
    """
    passes: dict[str, int] = {}
    for index, path in enumerate(paths):
        cut = path.rfind("/")
        while cut >= 0 and path[:cut] not in passes:
            passes[path[:cut]] = index
            cut = path.rfind("/", 0, cut)
    return {index: passes[path] for index, path in enumerate(paths) if path in passes}


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Raise an error if a key or a value cannot be written as UTF-8 text without NUL."""
    for key, value in metadata.items():
        if not is_text(key + value) or "\0" in key + value:
            raise InitcliError(Fault(f"the metadata entry {key!r} is not valid text", hint="no NUL, no lone surrogate"))


def is_text(text: str) -> bool:
    """Tell whether `text` has a UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
