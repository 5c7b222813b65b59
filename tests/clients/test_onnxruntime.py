"""onnxruntime runs the models: their outputs are the weights, mapped or read from the file beside them."""

from __future__ import annotations

import ctypes

import onnxruntime
import pytest

from initcli.dtypes import DTYPES
from initcli.formats.onnx_data import onnx as ours

FRAMEWORK = f"onnxruntime {onnxruntime.__version__}"

pytestmark = pytest.mark.loads(file="`.onnx`", how="InferenceSession")

LAYOUTS = {"scalar": [], "encoder.weight": [30, 7], "empty": [0, 2], "deep/er ü": [1, 2, 1, 3, 1, 2]}


def open_session(path):
    """The session of a model; what it warns of is an error here."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 2
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@pytest.mark.loads(what="every element type but complex64")
def test_a_session_returns_every_tensor_by_its_name(generate, tmp_path, capfd):
    """Types, shapes and bits are those that our own reader finds; complex numbers it has none."""
    lines = ["  large: {shape: [700, 600], init: normal}"]
    for dtype in DTYPES.values():
        init = "ones" if dtype.kind in ("bool", "int", "uint") else "normal"
        lines += [
            f'  "{dtype}.{name}": {{shape: {shape}, dtype: {dtype}, init: {init}}}'
            for name, shape in LAYOUTS.items()
            if dtype.kind != "complex"
        ]
    (tmp_path / "spec.yaml").write_text(
        "initcli: 1\nframework: torch\nseed: 5\ntensors:\n" + "\n".join(lines) + "\n", "utf-8"
    )
    path = generate(tmp_path / "spec.yaml", tmp_path / "w.onnx")

    session = open_session(path)
    names = [each.name for each in session.get_outputs()]
    outputs = session.run_with_ort_values(names, {})

    assert session.get_inputs() == []
    assert sorted(names) == [entry.name for entry in ours.read_header(path).entries]
    for name, value in zip(names, outputs, strict=True):
        array = ours.read_tensor(path, name)
        theirs = ctypes.string_at(value.data_ptr(), array.nbytes)  # `numpy()` knows no bfloat16
        assert (tuple(value.shape()), theirs) == (array.shape, array.tobytes())
        assert any(array.tobytes()) or not array.size
    assert capfd.readouterr().err == ""


@pytest.mark.loads(what="metadata")
def test_a_session_tells_the_metadata(generate, specs, tmp_path):
    """The scheme, whether the bits are portable, and the spec."""
    path = generate(specs / "mlp.yaml", tmp_path / "w.onnx")

    told = open_session(path).get_modelmeta()

    assert told.custom_metadata_map == ours.read_header(path).metadata
    assert told.producer_name == "initcli"
    assert told.custom_metadata_map["initcli.portable"] == "true"
