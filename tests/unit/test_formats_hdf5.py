"""HDF5 files hold every tensor as a plain dataset, whatever their names, and reading one follows no lure."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from initcli.dtypes import DTYPES
from initcli.errors import InitcliError
from initcli.files import write_at
from initcli.formats import Contents, hdf5_reading
from initcli.formats.hdf5 import SIGNATURE, hdf5

F32 = DTYPES["float32"]


def piece(name, shape, dtype):
    """A tensor as formats see it."""
    return SimpleNamespace(name=name, shape=shape, dtype=dtype, nbytes=math.prod(shape) * dtype.itemsize)


def make(path, *tensors, **metadata):
    """A sealed file with nothing but zeros in its slots."""
    layout = hdf5.allocate(Contents(tensors, metadata), path)
    for slot in layout.slots:
        write_at(path, bytes(slot.nbytes), slot.offset)
    write_at(path, layout.seals[0].data, 0)
    return layout


def test_datasets_are_contiguous_at_the_offsets_told(tmp_path):
    """The library reopens the file with the same offsets; `/` makes groups."""
    layout = make(tmp_path / "a.h5", piece("dense/kernel", (3, 4), F32), piece("scale", (), F32))

    with h5py.File(tmp_path / "a.h5") as file:
        assert isinstance(file["dense"], h5py.Group)
        assert [file[name].id.get_offset() for name in ("dense/kernel", "scale")] == [s.offset for s in layout.slots]
        assert file["dense/kernel"].chunks is None
        assert file["scale"].shape == ()


def test_an_empty_tensor_has_no_place(tmp_path):
    """HDF5 gives a dataset without elements no offset: the slot is 0 and nothing."""
    layout = make(tmp_path / "a.h5", piece("none", (0, 3), F32))

    assert (layout.slots[0].offset, layout.slots[0].nbytes) == (0, 0)
    assert hdf5.read_tensor(tmp_path / "a.h5", "none").shape == (0, 3)


def test_bfloat16_is_stored_as_keras_does(tmp_path):
    """Opaque two bytes, and the attribute `dtype` as text of variable length: what Keras looks for."""
    make(tmp_path / "a.h5", piece("w", (2,), DTYPES["bfloat16"]))

    with h5py.File(tmp_path / "a.h5") as file:
        assert file["w"].dtype == np.dtype("V2")
        assert file["w"].attrs["dtype"] == "bfloat16"
        assert h5py.check_string_dtype(file["w"].attrs.get_id("dtype").dtype).length is None


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2"])
def test_floats_of_eight_bits_are_stored_as_bfloat16_is(tmp_path, name):
    """h5py knows neither: opaque bytes, and the attribute tells the type."""
    make(tmp_path / "a.h5", piece("w", (2,), DTYPES[name]))

    with h5py.File(tmp_path / "a.h5") as file:
        assert file["w"].dtype == np.dtype("V1")
        assert file["w"].attrs["dtype"] == name
    assert hdf5.read_tensor(tmp_path / "a.h5", "w").dtype.name == name


def test_complex_numbers_are_h5pys_own(tmp_path):
    """The dataset reads as NumPy's complex64."""
    make(tmp_path / "a.h5", piece("w", (2,), DTYPES["complex64"]))

    with h5py.File(tmp_path / "a.h5") as file:
        assert file["w"].dtype == np.dtype("<c8")


def test_booleans_are_h5pys_own(tmp_path):
    """The dataset reads as NumPy booleans."""
    make(tmp_path / "a.h5", piece("w", (2,), DTYPES["bool"]))

    with h5py.File(tmp_path / "a.h5") as file:
        assert file["w"].dtype == np.dtype(bool)


def test_a_long_spec_fits_into_the_metadata(tmp_path):
    """A megabyte of text is far over the 64 KiB of an attribute with its text inside."""
    text = "ü" * (1 << 19)

    make(tmp_path / "a.h5", piece("w", (2,), F32), spec=text)

    with h5py.File(tmp_path / "a.h5") as file:
        assert file.attrs["spec"] == text
    assert hdf5.read_header(tmp_path / "a.h5").metadata == {"spec": text}


def test_the_seal_is_the_signature_that_allocate_blanked(tmp_path):
    """Only the first 8 bytes stand between the file and its readers."""
    layout = hdf5.allocate(Contents([piece("w", (2,), F32)]), tmp_path / "a.h5")

    assert layout.seals[0].data == SIGNATURE
    assert (tmp_path / "a.h5").read_bytes()[:8] == bytes(8)


def test_the_bytes_depend_on_no_clock_path_or_directory(tmp_path):
    """Two processes, a second apart, in two places, with h5py configured otherwise, write the same file."""
    script = """
import os, sys, h5py
from pathlib import Path
from initcli.formats import Contents, hdf5_reading
from initcli.formats.hdf5 import hdf5
from initcli.dtypes import DTYPES
from types import SimpleNamespace
h5py.get_config().track_order = sys.argv[2] == "True"
os.chdir(sys.argv[1])
tensors = [
    SimpleNamespace(name=f"z{9 - i}/{name}", shape=(3,), dtype=dtype, nbytes=3 * dtype.itemsize)
    for i in range(9)
    for name, dtype in DTYPES.items()
]
hdf5.allocate(Contents(tensors, {"seed": "1"}), Path("a.h5"))
"""
    (tmp_path / "x").mkdir()
    (tmp_path / "much longer").mkdir()

    for folder, order in [("x", "False"), ("much longer", "True")]:
        subprocess.run([sys.executable, "-c", script, str(tmp_path / folder), order], check=True)
        time.sleep(1.1)

    assert (tmp_path / "x" / "a.h5").read_bytes() == (tmp_path / "much longer" / "a.h5").read_bytes()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("", "is empty"),
        ("/a", "empty part"),
        ("a/", "empty part"),
        ("a//b", "empty part"),
        (".", "a part `.`"),
        ("a/./b", "a part `.`"),
        ("a\0b", "NUL"),
        ("\ud800", "not valid Unicode"),
        ("..", None),
        ("a.b c", None),
    ],
)
def test_names_that_hdf5_would_change_are_refused(name, what):
    """The library would silently drop or cut these; `..` has no meaning there and is a name like any."""
    refusals = hdf5.faults([piece("good", (1,), F32), piece(name, (1,), F32)])

    assert [refusal.place for refusal in refusals] == ([] if what is None else [1])
    assert what is None or what in refusals[0].what


def test_a_dataset_that_must_be_a_group_is_refused():
    """`a` cannot hold data while `a/b` stands in it."""
    refusals = hdf5.faults([piece(name, (1,), F32) for name in ["x/y/z", "a", "a/b", "x", "ab"]])

    assert [refusal.place for refusal in refusals] == [1, 3]
    assert "`a/b`" in refusals[0].what
    assert "`x/y/z`" in refusals[1].what


def test_more_axes_than_the_library_has_are_refused(tmp_path):
    """32 axes are written, 33 refused."""
    make(tmp_path / "a.h5", piece("w", (1,) * 32, F32))

    assert hdf5.faults([piece("w", (1,) * 32, F32)]) == []
    assert "33 axes" in hdf5.faults([piece("w", (1,) * 33, F32)])[0].what


@pytest.mark.parametrize("count", [1, 4])
def test_a_file_too_large_is_told_in_words(tmp_path, count):
    """More than a file system's largest file is one fault, and so is more than the library can count."""
    tensors = [piece(f"a{index}", (2**62,), DTYPES["int8"]) for index in range(count)]

    with pytest.raises(InitcliError, match="file too large"):
        hdf5.allocate(Contents(tensors), tmp_path / "a.h5")


@pytest.mark.parametrize("limit", [500, 3000])
def test_a_limit_below_the_metadata_is_told_in_words(tmp_path, limit):
    """Where not even the metadata fits, the system's error is met outside the library, which would crash."""
    script = f"""
import resource, sys
from pathlib import Path
from initcli.errors import InitcliError
from initcli.formats import Contents, hdf5_reading
from initcli.formats.hdf5 import hdf5
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    hdf5.allocate(Contents([], {{"spec": "x" * 5000}}), Path(sys.argv[1]))
except InitcliError as error:
    print(error.faults[0].what)
"""

    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.h5")], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("file too large")
    assert done.stderr == ""


# Reading what others wrote


def test_a_dataset_of_several_paths_is_one_tensor_with_ties(tmp_path):
    """The first path by name is the tensor; the others lead to the same values."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["z/w"] = np.arange(3.0)
        file["a/w"] = file["z/w"]
        file["k"] = file["z/w"]
        file["other"] = np.arange(3.0)

    header = hdf5.read_header(tmp_path / "a.h5")

    assert [entry.name for entry in header.entries] == ["a/w", "other"]
    assert header.ties == {"k": "a/w", "z/w": "a/w"}
    assert hdf5.read_tensor(tmp_path / "a.h5", "z/w").tolist() == [0, 1, 2]


def test_foreign_files_are_listed_in_the_order_of_names(tmp_path):
    """Chunked, big-endian, compound and text datasets of another writer appear; attributes that are no text do not."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("b", (100,), ">f8", chunks=(10,), compression="gzip")
        file["a/x"] = np.zeros(2, [("p", "f4")])
        file["a-"] = "text"
        file["empty"] = h5py.Empty("f4")
        file.attrs.update({"name": "m", "raw": np.bytes_(b"r"), "count": 3, "list": ["a", "b"]})

    metadata, entries, _ = hdf5.read_header(tmp_path / "a.h5")

    assert metadata == {"name": "m", "raw": "r"}
    assert [(name, dtype, shape) for name, dtype, shape, _ in entries] == [
        ("a-", "string", ()),
        ("a/x", "void32", (2,)),
        ("b", "float64", (100,)),
        ("empty", "float32", (0,)),
    ]


def test_links_that_go_round_or_out_are_not_followed(tmp_path):
    """Each group is entered once; soft and external links lead nowhere, neither in the list nor by name."""
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["w"] = np.ones(3)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("g")
        group["up"] = file["/"]
        group["self"] = group
        group["w"] = np.zeros(3)
        file["again"] = group["w"]
        file["soft"] = h5py.SoftLink("/g/w")
        file["out"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/w")
        file["nowhere"] = h5py.SoftLink("/absent")

    header = hdf5.read_header(tmp_path / "a.h5")

    assert [(entry.name, entry.nbytes) for entry in header.entries] == [("again", 24)]
    assert header.ties == {"g/w": "again"}
    for name in ("soft", "out", "nowhere", "g", "g/w/x", "g//w", ""):
        with pytest.raises(InitcliError, match="no tensor"):
            hdf5.read_tensor(tmp_path / "a.h5", name)
    assert hdf5.read_tensor(tmp_path / "a.h5", "g/self/up/g/w").tolist() == [0, 0, 0]


def test_deep_groups_are_walked_without_recursion(tmp_path):
    """A chain of groups deeper than Python's stack ends in its dataset."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file
        for _ in range(2000):
            group = group.create_group("g")
        group["w"] = np.zeros(1)

    (entry,) = hdf5.read_header(tmp_path / "a.h5").entries

    assert entry.name == "g/" * 2000 + "w"


def test_data_in_another_file_is_refused(tmp_path):
    """External storage would read any file on the machine as numbers; a virtual dataset as well."""
    (tmp_path / "passwd").write_bytes(b"x" * 8)
    with h5py.File(tmp_path / "external.h5", "w") as file:
        file.create_dataset("w", (8,), "u1", external=[(str(tmp_path / "passwd"), 0, 8)])
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "external.h5"), "w", (3,))
        file.create_virtual_dataset("w", layout)

    for name in ("external.h5", "virtual.h5"):
        with pytest.raises(InitcliError, match="keeps its data in another file"):
            hdf5.read_header(tmp_path / name)
        with pytest.raises(InitcliError, match="keeps its data in another file"):
            hdf5.read_tensor(tmp_path / name, "w")


def test_a_claim_without_data_is_not_believed(tmp_path):
    """A petabyte of nothing is listed, but not read into memory."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("w", (1 << 50,), "u1", chunks=(1 << 20,))

    assert hdf5.read_header(tmp_path / "a.h5").entries[0].nbytes == 1 << 50
    with pytest.raises(InitcliError, match="not there"):
        hdf5.read_tensor(tmp_path / "a.h5", "w")


def test_a_truncated_file_is_one_fault(tmp_path):
    """Cut anywhere, the file is refused with its name in the message."""
    make(tmp_path / "whole.h5", piece("a/b", (4,), F32), spec="x")
    whole = (tmp_path / "whole.h5").read_bytes()

    for length in range(0, len(whole), 97):
        (tmp_path / "cut.h5").write_bytes(whole[:length])
        with pytest.raises(InitcliError, match=r"cut.h5` (cannot be read as HDF5|is empty)"):
            hdf5.read_header(tmp_path / "cut.h5")


def test_bytes_that_are_no_hdf5_are_one_fault(tmp_path):
    """Foreign bytes, and a signature with noise after it, are told with the library's reason."""
    for data in (b"hello world", SIGNATURE + b"\xff" * 4000):
        (tmp_path / "a.h5").write_bytes(data)
        with pytest.raises(InitcliError, match="cannot be read as HDF5"):
            hdf5.read_header(tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("shape", "chunks", "nbytes"),
    [
        ((7,), (3,), 12),
        ((6, 10), (2, 5), 80),  # two rows of ten
        ((6, 10), (2, 4), 96),  # two rows of ten, which take three chunks of four
        ((6, 10), (1, 4), 16),
        ((6, 10, 5), (1, 2, 3), 48),
        ((6, 10), (1, 1), 4),
        ((6, 10), None, 0),
    ],
)
def test_compressed_chunks_are_kept_until_the_rows_in_them_are_read(tmp_path, monkeypatch, shape, chunks, nbytes):
    """What must be in memory so that no chunk is unpacked twice: of a byte more than is kept the dataset is refused."""
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("w", data=values, chunks=chunks, compression="gzip" if chunks else None)

    monkeypatch.setattr(hdf5_reading, "CACHE_NBYTES", nbytes)
    np.testing.assert_array_equal(hdf5.read_tensor(tmp_path / "a.h5", "w"), values)
    monkeypatch.setattr(hdf5_reading, "CACHE_NBYTES", nbytes - 1)
    if chunks:
        with pytest.raises(InitcliError, match=f"unpacks {nbytes} bytes at once") as error:
            hdf5.read_tensor(tmp_path / "a.h5", "w")
        assert "without compression" in error.value.faults[0].hint
