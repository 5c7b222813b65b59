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
from typing import Any, BinaryIO

import numpy as np

from initcli.errors import Fault, InitcliError
from initcli.units import render_nbytes

MAX_FILE_NBYTES = 2**63 - 1
"""The longest a file can be: offsets are signed 64-bit integers."""


@contextmanager
def staged(target: str | Path, *, force: bool = False, directory: bool = False) -> Iterator[Path]:
    """Give a new, empty file (or directory) to fill, and publish it as `target` when the block ends well.

    A symbolic link at `target` stays one; what it points to is replaced. On any exception the temporary is removed.

    Raises:
        InitcliError: `check_target` refuses, before the block and again after it, or the file system fails.
    """
    check_target(target, force=force, directory=directory)
    place = Path(os.path.realpath(target))
    with _translated(place):
        temporary = _make_beside(place, directory)
        try:
            yield temporary
            _sync_tree(temporary)
            check_target(place, force=force, directory=directory)
            _rename(temporary, place)
        except BaseException:
            _remove(temporary)
            raise


def check_target(target: str | Path, *, force: bool = False, directory: bool = False) -> None:
    """Raise an error if a file (or directory) cannot appear at `target`; touch nothing.

    Only a regular file is replaced by a file, and a directory of .npy files by a directory, both with `force`.
    """
    if "\0" in os.fspath(target):
        raise InitcliError(Fault(f"the path {os.fspath(target)!r} contains a NUL"))
    place = Path(os.path.realpath(target))
    with _translated(place):
        status = _read_status(place)
        if status is not None:
            (_check_directory if directory else _check_file)(target, place, status, force)
        _check_parent(place.parent)


def preallocate(path: Path, nbytes: int) -> None:
    """Give the file at `path` its final length and the blocks for it, so that a full disk is known now.

    Where the platform or the file system cannot reserve blocks, the file only gets its length.

    Raises:
        InitcliError: the disk is full, or the file would be too large.
    """
    try:
        if nbytes > MAX_FILE_NBYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        with path.open("ab") as file:
            file.truncate(nbytes)
            _reserve(file, nbytes)
    except OSError as error:
        raise translate(error, path, nbytes) from error


def _reserve(file: BinaryIO, nbytes: int) -> None:
    """Reserve a file's blocks where that can be done; where there are too few, give back those that were taken."""
    try:
        if nbytes and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, nbytes)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            file.truncate(0)  # or the free space that the message tells would not be what there is
            raise


def write_at(file: int | Path, data: bytes | memoryview | np.ndarray[Any, Any], offset: int) -> None:
    """Write all of the C-contiguous `data` at `offset`; one system call may take less than it is given.

    Raises:
        OSError: as the system gives it; `staged` and `translate` put it in words.
    """
    if isinstance(file, Path):
        with file.open("r+b", buffering=0) as opened:
            write_at(opened.fileno(), data, offset)
        return
    rest = (data.reshape(-1).view(np.uint8).data if isinstance(data, np.ndarray) else memoryview(data)).cast("B")
    while rest.nbytes:
        count = os.pwrite(file, rest, offset)
        rest, offset = rest[count:], offset + count


def translate(error: OSError, path: str | Path, needed_nbytes: int = 0) -> InitcliError:
    """Return what the system's `error` means for `path`, where `needed_nbytes` were asked for (0: unknown)."""
    named = error.filename2 or error.filename  # of a rename, the new name
    path = Path(os.fsdecode(named)) if isinstance(named, str | bytes) else Path(path)
    needed = f"needed {render_nbytes(needed_nbytes)}, " if needed_nbytes else ""
    match error.errno:
        case errno.ENOSPC:
            mount = _find_mount(path)
            import shutil

            free = render_nbytes(shutil.disk_usage(mount).free)
            what, hint = f"disk full: {needed}{free} free at `{mount}`", "free space, or write to another disk"
        case errno.EDQUOT:
            what = f"quota used up: {needed}no more is allowed at `{_find_mount(path)}`"
            hint = "`quota` shows the limit; or write to another disk"
        case errno.EFBIG:
            import resource

            limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
            if limit == resource.RLIM_INFINITY:
                what = f"file too large: {needed}and the file system at `{_find_mount(path)}` takes no such file"
                hint = "write to another file system, or make the model smaller"
            else:
                what = f"file too large: {needed}and the limit of this shell is {render_nbytes(limit)}"
                hint = "`ulimit -f` shows and sets it"
        case number:
            what, hint = _describe(number, path, error)
    return InitcliError(Fault(what, hint=hint))


def _describe(number: int | None, path: Path, error: OSError) -> tuple[str, str]:
    """Return what is wrong and a way out for the errors that need no figures."""
    who_may = "`ls -ld` shows who may; or use another directory"
    known = {
        errno.EROFS: (f"`{path}` is on a read-only file system", "write to another directory"),
        errno.EACCES: (f"no permission for `{path}`", who_may),
        errno.EPERM: (f"no permission for `{path}`", who_may),
        errno.ENOENT: (f"`{path}` does not exist", ""),
        errno.ENOTDIR: (f"a part of the path `{path}` is not a directory", ""),
        errno.EEXIST: (f"`{path}` exists already", "a file system that ignores case holds one of `A` and `a`"),
        errno.ENAMETOOLONG: (f"the name `{path.name}` is too long for its file system", "use a shorter one"),
        errno.ELOOP: (f"`{path}` is a symbolic link that leads to itself", ""),
        errno.EBUSY: (f"`{path}` is in use and cannot be replaced", "a mounted file or directory cannot be renamed"),
    }
    return known.get(number or 0, (f"`{path}`: {error.strerror or error}", ""))


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Put the system's errors in words; a reader who left (`BrokenPipeError`) is no fault of the file."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise translate(error, path) from error


def _read_status(place: Path) -> os.stat_result | None:
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


def _check_parent(parent: Path) -> None:
    """Raise an error unless files can be made in `parent`."""
    if not parent.exists():
        import shlex

        hint = f"`mkdir -p {shlex.quote(str(parent))}` makes it"
        raise InitcliError(Fault(f"the directory `{parent}` does not exist", hint=hint))
    if not os.access(parent, os.W_OK | os.X_OK):
        number = errno.EROFS if os.statvfs(parent).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(number, os.strerror(number), str(parent))


def _name_beside(place: Path, role: str) -> Path:
    """Return an unused hidden name beside `place`: at most 4 × 48 bytes of its own, so that 255 are enough."""
    return place.with_name(f".{place.name[:48]}.{role}-{os.urandom(6).hex()}")


def _make_beside(place: Path, directory: bool) -> Path:
    """Make the empty temporary, readable to whom the umask allows, or to whom the replaced file allowed."""
    temporary = _name_beside(place, "tmp")
    old = _read_status(place)
    mode = (0o777 if directory else 0o666) if old is None else stat.S_IMODE(old.st_mode) & 0o777 | stat.S_IRWXU
    if directory:
        temporary.mkdir(mode)
    else:
        os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode))
    return temporary


def _rename(temporary: Path, place: Path) -> None:
    """Give the finished temporary the name and the mode of what it replaces; an old directory steps aside first."""
    old = _read_status(place)
    if old is not None:
        temporary.chmod(stat.S_IMODE(old.st_mode) & 0o777)
    if old is None or stat.S_ISREG(old.st_mode) or not any(place.iterdir()):
        temporary.replace(place)
        _sync(place.parent)
        return
    aside = _name_beside(place, "old")
    try:
        place.rename(aside)
        temporary.rename(place)
    except BaseException:
        if aside.exists() and not place.exists():
            aside.rename(place)
        raise
    _sync(place.parent)
    _remove_tree(aside)


def _sync_tree(path: Path) -> None:
    """Force a file, or every file and directory below and including `path`, to the disk."""
    if path.is_dir():
        for child in path.iterdir():
            _sync_tree(child)
    _sync(path)


def _sync(path: Path) -> None:
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


def _remove(temporary: Path) -> None:
    """Remove what was made, if it is still there; the error on its way matters more than one here."""
    with suppress(OSError):
        if temporary.is_dir():
            _remove_tree(temporary)
        else:
            temporary.unlink()


def _find_mount(path: Path) -> Path:
    """Return the place where the disk that holds `path` is mounted: it is there whatever else is not."""
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.is_mount())
