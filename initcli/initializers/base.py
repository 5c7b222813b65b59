"""What an initializer is: a name, a framework, parameters and a formula that turns a shape into a law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from math import prod, sqrt
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from initcli.dtypes import DType, parse_dtype
from initcli.errors import ArgumentError, InitcliError, suggest
from initcli.fans import FANS_BY_FRAMEWORK, Fans
from initcli.initializers.arguments import parse_seed, parse_shape
from initcli.initializers.custom import giving_rng, init_fields, takes
from initcli.laws import ElementwiseLaw, Law, Normal, Uniform
from initcli.laws.whole import Drawn, asks_for_rng, explain_raised
from initcli.scratch import Scratch
from initcli.stream import Stream


def parameter(default: Any, meaning: str) -> Any:
    """Return a dataclass field for an initializer's parameter: its default and what it means."""
    return field(default=default, metadata={"meaning": meaning})


def named_parameter(default: Any, meaning: str) -> Any:
    """Return a field as `parameter` does, for one that is given by its name only and stands after all others."""
    return field(default=default, kw_only=True, metadata={"meaning": meaning})


@dataclass(frozen=True)
class Initializer:
    """A rule that turns a shape into a law. Subclass it and define `law`, or `__call__(shape, dtype)` as in Keras.

    A `__call__` that names a parameter `rng` is given a `numpy.random.Generator` of the tensor's own. Parameters are
    dataclass fields, or those of an `__init__` that keeps each as an attribute of its name.

    A subclass's docstring is its page: an imperative summary, the formula, `Bounds:`, `Differs:`, `Source:`. Calling an
    initializer draws an array: the same as the tensor of that `name` in a spec with that `seed`.
    """

    framework: ClassVar[str] = ""
    name: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    draws_complex: ClassVar[bool] = False
    """Whether the framework draws complex values: a normal has half of its variance in each part, a uniform all."""

    seed: int | None = field(default=None, kw_only=True)

    def __init_subclass__(cls, **rest: Any) -> None:
        """Let a class in the manner of Keras set its attributes, and be called without the `rng` that it names."""
        super().__init_subclass__(**rest)
        if "__init__" in cls.__dict__:
            type.__setattr__(cls, "__setattr__", object.__setattr__)
        if "__call__" in cls.__dict__ and asks_for_rng(cls.__dict__["__call__"]):
            type.__setattr__(cls, "__call__", giving_rng(cls.__dict__["__call__"]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Initializer) or type(other) is not type(self):
            return False
        return {**vars(other), "seed": other.seed} == {**vars(self), "seed": self.seed}

    def fans(self, shape: tuple[int, ...]) -> Fans | None:
        """Return the fans that the framework reads from `shape`; None if the law does not depend on any.

        Raises:
            ArgumentError: the framework reads none from such a shape.
        """
        return None

    def gain_value(self) -> float | None:
        """Return the gain as a number; None if there is none.

        Raises:
            ArgumentError: the gain is no number and no nonlinearity.
        """
        return None

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the law of a tensor of `shape`; `fans` takes the place of `self.fans(shape)`.

        Raises:
            ArgumentError: the initializer does not take such a shape.
        """
        del fans
        if type(self).__call__ is Initializer.__call__:
            raise NotImplementedError(f"{type(self).__name__} defines neither `law` nor `__call__`")
        return Drawn(self, shape, self.name or type(self).__name__)

    def complex_law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        """Return the law of the parts of a complex tensor of `shape`; what draws nothing fills the real parts.

        Raises:
            ArgumentError: the framework draws no complex values of it, or the initializer does not take such a shape.
        """
        from initcli.laws.complex import AlikeParts, RealParts

        law = self.law(shape, fans)
        if isinstance(law, Drawn):
            return law
        if isinstance(law, ElementwiseLaw) and not law.is_random:
            return RealParts(law)
        if self.draws_complex and isinstance(law, Normal | Uniform):
            return AlikeParts(law if isinstance(law, Uniform) else Normal(law.mean, law.std / sqrt(2)))
        what = f"`{self.name or type(self).__name__}` draws no complex values"
        raise ArgumentError(what, "use a float dtype, such as float32", parameter="dtype")

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32", name: str = "") -> NDArray[Any]:
        """Return a new array of `shape` and `dtype` (float32 if None) drawn from the stream of `seed` and `name`.

        A seed of None is 0.

        Raises:
            ArgumentError: a shape or dtype that this initializer does not take.
        """
        from initcli.sampling import sample_range

        shape = parse_shape(shape)
        element = parse_dtype("float32" if dtype is None else dtype)
        law = decide_law(self, shape, element)
        stream = Stream(parse_seed(self.seed) or 0, name)
        return sample_range(law, stream, element, 0, prod(shape), Scratch()).reshape(shape)

    @classmethod
    def parameters(cls) -> tuple[Field[Any], ...]:
        """Return the parameters without the seed, in order, those that Python takes by name only at the end."""
        known = init_fields(cls) if cls._has_own_init() else fields(cls)
        return tuple(sorted((f for f in known if f.name != "seed"), key=lambda f: bool(f.kw_only)))

    @classmethod
    def _has_own_init(cls) -> bool:
        """Tell whether `__init__` was written by hand, so that its signature and not the fields are the parameters."""
        writer = next(each for each in cls.__mro__ if "__init__" in each.__dict__)
        return "__dataclass_fields__" not in writer.__dict__

    def config(self) -> dict[str, Any]:
        """Return the parameters' values by name, without the seed."""
        return {name: value for name, value in self.get_config().items() if name != "seed"}

    def get_config(self) -> dict[str, Any]:
        """Return the parameters' values and the seed by name, as Keras serializes them.

        >>> from initcli.initializers import RandomNormal
        >>> RandomNormal(stddev=0.02, seed=7).get_config()
        {'mean': 0.0, 'stddev': 0.02, 'seed': 7}
        """
        known = {f.name: getattr(self, f.name) for f in self.parameters() if hasattr(self, f.name)}
        return {**known, "seed": self.seed}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the initializer that `get_config` described.

        Raises:
            ArgumentError: an unknown parameter, or a value that the initializer refuses.
        """
        made = build(cls, config)
        assert isinstance(made, cls)  # noqa: S101  (for the type checker)
        return made

    @classmethod
    def qualified_name(cls) -> str:
        """Return `framework.name`."""
        return f"{cls.framework}.{cls.name}" if cls.framework else cls.name

    def __str__(self) -> str:
        """Return the call that makes it, leaving out what is default."""
        config, name = self.config(), self.name or type(self).__name__
        given = [f"{f.name}={config[f.name]}" for f in self.parameters() if config.get(f.name, f.default) != f.default]
        return f"{name}({', '.join(given)})" if given else name


def build(
    cls: type[Initializer], arguments: Mapping[str, Any], positional: tuple[Any, ...] = (), framework: str = ""
) -> Initializer:
    """Return an initializer of `cls`, every argument checked by name; `framework` is the `order` that is not given.

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
    if framework in FANS_BY_FRAMEWORK and "order" in names:
        given.setdefault("order", framework)
    for f in cls.parameters():
        if f.default is MISSING and f.default_factory is MISSING and f.name not in given:
            raise ArgumentError(f"`{cls.name}` needs `{f.name}`", _signature(cls), parameter=f.name)
    return _make(cls, given)


def _make(cls: type[Initializer], given: dict[str, Any]) -> Initializer:
    """Return cls(**given); what a custom class raises is its fault, and so is a parameter that it does not keep."""
    try:
        seed = {} if not cls._has_own_init() or takes(cls.__init__, "seed") else {"seed": given.pop("seed", None)}
        made = cls(**given)
        for name, value in seed.items():  # an `__init__` of its own need not know of it
            object.__setattr__(made, name, value)
        lost = [f.name for f in cls.parameters() if f.name not in made.get_config()]
    except (InitcliError, MemoryError):
        raise
    except Exception as error:
        if cls.__module__.startswith("initcli."):
            raise
        raise explain_raised(cls.name or cls.__name__, error) from error
    if lost:
        what = f"`{cls.name or cls.__name__}` does not tell its parameter `{lost[0]}`"
        raise ArgumentError(what, f"keep it as `self.{lost[0]}`, or return it from `get_config`", parameter=lost[0])
    return made


def decide_law(initializer: Initializer, shape: tuple[int, ...], dtype: DType, fans: Fans | None = None) -> Law:
    """Return the law of a tensor of `shape` and `dtype`; whatever a custom `law` raises is an `ArgumentError`.

    Raises:
        ArgumentError: the initializer does not take such a shape, or its values do not fit the dtype.
    """
    try:
        decide = initializer.complex_law if dtype.kind == "complex" else initializer.law
        law = decide(shape, fans) if fans else decide(shape)
        law.check(dtype)
        return law
    except (InitcliError, MemoryError):
        raise
    except Exception as error:
        if type(initializer).__module__.startswith("initcli."):
            raise
        raise explain_raised(str(initializer), error) from error


def _signature(cls: type[Initializer]) -> str:
    known = ", ".join(f.name if f.default is MISSING else f"{f.name}={f.default}" for f in cls.parameters())
    return f"its parameters: {known}" if known else f"`{cls.name}` takes no parameters"
