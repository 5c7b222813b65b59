"""A plan as a format holds it, where that is otherwise than the spec has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from initcli.formats import Format
    from initcli.plan import Plan


@runtime_checkable
class Arranging(Protocol):
    """A format that has other names, orders or dtypes for the tensors of some specs."""

    def arrange(self, plan: Plan) -> Plan:
        """Return the plan of what the file holds; of one that is arranged already, the plan itself.

        Raises:
            InitcliError: with a fault for all that the format has no place for.
        """


def arrange(plan: Plan, chosen: Format) -> Plan:
    """Return the plan of what a file of a format holds."""
    return chosen.arrange(plan) if isinstance(chosen, Arranging) else plan
