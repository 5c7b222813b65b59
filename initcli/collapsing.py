"""Names as a tree in natural order, where blocks with the same contents are one: `h.{0..11}.attn.{k,q,v}_proj.weight`.

The braces are those of a spec (`patterns`): what a collapsed name stands for is what `parse_pattern` expands it to.
A name is cut after each `.` and `/`. Siblings collapse if all below them is equal: the same names with the same values.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from math import prod
from typing import Any, Generic, NamedTuple, TypeVar

from initcli.patterns import escape

T = TypeVar("T")
V = TypeVar("V", bound=Hashable)

MAX_DEPTH = 64
"""How often a name is cut."""
MAX_WORDS = 8
"""The most words or ranges between two braces; more of them take more lines."""
MAX_NUMBERS = 8
"""A part of a name with more numbers than this stands alone."""

_CUT = re.compile(r"(?<=[./])")
_DIGITS = re.compile(r"([0-9]+)")
_NUMBER = re.compile(r"(?<![0-9])(0|[1-9][0-9]{0,14})(?![0-9])")
_AFFIX = re.compile(r"(?<=[_-])")
_WORD = re.compile(r"[\w-]+")


class Branch(NamedTuple, Generic[V]):
    """A part of names: its `label`, a pattern for `times` parts; below each the `branches`, or a `value` if none is."""

    label: str
    times: int
    value: V | None
    branches: tuple[Branch[V], ...] = ()

    @property
    def names(self) -> int:
        """How many names it stands for."""
        return self.times * (sum(branch.names for branch in self.branches) if self.branches else 1)


class Folded(NamedTuple):
    """A `pattern` for so many `parts` of names, the `first` of them as it stands."""

    pattern: str
    parts: int
    first: str


class Leaf(NamedTuple, Generic[V]):
    """A `pattern` that stands for so many whole `names` with the same `value`."""

    pattern: str
    names: int
    value: V


def collapse(values: Mapping[str, V]) -> tuple[Branch[V], ...]:
    """Return the tree of the names, natural in its order, with equal siblings collapsed.

    >>> tree = collapse({f"h.{i}.{w}.weight": 64 for i in range(12) for w in "qk"} | {"norm": 8})
    >>> [(leaf.pattern, leaf.names, leaf.value) for leaf in list_leaves(tree)]
    [('h.{0..11}.{k,q}.weight', 24, 64), ('norm', 1, 8)]
    """
    root: dict[str, Any] = {}
    for name, value in values.items():
        *folders, last = _CUT.split(name, maxsplit=MAX_DEPTH)
        place = root
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = Branch("", 1, value)
    return _collapse(root, {})


def list_leaves(branches: Sequence[Branch[V]]) -> Iterator[Leaf[V]]:
    """Yield a pattern for each leaf of a tree, in the tree's order."""
    for label, times, value, below in branches:
        if not below:
            yield Leaf(label, times, value)  # type: ignore[arg-type]  # a branch without branches has a value
        for leaf in list_leaves(below):
            yield Leaf(label + leaf.pattern, times * leaf.names, leaf.value)


def natural_key(name: str) -> tuple[list[Any], str]:
    """Return what to sort a name by, so that numbers stand in their order.

    >>> sorted(["h.10", "h.9", "h"], key=natural_key)
    ['h', 'h.9', 'h.10']
    """
    parts: list[Any] = _DIGITS.split(name)
    parts[1::2] = [(len(digits.lstrip("0")), digits.lstrip("0")) for digits in parts[1::2]]
    return parts, name


def _collapse(place: dict[str, Any], known: dict[Any, tuple[Branch[V], ...]]) -> tuple[Branch[V], ...]:
    """Return the branches below a place; `known` has those of places that hold the same."""
    below = {label: _collapse(each, known) if isinstance(each, dict) else each for label, each in place.items()}
    contents = tuple(below.items())
    if contents not in known:
        known[contents] = _collapse_siblings(below)
    return known[contents]


def _collapse_siblings(below: Mapping[str, Any]) -> tuple[Branch[V], ...]:
    """Return one branch for all siblings that hold the same, where the first of them stands."""
    alike: dict[Any, list[str]] = {}
    ranks = {label: rank for rank, label in enumerate(sorted(below, key=natural_key))}
    for label in ranks:
        is_leaf = isinstance(below[label], Branch)
        separator = "" if is_leaf else label[-1]
        alike.setdefault((is_leaf, separator, below[label]), []).append(label[: len(label) - len(separator)])
    ranked = []
    for (is_leaf, separator, content), labels in alike.items():
        for label, times, first in _fold(labels):
            rank = ranks[first + separator]
            value, branches = (content.value, ()) if is_leaf else (None, content)
            ranked.append((rank, Branch(label + separator, times, value, branches)))
    return tuple(branch for _, branch in sorted(ranked, key=lambda each: each[0]))


def _fold(labels: Sequence[str]) -> Iterator[Folded]:
    """Yield patterns that stand for the labels, which are in natural order."""
    if len(labels) == 1:
        yield Folded(escape(labels[0]), 1, labels[0])
        return
    skeletons: dict[tuple[str, ...], list[tuple[int, ...]]] = {}
    for label in labels:
        parts = _NUMBER.split(label, maxsplit=MAX_NUMBERS)
        skeletons.setdefault(tuple(parts[::2]), []).append(tuple(map(int, parts[1::2])))
    words = []
    for texts, rows in skeletons.items():
        for product in _products(rows):
            if all(len(numbers) == 1 for numbers in product):
                words.append(_interleave(texts, [str(number) for (number,) in product]))
            else:
                yield from _fold_product(texts, product)
    yield from _fold_words(words)


def _products(rows: Sequence[tuple[int, ...]]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield sets of numbers, one for each place, whose products are the rows, each row once."""
    if not rows[0]:
        yield ()
        return
    tails: dict[int, list[tuple[int, ...]]] = {}
    for row in rows:
        tails.setdefault(row[0], []).append(row[1:])
    heads: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for head, rest in tails.items():
        heads.setdefault(tuple(rest), []).append(head)
    for rows, numbers in heads.items():
        yield from ((tuple(numbers), *product) for product in _products(rows))


def _fold_product(texts: Sequence[str], product: Sequence[Sequence[int]]) -> Iterator[Folded]:
    """Yield patterns that stand for the texts with every choice of numbers between them."""
    escaped = [escape(text) for text in texts]
    for places in itertools.product(*(_fold_numbers(numbers) for numbers in product)):
        patterns, parts, firsts = zip(*places, strict=True)
        yield Folded(_interleave(escaped, patterns), prod(parts), _interleave(texts, firsts))


def _fold_numbers(numbers: Sequence[int]) -> Iterator[Folded]:
    """Yield patterns that stand for ascending numbers."""
    steps = {later - sooner for sooner, later in itertools.pairwise(numbers)}
    if len(numbers) > 2 and len(steps) == 1:
        yield _fold_range(numbers, steps.pop())
        return
    items = [Folded(str(number), 1, str(number)) for number in numbers]
    for chunk in _chunks(items if len(items) <= MAX_WORDS else list(_find_runs(numbers))):
        pattern = _enclose([item.pattern for item in chunk])
        yield Folded(pattern, sum(item.parts for item in chunk), chunk[0].first)


def _find_runs(numbers: Sequence[int]) -> Iterator[Folded]:
    """Yield a range for each run of three or more neighbours, and the other numbers."""
    for _, run in itertools.groupby(enumerate(numbers), key=lambda each: each[1] - each[0]):
        members = [number for _, number in run]
        if len(members) > 2:
            yield _fold_range(members, 1)
        else:
            yield from (Folded(str(number), 1, str(number)) for number in members)


def _fold_range(numbers: Sequence[int], step: int) -> Folded:
    bounds = [numbers[0], numbers[-1], step][: 2 if step == 1 else 3]
    return Folded(f"{{{'..'.join(map(str, bounds))}}}", len(numbers), str(numbers[0]))


def _fold_words(words: Sequence[str]) -> Iterator[Folded]:
    """Yield patterns for words, what they share before and after a `_` or `-` outside of the braces."""
    yield from (Folded(escape(word), 1, word) for word in words if not _WORD.fullmatch(word))
    for chunk in _chunks([word for word in words if _WORD.fullmatch(word)]):
        before = _shared_beginning(chunk)
        rests = [word[len(before) :] for word in chunk]
        after = _shared_beginning([rest[::-1] for rest in rests])[::-1]
        middles = [rest[: len(rest) - len(after)] for rest in rests]
        yield Folded(f"{before}{_enclose(middles)}{after}", len(chunk), chunk[0])


def _shared_beginning(words: Sequence[str]) -> str:
    """Return what all words begin with, up to a `_` or `-`."""
    pieces = zip(*(_AFFIX.split(word)[:-1] for word in words), strict=False)
    return "".join(each[0] for each in itertools.takewhile(lambda each: len(set(each)) == 1, pieces))


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[at : at + MAX_WORDS] for at in range(0, len(items), MAX_WORDS))


def _enclose(words: Sequence[str]) -> str:
    """Return words in braces; a blank keeps two braces apart that would mean a brace itself."""
    if len(words) == 1:
        return words[0]
    return f"{{{' ' * words[0].startswith('{')}{','.join(words)}}}"


def _interleave(texts: Sequence[str], numbers: Sequence[str]) -> str:
    """Return texts with a number between each two."""
    return "".join(itertools.chain.from_iterable(itertools.zip_longest(texts, numbers, fillvalue="")))
