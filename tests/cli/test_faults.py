"""What cannot be done is told in one form, and leaves the disk as it was."""

import os
import tempfile
from pathlib import Path

import pytest

from initcli.cli.options import SpecSource

THREE_MISTAKES = """\
initcli: 1
tensors:
  fc1: {shape: [784, 256], init: he_norml}
  fc2: {shape: [256, -1], init: zeros}
  fc3: {shape: [3, 4], init: random_normal(stdev=1)}
"""


def list_files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_three_mistakes_are_told_in_one_go(folder, run):
    """Every fault of a spec is printed with its place and the way out, in the order of the file."""
    (folder / "bad.yaml").write_text(THREE_MISTAKES)

    ran = run("generate", "bad.yaml", "--out", "bad.h5")

    assert ran.status == 2
    assert ran.out == ""
    assert ran.err == (
        "error: unknown initializer `he_norml`\n"
        "  --> bad.yaml:3:34  tensors.fc1.init\n"
        "hint: did you mean `he_normal`? `initcli list` shows all\n"
        "\n"
        "error: a dimension must be a whole number ≥ 0, not `-1`\n"
        "  --> bad.yaml:4:22  tensors.fc2.shape[1]\n"
        "\n"
        "error: `random_normal` has no parameter `stdev`\n"
        "  --> bad.yaml:5:30  tensors.fc3.init\n"
        "hint: did you mean `stddev`?\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["small.yaml", "--out", "old.safetensors"], "exists already\nhint: `--force`"),
        (["small.yaml", "--out", "missing/new.h5"], "does not exist\nhint: `mkdir -p"),
        (["small.yaml", "--out", "new.safetensor"], "did you mean `.safetensors`?"),
        (["small.yaml", "--out", "new"], "no suffix that tells the format"),
        (["small.yaml", "--out", "new.npy"], "holds one tensor, and here are 3"),
        (["small.yaml", "--out", "new", "--format", "npy", "--dtype", "bfloat16"], "`fc1/kernel` is bfloat16"),
        (["small.yaml", "--out", "new.h5", "--format", "safetensors"], "means h5, but `--format safetensors`"),
        (["small.yaml", "--out", "new.h5", "--format", "hfd5"], "did you mean `hdf5`?"),
        (["small.yaml", "--out", "-", "--format", "h5"], "cannot go to standard output"),
        (["small.yaml", "--out", "-"], "does not tell the format"),
        (["small.yaml", "--out", "."], "tells the format"),
        (["none.yaml", "--out", "new.h5"], "no file `none.yaml`"),
        (["empty.yaml", "--out", "new.h5"], "the document is empty\n  --> empty.yaml:1:1"),
        (["binary.yaml", "--out", "new.h5"], "binary data"),
        (["latin1.yaml", "--out", "new.h5"], "not UTF-8 text"),
        ([".", "--out", "new.h5"], "is a directory"),
        (["small.yaml", "--out", "new.h5", "--seed", "-1"], "`--seed` must be a whole number ≥ 0, got `-1`"),
        (["small.yaml", "--out", "new.h5", "--seed", "1.5"], "`--seed` must be a whole number ≥ 0, got `1.5`"),
        (["small.yaml", "--out", "new.h5", "--jobs", "0"], "`--jobs` must be a whole number from 1 to 256, got `0`"),
        (["small.yaml", "--out", "new.h5", "--dtype", "flot32"], "unknown dtype `flot32`\nhint: did you mean"),
    ],
)
@pytest.mark.parametrize("dry", [False, True])
def test_bad_input_exits_2_and_touches_nothing(folder, run, arguments, told, dry):
    """Whatever is wrong, with or without --dry-run, the status is 2, it is told, and the disk stays as it was."""
    (folder / "old.safetensors").write_bytes(b"old")
    (folder / "empty.yaml").write_bytes(b"")
    (folder / "binary.yaml").write_bytes(bytes(range(256)))
    (folder / "latin1.yaml").write_bytes("# für\n".encode("latin-1"))
    before = list_files(folder)

    ran = run("generate", *arguments, *(["--dry-run"] if dry else []))

    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert told in ran.err
    assert list_files(folder) == before


@pytest.mark.parametrize("dry", [False, True])
def test_a_directory_without_write_permission_is_told(folder, run, dry):
    """A target whose directory may not be written is refused, also by --dry-run; root tries it as nobody."""
    assert run("generate", "small.yaml", "--out", "warm.h5").status == 0  # everything imported, as nobody may not
    closed = Path(tempfile.mkdtemp(dir="/tmp"))
    closed.chmod(0o555)
    (closed.parent / f"{closed.name}.yaml").write_text((folder / "small.yaml").read_text())
    is_root = os.geteuid() == 0

    try:
        if is_root:
            os.setresuid(65534, 65534, 0)
        source = str(closed.parent / f"{closed.name}.yaml")
        ran = run("generate", source, "--out", f"{closed}/new.h5", *(["--dry-run"] if dry else []))
    finally:
        if is_root:
            os.setresuid(0, 0, 0)

    assert ran.status == 2
    assert f"no permission for `{closed}`" in ran.err
    assert list(closed.iterdir()) == []
    (closed.parent / f"{closed.name}.yaml").unlink()
    closed.rmdir()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["genrate"], "error: no such command `genrate`\nhint: did you mean `generate`?\n"),
        (["plan", "small.yaml", "--sed", "1"], "error: no such option `--sed`\nhint: did you mean `--seed`?\n"),
        (["show"], "error: missing argument `NAME`\nhint: `initcli show --help` shows how to call it\n"),
        (["generate", "x"], "error: missing option `--out`\nhint: `initcli generate --help` shows how to call it\n"),
        (["show", "he_norml"], "error: unknown initializer `he_norml`\nhint: did you mean `he_normal`?"),
        (["list", "--framework", "kears"], "error: unknown framework `kears`\nhint: did you mean `keras`?\n"),
        (["inspect", "none.h5"], "error: `none.h5` does not exist\n"),
        (["inspect", "small.yaml"], "error: `small.yaml` cannot be read as safetensors"),
    ],
)
def test_usage_errors_have_the_form_of_all_others(folder, run, arguments, told):
    """What click finds wrong is told as an error with a hint, and the status is 2."""
    ran = run(*arguments)

    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith(told)


def test_no_command_shows_the_help(run):
    """Without a command the help goes to standard error, and the status says that nothing ran."""
    ran = run()

    assert ran.status == 2
    assert ran.out == ""
    assert "Usage: initcli" in ran.err


def test_a_bug_is_one_line_and_no_traceback(folder, run, monkeypatch):
    """An exception that nobody expected becomes one error that asks for a report."""

    def load_plan(source, keeps_places):
        raise KeyError("surprise")

    monkeypatch.setattr(SpecSource, "load_plan", load_plan)

    ran = run("plan", "small.yaml")

    assert ran.status == 2
    assert ran.err.startswith("error: internal error: KeyError: 'surprise' at plan.py:")
    assert "please report" in ran.err
    assert "Traceback" not in ran.err


def test_control_characters_and_markup_are_shown_not_obeyed(folder, run):
    """What a file or an argument holds cannot move the terminal or be read as markup."""
    ran = run("plan", "\x1b[31m[red]evil.yaml")

    assert ran.status == 2
    assert "\x1b" not in ran.err
    assert r"\x1b[31m[red]evil.yaml" in ran.err
