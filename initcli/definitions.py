"""The keys of a spec, each defined once: the reader knows them from here, and the JSON Schema says them to editors."""

from __future__ import annotations

from typing import Any, NamedTuple

from initcli.dtypes import DTYPES

COUNT: dict[str, Any] = {"type": ["integer", "string"], "description": "a whole number ≥ 0, or arithmetic: d/heads"}
NUMBER: dict[str, Any] = {"type": ["number", "string"], "description": "a number, or arithmetic: 0.02/sqrt(2*layers)"}
TEXT: dict[str, Any] = {"type": "string"}
SHAPE: dict[str, Any] = {"type": "array", "items": COUNT, "maxItems": 32}
OPEN_SHAPE: dict[str, Any] = {"type": "array", "items": {"type": ["integer", "string", "null"]}, "maxItems": 32}
INIT: dict[str, Any] = {"$ref": "#/$defs/init"}
DTYPE: dict[str, Any] = {"anyOf": [{"enum": sorted(DTYPES)}, {"type": "string"}]}


class Key(NamedTuple):
    """A key of a mapping: what it means, its JSON Schema, and whether it must be there."""

    meaning: str
    schema: dict[str, Any]
    is_required: bool = False


SPEC: dict[str, Key] = {
    "initcli": Key("the version of the spec language", {"const": 1}),
    "framework": Key("whose names, axis order and layers these are; keras by default", {"$ref": "#/$defs/framework"}),
    "seed": Key("what all values are drawn from; 0 by default", {"type": "integer", "minimum": 0}),
    "dtype": Key("the element type of tensors that state none; float32 by default", DTYPE),
    "vars": Key(
        "numbers, arithmetic and words by name, for use wherever a number stands",
        {"type": "object", "additionalProperties": {"type": ["number", "string"]}},
    ),
    "include": Key(
        "files whose variables, tensors, rules and layers are added; what stands here comes first",
        {"anyOf": [TEXT, {"type": "array", "items": TEXT}]},
    ),
    "defaults": Key(
        "dtypes and axes of tensors that state none; the first that fits",
        {"type": "array", "items": {"$ref": "#/$defs/default"}},
    ),
    "tensors": Key(
        "tensors by name; braces stand for many: h.{0..11}.{q,k,v}",
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/tensor"}},
    ),
    "rules": Key(
        "initializers for tensors that state none; the first that fits",
        {"type": "array", "items": {"$ref": "#/$defs/rule"}},
    ),
    "layers": Key(
        "layers in the framework's own words, one after the other",
        {"type": "array", "items": {"$ref": "#/$defs/layer"}},
    ),
    "input_shape": Key("the shape of one example, without the batch; null is any length", OPEN_SHAPE),
}
TENSOR: dict[str, Key] = {
    "shape": Key("the dimensions", SHAPE),
    "init": Key("the initializer", INIT),
    "dtype": Key("the element type", DTYPE),
    "axes": Key("the names of the axes, from which fans are read: out in h w", TEXT),
    "seed": Key("a seed of its own", {"type": "integer", "minimum": 0}),
    "fan_in": Key("the fan_in, whatever the shape tells", NUMBER),
    "fan_out": Key("the fan_out, whatever the shape tells", NUMBER),
    "tie": Key("the tensor that this is another name of; it is stored once", TEXT),
}
CONDITIONS: dict[str, Key] = {
    "match": Key("a glob over the whole name, or `re:` and a regular expression", TEXT, is_required=True),
    "rank": Key("only tensors of so many axes", COUNT),
    "shape": Key("only tensors of this shape; null fits any length", OPEN_SHAPE),
}
RULE: dict[str, Key] = {
    **CONDITIONS,
    "dtype": Key("only tensors of this element type", DTYPE),
    "init": Key("the initializer", INIT, is_required=True),
}
DEFAULT: dict[str, Key] = {
    **CONDITIONS,
    "dtype": Key("the element type", DTYPE),
    "axes": Key("the names of the axes: out in h w", TEXT),
}
LAYER: dict[str, Key] = {
    "class": Key("the framework's class", TEXT),
    "name": Key("the layer's name; the framework's automatic one by default", TEXT),
    "input_shape": Key("the shape of one example, for the first layer", SHAPE),
    "init": Key(
        "initializers of its weights, by globs over their names", {"type": "object", "additionalProperties": INIT}
    ),
}
BLOCK: dict[str, Key] = {
    "layers": Key("layers that belong together", {"type": "array", "items": {"$ref": "#/$defs/layer"}}),
    "prefix": Key("what their names begin with; braces stand for many blocks", TEXT),
    "repeat": Key("how many such blocks there are, numbered from 0", COUNT),
}
