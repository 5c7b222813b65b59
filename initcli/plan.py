"""Every tensor decided, nothing drawn: what a spec comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from initcli.arrangement import AS_DRAWN, Order
from initcli.dtypes import DType
from initcli.initializers.base import Initializer
from initcli.laws import Law
from initcli.laws.whole import WholeTensorLaw
from initcli.patterns import escape
from initcli.provenance import PORTABLE_KEY, SCHEME_KEY, SPEC_KEY
from initcli.spec import VERSION, Place, TensorSpec
from initcli.stream import SCHEME, Stream

if TYPE_CHECKING:
    from initcli.object_paths import Stored


class Origins(NamedTuple):
    """Where a tensor has its shape, its initializer and its dtype from, and what gave it the latter two."""

    written: TensorSpec
    init: Place
    init_by: str
    dtype: Place | None
    dtype_by: str

    @property
    def shape(self) -> Place:
        """Where the shape stands."""
        return self.written.place_of("shape")


@dataclass(frozen=True, slots=True)
class PlannedTensor:
    """One tensor, decided: its `initializer` and the `law` that this makes of its shape, and the seed of its stream.

    `fans` are the keys of the spec, if any, that say which fans to take: `axes`, or `fan_in` and `fan_out`. Where a
    file holds it otherwise than the spec, the `original` is the spec's, whose values stand in another `order`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    initializer: Initializer
    law: Law
    seed: int
    place: Place
    origins: Origins
    fans: Mapping[str, Any] = field(default_factory=dict)
    original: PlannedTensor | None = None
    order: Order = AS_DRAWN

    @property
    def size(self) -> int:
        """The count of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of the elements."""
        return self.size * self.dtype.itemsize

    @property
    def stored(self) -> Stored | None:
        """Where Keras's own files keep it, if it is a weight of a layer of Keras."""
        return self.origins.written.stored

    @property
    def drawn(self) -> PlannedTensor:
        """The tensor as it is drawn."""
        return self.original or self

    @property
    def is_drawn_whole(self) -> bool:
        """Whether its elements are drawn together."""
        return self.order.needs_whole or isinstance(self.law, WholeTensorLaw)

    @property
    def peak_nbytes(self) -> int:
        """The bytes that drawing it holds at its peak; 0 if that does not grow with it."""
        law = self.law.peak_nbytes(self.drawn.dtype) if isinstance(self.law, WholeTensorLaw) else 0
        return law + (self.nbytes if self.order.needs_whole else 0)

    @property
    def stream(self) -> Stream:
        """The bits that it is drawn from."""
        return Stream(self.seed, self.name)


@dataclass(frozen=True)
class Plan:
    """A spec resolved: tensors in the spec's order, each with its law; `ties` are other names for some of them.

    `config` is what the model's config.json holds, if the spec says so, and `config_places` where its keys stand, `""`
    for all of it. Where a format holds the tensors otherwise, `original` is the plan that they come from.
    """

    framework: str
    seed: int
    dtype: DType
    tensors: tuple[PlannedTensor, ...]
    ties: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] | None = None
    config_places: Mapping[str, Place] = field(default_factory=dict)
    original: Plan | None = None

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
        """The bytes that the hungriest tensor holds; 0 if all are drawn piece by piece."""
        return max((tensor.peak_nbytes for tensor in self.tensors), default=0)

    def normalized_spec(self) -> dict[str, Any]:
        """Return a spec that resolves to this plan, or to the one that it comes from.

        It leaves nothing to rules, defaults or the command line.
        """
        if self.original:
            return self.original.normalized_spec()
        tensors: dict[str, dict[str, Any]] = {}
        inits: dict[tuple[int, int], Any] = {}
        for tensor in self.tensors:
            key = id(tensor.initializer), tensor.seed
            if key not in inits:
                config = tensor.initializer.config() | ({"seed": tensor.seed} if tensor.seed != self.seed else {})
                name = tensor.initializer.qualified_name()
                inits[key] = {"name": name, **config} if config else name
            written = tensors[escape(tensor.name)] = {"shape": list(tensor.shape), "init": inits[key], **tensor.fans}
            if tensor.dtype != self.dtype:
                written["dtype"] = tensor.dtype.name
        for name, target in self.ties.items():
            tensors[escape(name)] = {"tie": escape(target)}
        return {
            "initcli": VERSION,
            "framework": self.framework,
            "seed": self.seed,
            "dtype": self.dtype.name,
            **({} if self.config is None else {"config": self.config}),
            "tensors": tensors,
        }

    def metadata(self) -> dict[str, str]:
        """Return what a weight file says of itself: the scheme, whether its bits are portable, and the spec."""
        return {
            SCHEME_KEY: str(SCHEME),
            PORTABLE_KEY: "true" if self.is_portable else "false",
            SPEC_KEY: json.dumps(self.normalized_spec(), ensure_ascii=False, separators=(",", ":")),
        }
