"""The command line: the only place that prints, asks and exits.

This module holds the group and `main`, which turns whatever ends a run into an exit status. Commands import the rest of
the program when they run, so that `--version` and `--help` cost no more than click itself.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import IO, Any

import click

from initcli import __version__
from initcli.cli import catalogue, console, diff, digest, exits, generate, inspect, plan, schema, verify
from initcli.errors import Fault, InitcliError, suggest

YOUNG = 100_000
"""How many new objects the collector of cycles waits for: a plan is many small ones and no cycle, and with Python's own
700 looking through them again and again is a third of the work."""


class Commands(click.Group):
    """A group that tells an unknown command in the program's own words."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with."""
        if args and self.get_command(ctx, args[0]) is None:
            hint = suggest(args[0], self.list_commands(ctx)) or "`initcli --help` shows the commands"
            raise InitcliError(Fault(f"no such command `{args[0]}`", hint=hint))
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names in the order in which they were added."""
        return list(self.commands)


@click.group(
    cls=Commands,
    no_args_is_help=False,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [OPTIONS] …",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="initcli %(version)s", help="Show the version and exit.")
@click.pass_context
def cli(context: click.Context) -> None:
    """Generate reproducible, seeded weight files from a layer-shape spec.

    No framework, no GPU, no network: the same spec and seed give the same bytes on every machine.

    \b
    Example:
      initcli generate mlp.yaml --out mlp.safetensors

    Exit status: 0 done; 1 it ran and the answer is no; 2 it could not run; 130 interrupted; 141 the reader of
    standard output went away; 143 terminated.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(exits.COULD_NOT_RUN)


cli.add_command(generate.generate)
cli.add_command(plan.plan)
cli.add_command(inspect.inspect)
cli.add_command(verify.verify)
cli.add_command(diff.diff)
cli.add_command(digest.digest)
cli.add_command(catalogue.list_initializers)
cli.add_command(catalogue.show_initializer)
cli.add_command(schema.schema)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: nothing that can happen ends in a traceback."""
    gc.set_threshold(YOUNG)
    if "_INITCLI_COMPLETE" in os.environ:
        cli.main(prog_name="initcli")
    try:
        with exits.raising_signals():
            console.prepare_streams()
            return _attempt(list(sys.argv[1:] if arguments is None else arguments))
    except exits.Stopped as stopped:
        return _close(stopped.status, f"{_line_break(sys.stderr)}{stopped}")
    except KeyboardInterrupt:
        return _close(exits.INTERRUPTED, "interrupted")


def _attempt(arguments: list[str]) -> int:
    """Run a command; return its status, or that of what went wrong, which is told."""
    try:
        with cli.make_context("initcli", arguments) as context:
            cli.invoke(context)
        status = exits.DONE
    except click.exceptions.Exit as ended:
        status = ended.exit_code
    except BrokenPipeError:
        return _close(exits.READER_LEFT)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None:
            _discard(sys.stdout)
        return _close(exits.status_of(error), console.render_error(exits.explain(error)))
    return _close(status)


def _close(status: int, message: str = "") -> int:
    """Push out what is still in the streams, then `message` to standard error; return the status that this leaves."""
    status = _flush(sys.stdout, status)
    try:
        if message:
            click.echo(message, err=True)
    except OSError:
        _discard(sys.stderr)
    return _flush(sys.stderr, status)


def _flush(stream: IO[Any] | None, status: int) -> int:
    """Flush a stream; a reader who left, or a full disk, changes a good status to a bad one."""
    try:
        if stream is not None:
            stream.flush()
    except BrokenPipeError:
        _discard(stream)
        return status or exits.READER_LEFT
    except OSError as error:
        _discard(stream)
        return _close(status or exits.COULD_NOT_RUN, console.render_error(exits.explain(error)))
    return status


def _discard(stream: IO[Any] | None) -> None:
    """Send what a stream still holds nowhere, or Python tries again, and complains, when it exits."""
    if stream is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _line_break(stream: IO[Any] | None) -> str:
    """Return what ends the line on which a terminal has just shown `^C`."""
    return "\n" if stream is not None and stream.isatty() else ""
