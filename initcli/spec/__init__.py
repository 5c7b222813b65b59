"""What the user wrote, checked: the nouns of a spec, each with the place of what can still be wrong.

Names, numbers and dtypes may hold variables and loop indices; they have values when the spec is resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from initcli.document.tree import Node, render_path
from initcli.dtypes import DTYPES, DType
from initcli.errors import ArgumentError, Fault, Position
from initcli.expressions import Broken, Expression, Number, Scope, ToldError
from initcli.patterns import Pattern

if TYPE_CHECKING:
    from initcli.object_paths import Stored

VERSION = 1
"""The version of the spec language that this program reads."""

MAX_SHOWN = 1000
"""The most characters of a message: what it repeats of the spec can be of any length."""
MAX_RULES = 1000
MAX_RANK = 32  # HDF5's limit, H5S_MAX_RANK

KeyPath: TypeAlias = tuple[str | int, ...]
"""The keys and list indices that lead from the root of a document to a place in it."""

Count: TypeAlias = int | Expression
"""A whole number, or arithmetic that must come out as one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: its position in the document and the keys and indices that lead to it."""

    position: Position
    path: KeyPath

    def fault(self, what: str, hint: str = "") -> Fault:
        """Return a fault at this place."""
        shown = what if len(what) <= MAX_SHOWN else f"{what[:MAX_SHOWN]}…"
        return Fault(shown, self.position, render_path(self.path), hint[:MAX_SHOWN])

    def seen_from(self, other: Place) -> str:
        """Return the line, and of another file than that of `other` its name too."""
        if self.position.source == other.position.source:
            return f"line {self.position.line}"
        return f"{self.position.source}:{self.position.line}"


def tell(faults: list[Fault], place: Place, error: ArgumentError, origin: str = "") -> None:
    """Append an error as a fault at a place, unless it follows from one that has been told."""
    if not isinstance(error, ToldError):
        faults.append(place.fault(error.faults[0].what + origin, error.faults[0].hint))


@dataclass(frozen=True, slots=True)
class Init:
    """An initializer as written: `name`, arguments by position and by name, and the place of each."""

    name: str
    place: Place
    positional: tuple[Any, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    argument_places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether no argument can hold a variable."""
        given = (*self.positional, *self.arguments.values())
        return not given or all(value is None or isinstance(value, int | float) for value in given)


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One line's tensors as written; `init` and `dtype` are None where a rule or a default decides.

    A tensor with a fault is kept, so that rules still meet it: `shape` is None if it is wrong, `states_init` is true if
    there is an init even if that is wrong. `fan_in` and `fan_out` take the place of those that the shape tells. A `tie`
    names the tensor that it is one with.
    """

    pattern: Pattern
    place: Place
    shape: tuple[Count, ...] | None = None
    init: Init | None = None
    dtype: DType | str | None = None
    states_init: bool = False
    axes: str = ""
    seed: Count | None = None
    fan_in: Number | Expression | None = None
    fan_out: Number | Expression | None = None
    tie: Pattern | None = None
    default_init: Init | None = None
    """What its layer's class gives it where nothing else does."""
    bound: Scope = field(default_factory=dict)
    """The values of the loops around its layer."""
    stored: Stored | None = None
    """Where Keras's own files keep it, if it is a weight of a layer of Keras."""
    node: Node | None = None
    """What it was read from, where that knows its places."""

    def place_of(self, *steps: str | int) -> Place:
        """Return where the value of a key stands, or an item of it; the tensor if it has none such."""
        node = self.node
        for step in steps:
            value = node.value if node else None
            if isinstance(value, Mapping) and str(step) in value:
                node = value[str(step)].node
            elif isinstance(value, tuple) and isinstance(step, int):
                node = value[step]
            else:
                return self.place
        return Place(node.position, (*self.place.path, *steps)) if node else self.place


@dataclass(frozen=True, slots=True)
class Condition:
    """Which tensors something is for: the name `match`, and every other condition that is given.

    `match` is a glob over the whole name, or after `re:` a regular expression that must fit the whole name. A None in
    `shape` fits any length.
    """

    match: str
    place: Place
    rank: Count | None = None
    shape: tuple[Count | None, ...] | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where each key's value stands."""

    @property
    def is_conditional(self) -> bool:
        """Whether there is more than the name to it."""
        return bool({"rank", "shape"} & self.places.keys()) or (isinstance(self, Rule) and "dtype" in self.places)


@dataclass(frozen=True, slots=True)
class Rule(Condition):
    """An initializer for the tensors that state none; `dtype` is one more condition."""

    dtype: DType | str | None = None
    init: Init | None = None


@dataclass(frozen=True, slots=True)
class Default(Condition):
    """The dtype and the axes of the tensors that state none."""

    dtype: DType | str | None = None
    axes: str = ""


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """A layer as written, or with `layers` a block of them; `name` is the layer's or the block's own name or prefix."""

    place: Place
    class_name: str = ""
    name: Pattern | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    inits: tuple[tuple[str, Init | None, Place], ...] = ()
    """Globs over the layer's own weights, and the initializer of those that fit."""
    inputs: tuple[Count | None, ...] | None = None
    repeat: Count | None = None
    layers: tuple[LayerSpec, ...] | None = None

    def place_of(self, key: str) -> Place:
        """Return where the value of a key stands, or the layer if it has none."""
        return self.places.get(key, self.place)


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole spec. `framework` is where bare names of initializers are looked up first.

    It is not `is_whole` if a fault may hide names of tensors, so that what matches none is no fault for sure; nor does
    it have `has_all_rules` if one may hide rules, so that a tensor without an init is none.
    """

    framework: str = "keras"
    seed: int = 0
    dtype: DType = DTYPES["float32"]
    dtype_place: Place | None = None
    variables: Mapping[str, Number | str | Broken] = field(default_factory=dict)
    defaults: tuple[Default, ...] = ()
    tensors: tuple[TensorSpec, ...] = ()
    rules: tuple[Rule, ...] = ()
    layers: tuple[LayerSpec, ...] = ()
    input_shape: tuple[Count | None, ...] | None = None
    input_place: Place | None = None
    config: Mapping[str, Any] | None = None
    """What the model's config.json holds: plain data, in which formulas have their values."""
    config_places: Mapping[str, Place] = field(default_factory=dict)
    """Where the keys of the config stand; under `""` the config itself."""
    is_whole: bool = True
    has_all_rules: bool = True
