"""Any range of a planned tensor: its values, or a fault that tells where in the spec it comes from."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from initcli.arrangement import Source
from initcli.errors import ArgumentError, InitcliError
from initcli.plan import PlannedTensor
from initcli.sampling import sample_range
from initcli.scratch import Scratch

STEP_ELEMS = 1 << 18
"""Elements of a tensor that is rearranged as a whole that are drawn at once."""


def draw_range(tensor: PlannedTensor, start: int, stop: int, scratch: Scratch) -> NDArray[Any]:
    """Return the elements [start, stop), flat and little-endian, valid until the thread draws again.

    Raises:
        InitcliError: the memory does not suffice, or a custom initializer gave what cannot be taken.
    """
    try:
        if tensor.original:
            return _rearrange_range(tensor, tensor.original, start, stop, scratch)
        return sample_range(tensor.law, tensor.stream, tensor.dtype, start, stop, scratch)
    except MemoryError:
        holder = "turning its axes" if tensor.order.needs_whole else tensor.initializer
        what = f"not enough memory for `{tensor.name}`: {holder} holds the whole tensor"
        raise InitcliError(tensor.place.fault(what, "use fewer elements, or an element-wise initializer")) from None
    except ArgumentError as error:
        fault = error.faults[0]
        raise InitcliError(tensor.place.fault(f"cannot draw `{tensor.name}`: {fault.what}", fault.hint)) from error


def _rearrange_range(
    tensor: PlannedTensor, original: PlannedTensor, start: int, stop: int, scratch: Scratch
) -> NDArray[Any]:
    """Return the elements [start, stop) of a tensor that is drawn as the `original`, which the spec has."""
    step = original.size if original.is_drawn_whole else STEP_ELEMS
    source = Source(lambda a, b: draw_range(original, a, b, scratch), step, original.dtype.numpy)
    return tensor.order.take(source, start, stop).astype(tensor.dtype.numpy, copy=False)
