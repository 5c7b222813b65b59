"""TensorFlow itself says what `tf.compat.v1.initializers` and its orthogonal convolutions draw, and what they refuse.

They are run as TensorFlow 1 ran them, in a graph. What only its earlier versions did is held to its formula, drawn by
TensorFlow's own samplers.
"""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import tensorflow as tf
from battery import REFUSALS, THEIRS
from closed_forms import FALSE_ALARM, corrected, normal, symmetric, truncated, uniform
from haar_battery import HaarBattery, centre, last_columns, tap_sum
from scipy import stats
from tensorflow.python.ops import init_ops

FRAMEWORK = f"tensorflow {tf.__version__}"
SPREAD = ("convolutional_orthogonal_1d", "convolutional_orthogonal_2d", "convolutional_orthogonal_3d")

tf.get_logger().setLevel("ERROR")  # that these initializers are deprecated


def scaling(scale, mode, distribution):
    return {"scale": scale, "mode": mode, "distribution": distribution}


# name, parameters, shape, and the law in closed form, with the fans written out by hand.
RANDOM = [
    ("random_uniform", {}, (500, 500), uniform(0, 1)),
    ("random_uniform", {"minval": -0.25, "maxval": 1.5}, (70, 30, 40), uniform(-0.25, 1.5)),
    ("random_uniform", {"minval": -3}, (100_000,), uniform(-3, 1)),
    ("random_normal", {}, (500, 500), normal(1)),
    ("random_normal", {"mean": 1.0, "stddev": 0.02}, (3, 3, 64, 128), normal(0.02, 1)),
    ("truncated_normal", {}, (500, 500), truncated(1)),
    ("truncated_normal", {"mean": 1.0, "stddev": 0.5}, (100_000,), truncated(0.5, 1)),
    ("uniform_unit_scaling", {}, (784, 128), symmetric(math.sqrt(1 / 784))),
    ("uniform_unit_scaling", {"factor": 1.43}, (3, 3, 64, 128), symmetric(1.43 * math.sqrt(1 / (9 * 64)))),
    ("uniform_unit_scaling", {"factor": 1.15}, (90_000,), symmetric(1.15)),
    ("variance_scaling", {}, (512, 256), corrected(math.sqrt(1 / 512))),
    ("variance_scaling", scaling(2.0, "fan_out", "untruncated_normal"), (3, 3, 64, 128), normal(math.sqrt(2 / 1152))),
    ("variance_scaling", scaling(0.1, "fan_avg", "uniform"), (784, 128), symmetric(math.sqrt(0.1 / 456))),
    ("variance_scaling", scaling(3.0, "fan_out", "normal"), (5, 64, 96), corrected(math.sqrt(3 / (5 * 96)))),
    ("variance_scaling", scaling(1, "fan_in", "UNIFORM"), (90_000,), symmetric(math.sqrt(1 / 90_000))),
    ("glorot_uniform", {}, (784, 128), symmetric(math.sqrt(2 / (784 + 128)))),
    ("glorot_uniform", {}, (3, 3, 3, 16, 32), symmetric(math.sqrt(2 / (27 * (16 + 32))))),
    ("glorot_normal", {}, (784, 128), corrected(math.sqrt(2 / (784 + 128)))),
    ("glorot_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(2 / (9 * (64 + 128))))),
    ("he_uniform", {}, (784, 128), symmetric(math.sqrt(2 / 784))),
    ("he_uniform", {}, (5, 64, 96), symmetric(math.sqrt(2 / (5 * 64)))),
    ("he_normal", {}, (784, 128), corrected(math.sqrt(2 / 784))),
    ("he_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(2 / (9 * 64)))),
    ("lecun_uniform", {}, (784, 128), symmetric(math.sqrt(1 / 784))),
    ("lecun_uniform", {}, (90_000,), symmetric(math.sqrt(1 / 90_000))),
    ("lecun_normal", {}, (512, 256), corrected(math.sqrt(1 / 512))),
    ("lecun_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(1 / (9 * 64)))),
]
FIXED = [
    ("zeros", {}, (3, 4)),
    ("zeros", {}, ()),
    ("ones", {}, (2, 3, 4)),
    ("ones", {}, (0, 5)),
    ("constant", {}, (5,)),
    ("constant", {"value": 0.3}, (3, 3, 2, 2)),
    ("constant", {"value": True}, (2,)),
    ("constant", {"value": [1, 2, 3, 4, 5, 6]}, (2, 3)),
    ("constant", {"value": [1, 2, 3]}, (2, 3)),
    ("constant", {"value": [0.1, 0.2]}, (5,)),
    ("constant", {"value": [[1, 2], [3, 4]]}, (3, 2, 2)),
    ("constant", {"value": np.array([[1.5, -2.5]])}, (2, 2)),
    ("constant", {"value": [7]}, ()),
    ("identity", {}, (4, 4)),
    ("identity", {"gain": 2.5}, (3, 5)),
    ("identity", {"gain": -0.1}, (7, 2)),
    ("identity", {}, (0, 3)),
]
WIDTHLESS = [
    ("random_uniform", {"minval": 0.5, "maxval": 0.5}, (3, 4)),
    ("random_normal", {"mean": 0.5, "stddev": 0.0}, (3, 4)),
    ("truncated_normal", {"mean": 0.5, "stddev": 0.0}, (3, 4)),
    ("uniform_unit_scaling", {"factor": 0.0}, (3, 4)),
    ("orthogonal", {}, (0, 3)),
    ("orthogonal", {}, (3, 0, 2)),
    ("convolutional_orthogonal_1d", {}, (3, 0, 4)),
    ("convolutional_orthogonal_2d", {"gain": 0.0}, (2, 2, 1, 2)),
    *((name, {}, (0, 5)) for name in ("he_normal", "glorot_uniform", "variance_scaling", "uniform_unit_scaling")),
]
ACCEPTED = [
    *((name, {}, ()) for name in ("glorot_uniform", "he_normal", "lecun_uniform", "uniform_unit_scaling")),
    *((name, {}, (7,)) for name in ("glorot_normal", "he_uniform", "lecun_normal", "variance_scaling")),
    ("orthogonal", {"gain": -1.0}, (3, 3)),
    ("orthogonal", {}, (4, 3), "float64"),
    ("convolutional_orthogonal_3d", {"gain": -1.0}, (1, 1, 1, 2, 2)),
    ("constant", {"value": 3}, (2, 2), "int32"),
    ("constant", {"value": [1, 2]}, (2, 2), "int64"),
    *((name, {}, (2, 2), dtype) for name in ("zeros", "ones") for dtype in ("int32", "bool")),
    *((name, {}, (4, 5), dtype) for name in ("random_uniform", "he_normal") for dtype in ("float16", "bfloat16")),
]
STRICTER = [
    ("constant", {"value": []}, (2, 3)),
    ("constant", {"value": math.nan}, (2,)),
    ("random_normal", {"stddev": -1.0}, (4, 4)),
    ("truncated_normal", {"stddev": -1.0}, (4, 4)),
    ("random_uniform", {"minval": 1.0, "maxval": 0.0}, (4, 4)),
    ("random_uniform", {"minval": 0, "maxval": 10}, (4, 4), "int32"),
    ("uniform_unit_scaling", {"factor": -1.0}, (4, 4)),
    *((name, {}, shape) for name, shape in zip(SPREAD, ((0, 3, 4), (0, 0, 3, 4), (0, 0, 0, 3, 4)), strict=True)),
]
REFUSED = [
    ("constant", {"value": [1, 2, 3, 4, 5, 6, 7]}, (2, 3)),
    ("constant", {"value": "a"}, (2,)),
    ("constant", {"value": None}, (2,)),
    ("constant", {"value": {}}, (2,)),
    ("constant", {"value": [[1, 2], [3]]}, (2, 3)),
    ("constant", {"value": 3.5}, (2,), "int32"),
    *((name, {}, (4, 4), "int32") for name in ("random_uniform", "random_normal", "truncated_normal")),
    *((name, {}, (4, 4), "int32") for name in ("uniform_unit_scaling", "variance_scaling", "he_normal", "orthogonal")),
    ("variance_scaling", {"scale": 0}, (4, 4)),
    ("variance_scaling", {"scale": -1.0}, (4, 4)),
    ("variance_scaling", {"scale": "1"}, (4, 4)),
    ("variance_scaling", {"mode": "fan"}, (4, 4)),
    ("variance_scaling", {"mode": "FAN_IN"}, (4, 4)),
    ("variance_scaling", {"distribution": "gauss"}, (4, 4)),
    *(("orthogonal", {}, shape) for shape in ((), (5,))),
    ("orthogonal", {"gain": "relu"}, (3, 3)),
    *(("identity", {}, shape) for shape in ((3,), (2, 2, 2))),
    *(("convolutional_delta_orthogonal", {}, shape) for shape in ((3, 4), (1, 1, 1, 1, 3, 4), (3, 5, 4), (0, 3, 4))),
    ("convolutional_delta_orthogonal", {}, (3, 0, 4)),
    *(("convolutional_orthogonal_1d", {}, shape) for shape in ((3, 4), (3, 3, 3, 4), (3, 5, 4))),
    *(("convolutional_orthogonal_2d", {}, shape) for shape in ((3, 4, 4), (2, 3, 4, 4), (2, 2, 5, 4))),
    *(("convolutional_orthogonal_3d", {}, shape) for shape in ((3, 4, 4), (2, 3, 2, 4, 4), (2, 2, 2, 5, 4))),
]
FANS = [
    *(("glorot_uniform", {}, shape) for shape in ((), (7,), (7, 5), (3, 7, 5), (3, 3, 7, 5), (2, 3, 4, 7, 5), (0, 5))),
    ("he_normal", {}, (2, 2, 3, 4, 7, 5)),
]
KERNELS = [
    ("convolutional_orthogonal_1d", (1, 4, 6)),
    ("convolutional_orthogonal_1d", (5, 8, 16)),
    ("convolutional_orthogonal_2d", (3, 3, 8, 8)),
    ("convolutional_orthogonal_2d", (2, 2, 3, 12)),
    ("convolutional_orthogonal_3d", (2, 2, 2, 4, 6)),
]
MATRICES = [
    *(
        ("orthogonal", {"gain": gain}, shape, gain, last_columns)
        for gain in (1.0, -2.0)
        for shape in ((64, 64), (96, 32), (32, 96), (3, 3, 16, 48), (2, 4, 200), (8, 1))
    ),
    *(
        ("convolutional_delta_orthogonal", {"gain": 2.0}, shape, 2.0, centre)
        for shape in ((4, 4, 8), (3, 5, 16, 16), (1, 2, 3, 8, 32), (3, 3, 32, 64))
    ),
    *((name, {"gain": gain}, shape, gain, tap_sum) for name, shape in KERNELS for gain in (1.0, -2.0)),
]
SMALL = [
    ("orthogonal", {}, (6, 6), last_columns),
    ("orthogonal", {}, (2, 3, 6), last_columns),
    ("convolutional_delta_orthogonal", {}, (2, 4, 6), centre),
    ("convolutional_orthogonal_1d", {}, (2, 4, 6), tap_sum),
]
LARGE = [
    *(("orthogonal", {}, shape) for shape in ((256, 256), (300, 100), (3, 3, 16, 64))),
    ("convolutional_delta_orthogonal", {}, (1, 100, 300)),
]


def run(make, count=1, seed=THEIRS):
    """Return what a graph draws, run so many times."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.set_random_seed(seed)
        tensor = make()
        return np.stack([session.run(tensor) for _ in range(count)])


class TestTensorFlow(HaarBattery):
    framework = "tensorflow"
    refusals = (*REFUSALS, tf.errors.OpError)
    extras = ("seed", "dtype", "verify_shape")
    random, fixed, widthless, fans = RANDOM, FIXED, WIDTHLESS, FANS
    accepted, stricter, refused = ACCEPTED, STRICTER, REFUSED
    matrices, small, large = MATRICES, SMALL, LARGE

    def draw_theirs(self, name, parameters, shape, seed=THEIRS, dtype="float32"):
        return run(lambda: self.make_theirs(name)(**parameters)(shape, dtype=dtype), 1, seed)[0]

    def draw_many_theirs(self, name, parameters, shape, count):
        return run(lambda: self.make_theirs(name)(**parameters)(shape), count)

    def make_theirs(self, name):
        """The public class, or the one that is left in the module alone."""
        return getattr(init_ops if name.startswith("convolutional") else tf.compat.v1.initializers, name)

    def fans_theirs(self, parameters, shape):
        return init_ops._compute_fans(shape, **parameters)

    def signature_theirs(self, name):
        return inspect.signature(self.make_theirs(name)).parameters.values()


@pytest.mark.proves("the list of entries")
def test_every_initializer_of_tensorflow_1_is_here():
    """The public ones, but for the operations of the same module, and the convolutions."""
    public = {name for name in dir(tf.compat.v1.initializers) if not name.startswith("_")}
    operations = {"global_variables", "local_variables", "tables_initializer", "variables"}
    convolutions = {name for name in dir(init_ops) if name.startswith("convolutional_")}

    assert (public - operations) | convolutions == TestTensorFlow.entries_ours().keys()


@pytest.mark.parametrize("side", ["ours", "theirs"])
@pytest.mark.parametrize("gain", [1.0, -2.0])
@pytest.mark.parametrize(("name", "shape"), KERNELS)
def test_an_orthogonal_convolution_keeps_the_length_of_every_wave(name, shape, gain, side):
    """K(ω) K(ω)ᴴ = gain² I at each frequency of a ring longer than the kernel; the squares sum to gain² in."""
    kernel = TestTensorFlow().draw(side, name, {"gain": gain}, shape).astype(np.float64)
    *taps, inputs, outputs = shape
    ring = [k + 1 for k in taps]

    waves = np.fft.fftn(kernel, ring, axes=range(len(taps))).reshape(-1, inputs, outputs)
    gram = waves @ waves.conj().transpose(0, 2, 1)

    # ours is rounded to float32 once; TensorFlow multiplies matrices in float32, outputs terms a product, for each tap
    units = math.prod(taps) * (4 if side == "ours" else 4 * outputs * sum(taps))
    atol = gain**2 * units * np.finfo(np.float32).eps / 2
    np.testing.assert_allclose(gram, np.broadcast_to(gain**2 * np.eye(inputs), gram.shape), rtol=0, atol=atol)
    assert abs((kernel**2).sum() - gain**2 * inputs) <= inputs * atol


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("convolutional_orthogonal_1d", (2, 2, 4)),
        ("convolutional_orthogonal_1d", (4, 1, 3)),
        ("convolutional_orthogonal_2d", (2, 2, 2, 4)),
        ("convolutional_orthogonal_2d", (3, 3, 2, 3)),
        ("convolutional_orthogonal_3d", (2, 2, 2, 1, 3)),
    ],
)
def test_orthogonal_convolutions_have_tensorflows_law(name, shape):
    """Over many kernels: entries, the lengths of taps, and how taps lie to one another."""
    battery, count = TestTensorFlow(), 1500
    ours = np.stack([battery.draw_ours(name, {}, shape, tensor=f"w{i}") for i in range(count)])
    theirs = battery.draw_many_theirs(name, {}, shape, count)

    ours, theirs = (m.astype(np.float64).reshape(count, -1, *shape[-2:]) for m in (ours, theirs))
    for statistic in (
        *(lambda m, tap=tap: m[:, tap, 0, 0] for tap in range(ours.shape[1])),
        *(lambda m, tap=tap: (m[:, tap] ** 2).sum(axis=(1, 2)) for tap in range(ours.shape[1])),
        lambda m: m[:, 0, 0, 0] * m[:, 1, 0, 0],
        lambda m: (m[:, 0] * m[:, 1]).sum(axis=(1, 2)),
        lambda m: (m[:, 0] * m[:, -1]).sum(axis=(1, 2)),
        lambda m: np.abs(m).max(axis=(1, 2, 3)),
    ):
        # a length of exactly 0 or 1 has a chance of its own: rounded, lest float32 tell the sides apart
        found = stats.ks_2samp(*(statistic(m).round(4) + 0.0 for m in (ours, theirs)), method="asymp")
        assert found.pvalue > FALSE_ALARM
