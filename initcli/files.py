"""Files as the system gives them: room reserved at once, writing in place, and the system's errors in words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from initcli.errors import Fault, InitcliError
from initcli.units import render_nbytes

MAX_FILE_NBYTES = 2**63 - 1
"""The longest a file can be: offsets are signed 64-bit integers."""


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
def translated(path: Path) -> Iterator[None]:
    """Put the system's errors in words; a reader who left (`BrokenPipeError`) is no fault of the file."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise translate(error, path) from error


def _find_mount(path: Path) -> Path:
    """Return the place where the disk that holds `path` is mounted: it is there whatever else is not."""
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.is_mount())
