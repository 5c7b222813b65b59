"""YAML grows a tree, or faults in the words of this program, the same from both of PyYAML's parsers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from initcli.document.tree import Node
from initcli.errors import Fault, Position

Parse = Callable[[str], tuple[Node | None, list[Fault]]]


def data_of(parsed: tuple[Node | None, list[Fault]]) -> Any:
    node, faults = parsed
    assert faults == []
    assert node is not None
    return node.to_data()


def places(faults: list[Fault]) -> list[tuple[int, int]]:
    return [(fault.position.line, fault.position.column) for fault in faults if fault.position]


def places_of(position: Position) -> tuple[int, int]:
    return position.line, position.column


@pytest.mark.parametrize("text", ["# nothing", "---", "---\n# nothing\n...", "&a"])
def test_yaml_without_a_value_is_empty(parse_yaml: Parse, text: str) -> None:
    """Comments, markers and anchors alone make no document."""
    node, [fault] = parse_yaml(text)

    assert node is None
    assert fault.what == "the document is empty"


def test_an_empty_value_stands_behind_its_colon(parse_yaml: Parse) -> None:
    """Both parsers agree where a value that is not there would be."""
    node, _ = parse_yaml("{a:   , b:   }")

    assert node is not None
    assert isinstance(node.value, dict)
    assert [places_of(entry.node.position) for entry in node.value.values()] == [(1, 4), (1, 11)]


def test_other_keys_are_refused_and_the_rest_is_read(parse_yaml: Parse) -> None:
    """Lists, mappings, aliases and merges as keys are faults, each in its place."""
    node, faults = parse_yaml("k: &k x\n[a]: 1\n{b: c}: 2\n*k : 3\n<<: {d: 4}\nz: 5")

    assert places(faults) == [(2, 1), (3, 1), (4, 1), (5, 1)]
    assert node is not None
    assert node.to_data() == {"k": "x", "z": 5}


def test_a_quoted_merge_sign_is_an_ordinary_key(parse_yaml: Parse) -> None:
    """Only the plain `<<` of YAML 1.1 is refused."""
    assert data_of(parse_yaml('"<<": 1')) == {"<<": 1}


def test_all_tags_are_reported_and_their_values_kept(parse_yaml: Parse) -> None:
    """A tag is refused on scalars, lists and mappings alike, and runs nothing."""
    text = "a: !!python/object/apply:os.system [echo]\nb: !!int '3'\nc: ! {d: 1}\n"

    node, faults = parse_yaml(text)

    assert {fault.what for fault in faults} == {"YAML tags are not allowed: a spec is data"}
    assert [fault.path for fault in faults] == ["a", "b", "c"]
    assert places(faults) == [(1, 4), (2, 4), (3, 4)]
    assert node is not None
    assert node.to_data() == {"a": ["echo"], "b": "3", "c": {"d": 1}}


@pytest.mark.parametrize(
    ("text", "place", "what", "hint"),
    [
        ("a:\n\tb: 1", (2, 1), "a tab where YAML wants spaces", "spaces"),
        ("a:\n  b: 1\n\tc: 2", (3, 1), "a tab where YAML wants spaces", "spaces"),
        ("a: [1, 2\n", (1, 4), "`[` is never closed", "`]`"),
        ("a: {b: 1\n", (1, 4), "`{` is never closed", "`}`"),
        ("a: [1\nb: 2", (2, 2), "expected `,` or `]`", "line 1"),
        ("a: {b: 1\nc: 2}", (2, 2), "expected `,` or `}`", "line 1"),
        ("b: 0\na: 'x\n", (2, 4), "`'` is never closed", "quote"),
        ('a: "x\n', (1, 4), '`"` is never closed', "quote"),
        ("a:1\nb: 2", (2, 2), "a `:` where no key can stand", "space behind the colon"),
        ("a: 1\nb:2\nc: 3", (2, 1), "a line that is neither `key: value` nor `- item`", "space behind the colon"),
        ("a: b: c", (1, 5), "a `:` where no key can stand", "quotes"),
        ("a:\n  b: 1\n c: 2", (3, 2), "this line does not fit the block that begins on line 1", "one column"),
        ("- a\nb: 1", (2, 1), "this line does not fit the block that begins on line 1", "`- item`"),
        ("a: 'x' y", (1, 8), "unexpected `y` behind a value", "quotes"),
        ("a: @x", (1, 4), "a text cannot begin with `@`", "quotes"),
        ("a: - b", (1, 4), "a `- ` where no list can begin", "lines of their own"),
        ("match: *", (1, 8), "`*` begins an alias or anchor", "quotes"),
        ("match: *.weight", (1, 8), "`*` begins an alias or anchor", "quotes"),
        ("a: ]", (1, 4), "expected a value, found `]`", "quotes"),
        ("a: [{b: [", (1, 10), "the document ends where a value is expected", ""),
        ('a: "\\xg"', (1, 5), "unknown escape in double quotes", "single quotes"),
        ("a: ? b", (1, 4), "a `?` where no key can stand", "quotes"),
        ('a: "\\q"', (1, 5), "unknown escape in double quotes", "single quotes"),
        ("a: |x\n", (1, 4), "unexpected text behind `|`", "below"),
        ("a: !x!y 1", (1, 4), "YAML tags are not allowed: a spec is data", "remove"),
        ("%TAG ! x\n---\na: 1", (1, 1), "YAML tags are not allowed: a spec is data", "remove"),
        ("%FOO\n---\na: 1", (1, 1), "an unknown directive", "remove"),
        ("%YAML 1.2\na: 1", (2, 1), "expected `---` below the directive", ""),
        ("{a: 1}}", (1, 7), "unexpected text after the end of the document", ""),
        ("a: 1\n...\nb", (3, 1), "unexpected text after the end of the document", ""),
    ],
)
def test_broken_yaml_is_one_fault_in_the_words_of_this_program(
    parse_yaml: Parse, text: str, place: tuple[int, int], what: str, hint: str
) -> None:
    """Both parsers' messages become the same short text at the same place with a way out."""
    node, faults = parse_yaml(text)

    assert node is None
    assert len(faults) == 1
    assert places(faults) == [place]
    assert what in faults[0].what
    assert hint in faults[0].hint


def test_an_escape_that_names_no_character_is_a_fault(parse_yaml: Parse) -> None:
    """The Python scanner's `OverflowError` never leaves the room."""
    node, [fault] = parse_yaml('a: "\\UFFFFFFFF"')

    assert node is None
    assert (fault.what, places([fault])) == ("unknown escape in double quotes", [(1, 5)])


def test_a_second_document_is_a_fault_and_the_first_is_kept(parse_yaml: Parse) -> None:
    """One file holds one spec."""
    node, [fault] = parse_yaml("a: 1\n--- # next\nb: 2\n")

    assert (fault.what, places([fault])) == ("more than one document", [(2, 1)])
    assert node is not None
    assert node.to_data() == {"a": 1}


def test_markers_and_comments_around_one_document_are_welcome(parse_yaml: Parse) -> None:
    """A document may be opened, closed and annotated."""
    assert data_of(parse_yaml("# spec\n%YAML 1.2 # version\n---\na: 1\n... # end\n\n# bye\n")) == {"a": 1}
