"""PyTorch's linear layers.

Source: pytorch/pytorch v2.13.0, `torch/nn/modules/linear.py`; checked by `make clients`.
"""

from __future__ import annotations

from initcli.initializers.arguments import check_flag
from initcli.layers.base import Built, Weight, layer, parse_size


@layer("torch", "Linear")
def linear(in_features: int, out_features: int, bias: bool = True) -> Built:
    """y = x Wᵀ + b."""
    shape = (parse_size("out_features", out_features, 0), parse_size("in_features", in_features, 0))
    return Built([Weight("weight", shape, "linear_default"), *drawn_bias(bias, out_features, in_features)])


@layer("torch", "Bilinear")
def bilinear(in1_features: int, in2_features: int, out_features: int, bias: bool = True) -> Built:
    """y = x₁ᵀ W x₂ + b."""
    ins = (parse_size("in1_features", in1_features), parse_size("in2_features", in2_features, 0))
    shape = (parse_size("out_features", out_features, 0), *ins)
    return Built([Weight("weight", shape, "bilinear_default"), *drawn_bias(bias, out_features, in1_features)])


def drawn_bias(bias: bool, size: int, fan_in: int) -> list[Weight]:
    """Return the bias of `size` values, if there is to be one: drawn by the fan_in of its weight."""
    check_flag("bias", bias)
    return [Weight("bias", (size,), f"linear_default_bias(fan_in={fan_in})")] if bias else []
