"""What the recipes of modern models share: how their papers and code set weights from the model's sizes.

Each is by its authors' name; sizes have plain names: `layers`, `layer` (from 0), `d`, `heads`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from initcli.fans import FANS_BY_FRAMEWORK, Fans
from initcli.initializers.arguments import check_choice
from initcli.initializers.base import Initializer, named_parameter


class Recipe(Initializer):
    """An initializer of the framework `recipe`."""

    framework: ClassVar[str] = "recipe"


@dataclass(frozen=True)
class FanRecipe(Recipe):
    """A recipe that reads fans from the shape, in the order of axes of a framework."""

    order: str = named_parameter("keras", "whose order of axes the shape has; in a spec, its framework's")

    def __post_init__(self) -> None:
        check_choice("order", self.order, tuple(sorted(FANS_BY_FRAMEWORK)))

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return FANS_BY_FRAMEWORK[self.order](shape)
