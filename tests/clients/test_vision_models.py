"""transformers itself says what the tensors of the models of images and sound in specs/ are, loads them, and computes.

What a model has in memory is compared in the form in which `save_pretrained` writes it: tied weights left out, and ViT
under the names of the published checkpoints.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pytest
import safetensors.torch
import torch
import transformers
from models import (
    assert_loads,
    assert_same_statistics,
    assert_same_tensors,
    plan_of,
    published_sizes,
    saved,
    variables_of,
    write_checkpoint,
)
from transformers import (
    CLIPConfig,
    CLIPModel,
    ViTConfig,
    ViTForImageClassification,
    WhisperConfig,
    WhisperForConditionalGeneration,
)
from transformers.models.whisper.modeling_whisper import sinusoids

FRAMEWORK = f"torch {torch.__version__}, transformers {transformers.__version__}"


def vit_config(v):
    """The config of a ViT by the variables of its spec."""
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


def clip_config(v):
    """The config of a CLIP by the variables of its spec; the last token of the vocabulary ends a text."""
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


def whisper_config(v):
    """The config of a Whisper by the variables of its spec; the token of padding is every special one."""
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


class Model(NamedTuple):
    """A model's class, its config as a function of the spec's variables, the published config, and tiny sizes."""

    model: Any
    config: Any
    published: Any
    tiny: dict[str, int]


MODELS = {
    "vit": Model(  # google/vit-base-patch16-224
        ViTForImageClassification,
        vit_config,
        ViTConfig(num_labels=1000),
        {"d": 64, "layers": 2, "heads": 4, "ff": 96, "classes": 10, "image": 32, "patch": 8, "channels": 1},
    ),
    "clip": Model(  # openai/clip-vit-base-patch32
        CLIPModel,
        clip_config,
        CLIPConfig(),
        {"d": 64, "layers": 2, "heads": 4, "vocab": 512, "positions": 16, "projection": 48}
        | {"vision_d": 96, "vision_layers": 3, "vision_heads": 6, "image": 32, "patch": 8},
    ),
    "whisper": Model(  # openai/whisper-tiny
        WhisperForConditionalGeneration,
        whisper_config,
        WhisperConfig(),
        {"d": 64, "layers": 2, "heads": 4, "ff": 96, "vocab": 512, "pad": 511}
        | {"mels": 16, "frames": 50, "positions": 32},
    ),
}


def each(names):
    """Parameters that count as checks of the spec of that name on the page of verdicts."""
    return [pytest.param(name, marks=pytest.mark.proves(f"specs/{name}.yaml")) for name in names]


def config_of(name, sizes):
    """The config of a model in other sizes than the spec's."""
    return MODELS[name].config(variables_of(name, sizes))


def build(name, sizes):
    """A model with the initial weights of its own code."""
    torch.manual_seed(1234)
    return MODELS[name].model(config_of(name, sizes))


@pytest.fixture(scope="module")
def folder(generate, tmp_path_factory):
    """A function: the folder of a tiny model, with config.json and a generated model.safetensors."""
    made = {}

    def make(name):
        if name not in made:
            tiny = MODELS[name].tiny
            made[name] = write_checkpoint(generate, tmp_path_factory.mktemp(name), name, tiny, config_of(name, tiny))
        return made[name]

    return make


@pytest.fixture(scope="module")
def loaded(folder):
    """A function: the tiny model that `from_pretrained` makes of its folder."""
    return lambda name: MODELS[name].model.from_pretrained(folder(name), local_files_only=True).eval()


@pytest.mark.parametrize("name", each(MODELS))
def test_a_spec_stands_in_the_published_size(name):
    """It has the tensors of the model that is made of the published config."""
    with torch.device("meta"):
        model = MODELS[name].model(MODELS[name].published)

    assert_same_tensors(plan_of(name, {}), model)


@pytest.mark.parametrize("name", each(MODELS))
def test_a_spec_has_every_tensor_of_its_model_in_every_size(name):
    """In the sizes and with the counts that its comment tells, in two layers, and in a tiny one; all without memory."""
    published = list(published_sizes(name))

    for count, sizes in (*published, (None, {"layers": 2}), (None, MODELS[name].tiny)):
        with torch.device("meta"):
            model = build(name, sizes)
        plan = plan_of(name, sizes)
        assert_same_tensors(plan, model)
        assert count in (None, plan.size)
    assert len(published) >= 3


@pytest.mark.parametrize("name", each(MODELS))
def test_from_pretrained_loads_a_tiny_model_and_saves_the_same_tensors(folder, name, tmp_path):
    """Nothing is missing, unexpected, mismatched or in error, and what is saved again has the same names and bits."""
    assert_loads(MODELS[name].model, folder(name), tmp_path)


@pytest.mark.parametrize("name", each(MODELS))
def test_a_tiny_model_computes(loaded, name):
    """Its logits for two inputs are finite and differ."""
    v = variables_of(name, MODELS[name].tiny)
    draws = torch.Generator().manual_seed(1)
    words = torch.tensor([[1, 2, 3, v.get("vocab", 0) - 1], [4, 5, 6, v.get("vocab", 0) - 1]])
    inputs = {}
    if name == "whisper":
        inputs["input_features"] = torch.randn(2, v["mels"], 2 * v["frames"], generator=draws)
        inputs["decoder_input_ids"] = words
    else:
        inputs["pixel_values"] = torch.randn(2, v["channels"], v["image"], v["image"], generator=draws)
    if name == "clip":
        inputs["input_ids"] = words

    with torch.inference_mode():
        output = loaded(name)(**inputs)

    logits = output.logits_per_image if name == "clip" else output.logits
    assert torch.isfinite(logits).all()
    if name == "whisper":
        logits = logits[..., : v["pad"]]  # the logits of padding are its embedding's, zero
    assert (logits[0] != logits[1]).all()


@pytest.mark.parametrize("name", each(MODELS))
def test_every_kind_of_tensor_has_the_law_of_the_models_own_code(folder, name):
    """Mean and std of each kind lie within five standard errors of those of a model that transformers initialized."""
    theirs = saved(build(name, MODELS[name].tiny))

    ours = safetensors.torch.load_file(folder(name) / "model.safetensors")

    assert_same_statistics(ours, theirs)


@pytest.mark.proves("specs/whisper.yaml")
def test_the_positions_of_whispers_encoder_are_the_sinusoids_of_its_own_code(folder):
    """Those that the code makes in float64, rounded once; its own float32 has them less exactly."""
    ours = safetensors.torch.load_file(folder("whisper") / "model.safetensors")["model.encoder.embed_positions.weight"]
    rows, _ = ours.shape
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)
        exact = sinusoids(*ours.shape)
    finally:
        torch.set_default_dtype(before)

    # One rounding of float32 below 1, and in float64 two of an exponent of at most ln 10⁴, its exponential, the product
    # with the position, the sine.
    allowed = 2.0**-25 + (rows * (2 * math.log(10_000) + 4) + 2) * 2.0**-53
    assert exact.dtype == torch.float64
    assert (ours.double() - exact).abs().max() <= allowed


@pytest.mark.proves("specs/whisper.yaml")
def test_the_padding_row_of_whisper_is_zero_and_no_other(folder):
    """In a fresh model and in ours."""
    name = "model.decoder.embed_tokens.weight"
    fresh = saved(build("whisper", MODELS["whisper"].tiny))[name]
    ours = safetensors.torch.load_file(folder("whisper") / "model.safetensors")[name]

    for table in (fresh, ours):
        assert (table == 0).all(dim=1).nonzero().tolist() == [[MODELS["whisper"].tiny["pad"]]]
