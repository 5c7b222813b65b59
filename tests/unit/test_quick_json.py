"""JSON read without places: the same tree as with them, or none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcli.document import parse_document, parse_quickly
from initcli.errors import Fault, InitcliError
from initcli.resolution import QUICK_NBYTES, load_plan

SCALARS = st.none() | st.booleans() | st.integers(-(10**299), 10**299) | st.floats(allow_nan=False) | st.text()
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
"""Text of hypothesis has no halves of surrogate pairs; infinite floats are written as JSON does not know them."""


def read_carefully(text: str) -> tuple[Any, list[Fault]]:
    """Return what the reader that keeps places makes of JSON text, and what it finds wrong."""
    faults: list[Fault] = []
    root = parse_document(text.encode(), "spec.json", faults)
    return root and root.to_data(), faults


@given(st.dictionaries(st.text(), DATA), st.booleans())
def test_the_quick_tree_is_the_careful_tree(data: dict[str, Any], is_ascii: bool) -> None:
    """Where the quick reader reads at all, both read the same and nothing is wrong."""
    text = json.dumps(data, ensure_ascii=is_ascii)

    quick = parse_quickly(text.encode(), "spec.json")

    if quick is not None:
        assert repr((quick.to_data(), [])) == repr(read_carefully(text))


@given(st.dictionaries(st.text("abc{}[]:,\"'é", max_size=9), st.integers() | st.text("ab", max_size=3)))
def test_plain_json_is_read_quickly(data: dict[str, Any]) -> None:
    """Numbers, text and braces need no second look."""
    quick = parse_quickly(json.dumps(data, ensure_ascii=False).encode(), "spec.json")

    assert quick is not None
    assert quick.to_data() == data


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e400}',
        '{"a": ' + "9" * 301 + "}",
        '{"a": "\\ud800"}',
        '{"a": "\\uD83D\\uDE00"}',
        '{"a": 1,}',
        '{"a": 1} 2',
        '{"a": 01}',
        "{a: 1}",
        "[" * 5000,
        '{"a": "\x01"}',
        "",
    ],
)
def test_json_that_is_not_plain_is_left_to_the_careful_reader(text: str) -> None:
    """What may be a fault is told by the reader that knows its place."""
    assert parse_quickly(text.encode(), "spec.json") is None


def test_text_that_is_not_utf_8_is_left_to_the_careful_reader() -> None:
    """Its fault tells the byte."""
    assert parse_quickly(b'{"a": "\xff"}', "spec.json") is None


def large(**more: Any) -> dict[str, Any]:
    """Return a spec of more bytes than are read carefully at once."""
    tensors = {f"layers.{i}.weight": {"shape": [3, 2], "init": "zeros"} for i in range(QUICK_NBYTES // 40)}
    return {"framework": "torch", "tensors": {**tensors, **more}}


def test_a_fault_in_a_large_json_spec_has_its_line_and_column() -> None:
    """The text is read a second time, with places."""
    text = json.dumps(large(odd={"shape": [3, -2], "init": "zeros"}), indent=1)
    line = text[: text.index("-2")].count("\n") + 1

    with pytest.raises(InitcliError) as raised:
        load_plan(text.encode(), "spec.json")

    assert [str(fault.position) for fault in raised.value.faults] == [f"spec.json:{line}:5"]


def test_a_large_json_spec_resolves_to_the_plan_of_its_careful_tree() -> None:
    """Places are all that a quick tree lacks."""
    text = json.dumps(large(odd={"shape": [3, 2], "init": {"name": "normal", "std": 0.5}})).encode()

    quick, careful = load_plan(text, "spec.json"), load_plan(text, "spec.json", keeps_places=True)

    assert quick.metadata() == careful.metadata()
    assert {tensor.place.position.line for tensor in quick.tensors} == {0}
    assert {tensor.place.position.line for tensor in careful.tensors} == {1}
