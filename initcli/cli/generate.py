"""`initcli generate`: a spec to a weight file, and the statistics of what was drawn."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from functools import partial
from typing import TYPE_CHECKING

import click

from initcli.cli.console import ProgressBar, show, show_json, show_note, show_table
from initcli.cli.exits import AnswerIsNoError
from initcli.cli.options import (
    Reporting,
    SpecSource,
    takes_jobs,
    takes_plugins,
    takes_reporting,
    takes_spec,
)
from initcli.cli.output import Output, takes_output
from initcli.cli.tables import escape

if TYPE_CHECKING:
    from initcli.formats import Format
    from initcli.plan import Plan
    from initcli.report import Report


@click.command("generate", short_help="Write a weight file from a spec.")
@takes_spec
@takes_output
@takes_jobs
@click.option("--dry-run", is_flag=True, help="Check everything, show the plan, and write nothing.")
@takes_plugins
@takes_reporting
def generate(source: SpecSource, output: Output, jobs: int | None, dry_run: bool, reporting: Reporting) -> None:
    """Write the weights that SPEC describes, and show their statistics beside what their laws promise.

    SPEC is a YAML or JSON file, or - for standard input. The suffix of PATH chooses the format: .safetensors,
    .h5, .hdf5, .npz, .npy (one tensor), .pt, .pth, .bin, .gguf, .msgpack, .onnx with PATH.data beside it, and from
    Keras layers .weights.h5, .keras, and .weights.json with its shards beside it. A directory takes `--format npy`, or
    Hugging Face shards by --max-shard-size. PATH appears whole or not at all.

    --max-shard-size fills a directory for Hugging Face's libraries: shards and their index, and config.json if the spec
    has a `config` or --config names one. What fits into one shard is one model.safetensors, as is everything with
    `--format safetensors` and a directory. Other files there stay. With .weights.json it cuts the shards of Keras.

    A llama or GPT-2 under Hugging Face's names, with its config, becomes a .gguf that llama.cpp loads.

    The statistics go to standard output, with `--out -` to standard error. `ok` means that mean, std and bounds
    agree with the law within five standard errors, `OFF` that they do not, or that values overflowed: these are stored
    as the dtype rounds them, infinite or nan, and counted in a note and in --json. With --strict the exit status is 1
    if a tensor does not agree, and the errors name the tensors; PATH is written all the same.

    \b
    Examples:
      initcli generate mlp.yaml --out mlp.safetensors
      initcli generate mlp.yaml --out - --format safetensors | sha256sum
      initcli generate llama3.yaml --out llama3 --max-shard-size 5GB --config config.json
    """
    from initcli.formats.arranging import arrange

    plan = source.load_plan()
    chosen = output.choose_format(plan)
    plan = arrange(plan, chosen)
    if dry_run:
        show_plan(plan, output, reporting)
        show_closing(plan, f"dry run: {output} was not written", output, reporting)
        return
    report, elapsed_s = write_weights(plan, chosen, output, jobs, reporting)
    show_report(report, output, reporting)
    show_overflows(report, output, reporting)
    digest = f", digest {report.digest.total}" if report.digest else ""
    show_closing(plan, f"wrote {output}", output, reporting, f"{digest} in {elapsed_s:.2f} s")
    if reporting.is_strict:
        check_agrees(report, output, reporting)


def write_weights(
    plan: Plan, chosen: Format, output: Output, jobs: int | None, reporting: Reporting
) -> tuple[Report, float]:
    """Write the weights to the file or to standard output; return what was observed of them, and the seconds."""
    from pathlib import Path

    from initcli.engine import generate_file, generate_stream
    from initcli.workers import default_jobs

    generate = (
        partial(generate_stream, plan, chosen, sys.stdout.buffer)
        if output.is_stream
        else partial(generate_file, plan, chosen, Path(output.path), force=output.force)
    )
    with (
        ProgressBar(plan.nbytes, wanted=not reporting.is_quiet) as progress,
        redirect_stdout(sys.stderr),  # what a custom initializer prints is none of the data
    ):
        report = generate(jobs=jobs or default_jobs(), progress=progress, digests=reporting.digests)
    return report, progress.elapsed_s


def show_report(report: Report, output: Output, reporting: Reporting) -> None:
    """Print the statistics to whichever stream the weights did not take."""
    from initcli.cli.views import tabulate_report

    if reporting.as_json:
        show_json(report.to_data(), err=output.is_stream)
    elif not reporting.is_quiet:
        show_table(tabulate_report(report), err=output.is_stream)


def show_plan(plan: Plan, output: Output, reporting: Reporting) -> None:
    """Print what would be written, to the stream where the statistics would go."""
    from initcli.cli.views import describe_plan, tabulate_plan

    if reporting.as_json:
        show_json(describe_plan(plan), err=output.is_stream)
    elif not reporting.is_quiet:
        show_table(tabulate_plan(plan), err=output.is_stream)


def show_overflows(report: Report, output: Output, reporting: Reporting) -> None:
    """Print to standard error which tensors have values beyond their dtype; nothing where JSON stands there."""
    from initcli.cli.views import list_overflows

    if not (reporting.is_quiet or (reporting.as_json and output.is_stream)):
        for each in list_overflows(report, is_strict=reporting.is_strict):
            show_note(each)


def show_closing(plan: Plan, done: str, output: Output, reporting: Reporting, elapsed: str = "") -> None:
    """Print to standard error what was done, and a note if another machine may draw other bits.

    Nothing where that would stand beside JSON.
    """
    from initcli.cli.views import render_portability, render_totals

    if reporting.is_quiet or (reporting.as_json and output.is_stream):
        return
    if not plan.is_portable:
        show_note(render_portability(plan))
    show(f"{escape(done)}: {render_totals(plan)}{elapsed}", err=True)


def check_agrees(report: Report, output: Output, reporting: Reporting) -> None:
    """Raise `AnswerIsNoError` if the statistics of a tensor do not agree with its law.

    JSON on standard error says so by its `agrees`, and nothing is added to it.
    """
    from initcli.cli.views import explain_disagreements

    if faults := explain_disagreements(report):
        raise AnswerIsNoError(*([] if reporting.as_json and output.is_stream else faults))
