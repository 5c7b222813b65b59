"""The gguf package of llama.cpp reads the files, and writes the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import gguf
import numpy as np
import pytest

from initcli.formats.detection import detect_format
from initcli.formats.gguf import gguf as ours

FRAMEWORK = f"gguf {version('gguf')}"

pytestmark = pytest.mark.loads(file="`.gguf`")

DTYPES = ["float32", "float16", "bfloat16", "float64", "int8", "int16", "int32", "int64"]
LAYOUTS = {"scalar": [], "vector": [7], "attn_q.weight": [30, 7], "deep ü": [2, 1, 3, 5]}
NAMES = [f"{name}.{dtype}" for dtype in DTYPES for name in LAYOUTS if (name, dtype) != ("scalar", "bfloat16")]
KEYS = {
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "tokenizer.ggml.tokens": ["<s>", "ü"],
    "tokenizer.ggml.token_type": [3, 1],
    "tokenizer.ggml.add_bos_token": True,
}


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """A spec of every element type in every rank that GGUF has."""
    path = tmp_path_factory.mktemp("spec") / "spec.yaml"
    lines = []
    for full in NAMES:
        name, dtype = full.rsplit(".", 1)
        init = "ones" if "int" in dtype else "normal"
        lines.append(f'  "{full}": {{shape: {LAYOUTS[name]}, dtype: {dtype}, init: {init}}}')
    head = f"initcli: 1\nframework: torch\nseed: 5\nconfig: {{gguf: {json.dumps(KEYS, ensure_ascii=False)}}}\n"
    path.write_text(head + "tensors:\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def weights(generate, spec, tmp_path_factory):
    """The file of the spec."""
    return generate(spec, tmp_path_factory.mktemp("gguf") / "w.gguf")


@pytest.mark.loads(how="GGUFReader", what="every element type")
def test_the_package_reads_every_tensor_to_the_bit(weights):
    """Names in the spec's order, shapes, ggml's types, and bits; nothing is left over."""
    reader = gguf.GGUFReader(weights)

    assert detect_format(weights) is ours
    assert [each.name for each in reader.tensors] == NAMES
    for tensor in reader.tensors:
        name, dtype = tensor.name.rsplit(".", 1)
        array = ours.read_tensor(weights, tensor.name)
        assert tensor.shape.tolist() == LAYOUTS[name][::-1]
        assert tensor.tensor_type.name == {"float": "F", "bfloat": "BF", "int": "I"}[dtype.rstrip("0123456789")] + (
            dtype.lstrip("bfloatin")
        )
        assert tensor.data_offset % 32 == 0
        assert tensor.data.tobytes() == array.tobytes()
        assert any(array.tobytes())
    assert {key: reader.fields[key].contents() for key in KEYS if "epsilon" not in key} == {
        key: value for key, value in KEYS.items() if "epsilon" not in key
    }
    epsilon = reader.fields["llama.attention.layer_norm_rms_epsilon"].contents()
    assert epsilon == float(np.float32(1e-5))


@pytest.mark.loads(how="GGUFWriter", what="writes the same bytes")
def test_the_package_writes_the_same_bytes(weights, tmp_path):
    """The same keys and tensors through `GGUFWriter`."""
    writer = gguf.GGUFWriter(tmp_path / "theirs.gguf", KEYS["general.architecture"])
    writer.add_uint32("llama.block_count", 2)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_array("tokenizer.ggml.tokens", KEYS["tokenizer.ggml.tokens"])
    writer.add_array("tokenizer.ggml.token_type", [3, 1])
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    metadata = ours.read_header(weights).metadata
    for key in ("initcli.scheme", "initcli.portable", "initcli.spec"):
        writer.add_string(key, metadata[key])
    for name in NAMES:
        array = ours.read_tensor(weights, name)
        if name.endswith("bfloat16"):
            shape, array = array.shape, np.ascontiguousarray(array).view(np.uint16)
            writer.add_tensor_info(name, shape, array.dtype, array.nbytes, gguf.GGMLQuantizationType.BF16)
            writer.tensors[-1][name].tensor = array
        else:
            writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    assert (tmp_path / "theirs.gguf").read_bytes() == weights.read_bytes()


@pytest.mark.loads(how="GGUFReader", what="standard output")
def test_a_file_on_standard_output_is_the_file(weights, spec):
    """`--out -` pours the same bytes, the zeros behind the last tensor too."""
    command = [sys.executable, "-m", "initcli", "generate", str(spec), "--out", "-", "--format", "gguf"]

    done = subprocess.run([*command, "--quiet", "--jobs", "2"], capture_output=True, check=True)

    assert done.stdout == weights.read_bytes()
