"""Keras itself says what the names, the shapes and the laws must be, and reads the files."""

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
from scipy import stats

from initcli.initializers import get

FRAMEWORK = f"keras {keras.__version__}"

# The chance of a false alarm of one test: that of a normal deviate beyond five standard errors.
FALSE_ALARM = 2 * stats.norm.sf(5)
OURS, THEIRS = 42, 1234  # seeds


def normal(mean, std):
    return stats.norm(mean, std)


def uniform(low, high):
    return stats.uniform(low, high - low)


def truncated(mean, std):
    """A normal cut at two of its own standard deviations; Keras gives it the std before the cut."""
    return stats.truncnorm(-2, 2, mean, std)


def corrected(std):
    """A normal cut at two standard deviations, so scaled that `std` is left after the cut."""
    return truncated(0, std / stats.truncnorm(-2, 2).std())


def symmetric(std):
    """The uniform law around 0 with this standard deviation."""
    return uniform(-math.sqrt(3) * std, math.sqrt(3) * std)


# name, parameters, shape, and the law in closed form, with the fans written out by hand.
RANDOM = [
    ("random_normal", {}, (500, 500), normal(0, 0.05)),
    ("random_normal", {"mean": 1.0, "stddev": 0.5}, (3, 3, 64, 128), normal(1, 0.5)),
    ("random_normal", {"stddev": 0.02}, (100_000,), normal(0, 0.02)),
    ("random_uniform", {}, (500, 500), uniform(-0.05, 0.05)),
    ("random_uniform", {"minval": 0.25, "maxval": 1.0}, (70, 30, 40), uniform(0.25, 1)),
    ("truncated_normal", {}, (500, 500), truncated(0, 0.05)),
    ("truncated_normal", {"mean": 1.0, "stddev": 0.5}, (500, 500), truncated(1, 0.5)),
    ("variance_scaling", {}, (512, 256), corrected(math.sqrt(1 / 512))),
    (
        "variance_scaling",
        {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"},
        (3, 3, 64, 128),
        normal(0, math.sqrt(2 / (9 * 128))),
    ),
    (
        "variance_scaling",
        {"scale": 0.1, "mode": "fan_avg", "distribution": "uniform"},
        (784, 128),
        symmetric(math.sqrt(0.1 / 456)),
    ),
    ("variance_scaling", {"scale": 3.0, "mode": "fan_out"}, (5, 64, 96), corrected(math.sqrt(3 / (5 * 96)))),
    ("variance_scaling", {"distribution": "normal"}, (512, 256), corrected(math.sqrt(1 / 512))),
    ("lecun_uniform", {}, (784, 128), symmetric(math.sqrt(1 / 784))),
    ("lecun_uniform", {}, (3, 3, 64, 128), symmetric(math.sqrt(1 / (9 * 64)))),
    ("lecun_normal", {}, (512, 256), corrected(math.sqrt(1 / 512))),
    ("lecun_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(1 / (9 * 64)))),
    ("glorot_uniform", {}, (784, 128), symmetric(math.sqrt(2 / (784 + 128)))),
    ("glorot_uniform", {}, (3, 3, 64, 128), symmetric(math.sqrt(2 / (9 * (64 + 128))))),
    ("glorot_uniform", {}, (5, 64, 96), symmetric(math.sqrt(2 / (5 * (64 + 96))))),
    ("glorot_uniform", {}, (3, 3, 3, 16, 32), symmetric(math.sqrt(2 / (27 * (16 + 32))))),
    ("glorot_uniform", {}, (90_000,), symmetric(math.sqrt(2 / (90_000 + 90_000)))),
    ("glorot_normal", {}, (784, 128), corrected(math.sqrt(2 / (784 + 128)))),
    ("glorot_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(2 / (9 * (64 + 128))))),
    ("he_uniform", {}, (784, 128), symmetric(math.sqrt(2 / 784))),
    ("he_uniform", {}, (3, 3, 64, 128), symmetric(math.sqrt(2 / (9 * 64)))),
    ("he_normal", {}, (784, 128), corrected(math.sqrt(2 / 784))),
    ("he_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(2 / (9 * 64)))),
    ("he_normal", {}, (3, 3, 512, 1), corrected(math.sqrt(2 / (9 * 512)))),
]

EXACT = [
    ("zeros", {}, (3, 4)),
    ("zeros", {}, ()),
    ("ones", {}, (2, 3, 4)),
    ("ones", {}, (0, 5)),
    ("constant", {}, (5,)),
    ("constant", {"value": 0.3}, (3, 3, 2, 2)),
    ("identity", {}, (4, 4)),
    ("identity", {"gain": 2.5}, (3, 5)),
    ("identity", {"gain": -0.1}, (7, 2)),
]

REFUSED = [
    ("variance_scaling", {"scale": 0.0}, (4, 4)),
    ("variance_scaling", {"scale": -1.0}, (4, 4)),
    ("variance_scaling", {"mode": "fan"}, (4, 4)),
    ("variance_scaling", {"mode": "FAN_IN"}, (4, 4)),
    ("variance_scaling", {"distribution": "gauss"}, (4, 4)),
    ("orthogonal", {}, (5,)),
    ("orthogonal", {}, ()),
    ("identity", {}, (3,)),
    ("identity", {}, (2, 2, 2)),
    ("random_normal", {}, (4, 4), "int32"),
    ("random_uniform", {}, (4, 4), "int32"),
    ("truncated_normal", {}, (4, 4), "int32"),
]


def draw_ours(name, parameters, shape, seed=OURS, tensor="w"):
    return get(name, seed=seed, **parameters)(shape=shape, dtype="float32", name=tensor)


def draw_theirs(name, parameters, shape, seed=THEIRS):
    return np.asarray(make_theirs(name, seed=seed, **parameters)(shape, dtype="float32"))


def make_theirs(name, **parameters):
    # by class, because Keras 3.15.1's own get("constant") raises KeyError: 'value'
    return getattr(keras.initializers, name.title().replace("_", ""))(**parameters)


@pytest.mark.parametrize(("name", "parameters", "shape", "law"), RANDOM)
def test_values_follow_the_law_that_keras_draws_from(name, parameters, shape, law):
    """A two-sample Kolmogorov–Smirnov test does not tell our values from Keras's."""
    ours, theirs = draw_ours(name, parameters, shape), draw_theirs(name, parameters, shape)

    found = stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp")

    assert ours.shape == theirs.shape == shape
    assert found.pvalue > FALSE_ALARM


@pytest.mark.parametrize("draw", [draw_ours, draw_theirs])
@pytest.mark.parametrize(("name", "parameters", "shape", "law"), RANDOM)
def test_mean_and_std_are_those_of_the_closed_form(name, parameters, shape, law, draw):
    """Sample mean and std of both sides lie within five standard errors of the formula."""
    values = draw(name, parameters, shape).astype(np.float64)

    kurtosis = float(law.stats("k")) + 3
    mean_error = law.std() / math.sqrt(values.size)
    std_error = law.std() * math.sqrt((kurtosis - 1) / (4 * values.size))

    assert abs(values.mean() - law.mean()) <= 5 * mean_error
    assert abs(values.std() - law.std()) <= 5 * std_error


@pytest.mark.parametrize("draw", [draw_ours, draw_theirs])
@pytest.mark.parametrize(("name", "parameters", "shape", "law"), RANDOM)
def test_extremes_keep_to_the_bounds_and_come_near_them(name, parameters, shape, law, draw):
    """No value passes a bound by more than a rounding, and the extremes are as far out as a sample's must be."""
    values = draw(name, parameters, shape)

    low, high = (np.float32(bound) for bound in law.support())
    assert np.nextafter(low, np.float32(-np.inf)) <= values.min()
    assert values.max() <= np.nextafter(high, np.float32(np.inf))

    # the chance that all n values stay below the largest one seen: F(max)^n, uniform on (0, 1)
    nobody_above = math.exp(values.size * law.logcdf(float(values.max())))
    nobody_below = math.exp(values.size * law.logsf(float(values.min())))
    assert nobody_above >= FALSE_ALARM / 2
    assert nobody_below >= FALSE_ALARM / 2
    if math.isinf(high):
        assert nobody_above <= 1 - FALSE_ALARM / 2
        assert nobody_below <= 1 - FALSE_ALARM / 2


@pytest.mark.parametrize(("name", "parameters", "shape", "law"), RANDOM)
def test_the_promised_law_is_the_closed_form(name, parameters, shape, law):
    """`law(shape)` states the mean, std and bounds of the formula, to a few roundings."""
    promised = get(name, **parameters).law(shape)

    rounding = 8 * np.finfo(np.float64).eps  # at most eight operations lie between the parameters and each figure
    assert promised.mean == pytest.approx(law.mean(), rel=rounding, abs=rounding * law.std())
    assert promised.std == pytest.approx(law.std(), rel=rounding)
    low, high = law.support()
    assert promised.low == pytest.approx(low, rel=rounding, abs=rounding * law.std())
    assert promised.high == pytest.approx(high, rel=rounding, abs=rounding * law.std())


@pytest.mark.parametrize(("name", "parameters", "shape"), EXACT)
def test_deterministic_initializers_agree_element_for_element(name, parameters, shape):
    """What is not random has Keras's values, to the last bit but the sign of a zero."""
    ours = get(name, **parameters)(shape=shape, dtype="float32", name="w")
    theirs = np.asarray(make_theirs(name, **parameters)(shape, dtype="float32"))

    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(ours, theirs)  # Keras's identity with a negative gain has zeros of both signs


@pytest.mark.parametrize("draw", [draw_ours, draw_theirs])
@pytest.mark.parametrize("name", ["orthogonal"])
@pytest.mark.parametrize("gain", [1.0, 2.0])
@pytest.mark.parametrize("shape", [(64, 64), (96, 32), (32, 96), (3, 3, 16, 48), (2, 4, 200), (8, 1)])
def test_the_short_side_of_an_orthogonal_matrix_is_orthonormal(name, gain, shape, draw):
    """With the last axis as columns, the smaller Gram matrix is gain² times the identity."""
    matrix = draw(name, {"gain": gain}, shape).reshape(-1, shape[-1]).astype(np.float64)
    rows, columns = matrix.shape

    gram = matrix @ matrix.T if rows < columns else matrix.T @ matrix

    # Ours: two roundings of each entry, for Q and for the gain, and Cauchy–Schwarz over the columns: 4 units in the
    # last place of 1. Keras works in float32 throughout: Householder's QR is good to rows × columns roundings.
    units = 4 if draw is draw_ours else rows * columns
    unit = np.finfo(np.float32).eps / 2
    np.testing.assert_allclose(gram, gain**2 * np.eye(len(gram)), rtol=0, atol=gain**2 * units * unit)


@pytest.mark.parametrize("name", ["orthogonal"])
def test_orthogonal_matrices_are_uniform_over_the_group(name):
    """Single entries, traces and signs of many small matrices have the Haar law, as Keras's have."""
    side, count = 6, 800
    ours = np.stack([draw_ours(name, {}, (side, side), tensor=f"w{i}") for i in range(count)]).astype(np.float64)
    theirs = np.stack([draw_theirs(name, {}, (side, side), seed=i) for i in range(count)]).astype(np.float64)

    # One entry is a coordinate of a uniform point on the sphere: (x + 1)/2 ~ Beta((n − 1)/2, (n − 1)/2).
    entry = stats.beta((side - 1) / 2, (side - 1) / 2, loc=-1, scale=2)
    for i, j in ((0, 0), (0, side - 1), (side - 1, 0), (side - 1, side - 1)):
        assert stats.kstest(ours[:, i, j], entry.cdf).pvalue > FALSE_ALARM
        assert stats.ks_2samp(ours[:, i, j], theirs[:, i, j]).pvalue > FALSE_ALARM
    trace_ours, trace_theirs = (np.trace(matrices, axis1=1, axis2=2) for matrices in (ours, theirs))
    assert stats.ks_2samp(trace_ours, trace_theirs).pvalue > FALSE_ALARM
    assert abs(trace_ours.mean()) <= 5 / math.sqrt(count)  # a Haar trace has mean 0 and variance 1
    assert abs(np.sign(np.linalg.det(ours)).mean()) <= 5 / math.sqrt(count)  # both halves of the group alike


@pytest.mark.parametrize("name", ["orthogonal"])
@pytest.mark.parametrize("shape", [(256, 256), (300, 100), (3, 3, 16, 64)])
def test_entries_of_a_large_orthogonal_matrix_have_kerass_law(name, shape):
    """The pooled entries of one matrix are not told from those of Keras's."""
    ours, theirs = draw_ours(name, {}, shape), draw_theirs(name, {}, shape)

    assert stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp").pvalue > FALSE_ALARM


@pytest.mark.parametrize(("name", "parameters", "shape", "dtype"), [(*case, "float32")[:4] for case in REFUSED])
def test_what_keras_refuses_is_refused_here(name, parameters, shape, dtype):
    """Arguments that Keras takes exception to raise a ValueError here as well."""
    with pytest.raises((ValueError, TypeError)):
        make_theirs(name, **parameters)(shape, dtype=dtype)

    with pytest.raises(ValueError, match=r"."):
        get(name, **parameters)(shape=shape, dtype=dtype, name="w")


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
