"""What two sides differ in, as a table, sentences and plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, prod
from typing import Any

import numpy as np

from initcli.cli.tables import Column, Table, count, escape, render_number, render_shape
from initcli.comparison import Pair, Verdict
from initcli.formats import Entry

Sides = tuple[str, str]
"""What the sides are called: `expected` and `found`, or `a` and `b`."""
Words = Mapping[Verdict, str]
"""What verdicts are called where it is not their own word."""

_IN = {Verdict.VALUES: "in values", Verdict.DTYPE: "in dtype", Verdict.SHAPE: "in shape"}


def tabulate_differences(pairs: Sequence[Pair], sides: Sides, words: Words) -> Table:
    """Return a line for each tensor that is not equal: how it differs, and in what; on a narrow terminal several."""
    rows = [
        (escape(pair.name), words.get(pair.verdict, pair.verdict.value), explain(pair, sides))
        for pair in pairs
        if pair.verdict is not Verdict.EQUAL
    ]
    stacked = [(f"{name}\n  {word}: {told}",) for name, word, told in rows]
    narrow = Table((Column("name\n  differs"),), stacked)
    return Table((Column("name"), Column("differs", is_rigid=True), Column("")), rows, narrow=narrow)


def explain(pair: Pair, sides: Sides) -> str:
    """Return what is to be told of a tensor that differs."""
    match pair.verdict:
        case Verdict.ONLY_A | Verdict.ONLY_B:
            return _render_entry(pair.a or pair.b)
        case Verdict.SHAPE | Verdict.DTYPE:
            told = f"{sides[0]} {_render_entry(pair.a)}, {sides[1]} {_render_entry(pair.b)}"
            return f"{told}; {_explain_values(pair, sides)}" if pair.contrast.unequal else told
        case _:
            return _explain_values(pair, sides)


def describe_pairs(pairs: Sequence[Pair], sides: Sides, words: Words) -> list[dict[str, Any]]:
    """Return each tensor's comparison as plain data for JSON."""
    return [
        {
            "name": pair.name,
            "verdict": words.get(pair.verdict, pair.verdict.value),
            sides[0]: _describe_entry(pair.a),
            sides[1]: _describe_entry(pair.b),
            "unequal": pair.contrast.unequal,
            "differing": pair.contrast.beyond,
            "max_abs": _plain(pair.contrast.max_abs),
            "max_rel": _plain(pair.contrast.max_rel),
            "first": _describe_first(pair, sides),
        }
        for pair in pairs
    ]


def count_verdicts(pairs: Sequence[Pair], words: Words) -> dict[str, int]:
    """Return how many tensors each verdict has, in the order of the verdicts."""
    return {words.get(each, each.value): sum(pair.verdict is each for pair in pairs) for each in Verdict}


def render_verdicts(pairs: Sequence[Pair], words: Words) -> str:
    """Return how many tensors differ, and in what: `2 of 7 tensors differ: 1 in values, 1 missing`."""
    off = sum(not pair.verdict.is_same for pair in pairs)
    counts = count_verdicts([pair for pair in pairs if not pair.verdict.is_same], {**_IN, **words})
    told = ", ".join(f"{number:,} {word}" for word, number in counts.items() if number)
    return f"{off:,} of {count(len(pairs), 'tensor')} {'differs' if off == 1 else 'differ'}: {told}"


def _explain_values(pair: Pair, sides: Sides) -> str:
    contrast, size = pair.contrast, prod(pair.a.shape if pair.a else ())
    told = f"{contrast.beyond or contrast.unequal:,} of {count(size, 'element')}"
    greatest = f"at most by {render_number(contrast.max_abs)}, relatively {render_number(contrast.max_rel)}"
    if contrast.first is None:
        return f"{told}, {greatest}"
    a, b = (_render_value(value) for value in contrast.first[1:])
    place = f" at {_index(pair)}" if pair.a and pair.a.shape else ""
    return f"{told}, {greatest}; first{place}: {sides[0]} {a}, {sides[1]} {b}"


def _index(pair: Pair) -> list[int]:
    """Return the first differing element's index along each axis."""
    shape = pair.a.shape if pair.a else ()
    number = pair.contrast.first.number if pair.contrast.first else 0
    return [int(each) for each in np.unravel_index(number, shape)] if shape else []


def _describe_first(pair: Pair, sides: Sides) -> dict[str, Any] | None:
    if pair.contrast.first is None:
        return None
    _, a, b = pair.contrast.first
    return {"index": _index(pair), sides[0]: _describe_value(a), sides[1]: _describe_value(b)}


def _render_entry(entry: Entry | None) -> str:
    return f"{render_shape(entry.shape)} {entry.dtype}" if entry else "-"


def _describe_entry(entry: Entry | None) -> dict[str, Any] | None:
    return {"shape": list(entry.shape), "dtype": entry.dtype} if entry else None


def _render_value(value: Any) -> str:
    """Return a number in as many digits as tell it from its neighbours of the same dtype."""
    return str(value if isinstance(value, np.floating | np.complexfloating) else value.item())


def _describe_value(value: Any) -> Any:
    """Return an element as JSON can hold it: a complex number as its two parts, nan and the infinities as text."""
    if np.iscomplexobj(value):
        return [_describe_value(value.real), _describe_value(value.imag)]
    number = value.item() if isinstance(value, np.integer | np.bool_) else float(value)
    return number if isfinite(number) else str(number)


def _plain(number: float) -> float | None:
    return number if isfinite(number) else None
