"""Tensors that are one with another: each tie leads to a tensor that is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from initcli.errors import Fault, suggest
from initcli.plan import PlannedTensor
from initcli.spec import TensorSpec


class Tie(NamedTuple):
    """A name for the tensor called `target`, the `shape` that was written beside it, if any, and the line."""

    target: str
    shape: tuple[int, ...] | None
    written: TensorSpec


def check_ties(
    ties: Mapping[str, Tie],
    tensors: Mapping[str, PlannedTensor],
    names: Mapping[str, TensorSpec],
    faults: list[Fault],
) -> None:
    """Append a fault for each tie that leads to no tensor, or to another tie, or to a tensor of another shape."""
    ends = _follow(ties)
    for name, tie in ties.items():
        target = tie.target
        if target == name:
            what, hint = f"`{name}` is tied to itself", "name another tensor, or give it a `shape` and an `init`"
        elif target in ties:
            end = ends[name]
            what = f"`{name}` is tied to `{target}`, which is tied itself"
            hint = f"tie it to `{end}`" if end else "the ties go round: give one of them a `shape` and an `init`"
        elif target not in names:
            what = f"`{name}` is tied to `{target}`, but there is no such tensor"
            hint = suggest(target, [each for each in names if each not in ties]) or "name a tensor of this spec"
        elif tie.shape is not None and target in tensors and tie.shape != tensors[target].shape:
            shapes = f"{list(tensors[target].shape)} and not {list(tie.shape)}"
            what, hint = f"`{name}` is tied to `{target}`, whose shape is {shapes}", "leave `shape` out"
        else:
            continue
        faults.append(tie.written.place_of("tie").fault(what, hint))


def _follow(ties: Mapping[str, Tie]) -> dict[str, str]:
    """Return the tensor that each tie leads to in the end; empty if ties go round."""
    ends: dict[str, str] = {}
    for name in ties:
        path = []
        while name in ties and name not in ends:
            ends[name] = ""  # what comes back to it goes round
            path.append(name)
            name = ties[name].target
        ends.update(dict.fromkeys(path, ends.get(name, name)))
    return ends
