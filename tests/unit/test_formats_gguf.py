"""GGUF, `.gguf`: the bytes that its specification asks for, the types of keys, and files that lie."""

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
from initcli.formats.gguf import gguf
from initcli.formats.listing import choose_format

ARCHITECTURE = {"general.architecture": "llama"}


def piece(name, shape, dtype="float32"):
    """A tensor as formats see it."""
    dtype = DTYPES[dtype]
    return SimpleNamespace(name=name, shape=shape, dtype=dtype, nbytes=math.prod(shape) * dtype.itemsize)


def embed(**keys):
    """A config that has these keys for GGUF, with dots for double underscores."""
    keys = {key.replace("__", "."): value for key, value in keys.items()}
    return {"gguf": ARCHITECTURE | keys}


def write(path, arrays, config=None):
    """The file of these arrays, as the engine writes it."""
    tensors = [piece(name, array.shape, array.dtype.name) for name, array in arrays.items()]
    path.touch()
    layout = gguf.allocate(Contents(tensors, config=config), path)
    for slot, array in zip(layout.slots, arrays.values(), strict=True):
        write_at(path, array.tobytes(), slot.offset)
    for seal in layout.seals:
        write_at(path, seal.data, seal.offset)
    return path


def text(value):
    """A text of the format."""
    return struct.pack("<Q", len(value)) + value


def render(tensors=(), keys=(), data=b"", version=3, counts=None):
    """A file by hand: infos and keys as bytes, then the data at the next multiple of 32."""
    counts = counts or (len(tensors), len(keys))
    head = b"GGUF" + struct.pack("<IQQ", version, *counts) + b"".join(keys) + b"".join(tensors)
    return head + bytes(-len(head) % 32) + data


def info(name=b"a", dims=(2,), code=0, offset=0):
    """A tensor's line."""
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, code, offset)


def key(name, code, value):
    """A key's line."""
    return text(name) + struct.pack("<I", code) + value


def test_a_file_is_the_specifications_byte_for_byte(tmp_path):
    """Magic, version 3, two counts, the keys, the table with turned shapes, and data at multiples of 32."""
    array = np.arange(6, dtype=np.float16).reshape(2, 3)
    path = write(tmp_path / "a.gguf", {"w": array, "b": np.ones(1, np.float32)}, embed(k="ü"))

    architecture = text(ARCHITECTURE["general.architecture"].encode())
    keys = [key(b"general.architecture", 8, architecture), key(b"k", 8, text("ü".encode()))]
    infos = [info(b"w", (3, 2), 1, 0), info(b"b", (1,), 0, 32)]
    data = array.tobytes() + bytes(20) + np.ones(1, np.float32).tobytes() + bytes(28)
    assert path.read_bytes() == render(infos, keys, data)


@pytest.mark.parametrize(
    ("value", "code", "rendered"),
    [
        (2, 4, struct.pack("<I", 2)),
        (-2, 5, struct.pack("<i", -2)),
        (2**32, 10, struct.pack("<Q", 2**32)),
        (-(2**31) - 1, 11, struct.pack("<q", -(2**31) - 1)),
        (1e-5, 6, struct.pack("<f", 1e-5)),
        (True, 7, b"\1"),
        ("none", 8, text(b"none")),
        ([1, 2], 9, struct.pack("<IQii", 5, 2, 1, 2)),
        ([2**31], 9, struct.pack("<IQI", 4, 1, 2**31)),
        ([1, 0.5], 9, struct.pack("<IQff", 6, 2, 1, 0.5)),
        (["a", ""], 9, struct.pack("<IQ", 8, 2) + text(b"a") + text(b"")),
        ([True], 9, struct.pack("<IQ", 7, 1) + b"\1"),
    ],
)
def test_a_key_has_the_type_that_its_value_tells(value, code, rendered):
    """Counts are uint32 and fractions float32, as llama.cpp asks; integers of a list int32."""
    layout = gguf.lay_out(Contents([], config=embed(llama__x=value)), "a")

    assert key(b"llama.x", code, rendered) in layout.seals[0].data


@pytest.mark.parametrize(
    "value", [None, {}, [], [[1]], [1, "a"], [True, 1], 2**64, -(2**63) - 1, 1e300, [None], "\ud800", [-1, 2**63]]
)
def test_a_value_that_gguf_has_no_type_for_is_refused(value):
    """The message names the key."""
    with pytest.raises(InitcliError, match=r"llama\.x"):
        gguf.lay_out(Contents([], config=embed(llama__x=value)), "a")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ([], "must be a mapping"),
        ({"llama.block_count": 1}, "no text `general.architecture`"),
        ({"general.architecture": 1}, "no text `general.architecture`"),
        (ARCHITECTURE | {"": 1}, "is no key"),
        (ARCHITECTURE | {"x" * 65536: 1}, "is no key"),
        *[(ARCHITECTURE | {"general.alignment": bad}, "power of 2") for bad in (0, 4, 33, 2**21, 32.0, True, "32")],
    ],
)
def test_keys_that_no_reader_takes_are_refused(config, words):
    """No mapping, no architecture, no key, no alignment."""
    with pytest.raises(InitcliError, match=words):
        gguf.lay_out(Contents([], config={"gguf": config}), "a")


def test_another_alignment_moves_every_tensor(tmp_path):
    """`general.alignment` is a key like others, and is kept to."""
    path = write(tmp_path / "a.gguf", {"a": np.ones(3), "b": np.full(3, 7.0)}, embed(general__alignment=4096))

    data = path.read_bytes()
    assert data.index(np.ones(3).tobytes()) == 4096
    assert data.index(np.full(3, 7.0).tobytes()) == 8192
    assert len(data) == 3 * 4096
    assert gguf.read_tensor(path, "b").tolist() == [7.0] * 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_types_that_ggml_has_no_number_for_are_refused(dtype):
    """Signed integers and the floats from 16 bits up are taken, each under the number of ggml.h."""
    refusals = gguf.faults([piece("w", (2,), dtype)])

    if dtype in ("float32", "float16", "bfloat16", "float64", "int8", "int16", "int32", "int64"):
        assert refusals == []
    else:
        assert f"is {dtype}" in refusals[0].what
        assert ("bfloat16" if dtype[:2] in ("fl", "co") else "int8") in refusals[0].hint


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("w", (1,) * 5, "5 axes, and GGUF stops at 4"),
        ("w", (2, 0), "no elements"),
        ("", (1,), "is empty"),
        ("a\0b", (1,), "NUL"),
        ("x" * 64, (1,), "more than 63 bytes"),
        ("ü" * 32, (1,), "more than 63 bytes"),
        ("a\udcff", (1,), "not valid Unicode"),
    ],
)
def test_what_llama_cpp_could_not_load_is_refused(name, shape, words):
    """Its neighbours at the limits are taken."""
    good = [piece("x" * 63, (1,) * 4), piece("scalar", ())]

    refusals = gguf.faults([*good, piece(name, shape)])

    assert [refusal.place for refusal in refusals] == [2]
    assert words in refusals[0].what


def test_a_bfloat16_without_axes_is_refused():
    """The package's reader looks for its last axis; the other types need none."""
    refusals = gguf.faults([piece("a", (), "float16"), piece("b", (), "bfloat16"), piece("c", (1,), "bfloat16")])

    assert [refusal.place for refusal in refusals] == [1]
    assert "without axes" in refusals[0].what


def test_metadata_of_every_type_is_shown_as_text(tmp_path):
    """Numbers in their shortest form, short lists whole; of a vocabulary the length."""
    keys = {"a": -3, "b": 1e-5, "c": False, "d": [1, 2], "e": ["<s>", "ü"], "f": ["x"] * 17, "g": [1.5] * 17}

    metadata = gguf.read_header(write(tmp_path / "a.gguf", {}, embed(**keys))).metadata

    shown = {"a": "-3", "b": "1e-05", "c": "false", "d": "[1, 2]", "e": '["<s>", "ü"]', "f": "17 texts"}
    assert metadata == ARCHITECTURE | shown | {"g": "17 values"}


def test_blocks_of_quantized_numbers_are_listed_and_not_read(tmp_path):
    """A row of 32 elements of `q4_0` takes 18 bytes; its neighbour is read."""
    tensors = [info(b"q", (32, 2), 2), info(b"w", (2,), 0, 64)]
    (tmp_path / "a").write_bytes(render(tensors, data=bytes(64) + np.ones(2, np.float32).tobytes()))

    assert gguf.read_header(tmp_path / "a").entries == [("q", "q4_0", (2, 32), 36), ("w", "float32", (2,), 8)]
    assert gguf.read_tensor(tmp_path / "a", "w").tolist() == [1, 1]
    with pytest.raises(InitcliError, match=r"`q` in .* is q4_0, whose values initcli does not read"):
        gguf.read_tensor(tmp_path / "a", "q")


HUGE = 2**64 - 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GGUF", "ends in its header"),
        (render(version=1), "its version is 1"),
        (render(version=3 << 24), "is big-endian"),
        (render(counts=(HUGE, 0)), "claims 18,446,744,073,709,551,615 tensors"),
        (render(counts=(0, HUGE)), "claims 18,446,744,073,709,551,615 keys"),
        (render(counts=(1, 0)), "claims 1 tensors"),
        (render([struct.pack("<Q", HUGE) + bytes(40)]), "ends in its header"),
        (render(keys=[key(b"k", 8, struct.pack("<Q", HUGE))]), "ends in its header"),
        (render(keys=[key(b"k", 13, bytes(8))]), "unknown type 13"),
        (render(keys=[key(b"k", 9, struct.pack("<IQ", 4, HUGE))]), "claims .* values"),
        (render(keys=[key(b"k", 9, struct.pack("<IQ", 9, 1) + bytes(32))]), "list of lists"),
        (render(keys=[key(b"k", 9, struct.pack("<IQ", 77, 20) + bytes(200))]), "unknown type 77"),
        (render(keys=[key(b"k", 0, b"\1")] * 2), "the key `k` twice"),
        (render(keys=[key(b"general.alignment", 4, bytes(4))]), "no power of 2"),
        (render(keys=[key(b"general.alignment", 8, text(b"3"))]), "no power of 2"),
        (render([info()] * 2, data=bytes(64)), "the tensor `a` twice"),
        (render([info(dims=(1,) * 5)], data=bytes(64)), "`a` has 5 axes"),
        (render([text(b"a") + struct.pack("<I", 2**32 - 1) + bytes(40)]), "4,294,967,295 axes"),
        (render([info(code=4)], data=bytes(64)), "unknown type 4"),
        (render([info(code=2)], data=bytes(64)), "no whole blocks of q4_0"),
        (render([info(code=2, dims=())], data=bytes(64)), "no whole blocks of q4_0"),
        (render([info(dims=(HUGE, HUGE))], data=bytes(64)), "larger than any file"),
        (render([info(dims=(HUGE, 0))], data=bytes(64)), "larger than any file"),
        (render([info(offset=8)], data=bytes(64)), "not aligned to 32"),
        (render([info(offset=2**63)], data=bytes(64)), "behind the end of the file"),
        (render([info(dims=(9,))], data=bytes(32)), "behind the end of the file"),
        (render([info(), info(b"b")], data=bytes(64)), "`a` and `b` overlap"),
        (render([info(b"\xff")], data=bytes(64)), "codec can't decode"),
    ],
)
def test_a_file_that_lies_is_one_clear_fault(tmp_path, data, words):
    """Counts, lengths, types, offsets and shapes are checked before anything is read by them."""
    (tmp_path / "a.gguf").write_bytes(data)

    with pytest.raises(InitcliError, match=words):
        gguf.read_header(tmp_path / "a.gguf")


def test_a_file_cut_anywhere_in_its_header_is_a_fault(tmp_path):
    """No prefix of a header opens."""
    whole = write(tmp_path / "a.gguf", {"w": np.ones(2)}, embed(a=1, b=["x"] * 20)).read_bytes()

    for length in range(1, len(whole) - 32 + 1):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(InitcliError):
            gguf.read_header(tmp_path / "cut")


def test_a_header_beyond_what_is_read_is_not_written():
    """A million tensors are the limit, and so are 100 MB of long names and texts."""
    million = [piece("w", (1,))] * 1_000_000

    assert len(gguf.lay_out(Contents(million), "a").slots) == 1_000_000
    for tensors, metadata in [([*million, piece("w", (1,))], {}), ([], {"k": "x" * 100_000_000})]:
        with pytest.raises(InitcliError, match="the GGUF header needs"):
            gguf.lay_out(Contents(tensors, metadata), "a")


def test_more_tensors_or_keys_than_are_read_are_refused(tmp_path):
    """A sparse file has room for their count; nothing is read by it."""
    for counts in [(10**6 + 1, 0), (0, 10**6 + 1)]:
        with (tmp_path / "a").open("wb") as file:
            file.write(render(counts=counts))
            file.truncate(2**30)

        with pytest.raises(InitcliError, match="more than 1,000,000 tensors or keys"):
            gguf.read_header(tmp_path / "a")


def test_a_text_longer_than_any_header_is_not_read(tmp_path):
    """A sparse file of 1 GiB claims a text of half of it; it is refused by its length."""
    with (tmp_path / "a").open("wb") as file:
        file.write(render(keys=[key(b"k", 8, struct.pack("<Q", 2**29))]))
        file.truncate(2**30)

    with pytest.raises(InitcliError, match="passes 100,000,000 bytes"):
        gguf.read_header(tmp_path / "a")


def test_a_gguf_file_is_chosen_by_suffix_and_known_by_its_magic(tmp_path):
    """It can go to standard output, too."""
    path = write(tmp_path / "a.bin", {"w": np.ones(2)})

    assert detect_format(path) is gguf
    assert choose_format("a.gguf", None, 3) is gguf
    assert choose_format("-", "gguf", 3) is gguf


def test_version_2_is_read_as_version_3(tmp_path):
    """They differ in nothing that a little-endian file shows; a tensor without elements is read, too."""
    tensors = [info(), info(b"e", (0, 3), 0, 32)]
    (tmp_path / "a").write_bytes(render(tensors, data=np.ones(8, np.float32).tobytes(), version=2))

    assert gguf.read_tensor(tmp_path / "a", "a").tolist() == [1, 1]
    assert gguf.read_tensor(tmp_path / "a", "e").shape == (3, 0)


def test_a_missing_tensor_is_told_with_the_nearest(tmp_path):
    """A typing error gets its hint."""
    with pytest.raises(InitcliError, match="holds no tensor `wieght`") as error:
        gguf.read_tensor(write(tmp_path / "a.gguf", {"weight": np.zeros(1)}), "wieght")

    assert "`weight`" in error.value.faults[0].hint
