"""Putting finished files in place: a file appears whole or not at all, and a full disk is an error that says so.

The output grows under a temporary name beside its target, is forced to the disk, and takes the target's name in one
rename; whatever goes wrong before that leaves the target as it was.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from initcli.errors import Fault, InitcliError
from initcli.files import translated


@contextmanager
def staged(target: str | Path, *, force: bool = False, directory: bool = False) -> Iterator[Path]:
    """Give a new, empty file (or directory) to fill, and publish it as `target` when the block ends well.

    A symbolic link at `target` stays one; what it points to is replaced. On any exception the temporary is removed.

    Raises:
        InitcliError: `check_target` refuses, before the block and again after it, or the file system fails.
    """
    check_target(target, force=force, directory=directory)
    place = Path(os.path.realpath(target))
    with translated(place):
        temporary = make_beside(place, directory)
        try:
            yield temporary
            sync_tree(temporary)
            check_target(place, force=force, directory=directory)
            if force or directory or not _link(temporary, place):
                _rename(temporary, place)
        except BaseException:
            remove(temporary)
            raise


def check_target(target: str | Path, *, force: bool = False, directory: bool = False) -> None:
    """Raise an error if a file (or directory) cannot appear at `target`; touch nothing.

    Only a regular file is replaced by a file, and a directory of .npy files by a directory, both with `force`.
    """
    if "\0" in os.fspath(target):
        raise InitcliError(Fault(f"the path {os.fspath(target)!r} contains a NUL"))
    place = Path(os.path.realpath(target))
    with translated(place):
        status = read_status(place)
        if status is not None:
            (_check_directory if directory else _check_file)(target, place, status, force)
        check_parent(place.parent)


def read_status(place: Path) -> os.stat_result | None:
    """Return what stands at `place`, or nothing; `Path.exists` would call a link to itself nothing."""
    with suppress(FileNotFoundError):
        return place.stat()
    return None


def _check_file(target: str | Path, _place: Path, status: os.stat_result, force: bool) -> None:
    """Raise an error unless what stands at `target` is a regular file that may be replaced."""
    if stat.S_ISDIR(status.st_mode):
        raise InitcliError(Fault(f"`{target}` is a directory", hint="give the name of a file in it"))
    if not stat.S_ISREG(status.st_mode):
        raise InitcliError(Fault(f"`{target}` is not a regular file and stays", hint="`--out -` is standard output"))
    if not force:
        raise InitcliError(Fault(f"`{target}` exists already", hint="`--force` replaces it"))


def _check_directory(target: str | Path, place: Path, status: os.stat_result, force: bool) -> None:
    """Raise an error unless what stands at `target` is an empty directory, or one of .npy files that may go."""
    if not stat.S_ISDIR(status.st_mode):
        raise InitcliError(Fault(f"`{target}` is not a directory", hint="give the name of a new directory"))
    if not any(place.iterdir()):
        return
    if (foreign := _find_foreign(place)) is not None:
        what = f"`{target}` is not a directory of .npy files: it holds `{foreign.relative_to(place)}`"
        raise InitcliError(Fault(what, hint="give the name of a new directory"))
    if not force:
        raise InitcliError(Fault(f"`{target}` exists already and is not empty", hint="`--force` replaces it"))


def _find_foreign(folder: Path) -> Path | None:
    """Return something below `folder` that is neither a directory nor a regular .npy file, if there is any."""
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if not stat.S_ISDIR(mode) and not (stat.S_ISREG(mode) and path.name.endswith(".npy")):
            return path
    return None


def check_parent(parent: Path) -> None:
    """Raise an error unless files can be made in `parent`."""
    if not parent.exists():
        import shlex

        hint = f"`mkdir -p {shlex.quote(str(parent))}` makes it"
        raise InitcliError(Fault(f"the directory `{parent}` does not exist", hint=hint))
    if not os.access(parent, os.W_OK | os.X_OK):
        number = errno.EROFS if os.statvfs(parent).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(number, os.strerror(number), str(parent))


def name_beside(place: Path, role: str) -> Path:
    """Return an unused hidden name beside `place`: at most 4 × 48 bytes of its own, so that 255 are enough."""
    return place.with_name(f".{place.name[:48]}.{role}-{os.urandom(6).hex()}")


def make_beside(place: Path, directory: bool) -> Path:
    """Make the empty temporary, readable to whom the umask allows, or to whom the replaced file allowed."""
    temporary = name_beside(place, "tmp")
    old = read_status(place)
    mode = (0o777 if directory else 0o666) if old is None else stat.S_IMODE(old.st_mode) & 0o777 | stat.S_IRWXU
    if directory:
        temporary.mkdir(mode)
    else:
        os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode))
    return temporary


def _link(temporary: Path, place: Path) -> bool:
    """Give the finished file its name if that is still free, in one step; False where there are no hard links.

    A rename would replace a file that another program has made since the check; a link refuses to.
    """
    try:
        os.link(temporary, place)
    except FileExistsError:
        raise InitcliError(Fault(f"`{place}` exists already", hint="`--force` replaces it")) from None
    except (OSError, AttributeError):
        return False
    temporary.unlink()
    sync(place.parent)
    return True


def _rename(temporary: Path, place: Path) -> None:
    """Give the finished temporary the name and the mode of what it replaces; an old directory steps aside first."""
    old = read_status(place)
    if old is not None:
        temporary.chmod(stat.S_IMODE(old.st_mode) & 0o777)
    if old is None or stat.S_ISREG(old.st_mode) or not any(place.iterdir()):
        temporary.replace(place)
        sync(place.parent)
        return
    aside = name_beside(place, "old")
    try:
        place.rename(aside)
        temporary.rename(place)
    except BaseException:
        if aside.exists() and not place.exists():
            aside.rename(place)
        raise
    sync(place.parent)
    _remove_tree(aside)


def sync_tree(path: Path) -> None:
    """Force a file, or every file and directory below and including `path`, to the disk."""
    if path.is_dir():
        for child in path.iterdir():
            sync_tree(child)
    sync(path)


def sync(path: Path) -> None:
    """Force a file, or a directory's names where its file system knows how, to the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    except OSError as error:
        if not (path.is_dir() and error.errno in (errno.EINVAL, errno.EOPNOTSUPP)):
            raise
    finally:
        os.close(file)


def _remove_tree(path: Path) -> None:
    import shutil

    shutil.rmtree(path)


def remove(temporary: Path) -> None:
    """Remove what was made, if it is still there; the error on its way matters more than one here."""
    with suppress(OSError):
        if temporary.is_dir():
            _remove_tree(temporary)
        else:
            temporary.unlink()
