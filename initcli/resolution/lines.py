"""The tensors of one line of a spec: each has its shape, dtype, initializer, fans and seed from there or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from initcli.dtypes import DType
from initcli.errors import ArgumentError
from initcli.expressions import Scope
from initcli.fans import axes_fans
from initcli.initializers.base import Initializer
from initcli.patterns import Pattern
from initcli.plan import Origins, PlannedTensor
from initcli.resolution.law_table import TooLargeError
from initcli.resolution.ties import Tie
from initcli.spec import Init, Place, TensorSpec, tell
from initcli.spec.scopes import evaluate_count, evaluate_dtype, evaluate_value, names_in

if TYPE_CHECKING:
    from initcli.resolution import Resolver


class Line:
    """Decides the tensors of one line; after a fault the others are only met by the rules."""

    def __init__(self, resolver: Resolver, written: TensorSpec) -> None:
        self.resolver, self.book, self.written = resolver, resolver.book, written
        indices = {loop.index for loop in written.pattern.loops}
        given = (*(written.shape or ()), written.fan_in, written.fan_out)
        used = names_in(given) if indices else frozenset()
        self.keys = sorted(indices & used)
        self.shapes: dict[tuple[Any, ...], tuple[tuple[int, ...] | None, Mapping[str, Any]]] = {}
        self.is_broken = written.shape is None and written.tie is None
        self.is_uncovered = False
        self.origins: Origins | None = None

    def tensor(self, name: str, scope: Scope) -> PlannedTensor | None:
        """Return one tensor, or None for a tie or where there is a fault."""
        written, resolver = self.written, self.resolver
        if written.tie:
            targets = self.guard(("tie",), _expand_tie, written.tie, scope)
            shape = self.shape(scope)[0]
            if targets:
                resolver.ties[name] = Tie(targets, shape, written)
            return None
        key = tuple([scope[each] for each in self.keys])
        if key not in self.shapes:
            self.shapes[key] = self.shape(scope)
        shape, fans = self.shapes[key]
        dtype, axes, dtype_origin = self.dtype(name, shape, scope)
        init, origin = self.init(name, shape, dtype)
        initializer = resolver.laws.initializer(init, scope) if init else None
        if self.is_broken or shape is None or dtype is None or init is None or initializer is None:
            self.is_broken = True
            return None
        try:
            fans = fans or ({"axes": axes} if axes else {})
            if "axes" in fans and getattr(initializer, "input_axes", None) is not None:
                fans = self.own_axes()
            law = resolver.laws.law(initializer, shape, dtype, fans)
        except ArgumentError as error:
            self.fail_law(error, init, origin)
            return None
        seed = self.seed(initializer, scope)
        origins = Origins(written, init.place, origin, *dtype_origin)
        self.origins = origins = self.origins if self.origins == origins else origins
        return PlannedTensor(name, shape, dtype, initializer, law, seed, written.place, origins, fans)

    def own_axes(self) -> Mapping[str, Any]:
        """Return no fans where an initializer names its axes itself: Keras's layers give theirs only to others.

        Raises:
            ArgumentError: the spec names them too.
        """
        if self.written.node is not None or not self.written.axes:  # not the layer's, but the spec's
            hint = "remove `axes`, or the initializer's `input_axes` and `output_axes`"
            raise ArgumentError("`axes` and the initializer's own axes both tell the fans", hint, parameter="axes")
        return {}

    def seed(self, initializer: Initializer, scope: Scope) -> int:
        """Return the seed: the initializer's, the line's or the spec's."""
        if initializer.seed is not None:
            return initializer.seed
        if self.written.seed is None:
            return self.resolver.seed
        if isinstance(self.written.seed, int):
            return self.written.seed
        return self.guard(("seed",), evaluate_count, self.written.seed, scope) or 0

    def guard(self, steps: tuple[str | int, ...], action: Callable[..., Any], *values: Any) -> Any:
        """Return action(*values); what it raises is a fault at the value of a key, or an item of it."""
        try:
            return action(*values)
        except ArgumentError as error:
            if not self.is_broken:
                tell(self.resolver.faults, self.written.place_of(*steps), error)
            self.is_broken = True
            return None

    def shape(self, scope: Scope) -> tuple[tuple[int, ...] | None, Mapping[str, Any]]:
        """Return the shape, and what the line says of the fans."""
        written = self.written
        shape: Any = written.shape
        if shape and not {*map(type, shape)} <= {int}:
            shape = tuple(self.guard(("shape", i), evaluate_count, dim, scope) for i, dim in enumerate(shape))
            shape = None if None in shape else shape
        fans = {}
        for key, given in (("fan_in", written.fan_in), ("fan_out", written.fan_out)):
            if given is not None:
                fans[key] = self.guard((key,), evaluate_value, given, scope)
                if fans[key] is not None and not fans[key] > 0:
                    self.guard((key,), _refuse, f"`{key}` must be greater than 0, got {fans[key]}")
        if written.axes and shape is not None:
            self.guard(("axes",), axes_fans, shape, written.axes)
            fans["axes"] = written.axes
        return shape, fans

    def dtype(
        self, name: str, shape: tuple[int, ...] | None, scope: Scope
    ) -> tuple[DType | None, str, tuple[Place | None, str]]:
        """Return the element type, the axes that a default gives, and where the former is from."""
        written = self.written
        dtype, origin = self.resolver.dtype, self.resolver.dtype_origin
        giver = None
        if written.dtype is None and self.book.dtype_givers:
            giver = self.book.first(self.book.dtype_givers, name, shape, None)
        if written.dtype is not None:
            dtype = self.guard(("dtype",), evaluate_dtype, written.dtype, scope)
            origin = written.place_of("dtype"), "the tensor"
        elif giver:
            dtype = self.guard(("dtype",), evaluate_dtype, giver.dtype, scope)
            origin = giver.place, f"the default at {giver.place.seen_from(written.place)}"
        namer = None
        if not written.axes and self.book.axes_givers:
            namer = self.book.first(self.book.axes_givers, name, shape, None)
        if namer and shape is not None:
            try:
                axes_fans(shape, namer.axes)
            except ArgumentError as error:
                where = namer.place.seen_from(written.place)
                tell(self.resolver.faults, written.place, error, f" (axes by the default at {where})")
                self.is_broken = True
        return dtype, namer.axes if namer else "", origin

    def init(self, name: str, shape: tuple[int, ...] | None, dtype: DType | None) -> tuple[Init | None, str]:
        """Return the line's own init, or that of the first rule that fits, or the layer's; and a word on which."""
        written = self.written
        if written.states_init:
            return written.init, "the tensor"
        rule = self.book.first(self.book.rules, name, shape, dtype)
        if rule:
            init = None if id(rule) in self.book.broken else rule.init
            return init, f"the rule at {rule.place.seen_from(written.place)}"
        if written.default_init is None and not self.is_uncovered and self.resolver.spec.has_all_rules:
            self.is_uncovered = True
            hint = 'add `init:` to it, or a rule that matches it: `- {match: "*", init: zeros}`'
            self.resolver.faults.append(written.place.fault(f"no rule gives `{name}` an init", hint))
        return written.default_init, "its layer"

    def fail_law(self, error: ArgumentError, init: Init, origin: str) -> None:
        """Append the fault of a law, at the init or, if that came from elsewhere, at the tensor."""
        is_own = origin == "the tensor"
        place = self.written.place if not is_own or error.parameter in ("shape", "dtype") else init.place
        if error.parameter in ("axes", "fan_in", "fan_out"):
            place = self.written.place_of(error.parameter)
        where = "" if is_own or isinstance(error, TooLargeError) else f" (init by {origin})"
        tell(self.resolver.faults, place, error, where)
        self.is_broken = True


def _expand_tie(target: Pattern, scope: Scope) -> str:
    """Return the one name that a tie leads to."""
    if (count := target.count(scope)) != 1:
        raise ArgumentError(f"`{target.text}` stands for {count:,} tensors", "a tie leads to one")
    return next(target.expand(scope))[0]


def _refuse(what: str) -> None:
    raise ArgumentError(what)
