"""The layers of a spec to the tensors that their framework would make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from initcli.calls import parse_call
from initcli.errors import ArgumentError, Fault
from initcli.expressions import Scope, ToldError
from initcli.layers import STYLES, Shape, Weight, find_layer
from initcli.patterns import Pattern
from initcli.scopes import evaluate_count, evaluate_value
from initcli.spec import Count, Init, LayerSpec, Place, Spec, TensorSpec

MAX_LAYERS = 100_000
"""The most layers of a spec: a mistyped `repeat` is no model."""


def expand_layers(spec: Spec, faults: list[Fault]) -> list[TensorSpec]:
    """Return the tensors of the spec's layers, in order; what is wrong joins `faults`."""
    if not spec.layers:
        return []
    if spec.framework not in STYLES:
        what = f"the framework `{spec.framework}` has no layers here"
        faults.append(spec.layers[0].place.fault(what, f"those of {', '.join(STYLES)} are known; or list `tensors`"))
        return []
    return _Expansion(spec, faults).run()


class _Expansion:
    """One walk through the layers; `inputs` is the shape that reaches the next one, None if it is not known."""

    def __init__(self, spec: Spec, faults: list[Fault]) -> None:
        self.spec, self.faults = spec, faults
        self.style = STYLES[spec.framework]
        self.inputs: Shape | None = None
        self.is_first = True
        self.is_broken = False
        self.count = 0
        self.tensors: list[TensorSpec] = []

    def run(self) -> list[TensorSpec]:
        place = self.spec.layers[0].place
        try:
            self.inputs = self.open_shape(self.spec.input_shape, self.spec.variables)
            self.walk(self.spec.layers, "", self.spec.variables)
        except ToldError:
            pass
        except ArgumentError as error:
            self.faults.append(place.fault(error.faults[0].what, error.faults[0].hint))
        return self.tensors

    def open_shape(self, shape: tuple[Count | None, ...] | None, scope: Scope) -> Shape | None:
        if shape is None:
            return None
        return tuple(None if dim is None else evaluate_count(dim, scope) for dim in shape)

    def walk(self, layers: tuple[LayerSpec, ...], prefix: str, scope: Scope) -> None:
        """Expand layers one after the other; after a fault those that follow are left, since a chain is broken."""
        seen: Counter[str] = Counter()
        for index, layer in enumerate(layers):
            place = layer.place
            try:
                if layer.layers:
                    for inner, bound in self.blocks(layer, prefix, scope):
                        self.walk(layer.layers, inner, bound)
                else:
                    for name, bound in self.names(layer, index, seen, scope):
                        self.layer(layer, prefix + name + self.style.separator, bound)
            except ToldError:
                self.is_broken = True
            except ArgumentError as error:
                place = layer.place_of(error.parameter)
                self.faults.append(place.fault(error.faults[0].what, error.faults[0].hint))
                self.is_broken = True
            if self.is_broken and self.style.is_chain:
                return

    def blocks(self, layer: LayerSpec, prefix: str, scope: Scope) -> Iterator[tuple[str, Scope]]:
        """Yield the prefix of each block, and the scope with its indices."""
        repeats = [""]
        if layer.repeat is not None:
            count = evaluate_count(layer.repeat, scope)
            if not 1 <= count <= MAX_LAYERS:
                raise ArgumentError(f"`repeat` must be from 1 to {MAX_LAYERS:,}, got {count}", parameter="repeat")
            repeats = [f"{k}{self.style.separator}" for k in range(count)]
        names = layer.name.expand(scope) if layer.name else [("", {})]
        for name, bound in names:
            for repeat in repeats:
                own = name + self.style.separator if name and not name.endswith(self.style.separator) else name
                yield prefix + own + repeat, {**scope, **bound}

    def names(self, layer: LayerSpec, index: int, seen: Counter[str], scope: Scope) -> Iterator[tuple[str, Scope]]:
        """Yield the layer's names, and the scope with their indices."""
        if layer.name:
            for name, bound in layer.name.expand(scope):
                yield name, {**scope, **bound}
            return
        yield self.style.name(layer.class_name, index, seen[layer.class_name]), scope
        seen[layer.class_name] += 1

    def layer(self, layer: LayerSpec, prefix: str, scope: Scope) -> None:
        self.count += 1
        if self.count > MAX_LAYERS:
            raise ArgumentError(f"more than {MAX_LAYERS:,} layers", parameter="repeat")
        known = find_layer(self.spec.framework, layer.class_name)
        inputs = self.take_inputs(layer, scope)
        arguments = {}
        for name, value in layer.arguments.items():
            try:
                arguments[name] = value if isinstance(value, Init) else evaluate_value(value, scope)
            except ArgumentError as error:
                error.parameter = name
                raise
        built = known.build(arguments, inputs)
        if self.style.is_chain:
            self.inputs = built.outputs
        self.is_first = False
        unmatched = {glob: place for glob, _, place in layer.inits}
        for weight in built.weights:
            self.tensors.append(self.tensor(layer, weight, prefix, unmatched))
        for glob, place in unmatched.items():
            names = ", ".join(weight.name for weight in built.weights)
            self.faults.append(place.fault(f"`{glob}` fits no weight of this layer", f"it has: {names or 'none'}"))

    def take_inputs(self, layer: LayerSpec, scope: Scope) -> Shape | None:
        """Return the shape that reaches a layer: its own, if it is the first and no other is known."""
        if layer.inputs is None:
            return self.inputs
        if not self.style.is_chain:
            raise ArgumentError(f"layers of {self.spec.framework} take no `input_shape`", parameter="input_shape")
        if self.inputs is not None:
            what = "`input_shape` stands in a layer whose input is known already"
            raise ArgumentError(what, "remove it: the shape follows from the layers before", parameter="input_shape")
        return self.open_shape(layer.inputs, scope)

    def tensor(self, layer: LayerSpec, weight: Weight, prefix: str, unmatched: dict[str, Place]) -> TensorSpec:
        name = (weight.collection + self.style.separator if weight.collection else "") + prefix + weight.name
        chosen, given = weight.init if isinstance(weight.init, Init) else None, isinstance(weight.init, Init)
        for glob, init, _ in layer.inits:
            if fnmatchcase(weight.name, glob):
                unmatched.pop(glob, None)
                if not given:
                    chosen, given = init, True
        default = None if given else self.default(weight.init, layer.place)
        return TensorSpec(
            Pattern(name, (name,)),
            layer.place,
            weight.shape,
            chosen,
            (weight.dtype and self.dtype(weight.dtype)) or None,
            states_init=given,
            axes=weight.axes,
            default_init=default,
        )

    def default(self, init: Any, place: Place) -> Init:
        name, positional, arguments = parse_call(init)
        return Init(name, place, positional, arguments)

    def dtype(self, name: str) -> Any:
        from initcli.dtypes import DTYPES

        return DTYPES[name]
