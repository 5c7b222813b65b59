"""PyTorch's normalizations: scales of one, shifts of zero, and the statistics that some of them keep.

Source: pytorch/pytorch v2.13.0, `torch/nn/modules/{normalization,batchnorm,instancenorm}.py`;
checked by `make clients`.
"""

from __future__ import annotations

from typing import Any

from initcli.initializers.arguments import check_flag
from initcli.layers.base import Built, Weight, layer, parse_size
from initcli.layers.torch_arguments import Ignored, check_divisible


@layer("torch", "LayerNorm")
def layer_norm(normalized_shape: Any, eps: Ignored = 1e-5, elementwise_affine: bool = True, bias: bool = True) -> Built:
    """Normalize over the last axes, which are `normalized_shape`."""
    return Built(_affine(_parse_dims(normalized_shape), "elementwise_affine", elementwise_affine, bias))


@layer("torch", "RMSNorm")
def rms_norm(normalized_shape: Any, eps: Ignored = None, elementwise_affine: bool = True) -> Built:
    """Divide by the root mean square over the last axes."""
    return Built(_affine(_parse_dims(normalized_shape), "elementwise_affine", elementwise_affine, bias=False))


@layer("torch", "GroupNorm")
def group_norm(
    num_groups: int, num_channels: int, eps: Ignored = 1e-5, affine: bool = True, *, bias: bool = True
) -> Built:
    """Normalize over groups of channels."""
    channels = parse_size("num_channels", num_channels, 0)
    check_divisible("num_channels", channels, "num_groups", parse_size("num_groups", num_groups))
    return Built(_affine((channels,), "affine", affine, bias))


@layer("torch", "BatchNorm1d")
@layer("torch", "BatchNorm2d")
@layer("torch", "BatchNorm3d")
@layer("torch", "SyncBatchNorm")
def batch_norm(
    num_features: int,
    eps: Ignored = 1e-5,
    momentum: Ignored = 0.1,
    affine: bool = True,
    track_running_stats: bool = True,
    *,
    bias: bool = True,
) -> Built:
    """Normalize each channel over the batch, and keep running statistics."""
    shape = (parse_size("num_features", num_features, 0),)
    return Built(_affine(shape, "affine", affine, bias) + _statistics(shape, track_running_stats))


@layer("torch", "InstanceNorm1d")
@layer("torch", "InstanceNorm2d")
@layer("torch", "InstanceNorm3d")
def instance_norm(
    num_features: int,
    eps: Ignored = 1e-5,
    momentum: Ignored = 0.1,
    affine: bool = False,
    track_running_stats: bool = False,
    *,
    bias: bool = True,
) -> Built:
    """Normalize each channel of each example; by default nothing is learned and nothing kept."""
    return batch_norm(num_features, eps, momentum, affine, track_running_stats, bias=bias)


def _affine(shape: tuple[int, ...], parameter: str, affine: bool, bias: bool) -> list[Weight]:
    """Return scale and shift, if `affine`; the flag is called `parameter`."""
    check_flag(parameter, affine)
    check_flag("bias", bias)
    shift = [Weight("bias", shape, "zeros")] if bias else []
    return [Weight("weight", shape, "ones"), *shift] if affine else []


def _statistics(shape: tuple[int, ...], track_running_stats: bool) -> list[Weight]:
    check_flag("track_running_stats", track_running_stats)
    if not track_running_stats:
        return []
    moments = [Weight("running_mean", shape, "zeros"), Weight("running_var", shape, "ones")]
    return [*moments, Weight("num_batches_tracked", (), "zeros", dtype="int64")]


def _parse_dims(value: Any) -> tuple[int, ...]:
    dims = value if isinstance(value, list | tuple) else [value]
    return tuple(parse_size("normalized_shape", dim, 0) for dim in dims)
