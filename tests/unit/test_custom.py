"""Initializers of one's own: what they are given, what is checked of what they return, and where they come from."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from initcli import initializers
from initcli.dtypes import DTYPES
from initcli.engine import generate_file
from initcli.errors import ArgumentError, InitcliError
from initcli.formats.listing import choose_format
from initcli.initializers import Initializer, entry_points, register, registry
from initcli.plan import Plan
from initcli.resolution import load_plan
from initcli.stream import Stream

SPEC = "{{initcli: 1, seed: 5, dtype: {dtype}, tensors: {{fc1/kernel: {{shape: [3, 4], init: '{init}'}}}}}}"


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test register what it likes and leave no trace."""
    registry.load(*registry.MODULES)  # a module registers once: not into a copy that goes
    for table in ("_classes", "_aliases", "_functions"):
        monkeypatch.setattr(registry, table, dict(getattr(registry, table)))


def plan_of(init: str, dtype: str = "float32") -> Plan:
    return load_plan(SPEC.format(init=init, dtype=dtype).encode(), "spec.yaml")


def draw(plan: Plan, folder: Path) -> Any:
    target = folder / "w.npy"
    generate_file(plan, choose_format(str(target), None, 1), target)
    return np.load(target)


def test_a_stream_gives_a_generator_of_its_own_seed_and_name() -> None:
    """It begins with the stream's own first word, and another name or seed begins otherwise."""
    first = Stream(5, "w").generator().bit_generator.random_raw()

    assert first == Stream(5, "w").words(0, 1)[0]
    assert first != Stream(5, "v").generator().bit_generator.random_raw()
    assert first != Stream(6, "w").generator().bit_generator.random_raw()


def test_a_function_that_asks_for_rng_gets_the_tensors_own(tmp_path: Path) -> None:
    """A spec draws with its seed and the tensor's name; the Python side draws the same under both."""
    register("noise")(lambda shape, dtype, rng: rng.standard_normal(shape).astype(dtype))

    expected = Stream(5, "fc1/kernel").generator().standard_normal((3, 4)).astype("float32")

    assert (draw(plan_of("noise"), tmp_path) == expected).all()
    assert (initializers.get("noise", seed=5)((3, 4), name="fc1/kernel") == expected).all()


def test_a_subclass_that_asks_for_rng_gets_it_too(tmp_path: Path) -> None:
    """From a spec and from a direct call, in the manner of Keras with an `__init__` of its own; a given one is used."""

    @register("spread")
    class Spread(Initializer):
        """Draw evenly."""

        def __init__(self, width: float = 1.0, seed: int | None = None) -> None:
            self.width = width
            self.seed = seed

        def __call__(self, shape: Any, dtype: Any = "float32", *, rng: np.random.Generator, name: str = "") -> Any:
            return (self.width * rng.random(shape)).astype(dtype)

    expected = (2 * Stream(5, "fc1/kernel").generator().random((3, 4))).astype("float32")

    assert (draw(plan_of("spread(2)"), tmp_path) == expected).all()
    assert (Spread(width=2, seed=5)((3, 4), name="fc1/kernel") == expected).all()
    assert (Spread()((2,), rng=np.random.default_rng(1)) == np.random.default_rng(1).random(2).astype("f4")).all()


def test_a_class_in_the_manner_of_keras_has_parameters_config_and_equality() -> None:
    """They are read from its `__init__`; the spec in a file names them."""

    @register("filled")
    class Filled(Initializer):
        """Fill."""

        def __init__(self, value: float, times: int = 1) -> None:
            self.value = value
            self.times = times

        def __call__(self, shape: Any, dtype: Any = None) -> Any:
            return np.full(shape, self.value * self.times, dtype)

    made = Filled(2.5)

    assert initializers.get("filled", value=2.5, seed=3).get_config() == {"value": 2.5, "times": 1, "seed": 3}
    assert made.get_config() == {"value": 2.5, "times": 1, "seed": None}
    assert Filled.from_config(made.get_config()) == made != Filled(3.0)
    assert str(made) == "filled(value=2.5)"
    tensors = plan_of("filled(value=2, times=3)").normalized_spec()["tensors"]
    assert tensors["fc1/kernel"]["init"] == {"name": "filled", "value": 2, "times": 3}
    with pytest.raises(ArgumentError, match="has no parameter `valu`"):
        initializers.get("filled", valu=3)
    with pytest.raises(ArgumentError, match="needs `value`"):
        initializers.get("filled")


def test_a_class_that_forgets_its_parameter_is_refused() -> None:
    """Else a file would not say how it was made."""

    @register("forgetful")
    class Forgetful(Initializer):
        def __init__(self, value: float) -> None:
            self._value = value

        def __call__(self, shape: Any, dtype: Any = None) -> Any:
            return np.full(shape, self._value, dtype)

    with pytest.raises(ArgumentError, match="does not tell its parameter `value`"):
        initializers.get("forgetful", value=3)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16", "int8", "bool"])
def test_a_function_is_called_with_a_dtype_that_numpy_knows(dtype: str) -> None:
    """A name, also of a dtype that is not NumPy's own."""
    register("threes")(lambda shape, dtype: np.full(shape, 1, dtype))

    values = initializers.get("threes")((2,), dtype=dtype)

    assert values.dtype.name == dtype
    assert values.astype(float).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda shape, dtype: np.zeros((4, 3), dtype), r"returned float32 of shape \(4, 3\), not float32 of shape \(3"),
        (lambda shape, dtype: np.zeros(shape), r"returned float64 of shape \(3, 4\), not float32"),
        (lambda shape, dtype: None, "returned object of shape"),
        (lambda shape, dtype: np.array([[1, 2, 3, np.nan]] * 3, dtype), "returned values that are not finite: 3 of 12"),
        (lambda shape, dtype: np.full(shape, np.inf, dtype), "returned values that are not finite: 12 of 12"),
        (lambda shape, dtype: 1 / 0, r"raised ZeroDivisionError: division by zero \(.*test_custom.py:\d+\)"),
        (lambda shape, dtype: sys.exit("no\nmore"), "raised SystemExit: no more"),
        (lambda shape, dtype: [[1], [1, 2]], "raised ValueError"),
    ],
)
def test_what_a_function_returns_or_raises_is_checked(function: Any, what: str, tmp_path: Path) -> None:
    """When it is drawn: one error with the tensor's name and place, and no file is left."""
    register("mine")(function)
    plan = plan_of("mine")

    with pytest.raises(InitcliError, match="cannot draw `fc1/kernel`: `mine` " + what) as caught:
        draw(plan, tmp_path)
    with pytest.raises(ArgumentError, match=what):
        initializers.get("mine")((3, 4))

    (fault,) = caught.value.faults
    assert (str(fault.position), fault.path) == ("spec.yaml:1:49", "tensors.fc1/kernel")
    assert not list(tmp_path.iterdir())


def test_an_error_of_a_custom_law_or_init_is_told_when_planning() -> None:
    """With the spec's place and the line of the code."""

    @register("picky")
    @dataclass(frozen=True)
    class Picky(Initializer):
        """Refuse."""

        name: ClassVar[str] = "picky"
        width: int = 0

        def __post_init__(self) -> None:
            if self.width < 0:
                raise ValueError("too narrow")

        def law(self, shape: tuple[int, ...], fans: Any = None) -> Any:
            raise KeyError("no law")

    with pytest.raises(InitcliError, match=r"spec.yaml:1.*`picky` raised ValueError: too narrow \(.*test_custom.py"):
        plan_of("picky(-1)")
    with pytest.raises(InitcliError, match=r"spec.yaml:1.*`picky` raised KeyError: 'no law' \(.*test_custom.py"):
        plan_of("picky")


def test_a_plan_with_a_custom_initializer_is_not_portable() -> None:
    """Nobody knows what it does on another machine."""
    register("mine")(np.zeros)

    assert not plan_of("mine").is_portable


@pytest.mark.parametrize(
    ("name", "subject", "what"),
    [
        ("mine", lambda shape: None, "cannot be called with a shape and a dtype"),
        ("mine", lambda shape, dtype, other: None, "missing a required argument: 'other'"),
        ("mine", 3, "neither a function nor a class"),
        ("mine", int, "is no initializer"),
        ("my init", np.zeros, "cannot be called `my init`"),
        ("", np.zeros, "cannot be called ``"),
        ("he_normal", np.zeros, "called `he_normal` exists already, `.*keras.he_normal"),
        ("kaiming_normal", np.zeros, "called `kaiming_normal` exists already, `.*torch.kaiming_normal"),
        ("mine", type("Lawless", (Initializer,), {}), "neither `law` nor `__call__`"),
    ],
)
def test_what_is_no_initializer_cannot_be_registered(name: str, subject: Any, what: str) -> None:
    """A bare name that a framework has is taken too: it would never be found."""
    with pytest.raises(ArgumentError, match=what):
        register(name)(subject)


def test_a_class_without_a_name_cannot_be_registered() -> None:
    """The name is what a spec calls it by."""
    with pytest.raises(ArgumentError, match="has no name"):
        register(type("Nameless", (Initializer,), {"__call__": lambda self, shape, dtype: None}))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install entry points, each `name = value`, beside a module `inits_of_a_package` of the given text."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    entry_points.load_entry_points.cache_clear()

    def install(text: str, **points: str) -> None:
        (tmp_path / "inits_of_a_package.py").write_text(text)
        made = EntryPoints(EntryPoint(name, value, entry_points.GROUP) for name, value in points.items())
        monkeypatch.setattr("importlib.metadata.entry_points", lambda **wanted: made.select(**wanted))

    yield install
    entry_points.load_entry_points.cache_clear()
    sys.modules.pop("inits_of_a_package", None)


ONES = "import numpy\ndef ones_of_mine(shape, dtype):\n    return numpy.ones(shape, dtype)\n"


def test_an_entry_point_is_loaded_when_its_name_is_asked_for(package: Any) -> None:
    """Not for a built-in name, and not twice."""
    package(ONES, my_ones="inits_of_a_package:ones_of_mine")

    initializers.get("he_normal")
    assert "inits_of_a_package" not in sys.modules

    assert initializers.get("my_ones")((2,)).tolist() == [1, 1]
    assert "my_ones" in initializers.registered()


@pytest.mark.parametrize("value", ["inits_of_a_package:ones_of_mine", "inits_of_a_package"])
def test_an_entry_point_may_register_by_itself(package: Any, value: str) -> None:
    """A module, or what its decorator has registered already, is not registered again."""
    package("import initcli\n" + ONES.replace("def", "@initcli.register('my_ones')\ndef"), my_ones=value)

    assert initializers.get("my_ones")((2,)).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("1 / 0", "inits_of_a_package:f", "ZeroDivisionError: division by zero"),
        ("", "inits_of_a_package:f", "AttributeError"),
        ("f = 3", "inits_of_a_package:f", "is no class, function or module"),
        ("f = lambda shape: 3", "inits_of_a_package:f", "cannot be called with a shape and a dtype"),
        ("", "no_such_module:f", "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_a_broken_entry_point_is_named(package: Any, text: str, value: str, reason: str) -> None:
    """Listing fails, an unknown name says it, and a known one does not care."""
    package(text, broken=value)

    with pytest.raises(ArgumentError, match=f"the entry point `broken = {value}` is broken: .*{reason}"):
        initializers.registered()
    with pytest.raises(ArgumentError, match="unknown initializer `nope`, and the entry point `broken = "):
        initializers.get("nope")
    assert initializers.get("zeros")((1,), dtype=DTYPES["float32"]).tolist() == [0]
