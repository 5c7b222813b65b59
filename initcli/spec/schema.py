"""The JSON Schema of a spec, by which editors complete and check it: made of what the program itself reads specs by.

What the schema refuses, the program refuses. It cannot compute: text may be arithmetic wherever a number stands. What
depends on the spec's `framework` is laid over what does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter

from initcli.fans import FANS_BY_FRAMEWORK
from initcli.layers import STYLES, Layer, known_layers
from initcli.layers.keras_arguments import ACTIVATIONS
from initcli.spec import Spec, definitions
from initcli.spec.initializer_schema import Catalogue, Schema, default, if_text, pattern, ref

_TIED = ("tie", "shape")
"""The keys that a tensor with a `tie` may have."""


def spec_schema() -> Schema:
    """Return the JSON Schema of a spec, with every initializer that is registered and every layer.

    Raises:
        ArgumentError: the entry point of an installed package is broken.
    """
    catalogue = Catalogue.of_registered()
    known = sorted(FANS_BY_FRAMEWORK)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_mapping(definitions.SPEC),
        "allOf": [_if_framework(name) for name in known],
        "$defs": {
            "framework": {"enum": known},
            "activation": {"examples": ACTIVATIONS.split()},
            "init": {"type": ["string", "object"], "allOf": [ref("weight_init")]},
            "weight_init": _weight_init(),
            "tensor": _tensor(),
            "rule": _mapping(definitions.RULE),
            "default": {**_mapping(definitions.DEFAULT), "anyOf": [{"required": ["dtype"]}, {"required": ["axes"]}]},
            "layer": _layer(),
            **catalogue.definitions(),
            **{name: _framework(name, catalogue) for name in known},
        },
    }


def _mapping(keys: Mapping[str, definitions.Key]) -> Schema:
    """Return the schema of a mapping that has these keys and no others."""
    return {**_open_mapping(keys), "additionalProperties": False}


def _open_mapping(keys: Mapping[str, definitions.Key]) -> Schema:
    properties = {name: {**key.schema, "description": key.meaning} for name, key in keys.items()}
    required = [name for name, key in keys.items() if key.is_required]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _weight_init() -> Schema:
    """Return the schema of an initializer of any framework, or of what else may stand in an argument that is one."""
    config, named = _mapping(definitions.CONFIG), _open_mapping(definitions.NAMED_INIT)
    forms = {"if": {"required": ["class_name"]}, "then": config, "else": named}
    return {"if": {"type": "object"}, "then": forms}


def _tensor() -> Schema:
    """Return the schema of a tensor: its shape, or a mapping."""
    tied = {"properties": dict.fromkeys(_TIED, True), "additionalProperties": False}
    is_told_once = {"if": {"required": ["axes"]}, "then": {"properties": {"fan_in": False, "fan_out": False}}}
    mapping = {
        **_mapping(definitions.TENSOR),
        "if": {"required": ["tie"]},
        "then": tied,
        "else": {"required": ["shape"]},
        "allOf": [is_told_once],
    }
    return {"anyOf": [definitions.SHAPE, mapping]}


def _layer() -> Schema:
    """Return the schema of a layer of any framework, or a block of layers."""
    layer, block = _open_mapping(definitions.LAYER), _open_mapping(definitions.BLOCK)
    begun = {"properties": {"class": layer["properties"]["class"], **block["properties"]}, "required": ["class"]}
    return {
        "type": "object",
        "if": _has("layers"),
        "then": _mapping(definitions.BLOCK),
        "else": {"if": _has("class"), "then": layer, "else": begun},
    }


def _has(key: str) -> Schema:
    """Return the condition that something is a mapping with a key."""
    return {"type": "object", "required": [key]}


def _if_framework(name: str) -> Schema:
    """Return that what a framework says of a spec holds, if the spec is of it."""
    stated = {"required": ["framework"]} if name != Spec().framework else {}
    return {"if": {"properties": {"framework": {"pattern": pattern([name])}}, **stated}, "then": ref(name)}


def _framework(name: str, catalogue: Catalogue) -> Schema:
    """Return what a framework says of a spec: its initializers and its layers."""
    init = ref(name, "init")
    layers: Schema = {"items": ref(name, "layer")} if name in STYLES else {"maxItems": 0}
    return {
        "properties": {
            "tensors": {"additionalProperties": {"properties": {"init": init}}},
            "rules": {"items": {"properties": {"init": init}}},
            "layers": layers,
        },
        "$defs": {**catalogue.init(name), **(_layers(name) if name in STYLES else {})},
    }


def _layers(framework: str) -> Schema:
    """Return the definitions of a framework's layers: one of them, or a block, and each class with its arguments."""
    known = known_layers(framework)
    layer = {
        "if": _has("layers"),
        "then": {"properties": {"layers": {"items": ref(framework, "layer")}}},
        "else": {
            "properties": {
                "class": {"enum": list(known), "errorMessage": f"unknown layer class of {framework}"},
                "init": {"additionalProperties": ref(framework, "init")},
            },
            **if_text("class", {name: _class(each) for name, each in known.items()}),
        },
    }
    return {
        "layer": layer,
        "weight_init": {"allOf": [ref("weight_init"), ref(framework, "init")]},
    }


def _class(layer: Layer) -> Schema:
    """Return the schema of a layer of one class: its arguments beside the keys that every layer has."""
    arguments = {name: _argument(layer.framework, each) for name, each in layer.parameters.items()}
    globs = {} if "init" in arguments else {"init": {"type": "object"}}
    required = [
        name for name, each in layer.parameters.items() if each.default is each.empty and name not in definitions.LAYER
    ]
    return {
        "properties": {**dict.fromkeys(definitions.LAYER, True), **arguments, **globs},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _argument(framework: str, argument: Parameter) -> Schema:
    """Return the schema of a layer's argument: an initializer under a name that says so, else whatever it may be."""
    schema: Schema = {}
    if definitions.INIT_ARGUMENT.fullmatch(argument.name):
        schema = ref(framework, "weight_init")
    elif framework == "keras" and argument.name in ("activation", "recurrent_activation"):
        schema = ref("activation")
    return schema if argument.default is argument.empty else {**schema, **default(argument.default)}
