"""The one table of initializers: names and aliases to classes, and every form of identifier to an instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from initcli.errors import ArgumentError, suggest
from initcli.initializers.base import Initializer, build
from initcli.laws import Law
from initcli.whole_laws import Drawn

_classes: dict[str, type[Initializer]] = {}
_aliases: dict[str, str] = {}


def register(name: Any) -> Any:
    """Add an `Initializer` subclass, or a function f(shape, dtype) that returns an array, under `name`.

    >>> @register("doctest_halves")
    ... def halves(shape, dtype):
    ...     return numpy.full(shape, 0.5, dtype)
    >>> import numpy
    >>> get("doctest_halves")((2,)).tolist()
    [0.5, 0.5]

    Raises:
        ArgumentError: the name is taken.
    """
    if isinstance(name, type):
        _add(name)
        return name

    def add(subject: Any) -> Any:
        cls: Any = subject if isinstance(subject, type) else _from_function(name, subject)
        cls.name = name
        _add(cls)
        return subject

    return add


def _add(cls: type[Initializer]) -> None:
    full = cls.qualified_name()
    names = {full, *(f"{cls.framework}.{alias}" if cls.framework else alias for alias in (cls.__name__, *cls.aliases))}
    for name in sorted(names):
        if name in _aliases:
            raise ArgumentError(f"an initializer called `{name}` exists already", "choose another name")
    _classes[full] = cls
    _aliases.update(dict.fromkeys(names, full))


def _from_function(name: str, function: Callable[..., Any]) -> type[Initializer]:
    def law(self: Initializer, shape: tuple[int, ...], fans: object = None) -> Law:
        del self, fans
        return Drawn(function, shape)

    return type(name, (Initializer,), {"__doc__": function.__doc__, "law": law})


def registered() -> dict[str, type[Initializer]]:
    """Return every initializer's class by its full name, in the order of registration."""
    return dict(_classes)


def frameworks() -> list[str]:
    """Return the frameworks that have initializers, in alphabetical order."""
    return sorted({cls.framework for cls in _classes.values() if cls.framework})


def find(name: str, framework: str = "keras") -> type[Initializer]:
    """Return the class called `name`: a bare name is the framework's first, then any plugin's.

    >>> find("HeNormal").qualified_name(), find("keras.normal").qualified_name()
    ('keras.he_normal', 'keras.random_normal')

    Raises:
        ArgumentError: there is none.
    """
    for key in (f"{framework}.{name}", name):
        if key in _aliases:
            return _classes[_aliases[key]]
    bare = {full.rpartition(".")[2] for full in _classes}
    near = suggest(name, {*bare, *_aliases})
    hint = f"{near} `initcli list` shows all" if near else "`initcli list` shows all"
    raise ArgumentError(f"unknown initializer `{name}`", hint)


def get(identifier: Any, framework: str = "keras", **parameters: Any) -> Any:
    """Return the initializer that `identifier` means, made with `parameters`.

    A name or class name (`"he_normal"`, `"keras.HeNormal"`), a Keras config (`{"class_name": …, "config": {…}}`), an
    `Initializer` class; an instance, any other callable f(shape, dtype) and None come back as they are.

    >>> get("he_normal")(shape=(784, 256), dtype="float32").shape
    (784, 256)

    Raises:
        ArgumentError: an unknown name or parameter, or a value that the initializer refuses; it is a ValueError too.
    """
    if isinstance(identifier, dict):
        if "class_name" not in identifier:
            raise ArgumentError(f"no `class_name` in {identifier}", 'write {"class_name": "HeNormal", "config": {}}')
        parameters = {**(identifier.get("config") or {}), **parameters}
        identifier = identifier["class_name"]
    if isinstance(identifier, str):
        return build(find(identifier, framework), parameters)
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return build(identifier, parameters)
    if (identifier is None or callable(identifier)) and not parameters:
        return identifier
    raise ArgumentError(f"`{identifier}` is not an initializer", "give a name, a config, a class or a callable")
