"""What the user wrote, checked: the nouns of a spec, each with the place of what can still be wrong.

Names, numbers and dtypes may hold variables and loop indices; they have values when the spec is resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from initcli.dtypes import DTYPES, DType
from initcli.errors import Fault, Position
from initcli.expressions import Broken, Expression, Number
from initcli.patterns import Pattern
from initcli.tree import render_path

VERSION = 1
"""The version of the spec language that this program reads."""

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
        return Fault(what, self.position, render_path(self.path), hint)


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
        return all(value is None or isinstance(value, int | float) for value in given)


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
    seed: int | None = None
    fan_in: Number | Expression | None = None
    fan_out: Number | Expression | None = None
    tie: Pattern | None = None
    default_init: Init | None = None
    """What its layer's class gives it where nothing else does."""
    positions: Mapping[str, Position] = field(default_factory=dict)
    """Where the value of each key stands."""

    def place_of(self, key: str) -> Place:
        """Return where the value of a key stands, or the tensor if it has none."""
        if key not in self.positions:
            return self.place
        return Place(self.positions[key], (*self.place.path, key))


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
    layers: tuple[LayerSpec, ...] = ()

    def place_of(self, key: str) -> Place:
        """Return where the value of a key stands, or the layer if it has none."""
        return self.places.get(key, self.place)


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole spec. `framework` is where bare names of initializers are looked up first."""

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
