"""Text becomes a positioned tree, or faults that tell what, where and the way out."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from initcli.document import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_FAULTS,
    MAX_NODES,
    Node,
    parse_document,
    read_document,
    render_path,
)
from initcli.errors import Fault, InitcliError, Position

Parse = Callable[[str | bytes], tuple[Node | None, list[Fault]]]


@pytest.fixture(params=["libyaml", "python"])
def parse_yaml(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Parse:
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("PyYAML was built without libyaml")
    return lambda text: parse(text, "spec.yaml")


def parse_json(text: str | bytes) -> tuple[Node | None, list[Fault]]:
    return parse(text, "spec.json")


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


# The file


def test_a_file_is_read_under_the_name_that_the_user_gave(tmp_path: Path) -> None:
    """The bytes come back unchanged and the name shown is the path as given."""
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"seed: 1\r\n")

    text, name = read_document(str(path), BytesIO())

    assert (text, name) == (b"seed: 1\r\n", str(path))


def test_a_dash_reads_standard_input() -> None:
    """`-` takes the stream and is shown as `<stdin>`."""
    assert read_document("-", BytesIO(b"seed: 1")) == (b"seed: 1", "<stdin>")


def test_a_missing_file_is_answered_with_its_nearest_neighbour(tmp_path: Path) -> None:
    """A typing error in a file name gets the name that was meant."""
    (tmp_path / "resnet.yaml").touch()

    with pytest.raises(InitcliError) as caught:
        read_document(str(tmp_path / "resnt.yaml"), BytesIO())

    [fault] = caught.value.faults
    assert fault == Fault(f"no file `{tmp_path / 'resnt.yaml'}`", hint="did you mean `resnet.yaml`?")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Where the folder is missing too, the hint says so."""
    with pytest.raises(InitcliError) as caught:
        read_document(str(tmp_path / "nowhere" / "spec.yaml"), BytesIO())

    assert caught.value.faults[0].hint == f"there is no folder `{tmp_path / 'nowhere'}`"


@pytest.mark.parametrize(
    ("source", "what"),
    [("", "the name of the spec is empty"), (".", "`.` is a directory"), ("a\0b", "`a\\x00b` cannot be read")],
)
def test_a_name_that_is_no_file_is_one_fault(source: str, what: str) -> None:
    """An empty name, a directory and a name with a zero byte are each told apart."""
    with pytest.raises(InitcliError) as caught:
        read_document(source, BytesIO())

    [fault] = caught.value.faults
    assert fault.what.startswith(what)


def test_a_name_too_long_for_the_system_is_one_fault() -> None:
    """What the operating system refuses is repeated in its own words."""
    with pytest.raises(InitcliError) as caught:
        read_document("x" * 5000, BytesIO())

    [fault] = caught.value.faults
    assert fault.what.endswith("name too long")
    assert len(fault.what) < 300


def test_a_file_without_read_permission_is_one_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lack of rights is called by its name."""
    path = tmp_path / "spec.yaml"
    path.touch()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(InitcliError, match="permission denied"):
        read_document(str(path), BytesIO())


def test_a_document_at_the_limit_is_read_and_one_byte_more_is_refused() -> None:
    """The limit is 64 MiB, itself allowed."""
    text, _ = read_document("-", BytesIO(b" " * MAX_BYTES))

    assert len(text) == MAX_BYTES
    with pytest.raises(InitcliError, match="`<stdin>` is larger than 64 MiB"):
        read_document("-", BytesIO(b" " * (MAX_BYTES + 1)))


@pytest.mark.skipif(sys.platform == "win32" or not Path("/dev/zero").exists(), reason="needs a device")
def test_an_endless_device_is_refused_and_not_read_to_its_end() -> None:
    """At most one byte beyond the limit is taken."""
    with pytest.raises(InitcliError, match="larger than 64 MiB"):
        read_document("/dev/zero", BytesIO())


# The text


@pytest.mark.parametrize("source", ["spec.yaml", "spec.json", "<stdin>"])
@pytest.mark.parametrize("text", [b"", b" \n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_document_is_one_fault_with_a_hint(text: bytes, source: str) -> None:
    """Nothing, white space or a lone byte order mark: the hint says how a spec begins."""
    node, [fault] = parse(text, source)

    assert node is None
    assert fault.what == "the document is empty"
    assert "initcli: 1" in fault.hint


@pytest.mark.parametrize("text", ["# nothing", "---", "---\n# nothing\n...", "&a"])
def test_yaml_without_a_value_is_empty(parse_yaml: Parse, text: str) -> None:
    """Comments, markers and anchors alone make no document."""
    node, [fault] = parse_yaml(text)

    assert node is None
    assert fault.what == "the document is empty"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_recognized_with_and_without_its_mark(encoding: str) -> None:
    """What some shells write gets the hint to save as UTF-8."""
    _, [fault] = parse("initcli: 1\n".encode(encoding), "spec.yaml")

    assert (fault.what, fault.hint) == ("UTF-16 text", "save the file as UTF-8")


def test_a_utf_8_mark_is_skipped() -> None:
    """A byte order mark moves no column."""
    node, faults = parse(b"\xef\xbb\xbfa: 1", "spec.yaml")

    assert faults == []
    assert node is not None
    assert node.position == Position("spec.yaml", 1, 1)


def test_text_that_is_not_utf_8_is_refused_at_its_byte() -> None:
    """The byte, its offset in the file and its line and column are told."""
    _, [fault] = parse("a: 1\nb: é\n".encode("latin-1"), "spec.yaml")

    assert str(fault) == "spec.yaml:2:4: not UTF-8 text: byte 0xe9 at offset 8"


def test_a_weight_file_given_as_a_spec_is_called_binary() -> None:
    """A zero byte ends the reading, whatever stands before it."""
    _, [fault] = parse(b"\x89HDF\r\n\x1a\n\0\0", "model.h5")

    assert fault.what == "binary data: the byte at offset 8 is zero"


@pytest.mark.parametrize("source", ["spec.yaml", "spec.json"])
def test_a_control_character_is_one_fault(source: str) -> None:
    """An escape character cannot reach the terminal by way of a message."""
    _, [fault] = parse('{"a":\n "\x1b[31m"}', source)

    assert (fault.what, places([fault])) == ("the control character U+001B", [(2, 3)])


@pytest.mark.parametrize(
    ("source", "text", "is_json"),
    [
        ("spec.json", "a: 1", True),
        ("SPEC.JSON", "a: 1", True),
        ("spec.yaml", '{"a": 1, b: 2}', False),
        ("spec.yml", '{"a": 1, b: 2}', False),
        ("<stdin>", ' \n{ "a": 1, b: 2}', True),
        ("<stdin>", "{ } # end", True),
        ("<stdin>", "{a: 1}", False),
        ("spec", "a: 1", False),
    ],
)
def test_json_is_known_by_suffix_or_by_its_first_characters(source: str, text: str, is_json: bool) -> None:
    """A suffix decides; where it says nothing, `{"` and `{}` mean JSON."""
    _, faults = parse(text, source)

    assert bool(faults) == is_json  # each text is broken as JSON and whole as YAML


# Scalars


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


# The tree


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


def places_of(position: Position) -> tuple[int, int]:
    return position.line, position.column


def test_an_empty_value_stands_behind_its_colon(parse_yaml: Parse) -> None:
    """Both parsers agree where a value that is not there would be."""
    node, _ = parse_yaml("{a:   , b:   }")

    assert node is not None
    assert isinstance(node.value, dict)
    assert [places_of(entry.node.position) for entry in node.value.values()] == [(1, 4), (1, 11)]


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

    _, [fault] = parse_json(f'{{"{key}": 1, "{key}": 2}}')

    assert "\x1b" not in fault.what + fault.path
    assert len(fault.what) < 250
    assert len(fault.path) < 250


def test_plain_keys_are_kept_as_they_are_written(parse_yaml: Parse) -> None:
    """A key is text, whatever it would be as a value."""
    assert data_of(parse_yaml("1: a\non: b\n~: c\n1e3: d")) == {"1": "a", "on": "b", "~": "c", "1e3": "d"}


def test_other_keys_are_refused_and_the_rest_is_read(parse_yaml: Parse) -> None:
    """Lists, mappings, aliases and merges as keys are faults, each in its place."""
    node, faults = parse_yaml("k: &k x\n[a]: 1\n{b: c}: 2\n*k : 3\n<<: {d: 4}\nz: 5")

    assert places(faults) == [(2, 1), (3, 1), (4, 1), (5, 1)]
    assert node is not None
    assert node.to_data() == {"k": "x", "z": 5}


def test_a_quoted_merge_sign_is_an_ordinary_key(parse_yaml: Parse) -> None:
    """Only the plain `<<` of YAML 1.1 is refused."""
    assert data_of(parse_yaml('"<<": 1')) == {"<<": 1}


# Faults gathered in one go


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


def test_all_tags_are_reported_and_their_values_kept(parse_yaml: Parse) -> None:
    """A tag is refused on scalars, lists and mappings alike, and runs nothing."""
    text = "a: !!python/object/apply:os.system [echo]\nb: !!int '3'\nc: ! {d: 1}\n"

    node, faults = parse_yaml(text)

    assert {fault.what for fault in faults} == {"YAML tags are not allowed: a spec is data"}
    assert [fault.path for fault in faults] == ["a", "b", "c"]
    assert places(faults) == [(1, 4), (2, 4), (3, 4)]
    assert node is not None
    assert node.to_data() == {"a": ["echo"], "b": "3", "c": {"d": 1}}


def test_the_number_of_faults_is_limited(parse_yaml: Parse) -> None:
    """A text of nothing but faults ends with one that says the rest is not read."""
    node, faults = parse_yaml("- !t x\n" * (MAX_FAULTS + 10))

    assert node is None
    assert len(faults) == MAX_FAULTS + 1
    assert faults[-1].what == "more than 1,000 faults: the rest is not read"


def test_earlier_faults_of_the_caller_are_kept() -> None:
    """The list given is added to, never replaced."""
    earlier = Fault("earlier")
    faults = [earlier]

    parse_document(b"a: !x 1", "spec.yaml", faults)

    assert faults[0] is earlier
    assert len(faults) == 2


# Anchors


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
    assert fault.what == "more than 1,000,000 values, aliases followed"


def test_aliases_cannot_add_up_to_more_than_the_depth_allowed(parse_yaml: Parse) -> None:
    """Depth is counted through aliases, so that whoever walks the tree may call itself."""
    lines = ["- &a0 []"] + [f"- &a{i} [*a{i - 1}]" for i in range(1, MAX_DEPTH)]

    _, [fault] = parse_yaml("\n".join(lines))

    assert fault.what == "nested more than 64 levels deep"
    assert places([fault]) == [(MAX_DEPTH, 9)]


# Limits


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


def test_the_number_of_values_is_limited() -> None:
    """The list itself and its items count."""
    whole, faults = parse("[" + "0," * (MAX_NODES - 2) + "0]", "spec.json")
    node, [fault] = parse("[" + "0," * (MAX_NODES - 1) + "0]", "spec.json")

    assert faults == []
    assert whole is not None
    assert node is None
    assert fault.what == "more than 1,000,000 values, aliases followed"


# Syntax


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


def test_half_a_surrogate_pair_is_a_fault(parse_yaml: Parse) -> None:
    """What cannot be written as UTF-8 gets no further, in YAML or in JSON."""
    _, [fault] = parse_yaml('a: "\\ud800"')
    node, faults = parse_json('["\\ud800", "\\ud834\\udd1e"]')

    assert places([fault])[0][0] == 1
    assert places(faults) == [(1, 2)]
    assert node is not None
    assert node.to_data() == ["\ufffd", "𝄞"]


def test_a_second_document_is_a_fault_and_the_first_is_kept(parse_yaml: Parse) -> None:
    """One file holds one spec."""
    node, [fault] = parse_yaml("a: 1\n--- # next\nb: 2\n")

    assert (fault.what, places([fault])) == ("more than one document", [(2, 1)])
    assert node is not None
    assert node.to_data() == {"a": 1}


def test_markers_and_comments_around_one_document_are_welcome(parse_yaml: Parse) -> None:
    """A document may be opened, closed and annotated."""
    assert data_of(parse_yaml("# spec\n%YAML 1.2 # version\n---\na: 1\n... # end\n\n# bye\n")) == {"a": 1}


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
