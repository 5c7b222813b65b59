"""The JSON Schema of a spec says what the program says: no less of what there is, and no more of what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from initcli.calls import parse_call
from initcli.document import parse_document
from initcli.errors import ArgumentError, InitcliError
from initcli.fans import FANS_BY_FRAMEWORK
from initcli.initializers import keras_config, registered
from initcli.initializers.base import build
from initcli.initializers.page import read_page
from initcli.initializers.registry import find, known_names
from initcli.layers import STYLES, known_layers
from initcli.resolution import load_plan
from initcli.spec import definitions
from initcli.spec.schema import spec_schema

SPECS = Path(__file__).parents[2] / "specs"
TABLES = ("SPEC", "TENSOR", "RULE", "DEFAULT", "LAYER", "BLOCK", "NAMED_INIT", "CONFIG")

SOUND = {
    "shapes and calls": """
        {initcli: 1, framework: torch, seed: 42, dtype: kind, vars: {d: 4, kind: bfloat16, n: d/2},
        tensors: {a: [d, 2*d], b: {shape: [n], init: "normal(std=0.02/sqrt(2*n))", dtype: float16, seed: 3},
        "c.{i:0..1}": {shape: [d], init: keras.he_normal, fan_in: i+1}, e: {tie: a}, f: {shape: [], init: ones_}},
        defaults: [{match: "*", rank: 1, dtype: float32}, {match: "b", axes: out}],
        rules: [{match: a, shape: [null, 2*d], init: {name: torch.normal, std: 1/d, seed: 4}}]}""",
    "Keras's configs": """
        {framework: torch, tensors: {
        a: {shape: [2], init: {class_name: Zeros, config: null}},
        b: {shape: [2], init: {class_name: keras.RandomNormal, config: {stddev: 2*1, seed: null, dtype: float32}}},
        c: {shape: [2], init: {class_name: RandomNormal, config: {stddev: 2}, module: keras.src.initializers,
        registered_name: null}}, d: {shape: [2], init: keras.HeNormalV2}}}""",
    "layers of Keras": """
        {layers: [{class: Conv1D, input_shape: [null, 28], filters: 8, kernel_size: 3,
        kernel_initializer: {name: he_normal}}, {class: Dense, name: out, units: 2, bias_initializer: constant(0.5),
        activation: relu, init: {kernel: zeros}}]}""",
    "layers of PyTorch": """
        {framework: torch, vars: {n: 2}, layers: [{class: PReLU, init: 0.5}, {class: PReLU, init: {weight: ones}},
        {prefix: "h.{i:0..1}", repeat: n, layers: [{class: Linear, in_features: i+1, out_features: n}]}]}""",
    "layers of flax": """
        {framework: jax, layers: [{class: nnx.Linear, in_features: 2, out_features: 3, bias_init: ones}]}""",
}

FAULTY = {
    "a list": "[1, 2]",
    "an unknown key": "{sed: 3, tensors: {a: {shape: [2], init: zeros}}}",
    "another version": "{initcli: 2, tensors: {a: {shape: [2], init: zeros}}}",
    "an unknown framework": "{framework: pytorch, tensors: {a: {shape: [2], init: zeros}}}",
    "a negative seed": "{seed: -1, tensors: {a: {shape: [2], init: zeros}}}",
    "a seed that is no number": "{seed: [1], tensors: {a: {shape: [2], init: zeros}}}",
    "a variable that is a list": "{vars: {d: [2]}, tensors: {a: {shape: [2], init: zeros}}}",
    "an include of a number": "{include: 3, tensors: {a: {shape: [2], init: zeros}}}",
    "a dtype that is a number": "{dtype: 32, tensors: {a: {shape: [2], init: zeros}}}",
    "tensors in a list": "{tensors: [a, b]}",
    "a negative dimension": "{tensors: {a: {shape: [2, -3], init: zeros}}}",
    "a negative dimension alone": "{tensors: {a: [-3]}, rules: [{match: a, init: zeros}]}",
    "a broken dimension": "{tensors: {a: {shape: [2.5], init: zeros}}}",
    "an open dimension": "{tensors: {a: {shape: [null], init: zeros}}}",
    "a shape of too many dimensions": f"{{tensors: {{a: {{shape: {[1] * 33}, init: zeros}}}}}}",
    "a tensor without a shape": "{tensors: {a: {init: zeros}}}",
    "a tensor's unknown key": "{tensors: {a: {shape: [2], inti: zeros}}}",
    "a tensor that is text": "{tensors: {a: two}}",
    "a fan of 0": "{tensors: {a: {shape: [2, 2], init: he_normal, fan_in: 0}}}",
    "fans told twice": "{tensors: {a: {shape: [2, 2], init: he_normal, fan_in: 3, axes: in out}}}",
    "axes in a list": "{tensors: {a: {shape: [2, 2], init: he_normal, axes: [in, out]}}}",
    "a tie with an init": "{tensors: {a: {shape: [2], init: zeros}, b: {tie: a, init: zeros}}}",
    "a rule without a match": "{tensors: {a: [2]}, rules: [{init: zeros}]}",
    "a rule without an init": "{tensors: {a: {shape: [2], init: zeros}}, rules: [{match: a}]}",
    "a rule's unknown key": "{tensors: {a: [2]}, rules: [{match: a, init: zeros, axes: in}]}",
    "a rule for a name that is empty": '{tensors: {a: [2]}, rules: [{match: "", init: zeros}]}',
    "rules in a mapping": "{tensors: {a: [2]}, rules: {match: a, init: zeros}}",
    "a default that gives nothing": "{tensors: {a: {shape: [2], init: zeros}}, defaults: [{match: a}]}",
    "an unknown initializer": "{tensors: {a: {shape: [2], init: he_norml}}}",
    "an unknown initializer in a call": "{tensors: {a: {shape: [2], init: nromal(stddev=2)}}}",
    "an unknown initializer in full": "{tensors: {a: {shape: [2], init: torch.he_normal}}}",
    "another framework's initializer": "{tensors: {a: {shape: [2, 2], init: kaiming_normal}}}",
    "an unknown initializer in a rule": "{tensors: {a: [2]}, rules: [{match: a, init: {name: he_norml}}]}",
    "an initializer that is a number": "{tensors: {a: {shape: [2], init: 0}}}",
    "an initializer without a name": "{tensors: {a: {shape: [2], init: {stddev: 2}}}}",
    "a call as a name": "{tensors: {a: {shape: [2], init: {name: normal(0.02)}}}}",
    "an initializer's unknown parameter": "{tensors: {a: {shape: [2], init: {name: normal, std: 2}}}}",
    "the same in full": "{tensors: {a: {shape: [2], init: {name: torch.normal, stddev: 2}}}}",
    "a parameter that is a list": "{tensors: {a: {shape: [2], init: {name: normal, stddev: [2]}}}}",
    "a parameter that is missing": "{tensors: {a: {shape: [2, 2], init: {name: recipe.subln, layers: 3}}}}",
    "a config's unknown key": "{tensors: {a: {shape: [2], init: {class_name: Zeros, confg: {}}}}}",
    "a config's unknown class": "{tensors: {a: {shape: [2], init: {class_name: Zeroes, module: keras}}}}",
    "a config's unknown parameter": """
        {tensors: {a: {shape: [2], init: {class_name: RandomNormal, config: {std: 2}, module: keras.initializers}}}}""",
    "layers of a framework without them": "{framework: caffe, layers: [{class: Dense, units: 2}]}",
    "a layer without a class": "{input_shape: [2], layers: [{units: 2}]}",
    "an unknown layer": "{input_shape: [2], layers: [{class: Dens, units: 2}]}",
    "another framework's layer": "{input_shape: [2], layers: [{class: Linear, in_features: 2, out_features: 2}]}",
    "a layer's unknown argument": "{input_shape: [2], layers: [{class: Dense, unit: 2, units: 2}]}",
    "a layer's missing argument": "{input_shape: [2], layers: [{class: Dense}]}",
    "a layer's unknown initializer": "{input_shape: [2], layers: [{class: Dense, units: 2, kernel_initializer: he}]}",
    "a layer's initializer with an unknown parameter": """
        {framework: torch, layers: [{class: Linear, in_features: 2, out_features: 2,
        init: {weight: {name: kaiming_normal, mod: fan_in}}}]}""",
    "a layer in a block": """
        {framework: torch, layers: [{prefix: h, layers: [{class: Linear, in_feature: 2, out_features: 2}]}]}""",
    "a block with a class": """
        {framework: torch, layers: [{class: ReLU, layers: [{class: Linear, in_features: 2, out_features: 2}]}]}""",
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema, made once."""
    return spec_schema()


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """What checks specs by it."""
    return Draft202012Validator(schema)


def read(text: bytes) -> Any:
    """Return the plain data that the program reads a text as."""
    root = parse_document(text, "spec.yaml", [])
    assert root is not None
    return root.to_data()


def validator_of(schema: dict[str, Any], framework: str, part: str) -> Draft202012Validator:
    """Return what checks one of the definitions for a framework."""
    return Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{framework}/$defs/{part}"})


def properties_in(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield every property that a schema knows, with what it says of it."""
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for each in inner:
        yield from properties_in(each)
    if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        yield from schema["properties"].items()


def test_the_schema_is_one_of_2020_12(schema):
    """It follows its own metaschema, and says which."""
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", sorted(SPECS.iterdir()), ids=lambda path: path.name)
def test_the_specs_that_come_with_the_program_are_right(validator, path):
    """Each is found to be without a fault."""
    assert not list(validator.iter_errors(read(path.read_bytes())))


@pytest.mark.parametrize("text", SOUND.values(), ids=SOUND)
def test_every_form_that_the_program_takes_is_right(validator, text):
    """What the program makes a plan of has no fault by the schema."""
    assert load_plan(text.encode(), "spec.yaml").tensors
    assert not list(validator.iter_errors(read(text.encode())))


@pytest.mark.parametrize("text", FAULTY.values(), ids=FAULTY)
def test_what_the_schema_refuses_the_program_refuses(validator, text):
    """A fault is one in the editor and on the command line."""
    assert not validator.is_valid(read(text.encode()))
    with pytest.raises(InitcliError):
        load_plan(text.encode(), "spec.yaml")


@pytest.mark.parametrize("table", TABLES)
def test_every_key_is_there_with_its_meaning(schema, table):
    """An editor shows what the key means."""
    shown = {(name, each.get("description")) for name, each in properties_in(schema) if isinstance(each, dict)}

    assert {(name, key.meaning) for name, key in getattr(definitions, table).items()} <= shown


def test_the_keys_of_a_config_are_those_that_are_read():
    """The definitions' keys are those of the module that reads Keras's configs."""
    assert tuple(definitions.CONFIG) == keras_config.KEYS


@pytest.mark.parametrize("framework", sorted(FANS_BY_FRAMEWORK))
def test_every_name_of_an_initializer_is_known(schema, framework):
    """The bare names of the framework, and everyone's full names and aliases; of others no bare name."""
    init = validator_of(schema, framework, "init")
    bare = {name.partition(".")[2]: name for name in known_names()}

    refused = {name for name in (*known_names(), *bare) if not init.is_valid(name)}

    assert refused == {name for name in bare if f"{framework}.{name}" not in known_names()}


@pytest.mark.parametrize("full", registered())
def test_every_parameter_is_there_with_its_meaning_and_default(schema, full):
    """A mapping with the initializer's name may have its parameters, each as its page tells it, and no others."""
    page = read_page(registered()[full])
    cases = schema["$defs"]["parameters"]["$defs"][page.framework]["then"]["allOf"]

    (parameters,) = [each["then"] for each in cases if Draft202012Validator(each["if"]).is_valid({"name": full})]

    assert parameters["properties"].keys() == {"name", "seed", *(each.name for each in page.parameters)}
    assert parameters["additionalProperties"] is False
    for each in page.parameters:
        told = parameters["properties"][each.name]
        assert told["description"] == each.meaning
        assert (each.name in parameters.get("required", [])) == each.is_required
        if not each.is_required:
            assert told["default"] == (list(each.default) if isinstance(each.default, tuple) else each.default)


def test_a_parameter_of_a_kind_that_is_refused_is_refused_by_the_initializer(schema):
    """Whatever kind of value the schema does not take for a parameter, the initializer does not take either."""
    init = validator_of(schema, "keras", "init")
    count = 0
    for line in read((SPECS / "every_initializer.yaml").read_bytes())["tensors"].values():
        cls, given = read_init(line["init"])
        assert init.is_valid({"name": cls.qualified_name(), **given})
        for name in (*(field.name for field in cls.parameters()), "seed"):
            for value in (True, None, 1.5, -1, [1], {"a": 1}):
                if not init.is_valid({"name": cls.qualified_name(), **given, name: value}):
                    count += 1
                    with pytest.raises(ArgumentError):
                        build(cls, {**given, name: value})

    assert count > 2 * len(registered())


def read_init(text: str | dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the class of an initializer in a spec of Keras's, and what is given to it by name, as JSON has it."""
    if isinstance(text, dict):
        return find(text["name"]), {name: value for name, value in text.items() if name != "name"}
    name, positional, named = parse_call(text)
    cls = find(name)
    given = {**dict(zip([field.name for field in cls.parameters()], positional, strict=False)), **named}
    return cls, {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


@pytest.mark.parametrize("framework", STYLES)
def test_every_layer_takes_its_arguments_and_no_others(schema, framework):
    """Each class is known, with each of its arguments at its default."""
    layer = validator_of(schema, framework, "layer")
    for name, each in known_layers(framework).items():
        arguments = {key: 1 if p.default is p.empty else p.default for key, p in each.parameters.items()}

        assert not list(layer.iter_errors({"class": name, "name": "a", **arguments})), name
        assert not layer.is_valid({"class": name, "no_such_argument": 1, **arguments}), name
