"""Content digests, made anew here from their written definition."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from initcli.checksums import digest_blocks
from initcli.digests import Digester
from initcli.engine import generate_file
from initcli.formats.listing import choose_format
from initcli.formats.weights import open_weights
from initcli.readback import digest_weights
from initcli.resolution import load_plan

SPEC = b"""\
initcli: 1
seed: 3
tensors:
  wide: {shape: [700, 800], init: he_normal}
  b/half: {shape: [300001], init: glorot_uniform, dtype: bfloat16}
  q: {shape: [30, 20], init: orthogonal}
  "\xc3\xa4": {shape: [524288], init: random_normal, dtype: float64}
  empty: {shape: [0, 2], init: zeros}
  count: {shape: [], init: zeros, dtype: int64}
"""


def by_the_definition(tensors: Mapping[str, tuple[str, np.ndarray]]) -> str:
    """The total of tensors by name, each a dtype's name and an array, word for word as `initcli digest --help` says."""

    def integer(number: int) -> bytes:
        return number.to_bytes(8, "little")

    digests = {}
    for name, (dtype, array) in tensors.items():
        data, step = array.tobytes(), 262_144 * array.itemsize
        told = b"initcli/tensor-digest/1\0"
        for text in (name.encode("utf-8"), dtype.encode("utf-8")):
            told += integer(len(text)) + text
        told += integer(array.ndim) + b"".join(map(integer, array.shape))
        blocks = [data[i : i + step] for i in range(0, len(data), step)]
        digests[name] = hashlib.sha256(told + b"".join(hashlib.sha256(each).digest() for each in blocks)).digest()
    in_order = b"".join(digests[name] for name in sorted(digests))
    return hashlib.sha256(b"initcli/digest/1\0" + in_order).hexdigest()


@pytest.mark.parametrize("suffix", [".safetensors", ".h5", ".npz", ".pt"])
@pytest.mark.parametrize("jobs", [1, 3])
def test_generate_and_the_file_give_the_digest_of_the_definition(tmp_path: Path, suffix: str, jobs: int) -> None:
    """While drawing, read back, or from the arrays that the library reads: one digest, whatever format and threads."""
    text = SPEC if suffix != ".npz" else SPEC.replace(b"bfloat16", b"float16")
    plan, path = load_plan(text, "s.yaml"), tmp_path / f"w{suffix}"
    chosen = choose_format(str(path), None, len(plan.tensors))

    report = generate_file(plan, chosen, path, jobs=jobs, digests=True)
    weights = open_weights(path)
    found = digest_weights(weights, jobs)

    arrays = {name: (e.dtype, chosen.read_tensor(path, name)) for name, e in weights.entries.items()}
    assert found.total == by_the_definition(arrays)
    assert report.digest is not None
    assert report.digest.total == found.total
    assert report.digest.tensors == found.tensors


def test_a_report_without_digests_has_none(tmp_path: Path) -> None:
    """They cost time, and only who asks for them pays."""
    plan = load_plan(b"initcli: 1\ntensors: {w: {shape: [3], init: zeros}}", "s.yaml")

    report = generate_file(plan, choose_format("w.h5", None, 1), tmp_path / "w.h5")

    assert report.digest is None
    assert "digest" not in report.to_data()["total"]


@pytest.mark.parametrize(
    "other",
    [
        ("w", "int32", (6,)),
        ("w", "float32", (2, 3)),
        ("w", "float32", (6, 1)),
        ("W", "float32", (6,)),
    ],
)
def test_name_dtype_and_shape_are_part_of_it(other: tuple[str, str, tuple[int, ...]]) -> None:
    """The same bytes under another name, type or shape are another content."""
    blocks = digest_blocks(np.zeros(6, np.float32))
    digesters = Digester([("w", "float32", (6,))]), Digester([other])

    for digester, name in zip(digesters, ("w", other[0]), strict=True):
        digester.add(name, blocks)

    assert digesters[0].digest().total != digesters[1].digest().total


def test_the_order_of_tensors_and_the_cut_of_their_blocks_are_no_part_of_it() -> None:
    """Tensors may take turns, and blocks may come one by one."""
    first, second = digest_blocks(np.arange(600_000)), digest_blocks(np.arange(5))
    heads = [("b", "int64", (600_000,)), ("a", "int64", (5,))]
    one, other = Digester(heads), Digester(reversed(heads))

    one.add("b", first)
    one.add("a", second)
    other.add("b", first[:1])
    other.add("a", second)
    other.add("b", first[1:])

    assert one.digest().total == other.digest().total
