"""Reading files that others wrote: whatever a library raises over a damaged or foreign file becomes one fault."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from initcli.errors import Fault, InitcliError, suggest
from initcli.files import translate


def read_start(path: Path, count: int) -> bytes:
    """Return the first `count` bytes of a finished regular file, which may be shorter."""
    with reading(path, "a weight file"), path.open("rb") as file:
        return file.read(count)


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Check that `path` is a regular file with something in it, then turn a library's complaint into one fault."""
    try:
        _check_file(path)
        yield
    except InitcliError:
        raise
    except OSError as error:
        if error.errno is None:
            raise _unreadable(path, kind, error) from error
        raise translate(error, path) from error
    except Exception as error:  # the libraries raise a dozen types over foreign bytes; the try bodies hold little else
        raise _unreadable(path, kind, error) from error


def missing_tensor(path: Path, name: str, known: Iterable[str]) -> InitcliError:
    """Return the error for a tensor that the file at `path` does not hold."""
    return InitcliError(
        Fault(f"`{path}` holds no tensor `{name}`", hint=suggest(name, known) or "`initcli inspect` shows the names")
    )


def _check_file(path: Path) -> None:
    """Raise an error unless `path` is a regular file that was finished; never open a pipe, which would block."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise InitcliError(Fault(f"`{path}` is a directory, not a weight file"))
    if not stat.S_ISREG(status.st_mode):
        raise InitcliError(Fault(f"`{path}` is not a regular file", hint="write it to a file first"))
    if status.st_size == 0:
        raise InitcliError(Fault(f"`{path}` is empty"))
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        start = os.pread(file, 8, 0)
    finally:
        os.close(file)
    if start == bytes(8):
        raise InitcliError(Fault(f"`{path}` was never finished: its first 8 bytes are zero", hint="generate it again"))


def _unreadable(path: Path, kind: str, error: Exception) -> InitcliError:
    """Return the error for bytes that `kind`'s library does not take, in the library's words."""
    lines = str(error).strip().splitlines()
    why = lines[0].removesuffix(".") if lines else type(error).__name__
    return InitcliError(
        Fault(f"`{path}` cannot be read as {kind}: {why}", hint="is the file whole, and of this format?")
    )
