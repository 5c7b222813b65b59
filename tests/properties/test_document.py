"""Whatever the text, reading it ends in the right tree or in faults."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from initcli.document import parse_document
from initcli.document.tree import Node
from initcli.errors import Fault

SPEC = b"""\
initcli: 1
framework: torch
vars: {vocab: 128, d: 16, layers: 2}
tensors:
  embed.weight: [vocab, d]
  layers.{0..layers-1}.weight: &w {shape: [d, d], init: "normal(std=0.02)"}
  again: *w
rules:
  - {match: "*norm.weight", init: ones}
  - match: '*'
    init: |
      zeros
"""

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
finite = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers() | finite | texts
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5), max_leaves=20
)


@pytest.fixture(params=["libyaml", "python"], scope="module")
def _each_loader(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param == "libyaml":
        if not hasattr(yaml, "CSafeLoader"):
            pytest.skip("PyYAML was built without libyaml")
        yield
    else:
        with mock.patch.object(yaml, "CSafeLoader", yaml.SafeLoader, create=True):
            yield


def walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node.value, tuple):
        for item in node.value:
            yield from walk(item)
    elif isinstance(node.value, dict):
        for entry in node.value.values():
            yield from walk(entry.node)


def same(left: Any, right: Any) -> bool:
    """Equal, and of equal types all the way down: 1, 1.0 and True differ."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


@given(data=documents, indent=st.sampled_from([None, 0, 1, 4, "\t"]), ascii_only=st.booleans())
def test_what_json_writes_is_read_back(data: Any, indent: int | str | None, ascii_only: bool) -> None:
    """Any JSON data in any layout gives the same data."""
    faults: list[Fault] = []

    node = parse_document(json.dumps(data, indent=indent, ensure_ascii=ascii_only).encode(), "spec.json", faults)

    assert faults == []
    assert node is not None
    assert same(node.to_data(), data)


@pytest.mark.usefixtures("_each_loader")
@given(data=documents, indent=st.sampled_from([None, 1, 4]))
def test_json_is_yaml(data: Any, indent: int | None) -> None:
    """The same text read as YAML gives the same data, wherever PyYAML itself can read it."""
    text = json.dumps(data, indent=indent)
    faults: list[Fault] = []

    try:
        list(yaml.parse(text, Loader=yaml.CSafeLoader))
        is_yaml = not re.search(r"\\ud[89a-f]", text)  # YAML has no surrogate pairs
    except yaml.YAMLError:
        is_yaml = False
    node = parse_document(text.encode(), "spec.yaml", faults)

    if is_yaml:
        assert faults == []
        assert node is not None
        assert same(node.to_data(), data)
    else:
        assert faults != []


@given(data=documents, indent=st.sampled_from([None, 1, 4]))
def test_json_positions_point_at_the_value(data: Any, indent: int | None) -> None:
    """The text at the position of each node begins with that node."""
    text = json.dumps(data, indent=indent)
    lines = text.split("\n")

    node = parse_document(text.encode(), "spec.json", [])

    assert node is not None
    for part in walk(node):
        rest = "\n".join([lines[part.position.line - 1][part.position.column - 1 :], *lines[part.position.line :]])
        value, _ = json.JSONDecoder().raw_decode(rest)
        assert same(value, part.to_data())


words = st.from_regex(r"[a-z]{1,8}", fullmatch=True)


@pytest.mark.usefixtures("_each_loader")
@given(data=st.dictionaries(words, words | st.lists(words, min_size=1), min_size=1), flow=st.booleans())
def test_yaml_positions_point_at_the_value(data: Any, flow: bool) -> None:
    """The text at the position of each key and scalar is that key or scalar."""
    text = yaml.safe_dump(data, default_flow_style=flow, width=20)
    lines = text.split("\n")

    node = parse_document(text.encode(), "spec.yaml", [])

    assert node is not None
    assert isinstance(node.value, dict)
    for key, entry in node.value.items():
        assert lines[entry.position.line - 1][entry.position.column - 1 :].lstrip("'").startswith(key)
    for part in walk(node):
        if isinstance(part.value, str):
            at = lines[part.position.line - 1][part.position.column - 1 :]
            assert at.lstrip("'").startswith(part.value)


@pytest.mark.usefixtures("_each_loader")
@given(text=st.binary(max_size=200), source=st.sampled_from(["spec.yaml", "spec.json", "<stdin>"]))
def test_any_bytes_end_in_a_tree_or_in_faults(text: bytes, source: str) -> None:
    """Bytes at random never raise; without a tree there is a fault."""
    check_reading(text, source)


@pytest.mark.usefixtures("_each_loader")
@given(text=st.text("{}[],:-?*&!|>'\"%@`#~ab01.\\ux \n\t\r", max_size=60), source=st.sampled_from(["a.yaml", "a.json"]))
def test_any_run_of_punctuation_ends_in_a_tree_or_in_faults(text: str, source: str) -> None:
    """The characters that mean something to YAML and JSON never raise, in whatever order."""
    check_reading(text.encode(), source)


@pytest.mark.usefixtures("_each_loader")
@given(
    edits=st.lists(st.tuples(st.integers(0, len(SPEC)), st.integers(0, 5), st.binary(max_size=4)), max_size=4),
    as_json=st.booleans(),
)
def test_a_damaged_spec_ends_in_a_tree_or_in_faults(edits: list[tuple[int, int, bytes]], as_json: bool) -> None:
    """Cuts and insertions in a valid spec never raise."""
    text = json.dumps(yaml.safe_load(SPEC), indent=1).encode() if as_json else SPEC
    for at, cut, inserted in edits:
        text = text[:at] + inserted + text[at + cut :]

    check_reading(text, "spec.json" if as_json else "spec.yaml")


def check_reading(text: bytes, source: str) -> None:
    faults: list[Fault] = []

    node = parse_document(text, source, faults)

    assert node is not None or faults
    lines = text.decode(errors="replace").replace("\r", "\n").count("\n") + text.count("\u2028".encode()) + 2
    for fault in faults:
        assert fault.what.isprintable()
        assert fault.position is not None
        assert 1 <= fault.position.line <= lines + text.count(b"\xc2\x85") + text.count("\u2029".encode())
        assert fault.position.column >= 1
    for part in walk(node) if node else ():
        assert (
            not isinstance(part.value, str) or part.value.encode().decode() == part.value
        )  # no text is left that UTF-8 cannot write
