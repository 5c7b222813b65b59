"""A document's tree to a `Spec`. Nothing is raised for a fault of the document: each is appended to a list, so that all
are told in one go.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from initcli.document.tree import MAX_DIGITS, Entry, Node, shorten
from initcli.errors import ArgumentError, Fault, suggest
from initcli.expressions import Broken, Number, Scope
from initcli.patterns import Pattern, parse_pattern
from initcli.spec import VERSION, Count, Default, Init, KeyPath, LayerSpec, Place, Rule, Spec, TensorSpec, definitions
from initcli.spec.conditions import matcher
from initcli.spec.scopes import evaluate_count, evaluate_dtype, evaluate_formula
from initcli.spec.values import MISSING, Fields, Values
from initcli.spec.variables import resolve_variables

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

Conditions: TypeAlias = tuple[str, Place, Count | None, tuple[Count | None, ...] | None, Mapping[str, Place]]
"""What a `Condition` is made of."""


def parse_spec(
    root: Node, faults: list[Fault], settings: Mapping[str, str] | None = None, is_whole: bool = True
) -> Spec:
    """Return the spec that the tree holds, leaving out what is wrong and appending a fault for each such thing.

    `settings` take the place of the definitions of variables. It is not `is_whole` if a file that it includes is wrong.

    Raises:
        ArgumentError: a setting of a variable that the spec does not have.
    """
    return _Reader(faults, is_whole).spec(root, settings or {})


class _Reader(Values):
    """Reads the nouns of a spec."""

    def __init__(self, faults: list[Fault], is_whole: bool) -> None:
        super().__init__(faults)
        self.is_whole = self.has_all_rules = is_whole
        self.readers: dict[str, Callable[[Node, KeyPath], Any]] = {
            "shape": self.shape,
            "init": self.init,
            "dtype": self.dtype,
            "axes": self.axes,
            "seed": self.seed,
            "fan_in": self.number,
            "fan_out": self.number,
            "tie": self.pattern,
        }

    def spec(self, root: Node, settings: Mapping[str, str]) -> Spec:
        fields = self.fields(root, (), definitions.SPEC)
        version = fields.entries["initcli"].node.value if "initcli" in fields else VERSION
        if version != VERSION or isinstance(version, bool):
            what = f"spec version `{version}` is unknown"
            self.fail(fields.place("initcli"), what, f"this program reads `initcli: {VERSION}`")
        if self.is_whole and isinstance(root.value, Mapping) and not {"tensors", "layers"} & root.value.keys():
            self.fail(Place(root.position, ()), "`tensors` is missing, and `layers` too", MISSING["tensors"])
        variables = self.variables(fields, settings)
        self.words = frozenset(variables)
        dtype = fields.read("dtype", self.dtype)
        if isinstance(dtype, str):
            dtype = self.guard(fields.place("dtype"), evaluate_dtype, dtype, variables)
        seed = fields.read("seed", self.seed) or 0
        if not isinstance(seed, int):
            seed = self.guard(fields.place("seed"), evaluate_count, seed, variables) or 0
        return Spec(
            framework=fields.read("framework", self.framework) or Spec().framework,
            seed=seed,
            dtype=dtype or Spec().dtype,
            dtype_place=fields.place("dtype") if "dtype" in fields else None,
            variables=variables,
            defaults=fields.read("defaults", self.defaults) or (),
            tensors=fields.read("tensors", self.tensors) or (),
            rules=fields.read("rules", self.rules) or (),
            layers=fields.read("layers", self.layers) or (),
            input_shape=fields.read("input_shape", self.open_shape),
            input_place=fields.place("input_shape") if "input_shape" in fields else None,
            config=fields.read("config", functools.partial(self.config, variables)),
            config_places=fields.read("config", config_places) or {},
            is_whole=self.is_whole,
            has_all_rules=self.has_all_rules,
        )

    def config(self, scope: Scope, node: Node, path: KeyPath) -> Mapping[str, Any] | None:
        """Read what goes into config.json; arithmetic there begins with `=`, for a word must not become a variable."""
        if self.entries(node, path) is None:
            return None
        data: Mapping[str, Any] = self.formulas(scope, node, path)
        try:
            json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
        except ValueError:
            what = "`config` holds a number or a text that JSON has no form for"
            self.fail(Place(node.position, path), what, "write finite numbers, and text without halves of pairs")
        return data

    def formulas(self, scope: Scope, node: Node, path: KeyPath) -> Any:
        """Return plain data in which each value of a key that begins with `=` is computed; lists stay as they are."""
        if isinstance(node.value, Mapping):
            return {key: self.formulas(scope, entry.node, (*path, key)) for key, entry in node.value.items()}
        if isinstance(node.value, str) and node.value.startswith("="):
            return self.guard(Place(node.position, path), evaluate_formula, node.value, scope)
        return node.to_data()

    def variables(self, fields: Fields, settings: Mapping[str, str]) -> Mapping[str, Number | str | Broken]:
        """Read the variables, and put settings in the place of their definitions."""
        node = fields.entries["vars"].node if "vars" in fields else None
        entries = (self.entries(node, ("vars",)) if node else None) or {}
        definitions_ = {name: entry.node.to_data() for name, entry in entries.items()}
        for name, setting in settings.items():
            if name not in definitions_:
                hint = suggest(name, definitions_) or (
                    f"it has: {', '.join(definitions_)}" if definitions_ else "it has no `vars`"
                )
                raise ArgumentError(f"the spec has no variable `{name}`", hint)
            definitions_[name] = parse_setting(setting)
        values, errors = resolve_variables(definitions_)
        for name, error in errors.items():
            if name in settings:
                what = f"`{shorten(f'{name}={settings[name]}'[:80])}`: {error.faults[0].what}"
                raise ArgumentError(what, error.faults[0].hint)
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
            else:
                self.is_whole = False
        return tuple(tensors)

    def tensor(self, pattern: Pattern, node: Node, place: Place) -> TensorSpec:
        is_placed, value = node.position.line > 0, node.value
        if not isinstance(value, Mapping):
            shape = self.shape(node, (*place.path, "shape"))
            read = Node({"shape": Entry(node.position, node)}, node.position) if is_placed else None
            return TensorSpec(pattern, place, shape, node=read)
        outer = self.words
        if pattern.loops:
            self.words = outer | {loop.index for loop in pattern.loops if loop.index}
        fields = self.known(value, node, place.path, definitions.TENSOR)
        if "tie" in fields:
            for key in fields.entries.keys() - {"tie", "shape"}:
                self.fail(fields.place(key), f"a tensor with `tie` has no `{key}` of its own", "remove one of the two")
        elif "shape" not in fields:
            self.fail(Place(node.position, place.path), "`shape` is missing", MISSING["shape"])
        if "axes" in fields and (given := sorted({"fan_in", "fan_out"} & fields.entries.keys())):
            self.fail(fields.place(given[0]), f"`{given[0]}` and `axes` both tell the fans", "remove one of the two")
        values = {key: self.readers[key](entry.node, (*place.path, key)) for key, entry in fields.entries.items()}
        self.words = outer
        decides = "init" in values or "tie" in values
        return TensorSpec(pattern, place, **values, states_init=decides, node=node if is_placed else None)

    def rules(self, node: Node, path: KeyPath) -> tuple[Rule, ...]:
        found = [self.rule(item, (*path, i)) for i, item in enumerate(self.few(node, path))]
        self.has_all_rules = self.has_all_rules and all(found)
        return tuple(rule for rule in found if rule)

    def rule(self, node: Node, path: KeyPath) -> Rule | None:
        fields = self.fields(node, path, definitions.RULE)
        conditions = self.conditions(fields)
        dtype, init = fields.read("dtype", self.dtype), fields.read("init", self.init)
        return None if conditions is None else Rule(*conditions, dtype, init)

    def defaults(self, node: Node, path: KeyPath) -> tuple[Default, ...]:
        found = (self.default(item, (*path, i)) for i, item in enumerate(self.few(node, path)))
        return tuple(default for default in found if default)

    def default(self, node: Node, path: KeyPath) -> Default | None:
        fields = self.fields(node, path, definitions.DEFAULT)
        conditions = self.conditions(fields)
        if isinstance(node.value, Mapping) and not {"dtype", "axes"} & node.value.keys():
            what = "a default without `dtype` or `axes` gives nothing"
            self.fail(Place(node.position, path), what, "add one of them")
            return None
        dtype, axes = fields.read("dtype", self.dtype), fields.read("axes", self.axes) or ""
        return None if conditions is None else Default(*conditions, dtype, axes)

    def conditions(self, fields: Fields) -> Conditions | None:
        """Read what a rule or a default is for; None if that is wrong."""
        before = len(self.faults)
        match = fields.read("match", self.text) or ""
        if match:
            self.guard(fields.place("match"), matcher, match)
        rank, shape = fields.read("rank", self.count), fields.read("shape", self.open_shape)
        if len(self.faults) > before or "match" not in fields:
            return None
        return match, fields.place("match"), rank, shape, fields.places()

    def layers(self, node: Node, path: KeyPath) -> tuple[LayerSpec, ...]:
        items = self.items(node, path)
        if node.value == ():
            self.fail(Place(node.position, path), "`layers` is empty", _LAYER)
        found = [self.layer(item, (*path, i)) for i, item in enumerate(items)]
        self.is_whole = self.is_whole and bool(found) and all(found)
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
            repeat, inner = fields.read("repeat", self.count), fields.read("layers", self.layers)
            return LayerSpec(place, "", name, places=fields.places(), repeat=repeat, layers=inner or ())
        if "class" not in entries:
            self.fail(place, "`class` is missing", "add `class: Dense`, or `layers:` for a block")
            return None
        fields = Fields(entries, path)
        has_inits = "init" in fields and isinstance(entries["init"].node.value, Mapping)
        arguments = {
            key: self.argument(key, entry.node, (*path, key))
            for key, entry in entries.items()
            if key not in definitions.LAYER or (key == "init" and not has_inits)
        }
        class_name, before = fields.read("class", self.text), len(self.faults)
        name = fields.read("name", self.pattern)
        inits = fields.read("init", self.layer_inits) if has_inits else ()
        inputs = fields.read("input_shape", self.open_shape)
        if not class_name or len(self.faults) > before:
            return None
        return LayerSpec(place, class_name, name, arguments, fields.places(), inits or (), inputs)

    def argument(self, key: str, node: Node, path: KeyPath) -> Any:
        """Read an argument of a layer: an initializer under a name that says so, else plain data."""
        if definitions.INIT_ARGUMENT.fullmatch(key) and isinstance(node.value, str | Mapping):
            return self.init(node, path)
        return node.to_data()

    def layer_inits(self, node: Node, path: KeyPath) -> tuple[tuple[str, Init | None, Place], ...]:
        """Read initializers by globs over a layer's weights."""
        entries = self.entries(node, path) or {}
        for glob, entry in entries.items():
            self.guard(Place(entry.position, (*path, glob)), matcher, glob)
        return tuple(
            (glob, self.init(entry.node, (*path, glob)), Place(entry.position, (*path, glob)))
            for glob, entry in entries.items()
        )


def is_printable(name: str) -> bool:
    """Tell whether a tensor may have this name: not empty, no control characters, no halves of surrogate pairs."""
    return bool(name) and (name.isprintable() or not _UNPRINTABLE.search(name))


def config_places(node: Node, path: KeyPath) -> Mapping[str, Place]:
    """Return where the keys of a config stand; under `""` the config itself."""
    entries = node.value if isinstance(node.value, Mapping) else {}
    return {"": Place(node.position, path), **Fields(entries, path).places()}


def parse_setting(text: str) -> int | float | str:
    """Return the number that a setting of a variable is, as in a spec, else its text."""
    if _NUMBER.fullmatch(text) and len(text) <= MAX_DIGITS:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    return text


_LAYER = "write a list: `- {class: Dense, units: 10}`"
