"""transformers says what the tensors of the language models in specs/ are, loads them, and computes with them."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
import transformers
from models import (
    assert_loads,
    assert_same_statistics,
    assert_same_tensors,
    plan_of,
    published_sizes,
    saved,
    write_checkpoint,
)
from safetensors.torch import load_file
from transformers import (
    BertConfig,
    BertForPreTraining,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

FRAMEWORK = f"torch {torch.__version__}, transformers {transformers.__version__}"


class Model(NamedTuple):
    """A model's class, its published config.json where that differs from the defaults of the code, and its dtype."""

    model: Any
    config: Any
    published: dict[str, int]
    dtype: torch.dtype


MODELS = {
    "gpt2": Model(GPT2LMHeadModel, GPT2Config, {}, torch.float32),  # openai-community/gpt2
    "llama3": Model(  # meta-llama/Meta-Llama-3-8B
        LlamaForCausalLM,
        LlamaConfig,
        {"vocab_size": 128256, "intermediate_size": 14336, "num_key_value_heads": 8},
        torch.bfloat16,
    ),
    "mixtral": Model(MixtralForCausalLM, MixtralConfig, {}, torch.bfloat16),  # mistralai/Mixtral-8x7B-v0.1
    "qwen2": Model(  # Qwen/Qwen2-0.5B
        Qwen2ForCausalLM,
        Qwen2Config,
        {
            "hidden_size": 896,
            "num_hidden_layers": 24,
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "intermediate_size": 4864,
            "tie_word_embeddings": True,
        },
        torch.bfloat16,
    ),
    "bert": Model(BertForPreTraining, BertConfig, {}, torch.float32),  # google-bert/bert-base-uncased
    "t5": Model(T5ForConditionalGeneration, T5Config, {}, torch.float32),  # google-t5/t5-small
    "mamba": Model(  # state-spaces/mamba-130m-hf
        MambaForCausalLM, MambaConfig, {"num_hidden_layers": 24}, torch.float32
    ),
}

WORDS = {
    "d": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "ff": "intermediate_size",
    "experts": "num_local_experts",
    "vocab": "vocab_size",
    "positions": "max_position_embeddings",
}
"""What transformers calls the variables of the specs."""
OWN_WORDS = {
    "gpt2": {"d": "n_embd", "layers": "n_layer", "heads": "n_head", "positions": "n_positions"},
    "t5": {"d": "d_model", "layers": "num_layers", "heads": "num_heads", "head_dim": "d_kv", "ff": "d_ff"},
}

SMALL = {"d": 128, "layers": 2, "heads": 4, "vocab": 512}
TINY = {
    "gpt2": SMALL | {"positions": 64},
    "llama3": SMALL | {"kv_heads": 2, "ff": 192},
    "mixtral": SMALL | {"kv_heads": 2, "ff": 192, "experts": 3},
    "qwen2": SMALL | {"kv_heads": 2, "ff": 192},
    "bert": SMALL | {"ff": 192, "positions": 64},
    "t5": SMALL | {"head_dim": 16, "ff": 192},
    "mamba": {"d": 128, "layers": 2, "vocab": 512},
}


def each(names):
    """Parameters that count as checks of the spec of that name on the page of verdicts."""
    return [pytest.param(name, marks=pytest.mark.proves(f"specs/{name}.yaml")) for name in names]


def config_of(name, sizes):
    """The published config, with other sizes under the names of the spec's variables."""
    words = WORDS | OWN_WORDS.get(name, {})
    _, config, published, dtype = MODELS[name]
    return config(**published | {words[variable]: size for variable, size in sizes.items()}, dtype=dtype)


def build(name, sizes, dtype=None):
    """A model with the initial weights of its own code."""
    return MODELS[name].model._from_config(config_of(name, sizes), dtype=dtype or MODELS[name].dtype)


@pytest.mark.parametrize("name", each(MODELS))
def test_a_spec_has_every_tensor_of_its_model_in_every_size(name):
    """In the published size, in each that its comment tells, and in a tiny one; its counts are the model's."""
    published = list(published_sizes(name))

    for count, sizes in (*published, (None, TINY[name])):
        with torch.device("meta"):
            model = build(name, sizes)
        plan = plan_of(name, sizes)
        assert_same_tensors(plan, model)
        assert count in (None, plan.size)
    assert len(published) >= 2


@pytest.fixture(scope="module")
def checkpoint(generate, tmp_path_factory):
    """A function: the folder of a tiny model, with config.json and a generated model.safetensors."""
    made = {}

    def make(name):
        if name not in made:
            config, folder = config_of(name, TINY[name]), tmp_path_factory.mktemp(name)
            made[name] = write_checkpoint(generate, folder, name, TINY[name], config)
        return made[name]

    return make


@pytest.mark.parametrize("name", each(MODELS))
def test_from_pretrained_loads_a_tiny_model_and_saves_the_same_tensors(checkpoint, name, tmp_path):
    """Nothing is missing, unexpected, mismatched or in error, and what is saved again has the same names and bits."""
    assert_loads(MODELS[name].model, checkpoint(name), tmp_path)


@pytest.mark.parametrize("name", each(MODELS))
def test_a_tiny_model_computes(checkpoint, name):
    """Its logits are finite and differ."""
    model = MODELS[name].model.from_pretrained(checkpoint(name), local_files_only=True).eval()
    tokens = torch.arange(1, 17).reshape(1, 16)
    decoder = {"decoder_input_ids": tokens} if model.config.is_encoder_decoder else {}

    with torch.inference_mode():
        output = model(input_ids=tokens, **decoder)

    logits = output.prediction_logits if name == "bert" else output.logits
    assert model.dtype == MODELS[name].dtype
    assert torch.isfinite(logits).all()
    assert logits.float().std() > 0


@pytest.mark.parametrize("name", each(MODELS))
def test_every_kind_of_tensor_has_the_law_of_the_models_own_code(checkpoint, name):
    """Mean and std of each kind lie within five standard errors of those of a model that transformers initialized."""
    torch.manual_seed(1234)
    theirs = saved(build(name, TINY[name], torch.float32))

    assert_same_statistics(load_file(checkpoint(name) / "model.safetensors"), theirs)


@pytest.mark.proves("specs/mamba.yaml")
def test_the_states_of_mamba_are_transformers_own(checkpoint):
    """A_log is not drawn: ln(1), ln(2), … in every row, each side within one unit in the last place of float32."""
    fresh, ours = build("mamba", TINY["mamba"]).state_dict(), load_file(checkpoint("mamba") / "model.safetensors")

    for name in (name for name in ours if name.endswith("A_log")):
        torch.testing.assert_close(ours[name], fresh[name], rtol=2**-22, atol=0)


@pytest.mark.proves("specs/bert.yaml")
def test_the_padding_row_of_bert_is_zero_and_no_other(checkpoint):
    """Row 0 of the word embeddings, in a fresh model and in ours."""
    name = "bert.embeddings.word_embeddings.weight"
    fresh, ours = build("bert", TINY["bert"]).state_dict(), load_file(checkpoint("bert") / "model.safetensors")

    for tables in (fresh, ours):
        assert (tables[name] == 0).all(dim=1).nonzero().tolist() == [[0]]
