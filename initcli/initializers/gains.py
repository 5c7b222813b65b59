"""PyTorch's gains: by how much a nonlinearity's weights are widened so that the variance holds through it.

Source: PyTorch 2.13 `torch.nn.init.calculate_gain`; checked by `make clients`.
"""

from __future__ import annotations

from math import sqrt

from initcli.calls import parse_call
from initcli.errors import ArgumentError, suggest
from initcli.initializers.arguments import parse_number

_GAINS = {
    **dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d"), 1.0),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid"), 1.0),
    "tanh": 5.0 / 3,
    "relu": sqrt(2.0),
    "selu": 0.75,
}
"""Those without a parameter. PyTorch found selu's by experience: https://github.com/pytorch/pytorch/pull/50664."""

NONLINEARITIES = (*_GAINS, "leaky_relu")


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the gain of `nonlinearity`; `param`, 0.01 if None, is the negative slope of leaky_relu.

    gain = √(2 / (1 + param²)) for leaky_relu

    >>> calculate_gain("leaky_relu", 0.2)
    1.3867504905630728

    Raises:
        ArgumentError: an unknown nonlinearity, or a slope that is no number.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else float(parse_number("param", param))
        return sqrt(2.0 / (1 + slope * slope))
    if not isinstance(nonlinearity, str) or nonlinearity not in _GAINS:
        hint = suggest(str(nonlinearity), NONLINEARITIES) or f"one of: {', '.join(NONLINEARITIES)}"
        raise ArgumentError(f"unsupported nonlinearity `{nonlinearity}`", hint, parameter="nonlinearity")
    return _GAINS[nonlinearity]


def parse_gain(gain: object) -> float:
    """Return the number that `gain` is, the gain of the nonlinearity that it names, or that of a call written out.

    >>> parse_gain(2.5), parse_gain("tanh"), parse_gain("calculate_gain(leaky_relu, 0.2)")
    (2.5, 1.6666666666666667, 1.3867504905630728)

    Raises:
        ArgumentError: it is none of these.
    """
    if not isinstance(gain, str):
        return float(parse_number("gain", gain))
    wrong = ArgumentError(
        f"`gain` cannot be `{gain[:80]}`",
        "write a number, a nonlinearity such as `relu`, or `calculate_gain(leaky_relu, 0.2)`",
        parameter="gain",
    )
    try:
        name, positional, named = parse_call(gain)
    except ArgumentError:
        raise wrong from None
    if name.rpartition(".")[2] != "calculate_gain":
        if positional or named:
            raise wrong
        return calculate_gain(name)
    given = dict(zip(("nonlinearity", "param"), positional, strict=False))
    doubled = given.keys() & named.keys()
    given |= named
    if len(positional) > 2 or doubled or "nonlinearity" not in given or given.keys() - {"nonlinearity", "param"}:
        raise wrong
    return calculate_gain(**given)
