"""Faults as data: what is wrong, where it stands, and the way out.

Every room raises these; only `cli` turns them into text and an exit status.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Position:
    """A place in a document: `source` as the user named it, `line` and `column` counted from 1; line 0 is all of it."""

    source: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


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
    near = nearest(word, known)
    return f"did you mean `{near}`?" if near else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word nearest to `word`, or an empty string if none is near."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), "")


def render_raised(error: BaseException) -> str:
    """Return what code that is not ours raised, on one line: `ValueError: no such mode`."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def locate_raised(error: BaseException) -> Position | None:
    """Return where code that is not ours raised `error`: the last line of the first file outside of this package."""
    import traceback
    from pathlib import Path

    package = str(Path(__file__).parent)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((package, "<"))  # "<": importlib's, or made by dataclass
    ]
    inside = [frame for frame in frames if frame.filename == frames[0].filename]
    return Position(inside[-1].filename, inside[-1].lineno or 1, (inside[-1].colno or 0) + 1) if inside else None
