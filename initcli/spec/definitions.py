"""The keys of a spec, each defined once: the reader knows them from here, and the JSON Schema says them to editors."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from initcli.dtypes import DTYPES
from initcli.spec import MAX_RANK, VERSION

COUNT: dict[str, Any] = {
    "type": ["integer", "string"],
    "minimum": 0,
    "description": "a whole number ≥ 0, or arithmetic: d/heads",
}
OPEN_COUNT: dict[str, Any] = {
    "type": ["integer", "string", "null"],
    "minimum": 0,
    "description": "a whole number ≥ 0, arithmetic, or null for any length",
}
NUMBER: dict[str, Any] = {"type": ["number", "string"], "exclusiveMinimum": 0}
SEED: dict[str, Any] = {"type": ["integer", "string"], "minimum": 0}
TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
SHAPE: dict[str, Any] = {"type": "array", "items": COUNT, "maxItems": MAX_RANK}
OPEN_SHAPE: dict[str, Any] = {"type": "array", "items": OPEN_COUNT, "maxItems": MAX_RANK}
INIT: dict[str, Any] = {"$ref": "#/$defs/init"}
DTYPE: dict[str, Any] = {"anyOf": [{"enum": sorted(DTYPES)}, {"type": "string"}]}

INIT_ARGUMENT = re.compile(r"\w*_(initializer|init)")
"""The names of a layer's arguments that are initializers."""


class Key(NamedTuple):
    """A key of a mapping: what it means, its JSON Schema, and whether it must be there."""

    meaning: str
    schema: dict[str, Any]
    is_required: bool = False


SPEC: dict[str, Key] = {
    "$schema": Key("the JSON Schema of this file, which editors read and nobody else", TEXT),
    "initcli": Key("the version of the spec language", {"const": VERSION}),
    "framework": Key("whose names, axis order and layers these are; keras by default", {"$ref": "#/$defs/framework"}),
    "seed": Key("what all values are drawn from; 0 by default", SEED),
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
    "config": Key(
        "what config.json holds beside shards, and under `gguf` the keys of a GGUF file; arithmetic begins with `=`",
        {"type": "object"},
    ),
}
TENSOR: dict[str, Key] = {
    "shape": Key("the dimensions", SHAPE),
    "init": Key("the initializer", INIT),
    "dtype": Key("the element type", DTYPE),
    "axes": Key("the names of the axes, from which fans are read: out in h w", TEXT),
    "seed": Key("a seed of its own", SEED),
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
    "input_shape": Key("the shape of one example, for the first layer; null is any length", OPEN_SHAPE),
    "init": Key("initializers of its weights, by globs over their names", {"additionalProperties": INIT}),
}
BLOCK: dict[str, Key] = {
    "layers": Key("layers that belong together", {"type": "array", "items": {"$ref": "#/$defs/layer"}}),
    "prefix": Key("what their names begin with; braces stand for many blocks", TEXT),
    "repeat": Key("how many such blocks there are, numbered from 0", COUNT),
}
NAMED_INIT: dict[str, Key] = {
    "name": Key("the initializer's name; its parameters stand beside it", TEXT, is_required=True),
}
CONFIG: dict[str, Key] = {
    "class_name": Key("the initializer's class, as Keras writes it", TEXT, is_required=True),
    "config": Key("its parameters by name", {"type": ["object", "null"]}),
    "module": Key("where the class is from; `keras.initializers` makes it Keras's in every spec", {}),
    "registered_name": Key("what Keras 3 writes of a class of one's own", {}),
}
