"""Keras itself says what its initializers draw, from which fans, and what they refuse."""

from __future__ import annotations

import inspect
import math

import keras
import numpy as np
import pytest
from battery import REFUSALS, THEIRS
from closed_forms import corrected, normal, symmetric, truncated, uniform
from haar_battery import HaarBattery, last_columns
from jaxlib.mlir.ir import MLIRError
from keras.src.initializers import ALL_OBJECTS_DICT
from keras.src.initializers.random_initializers import compute_fans

from initcli.initializers import find

FRAMEWORK = f"keras {keras.__version__}"


def axes(inputs, outputs):
    return {"input_axes": inputs, "output_axes": outputs}


# name, parameters, shape, and the law in closed form, with the fans written out by hand.
RANDOM = [
    ("random_normal", {}, (500, 500), normal(0.05)),
    ("random_normal", {"mean": 1.0, "stddev": 0.5}, (3, 3, 64, 128), normal(0.5, 1)),
    ("random_normal", {"stddev": 0.02}, (100_000,), normal(0.02)),
    ("random_uniform", {}, (500, 500), uniform(-0.05, 0.05)),
    ("random_uniform", {"minval": 0.25, "maxval": 1.0}, (70, 30, 40), uniform(0.25, 1)),
    ("truncated_normal", {}, (500, 500), truncated(0.05)),
    ("truncated_normal", {"mean": 1.0, "stddev": 0.5}, (500, 500), truncated(0.5, 1)),
    ("variance_scaling", {}, (512, 256), corrected(math.sqrt(1 / 512))),
    (
        "variance_scaling",
        {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"},
        (3, 3, 64, 128),
        normal(math.sqrt(2 / (9 * 128))),
    ),
    (
        "variance_scaling",
        {"scale": 0.1, "mode": "fan_avg", "distribution": "uniform"},
        (784, 128),
        symmetric(math.sqrt(0.1 / 456)),
    ),
    ("variance_scaling", {"scale": 3.0, "mode": "fan_out"}, (5, 64, 96), corrected(math.sqrt(3 / (5 * 96)))),
    ("variance_scaling", {"distribution": "normal"}, (512, 256), corrected(math.sqrt(1 / 512))),
    ("variance_scaling", {"mode": "fan_out", **axes([0], [1, 2])}, (100, 20, 30), corrected(math.sqrt(1 / 600))),
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
    ("he_normal", axes([0], [1, 2]), (512, 8, 64), corrected(math.sqrt(2 / 512))),
    ("he_uniform", axes([-1], [0]), (64, 500), symmetric(math.sqrt(2 / 500))),
    ("glorot_uniform", axes([0, 1], [2]), (8, 64, 100), symmetric(math.sqrt(2 / (512 + 100)))),
    ("glorot_normal", {"input_axes": [0]}, (8, 64, 100), corrected(math.sqrt(2 / (8 * (64 + 100))))),
    ("lecun_normal", axes([0, 2], [1]), (16, 100, 32), corrected(math.sqrt(1 / 512))),
    ("lecun_uniform", axes([0], []), (300, 300), symmetric(math.sqrt(1 / 300))),
]

FIXED = [
    ("stft", {"window": None}, (1, 1, 3)),
    ("stft", {"side": "imag", "window": None}, (1, 1, 3)),
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

WIDTHLESS = [
    ("random_normal", {"mean": 0.5, "stddev": 0.0}, (3, 4)),
    ("random_uniform", {"minval": 0.25, "maxval": 0.25}, (3, 4)),
    ("truncated_normal", {"mean": 0.5, "stddev": 0.0}, (3, 4)),
    ("orthogonal", {}, (0, 3)),
    ("orthogonal", {}, (3, 0, 2)),
    *((name, {}, (0, 5)) for name in ("he_normal", "glorot_uniform", "variance_scaling", "lecun_normal")),
]
ACCEPTED = [
    *((name, {}, ()) for name in ("glorot_uniform", "he_normal", "lecun_uniform", "random_normal", "truncated_normal")),
    *((name, {}, (7,)) for name in ("glorot_normal", "he_uniform", "lecun_normal", "variance_scaling")),
    ("variance_scaling", {"distribution": "UNIFORM"}, (4, 4)),
    ("orthogonal", {"gain": -1.0}, (3, 3)),
    ("constant", {"value": True}, (2, 2)),
    ("constant", {"value": 3}, (2, 2), "int32"),
    *((name, {}, (2, 2), dtype) for name in ("zeros", "ones") for dtype in ("int32", "bool")),
    *((name, {}, (4, 5), dtype) for name in ("random_uniform", "he_normal") for dtype in ("float16", "bfloat16")),
]
STRICTER = [
    ("random_normal", {"stddev": -1.0}, (4, 4)),
    ("truncated_normal", {"stddev": -1.0}, (4, 4)),
    ("random_uniform", {"minval": 1.0, "maxval": -1.0}, (4, 4)),
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
    ("he_normal", axes([0], [3]), (4, 4, 4)),
    ("glorot_uniform", axes([-4], [0]), (4, 4, 4)),
    ("lecun_normal", axes("0", [1]), (4, 4)),
    ("stft", {"side": "both"}, (4, 1, 3)),
    ("stft", {"window": "no such window"}, (4, 1, 3)),
    ("stft", {"window": [1.0, 2.0]}, (4, 1, 3)),
    ("stft", {"scaling": "power"}, (4, 1, 3)),
    ("stft", {}, (4, 3)),
    ("stft", {}, (4, 1, 3, 1)),
    ("random_normal", {}, (4, 4), "int32"),
    ("random_uniform", {}, (4, 4), "int32"),
    ("truncated_normal", {}, (4, 4), "int32"),
]


FANS = [
    *(("glorot_uniform", {}, shape) for shape in ((), (7,), (7, 5), (3, 7, 5), (3, 3, 7, 5), (2, 3, 4, 7, 5), (0, 5))),
    ("he_normal", {}, (2, 2, 3, 4, 7, 5)),
    ("he_normal", axes([0], [1, 2]), (512, 8, 64)),
    ("glorot_uniform", axes([-1], []), (3, 7, 5)),
    ("glorot_uniform", {"output_axes": [0]}, (3, 7, 5)),
]
MATRICES = [
    ("orthogonal", {"gain": gain}, shape, gain, last_columns)
    for gain in (1.0, 2.0)
    for shape in ((64, 64), (96, 32), (32, 96), (3, 3, 16, 48), (2, 4, 200), (8, 1))
]
SMALL = [("orthogonal", {}, (6, 6), last_columns), ("orthogonal", {}, (2, 3, 6), last_columns)]
LARGE = [("orthogonal", {}, shape) for shape in ((256, 256), (300, 100), (3, 3, 16, 64))]


class TestKeras(HaarBattery):
    framework = "keras"
    refusals = (*REFUSALS, MLIRError)
    extras = ("seed",)
    random, fixed, widthless, fans = RANDOM, FIXED, WIDTHLESS, FANS
    accepted, stricter, refused = ACCEPTED, STRICTER, REFUSED
    matrices, small, large, careless = MATRICES, SMALL, LARGE, ("stft",)

    def draw_theirs(self, name, parameters, shape, seed=THEIRS, dtype="float32"):
        seeded = {"seed": seed} if "seed" in inspect.signature(self.make_theirs(name)).parameters else {}
        return np.asarray(self.make_theirs(name)(**seeded, **parameters)(shape, dtype=dtype))

    def make_theirs(self, name):
        """The class, because Keras 3.15.1's own get("constant") raises KeyError: 'value'."""
        return ALL_OBJECTS_DICT[name]

    def fans_theirs(self, parameters, shape):
        return compute_fans(shape, **parameters)

    def signature_theirs(self, name):
        return inspect.signature(self.make_theirs(name)).parameters.values()


@pytest.mark.proves("the list of entries")
def test_every_name_of_keras_means_what_it_means_there():
    """Each key of Keras's own table of initializers, as the entry of that class."""
    for key, theirs in ALL_OBJECTS_DICT.items():
        if theirs is not keras.Initializer:
            assert find(key, "keras").__name__ == theirs.__name__, key


@pytest.mark.parametrize("name", ["stft"])
@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
@pytest.mark.parametrize(
    ("window", "is_periodic", "shape"),
    [
        ("hann", False, (16, 1, 9)),
        ("hann", True, (16, 1, 9)),
        ("hamming", False, (31, 1, 5)),
        ("blackman", True, (64, 1, 65)),
        ([1.0, -2.0, 0.5, 3.0], False, (4, 1, 3)),
        (None, False, (20, 1, 17)),
    ],
)
@pytest.mark.compares("values")
def test_a_fourier_kernel_is_kerass_to_the_roundings_of_float32(name, side, scaling, window, is_periodic, shape):
    """Keras takes cosines of float32 angles: an angle of a is off by four roundings of a, and the window's sum by one
    for each of its values."""
    parameters = {"side": side, "window": window, "scaling": scaling, "periodic": is_periodic}
    ours, theirs = (getattr(TestKeras(), f"draw_{whose}")(name, parameters, shape) for whose in ("ours", "theirs"))

    angle = 2 * math.pi * (shape[0] - 1) * (shape[2] - 1) / (2 * (shape[2] - 1))
    units = 4 * angle + shape[0] + 8
    atol = units * np.finfo(np.float32).eps / 2 * np.abs(theirs).max()
    assert ours.shape == theirs.shape == shape
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol)
