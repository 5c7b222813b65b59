"""transformers and huggingface_hub take the shards that initcli writes, and would have cut them in the same places."""

from __future__ import annotations

import json
import random

import huggingface_hub
import pytest
import torch
import transformers
from huggingface_hub import split_state_dict_into_shards_factory
from huggingface_hub.serialization._base import parse_size_to_int
from models import SPECS, plan_of
from safetensors.torch import load_file
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from initcli.formats.shard_index import INDEX, SINGLE, name_shards, split
from initcli.units import parse_nbytes

FRAMEWORK = f"transformers {transformers.__version__}, huggingface_hub {huggingface_hub.__version__}"

SIZES = {
    "gpt2": {"d": 64, "layers": 2, "heads": 4, "vocab": 512, "positions": 64},
    "llama3": {"d": 64, "layers": 2, "heads": 4, "kv_heads": 2, "ff": 96, "vocab": 512},
}
MODELS = {
    "gpt2": (
        GPT2LMHeadModel,
        GPT2Config(n_embd=64, n_layer=2, n_head=4, vocab_size=512, n_positions=64, dtype=torch.float32),
    ),
    "llama3": (
        LlamaForCausalLM,
        LlamaConfig(
            hidden_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            intermediate_size=96,
            vocab_size=512,
            dtype=torch.bfloat16,
        ),
    ),
}
LIMIT = "100kB"


def each(names):
    """Parameters that count as checks of the spec of that name on the page of verdicts."""
    return [pytest.param(name, marks=pytest.mark.proves(f"specs/{name}.yaml")) for name in names]


def settings(name):
    """The sizes as options."""
    return [word for variable, size in SIZES[name].items() for word in ("--set", f"{variable}={size}")]


def load(model_class, folder):
    """Return a model that had nothing missing, unexpected, mismatched or in error."""
    model, info = model_class.from_pretrained(folder, output_loading_info=True, local_files_only=True)
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


@pytest.fixture(scope="module")
def made(generate, tmp_path_factory):
    """A function: the folder of a sharded model with the config given by `--config`, and the same in one file."""
    folders = {}

    def make(name):
        if name not in folders:
            folder = tmp_path_factory.mktemp(name)
            MODELS[name][1].save_pretrained(folder)
            spec = SPECS / f"{name}.yaml"
            config = ["--config", str(folder / "config.json")]
            sharded = generate(spec, folder / "sharded", *settings(name), *config, "--max-shard-size", LIMIT)
            folders[name] = sharded, generate(spec, folder / "whole.safetensors", *settings(name))
        return folders[name]

    return make


@pytest.mark.parametrize("name", each(MODELS))
def test_from_pretrained_loads_the_shards_of_a_tiny_model(made, name):
    """By its class and by `AutoModel`: nothing is missing or unexpected, and the bits are those of the single file."""
    folder, whole = made(name)

    assert len(set(index_of(folder)["weight_map"].values())) >= 3
    for model_class in (MODELS[name][0], AutoModelForCausalLM):
        assert_has_weights_of(load(model_class, folder), whole)


@pytest.mark.parametrize("name", each(MODELS))
def test_the_totals_are_those_that_transformers_writes(made, name, tmp_path):
    """What `save_pretrained` tells of the loaded model in its own index: bytes and parameters, tied names left out."""
    folder, _ = made(name)

    load(MODELS[name][0], folder).save_pretrained(tmp_path, max_shard_size=LIMIT)

    ours, theirs = index_of(folder), index_of(tmp_path)
    assert ours["metadata"] == theirs["metadata"]
    assert ours["weight_map"].keys() == theirs["weight_map"].keys()


@pytest.mark.proves("specs/gpt2.yaml")
def test_a_model_that_is_generated_over_another_is_the_one_that_loads(generate, tmp_path):
    """Over one file, over shards whose names clash, from shards to one file: always the newest, beside its config."""
    spec, folder = SPECS / "gpt2.yaml", tmp_path / "model"
    MODELS["gpt2"][1].save_pretrained(folder)
    one = ["--format", "safetensors"]
    many = ["--max-shard-size", LIMIT]

    for seed, how in enumerate((one, many, many, many, one)):
        options = [*settings("gpt2"), "--seed", str(seed)]
        generate(spec, folder, *options, *how, "--force")
        whole = generate(spec, tmp_path / f"{seed}.safetensors", *options)

        assert_has_weights_of(load(GPT2LMHeadModel, folder), whole)
        assert (folder / SINGLE).exists() == (how is one)


@pytest.mark.proves("specs/gpt2.yaml")
def test_a_config_in_the_spec_is_enough_for_transformers(generate, tmp_path):
    """`config:` becomes the config.json that `AutoModel` reads, and what loads from it saves the same index keys."""
    config = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "dtype": "float32"}
    config |= {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 512, "n_positions": 64}
    text = (SPECS / "gpt2.yaml").read_text("utf-8").replace("tensors:\n", f"config: {json.dumps(config)}\ntensors:\n")
    (tmp_path / "spec.yaml").write_text(text)

    folder = generate(tmp_path / "spec.yaml", tmp_path / "model", *settings("gpt2"), "--max-shard-size", LIMIT)

    model = load(AutoModelForCausalLM, folder)
    assert type(model) is GPT2LMHeadModel
    assert json.loads((folder / "config.json").read_text()) == config


@pytest.mark.parametrize("name", each(MODELS))
def test_the_shards_of_a_published_size_are_cut_where_huggingface_hub_cuts_them(name):
    """Each tensor of the real model, at its size in bytes, is in the file of that name."""
    tensors = {tensor.name: tensor.nbytes for tensor in plan_of(name, {}).tensors}

    for size in ("5GB", "500MB", "50MB", "1MB"):
        theirs = cut_by_huggingface_hub(tensors, size)
        assert cut_by_us(tensors, size) == theirs
    assert len(set(theirs.values())) > 10


@pytest.mark.proves("specs/gpt2.yaml")
def test_any_sizes_are_cut_where_huggingface_hub_cuts_them():
    """Two thousand lists of random sizes, empty and oversized tensors among them."""
    numbers = random.Random(1)

    for _ in range(2000):
        sizes = {f"t{i}": numbers.choice([0, 1, 3, 10, 30, 100]) for i in range(numbers.randint(1, 12))}
        size = f"{numbers.choice([1, 3, 9, 10, 31, 100, 1000])}kB"
        tensors = {name: 1000 * nbytes for name, nbytes in sizes.items()}
        assert cut_by_us(tensors, size) == cut_by_huggingface_hub(tensors, size)


@pytest.mark.proves("specs/gpt2.yaml")
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
