"""Tensors that are one with another: each tie leads to a tensor that is stored."""

from __future__ import annotations

from collections.abc import Mapping

from initcli.errors import Fault, suggest
from initcli.plan import PlannedTensor
from initcli.spec import TensorSpec


def check_ties(
    ties: Mapping[str, tuple[str, TensorSpec]],
    tensors: Mapping[str, PlannedTensor],
    names: Mapping[str, TensorSpec],
    faults: list[Fault],
) -> None:
    """Append a fault for each tie that leads to no tensor, or to another tie."""
    for name, (target, written) in ties.items():
        place = written.place_of("tie")
        if target in ties:
            what, hint = f"`{name}` is tied to `{target}`, which is tied itself", f"tie it to `{ties[target][0]}`"
        elif target not in names:
            what = f"`{name}` is tied to `{target}`, but there is no such tensor"
            hint = suggest(target, names) or "name a tensor of this spec"
        elif written.shape and target in tensors and all(isinstance(dim, int) for dim in written.shape):
            shape = tensors[target].shape
            if written.shape == shape:
                continue
            what, hint = f"`{name}` is tied to `{target}`, whose shape is {list(shape)}", "leave `shape` out"
        else:
            continue
        faults.append(place.fault(what, hint))
