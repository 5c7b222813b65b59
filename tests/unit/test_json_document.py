"""JSON grows a tree, or one fault at the place where it stops being JSON."""

from __future__ import annotations

import pytest

from initcli.document import parse_document
from initcli.document.tree import Node
from initcli.errors import Fault, Position


def parse_json(text: str) -> tuple[Node | None, list[Fault]]:
    faults: list[Fault] = []
    node = parse_document(text.encode(), "spec.json", faults)
    return node, faults


def places(faults: list[Fault]) -> list[tuple[int, int]]:
    return [(fault.position.line, fault.position.column) for fault in faults if fault.position]


def places_of(position: Position) -> tuple[int, int]:
    return position.line, position.column


def test_json_positions_survive_line_breaks_and_wide_characters() -> None:
    """A JSON key and value are placed as exactly as YAML ones."""
    node, _ = parse_json('{"é𝄞": 1,\r\n  "b": [\n true]}')

    assert node is not None
    assert isinstance(node.value, dict)
    entry = node.value["b"]
    assert isinstance(entry.node.value, tuple)
    assert places_of(node.value["é𝄞"].node.position) == (1, 8)
    assert [places_of(p) for p in (entry.position, entry.node.position, entry.node.value[0].position)] == [
        (2, 3),
        (2, 8),
        (3, 2),
    ]


@pytest.mark.parametrize(
    ("text", "place", "what", "hint"),
    [
        ('{"a": 1,}', (1, 8), "a comma before `}`", "remove the comma"),
        ("[1,\n]", (1, 3), "a comma before `]`", "remove the comma"),
        ('{"a" 1}', (1, 6), "expected `:` after the key", ""),
        ("{a: 1}", (1, 2), "expected a key in double quotes, found `a`", ""),
        ("['a']", (1, 2), "expected a value, found `'a'`", "double quotes"),
        ("[1 2]", (1, 4), "expected `,` or `]`, found `2`", "commas"),
        ('{"a": [1]', (1, 1), "`{` is never closed", "`}`"),
        ('{"a":\n [1', (2, 2), "`[` is never closed", "`]`"),
        ('{"a": ', (1, 7), "the document ends where a value is expected", ""),
        ('{"a": 1, ', (1, 1), "`{` is never closed", "`}`"),
        ('["a', (1, 2), '`"` is never closed', "quote"),
        ('["a\n"]', (1, 2), '`"` is not closed on its line', "`\\n`"),
        ('["a\t"]', (1, 4), "control character U+0009 in a string", "`\\u0009`"),
        ('["\\d"]', (1, 3), "unknown escape in a string", "`\\\\`"),
        ('["\\u12"]', (1, 3), "unknown escape in a string", ""),
        ("[01]", (1, 2), "expected a value, found `01`", "JSON number"),
        ("[.5]", (1, 2), "expected a value, found `.5`", "JSON number"),
        ("[True]", (1, 2), "expected a value, found `True`", "write `true`"),
        ("[None]", (1, 2), "expected a value, found `None`", "write `null`"),
        ("[1, // one\n2]", (1, 5), "expected a value, found `//`", "no comments"),
        ("{} {}", (1, 4), "unexpected text after the end of the document", ""),
        ("[1]]", (1, 4), "unexpected text after the end of the document", ""),
    ],
)
def test_broken_json_is_one_fault_with_its_place(text: str, place: tuple[int, int], what: str, hint: str) -> None:
    """The habits of other languages get the JSON that was meant."""
    node, faults = parse_json(text)

    assert node is None
    assert len(faults) == 1
    assert (faults[0].what, places(faults)) == (what, [place])
    assert hint in faults[0].hint


def test_numbers_that_are_not_json_are_all_reported() -> None:
    """`NaN`, `Infinity` and overflow are faults that do not end the reading."""
    _, faults = parse_json('{"a": [NaN, -Infinity], "b": 1e400}')

    assert [fault.path for fault in faults] == ["a[0]", "a[1]", "b"]
