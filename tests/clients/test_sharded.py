"""transformers and huggingface_hub would have cut the shards in the same places and written the same index."""

from __future__ import annotations

import json
import random

import huggingface_hub
import pytest
import torch
import transformers
from architectures import ARCHITECTURES, SHARDED, each_model, tiny_config, tiny_options
from huggingface_hub import split_state_dict_into_shards_factory
from huggingface_hub.serialization._base import parse_size_to_int
from models import SPECS, plan_of
from safetensors.torch import load_file
from transformers import GPT2LMHeadModel

from initcli.formats.shard_index import INDEX, SINGLE, name_shards, split
from initcli.units import parse_nbytes

FRAMEWORK = f"transformers {transformers.__version__}, huggingface_hub {huggingface_hub.__version__}"

LIMIT = "100kB"


def load(model_class, folder):
    """Return a model that had nothing missing, unexpected, mismatched or in error."""
    model, info = model_class.from_pretrained(folder, dtype="auto", output_loading_info=True, local_files_only=True)
    assert {"missing_keys", "unexpected_keys", "mismatched_keys"} < set(info)
    assert not any(info.values())
    return model


def assert_has_weights_of(model, path):
    """Every tensor of a single file is in the model, to the bit."""
    state = model.state_dict()
    for name, tensor in load_file(path).items():
        assert torch.equal(state[name], tensor), name


def index_of(folder):
    return json.loads((folder / INDEX).read_text())


@each_model()
@pytest.mark.loads(file=SHARDED, how="save_pretrained(max_shard_size)")
def test_the_totals_are_those_that_transformers_writes(tiny, name, tmp_path):
    """What `save_pretrained` tells of the loaded model in its own index: bytes and parameters, tied names left out."""
    folder = tiny(name, "sharded")

    load(ARCHITECTURES[name].model, folder).save_pretrained(tmp_path, max_shard_size=LIMIT)

    ours, theirs = index_of(folder), index_of(tmp_path)
    assert ours["metadata"] == theirs["metadata"]
    assert ours["weight_map"].keys() == theirs["weight_map"].keys()
    assert len(set(ours["weight_map"].values())) >= 3


@pytest.mark.loads(file=SHARDED, how="from_pretrained", what="gpt2 over other shards or one file")
def test_a_model_that_is_generated_over_another_is_the_one_that_loads(generate, tmp_path):
    """Over one file, over shards whose names clash, from shards to one file: always the newest, beside its config."""
    spec, folder = SPECS / "gpt2.yaml", tmp_path / "model"
    folder.mkdir()
    one = ["--format", "safetensors"]
    many = ["--max-shard-size", LIMIT]

    for seed, how in enumerate((one, many, many, many, one)):
        options = [*tiny_options("gpt2"), "--seed", str(seed)]
        generate(spec, folder, *options, *how, "--force")
        whole = generate(spec, tmp_path / f"{seed}.safetensors", *options)

        assert_has_weights_of(load(GPT2LMHeadModel, folder), whole)
        assert (folder / SINGLE).exists() == (how is one)


@pytest.mark.loads(file=SHARDED, how="from_pretrained", what="gpt2, `--config FILE`")
def test_a_config_of_transformers_own_goes_before_that_of_the_spec(generate, tmp_path):
    """Beside the shards lies what transformers saved, to the byte, and the model is made of it."""
    config = tiny_config("gpt2")
    config.layer_norm_epsilon = 1e-3
    config.save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    options = [*tiny_options("gpt2"), "--config", str(file), "--max-shard-size", LIMIT]

    folder = generate(SPECS / "gpt2.yaml", tmp_path / "model", *options)

    assert (folder / "config.json").read_bytes() == file.read_bytes()
    assert load(GPT2LMHeadModel, folder).config.layer_norm_epsilon == 1e-3


@pytest.mark.parametrize("name", ["gpt2", "llama3"])
@pytest.mark.proves("where shards are cut")
def test_the_shards_of_a_published_size_are_cut_where_huggingface_hub_cuts_them(name):
    """Each tensor of the real model, at its size in bytes, is in the file of that name."""
    tensors = {tensor.name: tensor.nbytes for tensor in plan_of(name, {}).tensors}

    for size in ("5GB", "500MB", "50MB", "1MB"):
        theirs = cut_by_huggingface_hub(tensors, size)
        assert cut_by_us(tensors, size) == theirs
    assert len(set(theirs.values())) > 10


@pytest.mark.proves("where shards are cut")
def test_any_sizes_are_cut_where_huggingface_hub_cuts_them():
    """Two thousand lists of random sizes, empty and oversized tensors among them."""
    numbers = random.Random(1)

    for _ in range(2000):
        sizes = {f"t{i}": numbers.choice([0, 1, 3, 10, 30, 100]) for i in range(numbers.randint(1, 12))}
        size = f"{numbers.choice([1, 3, 9, 10, 31, 100, 1000])}kB"
        tensors = {name: 1000 * nbytes for name, nbytes in sizes.items()}
        assert cut_by_us(tensors, size) == cut_by_huggingface_hub(tensors, size)


@pytest.mark.proves("where shards are cut")
def test_sizes_mean_what_they_mean_to_huggingface_hub():
    """Its units, in either case."""
    for text in ("5GB", "500MB", "2KB", "1.5TB", "3 GB", "5gb"):
        assert parse_nbytes(text) == parse_size_to_int(text)


def cut_by_us(tensors, size):
    """The file of each tensor."""
    shards = split(list(tensors.values()), parse_nbytes(size))
    places = {place: name for name, places in zip(name_shards(len(shards)), shards, strict=True) for place in places}
    return {name: places[place] for place, name in enumerate(tensors)}


def cut_by_huggingface_hub(tensors, size):
    """The file of each tensor, which is its own size here."""
    done = split_state_dict_into_shards_factory(
        tensors,
        get_storage_size=lambda nbytes: nbytes,
        filename_pattern="model{suffix}.safetensors",
        max_shard_size=size,
    )
    return done.tensor_to_filename
