"""Torch's checkpoints, `.pt`: the members that torch asks for, and archives that do not fit."""

from __future__ import annotations

import json
import math
import pickle
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
from initcli.formats.torch_pickle import render_pickle
from initcli.formats.torch_zip import torch_zip


def piece(name, shape, dtype):
    """A tensor as formats see it."""
    dtype = DTYPES[dtype]
    return SimpleNamespace(name=name, shape=shape, dtype=dtype, nbytes=math.prod(shape) * dtype.itemsize)


def write(path, arrays, metadata=None, ties=None):
    """The checkpoint of these arrays, as the engine writes it."""
    tensors = [piece(name, array.shape, array.dtype.name) for name, array in arrays.items()]
    path.touch()
    layout = torch_zip.allocate(Contents(tensors, metadata or {}, ties or {}), path)
    data = [array.tobytes() for array in arrays.values()]
    for slot, each in zip(layout.slots, data, strict=True):
        write_at(path, each, slot.offset)
    for seal in list_seals(layout, list(map(zlib.crc32, data))):
        write_at(path, seal.data, seal.offset)


def checkpoint(path, pickled, **members):
    """A zip of this pickle, a storage of 8 bytes, and further members."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("m/data.pkl", pickled)
        for member, data in ({"data/0": bytes(8)} | members).items():
            file.writestr(f"m/{member}", data)
    return path


def test_the_archive_has_the_members_that_torch_asks_for(tmp_path):
    """`data.pkl` first, the byte order, the version, and a storage for each tensor, in a folder of a fixed name."""
    write(tmp_path / "some name.pt", {"w": np.ones(3, np.float32), "b": np.zeros((0, 2), np.int8)})

    with zipfile.ZipFile(tmp_path / "some name.pt") as file:
        members = {member: file.read(member) for member in file.namelist()}

    assert next(iter(members)) == "archive/data.pkl"
    del members["archive/data.pkl"]
    assert members == {
        "archive/byteorder": b"little",
        "archive/version": b"3\n",
        "archive/data/0": np.ones(3, np.float32).tobytes(),
        "archive/data/1": b"",
    }


def test_a_tie_is_a_second_name_for_a_storage(tmp_path):
    """It costs no bytes, is told apart from the tensors, and has the values of the one that it means."""
    arrays = {"z.wte": np.arange(3.0), "b": np.zeros(2)}
    write(tmp_path / "a.pt", arrays, ties={"a.head": "z.wte", "c": "b"})

    with zipfile.ZipFile(tmp_path / "a.pt") as file:
        assert sorted(file.namelist())[1:] == [
            "archive/data.pkl",
            "archive/data/0",
            "archive/data/1",
            "archive/version",
        ]
    header = torch_zip.read_header(tmp_path / "a.pt")
    assert [entry.name for entry in header.entries] == ["b", "z.wte"]
    assert header.ties == {"a.head": "z.wte", "c": "b"}
    assert torch_zip.read_tensor(tmp_path / "a.pt", "a.head").tolist() == [0, 1, 2]


def test_the_bytes_do_not_depend_on_the_name_of_the_file(tmp_path):
    """`torch.save` calls the root folder after the file; ours is one for all."""
    for out in ("a.pt", "another.pth"):
        write(tmp_path / out, {"w": np.arange(3.0)}, {"k": "v"})

    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "another.pth").read_bytes()


def test_metadata_is_a_member_that_torch_passes_over(tmp_path):
    """JSON, text to text, and read back as it was."""
    write(tmp_path / "a.pt", {"w": np.arange(3.0)}, {"initcli.spec": '{"ö": 1}'})

    with zipfile.ZipFile(tmp_path / "a.pt") as file:
        assert json.loads(file.read("archive/initcli.json")) == {"initcli.spec": '{"ö": 1}'}
    assert torch_zip.read_header(tmp_path / "a.pt").metadata == {"initcli.spec": '{"ö": 1}'}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"data/0": bytes(7)}, "absent or not 8 bytes"),
        ({"byteorder": b"big"}, "not little-endian"),
        ({"deeper/data.pkl": b""}, "2 members are called"),
        ({"initcli.json": b"[1]"}, "no mapping from text to text"),
        ({"initcli.json": b'{"a": 1}'}, "no mapping from text to text"),
        ({"initcli.json": b"[" * 100_000}, "cannot be read"),
        ({"initcli.json": b"\xff"}, "cannot be read"),
    ],
)
def test_members_that_do_not_fit_are_one_fault(tmp_path, members, words):
    """Storages of another size, the other byte order, two pickles, metadata that is none of ours."""
    with pytest.raises(InitcliError, match=words):
        torch_zip.read_header(checkpoint(tmp_path / "a.pt", render_pickle([piece("w", (2,), "float32")]), **members))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_bare_pickle_is_told_to_be_one_and_never_loaded(tmp_path, protocol):
    """The way before torch 1.6; loading it would make the file `ran`."""

    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "old.pt").write_bytes(pickle.dumps(Trap(), protocol))

    assert detect_format(tmp_path / "old.pt") is torch_zip
    with pytest.raises(InitcliError, match="bare pickle") as error:
        torch_zip.read_header(tmp_path / "old.pt")

    assert "weights_only=True" in error.value.faults[0].hint
    assert not (tmp_path / "ran").exists()


def test_a_safetensors_header_of_640_bytes_is_no_pickle(tmp_path):
    """Its first two bytes are those of a pickle of protocol 2; the rest of the length tells them apart."""
    (tmp_path / "a").write_bytes((640).to_bytes(8, "little") + b"{" + b" " * 639)

    assert detect_format(tmp_path / "a").name == "safetensors"


def test_data_that_was_changed_is_found_when_it_is_read(tmp_path):
    """Torch would not look: one flipped bit in a storage is a fault of its tensor alone."""
    write(tmp_path / "a.pt", {"a": np.zeros(5), "b": np.full(3, 7.0)})
    data = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(data.replace(np.full(3, 7.0).tobytes(), np.full(3, 8.0).tobytes()))

    assert torch_zip.read_tensor(tmp_path / "a.pt", "a").tolist() == [0] * 5
    with pytest.raises(InitcliError, match=r"`archive/data/1` has a bad CRC-32"):
        torch_zip.read_tensor(tmp_path / "a.pt", "b")


def test_a_pickle_that_could_not_be_read_back_is_not_written(tmp_path):
    """Readers stop at a length, and so does the writer, before the first byte."""
    with pytest.raises(InitcliError, match="are not read back") as error:
        torch_zip.lay_out(Contents([piece("n" * 100_000_000, (1,), "int8")]), tmp_path / "a.pt")

    assert "`.h5`" in error.value.faults[0].hint


def test_more_axes_than_torch_computes_with_are_refused():
    """64 are taken, 65 are not."""
    refusals = torch_zip.faults([piece("a", (1,) * 64, "int8"), piece("b", (1,) * 65, "int8")])

    assert [refusal.place for refusal in refusals] == [1]
    assert "65 axes" in refusals[0].what


def test_a_missing_tensor_is_told_with_the_nearest(tmp_path):
    """A typing error gets its hint."""
    write(tmp_path / "a.pt", {"weight": np.zeros(1)})

    with pytest.raises(InitcliError, match="holds no tensor `wieght`") as error:
        torch_zip.read_tensor(tmp_path / "a.pt", "wieght")

    assert "`weight`" in error.value.faults[0].hint
