"""Reading the config of a model of Hugging Face: each value is checked, and what is wrong is told where it stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any

from initcli.errors import Fault
from initcli.spec import Place

MAX_SIZE = 2**31 - 1
"""The greatest size that is taken: llama.cpp has some of them in an int32_t."""


class Settings:
    """The values of a config, or of a mapping in it; `faults` are all that were found."""

    def __init__(
        self, values: Mapping[str, Any], places: Mapping[str, Place], faults: list[Fault], path: str = ""
    ) -> None:
        self.values, self.places, self.faults, self.path = values, places, faults, path

    def count(self, key: str, default: int | None = None) -> int:
        """Return a size, at least 1; without a default it must be there."""
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        if type(value) is int and 1 <= value <= MAX_SIZE:
            return value
        what = "is missing" if value is None else "must be a whole number, at least 1 and below 2³¹"
        self.fail(key, what, f"`{key}: 2`, or `{key}: =name` for the value of a variable")
        return 1

    def number(self, key: str, default: float) -> float:
        """Return a number above 0."""
        value = self.values.get(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1e38 and isfinite(value):
            return float(value)
        self.fail(key, "must be a number above 0", f"`{key}: {default}`")
        return default

    def only(self, key: str, allowed: Collection[Any], default: Any) -> Any:
        """Return a value that is one of a few, those that llama.cpp computes with."""
        value = self.values.get(key, default)
        if any(type(value) is type(each) and value == each for each in allowed):
            return value
        known = ", ".join(f"`{str(each).lower()}`" for each in allowed)
        self.fail(key, f"is `{value!s:.40}`, which llama.cpp does not compute", f"it computes {known}")
        return default

    def section(self, *keys: str) -> Settings:
        """Return the mapping under the first of the keys that is there, an empty one if none is."""
        for key in keys:
            value = self.values.get(key)
            if isinstance(value, Mapping):
                return Settings(value, self.places, self.faults, key)
            if value is not None:
                self.fail(key, "must be a mapping", f"`{key}: {{rope_type: default}}`")
        return Settings({}, self.places, self.faults, self.path)

    def fail(self, key: str, what: str, hint: str) -> None:
        """Note what is wrong with the value of a key."""
        place = self.places.get(self.path or key) or self.places.get("")
        full = f"`{'.'.join(filter(None, ('config', self.path, key)))}` {what}"
        self.faults.append(place.fault(full, hint) if place else Fault(full, hint=hint))
