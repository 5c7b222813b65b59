"""What Keras's layers of space and time see: lengths and channels, and how far a window slides along a length."""

from __future__ import annotations

from typing import NamedTuple

from initcli.errors import ArgumentError
from initcli.layers.base import Shape
from initcli.layers.keras_arguments import Given, check_input


class FeatureMap(NamedTuple):
    """The `lengths` along one, two or three axes of space, and the `channels`, which are the last axis or the first."""

    lengths: Shape
    channels: int | None
    is_first: bool = False

    @property
    def shape(self) -> Shape:
        """The shape of one example."""
        return (self.channels, *self.lengths) if self.is_first else (*self.lengths, self.channels)

    def known_channels(self) -> int:
        """Return the number of channels.

        Raises:
            ArgumentError: it is not known.
        """
        if self.channels is None:
            what = "the number of channels is not known"
            raise ArgumentError(what, "give it in `input_shape`", parameter="input_shape")
        return self.channels


def read_map(name: str, inputs: Shape, rank: int, given: Given) -> FeatureMap:
    """Return the input of the layer `name` by its `data_format`, which is channels_last if it is None or no argument.

    Raises:
        ArgumentError: the input has not one axis more than `rank`, or there is no such format.
    """
    check_input(name, inputs, rank + 1, rank + 1)
    if is_channels_first(given):
        return FeatureMap(inputs[1:], inputs[0], True)
    return FeatureMap(inputs[:-1], inputs[-1])


def is_channels_first(given: Given) -> bool:
    """Tell whether the argument `data_format`, if there is one, says so."""
    if given.values.get("data_format") is None:
        return False
    return given.choice("data_format", "channels_last", "channels_first") == "channels_first"


def slide(length: int | None, window: int, step: int, padding: str) -> int | None:
    """Return how many places a window takes along a length: ⌊(length − window) / step⌋ + 1, padded ⌈length / step⌉.

    Raises:
        ArgumentError: there is none.
    """
    if length is None:
        return None
    if padding != "valid":
        return -(-length // step)
    if length < window:
        what = f"a window of {window} does not fit into a length of {length}"
        raise ArgumentError(what, "take a smaller one, or `padding: same`", parameter="input_shape")
    return (length - window) // step + 1
