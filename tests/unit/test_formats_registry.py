"""`--out` and `--format` choose a format, and a file tells its own."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from initcli.errors import InitcliError
from initcli.formats.detection import detect_format
from initcli.formats.hdf5 import hdf5
from initcli.formats.keras_archive import keras_archive
from initcli.formats.keras_weights import keras_legacy, keras_weights
from initcli.formats.listing import LISTINGS, choose_format
from initcli.formats.npy import npy, npy_directory
from initcli.formats.npz import npz
from initcli.formats.safetensors import safetensors
from initcli.formats.torch_zip import torch_zip


@pytest.mark.parametrize(
    ("out", "name", "wanted"),
    [
        ("a.safetensors", None, safetensors),
        ("a.h5", None, hdf5),
        ("dir.v1/a.HDF5", None, hdf5),
        ("a.npy", None, npy),
        ("a.npy", "npy", npy),
        ("a", "npy", npy_directory),
        ("dir/", "npy", npy_directory),
        ("dir.npy/", "npy", npy_directory),
        ("-", "npy", npy),
        ("-", "safetensors", safetensors),
        ("a", "h5", hdf5),
        ("a.weights.h5", None, keras_weights),
        ("a", "weights.h5", keras_weights),
        ("a.h5", "keras-legacy-h5", keras_legacy),
        ("a", "keras-legacy-h5", keras_legacy),
        ("a.keras", None, keras_archive),
        ("a.weights", "hdf5", hdf5),
        ("a.hdf5", "h5", hdf5),
        ("a.h5", "hdf5", hdf5),
        ("a.npz", None, npz),
        ("-", "npz", npz),
        ("a.pt", None, torch_zip),
        ("pytorch_model.bin", None, torch_zip),
        ("a.PTH", "pt", torch_zip),
        ("-", "pt", torch_zip),
    ],
)
def test_the_suffix_or_the_option_chooses_the_format(out, name, wanted):
    """Either is enough, in any case of letters, and `npy` without the suffix means a directory."""
    assert choose_format(out, name, 1) is wanted


@pytest.mark.parametrize(
    ("out", "name", "what", "hint"),
    [
        ("a.h5", "safetensors", "`--out a.h5` means h5, but `--format safetensors`", "use the suffix `.safetensors`"),
        ("a.h5", "npy", "means h5, but `--format npy`", ""),
        ("a.npy", "h5", "means npy, but `--format h5`", "use the suffix `.h5`"),
        ("a.safetensor", None, "unknown suffix `.safetensor`", "did you mean `.safetensors`?"),
        ("a.npx", None, "unknown suffix `.npx`", "did you mean `.npz`?"),
        ("a.bin", "h5", "`--out a.bin` means pt, but `--format h5`", "use the suffix `.h5`"),
        ("a.ckpt", None, "unknown suffix `.ckpt`", "use one of .safetensors, "),
        ("a", None, "`a` has no suffix", ".npz, .pt, .pth, .bin, or `--format`"),
        ("dir/", None, "`dir/` is a directory", "`--format npy`"),
        ("dir.h5/", None, "is a directory", "`--format npy`"),
        ("a", "safetensor", "unknown format `safetensor`", "did you mean `safetensors`?"),
        ("a", "tf", "unknown format `tf`", "known: bin, gguf, h5, hdf5, "),
        ("-", None, "`--out -` does not tell the format", "add `--format safetensors`"),
        ("-", "h5", "HDF5 is not written front to back", "`--format safetensors`"),
        ("a.weights.h5", "h5", "means weights.h5, but `--format h5`", "use the suffix `.h5`"),
        ("a.weights.h5", "keras-legacy-h5", "means weights.h5", "use the suffix `.h5`"),
        ("a.h5", "weights.h5", "means h5, but `--format weights.h5`", "use the suffix `.weights.h5`"),
        ("-", "keras-legacy-h5", "HDF5 is not written front to back", "`--format safetensors`"),
    ],
)
def test_a_choice_that_cannot_be_made_says_why_and_what_to_do(out, name, what, hint):
    """Unknown, contradictory and impossible outputs are one fault with a way out."""
    with pytest.raises(InitcliError) as error:
        choose_format(out, name, 1)

    (fault,) = error.value.faults
    assert what in fault.what
    assert hint in fault.hint


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize(("out", "name"), [("a.npy", None), ("-", "npy")])
def test_one_npy_file_takes_exactly_one_tensor(out, name, count):
    """None or many are refused with the formats that hold many."""
    with pytest.raises(InitcliError, match=f"holds one tensor, and here are {count}") as error:
        choose_format(out, name, count)

    assert "`--format npy` with a directory" in error.value.faults[0].hint


def test_a_directory_of_npy_files_takes_many_tensors():
    """The count matters for the single file alone."""
    assert choose_format("out", "npy", 7) is npy_directory


def test_a_file_is_known_by_its_first_bytes_whatever_its_name(tmp_path):
    """A NumPy file under a foreign suffix is one all the same."""
    with (tmp_path / "a.h5").open("wb") as file:
        np.save(file, np.zeros(3))

    assert detect_format(tmp_path / "a.h5") is npy
    assert detect_format(tmp_path) is npy_directory


def test_what_is_no_finished_file_is_told_so(tmp_path):
    """Absent, empty, unfinished, a pipe: each is one fault, and the pipe does not block."""
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "unfinished").write_bytes(bytes(100))
    os.mkfifo(tmp_path / "pipe")

    for name, words in [
        ("absent", "does not exist"),
        ("empty", "is empty"),
        ("unfinished", "never finished"),
        ("pipe", "not a regular file"),
    ]:
        with pytest.raises(InitcliError, match=words):
            detect_format(tmp_path / name)


def test_choosing_a_format_loads_no_weight_library():
    """Start-up pays for neither h5py nor safetensors nor ml_dtypes."""
    script = """
import sys
from initcli.formats.listing import choose_format
choose_format("a.h5", None, 1)
print([name for name in ("h5py", "safetensors", "ml_dtypes") if name in sys.modules])
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.value)
def test_a_listing_says_what_the_format_says_of_itself(listing):
    """A format is chosen before it is loaded, so its name and suffixes stand in the list too."""
    chosen = listing.load()

    assert (chosen.name, chosen.suffixes) == (listing.name, listing.suffixes)


def test_the_index_of_a_checkpoint_leads_to_its_directory(tmp_path):
    """Not to Keras's index, which is JSON too."""
    index = tmp_path / "model.safetensors.index.json"
    index.write_text('{"metadata": {}, "weight_map": {"w": "model-00001-of-00001.safetensors"}}')

    with pytest.raises(InitcliError, match="is the index of a checkpoint") as told:
        detect_format(index)

    assert str(tmp_path) in told.value.faults[0].hint
