"""A spec to a plan: all that can be wrong with a spec is found here, and nothing is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from initcli.conditions import fits, matcher
from initcli.document import parse_document, parse_quickly
from initcli.dtypes import DType
from initcli.errors import ArgumentError, Fault, InitcliError
from initcli.expressions import Scope, ToldError
from initcli.fans import Fans, axes_fans
from initcli.inclusion import Read, include
from initcli.initializers.base import Initializer, build, decide_law
from initcli.initializers.registry import find
from initcli.laws import Law
from initcli.layer_expansion import expand_layers
from initcli.plan import Origins, Plan, PlannedTensor
from initcli.reader import is_printable, parse_spec
from initcli.scopes import evaluate_count, evaluate_dtype, evaluate_value, names_in
from initcli.spec import Init, Place, Rule, Spec, TensorSpec
from initcli.ties import check_ties
from initcli.units import render_nbytes

MAX_ELEMENTS = 10**13
"""The most elements of one tensor: some 40 TB in float32, far above any tensor there is, far below a mistyped shape."""
MAX_TENSORS = 1_000_000
"""The most tensors of a spec: some hundred times the largest model there is, far below a mistyped range."""


QUICK_NBYTES = 1 << 20
"""From this size on, JSON is first read without places."""


class Overrides(NamedTuple):
    """What the command line puts in the place of the spec's own: the seed, the default dtype, variables as text."""

    seed: int | None = None
    dtype: DType | None = None
    variables: Mapping[str, str] = {}


NO_OVERRIDES = Overrides()


def load_plan(text: bytes, source: str, overrides: Overrides = NO_OVERRIDES, read: Read | None = None) -> Plan:
    """Return the plan of a spec's text; `read` returns the bytes of a file that it includes.

    Raises:
        InitcliError: with every fault of the spec, in the order of the file.
    """
    faults: list[Fault] = []
    root = parse_quickly(text, source) if len(text) >= QUICK_NBYTES else None
    if root is not None:
        plan = resolve(parse_spec(include(root, read, faults), faults, overrides.variables), faults, overrides)
        if not faults:
            return plan
    faults = []
    root = parse_document(text, source, faults)
    if root is not None:
        plan = resolve(parse_spec(include(root, read, faults), faults, overrides.variables), faults, overrides)
        if not faults:
            return plan
    raise InitcliError(*sorted(faults, key=lambda fault: _place_in_file(fault, source)))


def _place_in_file(fault: Fault, source: str) -> tuple[bool, str, int, int]:
    """Return the order of faults: those of the spec itself, then those of what it includes."""
    if not fault.position:
        return False, "", 0, 0
    return fault.position.source != source, fault.position.source, fault.position.line, fault.position.column


def resolve(spec: Spec, faults: list[Fault], overrides: Overrides = NO_OVERRIDES) -> Plan:
    """Return the plan of a spec, leaving out the tensors that have a fault and appending it."""
    return _Resolver(spec, faults, overrides).plan()


class _Resolver:
    """Decides every tensor of a spec; what is built once is kept."""

    def __init__(self, spec: Spec, faults: list[Fault], overrides: Overrides) -> None:
        self.spec, self.faults, self.scope = spec, faults, spec.variables
        self.seed = spec.seed if overrides.seed is None else overrides.seed
        self.dtype = overrides.dtype or spec.dtype
        self.dtype_origin = (None, "--dtype") if overrides.dtype else (spec.dtype_place, "the spec")
        self.names: dict[str, TensorSpec] = {}
        self.ties: dict[str, tuple[str, TensorSpec]] = {}
        self.initializers: dict[Any, Initializer | None] = {}
        self.alike: dict[tuple[str, str, str], Initializer] = {}
        self.laws: dict[Any, Law] = {}
        self.used: set[int] = set()

    def plan(self) -> Plan:
        written = [*self.spec.tensors, *expand_layers(self.spec, self.faults)]
        tensors = tuple(tensor for each in written for tensor in self.tensors(each))
        check_ties(self.ties, {tensor.name: tensor for tensor in tensors}, self.names, self.faults)
        self.check_conditions()
        ties = {name: target for name, (target, _) in self.ties.items()}
        return Plan(self.spec.framework, self.seed, self.dtype, tensors, ties)

    def fail(self, place: Place, error: ArgumentError, origin: str = "") -> None:
        if not isinstance(error, ToldError):
            self.faults.append(place.fault(error.faults[0].what + origin, error.faults[0].hint))

    def tensors(self, written: TensorSpec) -> Iterator[PlannedTensor]:
        """Yield the tensors of one line."""
        try:
            count = written.pattern.count(self.scope)
            if len(self.names) + count > MAX_TENSORS:
                what = f"`{written.pattern.text}` stands for {count:,} tensors"
                raise ArgumentError(what, f"a spec has at most {MAX_TENSORS:,}")
            line = _Line(self, written)
            for name, bound in written.pattern.expand(self.scope):
                self.take_name(name, written)
                tensor = line.tensor(name, {**self.scope, **bound} if bound else self.scope)
                if tensor:
                    yield tensor
        except ArgumentError as error:
            self.fail(written.place, error)

    def take_name(self, name: str, written: TensorSpec) -> None:
        """Note a tensor's name; it must be a new one that can be printed."""
        if not is_printable(name):
            raise ArgumentError(f"a tensor cannot be called {name!r}", "use printable characters")
        if name in self.names:
            other = self.names[name]
            where = f"`{other.pattern.text}` at line {other.place.position.line} stands for it too"
            raise ArgumentError(f"two tensors are called `{name}`", where)
        self.names[name] = written

    def initializer(self, init: Init, scope: Scope) -> Initializer | None:
        """Build an initializer once for each set of values of its variables, so that its fault is told once."""
        key: Any = id(init)
        if not init.is_plain:
            key = (id(init), *((name, scope[name]) for name in sorted(names_in((init,))) if name in scope))
        if key not in self.initializers:
            self.initializers[key] = self.build(init, scope)
        return self.initializers[key]

    def build(self, init: Init, scope: Scope) -> Initializer | None:
        try:
            arguments = {name: _evaluate_argument(name, value, scope) for name, value in init.arguments.items()}
            positional = tuple(evaluate_value(value, scope) for value in init.positional)
            alike = (init.name, repr(positional), repr(arguments))
            if alike not in self.alike:
                cls = find(init.name, self.spec.framework)
                self.alike[alike] = build(cls, arguments, positional, framework=self.spec.framework)
            return self.alike[alike]
        except ArgumentError as error:
            self.fail(init.argument_places.get(error.parameter, init.place), error)
            return None

    def law(self, initializer: Initializer, shape: tuple[int, ...], dtype: DType, fans: Mapping[str, Any]) -> Law:
        """Decide a law once for all tensors that are alike.

        Raises:
            ArgumentError: the initializer does not take such a tensor.
        """
        key = (id(initializer), shape, dtype.name, *fans.items())
        if key not in self.laws:
            size = prod(shape)
            if size > MAX_ELEMENTS:
                what = f"{list(shape)} is {size:,} elements, {render_nbytes(size * dtype.itemsize)} in {dtype}"
                raise ArgumentError(what, f"a tensor has at most {MAX_ELEMENTS:,} elements", parameter="shape")
            self.laws[key] = decide_law(initializer, shape, dtype, _read_fans(initializer, shape, fans))
        return self.laws[key]

    def first(self, conditions: Sequence[Any], name: str, shape: tuple[int, ...] | None, dtype: DType | None) -> Any:
        """Return the first of rules or defaults that fits; of a tensor without a shape, the first whose name fits."""
        for each in conditions:
            if matcher(each.match)(name) and (shape is None or fits(each, shape, dtype, self.scope)):
                self.used.add(id(each))
                return each
        return None

    def check_conditions(self) -> None:
        """Append a fault for each rule or default that decided nothing, and look into the inits of such rules."""
        for each in (*self.spec.rules, *self.spec.defaults):
            if id(each) in self.used:
                continue
            kind, has = ("rule", "an init") if isinstance(each, Rule) else ("default", "its own")
            if isinstance(each, Rule) and each.init:
                self.initializer(each.init, self.scope)
            if any(map(matcher(each.match), self.names)):
                what = f"the {kind} `{each.match}` decides nothing: what it matches has {has} or an earlier {kind}"
                hint = f"put it before the {kind} that takes its place, or delete it"
            else:
                what = f"the {kind} `{each.match}` matches no tensor"
                hint = "a glob fits the whole name: `*` also crosses `.` and `/`"
            self.faults.append(each.place.fault(what, hint))


class _Line:
    """Decides the tensors of one line; after a fault the others are only met by the rules."""

    def __init__(self, resolver: _Resolver, written: TensorSpec) -> None:
        self.resolver, self.written = resolver, written
        indices = {loop.index for loop in written.pattern.loops}
        used = names_in((*(written.shape or ()), written.fan_in, written.fan_out)) if indices else frozenset()
        self.keys = sorted(indices & used)
        self.shapes: dict[tuple[Any, ...], tuple[tuple[int, ...] | None, Mapping[str, Any]]] = {}
        self.is_broken = written.shape is None and written.tie is None
        self.is_uncovered = False

    def tensor(self, name: str, scope: Scope) -> PlannedTensor | None:
        """Return one tensor, or None for a tie or where there is a fault."""
        written, resolver = self.written, self.resolver
        if written.tie:
            resolver.ties[name] = (next(written.tie.expand(scope))[0], written)
            return None
        key = tuple(scope[each] for each in self.keys)
        if key not in self.shapes:
            self.shapes[key] = self.shape(scope)
        shape, fans = self.shapes[key]
        dtype, axes, dtype_origin = self.dtype(name, shape, scope)
        init, origin = self.init(name, shape, dtype)
        initializer = resolver.initializer(init, scope) if init else None
        if self.is_broken or shape is None or dtype is None or init is None or initializer is None:
            self.is_broken = True
            return None
        try:
            fans = fans or ({"axes": axes} if axes else {})
            law = resolver.law(initializer, shape, dtype, fans)
        except ArgumentError as error:
            self.fail_law(error, init, origin)
            return None
        own = initializer.seed if initializer.seed is not None else written.seed
        seed = resolver.seed if own is None else own
        origins = Origins(written.place_of("shape"), init.place, origin, *dtype_origin)
        return PlannedTensor(name, shape, dtype, initializer, law, seed, written.place, origins, fans)

    def guard(self, key: str, action: Callable[..., Any], *values: Any) -> Any:
        """Return action(*values); what it raises is a fault at the value of a key."""
        try:
            return action(*values)
        except ArgumentError as error:
            if not self.is_broken:
                self.resolver.fail(self.written.place_of(key), error)
            self.is_broken = True
            return None

    def shape(self, scope: Scope) -> tuple[tuple[int, ...] | None, Mapping[str, Any]]:
        """Return the shape, and what the line says of the fans."""
        written = self.written
        dims = [self.guard(f"shape[{i}]", evaluate_count, dim, scope) for i, dim in enumerate(written.shape or ())]
        shape = None if written.shape is None or None in dims else tuple(dims)
        fans = {}
        for key, given in (("fan_in", written.fan_in), ("fan_out", written.fan_out)):
            if given is not None:
                fans[key] = self.guard(key, evaluate_value, given, scope)
                if fans[key] is not None and not fans[key] > 0:
                    self.guard(key, _refuse, f"`{key}` must be greater than 0, got {fans[key]}")
        if written.axes and shape is not None:
            self.guard("axes", axes_fans, shape, written.axes)
            fans["axes"] = written.axes
        return shape, fans

    def dtype(
        self, name: str, shape: tuple[int, ...] | None, scope: Scope
    ) -> tuple[DType | None, str, tuple[Place | None, str]]:
        """Return the element type, the axes that a default gives, and where the former is from."""
        written, spec = self.written, self.resolver.spec
        dtype, origin = self.resolver.dtype, self.resolver.dtype_origin
        givers = [each for each in spec.defaults if each.dtype] if written.dtype is None else []
        giver = self.resolver.first(givers, name, shape, None) if givers else None
        if written.dtype is not None:
            dtype = self.guard("dtype", evaluate_dtype, written.dtype, scope)
            origin = written.place_of("dtype"), "the tensor"
        elif giver:
            dtype = self.guard("dtype", evaluate_dtype, giver.dtype, scope)
            origin = giver.place, f"the default at line {giver.place.position.line}"
        namers = [each for each in spec.defaults if each.axes] if not written.axes else []
        namer = self.resolver.first(namers, name, shape, None) if namers else None
        return dtype, namer.axes if namer else "", origin

    def init(self, name: str, shape: tuple[int, ...] | None, dtype: DType | None) -> tuple[Init | None, str]:
        """Return the line's own init, or that of the first rule that fits, or the layer's; and a word on which."""
        written = self.written
        if written.states_init:
            return written.init, "the tensor"
        rule = self.resolver.first(self.resolver.spec.rules, name, shape, dtype)
        if rule:
            return rule.init, f"the rule at line {rule.place.position.line}"
        if written.default_init is None and not self.is_uncovered:
            self.is_uncovered = True
            hint = 'add `init:` to it, or a rule that matches it: `- {match: "*", init: zeros}`'
            self.resolver.faults.append(written.place.fault(f"no rule gives `{name}` an init", hint))
        return written.default_init, "its layer"

    def fail_law(self, error: ArgumentError, init: Init, origin: str) -> None:
        """Append the fault of a law, at the init or, if that came from elsewhere, at the tensor."""
        is_own = origin == "the tensor"
        place = self.written.place if not is_own or error.parameter in ("shape", "dtype") else init.place
        self.resolver.fail(place, error, "" if is_own else f" (init by {origin})")
        self.is_broken = True


def _read_fans(initializer: Initializer, shape: tuple[int, ...], fans: Mapping[str, Any]) -> Fans | None:
    """Return the fans that the keys `axes`, or `fan_in` and `fan_out`, tell; None if there are none."""
    if not fans:
        return None
    if "axes" in fans:
        return axes_fans(shape, fans["axes"])
    own = initializer.fans(shape) if len(fans) < 2 else Fans(1, 1)
    if own is None:
        raise ArgumentError(f"`{initializer}` reads no fans", f"remove `{next(iter(fans))}`")
    return Fans(fans.get("fan_in", own.fan_in), fans.get("fan_out", own.fan_out))


def _evaluate_argument(name: str, value: Any, scope: Scope) -> Any:
    """Return an argument's value; its fault tells the argument's name."""
    try:
        return evaluate_value(value, scope)
    except ArgumentError as error:
        error.parameter = name
        raise


def _refuse(what: str) -> None:
    raise ArgumentError(what)
