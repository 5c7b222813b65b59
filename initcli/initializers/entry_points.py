"""Initializers of installed packages: the entry points of the group `initcli.initializers`, loaded when asked for.

An entry point is called as its initializer and names an `Initializer` subclass or a function of (shape, dtype), or it
names a module whose import registers some.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

from initcli.errors import InitcliError, render_raised
from initcli.initializers.registry import register, registered_names

GROUP = "initcli.initializers"


@cache
def load_entry_points() -> tuple[str, ...]:
    """Register the initializers of all entry points, once; return what is wrong with each one that is broken."""
    from importlib.metadata import entry_points

    broken = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        try:
            _enrol(point.name, point.load())
        except (Exception, SystemExit) as error:
            package = f" of `{point.dist.name}`" if point.dist else ""
            reason = error.faults[0].what if isinstance(error, InitcliError) else render_raised(error)
            broken.append(f"the entry point `{point.name} = {point.value}`{package} is broken: {reason}")
    return tuple(broken)


def _enrol(name: str, subject: Any) -> None:
    """Register what an entry point named, unless its import did."""
    if isinstance(subject, ModuleType):
        return
    if not callable(subject):
        raise TypeError(f"`{name}` is no class, function or module")
    if not registered_names(subject):
        register(name)(subject)
