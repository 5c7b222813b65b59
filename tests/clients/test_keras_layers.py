"""Keras itself says what its layers' variables are called, how large they are, what they hold, and what comes out."""

from __future__ import annotations

import inspect
import math
import warnings
from collections import Counter
from functools import cache

import keras
import numpy as np
import pytest
from closed_forms import FALSE_ALARM
from keras.src.utils.naming import to_snake_case
from keras_layer_cases import CASES, CHAINS, NO_LAYERS
from keras_layer_refusals import REFUSED, STRICTER
from scipy import stats

from initcli.calls import parse_call
from initcli.dtypes import parse_dtype
from initcli.fans import axes_fans
from initcli.initializers import find
from initcli.initializers.base import build
from initcli.layers import STYLES, find_layer, known_layers
from initcli.layers.keras_arguments import ACTIVATIONS
from initcli.layers.keras_inner import name_inside
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

FRAMEWORK = f"keras {keras.__version__}"

LAYER = ("self", "name", "dtype", "kwargs")
"""What every layer has, and a spec says of every layer."""

ENOUGH = 100
"""The fewest elements whose mean and std are compared with their standard errors, which are those of many."""

KERAS_RAISES = (ValueError, TypeError, IndexError, AttributeError, KeyError, ZeroDivisionError, NotImplementedError)


def theirs(name, parameters):
    """The layer; those that are arguments of it are given as mappings with their class."""
    given = {key: _theirs_inside(value) for key, value in parameters.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return getattr(keras.layers, name)(**given)


def _theirs_inside(value):
    if isinstance(value, dict):
        return theirs(value["class"], {key: each for key, each in value.items() if key != "class"})
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_theirs_inside(each) for each in value]
    return value


def built(name, parameters, shape):
    """The layer after it has seen such an input, and the shape of what came out, as one of several has none."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(1234)
    layer = theirs(name, parameters)
    if name == "InputLayer":
        return layer, layer.output.shape[1:]
    batch = (None, *shape)
    if name.endswith(("Cell", "Cells")):
        layer.build(batch)
        return layer, None
    inputs = keras.Input(shape)
    if name in ("MultiHeadAttention", "GroupQueryAttention"):
        outputs = layer(inputs, inputs)
        assert layer.compute_output_shape(batch, batch) == outputs.shape
    elif name in ("Attention", "AdditiveAttention"):
        outputs = layer([inputs, inputs])
        assert layer.compute_output_shape([batch, batch]) == outputs.shape
    else:
        outputs = layer(inputs)
    return layer, outputs.shape[1:] if hasattr(outputs, "shape") else None


@cache
def _seen(number):
    layer, outputs = built(*CASES[number])
    weights = [
        (weight.path.partition("/")[2], tuple(weight.shape), weight.dtype, np.asarray(weight))
        for weight in layer.weights
    ]
    return layer.name, weights, outputs


def seen(name, parameters, shape):
    """The layer's name, its weights and the shape of its output; each layer is built once."""
    return _seen(CASES.index((name, parameters, shape)))


def ours(name, parameters, shape):
    layer = find_layer("keras", name)
    return layer.build(parameters, shape if layer.takes_inputs else None)


def initializer_of(weight):
    """The initializer that a weight's text names."""
    name, positional, named = parse_call(weight.init)
    return build(find(name, "keras"), {**named, "seed": 42}, positional, "keras")


def law_of(weight):
    """The law that its shape, or the names of its axes, makes of the initializer."""
    fans = axes_fans(weight.shape, weight.axes) if weight.axes else None
    return initializer_of(weight).law(weight.shape, fans)


def drawn(weight):
    """Our array of a weight."""
    dtype = parse_dtype(weight.dtype or "float32")
    flat = sample_range(law_of(weight), Stream(42, weight.name), dtype, 0, math.prod(weight.shape), Scratch())
    return flat.reshape(weight.shape)


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "parameters", "shape"), CASES)
def test_names_shapes_and_dtypes_are_those_of_the_variables(name, parameters, shape):
    """In the order of `layer.weights`, those that are not trained too."""
    _, weights, _ = seen(name, parameters, shape)

    found = [(each.name, each.shape, each.dtype or "float32") for each in ours(name, parameters, shape).weights]

    assert found == [each[:3] for each in weights]


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "parameters", "shape"), CASES)
def test_the_output_has_the_shape_that_keras_infers(name, parameters, shape):
    """None where Keras has several outputs, with which a chain ends."""
    _, _, outputs = seen(name, parameters, shape)

    found = ours(name, parameters, shape).outputs

    assert outputs is None or found == outputs
    assert (found is None) == (outputs is None) or name.endswith(("Cell", "Cells"))


@pytest.mark.parametrize(("name", "parameters", "shape"), CASES)
def test_first_values_have_the_law_that_keras_draws_from(name, parameters, shape):
    """What is constant is equal; what is random passes a two-sample Kolmogorov–Smirnov test.

    And Keras's values keep to the promised mean and std, if they are enough for these to be normal.
    """
    _, weights, _ = seen(name, parameters, shape)
    for weight, (_, _, _, values) in zip(ours(name, parameters, shape).weights, weights, strict=True):
        law = law_of(weight)
        if not law.is_random:
            np.testing.assert_array_equal(drawn(weight), values, strict=True)
            continue
        assert stats.ks_2samp(drawn(weight).ravel(), values.ravel(), method="asymp").pvalue > FALSE_ALARM, weight
        if values.size >= ENOUGH:
            mean_error, std_error = law.standard_errors(values.size)
            assert abs(values.mean(dtype=np.float64) - law.mean) <= 5 * mean_error, weight
            assert abs(values.std(dtype=np.float64) - law.std) <= 5 * std_error, weight


def is_given(each):
    return each.name not in LAYER and each.kind is not each.VAR_KEYWORD


@pytest.mark.compares("arguments")
@pytest.mark.parametrize("name", known_layers("keras"))
def test_arguments_and_defaults_are_those_of_the_class(name):
    """By name and in the class's order, with its defaults; what all layers take follows, if the class takes it."""
    signature = inspect.signature(getattr(keras.layers, name).__init__).parameters
    expected = {each.name: each.default for each in signature.values() if is_given(each)}
    takes_more = any(each.kind is each.VAR_KEYWORD for each in signature.values()) and name != "InputLayer"
    common = inspect.signature(keras.layers.Layer.__init__).parameters
    if takes_more:
        expected |= {
            each.name: each.default for each in common.values() if is_given(each) and each.name not in expected
        }

    found = {each.name: each.default for each in find_layer("keras", name).parameters.values()}

    assert found == expected
    assert list(found)[: len(expected) - 3 * takes_more] == list(expected)[: len(expected) - 3 * takes_more]


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "parameters", "shape"), REFUSED)
def test_what_the_class_refuses_is_refused(name, parameters, shape):
    """Whatever Keras raises, it is a ValueError here."""
    with pytest.raises(KERAS_RAISES):
        built(name, parameters, shape)

    with pytest.raises(ValueError, match=r"."):
        ours(name, parameters, shape)


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "parameters", "shape"), STRICTER)
def test_what_is_refused_here_alone_is_let_through_there(name, parameters, shape):
    """What Keras reads as another value than was written, or what a spec cannot say."""
    with np.errstate(invalid="ignore"):  # a variance that is drawn below zero
        built(name, parameters, shape)

    with pytest.raises(ValueError, match=r"."):
        ours(name, parameters, shape)


@pytest.mark.compares("arguments")
@pytest.mark.parametrize("name", known_layers("keras"))
def test_a_layer_without_a_name_is_called_as_keras_calls_it(name):
    """Words in small letters; the second of a class is numbered 1."""
    snake = to_snake_case(getattr(keras.layers, name).__name__)

    assert [STYLES["keras"].name(name, 5, before) for before in (0, 1, 2)] == [snake, f"{snake}_1", f"{snake}_2"]


@pytest.mark.proves("chains of Keras's layers")
@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_has_the_weights_of_the_sequential_model(chain):
    """Each layer's input is the output of the one before; the first is given."""
    shape, *entries = chain
    keras.backend.clear_session()
    model = keras.Sequential([keras.Input(shape), *(theirs(name, parameters) for name, parameters in entries)])

    found, counts = [], Counter()
    for name, parameters in entries:
        result = ours(name, name_inside(parameters, counts), shape)
        own = STYLES["keras"].name(name, 0, counts[name])
        found += [(f"{own}/{each.name}", each.shape) for each in result.weights]
        counts[name] += 1
        shape = result.outputs

    assert found == [(weight.path.removeprefix("sequential/"), tuple(weight.shape)) for weight in model.weights]
    assert shape == model.output_shape[1:]


@pytest.mark.proves("the list of layers")
def test_every_class_of_keras_is_here():
    """All of `keras.layers` but what the list names and the other names of convolutions; every one is a case."""
    classes = {name for name, each in vars(keras.layers).items() if inspect.isclass(each)}
    other_names = {name for name in classes if "Convolution" in name}

    assert set(known_layers("keras")) == classes - NO_LAYERS - other_names
    assert {name for name, _, _ in CASES} == set(known_layers("keras"))


@pytest.mark.proves("the list of layers")
def test_every_activation_of_keras_is_known():
    """By the names that `keras.activations.get` finds."""
    assert set(ACTIVATIONS.split()) == set(keras.src.activations.ALL_OBJECTS_DICT)
