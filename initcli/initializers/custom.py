"""Classes that users write in the manner of Keras: parameters read from `__init__`, and an `rng` for `__call__`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, field
from typing import Any

from initcli.stream import Stream


def giving_rng(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `__call__` that hands over the stream of the seed and `name`, unless it is called with an `rng`."""
    place = list(inspect.signature(call).parameters).index("rng")

    @functools.wraps(call)
    def __call__(self: Any, *given: Any, **named: Any) -> Any:  # noqa: N807
        if "rng" not in named and len(given) < place:
            named["rng"] = Stream(self.seed or 0, str(named.get("name", ""))).generator()
        return call(self, *given, **named)

    return __call__


def init_fields(cls: Any) -> list[Field[Any]]:
    """Return the parameters of a class's hand-written `__init__` as fields."""
    made = []
    for each in list(inspect.signature(cls.__init__).parameters.values())[1:]:
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            continue
        kw_only = each.kind is each.KEYWORD_ONLY
        one: Field[Any] = field(default=MISSING if each.default is each.empty else each.default, kw_only=kw_only)
        one.name = each.name
        made.append(one)
    return made


def takes(function: Callable[..., Any], name: str) -> bool:
    """Tell whether a function can be given a value by this name."""
    known = inspect.signature(function).parameters
    return name in known or any(each.kind is each.VAR_KEYWORD for each in known.values())
