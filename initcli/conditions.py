"""Which tensors a rule or a default is for."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache
from typing import Any

from initcli.dtypes import DType
from initcli.expressions import Scope
from initcli.scopes import evaluate_count, evaluate_dtype
from initcli.spec import Condition, Rule


def fits(condition: Condition, shape: tuple[int, ...], dtype: DType | None, scope: Scope) -> bool:
    """Tell whether a tensor of this shape and dtype meets a condition, its name apart.

    Raises:
        ArgumentError: the condition's arithmetic has no value.
    """
    if condition.rank is not None and evaluate_count(condition.rank, scope) != len(shape):
        return False
    if condition.shape is not None:
        wanted = [dim if dim is None else evaluate_count(dim, scope) for dim in condition.shape]
        if len(wanted) != len(shape) or any(w not in (None, d) for w, d in zip(wanted, shape, strict=True)):
            return False
    asked = condition.dtype if isinstance(condition, Rule) else None
    return asked is None or dtype is None or evaluate_dtype(asked, scope) == dtype


@lru_cache(maxsize=10_000)
def matcher(match: str) -> Callable[[str], Any]:
    """Return a function that tells whether a name fits."""
    if match.startswith("re:"):
        return re.compile(match[3:]).fullmatch
    return re.compile(translate(match)).match
