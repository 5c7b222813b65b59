"""Putting outputs of several files in place, in a directory that may hold other files too.

A checkpoint is a directory: a new one is filled beside its place and renamed; in one that is there its files arrive
beside the others. The members of an index that is a file always arrive beside others.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from initcli.arrival import Arrival, make_hidden
from initcli.errors import Fault, InitcliError
from initcli.files import translated
from initcli.formats import IndexedFormat
from initcli.formats.shard_index import CONFIG, INDEX, SINGLE, name_shards, read_index, rename_shards
from initcli.publish import (
    check_parent,
    check_target,
    make_beside,
    read_status,
    remove,
    sync,
    sync_tree,
)

# An index with its members beside it


@contextmanager
def staged_index(chosen: IndexedFormat, target: Path, *, force: bool = False) -> Iterator[tuple[IndexedFormat, Path]]:
    """Give an edition of the format and an empty file in a directory of its own, and publish all that comes into it."""
    check_index(chosen, target, force=force)
    place = _find_place(target)
    with translated(place):
        temporary = make_hidden(place)
        try:
            edition = _choose_edition(chosen, place)
            (temporary / place.name).touch()
            yield edition, temporary / place.name
            sync_tree(temporary)
            check_index(chosen, target, force=force)
            _bring_index(edition, temporary, place, force).publish()
        finally:
            remove(temporary)


def check_index(chosen: IndexedFormat, target: Path, *, force: bool = False) -> None:
    """Raise an error if an index cannot appear at `target`, or a file that clients open with it beside it."""
    check_target(target, force=force)
    place = _find_place(target)
    with translated(place):
        check_parent(place.parent)
        if place.is_symlink() and not force:
            raise InitcliError(Fault(f"`{target}` exists already", hint="`--force` replaces it"))
        entrance = chosen.name_entrance(place)
        if entrance is None or not os.path.lexists(place.with_name(entrance)):
            return
        shown = target.with_name(entrance)
        if place.with_name(entrance).is_dir():
            raise InitcliError(Fault(f"`{shown}` is a directory and stays", hint="give another name"))
        if not force:
            what = f"`{shown}` exists already, which whoever reads `{target}` opens too"
            raise InitcliError(Fault(what, hint="`--force` replaces both"))


def _find_place(target: Path) -> Path:
    """Return where the index stands: a link of its name is replaced itself, for the members are beside that."""
    return Path(os.path.realpath(target.parent), target.name)


def _choose_edition(chosen: IndexedFormat, place: Path) -> IndexedFormat:
    """Return the first edition of which no member is there."""
    taken = os.listdir(place.parent)  # noqa: PTH208, names are all that is wanted
    editions = (chosen.with_edition(number) for number in itertools.count(1))
    return next(each for each in editions if not any(each.is_member(place, name) for name in taken))


def _bring_index(edition: IndexedFormat, temporary: Path, place: Path, force: bool) -> Arrival:
    """Return how an index and its members arrive."""
    try:
        old = set(edition.list_members(place))
    except InitcliError:
        old = set()
    names = {path.name for path in temporary.iterdir()} - {place.name}
    behind = names - {name for name in names if edition.is_member(place, name)}
    members = {name: name for name in sorted(names - behind)}
    return Arrival(temporary, place.parent, force, members, place.name, behind=sorted(behind), old=old)


# A directory of Hugging Face's


@contextmanager
def staged_shards(target: str | Path, *, force: bool = False, config: bytes | None = None) -> Iterator[Path]:
    """Give an empty directory to fill with a checkpoint, and publish its files in `target` when the block ends well."""
    check_shards(target, force=force, config=config)
    place = Path(os.path.realpath(target))
    with translated(place):
        temporary = make_hidden(place / "model") if place.exists() else make_beside(place, directory=True)
        try:
            yield temporary
            sync_tree(temporary)
            check_shards(place, force=force, config=config)
            if place.exists():
                _bring_shards(temporary, place, force).publish()
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


def _bring_shards(temporary: Path, place: Path, force: bool) -> Arrival:
    """Return how a checkpoint arrives: one file or an index makes the other stale, and shards have free names."""
    present = sorted(path.name for path in temporary.iterdir())
    is_single = SINGLE in present
    shards = [] if is_single else [name for name in present if name not in (INDEX, CONFIG)]
    try:
        old = set(read_index(place / INDEX).values()) - {SINGLE}
    except InitcliError:
        old = set()
    is_new = CONFIG in present and not _has_bytes(place / CONFIG, (temporary / CONFIG).read_bytes())
    return Arrival(
        temporary,
        place,
        force,
        _choose_names(shards, temporary, place),
        SINGLE if is_single else INDEX,
        before=[CONFIG] if is_new else [],
        stale=[INDEX if is_single else SINGLE],
        old=old,
    )


def _choose_names(shards: list[str], temporary: Path, place: Path) -> dict[str, str]:
    """Return a free name for each shard, and write these into the index."""
    taken = {name.casefold() for name in os.listdir(place)}  # noqa: PTH208, names are all that is wanted
    for edition in itertools.count(1):
        free = name_shards(len(shards), edition) if shards else []
        if not taken & set(free):
            break
    names = dict(zip(shards, free, strict=True))
    if edition > 1:
        index = temporary / INDEX
        index.write_bytes(rename_shards(index.read_bytes(), names))
        sync(index)
    return names
