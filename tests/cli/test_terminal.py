"""What a person sees: a terminal of 80 columns, with and without colour; what a pipe gets instead."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest


@pytest.fixture
def show_on_terminal(environment):
    """Run the program with standard output on a terminal of some columns, and return what that shows."""

    def show(columns, *arguments, **variables):
        screen, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-m", "initcli", *arguments], stdout=terminal, stderr=terminal, env=environment | variables
        )
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(screen, 4096)
            except OSError:  # Linux's way to say that the other side is closed
                break
            if not part:
                break
            shown += part
        os.close(screen)
        process.wait()
        return shown.decode().replace("\r\n", "\n")

    return show


def strip_style(text):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


LONG_NAMES = """\
initcli: 1
tensors:
  model.layers.31.self_attn.q_proj.weight: {shape: [64, 48], init: "random_normal(mean=-0.25, stddev=0.02)"}
  "[bold]model[/bold].layers.31.mlp.down_proj.weight": {shape: [48, 64], init: glorot_uniform}
"""


def test_80_columns_are_enough_and_nothing_is_cut(folder, show_on_terminal, run):
    """On 80 columns names are folded, and every figure and verdict of the wide table is there."""
    (folder / "names.yaml").write_text(LONG_NAMES)

    shown = strip_style(show_on_terminal(80, "generate", "names.yaml", "--out", "a.safetensors"))
    piped = run("generate", "names.yaml", "--out", "b.safetensors").out

    table = shown[: shown.index("wrote")]
    assert max(map(len, table.splitlines())) <= 80
    assert table.count("  ok") == 3
    assert "…" not in table
    figures = re.findall(r"-?\d\.\d\S*", piped)
    assert figures
    assert all(figure in table for figure in figures if figure not in ("-0.25,", "0.02)"))
    assert "[bold]" in table


def test_a_wide_terminal_gives_each_tensor_a_line(folder, show_on_terminal):
    """Where the wide table fits, observed and promised stand on one line."""
    shown = strip_style(show_on_terminal(160, "generate", "small.yaml", "--out", "a.safetensors"))

    assert re.search(r"^fc1/kernel +6×4 +float32 +he_normal .* ok", shown, re.MULTILINE)


def test_colour_is_for_terminals_that_want_it(folder, show_on_terminal, run):
    """A terminal gets colour unless NO_COLOR is set or it is dumb; a pipe never does."""
    coloured = show_on_terminal(80, "plan", "none.yaml")
    table = show_on_terminal(80, "generate", "small.yaml", "--out", "a.h5")
    without = show_on_terminal(80, "generate", "small.yaml", "--out", "b.h5", NO_COLOR="1")
    dumb = show_on_terminal(80, "generate", "small.yaml", "--out", "c.h5", TERM="dumb")
    piped = run("generate", "small.yaml", "--out", "d.h5")

    assert "\x1b[" in coloured
    assert "\x1b[32mok" in table
    assert "\x1b" not in without + dumb + piped.out + piped.err


def test_binary_data_is_not_sent_to_a_terminal(folder, show_on_terminal):
    """`--out -` is refused where standard output is a terminal, also by --dry-run."""
    for extra in ([], ["--dry-run"]):
        shown = strip_style(show_on_terminal(80, "generate", "small.yaml", "--out", "-", "--format", "npy", *extra))
        assert shown.startswith("error: a `.npy` file holds one tensor")
        shown = strip_style(
            show_on_terminal(80, "generate", "small.yaml", "--out", "-", "--format", "safetensors", *extra)
        )
        assert shown.startswith("error: `--out -` would write binary data to the terminal\nhint: redirect")


def test_a_long_page_is_folded_between_words(show_on_terminal):
    """`show` keeps to the terminal's columns."""
    shown = strip_style(show_on_terminal(80, "show", "keras.truncated_normal"))

    lines = shown[shown.index("differs ") :].splitlines()
    assert max(map(len, shown.splitlines())) <= 80
    assert lines[1].startswith(" " * len("differs  "))
    assert not lines[0].endswith(" ")


def test_frameworks_side_by_side_are_folded_under_their_fields(show_on_terminal):
    """80 columns are enough, and what goes on stands below where it began."""
    shown = strip_style(show_on_terminal(80, "show", "glorot_normal"))

    lines = shown[shown.index("jax.glorot_normal\n") :].splitlines()
    assert max(map(len, shown.splitlines())) <= 80
    assert lines[1].startswith("  formula     W ~ N(0,")
    assert lines[2].startswith("              ")


def test_figures_on_80_columns_are_those_of_the_pipe(show_on_terminal, run):
    """Fans, mean and std, and the bounds stand in pairs; no figure and no verdict on a law is lost."""
    shown = strip_style(show_on_terminal(80, "show", "glorot_normal", "--shape", "784,128"))
    wide = strip_style(show_on_terminal(120, "show", "glorot_normal", "--shape", "784,128"))
    piped = run("show", "glorot_normal", "--shape", "784,128").out

    figures = re.findall(r"-?\d\.\d\S*", piped)
    assert max(map(len, shown.splitlines())) <= 80
    assert figures
    assert all(figure in shown for figure in figures)
    assert re.search(r"^  truncated normal, as keras +128 +0\.04683 +0\.1065$", shown, re.MULTILINE)
    assert re.search(r"^jax\.glorot_normal .* truncated normal, as keras", wide, re.MULTILINE)


def test_a_refusal_on_80_columns_is_folded_and_whole(show_on_terminal):
    """Words that do not fit go on in the next line of the same cell."""
    shown = strip_style(show_on_terminal(80, "show", "he_normal", "--shape", "784"))

    assert max(map(len, shown.splitlines())) <= 80
    begin = shown.index("refuses: an `in_axis`")
    assert "rank 2 or more, got [784]" in shown[begin : begin + 200]


def test_a_terminal_heads_each_framework_with_its_count(show_on_terminal, run):
    """The number is that of the lines that a pipe gets for the framework; a pipe gets no heading."""
    shown = strip_style(show_on_terminal(80, "list", "uniform"))
    piped = run("list", "uniform").out.splitlines()[1:]

    headings = dict(re.findall(r"^(\w+): (\d+) initializers? *$", shown, re.MULTILINE))
    counts = [line.partition(".")[0] for line in piped]
    assert "keras" in headings
    assert headings == {framework: str(counts.count(framework)) for framework in counts}
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown


BLOCKS = """\
initcli: 1
framework: torch
tensors:
  transformer.h.{0..11}.attn.c_attn.weight: {shape: [8, 24], init: normal(std=0.02)}
  transformer.h.{0..11}.a_rather_long_name_of_a_module.ln_{1,2}.weight: {shape: [8], init: ones}
  transformer.h.{0..11}.a_rather_long_name_of_a_module.ln_{1,2}.bias: {shape: [16], init: zeros}
"""


def test_a_terminal_shows_the_tensors_as_a_tree(folder, show_on_terminal, run):
    """What is below a branch stands below it, indented and summed up; equal blocks are one, as in the pipe."""
    (folder / "blocks.yaml").write_text(BLOCKS)
    run("generate", "blocks.yaml", "--out", "b.safetensors", "--quiet")

    wide = strip_style(show_on_terminal(120, "inspect", "b.safetensors"))
    narrow = strip_style(show_on_terminal(60, "inspect", "b.safetensors"))

    assert re.search(r"^transformer\.h\.\{0\.\.11\} +60 +2,880 +11\.5 kB$", wide, re.MULTILINE)
    assert re.search(r"^    bias +16 +float32 +24 +384 +1\.54 kB$", wide, re.MULTILINE)
    assert max(map(len, narrow.splitlines()[2:])) <= 60
    assert re.search(r"^    bias +24 +384 +1\.54 kB$\n^      16 float32 *$", narrow, re.MULTILINE)


@pytest.mark.parametrize("columns", [80, 140])
def test_statistics_on_a_terminal_have_histograms_and_a_pipe_has_none(folder, show_on_terminal, run, columns):
    """No figure of the pipe is lost, and a normal tensor's bins rise to the middle."""
    (folder / "blocks.yaml").write_text(BLOCKS)
    run("generate", "blocks.yaml", "--out", "b.safetensors", "--quiet")

    shown = strip_style(show_on_terminal(columns, "inspect", "b.safetensors", "--stats"))
    piped = run("inspect", "b.safetensors", "--stats").out

    figures = re.findall(r"-?\d\.\d\S*", piped.split("\n\n")[1])
    assert max(map(len, shown.splitlines()[2:])) <= columns
    assert figures
    assert all(figure in shown for figure in figures)
    assert re.search("[▁▂▃][ ▁▂▃▄▅▆▇█]*█[ ▁▂▃▄▅▆▇█]*[▁▂▃]", shown)
    assert not re.search("[▁▂▃▄▅▆▇█]", piped)


def test_a_terminal_shows_values_as_numpy_does(folder, show_on_terminal, run):
    """What they are, and the middle of many left out."""
    (folder / "many.yaml").write_text("{initcli: 1, tensors: {w: {shape: [4000, 3], init: ones}}}")
    run("generate", "many.yaml", "--out", "m.safetensors", "--quiet")

    shown = strip_style(show_on_terminal(80, "inspect", "m.safetensors", "--tensor", "w[1:]"))

    assert shown.splitlines() == [
        "w[1:]: float32, 3999×3 of 4000×3",
        "[[1. 1. 1.]",
        *[" [1. 1. 1.]"] * 2,
        " ...",
        *[" [1. 1. 1.]"] * 2,
        " [1. 1. 1.]]",
    ]
