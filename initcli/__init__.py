"""Reproducible, seeded weight files from a layer-shape spec: no framework, no GPU, no network.

>>> import initcli
>>> initcli.initializers.get("he_normal")(shape=(784, 256), dtype="float32").shape
(784, 256)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from initcli import initializers
    from initcli.initializers import Initializer, register

__all__ = ["Initializer", "__version__", "initializers", "register"]


def __getattr__(name: str) -> Any:
    """Import the library when it is asked for: NumPy costs the command line's `--version` nothing."""
    import importlib

    if name == "initializers":
        return importlib.import_module("initcli.initializers")
    if name in ("Initializer", "register"):
        return getattr(importlib.import_module("initcli.initializers"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
