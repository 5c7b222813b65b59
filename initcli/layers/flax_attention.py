"""flax's attention of several heads: each projection is drawn as one matrix over all heads.

What it caches while decoding is no weight.

Source: google/flax v0.12.8, `flax/linen/attention.py`, `flax/nnx/nn/attention.py`; checked by `make clients`.
"""

from __future__ import annotations

from dataclasses import dataclass

from initcli.layers.base import Built, Shape, Weight
from initcli.layers.flax_arguments import Arguments, check_divides, flax_layer, last_size

_INITS = "kernel_init=lecun_normal, out_kernel_init=None, bias_init=zeros, out_bias_init=None, use_bias=True"
_DROPPED = "broadcast_dropout=True, dropout_rate=0.0, deterministic=None, precision=None"
_PRODUCTS = "qkv_dot_general=None, out_dot_general=None, qkv_dot_general_cls=None, out_dot_general_cls=None"
_LINEN = (
    f"num_heads, dtype=None, param_dtype=None, qkv_features=None, out_features=None, {_DROPPED}, {_INITS},"
    f"attention_fn=dot_product_attention, decode=False, normalize_qk=False, force_fp32_for_softmax=False, {_PRODUCTS},"
    "qk_attn_weights_einsum_cls=None, attn_weights_value_einsum_cls=None"
)
_NNX = (
    "num_heads, in_features, qkv_features=None, out_features=None, num_kv_heads=None, in_kv_features=None, dtype=None,"
    f"param_dtype=None, {_DROPPED}, {_INITS}, attention_fn=dot_product_attention, decode=None, normalize_qk=False,"
    "qkv_promote_dtype=promote_dtype, out_promote_dtype=promote_dtype, ln_promote_dtype=promote_dtype,"
    f"{_PRODUCTS}, keep_rngs=True, kernel_metadata=(), out_kernel_metadata=(), bias_metadata=(), out_bias_metadata=(),"
    "query_ln_scale_metadata=(), key_ln_scale_metadata=()"
)


@dataclass(frozen=True)
class _Sources:
    """The sizes that a projection starts from, and the heads that it goes to, of queries, and of keys and values."""

    queries: tuple[int, int]
    keys: tuple[int, int]


def _attention(given: Arguments, sources: _Sources) -> list[Weight]:
    """Return the projections to the heads, their norms if there are to be any, and the projection from them."""
    width, heads = sources.queries
    features = given.size_or("qkv_features", width)
    check_divides("num_heads", heads, features, "features of the queries")
    depth, bias_init = features // heads, given.bias_init()
    parts = {"query": sources.queries, "key": sources.keys, "value": sources.keys}
    weights = []
    for name, (source, count) in parts.items():
        weights += given.projection((source,), (count, depth), ("kernel_init", bias_init)).below(f"{name}/")
    if given.flag("normalize_qk"):
        names = ("query_ln/scale", "key_ln/scale")
        weights += [Weight(name, (depth,), "ones", "", given.dtype, given.collection) for name in names]
    inits = ("kernel_init" if given["out_kernel_init"] is None else "out_kernel_init", bias_init)
    if bias_init and given["out_bias_init"] is not None:
        inits = (inits[0], "out_bias_init")
    outputs = (given.size_or("out_features", width),)
    return weights + given.projection((heads, depth), outputs, inits).below("out/")


@flax_layer("MultiHeadDotProductAttention", _LINEN)
@flax_layer("MultiHeadAttention", _LINEN)
@flax_layer("SelfAttention", _LINEN)
def _linen_attention(given: Arguments, inputs: Shape) -> Built:
    """Attention of a sequence to itself; the one input is that of the queries, keys and values."""
    width = last_size(inputs)
    source = (width, given.size("num_heads"))
    return Built(_attention(given, _Sources(source, source)), (*inputs[:-1], given.size_or("out_features", width)))


@flax_layer("nnx.MultiHeadAttention", _NNX)
def _nnx_attention(given: Arguments) -> Built:
    """Attention, whose keys and values may have a width and a number of heads of their own."""
    heads, width = given.size("num_heads"), given.size("in_features")
    kv_heads = given.size_or("num_kv_heads", heads)
    check_divides("num_kv_heads", kv_heads, heads, "heads")
    keys = (given.size_or("in_kv_features", width), kv_heads)
    return Built(_attention(given, _Sources((width, heads), keys)))
