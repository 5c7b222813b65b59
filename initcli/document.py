"""Text to a tree in which every key and value knows its place: the only door to `yaml`.

YAML events and JSON tokens grow the same tree. It keeps a stack of its own and counts as it grows, so that no text,
however deep, tangled or large, can exhaust the interpreter; whatever is wrong becomes a `Fault`.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from initcli.errors import Fault, InitcliError, Position, suggest
from initcli.json_document import JsonSyntaxError, Token, read_tokens

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 64
MAX_NODES = 1_000_000
MAX_FAULTS = 1_000
MAX_DIGITS = 300  # an integer of 300 digits still fits a float64 (1.8e308) and stays below the limit of int() (4300)

_SHOWN = 200  # characters of a key that a message or a path repeats
_JSON_START = re.compile(r"\s*\{\s*[\"}]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_UTF16 = re.compile(rb"(?:[^\0]\0|\0[^\0])+\Z")
_UNPRINTABLE = re.compile(
    r"[\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]"
)  # what YAML 1.2 section 5.1 leaves out, and a late BOM
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LINE = re.compile(r"[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029]|\Z)")  # a break is what YAML 1.1 calls one
_VERSION = re.compile(r"%YAML 1\.[0-9]\s*(?:#.*)?")
_TAG = "YAML tags are not allowed: a spec is data"
_TAG_HINT = "remove the tag; quotes make a text, their absence a number"

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
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{_shorten(step)}" for step in steps)
    return path.removeprefix(".")


# Bytes in


def read_document(source: str, stdin: BinaryIO) -> tuple[bytes, str]:
    """Return the bytes of the file `source`, or of `stdin` for `-`, and the name to show for it.

    Raises: InitcliError, if it cannot be read or is larger than 64 MiB.
    """
    name = "<stdin>" if source == "-" else source
    try:
        text = stdin.read(MAX_BYTES + 1) if source == "-" else _read_file(Path(source))
    except (OSError, ValueError) as error:
        raise InitcliError(_explain_unreadable(source, name, error)) from error
    if len(text) > MAX_BYTES:
        hint = "a spec holds names and shapes, not the values of the weights"
        raise InitcliError(Fault(f"{_quote(name)} is larger than {MAX_BYTES >> 20} MiB", hint=hint))
    return text, name


def _read_file(path: Path) -> bytes:
    if path.is_dir():
        raise IsADirectoryError  # Windows would call it a lack of permission
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _explain_unreadable(source: str, name: str, error: OSError | ValueError) -> Fault:
    shown = _quote(name)
    if not source:
        return Fault("the name of the spec is empty", hint="give a path, or `-` for standard input")
    if isinstance(error, FileNotFoundError):
        return Fault(f"no file {shown}", hint=_suggest_file(Path(source)))
    if isinstance(error, IsADirectoryError):
        return Fault(f"{shown} is a directory", hint="name a file in it")
    if isinstance(error, PermissionError):
        return Fault(f"{shown} may not be read: permission denied", hint="check the rights of the file and its folders")
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return Fault(f"{shown} cannot be read: {reason[:1].lower()}{reason[1:]}")


def _suggest_file(path: Path) -> str:
    try:
        return suggest(path.name, sorted(neighbour.name for neighbour in path.parent.iterdir()))
    except OSError:
        return f"there is no folder {_quote(str(path.parent))}"


# Bytes to text


def parse_document(text: bytes, source: str, faults: list[Fault]) -> Node | None:
    """Return the tree of a YAML or JSON document, or None where it cannot be read to its end.

    Every fault found joins `faults`, in the order of the text. Beside faults the tree holds what could be kept: the
    first of duplicate keys, the value under a tag, nothing for an alias without an anchor.

    JSON is what `source` calls `.json`, or what starts like `{"` under any name but `.yaml` and `.yml`.
    """
    tree = _Tree(source, faults)
    try:
        decoded = _decode(text, source)
        suffix = Path(source).suffix.lower()
        if suffix == ".json" or (suffix not in (".yaml", ".yml") and _JSON_START.match(decoded)):
            _grow_from_json(decoded, tree)
        else:
            _grow_from_yaml(decoded, tree)
    except _UnreadableError as error:
        faults.append(error.fault)
        return None
    return tree.root


class _UnreadableError(Exception):
    """The text cannot be read beyond this fault."""

    def __init__(self, what: str, position: Position, hint: str = "", path: str = "") -> None:
        super().__init__(what)
        self.fault = Fault(what, position, path, hint)


def _decode(text: bytes, source: str) -> str:
    """Return `text` without its byte order mark, or say at which byte it stops being UTF-8 text."""

    def refuse(what: str, offset: int, hint: str) -> _UnreadableError:
        before = text[:offset].removeprefix(codecs.BOM_UTF8).decode(errors="replace")
        return _UnreadableError(what, _locate(before, len(before), source), hint)

    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _UTF16.match(text[:64]):
        raise refuse("UTF-16 text", 0, "save the file as UTF-8")
    zero = text.find(b"\0")
    if zero >= 0:
        raise refuse(f"binary data: the byte at offset {zero} is zero", zero, "a spec is YAML or JSON text")
    try:
        decoded = text.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 text: byte 0x{text[error.start]:02x} at offset {error.start}"
        raise refuse(what, error.start, "save the file as UTF-8") from None
    _refuse_control(_CONTROL, decoded, source)
    if not decoded.strip():
        raise _empty(source)
    return decoded


def _empty(source: str) -> _UnreadableError:
    hint = "a spec begins with `initcli: 1` and lists `tensors:` or `layers:`"
    return _UnreadableError("the document is empty", Position(source, 1, 1), hint)


def _locate(text: str, offset: int, source: str) -> Position:
    return Position(source, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def _quote(text: str) -> str:
    return f"`{_shorten(text)}`"


def _shorten(text: str) -> str:
    """Return at most 200 characters on one line, with whatever a terminal would act on escaped."""
    short = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return short if short.isprintable() else repr(short)[1:-1]


# The tree as it grows


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


class _Tree:
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
        self._faults.append(Fault(what, position, self._path(), hint))
        if len(self._faults) >= self._patience:
            raise _UnreadableError(f"more than {MAX_FAULTS:,} faults: the rest is not read", position)

    @property
    def expects_key(self) -> bool:
        return bool(self._open) and self._open[-1].entries is not None and self._open[-1].key is None

    @property
    def is_bare(self) -> bool:
        return not self._open

    def add_key(self, text: str, position: Position, anchor: str | None = None) -> None:
        bud = self._open[-1]
        bud.key, bud.key_position = text, position
        bud.key = text = self._replace_surrogates(text, position)
        if anchor is not None:
            self._anchors[anchor] = _Branch(Node(text, position))
        first = (bud.entries or {}).get(text)
        if first:
            bud.key_position = None
            hint = f"it already stands on line {first.position.line}: keep one of the two"
            self.report(f"duplicate key {_quote(text)}", position, hint)

    def refuse_key(self, what: str, position: Position, hint: str) -> None:
        self.report(what, position, hint)
        self._open[-1].key, self._open[-1].key_position = "", None

    def add_scalar(self, value: Scalar, position: Position, anchor: str | None = None) -> None:
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
                self.report(
                    f"an integer of more than {MAX_DIGITS} digits", position, "write a decimal number, as in `1e300`"
                )
        elif _FLOAT.fullmatch(text):
            value = float(text)
            if math.isinf(value):
                largest = "the largest float64 is about 1.8e308"
                self.report(f"the number {_quote(text)} is too large", position, largest)
        self.add_scalar(value, position, anchor)

    def add_alias(self, name: str, position: Position) -> None:
        branch = self._anchors.get(name)
        if isinstance(branch, _Branch):
            self._count(branch.size, position)
            if len(self._open) + branch.height > MAX_DEPTH:
                raise self._too_deep(position)
        elif branch is None:
            self.report(
                f"no anchor `&{_shorten(name)}` before this alias", position, "put quotes around a text with `*`"
            )
            branch = _Branch(Node(None, position))
        else:
            self.report(f"the alias `*{_shorten(name)}` stands inside its own anchor", position, "a spec is finite")
            branch = _Branch(Node(None, position))
        self._attach(branch)

    def open(self, kind: str, position: Position, anchor: str | None = None) -> None:
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
            raise _UnreadableError(what, position, "let one line with `{0..n}` stand for many tensors", self._path())

    def _too_deep(self, position: Position) -> _UnreadableError:
        return _UnreadableError(f"nested more than {MAX_DEPTH} levels deep", position, path=self._path())

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


# JSON


def _grow_from_json(text: str, tree: _Tree) -> None:
    line, line_start, seen = 1, 0, 0
    try:
        for token in read_tokens(text):
            line += text.count("\n", seen, token.offset)
            line_start = max(line_start, text.rfind("\n", seen, token.offset) + 1)
            seen = token.offset
            _add_token(token, Position(tree.source, line, seen - line_start + 1), tree)
    except JsonSyntaxError as error:
        raise _UnreadableError(error.what, _locate(text, error.offset, tree.source), error.hint) from None


def _add_token(token: Token, position: Position, tree: _Tree) -> None:
    match token.kind:
        case "{":
            tree.open("mapping", position)
        case "[":
            tree.open("list", position)
        case "}" | "]":
            tree.close()
        case "key":
            tree.add_key(token.text, position)
        case "string":
            tree.add_scalar(token.text, position)
        case "scalar":
            if token.text[-1] in "Ny":  # NaN, Infinity
                tree.report(f"{_quote(token.text)} is not JSON", position, "in YAML, `.nan` and `.inf` are numbers")
                tree.add_scalar(float(token.text), position)
            else:
                tree.add_plain(token.text, position)


# YAML


def _grow_from_yaml(text: str, tree: _Tree) -> None:
    _refuse_control(_UNPRINTABLE, text, tree.source)
    _refuse_directives(text, tree.source)
    for event in _read_events(text, tree.source):
        kind = type(event).__name__
        position = Position(tree.source, event.start_mark.line + 1, event.start_mark.column + 1)
        match kind:
            case "DocumentEndEvent":
                _refuse_more(text, event.end_mark.index, tree)
                return  # what the parser would make of a second document costs time and tells nothing
            case "AliasEvent" if tree.expects_key:
                tree.refuse_key("an alias as a key", position, "keys are text: put quotes around a text with `*`")
            case "AliasEvent":
                tree.add_alias(event.anchor, position)
            case "ScalarEvent":
                _add_scalar(event, position, text, tree)
            case "SequenceStartEvent" | "MappingStartEvent":
                _refuse_tag(event, position, tree)
                tree.open("mapping" if kind == "MappingStartEvent" else "list", position, event.anchor)
            case "SequenceEndEvent" | "MappingEndEvent":
                tree.close()
    raise _empty(tree.source)


def _read_events(text: str, source: str) -> Iterator[Any]:
    """Yield the events of PyYAML: libyaml's where PyYAML has it, which is quicker, else Python's."""
    import yaml

    end = 0
    events: Iterator[Any] = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    try:
        for event in events:
            end = event.end_mark.index
            yield event
    except yaml.MarkedYAMLError as error:
        raise _explain_yaml(error, text, source) from None
    except (yaml.YAMLError, ValueError, OverflowError):  # the Python scanner calls chr() with whatever \U says
        position = _locate(text, max(text.find("\\U", end), end), source)
        raise _UnreadableError(_ESCAPE.what, position, _ESCAPE.hint) from None


def _add_scalar(event: Any, position: Position, text: str, tree: _Tree) -> None:
    is_plain = not event.style
    _refuse_tag(event, position, tree)
    if tree.expects_key:
        if is_plain and event.value == "<<":
            tree.refuse_key("merge keys are not part of YAML 1.2", position, "write the keys out")
        else:
            tree.add_key(event.value, position, event.anchor)
    elif not is_plain:
        tree.add_scalar(event.value, position, event.anchor)
    elif event.value:
        tree.add_plain(event.value, position, event.anchor)
    else:
        if tree.is_bare:
            raise _empty(tree.source)
        gap = text[event.start_mark.index - position.column + 1 : event.start_mark.index]
        column = len(gap.rstrip(" ")) + 1  # libyaml places an empty value at the next token, if that is on its line
        tree.add_plain("", Position(tree.source, position.line, column), event.anchor)


def _refuse_tag(event: Any, position: Position, tree: _Tree) -> None:
    if getattr(event, "tag", None) is not None:
        tree.report(_TAG, position, _TAG_HINT)


def _refuse_control(unwanted: re.Pattern[str], text: str, source: str) -> None:
    bad = unwanted.search(text)
    if bad:
        what = f"the control character U+{ord(bad.group()):04X}"
        raise _UnreadableError(what, _locate(text, bad.start(), source), "write it as an escape in double quotes")


def _refuse_directives(text: str, source: str) -> None:
    """Refuse directives but `%YAML 1.x`; libyaml would take quadratic time over many `%TAG`."""
    for line in _LINE.finditer(text):
        content = line.group().strip()
        if content.startswith("%") and not _VERSION.fullmatch(content):
            what, hint = (
                (_TAG, _TAG_HINT) if content.startswith("%TAG") else ("an unknown directive", "remove the line")
            )
            raise _UnreadableError(what, _locate(text, line.start(), source), hint)
        if content and content[0] not in "%#":
            return


def _refuse_more(text: str, start: int, tree: _Tree) -> None:
    """Refuse anything but comments behind the end of the document."""
    for line in _LINE.finditer(text, start):
        content = line.group().strip()
        if not content or content[0] == "#" or content.split(maxsplit=1)[0] == "...":
            continue
        position = _locate(text, line.start() + line.group().index(content), tree.source)
        if content.startswith(("---", "%")):
            tree.report("more than one document", position, "give each spec a file of its own")
            return
        raise _UnreadableError("unexpected text after the end of the document", position)


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a message of PyYAML or libyaml reads here; `at_context` points at where the trouble begins."""

    pattern: str
    what: str
    hint: str = ""
    at_context: bool = False


_ESCAPE = _Rule(
    r"escape|hexa?decimal", "unknown escape in double quotes", "write a backslash as `\\\\`, or use single quotes"
)

# Matched in order against "context: problem at 'character'", with '' for the end of the text.
_RULES = (
    _Rule(r"(cannot start any token|tab character).* at '\\t'", "a tab where YAML wants spaces", "indent with spaces"),
    _Rule(r"tag|directive", _TAG, _TAG_HINT),
    _Rule(
        r"quoted scalar.*(end of stream|document)",
        "`{opening}` is never closed",
        "add the closing quote",
        at_context=True,
    ),
    _ESCAPE,
    _Rule(r"flow sequence.* at ''", "`[` is never closed", "add the missing `]`", at_context=True),
    _Rule(r"flow mapping.* at ''", "`{{` is never closed", "add the missing `}}`", at_context=True),
    _Rule(r"flow sequence", "expected `,` or `]`", "the `[` on line {line} is still open"),
    _Rule(r"flow mapping", "expected `,` or `}}`", "the `{{` on line {line} is still open"),
    _Rule(r"node.* at ''", "the document ends where a value is expected"),
    _Rule(
        r"node", "expected a value, found `{character}`", "put quotes around text that begins with a bracket or a comma"
    ),
    _Rule(
        r"mapping values are not allowed",
        "a `:` where no key can stand",
        "put quotes around text with `: `, a space behind the colon of each key, and keys of a block in one column",
    ),
    _Rule(
        r"simple key",
        "a line that is neither `key: value` nor `- item`",
        "put a space behind the colon of each key",
        at_context=True,
    ),
    _Rule(r"cannot start any token", "a text cannot begin with `{character}`", "put quotes around it"),
    _Rule(
        r"sequence entries", "a `- ` where no list can begin", "put list items on lines of their own, below their key"
    ),
    _Rule(
        r"scanning an (alias|anchor)",
        "`{opening}` begins an alias or anchor",
        "put quotes around text",
        at_context=True,
    ),
    _Rule(r"block scalar", "unexpected text behind `{opening}`", "put the text on the lines below", at_context=True),
    _Rule(r"unexpected ':'", "unexpected `:` in a text", "put a space behind the colon, or quotes around the text"),
    _Rule(
        r"mapping keys are not allowed", "a `?` where no key can stand", "put quotes around text that begins with `?`"
    ),
    _Rule(r"document start", "expected `---` below the directive"),
    _Rule(r"incompatible", "a document of another YAML version", "write YAML 1.2"),
)
_MISPLACED = _Rule(
    r"block (mapping|collection)",
    "this line does not fit the block that begins on line {line}",
    "put the entries of a block in one column: `key: value` in a mapping, `- item` in a list",
)
_TRAILING = _Rule(r"block", "unexpected `{character}` behind a value", "put quotes around the whole text")


def _explain_yaml(error: yaml.MarkedYAMLError, text: str, source: str) -> _UnreadableError:
    """Say in the words of this program what PyYAML or libyaml found, at the same place for both."""
    mark = error.problem_mark or error.context_mark
    context = error.context_mark or mark
    index = mark.index if mark else 0
    start = context.index if context else 0
    symptom = f"{error.context}: {error.problem} at {text[index : index + 1]!r}"
    begins_line = not text[text.rfind("\n", 0, index) + 1 : index].strip(" -")
    rules = (*_RULES, _MISPLACED if begins_line else _TRAILING)
    rule = next((rule for rule in rules if re.search(rule.pattern, symptom)), None)
    if rule is None:
        return _UnreadableError(f"not YAML: {error.problem}", _locate(text, index, source))
    if rule is _ESCAPE:
        index = max(text.rfind("\\", 0, index + 1), 0)
    words = {
        "character": _shorten(text[index : index + 1]),
        "opening": _shorten(text[start : start + 1]),
        "line": _locate(text, start, source).line,
    }
    position = _locate(text, start if rule.at_context else index, source)
    return _UnreadableError(rule.what.format(**words), position, rule.hint.format(**words))
