"""A plan of a model of Hugging Face as llama.cpp has it: names, the order of rows, dtypes and keys.

What comes out is what a spec for llama.cpp would say; each value is that of the tensor of the spec's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from initcli.arrangement import AS_DRAWN, HalvesInterleaved, Order, Transposed
from initcli.dtypes import DTYPES
from initcli.errors import Fault, InitcliError, Position, suggest
from initcli.formats.gguf_architectures import ARCHITECTURES, Architecture, Change, Measured, RotaryFactors, Weight
from initcli.formats.gguf_config import Settings
from initcli.formats.gguf_keys import ARCHITECTURE
from initcli.plan import Plan, PlannedTensor

MATRIX_DTYPES = ("float32", "float16", "bfloat16")
"""What llama.cpp takes matrices in, of the dtypes that a spec can name."""
TOKENIZER = "tokenizer.ggml.model"
FACTORS = "rope_freqs.weight"
_BLOCK = re.compile(r"(h|layers)\.(0|[1-9][0-9]{0,8})\.(.+)")


def find_architecture(config: Mapping[str, Any] | None) -> Architecture | None:
    """Return the kind of model that a config of Hugging Face describes; None where the spec is llama.cpp's own.

    >>> find_architecture({"model_type": "gpt2"}).name
    'gpt2'
    >>> find_architecture({"model_type": "gpt2", "gguf": {"general.architecture": "gpt2"}})
    """
    if config is None or not isinstance(config.get("model_type"), str):
        return None
    keys = config.get("gguf", {})
    if not isinstance(keys, Mapping) or ARCHITECTURE in keys:
        return None
    return ARCHITECTURES.get(config["model_type"])


def with_config(plan: Plan, config: bytes) -> Plan:
    """Return a plan with the config of a model of Hugging Face, as JSON, beside its own keys of GGUF.

    Raises:
        InitcliError: it is the config of no model that is known here.
    """
    values: dict[str, Any] = json.loads(config)
    if find_architecture(values | {"gguf": {}}) is None:
        what = f"the config has the `model_type` `{values.get('model_type')!s:.40}`, and not one that becomes GGUF"
        hint = f"known: {', '.join(ARCHITECTURES)}; or write llama.cpp's names and keys, without a config"
        raise InitcliError(Fault(what, hint=hint))
    own = {"gguf": plan.config["gguf"]} if plan.config and "gguf" in plan.config else {}
    return replace(plan, config=values | own, config_places={})


def arrange_model(plan: Plan) -> Plan:
    """Return the plan of what llama.cpp loads; the plan itself if its config is none of a model that is known.

    Raises:
        InitcliError: with all that is wrong with the config, or else with all tensors that do not fit it.
    """
    architecture = find_architecture(plan.config)
    if architecture is None or plan.config is None:
        return plan
    settings = Settings(plan.config, plan.config_places, [])
    measured = architecture.measure(settings)
    is_tied = settings.only("tie_word_embeddings", (True, False), architecture.is_tied)
    if settings.faults:
        raise InitcliError(*settings.faults)
    mapping = _Mapping(plan, architecture, measured)
    tensors = mapping.map_tensors()
    mapping.check_all_there(settings, is_tied=is_tied)
    if mapping.faults or settings.faults:
        raise InitcliError(*mapping.faults, *settings.faults)
    if measured.factors and tensors:
        tensors = [_state_factors(tensors[0], measured.factors, measured.sizes["head_dim"] // 2), *tensors]
    keys = {ARCHITECTURE: architecture.name, TOKENIZER: "none"}
    keys |= {f"{architecture.name}.{key}": value for key, value in measured.keys.items()}
    config = {"gguf": keys | dict(plan.config.get("gguf", {}))}
    return replace(plan, tensors=tuple(tensors), ties={}, config=config, original=plan)


class _Mapping:
    """Gives each tensor of a plan its place in a model; of a line of the spec only the first fault is told."""

    def __init__(self, plan: Plan, architecture: Architecture, measured: Measured) -> None:
        self.plan, self.architecture, self.sizes = plan, architecture, measured.sizes
        self.blocks = self.sizes[architecture.layers]
        self.faults: list[Fault] = []
        self.stored: dict[str, str] = {}
        """The spec's names by llama.cpp's."""
        self._told: set[Position] = set()

    def map_tensors(self) -> list[PlannedTensor]:
        """Return the tensors that fit the model."""
        mapped = [self.map_tensor(tensor) for tensor in self.plan.tensors]
        for name, target in self.plan.ties.items():
            ends = [end[0] for end in map(self.find, (name, target)) if end]
            if ends != ["output.weight", "token_embd.weight"]:
                place = next(tensor.place for tensor in self.plan.tensors if tensor.name == target)
                what = f"`{name}` is tied to `{target}`, and llama.cpp ties only the head to the embedding"
                self.faults.append(place.fault(what, "give it a `shape` and an `init`"))
        return [tensor for tensor in mapped if tensor]

    def map_tensor(self, tensor: PlannedTensor) -> PlannedTensor | None:
        """Return a tensor as llama.cpp has it, if it fits the model."""
        found = self.find(tensor.name)
        wrong = self.check(tensor, *found) if found else self.explain_unknown(tensor.name)
        if wrong and tensor.place.position not in self._told:
            self._told.add(tensor.place.position)
            self.faults.append(tensor.place.fault(f"`{tensor.name}` {wrong[0]}", wrong[1]))
        if wrong or not found:
            return None
        name, weight = found
        self.stored[name] = tensor.name
        return self.arrange(tensor, name, weight)

    def check(self, tensor: PlannedTensor, name: str, weight: Weight) -> tuple[str, str] | None:
        """Return what is wrong with a tensor that has a name in the model, and the way out."""
        dims = weight.dims(self.sizes)
        if tensor.shape != dims:
            what = f"is {list(tensor.shape)}, and the config makes it {list(dims)}"
            return what, f"mend the shape or the config: it is [{weight.shape.replace(' ', ', ')}]"
        if name in self.stored:
            return f"and `{self.stored[name]}` are both `{name}` to llama.cpp", "leave one of them out"
        if tensor.dtype.name not in MATRIX_DTYPES:
            what = f"is {tensor.dtype}, which llama.cpp does not compute with"
            return what, f"use {', '.join(MATRIX_DTYPES[:-1])} or {MATRIX_DTYPES[-1]}"
        return None

    def find(self, name: str) -> tuple[str, Weight] | None:
        """Return llama.cpp's name for a tensor, and what it is there."""
        short = name.removeprefix(self.architecture.prefix)
        block = _BLOCK.fullmatch(short)
        if block is None:
            weight = self.architecture.weights.get(short) if "{" not in short else None
            return (weight.name, weight) if weight else None
        weight = self.architecture.weights.get(f"{block[1]}.{{}}.{block[3]}")
        return (weight.name.format(block[2]), weight) if weight and int(block[2]) < self.blocks else None

    def arrange(self, tensor: PlannedTensor, name: str, weight: Weight) -> PlannedTensor:
        """Return a tensor under llama.cpp's name, in its order, shape and dtype."""
        order: Order = AS_DRAWN
        shape = tensor.shape
        if weight.change is Change.HEADS:
            order = HalvesInterleaved(self.sizes["head_dim"], shape[1] if len(shape) > 1 else 1)
        elif weight.change is Change.TRANSPOSE:
            order, shape = Transposed(*shape), shape[::-1]
        is_wide = len(shape) == 1 or weight.change is Change.WIDEN  # llama.cpp adds and multiplies these in float32
        dtype = DTYPES["float32"] if is_wide else tensor.dtype
        return replace(tensor, name=name, shape=shape, dtype=dtype, original=tensor, order=order)

    def check_all_there(self, settings: Settings, *, is_tied: bool) -> None:
        """Note a fault if a tensor is missing that llama.cpp asks for."""
        names = {name.removeprefix(self.architecture.prefix) for name in (*self.stored.values(), *self.plan.ties)}
        wanted = [name for name, weight in self.architecture.weights.items() if not weight.is_optional]
        wanted += [] if is_tied else ["lm_head.weight"]
        each = (name.format(block) for name in wanted for block in range(self.blocks if "{" in name else 1))
        missing = next((name for name in each if name not in names), None)
        if missing and not self.faults:
            what = f"makes a model of {self.blocks:,} layers, of which the spec lacks `{missing}`"
            settings.fail(self.architecture.layers, what, "add it to `tensors`, or mend the config")

    def explain_unknown(self, name: str) -> tuple[str, str]:
        """Return that a name is none of the model's, and what might be meant, or the way around the mapping."""
        what = "is no tensor of this model that llama.cpp knows"
        short = name.removeprefix(self.architecture.prefix)
        block = _BLOCK.fullmatch(short)
        if block and int(block[2]) >= self.blocks:
            return what, f"`config.{self.architecture.layers}` is {self.blocks:,}"
        known = [each.format(block[2] if block else 0) for each in self.architecture.weights]
        return what, suggest(short, known) or f"with `{ARCHITECTURE}` under `config.gguf` all is written as it stands"


def _state_factors(beside: PlannedTensor, factors: RotaryFactors, count: int) -> PlannedTensor:
    """Return the tensor of what rotary frequencies are divided by, in the place of another of the spec."""
    shape, dtype = (count,), DTYPES["float32"]
    law = factors.law(shape)
    return replace(beside.drawn, name=FACTORS, shape=shape, dtype=dtype, initializer=factors, law=law, fans={})
