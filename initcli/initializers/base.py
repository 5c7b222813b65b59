"""What an initializer is: a name, a framework, parameters and a formula that turns a shape into a law."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from initcli.dtypes import parse_dtype
from initcli.errors import ArgumentError, suggest
from initcli.fans import Fans
from initcli.laws import Law
from initcli.scratch import Scratch
from initcli.stream import Stream
from initcli.whole_laws import Drawn

_GREATEST = sys.float_info.max


def parameter(default: Any, meaning: str) -> Any:
    """Return a dataclass field for an initializer's parameter: its default and what it means."""
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class Initializer:
    """A rule that turns a shape into a law. Subclass it and define `law`, or `__call__` as in Keras.

    A subclass's docstring is its page: an imperative summary, the formula, `Bounds:`, `Differs:`, `Source:`. Calling an
    initializer draws an array: the same as the tensor of that `name` in a spec with that `seed`.
    """

    framework: ClassVar[str] = ""
    name: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()

    seed: int | None = field(default=None, kw_only=True)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the law of a tensor of `shape`; `fans` replaces those that the framework reads from the shape.

        Raises:
            ArgumentError: the initializer does not take such a shape.
        """
        del fans
        if type(self).__call__ is Initializer.__call__:
            raise NotImplementedError(f"{type(self).__name__} defines neither `law` nor `__call__`")
        return Drawn(self, shape)

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32", name: str = "") -> NDArray[Any]:
        """Return a new array of `shape` and `dtype` (float32 if None) drawn from the stream of `seed` and `name`.

        A seed of None is 0.

        Raises:
            ArgumentError: a shape or dtype that this initializer does not take.
        """
        from initcli.sampling import sample_range

        shape = parse_shape(shape)
        element = parse_dtype("float32" if dtype is None else dtype)
        law = self.law(shape)
        law.check(element)
        stream = Stream(parse_seed(self.seed) or 0, name)
        return sample_range(law, stream, element, 0, prod(shape), Scratch()).reshape(shape)

    @classmethod
    def parameters(cls) -> tuple[Field[Any], ...]:
        """Return the parameters, in order, without the seed."""
        return tuple(f for f in fields(cls) if f.name != "seed")

    def config(self) -> dict[str, Any]:
        """Return the parameters' values by name, without the seed."""
        return {f.name: getattr(self, f.name) for f in self.parameters()}

    @classmethod
    def qualified_name(cls) -> str:
        """Return `framework.name`."""
        return f"{cls.framework}.{cls.name}" if cls.framework else cls.name

    def __str__(self) -> str:
        """Return the call that makes it, leaving out what is default."""
        given = [f"{f.name}={getattr(self, f.name)}" for f in self.parameters() if getattr(self, f.name) != f.default]
        return f"{self.name}({', '.join(given)})" if given else self.name


def build(cls: type[Initializer], arguments: Mapping[str, Any], positional: tuple[Any, ...] = ()) -> Initializer:
    """Return an initializer of `cls`, every argument checked by name.

    Raises:
        ArgumentError: an unknown, doubled or missing parameter, or a value that the initializer refuses.
    """
    names = [f.name for f in cls.parameters()]
    if len(positional) > len(names):
        raise ArgumentError(f"`{cls.name}` takes at most {len(names)} values, got {len(positional)}", _signature(cls))
    given = dict(zip(names, positional, strict=False))
    for key, value in arguments.items():
        if key not in (*names, "seed"):
            hint = suggest(key, names) or _signature(cls)
            raise ArgumentError(f"`{cls.name}` has no parameter `{key}`", hint, parameter=key)
        if key in given:
            raise ArgumentError(f"`{cls.name}` got `{key}` twice", "name it once", parameter=key)
        given[key] = parse_seed(value) if key == "seed" else value
    for f in cls.parameters():
        if f.default is MISSING and f.default_factory is MISSING and f.name not in given:
            raise ArgumentError(f"`{cls.name}` needs `{f.name}`", _signature(cls), parameter=f.name)
    return cls(**given)


def _signature(cls: type[Initializer]) -> str:
    known = ", ".join(f"{f.name}={f.default}" for f in cls.parameters())
    return f"its parameters: {known}" if known else f"`{cls.name}` takes no parameters"


def parse_number(parameter_name: str, value: object, least: float | None = None) -> float | int:
    """Return `value` if it is a finite number, at least `least`.

    Raises:
        ArgumentError: it is not.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentError(f"`{parameter_name}` must be a number, got `{value}`", parameter=parameter_name)
    if not -_GREATEST <= value <= _GREATEST:
        shown = f"{value}" if isinstance(value, float) else "a whole number beyond float64"
        raise ArgumentError(f"`{parameter_name}` must be finite, got {shown}", parameter=parameter_name)
    if least is not None and value < least:
        raise ArgumentError(f"`{parameter_name}` must be at least {least:g}, got {value}", parameter=parameter_name)
    return value


def parse_seed(seed: object) -> int | None:
    """Return `seed` if it is None or a whole number ≥ 0 of any size.

    Raises:
        ArgumentError: something else.
    """
    if seed is None or (isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0):
        return seed
    raise ArgumentError(f"`seed` must be a whole number ≥ 0, got `{seed}`", parameter="seed")


def parse_shape(shape: object) -> tuple[int, ...]:
    """Return `shape` as a tuple of non-negative ints; one int stands for one dimension.

    Raises:
        ArgumentError: something else.
    """
    dims = (shape,) if isinstance(shape, int | np.integer) else shape
    if isinstance(dims, tuple | list | np.ndarray) and all(
        isinstance(d, int | np.integer) and not isinstance(d, bool) and d >= 0 for d in dims
    ):
        return tuple(int(d) for d in dims)
    raise ArgumentError(f"a shape is a tuple of whole numbers ≥ 0, got {shape}", parameter="shape")
