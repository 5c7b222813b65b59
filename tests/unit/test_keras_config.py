"""Initializers as Keras writes them: one reading for Python and for a spec, each fault at its place."""

import json
from typing import Any

import pytest

from initcli import initializers
from initcli.errors import ArgumentError, InitcliError
from initcli.initializers.keras_config import read_config
from initcli.resolution import load_plan

# What keras.initializers.serialize of Keras 3.15.1 and Keras 2.2.4 wrote, or tf.keras 2.15, and what it means here.
WRITTEN: list[tuple[dict[str, Any], str]] = [
    (
        {
            "module": "keras.initializers",
            "class_name": "HeNormal",
            "config": {"seed": None, "input_axes": None, "output_axes": None},
            "registered_name": None,
        },
        "he_normal",
    ),
    (
        {
            "module": "keras.initializers",
            "class_name": "GlorotUniform",
            "config": {"seed": 3, "input_axes": [0], "output_axes": [1, 2]},
            "registered_name": None,
        },
        "glorot_uniform(input_axes=[0], output_axes=[1, 2])",
    ),
    (
        {
            "class_name": "VarianceScaling",
            "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
        },
        "variance_scaling(mode=fan_avg, distribution=uniform)",
    ),
    (
        {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.02, "seed": None, "dtype": "float32"}},
        "random_normal(stddev=0.02)",
    ),
    ({"class_name": "OrthogonalInitializer", "config": {"gain": 2.0, "seed": None}}, "orthogonal(gain=2.0)"),
    ({"module": "keras.initializers", "class_name": "IdentityInitializer", "config": {"gain": 1.0}}, "identity"),
    ({"class_name": "GlorotNormalV2", "config": {"seed": None}}, "glorot_normal"),
    (
        {
            "module": "keras.initializers",
            "class_name": "STFTInitializer",
            "config": {"side": "imag", "window": "hamming", "periodic": False, "scaling": "density"},
            "registered_name": None,
        },
        "stft(side=imag, window=hamming)",
    ),
    (
        {
            "module": "keras.initializers",
            "class_name": "Constant",
            "config": {"value": {"class_name": "__numpy__", "config": {"value": [[0, 1, 2]], "dtype": "int64"}}},
            "registered_name": None,
        },
        "constant(value=((0, 1, 2),))",
    ),
    ({"class_name": "Zeros", "config": None}, "zeros"),
    ({"class_name": "Ones"}, "ones"),
]


def spec(init: str, framework: str = "keras") -> bytes:
    return f"initcli: 1\nframework: {framework}\ntensors:\n  w: {{shape: [2, 1, 3], init: {init}}}\n".encode()


@pytest.mark.parametrize(("config", "meaning"), WRITTEN)
def test_a_config_means_the_same_to_python_and_in_a_spec(config: dict[str, Any], meaning: str) -> None:
    """With the seed that it carries."""
    shape = "[2, 3]" if meaning == "identity" else "[2, 1, 3]"
    text = spec(json.dumps(config)).replace(b"[2, 1, 3]", shape.encode())

    made = initializers.get(config)
    (planned,) = load_plan(text, "spec.yaml").tensors

    assert str(made) == meaning
    assert planned.initializer == made
    assert made.framework == "keras"
    assert made.seed == (config.get("config") or {}).get("seed")


@pytest.mark.parametrize("framework", ["torch", "keras2_1", "tensorflow"])
def test_what_keras_3_writes_is_kerass_in_a_spec_of_any_framework(framework: str) -> None:
    """It says so by its module; without one, the name is the spec's framework's."""
    config = {"module": "keras.initializers", "class_name": "Orthogonal", "config": {"gain": 2.0}}
    bare = {"class_name": "Orthogonal", "config": {"gain": 2.0}}

    for written, name in ((config, "keras.orthogonal"), (bare, f"{framework}.orthogonal")):
        (planned,) = load_plan(spec(json.dumps(written), framework), "spec.yaml").tensors
        assert planned.initializer.qualified_name() == name
        assert initializers.get(written, framework) == planned.initializer


# what is written -> (line, column, key path, what it says)
FAULTS: list[tuple[str, int, int, str, str]] = [
    ("{class_name: 3}", 4, 44, "tensors.w.init.class_name", "no `class_name` in"),
    ("{class_name: Zeros, confg: {}}", 4, 51, "tensors.w.init.confg", "unknown key `confg`"),
    ("{class_name: Zeros, config: 3}", 4, 59, "tensors.w.init.config", "`config` must be a mapping, got `3`"),
    (
        "{class_name: HeNormal, config: {stddev: 1}}",
        *(4, 71, "tensors.w.init.config.stddev", "`he_normal` has no parameter `stddev`"),
    ),
    (
        "{class_name: RandomNormal, config: {stddev: -1}}",
        *(4, 75, "tensors.w.init.config.stddev", "`stddev` must be at least 0, got -1"),
    ),
    (
        "{module: keras.initializers, class_name: Zeros, config: {dtype: float32}}",
        *(4, 95, "tensors.w.init.config.dtype", "`zeros` has no parameter `dtype`"),
    ),
    ("{class_name: HeNormall}", 4, 44, "tensors.w.init", "unknown initializer `HeNormall`"),
]


@pytest.mark.parametrize(("init", "line", "column", "path", "what"), FAULTS)
def test_a_fault_of_a_config_is_told_at_its_place(init: str, line: int, column: int, path: str, what: str) -> None:
    """The key that is unknown, or the value that is wrong."""
    with pytest.raises(InitcliError) as caught:
        load_plan(spec(init), "spec.yaml")

    (fault,) = caught.value.faults
    assert fault.position is not None
    assert (fault.position.line, fault.position.column, fault.path) == (line, column, path)
    assert what in fault.what


def test_a_name_in_full_is_left_as_it_is() -> None:
    """`module` completes bare names only, and only Keras's."""
    assert read_config({"class_name": "torch.Normal", "module": "keras.initializers"}) == ("torch.Normal", {})
    assert read_config({"class_name": "Mine", "module": "mypackage", "registered_name": "mypackage>Mine"}) == (
        "Mine",
        {},
    )
    assert read_config({"class_name": "Mine", "module": None}) == ("Mine", {})


def test_a_value_that_is_no_array_of_keras_is_refused() -> None:
    """Only `__numpy__` and `__tensor__` are arrays."""
    with pytest.raises(ArgumentError, match="`value` must be a number or an array"):
        initializers.get("constant", value={"class_name": "__lambda__", "config": {"value": "x"}})
