"""The contract of every format: what is written at the slots is what the real library reads back."""

from __future__ import annotations

import math
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from every_format import FORMATS
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from initcli.dtypes import DTYPES, DType
from initcli.engine import list_seals
from initcli.errors import InitcliError
from initcli.files import write_at
from initcli.formats import Contents, Format, Layout
from initcli.formats.detection import detect_format
from initcli.object_paths import Stored


@dataclass(frozen=True)
class Piece:
    """A tensor as formats see it."""

    name: str
    shape: tuple[int, ...]
    dtype: DType

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def stored(self) -> Stored:
        return Stored("dense", (f"layers/dense/vars/{self.name.encode().hex()}",))


IS_READ_BY = {"weights.h5": "h5", "keras-legacy-h5": "h5"}
"""What names of its own are in is read as any HDF5."""
OWN_KEYS = ("format", "general.architecture")
"""Metadata that formats ask for."""
PARTS = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=12) | st.sampled_from(
    ["layers.0.weight", "a b", "größe", "..x", "...", "重み", '"\\', "\u2028", "a.npy", " "]
)
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
SHAPES = st.lists(st.integers(0, 5), max_size=5).map(tuple)
PIECES = st.builds(Piece, NAMES, SHAPES, st.sampled_from(list(DTYPES.values())))
TENSORS = st.lists(PIECES, max_size=8, unique_by=lambda piece: piece.name)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
# Keys that a format keeps for itself (safetensors' `format`, GGUF's `general.alignment`), and ours, have meanings.
KEYS = TEXTS.filter(lambda key: key != "format" and not key.startswith(("general.", "initcli.")))
METADATA = st.dictionaries(KEYS, TEXTS, max_size=4)
SEEDS = st.integers(0, 2**32 - 1)
FEWER = settings(deadline=None, max_examples=50)
"""For layouts alone, without a value read back: fifteen formats times fifty examples."""


def holdable(form: Format, tensors: list[Piece]) -> list[Piece]:
    """The tensors that the format takes; without those it refuses, none may be refused."""
    refused = {refusal.place for refusal in form.faults(tensors)}
    kept = [tensor for index, tensor in enumerate(tensors) if index not in refused]
    assert form.faults(kept) == []
    assume(kept or form.name != "npy")
    return kept


def make_place(form: Format, folder: str) -> Path:
    """The empty file or directory that `allocate` is given."""
    path = Path(folder) / "out"
    if form.is_directory:
        path.mkdir()
    else:
        path.touch()
    return path


def draw_data(tensors: list[Piece], seed: int) -> list[bytes]:
    """Random bytes for each tensor; booleans are 0 or 1, as every reader demands."""
    random = np.random.default_rng(seed)
    return [
        random.integers(0, 2 if tensor.dtype.kind == "bool" else 256, tensor.nbytes, np.uint8).tobytes()
        for tensor in tensors
    ]


def seal(layout: Layout, data: list[bytes]) -> None:
    """Write what is no tensor's data, as the engine does."""
    for each in list_seals(layout, list(map(zlib.crc32, data))):
        write_at(each.file, each.data, each.offset)


def read_all(folder: str) -> dict[str, bytes]:
    """Every file's bytes by its path within the folder."""
    files = [file for file in Path(folder).rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.mark.parametrize("form", FORMATS)
@settings(deadline=None)
@given(tensors=TENSORS, metadata=METADATA, seed=SEEDS)
def test_what_is_written_at_the_slots_is_read_back_to_the_bit(form, tensors, metadata, seed):
    """The real library finds every tensor's name, type, shape and bits, and the metadata where there is any."""
    tensors = holdable(form, tensors)
    data = draw_data(tensors, seed)

    with tempfile.TemporaryDirectory() as folder:
        path = make_place(form, folder)
        layout = form.allocate(Contents(tensors, metadata), path)
        for slot, piece in zip(layout.slots, data, strict=True):
            write_at(slot.file, piece, slot.offset)
        seal(layout, data)
        assume(tensors or not form.is_directory)
        header = form.read_header(path)
        names = [tensor.name for tensor in tensors] if form.name != "npy" or form.is_directory else ["out"]
        arrays = list(form.read_tensors(path, names))
        detected = detect_format(path)

    wanted = sorted(
        (name, str(tensor.dtype), tensor.shape, tensor.nbytes) for name, tensor in zip(names, tensors, strict=True)
    )
    assert [tuple(entry) for entry in header.entries] == wanted
    assert [array.tobytes() for array in arrays] == data
    assert [(array.shape, array.dtype) for array in arrays] == [(each.shape, each.dtype.numpy) for each in tensors]
    if form.name in ("safetensors", "h5", "pt", "gguf"):
        assert {key: value for key, value in header.metadata.items() if key not in OWN_KEYS} == metadata
    assert detected.name == IS_READ_BY.get(form.name, form.name)
    assert detected.is_directory == form.is_directory


@pytest.mark.parametrize("form", FORMATS)
@FEWER
@given(tensors=TENSORS, seed=SEEDS)
def test_an_unsealed_output_opens_nowhere(form, tensors, seed):
    """All the data without the seal is no weight file: each reader refuses it with a fault."""
    tensors = holdable(form, tensors)
    assume(tensors)

    with tempfile.TemporaryDirectory() as folder:
        path = make_place(form, folder)
        layout = form.allocate(Contents(tensors), path)
        for slot, piece in zip(layout.slots, draw_data(tensors, seed), strict=True):
            write_at(slot.file, piece, slot.offset)

        with pytest.raises(InitcliError):
            form.read_header(path)
        for file in {slot.file for slot in layout.slots}:
            assert_opens_nowhere(file)


def assert_opens_nowhere(file: Path) -> None:
    """No library takes the file."""
    import h5py
    from safetensors import SafetensorError, safe_open

    with pytest.raises(SafetensorError), safe_open(file, "np"):
        pass
    with pytest.raises(OSError, match="signature"):
        h5py.File(file)
    with pytest.raises(ValueError, match="magic"):
        np.lib.format.open_memmap(file)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(file)


@pytest.mark.parametrize("form", FORMATS)
@FEWER
@given(tensors=TENSORS, metadata=METADATA)
def test_no_two_slots_share_a_byte_and_all_lie_between_seal_and_end(form, tensors, metadata):
    """Slots have their tensors' sizes and order, and lie apart from each other and from the seal, within the file."""
    tensors = holdable(form, tensors)

    with tempfile.TemporaryDirectory() as folder:
        path = make_place(form, folder)
        layout = form.allocate(Contents(tensors, metadata), path)
        seals = list(list_seals(layout, [0] * len(tensors)))
        ends = {each.file: each.file.stat().st_size for each in (*seals, *layout.slots)}

    assert [slot.nbytes for slot in layout.slots] == [tensor.nbytes for tensor in tensors]
    taken = [(each.file, each.offset, each.offset + len(each.data)) for each in seals]
    taken += [(slot.file, slot.offset, slot.offset + slot.nbytes) for slot in layout.slots if slot.nbytes]
    taken.sort()
    for (file, _, stop), (next_file, next_start, _) in pairwise(taken):
        assert file != next_file or stop <= next_start
    assert all(stop <= ends[file] for file, _, stop in taken)


@pytest.mark.parametrize("form", FORMATS)
@FEWER
@given(tensors=TENSORS, metadata=METADATA)
def test_the_layout_is_known_before_there_is_a_file(form, tensors, metadata):
    """`lay_out` touches no disk and returns what `allocate` does."""
    tensors = holdable(form, tensors)

    with tempfile.TemporaryDirectory() as folder:
        planned = form.lay_out(Contents(tensors, metadata), Path(folder) / "out")
        untouched = not any(Path(folder).iterdir())
        allocated = form.allocate(Contents(tensors, metadata), make_place(form, folder))

    assert untouched
    assert planned == allocated


@pytest.mark.parametrize("form", [each for each in FORMATS if each.values[0].is_streamable])
@settings(deadline=None)
@given(tensors=TENSORS, metadata=METADATA, seed=SEEDS)
def test_seals_and_tensors_in_offset_order_are_the_file(form, tensors, metadata, seed):
    """A pipe gets the same bytes as a file, and `lay_out` alone knows them."""
    tensors = holdable(form, tensors)
    data = draw_data(tensors, seed)

    with tempfile.TemporaryDirectory() as folder:
        path = make_place(form, folder)
        planned = form.lay_out(Contents(tensors, metadata), path)
        layout = form.allocate(Contents(tensors, metadata), path)
        for slot, piece in zip(layout.slots, data, strict=True):
            write_at(slot.file, piece, slot.offset)
        seal(layout, data)
        written = path.read_bytes()

    stream = b""
    parts = [(each.offset, each.data) for each in list_seals(planned, list(map(zlib.crc32, data)))]
    parts += [(slot.offset, piece) for slot, piece in zip(planned.slots, data, strict=True)]
    for offset, part in sorted(parts):
        assert offset >= len(stream)
        stream += bytes(offset - len(stream)) + part
    assert planned == layout
    assert stream == written


@pytest.mark.parametrize("form", FORMATS)
@FEWER
@given(tensors=TENSORS, metadata=METADATA, order=st.randoms(use_true_random=False))
def test_the_bytes_do_not_depend_on_the_place_or_the_run(form, tensors, metadata, order):
    """Two allocations in two directories, sealed, are equal byte for byte."""
    tensors = holdable(form, tensors)
    outputs = []

    for _ in range(2):
        with tempfile.TemporaryDirectory(suffix=str(order.random())) as folder:
            path = make_place(form, folder)
            layout = form.allocate(Contents(tensors, metadata), path)
            seal(layout, [bytes(tensor.nbytes) for tensor in tensors])
            outputs.append(read_all(folder))

    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == len({each.file for each in (*list_seals(layout, [0] * len(tensors)), *layout.slots)})
