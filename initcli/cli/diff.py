"""`initcli diff`: two weight files beside each other, whatever their formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from initcli.cli.console import ProgressBar, show, show_json, show_table
from initcli.cli.exits import AnswerIsNoError
from initcli.cli.options import real_number, takes_jobs, takes_json
from initcli.cli.tables import count, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from initcli.comparison import Pair, Tolerance
    from initcli.formats.weights import WeightFile

SIDES = ("a", "b")


@click.command("diff", short_help="Compare the tensors of two weight files.")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--atol", callback=real_number, default="0", metavar="X", help="Absolute difference that is allowed.")
@click.option("--rtol", callback=real_number, default="0", metavar="Y", help="Relative difference that is allowed.")
@takes_jobs
@takes_json
def diff(a: str, b: str, atol: float, rtol: float, jobs: int | None, as_json: bool) -> None:
    """Compare the weight files or directories A and B, of any formats: names, shapes and dtypes, then values.

    Two values a and b are equal if |a - b| <= X + Y max(|a|, |b|); nan equals nan, and an infinity only itself. Of
    tensors of the same shape and another dtype the values are compared, too. Metadata is not. A single .npy holds no
    name: it is laid beside the only tensor of the other file. A tie, which shares the bytes of a tensor of its file,
    may be left out of the other.

    The exit status is 0 if the files hold the same, 1 if they differ.

    \b
    Examples:
      initcli diff mlp.safetensors mlp.h5
      initcli diff before.safetensors after.safetensors --atol 1e-6 --json
    """
    from pathlib import Path

    from initcli.comparison import Tolerance
    from initcli.formats.weights import open_weights
    from initcli.readback import compare_weights
    from initcli.workers import default_jobs

    files = open_weights(Path(a)), open_weights(Path(b))
    tolerance = Tolerance(atol, rtol)
    with ProgressBar(sum(entry.nbytes for entry in files[0].header.entries), wanted=not as_json) as progress:
        pairs = compare_weights(*files, tolerance, jobs or default_jobs(), progress)
    if as_json:
        show_json(describe_comparison(files, tolerance, pairs))
    else:
        show_comparison(files, pairs)
    if not all(pair.verdict.is_same for pair in pairs):
        raise AnswerIsNoError


def describe_comparison(
    files: tuple[WeightFile, WeightFile], tolerance: Tolerance, pairs: Sequence[Pair]
) -> dict[str, Any]:
    """Return the comparison as plain data for JSON."""
    from initcli.cli.differences import count_verdicts, describe_pairs

    return {
        "is_equal": all(pair.verdict.is_same for pair in pairs),
        **{
            side: {"path": str(weights.path), "format": weights.format.name}
            for side, weights in zip(SIDES, files, strict=True)
        },
        "atol": tolerance.atol,
        "rtol": tolerance.rtol,
        "tensors": describe_pairs(pairs, SIDES, {}),
        "total": {"tensors": len(pairs), **count_verdicts(pairs, {})},
    }


def show_comparison(files: tuple[WeightFile, WeightFile], pairs: Sequence[Pair]) -> None:
    """Print what differs, and how much does."""
    from initcli.cli.differences import render_verdicts, tabulate_differences
    from initcli.comparison import Verdict

    words = {Verdict.ONLY_A: "only in a", Verdict.ONLY_B: "only in b"}
    table = tabulate_differences(pairs, SIDES, words)
    if table.rows:
        show_table(table)
        show("")
    names = " and ".join(escape(str(weights.path)) for weights in files)
    if all(pair.verdict.is_same for pair in pairs):
        show(f"{names}: {count(len(pairs), 'tensor')}, equal{' within the tolerance' * bool(table.rows)}")
    else:
        show(f"{names}: {render_verdicts(pairs, words)}")
