"""`.npz` archives hold what `np.savez` would, and give nothing to an archive that lies."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from types import SimpleNamespace

import numpy as np
import pytest

from initcli.dtypes import DTYPES
from initcli.engine import list_seals
from initcli.errors import InitcliError
from initcli.files import write_at
from initcli.formats import Contents
from initcli.formats.detection import detect_format
from initcli.formats.npz import npz

INT8 = DTYPES["int8"]


def piece(name, shape, dtype):
    """A tensor as formats see it."""
    return SimpleNamespace(name=name, shape=shape, dtype=dtype, nbytes=math.prod(shape) * dtype.itemsize)


def write(path, arrays):
    """The archive of these arrays, as the engine writes it."""
    tensors = [piece(name, array.shape, DTYPES[array.dtype.name]) for name, array in arrays.items()]
    path.touch()
    layout = npz.allocate(Contents(tensors), path)
    data = [array.tobytes() for array in arrays.values()]
    for slot, each in zip(layout.slots, data, strict=True):
        write_at(path, each, slot.offset)
    for seal in list_seals(layout, list(map(zlib.crc32, data))):
        write_at(path, seal.data, seal.offset)


def archive(path, **members):
    """A zip of these members, `.npy` each."""
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    return path


def npy_of(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES.values() if not dtype.is_extended], ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 3), (1, 0, 5), (1,) * 64])
def test_a_member_is_np_saves_byte_for_byte(tmp_path, dtype, shape):
    """The header and the data within the zip are those of `np.savez`, under its name."""
    array = np.ones(shape, dtype.numpy)
    np.savez(tmp_path / "theirs.npz", w=array)

    write(tmp_path / "ours.npz", {"w": array})

    with zipfile.ZipFile(tmp_path / "ours.npz") as ours, zipfile.ZipFile(tmp_path / "theirs.npz") as theirs:
        assert ours.namelist() == theirs.namelist()
        assert ours.read("w.npy") == theirs.read("w.npy")


def test_np_load_gives_the_tensors_by_name(tmp_path):
    """Names with slashes, dots and spaces are keys as they are, in the tensors' order."""
    arrays = {"b/weight": np.arange(6.0).reshape(2, 3), "a.b c": np.array(True), "重み": np.zeros((0, 2), np.int8)}

    write(tmp_path / "w.npz", arrays)

    with np.load(tmp_path / "w.npz", allow_pickle=False) as loaded:
        assert loaded.files == list(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(loaded[name], array, strict=True)


def test_what_np_savez_writes_is_read(tmp_path):
    """Its archives are stored too; column-major arrays keep their shape and values."""
    arrays = {"c": np.arange(6.0).reshape(2, 3), "f": np.asfortranarray(np.arange(6).reshape(2, 3)), "s": np.float16(2)}
    np.savez(tmp_path / "w.npz", **arrays)

    header = npz.read_header(tmp_path / "w.npz")

    assert detect_format(tmp_path / "w.npz") is npz
    assert [entry.name for entry in header.entries] == ["c", "f", "s"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(npz.read_tensor(tmp_path / "w.npz", name), array)


def test_an_archive_of_nothing_is_one(tmp_path):
    """No member, but an end: NumPy and we agree."""
    write(tmp_path / "w.npz", {})

    with np.load(tmp_path / "w.npz") as loaded:
        assert loaded.files == []
    assert detect_format(tmp_path / "w.npz") is npz
    assert npz.read_header(tmp_path / "w.npz").entries == []


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_what_numpy_does_not_know_is_refused_with_the_formats_that_hold_it(dtype):
    """NumPy would read it back as raw bytes, or not at all."""
    (refusal,) = npz.faults([piece("w", (2,), DTYPES[dtype])])

    assert dtype in refusal.what
    assert ".safetensors" in refusal.hint


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("", "is empty"),
        ("/etc/passwd", "empty part"),
        ("a//b", "empty part"),
        ("../a", "a part `..`"),
        ("a/./b", "a part `.`"),
        ("a\0b", "NUL"),
        ("a\udcff", "not valid Unicode"),
        ("x" * 300, None),
        ("a b/c.d", None),
    ],
)
def test_only_names_that_unpack_inside_are_taken(name, what):
    """No member's name leads out of the folder that it is unpacked into."""
    refusals = npz.faults([piece("good", (1,), INT8), piece(name, (1,), INT8)])

    assert [refusal.place for refusal in refusals] == ([] if what is None else [1])
    assert what is None or what in refusals[0].what


def test_names_that_numpy_takes_for_one_are_refused():
    """`np.load` looks for `a.npy` first as a member, which is the tensor `a`, so a tensor `a.npy` would be lost."""
    refusals = npz.faults([piece(name, (1,), INT8) for name in ["a", "a.npy", "b.npy"]])

    assert [refusal.place for refusal in refusals] == [1]
    assert "also the file of `a`" in refusals[0].what


def test_a_file_that_must_also_be_a_folder_is_refused():
    """`a` becomes the file `a.npy`, so nothing may lie in `a.npy/`."""
    (refusal,) = npz.faults([piece(name, (1,), INT8) for name in ["a.npy/b", "a", "a/c"]])

    assert refusal.place == 1
    assert "`a.npy/b` lies in it" in refusal.what


def test_a_tensor_that_is_not_there_is_told_with_the_nearest(tmp_path):
    """A typing error gets its hint."""
    write(tmp_path / "w.npz", {"weight": np.zeros(1)})

    with pytest.raises(InitcliError, match="holds no tensor `wieght`") as error:
        npz.read_tensor(tmp_path / "w.npz", "wieght")

    assert "`weight`" in error.value.faults[0].hint


def test_data_that_was_changed_is_found_when_it_is_read(tmp_path):
    """One flipped bit: its own tensor is refused, the header and the other tensor are not."""
    write(tmp_path / "w.npz", {"a": np.zeros(100), "b": np.zeros(3)})
    data = bytearray((tmp_path / "w.npz").read_bytes())
    data[500] ^= 1  # `a` has 800 bytes behind two headers of 64 and 128
    (tmp_path / "w.npz").write_bytes(data)

    assert len(npz.read_header(tmp_path / "w.npz").entries) == 2
    assert npz.read_tensor(tmp_path / "w.npz", "b").tolist() == [0, 0, 0]
    with pytest.raises(InitcliError, match=r"`a.npy` has a bad CRC-32"):
        npz.read_tensor(tmp_path / "w.npz", "a")


def test_pickles_are_never_loaded(tmp_path):
    """An array of objects is refused by its header."""
    archive(tmp_path / "w.npz", a=npy_of(np.array([{}], object), allow_pickle=True))

    for read in (npz.read_header, lambda path: npz.read_tensor(path, "a")):
        with pytest.raises(InitcliError, match="never unpickled"):
            read(tmp_path / "w.npz")


def header_of(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no array",
        npy_of(np.zeros(3))[:-1],
        npy_of(np.zeros(3)) + b"x",
        b"\x93NUMPY\x03\x00" + npy_of(np.zeros(3))[8:],
        b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * 100,
        header_of("(" * 9000),
        header_of("__import__('os').abort()"),
        header_of("{'descr':'<f8','fortran_order':False,'shape':(2**70,)}"),
        header_of("{'descr':'<f8','fortran_order':False,'shape':(1180591620717411303424,)}"),
        header_of("{'descr':'<f8','fortran_order':False,'shape':(-1,-1)}") + bytes(8),
        header_of("{'descr':'S0','fortran_order':False,'shape':(99999999999,)}"),
        header_of("{'descr':'<f8','fortran_order':False,'shape':(" + "1," * 65 + ")}") + bytes(8),
    ],
)
def test_a_hostile_member_is_one_fault(tmp_path, data):
    """No header makes the reader take more than the archive has, run code or raise anything else."""
    archive(tmp_path / "w.npz", a=data)

    with pytest.raises(InitcliError, match="cannot be read as an archive of NumPy arrays"):
        npz.read_header(tmp_path / "w.npz")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    """Compressed members are told apart by the directory alone, with the way out."""
    np.savez_compressed(tmp_path / "w.npz", a=np.zeros(10**6))

    with pytest.raises(InitcliError, match="is compressed") as error:
        npz.read_header(tmp_path / "w.npz")

    assert "`np.savez`" in error.value.faults[0].hint


def test_a_zip_of_something_else_is_told_what_is_in_it(tmp_path):
    """A Keras model is a zip too."""
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
        file.writestr("config.json", "{}")

    with pytest.raises(InitcliError, match=r"'config.json' in it is no `.npy`"):
        detect_format(tmp_path / "m.keras").read_header(tmp_path / "m.keras")
