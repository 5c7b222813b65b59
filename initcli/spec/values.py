"""What stands behind the keys of a spec: text, numbers, shapes, dtypes and initializers, each with its faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from initcli.calls import parse_call
from initcli.document.tree import Entry, Node, render_path
from initcli.dtypes import DTYPES, DType, parse_dtype
from initcli.errors import ArgumentError, Fault, suggest
from initcli.expressions import Expression, Number, parse_expression
from initcli.fans import AXIS_ROLES, FANS_BY_FRAMEWORK
from initcli.initializers.keras_config import KEYS, read_config
from initcli.patterns import Pattern, parse_pattern
from initcli.spec import MAX_RANK, MAX_RULES, Count, Init, KeyPath, Place, tell
from initcli.spec.definitions import Key

T = TypeVar("T")


class Fields:
    """The known entries of a mapping, each with its node and its place."""

    def __init__(self, entries: Mapping[str, Entry], path: KeyPath) -> None:
        self.entries, self.path = entries, path

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def place(self, key: str) -> Place:
        """Return where the value of a key stands."""
        return Place(self.entries[key].node.position, (*self.path, key))

    def places(self) -> dict[str, Place]:
        """Return where every value stands."""
        return {key: self.place(key) for key in self.entries}

    def read(self, key: str, reader: Callable[[Node, KeyPath], T]) -> T | None:
        """Return what a reader makes of the value of a key; None if it is not there."""
        return reader(self.entries[key].node, (*self.path, key)) if key in self.entries else None


class Values:
    """Reads what stands behind a key, one value of each kind; what is wrong joins `faults`."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        self.inits: dict[str, Init] = {}
        """The last initializer that was written so: most specs write the same few again and again."""

    def fail(self, place: Place, what: str, hint: str = "") -> None:
        """Append a fault at a place."""
        self.faults.append(place.fault(what, hint))

    def guard(self, place: Place, action: Callable[..., T], *values: Any) -> T | None:
        """Return action(*values); what it raises becomes a fault."""
        try:
            return action(*values)
        except ArgumentError as error:
            tell(self.faults, place, error)
            return None

    def entries(self, node: Node, path: KeyPath) -> Mapping[str, Entry] | None:
        """Return the entries of a mapping; anything else is a fault."""
        value = node.value
        if isinstance(value, Mapping):
            return value
        where = f"`{render_path(path)}`" if path else "a spec"
        self.fail(Place(node.position, path), f"{where} must be a mapping, not {node.kind()}", _MAPPING.get(path, ""))
        return None

    def fields(self, node: Node, path: KeyPath, known: Mapping[str, Key]) -> Fields:
        """Return the known entries of a mapping; unknown and missing keys are faults."""
        entries = self.entries(node, path)
        return Fields({}, path) if entries is None else self.known(entries, node, path, known)

    def known(self, entries: Mapping[str, Entry], node: Node, path: KeyPath, known: Mapping[str, Key]) -> Fields:
        """Return those entries of a mapping that are known; unknown and missing keys are faults."""
        unknown = [key for key in entries if key not in known]
        for key in unknown:
            hint = suggest(key, known) or f"known here: {', '.join(sorted(known))}"
            self.fail(Place(entries[key].position, (*path, key)), f"unknown key `{key}`", hint)
        for key, each in known.items():
            if each.is_required and key not in entries:
                self.fail(Place(node.position, path), f"`{key}` is missing", MISSING.get(key, f"add `{key}:`"))
        return Fields({key: entry for key, entry in entries.items() if key in known} if unknown else entries, path)

    def items(self, node: Node, path: KeyPath) -> tuple[Node, ...]:
        """Return the items of a list; anything else is a fault."""
        if isinstance(node.value, tuple):
            return node.value
        what = f"`{render_path(path)}` must be a list, not {node.kind()}"
        self.fail(Place(node.position, path), what, _LISTS.get(str(path[-1]), ""))
        return ()

    def few(self, node: Node, path: KeyPath) -> tuple[Node, ...]:
        """Return the items of a list of rules, which every tensor may have to be held against."""
        items = self.items(node, path)
        if len(items) > MAX_RULES:
            self.fail(Place(node.position, path), f"{len(items):,} {path[-1]} are too many", f"at most {MAX_RULES:,}")
        return items[:MAX_RULES]

    def text(self, node: Node, path: KeyPath) -> str:
        """Read text that is not empty; empty if it is none."""
        if isinstance(node.value, str) and node.value:
            return node.value
        what = "is empty" if isinstance(node.value, str) else f"must be text, not {node.kind()}"
        hint = _TEXTS.get(str(path[-1]), f"write a name, or leave `{path[-1]}` out")
        self.fail(Place(node.position, path), f"`{path[-1]}` {what}", hint)
        return ""

    def axes(self, node: Node, path: KeyPath) -> str:
        """Read the names of axes; one that is nearly a role's would count as receptive field, and is a fault."""
        text = self.text(node, path)
        for word in text.split():
            if word not in AXIS_ROLES and (role := _near_role(word)):
                what = f"the axis `{word}` would count as receptive field"
                hint = f"did you mean `{role}`? other names must differ more from `in`, `out` and `batch`"
                self.fail(Place(node.position, path), what, hint)
        return text

    def pattern(self, node: Node, path: KeyPath) -> Pattern | None:
        """Read a name that may stand for many."""
        text = self.text(node, path)
        return self.guard(Place(node.position, path), parse_pattern, text) if text else None

    def seed(self, node: Node, path: KeyPath) -> Count:
        """Read a whole number ≥ 0, or arithmetic."""
        return self.count(node, path) or 0

    def framework(self, node: Node, path: KeyPath) -> str:
        """Read the name of a framework; empty if there is none such."""
        known = sorted(FANS_BY_FRAMEWORK)
        if isinstance(node.value, str) and node.value in known:
            return node.value
        hint = suggest(str(node.value) if isinstance(node.value, str) else "", known) or ", ".join(known)
        shown = f"`{node.value}`" if isinstance(node.value, str) else node.kind()
        self.fail(Place(node.position, path), f"unknown framework {shown}", hint)
        return ""

    def dtype(self, node: Node, path: KeyPath) -> DType | str | None:
        """Read an element type; a word that is none may be a variable's name."""
        if isinstance(node.value, str) and node.value not in DTYPES and node.value in self.words:
            return node.value
        return self.guard(Place(node.position, path), parse_dtype, node.to_data())

    words: frozenset[str] = frozenset()
    """What may be a variable or a loop's index."""

    def count(self, node: Node, path: KeyPath) -> Count | None:
        """Read a whole number ≥ 0, or arithmetic."""
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        if isinstance(value, str):
            return self.guard(Place(node.position, path), parse_expression, value)
        counted = _COUNTED.get(str(path[-1]), "a dimension")
        shown = f"`{value}`" if type(value) in (int, float) else node.kind()
        self.fail(Place(node.position, path), f"{counted} must be a whole number ≥ 0, not {shown}")
        return None

    def number(self, node: Node, path: KeyPath) -> Number | Expression | None:
        """Read a number > 0, or arithmetic."""
        value = node.value
        if isinstance(value, str):
            return self.guard(Place(node.position, path), parse_expression, value)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
            return value
        shown = f"`{value}`" if type(value) in (int, float) else node.kind()
        self.fail(Place(node.position, path), f"`{path[-1]}` must be a number > 0, not {shown}")
        return None

    def shape(self, node: Node, path: KeyPath) -> tuple[Count, ...] | None:
        """Read a list of dimensions; None if it is none."""
        data = node.to_data()
        is_plain = isinstance(data, list) and len(data) <= MAX_RANK and {*map(type, data)} <= {int}
        if is_plain and min(data, default=0) >= 0:
            return tuple(data)
        found = self.open_shape(node, path, is_open=False)
        return None if found is None else tuple(dim for dim in found if dim is not None)

    def open_shape(self, node: Node, path: KeyPath, is_open: bool = True) -> tuple[Count | None, ...] | None:
        """Read a list of dimensions; with `is_open` a null stays None."""
        if not isinstance(node.value, tuple):
            hint = "write a list of whole numbers, `[784, 256]`; `[]` is a scalar"
            self.fail(Place(node.position, path), f"a shape must be a list, not {node.kind()}", hint)
            return None
        if len(node.value) > MAX_RANK:
            what = f"a shape has at most {MAX_RANK} dimensions, not {len(node.value)}"
            self.fail(Place(node.position, path), what, "no format holds more")
            return None
        before = len(self.faults)
        dims = [
            None if is_open and item.value is None else self.count(item, (*path, i))
            for i, item in enumerate(node.value)
        ]
        return None if len(self.faults) > before else tuple(dims)

    def init(self, node: Node, path: KeyPath) -> Init | None:
        """Read a name, a call, a mapping with `name`, or a Keras config; None if it is neither."""
        place = Place(node.position, path)
        if isinstance(node.value, str):
            return self.init_call(node.value, place)
        if not isinstance(node.value, Mapping):
            self.fail(place, f"an init must be a name or a mapping, not {node.kind()}", "for example `he_normal`")
            return None
        entries = dict(node.value)
        if "class_name" in entries:
            return self.init_config(node, entries, place)
        name = entries.pop("name", None)
        if name is None or not isinstance(name.node.value, str):
            position = name.node.position if name else node.position
            self.fail(Place(position, place.path), "`name` must name an initializer", "`{name: normal, stddev: 0.02}`")
            return None
        arguments = {key: entry.node.to_data() for key, entry in entries.items()}
        return Init(name.node.value, Place(name.node.position, path), (), arguments, Fields(entries, path).places())

    def init_call(self, text: str, place: Place) -> Init | None:
        """Read a name or a call; what stands at one place is one."""
        init = self.inits.get(text)
        if init is None:
            call = self.guard(place, parse_call, text)
            init = call and Init(call[0], place, call[1], call[2])
        elif init.place.position is not place.position:
            init = Init(init.name, place, init.positional, init.arguments)
        if init:
            self.inits[text] = init
        return init

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
        argument_places = Fields(inner, (*place.path, "config")).places() if isinstance(inner, Mapping) else {}
        return Init(name, Place(entries["class_name"].node.position, place.path), (), arguments, argument_places)


def _near_role(word: str) -> str:
    """Return the role that a word is but for a slip, its case or what is behind it: `Out`, `in_channels`."""
    root = re.split(r"[\W_\d]", word.lower())[0]
    for role in AXIS_ROLES:
        for form in (role, f"{role}s", f"{role}es", f"{role}put", f"{role}puts"):
            if root == form or (len(root) > 1 and _is_slip(root, form)):
                return role
    return ""


def _is_slip(word: str, meant: str) -> bool:
    """Tell whether a letter too many, too few, another or exchanged makes one word of the other."""
    if len(word) == len(meant):
        return sum(map(str.__ne__, word, meant)) == 1 or sorted(word) == sorted(meant)
    short, long = sorted((word, meant), key=len)
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


_COUNTED = {"rank": "a rank", "repeat": "a count of repeats", "seed": "the seed"}
MISSING = {
    "tensors": "name at least one: `tensors: {fc1/kernel: [784, 256]}`",
    "shape": "add `shape: [784, 256]`",
    "match": 'add `match: "*"`, a glob over tensor names',
    "init": "add `init: zeros`, or another initializer",
}
_LISTS = {
    "rules": 'write a list: `- {match: "*", init: zeros}`',
    "defaults": 'write a list: `- {match: "*norm*", dtype: float32}`',
    "layers": "write a list: `- {class: Dense, units: 10}`",
}
_TEXTS = {
    "axes": "for example `axes: out in h w`",
    "match": 'for example `match: "*.bias"`; `"*"` is for all',
    "tie": "name the other tensor: `tie: embed.weight`",
    "class": "for example `class: Dense`",
}
_MAPPING: dict[KeyPath, str] = {
    (): "write `tensors:` and below it names and shapes",
    ("tensors",): "`tensors: {fc1/kernel: [784, 256]}`",
}
