"""A plan of 200,000 tensors: by ranges, or listed in JSON, in seconds and within half a gigabyte."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = 200_000
MOST_BYTES = 500e6
MOST_CPU_S = 15.0
"""Three times what a slow machine takes: this shows what grows with the square of the size, not a slow minute."""

RUSAGE_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in a unit of ru_maxrss

RANGES = """
framework: torch
tensors:
  m.{i:0..1999}.e.{0..32}.{a,b,c}: {shape: [i+1, 3], init: normal}
  n.{0..1999}: [4]
rules: [{match: "n.*", init: zeros}]
"""


def listed() -> str:
    """Return a spec that names each tensor of a mixture of experts."""
    names = (f"model.layers.{i // 1000}.experts.{i}.w{i % 3}.weight" for i in range(COUNT))
    return json.dumps(
        {"framework": "torch", "tensors": {name: {"shape": [4096, 64], "init": "normal"} for name in names}}
    )


@pytest.mark.parametrize("arguments", [[], ["--json"]])
@pytest.mark.parametrize(("name", "text"), [("ranges.yaml", RANGES), ("listed.json", listed())])
def test_200_000_tensors_are_planned_in_seconds_and_half_a_gigabyte(
    name: str, text: str, arguments: list[str], tmp_path: Path
) -> None:
    """The whole command, its table or its JSON printed, counted in seconds of the processor."""
    (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "initcli", "plan", name, *arguments]

    with (tmp_path / "out").open("wb") as out, subprocess.Popen(command, cwd=tmp_path, stdout=out) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)

    print(f"\n{name}: {usage.ru_utime + usage.ru_stime:.1f} s, {usage.ru_maxrss * RUSAGE_UNIT / 1e6:.0f} MB")
    assert process.returncode == 0
    assert (tmp_path / "out").read_text().count("\n") > COUNT
    assert usage.ru_maxrss * RUSAGE_UNIT < MOST_BYTES
    assert usage.ru_utime + usage.ru_stime < MOST_CPU_S
