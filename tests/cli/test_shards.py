"""`generate --max-shard-size`, `--config`, the spec's `config` and Keras's shards, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

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
        (
            ["--out", "a.weights.h5", "--max-shard-size", "5GB"],
            "names a file",
            "`--out a.weights.json` makes shards for",
        ),
        (["--out", "-", "--format", "weights.json"], "`weights.json` cannot go to standard output", "name a file"),
        (["--out", "a.weights.json", "--format", "h5"], "means weights.json", "leave `--format` out"),
        (
            ["--out", "a.weights.json", "--max-shard-size", "1B"],
            "`weights.json` keeps weights by their layers",
            "layers:",
        ),
        (["--out", "-", "--max-shard-size", "5GB"], "cannot go to standard output", "name a directory"),
        (["--out", "made", "--format", "npy", "--max-shard-size", "5GB"], "`--format npy` was given", "leave one"),
        (["--out", "made.safetensors", "--config", "mine.json"], "`--out made.safetensors` holds none", "5GB"),
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


LAYERED = """\
initcli: 1
framework: keras
input_shape: [4]
layers:
  - {class: Dense, units: 8, name: first}
  - {class: Dense, units: 2}
"""
"""Weights of 128, 32, 64 and 8 bytes."""


@pytest.fixture
def layered(folder):
    """A spec of Keras's layers."""
    (folder / "layered.yaml").write_text(LAYERED)
    return folder


def list_shards(folder):
    return [name for name in list_names(folder) if name.startswith("m")]


def test_keras_shards_stand_beside_their_index_and_are_read_as_one(layered, run):
    """What inspect, verify, digest and diff say of them they say of one file."""
    ran = run("generate", "layered.yaml", "--out", "m.weights.json", "--max-shard-size", "160B", "--quiet")
    run("generate", "layered.yaml", "--out", "whole.weights.h5", "--quiet")

    assert ran == (0, "", "")
    assert list_shards(layered) == ["m.weights.json", "m_00000.weights.h5", "m_00001.weights.h5"]
    assert run("verify", "m.weights.json").status == 0
    assert run("diff", "m.weights.json", "whole.weights.h5").status == 0
    for command in ("inspect", "digest"):
        of_shards, of_whole = (
            json.loads(run(command, name, "--json").out) for name in ("m.weights.json", "whole.weights.h5")
        )
        assert of_shards["tensors"] == of_whole["tensors"]


def test_keras_shards_are_one_without_a_size_and_take_the_name_of_the_format(layered, run):
    """`--format weights.json` does for a path that does not say so."""
    run("generate", "layered.yaml", "--out", "m.weights.json", "--quiet")
    ran = run("generate", "layered.yaml", "--out", "mine", "--format", "weights.json", "--quiet")

    assert ran == (0, "", "")
    assert list_shards(layered) == ["m.weights.json", "m_00000.weights.h5", "mine", "mine_00000.weights.h5"]


def test_keras_shards_are_replaced_with_force_alone(layered, run):
    """The new ones have names of their own, and no old one stays but the first's name, which Keras opens."""
    arguments = ("generate", "layered.yaml", "--out", "m.weights.json", "--max-shard-size", "160B", "--quiet")

    ran = [run(*arguments), run(*arguments), run(*arguments, "--force")]

    assert [each.status for each in ran] == [0, 2, 0]
    assert ran[1].err == "error: `m.weights.json` exists already\nhint: `--force` replaces it\n"
    assert list_shards(layered) == [
        "m.weights.json",
        "m_00000.2.weights.h5",
        "m_00000.weights.h5",
        "m_00001.2.weights.h5",
    ]
    assert run("verify", "m.weights.json").status == 0


def test_a_first_shard_without_an_index_is_in_the_way(layered, run):
    """Whoever reads the index opens it too, so that it is told before any work."""
    (layered / "m_00000.weights.h5").write_bytes(b"mine")

    ran = run("generate", "layered.yaml", "--out", "m.weights.json", "--dry-run")

    what = "`m_00000.weights.h5` exists already, which whoever reads `m.weights.json` opens too"
    assert (ran.status, ran.err) == (2, f"error: {what}\nhint: `--force` replaces both\n")


def test_a_weight_larger_than_a_shard_of_keras_is_a_fault_with_its_place(layered, run):
    """And the size that would do."""
    ran = run("generate", "layered.yaml", "--out", "m.weights.json", "--max-shard-size", "100B")

    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        "error: `first/kernel` has 128 bytes, and a shard of Keras's at most 100\n"
        "  --> layered.yaml:5:5  layers[0]\n"
        "hint: give `--max-shard-size 128` or more\n"
    )
    assert list_shards(layered) == []


def test_a_missing_shard_of_keras_is_told(layered, run):
    """By verify and inspect alike."""
    run("generate", "layered.yaml", "--out", "m.weights.json", "--max-shard-size", "160B", "--quiet")
    (layered / "m_00001.weights.h5").unlink()

    ran = [run(command, "m.weights.json") for command in ("inspect", "verify")]

    assert [each.status for each in ran] == [2, 2]
    for each in ran:
        assert "1 of the 2 shards that `m.weights.json` names are missing: `m_00001.weights.h5`" in each.err


LLAMA_SPEC = str(Path(__file__).resolve().parents[2] / "specs" / "llama3.yaml")
LLAMA = {"vocab_size": 6, "hidden_size": 8, "intermediate_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2}


def test_a_config_makes_the_keys_of_a_gguf_file(folder, run):
    """The spec that the file carries has it, so that the file is verified without it."""
    small = [f"--set={name}={value}" for name, value in {"d": 8, "layers": 1, "heads": 2, "kv_heads": 2}.items()]
    small += ["--set=ff=4", "--set=vocab=6"]
    (folder / "config.json").write_text(json.dumps(LLAMA | {"model_type": "llama", "rms_norm_eps": 0.5}))

    made = run("generate", LLAMA_SPEC, *small, "--out", "m.gguf", "--config", "config.json", "--quiet")

    assert (made.status, made.err) == (0, "")
    metadata = json.loads(run("inspect", "m.gguf", "--json").out)["metadata"]
    assert metadata["llama.attention.layer_norm_rms_epsilon"] == "0.5"
    assert run("verify", "m.gguf").status == 0


def test_a_config_of_no_model_for_gguf_is_refused(folder, run):
    """With what is known, and nothing written."""
    (folder / "config.json").write_text('{"model_type": "bert"}')

    refused = run("generate", "small.yaml", "--out", "m.gguf", "--config", "config.json")

    assert refused.status == 2
    assert "`bert`, and not one that becomes GGUF" in refused.err
    assert not (folder / "m.gguf").exists()
