"""Where an output is made, and how it comes into its place: by its format, of which most are one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from initcli.formats import Format, IndexedFormat
from initcli.publish import check_target, staged

if TYPE_CHECKING:
    from initcli.formats.sharded import Sharded


@contextmanager
def staged_output(chosen: Format, target: Path, *, force: bool = False) -> Iterator[tuple[Format, Path]]:
    """Give the format and a new, empty place for its output, and publish that when the block ends well.

    The format is `chosen`, but that the members of an index have names that are free beside the target.

    Raises:
        InitcliError: `check_output` refuses, before the block and again after it, or the file system fails.
    """
    if isinstance(chosen, IndexedFormat):
        from initcli.publish_shards import staged_index

        with staged_index(chosen, target, force=force) as (edition, path):
            yield edition, path
    elif _is_checkpoint(chosen):
        from initcli.publish_shards import staged_shards

        with staged_shards(target, force=force, config=chosen.config) as path:
            yield chosen, path
    else:
        with staged(target, force=force, directory=chosen.is_directory) as path:
            yield chosen, path


def check_output(chosen: Format, target: Path, *, force: bool = False) -> None:
    """Raise an error if an output of the format `chosen` cannot appear at `target`; touch nothing."""
    if isinstance(chosen, IndexedFormat):
        from initcli.publish_shards import check_index

        check_index(chosen, target, force=force)
    elif _is_checkpoint(chosen):
        from initcli.publish_shards import check_shards

        check_shards(target, force=force, config=chosen.config)
    else:
        check_target(target, force=force, directory=chosen.is_directory)


def _is_checkpoint(chosen: Format) -> TypeGuard[Sharded]:
    """Tell whether the output is a checkpoint of Hugging Face; what is one file is not asked what that is."""
    if not chosen.is_directory:
        return False
    from initcli.formats.sharded import Sharded

    return isinstance(chosen, Sharded)
