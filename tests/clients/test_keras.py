"""Keras itself says what the names and shapes of its models are, and reads the files."""

from __future__ import annotations

import json
import math
from fnmatch import fnmatchcase

import h5py
import keras
import ml_dtypes
import numpy as np
import pytest
import yaml
from keras.src.saving.saving_lib import H5IOStore

from initcli.initializers import get

FRAMEWORK = f"keras {keras.__version__}"


@pytest.mark.proves("specs/resnet50.yaml")
def test_the_resnet_spec_is_what_its_script_writes(specs, make_specs):
    """`make_specs.py` reproduces specs/resnet50.yaml byte for byte."""
    assert (specs / "resnet50.yaml").read_bytes() == make_specs.render_resnet50().encode()


@pytest.fixture(scope="module")
def resnet50():
    return keras.applications.ResNet50(weights=None)


@pytest.mark.proves("specs/resnet50.yaml")
def test_the_resnet_spec_has_every_weight_of_keras_applications(resnet50, shapes):
    """Names, shapes and order are those of `model.weights`; the count is the documented 25,636,712."""
    ours = shapes("resnet50.yaml")

    assert list(ours.items()) == [(weight.path, tuple(weight.shape)) for weight in resnet50.weights]
    assert sum(map(math.prod, ours.values())) == resnet50.count_params() == 25_636_712


@pytest.mark.proves("specs/resnet50.yaml")
def test_the_resnet_spec_names_the_initializers_of_the_layers(resnet50, specs):
    """The rule that decides a tensor names the class that Keras's layer is configured with."""
    rules = yaml.safe_load((specs / "resnet50.yaml").read_text("utf-8"))["rules"]

    for layer in resnet50.layers:
        for weight in layer.weights:
            configured = layer.get_config()[f"{weight.name}_initializer"]
            decided = next(rule["init"] for rule in rules if fnmatchcase(weight.path, rule["match"]))
            ours = keras.initializers.get(decided)
            assert (configured["class_name"], weight.path) == (type(ours).__name__, weight.path)


@pytest.fixture(scope="module")
def mlp():
    """The model of specs/mlp.yaml, built as a Keras user would."""
    image = keras.Input((784,))
    hidden = keras.layers.Dense(256, activation="relu", kernel_initializer="he_normal", name="fc1")(image)
    hidden = keras.layers.Dense(128, activation="relu", kernel_initializer="he_normal", name="fc2")(hidden)
    return keras.Model(image, keras.layers.Dense(10, name="logits")(hidden))


@pytest.fixture(scope="module")
def lenet5():
    """The model of specs/lenet5.json, built as a Keras user would."""
    image = keras.Input((28, 28, 1))
    maps = keras.layers.Conv2D(6, 5, padding="same", activation="tanh", name="conv1")(image)
    maps = keras.layers.AveragePooling2D(2)(maps)
    maps = keras.layers.Conv2D(16, 5, activation="tanh", name="conv2")(maps)
    maps = keras.layers.Flatten()(keras.layers.AveragePooling2D(2)(maps))
    hidden = keras.layers.Dense(120, activation="tanh", name="dense1")(maps)
    hidden = keras.layers.Dense(84, activation="tanh", name="dense2")(hidden)
    return keras.Model(image, keras.layers.Dense(10, name="logits")(hidden))


@pytest.mark.proves("specs/mlp.yaml")
def test_the_mlp_spec_has_the_weights_of_the_keras_model(mlp, shapes):
    """Names, shapes and order of specs/mlp.yaml are those of the model's weights."""
    assert list(shapes("mlp.yaml").items()) == [(weight.path, tuple(weight.shape)) for weight in mlp.weights]


@pytest.mark.proves("specs/lenet5.json")
def test_the_lenet_spec_has_the_weights_of_the_keras_model(lenet5, shapes, specs):
    """Names, shapes and order of specs/lenet5.json, a strict JSON document, are those of the model's weights."""
    ours = shapes("lenet5.json")

    assert list(json.loads((specs / "lenet5.json").read_text("utf-8"))["tensors"]) == list(ours)
    assert list(ours.items()) == [(weight.path, tuple(weight.shape)) for weight in lenet5.weights]
    assert lenet5.count_params() == 61_706


def assign_from(model, path):
    """Set every weight of a Keras model from the dataset of its path."""
    with h5py.File(path, "r") as file:
        for weight in model.weights:
            weight.assign(file[weight.path][...])


@pytest.mark.parametrize(
    ("spec", "fixture"),
    [
        pytest.param("mlp.yaml", "mlp", marks=pytest.mark.proves("specs/mlp.yaml")),
        pytest.param("lenet5.json", "lenet5", marks=pytest.mark.proves("specs/lenet5.json")),
        pytest.param("resnet50.yaml", "resnet50", marks=pytest.mark.proves("specs/resnet50.yaml")),
    ],
)
def test_an_h5_file_fills_a_keras_model_by_path(spec, fixture, request, specs, generate, shapes, tmp_path):
    """Every weight is found by its path, has the file's bits once assigned, and the model computes with it."""
    model = request.getfixturevalue(fixture)
    path = generate(specs / spec, tmp_path / "weights.h5")

    assign_from(model, path)

    with h5py.File(path, "r") as file:
        for weight in model.weights:
            assert np.asarray(weight).tobytes() == file[weight.path][...].astype("<f4").tobytes()
        found = set()
        file.visititems(lambda name, item: found.add(name) if isinstance(item, h5py.Dataset) else None)
    assert found == set(shapes(spec))
    image = np.random.default_rng(0).random((1, *model.input_shape[1:]), np.float32)
    output = np.asarray(model(image))
    assert np.isfinite(output).all()
    assert output.std() > 0


@pytest.mark.proves("specs/mlp.yaml")
def test_a_generated_file_holds_what_the_initializer_draws(specs, generate, tmp_path):
    """The file of the README's example and the Python API give the same bits for the same seed and name."""
    path = generate(specs / "mlp.yaml", tmp_path / "weights.h5")

    with h5py.File(path, "r") as file:
        written = file["fc1/kernel"][...]

    drawn = get("he_normal", seed=42)(shape=(784, 256), dtype="float32", name="fc1/kernel")
    assert written.tobytes() == drawn.tobytes()


BFLOAT16_SPEC = """\
initcli: 1
framework: keras
seed: 42
dtype: {dtype}
tensors:
  layers/dense/vars/0: {{shape: [64, 32], init: he_normal}}
  layers/dense/vars/1: {{shape: [32], init: random_normal(stddev=0.02)}}
"""


@pytest.mark.proves("bfloat16 in .h5")
def test_keras_reads_bfloat16_from_an_h5_file(generate, tmp_path):
    """Keras's own weight store gives bfloat16 arrays equal to the float32 file rounded once, to nearest even."""
    arrays = {}
    for dtype in ("bfloat16", "float32"):
        spec = tmp_path / f"{dtype}.yaml"
        spec.write_text(BFLOAT16_SPEC.format(dtype=dtype), "utf-8")
        store = H5IOStore(generate(spec, tmp_path / f"{dtype}.h5"), mode="r")
        entry = store.get("layers/dense")
        arrays[dtype] = [np.asarray(entry[index]) for index in ("0", "1")]
        store.close()

    for half, full in zip(arrays["bfloat16"], arrays["float32"], strict=True):
        assert half.dtype == ml_dtypes.bfloat16
        assert half.tobytes() == full.astype(ml_dtypes.bfloat16).tobytes()
    dense = keras.layers.Dense(32, dtype="bfloat16")
    dense.build((None, 64))
    dense.set_weights(arrays["bfloat16"])
    assert np.asarray(dense.kernel).tobytes() == arrays["bfloat16"][0].tobytes()
