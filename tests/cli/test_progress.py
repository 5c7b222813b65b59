"""The bar of a pass over a file ends where its bytes do."""

from __future__ import annotations

import importlib

import pytest

from initcli.cli.console import ProgressBar

SPEC = """\
initcli: 1
framework: torch
tensors:
  embed: {shape: [100, 8], init: normal}
  "h.{0..2}": {shape: [700], init: zeros}
  head: {tie: embed}
"""
COMMANDS = {
    "digest": ["digest", "w.pt"],
    "diff": ["diff", "w.pt", "w.safetensors"],
    "inspect": ["inspect", "w.pt", "--stats"],
    "verify": ["verify", "w.pt"],
    "verify-only": ["verify", "w.pt", "--only", "h.[12]", "--only", "he*"],
    "verify-shards": ["verify", "shards", "--only", "h.1"],
}
NBYTES = {"verify": 2 * 3200 + 3 * 2800, "verify-only": 3200 + 2 * 2800, "verify-shards": 2800}


@pytest.mark.parametrize("case", COMMANDS)
def test_what_is_done_in_the_end_is_what_was_to_do(folder, run, monkeypatch, case):
    """Of the chosen tensors alone, and of a tie where it is read for itself."""
    (folder / "tied.yaml").write_text(SPEC)
    for options in (["w.pt"], ["w.safetensors"], ["shards", "--max-shard-size", "4kB"]):
        run("generate", "tied.yaml", "--out", *options, "--quiet")
    bars = []

    class Bar(ProgressBar):
        def __init__(self, nbytes, *, wanted=True):
            super().__init__(nbytes, wanted=wanted)
            bars.append(self)

    module = importlib.import_module(f"initcli.cli.{case.partition('-')[0]}")
    monkeypatch.setattr(module, "ProgressBar", Bar)

    assert run(*COMMANDS[case]).status == 0

    (bar,) = bars
    assert bar._nbytes == bar._done == NBYTES.get(case, 3200 + 3 * 2800)
