"""Putting a checkpoint of several files in place, in a directory that may hold other files too.

A new directory is filled beside its place and renamed. In a directory that is there, shards take names that are free;
only when all of them are on the disk the index is replaced, in one step; then what it has made stale goes. Until that
step a reader finds the old checkpoint, and a run that ends before it takes back what it brought.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from initcli.errors import Fault, InitcliError
from initcli.files import translated
from initcli.formats import Format
from initcli.formats.shard_index import CONFIG, INDEX, SINGLE, name_shards, read_index, rename_shards
from initcli.formats.sharded import Sharded
from initcli.publish import (
    check_parent,
    check_target,
    make_beside,
    name_beside,
    read_status,
    remove,
    staged,
    sync,
    sync_tree,
)


@contextmanager
def staged_output(chosen: Format, target: Path, *, force: bool = False) -> Iterator[Path]:
    """Give a new, empty place for an output of the format `chosen`, and publish it when the block ends well.

    Raises:
        InitcliError: `check_output` refuses, before the block and again after it, or the file system fails.
    """
    if isinstance(chosen, Sharded):
        stage = staged_shards(target, force=force, config=chosen.config)
    else:
        stage = staged(target, force=force, directory=chosen.is_directory)
    with stage as path:
        yield path


def check_output(chosen: Format, target: Path, *, force: bool = False) -> None:
    """Raise an error if an output of the format `chosen` cannot appear at `target`; touch nothing."""
    if isinstance(chosen, Sharded):
        check_shards(target, force=force, config=chosen.config)
    else:
        check_target(target, force=force, directory=chosen.is_directory)


@contextmanager
def staged_shards(target: str | Path, *, force: bool = False, config: bytes | None = None) -> Iterator[Path]:
    """Give an empty directory to fill with a checkpoint, and publish its files in `target` when the block ends well."""
    check_shards(target, force=force, config=config)
    place = Path(os.path.realpath(target))
    with translated(place):
        temporary = _make_inside(place) if place.exists() else make_beside(place, directory=True)
        try:
            yield temporary
            sync_tree(temporary)
            check_shards(place, force=force, config=config)
            if place.exists():
                _Arrival(temporary, place, force).publish()
                remove(temporary)
            else:
                temporary.rename(place)
                sync(place.parent)
        except BaseException:
            remove(temporary)
            raise


def check_shards(target: str | Path, *, force: bool = False, config: bytes | None = None) -> None:
    """Raise an error if a checkpoint cannot appear in the directory `target`; touch nothing.

    Whatever is in it stays, but for an older checkpoint, and another config.json if there is a `config`: those are
    replaced with `force`.
    """
    if "\0" in os.fspath(target):
        raise InitcliError(Fault(f"the path {os.fspath(target)!r} contains a NUL"))
    place = Path(os.path.realpath(target))
    with translated(place):
        status = read_status(place)
        if status is None:
            check_parent(place.parent)
            return
        if not stat.S_ISDIR(status.st_mode):
            raise InitcliError(Fault(f"`{target}` is not a directory", hint="give the name of a new directory"))
        check_parent(place)
        for name in (SINGLE, INDEX, CONFIG):
            _check_member(Path(target, name), place / name, force, config)


def _check_member(shown: Path, member: Path, force: bool, config: bytes | None) -> None:
    """Raise an error if a file of these names is in the way of the new one."""
    if not os.path.lexists(member) or (member.name == CONFIG and config is None):
        return
    if member.is_dir():
        raise InitcliError(Fault(f"`{shown}` is a directory and stays", hint="give the name of a new directory"))
    if not force and not (member.name == CONFIG and _has_bytes(member, config)):
        raise InitcliError(Fault(f"`{shown}` exists already", hint="`--force` replaces the weights in a directory"))


def _has_bytes(path: Path, data: bytes | None) -> bool:
    """Tell whether a regular file holds just this."""
    return data is not None and path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data


def _make_inside(place: Path) -> Path:
    """Make a hidden directory in `place`, where files can be moved from in one step even if `place` is a mount."""
    temporary = name_beside(place / "model", "tmp")
    temporary.mkdir(0o700)
    return temporary


class _Arrival:
    """The files of `temporary`, all on the disk, on their way into the directory `place`."""

    def __init__(self, temporary: Path, place: Path, force: bool) -> None:
        self.temporary, self.place, self.force = temporary, place, force
        present = sorted(path.name for path in temporary.iterdir())
        self.shards = [] if SINGLE in present else [name for name in present if name not in (INDEX, CONFIG)]
        self.main, self.stale = (INDEX, SINGLE) if self.shards else (SINGLE, INDEX)
        self.has_config = CONFIG in present

    def publish(self) -> None:
        """Move the files in, make them what readers find, and remove the shards of the old index."""
        old = self._list_old()
        names = self._choose_names()
        with ExitStack() as undo:
            for shard, name in names.items():
                self._add(self.temporary / shard, self.place / name, undo)
            if self.has_config and not _has_bytes(self.place / CONFIG, (self.temporary / CONFIG).read_bytes()):
                self._exchange(CONFIG, undo)
            sync(self.place)
            self._exchange(self.main, undo)
            sync(self.place)
            (self.place / self.stale).unlink(missing_ok=True)
            undo.pop_all()
        for name in old - set(names.values()):
            with suppress(OSError):  # a shard that no index names is in nobody's way
                (self.place / name).unlink()
        sync(self.place)

    def _list_old(self) -> set[str]:
        """Return the shards of the index that is there; none if it cannot be read."""
        try:
            return set(read_index(self.place / INDEX).values()) - {SINGLE}
        except InitcliError:
            return set()

    def _choose_names(self) -> dict[str, str]:
        """Return a free name for each shard, and write these into the index."""
        taken = {name.casefold() for name in os.listdir(self.place)}  # noqa: PTH208, names are all that is wanted
        for edition in itertools.count(1):
            free = name_shards(len(self.shards), edition) if self.shards else []
            if not taken & set(free):
                break
        names = dict(zip(self.shards, free, strict=True))
        if edition > 1:
            index = self.temporary / INDEX
            index.write_bytes(rename_shards(index.read_bytes(), names))
            sync(index)
        return names

    def _add(self, new: Path, target: Path, undo: ExitStack) -> None:
        """Give a file a name that is free, in one step where there are hard links."""
        undo.callback(_take_back, target, new.stat())
        try:
            os.link(new, target)
        except FileExistsError:
            raise InitcliError(Fault(f"`{target}` exists already", hint="another program has just made it")) from None
        except (OSError, AttributeError):
            if os.path.lexists(target):
                raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
            new.rename(target)

    def _exchange(self, name: str, undo: ExitStack) -> None:
        """Put a file in the place of one that is there, or add it; what was there is kept until all is done."""
        new, target, kept = self.temporary / name, self.place / name, self.temporary / f".old.{name}"
        if not os.path.lexists(target) or not self.force:
            self._add(new, target, undo)
            return
        undo.callback(_put_back, kept, target)
        try:
            os.link(target, kept, follow_symlinks=False)
        except (OSError, AttributeError, NotImplementedError):
            target.rename(kept)
        if kept.is_file():
            new.chmod(stat.S_IMODE(kept.stat().st_mode) & 0o777)
        new.replace(target)


def _take_back(target: Path, status: os.stat_result) -> None:
    """Remove a file, if it is the one that was brought here."""
    with suppress(FileNotFoundError):
        if os.path.samestat(target.lstat(), status):
            target.unlink()


def _put_back(kept: Path, target: Path) -> None:
    """Give a file its place again, if it had been kept."""
    if os.path.lexists(kept):
        kept.replace(target)
