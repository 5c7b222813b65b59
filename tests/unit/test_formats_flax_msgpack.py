"""Flax's msgpack files, `.msgpack`: the bytes that the specification asks for, and trees that lie."""

from __future__ import annotations

import math
import struct
from types import SimpleNamespace

import numpy as np
import pytest

from initcli.dtypes import DTYPES
from initcli.errors import InitcliError
from initcli.files import write_at
from initcli.formats import Contents
from initcli.formats.detection import detect_format
from initcli.formats.flax_msgpack import flax_msgpack
from initcli.formats.listing import choose_format


def piece(name, shape, dtype="float32"):
    """A tensor as formats see it."""
    dtype = DTYPES[dtype]
    return SimpleNamespace(name=name, shape=shape, dtype=dtype, nbytes=math.prod(shape) * dtype.itemsize)


def write(path, arrays):
    """The file of these arrays, as the engine writes it."""
    tensors = [piece(name, array.shape, array.dtype.name) for name, array in arrays.items()]
    path.touch()
    layout = flax_msgpack.allocate(Contents(tensors, {"initcli.scheme": "1"}), path)
    for slot, array in zip(layout.slots, arrays.values(), strict=True):
        write_at(path, array.tobytes(), slot.offset)
    for seal in layout.seals:
        write_at(path, seal.data, seal.offset)
    return path


def leaf(inner, code=1):
    """An extension of these bytes."""
    return b"\xc7" + bytes([len(inner), code]) + inner


ONE = b"\x93\x91\x01\xa4int8\xc4\x01\x07"


def test_a_file_is_the_specifications_byte_for_byte(tmp_path):
    """Maps within maps, sorted within each; the array is an extension of type 1."""
    arrays = {"b/w": np.full((2, 1), 7, np.int8), "a": np.ones((), np.float32), "b/a/x": np.zeros(300, np.int8)}

    written = write(tmp_path / "a.msgpack", arrays).read_bytes()

    one = b"\xd8\x01\x93\x90\xa7float32\xc4\x04" + np.float32(1).tobytes()  # 16 bytes have a head of their own
    inner = b"\x93\x91\xcd\x01\x2c\xa4int8\xc5\x01\x2c" + bytes(300)
    many = b"\xc8" + struct.pack(">H", len(inner)) + b"\x01" + inner
    two = leaf(b"\x93\x92\x02\x01\xa4int8\xc4\x02\x07\x07")
    assert written == b"\x82\xa1a" + one + b"\xa1b\x82\xa1a\x81\xa1x" + many + b"\xa1w" + two


def test_the_tree_of_no_tensors_is_one_byte(tmp_path):
    """An empty map, known as what it is."""
    path = write(tmp_path / "a", {})

    assert path.read_bytes() == b"\x80"
    assert detect_format(path) is flax_msgpack
    assert flax_msgpack.read_header(path).entries == []


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("a//b", (1,), "empty part"),
        ("", (1,), "is empty"),
        ("a\0", (1,), "NUL"),
        ("a/__msgpack_chunked_array__", (1,), "has a part `__msgpack_chunked_array__`"),
        ("good", (1,), "cannot be an array and hold `good/b`"),
        ("w", (2**28 + 1,), "takes 1,073,741,828 bytes, and Flax cuts"),
        ("w", (1,) * 65, "65 axes"),
    ],
)
def test_what_flax_could_not_read_back_is_refused(name, shape, words):
    """Its neighbours at the limits are taken."""
    refusals = flax_msgpack.faults([piece("good/b", (2**28,)), piece("deep", (1,) * 64), piece(name, shape)])

    assert [refusal.place for refusal in refusals] == [2]
    assert words in refusals[0].what


def test_leaves_that_are_no_arrays_are_passed_over(tmp_path):
    """The count of steps of a train state, nil, a fraction, a text; a NumPy scalar is an array without axes."""
    leaves = [b"\x05", b"\xcd\x01\x00", b"\xff", b"\xc0", b"\xcb" + bytes(8), b"\xa2hi", b"\xd4\x02\x00", leaf(ONE)]
    leaves.append(leaf(b"\x93\x90\xa4int8\xc4\x01\x07", 3))
    keys = b"".join(b"\xa1" + bytes([97 + index]) + each for index, each in enumerate(leaves))
    (tmp_path / "a").write_bytes(bytes([0x80 + len(leaves)]) + keys)

    assert detect_format(tmp_path / "a") is flax_msgpack
    assert flax_msgpack.read_header(tmp_path / "a").entries == [("h", "int8", (1,), 1), ("i", "int8", (), 1)]
    assert flax_msgpack.read_tensor(tmp_path / "a", "i").tolist() == 7


def test_a_type_without_numbers_here_is_listed_and_not_read(tmp_path):
    """`int4` is ml_dtypes', not ours."""
    (tmp_path / "a").write_bytes(b"\x81\xa1w" + leaf(b"\x93\x91\x02\xa4int4\xc4\x02\x01\x02"))

    assert flax_msgpack.read_header(tmp_path / "a").entries == [("w", "int4", (2,), 2)]
    with pytest.raises(InitcliError, match="is int4, whose values"):
        flax_msgpack.read_tensor(tmp_path / "a", "w")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x82\xa1w" + leaf(ONE), "ends too early"),
        (b"\xdf\xff\xff\xff\xff\xa1w" + leaf(ONE), "ends too early"),
        (b"\x81\xdb\xff\xff\xff\xff", "name of 4,294,967,295 bytes"),
        (b"\x81\xa1w" + leaf(ONE) + b"\0", "bytes behind its end"),
        (b"\x82" + (b"\xa1w" + leaf(ONE)) * 2, "has `w` twice"),
        (b"\x81\x01\x02", "has a int where a str must be"),
        (b"\x81\xa1w\xc1", "byte 0xc1 is no head"),
        (b"\x81\xa1w\x91\x01", "`w` is a list"),
        (b"\x81\xa1w\xc9\xff\xff\xff\xff\x01" + ONE, "does not fit its shape"),
        (b"\x81\xa1w" + leaf(b"\x93\x91\x02\xa4int8\xc4\x01\x07"), "does not fit its shape"),
        (b"\x81\xa1w" + leaf(b"\x93\x91\x01\xa4int8\xc6\xff\xff\xff\xff\x07"), "ends too early"),
        (b"\x81\xa1w" + leaf(b"\x93\x91\xff\xa4int8\xc4\x01\x07"), "has a scalar where a int must be"),
        (b"\x81\xa1w" + leaf(b"\x93\xdd\xff\xff\xff\xff\x01"), "no array of at most 64 axes"),
        (b"\x81\xa1w" + leaf(b"\x92\x90\xa4int8"), "no array"),
        (b"\x81\xa1w\x81\xb9__msgpack_chunked_array__\xc3", "`w` is an array in chunks"),
        (b"\x81\xa1w" * 101 + b"\xc0", "more than 100 deep"),
        (b"\x81\xa1\xff\xc0", "codec can't decode"),
        (b"\x91\x01\x02\x03\x04\x05\x06\x07", "has a list where a map must be"),
    ],
)
def test_a_file_that_lies_is_one_clear_fault(tmp_path, data, words):
    """Lengths, kinds and shapes are checked before anything is read by them."""
    (tmp_path / "a").write_bytes(data)

    with pytest.raises(InitcliError, match=words):
        flax_msgpack.read_header(tmp_path / "a")


def test_a_long_name_that_is_repeated_at_little_cost_is_refused(tmp_path):
    """A megabyte above 200 leaves would make 200 MB of names."""
    leaves = b"".join(b"\xa1" + bytes([40 + index % 80]) + b"\xc0" for index in range(200))
    (tmp_path / "a").write_bytes(b"\x81\xdb" + struct.pack(">I", 10**6) + b"x" * 10**6 + b"\xde\0\xc8" + leaves)

    with pytest.raises(InitcliError, match="tree takes more than 100,000,000 bytes"):
        flax_msgpack.read_header(tmp_path / "a")


def test_a_flax_file_is_chosen_by_suffix_and_known_by_its_map(tmp_path):
    """It can go to standard output, too; other formats keep their own."""
    path = write(tmp_path / "a.bin", {"w": np.ones(20_000, np.float32)})

    assert detect_format(path) is flax_msgpack
    assert choose_format("flax_model.msgpack", None, 3) is flax_msgpack
    assert choose_format("-", "msgpack", 3) is flax_msgpack
    (tmp_path / "s").write_bytes((0x82).to_bytes(8, "little") + b"{}")
    assert detect_format(tmp_path / "s").name == "safetensors"


def test_a_missing_tensor_is_told_with_the_nearest(tmp_path):
    """A typing error gets its hint."""
    with pytest.raises(InitcliError, match="holds no tensor `wieght`") as error:
        flax_msgpack.read_tensor(write(tmp_path / "a", {"weight": np.zeros(1)}), "wieght")

    assert "`weight`" in error.value.faults[0].hint
