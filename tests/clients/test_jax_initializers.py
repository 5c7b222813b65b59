"""JAX itself says what `jax.nn.initializers` draws, from which fans, and what it refuses."""

from __future__ import annotations

import inspect
import math

import h5py
import jax
import numpy as np
import pytest
from battery import REFUSALS, THEIRS
from closed_forms import corrected, cut_modulus, disk, exponential, normal, symmetric, truncated, uniform
from complex_battery import ComplexBattery, squares
from haar_battery import centre
from jax._src.nn.initializers import _compute_fans
from jax.nn import initializers
from jaxlib.mlir.ir import MLIRError

FRAMEWORK = f"jax {jax.__version__}"


def scaling(scale, mode, distribution, **axes):
    return {"scale": scale, "mode": mode, "distribution": distribution, **axes}


# name, parameters, shape, and the law in closed form, with the fans written out by hand.
RANDOM = [
    ("uniform", {}, (500, 500), uniform(0, 0.01)),
    ("uniform", {"scale": 3.0}, (100_000,), uniform(0, 3)),
    ("normal", {}, (500, 500), normal(0.01)),
    ("normal", {"stddev": 2.0}, (3, 3, 64, 128), normal(2)),
    ("truncated_normal", {}, (500, 500), truncated(0.01)),
    ("truncated_normal", {"stddev": 0.5, "lower": -1.0, "upper": 1.0}, (100_000,), truncated(0.5, 0, -1, 1)),
    ("truncated_normal", {"stddev": 0.02, "lower": -3, "upper": 3}, (300, 400), truncated(0.02, 0, -3, 3)),
    ("truncated_normal", {"stddev": 1.5, "lower": -0.5, "upper": 2.5}, (300, 400), truncated(1.5, 0, -0.5, 2.5)),
    ("truncated_normal", {"lower": 0.5, "upper": 1.0}, (300, 400), truncated(0.01, 0, 0.5, 1)),
    ("variance_scaling", scaling(1.0, "fan_in", "truncated_normal"), (512, 256), corrected(math.sqrt(1 / 512))),
    (
        "variance_scaling",
        scaling(2.0, "fan_in", "normal", in_axis=1, out_axis=0),
        (128, 784),
        normal(math.sqrt(2 / 784)),
    ),
    ("variance_scaling", scaling(2.0, "fan_out", "normal"), (3, 3, 64, 128), normal(math.sqrt(2 / (9 * 128)))),
    ("variance_scaling", scaling(0.1, "fan_avg", "uniform"), (784, 128), symmetric(math.sqrt(0.1 / 456))),
    (
        "variance_scaling",
        scaling(1.5, "fan_geo_avg", "truncated_normal"),
        (3, 64, 256),
        corrected(math.sqrt(1.5 / (3 * 128))),
    ),
    ("variance_scaling", scaling(1.0, "fan_geo_avg", "uniform"), (100, 900), symmetric(math.sqrt(1 / 300))),
    (
        "variance_scaling",
        scaling(1, "fan_in", "uniform", batch_axis=0),
        (8, 128, 64),
        symmetric(math.sqrt(1 / 128)),
    ),
    ("variance_scaling", scaling(1.0, "fan_in", "normal", out_axis=0), (1000, 64), normal(math.sqrt(1 / 64))),
    (
        "variance_scaling",
        scaling(1.0, "fan_out", "normal", in_axis=[0, 1], out_axis=2, batch_axis=(3,)),
        (4, 50, 60, 7),
        normal(math.sqrt(1 / 60)),
    ),
    (
        "variance_scaling",
        scaling(1.0, "fan_in", "normal", in_axis=0, out_axis=0, batch_axis=0),
        (400, 250),
        normal(math.sqrt(400 / 250)),
    ),
    ("lecun_uniform", {}, (784, 128), symmetric(math.sqrt(1 / 784))),
    ("lecun_uniform", {"in_axis": -1, "out_axis": -2}, (784, 128), symmetric(math.sqrt(1 / 128))),
    ("lecun_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(1 / (9 * 64)))),
    ("lecun_normal", {"in_axis": 0, "out_axis": (1, 2)}, (512, 8, 64), corrected(math.sqrt(1 / 512))),
    ("glorot_uniform", {}, (784, 128), symmetric(math.sqrt(2 / (784 + 128)))),
    ("glorot_uniform", {"batch_axis": 0}, (9, 64, 128), symmetric(math.sqrt(2 / (64 + 128)))),
    ("glorot_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(2 / (9 * (64 + 128))))),
    ("glorot_normal", {"in_axis": (0, 1), "out_axis": -1}, (8, 64, 100), corrected(math.sqrt(2 / (512 + 100)))),
    ("he_uniform", {}, (784, 128), symmetric(math.sqrt(2 / 784))),
    ("he_uniform", {"in_axis": 1, "out_axis": 0}, (64, 32, 3, 3), symmetric(math.sqrt(2 / (9 * 32)))),
    ("he_normal", {}, (3, 3, 64, 128), corrected(math.sqrt(2 / (9 * 64)))),
    ("he_normal", {"in_axis": 0}, (90_000,), corrected(math.sqrt(2))),
]

FIXED = [
    ("zeros", {}, (3, 4)),
    ("zeros", {}, ()),
    ("ones", {}, (2, 3, 4)),
    ("ones", {}, (0, 5)),
    ("constant", {"value": 0.3}, (5,)),
    ("constant", {"value": -7}, (2, 3)),
    ("constant", {"value": True}, (2, 3)),
]

WIDTHLESS = [
    ("uniform", {"scale": 0.0}, (4, 5)),
    ("normal", {"stddev": 0.0}, (4, 5)),
    ("truncated_normal", {"stddev": 0.0}, (4, 5)),
    ("variance_scaling", scaling(0.0, "fan_in", "uniform"), (4, 5)),
    ("orthogonal", {}, (0, 3)),
    ("orthogonal", {}, (3, 0, 2)),
    ("delta_orthogonal", {}, (3, 0, 4)),
]

REFUSED = [
    ("constant", {}, (3,)),
    ("constant", {"value": [1.0, 2.0]}, (3, 2)),
    *((name, {}, (4, 4), "complex64") for name in ("uniform", "truncated_normal")),
    *((name, {}, (4, 4), "int32") for name in ("uniform", "normal", "truncated_normal", "he_normal", "orthogonal")),
    ("variance_scaling", {}, (4, 4)),
    ("variance_scaling", scaling(1.0, "fan", "normal"), (4, 4)),
    ("variance_scaling", scaling(1.0, "FAN_IN", "normal"), (4, 4)),
    ("variance_scaling", scaling(1.0, "fan_in", "NORMAL"), (4, 4)),
    ("variance_scaling", scaling(1.0, "fan_in", "untruncated_normal"), (4, 4)),
    ("variance_scaling", scaling("1", "fan_in", "normal"), (4, 4)),
    ("he_normal", {}, ()),
    ("he_normal", {}, (5,)),
    ("he_normal", {}, (0, 5)),
    ("he_normal", {}, (5, 0)),
    ("glorot_uniform", {}, (0, 3, 2)),
    ("glorot_uniform", {"in_axis": 0}, ()),
    ("lecun_normal", {"in_axis": 2}, (3, 4)),
    ("lecun_normal", {"in_axis": (-2,)}, (3,)),
    ("lecun_normal", {"out_axis": -3}, (3, 4)),
    ("lecun_normal", {"batch_axis": (0, 2)}, (3, 4)),
    ("lecun_normal", {"in_axis": 1.0}, (3, 4)),
    ("lecun_normal", {"in_axis": (0, 1.0)}, (3, 4)),
    ("lecun_normal", {"in_axis": "0"}, (3, 4)),
    ("lecun_normal", {"in_axis": None}, (3, 4)),
    ("orthogonal", {}, (5,)),
    ("orthogonal", {}, ()),
    ("orthogonal", {"column_axis": 2}, (3, 4)),
    ("orthogonal", {"column_axis": -3}, (3, 4)),
    ("orthogonal", {"column_axis": (0,)}, (3, 4)),
    ("delta_orthogonal", {}, (3, 4)),
    ("delta_orthogonal", {}, (1, 1, 1, 1, 3, 4)),
    ("delta_orthogonal", {}, (3, 5, 4)),
    ("delta_orthogonal", {}, (0, 3, 4)),
    ("delta_orthogonal", {"column_axis": 2}, (3, 3, 4)),
    ("delta_orthogonal", {"column_axis": -3}, (3, 3, 4)),
]

FANS = [
    ("lecun_normal", axes, shape)
    for shape, axes in [
        ((7, 5), {}),
        ((3, 7, 5), {}),
        ((2, 2, 3, 4, 7, 5), {}),
        ((64, 32, 3, 3), {"in_axis": 1, "out_axis": 0}),
        ((512, 8, 64), {"in_axis": 0, "out_axis": (1, 2)}),
        ((3, 7, 5), {"in_axis": (0, 1)}),
        ((8, 128, 64), {"batch_axis": 0}),
        ((8, 4, 128, 64), {"batch_axis": (0, 1)}),
        ((1000, 64), {"out_axis": 0}),
        ((3, 4, 5), {"in_axis": (0, 1), "out_axis": 1}),
        ((3, 4, 5), {"in_axis": 0, "out_axis": 0, "batch_axis": 0}),
        ((4,), {"in_axis": 0}),
        ((4,), {"in_axis": (), "out_axis": ()}),
        ((), {"in_axis": (), "out_axis": ()}),
    ]
]


def columns_of(axis):
    """A view: a kernel as a matrix whose columns run along `axis`."""
    return lambda kernel: np.moveaxis(kernel, axis, -1).reshape(-1, kernel.shape[axis])


MATRICES = [
    *(
        ("orthogonal", {"scale": scale, "column_axis": axis}, shape, scale, columns_of(axis))
        for scale in (1.0, -2.0)
        for shape, axis in (
            ((64, 64), -1),
            ((96, 32), 0),
            ((32, 96), 1),
            ((3, 3, 16, 48), -1),
            ((3, 3, 16, 48), 2),
            ((48, 16, 3, 3), 0),
            ((2, 4, 200), -2),
            ((8, 1), 0),
        )
    ),
    *(
        ("delta_orthogonal", {"scale": 2.0, "column_axis": axis}, shape, 2.0, centre)
        for axis in (-1, 0)
        for shape in ((4, 4, 8), (3, 5, 16, 16), (1, 2, 3, 8, 32), (3, 3, 32, 64))
    ),
]
SMALL = [
    ("orthogonal", {}, (6, 6), np.asarray),
    ("orthogonal", {}, (4, 6), np.asarray),
    ("orthogonal", {"column_axis": 1}, (2, 6, 3), lambda kernel: kernel[0]),
    ("orthogonal", {"column_axis": 0}, (6, 2, 3), lambda kernel: kernel[:, 1]),
    ("delta_orthogonal", {}, (2, 4, 6), centre),
    ("delta_orthogonal", {"column_axis": 0}, (3, 4, 6), centre),
]
LARGE = [
    ("orthogonal", {}, (256, 256)),
    ("orthogonal", {"column_axis": 0, "scale": 3.0}, (3, 16, 64)),
    ("orthogonal", {"column_axis": 1}, (16, 100, 9)),
    ("delta_orthogonal", {}, (1, 100, 300)),
]
ACCEPTED = [
    ("orthogonal", {"scale": -1.0}, (1, 1)),
    ("truncated_normal", {"lower": -1, "upper": -1}, (2, 3)),
    ("zeros", {}, (2, 3), "complex64"),
    ("ones", {}, (2, 3), "complex64"),
    ("constant", {"value": 0.5}, (2, 3), "complex64"),
    *((name, {}, (2, 2), dtype) for name in ("zeros", "ones") for dtype in ("int32", "bool")),
    *((name, {}, (4, 5), dtype) for name in ("normal", "he_uniform", "he_normal") for dtype in ("float16", "bfloat16")),
    *(("normal", {}, (4, 5), dtype) for dtype in ("float8_e4m3fn", "float8_e5m2")),
]
STRICTER = [
    ("normal", {"stddev": -1.0}, (4, 4)),
    ("uniform", {"scale": -1.0}, (4, 4)),
    ("truncated_normal", {"stddev": -1.0}, (4, 4)),
    ("truncated_normal", {"lower": 1.0, "upper": -1.0}, (4, 4)),
    ("variance_scaling", scaling(-1.0, "fan_in", "normal"), (4, 4)),
    ("constant", {"value": np.array([1.0, 2.0])}, (3, 2)),
    ("orthogonal", {}, (4, 4), "complex64"),
    ("delta_orthogonal", {}, (3, 4, 4), "complex64"),
]
COMPLEX = [
    (name, parameters, squares, law)
    for name, parameters, law in [
        ("normal", {}, exponential(1e-4)),
        ("variance_scaling", scaling(2.0, "fan_in", "normal"), exponential(2 / 500)),
        ("variance_scaling", scaling(1.0, "fan_out", "uniform"), disk(1 / 400)),
        ("variance_scaling", scaling(1.0, "fan_avg", "truncated_normal"), cut_modulus(1 / 450)),
        ("lecun_uniform", {}, disk(1 / 500)),
        ("lecun_normal", {}, cut_modulus(1 / 500)),
        ("lecun_normal", {"in_axis": -1, "out_axis": -2}, cut_modulus(1 / 400)),
        ("glorot_uniform", {}, disk(1 / 450)),
        ("glorot_normal", {}, cut_modulus(1 / 450)),
        ("he_uniform", {}, disk(2 / 500)),
        ("he_normal", {}, cut_modulus(2 / 500)),
    ]
]
MOMENTS = {"truncated_normal": 1e-13}  # SciPy's of an asymmetric cut lose a few digits


class TestJax(ComplexBattery):
    framework = "jax"
    refusals = (*REFUSALS, MLIRError)
    random, fixed, widthless, moments, fans = RANDOM, FIXED, WIDTHLESS, MOMENTS, FANS
    accepted, stricter, refused = ACCEPTED, STRICTER, REFUSED
    matrices, small, large, complex = MATRICES, SMALL, LARGE, COMPLEX

    def draw_theirs(self, name, parameters, shape, seed=THEIRS, dtype="float32"):
        theirs = getattr(initializers, name)
        if name not in ("zeros", "ones") or parameters:
            theirs = theirs(**parameters)
        return np.asarray(theirs(jax.random.key(seed), shape, np.dtype(dtype)))

    def fans_theirs(self, parameters, shape):
        return _compute_fans(shape, **parameters)

    def signature_theirs(self, name):
        return () if name in ("zeros", "ones") else inspect.signature(getattr(initializers, name)).parameters.values()


BATTERY = TestJax()


@pytest.mark.proves("the list of entries")
def test_every_initializer_of_jax_is_here():
    """Each public name, and every alias as the same initializer."""
    public = {name for name in dir(initializers) if not name.startswith("_") and name.islower()}
    ours = BATTERY.entries_ours()
    aliases = {alias: name for name, cls in ours.items() for alias in cls.aliases}

    assert public == set(ours) | set(aliases)
    for alias, name in aliases.items():
        assert getattr(initializers, alias) is getattr(initializers, name)


@pytest.mark.proves("a spec of jax")
def test_a_spec_of_jax_gives_what_the_initializers_draw(generate, tmp_path):
    """The command writes the arrays that the Python API draws, named axes included."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "initcli: 1\nframework: jax\nseed: 42\ntensors:\n"
        "  query: {shape: [64, 4, 16], init: {name: lecun_normal, in_axis: 0, out_axis: [1, 2]}}\n"
        "  conv: {shape: [3, 8, 8], init: delta_orthogonal}\n",
        "utf-8",
    )

    with h5py.File(generate(spec, tmp_path / "w.h5"), "r") as file:
        query, conv = file["query"][...], file["conv"][...]

    expected = BATTERY.draw_ours("lecun_normal", {"in_axis": 0, "out_axis": (1, 2)}, (64, 4, 16), tensor="query")
    assert (query == expected).all()
    assert (conv == BATTERY.draw_ours("delta_orthogonal", {}, (3, 8, 8), tensor="conv")).all()
