"""How many inputs feed one output of a weight tensor, and how many outputs one input feeds."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class Fans:
    """The fan_in and fan_out of a shape, as counts."""

    fan_in: int
    fan_out: int

    @property
    def fan_avg(self) -> float:
        """(fan_in + fan_out) / 2."""
        return (self.fan_in + self.fan_out) / 2


def keras_fans(shape: tuple[int, ...]) -> Fans:
    """Return the fans of a shape whose axes are (receptive field…, in, out).

    Rank 0 has fans 1, 1; rank 1 has fans n, n; above rank 2 both fans count the receptive field.

    >>> keras_fans((3, 3, 7, 5))
    Fans(fan_in=63, fan_out=45)

    Source: Keras 3.15 `compute_fans`; the same in tf.keras, Keras ≥ 2.4 and TensorFlow 1 and 2.
    """
    if len(shape) < 2:
        return Fans(*(shape or (1,)) * 2)
    receptive_field = prod(shape[:-2])
    return Fans(shape[-2] * receptive_field, shape[-1] * receptive_field)
