"""Names as a tree: what collapses, what does not, and that a collapsed name stands for just its own names."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from initcli.collapsing import MAX_DEPTH, collapse, list_leaves, natural_key
from initcli.patterns import parse_pattern


def patterns(*names: str) -> list[str]:
    return [leaf.pattern for leaf in list_leaves(collapse(dict.fromkeys(names, 1)))]


def expand(*texts: str) -> list[str]:
    return [name for text in texts for name, _ in parse_pattern(text).expand({})]


@pytest.mark.parametrize(
    "collapsed",
    [
        ["h.{0..11}.{k,q,v}_proj.weight"],
        ["h.{0,2,5}.w"],
        ["h.{1,2}.w"],
        ["h.{0..30..2}.w"],
        ["h.{ {0..4},{6..29}}.w"],
        ["layers.{0..2}.mlp.experts.{0..63}.{down,gate,up}_proj.weight"],
        ["{input,post_attention}_layernorm.{bias,weight}"],
        ["block{1,2}_conv{1,2}/kernel", "block{3..5}_conv{1..3}/kernel"],
        ["conv2d/kernel", "conv2d_{1..4}/kernel"],
        ["one"],
        [],
        ["word{{{0..3}}}.w"],
        ["a {b", "a,b", "a:b", "{c,d}"],
        ["{0..7}", "007"],
        ["a", "a.", "a.b"],
    ],
)
def test_equal_siblings_share_a_line_in_the_braces_of_a_spec(collapsed: list[str]) -> None:
    """What the spec's patterns stand for collapses to these patterns again, numbers and words in natural order."""
    names = expand(*(text if "{" in text and parse_ok(text) else text.replace("{", "{{") for text in collapsed))

    found = patterns(*names)

    assert sorted(expand(*found)) == sorted(names)
    assert set(found) == {text if parse_ok(text) else text.replace("{", "{{") for text in collapsed}


def parse_ok(text: str) -> bool:
    try:
        return bool(list(parse_pattern(text).expand({})))
    except ValueError:
        return False


def test_only_blocks_with_equal_values_below_collapse() -> None:
    """A block in which one tensor differs, or is missing, stands alone."""
    values = {f"h.{i}.{name}": 64 for i in range(6) for name in ("w", "b")}
    values["h.2.b"] = 32
    del values["h.4.b"]

    leaves = [(leaf.pattern, leaf.names, leaf.value) for leaf in list_leaves(collapse(values))]

    assert leaves == [
        ("h.{0,1,3,5}.{b,w}", 8, 64),
        ("h.2.b", 1, 32),
        ("h.2.w", 1, 64),
        ("h.4.w", 1, 64),
    ]


def test_a_tree_counts_the_names_below_each_branch() -> None:
    """Twelve blocks of three are thirty-six."""
    (h,) = collapse({f"h.{i}.{name}": shape for i in range(12) for shape, name in enumerate("abc")})

    assert (h.label, h.names) == ("h.", 36)
    assert (h.branches[0].label, h.branches[0].times, h.branches[0].names) == ("{0..11}.", 12, 36)


segments = st.one_of(
    st.integers(0, 12).map(str),
    st.sampled_from(
        ["w", "q_proj", "k_proj", "q-k_x", "_", "", "x{0}", "{", "}", "a,b", "00", " a", "conv2d_", "²", "..", "i:0"]
    ),
    st.tuples(st.sampled_from(["conv", "{", "b_"]), st.integers(0, 12)).map(lambda pair: f"{pair[0]}{pair[1]}"),
    st.text(max_size=3),
)
names = st.lists(segments, min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from("./").map(lambda separator: separator.join(parts))
)


@given(st.dictionaries(names, st.integers(0, 1), max_size=40))
@example(dict.fromkeys((f"t{i * i}" for i in range(200)), 0))
@example(dict.fromkeys((f"x{i}_{j}" for i in range(9) for j in range(9) if (i * j) % 4), 0))
def test_collapsed_names_stand_for_just_the_names_they_came_from(values: dict[str, int]) -> None:
    """Each name once, with its own value, whatever is in it; the counts are right."""
    leaves = list(list_leaves(collapse(values)))

    stands_for = [(name, leaf.value) for leaf in leaves for name in expand(leaf.pattern)]
    assert sorted(stands_for) == sorted(values.items())
    assert [leaf.names for leaf in leaves] == [len(expand(leaf.pattern)) for leaf in leaves]


@given(st.lists(names, unique=True), st.randoms(use_true_random=False))
def test_the_order_of_the_names_does_not_matter(listed: list[str], random: object) -> None:
    """Files list tensors in many orders; the tree is one."""
    shuffled = list(listed)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert collapse(dict.fromkeys(shuffled, 0)) == collapse(dict.fromkeys(listed, 0))


def test_numbers_in_names_stand_in_their_order() -> None:
    """2 before 10, wherever the number stands, and one with thousands of digits too."""
    ordered = ["a.2", "a.10", "a.10.b2", "a.10.b11", f"a.{'9' * 5000}", f"a.1{'0' * 5000}", "b"]

    assert sorted({*ordered}, key=natural_key) == ordered


def test_a_large_model_and_a_strange_one_are_no_burden() -> None:
    """A model of 184,320 tensors is three lines; a name of 10,000 parts is cut so often and no more."""
    experts = [f"l.{i}.e.{e}.{w}" for i, e, w in itertools.product(range(60), range(1024), "abc")]

    assert patterns(*experts) == ["l.{0..59}.e.{0..1023}.{a,b,c}"]
    (branch,) = collapse({"a." * 10_000: 1})
    depth = 1
    while branch.branches:
        (branch,) = branch.branches
        depth += 1
    assert depth == MAX_DEPTH + 1
