"""Keras reads its own kinds of files: what initcli wrote is in each variable of the model, to the bit."""

from __future__ import annotations

import json
import warnings
import zipfile
from importlib.metadata import version

import h5py
import keras
import ml_dtypes
import numpy as np
import pytest
from keras import layers
from keras_layer_cases import CASES, CHAINS

from initcli.engine import generate_file
from initcli.formats.detection import detect_format
from initcli.formats.keras_archive import KerasArchive, keras_archive
from initcli.formats.listing import choose_format
from initcli.formats.model_config import render_config
from initcli.layers import find_layer
from initcli.resolution import load_plan

FRAMEWORK = f"keras {keras.__version__}, jax {version('jax')}"
RELEASE = tuple(int(number) for number in keras.__version__.split(".")[:2])
NEWEST = (3, 15)


LSTM = [
    ("Embedding", {"input_dim": 50, "output_dim": 8}),
    ("LSTM", {"units": 6, "return_sequences": True}),
    ("LSTM", {"units": 5}),
    ("Dense", {"units": 3, "name": "logits"}),
]
RECURRENT = [
    ("Embedding", {"input_dim": 50, "output_dim": 8}),
    ("Bidirectional", {"layer": {"class": "LSTM", "units": 6, "return_sequences": True}}),
    ("LSTM", {"units": 5, "return_sequences": True}),
    ("Dropout", {"rate": 0.1}),
    ("Bidirectional", {"layer": {"class": "GRU", "units": 4}}),
    ("Dense", {"units": 3, "name": "logits"}),
]
TRANSFORMER = [
    ("Embedding", {"input_dim": 50, "output_dim": 16}),
    ("LayerNormalization", {"name": "before"}),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 8}),
    ("LayerNormalization", {}),
    ("Dense", {"units": 64, "activation": "gelu"}),
    ("Dense", {"units": 16}),
    ("GroupQueryAttention", {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2}),
    ("BatchNormalization", {}),
]
MODELS = {
    "CNN": ([28, 28, 1], list(CHAINS[0][1:])),
    "LSTM": ([9], LSTM),
    "bidirectional LSTM and GRU": ([9], RECURRENT),
    "transformer block": ([9], TRANSFORMER),
}
# Keras 3.0 does not load what it saved itself of a Bidirectional layer whose model it has to make.
WHOLE = [name for name in MODELS if RELEASE > (3, 0) or "bidirectional" not in name]


def each(names):
    """Models as parameters."""
    return pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.loads(what=name)) for name in names])


@pytest.fixture(autouse=True)
def fresh_names():
    """The automatic names of a first model."""
    keras.backend.clear_session()


def load(entries, shape, **others):
    """The plan of layers, each a class and its arguments."""
    written = [{"class": name, **parameters} for name, parameters in entries]
    spec = {"framework": "keras", "seed": 42, "input_shape": shape, "layers": written, **others}
    return load_plan(json.dumps(spec).encode(), "spec.json")


def write(plan, path, name=None):
    """The file of a plan; returned are the values by name, as initcli itself reads them."""
    generate_file(plan, choose_format(str(path), name, len(plan.tensors)), path)
    names = [tensor.name for tensor in plan.tensors]
    return dict(zip(names, detect_format(path).read_tensors(path, names), strict=True))


def layer_of(name, parameters):
    """A layer of Keras; those among its arguments are mappings with their class."""
    given = {key: _inside(value) for key, value in parameters.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return getattr(layers, name)(**given)


def _inside(value):
    if isinstance(value, dict):
        return layer_of(value["class"], {key: each for key, each in value.items() if key != "class"})
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_inside(each) for each in value]
    return value


def distinct(cases):
    """Yield the first case of each class and list of weights, but for cells, which are no model's layers.

    Nor are those with LoRA, whose matrices Keras's files do not keep. An older release has fewer layers and arguments.
    """
    seen = set()
    for name, parameters, shape in cases:
        if name.endswith(("Cell", "Cells", "InputLayer")) or "lora_rank" in json.dumps(parameters):
            continue
        built = find_layer("keras", name).build(parameters, shape)
        key = name, *((each.name, each.holders) for each in built.weights)
        if built.weights and key not in seen and (RELEASE >= NEWEST or is_known(name, parameters)):
            seen.add(key)
            yield name, parameters, shape


def is_known(name, parameters):
    """Whether this release has the layer and the arguments."""
    try:
        layer_of(name, parameters)
    except (AttributeError, ValueError) as error:
        if "has no attribute" in str(error) or "Unrecognized keyword arguments" in str(error):
            return False
        raise
    return True


def model_of(entries, shape, dtype="float32"):
    """A functional model of the layers one behind the other; what has several inputs has the same for each."""
    inputs = outputs = keras.Input(shape)
    for name, parameters in entries:
        layer = layer_of(name, {"dtype": dtype, **parameters})
        if name in ("MultiHeadAttention", "GroupQueryAttention"):
            outputs = layer(outputs, outputs)
        elif name in ("Attention", "AdditiveAttention"):
            outputs = layer([outputs, outputs])
        else:
            outputs = layer(outputs)
    return keras.Model(inputs, outputs)


def check_equal(model, values):
    """Every variable is what the file has under its path, and there is nothing else in it."""
    found = {weight.path: np.asarray(weight) for weight in model.weights}
    assert found.keys() == values.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name, strict=True)


@pytest.mark.loads(file="`.weights.h5`", how="load_weights", what="every layer")
@pytest.mark.parametrize(("name", "parameters", "shape"), [*distinct(CASES)])
def test_every_layer_finds_its_weights(tmp_path, name, parameters, shape):
    """Wrappers, cells and attention too; Keras's own file of the same model has the same datasets."""
    plan = load([(name, parameters)], shape)
    model = model_of([(name, parameters)], shape)

    values = write(plan, tmp_path / "ours.weights.h5")
    model.load_weights(tmp_path / "ours.weights.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy, for how Keras takes arrays from JAX
        model.save_weights(tmp_path / "theirs.weights.h5")

    check_equal(model, values)
    assert datasets(tmp_path / "ours.weights.h5") == datasets(tmp_path / "theirs.weights.h5")


def datasets(path):
    """The shapes and types of a file's datasets, by their paths."""
    found = {}
    with h5py.File(path, "r") as file:
        file.visititems_links(lambda name, _: found.update({name: file[name]} if is_dataset(file[name]) else {}))
        return {name: (dataset.shape, dataset.dtype) for name, dataset in found.items()}


def is_dataset(thing):
    return isinstance(thing, h5py.Dataset)


@pytest.mark.loads(file="`.weights.h5`", how="load_weights")
@each(MODELS)
def test_a_model_finds_its_weights(tmp_path, name):
    """Layers of one class are told apart by their order, and those without weights do not disturb it."""
    shape, entries = MODELS[name]
    model = model_of(entries, shape)

    values = write(load(entries, shape), tmp_path / "m.weights.h5")
    model.load_weights(tmp_path / "m.weights.h5")

    check_equal(model, values)


@pytest.mark.loads(file="`.weights.h5`", how="load_weights", what="Sequential in Sequential")
def test_models_within_a_sequential_model_find_their_weights(tmp_path):
    """A block with a prefix is a Sequential inside; one that is all there is, is the model itself."""
    block = [{"class": "Dense", "name": "a", "units": 4}, {"class": "BatchNormalization", "name": "n"}]
    others = [{"class": "Dense", "name": "first", "units": 5}, {"prefix": "block{i:1..2}", "layers": block}]
    spec = {"framework": "keras", "input_shape": [6], "layers": [{"prefix": "whole", "layers": others}]}
    inner = [
        keras.Sequential([layers.Dense(4, name="a"), layers.BatchNormalization(name="n")], name=name)
        for name in ("block1", "block2")
    ]
    model = keras.Sequential([keras.Input((6,)), layers.Dense(5, name="first"), *inner], name="whole")

    values = write(load_plan(json.dumps(spec).encode(), "spec.json"), tmp_path / "m.weights.h5")
    model.load_weights(tmp_path / "m.weights.h5")

    check_equal(model, values)


@pytest.mark.loads(file="`.weights.h5`", how="load_weights", what="bfloat16")
def test_a_model_in_bfloat16_finds_its_weights(tmp_path):
    """As Keras stores them itself."""
    entries = [("Dense", {"units": 4}), ("Dense", {"units": 3})]
    model = model_of(entries, [6], "bfloat16")

    values = write(load(entries, [6], dtype="bfloat16"), tmp_path / "m.weights.h5")
    model.load_weights(tmp_path / "m.weights.h5")

    check_equal(model, values)
    assert {value.dtype for value in values.values()} == {np.dtype(ml_dtypes.bfloat16)}


@pytest.mark.parametrize(
    "by_name",
    [
        pytest.param(False, marks=pytest.mark.loads(how="load_weights")),
        pytest.param(True, marks=pytest.mark.loads(how="load_weights(by_name=True)")),
    ],
)
@pytest.mark.loads(file="legacy `.h5`")
@each(MODELS)
def test_a_model_finds_its_weights_in_the_older_file(tmp_path, name, by_name):
    """By order and by name."""
    shape, entries = MODELS[name]
    model = model_of(entries, shape)

    values = write(load(entries, shape), tmp_path / "m.h5", "keras-legacy-h5")
    model.load_weights(tmp_path / "m.h5", by_name=by_name)

    check_equal(model, values)


@pytest.mark.loads(file="legacy `.h5`", how="load_weights(by_name=True)", what="long names")
def test_names_too_long_for_one_attribute_are_found(tmp_path):
    """Keras cuts such lists too, and puts them together."""
    entries = [("Dense", {"units": 1, "name": f"{'long' * 100}{number}"}) for number in range(200)]
    model = model_of(entries, [1])

    values = write(load(entries, [1]), tmp_path / "m.h5", "keras-legacy-h5")
    model.load_weights(tmp_path / "m.h5", by_name=True)

    with h5py.File(tmp_path / "m.h5", "r") as file:
        assert {"layer_names0", "layer_names1"} <= file.attrs.keys()
    check_equal(model, values)


@pytest.mark.loads(file="`.keras`", how="load_model")
@each(WHOLE)
def test_a_whole_model_is_loaded(tmp_path, name):
    """Its layers come from the config, and its weights are ours; the weights' checksum is right."""
    shape, entries = MODELS[name]
    config = json.loads(model_of(entries, shape).to_json())
    plan = load(entries, shape, config=config)

    generate_file(plan, KerasArchive(render_config(plan.config)), tmp_path / "m.keras")
    keras.backend.clear_session()
    model = keras.models.load_model(tmp_path / "m.keras")

    names = [tensor.name for tensor in plan.tensors]
    for weight, name, value in zip(
        model.weights, names, keras_archive.read_tensors(tmp_path / "m.keras", names), strict=True
    ):
        assert name.endswith(weight.path)  # a wrapper that is made from a config leaves its own name out
        np.testing.assert_array_equal(np.asarray(weight), value, err_msg=name, strict=True)
    assert zipfile.ZipFile(tmp_path / "m.keras").testzip() is None
    assert detect_format(tmp_path / "m.keras") is keras_archive


@pytest.mark.loads(file="`.keras`", how="save", what="read back by initcli")
def test_what_keras_saves_is_read(tmp_path):
    """Its tensors are called by their paths in the file."""
    model = model_of([("Dense", {"units": 4})], [6])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy, for how Keras takes arrays from JAX
        model.save(tmp_path / "m.keras")

    form = detect_format(tmp_path / "m.keras")

    assert [entry.name for entry in form.read_header(tmp_path / "m.keras").entries] == [
        "layers/dense/vars/0",
        "layers/dense/vars/1",
    ]
    kernel = form.read_tensor(tmp_path / "m.keras", "layers/dense/vars/0")
    np.testing.assert_array_equal(kernel, np.asarray(model.weights[0]))
