"""How a run ends before its time: signals, readers that go away, disks that are full."""

import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time

import pytest

PATIENCE_S = 60


def wait_for(condition):
    """Wait until `condition` gives something, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [
        (signal.SIGINT, 130, b"interrupted\n"),
        (signal.SIGTERM, 143, b"terminated\n"),
        (signal.SIGHUP, 129, b"hung up\n"),
    ],
)
def test_a_signal_leaves_the_target_and_no_temporary(folder, start, number, status, word):
    """A run that is asked to end says so in a word, keeps the old file, and removes what it began."""
    (folder / "long.safetensors").write_bytes(b"old")
    process = start("generate", "long.yaml", "--out", "long.safetensors", "--force")
    wait_for(lambda: [path for path in folder.glob(".long*") if path.stat().st_size])

    process.send_signal(number)
    process.send_signal(number)  # who presses twice does not stop the clean-up
    out, err = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, out, err) == (status, b"", word)
    assert (folder / "long.safetensors").read_bytes() == b"old"
    assert sorted(path.name for path in folder.iterdir()) == ["long.safetensors", "long.yaml", "small.yaml"]


def test_a_long_run_shows_its_progress_on_a_terminal(folder, start):
    """After a second standard error shows bytes, rate and time left; an interruption gives the cursor back."""
    screen, terminal = pty.openpty()
    process = start("generate", "long.yaml", "--out", "long.safetensors", stderr=terminal)
    os.close(terminal)
    shown = b""
    while b"B/s" not in shown:
        assert select.select([screen], [], [], PATIENCE_S)[0]
        shown += os.read(screen, 4096)

    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE_S)
    while select.select([screen], [], [], 1)[0]:
        try:
            shown += os.read(screen, 4096)
        except OSError:
            break
    os.close(screen)

    assert re.search(rb"/2\.0 GB.*B/s.*left", shown)
    assert shown.endswith(b"interrupted\r\n")
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")
    assert process.returncode == 130


@pytest.mark.parametrize(
    "arguments", [["list"], ["generate", "long.yaml", "--out", "-", "--format", "safetensors"], ["--help"]]
)
def test_a_reader_who_leaves_is_no_traceback(folder, start, arguments):
    """A broken pipe ends quietly with 141, as a shell counts SIGPIPE."""
    reader, writer = os.pipe()
    process = start(*arguments, stdout=writer)
    os.close(writer)
    os.close(reader)

    _, err = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, err) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")  # noqa: PTH110
@pytest.mark.parametrize("arguments", [["list"], ["generate", "small.yaml", "--out", "-", "--format", "safetensors"]])
def test_a_full_disk_behind_stdout_is_told_once(folder, start, arguments):
    """Standard output that takes no more is an error like all others."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        _, err = start(*arguments, stdout=full).communicate(timeout=PATIENCE_S)

    assert err.decode() == "error: cannot write to standard output: no space left on device\n"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("generate - --out x.h5 <&-", "error: standard input is closed\nhint: name a file\n"),
        ("generate small.yaml --out - --format safetensors >&-", "error: standard output is closed\n"),
        ("list >&-", ""),
    ],
)
def test_closed_streams_are_no_traceback(folder, environment, command, told):
    """What a shell's `<&-` and `>&-` close is told where it is needed."""
    ran = subprocess.run(f"{shlex.quote(sys.executable)} -m initcli {command}", shell=True, env=environment, stderr=-1)

    assert ran.stderr.decode().startswith(told)
    assert "Traceback" not in ran.stderr.decode()
    assert ran.returncode == (2 if told else 0)
