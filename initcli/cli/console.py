"""The two streams: what goes to a terminal, what goes to a pipe. The only door to `rich`, opened for terminals only."""

from __future__ import annotations

import io
import itertools
import os
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

import click

from initcli.cli.tables import Table, escape, render_table
from initcli.errors import Fault, InitcliError

if TYPE_CHECKING:
    import rich.console
    import rich.progress
    import rich.text

PATIENCE_S = 1.0
"""How long a run goes on before it shows its progress."""

PIECES = 100_000
"""How many words and signs of JSON are printed at once: all of a large plan would take a gigabyte."""

_STYLES = {"ok": "green", "OFF": "bold red"}


def prepare_streams() -> None:
    """Let no character that a stream's encoding lacks be an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def is_terminal(stream: IO[Any] | None) -> bool:
    """Tell whether a stream shows text to a person on a screen that can move its cursor."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def is_coloured(stream: IO[Any] | None) -> bool:
    """Tell whether a stream takes colour: a terminal, and its user did not set NO_COLOR (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def show(text: str, *, err: bool = False) -> None:
    """Print text."""
    click.echo(text, err=err)


def show_json(data: Mapping[str, Any], *, err: bool = False) -> None:
    """Print one JSON object, in ASCII: it is the same under every encoding and moves no terminal."""
    import json

    pieces = json.JSONEncoder(indent=2, allow_nan=False).iterencode(data)
    while text := "".join(itertools.islice(pieces, PIECES)):
        click.echo(text, nl=False, err=err)
    show("", err=err)


def show_note(text: str) -> None:
    """Print a remark to standard error."""
    show(f"{_mark('note', 'cyan')} {escape(text)}", err=True)


def show_table(table: Table, *, err: bool = False) -> None:
    """Print a table: plain lines to a pipe; to a terminal the widest form that fits."""
    stream = sys.stderr if err else sys.stdout
    if not is_terminal(stream):
        show(render_table(table), err=err)
        return
    console = _open_console(stream)
    if table.narrow is not None and table.width() > console.width:
        table = table.narrow
    console.print(_decorate(table), crop=False, highlight=False, markup=False, emoji=False)


def terminal_width() -> int | None:
    """Return the columns of the terminal at standard output, or None if it is no terminal."""
    return _open_console(sys.stdout).width if is_terminal(sys.stdout) else None


def render_error(error: InitcliError) -> str:
    """Return the faults as paragraphs: what, where, the way out."""
    return "\n\n".join(map(_render_fault, error.faults))


def _render_fault(fault: Fault) -> str:
    lines = [f"{_mark('error', 'red')} {escape(fault.what)}"]
    if fault.position is not None:
        lines.append(f"  --> {escape(str(fault.position))}  {escape(fault.path)}".rstrip())
    if fault.hint:
        lines.append(f"{_mark('hint', 'cyan')} {escape(fault.hint)}")
    return "\n".join(lines)


def _mark(word: str, colour: str) -> str:
    return click.style(f"{word}:", fg=colour, bold=True) if is_coloured(sys.stderr) else f"{word}:"


def _open_console(stream: IO[Any]) -> rich.console.Console:
    from rich.console import Console

    return Console(file=stream, color_system="auto" if is_coloured(stream) else None)


def _decorate(table: Table) -> Any:
    """Return rich's form of a table; no text in it is read as markup."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for index, column in enumerate(table.columns):
        cells = [column.title, *(row[index] for row in table.all_rows())]
        width = max(len(line) for cell in cells for line in cell.split("\n"))
        justify: Any = "right" if column.is_number else "left"
        least = width if column.is_rigid else None
        drawn.add_column(_style(column.title), justify=justify, overflow="fold", min_width=least)
    for index, row in enumerate(table.rows):
        if index in table.headings:
            drawn.add_section()
            drawn.add_row(Text(table.headings[index], style="bold"))
        drawn.add_row(*map(_style, row))
    if table.total:
        drawn.add_section()
        drawn.add_row(*map(_style, table.total))
    return drawn


def _style(cell: str) -> rich.text.Text:
    """Return a cell: a verdict in its colour; the lines after the first one dim."""
    from rich.text import Text

    first, *rest = cell.split("\n", 1)
    text = Text(first, style=_STYLES.get(first, ""))
    return text.append("\n" + rest[0], style="dim") if rest else text


class ProgressBar:
    """Bytes done of `nbytes`, the rate and the time left, on standard error if it is a terminal, after a second."""

    def __init__(self, nbytes: int, *, wanted: bool = True) -> None:
        self._nbytes, self._done = nbytes, 0
        self._wanted = wanted and is_terminal(sys.stderr)
        self._begin_s = time.monotonic()
        self._shown: rich.progress.Progress | None = None

    def __call__(self, nbytes: int) -> None:
        """Count more bytes as done."""
        self._done += nbytes
        if self._shown is None and self._wanted and time.monotonic() - self._begin_s > PATIENCE_S:
            self._shown = self._open()
        if self._shown is not None:
            self._shown.update(self._shown.task_ids[0], completed=self._done)

    @property
    def elapsed_s(self) -> float:
        """The seconds since the beginning."""
        return time.monotonic() - self._begin_s

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown is not None:
            self._shown.stop()

    def _open(self) -> rich.progress.Progress:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(), TextColumn("left"))
        shown = Progress(*columns, console=_open_console(sys.stderr), transient=True)
        shown.add_task("", total=self._nbytes, completed=self._done)
        shown.start()
        return shown
