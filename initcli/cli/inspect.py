"""`initcli inspect`: what a weight file says of itself."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import click

from initcli.cli.console import show, show_json, show_table, terminal_width
from initcli.cli.options import takes_json
from initcli.cli.tables import Table, count, escape, render_shape, titled

if TYPE_CHECKING:
    from initcli.formats import Header

SPEC_KEY = "initcli.spec"
LONG = 400
"""Characters of a metadata value that a terminal shows; a pipe gets all."""


@click.command("inspect", short_help="Show the tensors and the metadata of a weight file.")
@click.argument("file", metavar="FILE")
@takes_json
def inspect(file: str, as_json: bool) -> None:
    """Show the tensors and the metadata of FILE, whoever wrote it; its first bytes tell the format.

    FILE is a .safetensors, HDF5 or .npy file, or a directory of .npy files. No tensor data is read. With --json the
    spec that initcli embeds is printed whole.

    \b
    Example:
      initcli inspect mlp.safetensors
    """
    from pathlib import Path

    from initcli.formats import detect_format

    path = Path(file)
    chosen = detect_format(path)
    header = chosen.read_header(path)
    if as_json:
        show_json(describe_header(chosen.name, header))
        return
    show(f"{escape(file)}: {chosen.name}, {render_totals(header)}\n")
    show_table(tabulate_header(header))
    if header.metadata:
        show("")
        show_table(tabulate_metadata(header.metadata))


def describe_header(format_name: str, header: Header) -> dict[str, Any]:
    """Return what a file says of itself as plain data; `spec` is the embedded spec, null if there is none."""
    return {
        "format": format_name,
        "metadata": {key: value for key, value in sorted(header.metadata.items()) if key != SPEC_KEY},
        "spec": parse_spec(header.metadata),
        "tensors": [
            {
                "name": entry.name,
                "shape": list(entry.shape),
                "dtype": entry.dtype,
                "size": prod(entry.shape),
                "nbytes": entry.nbytes,
            }
            for entry in header.entries
        ],
        "total": {
            "size": sum(prod(entry.shape) for entry in header.entries),
            "nbytes": sum(entry.nbytes for entry in header.entries),
        },
    }


def parse_spec(metadata: dict[str, str]) -> Any:
    """Return the embedded spec as data: None if there is none, the text as it is if it is not JSON."""
    import json

    text = metadata.get(SPEC_KEY)
    try:
        return None if text is None else json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text


def tabulate_header(header: Header) -> Table:
    """Return a line for each tensor of a file."""
    from initcli.units import render_nbytes

    rows = [
        (escape(entry.name), render_shape(entry.shape), entry.dtype, render_nbytes(entry.nbytes))
        for entry in header.entries
    ]
    total = ("total", count(len(rows), "tensor"), "", render_nbytes(sum(entry.nbytes for entry in header.entries)))
    return Table(titled(("name", "shape", "dtype"), ("bytes",)), rows, total)


def tabulate_metadata(metadata: dict[str, str]) -> Table:
    """Return a line for each metadata entry, the embedded spec in a few words."""
    rows = [
        (escape(key), _render_spec(parse_spec(metadata)) if key == SPEC_KEY else _render_value(value))
        for key, value in sorted(metadata.items())
    ]
    return Table(titled(("metadata", ""), ()), rows)


def render_totals(header: Header) -> str:
    """Return how much there is: tensors, parameters, bytes."""
    from initcli.units import render_nbytes

    size = sum(prod(entry.shape) for entry in header.entries)
    nbytes = sum(entry.nbytes for entry in header.entries)
    return f"{count(len(header.entries), 'tensor')}, {count(size, 'parameter')}, {render_nbytes(nbytes)}"


def _render_value(value: str) -> str:
    if terminal_width() is None or len(value) <= LONG:
        return escape(value)
    return f"{escape(value[:LONG])}… ({len(value):,} characters, whole with --json)"


def _render_spec(spec: Any) -> str:
    """Return what an embedded spec is about; it may be anybody's."""
    if not isinstance(spec, dict) or not isinstance(spec.get("tensors"), dict):
        return "not a spec that initcli wrote"
    words = [str(spec.get(key, "?")) for key in ("framework", "seed", "dtype")]
    return escape(f"{words[0]}, seed {words[1]}, {words[2]}, {count(len(spec['tensors']), 'tensor')} (--json shows it)")
