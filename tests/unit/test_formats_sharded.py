"""Checkpoints of several files: how they are split and named, what the index says, and sets that are not whole."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from initcli.dtypes import DTYPES, DType
from initcli.engine import generate_file
from initcli.errors import InitcliError
from initcli.files import write_at
from initcli.formats import Contents, Format, sharded
from initcli.formats.chunks import read_chunks
from initcli.formats.detection import detect_format
from initcli.formats.listing import chooses_shards
from initcli.formats.model_config import MAX_CONFIG_NBYTES, read_config
from initcli.formats.npy import npy_directory
from initcli.formats.shard_index import INDEX, MAX_INDEX_NBYTES, SINGLE, name_shards, split
from initcli.formats.sharded import Sharded
from initcli.resolution import load_plan

SPEC = b"""\
initcli: 1
framework: torch
seed: 3
tensors:
  a: {shape: [10], init: normal(std=1)}
  b: {shape: [4, 5], init: normal(std=1), dtype: bfloat16}
  c: {shape: [30], init: normal(std=1)}
  d: {shape: [3], init: normal(std=1), dtype: float64}
  e: {shape: [0, 2], init: zeros}
  other: {tie: a}
"""
"""40, 40, 120, 24 and 0 bytes."""

FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


@dataclass(frozen=True)
class Piece:
    """A tensor as formats see it."""

    name: str
    shape: tuple[int, ...]
    dtype: DType = DTYPES["float32"]

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


def write(folder: Path, limit: int | None = 110, config: bytes | None = None) -> Path:
    generate_file(load_plan(SPEC, "spec.yaml"), Sharded(limit, config), folder)
    return folder


def index_of(folder: Path) -> dict[str, dict[str, object]]:
    return json.loads((folder / INDEX).read_text())


def set_weight_map(folder: Path, **shards: object) -> None:
    """Change the index."""
    index = index_of(folder)
    index["weight_map"] |= shards
    (folder / INDEX).write_text(json.dumps(index))


def read_everything(form: Format, folder: Path) -> None:
    """All ways in."""
    header = form.read_header(folder)
    list(form.read_tensors(folder, [entry.name for entry in header.entries]))


# Splitting and names


@pytest.mark.parametrize(
    ("sizes", "limit", "shards"),
    [
        ([6, 6, 2, 6, 2, 2], 10, [[0], [1, 2], [3, 4, 5]]),  # the example in huggingface_hub's docstring
        ([5, 5, 1], 10, [[0, 1], [2]]),
        ([11], 10, [[0]]),
        ([1, 11, 1], 10, [[1], [0, 2]]),
        ([0, 11, 0], 10, [[1], [0, 2]]),
        ([10, 0, 0], 10, [[0, 1, 2]]),
        ([], 10, [[]]),
        ([3, 4], None, [[0, 1]]),
        ([1, 1, 1], 1, [[0], [1], [2]]),
    ],
)
def test_tensors_fill_shards_in_their_order(sizes, limit, shards):
    """Greedy and without looking ahead; one beyond the limit is alone, before the shard that is being filled."""
    assert split(sizes, limit) == shards


def test_shards_are_numbered_from_one_in_five_digits():
    """One file has the plain name; after 99,999 the numbers grow."""
    assert name_shards(1) == ["model.safetensors"]
    assert name_shards(3)[::2] == ["model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors"]
    assert name_shards(100_000)[-1] == "model-100000-of-100000.safetensors"


# What is written


def test_the_index_says_where_each_tensor_is_and_how_much_there_is(tmp_path):
    """In the bytes of `json.dumps(indent=2, sort_keys=True)` and a line break; the tied name is in no file."""
    folder = write(tmp_path / "out")

    weight_map = {"a": SECOND, "b": SECOND, "c": FIRST, "d": SECOND, "e": SECOND}
    assert sorted(path.name for path in folder.iterdir()) == [FIRST, SECOND, INDEX]
    expected = {"metadata": {"total_parameters": 63, "total_size": 224}, "weight_map": weight_map}
    assert (folder / INDEX).read_text() == json.dumps(expected, indent=2, sort_keys=True) + "\n"


@pytest.mark.parametrize("limit", [None, 224, 10**12])
def test_what_fits_into_one_file_has_no_index(tmp_path, limit):
    """One `model.safetensors`, as transformers does."""
    folder = write(tmp_path / "out", limit)

    assert [path.name for path in folder.iterdir()] == [SINGLE]


def test_one_file_of_a_directory_is_the_file_that_is_written_alone(tmp_path):
    """Byte for byte."""
    plan = load_plan(SPEC, "spec.yaml")
    folder = write(tmp_path / "out", None)
    generate_file(plan, detect_format(folder / SINGLE), tmp_path / "alone.safetensors")

    assert (folder / SINGLE).read_bytes() == (tmp_path / "alone.safetensors").read_bytes()


def test_every_shard_tells_its_format_and_the_first_the_spec(tmp_path):
    """`format: pt`, scheme and portability in each; the header of the set has all of it, the tied name in the spec."""
    folder = write(tmp_path / "out")
    told = []
    for name in (FIRST, SECOND):
        with safe_open(folder / name, "np") as file:
            told.append(file.metadata())

    assert [metadata["format"] for metadata in told] == ["pt", "pt"]
    assert [set(metadata) - {"initcli.spec"} for metadata in told] == [
        {"format", "initcli.scheme", "initcli.portable"}
    ] * 2
    assert ["initcli.spec" in metadata for metadata in told] == [True, False]
    header = sharded.sharded.read_header(folder)
    assert header.metadata == told[0]
    assert json.loads(header.metadata["initcli.spec"])["tensors"]["other"] == {"tie": "a"}


def test_values_are_those_of_the_file_that_is_not_split(tmp_path):
    """However the shards are cut, and however many workers there are."""
    plan = load_plan(SPEC, "spec.yaml")
    names = [tensor.name for tensor in plan.tensors]
    whole = list(sharded.sharded.read_tensors(write(tmp_path / "whole", None), names))

    for limit in (1, 41, 110, 150):
        generate_file(plan, Sharded(limit), tmp_path / str(limit), jobs=3)
        arrays = list(sharded.sharded.read_tensors(tmp_path / str(limit), names))
        assert [array.tobytes() for array in arrays] == [array.tobytes() for array in whole]


def test_the_index_is_the_last_that_is_written(tmp_path):
    """After every shard's header and the config."""
    layout = Sharded(110, b"{}").lay_out(Contents(load_plan(SPEC, "spec.yaml").tensors), tmp_path)

    assert [seal.file.name for seal in layout.seals] == [FIRST, SECOND, "config.json", INDEX]


@pytest.mark.parametrize("limit", [None, 110])
def test_a_config_stands_beside_the_weights_byte_for_byte(tmp_path, limit):
    """One file or many."""
    folder = write(tmp_path / "out", limit, b'{"a":   1}')

    assert (folder / "config.json").read_bytes() == b'{"a":   1}'
    read_everything(sharded.sharded, folder)


def test_a_disk_that_fills_up_is_told_before_anything_is_drawn_and_the_old_shards_stay(tmp_path, monkeypatch):
    """Room for every shard is taken at once; where the second finds none, the first gives back its own."""
    folder = write(tmp_path / "out")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    asked = []

    def reserve(*_):
        asked.append(1)
        if len(asked) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", reserve, raising=False)

    with pytest.raises(InitcliError, match="disk full: needed"):
        generate_file(load_plan(SPEC, "spec.yaml"), Sharded(110), folder, force=True)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


# Reading


def test_a_directory_is_a_checkpoint_if_it_holds_one(tmp_path):
    """By the index or the one file; any other directory is one of .npy files."""
    assert detect_format(write(tmp_path / "many")) is sharded.sharded
    assert detect_format(write(tmp_path / "one", None)) is sharded.sharded
    (tmp_path / "npy").mkdir()
    assert detect_format(tmp_path / "npy") is npy_directory


@pytest.mark.parametrize("count", [3, 200])
@pytest.mark.parametrize("read", ["tensors", "chunks"])
def test_tensors_are_read_in_any_order_from_any_number_of_shards(tmp_path, count, read):
    """Also from more than are kept open, back and forth, and one with many chunks or none between others."""
    tensors = [Piece(f"t{number}", (number % 3, 2)) for number in range(count)] + [Piece("big", (300_000,))]
    layout = Sharded(16).allocate(Contents(tensors), tmp_path)
    for number, slot in enumerate(layout.slots):
        write_at(slot.file, np.full(slot.nbytes // 4, number, "<f4"), slot.offset)
    for seal in layout.seals:
        write_at(seal.file, seal.data, seal.offset)
    order = sorted(range(len(tensors)), key=lambda number: (number * 37) % 101)
    names = [tensors[number].name for number in order]

    found = {name: np.empty(0, "<f4") for name in names}
    if read == "tensors":
        found |= dict(zip(names, sharded.sharded.read_tensors(tmp_path, names), strict=True))
    else:
        seen = []
        for chunk in read_chunks(sharded.sharded, tmp_path, names):
            assert chunk.start == found[chunk.name].size
            found[chunk.name] = np.concatenate([found[chunk.name], chunk.values])
            seen.append(chunk.name)
        assert list(dict.fromkeys(seen)) == [name for name in names if found[name].size]

    for number, tensor in enumerate(tensors):
        assert found[tensor.name].size == prod(tensor.shape)
        assert (found[tensor.name] == number).all()


def test_shards_of_others_are_read_whatever_their_names(tmp_path):
    """An index of someone else's, without totals."""
    save_file({"x": np.arange(3.0)}, tmp_path / "one.safetensors", metadata={"format": "pt"})
    save_file({"y": np.arange(2)}, tmp_path / "weights of y.safetensors", metadata={"of": "y"})
    weight_map = {"x": "one.safetensors", "y": "weights of y.safetensors"}
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": weight_map}))

    header = sharded.sharded.read_header(tmp_path)

    assert [tuple(entry) for entry in header.entries] == [("x", "float64", (3,), 24), ("y", "int64", (2,), 16)]
    assert header.metadata == {"format": "pt", "of": "y"}
    assert sharded.sharded.read_tensor(tmp_path, "y").tolist() == [0, 1]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / SECOND).unlink(), rf"1 of the 2 shards that .* names are missing: `{SECOND}`$"),
        (lambda folder: os.truncate(folder / FIRST, 200), rf"{FIRST}` cannot be read as safetensors"),
        (lambda folder: os.truncate(folder / SECOND, 0), rf"{SECOND}` is empty"),
        (lambda folder: set_weight_map(folder, a=FIRST), rf"`a` is in .*{SECOND}`, but `{INDEX}` has it in `{FIRST}`"),
        (lambda folder: set_weight_map(folder, z=FIRST), rf"has `z` in `{FIRST}`, but it is not there"),
        (lambda folder: (folder / SINGLE).write_bytes(b"stale"), rf"holds `{SINGLE}` beside `{INDEX}`"),
        (lambda folder: (folder / INDEX).write_bytes(b""), "is empty"),
        (lambda folder: (folder / INDEX).write_bytes(bytes(500)), "was never finished"),
        (lambda folder: (folder / INDEX).write_bytes(b"{" * 100_000), "cannot be read as an index of shards"),
        (lambda folder: (folder / INDEX).write_bytes(b"[" * 100_000), "cannot be read as an index of shards"),
        (lambda folder: (folder / INDEX).write_bytes(b"\xff\xfe\x00"), "cannot be read as an index of shards"),
        (lambda folder: (folder / INDEX).write_bytes(b"[1, 2]  "), "has no `weight_map`"),
        (lambda folder: (folder / INDEX).write_bytes(b'{"weight_map": 1}'), "has no `weight_map`"),
        (lambda folder: (folder / INDEX).write_bytes(b'{"weight_map": {"a": "x", "a": "y"}}'), "'a' is there twice"),
        (lambda folder: set_weight_map(folder, a=1), "no .safetensors file beside it"),
        (lambda folder: set_weight_map(folder, a="../x.safetensors"), "no .safetensors file beside it"),
        (lambda folder: set_weight_map(folder, a="/etc/passwd"), "no .safetensors file beside it"),
        (lambda folder: set_weight_map(folder, a="pytorch_model.bin"), "no .safetensors file beside it"),
        (lambda folder: set_weight_map(folder, a="a\0.safetensors"), "no .safetensors file beside it"),
        (lambda folder: os.truncate(folder / INDEX, MAX_INDEX_NBYTES + 1), "longer than 100,000,000 bytes"),
    ],
)
def test_a_set_that_is_not_whole_is_one_clear_error(tmp_path, spoil, words):
    """Missing, short, mixed-up, stale or hostile: the message names the file."""
    folder = write(tmp_path / "out")
    spoil(folder)

    with pytest.raises(InitcliError, match=words) as error:
        read_everything(detect_format(folder), folder)

    assert len(error.value.faults) == 1
    assert str(folder) in error.value.faults[0].what


def test_a_tensor_that_the_index_does_not_name_is_an_error(tmp_path):
    """Some versions of transformers load it, others leave it random without a word."""
    folder = write(tmp_path / "out")
    index = index_of(folder)
    del index["weight_map"]["b"]
    (folder / INDEX).write_text(json.dumps(index))

    with pytest.raises(InitcliError, match=rf"`b` is in .*{SECOND}`, but `{INDEX}` does not name it"):
        sharded.sharded.read_header(folder)


@pytest.mark.parametrize("limit", [None, 110])
def test_a_tensor_that_is_not_there_is_told_with_the_nearest_name(tmp_path, limit):
    """One file or many."""
    with pytest.raises(InitcliError, match="holds no tensor `othr`"):
        sharded.sharded.read_tensor(write(tmp_path / "out", limit), "othr")


def test_a_directory_without_weights_says_what_is_not_there(tmp_path):
    """Both names that a reader looks for."""
    with pytest.raises(InitcliError, match=rf"neither `{SINGLE}` nor `{INDEX}`"):
        sharded.sharded.read_header(tmp_path)


# What the options mean


def test_a_directory_of_safetensors_is_meant_by_a_size_or_by_the_path(tmp_path):
    """A size always; `--format safetensors` if the path is one of a directory."""
    folder = str(tmp_path)

    assert chooses_shards("out", None, 5)
    assert chooses_shards("out", "safetensors", 5)
    assert chooses_shards("llama3.1", None, 5)
    assert chooses_shards(folder, "safetensors", None)
    assert chooses_shards("out/", "safetensors", None)
    assert not chooses_shards("out", "safetensors", None)
    assert not chooses_shards("-", "safetensors", None)
    assert not chooses_shards(folder, "npy", None)
    assert not chooses_shards(folder, None, None)


@pytest.mark.parametrize(
    ("out", "name", "words", "hint"),
    [
        ("out", "h5", "`--format h5` was given", "leave one of the two out"),
        ("-", None, "cannot go to standard output", "name a directory"),
        ("gpt2.safetensors", None, "`--out gpt2.safetensors` names a file", "`--out gpt2`"),
        ("gpt2.h5", "safetensors", "`--out gpt2.h5` names a file", "`--out gpt2`"),
    ],
)
def test_a_size_for_what_is_no_directory_is_an_error(out, name, words, hint):
    """Another format, a stream, a file's name: each with the way out."""
    with pytest.raises(InitcliError) as error:
        chooses_shards(out, name, 5)

    assert words in error.value.faults[0].what
    assert hint in error.value.faults[0].hint


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is not JSON"),
        (b"{model_type: gpt2}", "is not JSON"),
        (b"\xff{}", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "must hold a JSON object"),
        (b" " * (MAX_CONFIG_NBYTES + 1), "is larger than 16 MiB"),
    ],
)
def test_a_config_that_is_no_json_object_is_refused(tmp_path, data, words):
    """The loader would only say so later."""
    (tmp_path / "config.json").write_bytes(data)

    with pytest.raises(InitcliError, match=words):
        read_config(tmp_path / "config.json")


@pytest.mark.parametrize(("name", "words"), [("", "is a directory"), ("absent", "does not exist")])
def test_a_config_that_cannot_be_read_is_one_fault(tmp_path, name, words):
    """A directory, or nothing."""
    with pytest.raises(InitcliError, match=words):
        read_config(tmp_path / name)


# The spec's own config


def test_the_config_of_a_spec_goes_through_the_plan_into_the_embedded_spec():
    """As plain data: no word in it is taken for a variable; and the embedded spec resolves to the same plan."""
    spec = "initcli: 1\nvars: {d: 4}\nconfig: {d: d, n: 1.5, deep: [null, true, {x: '2*d'}]}\n"
    plan = load_plan(f"{spec}tensors: {{w: {{shape: [d], init: zeros}}}}\n".encode(), "spec.yaml")

    again = load_plan(json.dumps(plan.normalized_spec()).encode(), "again.json")

    assert plan.config == {"d": "d", "n": 1.5, "deep": [None, True, {"x": "2*d"}]}
    assert again.config == plan.config
    assert again.normalized_spec() == plan.normalized_spec()


def test_a_spec_without_a_config_embeds_none():
    """Its bytes are what they were before there were configs."""
    assert "config" not in load_plan(SPEC, "spec.yaml").normalized_spec()


@pytest.mark.parametrize("value", ["{a: .inf}", "{a: [.nan]}", "[]", "gpt2"])
def test_a_config_that_json_has_no_form_for_is_a_fault(value):
    """With its place."""
    with pytest.raises(InitcliError, match="`config`") as error:
        load_plan(f"initcli: 1\nconfig: {value}\ntensors: {{w: {{shape: [2], init: zeros}}}}".encode(), "spec.yaml")

    assert error.value.faults[0].path == "config"
    assert error.value.faults[0].position.line == 2
