"""Keras itself says what the variables of its models in specs/ are, takes the files, and computes with them."""

from __future__ import annotations

import re

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from initcli.resolution import Overrides, load_plan

FRAMEWORK = f"keras {keras.__version__}"


def keras_sequential(features=20, hidden=64, classes=10):
    """The model of specs/keras_sequential.yaml."""
    return keras.Sequential(
        [
            keras.Input((features,)),
            layers.Dense(hidden, activation="relu", kernel_initializer="random_uniform", bias_initializer="zeros"),
            layers.Dense(hidden, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def mlp(pixels=784, hidden=256, classes=10):
    """The model of specs/mlp.yaml."""
    image = keras.Input((pixels,))
    x = layers.Dense(hidden, activation="relu", kernel_initializer="he_normal", name="fc1")(image)
    x = layers.Dense(hidden // 2, activation="relu", kernel_initializer="he_normal", name="fc2")(x)
    return keras.Model(image, layers.Dense(classes, name="logits")(x))


def lenet5(image=28, channels=1, classes=10):
    """The model of specs/lenet5.json."""
    maps = keras.Input((image, image, channels))
    x = layers.Conv2D(6, 5, padding="same", activation="tanh", name="conv1")(maps)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(16, 5, activation="tanh", name="conv2")(x)
    x = layers.Flatten()(layers.AveragePooling2D(2)(x))
    x = layers.Dense(120, activation="tanh", name="dense1")(x)
    x = layers.Dense(84, activation="tanh", name="dense2")(x)
    return keras.Model(maps, layers.Dense(classes, name="logits")(x))


def lstm_classifier(vocab=20000, d=128, hidden=64):
    """The model of the example that specs/lstm_classifier.yaml names."""
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(vocab, d)(tokens)
    x = layers.Bidirectional(layers.LSTM(hidden, return_sequences=True))(x)
    x = layers.Bidirectional(layers.LSTM(hidden))(x)
    return keras.Model(tokens, layers.Dense(1, activation="sigmoid")(x))


def vgg16(image=224, channels=3, classes=1000):
    """VGG16 of keras.applications."""
    return keras.applications.VGG16(weights=None, input_shape=(image, image, channels), classes=classes)


def resnet50(blocks3=4, blocks4=6, channels=3, classes=1000):
    """ResNet50 of keras.applications, or the deeper ones."""
    depths = {(4, 6): "ResNet50", (4, 23): "ResNet101", (8, 36): "ResNet152"}
    model = getattr(keras.applications, depths[blocks3, blocks4])
    return model(weights=None, input_shape=(224, 224, channels), classes=classes)


def mobilenetv2(alpha=1.0, channels=3, classes=1000):
    """MobileNetV2 of keras.applications."""
    return keras.applications.MobileNetV2(weights=None, alpha=alpha, input_shape=(224, 224, channels), classes=classes)


MODELS = {
    "keras_sequential.yaml": keras_sequential,
    "mlp.yaml": mlp,
    "lenet5.json": lenet5,
    "lstm_classifier.yaml": lstm_classifier,
    "vgg16.yaml": vgg16,
    "resnet50.yaml": resnet50,
    "mobilenetv2.yaml": mobilenetv2,
}

OTHERS = {
    "keras_sequential.yaml": [{"features": 7, "hidden": 12, "classes": 3}],
    "mlp.yaml": [{"pixels": 64, "hidden": 30, "classes": 3}],
    "lenet5.json": [{"image": 32, "channels": 3, "classes": 100}],
    "lstm_classifier.yaml": [{"vocab": 500, "d": 24, "hidden": 8}],
    "vgg16.yaml": [{"image": 48, "channels": 1, "classes": 7}],
    "resnet50.yaml": [{"channels": 1, "classes": 7}],
    # With 1.0, 0.5 and 1.4 all alphas of which there are published weights. In 0.56 Keras rounds 32 · 0.56 = 17.92 up
    # to 24 for the first convolution, and cuts it to 17 and rounds down to 16 for the blocks.
    "mobilenetv2.yaml": [{"channels": 1, "classes": 7}, *({"alpha": alpha} for alpha in (0.35, 0.75, 1.3, 0.56))],
}
"""Sizes beside those of the specs and of their comments."""

IN_LINES = ("resnet50.yaml", "mobilenetv2.yaml")
"""Specs that list tensors; their order is that of the lines, where layers follow each other as in the model."""


def each(names):
    """Parameters that count as checks of the spec of that name on the page of verdicts."""
    return [pytest.param(name, marks=pytest.mark.proves(f"specs/{name}")) for name in names]


def build(name, sizes):
    """A fresh model, with the automatic names of a first one."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(1234)
    return MODELS[name](**sizes)


def published_sizes(specs, name):
    """The sizes of the spec and of each line of its comment that has `--set`."""
    yield {}
    for line in re.findall(r"^#.* with (--set .*)", (specs / name).read_text("utf-8"), re.MULTILINE):
        yield {
            variable: float(size) if "." in size else int(size) for variable, size in re.findall(r"(\w+)=(\S+)", line)
        }


def plan_of(specs, name, sizes):
    """The plan of a spec with other sizes."""
    overrides = Overrides(variables={variable: str(size) for variable, size in sizes.items()})
    return load_plan((specs / name).read_bytes(), name, overrides)


@pytest.mark.parametrize("name", each(MODELS))
def test_a_spec_has_every_variable_of_its_model_in_every_size(specs, name):
    """Paths, shapes and dtypes; by layers in the order of `model.weights` too."""
    for sizes in (*published_sizes(specs, name), *OTHERS[name]):
        keras.backend.clear_session()
        with keras.StatelessScope(initialize_variables=False):  # sizes without values
            weights = MODELS[name](**sizes).weights
        plan = plan_of(specs, name, sizes)

        ours = [(tensor.name, tensor.shape, tensor.dtype.name) for tensor in plan.tensors]
        theirs = [(weight.path, tuple(weight.shape), weight.dtype) for weight in weights]
        assert len({path for path, _, _ in theirs}) == len(theirs)
        assert (sorted(ours) == sorted(theirs)) if name in IN_LINES else (ours == theirs), sizes


@pytest.fixture(scope="module")
def fresh():
    """A function: the model of a spec as Keras initializes it; only the last is kept."""
    kept = {}

    def make(name):
        if name not in kept:
            kept.clear()
            kept[name] = build(name, {})
        return kept[name]

    return make


@pytest.mark.parametrize("name", each(MODELS))
def test_every_variable_has_the_law_that_keras_draws_it_from(specs, fresh, name):
    """Keras's values are within the law's bounds, mean and std within five standard errors; no variable is left out."""
    laws = {tensor.name: tensor.law for tensor in plan_of(specs, name, {}).tensors}

    for weight in fresh(name).weights:
        values, law = np.asarray(weight), laws.pop(weight.path)
        if law.is_random:
            mean_error, std_error = law.standard_errors(values.size)
            assert np.float32(law.low) <= values.min(), weight.path
            assert values.max() <= np.float32(law.high), weight.path
            assert abs(values.mean(dtype=np.float64) - law.mean) <= 5 * mean_error, weight.path
            assert abs(values.std(dtype=np.float64) - law.std) <= 5 * std_error, weight.path
    assert not laws


@pytest.mark.parametrize("name", each(MODELS))
def test_what_is_not_drawn_is_in_the_file_as_in_keras(specs, fresh, h5_file, name):
    """Biases, scales, shifts and moving statistics, element for element."""
    constant = {tensor.name for tensor in plan_of(specs, name, {}).tensors if not tensor.law.is_random}

    with h5py.File(h5_file(name), "r") as file:
        for weight in fresh(name).weights:
            if weight.path in constant:
                np.testing.assert_array_equal(file[weight.path][...], weight, err_msg=weight.path, strict=True)
    assert constant


@pytest.fixture(scope="module")
def h5_file(specs, generate, tmp_path_factory):
    """A function: the .h5 file of a spec; each takes the place of the one before."""
    path, written = tmp_path_factory.mktemp("h5") / "weights.h5", []

    def write(name):
        if written != [name]:
            generate(specs / name, path, "--force")
            written[:] = [name]
        return path

    return write


def read_h5(path):
    """Every dataset by its name."""
    found = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: found.update({name: item[...]}) if isinstance(item, h5py.Dataset) else None)
    return found


def read_npy(folder):
    """Every array by its path in the folder."""
    return {path.relative_to(folder).with_suffix("").as_posix(): np.load(path) for path in folder.rglob("*.npy")}


def assert_fills(model, arrays):
    """Each variable takes the array of its path and has its bits, none is left, and the model computes with them."""
    for weight in model.weights:
        array = arrays.pop(weight.path)
        weight.assign(array)
        assert np.asarray(weight).tobytes() == array.tobytes(), weight.path
    assert not arrays
    rng = np.random.default_rng(0)
    shape = (2, *(length or 12 for length in model.input_shape[1:]))
    is_text = model.inputs[0].dtype == "int32"
    examples = rng.integers(0, 500, shape) if is_text else rng.random(shape, np.float32)
    # As in training: with the first moving statistics, (0, 1), what MobileNetV2 computes shrinks to nothing on the way.
    output = np.asarray(model(examples, training=True))
    assert np.isfinite(output).all()
    assert output[0].tobytes() != output[1].tobytes()


@pytest.mark.parametrize("name", each(MODELS))
def test_an_h5_file_fills_a_model_by_path(h5_file, name):
    """In the size of the spec."""
    assert_fills(build(name, {}), read_h5(h5_file(name)))


@pytest.mark.parametrize("name", each(MODELS))
def test_a_folder_of_npy_files_fills_a_model_by_path(specs, generate, tmp_path, name):
    """In another size, by `--set`."""
    sizes = OTHERS[name][0]
    sets = [word for variable, size in sizes.items() for word in ("--set", f"{variable}={size}")]

    folder = generate(specs / name, tmp_path / "weights", "--format", "npy", *sets)

    assert_fills(build(name, sizes), read_npy(folder))
