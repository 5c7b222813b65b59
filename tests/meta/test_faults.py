"""Every kind of fault that a spec can have, as `initcli plan` prints it, in one file to read.

`INITCLI_UPDATE_SNAPSHOTS=1 pytest tests/meta/test_faults.py` writes it anew; read the difference before keeping it.
"""

from __future__ import annotations

import ast
import io
import os
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import initcli
from initcli.cli import main

CASES = runpy.run_path(str(Path(__file__).with_name("fault_cases.py")))["CASES"]
PACKAGE = Path(initcli.__file__).parent
SNAPSHOT = Path(__file__).parent / "faults.txt"

MODULES = (
    *("expressions", "patterns", "calls"),
    *(f"document/{name}" for name in ("__init__", "tree", "yaml_document", "inclusion")),
    *(f"spec/{name}" for name in ("variables", "scopes", "values", "reader", "conditions")),
    *(f"resolution/{name}" for name in ("__init__", "layer_expansion", "ties", "law_table", "rulebook", "lines")),
)
"""The modules that tell faults of a spec, without the syntax of JSON: tests/unit/test_json_document.py has that."""

TELLERS = {"fail": 1, "refuse": 1, "refuse_key": 0, "report": 0, "fault": 0, "Fault": 0}
"""Which argument is the message, of what tells a fault; of an error of any kind it is the first."""

ELSEWHERE = {
    "… leads out of the spec's folder": "tests/unit/test_inclusion.py makes such links",
    "… is larger than … MiB": "tests/unit/test_document.py",
    "the name of the spec is empty": "tests/unit/test_document.py",
    "… is a directory": "tests/unit/test_document.py",
    "… may not be read: permission denied": "tests/unit/test_document.py",
    "… cannot be read: ……": "tests/unit/test_document.py",
    "more than … faults: the rest is not read": "tests/unit/test_tree.py",
    "more than … values, aliases followed": "tests/unit/test_tree.py",
    "not YAML: …": "what libyaml says, where no rule of ours has better words: not tested",
    "`…` stands for more than … tensors": "tests/unit/test_resolution.py, where the limit is lower",
    "an initializer must be a name, a call or a mapping, not `…`": "a layer that hands on what it was given unread",
    "`…` has no value": "it follows from another fault and is never told",
    "… has not been checked": "would be a bug",
}
"""The messages that no case here shows, and where they are, or why there is no test."""


def render(case: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what `initcli plan` prints of a spec."""
    text = case.text.encode() if isinstance(case.text, str) else case.text
    (folder / case.source).write_bytes(text)
    for name, each in case.files.items():
        (folder / name).write_text(each)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    settings = [word for key, value in case.settings.items() for word in ("--set", f"{key}={value}")]

    status = main(("plan", case.source, *settings))

    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    return printed.err


@pytest.fixture(scope="module")
def faults() -> dict[str, str]:
    """What each case has printed so far."""
    return {}


@pytest.mark.parametrize("kind", CASES)
def test_a_kind_of_fault_is_told_as_in_the_snapshot(
    kind: str,
    faults: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What, where, the way out: to the letter as it was looked at and found good."""
    faults[kind] = render(CASES[kind], tmp_path, monkeypatch, capsys)

    if os.environ.get("INITCLI_UPDATE_SNAPSHOTS"):
        if len(faults) == len(CASES):
            SNAPSHOT.write_text("\n".join(f"## {each}\n\n{text}" for each, text in faults.items()))
        return
    assert faults[kind] == snapshot()[kind]


def snapshot() -> dict[str, str]:
    """Return what the snapshot says of each kind."""
    sections = SNAPSHOT.read_text().removeprefix("## ").split("\n## ")
    return {section.split("\n", 1)[0]: section.split("\n", 2)[2].rstrip("\n") + "\n" for section in sections}


def test_the_snapshot_holds_these_kinds_and_no_others() -> None:
    """A case that is gone leaves nothing behind."""
    assert list(snapshot()) == list(CASES)


def test_every_fault_has_a_place() -> None:
    """File, line and column; only a setting of the command line has none."""
    for kind, text in snapshot().items():
        if not CASES[kind].settings:
            assert re.search(r"^  --> (<stdin>|\w+\.(yaml|json)):\d+:\d+", text, re.MULTILINE), kind


def messages(module: str) -> Iterator[str]:
    """Yield each message that a module tells, with `…` for what it fills in."""
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text())):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            at = 0 if called.endswith("Error") else TELLERS.get(called)
            if at is not None and len(node.args) > at:
                yield from texts(node.args[at])
        elif isinstance(node, ast.Assign) and re.match(r"\(?what\b", ast.unparse(node.targets[0])):
            yield from texts(node.value.elts[0] if isinstance(node.value, ast.Tuple) else node.value)


def texts(node: ast.expr) -> Iterator[str]:
    """Yield what a text of the source says; of a condition both."""
    if isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


@pytest.mark.parametrize("module", MODULES)
def test_every_message_of_the_source_has_a_case(module: str) -> None:
    """Read from the syntax tree of each module: what it raises or appends is shown here, or tested where it says."""
    told = re.findall(r"^error: (.*)$", SNAPSHOT.read_text(), re.MULTILINE)

    missing = {
        message
        for message in messages(module)
        if message not in ELSEWHERE and not any(re.search(re.escape(message).replace("…", ".*"), what) for what in told)
    }

    assert not missing
