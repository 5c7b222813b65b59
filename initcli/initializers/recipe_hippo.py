"""HiPPO: for each measure of memory, the matrix A and the input vector B of x′ = A x + B u.

Source: state-spaces/s4@e757cef, `src/models/hippo/hippo.py`, `transition`; Gu, Dao, Ermon, Rudra & Ré (2020),
https://arxiv.org/abs/2008.07669
"""

from __future__ import annotations

from abc import abstractmethod
from math import pi, sqrt
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers.arguments import check_rank
from initcli.initializers.recipe import Recipe
from initcli.initializers.registry import register
from initcli.laws import Constant, Law
from initcli.laws.fixed import Broadcast
from initcli.laws.state import Semiseparable, Vector


class _Matrix(Recipe):
    """A square matrix A."""

    @abstractmethod
    def matrix(self, size: int) -> Semiseparable:
        """Return A of size × size."""

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        if shape[0] != shape[1]:
            raise ArgumentError(f"`{self.name}` needs a square matrix, got {list(shape)}", parameter="shape")
        return self.matrix(shape[0])


class _Input(Recipe):
    """A vector B, (N,) or (N, 1)."""

    @abstractmethod
    def vector(self, size: int) -> Vector:
        """Return B of `size` elements."""

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 1, 2)
        if shape[1:] not in ((), (1,)):
            raise ArgumentError(f"`{self.name}` needs a shape (N,) or (N, 1), got {list(shape)}", parameter="shape")
        return Broadcast(self.vector(shape[0]), shape, shape) if shape[0] else Constant(0)


def _numbers(size: int) -> Vector:
    """Return 1, 3, 5, …"""
    return tuple(float(2 * n + 1) for n in range(size))


def _roots(size: int) -> Vector:
    """Return √1, √3, √5, …"""
    return tuple(sqrt(number) for number in _numbers(size))


def _alternate(values: Vector) -> Vector:
    """Return the values, every other one with its sign changed."""
    return tuple(-value if n % 2 else value for n, value in enumerate(values))


def _times(factor: float, values: Vector) -> Vector:
    return tuple(factor * value for value in values)


@register
class HippoLegs(_Matrix):
    """State the matrix that remembers all of the past alike, in Legendre polynomials stretched over it (LegS).

    W[n, k] = −√(2n + 1) √(2k + 1) for n > k, −(n + 1) for n = k, 0 for n < k

    >>> HippoLegs()((3, 3), "float64").round(6).tolist()
    [[-1.0, 0.0, 0.0], [-1.732051, -2.0, 0.0], [-2.236068, -3.872983, -3.0]]

    Bounds: −√(2N − 1) √(2N − 3) or −N to 0
    Source: state-spaces/s4 `hippo.py`, measure `legs`
    """

    name: ClassVar[str] = "hippo_legs"

    def matrix(self, size: int) -> Semiseparable:
        roots, none = _roots(size), (0.0,) * size
        return Semiseparable(tuple(-float(n + 1) for n in range(size)), (_times(-1, roots), roots), (none, none))


@register
class HippoLegsB(_Input):
    """State the input vector of LegS.

    W[n] = √(2n + 1)

    Bounds: from 1 to √(2N − 1)
    Source: state-spaces/s4 `hippo.py`, measure `legs`
    """

    name: ClassVar[str] = "hippo_legs_b"

    def vector(self, size: int) -> Vector:
        return _roots(size)


@register
class HippoLegt(_Matrix):
    """State the matrix that remembers a window of the past, in Legendre polynomials (LegT).

    W[n, k] = −½ √(2n + 1) √(2k + 1) for n ≥ k, and (−1)^(n − k) times that for n < k

    Bounds: ±½ (2N − 1)
    Source: state-spaces/s4 `hippo.py`, measure `legt`
    """

    name: ClassVar[str] = "hippo_legt"

    def matrix(self, size: int) -> Semiseparable:
        roots = _roots(size)
        halves = _times(-0.5, roots)
        above = (_alternate(halves), _alternate(roots))
        return Semiseparable(_times(-0.5, _numbers(size)), (halves, roots), above)


@register
class HippoLegtB(_Input):
    """State the input vector of LegT.

    W[n] = ½ √(2n + 1)

    Bounds: from ½ to ½ √(2N − 1)
    Source: state-spaces/s4 `hippo.py`, measure `legt`
    """

    name: ClassVar[str] = "hippo_legt_b"

    def vector(self, size: int) -> Vector:
        return _times(0.5, _roots(size))


@register
class HippoLmu(_Matrix):
    """State the matrix of a Legendre memory unit: LegT but for the scale of its states.

    W[n, k] = (2n + 1) (−1)^(n − k + 1) for n ≥ k, −(2n + 1) for n < k

    Bounds: ±(2N − 1)
    Source: state-spaces/s4 `hippo.py`, measure `lmu`; Voelker, Kajić & Eliasmith (2019)
    """

    name: ClassVar[str] = "hippo_lmu"

    def matrix(self, size: int) -> Semiseparable:
        minus, ones = _times(-1, _numbers(size)), (1.0,) * size
        return Semiseparable(minus, (_alternate(minus), _alternate(ones)), (minus, ones))


@register
class HippoLmuB(_Input):
    """State the input vector of a Legendre memory unit.

    W[n] = (−1)ⁿ (2n + 1)

    Bounds: ±(2N − 1)
    Source: state-spaces/s4 `hippo.py`, measure `lmu`; Voelker, Kajić & Eliasmith (2019)
    """

    name: ClassVar[str] = "hippo_lmu_b"

    def vector(self, size: int) -> Vector:
        return _alternate(_numbers(size))


@register
class HippoLagt(_Matrix):
    """State the matrix that forgets the past exponentially, in Laguerre polynomials (LagT).

    W[n, k] = −1 for n > k, −½ for n = k, 0 for n < k

    Bounds: −1 to 0
    Source: state-spaces/s4 `hippo.py`, measure `lagt`
    """

    name: ClassVar[str] = "hippo_lagt"

    def matrix(self, size: int) -> Semiseparable:
        none, ones = (0.0,) * size, (1.0,) * size
        return Semiseparable((-0.5,) * size, (_times(-1, ones), ones), (none, none))


@register
class HippoLagtB(_Input):
    """State the input vector of LagT.

    W = 1

    Bounds: 1
    Source: state-spaces/s4 `hippo.py`, measure `lagt`, beta 1
    """

    name: ClassVar[str] = "hippo_lagt_b"

    def vector(self, size: int) -> Vector:
        return (1.0,) * size


@register
class HippoFourier(_Matrix):
    """State the matrix that remembers a window of the past, in a truncated Fourier series (FouT).

    W = π (S − Sᵀ) − B Bᵀ,  S[2j + 1, 2j] = j, else 0;  B of hippo_fourier_b;  N is even

    Bounds: ±π (N / 2 − 1) or −2
    Source: state-spaces/s4 `hippo.py`, measure `fout`; Gu et al. (2022), https://arxiv.org/abs/2206.12037
    """

    name: ClassVar[str] = "hippo_fourier"

    def matrix(self, size: int) -> Semiseparable:
        inputs = _fourier_inputs(self.name, size)
        minus = _times(-1, inputs)
        beside = tuple(0.0 if n % 2 else pi * (n // 2) for n in range(size - 1))
        diagonal = tuple(-value * value for value in inputs)
        return Semiseparable(diagonal, (minus, inputs), (minus, inputs), beside)


@register
class HippoFourierB(_Input):
    """State the input vector of the truncated Fourier series: 1, 0, √2, 0, √2, 0, …

    W[0] = 1;  W[2j] = √2 for j > 0;  W[2j + 1] = 0;  N is even

    Bounds: from 0 to √2
    Source: state-spaces/s4 `hippo.py`, measure `fout`
    """

    name: ClassVar[str] = "hippo_fourier_b"

    def vector(self, size: int) -> Vector:
        return _fourier_inputs(self.name, size)


def _fourier_inputs(name: str, size: int) -> Vector:
    if size % 2:
        raise ArgumentError(f"`{name}` needs an even number of states, got {size}", parameter="shape")
    return tuple((1.0, 0.0, *(sqrt(2), 0.0) * (size // 2 - 1))[:size])
