"""The architectures of transformers that specs/ has: a class, its config by the variables of the spec, tiny sizes.

Every release of transformers that `make clients` installs has them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
from models import variables_of
from transformers import (
    BertConfig,
    BertForPreTraining,
    CLIPConfig,
    CLIPModel,
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
    ViTConfig,
    ViTForImageClassification,
    WhisperConfig,
    WhisperForConditionalGeneration,
)


class Architecture(NamedTuple):
    """A model's class, its config as a function of the sizes that are not the spec's, tiny sizes, and its dtype."""

    model: Any
    config: Callable[..., Any]
    tiny: dict[str, int]
    dtype: torch.dtype = torch.float32


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
GPT2_WORDS = {"d": "n_embd", "layers": "n_layer", "heads": "n_head", "positions": "n_positions"}
T5_WORDS = {"d": "d_model", "layers": "num_layers", "heads": "num_heads", "head_dim": "d_kv", "ff": "d_ff"}


def by_words(config, published=(), words=(), dtype=torch.float32):
    """A function: the published config.json, with other sizes under transformers' names of the spec's variables.

    Published is told where it differs from the defaults of the code.
    """
    names = WORDS | dict(words)

    def make(sizes):
        return config(**dict(published) | {names[variable]: size for variable, size in sizes.items()}, dtype=dtype)

    return make


def vit_config(sizes):
    """The config of a ViT by the variables of its spec."""
    v = variables_of("vit", sizes)
    return ViTConfig(
        hidden_size=v["d"],
        num_hidden_layers=v["layers"],
        num_attention_heads=v["heads"],
        intermediate_size=v["ff"],
        num_labels=v["classes"],
        image_size=v["image"],
        patch_size=v["patch"],
        num_channels=v["channels"],
    )


def clip_config(sizes):
    """The config of a CLIP by the variables of its spec; the last token of the vocabulary ends a text."""
    v = variables_of("clip", sizes)
    text, vision = (
        {
            "hidden_size": v[f"{tower}d"],
            "num_hidden_layers": v[f"{tower}layers"],
            "num_attention_heads": v[f"{tower}heads"],
            "intermediate_size": v[f"{tower}ff"],
        }
        for tower in ("", "vision_")
    )
    text |= {"vocab_size": v["vocab"], "max_position_embeddings": v["positions"], "eos_token_id": v["vocab"] - 1}
    vision |= {"image_size": v["image"], "patch_size": v["patch"], "num_channels": v["channels"]}
    return CLIPConfig(text_config=text, vision_config=vision, projection_dim=v["projection"])


def whisper_config(sizes):
    """The config of a Whisper by the variables of its spec; the token of padding is every special one."""
    v = variables_of("whisper", sizes)
    special = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")
    return WhisperConfig(
        d_model=v["d"],
        encoder_layers=v["layers"],
        decoder_layers=v["layers"],
        encoder_attention_heads=v["heads"],
        decoder_attention_heads=v["heads"],
        encoder_ffn_dim=v["ff"],
        decoder_ffn_dim=v["ff"],
        vocab_size=v["vocab"],
        num_mel_bins=v["mels"],
        max_source_positions=v["frames"],
        max_target_positions=v["positions"],
        begin_suppress_tokens=None,
        **dict.fromkeys(special, v["pad"]),
    )


LLAMA3 = {"vocab_size": 128256, "intermediate_size": 14336, "num_key_value_heads": 8}  # meta-llama/Meta-Llama-3-8B
QWEN2 = {  # Qwen/Qwen2-0.5B
    "hidden_size": 896,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "intermediate_size": 4864,
    "tie_word_embeddings": True,
}
MAMBA = {"num_hidden_layers": 24}  # state-spaces/mamba-130m-hf

SMALL = {"d": 128, "layers": 2, "heads": 4, "vocab": 512}
GROUPED = SMALL | {"kv_heads": 2, "ff": 192}

half = partial(by_words, dtype=torch.bfloat16)
LANGUAGE = {
    # openai-community/gpt2
    "gpt2": Architecture(GPT2LMHeadModel, by_words(GPT2Config, words=GPT2_WORDS), SMALL | {"positions": 64}),
    "llama3": Architecture(LlamaForCausalLM, half(LlamaConfig, LLAMA3), GROUPED, torch.bfloat16),
    # mistralai/Mixtral-8x7B-v0.1
    "mixtral": Architecture(MixtralForCausalLM, half(MixtralConfig), GROUPED | {"experts": 3}, torch.bfloat16),
    "qwen2": Architecture(Qwen2ForCausalLM, half(Qwen2Config, QWEN2), GROUPED, torch.bfloat16),
    # google-bert/bert-base-uncased
    "bert": Architecture(BertForPreTraining, by_words(BertConfig), SMALL | {"ff": 192, "positions": 64}),
    # google-t5/t5-small
    "t5": Architecture(
        T5ForConditionalGeneration, by_words(T5Config, words=T5_WORDS), SMALL | {"head_dim": 16, "ff": 192}
    ),
    "mamba": Architecture(MambaForCausalLM, by_words(MambaConfig, MAMBA), {"d": 128, "layers": 2, "vocab": 512}),
}
VISION = {
    "vit": Architecture(
        ViTForImageClassification,
        vit_config,
        {"d": 64, "layers": 2, "heads": 4, "ff": 96, "classes": 10, "image": 32, "patch": 8, "channels": 1},
    ),
    "clip": Architecture(
        CLIPModel,
        clip_config,
        {"d": 64, "layers": 2, "heads": 4, "vocab": 512, "positions": 16, "projection": 48}
        | {"vision_d": 96, "vision_layers": 3, "vision_heads": 6, "image": 32, "patch": 8},
    ),
    "whisper": Architecture(
        WhisperForConditionalGeneration,
        whisper_config,
        {"d": 64, "layers": 2, "heads": 4, "ff": 96, "vocab": 512, "pad": 511}
        | {"mels": 16, "frames": 50, "positions": 32},
    ),
}
"""Models of images and sound."""
ARCHITECTURES = LANGUAGE | VISION

SINGLE_FILE, SHARDED = "safetensors", "safetensors, sharded"
"""The files of these models, as the page of compatibility calls them."""
each_file = pytest.mark.parametrize(
    "layout",
    [
        pytest.param("single", marks=pytest.mark.loads(file=SINGLE_FILE)),
        pytest.param("sharded", marks=pytest.mark.loads(file=SHARDED)),
    ],
)


def each_model(others=()):
    """The architectures but for others, as the parameter `name`."""
    names = [pytest.param(name, marks=pytest.mark.loads(what=name)) for name in ARCHITECTURES if name not in others]
    return pytest.mark.parametrize("name", names)


def tiny_config(name):
    """The config of an architecture in its tiny sizes, with the dtype of the spec's tensors."""
    config = ARCHITECTURES[name].config(ARCHITECTURES[name].tiny)
    config.dtype = ARCHITECTURES[name].dtype
    return config


def tiny_options(name):
    """The options of `initcli generate` for the tiny sizes."""
    return [word for variable, size in ARCHITECTURES[name].tiny.items() for word in ("--set", f"{variable}={size}")]


def logits_of(name, model):
    """What a tiny model of an architecture computes for two inputs; without those of the padding, which is zero."""
    v = variables_of(name, ARCHITECTURES[name].tiny)
    draws = torch.Generator().manual_seed(1)
    tokens = torch.arange(1, 25).reshape(2, 12)
    inputs = {"input_ids": tokens}
    if name == "t5":
        inputs["decoder_input_ids"] = tokens
    elif name == "whisper":
        frames = torch.randn(2, v["mels"], 2 * v["frames"], generator=draws)
        inputs = {"input_features": frames, "decoder_input_ids": tokens}
    elif name in ("vit", "clip"):
        inputs = {"pixel_values": torch.randn(2, v["channels"], v["image"], v["image"], generator=draws)}
    if name == "clip":
        inputs["input_ids"] = torch.tensor([[1, 2, 3, v["vocab"] - 1], [4, 5, 6, v["vocab"] - 1]])
    with torch.inference_mode():
        output = model.eval()(**inputs)
    logits = getattr(output, {"bert": "prediction_logits", "clip": "logits_per_image"}.get(name, "logits"))
    return logits[..., : v["pad"]] if name == "whisper" else logits
