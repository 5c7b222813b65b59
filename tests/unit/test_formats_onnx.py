"""ONNX with external data, `.onnx`: the bytes that onnx.proto asks for, what other writers make of it, and lies."""

from __future__ import annotations

import math
import os
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initcli.dtypes import DTYPES
from initcli.errors import InitcliError
from initcli.files import write_at
from initcli.formats import Contents, IndexedFormat, onnx_data, onnx_reading
from initcli.formats.detection import detect_format
from initcli.formats.listing import choose_format
from initcli.formats.onnx_data import Onnx, onnx
from initcli.formats.safetensors import safetensors


def piece(name, shape, dtype="float32"):
    """A tensor as formats see it."""
    dtype = DTYPES[dtype]
    return SimpleNamespace(name=name, shape=shape, dtype=dtype, nbytes=math.prod(shape) * dtype.itemsize)


def write(path, arrays, metadata=None, form=onnx):
    """The two files of these arrays, as the engine writes them."""
    tensors = [piece(name, array.shape, array.dtype.name) for name, array in arrays.items()]
    path.touch()
    layout = form.allocate(Contents(tensors, metadata or {}), path)
    for slot, array in zip(layout.slots, arrays.values(), strict=True):
        write_at(slot.file, array.tobytes(), slot.offset)
    for seal in layout.seals:
        write_at(seal.file, seal.data, seal.offset)
    return path


def varint(number):
    """A number of the wire format; of a negative one its two's complement in 64 bits."""
    number %= 2**64
    data = b""
    while number > 127:
        data, number = data + bytes([number & 127 | 128]), number >> 7
    return data + bytes([number])


def field(number, value):
    """A field of a message: a number, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(key, value):
    """A StringStringEntryProto."""
    return field(1, key) + field(2, value)


def tensor(name=b"w", dims=(2,), code=1, *parts):
    """A TensorProto by hand."""
    return b"".join(field(1, size) for size in dims) + field(2, code) + field(8, name) + b"".join(parts)


def beside(location=b"data", **places):
    """What a TensorProto with its data in another file has at its end."""
    places = {key: value if isinstance(value, bytes) else b"%d" % value for key, value in places.items()}
    entries = {"location": location, **places}
    return b"".join(field(13, entry(key.encode(), value)) for key, value in entries.items()) + field(14, 1)


def model(*tensors, graph=b"", tail=b""):
    """A ModelProto by hand."""
    return field(1, 8) + field(7, b"".join(field(5, each) for each in tensors) + graph) + tail


def read(folder, data, name="w"):
    """A tensor of a model of these bytes."""
    (folder / "a.onnx").write_bytes(data)
    return onnx.read_tensor(folder / "a.onnx", name)


RAW = field(9, np.float32([1, 2]).tobytes())


def test_a_model_is_what_onnx_proto_asks_for_byte_by_byte(tmp_path):
    """Versions, the producer, a graph of initializers that are its outputs, the operators, the metadata."""
    arrays = {"ü.w": np.float32([[1, 2, 3]]), "b": np.bool_(1), "e": np.empty((0, 2), np.int64)}
    path = write(tmp_path / "m.onnx", arrays, {"k": "v"})

    places = [beside(b"m.onnx.data", offset=at, length=n) for at, n in ((0, 12), (64, 1))]
    graph = field(2, b"initcli")
    graph += field(5, tensor("ü.w".encode(), (1, 3), 1, places[0]))
    graph += field(5, tensor(b"b", (), 9, places[1])) + field(5, tensor(b"e", (0, 2), 7))
    shapes = [("ü.w", 1, (1, 3)), ("b", 9, ()), ("e", 7, (0, 2))]
    for name, code, dims in shapes:
        shape = b"".join(field(1, field(1, size)) for size in dims)
        graph += field(12, field(1, name.encode()) + field(2, field(1, field(1, code) + field(2, shape))))
    operators = field(1, b"") + field(2, 9)
    wanted = field(1, 4) + field(2, b"initcli") + field(7, graph) + field(8, operators) + field(14, entry(b"k", b"v"))
    assert path.read_bytes() == wanted
    data = (tmp_path / "m.onnx.data").read_bytes()
    assert data == np.float32([1, 2, 3]).tobytes() + bytes(52) + b"\1"


def test_floats_of_8_bits_ask_for_a_newer_version(tmp_path):
    """IR version 9, of onnx 1.14, has them; everything else is in version 4, of onnx 1.4.1."""
    for dtype in DTYPES:
        (seal,) = onnx.lay_out(Contents([piece("w", (1,), dtype)]), tmp_path / "w").seals
        is_new = dtype.startswith("float8")
        assert seal.data.startswith(field(1, 9 if is_new else 4))
        assert field(8, field(1, b"") + field(2, 19 if is_new else 9)) in seal.data


@pytest.mark.parametrize(
    ("nbytes", "unit"), [(1, 64), (1024, 64), (65535, 2048), (65536, 4096), (2**20, 65536), (2**33, 65536)]
)
def test_a_tensor_begins_where_it_can_be_mapped(tmp_path, nbytes, unit):
    """From 64 KiB on at a page, from 1 MiB on at what Windows maps; the gaps take a sixteenth at most."""
    tensors = [piece("a", (1,), "int8"), piece("b", (nbytes,), "int8")]

    layout = onnx.lay_out(Contents(tensors), tmp_path / "w.onnx")

    assert layout.slots[1].offset == unit


def test_an_empty_tensor_has_no_data_beside_the_model(tmp_path):
    """Of 0 bytes onnx 1.14 reads the whole file, and onnxruntime 1.31 finds its end; a file of none is not made."""
    path = write(tmp_path / "a.onnx", {"a": np.ones(1), "e": np.empty((0, 3)), "b": np.ones(1)})
    empty = write(tmp_path / "e.onnx", {"e": np.empty((0, 3))})

    assert path.read_bytes().count(b"a.onnx.data") == 2
    assert (tmp_path / "a.onnx.data").stat().st_size == 72
    assert [onnx.read_tensor(each, "e").shape for each in (path, empty)] == [(0, 3)] * 2
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.onnx", "a.onnx.data", "e.onnx"]


def test_what_no_reader_could_take_is_refused():
    """No name, more axes than NumPy has, no Unicode; a NUL and a slash are as good as any letter."""
    good = [piece("a\0/b..", (1,) * 64), piece("scalar", ())]

    refusals = onnx.faults([*good, piece("", (1,)), piece("x", (1,) * 65), piece("\udcff", ())])

    assert [refusal.place for refusal in refusals] == [2, 3, 4]
    for refusal, words in zip(refusals, ("name is empty", "65 axes", "not valid Unicode"), strict=True):
        assert words in refusal.what


@pytest.mark.parametrize("name", ["a..b.onnx", "\udcff.onnx"])
def test_a_file_name_that_a_model_cannot_tell_is_refused(tmp_path, name):
    """onnx.checker takes `..` anywhere in a location for a way out of the directory."""
    with pytest.raises(InitcliError, match="cannot be told in an ONNX model"):
        onnx.lay_out(Contents([piece("w", (1,))]), tmp_path / name)


def test_a_model_beyond_what_is_read_is_not_written():
    """50 MB, of a long text here."""
    with pytest.raises(InitcliError, match=r"the ONNX model needs 50,000,\d+ bytes for 0 tensors"):
        onnx.lay_out(Contents([], {"k": "x" * 50_000_000}), Path("a.onnx"))


@pytest.mark.parametrize("rank", [0, 1, 2, 64])
def test_the_longest_model_that_is_written_is_read(tmp_path, monkeypatch, rank):
    """Of small tensors as of those of most axes: here a model and the limit of numbers are smaller by one factor."""
    path = write(tmp_path / "a", {f"{number:03x}": np.zeros((1,) * rank, np.int8) for number in range(1000)})
    limit = onnx_reading.MAX_NUMBERS * path.stat().st_size // onnx_data.MAX_MODEL_NBYTES
    monkeypatch.setattr(onnx_reading, "MAX_NUMBERS", limit)

    assert len(onnx.read_header(path).entries) == 1000


def test_an_onnx_file_is_chosen_by_suffix_and_known_by_its_first_bytes(tmp_path):
    """It is two files, so it cannot go to standard output."""
    path = write(tmp_path / "a.bin", {"w": np.ones(2)})

    assert detect_format(path) is onnx
    assert choose_format("a.onnx", None, 3) is onnx
    with pytest.raises(InitcliError, match="it is more than one file"):
        choose_format("-", "onnx", 3)


def test_the_length_of_a_safetensors_header_is_no_model(tmp_path):
    """A header of 3,802,120 bytes begins as a model does: version 4, then a graph."""
    text = b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'.ljust(3_802_120)
    (tmp_path / "a").write_bytes(len(text).to_bytes(8, "little") + text + b"\1")

    assert (tmp_path / "a").read_bytes()[:3] == field(1, 4) + b"\x3a"
    assert detect_format(tmp_path / "a") is safetensors
    (tmp_path / "a").write_bytes(model())
    assert detect_format(tmp_path / "a") is onnx


def test_editions_are_files_of_other_names(tmp_path):
    """A new pair does not touch the data that the old model leads to."""
    path = write(tmp_path / "m.onnx", {"w": np.ones(2)})
    before = onnx.list_members(path)
    write(path, {"w": np.zeros(3)}, form=onnx.with_edition(2))

    assert isinstance(onnx, IndexedFormat)
    assert (before, onnx.list_members(path)) == (["m.onnx.data"], ["m.onnx.2.data"])
    assert onnx.read_tensor(path, "w").tolist() == [0, 0, 0]
    assert (tmp_path / "m.onnx.data").read_bytes() == np.ones(2).tobytes()
    assert [Onnx(n).is_member(path, "M.onnx.2.data") for n in (1, 2, 3)] == [False, True, False]


def test_data_that_may_be_another_models_is_no_member(tmp_path):
    """Only what is called after the model is, so that nothing else is ever removed."""
    names = [b"m.onnx.data", b"m.onnx.7.data", b"shared.data", b"m.onnx.x.data", b"d/m.onnx.data", b"m.onnx.data.data"]
    tensors = [tensor(b"%d" % index, (0,), 1, beside(name)) for index, name in enumerate(names)]
    (tmp_path / "m.onnx").write_bytes(model(*tensors))

    assert onnx.list_members(tmp_path / "m.onnx") == ["m.onnx.7.data", "m.onnx.data"]


@pytest.mark.parametrize(
    ("dtype", "code", "number", "values"),
    [
        ("float32", 1, 9, np.float32([1, -2]).tobytes()),
        ("float32", 1, 4, np.float32([1, -2]).tobytes()),
        ("complex64", 14, 4, np.complex64([1, -2]).tobytes()),
        ("float64", 11, 10, np.float64([1, -2]).tobytes()),
        ("int64", 7, 7, varint(1) + varint(-2)),
        ("int32", 6, 5, varint(1) + varint(-2)),
        ("int16", 5, 5, varint(1) + varint(-2)),
        ("int8", 3, 5, varint(1) + varint(-2)),
        ("uint8", 2, 5, varint(1) + varint(254)),
        ("uint32", 12, 11, varint(1) + varint(2**32 - 2)),
        ("uint64", 13, 11, varint(1) + varint(2**64 - 2)),
        ("float16", 10, 5, varint(0x3C00) + varint(0xC000)),
        ("bfloat16", 16, 5, varint(0x3F80) + varint(0xC000)),
        ("float8_e4m3fn", 17, 5, varint(0x38) + varint(0xC0)),
        ("float8_e5m2", 19, 5, varint(0x3C) + varint(0xC0)),
    ],
)
def test_values_within_the_model_are_read(tmp_path, dtype, code, number, values):
    """As raw bytes, or in the field of the type: floats below 32 bits as the integers of their bits."""
    array = read(tmp_path, model(tensor(b"w", (2, 1), code, field(number, values))))

    last = 2 ** (8 * array.itemsize) - 2 if dtype.startswith("u") else -2
    assert array.dtype == DTYPES[dtype].numpy
    assert array.shape == (2, 1)
    assert array.ravel().tolist() == [1, last]


def test_booleans_are_read_from_numbers(tmp_path):
    """Whatever is not 0 is true."""
    assert read(tmp_path, model(tensor(b"w", (3,), 9, field(5, b"\0\1\2")))).tolist() == [False, True, True]


def test_many_varints_are_decoded_piece_by_piece(tmp_path):
    """Three megabytes of numbers of one to ten bytes, against struct's own."""
    values = np.random.default_rng(0).integers(-(2**63), 2**63, 300_000) >> np.arange(300_000) % 64
    data = model(tensor(b"w", (300_000,), 7, field(7, b"".join(varint(int(each)) for each in values))))

    assert len(data) > 1_500_000
    np.testing.assert_array_equal(read(tmp_path, data), values)


def test_shapes_may_be_packed_and_places_may_leave_out_what_is_plain(tmp_path):
    """As proto3 packs dims; without an offset data begins the file, without a length the shape tells it."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "w").write_bytes(np.float32([1, 2, 3, 4]).tobytes())
    plain = field(1, varint(2) + varint(1)) + field(2, 1) + field(8, b"w") + beside(b"sub/w")

    assert read(tmp_path, model(plain)).tolist() == [[1], [2]]
    assert read(tmp_path, model(tensor(b"w", (1,), 1, beside(b"sub/w", offset=12)))).tolist() == [4]


def test_other_types_are_listed_and_not_read(tmp_path):
    """Texts are passed over, as are fields that are not known and the other parts of a graph."""
    tensors = [tensor(b"int4", (3,), 22, field(5, b"\1\2")), tensor(b"f6", (4,), 27, field(9, bytes(3)))]
    tensors += [tensor(b"c", (1,), 15, field(10, bytes(16))), tensor(b"t", (1,), 8, field(6, b"a") + field(6, b""))]
    graph = field(1, field(4, b"Add")) + b"\xa5\x06" + bytes(4) + b"\xa1\x06" + bytes(8)
    path = tmp_path / "a.onnx"
    path.write_bytes(model(*tensors, tensor(b"w", (2,), 1, RAW), graph=graph, tail=field(99, b"new")))

    entries = onnx.read_header(path).entries

    assert [tuple(each) for each in entries] == [
        ("c", "complex128", (1,), 16),
        ("f6", "float6_e2m3fn", (4,), 3),
        ("int4", "int4", (3,), 2),
        ("w", "float32", (2,), 8),
    ]
    with pytest.raises(InitcliError, match=r"`int4` in .* is int4, whose values initcli does not read"):
        onnx.read_tensor(path, "int4")


def test_tied_tensors_may_stand_at_one_place(tmp_path):
    """Two names lead to all of the same bytes; a part of them is a fault."""
    (tmp_path / "data").write_bytes(np.float32([1, 2, 3]).tobytes())
    both = [tensor(name, (2,), 1, beside(offset=4, length=8)) for name in (b"v", b"w")]
    part = tensor(b"x", (2,), 1, beside(offset=0, length=8))

    assert read(tmp_path, model(*both)).tolist() == [2, 3]
    with pytest.raises(InitcliError, match="the data of `x` and `v` overlap"):
        read(tmp_path, model(*both, part))


def test_files_of_any_number_are_read_beside_a_model(tmp_path):
    """One for each tensor, as onnx.save makes them too, one without a byte among them."""
    names = [b"a", b"b", b"c", b"empty"]
    for value, name in enumerate(names[:3]):
        (tmp_path / name.decode()).write_bytes(np.float32([value]).tobytes())
    (tmp_path / "empty").touch()
    tensors = [tensor(name, (name != b"empty",), 1, beside(name)) for name in names]
    (tmp_path / "a.onnx").write_bytes(model(*tensors))

    arrays = onnx.read_tensors(tmp_path / "a.onnx", ["c", "empty", "a", "b", "a"])

    assert [array.tolist() for array in arrays] == [[2], [], [0], [1], [0]]


def test_an_absent_file_is_told_with_the_model_that_leads_to_it(tmp_path):
    """A model that was copied without its data; what it leads to is listed all the same."""
    path = write(tmp_path / "a.onnx", {"w": np.ones(2)})
    (tmp_path / "a.onnx.data").unlink()

    with pytest.raises(InitcliError, match=r"`.*a\.onnx` leads to `a\.onnx\.data` beside it, which does not exist"):
        onnx.read_header(path)
    assert onnx.list_members(path) == ["a.onnx.data"]


def test_a_link_leads_into_the_models_directory_or_nowhere(tmp_path):
    """Hugging Face's cache links both files to blobs; any other place outside is refused."""
    blobs, snapshot, other = (tmp_path / name for name in ("blobs", "snapshot", "other"))
    for folder in (blobs, snapshot, other):
        folder.mkdir()
    write(blobs / "a.onnx", {"w": np.ones(2)})
    (snapshot / "a.onnx").symlink_to("../blobs/a.onnx")
    (snapshot / "a.onnx.data").symlink_to("../blobs/a.onnx.data")

    assert onnx.read_tensor(snapshot / "a.onnx", "w").tolist() == [1, 1]
    (other / "a.onnx").write_bytes((blobs / "a.onnx").read_bytes())
    (other / "a.onnx.data").symlink_to("../blobs/a.onnx.data")
    with pytest.raises(InitcliError, match="is a link out of its directory"):
        onnx.read_tensor(other / "a.onnx", "w")


def test_a_pipe_beside_a_model_is_refused_and_does_not_block(tmp_path):
    """Only a regular file is opened."""
    os.mkfifo(tmp_path / "data")

    with pytest.raises(InitcliError, match="'data', which is not a regular file"):
        read(tmp_path, model(tensor(b"w", (2,), 1, beside())))


ENDLESS = b"\xff" * 11


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (field(1, 8) + field(2, b"x"), "has no graph"),
        (field(1, 8) + b"\x3a\x05\x00", "a field claims 5 bytes, and there are 1"),
        (field(1, 8) + b"\x3a" + varint(2**64 - 1), "claims 18,446,744,073,709,551,615 bytes"),
        (field(1, 8) + ENDLESS, "a number of more than 10 bytes"),
        (field(1, 8) + b"\x3a\xff", "ends within a number"),
        (field(1, 8) + b"\x3a\x00\x00\x00", "a field of the number 0"),
        (field(1, 8) + b"\x3b", "unknown kind 3"),
        (field(1, 8) + b"\x3f", "unknown kind 7"),
        (field(1, 8) + b"\x3d\x00\x00", "a field claims 4 bytes"),
        (model(tensor()), "`w` has no data"),
        (model(tensor(b"w", (2,), 1, RAW), tensor(b"w", (2,), 1, RAW)), "the tensor `w` twice"),
        (model(tail=field(14, entry(b"k", b"")) * 2), "the key `k` twice"),
        (model(tensor(b"\xff", (2,), 1, RAW)), "codec can't decode"),
        (model(tensor(b"w", (2,), 0, RAW)), "`w` has the unknown type 0"),
        (model(tensor(b"w", (2,), 99, RAW)), "`w` has the unknown type 99"),
        (model(tensor(b"w", (-2,), 1, RAW)), "negative, or larger than any file"),
        (model(tensor(b"w", (2**40, 2**40), 1, RAW)), "negative, or larger than any file"),
        (model(tensor(b"w", (2**62, 0), 1)), "negative, or larger than any file"),
        (model(tensor(b"w", (1,) * 65, 1, field(9, bytes(4)))), "more than 64 axes"),
        (model(tensor(b"w", (), 1, field(1, b"\1" * 1000) + RAW)), "more than 64 axes"),
        (model(tensor(b"w", (3,), 1, RAW)), "takes 8 bytes, and its shape 12"),
        (model(tensor(b"w", (2,), 1, RAW, RAW)), "in more than one piece"),
        (model(tensor(b"w", (2,), 1, RAW, field(4, bytes(8)))), "in more than one piece"),
        (model(tensor(b"w", (2,), 1, field(10, bytes(8)))), "in a field of another type"),
        (model(tensor(b"w", (1,), 7, field(7, 1))), "is not packed"),
        (model(tensor(b"w", (3,), 7, field(7, b"\1\1"))), "fewer values than elements"),
        (model(tensor(b"w", (2,), 7, field(7, b"\x80\1\1\1"))), "more values than elements"),
        (model(tensor(b"w", (2,), 7, field(7, b"\x80\1"))), "fewer values than elements"),
        (model(tensor(b"w", (2,), 7, field(7, b"\1\x80"))), "values end within a number"),
        (model(tensor(b"w", (2,), 7, field(7, ENDLESS + b"\0\0"))), "a number of more than 10 bytes"),
        (model(tensor(b"w", (2,), 1, field(3, b""), RAW)), "a tensor in segments"),
        (model(tensor(b"w", (2,), 1, field(14, 1))), "does not tell the file"),
        (model(tensor(b"w", (2,), 1, beside(length=9))), "takes 9 bytes, and its shape 8"),
        (model(tensor(b"w", (2,), 1, beside(offset=9))), "behind the end of `data`"),
        (model(tensor(b"w", (2,), 1, beside(offset=2**63))), "behind the end of `data`"),
        (model(tensor(b"w", (0,), 1, beside(offset=17))), "behind the end of `data`"),
        (model(tensor(b"w", (2,), 1, beside(offset=-1))), "offset of the data of `w` is '-1'"),
        (model(tensor(b"w", (2,), 1, beside(length=b"9" * 5000))), f"is '{'9' * 40}'"),
        (model(tensor(b"w", (2,), 1, beside(offset="²".encode()))), "is '²'"),
        (model(tensor(b"w", (2,), 1, beside(b"../data"))), "no path within its directory"),
        (model(tensor(b"w", (2,), 1, beside(b"a/../../data"))), "no path within its directory"),
        (model(tensor(b"w", (2,), 1, beside(b"..\\data"))), "no path within its directory"),
        (model(tensor(b"w", (2,), 1, beside(b"/etc/passwd"))), "no path within its directory"),
        (model(tensor(b"w", (2,), 1, beside(b"C:data"))), "no path within its directory"),
        (model(tensor(b"w", (2,), 1, beside(b"da\0ta"))), "no path within its directory"),
        (model(tensor(b"w", (2,), 1, beside(b"."))), "not a regular file"),
        (model(tensor(b"w", (2,), 1, beside(b"x" * 300))), "too long"),
    ],
)
def test_a_file_that_lies_is_one_clear_fault(tmp_path, data, words):
    """Lengths, kinds, types, shapes and places are checked before anything is read by them."""
    (tmp_path / "data").write_bytes(bytes(16))

    with pytest.raises(InitcliError) as error:
        read(tmp_path, data)

    assert words in str(error.value)


def test_a_model_cut_anywhere_is_a_fault(tmp_path):
    """What is left is known as a model, but no prefix opens."""
    whole = write(tmp_path / "a.onnx", {"w": np.ones(2), "x": np.zeros((3, 1))}, {"k": "v"}).read_bytes()
    ends = len(field(8, field(1, b"") + field(2, 9))) + len(field(14, entry(b"k", b"v")))
    for length in range(1, len(whole) - ends):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(InitcliError):
            onnx.read_header(tmp_path / "cut")
        assert length < 3 or detect_format(tmp_path / "cut") is onnx


@pytest.mark.parametrize(
    ("limit", "data", "words"),
    [
        ("MAX_NUMBERS", model(graph=b"\x08\x00" * 50), "more than 90 numbers"),
        ("MAX_NUMBERS", model(tensor(b"w", (1,), 1, field(1, b"\1" * 63) + field(99, b"") * 20)), "90 numbers"),
        ("MAX_TEXT_NBYTES", model(tensor(b"x" * 91, (2,), 1, RAW)), "its texts pass 90 bytes"),
        ("MAX_COUNT", model(*(tensor(b"%d" % index, (2,), 1, RAW) for index in range(91))), "more than 90 tensors"),
        ("MAX_COUNT", model(tail=b"".join(field(14, entry(b"%d" % i, b"")) for i in range(91))), "more than 90"),
    ],
)
def test_a_model_of_countless_parts_is_refused(tmp_path, monkeypatch, limit, data, words):
    """The limits of numbers, texts, tensors and metadata bound the time and the memory; here they are 90."""
    monkeypatch.setattr(onnx_reading, limit, 90)

    with pytest.raises(InitcliError, match=words):
        read(tmp_path, data)


def test_a_missing_tensor_is_told_with_the_nearest(tmp_path):
    """A typing error gets its hint."""
    with pytest.raises(InitcliError, match="holds no tensor `wieght`") as error:
        onnx.read_tensor(write(tmp_path / "weight.onnx", {"weight": np.zeros(1)}), "wieght")

    assert "`weight`" in error.value.faults[0].hint


VALID = model(
    tensor(b"w", (2, 1), 1, beside(offset=4, length=8)),
    tensor(b"raw", (2,), 1, RAW),
    tensor(b"ints", (3,), 7, field(7, varint(1) + varint(-2) + varint(300))),
    tensor(b"half", (2,), 10, field(5, varint(0x3C00) + varint(0))),
    tensor(b"int4", (3,), 22, field(5, b"\1\2")),
    graph=field(12, field(1, b"w")),
    tail=field(8, field(2, 9)) + field(14, entry(b"k", b"v")),
)
SPLICES = st.tuples(
    st.integers(0, len(VALID)),
    st.integers(0, 6),
    st.binary(max_size=4)
    | st.integers(0, 2**64 - 1).map(varint)
    | st.sampled_from([b"\x2a", b"\x3a", b"../", b"\xff"]),
)


CODES = st.integers(0, 30)
NUMBERS = st.integers(-2, 2**64) | st.integers(-2, 6)
PARTS = st.one_of(
    st.builds(field, st.sampled_from([1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 13, 14]), NUMBERS | st.binary(max_size=12)),
    st.builds(lambda location, **places: beside(location, **places), st.sampled_from([b"data", b"absent", b"", b"."]))
    | st.builds(lambda at, n: beside(offset=at, length=n), st.integers(-1, 20), st.integers(-1, 20)),
)
TENSORS = st.builds(
    lambda name, dims, code, parts: tensor(name, dims, code, *parts),
    st.sampled_from([b"v", b"w", b"x", b"", b"\xff"]),
    st.lists(NUMBERS, max_size=3),
    CODES,
    st.lists(PARTS, max_size=3),
)


def check_reads(data):
    """Assert that a model's tensors are read in the length that its header tells, or refused with a fault."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.onnx"
        path.write_bytes(data)
        (Path(folder) / "data").write_bytes(struct.pack("<4f", 1, 2, 3, 4))

        with suppress(InitcliError):
            onnx.list_members(path)
            for each in onnx.read_header(path).entries:
                if each.dtype in DTYPES:
                    assert onnx.read_tensor(path, each.name).nbytes == each.nbytes


@settings(deadline=None, max_examples=500)
@given(splices=st.lists(SPLICES, min_size=1, max_size=4), stop=st.integers(0, len(VALID)) | st.none())
def test_nothing_but_a_fault_comes_of_a_damaged_model(splices, stop):
    """Bytes are replaced, taken out, put in, and cut off: what opens is read, and all else is a fault."""
    data = VALID
    for at, taken, put in splices:
        data = data[:at] + put + data[at + taken :]

    check_reads(data[:stop])


@settings(deadline=None, max_examples=500)
@given(st.lists(TENSORS, max_size=2))
def test_nothing_but_a_fault_comes_of_a_model_of_odd_parts(tensors):
    """Well-formed messages of any fields, types, shapes and places."""
    check_reads(model(*tensors))
