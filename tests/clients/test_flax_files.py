"""flax restores the msgpack files and writes the same bytes; modules of linen and nnx take them, and safetensors."""

from __future__ import annotations

import json
import subprocess
import sys

import flax
import jax
import numpy as np
import pytest
import safetensors.flax
from flax import linen, nnx, serialization, traverse_util

from initcli.dtypes import DTYPES
from initcli.formats.detection import detect_format
from initcli.formats.flax_msgpack import flax_msgpack

FRAMEWORK = f"flax {flax.__version__}"

pytestmark = pytest.mark.loads(file="`.msgpack`")

LAYOUTS = {"scalar": [], "Dense_0/kernel": [30, 7], "empty": [0, 2], "deep/er.name ü/x": [1, 2, 1, 3, 1, 2]}


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """A spec of every element type in several ranks, and one array of more than 64 KiB."""
    path = tmp_path_factory.mktemp("spec") / "spec.yaml"
    lines = ["  params/long: {shape: [300, 200], init: normal}"]
    for dtype in DTYPES.values():
        init = "ones" if dtype.kind in ("bool", "int", "uint") else "normal"
        lines += [
            f'  "params/{dtype}/{name}": {{shape: {shape}, dtype: {dtype}, init: {init}}}'
            for name, shape in LAYOUTS.items()
        ]
    path.write_text("initcli: 1\nframework: torch\nseed: 5\ntensors:\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def weights(generate, spec, tmp_path_factory):
    """The file of the spec."""
    return generate(spec, tmp_path_factory.mktemp("flax") / "flax_model.msgpack")


def flatten(tree, path=()):
    """The arrays of a tree by their names."""
    if not isinstance(tree, dict):
        return {"/".join(path): tree}
    return {name: leaf for key, inner in tree.items() for name, leaf in flatten(inner, (*path, key)).items()}


@pytest.mark.loads(how="serialization.msgpack_restore", what="every element type")
def test_flax_restores_every_element_type_to_the_bit(weights):
    """Names, shapes, types and bits are those that the reader without flax finds."""
    restored = flatten(serialization.msgpack_restore(weights.read_bytes()))

    header = flax_msgpack.read_header(weights)
    assert detect_format(weights) is flax_msgpack
    assert sorted(restored) == [entry.name for entry in header.entries]
    assert len(restored) == len(DTYPES) * len(LAYOUTS) + 1
    for entry in header.entries:
        ours = flax_msgpack.read_tensor(weights, entry.name)
        theirs = restored[entry.name]
        assert (theirs.dtype, theirs.shape, theirs.tobytes()) == (ours.dtype, ours.shape, ours.tobytes())
        assert not ours.size or any(ours.tobytes())


@pytest.mark.loads(how="serialization.msgpack_serialize", what="writes the same bytes")
def test_flax_writes_the_same_bytes(weights):
    """What it restores it serializes to the file that it read."""
    data = weights.read_bytes()

    assert serialization.msgpack_serialize(serialization.msgpack_restore(data)) == data


@pytest.mark.loads(how="serialization.msgpack_restore", what="standard output")
def test_a_file_on_standard_output_is_the_file(weights, spec):
    """`--out -` pours the same bytes."""
    command = [sys.executable, "-m", "initcli", "generate", str(spec), "--out", "-", "--format", "msgpack"]

    done = subprocess.run([*command, "--quiet", "--jobs", "2"], capture_output=True, check=True)

    assert done.stdout == weights.read_bytes()


@pytest.mark.loads(how="serialization.from_bytes", what="linen.Dense")
def test_a_module_takes_the_file(generate, tmp_path):
    """`from_bytes` finds all that a linen module has, and the module computes with it."""
    (tmp_path / "spec.yaml").write_text(
        "initcli: 1\nframework: torch\nseed: 5\ntensors:\n"
        "  params/kernel: {shape: [3, 8], init: normal}\n  params/bias: {shape: [8], init: ones}\n"
    )
    path = generate(tmp_path / "spec.yaml", tmp_path / "w.msgpack")
    module = linen.Dense(8)
    template = module.init(jax.random.key(0), np.zeros((1, 3), np.float32))

    variables = serialization.from_bytes(template, path.read_bytes())

    kernel = flax_msgpack.read_tensor(path, "params/kernel")
    np.testing.assert_array_equal(variables["params"]["kernel"], kernel)
    np.testing.assert_array_equal(module.apply(variables, np.zeros((1, 3), np.float32)), np.ones((1, 8)))


class Linen(linen.Module):
    """A convolution, a normalization with running statistics and a dense layer, in the names of linen."""

    @linen.compact
    def __call__(self, x):
        x = linen.BatchNorm(use_running_average=True)(linen.Conv(4, (3, 3))(x))
        return linen.Dense(5)(x)


class Nnx(nnx.Module):
    """The same layers as attributes."""

    def __init__(self):
        rngs = nnx.Rngs(0)
        self.conv = nnx.Conv(3, 4, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(4, use_running_average=True, rngs=rngs)
        self.out = nnx.Linear(4, 5, rngs=rngs)

    def __call__(self, x):
        return self.out(self.norm(self.conv(x)))


LAYERS = {
    "linen": [
        {"class": "Conv", "features": 4, "kernel_size": [3, 3]},
        {"class": "BatchNorm"},
        {"class": "Dense", "features": 5},
    ],
    "nnx": [
        {"class": "nnx.Conv", "name": "conv", "in_features": 3, "out_features": 4, "kernel_size": [3, 3]},
        {"class": "nnx.BatchNorm", "name": "norm", "num_features": 4},
        {"class": "nnx.Linear", "name": "out", "in_features": 4, "out_features": 5},
    ],
}
IMAGES = np.linspace(-1, 1, 2 * 8 * 8 * 3, dtype=np.float32).reshape(2, 8, 8, 3)

each_file = pytest.mark.parametrize(
    "suffix",
    [
        pytest.param(".msgpack", marks=pytest.mark.loads(how="serialization.msgpack_restore")),
        pytest.param(".safetensors", marks=pytest.mark.loads(file="safetensors", how="safetensors.flax.load_file")),
    ],
)


@pytest.fixture
def tree(generate, tmp_path):
    """A function: the tree of arrays that flax makes of a generated file, and the same as initcli reads it."""

    def make(kind, suffix):
        spec = {"framework": "jax", "seed": 3, "input_shape": [8, 8, 3], "layers": LAYERS[kind]}
        (tmp_path / "spec.json").write_text(json.dumps(spec))
        path = generate(tmp_path / "spec.json", tmp_path / f"w{suffix}")
        form = detect_format(path)
        names = [entry.name for entry in form.read_header(path).entries]
        if suffix == ".msgpack":
            loaded = serialization.msgpack_restore(path.read_bytes())
        else:
            loaded = traverse_util.unflatten_dict(safetensors.flax.load_file(path), sep="/")
        return loaded, dict(zip(names, form.read_tensors(path, names), strict=True))

    return make


def assert_computes(module, tree, ours):
    """The tree has the arrays that initcli reads, and what the module makes of images with it is finite."""
    assert flatten(tree).keys() == ours.keys()
    for name, leaf in flatten(tree).items():
        np.testing.assert_array_equal(np.asarray(leaf), ours[name], err_msg=name, strict=True)
    outputs = np.asarray(module(IMAGES))
    assert np.isfinite(outputs).all()
    assert outputs.std() > 0


@each_file
@pytest.mark.loads(what="linen.Module")
def test_a_linen_model_takes_the_file(tree, suffix):
    """The file's tree is that of `init`, and `apply` computes with it."""
    loaded, ours = tree("linen", suffix)
    fresh = jax.eval_shape(Linen().init, jax.random.key(0), IMAGES)

    restored = serialization.from_state_dict(fresh, loaded)

    assert jax.tree.map(np.shape, restored) == jax.tree.map(np.shape, fresh)
    assert_computes(lambda images: Linen().apply(restored, images), restored, ours)


@each_file
@pytest.mark.loads(what="nnx.Module")
def test_an_nnx_model_takes_the_file(tree, suffix):
    """The file's tree is that of `to_pure_dict`, and the module computes with it."""
    loaded, ours = tree("nnx", suffix)
    model = Nnx()
    state = nnx.state(model)
    assert jax.tree.map(np.shape, loaded) == jax.tree.map(np.shape, nnx.to_pure_dict(state))

    nnx.replace_by_pure_dict(state, loaded)
    nnx.update(model, state)

    assert_computes(model, nnx.to_pure_dict(nnx.state(model)), ours)
