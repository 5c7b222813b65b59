"""`diff`: two files hold the same, whatever their formats, or it is told what differs, and by how much."""

from __future__ import annotations

import json

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from initcli.cli.differences import tabulate_differences
from initcli.comparison import Pair, Verdict
from initcli.formats import Entry

VALUES = {"w": np.arange(600_000, dtype=np.float32).reshape(600, 1000), "b": np.ones(3, np.float64)}


@pytest.fixture
def saved(folder):
    """Save changed copies of the same tensors, and return the file's name."""

    def save(name, **changed):
        save_file({key: each for key, each in {**VALUES, **changed}.items() if each is not None}, name)
        return name

    return save


def test_the_same_tensors_in_two_formats_are_equal(folder, run):
    """Metadata, order and the way of storing are no difference."""
    for out in ("w.safetensors", "w.h5", "w.npz", "w.pt", "arrays"):
        run("generate", "small.yaml", "--out", out, "--format", out.split(".")[-1].replace("arrays", "npy"))

    for out in ("w.h5", "w.npz", "w.pt", "arrays"):
        assert run("diff", "w.safetensors", out) == (0, f"w.safetensors and {out}: 3 tensors, equal\n", "")


def test_another_seed_is_told_for_each_tensor_that_is_drawn(folder, run):
    """Zeros and constants stay."""
    run("generate", "small.yaml", "--out", "a.h5")
    run("generate", "small.yaml", "--out", "b.safetensors", "--seed", "8")

    ran = run("diff", "a.h5", "b.safetensors")

    assert ran.status == 1
    assert [line.split()[0] for line in ran.out.splitlines()[1:2]] == ["fc1/kernel"]
    assert ran.out.splitlines()[-1] == "a.h5 and b.safetensors: 1 of 3 tensors differs: 1 in values"


def test_a_narrow_terminal_has_the_name_above_what_differs():
    """Names are long, and so is what there is to tell of a difference: each has the whole width."""
    entry = Entry("w", "float32", (3,), 12)
    pairs = [Pair("model.embed.weight", entry, None), Pair("same", entry, entry)]

    table = tabulate_differences(pairs, ("a", "b"), {Verdict.ONLY_A: "only in a"})

    assert table.narrow.rows == [("model.embed.weight\n  only in a: 3 float32",)]


def test_the_count_the_greatest_and_the_first_difference_are_told(saved, run):
    """Two elements in two chunks: 3 and 100 apart."""
    other = VALUES["w"].copy()
    other[1, 2] += 3
    other[500, 0] -= 100
    a, b = saved("a.safetensors"), saved("b.safetensors", w=other)

    ran, data = run("diff", a, b), json.loads(run("diff", a, b, "--json").out)

    assert ran.status == 1
    assert (
        "w     values   2 of 600,000 elements, at most by 100, relatively 0.002985; first at [1, 2]: a 1002.0, b 1005.0"
    ) in ran.out
    (found,) = [tensor for tensor in data["tensors"] if tensor["name"] == "w"]
    assert (found["differing"], found["max_abs"], found["max_rel"]) == (2, 100, 3 / 1005)
    assert found["first"] == {"index": [1, 2], "a": 1002.0, "b": 1005.0}
    assert (data["is_equal"], data["total"]["values"]) == (False, 1)


@pytest.mark.parametrize(
    ("options", "status"),
    [((), 1), (("--atol", "3"), 0), (("--atol", "2.9"), 1), (("--rtol", "0.003"), 0), (("--rtol", "0.0029"), 1)],
)
def test_a_tolerance_decides_what_is_a_difference(saved, run, options, status):
    """1002 and 1005 are 3 apart, a share of 0.002985."""
    other = VALUES["w"].copy()
    other[1, 2] += 3

    assert run("diff", saved("a.safetensors"), saved("b.safetensors", w=other), *options).status == status


def test_what_is_within_the_tolerance_is_shown_all_the_same(saved, run):
    """Status 0, and the reader sees how near it was."""
    ran = run("diff", saved("a.safetensors"), saved("b.safetensors", b=np.array([1.0, 1.5, 1.0])), "--atol", "1")

    assert ran.status == 0
    assert "b     rounding  1 of 3 elements, at most by 0.5, relatively 0.3333" in ran.out
    assert ran.out.endswith("2 tensors, equal within the tolerance\n")


def test_missing_shapes_and_dtypes_come_with_both_sides(saved, run):
    """Values of another dtype are compared as numbers."""
    half = VALUES["w"].astype(ml_dtypes.bfloat16)
    a = saved("a.safetensors", b=np.ones((3, 1)), x=np.ones(2))
    b = saved("b.safetensors", w=half, y=np.ones(2))

    ran = run("diff", a, b)

    lines = {line.split()[0]: line for line in ran.out.splitlines() if line}
    assert ran.status == 1
    assert "shape      a 3×1 float64, b 3 float64" in lines["b"]
    assert "dtype      a 600×1000 float32, b 600×1000 bfloat16; " in lines["w"]
    assert "only in a  2 float64" in lines["x"]
    assert "only in b  2 float64" in lines["y"]
    assert ran.out.endswith("4 of 4 tensors differ: 1 in dtype, 1 in shape, 1 only in a, 1 only in b\n")


def test_the_verdict_does_not_depend_on_the_order(saved, run):
    """A and B change places: status and counts stay, and the sides change theirs."""
    a = saved("a.safetensors", b=None)
    b = saved("b.safetensors", w=VALUES["w"] * np.float32(1.001))

    there, back = (json.loads(run("diff", *pair, "--rtol", "1e-6", "--json").out) for pair in ((a, b), (b, a)))

    assert there["total"]["only_b"] == back["total"]["only_a"] == 1
    for one, other in zip(there["tensors"], sorted(back["tensors"], key=lambda each: each["name"] != "w"), strict=True):
        assert (one["name"], one["differing"], one["max_abs"]) == (other["name"], other["differing"], other["max_abs"])
        assert (one["a"], one["b"]) == (other["b"], other["a"])


def test_nan_equals_nan_and_json_has_no_nan(saved, run):
    """Where one side alone is nan, the distance is null and the value a word."""
    one, two = np.array([np.nan, 1.0, 2.0]), np.array([np.nan, np.nan, 2.0])
    a, b = saved("a.safetensors", b=one), saved("b.safetensors", b=two)

    same, other = run("diff", a, a), json.loads(run("diff", a, b, "--json").out)

    (found,) = [tensor for tensor in other["tensors"] if tensor["name"] == "b"]
    assert same.status == 0
    assert (found["differing"], found["max_abs"], found["first"]) == (1, None, {"index": [1], "a": 1.0, "b": "nan"})


@pytest.mark.parametrize("order", [("one.npy", "w.safetensors"), ("w.safetensors", "one.npy"), ("one.npy", "two.npy")])
def test_a_single_npy_lies_beside_the_only_tensor(folder, run, order):
    """It holds no name, so none can differ."""
    np.save("one.npy", VALUES["w"])
    np.save("two.npy", np.asfortranarray(VALUES["w"]))
    save_file({"w": VALUES["w"]}, "w.safetensors")

    assert run("diff", *order).out == f"{order[0]} and {order[1]}: 1 tensor, equal\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.safetensors", "absent.h5"), "error: `absent.h5` does not exist\n"),
        (("a.safetensors", "a.safetensors", "--atol", "-1"), "error: `--atol` must be a number ≥ 0, got `-1`\n"),
        (("a.safetensors", "a.safetensors", "--rtol", "nan"), "error: `--rtol` must be a number ≥ 0, got `nan`\n"),
    ],
)
def test_what_cannot_be_compared_is_an_error(saved, run, arguments, message):
    """Status 2, and nothing on standard output."""
    saved("a.safetensors")

    assert run("diff", *arguments) == (2, "", message)
