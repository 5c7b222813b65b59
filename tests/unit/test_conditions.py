"""Which tensors a rule or a default is for."""

from __future__ import annotations

import pytest

from initcli.dtypes import DTYPES
from initcli.errors import Position
from initcli.spec import Default, Place, Rule
from initcli.spec.conditions import fits, matcher

PLACE = Place(Position("spec.yaml", 1, 1), ())
FLOAT16, FLOAT32 = DTYPES["float16"], DTYPES["float32"]


@pytest.mark.parametrize(
    ("match", "name", "expected"),
    [
        ("*norm*", "h.0.norm.weight", True),
        ("*norm", "h.0.norm.weight", False),
        ("h.?.w", "h.3.w", True),
        ("h.?.w", "h.12.w", False),
        ("h.[!0].w", "h.0.w", False),
        ("H.*", "h.0.w", False),
        ("re:h\\.\\d+\\.w", "h.12.w", True),
        ("re:h", "h.12.w", False),
        ("re:.*weight", "a/weight", True),
    ],
)
def test_a_glob_or_a_regular_expression_fits_the_whole_name(match: str, name: str, expected: bool) -> None:
    """`*` crosses dots and slashes, and case counts."""
    assert bool(matcher(match)(name)) is expected


@pytest.mark.parametrize(
    ("condition", "shape", "expected"),
    [
        (Rule("*", PLACE), (3, 4), True),
        (Rule("*", PLACE, rank=2), (3, 4), True),
        (Rule("*", PLACE, rank=2), (3,), False),
        (Rule("*", PLACE, rank=0), (), True),
        (Rule("*", PLACE, shape=(3, None)), (3, 9), True),
        (Rule("*", PLACE, shape=(3, None)), (4, 9), False),
        (Rule("*", PLACE, shape=(3, None)), (3,), False),
        (Rule("*", PLACE, dtype=FLOAT32), (3,), True),
        (Rule("*", PLACE, dtype=FLOAT16), (3,), False),
        (Rule("*", PLACE, rank=1, dtype=FLOAT32), (3, 3), False),
        (Default("*", PLACE, dtype=FLOAT16), (3,), True),
    ],
)
def test_every_condition_must_hold(condition: Rule | Default, shape: tuple[int, ...], expected: bool) -> None:
    """Rank, shape and dtype of a float32 tensor; the dtype of a default is what it gives, no condition."""
    assert fits(condition, shape, FLOAT32) is expected


def test_a_dtype_that_is_not_known_hinders_no_rule() -> None:
    """Of a tensor with a wrong dtype the rules are met all the same."""
    assert fits(Rule("*", PLACE, dtype=FLOAT16), (3,), None)
