"""Which tensors a rule or a default is for."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache
from itertools import zip_longest
from math import comb
from typing import Any

from initcli.document.tree import quote
from initcli.dtypes import DType
from initcli.errors import ArgumentError
from initcli.spec import Condition, Rule


def fits(condition: Condition, shape: tuple[int, ...], dtype: DType | None) -> bool:
    """Tell whether a tensor of this shape and dtype meets a condition that has been evaluated, its name apart.

    A dtype of None is not known yet, and fits.
    """
    if condition.rank is not None and condition.rank != len(shape):
        return False
    wanted = condition.shape
    if wanted is not None and len(wanted) != len(shape):
        return False
    if wanted is not None and any(w not in (None, d) for w, d in zip(wanted, shape, strict=True)):
        return False
    asked = condition.dtype if isinstance(condition, Rule) else None
    return asked is None or dtype is None or asked == dtype


MAX_TEXT = 1000
MAX_STEPS = 2 * 10**8
"""The most steps, a second or two, that matching one name may take."""

_TOKEN = re.compile(
    r"(?P<skip>\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?#[^)]*\))|(?P<open>\((?:\?(?P<flags>[a-zA-Z-]*))?)|(?P<close>\))"
    r"|(?P<either>\|)|(?P<quantifier>(?:[*+?]|\{[0-9]*,?[0-9]*\})[?+]?)",
    re.DOTALL,
)


@lru_cache(maxsize=10_000)
def matcher(match: str) -> Callable[[str], Any]:
    """Return a function that tells whether a name fits.

    Raises:
        ArgumentError: it is too long, or no regular expression after `re:`, or one that could take for ever.
    """
    if len(match) > MAX_TEXT:
        raise ArgumentError(f"`match` of {len(match):,} characters is too long", f"at most {MAX_TEXT:,}")
    if match.startswith("re:"):
        return _compile(match[3:])
    return re.compile(translate(match)).match


def _compile(text: str) -> Callable[[str], Any]:
    """Return the function that matches a whole name, and refuses a name that it could take too long for.

    A match chooses for each of k quantifiers where it ends, at most C(n + k, k) ways for n characters, and for each
    group one of its alternatives. That holds where no repeat stands in a repeat.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fullmatch = re.compile(text).fullmatch
    except (re.error, RecursionError, OverflowError) as error:
        what = f"{quote(text)} is no regular expression: {error}"
        raise ArgumentError(what, "write a backslash before a sign that stands for itself") from None
    quantifiers, choices = _measure(text)

    def fit(name: str) -> Any:
        if choices * comb(len(name) + quantifiers, quantifiers) > MAX_STEPS:
            what = f"{quote(text)} could take for ever on a name of {len(name):,} characters"
            raise ArgumentError(what, "use fewer `*`, `+`, `?` and `|`, or a glob")
        return fullmatch(name)

    return fit


def _measure(text: str) -> tuple[int, int]:
    """Return the count of quantifiers, and how many ways there are through the alternatives.

    Raises:
        ArgumentError: a group that is repeated has quantifiers or alternatives of its own.
    """
    quantifiers, choices, branches, wild = 0, 1, [1], [False]
    tokens = list(_TOKEN.finditer(text))
    for token, after in zip_longest(tokens, tokens[1:]):
        if token["open"]:
            if "x" in (token["flags"] or ""):
                raise ArgumentError(f"{quote(text)} is verbose, as no rule needs to be", "leave the flag `x` out")
            branches.append(1)
            wild.append(False)
        elif token["either"]:
            branches[-1] += 1
            wild[-1] = True
        elif token["quantifier"]:
            quantifiers += 1
            wild[-1] = True
        elif token["close"] and len(wild) > 1:
            choices *= branches.pop()
            is_wild = wild.pop()
            wild[-1] |= is_wild
            if is_wild and after and after["quantifier"] and after.start() == token.end() and after[0][0] != "?":
                what = (
                    f"{quote(text)} repeats a group in which something repeats or is chosen: that could take for ever"
                )
                raise ArgumentError(what, "write it without the outer or the inner one: `[\\w.]+` for `(\\w+\\.)+`")
    return quantifiers, choices * branches[0]
