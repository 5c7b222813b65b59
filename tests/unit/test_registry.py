"""Names, aliases, configs, callables, and initializers of one's own."""

import json
from dataclasses import MISSING, dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from initcli import initializers
from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError
from initcli.initializers import HeNormal, Initializer, registry
from initcli.laws import Normal
from initcli.laws.whole import Drawn
from initcli.stream import Stream

SIXTEEN = [
    "zeros",
    "ones",
    "constant",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
    "orthogonal",
    "identity",
    "lecun_uniform",
    "lecun_normal",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "stft",
]


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test register what it likes and leave no trace."""
    registry.load(*registry.MODULES)  # a module registers once: not into a copy that goes
    monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    monkeypatch.setattr(registry, "_aliases", dict(registry._aliases))


def test_keras_has_its_sixteen() -> None:
    """No more, no fewer, under their own names."""
    names = [cls.name for cls in initializers.registered().values() if cls.framework == "keras"]

    assert sorted(names) == sorted(SIXTEEN)


@pytest.mark.parametrize("name", SIXTEEN)
def test_every_form_of_a_name_means_the_same(name: str) -> None:
    """Snake case, class name, either with the framework before it, config of Keras 2 and 3, and the class."""
    cls = initializers.find(name)

    for form in (name, cls.__name__, f"keras.{name}", f"keras.{cls.__name__}", cls):
        assert initializers.get(form) == cls()
    assert initializers.get({"class_name": cls.__name__, "config": {"seed": None}}) == cls()
    assert initializers.get({"class_name": cls.__name__, "module": "keras.initializers"}) == cls()


def test_instances_callables_and_none_come_back_as_they_are() -> None:
    """As in Keras 3."""
    instance = HeNormal(seed=3)

    assert initializers.get(instance) is instance
    assert initializers.get(np.zeros) is np.zeros
    assert initializers.get(None) is None


@pytest.mark.parametrize("bad", [3, [1.0], {"config": {}}, "he_norml", "KERAS.zeros", ""])
def test_what_means_nothing_is_an_error(bad: Any) -> None:
    """Case matters, and there is no guessing."""
    with pytest.raises(ArgumentError):
        initializers.get(bad)


def test_an_unknown_name_suggests_a_near_one() -> None:
    """The hint carries the mend."""
    with pytest.raises(ArgumentError) as caught:
        initializers.get("he_norml")

    assert caught.value.faults[0].hint.startswith("did you mean `he_normal`?")


@pytest.mark.parametrize(
    ("name", "framework", "hint"),
    [
        ("kaiming_normal", "keras", "torch's: write `torch.kaiming_normal`"),
        ("calculate_gian", "keras", "`initcli list` shows all"),
        ("torch.lecun_uniform", "keras", "write `jax.lecun_uniform`"),
        ("torch.kaiming_norml", "keras", "did you mean `torch.kaiming_normal`?"),
        ("truncc_normal", "torch", "did you mean `trunc_normal`?"),
        ("random_norml", "keras", "did you mean `random_normal`?"),
        ("trunc_norml", "torch", "did you mean `trunc_normal`?"),
    ],
)
def test_a_hint_looks_into_every_framework(name: str, framework: str, hint: str) -> None:
    """Who has the name, and how to write it; a near name of the spec's own framework needs no prefix."""
    with pytest.raises(ArgumentError, match=f"unknown initializer `{name}`") as caught:
        initializers.get(name, framework)

    assert hint in caught.value.faults[0].hint


@pytest.mark.parametrize("name", ["HeNormalV2", "he_normalV2", "keras.HeNormalV2", "keras.he_normalV2"])
def test_the_names_of_version_2_are_kerass(name: str) -> None:
    """tf.keras up to 2.15 knows them; configs that it wrote say so."""
    assert initializers.get(name) == HeNormal()


@pytest.mark.parametrize("name", ["zerosV2", "STFTV2", "OrthogonalInitializerV2", "normalV2", "torch.NormalV2", "V2"])
def test_no_other_name_takes_version_2(name: str) -> None:
    """Snake case has it for six laws only, and other frameworks not at all."""
    with pytest.raises(ArgumentError, match="unknown initializer"):
        initializers.get(name)


def test_a_config_of_keras_3_is_taken_as_it_writes_it() -> None:
    """Keras 3.15 says which axes are named: none."""
    config = {"seed": 3, "input_axes": None, "output_axes": None}
    written = {"module": "keras.initializers", "class_name": "HeNormal", "config": config, "registered_name": None}

    assert initializers.get(written) == HeNormal(seed=3)


def test_a_config_of_keras_2_may_carry_a_dtype() -> None:
    """Keras 2 passes over it; in a config of Keras 3, which refuses it, it is an error."""
    config = {"class_name": "RandomNormal", "config": {"mean": 1.0, "stddev": 2.0, "seed": 3, "dtype": "float32"}}

    assert initializers.get(config) == initializers.RandomNormal(1.0, 2.0, seed=3)
    with pytest.raises(ArgumentError, match="no parameter `dtype`"):
        initializers.get({**config, "module": "keras.initializers"})


@pytest.mark.parametrize(
    "config", [{"class_name": 3}, {"class_name": "Zeros", "confg": {}}, {"class_name": "Zeros", "config": 3}]
)
def test_a_config_of_another_form_is_refused(config: Any) -> None:
    """A class name that is text, a mapping, and no other key."""
    with pytest.raises(ArgumentError):
        initializers.get(config)


def test_an_array_becomes_an_initializer_that_returns_it() -> None:
    """Cast to the dtype, each time a new one; another shape is refused, as in Keras 3."""
    values = np.array([[1.0, 2.0], [3.0, 4.0]])

    given = initializers.get(values)
    values[0, 0] = 9.0
    drawn = given((2, 2), dtype="float16")
    drawn[1, 1] = 9.0

    assert drawn.dtype == np.float16
    assert given(shape=(2, 2), dtype="int32").tolist() == [[1, 2], [3, 4]]
    assert given.law((2, 2)).sample(Stream(0, "w"), DTYPES["float32"]).tolist() == [1, 2, 3, 4]
    with pytest.raises(ArgumentError, match=r"has shape \[2, 2\], not \[2, 3\]"):
        given((2, 3))
    assert initializers.get(np.float32(3))(()) == 3  # as Keras 3.15.1: an array of rank 0


@pytest.mark.parametrize("bad", [3, 0.5, True, [1.0], (1, 2)])
def test_numbers_and_lists_are_no_initializers(bad: Any) -> None:
    """As in Keras."""
    with pytest.raises(ArgumentError, match="is not an initializer"):
        initializers.get(bad)


def test_a_class_that_is_no_initializer_is_made_and_called() -> None:
    """As in Keras 3, which makes an object of any class."""

    class Threes:
        def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
            return np.full(shape, 3, dtype)

    assert isinstance(initializers.get(Threes), Threes)


def test_parameters_go_with_a_name_only() -> None:
    """An object has its parameters already."""
    with pytest.raises(ArgumentError, match="takes no parameters"):
        initializers.get(HeNormal(), seed=3)
    with pytest.raises(ArgumentError, match="takes no parameters"):
        initializers.get(None, seed=3)


@pytest.mark.parametrize("name", registry.registered())
def test_every_initializer_survives_its_config(name: str) -> None:
    """`from_config(get_config())` is equal, the seed too, also after a way through JSON; another seed is not."""
    cls = registry.registered()[name]
    words = {"mode": "fan_in", "distribution": "uniform", "weight": "fc1", "stack": "decoder"}
    counts = {"fan_in": 3, "hidden_size": 3, "layers": 24, "layer": 2, "d": 512, "factor": 4, "seq_len": 9}
    counts |= {"max_position_embeddings": 8, "original_max_position_embeddings": 8}
    required = {
        f.name: {**words, **counts}.get(f.name, [0.5] if str(f.type).startswith("tuple") else 0.5)
        for f in cls.parameters()
        if f.default is MISSING and f.default_factory is MISSING
    }
    made = registry.build(cls, {**required, "seed": 7})

    again = cls.from_config(made.get_config())
    through_json = cls.from_config(json.loads(json.dumps(made.get_config())))

    assert again == made == through_json
    assert again.seed == 7
    assert cls.from_config({**made.get_config(), "seed": 8}) != made
    assert initializers.get({"class_name": name, "config": made.get_config()}) == made


def test_a_call_draws_what_the_tensor_of_that_name_and_seed_gets() -> None:
    """Calling twice gives equal values; another name or seed gives others."""
    he = HeNormal(seed=7)

    values = he((20, 10), name="fc1/kernel")

    assert (values == he((20, 10), name="fc1/kernel")).all()
    assert (values != he((20, 10), name="fc2/kernel")).any()
    assert (values != HeNormal(seed=8)((20, 10), name="fc1/kernel")).any()


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32"), float, None])
def test_a_dtype_is_a_name_a_type_or_a_numpy_dtype(dtype: Any) -> None:
    """All of these mean float32."""
    assert HeNormal()((2, 2), dtype=dtype).dtype == np.float32


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True])
def test_a_bad_seed_is_refused(seed: Any) -> None:
    """A seed is a whole number of any size, from 0, or None."""
    with pytest.raises(ArgumentError, match="`seed` must be a whole number ≥ 0"):
        HeNormal(seed=seed)((2, 2))


@pytest.mark.parametrize("shape", ["abc", (2, -1), (2.5,), None, (True,)])
def test_a_bad_shape_is_refused(shape: Any) -> None:
    """A shape is a tuple of whole numbers, or one of them."""
    with pytest.raises(ArgumentError, match="a shape is"):
        HeNormal()(shape)


def test_a_subclass_with_a_law_is_an_initializer_like_any_other() -> None:
    """It needs a name and a law; parameters are dataclass fields."""

    @initializers.register
    @dataclass(frozen=True)
    class Tenth(Initializer):
        """Draw from N(0, stddev² / 100)."""

        name: ClassVar[str] = "tenth"
        stddev: float = 1.0

        def law(self, shape: tuple[int, ...], fans: object = None) -> Normal:
            return Normal(0.0, self.stddev / 10)

    values = initializers.get("tenth", stddev=2.0)((100, 100))

    assert abs(values.std() - 0.2) < 5 * 0.2 / np.sqrt(2 * values.size)


def test_a_subclass_with_a_call_is_one_too() -> None:
    """As in Keras: `__call__(shape, dtype)` returns the values."""

    @initializers.register("sevens")
    @dataclass(frozen=True)
    class Sevens(Initializer):
        """Fill with sevens."""

        def __call__(self, shape: tuple[int, ...], dtype: Any = "float32", name: str = "") -> Any:
            return np.full(shape, 7, dtype)

    assert initializers.get("sevens")((2,)).tolist() == [7, 7]
    assert isinstance(initializers.get("sevens").law((2,)), Drawn)


def test_a_plain_class_in_the_manner_of_keras_is_one_too() -> None:
    """With an `__init__` of its own and no dataclass: it draws, and the engine can take it as a whole-tensor law."""

    class Filled(Initializer):
        """Fill with a value."""

        def __init__(self, value: float) -> None:
            self.value = value

        def __call__(self, shape: tuple[int, ...], dtype: Any = "float32", name: str = "") -> Any:
            return np.full(shape, self.value, dtype)

    filled = Filled(2.5)
    law = filled.law((3,))

    assert initializers.get(filled) is filled
    assert isinstance(law, Drawn)
    assert law.sample(Stream(0, "w"), DTYPES["float16"]).tolist() == [2.5] * 3


def test_a_function_can_be_registered_and_a_taken_name_cannot() -> None:
    """`f(shape, dtype)` becomes an entry of its own name."""
    initializers.register("ramp")(lambda shape, dtype: np.arange(shape[0], dtype=dtype))

    assert initializers.get("ramp")((3,)).tolist() == [0, 1, 2]
    with pytest.raises(ArgumentError, match="exists already"):
        initializers.register("ramp")(np.zeros)
