"""Passes over whole files: every dtype, in memory that does not grow, and all bytes counted once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from initcli.comparison import Tolerance, Verdict
from initcli.dtypes import DTYPES
from initcli.engine import generate_file
from initcli.errors import InitcliError
from initcli.formats.listing import choose_format
from initcli.formats.safetensors import safetensors
from initcli.formats.weights import WeightFile, open_weights
from initcli.plan import Plan
from initcli.readback import compare_weights, digest_weights, verify_weights
from initcli.resolution import load_plan
from initcli.verification import select

DRAWN = {"float": "random_normal", "complex": "jax.normal"}
EVERY_DTYPE = "initcli: 1\ntensors:\n" + "".join(
    f"  in/{name}: {{shape: [400, 1001], init: {DRAWN.get(dtype.kind, 'ones')}, dtype: {name}}}\n"
    for name, dtype in DTYPES.items()
)


def write(plan: Plan, path: Path) -> WeightFile:
    generate_file(plan, choose_format(str(path), None, len(plan.tensors)), path, force=True)
    return open_weights(path)


@pytest.mark.parametrize("suffix", ["safetensors", "h5", "pt"])
def test_every_dtype_is_verified_compared_and_digested(tmp_path: Path, suffix: str) -> None:
    """Floats of 8 bits, complex numbers and booleans as well, and each byte is counted once."""
    plan = load_plan(EVERY_DTYPE.encode(), "s.yaml")
    first, second = write(plan, tmp_path / "a.safetensors"), write(plan, tmp_path / f"b.{suffix}")
    counts: list[int] = []

    pairs = verify_weights(plan, second, jobs=2, progress=counts.append)
    compared = compare_weights(first, second, Tolerance(), jobs=2)

    assert [pair.verdict for pair in pairs + compared] == [Verdict.EQUAL] * 2 * len(DTYPES)
    assert digest_weights(first) == digest_weights(second, jobs=2)
    assert sum(counts) == plan.nbytes


TIED = b"initcli: 1\ntensors:\n  z: {shape: [4], init: random_normal}\n  head: {tie: z}\n"


def test_a_tie_is_in_no_digest_and_no_difference(tmp_path: Path) -> None:
    """A .pt holds both names, safetensors leaves the tie out: they hold the same."""
    plan = load_plan(TIED, "s.yaml")
    one, both = write(plan, tmp_path / "a.safetensors"), write(plan, tmp_path / "a.pt")

    assert [(pair.name, pair.verdict) for pair in verify_weights(plan, both)] == [
        ("z", Verdict.EQUAL),
        ("head", Verdict.EQUAL),
    ]
    assert digest_weights(one) == digest_weights(both)
    for sides in ((one, both), (both, one), (both, both)):
        assert [pair.name for pair in compare_weights(*sides, Tolerance())] == ["z"]


@pytest.mark.parametrize(("copied", "verdict"), [(0.0, Verdict.EQUAL), (1.0, Verdict.VALUES)])
def test_a_tie_is_laid_beside_a_tensor_of_its_name(tmp_path: Path, copied: float, verdict: Verdict) -> None:
    """A file that holds the values twice has to hold the tie's, too, whichever of the two comes first."""
    both = write(load_plan(TIED, "s.yaml"), tmp_path / "a.pt")
    z = safetensors.read_tensor(write(load_plan(TIED, "s.yaml"), tmp_path / "a.safetensors").path, "z")
    save_file({"z": z, "head": z + np.float32(copied)}, tmp_path / "b.safetensors")
    twice = open_weights(tmp_path / "b.safetensors")

    for sides in ((twice, both), (both, twice)):
        pairs = compare_weights(*sides, Tolerance())
        assert {pair.name: pair.verdict for pair in pairs} == {"z": Verdict.EQUAL, "head": verdict}


def test_a_tie_to_another_tensor_is_a_difference(tmp_path: Path) -> None:
    """Names tied to each other crosswise are compared, and so is one that only the other file has."""
    tensors = "a: {shape: [4], init: random_normal}, b: {shape: [4], init: zeros}"
    one, other = (
        write(load_plan(f"{{initcli: 1, tensors: {{{tensors}, t: {{tie: {target}}}}}}}".encode(), "s.yaml"), path)
        for target, path in (("a", tmp_path / "a.pt"), ("b", tmp_path / "b.pt"))
    )
    alone = write(load_plan(b"{initcli: 1, tensors: {t: {shape: [4], init: zeros}}}", "s.yaml"), tmp_path / "t.pt")

    assert [pair.name for pair in compare_weights(one, other, Tolerance()) if not pair.verdict.is_same] == ["t"]
    assert {pair.name: pair.verdict for pair in compare_weights(other, alone, Tolerance())} == {
        "a": Verdict.ONLY_A,
        "b": Verdict.ONLY_A,
        "t": Verdict.EQUAL,
    }


def test_globs_select_names_and_must_fit_one() -> None:
    """No glob selects all."""
    names = {"a.weight", "b.weight", "b.bias"}

    assert select((), names) == names
    assert select(("b.*", "*.weight"), names) == names
    assert select(("*.bias",), names) == {"b.bias"}
    with pytest.raises(InitcliError, match=r"`--only c\*` fits no tensor"):
        select(("b.*", "c*"), names)


PASSES: dict[str, str] = {
    "verify": "verify_weights(load_embedded(one), one, jobs=2)",
    "compare": "compare_weights(one, one, Tolerance(), jobs=2)",
    "digest": "digest_weights(one, jobs=2)",
}


@pytest.mark.parametrize("kind", PASSES)
def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, kind: str, measure_peak: Callable[[str, Path], int]
) -> None:
    """Forty million elements, 160 MB, take no more than one million do, but for the chunks under way.

    Of 1 MiB each: nine tasks wait, 4 × 2 + 1, with a chunk of each of two files, and both threads work on four.
    """
    under_way_kb = (9 * 2 + 2 * 4) * 1024
    peaks = []
    for size in (1_000_000, 40_000_000):
        plan = load_plan(
            f"{{initcli: 1, tensors: {{w: {{shape: [{size}], init: random_uniform}}}}}}".encode(), "s.yaml"
        )
        write(plan, tmp_path / "w.safetensors")
        peaks.append(measure_peak(PASSES[kind], tmp_path / "w.safetensors"))

    assert peaks[1] - peaks[0] < under_way_kb


@pytest.fixture
def measure_peak() -> Callable[[str, Path], int]:
    """Return a function that evaluates a pass over a file in a process of its own, and tells its peak in kB."""

    def measure(expression: str, path: Path) -> int:
        code = (
            "import resource, sys\n"
            "from pathlib import Path\n"
            "from initcli.comparison import Tolerance\n"
            "from initcli.formats.weights import open_weights\n"
            "from initcli.readback import compare_weights, digest_weights, verify_weights\n"
            "from initcli.verification import load_embedded\n"
            "one = open_weights(Path(sys.argv[1]))\n"
            f"{expression}\n"
            "status = Path('/proc/self/status')  # ru_maxrss counts the peak of the parent, too\n"
            "usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "print(status.read_text().partition('VmHWM:')[2].split()[0] if status.exists() else usage)\n"
        )
        command = [sys.executable, "-c", code, str(path)]
        return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    return measure
