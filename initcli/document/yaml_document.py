"""YAML text to a tree: the only door to `yaml`.

PyYAML is asked for events alone: it resolves no tag and makes no object. What it finds wrong is told in the words of
this program, the same ones for libyaml and for Python's own scanner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from initcli.document.tree import Tree, UnreadableError, empty_document, locate, refuse_characters, shorten
from initcli.errors import Position

if TYPE_CHECKING:
    import yaml

_UNPRINTABLE = re.compile(r"[\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")  # YAML 1.2, section 5.1; and a late BOM
_LINE = re.compile(r"[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029]|\Z)")  # a break is what YAML 1.1 calls one
_VERSION = re.compile(r"%YAML 1\.[0-9]\s*(?:#.*)?")
_TAG = "YAML tags are not allowed: a spec is data"
_TAG_HINT = "remove the tag; quotes make a text, their absence a number"


def grow_from_yaml(text: str, tree: Tree) -> None:
    """Grow `tree` from YAML text.

    Raises: UnreadableError.
    """
    refuse_characters(_UNPRINTABLE, text, tree.source)
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
    raise empty_document(tree.source)


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
        position = locate(text, max(text.find("\\U", end), end), source)
        raise UnreadableError(_ESCAPE.what, position, _ESCAPE.hint) from None


def _add_scalar(event: Any, position: Position, text: str, tree: Tree) -> None:
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
            raise empty_document(tree.source)
        gap = text[event.start_mark.index - position.column + 1 : event.start_mark.index]
        column = len(gap.rstrip(" ")) + 1  # libyaml places an empty value at the next token, if that is on its line
        tree.add_plain("", Position(tree.source, position.line, column), event.anchor)


def _refuse_tag(event: Any, position: Position, tree: Tree) -> None:
    if getattr(event, "tag", None) is not None:
        tree.report(_TAG, position, _TAG_HINT)


def _refuse_directives(text: str, source: str) -> None:
    """Refuse directives but `%YAML 1.x`; libyaml would take quadratic time over many `%TAG`."""
    for line in _LINE.finditer(text):
        content = line.group().strip()
        if content.startswith("%") and not _VERSION.fullmatch(content):
            what, hint = (
                (_TAG, _TAG_HINT) if content.startswith("%TAG") else ("an unknown directive", "remove the line")
            )
            raise UnreadableError(what, locate(text, line.start(), source), hint)
        if content and content[0] not in "%#":
            return


def _refuse_more(text: str, start: int, tree: Tree) -> None:
    """Refuse anything but comments behind the end of the document."""
    for line in _LINE.finditer(text, start):
        content = line.group().strip()
        if not content or content[0] == "#" or content.split(maxsplit=1)[0] == "...":
            continue
        position = locate(text, line.start() + line.group().index(content), tree.source)
        if content.startswith(("---", "%")):
            tree.report("more than one document", position, "give each spec a file of its own")
            return
        raise UnreadableError("unexpected text after the end of the document", position)


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


def _explain_yaml(error: yaml.MarkedYAMLError, text: str, source: str) -> UnreadableError:
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
        return UnreadableError(f"not YAML: {error.problem}", locate(text, index, source))
    if rule is _ESCAPE:
        index = max(text.rfind("\\", 0, index + 1), 0)
    words = {
        "character": shorten(text[index : index + 1]),
        "opening": shorten(text[start : start + 1]),
        "line": locate(text, start, source).line,
    }
    position = locate(text, start if rule.at_context else index, source)
    return UnreadableError(rule.what.format(**words), position, rule.hint.format(**words))
