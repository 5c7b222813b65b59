"""What a name, or a call, means to each framework: pages, initializers, their numbers for a shape, and who agrees.

All that is said of an initializer here is asked of its law and its fans, so that no text can be wrong about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isclose, prod
from typing import TYPE_CHECKING, Any, TypeVar

from initcli.calls import parse_call
from initcli.dtypes import parse_dtype
from initcli.errors import Fault, InitcliError
from initcli.fans import Fans
from initcli.initializers import Initializer, find, frameworks
from initcli.initializers.base import build, decide_law
from initcli.initializers.page import Page, read_page
from initcli.laws import Law, Normal, TruncatedNormal, Uniform
from initcli.laws.whole import explain_raised

if TYPE_CHECKING:
    from initcli.dtypes import DType

_Answer = TypeVar("_Answer")

_BEST_KNOWN = ("keras", "torch", "jax", "tensorflow")
_PROBE_SHAPES = ((), (8,), (6, 6), (4, 6), (6, 4), (3, 4, 6), (3, 3, 4, 6))
_PROBE_FANS = Fans(63, 45)
_PROBE_PRIMES = ((2, 3), (2, 3, 5, 7))
_ROUNDINGS = 2.0**-48
"""How far the numbers of one law may lie apart: sixteen roundings of float64, for formulas in other orders."""


@dataclass(frozen=True)
class Figures:
    """What an initializer makes of a shape: fans and gain, None where it has none, and the law."""

    shape: tuple[int, ...]
    fans: Fans | None
    gain: float | None
    law: Law


@dataclass(frozen=True)
class Namesake:
    """A framework's initializer of the name: its page, what the call makes of it, and that one's figures.

    `refusal` says why there is no `initializer`, or why there are no `figures` for the shape that was asked for.
    `same_law` holds the full names of the others that have the same law.
    """

    page: Page
    initializer: Initializer | None = None
    figures: Figures | None = None
    refusal: Fault | None = None
    same_law: tuple[str, ...] = ()

    @property
    def axes(self) -> str:
        """How the fans are read from a shape, such as `(…, in, out)`; empty where there are none."""
        return read_axes(self.initializer) if self.initializer else ""


def find_namesakes(text: str, shape: tuple[int, ...] | None) -> list[Namesake]:
    """Return what each framework understands by a name or a call, with figures if there is a shape.

    Raises:
        InitcliError: no framework has it, or none takes the call and the shape.
    """
    name, positional, named = parse_call(text)
    found = [_make_namesake(cls, positional, named, shape) for cls in find_everywhere(name)]
    refusals = [each.refusal for each in found if each.refusal]
    if len(refusals) == len(found) and (shape is not None or positional or named):
        several = len(found) > 1
        raise InitcliError(*(_name_owner(each) if several else each.refusal for each in found if each.refusal))
    return _compare(found, shape)


def find_everywhere(name: str) -> list[type[Initializer]]:
    """Return every framework's initializer called `name`, the best known frameworks' first.

    Raises:
        InitcliError: there is none.
    """
    found: list[type[Initializer]] = []
    for framework in dict.fromkeys((*_BEST_KNOWN, *frameworks())):
        try:
            found.append(find(name, framework))
        except InitcliError:
            continue
    return list(dict.fromkeys(found)) or [find(name)]


def read_figures(initializer: Initializer, shape: tuple[int, ...]) -> Figures:
    """Return what an initializer makes of a shape in float32.

    >>> from initcli.initializers import HeNormal
    >>> read_figures(HeNormal(), (784, 256)).fans
    Fans(fan_in=784, fan_out=256)

    Raises:
        ArgumentError: the initializer refuses the shape.
    """
    law = decide_law(initializer, shape, _float32())
    fans = _ask(initializer, lambda: initializer.fans(shape))
    return Figures(shape, fans, _ask(initializer, initializer.gain_value), law)


def read_axes(initializer: Initializer) -> str:
    """Return how fans are read, found by dimensions that are primes; matrices are named where they are no special case.

    >>> from initcli.initializers import find
    >>> read_axes(find("he_normal")()), read_axes(find("paddle.xavier_normal")())
    ('(…, in, out)', '(in, out), (out, in, …)')
    """
    matrix, kernel = (_read_roles(initializer, shape) for shape in _PROBE_PRIMES)
    is_special = matrix != [role for role in kernel if role != "…"]
    return ", ".join(f"({', '.join(roles)})" for roles in (matrix if is_special else [], kernel) if roles)


def are_alike(one: Law, other: Law) -> bool:
    """Tell whether two laws are the same, but for how their numbers were rounded."""
    if one == other:
        return True
    if type(one) is not type(other) or not isinstance(one, Uniform | Normal | TruncatedNormal):
        return False
    pairs = zip(one.promise, other.promise, strict=True)
    return all(isclose(a, b, rel_tol=_ROUNDINGS, abs_tol=one.std * _ROUNDINGS) for a, b in pairs)


def _make_namesake(
    cls: type[Initializer], positional: tuple[Any, ...], named: Mapping[str, Any], shape: tuple[int, ...] | None
) -> Namesake:
    namesake = Namesake(read_page(cls))
    try:
        namesake = replace(namesake, initializer=build(cls, named, positional))
        if shape is not None and namesake.initializer:
            namesake = replace(namesake, figures=read_figures(namesake.initializer, shape))
    except InitcliError as error:
        return replace(namesake, refusal=error.faults[0])
    return namesake


def _name_owner(namesake: Namesake) -> Fault:
    refusal = namesake.refusal or Fault("")
    return replace(refusal, what=f"{namesake.page.name}: {refusal.what}")


def _compare(found: Sequence[Namesake], shape: tuple[int, ...] | None) -> list[Namesake]:
    """Return the namesakes, each knowing whose law is the same: for the shape, or for any one with the same fans."""
    if len(found) == 1:
        return list(found)
    if shape is None:
        laws = [_probe(each.initializer) if each.initializer else () for each in found]
    else:
        laws = [(each.figures.law,) if each.figures else () for each in found]
    return [
        replace(
            each,
            same_law=tuple(
                other.page.name
                for other, others in zip(found, laws, strict=True)
                if other is not each and _all_alike(own, others)
            ),
        )
        for each, own in zip(found, laws, strict=True)
    ]


def _all_alike(ones: Sequence[Law | None], others: Sequence[Law | None]) -> bool:
    """Tell whether two initializers have alike laws for all shapes, and refuse the same."""
    if not any(ones) or len(ones) != len(others):
        return False
    return all((a is b) if a is None or b is None else are_alike(a, b) for a, b in zip(ones, others, strict=True))


def _probe(initializer: Initializer) -> tuple[Law | None, ...]:
    """Return the laws for shapes of many ranks with fans of our choice; None where the shape is refused."""
    laws: list[Law | None] = []
    for shape in _PROBE_SHAPES:
        try:
            laws.append(decide_law(initializer, shape, _float32(), _PROBE_FANS))
        except InitcliError:
            laws.append(None)
    return tuple(laws)


def _read_roles(initializer: Initializer, shape: tuple[int, ...]) -> list[str]:
    """Return the role of each axis in the fans; nothing if there are no fans, or they are no products of axes."""
    try:
        fans = _ask(initializer, lambda: initializer.fans(shape))
    except InitcliError:  # one's own need not take a shape that nobody asked for
        return []
    if fans is None or any(fan < 1 or prod(shape) % fan for fan in (fans.fan_in, fans.fan_out)):
        return []
    roles = {(True, True): "…", (True, False): "in", (False, True): "out", (False, False): "batch"}
    named = [roles[fans.fan_in % dim == 0, fans.fan_out % dim == 0] for dim in shape]
    return [role for i, role in enumerate(named) if role != "…" or named[i - 1 : i] != ["…"]]


def _ask(initializer: Initializer, question: Callable[[], _Answer]) -> _Answer | None:
    """Return what the initializer answers; a law that it has without fans is no worse for them being refused.

    Raises:
        ArgumentError: a custom initializer raised something else.
    """
    try:
        return question()
    except InitcliError:
        return None
    except Exception as error:
        raise explain_raised(str(initializer), error) from error


def _float32() -> DType:
    return parse_dtype("float32")
