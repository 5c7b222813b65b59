"""What TensorFlow's earlier versions did, as their formulas say, drawn by the samplers of TensorFlow of today."""

from __future__ import annotations

import math

import tensorflow as tf
from battery import THEIRS
from closed_forms import symmetric, truncated
from haar_battery import HaarBattery, centre, tap_sum
from tensorflow.python.ops import init_ops

FRAMEWORK = f"tensorflow {tf.__version__}"

FAN = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}


def draw_scaled(shape, variance, is_uniform):
    """TensorFlow's own sampler at a variance before any cut."""
    if is_uniform:
        return tf.random.uniform(shape, -math.sqrt(3 * variance), math.sqrt(3 * variance))
    return tf.random.truncated_normal(shape, stddev=math.sqrt(variance))


class _Formulas(HaarBattery):
    is_run = False

    def draw_theirs(self, name, parameters, shape, seed=THEIRS, dtype="float32"):
        tf.random.set_seed(seed)
        return tf.cast(getattr(self, f"draw_{name}")(shape, **parameters), dtype).numpy()

    def fans_theirs(self, parameters, shape):
        return init_ops._compute_fans(shape)


# name, parameters, shape, and the law in closed form, with the fans written out by hand.
RANDOM_1_9 = [
    ("variance_scaling", {}, (512, 256), truncated(math.sqrt(1 / 512))),
    ("variance_scaling", {"scale": 2.0, "mode": "fan_out"}, (3, 3, 64, 128), truncated(math.sqrt(2 / (9 * 128)))),
    ("variance_scaling", {"mode": "fan_avg"}, (90_000,), truncated(math.sqrt(1 / 90_000))),
    ("variance_scaling", {"scale": 0.1, "distribution": "uniform"}, (784, 128), symmetric(math.sqrt(0.1 / 784))),
    ("glorot_normal", {}, (784, 128), truncated(math.sqrt(2 / (784 + 128)))),
    ("glorot_normal", {}, (3, 3, 64, 128), truncated(math.sqrt(2 / (9 * (64 + 128))))),
]
WIDTHLESS_1_9 = [("glorot_normal", {}, (0, 5))]
FANS_1_9 = [(name, {}, (3, 7, 5)) for name in ("variance_scaling", "glorot_normal")]
MATRICES_1_9 = [
    *(("convolutional_delta_orthogonal", {"gain": 4.0}, shape, 2.0, centre) for shape in ((4, 4, 8), (3, 5, 6, 6))),
    *(("convolutional_orthogonal_1d", {"gain": 4.0}, shape, 2.0, tap_sum) for shape in ((1, 4, 6), (3, 8, 16))),
    *(("convolutional_orthogonal_2d", {"gain": 0.25}, shape, 0.5, tap_sum) for shape in ((1, 1, 4, 6), (3, 3, 4, 8))),
    *(("convolutional_orthogonal_3d", {"gain": 9.0}, shape, 3.0, tap_sum) for shape in ((2, 2, 2, 4, 6),)),
]
LARGE_1_9 = [("convolutional_delta_orthogonal", {"gain": 4.0}, (1, 100, 300))]


class TestTensorFlow19(_Formulas):
    framework = "tensorflow1_9"
    client = f"{FRAMEWORK}, formula of 1.9"
    random, widthless, fans, matrices, large = RANDOM_1_9, WIDTHLESS_1_9, FANS_1_9, MATRICES_1_9, LARGE_1_9

    def draw_variance_scaling(self, shape, scale=1.0, mode="fan_in", distribution="normal"):
        fan = FAN[mode](*self.fans_theirs({}, shape))
        return draw_scaled(shape, scale / max(1.0, fan), distribution == "uniform")

    def draw_glorot_normal(self, shape):
        return self.draw_variance_scaling(shape, mode="fan_avg")

    def __getattr__(self, name):
        """Draw today's convolution with the root of the gain."""
        if not name.startswith("draw_convolutional"):
            raise AttributeError(name)
        make = getattr(init_ops, name.removeprefix("draw_"))
        return lambda shape, gain=1.0: make(gain=math.sqrt(gain))(shape)


RANDOM_CONTRIB = [
    ("variance_scaling", {}, (512, 256), truncated(math.sqrt(1.3 * 2 / 512))),
    ("variance_scaling", {"factor": 1.0, "mode": "FAN_OUT"}, (5, 64, 96), truncated(math.sqrt(1.3 / (5 * 96)))),
    ("variance_scaling", {"factor": 3.0, "mode": "FAN_AVG", "uniform": True}, (400, 200), symmetric(0.1)),
    ("xavier", {}, (784, 128), symmetric(math.sqrt(2 / (784 + 128)))),
    ("xavier", {}, (90_000,), symmetric(math.sqrt(1 / 90_000))),
    ("xavier", {"uniform": False}, (3, 3, 64, 128), truncated(math.sqrt(1.3 * 2 / (9 * (64 + 128))))),
]
FANS_CONTRIB = [(name, {}, shape) for name in ("variance_scaling", "xavier") for shape in ((7,), (3, 7, 5))]
WIDTHLESS_CONTRIB = [("variance_scaling", {"factor": 0.0}, (3, 4))]


class TestContrib(_Formulas):
    framework = "tf_contrib"
    client = f"{FRAMEWORK}, formula of contrib"
    random, fans, widthless = RANDOM_CONTRIB, FANS_CONTRIB, WIDTHLESS_CONTRIB

    def draw_variance_scaling(self, shape, factor=2.0, mode="FAN_IN", uniform=False):
        variance = factor / FAN[mode.lower()](*self.fans_theirs({}, shape))
        return draw_scaled(shape, variance if uniform else 1.3 * variance, uniform)

    def draw_xavier(self, shape, uniform=True):
        return self.draw_variance_scaling(shape, 1.0, "FAN_AVG", uniform)
