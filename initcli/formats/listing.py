"""Which formats there are, and which one `--out` and `--format` choose."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from initcli.errors import Fault, InitcliError, suggest
from initcli.formats import STREAM, Format, IndexedFormat

ONE_TENSOR_HINT = "for many use `--format npy` with a directory, `.safetensors` or `.h5`"


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
        raise InitcliError(Fault(f"a `.npy` file holds one tensor, and here are {count}", hint=ONE_TENSOR_HINT))
    return chosen


def chooses_shards(out: str, name: str | None, max_shard_nbytes: int | None) -> bool:
    """Tell whether `--out`, `--format` and `--max-shard-size` mean a directory of safetensors files.

    >>> chooses_shards("gpt2", None, 5_000_000_000), chooses_shards("gpt2/", "safetensors", None)
    (True, True)
    >>> chooses_shards("gpt2.safetensors", "safetensors", None)
    False

    Raises:
        InitcliError: they contradict each other.
    """
    is_folder = out.endswith("/") or os.path.isdir(out)  # noqa: PTH112, for Path.is_dir raises on a forbidden way
    if max_shard_nbytes is None:
        return name == _OF_HUGGING_FACE and is_folder and out != STREAM
    by_suffix = find_listing(out)
    suffix = next((each for each in by_suffix.suffixes if out.lower().endswith(each)), "") if by_suffix else ""
    if (name or suffix[1:]) == _OF_KERAS:
        return False
    if name not in (None, _OF_HUGGING_FACE):
        what = f"`--max-shard-size` makes files of safetensors or `{_OF_KERAS}`, but `--format {name}` was given"
        raise InitcliError(Fault(what, hint="leave one of the two out"))
    if out == STREAM:
        what = "`--max-shard-size` makes several files, which cannot go to standard output"
        raise InitcliError(Fault(what, hint="name a directory with `--out`"))
    if suffix and not is_folder:
        what = f"`--max-shard-size` fills a directory, and `--out {out}` names a file"
        stem = out[: -len(suffix)]
        hint = f"name a directory: `--out {stem}`"
        if suffix == ".weights.h5":
            hint = f"`--out {stem}.{_OF_KERAS}` makes shards for Keras"
        raise InitcliError(Fault(what, hint=hint))
    return True


_OF_HUGGING_FACE, _OF_KERAS = "safetensors", "weights.json"
"""The formats that `--max-shard-size` cuts."""


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
