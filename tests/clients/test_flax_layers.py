"""flax itself says what its layers' variables are called, how large they are, and what they hold at first."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from functools import cache
from math import prod

import flax
import jax
import numpy as np
import pytest
from closed_forms import FALSE_ALARM
from flax import linen, nnx
from flax.traverse_util import flatten_dict
from flax_module_cases import LINEN, NNX, REFUSED_LINEN, REFUSED_NNX, STRICTER_LINEN, STRICTER_NNX
from jaxlib.mlir.ir import MLIRError
from scipy import stats

from initcli.calls import parse_call
from initcli.dtypes import parse_dtype
from initcli.fans import axes_fans
from initcli.initializers import find
from initcli.initializers.base import build, decide_law
from initcli.laws.whole import Orthogonal
from initcli.layers import STYLES, find_layer, known_layers
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

FRAMEWORK = f"flax {flax.__version__}"

pytestmark = pytest.mark.filterwarnings("ignore:SelfAttention will be deprecated:DeprecationWarning")

BATCH = 2
KEY = jax.random.key(1234)

REFUSALS = (ValueError, TypeError, AssertionError, IndexError, ArithmeticError, RuntimeError, MLIRError)

NOT_HERE = {
    "linen": {
        *("Module", "Sequential", "RNN", "RNNCellBase", "Bidirectional", "WeightNorm", "SpectralNorm", "Einsum"),
        *("ConvLSTMCell", "Fp8DirectDotGeneralOp", "Fp8DotGeneral", "Fp8DotGeneralOp", "Fp8Einsum"),
        "NANOOFp8DotGeneralOp",
    },
    "nnx": {
        *("Module", "Sequential", "List", "Dict", "RNN", "RNNCellBase", "Bidirectional", "WeightNorm", "SpectralNorm"),
        *("Einsum", "LoRA", "LoRALinear"),
    },
}
"""Containers, parents, what wraps other layers, and classes that the page does not promise."""


def initialized(parameters):
    """The arguments, where the name of an initializer stands for JAX's."""

    def resolve(name, value):
        if not name.endswith("_init") or not isinstance(value, str) or value == "nonsense":
            return value
        made = getattr(jax.nn.initializers, value)
        return made if value in ("zeros", "ones") else made()

    return {name: resolve(name, value) for name, value in parameters.items()}


def call_linen(name, inputs, parameters):
    """The output of a module and its flat variables in order, drawn as flax draws them."""
    module = getattr(linen, name)(**initialized(parameters))
    shape = (BATCH, *inputs)
    batch = np.zeros(shape, np.int32 if name == "Embed" else np.float32)
    given = (batch,)
    if name.endswith("Cell"):
        given = (module.initialize_carry(KEY, shape), batch)
    mode = {"use_running_average": True} if name == "BatchNorm" else {}
    output, variables = module.init_with_output({"params": KEY, "dropout": KEY}, *given, **mode)
    return jax.tree.leaves(output)[-1], {"/".join(path): each for path, each in flatten_dict(variables).items()}


def state_nnx(name, parameters):
    """The flat state of a module of nnx, but for its generators of random numbers."""
    extra = {} if name == "PReLU" else {"rngs": nnx.Rngs(1234)}
    module = getattr(nnx, name)(**initialized(parameters), **extra)
    flat = nnx.to_flat_state(nnx.state(module, nnx.Not(nnx.RngState)))
    return {"/".join(map(str, path)): each.get_value() for path, each in flat}


CASES = [(name, inputs, parameters) for name, inputs, parameters in LINEN] + [
    (f"nnx.{name}", None, parameters) for name, parameters in NNX
]
REFUSED = REFUSED_LINEN + [(f"nnx.{name}", None, parameters) for name, parameters in REFUSED_NNX]
STRICTER = STRICTER_LINEN + [(f"nnx.{name}", None, parameters) for name, parameters in STRICTER_NNX]


def theirs(name, inputs, parameters):
    """flax's output, None for nnx, and its variables."""
    if inputs is None:
        return None, state_nnx(name.removeprefix("nnx."), parameters)
    return call_linen(name, inputs, parameters)


@cache
def _made(number):
    output, variables = theirs(*CASES[number])
    return output, {key: (str(each.dtype), np.asarray(each, np.float32)) for key, each in variables.items()}


def made(*case):
    """What flax makes; each case is made once."""
    return _made(CASES.index(case))


def built(name, inputs, parameters):
    """What initcli makes of it."""
    return find_layer("jax", name).build(parameters, inputs)


def path_of(weight):
    return f"{weight.collection}/{weight.name}".lstrip("/")


def law_of(weight):
    """The law of a weight's text, its fans read by the names of its axes if it has any."""
    name, positional, named = parse_call(weight.init)
    initializer = build(find(name, "jax"), named, positional, "jax")
    fans = axes_fans(weight.shape, weight.axes) if weight.axes else None
    return decide_law(initializer, weight.shape, parse_dtype(weight.dtype or "float32"), fans)


def drawn(weight):
    """Our array of a weight, in float32."""
    dtype = parse_dtype(weight.dtype or "float32")
    values = sample_range(law_of(weight), Stream(42, path_of(weight)), dtype, 0, prod(weight.shape), Scratch())
    return values.astype(np.float32).reshape(weight.shape)


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "inputs", "parameters"), CASES)
def test_names_shapes_and_dtypes_are_those_of_the_variables(name, inputs, parameters):
    """In flax's order, the running statistics too."""
    expected = [(key, each.shape, dtype) for key, (dtype, each) in made(name, inputs, parameters)[1].items()]

    ours = [(path_of(each), each.shape, each.dtype or "float32") for each in built(name, inputs, parameters).weights]

    assert ours == expected


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "inputs", "parameters"), [case for case in CASES if case[1] is not None])
def test_the_output_has_flaxs_shape(name, inputs, parameters):
    """Of one example, without the batch."""
    assert (BATCH, *built(name, inputs, parameters).outputs) == made(name, inputs, parameters)[0].shape


@pytest.mark.parametrize(("name", "inputs", "parameters"), CASES)
def test_first_values_have_the_law_that_flax_draws_from(name, inputs, parameters):
    """What is constant is equal; what is random passes a two-sample Kolmogorov–Smirnov test.

    And flax's values keep to the promised mean and std within five standard errors; what is orthogonal is so as a
    whole, on both sides.
    """
    variables = made(name, inputs, parameters)[1]
    for weight in built(name, inputs, parameters).weights:
        ours, (dtype, theirs) = drawn(weight), variables[path_of(weight)]
        law = law_of(weight)
        if isinstance(law, Orthogonal):
            for side in (ours, theirs):
                check_orthonormal(side, dtype)
        elif not law.is_random or not ours.size:
            np.testing.assert_array_equal(ours, theirs, strict=True)
        else:
            check_same_law(law, ours, theirs, dtype)


def check_orthonormal(matrix, dtype):
    """The shorter of rows and columns are orthonormal, to the rounding of each product in the dtype."""
    rows = matrix.astype(np.float64) if len(matrix) <= len(matrix.T) else matrix.T.astype(np.float64)
    unit = float(jax.numpy.finfo(dtype).eps)
    # a dot product of two unit vectors whose entries are each off by a unit is off by at most two, and by QR's own
    assert np.abs(rows @ rows.T - np.eye(len(rows))).max() <= 2 * unit + len(matrix) * float(np.finfo(np.float32).eps)


def check_same_law(law, ours, theirs, dtype):
    assert stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp").pvalue > FALSE_ALARM
    mean_error, std_error = law.standard_errors(theirs.size)
    rounding = float(jax.numpy.finfo(dtype).eps) * law.std
    assert abs(theirs.mean(dtype=np.float64) - law.mean) <= 5 * mean_error + rounding
    assert abs(theirs.std(dtype=np.float64) - law.std) <= 5 * std_error + rounding
    if math.isfinite(law.high):
        assert np.abs(theirs).max() <= law.high * (1 + 2 * float(jax.numpy.finfo(dtype).eps))


def signature_theirs(name):
    """The arguments of a class that a spec can give: neither a generator of random numbers nor a place in a module."""
    tree = nnx if name.startswith("nnx.") else linen
    arguments = inspect.signature(getattr(tree, name.removeprefix("nnx.")).__init__).parameters
    return {key: each.default for key, each in arguments.items() if key not in ("self", "parent", "name", "rngs")}


def written(name, default):
    """A default as a spec would write it: the dtype of parameters is left to the spec."""
    if name == "param_dtype":
        return None
    if isinstance(default, Mapping):
        return ()
    if default is jax.numpy.float32:
        return "float32"
    is_named = callable(default) and default is not inspect.Parameter.empty
    return default.__name__ if is_named else default


@pytest.mark.compares("arguments")
@pytest.mark.parametrize("name", known_layers("jax"))
def test_arguments_and_defaults_are_those_of_the_class(name):
    """By name, in the class's order; initializers are compared by what they draw."""
    expected, ours = signature_theirs(name), find_layer("jax", name).parameters

    assert list(ours) == list(expected)
    for key, default in expected.items():
        if not (key.endswith("_init") and callable(default)):
            assert ours[key].default == written(key, default), key


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "inputs", "parameters"), REFUSED)
def test_what_the_class_refuses_is_refused(name, inputs, parameters):
    """Whatever flax raises, it is a ValueError here."""
    with pytest.raises(REFUSALS):
        theirs(name, inputs, parameters)

    with pytest.raises(ValueError, match=r"."):
        built(name, inputs, parameters)


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "inputs", "parameters"), STRICTER)
def test_what_is_refused_here_alone_is_let_through_there(name, inputs, parameters):
    """What flax itself refuses only later, or where the size of the batch would become a weight's."""
    theirs(name, inputs, parameters)

    with pytest.raises(ValueError, match=r"."):
        built(name, inputs, parameters)


@pytest.mark.proves("the automatic names of layers")
def test_layers_without_a_name_are_called_as_in_a_compact_module():
    """By class, counted for each class."""

    class Chain(linen.Module):
        @linen.compact
        def __call__(self, x):
            for each in ("Dense", "LayerNorm", "Dense"):
                x = getattr(linen, each)(**({"features": 3} if each == "Dense" else {}))(x)
            return x

    expected = list(Chain().init(KEY, np.zeros((1, 4), np.float32))["params"])

    name = STYLES["jax"].name
    assert [name("Dense", 0, 0), name("LayerNorm", 1, 0), name("Dense", 2, 1)] == expected


@pytest.mark.proves("the list of layers")
def test_every_class_of_flax_is_here():
    """All modules of both trees but those that are named above as not."""
    classes = {
        tree: {
            name
            for name, each in vars(space).items()
            if isinstance(each, type) and issubclass(each, space.Module) and name not in NOT_HERE[tree]
        }
        for tree, space in (("linen", linen), ("nnx", nnx))
    }

    expected = classes["linen"] | {f"nnx.{name}" for name in classes["nnx"]}
    assert set(known_layers("jax")) == expected
    assert {name for name, _, _ in CASES} == expected
