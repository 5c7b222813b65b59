"""torch and NumPy load the zip files: the same bits for every element type, with and without a map of the file."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from initcli.dtypes import DTYPES
from initcli.formats import detect_format
from initcli.formats.torch_zip import torch_zip

FRAMEWORK = f"torch {torch.__version__}"
LAYOUTS = {"scalar": [], "matrix": [30, 7], "empty": [0, 2], "deep/er.name ü": [1, 2, 1, 3, 1, 2]}
INITS = {"bool": "ones", "int": "ones", "uint": "ones"}


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """A function: a spec file with a tensor of each layout for each of these element types."""

    def write(*dtypes):
        path = tmp_path_factory.mktemp("spec") / "spec.yaml"
        lines = [
            f'  "{name}.{dtype}": {{shape: {shape}, dtype: {dtype}, init: {INITS.get(DTYPES[dtype].kind, "normal")}}}'
            for dtype in dtypes
            for name, shape in LAYOUTS.items()
        ]
        path.write_text("initcli: 1\nframework: torch\nseed: 5\ntensors:\n" + "\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture(scope="module")
def checkpoint(generate, spec, tmp_path_factory):
    """A `.pt` of every element type."""
    return generate(spec(*DTYPES), tmp_path_factory.mktemp("pt") / "w.pt")


def bits(tensor):
    """A torch tensor's bytes in row-major order."""
    return tensor.contiguous().clone().reshape(-1).view(torch.uint8).numpy().tobytes()


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.proves("torch.load of .pt")
def test_torch_load_gives_every_element_type_to_the_bit(checkpoint, dtype, mmap):
    """Names, shapes, types and bits are those that the reader without torch finds; no pickle runs."""
    loaded = torch.load(checkpoint, weights_only=True, mmap=mmap)

    for name, shape in LAYOUTS.items():
        tensor, ours = loaded[f"{name}.{dtype}"], torch_zip.read_tensor(checkpoint, f"{name}.{dtype}")
        assert (tensor.dtype, list(tensor.shape)) == (getattr(torch, dtype), shape)
        assert tensor.is_contiguous()
        assert tensor.data_ptr() % 64 == 0
        assert bits(tensor) == ours.tobytes()
        assert not shape or 0 in shape or any(bits(tensor))


@pytest.mark.proves("torch.load of .pt")
def test_a_checkpoint_on_standard_output_is_the_file(checkpoint, spec):
    """`--out -` pours the same bytes, which torch takes from memory."""
    import io

    command = [sys.executable, "-m", "initcli", "generate", str(spec(*DTYPES)), "--out", "-", "--format", "pt"]

    done = subprocess.run([*command, "--quiet", "--jobs", "2"], capture_output=True, check=True)

    assert done.stdout == checkpoint.read_bytes()
    assert len(torch.load(io.BytesIO(done.stdout), weights_only=True)) == len(DTYPES) * len(LAYOUTS)


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.proves("torch.load of .pt")
def test_a_module_takes_the_checkpoint_strictly(generate, tmp_path, mmap):
    """`load_state_dict` finds all that a module has, and nothing else."""
    (tmp_path / "spec.yaml").write_text(
        "initcli: 1\nframework: torch\nseed: 5\ntensors:\n"
        "  0.weight: {shape: [8, 3], init: kaiming_uniform}\n  0.bias: {shape: [8], init: zeros}\n"
    )
    module = torch.nn.Sequential(torch.nn.Linear(3, 8))
    path = generate(tmp_path / "spec.yaml", tmp_path / "pytorch_model.bin")

    module.load_state_dict(torch.load(path, weights_only=True, mmap=mmap), strict=True)

    np.testing.assert_array_equal(module[0].weight.detach().numpy(), torch_zip.read_tensor(path, "0.weight"))


@pytest.mark.proves("files of torch.save")
def test_what_torch_saves_is_read_without_torch(tmp_path):
    """A state dict with its `_metadata`, parameters, views of one storage, turned and empty tensors, every type."""
    state = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).state_dict()
    state["parameter"] = torch.nn.Parameter(torch.ones(3))
    state["turned"] = torch.arange(12.0).reshape(3, 4).T
    state["view"] = state["turned"][1:]
    state["empty"] = torch.zeros(0, 3)
    state |= {f"of {name}": torch.ones(2, 3).to(getattr(torch, name)) for name in DTYPES}
    torch.save(state, tmp_path / "theirs.pt")

    header = detect_format(tmp_path / "theirs.pt").read_header(tmp_path / "theirs.pt")

    assert [entry.name for entry in header.entries] == sorted(state)
    for name, array in zip(state, torch_zip.read_tensors(tmp_path / "theirs.pt", state), strict=True):
        tensor = state[name].detach()
        assert f"torch.{array.dtype.name}" == str(tensor.dtype)
        assert (array.shape, array.tobytes()) == (tuple(tensor.shape), bits(tensor))


@pytest.mark.proves("numpy.load of .npz")
def test_numpy_and_jax_load_the_archive(generate, spec, tmp_path):
    """`np.load` and `jnp.load`, no pickles allowed, give every element type that NumPy has, to the bit."""
    import jax.numpy as jnp

    dtypes = [dtype for dtype in DTYPES if not DTYPES[dtype].is_extended]
    path = generate(spec(*dtypes), tmp_path / "w.npz")

    form = detect_format(path)
    with np.load(path, allow_pickle=False) as loaded, jnp.load(path, allow_pickle=False) as by_jax:
        assert loaded.files == by_jax.files == [f"{name}.{dtype}" for dtype in dtypes for name in LAYOUTS]
        for name in loaded.files:
            np.testing.assert_array_equal(loaded[name], form.read_tensor(path, name), strict=True)
            np.testing.assert_array_equal(by_jax[name], loaded[name])
