"""`generate --max-shard-size`, `--config` and the spec's `config`, from the command line."""

from __future__ import annotations

import json

import pytest

from initcli.formats.shard_index import INDEX, SINGLE, name_shards

CONFIGURED = """\
initcli: 1
framework: torch
vars: {d: 4}
config: {model_type: gpt2, d: d, architectures: [GPT2LMHeadModel]}
tensors:
  w: {shape: [d], init: normal(std=1)}
  v: {shape: [d], init: normal(std=1)}
"""


@pytest.fixture
def configured(folder):
    """A spec with a config of its own, and a file with another."""
    (folder / "configured.yaml").write_text(CONFIGURED)
    (folder / "mine.json").write_bytes(b'{"model_type":   "bert"}')
    return folder


def list_names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_size_makes_shards_that_inspect_reads_as_one(folder, run):
    """Twice the same: the shards of one run, and the tensors of all of them in one table."""
    made = run("generate", "small.yaml", "--out", "made", "--max-shard-size", "100B", "--quiet")
    whole = run("generate", "small.yaml", "--out", "whole.safetensors", "--quiet")
    (of_shards, of_whole) = (json.loads(run("inspect", name, "--json").out) for name in ("made", "whole.safetensors"))

    assert (made.status, whole.status) == (0, 0)
    assert list_names(folder / "made") == [*name_shards(2), INDEX]
    assert of_shards == of_whole


@pytest.mark.parametrize("out", ["made", "made/"])
def test_a_directory_and_the_format_make_one_file_in_it(folder, run, out):
    """An existing one, or a path that ends in `/`."""
    if out == "made":
        (folder / "made").mkdir()

    ran = run("generate", "small.yaml", "--out", out, "--format", "safetensors", "--quiet")

    assert ran == (0, "", "")
    assert list_names(folder / "made") == [SINGLE]


def test_the_config_of_the_spec_stands_beside_the_weights_as_transformers_writes_it(configured, run):
    """Indented by two, keys in order, nothing evaluated."""
    run("generate", "configured.yaml", "--out", "made", "--max-shard-size", "16B", "--quiet")

    expected = {"architectures": ["GPT2LMHeadModel"], "d": "d", "model_type": "gpt2"}
    assert (configured / "made" / "config.json").read_text() == json.dumps(expected, indent=2) + "\n"
    assert list_names(configured / "made") == ["config.json", *name_shards(2), INDEX]


def test_a_config_of_ones_own_is_copied_to_the_byte_and_goes_before_the_specs(configured, run):
    """Spaces and all."""
    run("generate", "configured.yaml", "--out", "made", "--max-shard-size", "1GB", "--config", "mine.json", "--quiet")

    assert (configured / "made" / "config.json").read_bytes() == b'{"model_type":   "bert"}'
    assert list_names(configured / "made") == ["config.json", SINGLE]


def test_weights_join_a_config_that_is_there_and_replace_weights_with_force_alone(folder, run):
    """The second run is refused, the third replaces; the config stays."""
    (folder / "made").mkdir()
    (folder / "made" / "config.json").write_bytes(b"{}")
    arguments = ("generate", "small.yaml", "--out", "made", "--max-shard-size", "100B", "--quiet")

    ran = [run(*arguments), run(*arguments), run(*arguments, "--force")]

    assert [each.status for each in ran] == [0, 2, 0]
    assert ran[1].err == (
        f"error: `made/{INDEX}` exists already\nhint: `--force` replaces the weights in a directory\n"
    )
    assert list_names(folder / "made") == sorted(["config.json", *name_shards(2, edition=2), INDEX])
    assert (folder / "made" / "config.json").read_bytes() == b"{}"


def test_a_dry_run_of_shards_checks_everything_and_writes_nothing(folder, run):
    """Neither a directory nor a temporary."""
    before = list_names(folder)

    ran = run("generate", "small.yaml", "--out", "made", "--max-shard-size", "100B", "--dry-run")

    assert ran.status == 0
    assert "made was not written" in ran.err
    assert list_names(folder) == before


@pytest.mark.parametrize(
    ("arguments", "what", "hint"),
    [
        (["--out", "made", "--max-shard-size", "5Gb"], "`--max-shard-size`: unknown unit `Gb` in `5Gb`", "`5GB`"),
        (["--out", "made", "--max-shard-size", "0"], "`0` is no whole number of bytes ≥ 1", "`5GB`"),
        (["--out", "made.h5", "--max-shard-size", "5GB"], "`--out made.h5` names a file", "`--out made`"),
        (["--out", "-", "--max-shard-size", "5GB"], "cannot go to standard output", "name a directory"),
        (["--out", "made", "--format", "npy", "--max-shard-size", "5GB"], "`--format npy` was given", "leave one"),
        (["--out", "made.safetensors", "--config", "mine.json"], "`--out made.safetensors` is none", "5GB"),
        (["--out", "made/", "--format", "safetensors", "--config", "small.yaml"], "is not JSON", "config.json"),
        (["--out", "made/", "--format", "safetensors", "--config", "absent"], "`absent` does not exist", ""),
        (["--out", "small.yaml/", "--format", "safetensors"], "not a directory", "directory"),
        (["--out", "no/made", "--max-shard-size", "5GB"], "/no` does not exist", "mkdir"),
    ],
)
def test_what_cannot_be_shards_is_told_before_any_work(configured, run, arguments, what, hint):
    """One error with its way out, status 2, and nothing is written."""
    before = list_names(configured)

    ran = run("generate", "small.yaml", *arguments)

    error, _, hints = ran.err.partition("hint: ")
    assert (ran.status, ran.out) == (2, "")
    assert what in error
    assert hint in hints
    assert list_names(configured) == before
