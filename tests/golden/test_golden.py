"""The bytes of scheme 1, pinned: the same for any number of jobs, any SIMD level, any NumPy that is supported."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from initcli.dtypes import DTYPES
from initcli.resolution import load_plan

FOLDER = Path(__file__).parent
GOLDEN = json.loads((FOLDER / "digests.json").read_text())


def compute(jobs: int) -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("golden_digests", FOLDER / "digests.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    digests: dict[str, str] = module.compute(jobs)
    return digests


def test_every_dtype_has_a_golden_tensor() -> None:
    """A dtype that is added later needs its bytes pinned too."""
    plan = load_plan((FOLDER / "golden.yaml").read_bytes(), "golden.yaml")

    assert {tensor.dtype.name for tensor in plan.tensors} == set(DTYPES)


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_the_bytes_are_those_that_scheme_1_has_always_had(jobs: int) -> None:
    """A difference here breaks every file ever made: it needs a new scheme number, not a new digest."""
    assert compute(jobs) == GOLDEN


def test_the_bytes_are_the_same_with_numpys_vector_code_switched_off() -> None:
    """NPY_DISABLE_CPU_FEATURES takes NumPy down to its baseline; the subprocess says what it still uses."""
    umath = np._core._multiarray_umath  # type: ignore[attr-defined]
    dispatched = [feature for feature in umath.__cpu_dispatch__ if umath.__cpu_features__.get(feature)]
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(dispatched)}
    probe = (
        "import numpy as np; umath = np._core._multiarray_umath; "
        "print(*(feature for feature in umath.__cpu_dispatch__ if umath.__cpu_features__[feature]))"
    )

    run = [sys.executable, "-W", "ignore"]
    left = subprocess.run([*run, "-c", probe], env=environment, capture_output=True, text=True, check=True)
    done = subprocess.run([*run, FOLDER / "digests.py"], env=environment, capture_output=True, text=True, check=True)

    assert left.stdout.split() == []
    assert json.loads(done.stdout) == GOLDEN
