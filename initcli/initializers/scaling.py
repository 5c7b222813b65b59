"""The one formula of the whole variance-scaling family, whatever the framework calls its children."""

from __future__ import annotations

from math import sqrt

from initcli.laws import Law, Normal, TruncatedNormal, Uniform


def scaled_law(distribution: str, scale: float, fan: float, gain: float = 1.0) -> Law:
    """Return the law whose std is gain √(scale / max(1, fan)).

    `uniform` is U[−√3 std, √3 std), `untruncated_normal` N(0, std²); `uncorrected_normal` is that cut at two std, which
    leaves 0.8796 std; any other is the normal cut at two of 1.1368 std, so that the std holds after the cut.

    >>> scaled_law("untruncated_normal", 2.0, 784).std
    0.050507627227610534
    """
    variance = scale / max(1.0, float(fan))
    if distribution == "uniform":
        limit = gain * sqrt(3 * variance)
        return Uniform(-limit, limit)
    std = gain * sqrt(variance)
    if distribution == "uncorrected_normal":
        return TruncatedNormal(0.0, std)
    return Normal(0.0, std) if distribution == "untruncated_normal" else TruncatedNormal.with_std(std)
