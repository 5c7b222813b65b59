"""NumPy, h5py, zipfile and safetensors, which know nothing of models, read what is generated, to the bit."""

from __future__ import annotations

import json
import zipfile

import h5py
import ml_dtypes  # noqa: F401  (lets safetensors.numpy read bfloat16)
import numpy as np
import pytest
import safetensors
import safetensors.numpy

from initcli.dtypes import DTYPES
from initcli.formats.detection import detect_format

FRAMEWORK = f"numpy {np.__version__}"
H5PY = f"h5py {h5py.__version__}, HDF5 {h5py.version.hdf5_version}"
SAFETENSORS = f"safetensors {safetensors.__version__}, numpy {np.__version__}"
PYTHON = "zipfile of Python's library"

LAYOUTS = {"scalar": [], "matrix": [30, 7], "empty": [0, 2], "deep/er.name ü": [1, 2, 1, 3, 1, 2]}
PLAIN = [name for name, dtype in DTYPES.items() if not dtype.is_extended]
NARROW = "bfloat16"


@pytest.fixture(scope="module")
def weights(generate, tmp_path_factory):
    """A function: the path of a file of each layout in these element types, and what initcli reads in it, by name."""

    def make(name, dtypes=PLAIN, layouts=LAYOUTS):
        folder = tmp_path_factory.mktemp("plain")
        tensors = {
            f"{layout}.{dtype}": {
                "shape": shape,
                "dtype": dtype,
                "init": "normal" if DTYPES[dtype].kind in ("float", "complex") else "ones",
            }
            for dtype in dtypes
            for layout, shape in layouts.items()
        }
        (folder / "spec.json").write_text(json.dumps({"framework": "torch", "seed": 5, "tensors": tensors}))
        path = folder / name
        generate(folder / "spec.json", path, *(() if path.suffix else ("--format", "npy")))
        form = detect_format(path)
        found = dict(zip(tensors, form.read_tensors(path, tensors), strict=True))
        assert all(any(array.tobytes()) for array in found.values() if array.size)
        return path, found

    return make


def assert_same(theirs, ours):
    """The same names in any order, and for each the same element type, shape and values."""
    assert sorted(theirs) == sorted(ours)
    for name, array in ours.items():
        np.testing.assert_array_equal(np.asarray(theirs[name]), array, err_msg=name, strict=True)


@pytest.mark.loads(file="`.npz`", how="load(allow_pickle=False)", what="every element type")
def test_numpy_loads_the_archive(weights):
    """By name; NumPy checks each member's CRC."""
    path, ours = weights("w.npz")

    with np.load(path, allow_pickle=False) as loaded:
        assert_same(dict(loaded), ours)


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(None, marks=pytest.mark.loads(how="load(allow_pickle=False)")),
        pytest.param("r", marks=pytest.mark.loads(how='load(mmap_mode="r")')),
    ],
)
@pytest.mark.loads(file="`.npy`", what="every element type")
def test_numpy_loads_each_array(weights, mode):
    """Read, and mapped."""
    for dtype in PLAIN:
        path, ours = weights(f"matrix.{dtype}.npy", [dtype], {"matrix": [30, 7]})
        assert_same({f"matrix.{dtype}": np.load(path, mode, allow_pickle=False)}, ours)


@pytest.mark.loads(file="folder of `.npy`", how="load(allow_pickle=False)", what="every element type")
def test_numpy_loads_every_file_of_a_folder(weights):
    """There is a file for each tensor, and no other."""
    path, ours = weights("folder")

    loaded = [np.load(each, allow_pickle=False) for each in path.rglob("*.npy")]

    assert sorted(described(each) for each in loaded) == sorted(described(each) for each in ours.values())


def described(array):
    """An array as text and bytes, which can be sorted."""
    return array.dtype.name, array.shape, array.tobytes()


@pytest.mark.loads(file="`.h5`", how="File", what="every element type", client=H5PY)
def test_h5py_reads_every_dataset(weights):
    """`/` in a name makes a group."""
    path, ours = weights("w.h5")

    with h5py.File(path, "r") as file:
        assert_same({name: file[name][...] for name in ours}, ours)
        found = []
        file.visititems(lambda name, thing: found.append(name) if isinstance(thing, h5py.Dataset) else None)
    assert sorted(found) == sorted(ours)


@pytest.mark.loads(file="safetensors", client=SAFETENSORS, what="every element type of NumPy and bfloat16")
@pytest.mark.parametrize(
    "how",
    [
        pytest.param("file", marks=pytest.mark.loads(how="numpy.load_file")),
        pytest.param("slices", marks=pytest.mark.loads(how="safe_open, get_slice")),
    ],
)
def test_safetensors_reads_every_tensor(weights, how):
    """Whole, and through slices; the library knows complex64, unlike most."""
    path, ours = weights("w.safetensors", [*PLAIN, NARROW])

    if how == "file":
        loaded = safetensors.numpy.load_file(path)
    else:
        with safetensors.safe_open(path, framework="numpy") as file:
            loaded = {
                name: file.get_slice(name)[...] if array.size and array.shape else file.get_tensor(name)
                for name, array in ours.items()
            }

    assert_same(loaded, ours)


@pytest.mark.parametrize(
    "name", [pytest.param(f"w{end}", marks=pytest.mark.loads(file=f"`{end}`")) for end in (".npz", ".pt")]
)
@pytest.mark.loads(how="ZipFile.testzip", what="every element type", client=PYTHON)
def test_zipfile_finds_every_member_whole(weights, name):
    """Each member's CRC-32, which was put together from those of the pieces, is right."""
    path, ours = weights(name)

    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) >= len(ours)
