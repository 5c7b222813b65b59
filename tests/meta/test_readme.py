"""The README is true: its commands run, its output is what they print, its Python runs, its spec is a spec."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import initcli
from initcli.initializers import registry
from initcli.resolution import load_plan

ROOT = Path(initcli.__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def sessions() -> list[tuple[str, str]]:
    """Return each `$ command` of the console blocks with the output that stands below it."""
    found = []
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@pytest.mark.parametrize(("command", "output"), sessions())
def test_a_command_of_the_readme_prints_what_stands_below_it(command: str, output: str, tmp_path: Path) -> None:
    """Run by a shell in a folder that has `specs/`; where no output is given, it must at least succeed."""
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    tool = f'initcli() {{ "{sys.executable}" -m initcli "$@"; }}; set -o pipefail; '
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}

    done = subprocess.run(
        ["bash", "-c", f"{{ {tool}{command}; }} 2>&1"], cwd=tmp_path, env=environment, capture_output=True, check=False
    )

    printed = re.sub(r" in \d+\.\d+ s$", " in 0.03 s", done.stdout.decode(), flags=re.MULTILINE)
    if output:
        assert printed == output
    else:
        assert done.returncode == 0, printed


def test_the_readme_has_commands_and_code_to_run() -> None:
    """An empty list of cases would pass unseen."""
    assert len(sessions()) >= 3
    assert len(blocks("python")) == 2
    assert len(blocks("yaml")) == 2


def test_the_python_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks in order, in one namespace, and what is registered is taken back."""
    registry.load(*registry.MODULES)  # a module registers once: not into a copy that goes
    monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    monkeypatch.setattr(registry, "_aliases", dict(registry._aliases))
    module = ModuleType("readme")
    monkeypatch.setitem(sys.modules, "readme", module)

    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), module.__dict__)


def test_the_specs_of_the_readme_are_specs() -> None:
    """By lines, with the dtypes and the tie that they say, and by layers, whose sizes follow from one another."""
    lines, layers = (load_plan(block.encode(), "README.md") for block in blocks("yaml"))

    assert {str(t.dtype) for t in lines.tensors} == {"bfloat16", "float32"}
    assert [t.name for t in lines.tensors if str(t.dtype) == "float32"] == ["model.norm.weight"]
    assert len(lines.tensors) == 1 + 32 * 5 + 1
    assert lines.ties == {"lm_head.weight": "model.embed_tokens.weight"}
    assert {t.name: t.shape for t in layers.tensors} == {
        "conv2d/kernel": (3, 3, 1, 32),
        "conv2d/bias": (32,),
        "logits/kernel": (13 * 13 * 32, 10),
        "logits/bias": (10,),
    }


def test_the_readme_lists_every_command() -> None:
    """The table names what the program has."""
    from initcli.cli import cli

    for name in cli.commands:
        assert f"`initcli {name}" in README


@pytest.mark.parametrize("name", registry.registered())
def test_every_initializer_has_a_whole_page(name: str) -> None:
    """Summary, formula, bounds and source; parameters with a meaning."""
    from initcli.initializers.page import read_page

    page = read_page(registry.registered()[name])

    assert page.summary
    assert page.formula
    assert page.bounds
    assert page.source
    assert all(parameter.meaning for parameter in page.parameters)
