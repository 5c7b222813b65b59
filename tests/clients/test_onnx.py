"""The onnx package loads the models, its evaluator runs them, and its protobuf writes the same bytes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx.external_data_helper import set_external_data
from onnx.reference import ReferenceEvaluator

from initcli.dtypes import DTYPES
from initcli.formats.detection import detect_format
from initcli.formats.onnx_data import onnx as ours

FRAMEWORK = f"onnx {onnx.__version__}"

pytestmark = pytest.mark.loads(file="`.onnx`")

LAYOUTS = {"scalar": [], "encoder.weight": [30, 7], "empty": [0, 2], "deep/er ü": [1, 2, 1, 3, 1, 2]}
LARGE = [700, 600]


@pytest.fixture(scope="module")
def weights(generate, tmp_path_factory):
    """The model of a spec of every element type in several ranks, and of one tensor of more than a mebibyte."""
    folder = tmp_path_factory.mktemp("onnx")
    lines = [f"  large: {{shape: {LARGE}, init: normal}}"]
    for dtype in DTYPES.values():
        init = "ones" if dtype.kind in ("bool", "int", "uint") else "normal"
        if dtype.kind == "complex":
            init = "jax.normal"
        lines += [
            f'  "{dtype}.{name}": {{shape: {shape}, dtype: {dtype}, init: {init}}}' for name, shape in LAYOUTS.items()
        ]
    lines.append("  tied: {tie: large}")
    (folder / "spec.yaml").write_text(
        "initcli: 1\nframework: torch\nseed: 5\ntensors:\n" + "\n".join(lines) + "\n", "utf-8"
    )
    return generate(folder / "spec.yaml", folder / "model.onnx")


@pytest.mark.loads(how="checker.check_model", what="every element type")
def test_the_checker_finds_nothing(weights):
    """Its full check, by the path, so that the data is looked for; models of no floats of 8 bits are older ones."""
    onnx.checker.check_model(str(weights), full_check=True)

    assert detect_format(weights) is ours


@pytest.mark.loads(how="load, numpy_helper.to_array", what="every element type")
def test_every_element_type_is_loaded_to_the_bit(weights):
    """Names in the spec's order, without the tie; shapes, types and bits are those that our own reader finds."""
    loaded = onnx.load(str(weights))
    arrays = {each.name: numpy_helper.to_array(each) for each in loaded.graph.initializer}

    assert list(arrays) == ["large", *(f"{dtype}.{name}" for dtype in DTYPES for name in LAYOUTS)]
    assert sorted(arrays) == [entry.name for entry in ours.read_header(weights).entries]
    for name, theirs in arrays.items():
        array = ours.read_tensor(weights, name)
        assert (theirs.dtype, theirs.shape, theirs.tobytes()) == (array.dtype, array.shape, array.tobytes())
        assert any(array.tobytes()) or not array.size
    assert {each.key: each.value for each in loaded.metadata_props} == ours.read_header(weights).metadata


@pytest.mark.loads(how="reference.ReferenceEvaluator", what="every element type")
def test_the_evaluator_returns_every_tensor_by_its_name(weights):
    """The graph has no inputs and no nodes, and its outputs are the weights."""
    session = ReferenceEvaluator(str(weights))

    outputs = dict(zip(session.output_names, session.run(None, {}), strict=True))

    assert session.input_names == []
    assert outputs.keys() == {entry.name for entry in ours.read_header(weights).entries}
    for name, array in outputs.items():
        assert np.asarray(array).tobytes() == ours.read_tensor(weights, name).tobytes()


@pytest.mark.loads(how="helper.make_model", what="writes the same bytes")
def test_the_package_writes_the_same_bytes(weights):
    """A model that is made with onnx.helper, and what is parsed of ours, are serialized to our bytes."""
    data, header = weights.read_bytes(), ours.read_header(weights)
    parsed = onnx.ModelProto.FromString(data)
    tensors, outputs = [], []
    for each in parsed.graph.initializer:
        array = ours.read_tensor(weights, each.name)
        code = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensors.append(onnx.TensorProto(name=each.name, dims=array.shape, data_type=code))
        if array.size:
            tensors[-1].raw_data = array.tobytes()
            offset = next(int(pair.value) for pair in each.external_data if pair.key == "offset")
            set_external_data(tensors[-1], "model.onnx.data", offset, array.nbytes)
            tensors[-1].ClearField("raw_data")
        outputs.append(helper.make_tensor_value_info(each.name, code, array.shape))
    graph = helper.make_graph([], "initcli", [], outputs, tensors)
    operators = [helper.make_opsetid("", 19)]
    made = helper.make_model(graph, producer_name="initcli", ir_version=9, opset_imports=operators)
    for key in ("initcli.scheme", "initcli.portable", "initcli.spec"):
        made.metadata_props.add(key=key, value=header.metadata[key])

    assert made.SerializeToString(deterministic=True) == data
    assert parsed.SerializeToString(deterministic=True) == data


def make_net():
    """A model that some program has made: two layers, whose weights are initializers of its own in raw bytes."""
    zeros = {"fc1.weight": (16, 4), "fc1.bias": (16,), "fc2.weight": (3, 16), "fc2.bias": (3,)}
    nodes = [
        helper.make_node("Gemm", ["x", "fc1.weight", "fc1.bias"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "fc2.weight", "fc2.bias"], ["y"], transB=1),
    ]
    ends = [helper.make_tensor_value_info(name, 1, ["batch", size]) for name, size in (("x", 4), ("y", 3))]
    tensors = [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in zeros.items()]
    return helper.make_model(helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors))


SPEC = """\
initcli: 1
framework: torch
seed: 5
tensors:
  fc1.weight: {shape: [16, 4], init: normal}
  fc1.bias: {shape: [16], init: normal}
  fc2.weight: {shape: [3, 16], init: normal}
  fc2.bias: {shape: [3], init: normal}
"""


@pytest.mark.loads(how="reference.ReferenceEvaluator", what="Gemm, Relu, Gemm")
def test_a_graph_of_ones_own_takes_the_weights_by_name(generate, tmp_path):
    """Six lines copy where the data is, not the data; the net computes what NumPy computes."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    onnx.save(make_net(), str(tmp_path / "net.onnx"))
    path = generate(tmp_path / "spec.yaml", tmp_path / "weights.onnx")

    net = onnx.load(str(tmp_path / "net.onnx"))
    weights = onnx.load(str(path), load_external_data=False)
    by_name = {tensor.name: tensor for tensor in weights.graph.initializer}
    for tensor in net.graph.initializer:
        tensor.CopyFrom(by_name[tensor.name])
    onnx.save(net, str(tmp_path / "net.onnx"))

    onnx.checker.check_model(str(tmp_path / "net.onnx"), full_check=True)
    x = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    (y,) = ReferenceEvaluator(str(tmp_path / "net.onnx")).run(None, {"x": x})
    w1, b1, w2, b2 = ours.read_tensors(path, list(by_name))
    wanted = np.maximum(x.astype(float) @ w1.T + b1, 0) @ w2.T + b2
    scale = np.maximum(np.abs(x) @ np.abs(w1).T + np.abs(b1), 0) @ np.abs(w2).T + np.abs(b2)
    assert np.all(np.abs(y - wanted) <= (4 + 16 + 4) * np.finfo(np.float32).eps * scale)
    assert np.abs(y).min() > 0


def draw(dtype, shape):
    """Numbers of either sign, if the type has them, each of some bits."""
    drawn = np.random.default_rng(1).integers(0 if dtype.kind in ("bool", "uint") else -50, 50, shape)
    if dtype.kind == "bool":
        return drawn > 25
    return (drawn / {"float": 8, "complex": 8j + 16}.get(dtype.kind, 1)).astype(dtype.numpy)


@pytest.mark.loads(how="save", what="models of its own, read by initcli")
@pytest.mark.parametrize("how", ["typed", "raw", "one file", "files"])
def test_models_of_the_package_are_read_to_the_bit(how, tmp_path):
    """Values in the fields of their types, in raw bytes, and beside the model in one file or in many."""
    shapes = [(), (3, 5), (0, 2), (300,)]
    arrays = {f"{dtype}{shape}": draw(dtype, shape) for dtype in DTYPES.values() for shape in shapes}
    tensors = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    if how == "typed":
        codes = [each.data_type for each in tensors]
        tensors = [
            helper.make_tensor(name, code, array.shape, array.reshape(-1))
            for code, (name, array) in zip(codes, arrays.items(), strict=True)
        ]
    made = helper.make_model(helper.make_graph([], "net", [], [], tensors))
    path = tmp_path / "theirs.onnx"
    onnx.save(
        made,
        str(path),
        save_as_external_data=how in ("one file", "files"),
        all_tensors_to_one_file=how == "one file",
        size_threshold=200,
    )

    files = len(list(tmp_path.iterdir()))
    assert (files > 10) if how == "files" else files == 1 + (how == "one file")
    assert detect_format(path) is ours
    assert [entry.name for entry in ours.read_header(path).entries] == sorted(arrays)
    for wanted, read in zip(arrays.values(), ours.read_tensors(path, list(arrays)), strict=True):
        assert (read.dtype, read.shape, read.tobytes()) == (wanted.dtype, wanted.shape, wanted.tobytes())
