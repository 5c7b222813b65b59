"""Prove the float32 normal laws on every one of their 2³² draws, against float64.

    python tests/exhaustive/prove_quantiles.py        # `make exhaustive` runs it; about 4 minutes on 2 cores

Prints, for the normal and for the normal cut at ±2: the worst relative error and where, the largest |z|, the draws k
whose value is not exactly −z(~k), and the steps at which z falls while k rises. Exits 1 if a goal is missed. The
reference is √2 erfinv(2u) of SciPy, itself checked here against 50 digits of mpmath.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from mpmath import erfinv as exact_erfinv
from mpmath import mp, mpf
from numpy.typing import NDArray
from scipy.special import erfinv

from initcli.quantiles import KEPT_WITHIN_2, fill_normal, fill_truncated_normal
from initcli.scratch import Scratch

GOAL = 1e-6
BLOCK = 1 << 20
SCRATCH = Scratch()
Fill = Callable[[NDArray[Any], NDArray[Any], Scratch], None]
LAWS: dict[str, tuple[Fill, float]] = {
    "normal": (fill_normal, 1.0),
    "normal cut at ±2": (fill_truncated_normal, KEPT_WITHIN_2),
}


@dataclass
class Finding:
    """What one range of draws showed."""

    worst: float
    at: int
    largest: float
    asymmetric: int
    falls: int
    first: float
    last: float


def values(fill: Fill, draws: NDArray[np.int32]) -> NDArray[np.float32]:
    z = np.empty(len(draws), np.float32)
    fill(draws, z, SCRATCH)
    return z


def reference(draws: NDArray[np.int32], kept: float) -> NDArray[np.float64]:
    u = (draws.astype(np.float64) + 0.5) / 2.0**32
    z: NDArray[np.float64] = np.sqrt(2.0) * erfinv(2.0 * u * kept)
    return z


def examine(start: int, law: str) -> Finding:
    """Examine the draws [start, start + BLOCK) and their mirror images."""
    fill, kept = LAWS[law]
    draws = np.arange(start, start + BLOCK, dtype=np.int64).astype(np.int32)
    z = values(fill, draws)
    error = np.abs(z / reference(draws, kept) - 1.0)
    worst = int(error.argmax())
    return Finding(
        worst=float(error[worst]),
        at=start + worst,
        largest=float(np.abs(z).max()),
        asymmetric=int(np.count_nonzero(values(fill, ~draws) != -z)),
        falls=int(np.count_nonzero(np.diff(z) < 0)),
        first=float(z[0]),
        last=float(z[-1]),
    )


def check_reference() -> float:
    """Return the reference's own worst relative error at 2000 draws over all magnitudes, against 50 digits."""
    mp.dps = 50
    draws = np.unique(np.concatenate([np.geomspace(1, 2**31 - 1, 1000), 2**31 - np.geomspace(1, 2**30, 1000)]))
    draws = draws.astype(np.int64).astype(np.int32)
    worst = 0.0
    for k, z in zip(draws.tolist(), reference(draws, 1.0).tolist(), strict=True):
        exact = mp.sqrt(2) * exact_erfinv(2 * (mpf(k) + mpf(1) / 2) / mpf(2) ** 32)
        worst = max(worst, float(abs(mpf(z) / exact - 1)))
    return worst


def prove(law: str, pool: ProcessPoolExecutor) -> bool:
    """Examine the non-negative draws and their mirror images, that is, all 2³²."""
    started = time.monotonic()
    findings = list(pool.map(partial(examine, law=law), range(0, 2**31, BLOCK), chunksize=16))
    joins = sum(a.last > b.first for a, b in pairwise(findings))
    worst = max(findings, key=lambda finding: finding.worst)
    asymmetric = sum(finding.asymmetric for finding in findings)
    falls = sum(finding.falls for finding in findings) + joins
    print(f"{law}: {2 * BLOCK * len(findings):,} draws in {time.monotonic() - started:.0f} s")
    print(f"  worst relative error  {worst.worst:.3e} at k = {worst.at} (goal {GOAL:.0e})")
    print(f"  largest |z|           {max(finding.largest for finding in findings):.7f}")
    print(f"  not symmetric         {asymmetric} draws")
    print(f"  not monotone          {falls} steps", flush=True)
    return worst.worst <= GOAL and asymmetric == 0 and falls == 0


def main() -> int:
    reference_error = check_reference()
    print(f"reference: worst relative error {reference_error:.1e} against 50 digits", flush=True)
    with ProcessPoolExecutor() as pool:
        good = [prove(law, pool) for law in LAWS]
    return 0 if all(good) and reference_error < 1e-3 * GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
