"""`initcli digest`: what a weight file holds, in 64 digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from initcli.cli.console import ProgressBar, show_json, show_table
from initcli.cli.options import takes_jobs, takes_json
from initcli.cli.tables import Column, Table, count, escape, render_shape

if TYPE_CHECKING:
    from initcli.digests import ContentDigest
    from initcli.formats.weights import WeightFile


@click.command("digest", short_help="Show a digest of the content of a weight file.")
@click.argument("file", metavar="FILE")
@takes_jobs
@takes_json
def digest(file: str, jobs: int | None, as_json: bool) -> None:
    """Show the content digest of FILE, or of a directory, for each tensor and, in the last line, for all of it.

    It is made of the tensors' names, dtypes, shapes and values, and of nothing else: it is the same in every format
    and order, and `initcli generate --digest` tells it while it writes. It is SHA-256:

    \b
      block   the bytes of 262,144 elements, row-major, little-endian; the last may be shorter
      tensor  "initcli/tensor-digest/1" NUL, name, dtype, rank, dimensions, and its blocks' digests
      total   "initcli/digest/1" NUL, and the tensors' digests in the order of their names

    Integers are 8 bytes, little-endian; name and dtype are UTF-8 behind their length in bytes. A single .npy holds
    no name: its tensor is called after the file. Ties are left out: of the names that share their bytes in a .pt the
    first counts, in an .h5 the first by name.

    \b
    Example:
      initcli digest mlp.safetensors
    """
    from pathlib import Path

    from initcli.formats.weights import open_weights
    from initcli.readback import digest_weights
    from initcli.workers import default_jobs

    weights = open_weights(Path(file))
    with ProgressBar(sum(entry.nbytes for entry in weights.header.entries), wanted=not as_json) as progress:
        found = digest_weights(weights, jobs or default_jobs(), progress)
    if as_json:
        show_json(describe_digest(weights, found))
    else:
        show_table(tabulate_digest(weights, found))


def describe_digest(weights: WeightFile, found: ContentDigest) -> dict[str, Any]:
    """Return the digests as plain data for JSON."""
    return {
        "format": weights.format.name,
        "tensors": [
            {
                "name": entry.name,
                "shape": list(entry.shape),
                "dtype": entry.dtype,
                "digest": found.tensors[entry.name],
            }
            for entry in weights.header.entries
        ],
        "total": {"digest": found.total},
    }


def tabulate_digest(weights: WeightFile, found: ContentDigest) -> Table:
    """Return a line for each tensor, and one for all."""
    rows = [
        (found.tensors[entry.name], escape(entry.name), render_shape(entry.shape), entry.dtype)
        for entry in weights.header.entries
    ]
    columns = (Column("digest", is_rigid=True), Column("name"), Column("shape"), Column("dtype"))
    total = (found.total, "total", count(len(rows), "tensor"), "")
    narrow = Table((Column("digest\n  tensor"),), [_stack(row) for row in rows], _stack(total))
    return Table(columns, rows, total, narrow)


def _stack(row: tuple[str, ...]) -> tuple[str]:
    """Return a digest, and below it what it is of."""
    digest, *rest = row
    return (f"{digest}\n  {' '.join(filter(None, rest))}",)
