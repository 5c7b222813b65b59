"""`generate`: where the weights go, where the statistics go, and what is the same every time."""

import json
import shlex
import subprocess
import sys

import pytest


def test_statistics_go_to_stdout_and_the_closing_line_to_stderr(folder, run):
    """A run to a file prints a table with a verdict for each tensor, and says what it wrote."""
    ran = run("generate", "small.yaml", "--out", "small.safetensors")

    assert ran.status == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == ["name", "fc1/kernel", "fc1/bias", "scale", "total"]
    assert all(line.endswith("ok") for line in ran.out.splitlines()[1:])
    assert ran.err.startswith("wrote small.safetensors: 3 tensors, 29 parameters, 114 B in ")


def test_quiet_prints_nothing(folder, run):
    """With --quiet a run that succeeds is silent."""
    ran = run("generate", "small.yaml", "--out", "small.h5", "--quiet")

    assert ran == (0, "", "")
    assert (folder / "small.h5").exists()


def test_dry_run_shows_the_plan_and_writes_nothing(folder, run):
    """A dry run ends well where a real one would, and leaves no file."""
    ran = run("generate", "small.yaml", "--out", "small.h5", "--dry-run")

    assert ran.status == 0
    assert "he_normal" in ran.out
    assert ran.err == "dry run: small.h5 was not written: 3 tensors, 29 parameters, 114 B\n"
    assert not (folder / "small.h5").exists()


def test_force_replaces(folder, run):
    """With --force a file that exists is replaced."""
    (folder / "small.h5").write_bytes(b"old")

    ran = run("generate", "small.yaml", "--out", "small.h5", "--force")

    assert ran.status == 0
    assert (folder / "small.h5").read_bytes() != b"old"


def test_json_is_the_same_for_one_and_two_jobs(folder, run):
    """The JSON is one valid object, equal to the byte for any number of threads."""
    first = run("generate", "small.yaml", "--out", "one.h5", "--json", "--jobs", "1")
    second = run("generate", "small.yaml", "--out", "two.h5", "--json", "--jobs", "2")

    data = json.loads(first.out)
    assert [tensor["agrees"] for tensor in data["tensors"]] == [True, True, True]
    assert data["total"]["size"] == 29
    assert first.out == second.out


def test_seed_and_dtype_take_the_place_of_the_specs(folder, run):
    """--seed and --dtype change the spec's own; a tensor's dtype stays."""
    plain = run("plan", "small.yaml", "--json")
    changed = run("plan", "small.yaml", "--json", "--seed", "8", "--dtype", "float64")

    assert json.loads(plain.out)["seed"] == 7
    assert json.loads(changed.out)["seed"] == 8
    assert [tensor["dtype"] for tensor in json.loads(changed.out)["tensors"]] == ["float64", "float64", "float16"]


def test_a_plan_that_is_not_portable_is_noted(folder, run):
    """Orthogonal rests on LAPACK, and standard error says so; --quiet does not."""
    (folder / "o.yaml").write_text("{initcli: 1, tensors: {w: {shape: [4, 4], init: orthogonal}}}")

    loud = run("generate", "o.yaml", "--out", "o.h5")
    quiet = run("generate", "o.yaml", "--out", "q.h5", "--quiet")

    assert loud.err.startswith("note: not portable: orthogonal may give other bits on another machine (1 of 1 tensor)")
    assert quiet.err == ""


@pytest.mark.parametrize("what", ["table", "json"])
def test_stdout_holds_the_file_and_stderr_the_statistics(folder, start, run, what):
    """`--out -` gives the same bytes every time, those of the file; the statistics go to standard error."""
    run("generate", "small.yaml", "--out", "small.safetensors")
    arguments = ["generate", "small.yaml", "--out", "-", "--format", "safetensors"]

    first = start(*arguments, *(["--json"] if what == "json" else [])).communicate()
    second = start(*arguments, "--jobs", "2").communicate()

    assert first[0] == second[0] == (folder / "small.safetensors").read_bytes()
    if what == "json":
        assert json.loads(first[1])["is_portable"] is True
    else:
        assert b"fc1/kernel" in first[1]
        assert b"wrote standard output: 3 tensors" in first[1]


def test_a_spec_on_stdin_fills_a_directory_and_pipes_json(folder, environment):
    """The README's pipeline works: spec in by a pipe, a directory of .npy out, JSON into the next program."""
    python = shlex.quote(sys.executable)
    command = (
        f"cat small.yaml | {python} -m initcli generate - --out arrays --format npy --json | {python} -m json.tool"
    )

    ran = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, check=True)

    assert json.loads(ran.stdout)["total"]["size"] == 29
    assert sorted(path.name for path in folder.glob("arrays/**/*.npy")) == ["bias.npy", "kernel.npy", "scale.npy"]
