"""The sizes of a model that recipes are formulas of: how each is checked, and the normals whose std they make.

Roots and logarithms are taken in decimal arithmetic and rounded once: they decide a tensor's bytes, so they must not
depend on a C library.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from math import inf

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.arguments import parse_number
from initcli.initializers.recipe import FanRecipe, Recipe
from initcli.laws import Law, Normal, TruncatedNormal

LAYERS_MEANING = "how many layers the model has, ≥ 1"
D_MEANING = "the width of the model, ≥ 1; None for the fan_in of the shape"
LAYER_MEANING = "the number of the layer that the matrix stands in, from 0"
STD_MEANING = "the std of the model's other matrices, ≥ 0"
WIDTH_MULT_MEANING = "how many times wider the model is than the one it was tuned at, > 0"
CUTOFF_MEANING = "how many std from zero the values are cut, > 0"

_LEAST_COUNTS = {"layer": 0, "layers": 1, "decoder_layers": 1, "residuals": 1, "branch_layers": 2, "d": 1, "r": 1}
_POSITIVES = ("cutoff", "width_mult", "omega_0")
_DIGITS = 40


def check_sizes(recipe: Recipe) -> None:
    """Check each parameter that is a size by its name, and keep a count as an int.

    Raises:
        ArgumentError: a size is no number, too small, or no whole number where it counts something.
    """
    for f in recipe.parameters():
        name, value = f.name, getattr(recipe, f.name)
        if name in _LEAST_COUNTS and (value is not None or f.default is not None):
            count = parse_number(name, value, _LEAST_COUNTS[name])
            if count != int(count):
                raise ArgumentError(f"`{name}` must be a whole number, got {value}", parameter=name)
            object.__setattr__(recipe, name, int(count))
        elif name in _POSITIVES and parse_number(name, value) <= 0:
            raise ArgumentError(f"`{name}` must be positive, got {value}", parameter=name)
        elif name == "std":
            parse_number(name, value, least=0)


def check_fan(recipe: Recipe, shape: tuple[int, ...], fan: float) -> float:
    """Return `fan` if it is not zero.

    Raises:
        ArgumentError: it is; the recipe divides by it.
    """
    if not fan:
        what = f"`{recipe.name}` needs a fan that is not zero, got {list(shape)}"
        raise ArgumentError(what, "use a constant for an empty tensor", parameter="shape")
    return fan


class SizedNormal(Recipe):
    """W ~ N(0, std²), the std a formula of the model's sizes; cut at ±`cutoff` std if there is such a parameter."""

    def __post_init__(self) -> None:
        check_sizes(self)

    def std_value(self) -> float:
        """Return the std before any cut."""
        raise NotImplementedError

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return _normal(self, self.std_value())


class WidthNormal(FanRecipe):
    """W ~ N(0, std²), the std a formula of `d`, which is the shape's fan_in if None; cut as `SizedNormal`."""

    d: int | None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self)

    def std_at(self, d: float) -> float:
        """Return the std before any cut at the width `d`."""
        raise NotImplementedError

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        return _normal(self, self.std_at(self.d or check_fan(self, shape, (fans or self.fans(shape)).fan_in)))


def _normal(recipe: Recipe, std: float) -> Law:
    cutoff = getattr(recipe, "cutoff", inf)
    return Normal(0.0, std) if cutoff == inf else TruncatedNormal(0.0, std, -cutoff * std, cutoff * std)


def root(value: int, degree: int) -> float:
    """Return the `degree`-th root of a whole number.

    >>> root(16, 4), root(8 * 24, 4)
    (2.0, 3.7224194364083982)
    """
    with localcontext(Context(prec=_DIGITS)):
        return float(Decimal(value) ** (1 / Decimal(degree)))


def ln(value: int) -> float:
    """Return the natural logarithm of a whole number.

    >>> ln(48)
    3.871201010907891
    """
    with localcontext(Context(prec=_DIGITS)):
        return float(Decimal(value).ln())
