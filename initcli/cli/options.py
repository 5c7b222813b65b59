"""Options that commands share, as decorators: each checks what it is given and hands over one value."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from math import prod
from typing import TYPE_CHECKING, Any

import click

from initcli.errors import Fault, InitcliError

if TYPE_CHECKING:
    from initcli.formats import Format
    from initcli.plan import Plan

Command = Callable[..., Any]

STREAM = "-"
MAX_DIGITS = 300
"""The longest number: as in a spec."""
MAX_JOBS = 256
"""The most threads: each holds some megabytes, and a machine has fewer processors than that."""


def whole_number(least: int, most: int | None = None) -> Callable[..., int | None]:
    """Return a click callback that takes a whole number from `least` to `most`, in decimal digits."""
    limits = f"≥ {least}" if most is None else f"from {least} to {most}"

    def parse(_context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
        if value is None:
            return None
        if value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
            number = int(value)
            if number >= least and (most is None or number <= most):
                return number
        raise InitcliError(Fault(f"`{parameter.opts[0]}` must be a whole number {limits}, got `{value}`"))

    return parse


def parse_shape(_context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Return the dimensions of `784,128`; `()` is a scalar's shape."""
    if value is None:
        return None
    dims = [] if value.strip() == "()" else [each.strip() for each in value.split(",")]
    name = parameter.opts[0]
    hint = f"write the dimensions with commas, `{name} 784,128`; `{name} '()'` is a scalar"
    if not all(each.isascii() and each.isdigit() and len(each) <= MAX_DIGITS for each in dims):
        raise InitcliError(Fault(f"`{name}` must be whole numbers ≥ 0, got `{value}`", hint=hint))
    from initcli.law_table import MAX_ELEMENTS
    from initcli.spec import MAX_RANK

    if len(dims) > MAX_RANK:
        raise InitcliError(Fault(f"a shape has at most {MAX_RANK} dimensions, not {len(dims)}"))
    shape = tuple(map(int, dims))
    if prod(shape) > MAX_ELEMENTS:
        raise InitcliError(
            Fault(f"`{name} {value}` is too large", hint=f"a tensor has at most {MAX_ELEMENTS:,} elements")
        )
    return shape


def parse_settings(_context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return variables' values, still as text, by name."""
    settings: dict[str, str] = {}
    for value in values:
        name, sign, setting = (part.strip() for part in value.partition("="))
        if not sign or not name or not setting:
            raise InitcliError(Fault(f"`{parameter.opts[0]} {value}` gives no value", hint="write `--set layers=2`"))
        if name in settings:
            raise InitcliError(Fault(f"`{parameter.opts[0]}` gives `{name}` twice", hint="keep one of the two"))
        settings[name] = setting
    return settings


@dataclass(frozen=True)
class SpecSource:
    """A spec as the command line names it: a `path` or `-`, and what replaces its seed, dtype and variables."""

    path: str
    seed: int | None
    dtype: str | None
    settings: dict[str, str]

    def load_plan(self, keeps_places: bool = False) -> Plan:
        """Return the plan of the spec; with `keeps_places` it knows the lines of a large one too.

        Raises:
            InitcliError: with every fault of the spec.
        """
        from initcli.document import read_below, read_document
        from initcli.dtypes import parse_dtype
        from initcli.resolution import Overrides, load_plan

        dtype = None if self.dtype is None else parse_dtype(self.dtype)
        if self.path == STREAM and sys.stdin is None:
            raise InitcliError(Fault("standard input is closed", hint="name a file"))
        text, name = read_document(self.path, BytesIO() if sys.stdin is None else sys.stdin.buffer)
        read = None if self.path == STREAM else functools.partial(read_below, self.path)
        return load_plan(text, name, Overrides(self.seed, dtype, self.settings), read, keeps_places)


@dataclass(frozen=True)
class Output:
    """Where the weights go: a `path` or `-`, the name of a format if one was given, and whether it may be replaced."""

    path: str
    format_name: str | None
    force: bool

    @property
    def is_stream(self) -> bool:
        """Whether the weights go to standard output."""
        return self.path == STREAM

    def __str__(self) -> str:
        return "standard output" if self.is_stream else self.path

    def choose_format(self, plan: Plan) -> Format:
        """Return the format for the plan, after every check that a run makes before its first byte.

        Raises:
            InitcliError: no such format, or it cannot hold the tensors, or the target cannot be written.
        """
        from pathlib import Path

        from initcli.engine import check_format
        from initcli.formats import choose_format
        from initcli.publish_shards import check_output

        chosen = choose_format(self.path, self.format_name, len(plan.tensors))
        check_format(plan, chosen)
        if not self.is_stream:
            check_output(chosen, Path(self.path), force=self.force)
        elif sys.stdout is None:
            raise InitcliError(Fault("standard output is closed", hint="name a file with `--out`"))
        elif sys.stdout.isatty():
            what = "`--out -` would write binary data to the terminal"
            raise InitcliError(Fault(what, hint="redirect standard output, or name a file with `--out`"))
        return chosen


@dataclass(frozen=True)
class Reporting:
    """How a run tells what it drew: as JSON or text, or errors only, and whether statistics that are off are one."""

    as_json: bool
    is_quiet: bool
    is_strict: bool


def takes_spec(function: Command) -> Command:
    """Add SPEC, --seed, --dtype and --set, handed over as `source`."""

    @click.argument("spec", metavar="SPEC")
    @click.option("--seed", callback=whole_number(0), metavar="N", help="Draw with this seed instead of the spec's.")
    @click.option("--dtype", metavar="D", help="Default dtype instead of the spec's; a tensor's own dtype stays.")
    @click.option(
        "--set",
        "settings",
        multiple=True,
        callback=parse_settings,
        metavar="VAR=VALUE",
        help="Value of a variable instead of the spec's; may be given again.",
    )
    @functools.wraps(function)
    def gather(spec: str, seed: int | None, dtype: str | None, settings: dict[str, str], **rest: Any) -> Any:
        return function(source=SpecSource(spec, seed, dtype, settings), **rest)

    return gather


def takes_output(function: Command) -> Command:
    """Add --out, --format and --force, handed over as `output`."""

    @click.option(
        "--out", required=True, metavar="PATH|-", help="File or directory to write, or - for standard output."
    )
    @click.option(
        "--format", "format_name", metavar="F", help="safetensors, h5 or npy; by default the suffix of PATH tells."
    )
    @click.option("--force", is_flag=True, help="Replace PATH if it exists.")
    @functools.wraps(function)
    def gather(out: str, format_name: str | None, force: bool, **rest: Any) -> Any:
        return function(output=Output(out, format_name, force), **rest)

    return gather


def takes_plugins(function: Command) -> Command:
    """Add --plugin, and import what it names before the command runs."""

    @click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="FILE.py|MODULE",
        help="Run this Python code, which registers initializers; may be given again.",
    )
    @functools.wraps(function)
    def load(plugins: tuple[str, ...], **rest: Any) -> Any:
        if plugins:
            from initcli.cli.plugins import load_plugins

            load_plugins(plugins)
        return function(**rest)

    return load


def takes_shape(function: Command) -> Command:
    """Add --shape, handed over as a tuple; None if it is not given."""
    return click.option(
        "--shape", callback=parse_shape, metavar="D,D…", help="Show the numbers for this shape, such as 784,128."
    )(function)


def takes_json(function: Command) -> Command:
    """Add --json, handed over as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")(function)


def takes_reporting(function: Command) -> Command:
    """Add --strict, --json and --quiet, handed over as `reporting`."""

    @click.option("--strict", is_flag=True, help="Exit with 1 if a tensor's statistics do not agree with its law.")
    @takes_json
    @click.option("--quiet", is_flag=True, help="Print errors only; with --json also the JSON.")
    @functools.wraps(function)
    def gather(strict: bool, as_json: bool, quiet: bool, **rest: Any) -> Any:
        return function(reporting=Reporting(as_json, quiet, strict), **rest)

    return gather
