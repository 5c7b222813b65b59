"""Initializers by name: `get`, the `Initializer` base class to subclass, `register` to add one, and Keras's classes.

The other frameworks' classes are in modules of their own, because their names clash with Keras's; the registry imports
them when a name asks for them.
"""

from initcli.initializers.base import Initializer
from initcli.initializers.gains import calculate_gain
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
from initcli.initializers.keras_stft import STFT
from initcli.initializers.registry import find, frameworks, get, register, registered

__all__ = [
    "STFT",
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
    "calculate_gain",
    "find",
    "frameworks",
    "get",
    "register",
    "registered",
]
