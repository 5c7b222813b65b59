"""torch and NumPy load the zip files: the same bits for every element type, with and without a map of the file."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest
import torch
from architectures import ARCHITECTURES, tiny_config, tiny_options

from initcli.dtypes import DTYPES
from initcli.formats.detection import detect_format
from initcli.formats.torch_zip import torch_zip

FRAMEWORK = f"torch {torch.__version__}"
NUMPY_AND_JAX = f"numpy {np.__version__}, jax {version('jax')}"
LAYOUTS = {"scalar": [], "matrix": [30, 7], "empty": [0, 2], "deep/er.name ü": [1, 2, 1, 3, 1, 2]}
INITS = {"bool": "ones", "int": "ones", "uint": "ones"}

RENAMED = {"mixtral", "vit"}
"""What transformers 5 calls otherwise in memory than in files: their names are for `from_pretrained` alone."""

each_access = pytest.mark.parametrize(
    "mmap",
    [
        pytest.param(False, marks=pytest.mark.loads(how="torch.load(weights_only=True)")),
        pytest.param(True, marks=pytest.mark.loads(how="torch.load(weights_only=True, mmap=True)")),
    ],
)


each_model = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.loads(file="`.pt`", what=f"{name}, load_state_dict(strict=True)"))
        for name in sorted(ARCHITECTURES.keys() - RENAMED)
    ],
)


def share(state):
    """Which names of a state dict have their values in one place."""
    names = {}
    for name, tensor in state.items():
        names.setdefault(tensor.data_ptr(), set()).add(name)
    return sorted(map(sorted, names.values()))


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


@each_access
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.loads(file="`.pt`", what="every element type")
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


@pytest.mark.loads(file="`.pt`", how="torch.load(weights_only=True)", what="standard output")
def test_a_checkpoint_on_standard_output_is_the_file(checkpoint, spec):
    """`--out -` pours the same bytes, which torch takes from memory."""
    import io

    command = [sys.executable, "-m", "initcli", "generate", str(spec(*DTYPES)), "--out", "-", "--format", "pt"]

    done = subprocess.run([*command, "--quiet", "--jobs", "2"], capture_output=True, check=True)

    assert done.stdout == checkpoint.read_bytes()
    assert len(torch.load(io.BytesIO(done.stdout), weights_only=True)) == len(DTYPES) * len(LAYOUTS)


@each_access
@pytest.mark.loads(file="`.pt`", what="load_state_dict(strict=True)")
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


@each_access
@each_model
def test_a_model_takes_the_checkpoint_strictly_ties_and_all(generate, specs, tmp_path, name, mmap):
    """A state dict has tied weights under every name: each is there, as a view of one storage, and nothing else is."""
    model = ARCHITECTURES[name].model(tiny_config(name))
    own = model.state_dict()
    path = generate(specs / f"{name}.yaml", tmp_path / "w.pt", *tiny_options(name))

    state = torch.load(path, weights_only=True, mmap=mmap)
    model.load_state_dict(state, strict=True)

    assert state.keys() == own.keys()
    assert share(state) == share(own)


@pytest.mark.loads(file="`.pt`", how="torch.save", what="read back by initcli")
def test_ties_that_torch_saves_are_told(tmp_path):
    """Two parameters that are one, and names that share a storage but not the view."""
    embedding, head = torch.nn.Embedding(7, 3), torch.nn.Linear(3, 7, bias=False)
    head.weight = embedding.weight
    state = torch.nn.ModuleDict({"embedding": embedding, "head": head}).state_dict()
    torch.save(state | {"rows": state["head.weight"][1:]}, tmp_path / "theirs.pt")

    header = torch_zip.read_header(tmp_path / "theirs.pt")

    assert header.ties == {"head.weight": "embedding.weight"}
    assert [entry.name for entry in header.entries] == ["embedding.weight", "rows"]


@pytest.mark.loads(file="`.pt`", how="torch.save", what="read back by initcli")
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


@pytest.mark.parametrize(
    ("dtype", "std"), [("float16", 3e4), ("bfloat16", 2e38), ("float8_e4m3fn", 300), ("float8_e5m2", 3e4)]
)
@pytest.mark.loads(file="`.pt`", how="torch.load(weights_only=True)", what="short floats as torch rounds them")
def test_torch_rounds_wide_values_to_the_same_bits(generate, tmp_path, dtype, std):
    """Its own conversion of the float32 file gives the narrow one, where values vanish and where they overflow, too.

    But for float8_e4m3fn, which has no infinity: torch 2.13 stores its greatest number there, ml_dtypes and we nan.
    """
    scales = {"great": std, "middling": 1, "small": {"bfloat16": 1e-38}.get(dtype, 2.0**-14)}
    lines = [f"  {name}: {{shape: [100, 50], init: normal(std={scale})}}" for name, scale in scales.items()]
    (tmp_path / "spec.yaml").write_text("initcli: 1\nframework: torch\ntensors:\n" + "\n".join(lines) + "\n")
    wide, narrow = (
        torch.load(generate(tmp_path / "spec.yaml", tmp_path / f"{each}.pt", "--dtype", each), weights_only=True)
        for each in ("float32", dtype)
    )

    is_finite = torch.isfinite(narrow["great"].float())
    assert not is_finite.all()
    if dtype == "float8_e4m3fn":
        assert torch.equal(is_finite, wide["great"].abs() <= 464)  # halfway from 448 to 480, which would be next
        wide["great"], narrow["great"] = wide["great"][is_finite], narrow["great"][is_finite]
    for name in scales:
        assert bits(narrow[name]) == bits(wide[name].to(getattr(torch, dtype)))


@pytest.mark.loads(file="`.npz`", how="load(allow_pickle=False)", what="every element type", client=NUMPY_AND_JAX)
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
