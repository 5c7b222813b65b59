"""The architectures of transformers that specs/ has, with tiny sizes; their configs are those that the specs hold.

Every release of transformers that `make clients` installs has them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
import transformers
from models import plan_of, variables_of
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForImageClassification,
    AutoModelForPreTraining,
    AutoModelForSeq2SeqLM,
    AutoModelForSpeechSeq2Seq,
)


class Architecture(NamedTuple):
    """The name of a spec, tiny sizes, and what in transformers finds the class of the model by its config.json."""

    name: str
    tiny: dict[str, int]
    auto: Any = AutoModelForCausalLM

    @property
    def model(self):
        """The class that the spec's config names."""
        return getattr(transformers, plan_of(self.name, self.tiny).config["architectures"][0])

    @property
    def dtype(self):
        """The dtype of the spec's tensors."""
        return getattr(torch, plan_of(self.name, self.tiny).dtype.name)

    def config(self, sizes):
        """What transformers makes of the config of the spec in other sizes."""
        return self.model.config_class.from_dict(dict(plan_of(self.name, sizes).config))


SMALL = {"d": 128, "layers": 2, "heads": 4, "vocab": 512}
GROUPED = SMALL | {"kv_heads": 2, "ff": 192}
IMAGES = {"d": 64, "layers": 2, "heads": 4, "image": 32, "patch": 8}
CLIP = {"vocab": 512, "positions": 16, "projection": 48, "vision_d": 96, "vision_layers": 3, "vision_heads": 6}
SOUND = {"d": 64, "layers": 2, "heads": 4, "ff": 96, "vocab": 512, "pad": 200, "mels": 16, "frames": 50}

LANGUAGE = {
    each.name: each
    for each in (
        Architecture("gpt2", SMALL | {"positions": 64}),
        Architecture("llama3", GROUPED),
        Architecture("mixtral", GROUPED | {"experts": 3}),
        Architecture("qwen2", GROUPED),
        Architecture("bert", SMALL | {"ff": 192, "positions": 64}, AutoModelForPreTraining),
        Architecture("t5", SMALL | {"head_dim": 16, "ff": 192}, AutoModelForSeq2SeqLM),
        Architecture("mamba", {"d": 128, "layers": 2, "vocab": 512}),
    )
}
VISION = {
    each.name: each
    for each in (
        Architecture("vit", IMAGES | {"ff": 96, "classes": 10, "channels": 1}, AutoModelForImageClassification),
        Architecture("clip", IMAGES | CLIP, AutoModel),
        Architecture("whisper", SOUND | {"positions": 32}, AutoModelForSpeechSeq2Seq),
    )
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
    architecture = ARCHITECTURES[name]
    config = architecture.config(architecture.tiny)
    config.dtype = architecture.dtype
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
    return logits[..., torch.arange(v["vocab"]) != v["pad"]] if name == "whisper" else logits
