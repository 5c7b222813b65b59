"""Keras 2: what its two entries have of their own, what they share, and singular vectors in place of Haar matrices."""

from math import prod, sqrt
from typing import Any

import numpy as np
import pytest

from initcli import initializers
from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.laws import TruncatedNormal, Uniform
from initcli.laws.whole import SingularVectors
from initcli.resolution import load_plan
from initcli.stream import Stream

# Expected std and bound of what Keras 2.2.4's source drew, on a stub of a backend: (initializer, shape, std, bound).
MEASURED = [
    ("glorot_normal", (784, 128), 0.0468292905791, 0.106475498962),
    ("glorot_uniform", (90000,), 0.057735026919, 0.1),
    ("glorot_uniform", (2, 2, 2, 10, 20, 30), 0.0675600077404, 0.117017365966),
]


@pytest.mark.parametrize(("name", "shape", "std", "bound"), MEASURED)
def test_keras_2_2_is_what_its_source_drew(name: str, shape: tuple[int, ...], std: float, bound: float) -> None:
    """Cut normals are widened; rank 1 and ranks from 6 on have √size for both fans."""
    law = initializers.get(f"keras2_2.{name}").law(shape)

    assert law.std == pytest.approx(std, rel=1e-11)
    assert law.high == pytest.approx(bound, rel=1e-11)


@pytest.mark.parametrize(("name", "scale"), [("glorot_normal", 1.0), ("he_normal", 2.0), ("lecun_normal", 1.0)])
def test_a_cut_normal_of_rank_one_by_hand(name: str, scale: float) -> None:
    """256 values: both fans are 16. Up to 2.1 the std is what the cut leaves, from 2.2 on it holds after it."""
    old, new = (initializers.get(f"keras2_{minor}.{name}").law((256,)) for minor in (1, 2))

    assert old == TruncatedNormal(0.0, sqrt(scale / 16))
    assert new == TruncatedNormal.with_std(sqrt(scale / 16))


def test_variance_scaling_of_keras_2_2_reads_its_words_in_any_letters() -> None:
    """As Keras 2, which knew two distributions."""
    scaling = initializers.get("keras2_2.VarianceScaling", scale=4, mode="FAN_OUT", distribution="Normal")

    assert scaling.law((3, 16)) == TruncatedNormal.with_std(0.5)
    assert scaling.law((5,), Fans(1, 16)) == TruncatedNormal.with_std(0.5)
    assert initializers.get("keras2_2.variance_scaling", distribution="uniform").law((300, 3)) == Uniform(-0.1, 0.1)
    with pytest.raises(ArgumentError, match="`distribution` cannot be"):
        initializers.get("keras2_2.variance_scaling", distribution="untruncated_normal")


# The keys of Keras 2.0 to 2.3.1's table of initializers, and the entry that holds the law for 2.0-2.1 and 2.2-2.3.
KEYS: list[tuple[str, str, str]] = [
    *((key, "keras.zeros", "keras.zeros") for key in ("Zeros", "zero", "zeros")),
    *((key, "keras.ones", "keras.ones") for key in ("Ones", "one", "ones")),
    *((key, "keras.constant", "keras.constant") for key in ("Constant", "constant")),
    *((key, "keras.random_normal", "keras.random_normal") for key in ("RandomNormal", "normal", "random_normal")),
    *((key, "keras.random_uniform", "keras.random_uniform") for key in ("RandomUniform", "uniform", "random_uniform")),
    *((key, "keras.truncated_normal", "keras.truncated_normal") for key in ("TruncatedNormal", "truncated_normal")),
    *((key, "keras2_1.orthogonal", "keras2_1.orthogonal") for key in ("Orthogonal", "orthogonal")),
    *((key, "keras2_1.identity", "keras2_2.identity") for key in ("Identity", "identity")),
    ("VarianceScaling", "keras2_1.variance_scaling", "keras2_2.variance_scaling"),
    *((f"{who}_uniform", *[f"keras2_1.{who}_uniform"] * 2) for who in ("glorot", "he", "lecun")),
    *((f"{who}_normal", f"keras2_1.{who}_normal", f"keras2_2.{who}_normal") for who in ("glorot", "he", "lecun")),
]


@pytest.mark.parametrize(("key", "old", "new"), KEYS)
def test_every_name_of_keras_2_is_found(key: str, old: str, new: str) -> None:
    """In a spec of that framework, and in full; what did not change is the entry of the version that has it first."""
    for framework, entry in (("keras2_1", old), ("keras2_2", new)):
        assert initializers.find(key, framework).qualified_name() == entry
        assert initializers.find(f"{framework}.{key}").qualified_name() == entry


@pytest.mark.parametrize("name", ["stft", "untruncated_normal"])
def test_what_keras_2_did_not_have_it_has_not(name: str) -> None:
    """Names are lent one by one."""
    with pytest.raises(ArgumentError, match="unknown initializer"):
        initializers.find(f"keras2_1.{name}")


@pytest.mark.parametrize("framework", ["keras2_1", "keras2_2"])
def test_a_spec_of_keras_2_needs_no_prefix(framework: str) -> None:
    """The plan names each entry in full, and resolves to the same laws again."""
    tensors = "k: {shape: [9], init: glorot_uniform}, b: {shape: [3], init: zeros}"
    text = f"initcli: 1\nframework: {framework}\ntensors: {{{tensors}}}"

    plan = load_plan(text.encode(), "spec.yaml")

    assert [tensor.initializer.qualified_name() for tensor in plan.tensors] == [
        "keras2_1.glorot_uniform",
        "keras.zeros",
    ]
    assert plan.tensors[0].law == Uniform(-1.0, 1.0)  # √(6 / (3 + 3))
    again = load_plan(plan.metadata()["initcli.spec"].encode(), "spec.json")
    assert [tensor.law for tensor in again.tensors] == [tensor.law for tensor in plan.tensors]


# (initializer, parameters, shape, rows, cols, gain): Keras's last axis is the columns, the others' first the rows.
VECTORS: list[tuple[str, dict[str, Any], tuple[int, ...], int, int, float]] = [
    ("keras2_1.orthogonal", {}, (3, 4, 10), 12, 10, 1.0),
    ("keras2_1.orthogonal", {"gain": -2.0}, (3, 4, 20), 12, 20, -2.0),
    ("keras2_1.orthogonal", {}, (9, 9), 9, 9, 1.0),
    ("mxnet.orthogonal", {}, (4, 3, 5), 4, 15, 1.414),
    ("mxnet.orthogonal", {"scale": 1.0, "rand_type": "normal"}, (20, 3, 5), 20, 15, 1.0),
    ("lasagne.orthogonal", {"gain": "relu"}, (4, 3, 5), 4, 15, sqrt(2)),
]


@pytest.mark.parametrize(("name", "parameters", "shape", "rows", "cols", "gain"), VECTORS)
def test_singular_vectors_are_those_of_the_matrix_that_is_drawn(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], rows: int, cols: int, gain: float
) -> None:
    """W Wᵀ or Wᵀ W is gain² I, and W turns the matrix into one whose Gram matrix is diagonal and falling."""
    law = initializers.get(name, **parameters).law(shape)
    assert isinstance(law, SingularVectors)
    vectors = law.sample(Stream(0, "w"), DTYPES["float64"]).reshape(rows, cols) / gain
    drawn = law.entries
    like = "uniform" if isinstance(drawn, Uniform) else "normal"
    bounds = {"a": -1.0, "b": 1.0} if like == "uniform" else {}
    matrix = initializers.get(f"torch.{like}", **bounds)((rows, cols), dtype="float64", name="w")

    small = min(rows, cols)
    rounding = 8 * max(rows, cols) * np.finfo(np.float64).eps
    gram = vectors.T @ vectors if rows >= cols else vectors @ vectors.T
    assert gram == pytest.approx(np.eye(small), abs=rounding)
    turned = vectors.T @ matrix if rows >= cols else (matrix @ vectors.T).T
    squares = turned @ turned.T
    assert squares == pytest.approx(np.diag(np.diag(squares)), abs=rounding * squares.max())
    assert (np.diff(np.diag(squares)) < 0).all()
    assert like == ("uniform" if name == "mxnet.orthogonal" and not parameters else "normal")


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("name", "shape"), [("keras2_1.orthogonal", (64, 64)), ("mxnet.orthogonal", (8, 100))])
def test_singular_vectors_keep_their_promise(name: str, shape: tuple[int, ...], seed: int) -> None:
    """Mean and std within five standard errors, nothing beyond the gain."""
    initializer = initializers.get(name, seed=seed)
    law, drawn = initializer.law(shape), initializer(shape, dtype="float64")

    mean_error, std_error = law.standard_errors(drawn.size)
    assert abs(drawn.mean() - law.mean) <= 5 * mean_error
    assert abs(drawn.std() - law.std) <= 5 * std_error
    assert np.abs(drawn).max() <= law.high
    assert not law.is_portable


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (3, 0, 2)])
def test_an_empty_matrix_has_no_singular_vectors(shape: tuple[int, ...]) -> None:
    """An empty array, no error."""
    assert initializers.get("keras2_1.orthogonal")(shape).size == prod(shape) == 0


@pytest.mark.parametrize("shape", [(), (5,)])
def test_a_vector_is_refused(shape: tuple[int, ...]) -> None:
    """Keras 2 raises an IndexError."""
    with pytest.raises(ArgumentError, match="rank 2 or more"):
        initializers.get("keras2_2.orthogonal").law(shape)


def test_what_an_svd_holds_is_within_what_it_told() -> None:
    """NumPy's own traced allocations are a part of the peak that a plan tells; LAPACK's work is not traced."""
    import tracemalloc

    law = SingularVectors(2000, 100)
    law.sample(Stream(0, "w"), DTYPES["float32"])  # what is imported at first use is no part of it

    tracemalloc.start()
    law.sample(Stream(0, "w"), DTYPES["float32"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert 2 * 8 * 2000 * 100 <= peak <= law.peak_nbytes(DTYPES["float32"])
