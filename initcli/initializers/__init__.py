"""Initializers by name: `get`, the `Initializer` base class to subclass, `register` to add one, and Keras's classes."""

from initcli.initializers.base import Initializer
from initcli.initializers.keras import (
    Constant,
    Identity,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    Zeros,
)
from initcli.initializers.keras_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)
from initcli.initializers.registry import find, frameworks, get, register, registered

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "find",
    "frameworks",
    "get",
    "register",
    "registered",
]
