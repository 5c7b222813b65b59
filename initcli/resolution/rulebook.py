"""The rules and defaults of a spec: which of them decides for a tensor, and which decide nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from initcli.dtypes import DType
from initcli.errors import ArgumentError, Fault
from initcli.expressions import Scope
from initcli.spec import Condition, Default, Rule, Spec, tell
from initcli.spec.conditions import fits, matcher
from initcli.spec.scopes import evaluate_count, evaluate_dtype, evaluate_shape

C = TypeVar("C", bound=Condition)

_GLOB = "a glob fits the whole name: `*` also crosses `.` and `/`"


class RuleBook:
    """Rules and defaults with their arithmetic evaluated; `broken` are, by identity, those that have told a fault."""

    def __init__(self, spec: Spec, faults: list[Fault]) -> None:
        self.scope: Scope = spec.variables
        self.faults = faults
        self.used: set[int] = set()
        self.broken: set[int] = set()
        self.rules = [self.condition(each) for each in spec.rules]
        self.defaults = [self.condition(each) for each in spec.defaults]
        self.dtype_givers = [each for each in self.defaults if each.dtype]
        self.axes_givers = [each for each in self.defaults if each.axes]

    def condition(self, written: C) -> C:
        """Return a rule or default with its arithmetic evaluated; it is broken if that cannot be."""
        evaluated: dict[str, Any] = {}
        for key, evaluate in (("rank", evaluate_count), ("shape", evaluate_shape), ("dtype", evaluate_dtype)):
            value = getattr(written, key)
            try:
                evaluated[key] = value if value is None else evaluate(value, self.scope)
            except ArgumentError as error:
                tell(self.faults, written.places[key], error)
                evaluated[key] = None
        condition = replace(written, **evaluated)
        if any(value is None and getattr(written, key) is not None for key, value in evaluated.items()):
            self.broken.add(id(condition))
        return condition

    def matches(self, condition: Condition, name: str) -> bool:
        """Tell whether a name fits; a condition that cannot tell is broken."""
        try:
            return bool(matcher(condition.match)(name))
        except ArgumentError as error:
            if id(condition) not in self.broken:
                self.broken.add(id(condition))
                tell(self.faults, condition.place, error)
            return True

    def first(self, conditions: Sequence[Any], name: str, shape: tuple[int, ...] | None, dtype: DType | None) -> Any:
        """Return the first of rules or defaults that fits; of a tensor without a shape, the first whose name fits."""
        for each in conditions:
            if self.matches(each, name) and (shape is None or id(each) in self.broken or fits(each, shape, dtype)):
                self.used.add(id(each))
                return each
        return None

    def unused(self) -> list[Rule | Default]:
        """Return the rules and defaults that have decided nothing so far."""
        both: list[Rule | Default] = [*self.rules, *self.defaults]
        return [each for each in both if id(each) not in self.used]

    def check(self, names: Mapping[str, Any], ties: Mapping[str, Any], is_whole: bool) -> None:
        """Append a fault for each rule or default that decided nothing; if names may be missing, none for sure did."""
        for each in self.unused():
            kind, has = ("rule", "an init") if isinstance(each, Rule) else ("default", "its own")
            if self.broken or not is_whole:
                return
            matched = [name for name in names if self.matches(each, name)]
            if id(each) in self.broken:
                continue
            if matched and ties.keys() >= {*matched}:
                what = f"the {kind} `{each.match}` decides nothing: what it matches is tied to other tensors"
                hint = "name those, or delete it"
            elif matched:
                others = f"an earlier {kind}, or another rank, shape or dtype" if each.is_conditional else ""
                has = f"{has}, {others}" if others else f"{has} or an earlier {kind}"
                what = f"the {kind} `{each.match}` decides nothing: what it matches has {has}"
                hint = f"put it before the {kind} that takes its place, or delete it"
            else:
                what = f"the {kind} `{each.match}` matches no tensor"
                is_regex = each.match.startswith("re:")
                hint = "a regular expression must fit the whole name: `re:.*bias`" if is_regex else _GLOB
            self.faults.append(each.place.fault(what, hint))
