"""The one table of initializers: names and aliases to classes, and every form of identifier to an instance."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from initcli.errors import ArgumentError, nearest
from initcli.initializers.base import Initializer, build
from initcli.initializers.given import Given
from initcli.initializers.keras_config import read_config
from initcli.laws import Law
from initcli.laws.whole import Drawn

_classes: dict[str, type[Initializer]] = {}
_aliases: dict[str, str] = {}
_functions: dict[str, Callable[..., Any]] = {}

MODULES: dict[str, tuple[str, ...]] = {
    "keras": ("keras", "keras_scaling", "keras_stft"),
    "keras2_1": ("keras2",),
    "keras2_2": ("keras2", "keras2_2"),
    "torch": ("torch", "torch_scaling", "torch_layers"),
    "jax": ("jax", "jax_scaling"),
    "tensorflow": ("tensorflow", "tensorflow_scaling", "tensorflow_convolutions"),
    "tensorflow1_9": ("tensorflow1_9",),
    "tf_contrib": ("tf_contrib",),
    **{name: (name,) for name in ("caffe", "chainer", "flux", "haiku", "lasagne", "mlx", "mxnet", "paddle", "sonnet")},
    "chainer": ("chainer", "chainer_filters"),
    "paddle": ("paddle", "paddle_scaling"),
    "recipe": (
        *("recipe_depth", "recipe_width", "recipe_stacks", "recipe_parts"),
        *("recipe_tables", "recipe_rotary", "recipe_rope_scaling", "recipe_states", "recipe_hippo"),
    ),
}
"""The modules that register each framework's initializers, imported when the framework is first asked for."""

_BEST_KNOWN = ("keras", "torch", "jax", "tensorflow")
_MOST_OWNERS = 3
"""The most frameworks that a hint names if the best known ones are not among them."""


def load(*names: str) -> None:
    """Import the modules of these frameworks; a name that is none of them is passed over."""
    for name in names:
        for module in MODULES.get(name, ()):
            import_module(f"initcli.initializers.{module}")


def register(name: Any) -> Any:
    """Add an `Initializer` subclass, or a function f(shape, dtype) that returns an array, under `name`.

    A function that names a parameter `rng` is given a `numpy.random.Generator` of the tensor's own.

    >>> @register("doctest_halves")
    ... def halves(shape, dtype):
    ...     return numpy.full(shape, 0.5, dtype)
    >>> import numpy
    >>> get("doctest_halves")((2,)).tolist()
    [0.5, 0.5]

    Raises:
        ArgumentError: the name is taken, or what is added is no initializer.
    """
    if isinstance(name, type):
        _add(name)
        return name
    if not isinstance(name, str) or not re.fullmatch(r"\w+(\.\w+)*", name):
        raise ArgumentError(f"an initializer cannot be called `{name}`", "use letters, digits and `_`")

    def add(subject: Any) -> Any:
        cls: Any = subject if isinstance(subject, type) else _from_function(name, subject)
        if issubclass(cls, Initializer):
            cls.name = name
        _add(cls)
        if cls is not subject:
            _functions[cls.qualified_name()] = subject
        return subject

    return add


def _add(cls: type[Initializer]) -> None:
    if not issubclass(cls, Initializer):
        raise ArgumentError(f"`{cls.__name__}` is no initializer", "write `class Mine(initcli.Initializer)`")
    if not cls.name:
        raise ArgumentError(f"`{cls.__name__}` has no name", 'write `@initcli.register("a_name")`')
    if cls.law is Initializer.law and cls.__call__ is Initializer.__call__:
        what = f"`{cls.name}` defines neither `law` nor `__call__`"
        raise ArgumentError(what, "define `__call__(self, shape, dtype)`, which returns an array")
    full = cls.qualified_name()
    names = {full, *(f"{cls.framework}.{alias}" if cls.framework else alias for alias in (cls.__name__, *cls.aliases))}
    for name in sorted(names):
        if name in _aliases or (not cls.framework and _elsewhere(name)):
            taken = _aliases.get(name) or " and ".join(_elsewhere(name))
            called = f", `{taken}`" if taken != name else ""
            raise ArgumentError(f"an initializer called `{name}` exists already{called}", "choose another name")
    _classes[full] = cls
    _aliases.update(dict.fromkeys(names, full))


def lend(cls: type[Initializer], *frameworks: str) -> None:
    """Let `cls` be found by its names in other frameworks too, whose law it is."""
    for framework in frameworks:
        for name in (cls.name, cls.__name__, *cls.aliases):
            _aliases[f"{framework}.{name}"] = cls.qualified_name()


def _from_function(name: str, function: Callable[..., Any]) -> type[Initializer]:
    check_takes_shape_and_dtype(name, function)

    def law(self: Initializer, shape: tuple[int, ...], fans: object = None) -> Law:
        del self, fans
        return Drawn(function, shape, name)

    origin = getattr(function, "__module__", None) or __name__
    return type(name, (Initializer,), {"__doc__": function.__doc__, "__module__": origin, "law": law})


def check_takes_shape_and_dtype(name: str, function: Callable[..., Any]) -> None:
    """Raise `ArgumentError` if `function` cannot be called with a shape, `dtype=` and, if it names it, `rng=`."""
    hint = "write `def f(shape, dtype)`, or `def f(shape, dtype, rng)`"
    if not callable(function):
        raise ArgumentError(f"`{name}` is neither a function nor a class", hint)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin that has no signature
        return
    try:
        signature.bind((), dtype="float32", **({"rng": None} if "rng" in signature.parameters else {}))
    except TypeError as error:
        raise ArgumentError(f"`{name}` cannot be called with a shape and a dtype: {error}", hint) from None


def registered_names(subject: Any) -> list[str]:
    """Return the full names that a class or function is registered under."""
    return [name for name, cls in _classes.items() if cls is subject or _functions.get(name) is subject]


def registered() -> dict[str, type[Initializer]]:
    """Return every initializer's class by its full name: by framework, and each in the order of registration.

    Raises:
        ArgumentError: the entry point of an installed package is broken.
    """
    from initcli.initializers.entry_points import load_entry_points

    if broken := load_entry_points():
        raise ArgumentError(broken[0], "mend that package or remove it")
    return known_classes()


def known_classes() -> dict[str, type[Initializer]]:
    """Return the classes by full name that are registered now, without a look at installed packages."""
    load(*MODULES)
    order = {name: place for place, name in enumerate(MODULES)}
    return dict(sorted(_classes.items(), key=lambda item: order.get(item[1].framework, len(order))))


def known_names() -> dict[str, str]:
    """Return every name that finds an initializer in specs of any framework, with the full name of what it finds."""
    load(*MODULES)
    return dict(_aliases)


def frameworks() -> list[str]:
    """Return the frameworks that have initializers, in alphabetical order."""
    return sorted({*MODULES, *(cls.framework for cls in _classes.values() if cls.framework)})


def find(name: str, framework: str = "keras") -> type[Initializer]:
    """Return the class called `name`: a bare name is the framework's first, then any plugin's.

    >>> find("HeNormal").qualified_name(), find("keras.normal").qualified_name()
    ('keras.he_normal', 'keras.random_normal')

    Raises:
        ArgumentError: there is none.
    """
    cls = _look_up(name, framework)
    if cls is not None:
        return cls
    from initcli.initializers.entry_points import load_entry_points

    broken = load_entry_points()
    cls = _look_up(name, framework)
    if cls is not None:
        return cls
    if broken:
        what = f"unknown initializer `{name}`, and {broken[0]}"
        raise ArgumentError(what, "mend that package or remove it; `initcli list` shows all")
    raise ArgumentError(f"unknown initializer `{name}`", _suggest_name(name, framework))


def _look_up(name: str, framework: str) -> type[Initializer] | None:
    load(framework, name.partition(".")[0])
    for key in (f"{framework}.{name}", name):
        if key in _aliases:
            return _classes[_aliases[key]]
        if key.startswith("keras.") and key.endswith("V2"):
            cls = _classes.get(_aliases.get(key.removesuffix("V2"), ""))
            if cls and key in _version_2_names(cls):
                return cls
    return None


def _version_2_names(cls: type[Initializer]) -> set[str]:
    """Return the names that tf.keras up to 2.15 also knew an initializer of Keras by: `HeNormalV2`, `he_normalV2`."""
    if cls.__name__ == "STFT":
        return set()
    snake = {f"keras.{cls.name}V2"} if re.fullmatch("(glorot|he|lecun)_(normal|uniform)", cls.name) else set()
    return {f"keras.{cls.__name__}V2", *snake}


def _elsewhere(name: str) -> list[str]:
    """Return the full names by which the frameworks know what they call `name`, the best known frameworks first."""
    load(*MODULES)
    order = sorted(frameworks(), key=lambda each: (each not in _BEST_KNOWN, each))
    return [f"{other}.{name}" for other in order if f"{other}.{name}" in _aliases]


def _enumerate(words: list[str], last: str) -> str:
    """Return `a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _suggest_name(name: str, framework: str) -> str:
    """Return the hint for an unknown name: the frameworks that do know it, or a near name, its own before others'."""
    prefix, _, bare = name.rpartition(".")
    owners = _elsewhere(bare) if prefix in ("", *frameworks()) else []
    if owners:
        owners = [full for full in owners if full in _classes] or owners  # whose own name it is, before whose alias
        owners = [full for full in owners if full.partition(".")[0] in _BEST_KNOWN] or owners[:_MOST_OWNERS]
        whose = _enumerate([f"{full.partition('.')[0]}'s" for full in owners], "and")
        return f"`{bare}` is {whose}: write {_enumerate([f'`{full}`' for full in owners], 'or')}"
    known = {alias.rpartition(".")[2]: alias for alias in reversed(_aliases)}
    own = prefix if prefix in frameworks() else framework
    for alias in _aliases:
        if alias.startswith(f"{own}."):
            known[alias.removeprefix(f"{own}.")] = alias if prefix else alias.removeprefix(f"{own}.")
    near = nearest(bare, known)
    return f"did you mean `{known[near]}`? `initcli list` shows all" if near else "`initcli list` shows all"


def get(identifier: Any, framework: str = "keras", **parameters: Any) -> Any:
    """Return the initializer that `identifier` means, made with `parameters`.

    A name or class name (`"he_normal"`, `"keras.HeNormal"`), a config as Keras 2 or 3 writes it (`{"class_name": …,
    "config": {…}}`) or a class is made with the parameters. An instance, any other callable f(shape, dtype) and None
    come back as they are. An array becomes an initializer that returns it.

    >>> get("he_normal")(shape=(784, 256), dtype="float32").shape
    (784, 256)

    Raises:
        ArgumentError: an unknown name or parameter, or a value that the initializer refuses; it is a ValueError too.
    """
    if isinstance(identifier, Mapping):
        identifier, config = read_config(identifier)
        parameters = {**config, **parameters}
    if isinstance(identifier, str):
        return build(find(identifier, framework), parameters, framework=framework)
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return build(identifier, parameters, framework=framework)
    if isinstance(identifier, type):
        identifier, parameters = identifier(**parameters), {}
    if parameters:
        raise ArgumentError(f"`{identifier}` takes no parameters", "they go with a name, a config or a class")
    if identifier is None or callable(identifier):
        return identifier
    if hasattr(identifier, "__array__"):
        return Given(np.array(identifier))
    hint = "give a name, a config, a class, a callable or an array"
    if isinstance(identifier, int | float):
        hint = f'write `get("constant", value={identifier})`'
    raise ArgumentError(f"`{identifier}` is not an initializer", hint)
