"""NumPy files, one or a directory of them, are `np.save`'s to the byte."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from initcli.dtypes import DTYPES
from initcli.errors import InitcliError
from initcli.files import write_at
from initcli.formats import Contents
from initcli.formats.npy import npy, npy_directory

INT8 = DTYPES["int8"]


def piece(name, shape, dtype):
    """A tensor as formats see it."""
    return SimpleNamespace(name=name, shape=shape, dtype=dtype, nbytes=math.prod(shape) * dtype.itemsize)


@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES.values() if not dtype.is_extended], ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 3), (1, 0, 5), (1,) * 64, (123456, 1)])
def test_a_file_is_np_saves_byte_for_byte(tmp_path, dtype, shape):
    """Header, padding and length are the same for every type and shape."""
    np.save(tmp_path / "theirs.npy", np.zeros(shape, dtype.numpy))

    layout = npy.allocate(Contents([piece("w", shape, dtype)], {"seed": "1"}), tmp_path / "ours.npy")
    write_at(tmp_path / "ours.npy", layout.seals[0].data, 0)

    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()


@pytest.mark.parametrize("form", [npy, npy_directory])
@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_what_numpy_does_not_know_is_refused_with_the_formats_that_hold_it(form, dtype):
    """NumPy would read it back as raw bytes, or not at all."""
    (refusal,) = form.faults([piece("w", (2,), DTYPES[dtype])])

    assert dtype in refusal.what
    assert ".safetensors" in refusal.hint


def test_a_single_file_refuses_every_tensor_after_the_first():
    """The hint names what holds many."""
    refusals = npy.faults([piece(name, (1,), INT8) for name in "abc"])

    assert [refusal.place for refusal in refusals] == [1, 2]
    assert "`--format npy` with a directory" in refusals[0].hint


def test_slashes_in_names_make_directories(tmp_path):
    """`a/b.c` is the file `a/b.c.npy`, and reads back under its name."""
    layout = npy_directory.allocate(Contents([piece("a/b.c", (2,), INT8)]), tmp_path)
    write_at(layout.seals[0].file, layout.seals[0].data, 0)

    assert layout.slots[0].file == tmp_path / "a" / "b.c.npy"
    assert npy_directory.read_header(tmp_path).entries == [("a/b.c", "int8", (2,), 2)]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("", "is empty"),
        ("/etc/passwd", "empty part"),
        ("a/", "empty part"),
        ("a//b", "empty part"),
        ("../a", "a part `..`"),
        ("a/./b", "a part `.`"),
        ("..", "a part `..`"),
        ("a\0b", "NUL"),
        ("x" * 252, "256 bytes"),
        ("ü" * 126 + "/a", None),
        ("ü" * 126, "256 bytes"),
        ("x" * 251, None),
        ("a\udcff", "not valid Unicode"),
    ],
)
def test_only_names_that_stay_inside_the_directory_are_taken(name, what):
    """No name leads out of the directory, or is longer than a file's may be."""
    refusals = npy_directory.faults([piece("good", (1,), INT8), piece(name, (1,), INT8)])

    assert [refusal.place for refusal in refusals] == ([] if what is None else [1])
    assert what is None or what in refusals[0].what


def test_a_file_and_a_directory_of_one_name_are_refused():
    """`a` becomes the file `a.npy`, so no tensor may stand in a directory of that name."""
    refusals = npy_directory.faults([piece(name, (1,), INT8) for name in ["a.npy/b", "b", "a", "a/c"]])

    assert [refusal.place for refusal in refusals] == [2]
    assert "`a.npy/b`" in refusals[0].what


def test_two_names_that_the_file_system_calls_one_are_never_merged(tmp_path):
    """Where `A.npy` is `a.npy`, the second tensor finds a file and stops."""
    (tmp_path / "a.npy").write_bytes(b"the other tensor")

    with pytest.raises(InitcliError, match="exists already"):
        npy_directory.allocate(Contents([piece("a", (1,), INT8)]), tmp_path)
    assert (tmp_path / "a.npy").read_bytes() == b"the other tensor"


def test_a_name_longer_than_a_path_may_be_is_one_fault(tmp_path):
    """Each part fits, the whole does not: the system's answer becomes a fault."""
    with pytest.raises(InitcliError, match="too long"):
        npy_directory.allocate(Contents([piece("/".join(["x" * 200] * 30), (1,), INT8)]), tmp_path)


def test_pickles_are_never_loaded(tmp_path):
    """An object array is refused, for its header as for its data."""
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)

    for read in (npy.read_header, lambda path: npy.read_tensor(path, "a")):
        with pytest.raises(InitcliError, match="cannot be read as a NumPy array"):
            read(tmp_path / "a.npy")


def test_a_truncated_file_is_one_fault_at_every_length(tmp_path):
    """Cut anywhere, header or data, the file is refused."""
    np.save(tmp_path / "whole.npy", np.ones(4))
    whole = (tmp_path / "whole.npy").read_bytes()

    for length in range(len(whole)):
        (tmp_path / "cut.npy").write_bytes(whole[:length])
        with pytest.raises(InitcliError, match=r"cut.npy` (cannot be read as a NumPy array|is empty)"):
            npy.read_header(tmp_path / "cut.npy")


def test_a_hostile_header_is_one_fault(tmp_path):
    """Deep nesting, huge claims and code in the header end in a fault."""
    for text in [
        "(" * 9000,
        "-" * 9000 + "1",
        "__import__('os')",
        "{'descr':'<f8','fortran_order':False,'shape':(2**70,)}",
    ]:
        header = text.encode() + b"\n"
        (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)

        with pytest.raises(InitcliError):
            npy.read_header(tmp_path / "a.npy")


def test_a_directory_without_npy_files_is_told_so(tmp_path):
    """Some other model's directory is no directory of tensors."""
    (tmp_path / "model.safetensors").write_bytes(b"x")

    with pytest.raises(InitcliError, match=r"holds no \.npy file"):
        npy_directory.read_header(tmp_path)


def test_links_to_directories_are_not_followed(tmp_path):
    """A link back up does not make the listing endless."""
    np.save(tmp_path / "a.npy", np.zeros(1))
    (tmp_path / "loop").symlink_to(".")

    assert [entry.name for entry in npy_directory.read_header(tmp_path).entries] == ["a"]


@pytest.mark.parametrize("form", [npy, npy_directory])
def test_an_unknown_name_is_a_fault(tmp_path, form):
    """A tensor that is not there is told, with the nearest that is."""
    np.save(tmp_path / "weight.npy", np.zeros(1))

    with pytest.raises(InitcliError, match="no tensor `wieght`") as error:
        form.read_tensor(tmp_path / "weight.npy" if form is npy else tmp_path, "wieght")

    assert error.value.faults[0].hint == "did you mean `weight`?"
