"""What the initializers of orthogonal convolutions, JAX's and TensorFlow's, take for a kernel."""

from __future__ import annotations

from initcli.errors import ArgumentError
from initcli.initializers.arguments import check_rank


def parse_kernel(
    initializer_name: str, shape: tuple[int, ...], least: int, most: int
) -> tuple[tuple[int, ...], int, int]:
    """Return the taps, the inputs and the outputs of a kernel (taps…, in, out) of rank `least` to `most`.

    Raises:
        ArgumentError: another rank, more inputs than outputs, or an axis without taps.
    """
    check_rank(initializer_name, shape, least, most)
    *taps, inputs, outputs = shape
    if inputs > outputs:
        what = f"`{initializer_name}` needs no more inputs than outputs, got {list(shape)}"
        raise ArgumentError(what, "the last axis is that of the outputs", parameter="shape")
    if not all(taps):
        raise ArgumentError(f"`{initializer_name}` needs a centre, got {list(shape)}", parameter="shape")
    return tuple(taps), inputs, outputs
