"""One snapshot of each command: the command, its status, its two streams.

`INITCLI_UPDATE_SNAPSHOTS=1 pytest tests/cli/test_snapshots.py` writes them anew; read the difference before keeping it.
"""

import os
import re
from pathlib import Path

import pytest

SNAPSHOTS = Path(__file__).parent / "snapshots"

COMMANDS = {
    "help": "--help",
    "generate-help": "generate --help",
    "generate": "generate small.yaml --out small.safetensors",
    "generate-json": "generate small.yaml --out small.safetensors --json",
    "plan": "plan small.yaml",
    "plan-json": "plan small.yaml --json",
    "list-help": "list --help",
    "list": "list he_ --framework keras",
    "list-no": "list glorot_norml --framework keras",
    "show-help": "show --help",
    "show": "show keras.variance_scaling --shape 3,3,64,128",
    "show-json": "show torch.kaiming_normal --shape 128,784 --json",
    "show-side-by-side": "show xavier",
    "show-figures": "show xavier --shape 10",
    "schema-help": "schema --help",
    "inspect": "inspect made.safetensors",
    "inspect-json": "inspect made.safetensors --json",
    "inspect-help": "inspect --help",
    "inspect-stats": "inspect made.safetensors --stats",
    "inspect-tensor": "inspect made.safetensors --tensor fc1/kernel[::2,-2:]",
    "inspect-markdown": "inspect made.safetensors --markdown",
    "verify-help": "verify --help",
    "verify": "verify made.safetensors",
    "verify-no": "verify made.safetensors --spec small.yaml --seed 8 --dtype float16",
    "verify-json": "verify made.safetensors --only fc1/bias --json",
    "diff-help": "diff --help",
    "diff-no": "diff made.safetensors other.h5",
    "diff-json": "diff other.h5 other.h5 --json",
    "digest-help": "digest --help",
    "digest": "digest made.safetensors",
    "digest-json": "digest made.safetensors --json",
    "faults": "generate bad.yaml --out bad.h5",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_print_what_the_snapshot_says(folder, run, name):
    """A command prints, to the letter and in its stream, what was looked at and found good."""
    (folder / "bad.yaml").write_text("{initcli: 1, tensors: {a: {shape: [2, x], init: zeroes}, b: {shap: [2]}}}\n")
    run("generate", "small.yaml", "--out", "made.safetensors", "--quiet")
    (folder / "other.yaml").write_text("{initcli: 1, tensors: {fc1/kernel: {shape: [6, 4], init: zeros}}}\n")
    run("generate", "other.yaml", "--out", "other.h5", "--quiet")

    ran = run(*COMMANDS[name].split())

    err = re.sub(r"in \d+\.\d\d s", "in #.## s", ran.err)
    text = f"$ initcli {COMMANDS[name]}\n--- status\n{ran.status}\n--- stdout\n{ran.out}--- stderr\n{err}"
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("INITCLI_UPDATE_SNAPSHOTS"):
        path.write_text(text)
    assert text == path.read_text()


def test_there_is_no_snapshot_without_a_command():
    """A snapshot that no command is compared with is an orphan."""
    assert {path.stem for path in SNAPSHOTS.iterdir()} == set(COMMANDS)
