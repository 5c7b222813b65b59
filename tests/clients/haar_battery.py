"""The tests that the initializers made of Haar matrices pass, as part of the battery."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from battery import Battery, over
from closed_forms import FALSE_ALARM
from scipy import stats


def last_columns(kernel):
    """A kernel (…, columns) as a matrix."""
    return kernel.reshape(-1, kernel.shape[-1])


def first_rows(kernel):
    """A kernel (rows, …) as a matrix."""
    return kernel.reshape(kernel.shape[0], -1)


def tap_sum(kernel):
    """The sum of all taps of a kernel (taps…, in, out)."""
    return kernel.sum(axis=tuple(range(kernel.ndim - 2)))


def centre(kernel):
    """The tap (k − 1) // 2 of a kernel (taps…, in, out)."""
    return kernel[tuple((k - 1) // 2 for k in kernel.shape[:-2])]


class HaarBattery(Battery):
    """The battery of a framework that has orthogonal initializers."""

    proving: ClassVar[tuple[str, ...]] = (*Battery.proving, "matrices")

    columns: ClassVar[dict[str, tuple[str, ...]]] = Battery.columns | {
        "matrices": ("name", "parameters", "shape", "gain", "view"),
        "small": ("name", "parameters", "shape", "view"),
        "large": ("name", "parameters", "shape"),
    }

    matrices: ClassVar[list] = []
    """Kernels a view of which, flattened, has orthonormal rows or columns but for the gain."""
    small: ClassVar[list] = []
    """Kernels with an orthogonal matrix, or a part of it, of side 6."""
    large: ClassVar[list] = []
    """Kernels whose entries are so many that one kernel shows their law."""

    def draw_many_theirs(self, name, parameters, shape, count):
        """Return so many arrays of the framework."""
        return [self.draw_theirs(name, parameters, shape, seed=seed) for seed in range(count)]

    @over("matrices", both=True)
    def test_the_short_side_of_an_orthogonal_matrix_is_orthonormal(self, name, parameters, shape, gain, view, side):
        """The smaller Gram matrix is gain² times the identity; round a centre the kernel is zero."""
        kernel = self.draw(side, name, parameters, shape).astype(np.float64)
        matrix = view(kernel)
        rows, columns = matrix.shape

        gram = matrix @ matrix.T if rows < columns else matrix.T @ matrix

        # Ours: two roundings of each entry, for Q and for the gain, and Cauchy–Schwarz over the columns: 4 units in the
        # last place of 1, for each tap of a sum. The framework works in float32 throughout: Householder's QR is good to
        # rows × columns roundings.
        units = (4 if side == "ours" else rows * columns) * (kernel.size // matrix.size if view is tap_sum else 1)
        atol = gain**2 * units * np.finfo(np.float32).eps / 2
        np.testing.assert_allclose(gram, gain**2 * np.eye(len(gram)), rtol=0, atol=atol)
        assert kernel.shape == shape
        if view is centre:
            assert np.count_nonzero(kernel) == np.count_nonzero(matrix)

    @over("small")
    def test_small_matrices_are_uniform_over_the_group(self, name, parameters, shape, view):
        """Single entries of many have the Haar law of side 6; traces, products, differences and signs the framework's.

        One entry is a coordinate of a uniform point on the sphere: (x + 1)/2 ~ Beta((n − 1)/2, (n − 1)/2).
        """
        n, count = 6, 800
        drawn = [self.draw_ours(name, parameters, shape, tensor=f"w{i}") for i in range(count)]
        ours = np.stack([view(kernel) for kernel in drawn]).astype(np.float64)
        theirs = np.stack([view(kernel) for kernel in self.draw_many_theirs(name, parameters, shape, count)])

        entry = stats.beta((n - 1) / 2, (n - 1) / 2, loc=-1, scale=2)
        for i, j in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
            assert stats.kstest(ours[:, i, j], entry.cdf).pvalue > FALSE_ALARM
            assert stats.ks_2samp(ours[:, i, j], theirs[:, i, j]).pvalue > FALSE_ALARM
        for statistic in (
            lambda m: np.trace(m, axis1=1, axis2=2),
            lambda m: m[:, 0, 0] * m[:, 1, 1],
            lambda m: m[:, 0, 1] - m[:, 1, 0],
        ):
            assert stats.ks_2samp(statistic(ours), statistic(theirs)).pvalue > FALSE_ALARM
        if ours.shape[1:] == (n, n):
            assert abs(np.trace(ours, axis1=1, axis2=2).mean()) <= 5 / math.sqrt(count)  # mean 0 and variance 1
            assert abs(np.sign(np.linalg.det(ours)).mean()) <= 5 / math.sqrt(count)  # both halves of the group alike

    @over("large")
    def test_entries_of_a_large_orthogonal_matrix_have_the_frameworks_law(self, name, parameters, shape):
        """The pooled entries of one kernel are not told from those of the framework's."""
        ours, theirs = self.draw_ours(name, parameters, shape), self.draw_theirs(name, parameters, shape)

        assert stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp").pvalue > FALSE_ALARM
