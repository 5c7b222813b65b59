"""PyTorch itself says what its layers' tensors are called, how large they are, and what they hold at first."""

from __future__ import annotations

import inspect
import math
import typing
import warnings
from functools import cache

import numpy as np
import pytest
import torch
from closed_forms import FALSE_ALARM
from scipy import stats
from torch import nn
from torch_module_cases import CASES, REFUSED, STRICTER

from initcli.calls import parse_call
from initcli.initializers import find
from initcli.initializers.base import build
from initcli.laws import Uniform
from initcli.layers import find_layer, known_layers

FRAMEWORK = f"torch {torch.__version__}"

# Arguments for the modules without weights that need some.
NEEDED = {
    "output_size": 4,
    "kernel_size": 3,
    "padding": 1,
    "value": 0.5,
    "norm_type": 2,
    "threshold": 0.1,
    "size": 2,
    "groups": 2,
    "upscale_factor": 2,
    "downscale_factor": 2,
    "dim": 1,
    "unflattened_size": (2, 3),
}

UNSPOKEN = ("self", "device", "dtype", "process_group", "_weight", "_freeze", "_random_samples", "args", "kwargs")
"""What a spec cannot or need not say."""

TENSORS = {"LinearCrossEntropyLoss": ("weight", "options")}
"""The same, of one class."""

NO_LAYERS = {
    *("Module", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict", "Container"),
    *("RNNBase", "RNNCellBase", "LinearCrossEntropyOptions", "NLLLoss2d"),
}
"""Containers, parents, options, and what computes a loss without weights, as all but `LOSSES` do."""

LOSSES = {"AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss"}

WEIGHTLESS = [
    name
    for name in known_layers("torch")
    if name not in {case for case, _ in CASES}  # an instance norm has none by default, but is among them
]


def theirs(name, parameters, seed=1234):
    """The module, whose layers are given as mappings with their class."""
    torch.manual_seed(seed)
    given = {
        key: theirs(value["class"], {k: v for k, v in value.items() if k != "class"}, seed)
        if isinstance(value, dict)
        else value
        for key, value in parameters.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # empty tensors, dropout of one layer, the nested tensors' path
        return getattr(nn, name)(**given)


@cache
def _state(number):
    return theirs(*CASES[number]).state_dict()


def state_of(name, parameters):
    """The module's parameters and persistent buffers in order; each module is built once."""
    return _state(CASES.index((name, parameters)))


def weights_of(name, parameters):
    return find_layer("torch", name).build(parameters).weights


def initializer_of(weight):
    """The initializer that a weight's text names."""
    name, positional, named = parse_call(weight.init)
    return build(find(name, "torch"), {**named, "seed": 42}, positional, "torch")


def drawn(weight):
    """Our array of a weight."""
    return initializer_of(weight)(weight.shape, dtype=weight.dtype or "float32", name=weight.name)


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_names_shapes_and_dtypes_are_those_of_the_state_dict(name, parameters):
    """In its order, buffers too."""
    expected = [(key, tuple(each.shape), str(each.dtype)) for key, each in state_of(name, parameters).items()]

    ours = [(each.name, each.shape, f"torch.{each.dtype or 'float32'}") for each in weights_of(name, parameters)]

    assert ours == expected


@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_first_values_have_the_law_that_the_module_draws_from(name, parameters):
    """What is constant is equal; what is random passes a two-sample Kolmogorov–Smirnov test, with the same empty rows.

    And PyTorch's values keep to the promised mean, std and bounds, and come as near to the bounds as a sample must.
    """
    state = state_of(name, parameters)
    for weight in weights_of(name, parameters):
        ours, theirs = drawn(weight), state[weight.name].numpy()
        law = initializer_of(weight).law(weight.shape)
        if not law.is_random or not ours.size:
            np.testing.assert_array_equal(ours, theirs, strict=True)
            continue
        assert stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp").pvalue > FALSE_ALARM, weight
        if theirs.ndim > 1:
            np.testing.assert_array_equal(~theirs.any(axis=-1), ~ours.any(axis=-1))
        mean_error, std_error = law.standard_errors(theirs.size)
        assert abs(theirs.mean(dtype=np.float64) - law.mean) <= 5 * mean_error, weight
        assert abs(theirs.std(dtype=np.float64) - law.std) <= 5 * std_error, weight
        if isinstance(law, Uniform):
            bound = np.float32(law.high)
            assert np.abs(theirs).max() <= np.nextafter(bound, np.float32(np.inf)), weight
            # the chance that all n values stay below the largest one seen
            assert theirs.size * math.log(np.abs(theirs).max() / bound) >= math.log(FALSE_ALARM), weight


@pytest.mark.compares("arguments")
@pytest.mark.parametrize("name", WEIGHTLESS)
def test_a_module_without_weights_has_none(name):
    """Whatever arguments it needs."""
    needed = {
        key: NEEDED[key] for key, each in find_layer("torch", name).parameters.items() if each.default is each.empty
    }
    optional = {"output_size": 4} if name.startswith("FractionalMaxPool") else {}

    assert not theirs(name, {**needed, **optional}).state_dict()
    assert not weights_of(name, {**needed, **optional})


def signature_theirs(name):
    """The arguments of a class that a spec can give: of RNN and its kin those of the overload that names them."""
    unspoken = (*UNSPOKEN, *TENSORS.get(name, ()))
    overloads = typing.get_overloads(getattr(nn, name).__init__)
    signature = inspect.signature(overloads[0] if overloads else getattr(nn, name).__init__)
    return {each.name: each for each in signature.parameters.values() if each.name not in unspoken}


@pytest.mark.compares("arguments")
@pytest.mark.parametrize("name", known_layers("torch"))
def test_arguments_and_defaults_are_those_of_the_class(name):
    """By name, in the class's order, by position or by name only, with its defaults; a function by its name."""
    expected, ours = signature_theirs(name), find_layer("torch", name).parameters

    assert [(each.name, each.kind) for each in ours.values()] == [(each.name, each.kind) for each in expected.values()]
    for key, each in expected.items():
        default = each.default.__name__ if inspect.isfunction(each.default) else each.default
        assert ours[key].default == default, key


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "parameters"), REFUSED)
def test_what_the_class_refuses_is_refused(name, parameters):
    """Whatever PyTorch raises, it is a ValueError here."""
    with pytest.raises((ValueError, TypeError, RuntimeError, AssertionError, IndexError, ZeroDivisionError)):
        theirs(name, parameters)

    with pytest.raises(ValueError, match=r"."):
        weights_of(name, parameters)


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "parameters"), STRICTER)
def test_what_is_refused_here_alone_is_let_through_there(name, parameters):
    """What PyTorch itself refuses only later, or reads as another value than was written."""
    theirs(name, parameters)

    with pytest.raises(ValueError, match=r"."):
        weights_of(name, parameters)


@pytest.mark.proves("the list of layers")
def test_every_class_of_torch_is_here():
    """All of `torch.nn` but containers, losses without weights, and classes whose sizes wait for data."""
    classes = {name for name in nn.modules.__all__ if not name.startswith("Lazy") and name not in NO_LAYERS}
    losses = {name for name in classes if name.endswith("Loss")} - LOSSES

    assert set(known_layers("torch")) == classes - losses
    assert not any(theirs(name, {}).state_dict() for name in losses)
    assert {name for name, _ in CASES} | set(WEIGHTLESS) == set(known_layers("torch"))
