"""What the client tests share: the specs, the command, the counts for the pages.

Each test file runs in a process of its own, because the frameworks do not bear one another. Nothing here imports one
by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import ChainMap
from pathlib import Path

import pytest

# Each file has a process of its own. To build hundreds of layers NumPy is quicker than JAX, which compiles each; that
# Keras's initializers draw alike on JAX is what test_keras_initializers.py says.
os.environ["KERAS_BACKEND"] = "numpy" if any(each.endswith("test_keras_layers.py") for each in sys.argv) else "jax"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode lets tests import nothing that is beside them
pytest.register_assert_rewrite("battery", "complex_battery", "haar_battery", "models")

from verdicts import ENTRIES, LAYERS, SPECS, Comparison, Load, tell_client, write_counts  # noqa: E402

from initcli.initializers import registered  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def specs():
    """The folder of the repository's specs."""
    return REPOSITORY / "specs"


@pytest.fixture(scope="session")
def generate(tmp_path_factory):
    """A function: run `initcli generate SPEC --out OUT` as a user would, and return OUT."""

    def run(spec, out, *options):
        command = [sys.executable, "-m", "initcli", "generate", str(spec), "--out", str(out), "--quiet", *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path_factory.getbasetemp(), check=False)
        assert done.returncode == 0, done.stderr
        return out

    return run


@pytest.fixture(scope="session")
def tiny(specs, generate, tmp_path_factory):
    """A function: the folder of a tiny model of transformers, "single" or "sharded", with the config of its spec."""
    from architectures import tiny_options

    made = {}
    layouts = {"single": ("--format", "safetensors"), "sharded": ("--max-shard-size", "100kB")}

    def make(name, layout):
        if (name, layout) not in made:
            folder = tmp_path_factory.mktemp(name)
            options = [*tiny_options(name), *layouts[layout], "--force"]
            made[name, layout] = generate(specs / f"{name}.yaml", folder, *options)
        return made[name, layout]

    return make


@pytest.fixture(scope="session")
def drawn(tiny):
    """A function: the tensors that are generated for a tiny model of transformers, from its one file."""
    from safetensors.torch import load_file

    return lambda name: load_file(tiny(name, "single") / "model.safetensors")


def pytest_configure(config):
    for marker in (
        "over(table, kind): one test of every case of a table of the battery",
        "absent: what stands for the cases of an empty table",
        "compares(kind): what a test compares: laws, values or arguments",
        "proves(what): what a test of no entry stands for on the page of verdicts",
        "loads(file, how, what, client): what a test stands for on the page of compatibility",
    ):
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(items):
    """Drop what stands for no case, and note for each test where it counts on the pages."""
    items[:] = [item for item in items if not item.get_closest_marker("absent")]
    for item in items:
        item.user_properties.append(("counts as", tell_row(item)))


def tell_row(item):
    """Return the row of one of the pages in which a test counts.

    The marker `loads` may be spread over the file, the test and its parameters: each says what it knows, and the
    nearest is right. The client is the framework of the file, unless a marker names another.
    """
    client = getattr(item.cls, "client", item.module.FRAMEWORK)
    if said := [marker.kwargs for marker in item.iter_markers("loads")]:
        known = ChainMap(*said, {"client": client})
        return Load(**{**known, "client": tell_client(known["client"])})
    if marker := item.get_closest_marker("proves"):
        return Comparison(SPECS, marker.args[0], tell_client(client), "checks")
    framework, name = getattr(item.cls, "framework", client.partition(" ")[0]), item.callspec.params["name"]
    full = next((full for full in (f"{framework}.{name}", f"recipe.{name}") if full in registered()), None)
    marker = item.get_closest_marker("over") or item.get_closest_marker("compares")
    kind = marker.args[-1] if marker else "laws"
    return Comparison(ENTRIES if full else LAYERS, full or f"{framework}.{name}", tell_client(client), kind)


def pytest_terminal_summary(terminalreporter):
    """Leave the counts of each file in this environment for the pages."""
    compared = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            noted = dict(getattr(report, "user_properties", ()))
            if "counts as" in noted:
                stem = Path(report.nodeid.partition("::")[0]).stem
                compared.setdefault(stem, []).append((noted["counts as"], outcome != "passed"))
    for stem, results in compared.items():
        write_counts(f"{stem}.{Path(sys.prefix).name.lstrip('.')}", results)
