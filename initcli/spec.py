"""What the user wrote, checked: a document's tree to a `Spec`, with the place of every value that can still be wrong.

Nothing is raised here for a fault of the document: every fault is appended to a list, so that all are told in one go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from initcli.calls import parse_call
from initcli.dtypes import DTYPES, DType, parse_dtype
from initcli.errors import ArgumentError, Fault, Position, suggest
from initcli.fans import FANS_BY_FRAMEWORK, axes_fans
from initcli.initializers.keras_config import KEYS, read_config
from initcli.tree import Node, render_path

VERSION = 1
"""The version of the spec language that this program reads."""

MAX_RANK = 32  # HDF5's limit, H5S_MAX_RANK

KeyPath: TypeAlias = tuple[str | int, ...]
"""The keys and list indices that lead from the root of a document to a place in it."""


@dataclass(frozen=True)
class Place:
    """Where something stands: its position in the document and the keys and indices that lead to it."""

    position: Position
    path: KeyPath

    def fault(self, what: str, hint: str = "") -> Fault:
        """Return a fault at this place."""
        return Fault(what, self.position, render_path(self.path), hint)


@dataclass(frozen=True)
class Init:
    """An initializer as written: `name`, arguments by position and by name, and the place of each."""

    name: str
    place: Place
    positional: tuple[Any, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    argument_places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class TensorSpec:
    """One tensor as written; `init` and `dtype` are None where a rule or the default decides.

    A tensor with a fault is kept, so that rules still meet it: `shape` is None if it is wrong, `states_init` is true if
    there is an init even if that is wrong.
    """

    name: str
    place: Place
    shape: tuple[int, ...] | None = None
    init: Init | None = None
    dtype: DType | None = None
    states_init: bool = False
    axes: str = ""


@dataclass(frozen=True)
class Rule:
    """An initializer for the tensors that state none and whose name `match` fits, a glob over the whole name."""

    match: str
    init: Init | None
    place: Place


@dataclass(frozen=True)
class Spec:
    """A whole spec. `framework` is where bare names of initializers are looked up first."""

    framework: str = "keras"
    seed: int = 0
    dtype: DType = DTYPES["float32"]
    tensors: tuple[TensorSpec, ...] = ()
    rules: tuple[Rule, ...] = ()


def parse_spec(root: Node, faults: list[Fault]) -> Spec:
    """Return the spec that the tree holds, leaving out what is wrong and appending a fault for each such thing."""
    return _Reader(faults).spec(root)


class _Reader:
    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults

    def fail(self, place: Place, what: str, hint: str = "") -> None:
        self.faults.append(place.fault(what, hint))

    def spec(self, root: Node) -> Spec:
        fields = self.mapping(
            root, (), {"initcli", "framework", "seed", "dtype", "tensors", "rules"}, required=("initcli", "tensors")
        )
        if "initcli" in fields and fields["initcli"].value != VERSION:
            self.fail(
                Place(fields["initcli"].position, ("initcli",)),
                f"spec version `{fields['initcli'].value}` is unknown",
                f"this program reads `initcli: {VERSION}`",
            )
        default = Spec()
        return Spec(
            framework=self.framework(fields["framework"]) if "framework" in fields else default.framework,
            seed=self.seed(fields["seed"]) if "seed" in fields else default.seed,
            dtype=(self.dtype(fields["dtype"], ("dtype",)) if "dtype" in fields else None) or default.dtype,
            tensors=self.tensors(fields["tensors"]) if "tensors" in fields else (),
            rules=self.rules(fields["rules"]) if "rules" in fields else (),
        )

    def mapping(self, node: Node, path: KeyPath, known: set[str], required: tuple[str, ...] = ()) -> dict[str, Node]:
        """Return the known entries of a mapping; unknown and missing keys are faults."""
        entries = self.entries(node, path)
        if entries is None:
            return {}
        for key, entry in entries.items():
            if key not in known:
                hint = suggest(key, known) or f"known here: {', '.join(sorted(known))}"
                self.fail(Place(entry.position, (*path, key)), f"unknown key `{key}`", hint)
        for key in required:
            if key not in entries:
                self.fail(Place(node.position, path), f"`{key}` is missing", _MISSING.get(key, f"add `{key}:`"))
        return {key: entry.node for key, entry in entries.items() if key in known}

    def entries(self, node: Node, path: KeyPath) -> Mapping[str, Any] | None:
        if isinstance(node.value, Mapping):
            return node.value
        where = f"`{render_path(path)}`" if path else "a spec"
        self.fail(Place(node.position, path), f"{where} must be a mapping, not {node.kind()}", _MAPPING.get(path, ""))
        return None

    def framework(self, node: Node) -> str:
        name = node.value
        known = sorted(FANS_BY_FRAMEWORK)
        if isinstance(name, str) and name in known:
            return name
        hint = suggest(str(name), known) or ", ".join(known)
        self.fail(Place(node.position, ("framework",)), f"unknown framework `{name}`", hint)
        return Spec().framework

    def seed(self, node: Node) -> int:
        if isinstance(node.value, int) and not isinstance(node.value, bool) and node.value >= 0:
            return node.value
        shown = node.kind() if isinstance(node.value, Mapping | tuple) else f"`{node.value}`"
        self.fail(Place(node.position, ("seed",)), f"the seed must be a whole number ≥ 0, not {shown}")
        return 0

    def dtype(self, node: Node, path: KeyPath) -> DType | None:
        try:
            return parse_dtype(node.to_data())
        except ArgumentError as error:
            self.fail(Place(node.position, path), error.faults[0].what, error.faults[0].hint)
            return None

    def tensors(self, node: Node) -> tuple[TensorSpec, ...]:
        entries = self.entries(node, ("tensors",))
        if entries is None:
            return ()
        if not entries:
            self.fail(Place(node.position, ("tensors",)), "`tensors` is empty", _MISSING["tensors"])
        tensors = []
        for name, entry in entries.items():
            place = Place(entry.position, ("tensors", name))
            if not name or any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in name):
                self.fail(place, f"a tensor cannot be called {name!r}", "use printable characters")
            else:
                tensors.append(self.tensor(name, entry.node, place))
        return tuple(tensors)

    def tensor(self, name: str, node: Node, place: Place) -> TensorSpec:
        if not isinstance(node.value, Mapping):
            return TensorSpec(name, place, self.shape(node, place.path))
        fields = self.mapping(node, place.path, {"shape", "init", "dtype", "axes"}, required=("shape",))
        shape = self.shape(fields["shape"], (*place.path, "shape")) if "shape" in fields else None
        return TensorSpec(
            name,
            place,
            shape,
            self.init(fields["init"], (*place.path, "init")) if "init" in fields else None,
            self.dtype(fields["dtype"], (*place.path, "dtype")) if "dtype" in fields else None,
            "init" in fields,
            self.axes(fields["axes"], (*place.path, "axes"), shape) if "axes" in fields else "",
        )

    def axes(self, node: Node, path: KeyPath, shape: tuple[int, ...] | None) -> str:
        """Read the names of a shape's axes, words in one text."""
        place = Place(node.position, path)
        if not isinstance(node.value, str):
            self.fail(place, f"`axes` must be text, not {node.kind()}", "for example `axes: out in h w`")
            return ""
        try:
            if shape is not None:
                axes_fans(shape, node.value)
        except ArgumentError as error:
            self.fail(place, error.faults[0].what, error.faults[0].hint)
            return ""
        return node.value

    def shape(self, node: Node, path: KeyPath) -> tuple[int, ...] | None:
        if not isinstance(node.value, tuple):
            hint = "write a list of whole numbers, `[784, 256]`; `[]` is a scalar"
            self.fail(Place(node.position, path), f"a shape must be a list, not {node.kind()}", hint)
            return None
        if len(node.value) > MAX_RANK:
            self.fail(Place(node.position, path), f"a shape has at most {MAX_RANK} dimensions, not {len(node.value)}")
            return None
        dims = [self.dim(item, (*path, i)) for i, item in enumerate(node.value)]
        return None if None in dims else tuple(d for d in dims if d is not None)

    def dim(self, node: Node, path: KeyPath) -> int | None:
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        shown = f"`{value}`" if isinstance(value, float | int) else f"the text `{value}`"
        if not isinstance(value, str | float | int):
            shown = node.kind()
        self.fail(Place(node.position, path), f"a dimension must be a whole number ≥ 0, not {shown}")
        return None

    def rules(self, node: Node) -> tuple[Rule, ...]:
        if not isinstance(node.value, tuple):
            hint = 'write a list: `- {match: "*", init: zeros}`'
            self.fail(Place(node.position, ("rules",)), f"`rules` must be a list, not {node.kind()}", hint)
            return ()
        rules = (self.rule(item, ("rules", i)) for i, item in enumerate(node.value))
        return tuple(rule for rule in rules if rule is not None)

    def rule(self, node: Node, path: KeyPath) -> Rule | None:
        fields = self.mapping(node, path, {"match", "init"}, required=("match", "init"))
        init = self.init(fields["init"], (*path, "init")) if "init" in fields else None
        if "match" not in fields:
            return None
        match = fields["match"]
        if not isinstance(match.value, str):
            self.fail(Place(match.position, (*path, "match")), f"`match` must be text, not {match.kind()}")
            return None
        return Rule(match.value, init, Place(match.position, (*path, "match")))

    def init(self, node: Node, path: KeyPath) -> Init | None:
        place = Place(node.position, path)
        if isinstance(node.value, str):
            try:
                name, positional, arguments = parse_call(node.value)
            except ArgumentError as error:
                self.fail(place, error.faults[0].what, error.faults[0].hint)
                return None
            return Init(name, place, positional, arguments)
        if isinstance(node.value, Mapping):
            return self.init_mapping(node, place)
        self.fail(place, f"an init must be a name or a mapping, not {node.kind()}", "for example `he_normal`")
        return None

    def init_mapping(self, node: Node, place: Place) -> Init | None:
        """Read {name: …, parameter: …} or Keras's {class_name: …, config: {…}}."""
        entries = dict(self.entries(node, place.path) or {})
        if "class_name" in entries:
            return self.init_config(node, entries, place)
        name = entries.pop("name", None)
        if name is None or not isinstance(name.node.value, str):
            position = name.node.position if name else node.position
            self.fail(Place(position, place.path), "`name` must name an initializer", "`{name: normal, stddev: 0.02}`")
            return None
        arguments = {key: entry.node.to_data() for key, entry in entries.items()}
        return Init(name.node.value, Place(name.node.position, place.path), (), arguments, places(entries, place.path))

    def init_config(self, node: Node, entries: Mapping[str, Any], place: Place) -> Init | None:
        """Read an initializer as Keras writes it."""
        try:
            name, arguments = read_config(node.to_data())
        except ArgumentError as error:
            entry, path = entries[error.parameter], (*place.path, error.parameter)
            position = entry.node.position if error.parameter in KEYS else entry.position
            self.fail(Place(position, path), error.faults[0].what, error.faults[0].hint)
            return None
        inner = entries["config"].node.value if "config" in entries else None
        argument_places = places(inner, (*place.path, "config")) if isinstance(inner, Mapping) else {}
        return Init(name, Place(entries["class_name"].node.position, place.path), (), arguments, argument_places)


def places(entries: Mapping[str, Any], path: KeyPath) -> dict[str, Place]:
    """Return where the value of each key stands."""
    return {key: Place(entry.node.position, (*path, key)) for key, entry in entries.items()}


_MISSING = {
    "initcli": f"begin the spec with `initcli: {VERSION}`",
    "tensors": "name at least one: `tensors: {fc1/kernel: [784, 256]}`",
    "shape": "add `shape: [784, 256]`",
    "match": 'add `match: "*"`, a glob over tensor names',
    "init": "add `init: zeros`, or another initializer",
}
_MAPPING: dict[KeyPath, str] = {(): "begin it with `initcli: 1`", ("tensors",): "`tensors: {fc1/kernel: [784, 256]}`"}
