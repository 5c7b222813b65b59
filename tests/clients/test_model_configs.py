"""The config that a spec holds is the published one, and follows the variables of the spec.

That a model in a published size has the tensors of its spec is for test_language_models.py and test_vision_models.py
to say, and that the config.json is enough to load one for test_transformers.py.
"""

from __future__ import annotations

import pytest
import torch
import transformers
from architectures import ARCHITECTURES
from models import assert_same_tensors, plan_of, variables_of
from transformers import (
    BertConfig,
    CLIPConfig,
    GPT2Config,
    LlamaConfig,
    MambaConfig,
    MixtralConfig,
    Qwen2Config,
    T5Config,
    ViTConfig,
    WhisperConfig,
)

FRAMEWORK = f"torch {torch.__version__}, transformers {transformers.__version__}"

LLAMA3 = {
    "vocab_size": 128256,
    "intermediate_size": 14336,
    "num_key_value_heads": 8,
    "max_position_embeddings": 8192,
    "rms_norm_eps": 1e-5,
    "rope_theta": 500000.0,
}
QWEN2 = {
    "hidden_size": 896,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "intermediate_size": 4864,
    "max_position_embeddings": 131072,
    "rope_theta": 1000000.0,
    "tie_word_embeddings": True,
}
WHISPER = {"pad_token_id": 50257, "bos_token_id": 50257, "eos_token_id": 50257, "decoder_start_token_id": 50258}
PUBLISHED = {
    "gpt2": GPT2Config(n_inner=4 * 768),  # openai-community/gpt2, whose null means as much
    "llama3": LlamaConfig(**LLAMA3),  # meta-llama/Meta-Llama-3-8B
    "mixtral": MixtralConfig(max_position_embeddings=32768, head_dim=128),  # mistralai/Mixtral-8x7B-v0.1, null: 128
    "qwen2": Qwen2Config(**QWEN2, head_dim=64),  # Qwen/Qwen2-0.5B, which leaves 896 / 14 out
    "bert": BertConfig(),  # google-bert/bert-base-uncased
    "t5": T5Config(decoder_start_token_id=0),  # google-t5/t5-small
    "mamba": MambaConfig(num_hidden_layers=24),  # state-spaces/mamba-130m-hf
    "vit": ViTConfig(num_labels=1000),  # google/vit-base-patch16-224
    "clip": CLIPConfig(text_config={}, vision_config={}),  # openai/clip-vit-base-patch32
    "whisper": WhisperConfig(**WHISPER),  # openai/whisper-tiny
}
"""The published config.json: told where it differs from the defaults of the code, special tokens of no tensor aside."""

each_config = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.proves(f"specs/{name}.yaml")) for name in ARCHITECTURES]
)


@each_config
def test_the_config_of_a_spec_is_that_of_the_published_model(name):
    """All of it, with what either leaves to the defaults of transformers, but for the name of the class."""
    ours = ARCHITECTURES[name].config({})

    assert ours.to_dict() == PUBLISHED[name].to_dict() | {"architectures": [ARCHITECTURES[name].model.__name__]}


@each_config
def test_a_config_follows_every_variable_of_its_spec(name):
    """Each is doubled in a tiny model: the config is another one then, and makes the tensors of the plan."""
    architecture = ARCHITECTURES[name]
    before = plan_of(name, architecture.tiny).config

    for variable, size in variables_of(name, architecture.tiny).items():
        sizes = architecture.tiny | {variable: 2 * size}
        plan = plan_of(name, sizes)
        with torch.device("meta"):
            model = architecture.model._from_config(architecture.config(sizes), dtype=architecture.dtype)
        assert plan.config != before, variable
        assert_same_tensors(plan, model)
