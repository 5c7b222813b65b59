"""Making room for an output: each of its files at its final length, before a byte is written."""

from __future__ import annotations

from pathlib import Path

from initcli.files import preallocate
from initcli.formats import Layout


def reserve(layout: Layout) -> None:
    """Reserve each file of a layout up to the end of what lies farthest in it; zeros stand where the seals go.

    Raises:
        InitcliError: the disk is full, or a file would be too large.
    """
    ends: dict[Path, int] = {}
    for seal in layout.seals:
        ends[seal.file] = max(ends.get(seal.file, 0), seal.offset + len(seal.data))
    for slot in layout.slots:
        ends[slot.file] = max(ends.get(slot.file, 0), slot.offset + slot.nbytes)
    for file, end in ends.items():
        preallocate(file, end)
