"""A spec to a plan: all that can be wrong with a spec is found here, and nothing is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any, NamedTuple, TypeVar

from initcli.conditions import fits, matcher
from initcli.document import parse_document, parse_quickly
from initcli.dtypes import DType
from initcli.errors import ArgumentError, Fault, InitcliError
from initcli.expressions import Broken, Scope, ToldError
from initcli.fans import Fans, axes_fans
from initcli.inclusion import Read, include
from initcli.initializers.base import Initializer, build, decide_law
from initcli.initializers.registry import find
from initcli.laws import Law
from initcli.layer_expansion import expand_layers
from initcli.patterns import Pattern
from initcli.plan import Origins, Plan, PlannedTensor
from initcli.reader import is_printable, parse_spec
from initcli.scopes import evaluate_count, evaluate_dtype, evaluate_shape, evaluate_value, hint_at_word, names_in
from initcli.spec import Condition, Init, Place, Rule, Spec, TensorSpec
from initcli.ties import Tie, check_ties
from initcli.tree import MAX_FAULTS, Node
from initcli.units import render_nbytes
from initcli.whole_laws import WholeTensorLaw

MAX_ELEMENTS = 10**13
"""The most elements of one tensor: some 40 TB in float32, far above any tensor there is, far below a mistyped shape."""
MAX_TENSORS = 1_000_000
"""The most tensors of a spec: some hundred times the largest model there is, far below a mistyped range."""


C = TypeVar("C", bound=Condition)

QUICK_NBYTES = 1 << 20
"""From this size on, JSON is first read without places."""


class Overrides(NamedTuple):
    """What the command line puts in the place of the spec's own: the seed, the default dtype, variables as text."""

    seed: int | None = None
    dtype: DType | None = None
    variables: Mapping[str, str] = {}


_GLOB = "a glob fits the whole name: `*` also crosses `.` and `/`"
NO_OVERRIDES = Overrides()


def load_plan(
    text: bytes, source: str, overrides: Overrides = NO_OVERRIDES, read: Read | None = None, keeps_places: bool = False
) -> Plan:
    """Return the plan of a spec's text; `read` returns the bytes of a file that it includes.

    Of a large JSON spec the plan does not know the lines, unless it `keeps_places`.

    Raises:
        InitcliError: with every fault of the spec, in the order of the file.
    """
    faults = _Faults()
    is_quick = len(text) >= QUICK_NBYTES and not keeps_places
    plan = _plan(parse_quickly(text, source) if is_quick else None, faults, overrides, read)
    if plan is None or faults:
        faults.clear()
        plan = _plan(parse_document(text, source, faults), faults, overrides, read)
    if plan is None or faults:
        raise InitcliError(*sorted(faults, key=lambda fault: _place_in_file(fault, source)))
    return plan


def _plan(root: Node | None, faults: list[Fault], overrides: Overrides, read: Read | None) -> Plan | None:
    """Return the plan of a tree, if there is one."""
    if root is None:
        return None
    before = len(faults)
    try:
        root = include(root, read, faults)
        spec = parse_spec(root, faults, overrides.variables, is_whole=len(faults) == before)
        del root  # of a large spec some hundred megabytes, which the plan takes over
        return resolve(spec, faults, overrides)
    except _EnoughError:
        return None


class _EnoughError(Exception):
    """There are more faults than anyone reads."""


class _Faults(list[Fault]):
    """Faults as they are found, not many more than the limit of one document."""

    def append(self, fault: Fault) -> None:
        """Add a fault.

        Raises:
            _EnoughError: there are too many.
        """
        super().append(fault)
        if len(self) > MAX_FAULTS + 1:
            raise _EnoughError


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
        self.count = 0
        self.ties: dict[str, Tie] = {}
        self.initializers: dict[Any, Initializer | None] = {}
        self.names_in: dict[int, list[str]] = {}
        self.alike: dict[tuple[str, str, str], Initializer] = {}
        self.laws: dict[Any, Law] = {}
        self.used: set[int] = set()
        self.broken: set[int] = set()
        self.failed: set[int] = set()
        self.is_whole = spec.is_whole
        self.collisions: set[tuple[int, int]] = set()
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
                self.fail(written.places[key], error)
                evaluated[key] = None
        condition = replace(written, **evaluated)
        if any(value is None and getattr(written, key) is not None for key, value in evaluated.items()):
            self.broken.add(id(condition))
        return condition

    def plan(self) -> Plan:
        before = len(self.faults)
        layers = expand_layers(self.spec, self.faults)
        if len(self.faults) > before or any(isinstance(value, Broken) for value in self.scope.values()):
            self.is_whole = False
        tensors = tuple(tensor for each in (*self.spec.tensors, *layers) for tensor in self.tensors(each))
        if self.ties and self.is_whole:
            check_ties(self.ties, {tensor.name: tensor for tensor in tensors}, self.names, self.faults)
        self.check_conditions()
        ties = {name: tie.target for name, tie in self.ties.items()}
        return Plan(self.spec.framework, self.seed, self.dtype, tensors, ties)

    def fail(self, place: Place, error: ArgumentError, origin: str = "") -> None:
        if not isinstance(error, ToldError):
            self.faults.append(place.fault(error.faults[0].what + origin, error.faults[0].hint))

    def tensors(self, written: TensorSpec) -> Iterator[PlannedTensor]:
        """Yield the tensors of one line."""
        scope = {**self.scope, **written.bound} if written.bound else self.scope
        try:
            count = written.pattern.count(scope)
            if len(self.names) + count > MAX_TENSORS:
                what = f"`{written.pattern.text}` stands for {count:,} tensors"
                raise ArgumentError(what, f"a spec has at most {MAX_TENSORS:,}")
            line = _Line(self, written)
            for name, bound in written.pattern.expand(scope):
                self.take_name(name, written)
                tensor = line.tensor(name, {**scope, **bound} if bound else scope)
                if tensor:
                    yield tensor
        except ArgumentError as error:
            self.fail(written.place, error)
            self.is_whole = False

    def take_name(self, name: str, written: TensorSpec) -> None:
        """Note a tensor's name; it must be a new one that can be printed."""
        if not is_printable(name):
            raise ArgumentError(f"a tensor cannot be called {name!r}", "use printable characters")
        if len(self.names) >= MAX_TENSORS:
            what = f"`{written.pattern.text}` stands for more than {MAX_TENSORS:,} tensors"
            raise ArgumentError(what, "use smaller ranges")
        other = self.names.setdefault(name, written)
        if other is written and len(self.names) > self.count:
            self.count += 1
        elif other is written:
            what = f"`{written.pattern.text}` stands for `{name}` twice"
            raise ArgumentError(what, "give each turn of its loops a name of its own")
        elif (pair := (id(other.place), id(written.place))) in self.collisions:
            raise ToldError(f"two tensors are called `{name}`")
        else:
            self.collisions.add(pair)
            where = f"`{other.pattern.text}` at {other.place.seen_from(written.place)} stands for it too"
            raise ArgumentError(f"two tensors are called `{name}`", f"{where}: rename one of them")

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
        try:
            arguments = {name: _evaluate_argument(name, value, scope) for name, value in init.arguments.items()}
            positional = tuple(evaluate_value(value, scope) for value in init.positional)
            alike = (init.name, repr(positional), repr(arguments))
            if alike not in self.alike:
                cls = find(init.name, self.spec.framework)
                self.alike[alike] = build(cls, arguments, positional, framework=self.spec.framework)
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
                raise _TooLargeError(size, dtype)
            law = decide_law(initializer, shape, dtype, _read_fans(initializer, shape, fans))
            if "axes" in fans and law.is_random and initializer.fans(shape) is None and isinstance(law, WholeTensorLaw):
                what = f"`{initializer}` reads no axes: it flattens {list(shape)} by its framework's own rule"
                raise ArgumentError(what, "give it no `axes`, and a shape in its framework's order", parameter="axes")
            self.laws[key] = law
        return self.laws[key]

    def matches(self, condition: Condition, name: str) -> bool:
        """Tell whether a name fits; a condition that cannot tell is broken."""
        try:
            return bool(matcher(condition.match)(name))
        except ArgumentError as error:
            if id(condition) not in self.broken:
                self.broken.add(id(condition))
                self.fail(condition.place, error)
            return True

    def first(self, conditions: Sequence[Any], name: str, shape: tuple[int, ...] | None, dtype: DType | None) -> Any:
        """Return the first of rules or defaults that fits; of a tensor without a shape, the first whose name fits."""
        for each in conditions:
            if self.matches(each, name) and (shape is None or id(each) in self.broken or fits(each, shape, dtype)):
                self.used.add(id(each))
                return each
        return None

    def check_conditions(self) -> None:
        """Append a fault for each rule or default that decided nothing, and look into the inits of such rules."""
        for each in (*self.rules, *self.defaults):
            if id(each) in self.used:
                continue
            kind, has = ("rule", "an init") if isinstance(each, Rule) else ("default", "its own")
            if isinstance(each, Rule) and each.init:
                self.initializer(each.init, self.scope)
            if self.broken or not self.is_whole:
                continue
            try:
                matched = [name for name in self.names if self.matches(each, name)]
            except ArgumentError as error:
                self.fail(each.place, error)
                continue
            if matched and self.ties.keys() >= {*matched}:
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


class _Line:
    """Decides the tensors of one line; after a fault the others are only met by the rules."""

    def __init__(self, resolver: _Resolver, written: TensorSpec) -> None:
        self.resolver, self.written = resolver, written
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
        seed = self.seed(initializer, scope)
        origins = Origins(written, init.place, origin, *dtype_origin)
        self.origins = origins = self.origins if self.origins == origins else origins
        return PlannedTensor(name, shape, dtype, initializer, law, seed, written.place, origins, fans)

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
                self.resolver.fail(self.written.place_of(*steps), error)
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
        if written.dtype is None and self.resolver.dtype_givers:
            giver = self.resolver.first(self.resolver.dtype_givers, name, shape, None)
        if written.dtype is not None:
            dtype = self.guard(("dtype",), evaluate_dtype, written.dtype, scope)
            origin = written.place_of("dtype"), "the tensor"
        elif giver:
            dtype = self.guard(("dtype",), evaluate_dtype, giver.dtype, scope)
            origin = giver.place, f"the default at {giver.place.seen_from(written.place)}"
        namer = None
        if not written.axes and self.resolver.axes_givers:
            namer = self.resolver.first(self.resolver.axes_givers, name, shape, None)
        if namer and shape is not None:
            try:
                axes_fans(shape, namer.axes)
            except ArgumentError as error:
                where = namer.place.seen_from(written.place)
                self.resolver.fail(written.place, error, f" (axes by the default at {where})")
                self.is_broken = True
        return dtype, namer.axes if namer else "", origin

    def init(self, name: str, shape: tuple[int, ...] | None, dtype: DType | None) -> tuple[Init | None, str]:
        """Return the line's own init, or that of the first rule that fits, or the layer's; and a word on which."""
        written = self.written
        if written.states_init:
            return written.init, "the tensor"
        rule = self.resolver.first(self.resolver.rules, name, shape, dtype)
        if rule:
            init = None if id(rule) in self.resolver.broken else rule.init
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
        self.resolver.fail(place, error, "" if is_own or isinstance(error, _TooLargeError) else f" (init by {origin})")
        self.is_broken = True


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


def _expand_tie(target: Pattern, scope: Scope) -> str:
    """Return the one name that a tie leads to."""
    if (count := target.count(scope)) != 1:
        raise ArgumentError(f"`{target.text}` stands for {count:,} tensors", "a tie leads to one")
    return next(target.expand(scope))[0]


class _TooLargeError(ArgumentError):
    """A tensor has more elements than any there is."""

    def __init__(self, size: int, dtype: DType) -> None:
        count = f"{size:,}" if size < 10**24 else f"10^{len(str(size)) - 1}"
        nbytes = f", {render_nbytes(size * dtype.itemsize)} in {dtype}" if size < 10**24 else ""
        super().__init__(f"{count} elements{nbytes} are too many", f"a tensor has at most {MAX_ELEMENTS:,}", "shape")


def _evaluate_argument(name: str, value: Any, scope: Scope) -> Any:
    """Return an argument's value; its fault tells the argument's name."""
    try:
        return evaluate_value(value, scope)
    except ArgumentError as error:
        error.parameter = name
        raise


def _refuse(what: str) -> None:
    raise ArgumentError(what)
