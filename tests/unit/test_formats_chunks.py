"""Chunks: whatever a file's layout, the elements in their order, little-endian, and never more than a chunk at once."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from initcli.errors import InitcliError
from initcli.formats import chunks
from initcli.formats.chunks import boxes, read_chunks, seek_chunks
from initcli.formats.detection import detect_format
from initcli.formats.hdf5 import hdf5

SHAPE = (5, 4, 7)
VALUES = np.arange(math.prod(SHAPE), dtype=np.float32).reshape(SHAPE)


def write_safetensors(path: Path) -> None:
    save_file({"other": np.zeros(3, np.float32), "w": VALUES}, path)


def write_h5(path: Path, **options: Any) -> None:
    values = options.pop("values", VALUES)
    with h5py.File(path, "w", userblock_size=options.pop("userblock_size", None)) as file:
        file.create_dataset("w", data=values, **options)


def write_compact(path: Path) -> None:
    with h5py.File(path, "w") as file:
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple(SHAPE)
        h5py.h5d.create(file.id, b"w", h5py.h5t.IEEE_F32LE, space, creation).write(h5py.h5s.ALL, h5py.h5s.ALL, VALUES)


WRITERS = {
    "safetensors": write_safetensors,
    "h5": write_h5,
    "h5 big-endian": lambda path: write_h5(path, values=VALUES.astype(">f4")),
    "h5 compressed": lambda path: write_h5(path, chunks=(2, 3, 4), compression="gzip"),
    "h5 compressed big-endian": lambda path: write_h5(path, values=VALUES.astype(">f4"), chunks=(2, 3, 4)),
    "h5 compact": write_compact,
    "npy": lambda path: np.save(path, VALUES),
    "npy column-major": lambda path: np.save(path, np.asfortranarray(VALUES)),
    "npy big-endian": lambda path: np.save(path, VALUES.astype(">f4")),
    "npz": lambda path: np.savez(path, w=VALUES),
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("size", [1, 6, 28, 1000])
def test_chunks_are_the_tensor_in_row_major_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, size: int
) -> None:
    """As another library wrote it: contiguous, compressed, big-endian or column-major."""
    path = tmp_path / f"w.{kind.split()[0]}"
    WRITERS[kind](path)
    monkeypatch.setattr(chunks, "CHUNK_ELEMS", size)

    found = list(read_chunks(detect_format(path), path, ["w"]))

    assert [chunk.start for chunk in found] == list(range(0, VALUES.size, size))
    assert b"".join(chunk.values.tobytes() for chunk in found) == VALUES.astype("<f4").tobytes()
    assert {chunk.values.dtype for chunk in found} == {np.dtype("<f4")}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("start", [0, 5, 6, 77, VALUES.size - 1])
def test_a_tensor_is_read_from_the_chunk_of_any_element(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, start: int
) -> None:
    """The chunks are those that would be read from the beginning, but for the ones before the element."""
    path = tmp_path / f"w.{kind.split()[0]}"
    WRITERS[kind](path)
    monkeypatch.setattr(chunks, "CHUNK_ELEMS", 6)

    found = list(seek_chunks(detect_format(path), path, "w", start))

    first = start // 6 * 6
    assert [chunk.start for chunk in found] == list(range(first, VALUES.size, 6))
    assert b"".join(chunk.values.tobytes() for chunk in found) == VALUES.ravel()[first:].astype("<f4").tobytes()


def test_a_dataset_is_found_behind_a_user_block(tmp_path: Path) -> None:
    """Offsets count from the first byte of the file."""
    path = tmp_path / "w.h5"
    write_h5(path, userblock_size=512)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3")

    found = list(read_chunks(hdf5, path, ["w"]))

    assert [chunk.values.tobytes() for chunk in found] == [VALUES.tobytes()]


@given(st.lists(st.integers(1, 5), max_size=4), st.data())
def test_boxes_cover_a_range_once_and_in_order(shape: list[int], data: st.DataObject) -> None:
    """Any range of any shape, in a few boxes: two for each axis at most, and one."""
    size = math.prod(shape)
    start = data.draw(st.integers(0, size - 1))
    stop = data.draw(st.integers(start + 1, size))
    array = np.arange(size).reshape(shape)

    found = list(boxes(shape, start, stop))

    assert np.concatenate([array[box].reshape(-1) for box in found]).tolist() == list(range(start, stop))
    assert len(found) <= 2 * len(shape) + 1


@pytest.mark.parametrize("kind", ["safetensors", "h5", "npy", "npz"])
def test_a_tensor_that_is_not_there_is_told(tmp_path: Path, kind: str) -> None:
    """As `read_tensors` tells it, with what was perhaps meant."""
    path = tmp_path / f"w.{kind}"
    WRITERS[kind](path)

    with pytest.raises(InitcliError, match="holds no tensor `v`"):
        list(read_chunks(detect_format(path), path, ["v"]))


def test_text_has_no_values(tmp_path: Path) -> None:
    """A dataset of strings is refused in one fault."""
    write_h5(tmp_path / "w.h5", values=["a", "b"])

    with pytest.raises(InitcliError, match=r"`w` in `.*` is string, whose values initcli does not read"):
        list(read_chunks(detect_format(tmp_path / "w.h5"), tmp_path / "w.h5", ["w"]))


def test_a_file_that_shrinks_while_it_is_read_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its header was whole, and then its end is not there."""
    path = tmp_path / "w.safetensors"
    save_file({"w": np.zeros(100_000, np.float32)}, path)
    monkeypatch.setattr(chunks, "CHUNK_ELEMS", 10)

    reading = read_chunks(detect_format(path), path, ["w"])
    next(reading)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 400)

    with pytest.raises(InitcliError, match="ends within `w`"):
        list(reading)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process alone, without its parent's, is in /proc")
@pytest.mark.parametrize("kind", ["safetensors", "h5", "npy"])
def test_memory_does_not_grow_with_the_tensor(tmp_path: Path, kind: str) -> None:
    """Forty million elements take as much as one million, within two chunks."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from initcli.formats.weights import open_weights\n"
        "from initcli.readback import digest_weights\n"
        "digest_weights(open_weights(Path(sys.argv[1])))\n"
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])\n"
    )
    peaks = []
    for size in (1_000_000, 40_000_000):
        path = tmp_path / f"w.{kind}"
        if kind == "safetensors":
            save_file({"w": np.zeros(size, np.float32)}, path)
        elif kind == "h5":
            write_h5(path, values=np.zeros(size, np.float32))
        else:
            np.save(path, np.zeros(size, np.float32))
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True, text=True)
        peaks.append(int(done.stdout))

    assert peaks[1] - peaks[0] < 2 * chunks.CHUNK_ELEMS * 4 / 1024 + 6_000  # kB
