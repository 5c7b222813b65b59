"""Which format a file is of, by its first bytes, whatever it is called."""

from __future__ import annotations

import os
from pathlib import Path

from initcli.errors import Fault, InitcliError
from initcli.formats import Format
from initcli.formats.listing import LISTINGS


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
        shard_index,
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
    if path.name == shard_index.INDEX:
        what = f"`{path}` is the index of a checkpoint"
        raise InitcliError(Fault(what, hint=f"name the directory that it is in, `{path.parent}`"))
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
