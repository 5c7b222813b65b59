"""How long `initcli generate` takes beside PyTorch, how much memory, and how quickly the command starts.

Everything is measured in one run, in turns, so that a slow minute of the machine hits both sides. The measuring
process imports nothing heavy: a child's peak memory, as the system counts it, is never below that of its parent.
Exit status 1 says that a stated goal is missed. Usage: python bench_generate.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
SPECS = HERE.parents[1] / "specs"
RUSAGE_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in a unit of ru_maxrss

LARGE_RUNS = 5
START_RUNS = 15
MEMORY_GOAL = 200e6  # bytes
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
"""Both sides run from bytecode, as installed packages do: the peers have theirs from pip, this checkout from its first
run."""


@dataclass(frozen=True)
class Run:
    """One finished process: seconds from start to end, its own seconds if it printed them, peak memory in bytes."""

    elapsed_s: float
    inner_s: float
    peak_bytes: int


@dataclass(frozen=True)
class Line:
    """A line of the table: two figures, their ratio with its spread, and the goal, met or missed."""

    what: str
    ours: str
    peer: str
    ratio: str
    goal: str
    met: bool


def measure(command: Sequence[str], folder: Path) -> Run:
    """Run a command to its end in `folder`; a failure ends the benchmark."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        elapsed_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"exit status {process.returncode}: {' '.join(command)}")
    try:
        inner_s = float(output)
    except ValueError:
        inner_s = float("nan")
    return Run(elapsed_s, inner_s, usage.ru_maxrss * RUSAGE_UNIT)


def alternate(commands: dict[str, Sequence[str]], runs: int, folder: Path, out: Path) -> dict[str, list[Run]]:
    """Measure each command `runs` times in turns, every other turn backwards, after one turn that does not count."""
    results = {name: [] for name in commands}
    for turn in range(-1, runs):
        for name in list(commands)[:: 1 if turn % 2 else -1]:
            run = measure(commands[name], folder)
            out.unlink(missing_ok=True)
            if turn >= 0:
                results[name].append(run)
    return results


def find_initcli() -> list[str]:
    """The installed command beside this Python, or the package by name."""
    script = shutil.which("initcli", path=str(Path(sys.executable).parent))
    return [script] if script else [sys.executable, "-m", "initcli"]


def bench_gpt2(folder: Path) -> list[Line]:
    """GPT-2, 124 million parameters, 498 MB, beside PyTorch."""
    spec, plan, out = str(SPECS / "gpt2.yaml"), folder / "gpt2.json", folder / "gpt2.safetensors"
    with plan.open("w", encoding="utf-8") as file:
        subprocess.run([*find_initcli(), "plan", spec, "--json"], stdout=file, check=True)
    results = alternate(
        {
            "whole": [*find_initcli(), "generate", spec, "--out", str(out), "--quiet", "--force"],
            "torch": [sys.executable, str(HERE / "torch_peer.py"), str(plan), str(out)],
            "inner": [sys.executable, str(HERE / "initcli_peer.py"), spec, str(out)],
        },
        LARGE_RUNS,
        folder,
        out,
    )
    whole, torch = results["whole"], results["torch"]
    peak = max(run.peak_bytes for run in whole)
    return [
        compare_pairs(
            "gpt2.yaml, in process", [run.inner_s for run in results["inner"]], [run.inner_s for run in torch]
        ),
        compare_pairs("gpt2.yaml, whole process", [run.elapsed_s for run in whole], [run.elapsed_s for run in torch]),
        Line(
            "gpt2.yaml, peak memory",
            f"{peak / 1e6:.0f} MB",
            f"{max(run.peak_bytes for run in torch) / 1e6:.0f} MB",
            "",
            f"<= {MEMORY_GOAL / 1e6:.0f} MB",
            peak <= MEMORY_GOAL,
        ),
    ]


def bench_start(folder: Path) -> list[Line]:
    """The time to start, and a small spec from start to end, beside the bare imports that they need."""
    small = SPECS / "mlp.yaml"
    lines = []
    for what, arguments, imports, goal, out in (
        ("initcli --version", ["--version"], "click", 2.0, folder / "none"),
        ("mlp.yaml to .safetensors", None, "numpy, click, yaml", 2.5, folder / "mlp.safetensors"),
        ("mlp.yaml to .h5", None, "numpy, click, yaml", 2.5, folder / "mlp.h5"),
    ):
        arguments = arguments or ["generate", str(small), "--out", str(out), "--quiet", "--force"]
        commands = {
            "ours": [*find_initcli(), *arguments],
            "peer": [sys.executable, "-c", f"import {imports}"],
        }
        results = alternate(commands, START_RUNS, folder, out)
        ours, peer = (median(run.elapsed_s for run in results[side]) for side in ("ours", "peer"))
        lines.append(
            Line(
                f"{what} / import {imports}",
                f"{ours * 1e3:.0f} ms",
                f"{peer * 1e3:.0f} ms",
                f"{ours / peer:.2f}",
                f"<= {goal:.1f}",
                ours / peer <= goal,
            )
        )
    return lines


def compare_pairs(what: str, ours: Sequence[float], peer: Sequence[float], goal: float = 1.0) -> Line:
    """Compare the two times of each turn: the median ratio, and the smallest and largest."""
    ratios = [mine / theirs for mine, theirs in zip(ours, peer, strict=True)]
    return Line(
        what,
        f"{median(ours):.2f} s",
        f"{median(peer):.2f} s",
        f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})",
        f"<= {goal:.1f}",
        median(ratios) <= goal,
    )


def show(lines: Sequence[Line]) -> None:
    """Print the table, columns as wide as they must be."""
    rows = [("", "initcli", "peer", "initcli/peer", "goal", "")]
    rows += [(*list(vars(line).values())[:-1], "met" if line.met else "MISSED") for line in lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        print("  ".join([first.ljust(widths[0]), *cells]))


def main() -> int:
    """Measure, print, and say whether every goal is met."""
    with tempfile.TemporaryDirectory(prefix="initcli-bench-") as name:
        lines = bench_gpt2(Path(name)) + bench_start(Path(name))
    print(f"medians of {LARGE_RUNS} (gpt2.yaml, beside PyTorch) and {START_RUNS} runs in turns; {os.cpu_count()} CPUs")
    show(lines)
    return 0 if all(line.met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
