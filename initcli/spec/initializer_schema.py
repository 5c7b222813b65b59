"""The JSON Schema of what stands behind `init:`: the registry's names, and each initializer's parameters.

`enumDescriptions`, `errorMessage` and `patternErrorMessage` are words of editors', not of the standard: they say what a
name means and what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

from initcli.initializers.base import Initializer
from initcli.initializers.page import Page, read_page
from initcli.initializers.registry import frameworks, known_names, registered

Schema: TypeAlias = dict[str, Any]

_CUSTOM = ""
"""The framework of initializers that have none: a plugin's."""
_ERROR = "unknown initializer: `initcli list` shows all"
_SEED: Schema = {"type": ["integer", "string", "null"], "minimum": 0, "description": "a seed of its own"}
_NO_CALL: Schema = {
    "pattern": r"^[^(]*$",
    "patternErrorMessage": "a name alone: here parameters have keys of their own",
}
_TYPES = {"float": "number", "int": "integer", "bool": "boolean", "tuple": "array", "None": "null"}
"""What a parameter's value is in JSON, by the word for it in Python; other words stand for text, or within a tuple."""


def ref(*steps: str) -> Schema:
    """Return a reference to a definition, or to one within it.

    >>> ref("torch", "init")
    {'$ref': '#/$defs/torch/$defs/init'}
    """
    return {"$ref": "#" + "".join(f"/$defs/{step}" for step in steps)}


def pattern(words: Iterable[str], before: str = "") -> str:
    """Return the pattern of some words; `before` is what may stand before each.

    >>> print(pattern(["zeros", "Zeros"], "keras."))
    ^(keras\\.)?(zeros|Zeros)$
    """
    return f"^{f'({re.escape(before)})?' if before else ''}({_any(words)})$"


def if_text(key: str, cases: Mapping[str, Schema], before: str = "") -> Schema:
    """Return that a mapping which has a word under a key is of the schema beside that word; alike schemas stand once.

    Conditions are patterns and no enumerations: editors offer what these have, even if they only stand in a condition.
    """
    alike: dict[str, list[str]] = {}
    for word, schema in cases.items():
        alike.setdefault(repr(schema), []).append(word)
    chosen = [
        {"if": {"properties": {key: {"pattern": pattern(words, before)}}}, "then": cases[words[0]]}
        for words in alike.values()
    ]
    is_text = {"type": "object", "properties": {key: {"type": "string"}}, "required": [key]}
    return {"if": is_text, "then": {"allOf": chosen}}


def default(value: Any) -> Schema:
    """Return a value as a schema's `default`; nothing, if JSON cannot write it.

    >>> default((1, 1)), default(float("inf"))
    ({'default': [1, 1]}, {})
    """
    if isinstance(value, tuple | list):
        items = [default(item) for item in value]
        return {"default": [item["default"] for item in items]} if all(items) else {}
    is_plain = value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))
    return {"default": value} if is_plain else {}


@dataclass(frozen=True)
class Catalogue:
    """What is registered: the classes and their pages by full name.

    `names` has by framework the full name of each initializer that it knows, and the bare names that it knows it by.
    """

    classes: Mapping[str, type[Initializer]]
    pages: Mapping[str, Page]
    names: Mapping[str, Mapping[str, list[str]]]

    @classmethod
    def of_registered(cls) -> Catalogue:
        """Return the catalogue of all initializers that there are.

        Raises:
            ArgumentError: the entry point of an installed package is broken.
        """
        classes, known = registered(), frameworks()
        names: dict[str, dict[str, list[str]]] = {owner: {} for owner in (*known, _CUSTOM)}
        for name, full in sorted(known_names().items()):
            framework, _, bare = name.partition(".")
            owner, word = (framework, bare) if framework in known else (_CUSTOM, name)
            names[owner].setdefault(full, []).append(word)
        return cls(classes, {full: read_page(each) for full, each in classes.items()}, names)

    def definitions(self) -> Schema:
        """Return what holds in specs of every framework: full names, and the parameters of what they name."""
        owners = [owner for owner in self.names if owner != _CUSTOM]
        calls = "|".join(rf"{re.escape(owner)}\.({_any(self._words(owner))})" for owner in owners)
        elsewhere = [{"if": _named(rf"^{re.escape(owner)}\."), "then": ref("parameters", owner)} for owner in owners]
        keras = self._parameters("keras").items()
        configs = {word: {"properties": {"config": each}} for word, each in keras}
        class_name = {"anyOf": [self._enum(self._words("keras")), {"pattern": r"\.|V2$"}]}
        return {
            "names": {
                "anyOf": [
                    self._enum({full: full for full in self.classes}),
                    {"pattern": _call(rf"{calls}|(keras\.)?\w+V2") + r"|^\s*\("},
                ]
            },
            "seed": _SEED,
            "parameters": {
                "$defs": {
                    owner: if_text("name", self._parameters(owner), f"{owner}." if owner in owners else "")
                    for owner, known in self.names.items()
                    if known
                },
                "allOf": elsewhere,
            },
            "config": {"properties": {"class_name": class_name}, **if_text("class_name", configs)},
        }

    def init(self, framework: str) -> Schema:
        """Return the definitions for specs of a framework: its `init`, and the names that this knows."""
        own = {**self._words(_CUSTOM), **self._words(framework)}
        name = {"anyOf": [self._enum(own), {"pattern": _call(_any(own))}, ref("names")]}
        mapping = {
            "properties": {"name": {"allOf": [ref(framework, "name"), _NO_CALL]}},
            "if": {"properties": {"module": {"pattern": r"^keras(\.|$)"}}, "required": ["module"]},
            "then": ref("config"),
            "else": {"properties": {"class_name": {"allOf": [ref(framework, "name"), _NO_CALL]}}},
            "allOf": [ref("parameters", owner) for owner in (framework, _CUSTOM) if self.names[owner]]
            + [ref("parameters")],
        }
        return {"name": name, "init": {"allOf": [ref(framework, "name")], "if": {"type": "object"}, "then": mapping}}

    def _words(self, owner: str) -> dict[str, str]:
        """Return what a framework calls its initializers, each with its full name."""
        return {word: full for full, words in self.names[owner].items() for word in words}

    def _enum(self, words: Mapping[str, str]) -> Schema:
        """Return the schema of one of some names, each told by the summary of whose it is."""
        summaries = [self.pages[full].summary for full in words.values()]
        return {"enum": list(words), "enumDescriptions": summaries, "errorMessage": _ERROR}

    def _parameters(self, owner: str) -> dict[str, Schema]:
        """Return the parameters of each initializer of a framework by each of its bare names."""
        return {word: _parameters(self.classes[full], self.pages[full]) for word, full in self._words(owner).items()}


def _parameters(cls: type[Initializer], page: Page) -> Schema:
    """Return the schema of a mapping with an initializer's parameters, beside its `name`."""
    types = {field.name: str(field.type) for field in cls.parameters()}
    is_own = cls.__module__.startswith("initcli.")
    properties = {
        each.name: {
            **({"type": _types(types[each.name])} if is_own else {}),
            **({"description": each.meaning} if each.meaning else {}),
            **({} if each.is_required else default(each.default)),
        }
        for each in page.parameters
    }
    required = [each.name for each in page.parameters if each.is_required]
    return {
        "properties": {"name": True, **properties, "seed": ref("seed")},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _named(text: str) -> Schema:
    """Return the condition that a mapping has a `name` that a pattern fits."""
    return {"properties": {"name": {"type": "string", "pattern": text}}, "required": ["name"]}


def _types(annotation: str) -> list[str]:
    """Return what a parameter can be in JSON; text too, which may be arithmetic.

    >>> _types("float | None")
    ['null', 'number', 'string']
    """
    return sorted({_TYPES.get(word, "string") for word in re.findall(r"\w+", annotation)} | {"string"})


def _call(names: str) -> str:
    """Return the pattern of a name or a call, of names that a pattern fits."""
    return rf"^\s*({names})\s*(\(|$)"


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, words))
