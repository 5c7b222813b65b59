"""`initcli inspect`: what a weight file says of itself, and what its values look like."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from initcli.cli.console import ProgressBar, show, show_json, show_table, terminal_width
from initcli.cli.options import Command, takes_jobs, takes_json
from initcli.errors import Fault, InitcliError

if TYPE_CHECKING:
    from initcli.cli.contents import Surveys
    from initcli.formats import Header
    from initcli.formats.weights import WeightFile
    from initcli.survey import Survey

LONG = 400
"""Characters of a metadata value that a terminal shows; a pipe gets all."""


def takes_style(function: Command) -> Command:
    """Add --json and --markdown, handed over as `style`: json, markdown or text."""

    @takes_json
    @click.option("--markdown", "as_markdown", is_flag=True, help="Print a table for a model card.")
    @functools.wraps(function)
    def gather(as_json: bool, as_markdown: bool, **rest: Any) -> Any:
        if as_json and as_markdown:
            raise InitcliError(Fault("`--json` and `--markdown` are two forms of one answer", hint="keep one of them"))
        return function(style="json" if as_json else "markdown" if as_markdown else "text", **rest)

    return gather


@click.command("inspect", short_help="Show the tensors, the metadata and the values of a weight file.")
@click.argument("file", metavar="FILE")
@click.option("--stats", "is_measured", is_flag=True, help="Read the values: mean, std, min, max, zeros, nan, inf.")
@click.option("--tensor", metavar="NAME[SLICE]", help="Print the values of one tensor, such as 'fc1.weight[0:3, :5]'.")
@takes_jobs
@takes_style
def inspect(file: str, is_measured: bool, tensor: str | None, jobs: int | None, style: str) -> None:
    """Show what FILE holds, whoever wrote it; its first bytes tell the format.

    FILE is a weight file, or a directory: a sharded checkpoint, or .npy files. Without --stats and --tensor no tensor
    data is read. Blocks with the same names, shapes and dtypes share a line, in the braces of a spec:
    h.{0..11}.attn.{k,q,v}.weight. A tie, another name for a tensor's bytes, is told apart and counts for nothing.

    \b
    Examples:
      initcli inspect gpt2.safetensors
      initcli inspect gpt2.safetensors --stats
      initcli inspect gpt2.safetensors --tensor 'wte.weight[0, :8]'
    """
    from pathlib import Path

    from initcli.formats.weights import open_weights

    weights = open_weights(Path(file))
    if tensor is not None:
        if is_measured or style == "markdown":
            other = "--stats" if is_measured else "--markdown"
            raise InitcliError(Fault(f"`--tensor` prints values and does not go with `{other}`", hint="leave one out"))
        show_part(weights, tensor, style)
        return
    from initcli.cli.contents import describe_header, sort_naturally

    weights = sort_naturally(weights)
    surveys = measure(weights, jobs) if is_measured else None
    if style == "json":
        show_json(describe_header(weights.format.name, weights.header, surveys))
    else:
        show_contents(f"{file}: {weights.format.name}", weights.header, surveys, as_markdown=style == "markdown")


def measure(weights: WeightFile, jobs: int | None) -> dict[str, Survey | None]:
    """Return the statistics of each tensor, with a progress bar while they are made."""
    from initcli.survey import survey_file
    from initcli.workers import default_jobs

    with ProgressBar(sum(entry.nbytes for entry in weights.header.entries)) as progress:
        return survey_file(weights, jobs or default_jobs(), progress)


def show_contents(what: str, header: Header, surveys: Surveys | None, *, as_markdown: bool) -> None:
    """Print the totals, the tensors and the metadata, or the first two for a model card."""
    from initcli.cli.contents import (
        render_markdown,
        render_totals,
        tabulate_metadata,
        tabulate_patterns,
        tabulate_surveys,
        tabulate_ties,
        tabulate_tree,
    )
    from initcli.cli.tables import escape

    is_drawn = terminal_width() is not None and not as_markdown
    totals = render_totals(header.entries)
    if surveys is not None:
        table = tabulate_surveys(header.entries, surveys, draws=is_drawn)
    else:
        table = (tabulate_tree if is_drawn else tabulate_patterns)(header.entries)
    if as_markdown:
        show(render_markdown(totals, table))
        if header.ties:
            show(render_markdown("", tabulate_ties(header.ties)))
        return
    show(f"{escape(what)}, {totals}\n")
    show_table(table)
    if header.ties:
        show("")
        show_table(tabulate_ties(header.ties))
    if header.metadata:
        show("")
        show_table(tabulate_metadata(header.metadata, LONG if is_drawn else None))


def show_part(weights: WeightFile, tensor: str, style: str) -> None:
    """Print values: as data, as NumPy shows them on a screen, or all of them, a row a line, to a pipe."""
    from initcli.cli.elements import describe_part, read_part, render_part, render_rows

    part = read_part(weights, tensor)
    width = terminal_width()
    if style == "json":
        show_json(describe_part(part))
    elif width is not None:
        show(render_part(part, width))
    else:
        for lines in render_rows(part.values):
            show(lines)
