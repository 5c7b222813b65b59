"""The models of Hugging Face that llama.cpp knows: its name for each tensor, what is done to it, and its keys.

A shape is written in the words of the model's config.json. What a config leaves out is as transformers has it.

Source: llama.cpp's convert_hf_to_gguf.py, `LlamaModel` and `GPT2Model`; names checked against gguf 0.19's tensor maps,
defaults against transformers 5.23, keys against llama.cpp b11549
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from math import prod
from typing import Any, ClassVar, NamedTuple

from initcli.formats.gguf_config import Settings
from initcli.frequencies import Frequencies
from initcli.initializers.recipe_rope_scaling import RotaryInvFreqLlama3

MAX_HEAD_DIM = 2**16
"""Far above every model there is: for each pair of features a factor may have to be computed."""


class Change(Enum):
    """What is done to a tensor."""

    NONE = auto()
    HEADS = auto()
    """The halves of each head's rows are interleaved: Hugging Face turns row i with row i + head_dim / 2, llama.cpp
    with its neighbour."""
    TRANSPOSE = auto()
    """Conv1D keeps its weights (in, out)."""
    WIDEN = auto()
    """It becomes float32, as every tensor of one axis does."""


class Weight(NamedTuple):
    """A tensor: what llama.cpp calls it, its shape in the words of the config, and what is done to it."""

    name: str
    shape: str
    change: Change = Change.NONE
    is_optional: bool = False

    def dims(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Return its shape.

        >>> Weight("blk.{}.attn_qkv.weight", "n_embd 3*n_embd").dims({"n_embd": 8})
        (8, 24)
        """
        return tuple(
            prod(int(word) if word.isdigit() else sizes[word] for word in dim.split("*")) for dim in self.shape.split()
        )


@dataclass(frozen=True)
class RotaryFactors(RotaryInvFreqLlama3):
    """State what llama.cpp divides each rotary frequency by where Llama 3.1 scales them: the plain over the scaled."""

    name: ClassVar[str] = "rotary_factors_llama3"

    def scale(self, frequencies: Frequencies) -> Frequencies:
        """Return what each frequency is divided by."""
        return tuple(f / scaled for f, scaled in zip(frequencies, super().scale(frequencies), strict=True))


class Measured(NamedTuple):
    """What a config says: the `sizes` in its own words, the `keys` of a GGUF file, and perhaps rotary factors."""

    sizes: Mapping[str, int]
    keys: Mapping[str, Any]
    factors: RotaryFactors | None = None


class Architecture(NamedTuple):
    """A kind of model: llama.cpp's `name` for it, its `weights`, and how to `measure` a config.

    The names of weights stand there without the `prefix`, which Hugging Face may leave out, and with `{}` for the
    number of a layer; `layers` is the config's word for their count. Where it does not say, the head `is_tied` or not.
    """

    name: str
    prefix: str
    weights: Mapping[str, Weight]
    layers: str
    is_tied: bool
    measure: Callable[[Settings], Measured]


def measure_llama(settings: Settings) -> Measured:
    """Return what the config of a llama says."""
    names = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    sizes = {name: settings.count(name) for name in names}
    heads = sizes["num_attention_heads"]
    kv_heads = sizes["num_key_value_heads"] = settings.count("num_key_value_heads", heads)
    head_dim = sizes["head_dim"] = settings.count("head_dim", max(1, sizes["hidden_size"] // heads))
    if head_dim % 2 or head_dim > MAX_HEAD_DIM:
        hint = f"make it even, and at most {MAX_HEAD_DIM:,}"
        settings.fail("head_dim", f"is {head_dim:,}, and rotary embeddings turn pairs of features", hint)
    if heads % kv_heads:
        settings.fail("num_key_value_heads", f"is {kv_heads}, which does not divide {heads} heads", "make it a divisor")
    settings.only("hidden_act", ("silu",), "silu")
    rope, factors = measure_rope(settings)
    keys = {
        "block_count": sizes["num_hidden_layers"],
        "context_length": settings.count("max_position_embeddings", 2048),
        "embedding_length": sizes["hidden_size"],
        "feed_forward_length": sizes["intermediate_size"],
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.key_length": head_dim,
        "attention.value_length": head_dim,
        "attention.layer_norm_rms_epsilon": settings.number("rms_norm_eps", 1e-6),
        "rope.dimension_count": head_dim,
        **rope,
        "vocab_size": sizes["vocab_size"],
    }
    return Measured(sizes, keys, factors)


def measure_rope(settings: Settings) -> tuple[dict[str, Any], RotaryFactors | None]:
    """Return the keys of rotary embeddings, and what divides their frequencies; transformers 5 has newer words."""
    rope = settings.section("rope_parameters", "rope_scaling")
    base = (rope if "rope_theta" in rope.values else settings).number("rope_theta", 10000.0)
    kind = "rope_type" if "rope_type" in rope.values else "type"
    keys: dict[str, Any] = {"rope.freq_base": base}
    match rope.only(kind, ("default", "linear", "llama3"), "default"):
        case "linear":
            keys |= {"rope.scaling.type": "linear", "rope.scaling.factor": rope.number("factor", 1.0)}
        case "llama3":
            low, high = rope.number("low_freq_factor", 1.0), rope.number("high_freq_factor", 4.0)
            factor, length = rope.number("factor", 8.0), rope.count("original_max_position_embeddings", 8192)
            if base <= 1 or factor < 1 or low >= high:
                hint = "`factor` ≥ 1, `rope_theta` > 1, `low_freq_factor` < `high_freq_factor`"
                rope.fail(kind, "is `llama3`, whose numbers do not fit together", hint)
            else:
                return keys, RotaryFactors(
                    base=base,
                    factor=factor,
                    low_freq_factor=low,
                    high_freq_factor=high,
                    original_max_position_embeddings=length,
                )
    return keys, None


def measure_gpt2(settings: Settings) -> Measured:
    """Return what the config of a GPT-2 says."""
    sizes = {name: settings.count(name) for name in ("vocab_size", "n_embd", "n_layer", "n_head")}
    if sizes["n_embd"] % sizes["n_head"]:
        settings.fail("n_head", f"is {sizes['n_head']}, which does not divide `n_embd`", "make it a divisor")
    sizes["n_positions"] = settings.count("n_positions", 1024)
    sizes["n_inner"] = settings.count("n_inner", 4 * sizes["n_embd"])
    settings.only("activation_function", ("gelu_new", "gelu_pytorch_tanh", "gelu_fast"), "gelu_new")
    settings.only("scale_attn_weights", (True,), True)
    settings.only("scale_attn_by_inverse_layer_idx", (False,), False)
    keys = {
        "block_count": sizes["n_layer"],
        "context_length": sizes["n_positions"],
        "embedding_length": sizes["n_embd"],
        "feed_forward_length": sizes["n_inner"],
        "attention.head_count": sizes["n_head"],
        "attention.layer_norm_epsilon": settings.number("layer_norm_epsilon", 1e-5),
        "vocab_size": sizes["vocab_size"],
    }
    return Measured(sizes, keys)


def name_llama() -> dict[str, Weight]:
    """Return the weights of a llama, by Hugging Face's names."""
    d, ff, heads, kv = (
        "hidden_size",
        "intermediate_size",
        "num_attention_heads*head_dim",
        "num_key_value_heads*head_dim",
    )
    linear = {
        "self_attn.q_proj": Weight("attn_q", f"{heads} {d}", Change.HEADS),
        "self_attn.k_proj": Weight("attn_k", f"{kv} {d}", Change.HEADS),
        "self_attn.v_proj": Weight("attn_v", f"{kv} {d}"),
        "self_attn.o_proj": Weight("attn_output", f"{d} {heads}"),
        "mlp.gate_proj": Weight("ffn_gate", f"{ff} {d}"),
        "mlp.up_proj": Weight("ffn_up", f"{ff} {d}"),
        "mlp.down_proj": Weight("ffn_down", f"{d} {ff}"),
    }
    found = {
        "embed_tokens.weight": Weight("token_embd.weight", f"vocab_size {d}"),
        "norm.weight": Weight("output_norm.weight", d),
        "lm_head.weight": Weight("output.weight", f"vocab_size {d}", is_optional=True),
        "layers.{}.input_layernorm.weight": Weight("blk.{}.attn_norm.weight", d),
        "layers.{}.post_attention_layernorm.weight": Weight("blk.{}.ffn_norm.weight", d),
    }
    for name, (stored, shape, change, _) in linear.items():
        found[f"layers.{{}}.{name}.weight"] = Weight(f"blk.{{}}.{stored}.weight", shape, change)
        bias = Weight(f"blk.{{}}.{stored}.bias", shape.split()[0], change, is_optional=True)
        found[f"layers.{{}}.{name}.bias"] = bias
    return found


def name_gpt2() -> dict[str, Weight]:
    """Return the weights of a GPT-2, by Hugging Face's names."""
    d = "n_embd"
    found = {
        "wte.weight": Weight("token_embd.weight", f"vocab_size {d}"),
        "wpe.weight": Weight("position_embd.weight", f"n_positions {d}", Change.WIDEN),
        "lm_head.weight": Weight("output.weight", f"vocab_size {d}", is_optional=True),
        "ln_f.weight": Weight("output_norm.weight", d),
        "ln_f.bias": Weight("output_norm.bias", d),
    }
    for name, stored in {"ln_1": "attn_norm", "ln_2": "ffn_norm"}.items():
        for part in ("weight", "bias"):
            found[f"h.{{}}.{name}.{part}"] = Weight(f"blk.{{}}.{stored}.{part}", d)
    for name, stored, shape in (
        ("attn.c_attn", "attn_qkv", f"{d} 3*{d}"),
        ("attn.c_proj", "attn_output", f"{d} {d}"),
        ("mlp.c_fc", "ffn_up", f"{d} n_inner"),
        ("mlp.c_proj", "ffn_down", f"n_inner {d}"),
    ):
        found[f"h.{{}}.{name}.weight"] = Weight(f"blk.{{}}.{stored}.weight", shape, Change.TRANSPOSE)
        found[f"h.{{}}.{name}.bias"] = Weight(f"blk.{{}}.{stored}.bias", shape.split()[1])
    return found


ARCHITECTURES = {
    "llama": Architecture("llama", "model.", name_llama(), "num_hidden_layers", False, measure_llama),
    "gpt2": Architecture("gpt2", "transformer.", name_gpt2(), "n_layer", True, measure_gpt2),
}
"""By the `model_type` of a config."""
