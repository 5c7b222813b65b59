"""PyTorch's transformers: attention, feed-forward and norms in blocks, and blocks in stacks.

PyTorch copies the first block of a stack, values and all, and only `Transformer` draws the matrices anew. Here every
tensor is drawn for itself, from the same law.

Source: pytorch/pytorch v2.13.0, `torch/nn/modules/transformer.py`; checked by `make clients`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from initcli.errors import ArgumentError
from initcli.initializers.arguments import check_choice, check_flag
from initcli.layers.base import Built, Weight, find_layer, layer, parse_size
from initcli.layers.torch_arguments import Ignored, check_divisible, check_probability, parse_repeats
from initcli.layers.torch_attention import multihead_attention
from initcli.layers.torch_linear import linear
from initcli.layers.torch_norm import layer_norm


@layer("torch", "TransformerEncoderLayer")
def transformer_encoder_layer(
    d_model: int,
    nhead: int,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    activation: str = "relu",
    layer_norm_eps: Ignored = 1e-5,
    batch_first: Ignored = False,
    norm_first: Ignored = False,
    bias: bool = True,
) -> Built:
    """Self-attention and a feed-forward network, a norm for each."""
    check_probability("dropout", dropout)
    check_choice("activation", activation, ("relu", "gelu"))
    return _block(("self_attn",), d_model, nhead, dim_feedforward, bias)


@layer("torch", "TransformerDecoderLayer")
def transformer_decoder_layer(
    d_model: int,
    nhead: int,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    activation: str = "relu",
    layer_norm_eps: Ignored = 1e-5,
    batch_first: Ignored = False,
    norm_first: Ignored = False,
    bias: bool = True,
) -> Built:
    """Self-attention, attention to what was encoded, and a feed-forward network, a norm for each."""
    check_probability("dropout", dropout)
    check_choice("activation", activation, ("relu", "gelu"))
    return _block(("self_attn", "multihead_attn"), d_model, nhead, dim_feedforward, bias)


@layer("torch", "TransformerEncoder")
def transformer_encoder(
    encoder_layer: Any,
    num_layers: int,
    norm: Any = None,
    enable_nested_tensor: Ignored = True,
    mask_check: Ignored = True,
) -> Built:
    """Several of `encoder_layer`, which is written as a mapping with its class, and a norm written likewise."""
    return _parse_stack("encoder_layer", encoder_layer, num_layers, norm)


@layer("torch", "TransformerDecoder")
def transformer_decoder(decoder_layer: Any, num_layers: int, norm: Any = None) -> Built:
    """Several of `decoder_layer`, which is written as a mapping with its class, and a norm written likewise."""
    return _parse_stack("decoder_layer", decoder_layer, num_layers, norm)


@layer("torch", "Transformer")
def transformer(
    d_model: int = 512,
    nhead: int = 8,
    num_encoder_layers: int = 6,
    num_decoder_layers: int = 6,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    activation: str = "relu",
    custom_encoder: Any = None,
    custom_decoder: Any = None,
    layer_norm_eps: Ignored = 1e-5,
    batch_first: Ignored = False,
    norm_first: Ignored = False,
    bias: bool = True,
) -> Built:
    """An encoder and a decoder; every matrix is drawn anew by xavier_uniform, biases stay as their layers draw them."""
    arguments = (d_model, nhead, dim_feedforward, dropout, activation)
    weights: list[Weight] = []
    for name, layer_class, custom, count in (
        ("encoder", transformer_encoder_layer, custom_encoder, num_encoder_layers),
        ("decoder", transformer_decoder_layer, custom_decoder, num_decoder_layers),
    ):
        if custom is None:
            block = layer_class(*arguments, bias=bias)
            repeats = parse_repeats(f"num_{name}_layers", count, len(block.weights), 0)
            coder = _stack(block, repeats, layer_norm(d_model, bias=bias))
        else:
            coder = _parse_layer(f"custom_{name}", custom)
        weights += coder.below(f"{name}.")
    return Built([each._replace(init="xavier_uniform") if len(each.shape) > 1 else each for each in weights])


def _block(attentions: tuple[str, ...], d_model: int, nhead: int, dim_feedforward: int, bias: bool) -> Built:
    """Return the attentions by these names, the feed-forward network, and the norm of each."""
    parse_size("d_model", d_model)
    check_divisible("d_model", d_model, "nhead", parse_size("nhead", nhead))
    parse_size("dim_feedforward", dim_feedforward, 0)
    check_flag("bias", bias)
    parts = {name: multihead_attention(d_model, nhead, bias=bias) for name in attentions}
    parts |= {"linear1": linear(d_model, dim_feedforward, bias), "linear2": linear(dim_feedforward, d_model, bias)}
    parts |= {f"norm{i + 1}": layer_norm(d_model, bias=bias) for i in range(len(attentions) + 1)}
    return _joined(parts)


def _stack(block: Built, repeats: int, norm: Built | None) -> Built:
    """Return as many blocks, and the norm of what they give."""
    blocks = {f"layers.{i}": block for i in range(repeats)}
    return _joined(blocks if norm is None else blocks | {"norm": norm})


def _parse_stack(parameter: str, block: object, num_layers: int, norm: object) -> Built:
    built = _parse_layer(parameter, block)
    repeats = parse_repeats("num_layers", num_layers, len(built.weights), 0)
    return _stack(built, repeats, None if norm is None else _parse_layer("norm", norm))


def _joined(parts: Mapping[str, Built]) -> Built:
    return Built([weight for name, part in parts.items() for weight in part.below(f"{name}.")])


def _parse_layer(parameter: str, value: object) -> Built:
    """Return what a layer that is an argument makes: a mapping with its `class` and its own arguments.

    Raises:
        ArgumentError: something else, or what that layer refuses.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("class"), str):
        hint = f"write `{parameter}: {{class: …}}` with that layer's arguments"
        raise ArgumentError(f"`{parameter}` must be a layer, got `{value}`", hint, parameter=parameter)
    arguments = {name: each for name, each in value.items() if name != "class"}
    try:
        return find_layer("torch", value["class"]).build(arguments)
    except ArgumentError as error:
        fault = error.faults[0]
        raise ArgumentError(fault.what, fault.hint, parameter=parameter) from None
