"""Files on their way into a directory where others are: what a reader goes by is put in place last, in one step.

Members take names that are free; only when all of them are on the disk the index that names them is replaced; then what
it has made stale goes. Until that step a reader finds the old files, and a run that ends before it takes back what it
brought.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from initcli.errors import Fault, InitcliError
from initcli.publish import name_beside, sync


@dataclass(frozen=True)
class Arrival:
    """Files of `temporary`, all on the disk, on their way into the directory `place`.

    `members` are their names in `temporary`, each with one that is free in `place`. `index` is what readers go by.
    With `force` it, and the files `before` and `behind` it, may take the place of others; each keeps its name. What is
    `stale` beside the new index would mislead readers; the `old` members are in nobody's way.
    """

    temporary: Path
    place: Path
    force: bool
    members: Mapping[str, str]
    index: str
    before: Sequence[str] = ()
    behind: Sequence[str] = ()
    stale: Sequence[str] = ()
    old: AbstractSet[str] = field(default_factory=frozenset)

    def publish(self) -> None:
        """Move the files in, make them what readers find, and remove the old members."""
        with ExitStack() as undo:
            for member, name in self.members.items():
                self._add(self.temporary / member, self.place / name, undo)
            for name in self.before:
                self._exchange(name, undo)
            sync(self.place)
            self._exchange(self.index, undo)
            sync(self.place)
            for name in self.behind:
                self._exchange(name, undo)
            for name in self.stale:
                (self.place / name).unlink(missing_ok=True)
            undo.pop_all()
        for name in self.old - {*self.members.values(), *self.behind}:
            with suppress(OSError):  # a member that no index names is in nobody's way
                (self.place / name).unlink()
        sync(self.place)

    def _add(self, new: Path, target: Path, undo: ExitStack) -> None:
        """Give a file a name that is free, in one step where there are hard links."""
        undo.callback(_take_back, target, new.stat())
        try:
            os.link(new, target)
            new.unlink()  # onnx reads no data that has two names
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


def make_hidden(beside: Path) -> Path:
    """Make a hidden directory `beside` a path, whence files can be moved in one step even if all there is a mount."""
    temporary = name_beside(beside, "tmp")
    temporary.mkdir(0o700)
    return temporary


def _take_back(target: Path, status: os.stat_result) -> None:
    """Remove a file, if it is the one that was brought here."""
    with suppress(FileNotFoundError):
        if os.path.samestat(target.lstat(), status):
            target.unlink()


def _put_back(kept: Path, target: Path) -> None:
    """Give a file its place again, if it had been kept."""
    if os.path.lexists(kept):
        kept.replace(target)
