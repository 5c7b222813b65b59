"""What the client tests share: the repository's specs, the command, the script that makes specs, the table at the end.

Each test file runs in a process of its own, because the frameworks do not bear one another. Nothing here imports one.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["HF_HUB_OFFLINE"] = "1"

REPOSITORY = Path(__file__).resolve().parents[2]


def pytest_configure(config):
    config.addinivalue_line("markers", "proves(entry): the row that a test stands for in the table at the end")


@pytest.fixture(scope="session")
def specs():
    """The folder of the repository's specs."""
    return REPOSITORY / "specs"


@pytest.fixture(scope="session")
def shapes(specs):
    """A function: the name of a spec to its tensors, name -> shape, as the text has them (no initcli involved)."""

    def read(name):
        tensors = yaml.safe_load((specs / name).read_text("utf-8"))["tensors"]
        return {name: tuple(shape) for name, shape in tensors.items()}

    return read


@pytest.fixture(scope="session")
def make_specs():
    """The module tests/clients/make_specs.py."""
    spec = importlib.util.spec_from_file_location("make_specs", Path(__file__).with_name("make_specs.py"))
    module = sys.modules["make_specs"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def generate(tmp_path_factory):
    """A function: run `initcli generate SPEC --out OUT` as a user would, and return OUT."""

    def run(spec, out, *options):
        command = [sys.executable, "-m", "initcli", "generate", str(spec), "--out", str(out), "--quiet", *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path_factory.getbasetemp(), check=False)
        assert done.returncode == 0, done.stderr
        return out

    return run


def pytest_collection_modifyitems(items):
    """Note the framework and the entry of every test for the table at the end."""
    for item in items:
        marker = item.get_closest_marker("proves")
        entry = marker.args[0] if marker else item.callspec.params["name"]
        item.user_properties += [("framework", item.module.FRAMEWORK), ("entry", entry)]


def pytest_terminal_summary(terminalreporter):
    """Print entry × framework version × verdict."""
    rows, wrong = Counter(), Counter()
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            noted = dict(getattr(report, "user_properties", ()))
            if "entry" in noted:
                row = noted["entry"], noted["framework"]
                rows[row] += 1
                wrong[row] += outcome != "passed"
    if rows:
        terminalreporter.section("initcli beside the real client")
        width = max(len(entry) for entry, _ in rows)
        for entry, framework in sorted(rows):
            row = entry, framework
            verdict = f"WRONG in {wrong[row]} of {rows[row]}" if wrong[row] else f"agrees in {rows[row]}"
            terminalreporter.write_line(f"{entry:{width}}  {framework}  {verdict}")
