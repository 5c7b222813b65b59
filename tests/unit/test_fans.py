"""Fans of shapes in Keras's axis order."""

import pytest

from initcli.fans import Fans, keras_fans


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((), (1, 1)),
        ((7,), (7, 7)),
        ((7, 5), (7, 5)),
        ((3, 7, 5), (21, 15)),
        ((3, 3, 7, 5), (63, 45)),
        ((2, 3, 4, 7, 5), (168, 120)),
        ((2, 2, 3, 4, 7, 5), (336, 240)),
        ((0, 5), (0, 5)),
    ],
)
def test_fans_are_those_that_keras_3_computes(shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    """The values were printed by Keras 3.15.1's `compute_fans`."""
    fans = keras_fans(shape)

    assert (fans.fan_in, fans.fan_out) == expected
    assert fans == Fans(*expected)
    assert fans.fan_avg == sum(expected) / 2
