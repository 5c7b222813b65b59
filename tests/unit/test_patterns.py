"""Names that stand for many: what they expand to, how many that is, and what is no name."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcli.errors import ArgumentError
from initcli.patterns import escape, parse_pattern

SCOPE: dict[str, Any] = {"layers": 3, "d": 8, "word": "q"}


def names(text: str) -> list[str]:
    return [name for name, _ in parse_pattern(text).expand(SCOPE)]


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain.name", ["plain.name"]),
        ("h.{0..2}.w", ["h.0.w", "h.1.w", "h.2.w"]),
        ("h.{0..layers-1}", ["h.0", "h.1", "h.2"]),
        ("h.{0..8..4}", ["h.0", "h.4", "h.8"]),
        ("h.{0..7..4}", ["h.0", "h.4"]),
        ("{q,k}_proj", ["q_proj", "k_proj"]),
        ("{weight,}x", ["weightx", "x"]),
        ("{a,b}.{0..1}", ["a.0", "a.1", "b.0", "b.1"]),
        ("{a,b{0..1}}", ["a", "b0", "b1"]),
        ("{a,{b,c}d}", ["a", "bd", "cd"]),
        ("{i:0..1}.{j:0..i}", ["0.0", "1.0", "1.1"]),
        ("{i:0..1}.next{i+1}", ["0.next1", "1.next2"]),
        ("{p:q,k}.{p}", ["q.q", "k.k"]),
        ("{d/2}", ["4"]),
        ("{0..min(layers, 2)}", ["0", "1", "2"]),
        ("{{x}}", ["{x}"]),
        ("{{{0..1}}}", ["{0}", "{1}"]),
        ("{-1..1}", ["-1", "0", "1"]),
        ("{word}", ["q"]),
    ],
)
def test_a_pattern_stands_for_its_names_in_order(text: str, expanded: list[str]) -> None:
    """As a shell's braces do, the last loop the fastest; and it is known beforehand how many there will be."""
    assert names(text) == expanded
    assert parse_pattern(text).count(SCOPE) == len(expanded)


def test_each_name_comes_with_the_values_of_its_loops() -> None:
    """A number for a range, the word for a choice; nothing for a loop without a name."""
    pattern = parse_pattern("{i:0..1}.{p:q,k}.{0..0}")

    assert [scope for _, scope in pattern.expand(SCOPE)] == [
        {"i": i, "p": p} for i, p in itertools.product((0, 1), ("q", "k"))
    ]
    assert pattern.names == frozenset()
    assert parse_pattern("{i:0..layers-1}.{i}.{d}").names == {"layers", "d"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("h.{0..", "`{` is never closed in the name `h.{0..`"),
        ("h.0}", "`}` without a `{`"),
        ("{}", "has no range and no words"),
        ("{i:}", "has no range and no words"),
        ("{i:x}", "has no range and no words"),
        ("{0..lyers}", "unknown variable `lyers`"),
        ("{0..d/3}", "`d/3` is 8/3, no whole number"),
        ("{3..2}", "the range `3..2` is empty: 3 to 2"),
        ("{0..2..0}", "the step of a range must be at least 1"),
        ("{0..9**30}", "beyond any count"),
        ("{i:0..1}{i:0..1}", "two loops of the name `{i:0..1}{i:0..1}` are called `i`"),
        ("{sqrt:0..1}", "a loop cannot be called `sqrt`"),
        ("{a b}", "no arithmetic"),
        ("{0...2}", "`.2` is 0.2, no whole number"),
    ],
)
def test_what_is_no_pattern_says_why(text: str, what: str) -> None:
    """One clear error."""
    with pytest.raises(ArgumentError) as caught:
        names(text)

    assert what in caught.value.faults[0].what


def test_a_huge_pattern_is_counted_and_not_expanded() -> None:
    """10¹⁸ names, known at once; where inner loops depend on a huge one, at least so many."""
    assert parse_pattern("{0..999999}.{0..999999}.{0..999999}").count({}) == 10**18
    assert 10**7 < parse_pattern("{i:0..9999999}.{j:i..i+9}").count({}) <= 10**8
    assert parse_pattern("{i:0..999}.{j:0..i}").count({}) == 500_500


@given(st.text(max_size=30))
def test_escaping_gives_the_pattern_of_one_name(name: str) -> None:
    """Whatever the name, braces too."""
    assert list(parse_pattern(escape(name)).expand({})) == [(name, {})]


@given(st.text("{}.,:ab01-+ ", max_size=25))
def test_any_text_expands_to_as_many_names_as_counted_or_has_a_clean_error(text: str) -> None:
    """Random braces end in names or in an error."""
    with suppress(ArgumentError):
        pattern = parse_pattern(text)
        if (count := pattern.count({"a": 2, "b": 3})) < 1000:
            assert len(list(pattern.expand({"a": 2, "b": 3}))) == count
