"""The tests that complex values pass, as part of the battery."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import pytest
from battery import over
from closed_forms import FALSE_ALARM
from haar_battery import HaarBattery
from scipy import stats

SHAPE = (500, 400)
ANGLE = stats.uniform(-math.pi, 2 * math.pi)


def squares(values):
    """The squared moduli."""
    return np.abs(values.astype(np.complex128)) ** 2


def parts(values):
    """The real and the imaginary parts, all in one."""
    return values.view(np.float32)


class ComplexBattery(HaarBattery):
    """The battery of a framework that draws complex values, and has orthogonal initializers too."""

    columns: ClassVar[dict[str, tuple[str, ...]]] = HaarBattery.columns | {
        "complex": ("name", "parameters", "measure", "law"),
    }

    complex: ClassVar[list] = []
    """Entries that draw complex values of SHAPE, a measure of these, and its law in closed form."""

    def draw_complex(self, side, name, parameters):
        """Return the values of either side, flat."""
        values = self.draw(side, name, parameters, SHAPE, dtype="complex64")
        assert (values.shape, values.dtype) == (SHAPE, np.complex64)
        return values.ravel()

    @pytest.mark.parametrize("part", [np.real, np.imag, np.abs, np.angle])
    @over("complex")
    def test_complex_values_follow_the_law_that_the_framework_draws_from(self, name, parameters, measure, law, part):
        """A two-sample Kolmogorov–Smirnov test tells neither parts, moduli nor angles from the framework's."""
        ours, theirs = (part(self.draw_complex(side, name, parameters)) for side in ("ours", "theirs"))

        assert stats.ks_2samp(ours, theirs, method="asymp").pvalue > FALSE_ALARM

    @over("complex", both=True)
    def test_complex_values_follow_the_closed_form(self, name, parameters, measure, law, side):
        """The measure by its law, its mean within five standard errors; angles alike where a modulus has a law."""
        values = self.draw_complex(side, name, parameters)
        measured = measure(values).astype(np.float64)

        assert stats.kstest(measured, law.cdf).pvalue > FALSE_ALARM
        assert abs(measured.mean() - law.mean()) <= 5 * law.std() / math.sqrt(measured.size)
        if measure is squares:
            angles = np.angle(values)
            assert stats.kstest(angles, ANGLE.cdf).pvalue > FALSE_ALARM
            assert stats.kstest(angles[measured < law.median()], ANGLE.cdf).pvalue > FALSE_ALARM
        else:
            # parts of no correlation: that of n pairs has the standard error 1/√n
            correlation = np.corrcoef(values.real.astype(np.float64), values.imag.astype(np.float64))[0, 1]
            assert abs(correlation) <= 5 / math.sqrt(values.size)
