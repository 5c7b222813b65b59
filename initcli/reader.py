"""A document's tree to a `Spec`. Nothing is raised for a fault of the document: each is appended to a list, so that all
are told in one go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from initcli import definitions
from initcli.dtypes import parse_dtype
from initcli.errors import ArgumentError, Fault, Position, suggest
from initcli.expressions import Broken, Number
from initcli.patterns import Pattern, parse_pattern
from initcli.spec import VERSION, Count, Default, Init, KeyPath, LayerSpec, Place, Rule, Spec, TensorSpec
from initcli.tree import Node
from initcli.values import MISSING, Fields, Values
from initcli.variables import resolve_variables

_INIT_ARGUMENT = re.compile(r"\w*_(initializer|init)")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def parse_spec(root: Node, faults: list[Fault], settings: Mapping[str, str] | None = None) -> Spec:
    """Return the spec that the tree holds, leaving out what is wrong and appending a fault for each such thing.

    `settings` take the place of the definitions of variables.

    Raises:
        ArgumentError: a setting of a variable that the spec does not have.
    """
    return _Reader(faults).spec(root, settings or {})


class _Reader(Values):
    """Reads the nouns of a spec."""

    def spec(self, root: Node, settings: Mapping[str, str]) -> Spec:
        fields = self.fields(root, (), definitions.SPEC)
        if "initcli" in fields and (version := fields.entries["initcli"].node.value) != VERSION:
            what = f"spec version `{version}` is unknown"
            self.fail(fields.place("initcli"), what, f"this program reads `initcli: {VERSION}`")
        if isinstance(root.value, Mapping) and not {"tensors", "layers"} & root.value.keys():
            self.fail(Place(root.position, ()), "`tensors` is missing, and `layers` too", MISSING["tensors"])
        variables = self.variables(fields, settings)
        self.words = frozenset(variables)
        dtype = fields.read("dtype", self.dtype)
        if isinstance(dtype, str):
            dtype = self.guard(fields.place("dtype"), parse_dtype, variables[dtype])
        return Spec(
            framework=fields.read("framework", self.framework) or Spec().framework,
            seed=fields.read("seed", self.seed) or 0,
            dtype=dtype or Spec().dtype,
            dtype_place=fields.place("dtype") if "dtype" in fields else None,
            variables=variables,
            defaults=fields.read("defaults", self.defaults) or (),
            tensors=fields.read("tensors", self.tensors) or (),
            rules=fields.read("rules", self.rules) or (),
            layers=fields.read("layers", self.layers) or (),
            input_shape=fields.read("input_shape", self.open_shape),
        )

    def variables(self, fields: Fields, settings: Mapping[str, str]) -> Mapping[str, Number | str | Broken]:
        """Read the variables, and put settings in the place of their definitions."""
        node = fields.entries["vars"].node if "vars" in fields else None
        entries = (self.entries(node, ("vars",)) if node else None) or {}
        definitions_ = {name: entry.node.to_data() for name, entry in entries.items()}
        for name, setting in settings.items():
            if name not in definitions_:
                hint = suggest(name, definitions_) or f"it has: {', '.join(definitions_) or 'none'}"
                raise ArgumentError(f"the spec has no variable `{name}`", hint)
            definitions_[name] = parse_setting(setting)
        values, errors = resolve_variables(definitions_)
        for name, error in errors.items():
            if name in settings:
                raise ArgumentError(f"`{name}={settings[name]}`: {error.faults[0].what}", error.faults[0].hint)
            self.fail(Place(entries[name].node.position, ("vars", name)), error.faults[0].what, error.faults[0].hint)
        return values

    def tensors(self, node: Node, path: KeyPath) -> tuple[TensorSpec, ...]:
        entries = self.entries(node, path)
        if entries is None:
            return ()
        if not entries:
            self.fail(Place(node.position, path), "`tensors` is empty", MISSING["tensors"])
        tensors = []
        for name, entry in entries.items():
            place = Place(entry.position, (*path, name))
            if not is_printable(name):
                self.fail(place, f"a tensor cannot be called {name!r}", "use printable characters")
            elif pattern := self.guard(place, parse_pattern, name):
                tensors.append(self.tensor(pattern, entry.node, place))
        return tuple(tensors)

    def tensor(self, pattern: Pattern, node: Node, place: Place) -> TensorSpec:
        if not isinstance(node.value, Mapping):
            shape = self.shape(node, (*place.path, "shape"))
            return TensorSpec(pattern, place, shape, positions=_positions({"shape": node}))
        outer = self.words
        if pattern.loops:
            self.words = outer | {loop.index for loop in pattern.loops}
        fields = self.fields(node, place.path, definitions.TENSOR)
        if "tie" in fields:
            for key in fields.entries.keys() - {"tie", "shape"}:
                self.fail(fields.place(key), f"a tensor with `tie` has no `{key}` of its own", "remove one of the two")
        elif "shape" not in fields:
            self.fail(Place(node.position, place.path), "`shape` is missing", MISSING["shape"])
        if "axes" in fields and (given := sorted({"fan_in", "fan_out"} & fields.entries.keys())):
            self.fail(fields.place(given[0]), f"`{given[0]}` and `axes` both tell the fans", "remove one of the two")
        tensor = TensorSpec(
            pattern,
            place,
            fields.read("shape", self.shape),
            fields.read("init", self.init),
            fields.read("dtype", self.dtype),
            "init" in fields,
            fields.read("axes", self.text) or "",
            fields.read("seed", self.seed),
            fields.read("fan_in", self.number),
            fields.read("fan_out", self.number),
            fields.read("tie", self.pattern),
            positions=_positions({key: entry.node for key, entry in fields.entries.items()}),
        )
        self.words = outer
        return tensor

    def rules(self, node: Node, path: KeyPath) -> tuple[Rule, ...]:
        found = (self.rule(item, (*path, i)) for i, item in enumerate(self.items(node, path)))
        return tuple(rule for rule in found if rule)

    def rule(self, node: Node, path: KeyPath) -> Rule | None:
        fields = self.fields(node, path, definitions.RULE)
        conditions = self.conditions(fields)
        dtype, init = fields.read("dtype", self.dtype), fields.read("init", self.init)
        return conditions and Rule(*conditions, dtype, init)

    def defaults(self, node: Node, path: KeyPath) -> tuple[Default, ...]:
        found = (self.default(item, (*path, i)) for i, item in enumerate(self.items(node, path)))
        return tuple(default for default in found if default)

    def default(self, node: Node, path: KeyPath) -> Default | None:
        fields = self.fields(node, path, definitions.DEFAULT)
        conditions = self.conditions(fields)
        if isinstance(node.value, Mapping) and not {"dtype", "axes"} & node.value.keys():
            self.fail(
                Place(node.position, path), "a default without `dtype` or `axes` gives nothing", "add one of them"
            )
        dtype, axes = fields.read("dtype", self.dtype), fields.read("axes", self.text) or ""
        return conditions and Default(*conditions, dtype, axes)

    def conditions(self, fields: Fields) -> tuple[str, Place, Count | None, tuple[Count | None, ...] | None] | None:
        """Read what a rule or a default is for; None if that is wrong."""
        before = len(self.faults)
        match = fields.read("match", self.text) or ""
        if match.startswith("re:"):
            try:
                re.compile(match[3:])
            except (re.error, RecursionError, OverflowError) as error:
                self.fail(fields.place("match"), f"`{match[3:]}` is no regular expression: {error}")
        rank, shape = fields.read("rank", self.count), fields.read("shape", self.open_shape)
        if len(self.faults) > before or "match" not in fields:
            return None
        return match, fields.place("match"), rank, shape

    def layers(self, node: Node, path: KeyPath) -> tuple[LayerSpec, ...]:
        found = (self.layer(item, (*path, i)) for i, item in enumerate(self.items(node, path)))
        return tuple(layer for layer in found if layer)

    def layer(self, node: Node, path: KeyPath) -> LayerSpec | None:
        """Read a layer, or a block of them."""
        entries = self.entries(node, path)
        if entries is None:
            return None
        place = Place(node.position, path)
        if "layers" in entries:
            fields = self.fields(node, path, definitions.BLOCK)
            name = fields.read("prefix", self.pattern)
            outer, self.words = self.words, self.words | {loop.index for loop in (name.loops if name else ())}
            inner = fields.read("layers", self.layers) or ()
            self.words = outer
            return LayerSpec(
                place, "", name, places=fields.places(), repeat=fields.read("repeat", self.count), layers=inner
            )
        if "class" not in entries:
            self.fail(place, "`class` is missing", "add `class: Dense`, or `layers:` for a block")
            return None
        fields = Fields(entries, path)
        arguments = {
            key: self.argument(key, entry.node, (*path, key))
            for key, entry in entries.items()
            if key not in definitions.LAYER
        }
        return LayerSpec(
            place,
            fields.read("class", self.text) or "",
            fields.read("name", self.pattern),
            arguments,
            fields.places(),
            fields.read("init", self.layer_inits) or (),
            fields.read("input_shape", self.open_shape),
        )

    def argument(self, key: str, node: Node, path: KeyPath) -> Any:
        """Read an argument of a layer: an initializer under a name that says so, else plain data."""
        if _INIT_ARGUMENT.fullmatch(key) and node.value is not None:
            return self.init(node, path)
        return node.to_data()

    def layer_inits(self, node: Node, path: KeyPath) -> tuple[tuple[str, Init | None, Place], ...]:
        """Read initializers by globs over a layer's weights."""
        entries = self.entries(node, path) or {}
        return tuple(
            (glob, self.init(entry.node, (*path, glob)), Place(entry.position, (*path, glob)))
            for glob, entry in entries.items()
        )


def _positions(nodes: Mapping[str, Node]) -> dict[str, Position]:
    """Return where each key's value stands, and of the shape each dimension that is arithmetic."""
    found = {key: node.position for key, node in nodes.items()}
    dims = nodes["shape"].value if "shape" in nodes else ()
    if isinstance(dims, tuple):
        found.update({f"shape[{i}]": dim.position for i, dim in enumerate(dims) if isinstance(dim.value, str)})
    return found


def is_printable(name: str) -> bool:
    """Tell whether a tensor may have this name: not empty, no control characters, no halves of surrogate pairs."""
    return bool(name) and not _UNPRINTABLE.search(name)


def parse_setting(text: str) -> int | float | str:
    """Return the number that a setting of a variable is, else its text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
