"""`digest` and `generate --digest`: one content, one digest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from initcli.cli.digest import tabulate_digest
from initcli.formats.weights import open_weights
from initcli.readback import digest_weights


@pytest.mark.parametrize("out", ["w.safetensors", "w.h5", "w.npz", "w.pt", "arrays"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_generate_tells_the_digest_that_every_format_has(folder, run, out, jobs):
    """In the closing line, and in the last line of `digest`."""
    form = {"arrays": "npy"}.get(out, out.split(".")[-1])
    run("generate", "small.yaml", "--out", "first.safetensors")

    made = run("generate", "small.yaml", "--out", out, "--format", form, "--digest", "--jobs", jobs)
    first, second = run("digest", "first.safetensors"), run("digest", out, "--jobs", jobs)

    assert first.status == 0
    assert first == second
    digest, word, *_ = second.out.splitlines()[-1].split()
    assert (len(digest), word) == (64, "total")
    assert f", digest {digest} in " in made.err


def test_json_has_the_digest_of_each_tensor_and_of_all(folder, run):
    """The same words from both commands."""
    made = json.loads(run("generate", "small.yaml", "--out", "w.h5", "--digest", "--json").out)
    read = json.loads(run("digest", "w.h5", "--json").out)

    assert made["total"]["digest"] == read["total"]["digest"]
    assert {each["name"]: each["digest"] for each in made["tensors"]} == {
        each["name"]: each["digest"] for each in read["tensors"]
    }


def test_a_stream_has_the_digest_of_its_file(folder, start, run):
    """`--out -` makes it while it writes."""
    run("generate", "small.yaml", "--out", "w.h5")

    out, err = start("generate", "small.yaml", "--out", "-", "--format", "safetensors", "--digest").communicate()

    assert out
    assert run("digest", "w.h5").out.splitlines()[-1].split()[0] in err.decode()


def test_one_element_changes_its_tensor_and_the_total(folder, run):
    """And no other tensor."""
    run("generate", "small.yaml", "--out", "w.safetensors")
    tensors = load_file("w.safetensors")
    tensors["fc1/bias"][1] = 1e-30
    save_file(tensors, "other.safetensors")

    before, after = (json.loads(run("digest", f"{name}.safetensors", "--json").out) for name in ("w", "other"))

    changed = [a["name"] for a, b in zip(before["tensors"], after["tensors"], strict=True) if a != b]
    assert changed == ["fc1/bias"]
    assert before["total"] != after["total"]


def test_without_the_option_no_digest_is_made(folder, run):
    """Neither in the closing line nor in JSON."""
    ran = run("generate", "small.yaml", "--out", "w.h5", "--json")

    assert "digest" not in ran.out + ran.err


def test_a_narrow_table_has_every_digest_whole(folder, run):
    """On 80 columns each has a line of its own, above what it is of."""
    run("generate", "small.yaml", "--out", "w.h5")
    weights = open_weights(Path("w.h5"))
    found = digest_weights(weights)

    narrow = tabulate_digest(weights, found).narrow

    assert narrow is not None
    assert narrow.rows[1] == (f"{found.tensors['fc1/kernel']}\n  fc1/kernel 6×4 float32",)
    assert narrow.total == (f"{found.total}\n  total 3 tensors",)
