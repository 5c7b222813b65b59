"""What commands show as tables of text: no colour, no width, no printing here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan


@dataclass(frozen=True)
class Column:
    """A column's title; whether it holds numbers, which stand to the right; whether a terminal may fold its cells."""

    title: str
    is_number: bool = False
    is_rigid: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text under columns, perhaps with a `total` row; `narrow` tells the same to a narrow terminal.

    The cells of a narrow table may have several lines. A terminal shows `headings` above the rows of their index; a
    pipe, whose every line stands for itself, does not.
    """

    columns: tuple[Column, ...]
    rows: Sequence[tuple[str, ...]]
    total: tuple[str, ...] | None = None
    narrow: Table | None = None
    headings: Mapping[int, str] = field(default_factory=dict)

    def all_rows(self) -> list[tuple[str, ...]]:
        """Return the rows and the total."""
        return [*self.rows, *([self.total] if self.total else [])]

    def width(self) -> int:
        """Return the columns of characters that `render_table` needs."""
        return max(map(len, render_table(self).splitlines()))


def render_table(table: Table) -> str:
    """Return a table as aligned plain lines, nothing cut or folded.

    >>> print(render_table(Table((Column("name"), Column("bytes", is_number=True)), [("w", "1"), ("bias", "20")])))
    name  bytes
    w         1
    bias     20
    """
    lines = [tuple(column.title for column in table.columns), *table.all_rows()]
    widths = [max(len(line[index]) for line in lines) for index in range(len(table.columns))]

    def align(line: tuple[str, ...]) -> str:
        cells = zip(line, widths, table.columns, strict=True)
        return "  ".join(
            cell.rjust(width) if column.is_number else cell.ljust(width) for cell, width, column in cells
        ).rstrip()

    return "\n".join(map(align, lines))


def titled(text: Iterable[str], numbers: Iterable[str], last: Iterable[str] = ()) -> tuple[Column, ...]:
    """Return columns of text, then columns of numbers, then columns of short words; only the first may be folded."""
    return (
        *map(Column, text),
        *(Column(title, is_number=True, is_rigid=True) for title in numbers),
        *(Column(title, is_rigid=True) for title in last),
    )


def escape(text: str) -> str:
    r"""Return text with whatever a terminal would act on, or not show, written out.

    >>> print(escape("a\x1b[31mb\n"))
    a\x1b[31mb\n
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def render_shape(shape: Sequence[int]) -> str:
    """Return a shape for people.

    >>> render_shape((784, 256)), render_shape(())
    ('784×256', 'scalar')
    """
    return "×".join(map(str, shape)) or "scalar"


def render_number(value: float) -> str:
    """Return a number with four significant digits; `-` for none.

    >>> render_number(0.0505076), render_number(-0.0), render_number(-1.23456e-05), render_number(float("nan"))
    ('0.05051', '0', '-1.235e-05', '-')
    """
    return "-" if isnan(value) else f"{value + 0.0:.4g}"


def count(number: int, noun: str) -> str:
    """Return a number of things.

    >>> count(1, "tensor"), count(1024, "tensor")
    ('1 tensor', '1,024 tensors')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
