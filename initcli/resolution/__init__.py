"""A spec to a plan: all that can be wrong with a spec is found here, and nothing is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from initcli.document import parse_document, parse_quickly
from initcli.document.tree import MAX_FAULTS, Node
from initcli.dtypes import DType
from initcli.errors import ArgumentError, Fault, InitcliError
from initcli.expressions import Broken, ToldError
from initcli.plan import Plan, PlannedTensor
from initcli.resolution.law_table import LawTable
from initcli.resolution.lines import Line
from initcli.resolution.rulebook import RuleBook
from initcli.resolution.ties import Tie, check_ties
from initcli.spec import Rule, Spec, TensorSpec, tell
from initcli.spec.reader import is_printable, parse_spec

if TYPE_CHECKING:
    from initcli.document.inclusion import Read

MAX_NAME = 1000
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
        if isinstance(root.value, Mapping) and "include" in root.value:
            from initcli.document.inclusion import include

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
    return Resolver(spec, faults, overrides).plan()


class Resolver:
    """Decides every tensor of a spec; what is built once is kept."""

    def __init__(self, spec: Spec, faults: list[Fault], overrides: Overrides) -> None:
        self.spec, self.faults, self.scope = spec, faults, spec.variables
        self.seed = spec.seed if overrides.seed is None else overrides.seed
        self.dtype = overrides.dtype or spec.dtype
        self.dtype_origin = (None, "--dtype") if overrides.dtype else (spec.dtype_place, "the spec")
        self.names: dict[str, TensorSpec] = {}
        self.count = 0
        self.ties: dict[str, Tie] = {}
        self.laws = LawTable(spec.framework, faults)
        self.book = RuleBook(spec, faults)
        self.is_whole = spec.is_whole
        self.collisions: set[tuple[int, int]] = set()

    def plan(self) -> Plan:
        """Return the plan of what has no fault."""
        before = len(self.faults)
        layers: list[TensorSpec] = []
        if self.spec.layers or self.spec.input_place:
            from initcli.resolution.layer_expansion import expand_layers

            layers = expand_layers(self.spec, self.faults)
        if len(self.faults) > before or any(isinstance(value, Broken) for value in self.scope.values()):
            self.is_whole = False
        tensors = tuple(tensor for each in (*self.spec.tensors, *layers) for tensor in self.tensors(each))
        if self.ties and self.is_whole:
            check_ties(self.ties, {tensor.name: tensor for tensor in tensors}, self.names, self.faults)
        for each in self.book.unused():
            if isinstance(each, Rule) and each.init:
                self.laws.initializer(each.init, self.scope)
        self.book.check(self.names, self.ties, self.is_whole)
        ties = {name: tie.target for name, tie in self.ties.items()}
        config = self.spec.config, self.spec.config_places
        return Plan(self.spec.framework, self.seed, self.dtype, tensors, ties, *config)

    def tensors(self, written: TensorSpec) -> Iterator[PlannedTensor]:
        """Yield the tensors of one line."""
        scope = {**self.scope, **written.bound} if written.bound else self.scope
        try:
            count = written.pattern.count(scope)
            if len(self.names) + count > MAX_TENSORS:
                what = f"`{written.pattern.text}` stands for {count:,} tensors"
                raise ArgumentError(what, f"a spec has at most {MAX_TENSORS:,}")
            line = Line(self, written)
            for name, bound in written.pattern.expand(scope):
                self.take_name(name, written)
                tensor = line.tensor(name, {**scope, **bound} if bound else scope)
                if tensor:
                    yield tensor
        except ArgumentError as error:
            tell(self.faults, written.place, error)
            self.is_whole = False

    def take_name(self, name: str, written: TensorSpec) -> None:
        """Note a tensor's name; it must be a new one that can be printed."""
        if not is_printable(name):
            raise ArgumentError(f"a tensor cannot be called {name!r}", "use printable characters")
        if len(name) > MAX_NAME:
            raise ArgumentError(f"a name of {len(name):,} characters is too long", f"at most {MAX_NAME:,}")
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
