"""A tree in which every key and value knows its place, and how it grows from a stream of marks.

YAML events and JSON tokens grow the same tree. It keeps a stack of its own and counts as it grows, so that no text,
however deep, tangled or large, can exhaust the interpreter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from initcli.errors import Fault, Position

MAX_DEPTH = 64
MAX_NODES = 2_250_000
MAX_FAULTS = 1_000
MAX_DIGITS = 300  # an integer of 300 digits still fits a float64 (1.8e308) and stays below the limit of int() (4300)

_SHOWN = 200  # characters of a key that a message or a path repeats
_SURROGATE = re.compile(r"[\ud800-\udfff]")

# YAML 1.2.2, section 10.3.2 (the core schema), https://yaml.org/spec/1.2.2/#1032-tag-resolution
_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((sign + word for sign in ("", "+") for word in (".inf", ".Inf", ".INF")), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

Scalar: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the document and the place it begins at; under an alias, the place of the anchored value."""

    value: Scalar | tuple[Node, ...] | Mapping[str, Entry]
    position: Position

    def kind(self) -> str:
        """Name the kind of value as a message does, with its article.

        >>> Node(0.5, Position("spec.yaml", 1, 1)).kind()
        'a number'
        """
        names: dict[type, str] = {bool: "a boolean", int: "an integer", float: "a number", str: "text", tuple: "a list"}
        return "nothing" if self.value is None else names.get(type(self.value), "a mapping")

    def to_data(self) -> Any:
        """Return the value as plain None, bool, int, float, str, list and dict."""
        if isinstance(self.value, tuple):
            return [item.to_data() for item in self.value]
        if isinstance(self.value, Mapping):
            return {key: entry.node.to_data() for key, entry in self.value.items()}
        return self.value


@dataclass(frozen=True, slots=True)
class Entry:
    """What a mapping holds under one key: the `position` of the key itself, and the `node`."""

    position: Position
    node: Node


def render_path(steps: Iterable[str | int]) -> str:
    """Return keys and list indices as one dotted path.

    >>> render_path(["rules", 0, "match"])
    'rules[0].match'
    """
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{shorten(step)}" for step in steps)
    return path.removeprefix(".")


def quote(text: str) -> str:
    """Return `text`, shortened, between the signs that mark a literal."""
    return f"`{shorten(text)}`"


def shorten(text: str) -> str:
    """Return at most 200 characters on one line, with whatever a terminal would act on escaped."""
    short = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return short if short.isprintable() else repr(short)[1:-1]


def locate(text: str, offset: int, source: str) -> Position:
    """Return the line and column of the character at `offset`."""
    return Position(source, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


class UnreadableError(Exception):
    """The text cannot be read beyond this fault."""

    def __init__(self, what: str, position: Position, hint: str = "", path: str = "") -> None:
        super().__init__(what)
        self.fault = Fault(what, position, path, hint)


def empty_document(source: str) -> UnreadableError:
    """Return the error for a text that holds no value."""
    hint = "a spec begins with `initcli: 1` and lists its `tensors:`"
    return UnreadableError("the document is empty", Position(source, 1, 1), hint)


def refuse_characters(unwanted: re.Pattern[str], text: str, source: str) -> None:
    """Raise an UnreadableError at the first unwanted character."""
    bad = unwanted.search(text)
    if bad:
        what = f"the control character U+{ord(bad.group()):04X}"
        raise UnreadableError(what, locate(text, bad.start(), source), "write it as an escape in double quotes")


@dataclass(frozen=True, slots=True)
class _Branch:
    """A finished node with its count of nodes, aliases followed, and its levels of lists and mappings."""

    node: Node
    size: int = 1
    height: int = 0


@dataclass(slots=True, eq=False)
class _Bud:
    """A list (`entries` is None) or mapping still open; `key` is the one whose value comes next."""

    position: Position
    anchor: str | None
    items: list[Node]
    entries: dict[str, Entry] | None
    key: str | None = None
    key_position: Position | None = None  # None where the value is to be dropped
    size: int = 1
    height: int = 1

    def step(self) -> str | int:
        return len(self.items) if self.entries is None else self.key or ""

    def take(self, branch: _Branch) -> None:
        self.size += branch.size
        self.height = max(self.height, branch.height + 1)
        if self.entries is None:
            self.items.append(branch.node)
        elif self.key is None:
            self.key, self.key_position = "", None  # the branch stood as a key, which is a fault reported before
        else:
            if self.key_position is not None:
                self.entries[self.key] = Entry(self.key_position, branch.node)
            self.key = None

    def finish(self) -> _Branch:
        value = tuple(self.items) if self.entries is None else self.entries
        return _Branch(Node(value, self.position), self.size, self.height)


class Tree:
    """A tree under construction, held to the limits of depth, size and faults."""

    def __init__(self, source: str, faults: list[Fault]) -> None:
        self.source = source
        self.root: Node | None = None
        self._faults = faults
        self._patience = len(faults) + MAX_FAULTS
        self._open: list[_Bud] = []
        self._size = 0
        self._anchors: dict[str, _Branch | _Bud] = {}

    def report(self, what: str, position: Position, hint: str = "") -> None:
        """Append a fault at the path of what is open, unless patience is at its end."""
        self._faults.append(Fault(what, position, self._path(), hint))
        if len(self._faults) >= self._patience:
            raise UnreadableError(f"more than {MAX_FAULTS:,} faults: the rest is not read", position)

    @property
    def expects_key(self) -> bool:
        """Whether what comes next stands as a key."""
        return bool(self._open) and self._open[-1].entries is not None and self._open[-1].key is None

    @property
    def is_bare(self) -> bool:
        """Whether no list or mapping is open."""
        return not self._open

    def add_key(self, text: str, position: Position, anchor: str | None = None) -> None:
        """Add a key to the open mapping; of duplicates the first keeps its value."""
        bud = self._open[-1]
        bud.key, bud.key_position = text, position
        bud.key = text = self._replace_surrogates(text, position)
        if anchor is not None:
            self._anchors[anchor] = _Branch(Node(text, position))
        first = (bud.entries or {}).get(text)
        if first:
            bud.key_position = None
            hint = f"it already stands on line {first.position.line}: keep one of the two"
            self.report(f"duplicate key {quote(text)}", position, hint)

    def refuse_key(self, what: str, position: Position, hint: str) -> None:
        """Report what cannot be a key, and drop the value that comes next."""
        self.report(what, position, hint)
        self._open[-1].key, self._open[-1].key_position = "", None

    def add_scalar(self, value: Scalar, position: Position, anchor: str | None = None) -> None:
        """Add a value that is neither list nor mapping."""
        if isinstance(value, str):
            value = self._replace_surrogates(value, position)
        branch = _Branch(Node(value, position))
        if anchor is not None:
            self._anchors[anchor] = branch
        self._count(1, position)
        self._attach(branch)

    def add_plain(self, text: str, position: Position, anchor: str | None = None) -> None:
        """Add an unquoted scalar: what the YAML 1.2 core schema says it is."""
        value: Scalar = _WORDS.get(text, text)
        if _INTEGER.fullmatch(text):
            value = _parse_integer(text)
            if value is None:
                what = f"an integer of more than {MAX_DIGITS} digits"
                self.report(what, position, "write a decimal number, as in `1e300`")
        elif _FLOAT.fullmatch(text):
            value = float(text)
            if math.isinf(value):
                largest = "the largest float64 is about 1.8e308"
                self.report(f"the number {quote(text)} is too large", position, largest)
        self.add_scalar(value, position, anchor)

    def add_alias(self, name: str, position: Position) -> None:
        """Add the branch anchored as `name`, itself and no copy; nothing, where there is none."""
        branch = self._anchors.get(name)
        if isinstance(branch, _Branch):
            self._count(branch.size, position)
            if len(self._open) + branch.height > MAX_DEPTH:
                raise self._too_deep(position)
        elif branch is None:
            what = f"no anchor `&{shorten(name)}` before this alias"
            self.report(what, position, "put quotes around a text with `*`")
        else:
            self.report(f"the alias `*{shorten(name)}` stands inside its own anchor", position, "a spec is finite")
        self._attach(branch if isinstance(branch, _Branch) else _Branch(Node(None, position)))

    def open(self, kind: str, position: Position, anchor: str | None = None) -> None:
        """Open a list or, if `kind` says so, a mapping."""
        if self.expects_key:
            self.report("a list or mapping as a key", position, "keys are text")
        if len(self._open) == MAX_DEPTH:
            raise self._too_deep(position)
        self._count(1, position)
        bud = _Bud(position, anchor, [], {} if kind == "mapping" else None)
        if anchor is not None:
            self._anchors[anchor] = bud
        self._open.append(bud)

    def close(self) -> None:
        """Close the list or mapping opened last."""
        bud = self._open.pop()
        branch = bud.finish()
        if bud.anchor is not None and self._anchors[bud.anchor] is bud:
            self._anchors[bud.anchor] = branch
        self._attach(branch)

    def _attach(self, branch: _Branch) -> None:
        if self._open:
            self._open[-1].take(branch)
        else:
            self.root = branch.node

    def _path(self) -> str:
        return render_path(bud.step() for bud in self._open)

    def _count(self, size: int, position: Position) -> None:
        self._size += size
        if self._size > MAX_NODES:
            what = f"more than {MAX_NODES:,} values, aliases followed"
            raise UnreadableError(what, position, "let one line with `{0..n}` stand for many tensors", self._path())

    def _too_deep(self, position: Position) -> UnreadableError:
        return UnreadableError(f"nested more than {MAX_DEPTH} levels deep", position, path=self._path())

    def _replace_surrogates(self, text: str, position: Position) -> str:
        """Report a character that UTF-8 cannot write, and put U+FFFD in its place."""
        replaced = _SURROGATE.sub("\ufffd", text)
        if replaced != text:
            hint = "write the character itself, or both halves of the pair in JSON"
            self.report("half of a surrogate pair is no character", position, hint)
        return replaced


def _parse_integer(text: str) -> int | None:
    """Return the integer, or None if it has too many digits to be told in decimal or as a float64."""
    if len(text) > MAX_DIGITS:
        return None
    number = int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    return number if abs(number) < 10**MAX_DIGITS else None
