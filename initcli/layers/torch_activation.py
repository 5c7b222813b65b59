"""PReLU, which learns its slope, and the modules of PyTorch that have no weights, as they occur in an `nn.Sequential`.

Source: pytorch/pytorch v2.13.0, `torch/nn/modules/`; checked by `make clients`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import Parameter, Signature

from initcli.calls import parse_call
from initcli.initializers.arguments import parse_number
from initcli.layers.base import Built, Weight, layer, parse_size
from initcli.layers.torch_arguments import Ignored, check_probability

_WEIGHTLESS = {
    "": "Identity LogSigmoid Sigmoid Softmax2d Softsign Tanh Tanhshrink",
    "inplace=False": "Hardsigmoid Hardswish Mish ReLU ReLU6 SELU SiLU",
    "alpha=1.0, inplace=False": "CELU ELU",
    "approximate='none'": "GELU",
    "dim=-1": "GLU",
    "lambd=0.5": "Hardshrink Softshrink",
    "min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None": "Hardtanh",
    "negative_slope=0.01, inplace=False": "LeakyReLU",
    "lower=0.125, upper=0.3333333333333333, inplace=False": "RReLU",
    "beta=1.0, threshold=20.0": "Softplus",
    "threshold, value, inplace=False": "Threshold",
    "dim=None": "LogSoftmax Softmax Softmin",
    "dim=1, eps=1e-8": "CosineSimilarity",
    "p=2.0, eps=1e-6, keepdim=False": "PairwiseDistance",
    "size, alpha=1e-4, beta=0.75, k=1": "CrossMapLRN2d",
    "size, alpha=1e-4, beta=0.75, k=1.0": "LocalResponseNorm",
    "groups": "ChannelShuffle",
    "upscale_factor": "PixelShuffle",
    "downscale_factor": "PixelUnshuffle",
    "start_dim=1, end_dim=-1": "Flatten",
    "dim, unflattened_size": "Unflatten",
    "output_size, kernel_size, dilation=1, padding=0, stride=1": "Fold",
    "kernel_size, dilation=1, padding=0, stride=1": "Unfold",
    "size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None": "Upsample",
    "size=None, scale_factor=None": "UpsamplingBilinear2d UpsamplingNearest2d",
    "padding": "CircularPad? ReflectionPad? ReplicationPad? ZeroPad?",
    "padding, value": "ConstantPad?",
    "output_size": "AdaptiveAvgPool?",
    "output_size, return_indices=False": "AdaptiveMaxPool?",
    "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True": "AvgPool1d",
    "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None": (
        "AvgPool2d AvgPool3d"
    ),
    "kernel_size, output_size=None, output_ratio=None, return_indices=False": "FractionalMaxPool2d FractionalMaxPool3d",
    "norm_type, kernel_size, stride=None, ceil_mode=False": "LPPool?",
    "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False": "MaxPool?",
    "kernel_size, stride=None, padding=0": "MaxUnpool?",
}
"""What has no weights, by its arguments, which are accepted whatever their value; `?` stands for 1d, 2d and 3d."""


@layer("torch", "PReLU")
def prelu(num_parameters: int = 1, init: float = 0.25) -> Built:
    """max(0, x) + w min(0, x)."""
    slope = parse_number("init", init)
    return Built([Weight("weight", (parse_size("num_parameters", num_parameters, 0),), f"constant({slope})")])


@layer("torch", "Dropout")
@layer("torch", "Dropout1d")
@layer("torch", "Dropout2d")
@layer("torch", "Dropout3d")
@layer("torch", "AlphaDropout")
@layer("torch", "FeatureAlphaDropout")
def dropout(p: float = 0.5, inplace: Ignored = False) -> Built:
    """Set values to zero with probability p."""
    check_probability("p", p)
    return Built([])


def _weightless(**arguments: Ignored) -> Built:
    return Built([])


def _with_arguments(text: str) -> Callable[..., Built]:
    """Return a layer without weights that has the arguments of `text`."""
    _, required, optional = parse_call(f"layer({text})")
    defaults = {**dict.fromkeys(required, Parameter.empty), **optional}
    known = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=value) for name, value in defaults.items()]
    made = partial(_weightless)
    made.__signature__ = Signature(known)  # type: ignore[attr-defined]
    return made


for _arguments, _names in _WEIGHTLESS.items():
    _layer = _with_arguments(_arguments)
    for _name in _names.split():
        for _rank in ("1d", "2d", "3d") if "?" in _name else ("",):
            layer("torch", _name.replace("?", _rank))(_layer)
