"""What a run promised beside what it observed, for each tensor and in total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import fsum, isfinite, isnan, sqrt
from typing import Any

import numpy as np

from initcli.digests import ContentDigest
from initcli.dtypes import DType
from initcli.laws import Law, Promise
from initcli.moments import Moments, plain
from initcli.plan import Plan, PlannedTensor
from initcli.stream import SCHEME

STANDARD_ERRORS = 5
"""How far an observed mean or std may lie from the promised one: beyond five, chance is below one in a million."""


@dataclass(frozen=True)
class Row:
    """One tensor (or all together): `agrees` is None where nothing was promised."""

    tensor: PlannedTensor | None
    promised: Promise
    observed: Moments
    agrees: bool | None


@dataclass(frozen=True)
class Report:
    """The statistics of a run: a row for each tensor in the plan's order, one for all, and perhaps the digest."""

    plan: Plan
    rows: tuple[Row, ...]
    total: Row
    digest: ContentDigest | None = None

    @classmethod
    def of(cls, plan: Plan, observed: Sequence[Moments], digest: ContentDigest | None = None) -> Report:
        """Return the report of a plan and the moments observed of each of its tensors."""
        rows = tuple(
            Row(tensor, tensor.law.promise, moments, agrees(tensor.law, tensor.drawn.dtype, moments))
            for tensor, moments in zip(plan.tensors, observed, strict=True)
        )
        return cls(plan, rows, _total(rows), digest)

    def to_data(self) -> dict[str, Any]:
        """Return the report as plain data for JSON: numbers plain, null for what is not finite."""
        return {
            "framework": self.plan.framework,
            "seed": self.plan.seed,
            "scheme": SCHEME,
            "is_portable": self.plan.is_portable,
            "tensors": [
                {**describe(row.tensor), **_statistics(row), **self._digest(row)} for row in self.rows if row.tensor
            ],
            "total": {
                "size": self.plan.size,
                "nbytes": self.plan.nbytes,
                **_statistics(self.total),
                **self._digest(self.total),
            },
        }

    def _digest(self, row: Row) -> dict[str, str]:
        """Return the digest of a row as plain data, if one was made."""
        if self.digest is None:
            return {}
        return {"digest": self.digest.tensors[row.tensor.name] if row.tensor else self.digest.total}


def agrees(law: Law, dtype: DType, observed: Moments) -> bool | None:
    """Say whether observed moments agree with a law, within five standard errors and the rounding of `dtype`.

    |mean − μ| ≤ 5 se(mean) + r,  |std − σ| ≤ 5 se(std) + r,  low − r ≤ min,  max ≤ high + r

    r allows for the roundings of a value: four of float32 (float64), for draw, law, scale and sum, and one of `dtype`.
    A law of finite moments has no infinite value: one that overflowed disagrees. None is said where there is no figure.
    """
    if not isfinite(law.mean) or not observed.size:
        return None
    if observed.count < observed.size:
        return False
    if isnan(observed.std):
        return None
    mean_error, std_error = law.standard_errors(observed.count)
    bounds = [abs(bound) for bound in (law.low, law.high) if isfinite(bound)]
    rounding = _rounding(dtype, max([abs(law.mean) + law.std, *bounds]))
    return bool(
        abs(observed.mean - law.mean) <= STANDARD_ERRORS * mean_error + rounding
        and abs(observed.std - law.std) <= STANDARD_ERRORS * std_error + rounding
        and law.low - rounding <= observed.min
        and observed.max <= law.high + rounding
    )


def _rounding(dtype: DType, magnitude: float) -> float:
    """Return the most that computing and storing a value of this magnitude can move it, or its mean if it is exact."""
    real = np.finfo(dtype.working if dtype.working.kind == "f" else np.float64)
    return dtype.rounding(magnitude) + 4 * max(magnitude, float(real.tiny)) * float(real.eps)


def _total(rows: Sequence[Row]) -> Row:
    """Return the row for all tensors: moments merged in order, and the promise of the mixture of their laws."""
    observed = reduce(Moments.merge, (row.observed for row in rows), Moments())
    drawn = [row for row in rows if row.observed.size]
    shares = [row.observed.size / observed.size for row in drawn]
    mean = fsum(share * row.promised.mean for share, row in zip(shares, drawn, strict=True))
    square = fsum(
        share * (row.promised.std**2 + (row.promised.mean - mean) ** 2)
        for share, row in zip(shares, drawn, strict=True)
    )
    promised = Promise(
        mean,
        sqrt(square),
        min((row.promised.low for row in drawn), default=0.0),
        max((row.promised.high for row in drawn), default=0.0),
    )
    verdicts = [row.agrees for row in rows if row.agrees is not None]
    return Row(None, promised, observed, all(verdicts) if verdicts else None)


def describe(tensor: PlannedTensor) -> dict[str, Any]:
    """Return what is decided of a tensor as plain data."""
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype.name,
        "initializer": tensor.initializer.qualified_name(),
        "parameters": tensor.initializer.config(),
        "size": tensor.size,
        "nbytes": tensor.nbytes,
    }


def _statistics(row: Row) -> dict[str, Any]:
    observed, promised = row.observed, row.promised
    return {
        "mean": plain(observed.mean if observed.count else float("nan")),
        "std": plain(observed.std),
        "min": plain(observed.min),
        "max": plain(observed.max),
        "zeros": observed.zeros,
        "nan": observed.nans,
        "inf": observed.infs,
        "promised": {
            "mean": plain(promised.mean),
            "std": plain(promised.std),
            "low": plain(promised.low),
            "high": plain(promised.high),
        },
        "agrees": row.agrees,
    }
