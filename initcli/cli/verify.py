"""`initcli verify`: a weight file beside what its spec means, value by value."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click

from initcli.cli.console import ProgressBar, show, show_json, show_note, show_table
from initcli.cli.exits import AnswerIsNoError
from initcli.cli.options import (
    Replacements,
    SpecSource,
    takes_jobs,
    takes_json,
    takes_plugins,
    takes_replacements,
)
from initcli.cli.tables import count, escape
from initcli.errors import Fault, InitcliError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from initcli.comparison import Pair, Verdict
    from initcli.formats.weights import WeightFile
    from initcli.plan import Plan

SIDES = ("expected", "found")


@click.command("verify", short_help="Generate a weight file again and compare.")
@click.argument("file", metavar="FILE")
@click.option("--spec", metavar="SPEC", help="Spec to compare with, instead of the one in FILE.")
@takes_replacements
@click.option("--only", multiple=True, metavar="GLOB", help="Compare these tensors alone; may be given again.")
@takes_jobs
@takes_plugins
@takes_json
def verify(
    file: str, spec: str | None, replacements: Replacements, only: tuple[str, ...], jobs: int | None, as_json: bool
) -> None:
    """Draw again what the spec in FILE means, and compare it with what FILE holds, to the bit.

    FILE is a weight file or a directory. All but .npy, .npz and .msgpack carry their spec; for these, and to compare
    with another spec, name one by --spec; --seed, --dtype and --set replace its own. The first difference of each
    tensor is told. `missing` is a tensor that FILE lacks, `unexpected` one that the spec does not have.

    What is not portable (orthogonal) has other bits on another machine: then `rounding` tells that they are as close
    as float64 allows, within 1.5e-8 of the greatest value and a rounding of the dtype, and is no difference.

    The exit status is 0 if FILE holds what it should, 1 if it differs, 2 if that could not be found out.

    \b
    Examples:
      initcli verify mlp.safetensors
      initcli verify arrays/ --spec mlp.yaml --seed 7
    """
    from pathlib import Path

    from initcli.formats.weights import open_weights
    from initcli.readback import verify_weights
    from initcli.verification import check_scheme
    from initcli.workers import default_jobs

    weights = open_weights(Path(file))
    check_scheme(weights)
    plan = load_plan(weights, spec, replacements)
    with ProgressBar(count_nbytes(weights, only), wanted=not as_json) as progress:
        pairs = verify_weights(plan, weights, only, jobs or default_jobs(), progress)
    if as_json:
        show_json(describe_verification(plan, weights, pairs))
    else:
        show_verification(plan, weights, pairs)
    if not all(pair.verdict.is_same for pair in pairs):
        raise AnswerIsNoError


def count_nbytes(weights: WeightFile, only: tuple[str, ...]) -> int:
    """Return how many bytes there are to read: of the tensors and ties that a glob fits, of all without globs."""
    held = weights.entries | weights.ties
    chosen = (entry for name, entry in held.items() if not only or any(fnmatchcase(name, glob) for glob in only))
    return sum(entry.nbytes for entry in chosen)


def load_plan(weights: WeightFile, spec: str | None, replacements: Replacements) -> Plan:
    """Return the plan of the spec that was named, else of the one that the file carries."""
    from initcli.verification import load_embedded

    if spec is not None:
        return SpecSource(spec, *replacements).load_plan()
    if replacements != (None, None, {}):
        what = "`--seed`, `--dtype` and `--set` replace what a spec says, and the file's own says what it holds"
        raise InitcliError(Fault(what, hint="name the spec with `--spec SPEC`, or leave them out"))
    return load_embedded(weights)


def describe_verification(plan: Plan, weights: WeightFile, pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return what was found as plain data for JSON."""
    from initcli.cli.differences import count_verdicts, describe_pairs
    from initcli.stream import SCHEME

    return {
        "is_equal": all(pair.verdict.is_same for pair in pairs),
        "format": weights.format.name,
        "seed": plan.seed,
        "scheme": SCHEME,
        "is_portable": plan.is_portable,
        "tensors": describe_pairs(pairs, SIDES, words()),
        "total": {"tensors": len(pairs), **count_verdicts(pairs, words())},
    }


def show_verification(plan: Plan, weights: WeightFile, pairs: Sequence[Pair]) -> None:
    """Print what differs, and how much does."""
    from initcli.cli.differences import render_verdicts, tabulate_differences
    from initcli.cli.views import render_portability
    from initcli.comparison import Verdict

    table = tabulate_differences(pairs, SIDES, words())
    if table.rows:
        show_table(table)
        show("")
    name = escape(str(weights.path))
    if any(pair.verdict is Verdict.ROUNDING for pair in pairs):
        show_note(render_portability(plan))
    if all(pair.verdict.is_same for pair in pairs):
        show(f"{name}: {count(len(pairs), 'tensor')}, as the spec says{' but for rounding' * bool(table.rows)}")
    else:
        show(f"{name}: {render_verdicts(pairs, words())}")


def words() -> dict[Verdict, str]:
    """Return what it means here that one side lacks a tensor."""
    from initcli.comparison import Verdict

    return {Verdict.ONLY_A: "missing", Verdict.ONLY_B: "unexpected"}
