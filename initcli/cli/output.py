"""Where a command writes weights: its options, and the format that they and the spec choose."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from initcli.cli.options import STREAM, Command
from initcli.errors import Fault, InitcliError

if TYPE_CHECKING:
    from initcli.formats import Format
    from initcli.plan import Plan


@dataclass(frozen=True)
class Output:
    """Where the weights go: a `path` or `-`, the name of a format if one was given, and whether it may be replaced.

    `max_shard_nbytes` makes shards; `config_path` is the file that becomes config.json beside them.
    """

    path: str
    format_name: str | None
    force: bool
    max_shard_nbytes: int | None = None
    config_path: str | None = None

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
        from initcli.staging import check_output

        chosen = self._choose_format(plan)
        check_format(plan, chosen)
        if not self.is_stream:
            check_output(chosen, Path(self.path), force=self.force)
        elif sys.stdout is None:
            raise InitcliError(Fault("standard output is closed", hint="name a file with `--out`"))
        elif sys.stdout.isatty():
            what = "`--out -` would write binary data to the terminal"
            raise InitcliError(Fault(what, hint="redirect standard output, or name a file with `--out`"))
        return chosen

    def _choose_format(self, plan: Plan) -> Format:
        """Return the format that the options choose, a checkpoint's with its config."""
        from pathlib import Path

        from initcli.formats.listing import choose_format, chooses_shards

        def find_config() -> bytes | None:
            from initcli.formats.model_config import read_config, render_config

            if self.config_path is not None:
                return read_config(Path(self.config_path))
            return None if plan.config is None else render_config(plan.config)

        if chooses_shards(self.path, self.format_name, self.max_shard_nbytes):
            from initcli.formats.sharded import Sharded

            return Sharded(self.max_shard_nbytes, find_config())
        chosen = choose_format(self.path, self.format_name, len(plan.tensors))
        if chosen.name == "keras":
            from initcli.formats.keras_archive import KerasArchive

            return KerasArchive(find_config())
        if chosen.name == "gguf":
            from initcli.formats.gguf import Gguf

            return Gguf(find_config() if self.config_path is not None else None)
        if self.config_path is not None:
            what = f"`--config` is a model's, and `--out {self.path}` holds none"
            hint = (
                "name a directory, with `--format safetensors` or `--max-shard-size 5GB`, a `.keras` or a `.gguf` file"
            )
            raise InitcliError(Fault(what, hint=hint))
        if chosen.name == "weights.json":
            from initcli.formats.keras_shards import KerasShards

            return KerasShards(self.max_shard_nbytes)
        return chosen


def takes_output(function: Command) -> Command:
    """Add --out, --format, --max-shard-size, --config and --force, handed over as `output`."""

    @click.option(
        "--out", required=True, metavar="PATH|-", help="File or directory to write, or - for standard output."
    )
    @click.option(
        "--format",
        "format_name",
        metavar="F",
        help="gguf, h5, keras-legacy-h5, msgpack, npy, npz, onnx, pt, safetensors or weights.json; "
        "by default PATH tells.",
    )
    @click.option(
        "--max-shard-size",
        "max_shard_nbytes",
        callback=parse_size,
        metavar="SIZE",
        help="Shards of at most this size, 5GB, 500MB, 2GiB: a directory for Hugging Face, or .weights.json for Keras.",
    )
    @click.option(
        "--config",
        "config_path",
        metavar="FILE",
        help="The model's config: config.json beside the shards, a part of .keras, the keys of .gguf.",
    )
    @click.option("--force", is_flag=True, help="Replace PATH if it exists.")
    @functools.wraps(function)
    def gather(
        out: str,
        format_name: str | None,
        force: bool,
        max_shard_nbytes: int | None,
        config_path: str | None,
        **rest: Any,
    ) -> Any:
        return function(output=Output(out, format_name, force, max_shard_nbytes, config_path), **rest)

    return gather


def parse_size(_context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Return the bytes of `5GB`."""
    if value is None:
        return None
    from initcli.units import parse_nbytes

    try:
        return parse_nbytes(value)
    except InitcliError as error:
        fault = error.faults[0]
        raise InitcliError(Fault(f"`{parameter.opts[0]}`: {fault.what}", hint=fault.hint)) from None
