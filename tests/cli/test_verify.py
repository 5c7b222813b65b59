"""`verify`: a file is what its spec says, or the first difference is told and the status is 1."""

from __future__ import annotations

import json
import shutil

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from initcli.formats.detection import detect_format
from initcli.laws import Normal
from initcli.laws.whole import Orthogonal

LARGE = """\
initcli: 1
seed: 5
tensors:
  "{a,b,c}": {shape: [700, 900], init: he_normal}
  short: {shape: [300001], init: random_normal, dtype: bfloat16}
  q: {shape: [40, 30], init: orthogonal}
  none: {shape: [0, 3], init: zeros}
  one: {shape: [], init: random_normal}
"""


@pytest.fixture
def large(folder, run):
    """A spec of several chunks, and its file."""
    (folder / "large.yaml").write_text(LARGE)
    assert run("generate", "large.yaml", "--out", "large.safetensors", "--quiet").status == 0
    return folder / "large.safetensors"


def flip_bit(path, name, number):
    """Change the lowest bit of one element in a safetensors file."""
    slot = json.loads(path.read_bytes()[8 : 8 + (start := int.from_bytes(path.read_bytes()[:8], "little"))])[name]
    with path.open("r+b") as file:
        file.seek(8 + start + slot["data_offsets"][0] + 4 * number)
        low = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([low ^ 1]))


@pytest.mark.parametrize("out", ["w.safetensors", "w.h5", "w.pt", "shards/"])
@pytest.mark.parametrize("jobs", ["1", "3"])
def test_what_was_generated_is_as_the_spec_says(large, run, out, jobs):
    """Every format that carries its spec, with any number of threads."""
    made = run("generate", "large.yaml", "--out", out, *(["--format", "safetensors"] if out.endswith("/") else []))

    ran = run("verify", out, "--jobs", jobs)

    assert made.status == 0
    assert ran == (0, f"{out.rstrip('/')}: 7 tensors, as the spec says\n", "")


@pytest.mark.parametrize("out", ["w.npz", "arrays"])
def test_a_format_without_metadata_is_verified_with_the_spec(folder, run, out):
    """Without it there is nothing to compare with, and the message tells the way."""
    run("generate", "small.yaml", "--out", out, "--format", "npz" if out == "w.npz" else "npy")

    bare, named = run("verify", out), run("verify", out, "--spec", "small.yaml")

    assert bare.status == 2
    assert bare.err == (
        f"error: `{out}` does not carry the spec that it was made from\nhint: name the spec with `--spec SPEC`\n"
    )
    assert named == (0, f"{out}: 3 tensors, as the spec says\n", "")


def test_one_npy_is_taken_for_the_specs_only_tensor(folder, run):
    """It holds no name."""
    (folder / "one.yaml").write_text("{initcli: 1, tensors: {w: {shape: [3], init: he_normal}}}")
    run("generate", "one.yaml", "--out", "anything.npy")

    assert run("verify", "anything.npy", "--spec", "one.yaml").status == 0
    assert run("verify", "anything.npy", "--spec", "one.yaml", "--seed", "1").status == 1


def test_one_bit_in_the_middle_of_a_large_tensor_is_found(large, run):
    """The tensor, the place along each axis, and both values; neighbours are not blamed."""
    before = load_file(large)["b"]
    flip_bit(large, "b", 500 * 900 + 321)
    after = load_file(large)["b"]

    ran = run("verify", "large.safetensors")
    data = json.loads(run("verify", "large.safetensors", "--json").out)

    (line,) = [each for each in ran.out.splitlines() if each.startswith("b ")]
    assert ran.status == 1
    assert "values" in line
    assert "1 of 630,000 elements" in line
    assert f"first at [500, 321]: expected {before[500, 321]!s}, found {after[500, 321]!s}" in line
    assert ran.out.splitlines()[-1] == "large.safetensors: 1 of 7 tensors differs: 1 in values"
    (wrong,) = [tensor for tensor in data["tensors"] if tensor["verdict"] != "equal"]
    assert wrong["first"] == {
        "index": [500, 321],
        "expected": float(before[500, 321]),
        "found": float(after[500, 321]),
    }
    assert (data["is_equal"], data["total"]["values"], data["total"]["equal"]) == (False, 1, 6)


def test_swapped_missing_and_unexpected_tensors_are_told_by_name(large, run):
    """Two of the same shape that changed places are two with other values."""
    metadata, tensors = detect_format(large).read_header(large).metadata, load_file(large)
    tensors["a"], tensors["b"] = tensors["b"], tensors["a"]
    tensors["extra"] = tensors.pop("c")
    save_file(tensors, large, metadata)

    ran = run("verify", "large.safetensors", "--json")

    verdicts = {tensor["name"]: tensor["verdict"] for tensor in json.loads(ran.out)["tensors"]}
    assert ran.status == 1
    assert verdicts == {
        **dict.fromkeys(("short", "q", "none", "one"), "equal"),
        "a": "values",
        "b": "values",
        "c": "missing",
        "extra": "unexpected",
    }


def test_another_shape_or_dtype_is_told_before_values(large, run):
    """What a tensor should be, and what it is."""
    metadata, tensors = detect_format(large).read_header(large).metadata, load_file(large)
    tensors["a"], tensors["b"] = tensors["a"].T.copy(), tensors["b"].astype(np.float16)
    save_file(tensors, large, metadata)

    ran = run("verify", "large.safetensors")

    assert ran.status == 1
    assert "a     shape    expected 700×900 float32, found 900×700 float32" in ran.out
    assert "b     dtype    expected 700×900 float32, found 700×900 float16" in ran.out
    assert ran.out.endswith("2 of 7 tensors differ: 1 in dtype, 1 in shape\n")


@pytest.mark.parametrize("changed", [("--seed", "6"), ("--dtype", "float64")])
def test_another_seed_or_dtype_is_another_file(large, run, changed):
    """--spec takes what `generate` takes."""
    same = run("verify", "large.safetensors", "--spec", "large.yaml")
    other = run("verify", "large.safetensors", "--spec", "large.yaml", *changed)

    assert same.status == 0
    assert other.status == 1


def test_replacements_need_a_spec_of_ones_own(large, run):
    """The spec in the file says what the file holds; to replace its seed would be to ask about another file."""
    ran = run("verify", "large.safetensors", "--seed", "5")

    assert ran.status == 2
    assert "`--seed`, `--dtype` and `--set` replace what a spec says" in ran.err


def test_only_compares_what_its_globs_fit(large, run):
    """Other tensors are not read; a glob that fits none is a mistake."""
    flip_bit(large, "b", 0)

    assert run("verify", "large.safetensors", "--only", "[ac]", "--only", "q").out == (
        "large.safetensors: 3 tensors, as the spec says\n"
    )
    assert run("verify", "large.safetensors", "--only", "b").status == 1
    assert run("verify", "large.safetensors", "--only", "x*").err.startswith("error: `--only x*` fits no tensor\n")


@pytest.mark.parametrize("suffix", ["safetensors", "h5", "pt"])
def test_a_truncated_file_cannot_be_verified(folder, run, suffix):
    """One error and status 2, as for any file that is not whole."""
    run("generate", "small.yaml", "--out", f"w.{suffix}")
    path = folder / f"w.{suffix}"
    path.write_bytes(path.read_bytes()[:-20])

    ran = run("verify", path.name)

    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("error: `")


FIRST, SECOND = (f"model-0000{number}-of-00002.safetensors" for number in (1, 2))
INDEX = "model.safetensors.index.json"


@pytest.fixture
def shards(folder, run):
    """Two sets of two shards: `a` and `b` in the first, `c` and `d` in the second; `other` is of another seed."""
    spec = "{seed: 5, tensors: {'{a,b,c,d}': {shape: [20, 30], init: he_normal}}}"
    (folder / "set.yaml").write_text(spec)
    for name, seed in (("set", "5"), ("other", "6")):
        made = run("generate", "set.yaml", "--out", name, "--max-shard-size", "5000", "--seed", seed, "--quiet")
        assert made.status == 0
    return folder / "set"


def swap(one, other):
    """Let two files change their names."""
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def tell_index(folder, **weight_map):
    """Let the index say something else of tensors; None takes one away."""
    index = json.loads((folder / INDEX).read_text())
    told = index["weight_map"] | weight_map
    index["weight_map"] = {name: file for name, file in told.items() if file}
    (folder / INDEX).write_text(json.dumps(index))


def cut(path, count):
    """Take bytes away from the end."""
    path.write_bytes(path.read_bytes()[:-count])


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda path: (path / FIRST).unlink(), f"1 of the 2 shards that `set/{INDEX}` names are missing: `{FIRST}`"),
        (lambda path: (path / SECOND).unlink(), f"1 of the 2 shards that `set/{INDEX}` names are missing: `{SECOND}`"),
        (lambda path: (path / INDEX).unlink(), "the directory `set` holds no .npy file"),
        (lambda path: cut(path / FIRST, 1), f"`set/{FIRST}` cannot be read as safetensors"),
        (lambda path: cut(path / SECOND, 4000), f"`set/{SECOND}` cannot be read as safetensors"),
        (lambda path: (path / SECOND).write_bytes(b""), f"`set/{SECOND}` is empty"),
        (lambda path: (path / SECOND).write_bytes(bytes(999)), f"`set/{SECOND}` was never finished"),
        (lambda path: swap(path / FIRST, path / SECOND), f"`c` is in `set/{FIRST}`, but `{INDEX}` has it in"),
        (lambda path: shutil.copy(path / FIRST, path / SECOND), f"`a` is in `set/{SECOND}`, but `{INDEX}` has it in"),
        (lambda path: shutil.copy(path / FIRST, path / "model.safetensors"), "never see the shards"),
        (lambda path: tell_index(path, a=SECOND), f"`a` is in `set/{FIRST}`, but `{INDEX}` has it in `{SECOND}`"),
        (lambda path: tell_index(path, e=SECOND), f"has `e` in `{SECOND}`, but it is not there"),
        (lambda path: tell_index(path, b=None), f"`b` is in `set/{FIRST}`, but `{INDEX}` does not name it"),
        (lambda path: cut(path / INDEX, 9), f"`set/{INDEX}` cannot be read as an index of shards"),
    ],
)
@pytest.mark.parametrize("command", [["verify"], ["inspect"], ["digest"], ["diff", "other"]])
def test_a_set_that_is_not_whole_is_one_error(shards, run, spoil, what, command):
    """Cut, missing, swapped, stale, or another than its index says: what, which file, and status 2."""
    spoil(shards)

    ran = run(*command, "set")

    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert what in ran.err.splitlines()[0]


def test_a_shard_of_another_set_has_other_values(shards, run):
    """Its names and sizes are right, so the values tell: those of its tensors alone."""
    shutil.copy(shards.parent / "other" / SECOND, shards / SECOND)

    ran = run("verify", "set", "--json")

    verdicts = {tensor["name"]: tensor["verdict"] for tensor in json.loads(ran.out)["tensors"]}
    assert ran.status == 1
    assert verdicts == {"a": "equal", "b": "equal", "c": "values", "d": "values"}


def test_a_set_without_a_shards_tensors_lacks_them(shards, run):
    """A shard and its names in the index are gone: what is left is whole, but not all that the spec has."""
    (shards / SECOND).unlink()
    tell_index(shards, c=None, d=None)

    ran = run("verify", "set", "--json")

    verdicts = {tensor["name"]: tensor["verdict"] for tensor in json.loads(ran.out)["tensors"]}
    assert ran.status == 1
    assert verdicts == {"a": "equal", "b": "equal", "c": "missing", "d": "missing"}


@pytest.mark.parametrize("spec", ["[1", "{}", '{"initcli": 1, "include": "/etc/hostname"}', '{"initcli": 99}'])
def test_a_spec_in_the_file_that_means_nothing_is_a_fault_there(folder, run, spec):
    """It may be anybody's: it is read as a spec and no more, and its place is the file."""
    metadata = {"initcli.scheme": "1", "initcli.spec": spec}
    save_file({"w": np.zeros(2, np.float32)}, "w.safetensors", metadata)

    ran = run("verify", "w.safetensors")

    assert ran.status == 2
    assert "w.safetensors (initcli.spec)" in ran.err
    assert "internal error" not in ran.err


@pytest.mark.parametrize("named", [[], ["--spec", "small.yaml"]])
def test_a_scheme_that_is_not_known_cannot_be_verified(folder, run, named):
    """Its values come from bits that this version does not know."""
    run("generate", "small.yaml", "--out", "w.h5")
    with h5py.File("w.h5", "r+") as file:
        file.attrs["initcli.scheme"] = "2"

    ran = run("verify", "w.h5", *named)

    assert ran.status == 2
    assert ran.err == (
        "error: `w.h5` was drawn by scheme `2`, and this initcli knows scheme 1 alone\n"
        "hint: verify it with the initcli that made it\n"
    )


def test_another_machines_rounding_is_told_and_no_difference(large, run, monkeypatch):
    """Other bits of LAPACK, a unit in the last place away, end well; a note says why they are other."""
    exact = Orthogonal.sample
    monkeypatch.setattr(Orthogonal, "sample", lambda *inputs: np.nextafter(exact(*inputs).astype(np.float32), 1))

    ran = run("verify", "large.safetensors")

    assert ran.status == 0
    assert "q     rounding  1,200 of 1,200 elements" in ran.out
    assert ran.out.endswith("large.safetensors: 7 tensors, as the spec says but for rounding\n")
    assert ran.err.startswith("note: not portable: orthogonal may give other bits on another machine")


def test_more_than_rounding_is_a_difference(large, run, monkeypatch):
    """Seven digits of float32 are more than a machine's choice of kernel changes."""
    exact = Orthogonal.sample
    monkeypatch.setattr(Orthogonal, "sample", lambda *inputs: exact(*inputs) * (1 + 1e-5))

    assert run("verify", "large.safetensors").status == 1


def test_a_portable_law_has_no_tolerance(large, run, monkeypatch):
    """Normal draws are the same bits on every machine: one unit in the last place is a difference."""
    exact = Normal.fill

    def fill(law, stream, start, out, scratch):
        exact(law, stream, start, out, scratch)
        out[...] = np.nextafter(out, np.float32(1))

    monkeypatch.setattr(Normal, "fill", fill)

    assert run("verify", "large.safetensors", "--only", "one").status == 1


def test_a_whole_tensor_is_drawn_once(folder, run, monkeypatch):
    """However many chunks it has: a factorization takes its time."""
    (folder / "q.yaml").write_text("{initcli: 1, tensors: {q: {shape: [520, 520], init: orthogonal}}}")
    run("generate", "q.yaml", "--out", "q.h5")
    drawn, exact = [], Orthogonal.sample
    monkeypatch.setattr(Orthogonal, "sample", lambda *inputs: drawn.append(1) or exact(*inputs))

    ran = run("verify", "q.h5", "--jobs", "3")

    assert ran.status == 0
    assert drawn == [1]


def test_a_tie_that_a_file_holds_has_the_values_of_its_target(folder, run):
    """Other writers store both names; ours stores one, and either is as the spec says."""
    (folder / "t.yaml").write_text("{initcli: 1, tensors: {w: {shape: [3], init: he_normal}, head: {tie: w}}}")
    run("generate", "t.yaml", "--out", "t.safetensors")
    metadata, tensors = (
        detect_format(folder / "t.safetensors").read_header(folder / "t.safetensors")[0],
        load_file("t.safetensors"),
    )
    save_file({**tensors, "head": tensors["w"].copy()}, "both.safetensors", metadata)
    save_file({**tensors, "head": tensors["w"] + 1}, "off.safetensors", metadata)

    assert run("verify", "t.safetensors").out == "t.safetensors: 1 tensor, as the spec says\n"
    assert run("verify", "both.safetensors").out == "both.safetensors: 2 tensors, as the spec says\n"
    assert run("verify", "off.safetensors").status == 1


def test_a_name_that_would_move_the_terminal_is_written_out(folder, run):
    """What a file says is anybody's text."""
    save_file({"\x1b[31mred": np.zeros(2, np.float32)}, "w.safetensors")

    ran = run("verify", "w.safetensors", "--spec", "small.yaml")

    assert ran.status == 1
    assert "\x1b" not in ran.out
    assert r"\x1b[31mred" in ran.out


def test_a_copy_under_another_name_is_verified_too(large, run):
    """The path is no part of the content."""
    shutil.copy(large, "copy.weights")

    assert run("verify", "copy.weights").status == 0
