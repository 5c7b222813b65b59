"""Every tensor decided, nothing drawn: all that can be wrong with a spec is found here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import prod
from typing import Any

from initcli.document import parse_document
from initcli.dtypes import DType
from initcli.errors import ArgumentError, Fault, InitcliError
from initcli.fans import axes_fans
from initcli.initializers.base import Initializer, build, decide_law
from initcli.initializers.registry import find
from initcli.laws import Law
from initcli.spec import VERSION, Init, Place, Spec, TensorSpec, parse_spec
from initcli.stream import SCHEME, Stream
from initcli.units import render_nbytes
from initcli.whole_laws import WholeTensorLaw

MAX_ELEMENTS = 10**13
"""The most elements of one tensor: some 40 TB in float32, far above any tensor there is, far below a mistyped shape."""


@dataclass(frozen=True)
class PlannedTensor:
    """One tensor, decided: its `initializer` and the `law` that this makes of its shape, and the seed of its stream.

    `axes` are the names of its axes, if the spec gives any: the fans are read by them.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    initializer: Initializer
    law: Law
    seed: int
    place: Place
    axes: str = ""

    @property
    def size(self) -> int:
        """The count of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of the elements."""
        return self.size * self.dtype.itemsize

    @property
    def stream(self) -> Stream:
        """The bits that it is drawn from."""
        return Stream(self.seed, self.name)


@dataclass(frozen=True)
class Plan:
    """A spec resolved: tensors in the spec's order, each with its law."""

    framework: str
    seed: int
    dtype: DType
    tensors: tuple[PlannedTensor, ...]

    @property
    def size(self) -> int:
        """The count of all elements."""
        return sum(tensor.size for tensor in self.tensors)

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return sum(tensor.nbytes for tensor in self.tensors)

    @property
    def is_portable(self) -> bool:
        """Whether every machine makes the same bytes of it."""
        return all(tensor.law.is_portable for tensor in self.tensors)

    @property
    def peak_nbytes(self) -> int:
        """The bytes that the hungriest whole-tensor law holds; 0 if every law is element-wise."""
        return max((t.law.peak_nbytes(t.dtype) for t in self.tensors if isinstance(t.law, WholeTensorLaw)), default=0)

    def normalized_spec(self) -> dict[str, Any]:
        """Return a spec that resolves to this plan and leaves nothing to rules, defaults or the command line."""
        tensors = {}
        for tensor in self.tensors:
            init: Any = tensor.initializer.qualified_name()
            config = tensor.initializer.config()
            if tensor.initializer.seed is not None:
                config["seed"] = tensor.initializer.seed
            if config:
                init = {"name": init, **config}
            tensors[tensor.name] = {"shape": list(tensor.shape), "init": init}
            if tensor.axes:
                tensors[tensor.name]["axes"] = tensor.axes
            if tensor.dtype != self.dtype:
                tensors[tensor.name]["dtype"] = tensor.dtype.name
        return {
            "initcli": VERSION,
            "framework": self.framework,
            "seed": self.seed,
            "dtype": self.dtype.name,
            "tensors": tensors,
        }

    def metadata(self) -> dict[str, str]:
        """Return what a weight file says of itself: the scheme, whether its bits are portable, and the spec."""
        return {
            "initcli.scheme": str(SCHEME),
            "initcli.portable": "true" if self.is_portable else "false",
            "initcli.spec": json.dumps(self.normalized_spec(), ensure_ascii=False, separators=(",", ":")),
        }


def load_plan(text: bytes, source: str, seed: int | None = None, dtype: DType | None = None) -> Plan:
    """Return the plan of a spec's text; `seed` and `dtype` take the place of the spec's own top-level ones.

    Raises:
        InitcliError: with every fault of the spec, in the order of the file.
    """
    faults: list[Fault] = []
    root = parse_document(text, source, faults)
    plan = resolve(parse_spec(root, faults), faults, seed, dtype) if root is not None else None
    if faults or plan is None:
        raise InitcliError(*sorted(faults, key=_place_in_file))
    return plan


def _place_in_file(fault: Fault) -> tuple[int, int]:
    return (fault.position.line, fault.position.column) if fault.position else (0, 0)


def resolve(spec: Spec, faults: list[Fault], seed: int | None = None, dtype: DType | None = None) -> Plan:
    """Return the plan of a spec, leaving out the tensors that have a fault and appending it."""
    resolver = _Resolver(spec, faults, spec.seed if seed is None else seed, dtype or spec.dtype)
    tensors = [resolver.tensor(tensor) for tensor in spec.tensors]
    resolver.check_rules()
    return Plan(spec.framework, resolver.seed, resolver.dtype, tuple(tensor for tensor in tensors if tensor))


class _Resolver:
    def __init__(self, spec: Spec, faults: list[Fault], seed: int, dtype: DType) -> None:
        self.spec, self.faults, self.seed, self.dtype = spec, faults, seed, dtype
        self.built: dict[int, Initializer | None] = {}
        self.decided = [0] * len(spec.rules)

    def tensor(self, written: TensorSpec) -> PlannedTensor | None:
        """Decide one tensor: its initializer, then the law that this makes of its shape."""
        init, origin = self.decide_init(written)
        initializer = self.initializer(init) if init else None
        dtype = written.dtype or self.dtype
        if written.shape is None or init is None or initializer is None:
            return None
        if (size := prod(written.shape)) > MAX_ELEMENTS:
            what = f"{list(written.shape)} is {size:,} elements, {render_nbytes(size * dtype.itemsize)} in {dtype}"
            self.faults.append(written.place.fault(what, f"a tensor has at most {MAX_ELEMENTS:,} elements"))
            return None
        try:
            fans = axes_fans(written.shape, written.axes) if written.axes else None
            law = decide_law(initializer, written.shape, dtype, fans)
        except ArgumentError as error:
            fault = error.faults[0]
            place = written.place if origin or error.parameter in ("shape", "dtype") else init.place
            self.faults.append(place.fault(fault.what + origin, fault.hint))
            return None
        seed = self.seed if initializer.seed is None else initializer.seed
        return PlannedTensor(written.name, written.shape, dtype, initializer, law, seed, written.place, written.axes)

    def decide_init(self, written: TensorSpec) -> tuple[Init | None, str]:
        """Return the tensor's own init, or that of the first rule that fits and a word on where it comes from."""
        if written.states_init:
            return written.init, ""
        for i, rule in enumerate(self.spec.rules):
            if fnmatchcase(written.name, rule.match):
                self.decided[i] += 1
                return rule.init, f" (init by the rule at line {rule.place.position.line})"
        hint = 'add `init:` to it, or a rule that matches it: `- {match: "*", init: zeros}`'
        self.faults.append(written.place.fault(f"no rule gives `{written.name}` an init", hint))
        return None, ""

    def initializer(self, init: Init) -> Initializer | None:
        """Build an initializer once, however many tensors a rule gives it to, so that its fault is told once."""
        if id(init) not in self.built:
            self.built[id(init)] = self._build(init)
        return self.built[id(init)]

    def _build(self, init: Init) -> Initializer | None:
        try:
            return build(
                find(init.name, self.spec.framework), init.arguments, init.positional, framework=self.spec.framework
            )
        except ArgumentError as error:
            place = init.argument_places.get(error.parameter, init.place)
            self.faults.append(place.fault(error.faults[0].what, error.faults[0].hint))
            return None

    def check_rules(self) -> None:
        """Append a fault for each rule that decided nothing, and look into the inits of those."""
        for rule, decided in zip(self.spec.rules, self.decided, strict=True):
            if decided:
                continue
            if rule.init:
                self.initializer(rule.init)
            matching = [tensor for tensor in self.spec.tensors if fnmatchcase(tensor.name, rule.match)]
            if matching:
                what = f"the rule `{rule.match}` decides nothing: what it matches has an init or an earlier rule"
                self.faults.append(rule.place.fault(what, "put it before the rule that takes its place, or delete it"))
            else:
                what = f"the rule `{rule.match}` matches no tensor"
                self.faults.append(rule.place.fault(what, "a glob fits the whole name: `*` also crosses `.` and `/`"))
