"""A value depends on seed, name, element index and law, and on nothing else."""

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from initcli import engine
from initcli.dtypes import DTYPES
from initcli.engine import generate_file
from initcli.formats.detection import detect_format
from initcli.formats.listing import choose_format
from initcli.laws import Eye, Law, Normal, TruncatedNormal, Uniform
from initcli.moments import Moments, measure
from initcli.report import Report
from initcli.resolution import load_plan
from initcli.sampling import sample_range
from initcli.scratch import Scratch
from initcli.stream import Stream

LAWS = st.sampled_from([Normal(0.5, 2.0), Uniform(-1.0, 3.0), TruncatedNormal(0.0, 0.02), Eye(37, 29, 1.5)])
FLOATS = st.sampled_from([DTYPES[name] for name in ("float64", "float32", "bfloat16", "float8_e5m2")])
SEEDS = st.integers(0, 2**200)
NAMES = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20)


def bits(array: NDArray[Any]) -> bytes:
    return array.tobytes()


@given(LAWS, FLOATS, SEEDS, NAMES, st.lists(st.integers(0, 1073), max_size=6), st.randoms(use_true_random=False))
def test_any_cut_in_any_order_gives_the_bytes_of_the_whole(
    law: Law, dtype: Any, seed: int, name: str, cuts: list[int], random: Any
) -> None:
    """Ranges are filled alone, in a shuffled order, from scratch that others have used."""
    stream, size, scratch = Stream(seed, name), 1073, Scratch()
    whole = sample_range(law, stream, dtype, 0, size, Scratch())
    edges = [0, *sorted(cuts), size]
    ranges = list(pairwise(edges))
    random.shuffle(ranges)

    parts = {
        start: bits(sample_range(law, stream, dtype, start, stop, scratch)) for start, stop in ranges if start < stop
    }

    assert b"".join(parts[start] for start in sorted(parts)) == bits(whole)


@given(st.integers(0, 2**60), st.integers(1, 50), LAWS, FLOATS)
def test_far_elements_are_reached_without_the_near_ones(start: int, size: int, law: Law, dtype: Any) -> None:
    """Element 2⁶⁰ is as quick to draw as element 0, and overlaps agree."""
    stream = Stream(1, "w")

    here = sample_range(law, stream, dtype, start, start + size, Scratch()).tolist()
    half = sample_range(law, stream, dtype, start + size // 2, start + size, Scratch()).tolist()

    assert here[size // 2 :] == half


INITS = ["he_normal", "glorot_uniform", "random_normal", "zeros", "orthogonal", "{name: constant, value: 2}"]
TENSORS = st.dictionaries(
    st.from_regex(r"[a-z]{1,3}(\.[a-z]{1,3})?", fullmatch=True),
    st.tuples(
        st.lists(st.integers(0, 40), min_size=2, max_size=3),
        st.sampled_from(INITS),
        st.sampled_from(["float64", "float32", "float16", "bfloat16"]),
    ),
    min_size=1,
    max_size=8,
)


def render_spec(tensors: dict[str, Any], seed: int) -> bytes:
    lines = [f'  "{n}": {{shape: {list(s)}, init: {i}, dtype: {d}}}' for n, (s, i, d) in tensors.items()]
    return "\n".join(["initcli: 1", f"seed: {seed}", "tensors:", *lines]).encode()


def generate(tensors: dict[str, Any], seed: int, suffix: str, jobs: int) -> tuple[bytes, dict[str, bytes], Report]:
    """Return the file's bytes, each tensor's, and the report."""
    plan = load_plan(render_spec(tensors, seed), "spec.yaml")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"w{suffix}"
        report = generate_file(plan, choose_format(str(path), None, len(plan.tensors)), path, jobs=jobs)
        names = [tensor.name for tensor in plan.tensors]
        values = {n: bits(detect_format(path).read_tensor(path, n)) for n in names}
        return path.read_bytes(), values, report


@settings(deadline=None, max_examples=25)
@given(TENSORS, st.integers(0, 5), st.sampled_from([".safetensors", ".h5"]), st.integers(2, 7))
def test_the_number_of_jobs_changes_neither_the_file_nor_the_statistics(
    tensors: dict[str, Any], seed: int, suffix: str, jobs: int
) -> None:
    """Chunks are made small here, so that every tensor is cut among the workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "CHUNK_ELEMS", 256)

        one, _, report = generate(tensors, seed, suffix, jobs=1)
        many, _, again = generate(tensors, seed, suffix, jobs=jobs)

    assert one == many
    assert report.to_data() == again.to_data()


@settings(deadline=None, max_examples=25)
@given(TENSORS, st.data(), st.integers(0, 5))
def test_neighbours_and_order_move_no_value(tensors: dict[str, Any], data: st.DataObject, seed: int) -> None:
    """Adding, removing and reordering tensors, and the format, leave the bytes of the others alone."""
    names = data.draw(st.permutations(list(tensors)))
    kept = {name: tensors[name] for name in names[: data.draw(st.integers(1, len(names)))]}

    _, all_values, _ = generate(tensors, seed, ".safetensors", jobs=1)
    _, some_values, _ = generate(kept, seed, ".h5", jobs=2)

    assert some_values == {name: all_values[name] for name in kept}


@given(st.lists(st.lists(st.floats(-1e3, 1e3, width=32), max_size=30), max_size=6))
def test_merged_moments_are_those_of_all_values_together(runs: list[list[float]]) -> None:
    """However the values are cut into runs, empty ones included."""
    together = np.array([value for run in runs for value in run])

    merged = Moments()
    for run in runs:
        merged = merged.merge(measure(np.array(run), 0.0, Scratch()))

    assert merged.count == together.size
    if together.size:
        assert merged.mean == pytest.approx(together.mean(), abs=1e-9)
        assert merged.std == pytest.approx(together.std(), abs=1e-5)
        assert (merged.min, merged.max) == (together.min(), together.max())
        assert merged.zeros == np.count_nonzero(together == 0)
