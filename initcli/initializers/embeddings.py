"""Embedding tables: a normal, and a row of zeros that stands for padding."""

from __future__ import annotations

from initcli.errors import ArgumentError
from initcli.initializers.arguments import check_rank, parse_number
from initcli.laws import Law, Normal
from initcli.laws.embedding import PaddedNormal


def check_padding(padding_idx: object) -> None:
    """Raise `ArgumentError` unless the row of padding is None or a whole number."""
    if padding_idx is not None and not isinstance(parse_number("padding_idx", padding_idx), int):
        what = f"`padding_idx` must be a whole number, got {padding_idx}"
        raise ArgumentError(what, parameter="padding_idx")


def padded_law(name: str, shape: tuple[int, ...], padding_idx: int | None, std: float = 1.0) -> Law:
    """Return the law of an embedding table whose row `padding_idx`, if it has one, is zero.

    Raises:
        ArgumentError: the shape is no matrix, or has no such row.
    """
    check_rank(name, shape, 2, 2)
    if padding_idx is None:
        return Normal(0.0, std)
    rows, cols = shape
    if not -rows <= padding_idx < rows:
        what = f"`padding_idx` names row {padding_idx}, which the shape {list(shape)} does not have"
        raise ArgumentError(what, f"from {-rows} to {rows - 1}", parameter="padding_idx")
    return PaddedNormal(rows, cols, int(padding_idx) % rows, std)
