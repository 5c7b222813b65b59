"""Where a planned tensor has its shape, initializer and dtype from."""

from __future__ import annotations

from typing import Any, NamedTuple

from initcli.cli.tables import escape
from initcli.document.tree import render_path
from initcli.errors import Fault, InitcliError, suggest
from initcli.plan import Plan, PlannedTensor
from initcli.spec import Place


class Origin(NamedTuple):
    """One decision: what it is about, its outcome, what gave it, and where that stands."""

    key: str
    value: str
    given_by: str
    place: Place | None


def find_tensor(plan: Plan, name: str) -> PlannedTensor:
    """Return the tensor called `name`.

    Raises:
        InitcliError: there is none, or it is tied to another.
    """
    for tensor in plan.tensors:
        if tensor.name == name:
            return tensor
    if name in plan.ties:
        raise InitcliError(Fault(f"`{name}` is tied to `{plan.ties[name]}`", hint=f"ask why for `{plan.ties[name]}`"))
    hint = suggest(name, [tensor.name for tensor in plan.tensors]) or "`initcli plan SPEC` shows all"
    raise InitcliError(Fault(f"no tensor is called `{name}`", hint=hint))


def list_origins(tensor: PlannedTensor) -> list[Origin]:
    """Return what was decided of a tensor, and by what."""
    origins = tensor.origins
    return [
        Origin("shape", str(list(tensor.shape)), "the tensor", origins.shape),
        Origin(
            "init", f"{tensor.initializer.framework}.{tensor.initializer}".lstrip("."), origins.init_by, origins.init
        ),
        Origin(
            "dtype",
            tensor.dtype.name,
            origins.dtype_by if origins.dtype or origins.dtype_by == "--dtype" else "default",
            origins.dtype,
        ),
    ]


def describe_origins(tensor: PlannedTensor) -> dict[str, Any]:
    """Return a tensor's origins as plain data."""
    described: dict[str, Any] = {"name": tensor.name}
    for each in list_origins(tensor):
        described[each.key] = {
            "value": each.value,
            "given_by": each.given_by,
            "path": render_path(each.place.path) if each.place else None,
            "at": str(each.place.position) if each.place else None,
        }
    return described


def render_origins(tensor: PlannedTensor) -> str:
    """Return a tensor's origins as text: for each decision a line, and under it where that stands."""
    lines = [escape(tensor.name)]
    for each in list_origins(tensor):
        lines.append(f"  {each.key:5}  {escape(each.value)}  by {escape(each.given_by)}")
        if each.place:
            lines.append(f"         --> {escape(str(each.place.position))}  {escape(render_path(each.place.path))}")
    return "\n".join(lines)
