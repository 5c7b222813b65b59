"""PyTorch's attention.

Source: pytorch/pytorch v2.13.0, `torch/nn/modules/activation.py`; checked by `make clients`.
"""

from __future__ import annotations

from initcli.initializers.arguments import check_flag
from initcli.layers.base import Built, Weight, layer, parse_size
from initcli.layers.torch_arguments import Ignored, check_divisible
from initcli.layers.torch_linear import linear


@layer("torch", "MultiheadAttention")
def multihead_attention(
    embed_dim: int,
    num_heads: int,
    dropout: Ignored = 0.0,
    bias: bool = True,
    add_bias_kv: bool = False,
    add_zero_attn: Ignored = False,
    kdim: int | None = None,
    vdim: int | None = None,
    batch_first: Ignored = False,
) -> Built:
    """Attention of several heads: one packed projection, or three where keys or values have a width of their own.

    The packed one is drawn as one matrix of 3 `embed_dim` outputs, so 1/√2 as wide as three would be.
    """
    width = parse_size("embed_dim", embed_dim)
    check_divisible("embed_dim", width, "num_heads", parse_size("num_heads", num_heads))
    check_flag("bias", bias)
    check_flag("add_bias_kv", add_bias_kv)
    keys = width if kdim is None else parse_size("kdim", kdim, 0)
    values = width if vdim is None else parse_size("vdim", vdim, 0)
    if keys == values == width:
        weights = [Weight("in_proj_weight", (3 * width, width), "xavier_uniform")]
    else:
        sizes = {"q": width, "k": keys, "v": values}
        weights = [Weight(f"{name}_proj_weight", (width, size), "xavier_uniform") for name, size in sizes.items()]
    if bias:
        weights.append(Weight("in_proj_bias", (3 * width,), "zeros"))
    if add_bias_kv:
        weights += [Weight(name, (1, 1, width), "xavier_normal") for name in ("bias_k", "bias_v")]
    projection = linear(width, width, bias).below("out_proj.")
    return Built(weights + [each if len(each.shape) > 1 else each._replace(init="zeros") for each in projection])
