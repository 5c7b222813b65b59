"""Every key and value knows its place; scalars, anchors and limits are the same whatever the notation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from initcli.document import parse_document
from initcli.document.tree import MAX_DEPTH, MAX_DIGITS, MAX_FAULTS, MAX_NODES, Node, render_path
from initcli.errors import Fault, Position

Parse = Callable[[str], tuple[Node | None, list[Fault]]]


def parse(text: str | bytes, source: str) -> tuple[Node | None, list[Fault]]:
    faults: list[Fault] = []
    node = parse_document(text.encode() if isinstance(text, str) else text, source, faults)
    return node, faults


def data_of(parsed: tuple[Node | None, list[Fault]]) -> Any:
    node, faults = parsed
    assert faults == []
    assert node is not None
    return node.to_data()


def places(faults: list[Fault]) -> list[tuple[int, int]]:
    return [(fault.position.line, fault.position.column) for fault in faults if fault.position]


def places_of(position: Position) -> tuple[int, int]:
    return position.line, position.column


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("~", None),
        ("Null", None),
        ("nULL", "nULL"),
        ("true", True),
        ("TRUE", True),
        ("False", False),
        ("on", "on"),
        ("yes", "yes"),
        ("n", "n"),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0x1F", "-0x1F"),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2026-05-09", "2026-05-09"),
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("-1.", -1.0),
        ("+1.5e+2", 150.0),
        (".", "."),
        ("e3", "e3"),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("inf", "inf"),
        ("nan", "nan"),
        ("١", "١"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("''", ""),
        ("|\n  1", "1"),
        (">-\n  null", "null"),
    ],
)
def test_a_scalar_is_what_the_yaml_1_2_core_schema_says(parse_yaml: Parse, text: str, expected: object) -> None:
    """Plain scalars resolve by https://yaml.org/spec/1.2.2/#1032-tag-resolution, all others are text."""
    value = data_of(parse_yaml(f"a: {text}"))["a"]

    assert (type(value), value) == (type(expected), expected)


def test_not_a_number_is_a_number(parse_yaml: Parse) -> None:
    """`.nan` is the float."""
    assert all(math.isnan(value) for value in data_of(parse_yaml("[.nan, .NaN, .NAN]")))


def test_a_number_beyond_reason_is_a_fault(parse_yaml: Parse) -> None:
    """Integers that `int()` or float64 cannot hold, and decimals that would silently become infinite, are refused."""
    texts = ["1" * MAX_DIGITS, "1" * (MAX_DIGITS + 1), "0x" + "f" * 290, "9" * 5000, "1e308", "1e309", "-1e999"]

    _, faults = parse_yaml("".join(f"- {text}\n" for text in texts))

    assert [fault.path for fault in faults] == ["[1]", "[2]", "[3]", "[5]", "[6]"]


def test_every_key_and_value_knows_its_place(parse_yaml: Parse) -> None:
    """Lines and columns count from 1, in characters, for keys, scalars, lists and mappings."""
    node, _ = parse_yaml("é𝄞: [1, {b: x}]\nlist:\n  - y\nempty:\n")

    assert node is not None
    assert isinstance(node.value, dict)
    found = {key: (places_of(entry.position), places_of(entry.node.position)) for key, entry in node.value.items()}
    inner = node.value["é𝄞"].node.value
    assert isinstance(inner, tuple)
    assert found == {"é𝄞": ((1, 1), (1, 5)), "list": ((2, 1), (3, 3)), "empty": ((4, 1), (4, 7))}
    assert [places_of(item.position) for item in inner] == [(1, 6), (1, 9)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("~", "nothing"),
        ("true", "a boolean"),
        ("1", "an integer"),
        ("1.5", "a number"),
        ("x", "text"),
        ("[]", "a list"),
        ("{}", "a mapping"),
    ],
)
def test_a_node_names_its_kind(text: str, kind: str) -> None:
    """Messages say what was found in words."""
    node, _ = parse(text, "spec.yaml")

    assert node is not None
    assert node.kind() == kind


@pytest.mark.parametrize(
    ("steps", "path"),
    [([], ""), ([0], "[0]"), ([0, 1, "a"], "[0][1].a"), (["tensors", "fc1.weight", "init"], "tensors.fc1.weight.init")],
)
def test_a_path_joins_keys_by_dots_and_indices_in_brackets(steps: list[str | int], path: str) -> None:
    """The path of a fault reads like an expression."""
    assert render_path(steps) == path


def test_a_long_or_unprintable_key_stays_short_and_on_one_line_in_a_message() -> None:
    """What a message repeats can neither flood nor steer a terminal."""
    key = "\\u001b" + "k" * 1000

    _, [fault] = parse(f'{{"{key}": 1, "{key}": 2}}', "spec.json")

    assert "\x1b" not in fault.what + fault.path
    assert len(fault.what) < 250
    assert len(fault.path) < 250


def test_plain_keys_are_kept_as_they_are_written(parse_yaml: Parse) -> None:
    """A key is text, whatever it would be as a value."""
    assert data_of(parse_yaml("1: a\non: b\n~: c\n1e3: d")) == {"1": "a", "on": "b", "~": "c", "1e3": "d"}


@pytest.mark.parametrize("source", ["spec.yaml", "spec.json"])
def test_all_duplicate_keys_are_reported_with_the_first_line(source: str) -> None:
    """Each repetition is a fault at its own place; the first value stays."""
    text = '{"a": 1,\n"b": [{"x": 1, "x": 2}],\n"a": {"c": 3, "c": 4},\n"a": 5}'

    node, faults = parse(text, source)

    assert [(fault.what, fault.path) for fault in faults] == [
        ("duplicate key `x`", "b[0].x"),
        ("duplicate key `a`", "a"),
        ("duplicate key `c`", "a.c"),
        ("duplicate key `a`", "a"),
    ]
    assert places(faults) == [(2, 16), (3, 1), (3, 15), (4, 1)]
    assert all("on line 1" in fault.hint for fault in faults if fault.path == "a")
    assert node is not None
    assert node.to_data() == {"a": 1, "b": [{"x": 1}]}


def test_the_number_of_faults_is_limited(parse_yaml: Parse) -> None:
    """A text of nothing but faults ends with one that says the rest is not read."""
    node, faults = parse_yaml("- !t x\n" * (MAX_FAULTS + 10))

    assert node is None
    assert len(faults) == MAX_FAULTS + 1
    assert faults[-1].what == "more than 1,000 faults: the rest is not read"


def test_an_alias_repeats_the_anchored_value(parse_yaml: Parse) -> None:
    """Scalars, lists and mappings can be named once and used again, and a name can be given anew."""
    text = "a: &x {std: 0.02}\nb: *x\nc: &x [1]\nd: *x\n&k key: *x\ne: *k\n"

    assert data_of(parse_yaml(text)) == {
        "a": {"std": 0.02},
        "b": {"std": 0.02},
        "c": [1],
        "d": [1],
        "key": [1],
        "e": "key",
    }


def test_an_alias_shares_the_tree_and_points_at_its_anchor(parse_yaml: Parse) -> None:
    """No copy is made, and a fault inside is shown where it can be mended."""
    node, _ = parse_yaml("a: &x [1]\nb: *x\n")

    assert node is not None
    assert isinstance(node.value, dict)
    assert node.value["a"].node is node.value["b"].node


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: [*x]", "no anchor `&x` before this alias"),
        ("a: &x [*x]", "the alias `*x` stands inside its own anchor"),
        ("a: &x {b: [*x]}", "the alias `*x` stands inside its own anchor"),
    ],
)
def test_an_alias_without_a_finished_anchor_is_a_fault(parse_yaml: Parse, text: str, what: str) -> None:
    """An alias can neither come first nor contain itself."""
    _, [fault] = parse_yaml(text)

    assert fault.what == what


def test_an_inner_anchor_takes_the_name_from_the_outer(parse_yaml: Parse) -> None:
    """An alias means the anchor written last before it."""
    assert data_of(parse_yaml("- &x [&x 1, *x]\n- *x")) == [[1, 1], 1]


def test_an_alias_bomb_is_refused(parse_yaml: Parse) -> None:
    """Ten billion values in four hundred characters are counted without being made."""
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 10)]

    node, [fault] = parse_yaml("\n".join(lines))

    assert node is None
    assert fault.what == "more than 2,250,000 values, aliases followed"


def test_aliases_cannot_add_up_to_more_than_the_depth_allowed(parse_yaml: Parse) -> None:
    """Depth is counted through aliases, so that whoever walks the tree may call itself."""
    lines = ["- &a0 []"] + [f"- &a{i} [*a{i - 1}]" for i in range(1, MAX_DEPTH)]

    _, [fault] = parse_yaml("\n".join(lines))

    assert fault.what == "nested more than 64 levels deep"
    assert places([fault]) == [(MAX_DEPTH, 9)]


@pytest.mark.parametrize("source", ["spec.yaml", "spec.json"])
def test_depth_is_limited(source: str) -> None:
    """64 levels are read; the 65th is a fault, and so are a million."""
    deepest, _ = parse("[" * MAX_DEPTH + "]" * MAX_DEPTH, source)
    node, faults = parse("[" * 1_000_000, source)

    assert deepest is not None
    assert node is None
    assert [str(fault) for fault in faults] == [f"{source}:1:65: nested more than 64 levels deep"]


@pytest.mark.parametrize("text", ["- " * 100, "? " * 100, "{" * 100, "&a [" * 100])
def test_depth_is_limited_in_every_notation(parse_yaml: Parse, text: str) -> None:
    """Blocks, complex keys and anchored lists count like brackets."""
    node, faults = parse_yaml(text)

    assert node is None
    assert faults[-1].what == "nested more than 64 levels deep"


def test_the_number_of_values_is_limited(parse_yaml: Parse) -> None:
    """A million are read and one more is a fault; every list counts itself, and again under each alias."""
    side = math.isqrt(MAX_NODES)
    text = f"- &a [{', '.join('0' * (side - 2))}]\n" + "- *a\n" * side  # 1 + (side - 1) (side + 1) = side²

    whole, faults = parse_yaml(text)
    node, [fault] = parse_yaml(text + "- 0\n")

    assert side**2 == MAX_NODES
    assert faults == []
    assert whole is not None
    assert node is None
    assert fault.what == "more than 2,250,000 values, aliases followed"


@pytest.mark.parametrize("source", ["spec.yaml", "spec.json"])
def test_values_count_one_by_one_where_nothing_is_repeated(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list itself and its items count, in both notations, here against a lower limit."""
    monkeypatch.setattr("initcli.document.tree.MAX_NODES", 1000)

    whole, faults = parse("[" + "0," * 998 + "0]", source)
    node, [fault] = parse("[" + "0," * 999 + "0]", source)

    assert faults == []
    assert whole is not None
    assert node is None
    assert fault.what == "more than 1,000 values, aliases followed"


def test_half_a_surrogate_pair_is_a_fault(parse_yaml: Parse) -> None:
    """What cannot be written as UTF-8 gets no further, in YAML or in JSON."""
    _, [fault] = parse_yaml('a: "\\ud800"')
    node, faults = parse('["\\ud800", "\\ud834\\udd1e"]', "spec.json")

    assert places([fault])[0][0] == 1
    assert places(faults) == [(1, 2)]
    assert node is not None
    assert node.to_data() == ["\ufffd", "𝄞"]
