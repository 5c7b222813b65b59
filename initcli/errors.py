"""Faults as data: what is wrong, where it stands, and the way out.

Every room raises these; only `cli` turns them into text and an exit status.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Position:
    """A place in a document: `source` as the user named it, `line` and `column` counted from 1."""

    source: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: `what`, the place it stands at, its dotted key `path`, and a `hint` that mends it."""

    what: str
    position: Position | None = None
    path: str = ""
    hint: str = ""

    def __str__(self) -> str:
        return self.what if self.position is None else f"{self.position}: {self.what}"


class InitcliError(Exception):
    """The program could not do what was asked; `faults` says why, in the order of the file."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class ArgumentError(InitcliError, ValueError):
    """An initializer was given a name, a parameter, a shape or a dtype that it cannot take."""

    def __init__(self, what: str, hint: str = "", parameter: str = "") -> None:
        super().__init__(Fault(what, hint=hint))
        self.parameter = parameter


def suggest(word: str, known: Iterable[str]) -> str:
    """Return "did you mean `x`?" for the known word nearest to `word`, or an empty string.

    >>> suggest("he_norml", ["he_normal", "zeros"])
    'did you mean `he_normal`?'
    >>> suggest("qqq", ["he_normal", "zeros"])
    ''
    """
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""
