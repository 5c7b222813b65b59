"""Initializers and laws, each built once for all tensors that are alike."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from initcli.dtypes import DType
from initcli.errors import ArgumentError, Fault
from initcli.expressions import Scope, ToldError
from initcli.fans import Fans, axes_fans
from initcli.initializers.base import Initializer, build, decide_law
from initcli.initializers.registry import find
from initcli.laws import Law
from initcli.laws.whole import WholeTensorLaw
from initcli.spec import Init
from initcli.spec.scopes import evaluate_value, hint_at_word, names_in, naming
from initcli.units import render_nbytes

MAX_ELEMENTS = 10**13
"""The most elements of one tensor: some 40 TB in float32, far above any tensor there is, far below a mistyped shape."""


class LawTable:
    """Builds what a spec of a `framework` names, and keeps it; an initializer's fault is told once."""

    def __init__(self, framework: str, faults: list[Fault]) -> None:
        self.framework, self.faults = framework, faults
        self.initializers: dict[Any, Initializer | None] = {}
        self.names_in: dict[int, list[str]] = {}
        self.alike: dict[tuple[str, str, str], Initializer] = {}
        self.laws: dict[Any, Law] = {}
        self.failed: set[int] = set()

    def initializer(self, init: Init, scope: Scope) -> Initializer | None:
        """Build an initializer once for each set of values of its variables, so that its fault is told once."""
        key: Any = id(init)
        if not init.is_plain:
            if key not in self.names_in:
                self.names_in[key] = sorted(names_in((init,)))
            key = (key, *[scope.get(name) for name in self.names_in[key]])
        if key not in self.initializers:
            self.initializers[key] = None if id(init) in self.failed else self.build(init, scope)
        return self.initializers[key]

    def build(self, init: Init, scope: Scope) -> Initializer | None:
        """Build an initializer; None if that is a fault, which is told."""
        try:
            arguments = {}
            for name, value in init.arguments.items():
                with naming(name):
                    arguments[name] = evaluate_value(value, scope)
            positional = tuple(evaluate_value(value, scope) for value in init.positional)
            alike = (init.name, repr(positional), repr(arguments))
            if alike not in self.alike:
                cls = find(init.name, self.framework)
                self.alike[alike] = build(cls, arguments, positional, framework=self.framework)
            return self.alike[alike]
        except ArgumentError as error:
            if not isinstance(error, ToldError) and id(init) not in self.failed:
                self.failed.add(id(init))
                place = init.argument_places.get(error.parameter, init.place)
                hint = hint_at_word(error, init.arguments.get(error.parameter), scope)
                self.faults.append(place.fault(error.faults[0].what, hint))
            return None

    def law(self, initializer: Initializer, shape: tuple[int, ...], dtype: DType, fans: Mapping[str, Any]) -> Law:
        """Decide a law once for all tensors that are alike.

        Raises:
            ArgumentError: the initializer does not take such a tensor.
        """
        key = (id(initializer), shape, dtype.name, *fans.items())
        if key not in self.laws:
            if (size := prod(shape)) > MAX_ELEMENTS:
                raise TooLargeError(size, dtype)
            law = decide_law(initializer, shape, dtype, _read_fans(initializer, shape, fans))
            if "axes" in fans and law.is_random and initializer.fans(shape) is None and isinstance(law, WholeTensorLaw):
                what = f"`{initializer}` reads no axes: it flattens {list(shape)} by its framework's own rule"
                raise ArgumentError(what, "give it no `axes`, and a shape in its framework's order", parameter="axes")
            self.laws[key] = law
        return self.laws[key]


class TooLargeError(ArgumentError):
    """A tensor has more elements than any there is."""

    def __init__(self, size: int, dtype: DType) -> None:
        count = f"{size:,}" if size < 10**24 else f"10^{len(str(size)) - 1}"
        nbytes = f", {render_nbytes(size * dtype.itemsize)} in {dtype}" if size < 10**24 else ""
        super().__init__(f"{count} elements{nbytes} are too many", f"a tensor has at most {MAX_ELEMENTS:,}", "shape")


def _read_fans(initializer: Initializer, shape: tuple[int, ...], fans: Mapping[str, Any]) -> Fans | None:
    """Return the fans that the keys `axes`, or `fan_in` and `fan_out`, tell; None if there are none."""
    if not fans:
        return None
    if "axes" in fans:
        return axes_fans(shape, fans["axes"])
    own = Fans(1, 1) if len(fans) == 2 and type(initializer).fans is not Initializer.fans else initializer.fans(shape)
    if own is None:
        key = next(iter(fans))
        raise ArgumentError(f"`{initializer}` reads no fans", f"remove `{key}`", parameter=key)
    return Fans(fans.get("fan_in", own.fan_in), fans.get("fan_out", own.fan_out))
