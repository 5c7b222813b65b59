"""flax.serialization restores the msgpack files, and writes the same bytes."""

from __future__ import annotations

import subprocess
import sys

import flax
import numpy as np
import pytest
from flax import linen, serialization

from initcli.dtypes import DTYPES
from initcli.formats import detect_format
from initcli.formats.flax_msgpack import flax_msgpack

FRAMEWORK = f"flax {flax.__version__}"
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


@pytest.mark.proves("flax.serialization.msgpack_restore of .msgpack")
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


@pytest.mark.proves("bytes of flax.serialization.msgpack_serialize")
def test_flax_writes_the_same_bytes(weights):
    """What it restores it serializes to the file that it read."""
    data = weights.read_bytes()

    assert serialization.msgpack_serialize(serialization.msgpack_restore(data)) == data


@pytest.mark.proves("flax.serialization.msgpack_restore of .msgpack")
def test_a_file_on_standard_output_is_the_file(weights, spec):
    """`--out -` pours the same bytes."""
    command = [sys.executable, "-m", "initcli", "generate", str(spec), "--out", "-", "--format", "msgpack"]

    done = subprocess.run([*command, "--quiet", "--jobs", "2"], capture_output=True, check=True)

    assert done.stdout == weights.read_bytes()


@pytest.mark.proves("flax.serialization.from_bytes of .msgpack")
def test_a_module_takes_the_file(generate, tmp_path):
    """`from_bytes` finds all that a linen module has, and the module computes with it."""
    import jax

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
