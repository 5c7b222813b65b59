"""Options that commands share, as decorators: each checks what it is given and hands over one value."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from math import inf, prod
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from initcli.errors import Fault, InitcliError

if TYPE_CHECKING:
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


def real_number(_context: click.Context, parameter: click.Parameter, value: str) -> float:
    """Return a finite number ≥ 0; a click callback."""
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < inf:
        raise InitcliError(Fault(f"`{parameter.opts[0]}` must be a number ≥ 0, got `{value}`"))
    return number


def parse_shape(_context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Return the dimensions of `784,128`; `()` is a scalar's shape."""
    if value is None:
        return None
    dims = [] if value.strip() == "()" else [each.strip() for each in value.split(",")]
    name = parameter.opts[0]
    hint = f"write the dimensions with commas, `{name} 784,128`; `{name} '()'` is a scalar"
    if not all(each.isascii() and each.isdigit() and len(each) <= MAX_DIGITS for each in dims):
        raise InitcliError(Fault(f"`{name}` must be whole numbers ≥ 0, got `{value}`", hint=hint))
    from initcli.resolution.law_table import MAX_ELEMENTS
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
class Reporting:
    """How a run tells what it drew: as JSON or text, or errors only, and whether statistics that are off are one.

    `digests` says whether the content digest is told, too.
    """

    as_json: bool
    is_quiet: bool
    is_strict: bool
    digests: bool


def takes_spec(function: Command) -> Command:
    """Add SPEC, --seed, --dtype and --set, handed over as `source`."""

    @click.argument("spec", metavar="SPEC")
    @takes_replacements
    @functools.wraps(function)
    def gather(spec: str, replacements: Replacements, **rest: Any) -> Any:
        return function(source=SpecSource(spec, *replacements), **rest)

    return gather


class Replacements(NamedTuple):
    """What the command line puts in the place of a spec's own."""

    seed: int | None
    dtype: str | None
    settings: dict[str, str]


def takes_replacements(function: Command) -> Command:
    """Add --seed, --dtype and --set, handed over as `replacements`."""

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
    def gather(seed: int | None, dtype: str | None, settings: dict[str, str], **rest: Any) -> Any:
        return function(replacements=Replacements(seed, dtype, settings), **rest)

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


def takes_jobs(function: Command) -> Command:
    """Add --jobs, handed over as a number; None if it is not given."""
    return click.option(
        "--jobs", callback=whole_number(1, MAX_JOBS), metavar="N", help="Threads; by default one for each processor."
    )(function)


def takes_json(function: Command) -> Command:
    """Add --json, handed over as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")(function)


def takes_reporting(function: Command) -> Command:
    """Add --digest, --strict, --json and --quiet, handed over as `reporting`."""

    @click.option("--digest", is_flag=True, help="Tell the content digest, too: that of `initcli digest PATH`.")
    @click.option("--strict", is_flag=True, help="Exit with 1 if a tensor's statistics do not agree with its law.")
    @takes_json
    @click.option("--quiet", is_flag=True, help="Print errors only; with --json also the JSON.")
    @functools.wraps(function)
    def gather(digest: bool, strict: bool, as_json: bool, quiet: bool, **rest: Any) -> Any:
        return function(reporting=Reporting(as_json, quiet, strict, digest), **rest)

    return gather
