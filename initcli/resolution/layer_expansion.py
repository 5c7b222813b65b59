"""The layers of a spec to the tensors that their framework would make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from initcli.calls import parse_call
from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError, Fault, suggest
from initcli.expressions import Scope
from initcli.layers import STYLES, Shape, Weight, find_layer
from initcli.object_paths import ObjectTree
from initcli.patterns import Pattern
from initcli.spec import MAX_RANK, Init, LayerSpec, Place, Spec, TensorSpec, tell
from initcli.spec.scopes import evaluate_count, evaluate_shape, evaluate_value, hint_at_word, naming

MAX_LAYERS = 100_000
"""The most layers of a spec: a mistyped `repeat` is no model."""


def expand_layers(spec: Spec, faults: list[Fault]) -> list[TensorSpec]:
    """Return the tensors of the spec's layers, in order; what is wrong joins `faults`."""
    if spec.input_place and not spec.layers and spec.is_whole:
        faults.append(spec.input_place.fault("`input_shape` is for `layers`, and there are none", "remove it"))
    if not spec.layers:
        return []
    if spec.framework not in STYLES:
        what = f"the framework `{spec.framework}` has no layers here"
        faults.append(spec.layers[0].place.fault(what, f"those of {', '.join(STYLES)} are known; or list `tensors`"))
        return []
    return _Expansion(spec, faults).run()


class _Expansion:
    """One walk through the layers; `inputs` is the shape that reaches the next one, None if it is not known.

    `broken` are the layers that have a fault, by identity: it is told once, however often they are repeated.
    """

    def __init__(self, spec: Spec, faults: list[Fault]) -> None:
        self.spec, self.faults = spec, faults
        self.style = STYLES[spec.framework]
        self.inputs: Shape | None = None
        self.count = 0
        self.is_over = False
        self.broken: set[int] = set()
        self.tensors: list[TensorSpec] = []
        self.objects = ObjectTree()

    def run(self) -> list[TensorSpec]:
        place = self.spec.input_place
        try:
            if place and not self.style.is_chain:
                raise _no_input_shape(self.spec.framework)
            if self.spec.input_shape is not None:
                self.inputs = evaluate_shape(self.spec.input_shape, self.spec.variables)
        except ArgumentError as error:
            tell(self.faults, place or self.spec.layers[0].place, error)
            return []
        self.walk(self.spec.layers, "", {})
        return self.tensors

    def walk(self, layers: tuple[LayerSpec, ...], prefix: str, bound: Scope) -> None:
        """Expand layers one after the other; after a fault those that follow are left where they are a chain."""
        seen: Counter[str] = Counter()
        for index, layer in enumerate(layers):
            if id(layer) in self.broken:
                continue
            try:
                if layer.layers is None:
                    for name, inner in self.names(layer, index, seen, bound):
                        self.layer(layer, prefix + name + self.style.separator, inner, seen)
                else:
                    for name, inner in self.blocks(layer, bound):
                        with self.objects.inside(is_model=self.is_model(layer)):
                            self.walk(layer.layers, prefix + name, inner)
                        if self.is_over:
                            return
            except ArgumentError as error:
                tell(self.faults, layer.place_of(error.parameter), error)
                self.broken.add(id(layer))
            if self.is_over or (self.broken and self.style.is_chain):
                return

    def blocks(self, layer: LayerSpec, bound: Scope) -> Iterator[tuple[str, Scope]]:
        """Yield what the names of each block begin with, and the values of the loops around it."""
        repeats = [""]
        if layer.repeat is not None:
            with naming("repeat"):
                count = evaluate_count(layer.repeat, self.scope(bound))
            if not 1 <= count <= MAX_LAYERS:
                what = f"`repeat` must be from 1 to {MAX_LAYERS:,}, got {count:,}"
                raise ArgumentError(what, "leave the block out, or repeat it less often", parameter="repeat")
            repeats = [f"{k}{self.style.separator}" for k in range(count)]
        for name, inner in self.expand(layer.name, "prefix", bound, len(repeats)) if layer.name else [("", bound)]:
            for repeat in repeats:
                self.take(1)
                own = name + self.style.separator if name and not name.endswith(self.style.separator) else name
                yield own + repeat, inner

    def is_model(self, block: LayerSpec) -> bool:
        """Tell whether a block is a model within Keras's model: it has names of its own, and is not all there is."""
        is_one = block.repeat is None and not (block.name and block.name.loops)
        is_whole = is_one and len(self.spec.layers) == 1 and self.spec.layers[0] is block
        return not is_whole and self.spec.framework == "keras" and bool(block.name or not is_one)

    def names(self, layer: LayerSpec, index: int, seen: Counter[str], bound: Scope) -> Iterator[tuple[str, Scope]]:
        """Yield the layer's names, and the values of the loops around each."""
        if layer.name:
            yield from self.expand(layer.name, "name", bound)
            return
        yield self.style.name(layer.class_name, index, seen[layer.class_name]), bound
        seen[layer.class_name] += 1

    def expand(self, pattern: Pattern, key: str, bound: Scope, times: int = 1) -> Iterator[tuple[str, Scope]]:
        """Yield what the pattern behind a key stands for, each `times`."""
        with naming(key):
            scope = self.scope(bound)
            count = pattern.count(scope) * times
            if self.count + count > MAX_LAYERS:
                self.is_over = True
                what = f"`{pattern.text}` stands for {count:,} {'layers' if key == 'name' else 'blocks'}"
                raise ArgumentError(what, f"a spec has at most {MAX_LAYERS:,}")
            for name, own in pattern.expand(scope):
                yield name, {**bound, **own}

    def take(self, count: int) -> None:
        self.count += count
        if self.count > MAX_LAYERS:
            self.is_over = True
            raise ArgumentError(f"more than {MAX_LAYERS:,} layers and blocks", "repeat them less often", "repeat")

    def scope(self, bound: Scope) -> Scope:
        return {**self.spec.variables, **bound} if bound else self.spec.variables

    def layer(self, layer: LayerSpec, prefix: str, bound: Scope, seen: Counter[str]) -> None:
        self.take(1)
        scope = self.scope(bound)
        known = find_layer(self.spec.framework, layer.class_name)
        if "init" in layer.arguments and "init" not in known.parameters:
            raise ArgumentError("`init` of a layer must be a mapping", "name the weights: `{weight: zeros}`", "init")
        inputs = self.take_inputs(layer, scope)
        arguments = {}
        for name, value in layer.arguments.items():
            with naming(name):
                arguments[name] = value if isinstance(value, Init) else evaluate_value(value, scope)
        try:
            built = known.build(self.style.name_inside(arguments, seen), inputs)
        except ArgumentError as error:
            hint = hint_at_word(error, layer.arguments.get(error.parameter), scope)
            raise ArgumentError(error.faults[0].what, hint, error.parameter) from None
        if self.style.is_chain:
            self.inputs = built.outputs
        deciding: set[str] = set()
        tensors = [self.tensor(layer, weight, prefix, bound, deciding) for weight in built.weights]
        if self.spec.framework == "keras":
            places = self.objects.place(layer.class_name, prefix.split("/")[-2], built.weights)
            tensors = [replace(tensor, stored=stored) for tensor, stored in zip(tensors, places, strict=True)]
        self.tensors += tensors
        if len(deciding) < len(layer.inits):
            self.check_inits(layer, built.weights, deciding)

    def check_inits(self, layer: LayerSpec, weights: list[Weight], deciding: set[str]) -> None:
        """Append a fault for each glob of a layer's `init` that decides no weight."""
        names = [weight.name for weight in weights]
        for glob, _, place in layer.inits:
            if glob in deciding:
                continue
            self.broken.add(id(layer))
            if any(fnmatchcase(name, glob) for name in names):
                what, hint = f"`{glob}` decides nothing: what it fits has its initializer already", "remove one of them"
            else:
                what = f"`{glob}` fits no weight of this layer"
                hint = suggest(glob, names) or f"it has: {', '.join(names) or 'none'}"
            self.faults.append(place.fault(what, hint))

    def take_inputs(self, layer: LayerSpec, scope: Scope) -> Shape | None:
        """Return the shape that reaches a layer: its own, if it is the first and no other is known."""
        if layer.inputs is None:
            return self.inputs
        if not self.style.is_chain:
            raise _no_input_shape(self.spec.framework)
        if self.inputs is not None:
            what = "`input_shape` stands in a layer whose input is known already"
            raise ArgumentError(what, "remove it: the shape follows from the layers before", parameter="input_shape")
        with naming("input_shape"):
            return evaluate_shape(layer.inputs, scope)

    def tensor(self, layer: LayerSpec, weight: Weight, prefix: str, bound: Scope, deciding: set[str]) -> TensorSpec:
        """Return one weight's tensor; the globs of `init` that decide join `deciding`."""
        if len(weight.shape) > MAX_RANK:
            what = f"the shape of `{weight.name}` has {len(weight.shape)} dimensions"
            raise ArgumentError(what, f"a shape has at most {MAX_RANK}")
        name = (weight.collection + self.style.separator if weight.collection else "") + prefix + weight.name
        chosen, given = weight.init if isinstance(weight.init, Init) else None, isinstance(weight.init, Init)
        for glob, init, _ in layer.inits:
            if not given and fnmatchcase(weight.name, glob):
                chosen, given = init, True
                deciding.add(glob)
        default = None if given else self.default(weight.init, layer.place)
        return TensorSpec(
            Pattern(name, (name,)),
            layer.place,
            weight.shape,
            chosen,
            DTYPES[weight.dtype] if weight.dtype else None,
            states_init=given,
            axes=weight.axes,
            default_init=default,
            bound=bound,
        )

    def default(self, init: Any, place: Place) -> Init:
        if not isinstance(init, str):
            raise ArgumentError(f"an initializer must be a name, a call or a mapping, not `{init}`", "write `zeros`")
        name, positional, arguments = parse_call(init)
        return Init(name, place, positional, arguments)


def _no_input_shape(framework: str) -> ArgumentError:
    return ArgumentError(f"layers of {framework} take no `input_shape`", "remove it", "input_shape")
