"""Running the program: in this process where that is enough, in its own where signals, pipes and terminals matter."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from initcli.cli import main
from initcli.initializers import registry

ROOT = Path(__file__).parents[2]

SMALL = """\
initcli: 1
framework: keras
seed: 7
tensors:
  fc1/kernel: [6, 4]
  fc1/bias: [4]
  scale: {shape: [], init: constant(0.5), dtype: float16}
rules:
  - {match: "*/kernel", init: he_normal}
  - {match: "*/bias", init: zeros}
"""

LONG = """\
initcli: 1
dtype: bfloat16
tensors:
  weight: {shape: [1000, 1000, 1000], init: random_normal}
"""


class Ran(NamedTuple):
    """How a run ended and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that holds `small.yaml` and `long.yaml`."""
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "long.yaml").write_text(LONG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the program in this process."""

    def run(*arguments: str) -> Ran:
        status = main(arguments)
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return run


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test register what it likes and leave no trace."""
    registry.load(*registry.MODULES)  # a module registers once: not into a copy that goes
    for table in ("_classes", "_aliases", "_functions"):
        monkeypatch.setattr(registry, table, dict(getattr(registry, table)))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a process of its own: this source, a terminal with colours, no one's wishes."""
    kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")}
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "TERM": "xterm-256color"}


def heed_signals() -> None:
    """Heed what the suite may have been started to ignore: a background job SIGINT, what `nohup` runs SIGHUP."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the program in a process of its own, which does not outlive the test."""
    started = []

    def start(*arguments: str, **options: object) -> subprocess.Popen[bytes]:
        defaults = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            [sys.executable, "-m", "initcli", *arguments],
            **{**defaults, "env": environment, **options},  # type: ignore[call-overload]
            preexec_fn=heed_signals,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()
