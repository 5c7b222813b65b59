"""Any range of a planned tensor: its values, or a fault that tells where in the spec it comes from."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from initcli.errors import ArgumentError, InitcliError
from initcli.plan import PlannedTensor
from initcli.sampling import sample_range
from initcli.scratch import Scratch


def draw_range(tensor: PlannedTensor, start: int, stop: int, scratch: Scratch) -> NDArray[Any]:
    """Return the elements [start, stop), flat and little-endian, valid until the thread draws again.

    Raises:
        InitcliError: the memory does not suffice, or a custom initializer gave what cannot be taken.
    """
    try:
        return sample_range(tensor.law, tensor.stream, tensor.dtype, start, stop, scratch)
    except MemoryError:
        what = f"not enough memory for `{tensor.name}`: {tensor.initializer} holds the whole tensor"
        raise InitcliError(tensor.place.fault(what, "use fewer elements, or an element-wise initializer")) from None
    except ArgumentError as error:
        fault = error.faults[0]
        raise InitcliError(tensor.place.fault(f"cannot draw `{tensor.name}`: {fault.what}", fault.hint)) from error
