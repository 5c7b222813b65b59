"""PyTorch's losses that have weights: an output layer and its cross-entropy in one.

Source: pytorch/pytorch v2.13.0, `torch/nn/modules/{adaptive,loss}.py`; checked by `make clients`.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod

from initcli.errors import ArgumentError
from initcli.initializers.arguments import check_flag, parse_number
from initcli.layers.base import Built, layer, parse_size
from initcli.layers.torch_arguments import Ignored, check_probability
from initcli.layers.torch_linear import linear


@layer("torch", "AdaptiveLogSoftmaxWithLoss")
def adaptive_log_softmax(
    in_features: int, n_classes: int, cutoffs: list[int], div_value: float = 4.0, head_bias: bool = False
) -> Built:
    """A softmax by clusters of classes: the i-th rarer one sees in_features // div_valueⁱ features.

    A cluster for which no features are left has empty weights, as in PyTorch.
    """
    inputs, ends = parse_size("in_features", in_features, 0), _parse_cutoffs(cutoffs, n_classes)
    check_flag("head_bias", head_bias)
    if not parse_number("div_value", div_value) > 0:
        raise ArgumentError(f"`div_value` must be above 0, got {div_value}", parameter="div_value")
    weights = linear(inputs, ends[0] + len(ends) - 1, head_bias).below("head.")
    for i, (start, end) in enumerate(pairwise(ends)):
        try:
            features = int(inputs // div_value ** (i + 1))
        except (ArithmeticError, ValueError):
            what = f"`div_value` to the power of {i + 1} leaves float64, got {div_value}"
            raise ArgumentError(what, parameter="div_value") from None
        weights += linear(inputs, features, bias=False).below(f"tail.{i}.0.")
        weights += linear(features, end - start, bias=False).below(f"tail.{i}.1.")
    return Built(weights)


@layer("torch", "LinearCrossEntropyLoss")
def linear_cross_entropy(
    in_features: int,
    num_classes: int,
    *,
    out_features: tuple[int, ...] = (),
    bias: bool = False,
    reduction: Ignored = "mean",
    ignore_index: Ignored = None,
    label_smoothing: float = 0.0,
) -> Built:
    """The cross-entropy of a linear layer's outputs, one for each class and place of `out_features`."""
    check_probability("label_smoothing", label_smoothing)
    if not isinstance(out_features, list | tuple):
        raise ArgumentError(f"`out_features` must be a list, got `{out_features}`", parameter="out_features")
    places = prod(parse_size("out_features", each, 0) for each in out_features)
    return Built(linear(in_features, parse_size("num_classes", num_classes, 0) * places, bias).below("linear."))


def _parse_cutoffs(cutoffs: object, n_classes: object) -> list[int]:
    """Return where each cluster of classes ends."""
    ends = [*cutoffs, n_classes] if isinstance(cutoffs, list | tuple) else []
    if len(ends) < 2:
        raise ArgumentError(f"`cutoffs` must be a list of class numbers, got `{cutoffs}`", parameter="cutoffs")
    for end in ends[:-1]:
        parse_size("cutoffs", end)
    parse_size("n_classes", n_classes)
    if any(end <= start for start, end in pairwise(ends)):
        what = f"`cutoffs` must rise and stay below `n_classes`, got {list(ends[:-1])} and {n_classes}"
        raise ArgumentError(what, parameter="cutoffs")
    return ends
