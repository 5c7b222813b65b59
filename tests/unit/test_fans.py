"""Fans of shapes in each framework's axis order."""

from typing import Any

import pytest

from initcli.fans import Fans, jax_fans, keras_fans


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


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((7, 5), {}, (7, 5)),
        ((3, 3, 7, 5), {}, (63, 45)),
        ((64, 32, 3, 3), {"in_axis": 1, "out_axis": 0}, (288, 576)),
        ((8, 128, 64), {"batch_axis": 0}, (128, 64)),
        ((3, 7, 5), {"in_axis": (0, 1)}, (21, 5)),
        ((1000, 64), {"out_axis": 0}, (64, 64)),
        ((3, 4, 5), {"in_axis": 0, "out_axis": 0, "batch_axis": 0}, (60 / 9, 60 / 9)),
        ((4,), {"in_axis": 0}, (1, 1)),
        ((4,), {"in_axis": (), "out_axis": ()}, (4, 4)),
    ],
)
def test_fans_of_named_axes_are_those_that_jax_computes(
    shape: tuple[int, ...], axes: dict[str, Any], expected: tuple[float, float]
) -> None:
    """The values were printed by jax 0.10.2's `_compute_fans`; whole ones are whole here."""
    fans = jax_fans(shape, **axes)

    assert fans == Fans(*expected)
    assert isinstance(fans.fan_in, int) == isinstance(expected[0], int)


def test_the_geometric_average_of_fans_lies_between_them() -> None:
    """√(4 × 9) = 6."""
    assert Fans(4, 9).fan_geo_avg == 6
