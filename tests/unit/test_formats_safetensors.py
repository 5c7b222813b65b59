"""Our safetensors headers are the official writer's, and the library reads what we lay out."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

import initcli.formats.safetensors as module
from initcli.dtypes import DTYPES
from initcli.errors import InitcliError
from initcli.files import write_at
from initcli.formats import Contents
from initcli.formats.safetensors import safetensors

NAMES = ["a", "B", "a.b", "a b", "é", "重み", "\u2028", '"\\', "\n\t\x01\x1f\x7f", "/", "😀", ""]


def piece(name, shape, dtype):
    """A tensor as formats see it."""
    return SimpleNamespace(name=name, shape=shape, dtype=dtype, nbytes=math.prod(shape) * dtype.itemsize)


def official(tensors: list[SimpleNamespace], path) -> bytes:
    """The bytes of `save_file` for zeros, with the one metadata key."""
    arrays = {tensor.name: np.zeros(tensor.shape, tensor.dtype.numpy) for tensor in tensors}
    save_file(arrays, path, {"format": "pt"})
    return path.read_bytes()


@pytest.mark.parametrize("shapes", [[(2, 3)], [()], [(0, 4), (3,), (1, 1, 1, 1, 1)]])
def test_a_file_is_the_official_writers_byte_for_byte(tmp_path, shapes):
    """Every dtype under every kind of name, in any order given: the same header, order and padding."""
    tensors = [
        piece(f"{name}{dtype}{len(shape)}", shape, dtype)
        for name in NAMES
        for dtype in reversed(DTYPES.values())
        for shape in shapes
    ]
    path = tmp_path / "ours"

    layout = safetensors.allocate(Contents(tensors), path)
    write_at(path, layout.seals[0].data, 0)

    assert path.read_bytes() == official(tensors, tmp_path / "theirs")


@pytest.mark.parametrize("length", range(9))
def test_the_header_is_padded_with_spaces_to_a_multiple_of_eight(tmp_path, length):
    """Each remainder is padded as the official writer does."""
    tensors = [piece("x" * length, (1,), DTYPES["float32"])]

    header = safetensors.lay_out(Contents(tensors), tmp_path).seals[0].data

    assert len(header) % 8 == 0
    assert official(tensors, tmp_path / "theirs").startswith(header)


def test_no_tensors_are_a_file_too(tmp_path):
    """An empty plan gives the header alone, as the official writer's."""
    layout = safetensors.lay_out(Contents([]), tmp_path)

    assert layout.seals[0].data == official([], tmp_path / "theirs")


def test_metadata_keeps_its_order_after_the_format(tmp_path):
    """`format` is first and always pt; the rest follows as given."""
    metadata = {"seed": "1", "format": "tf", "a": "ü\n"}

    header = safetensors.lay_out(Contents([], metadata), tmp_path).seals[0].data

    assert list(json.loads(header[8:])["__metadata__"].items()) == [("format", "pt"), ("seed", "1"), ("a", "ü\n")]


def test_every_tensor_is_aligned_to_its_elements(tmp_path):
    """The official order keeps offsets multiples of the element's size, odd counts of small ones included."""
    tensors = [piece(dtype.name, (3,), dtype) for dtype in DTYPES.values()]

    layout = safetensors.lay_out(Contents(tensors), tmp_path)

    assert [slot.offset % tensor.dtype.itemsize for slot, tensor in zip(layout.slots, tensors, strict=True)] == [0] * 16


def test_a_header_that_no_reader_takes_is_refused_and_the_longest_is_not(tmp_path, monkeypatch):
    """The limit counts the padding; one byte less is too much."""
    tensors = [piece("a", (1,), DTYPES["float32"])]
    length = len(safetensors.lay_out(Contents(tensors), tmp_path).seals[0].data) - 8

    monkeypatch.setattr(module, "MAX_HEADER_NBYTES", length)
    safetensors.lay_out(Contents(tensors), tmp_path)
    monkeypatch.setattr(module, "MAX_HEADER_NBYTES", length - 1)

    with pytest.raises(InitcliError, match=f"needs {length} bytes"):
        safetensors.lay_out(Contents(tensors), tmp_path)


def test_the_libraries_limit_is_ours(tmp_path):
    """The library reads a header of exactly the limit, and refuses the next longer one."""
    from safetensors import SafetensorError, safe_open

    def write(length):
        (tmp_path / "a").write_bytes(length.to_bytes(8, "little") + b"{}" + b" " * (length - 2))
        return tmp_path / "a"

    with safe_open(write(module.MAX_HEADER_NBYTES), "np") as file:
        assert list(file.keys()) == []
    with (
        pytest.raises(SafetensorError, match=r"(?i)header ?too ?large"),
        safe_open(write(module.MAX_HEADER_NBYTES + 8), "np"),
    ):
        pass


@pytest.mark.parametrize(
    ("tensor", "what"),
    [
        (piece("__metadata__", (1,), DTYPES["int8"]), "keeps the name"),
        (piece("\ud800", (1,), DTYPES["int8"]), "not valid Unicode"),
        (piece("big", (2**40, 2**40), DTYPES["int8"]), "larger than any file"),
        (piece("empty but big", (0, 2**62, 8), DTYPES["int8"]), "larger than any file"),
    ],
)
def test_what_the_header_cannot_say_is_refused(tensor, what):
    """Its own key, names that are no text, and sizes beyond 64 bits; the neighbour stays good."""
    refusals = safetensors.faults([piece("good", (1,), DTYPES["int8"]), tensor])

    assert [refusal.place for refusal in refusals] == [1]
    assert what in refusals[0].what


def test_metadata_that_is_no_text_is_refused(tmp_path):
    """A lone surrogate has no UTF-8 form."""
    with pytest.raises(InitcliError, match="not valid text"):
        safetensors.lay_out(Contents([], {"spec": "\ud800"}), tmp_path)


def test_foreign_types_are_listed_by_name(tmp_path):
    """A float8 tensor of another writer appears in the header with its size."""
    import ml_dtypes

    save_file({"w": np.zeros((3, 2), ml_dtypes.float8_e4m3fn)}, tmp_path / "a")

    entries = safetensors.read_header(tmp_path / "a").entries

    assert entries == [("w", "float8_e4m3fn", (3, 2), 6)]


def test_a_truncated_file_is_one_fault_at_every_length(tmp_path):
    """Cut anywhere, the file is refused with its name in the message."""
    whole = official([piece("a", (4,), DTYPES["float32"])], tmp_path / "whole")

    for length in range(len(whole)):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(InitcliError, match=r"cut` (cannot be read as safetensors|is empty)"):
            safetensors.read_header(tmp_path / "cut")


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path):
    """Reading a tensor that is not there suggests one that is."""
    official([piece("weight", (4,), DTYPES["float32"])], tmp_path / "a")

    with pytest.raises(InitcliError, match="no tensor `wieght`") as error:
        safetensors.read_tensor(tmp_path / "a", "wieght")

    assert error.value.faults[0].hint == "did you mean `weight`?"
