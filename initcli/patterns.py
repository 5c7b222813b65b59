"""Names that stand for many: `h.{i:0..layers-1}.{q,k,v}_proj`, one name for every turn of every loop.

| in braces | stands for |
|---|---|
| `{0..11}`, `{0..layers-1}`, `{0..12..3}` | each whole number from the first to the last, by the step |
| `{q,k,v}` | each word, without blanks around it; words may have braces of their own |
| `{i:0..3}`, `{p:q,k,v}` | the same, with a name for the turn's value |
| `{i}`, `{i+1}` | the value of an expression |
| `{{`, `}}` | the brace itself |
"""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from initcli.errors import ArgumentError
from initcli.expressions import FUNCTIONS, Expression, Scope, as_count, parse_expression

Turn: TypeAlias = tuple[str, int | str]
"""The text of one turn of a loop, and its value."""

_INDEX = re.compile(r"\s*([A-Za-z_]\w*)\s*:(.*)", re.DOTALL)
_HINT = "write `{0..11}`, `{q,k,v}`, `{i:0..layers-1}`, or `{{` for the brace itself"


class Loop(ABC):
    """What one pair of braces stands for; `index` is the name of its value, if it has one."""

    index: str

    @abstractmethod
    def turns(self, scope: Scope) -> Iterator[Turn]:
        """Yield each turn's text and value.

        Raises:
            ArgumentError: a bound that is no whole number, or a range without a turn.
        """

    @abstractmethod
    def count(self, scope: Scope) -> int:
        """Return how many turns there are, without taking them."""

    @property
    @abstractmethod
    def names(self) -> frozenset[str]:
        """The variables that its turns depend on."""


@dataclass(frozen=True)
class Range(Loop):
    """The whole numbers from `first` to `last`, that included, by `step`."""

    index: str
    first: Expression
    last: Expression
    step: Expression

    def turns(self, scope: Scope) -> Iterator[Turn]:
        for value in self._range(scope):
            yield str(value), value

    def count(self, scope: Scope) -> int:
        return len(self._range(scope))

    @property
    def names(self) -> frozenset[str]:
        return self.first.names | self.last.names | self.step.names

    def _range(self, scope: Scope) -> range:
        first, last, step = (as_count(e.evaluate(scope), e.text) for e in (self.first, self.last, self.step))
        if step < 1:
            what = f"the step of a range must be at least 1, got {step}"
            raise ArgumentError(what, "the step comes last: `{0..12..3}`")
        if last < first:
            what = f"the range `{self.first.text}..{self.last.text}` is empty: {first} to {last}"
            raise ArgumentError(what, "the last number is part of a range: `{0..layers-1}`")
        if max(abs(first), abs(last)) >= 2**62:
            raise ArgumentError(f"the range {first}..{last} is beyond any count of tensors", "use smaller numbers")
        return range(first, last + 1, step)


@dataclass(frozen=True)
class Choice(Loop):
    """Each of some `words`, which may have loops of their own."""

    index: str
    words: tuple[Pattern, ...]

    def turns(self, scope: Scope) -> Iterator[Turn]:
        for word in self.words:
            for text, _ in word.expand(scope):
                yield text, text

    def count(self, scope: Scope) -> int:
        return sum(word.count(scope) for word in self.words)

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(word.names for word in self.words))


@dataclass(frozen=True)
class Value(Loop):
    """The value of an `expression`: one turn."""

    expression: Expression
    index: str = ""

    def turns(self, scope: Scope) -> Iterator[Turn]:
        word = scope.get(self.expression.text.strip())
        value = word if isinstance(word, str) else as_count(self.expression.evaluate(scope), self.expression.text)
        yield str(value), value

    def count(self, scope: Scope) -> int:
        return 1

    @property
    def names(self) -> frozenset[str]:
        return self.expression.names


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name in `parts`: text as it stands, and `loops`, from the slowest to the fastest."""

    text: str
    parts: tuple[str | Loop, ...]
    loops: tuple[Loop, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The variables that it depends on, without the indices of its own loops."""
        used = frozenset[str]().union(*(loop.names for loop in self.loops))
        return used - {loop.index for loop in self.loops}

    def count(self, scope: Scope) -> int:
        """Return how many names there are; of very many, about how many.

        Only loops that others depend on are gone through.
        """
        later = [
            frozenset[str]().union(*(each.names for each in self.loops[at:])) for at in range(1, len(self.loops) + 1)
        ]
        return self._count(later, scope, itertools.count())

    def _count(self, later: list[frozenset[str]], scope: Scope, taken: Iterator[int]) -> int:
        """Count the names of the last loops, as many as `later` tells the variables of those behind each."""
        if not later:
            return 1
        loop, (used, *rest) = self.loops[-len(later)], later
        turns, total = loop.count(scope), 0
        if loop.index not in used:
            bound = next(loop.turns(scope))[1]
            return turns * self._count(rest, {**scope, loop.index: bound} if loop.index else scope, taken)
        for left, (_, value) in zip(range(turns - 1, -1, -1), loop.turns(scope), strict=True):
            inner = self._count(rest, {**scope, loop.index: value}, taken)
            total += inner
            if next(taken) > MAX_COUNTED:
                return total + left * inner
        return total

    def expand(self, scope: Scope) -> Iterator[tuple[str, Scope]]:
        """Yield every name with the values of its own indices, the last loop the fastest.

        >>> [name for name, _ in parse_pattern("h.{i:0..1}.{q,k}").expand({})]
        ['h.0.q', 'h.0.k', 'h.1.q', 'h.1.k']

        Raises:
            ArgumentError: an unknown variable, a bound that is no whole number, or an empty range.
        """
        if self.loops:
            yield from self._expand(0, "", scope, {})
        else:
            yield "".join(str(part) for part in self.parts), {}

    def _expand(self, at: int, name: str, scope: Scope, bound: Scope) -> Iterator[tuple[str, Scope]]:
        while at < len(self.parts) and isinstance(part := self.parts[at], str):
            name += part
            at += 1
        if at == len(self.parts):
            yield name, bound
            return
        loop = self.parts[at]
        assert isinstance(loop, Loop)  # noqa: S101  (for the type checker)
        for text, value in loop.turns(scope):
            if loop.index:
                own = {loop.index: value}
                yield from self._expand(at + 1, name + text, {**scope, **own}, {**bound, **own})
            else:
                yield from self._expand(at + 1, name + text, scope, bound)


MAX_TEXT = 10_000
MAX_BRACES = 100
MAX_COUNTED = 50_000
"""After as many turns, those of a loop that are left count as the last one, where inner loops depend on it."""


def parse_pattern(text: str) -> Pattern:
    """Return the pattern that a name is.

    Raises:
        ArgumentError: braces that do not match, or what stands in them is no loop.
    """
    if len(text) > MAX_TEXT:
        raise ArgumentError(f"a name of {len(text):,} characters is too long", f"at most {MAX_TEXT:,}")
    if "{" not in text and "}" not in text:
        return Pattern(text, (text,))
    if text.count("{") > MAX_BRACES:
        raise ArgumentError(f"a name with {text.count('{'):,} braces is too tangled", f"at most {MAX_BRACES}")
    parts: list[str | Loop] = []
    plain, at = "", 0
    while at < len(text):
        pair = text[at : at + 2]
        if pair in ("{{", "}}"):
            plain, at = plain + pair[0], at + 2
        elif text[at] == "}":
            raise ArgumentError(f"`}}` without a `{{` in the name `{text}`", _HINT)
        elif text[at] == "{":
            end = _closing(text, at)
            parts += [plain] * bool(plain)
            parts.append(_parse_loop(text[at + 1 : end], text))
            plain, at = "", end + 1
        else:
            plain, at = plain + text[at], at + 1
    parts += [plain] * bool(plain)
    pattern = Pattern(text, tuple(parts), tuple(part for part in parts if not isinstance(part, str)))
    indices = [loop.index for loop in pattern.loops if loop.index]
    for index in indices:
        if indices.count(index) > 1:
            raise ArgumentError(f"two loops of the name `{text}` are called `{index}`", "give each its own name")
    return pattern


def _closing(text: str, start: int) -> int:
    """Return the place of the brace that closes the one at `start`."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if not depth:
            return at
    raise ArgumentError(f"`{{` is never closed in the name `{text}`", _HINT)


def _parse_loop(body: str, text: str) -> Loop:
    """Return what stands between two braces."""
    named = _INDEX.fullmatch(body)
    index, body = (named[1], named[2]) if named else ("", body)
    if index in FUNCTIONS:
        raise ArgumentError(f"a loop cannot be called `{index}`: that is a function", "give it another name")
    bounds = body.split("..")
    if len(bounds) in (2, 3) and "{" not in body:
        first, last, step = (parse_expression(bound) for bound in (*bounds, "1")[:3])
        return Range(index, first, last, step)
    words = _split(body)
    if len(words) > 1:
        return Choice(index, tuple(parse_pattern(word.strip()) for word in words))
    if named or not body.strip():
        raise ArgumentError(f"`{{{body}}}` in the name `{text}` has no range and no words", _HINT)
    return Value(parse_expression(body))


def _split(body: str) -> list[str]:
    """Return the words between commas that stand in no inner braces."""
    words, depth = [""], 0
    for letter in body:
        depth += (letter in "{(") - (letter in "})")
        if letter == "," and not depth:
            words.append("")
        else:
            words[-1] += letter
    return words


def escape(name: str) -> str:
    """Return the pattern that stands for just this name.

    >>> escape("a{0}")
    'a{{0}}'
    """
    return name.replace("{", "{{").replace("}", "}}")
