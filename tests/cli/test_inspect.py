"""`initcli inspect`: what a file holds, its statistics, its values, in every form and of every kind of file."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from initcli.patterns import parse_pattern

BLOCKS = """\
initcli: 1
framework: torch
seed: 3
tensors:
  model.embed.weight: [20, 8]
  model.layers.{0..11}.self_attn.{q,k,v}_proj.weight: [8, 8]
  model.layers.{0..11}.mlp.experts.{0..3}.w{1,3}.weight: [16, 8]
  model.layers.{0..11}.norm.weight: {shape: [8], dtype: float64}
rules:
  - {match: "*norm.weight", init: ones}
  - {match: "*", init: normal(std=0.02)}
"""
TENSORS = 1 + 12 * (3 + 8 + 1)


@pytest.fixture
def blocks(folder, run):
    """A file of twelve blocks, `b.safetensors`."""
    (folder / "blocks.yaml").write_text(BLOCKS)
    run("generate", "blocks.yaml", "--out", "b.safetensors", "--quiet")
    return folder


TIED = """\
initcli: 1
framework: torch
tensors:
  wte: {shape: [5, 3], init: normal}
  h.{0..2}.w: {shape: [4], init: ones}
  head: {tie: wte}
  g.{0..2}.w: {tie: h.0.w}
"""


def test_ties_are_told_apart_and_count_for_nothing(folder, run):
    """Their bytes are those of a tensor: a table of their own, equal blocks on one line, values by either name."""
    (folder / "tied.yaml").write_text(TIED)
    run("generate", "tied.yaml", "--out", "t.pt", "--quiet")

    head, table, ties, _ = run("inspect", "t.pt").out.split("\n\n")
    told = json.loads(run("inspect", "t.pt", "--json").out)
    values = [run("inspect", "t.pt", "--tensor", f"{name}[1]").out for name in ("wte", "head")]

    assert head == "t.pt: pt, 4 tensors, 27 parameters, 108 B, float32"
    assert table.splitlines()[-1].split() == ["total", "4", "27", "108", "B"]
    assert [line.split() for line in ties.splitlines()] == [
        ["tie"],
        ["g.{0..2}.w", "=", "h.0.w"],
        ["head", "=", "wte"],
    ]
    assert told["ties"] == {"head": "wte", **{f"g.{i}.w": "h.0.w" for i in range(3)}}
    assert len(told["tensors"]) == told["total"]["tensors"] == 4
    assert values[0] == values[1]
    assert "| `head` | = wte |" in run("inspect", "t.pt", "--markdown").out


def table_of(out):
    """Return the lines of the tensors' table; all lines where there is nothing else."""
    parts = out.rstrip("\n").split("\n\n")
    return parts[min(1, len(parts) - 1)].splitlines()


def test_blocks_that_are_equal_share_a_line(blocks, run):
    """The first column is a spec's, and stands for just the tensors of the file; the counts are of all."""
    ran = run("inspect", "b.safetensors")

    head, table, _ = ran.out.split("\n\n")
    rows = [line.split() for line in table.splitlines()[1:]]
    names = [name for row in rows[:-1] for name, _ in parse_pattern(row[0]).expand({})]
    told = json.loads(run("inspect", "b.safetensors", "--json").out)
    assert head == "b.safetensors: safetensors, 145 tensors, 14,848 parameters, 59.8 kB, float32, float64"
    assert [row[0] for row in rows] == [
        "model.embed.weight",
        "model.layers.{0..11}.mlp.experts.{0..3}.w{1,3}.weight",
        "model.layers.{0..11}.norm.weight",
        "model.layers.{0..11}.self_attn.{k,q,v}_proj.weight",
        "total",
    ]
    assert rows[1][1:] == ["16×8", "float32", "96", "12,288", "49.2", "kB"]
    assert sorted(names) == sorted(tensor["name"] for tensor in told["tensors"])
    assert len(names) == TENSORS


def test_json_lists_every_tensor_in_natural_order_and_the_blocks_too(blocks, run):
    """The documented keys; sizes and bytes of the blocks add up to those of the whole."""
    told = json.loads(run("inspect", "b.safetensors", "--json").out)

    norms = [tensor["name"] for tensor in told["tensors"] if "norm" in tensor["name"]]
    assert set(told) == {"format", "metadata", "spec", "blocks", "tensors", "ties", "total"}
    assert norms == [f"model.layers.{i}.norm.weight" for i in range(12)]
    for key in ("tensors", "size", "nbytes"):
        assert sum(block[key] for block in told["blocks"]) == told["total"][key]


def test_inspecting_reads_no_tensor_data(blocks, run):
    """A file whose data is on no disk, half a terabyte of it, is told from its header."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [2**37], "data_offsets": [0, 2**39]}}).encode()
    with (blocks / "huge.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 2**39)

    ran = run("inspect", "huge.safetensors")

    assert ran.status == 0
    assert "1 tensor, 137,438,953,472 parameters, 550 GB, float32" in ran.out


def test_a_slice_is_found_without_what_is_before_it(folder, run):
    """The last row of half a terabyte, in one file or in shards, takes no time."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [1 << 20, 1 << 17], "data_offsets": [0, 1 << 39]}}).encode()
    (folder / "shards").mkdir()
    index = {"metadata": {}, "weight_map": {"w": "model-00001-of-00001.safetensors"}}
    (folder / "shards" / "model.safetensors.index.json").write_text(json.dumps(index))
    for path in (folder / "huge.safetensors", folder / "shards" / "model-00001-of-00001.safetensors"):
        with path.open("wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            file.truncate(8 + len(header) + (1 << 39))
            file.seek(-8, 2)
            file.write(np.array([2.5, -1], np.float32).tobytes())

    for out in ("huge.safetensors", "shards"):
        assert run("inspect", out, "--tensor", "w[-1, -3:]") == (0, "0.0 2.5 -1.0\n", "")


def test_inspect_loads_nothing_that_makes_weights(folder, run, environment):
    """Of the formats only the file's own, of the rest neither laws nor initializers: a short run begins at once."""
    run("generate", "small.yaml", "--out", "s.safetensors", "--quiet")
    code = "import sys; from initcli.cli import main; main(['inspect', 's.safetensors']); print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    loaded = {name.removeprefix("initcli.") for name in done.stdout.split() if name.startswith("initcli.")}
    assert "formats.safetensors" in loaded
    assert not loaded & {"laws", "initializers", "spec", "plan", "survey", "formats.hdf5", "formats.torch_zip"}


def test_a_directory_without_a_checkpoint_is_told_what_may_be_meant(folder, run):
    """The first file in it that a suffix tells to be weights, if there is one."""
    (folder / "there").mkdir()
    bare = run("inspect", "there")
    for name in ("readme.md", "pytorch_model.bin"):
        (folder / "there" / name).touch()

    ran = run("inspect", "there")

    assert (bare.status, ran.status) == (2, 2)
    assert bare.err.endswith("hint: name one weight file\n")
    assert ran.err == (
        "error: the directory `there` holds no .npy file and no checkpoint of safetensors files\n"
        "hint: name one weight file: `there/pytorch_model.bin`\n"
    )


def test_a_file_of_no_known_format_is_told_which_there_are(folder, run):
    """No library's words over bytes that are not its own."""
    (folder / "noise").write_bytes(bytes(range(200, 256)))

    ran = run("inspect", "noise")

    assert ran.status == 2
    assert ran.err.startswith("error: `noise` cannot be read as safetensors, nor as any other format")
    assert "initcli reads gguf, h5, " in ran.err


@pytest.mark.parametrize("out", ["w.safetensors", "w.h5", "w.npz", "w.pt", "arrays"])
def test_every_format_tells_shapes_statistics_and_values(folder, run, out):
    """The same tables and the same numbers, whatever holds them."""
    extra = ["--format", "npy"] if out == "arrays" else []
    run("generate", "small.yaml", "--out", "s.safetensors", "--quiet")
    assert run("generate", "small.yaml", "--out", out, "--quiet", *extra).status == 0

    for view in ([], ["--stats"], ["--tensor", "fc1/kernel[1:3]"]):
        ran, expected = run("inspect", out, *view), run("inspect", "s.safetensors", *view)
        assert ran.status == 0
        assert table_of(ran.out) == table_of(expected.out)


def test_a_checkpoint_in_shards_is_one(blocks, run):
    """All shards together have the tensors of the one file."""
    run("generate", "blocks.yaml", "--out", "shards", "--max-shard-size", "20kB", "--quiet")

    ran = run("inspect", "shards", "--stats")

    assert len(list((blocks / "shards").glob("*.safetensors"))) > 1
    assert table_of(ran.out) == table_of(run("inspect", "b.safetensors", "--stats").out)


def test_stats_are_the_values_own(folder, run):
    """Beside NumPy's figures: what is not finite is counted; the histogram's edges hold its counts."""
    values = np.array([[0.0, 1.0, np.nan], [np.inf, -2.0, 0.0]], np.float32)
    save_file({"w": values}, "w.safetensors")

    (tensor,) = json.loads(run("inspect", "w.safetensors", "--stats", "--json").out)["tensors"]
    row = run("inspect", "w.safetensors", "--stats").out.split("\n\n")[1].splitlines()[1]

    finite = values[np.isfinite(values)].astype(np.float64)
    assert tensor["mean"] == finite.mean() == -0.25
    assert tensor["std"] == pytest.approx(finite.std(), rel=4 * np.finfo(np.float64).eps)
    assert [tensor[key] for key in ("min", "max", "zeros", "nan", "inf")] == [-2.0, 1.0, 2, 1, 1]
    expected, _ = np.histogram(finite, tensor["histogram"]["edges"])
    assert tensor["histogram"]["counts"] == expected.tolist()
    assert row.split() == ["w", "2×3", "float32", "-0.25", "1.09", "-2", "1", "2", "1", "1"]


def test_stats_are_the_same_for_any_number_of_jobs(blocks, run):
    """To the last digit of the JSON."""
    ones, threes = (run("inspect", "b.safetensors", "--stats", "--json", "--jobs", jobs).out for jobs in "13")

    assert ones == threes


def test_a_piped_tensor_is_whole_and_reads_back(folder, run):
    """A row a line, each number the shortest that is read back to the same bits; an empty line between matrices."""
    values = np.random.default_rng(2).normal(size=(3, 400, 5)).astype(np.float32)
    save_file({"w[0]": values}, "w.safetensors")

    whole, part = (
        run("inspect", "w.safetensors", "--tensor", "w[0]"),
        run("inspect", "w.safetensors", "--tensor", "w[0][..., ::-2]"),
    )

    lines = whole.out.splitlines()
    assert len(lines) == 3 * 400 + 2
    assert (np.loadtxt(lines, np.float32).reshape(values.shape) == values).all()
    assert (np.loadtxt(part.out.splitlines(), np.float32).reshape(3, 400, 3) == values[..., ::-2]).all()


@pytest.mark.parametrize(
    ("name", "selection", "values"),
    [
        ("w", "[1]", [3.0, None]),
        ("w", "[-1, 0]", 3.0),
        ("w", "[:, :1]", [[1.5], [3.0]]),
        ("w", "[5:]", []),
        ("scalar", "", 7),
        ("scalar", "[...]", 7),
        ("z", "[1:]", [[0.0, -1.0]]),
        ("none", "", [[], []]),
    ],
)
def test_values_as_json_are_plain(folder, run, name, selection, values):
    """Null for what is not finite, a pair for a complex number."""
    tensors = {
        "w": np.array([[1.5, 2.0], [3.0, np.inf]]),
        "scalar": np.array(7),
        "z": np.array([1, -1j], np.complex64),
        "none": np.empty((2, 0)),
    }
    save_file(tensors, "w.safetensors")

    told = json.loads(run("inspect", "w.safetensors", "--tensor", name + selection, "--json").out)

    assert told["values"] == values
    assert told["shape"] == list(tensors[name].shape)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tensor", "fc1/kernl"], "holds no tensor `fc1/kernl`\nhint: did you mean `fc1/kernel`?"),
        (["--tensor", "fc1/kernel[9]"], "there is no index 9 on axis 0: it has 0 to 5"),
        (["--tensor", "fc1/kernel[a]"], "`a` in `[a]` is no index and no slice\nhint: write indices"),
        (["--tensor", "scale[0]"], "`[0]` is for 1 or more axes, and the tensor has 0"),
        (["--tensor", "scale", "--stats"], "`--tensor` prints values and does not go with `--stats`"),
        (["--tensor", "scale", "--markdown"], "does not go with `--markdown`"),
        (["--json", "--markdown"], "`--json` and `--markdown` are two forms of one answer"),
    ],
)
def test_what_cannot_be_shown_is_told_with_a_way_out(folder, run, arguments, words):
    """Exit status 2, nothing on standard output, a hint."""
    run("generate", "small.yaml", "--out", "made.safetensors", "--quiet")

    ran = run("inspect", "made.safetensors", *arguments)

    assert (ran.status, ran.out) == (2, "")
    assert words in ran.err
    assert "\nhint: " in ran.err


def test_markdown_is_a_table_that_no_name_can_break(folder, run):
    """Bars are escaped, backticks fenced, and every row has as many cells as the title."""
    save_file({"a|b": np.zeros(1), "c`d": np.ones((2, 3)), "\x1b[31m": np.ones(2)}, "w.safetensors")

    for extra in ([], ["--stats"]):
        head, table = run("inspect", "w.safetensors", "--markdown", *extra).out.split("\n\n")
        cells = [re.split(r"(?<!\\)\|", line) for line in table.splitlines()]
        assert head.startswith("3 tensors, 9 parameters, 72 B")
        assert {len(row) for row in cells} == {len(cells[0])}
        assert [row[1].strip() for row in cells[2:]] == ["`\\x1b[31m`", "`a\\|b`", "`` c`d ``", "total"]


def test_metadata_of_others_is_shown_and_that_of_initcli_summed_up(folder, run):
    """A pipe gets all of a long value; a spec that is none is said to be none."""
    metadata = {"note": "x" * 2000, "initcli.spec": "[1]", "initcli.portable": "false"}
    save_file({"w": np.zeros(1)}, "w.safetensors", metadata)

    out = run("inspect", "w.safetensors").out

    assert "note      " + "x" * 2000 in out
    assert "initcli   not a spec that initcli wrote, not portable, spec with --json" in out
