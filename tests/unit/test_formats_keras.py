"""Keras's own files, as h5py and zipfile read them: where weights stand, and what is refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from initcli.engine import check_format, generate_file
from initcli.errors import InitcliError
from initcli.formats.detection import detect_format
from initcli.formats.hdf5 import hdf5
from initcli.formats.hdf5_reading import NAMES_KEY
from initcli.formats.keras_archive import KerasArchive, keras_archive
from initcli.formats.keras_weights import keras_legacy, keras_weights
from initcli.plan import Plan
from initcli.resolution import load_plan

CONFIG = {"class_name": "Sequential", "config": {"layers": []}}


def plan_of(layers: list[object], shape: tuple[int, ...] = (8,), **others: object) -> Plan:
    spec = {"framework": "keras", "input_shape": shape, "layers": layers, **others}
    return load_plan(json.dumps(spec).encode(), "spec.json")


def places(layers: list[object], shape: tuple[int, ...] = (8,)) -> dict[str, tuple[str, ...]]:
    """The paths of each tensor."""
    return {tensor.name: tensor.stored.paths for tensor in plan_of(layers, shape).tensors if tensor.stored}


def dense(units: int = 4, **others: object) -> dict[str, object]:
    return {"class": "Dense", "units": units, "use_bias": False, **others}


def test_layers_are_counted_by_their_classes_and_not_by_their_names():
    """Those without weights count among their own, and a name given by the user does not appear."""
    layers = [dense(), {"class": "Dropout", "rate": 0.1}, dense(name="logits"), {"class": "ReLU"}, dense()]

    assert places(layers) == {
        "dense/kernel": ("layers/dense/vars/0",),
        "logits/kernel": ("layers/dense_1/vars/0",),
        "dense_1/kernel": ("layers/dense_2/vars/0",),
    }


def test_each_object_numbers_its_own_variables():
    """Attributes lead to the object that holds them; cells of a list are counted by their classes."""
    lstm = {"class": "LSTM", "units": 2, "return_sequences": True}
    cell = {"class": "LSTMCell", "units": 2}
    layers = [
        {"class": "Bidirectional", "layer": lstm},
        {"class": "TimeDistributed", "layer": dense()},
        {"class": "MultiHeadAttention", "num_heads": 1, "key_dim": 4, "use_bias": False, "use_gate": True},
        {"class": "RNN", "cell": [cell, cell]},
    ]

    found = {path.rpartition("/")[0]: path[-1] for (path,) in places(layers, (3, 8)).values()}

    assert found == {
        "layers/bidirectional/forward_layer/cell/vars": "2",
        "layers/bidirectional/backward_layer/cell/vars": "2",
        "layers/time_distributed/layer/vars": "0",
        "layers/multi_head_attention/query_dense/vars": "0",
        "layers/multi_head_attention/key_dense/vars": "0",
        "layers/multi_head_attention/_gate_dense/vars": "0",
        "layers/multi_head_attention/value_dense/vars": "0",
        "layers/multi_head_attention/output_dense/vars": "0",
        "layers/rnn/cell/cells/lstm_cell/vars": "2",
        "layers/rnn/cell/cells/lstm_cell_1/vars": "2",
    }


def test_a_block_with_names_is_a_model_within_the_model():
    """One that is all there is, is the model itself; one without names is none."""
    block = {"prefix": "b{i:0..1}", "layers": [dense(name="d")]}
    whole = {"prefix": "model", "layers": [dense(name="first"), {"layers": [dense(name="second")]}, block]}

    assert [path for (path,) in places([whole]).values()] == [
        "layers/dense/vars/0",
        "layers/dense_1/vars/0",
        "layers/sequential/layers/dense/vars/0",
        "layers/sequential_1/layers/dense/vars/0",
    ]
    assert [path for (path,) in places([{"repeat": 1, "layers": [dense(name="d")]}]).values()] == [
        "layers/sequential/layers/dense/vars/0"
    ]


def test_a_weight_of_two_objects_is_stored_once(tmp_path: Path):
    """The kernel of a spectral normalization is also that of the layer inside."""
    plan = plan_of([{"class": "SpectralNormalization", "layer": dense()}])
    generate_file(plan, keras_weights, tmp_path / "m.weights.h5")

    with h5py.File(tmp_path / "m.weights.h5") as file:
        layer = file["layers/spectral_normalization"]
        assert layer["vars/0"] == layer["layer/vars/0"]
        assert list(layer["vars"]) == ["0", "1"]
    header = keras_weights.read_header(tmp_path / "m.weights.h5")
    assert {entry.name for entry in header.entries} == {tensor.name for tensor in plan.tensors}
    for tensor in plan.tensors:
        assert keras_weights.read_tensor(tmp_path / "m.weights.h5", tensor.name).shape == tensor.shape


def test_the_file_has_what_keras_asks_for_and_gives_the_names_back(tmp_path: Path):
    """Keras up to 3.5 wants a group `vars` at the root; ours are the attributes."""
    plan = plan_of([dense()])
    generate_file(plan, keras_weights, tmp_path / "m.weights.h5")

    with h5py.File(tmp_path / "m.weights.h5") as file:
        assert sorted(file) == ["layers", "vars"]
        assert json.loads(file.attrs[NAMES_KEY]) == {"layers/dense/vars/0": "dense/kernel"}
    header = detect_format(tmp_path / "m.weights.h5").read_header(tmp_path / "m.weights.h5")
    assert [entry.name for entry in header.entries] == ["dense/kernel"]
    assert sorted(header.metadata) == ["initcli.portable", "initcli.scheme", "initcli.spec"]


def test_the_older_file_lists_layers_and_their_weights(tmp_path: Path):
    """In the model's order, with the version that keeps Keras 2 from turning kernels round."""
    layers = [{"class": "Dense", "units": 2}, {"class": "ReLU"}, {"class": "BatchNormalization", "name": "a"}]
    generate_file(plan_of(layers), keras_legacy, tmp_path / "m.h5")

    with h5py.File(tmp_path / "m.h5") as file:
        assert file.attrs["layer_names"].tolist() == [b"dense", b"a"]
        assert file["dense"].attrs["weight_names"].tolist() == [b"dense/kernel", b"dense/bias"]
        assert file["a"].attrs["weight_names"][2:].tolist() == [b"a/moving_mean", b"a/moving_variance"]
        assert file["dense/dense/kernel"].shape == (8, 2)
        assert file.attrs["keras_version"].startswith(b"3.")


def test_a_list_of_names_that_is_too_long_is_cut(tmp_path: Path):
    """Into attributes of at most 64,512 bytes, as Keras cuts it."""
    names = [f"{'x' * 300}{number:03}" for number in range(500)]
    generate_file(plan_of([dense(1, name=name) for name in names]), keras_legacy, tmp_path / "m.h5")

    with h5py.File(tmp_path / "m.h5") as file:
        parts = [file.attrs[f"layer_names{number}"] for number in range(3)]
        assert "layer_names" not in file.attrs
    assert max(part.nbytes for part in parts) <= 64512
    assert [name.decode() for part in parts for name in part] == names


@pytest.mark.parametrize("form", [keras_weights, keras_legacy, KerasArchive(b"{}")])
def test_a_spec_without_layers_of_keras_is_refused_once(form):
    """By the first tensor, with the way out."""
    tensors = {"a": {"shape": [2], "init": "zeros"}, "b": {"shape": [2], "init": "zeros"}}
    plan = load_plan(json.dumps({"tensors": tensors}).encode(), "spec.json")

    with pytest.raises(InitcliError, match="this spec has no layers of Keras") as error:
        check_format(plan, form)

    (fault,) = error.value.faults
    assert "`layers:`" in fault.hint


@pytest.mark.parametrize(
    ("form", "layers", "others", "what"),
    [
        (keras_weights, [dense(lora_rank=2)], {}, "`dense/lora_kernel_a` has no place in Keras's files"),
        (keras_weights, [dense()], {"dtype": "float8_e4m3fn"}, "is float8_e4m3fn, which Keras does not read"),
        (keras_weights, [dense()], {"tensors": {"x": {"shape": [1], "init": "zeros"}}}, "`x` has no place"),
        (keras_legacy, [dense()], {"dtype": "bfloat16"}, "is bfloat16, which Keras's old `.h5` cannot hold"),
        (keras_legacy, [dense(), {"prefix": "b", "layers": [dense()]}], {}, "`b/dense/kernel` is a weight of a model"),
        (keras_legacy, [{"class": "SpectralNormalization", "layer": dense()}], {}, "or layer within another"),
    ],
)
def test_what_keras_would_not_find_is_refused(form, layers, others, what):
    """With the tensor's name."""
    with pytest.raises(InitcliError) as error:
        check_format(plan_of(layers, **others), form)

    assert what in error.value.faults[0].what


def test_the_weights_of_torch_layers_have_no_place_in_a_file_of_keras():
    """Another framework's layers are known by no class of Keras."""
    spec = {"framework": "torch", "layers": [{"class": "Linear", "in_features": 2, "out_features": 2}]}

    with pytest.raises(InitcliError, match="no layers of Keras"):
        check_format(load_plan(json.dumps(spec).encode(), "spec.json"), keras_weights)


@pytest.mark.parametrize(
    ("config", "what"),
    [(None, "holds the config of the model, and there is none"), (b'{"layers": []}', "is none of a Keras model")],
)
def test_a_whole_model_needs_its_config(config, what):
    """As `model.to_json()` gives it."""
    with pytest.raises(InitcliError, match=what) as error:
        check_format(plan_of([dense()]), KerasArchive(config))

    assert "`model.to_json()`" in error.value.faults[0].hint


@pytest.mark.parametrize("units", [4, 0, 300_000])
def test_a_whole_model_is_a_zip_without_a_flaw(tmp_path: Path, units: int):
    """Right checksums, stored members, and in it the same bytes as in the file of the weights alone."""
    layers = [dense(max(units, 1)), {"class": "LayerNormalization", "center": False, "scale": bool(units)}]
    plan = plan_of(layers)
    generate_file(plan, KerasArchive(json.dumps(CONFIG).encode()), tmp_path / "m.keras", jobs=2)
    generate_file(plan, keras_weights, tmp_path / "m.weights.h5")

    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}
        assert json.loads(archive.read("config.json")) == CONFIG
        assert archive.read("model.weights.h5") == (tmp_path / "m.weights.h5").read_bytes()
    assert detect_format(tmp_path / "m.keras") is keras_archive
    header = keras_archive.read_header(tmp_path / "m.keras")
    assert header == keras_weights.read_header(tmp_path / "m.weights.h5")
    names = [entry.name for entry in header.entries]
    for name, ours in zip(names, keras_archive.read_tensors(tmp_path / "m.keras", names), strict=True):
        np.testing.assert_array_equal(ours, hdf5.read_tensor(tmp_path / "m.weights.h5", name))
    ours, theirs = (
        list(form.read_chunks(tmp_path / file, names))
        for form, file in ((keras_archive, "m.keras"), (keras_weights, "m.weights.h5"))
    )
    assert [(each.name, each.start, each.values.tobytes()) for each in ours] == [
        (each.name, each.start, each.values.tobytes()) for each in theirs
    ]


def test_a_model_whose_weights_were_changed_is_told(tmp_path: Path):
    """One bit of a tensor is enough, and the names are still told."""
    path = tmp_path / "m.keras"
    generate_file(plan_of([dense()]), KerasArchive(json.dumps(CONFIG).encode()), path)
    data = bytearray(path.read_bytes())
    start = data.index(keras_archive.read_tensor(path, "dense/kernel").tobytes())
    data[start] ^= 1
    path.write_bytes(data)

    assert [entry.name for entry in keras_archive.read_header(path).entries] == ["dense/kernel"]
    with pytest.raises(InitcliError, match="bad CRC-32"):
        keras_archive.read_tensor(path, "dense/kernel")


def write_names(path: Path, text: str) -> None:
    """A foreign file of two datasets, with this text for their names."""
    with h5py.File(path, "w") as file:
        file["v"], file["w"] = [1.0], [2.0]
        file.attrs.create(NAMES_KEY, text, dtype=h5py.string_dtype())


@pytest.mark.parametrize("text", ["[" * 100_000, "[1]", '{"w": 1}', "", '{"no": "x"}'])
def test_names_that_make_no_sense_are_passed_over(tmp_path: Path, text: str):
    """The datasets keep their own."""
    write_names(tmp_path / "a.h5", text)

    assert [entry.name for entry in hdf5.read_header(tmp_path / "a.h5").entries] == ["v", "w"]


@pytest.mark.parametrize(
    ("text", "what"), [("{", "cannot be read"), ('{"w": "x", "v": "x"}', "gives two datasets one name")]
)
def test_names_that_mislead_are_one_fault(tmp_path: Path, text: str, what: str):
    """Neither of two tensors may hide the other."""
    write_names(tmp_path / "a.h5", text)

    with pytest.raises(InitcliError, match=what):
        hdf5.read_header(tmp_path / "a.h5")


@pytest.mark.parametrize("member", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n" + bytes(90)])
def test_a_model_with_foreign_weights_is_one_fault(tmp_path: Path, member: bytes):
    """Whatever the library says of the bytes."""
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("model.weights.h5", member)

    with pytest.raises(InitcliError, match="cannot be read as a Keras model"):
        detect_format(tmp_path / "m.keras").read_header(tmp_path / "m.keras")


def test_another_framework_is_spared_the_places():
    """No tensor of torch has one."""
    spec = {"framework": "torch", "layers": [{"class": "Linear", "in_features": 2, "out_features": 2}]}

    assert {tensor.stored for tensor in load_plan(json.dumps(spec).encode(), "spec.json").tensors} == {None}
