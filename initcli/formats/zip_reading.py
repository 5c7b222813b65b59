"""Reading zip archives that others wrote: stored members only, in place, each apart from all others.

The central directory is `zipfile`'s to parse. Nothing is unpacked: a member is a range of the file, mapped into memory,
so an archive can claim no more than its own length.
"""

from __future__ import annotations

import io
import mmap
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from initcli.errors import Fault, InitcliError

MAGICS = (b"PK\3\4", b"PK\5\6")
"""What an archive starts with: a member, or its end if there is none."""
MAX_DIRECTORY_NBYTES = 100_000_000
"""The longest central directory that is read: a million members of long names."""
BLOCK_NBYTES = 1 << 22
"""What is read at once to compare a checksum; of a larger member not even the map of the file is all in memory."""

_LOCAL = struct.Struct("<4s22x2H")
_ENCRYPTED = 1


class Record(NamedTuple):
    """A member's data: bytes [start, stop) of the file, and their CRC-32."""

    start: int
    stop: int
    crc32: int


@dataclass
class Archive:
    """An open archive: its `data`, the whole file, and its members' records by name."""

    path: Path
    data: mmap.mmap
    records: dict[str, Record]
    _checked: set[str] = field(default_factory=set)

    def check(self, name: str) -> None:
        """Raise an error unless the member's data has the CRC-32 that the directory tells."""
        if name in self._checked:
            return
        record = self.records[name]
        if self._measure_crc32(record.start, record.stop) != record.crc32:
            raise InitcliError(
                Fault(f"`{self.path}` is damaged: `{name}` has a bad CRC-32", hint="generate or download it again")
            )
        self._checked.add(name)

    def _measure_crc32(self, start: int, stop: int) -> int:
        """Return the CRC-32 of the bytes [start, stop)."""
        if stop - start <= BLOCK_NBYTES:
            return zlib.crc32(self.data[start:stop])
        crc32 = 0
        with self.path.open("rb", buffering=0) as file:
            file.seek(start)
            while start < stop and (block := file.read(min(BLOCK_NBYTES, stop - start))):
                crc32, start = zlib.crc32(block, crc32), start + len(block)
        return crc32

    def read(self, name: str, limit: int) -> bytes:
        """Return the checked data of a small member, of at most `limit` bytes."""
        record = self.records[name]
        if record.stop - record.start > limit:
            raise ValueError(f"`{name}` is larger than {limit:,} bytes")
        self.check(name)
        return self.data[record.start : record.stop]


def open_archive(path: Path) -> Archive:
    """Map the archive at `path` and find its members.

    Raises:
        InitcliError: a member is compressed.
        ValueError: members overlap, lie outside, are encrypted, or have a name twice or one that leads out.
        zipfile.BadZipFile: it is no archive.
    """
    with _Directory(path) as file, zipfile.ZipFile(file) as archive:
        members, end = archive.infolist(), archive.start_dir
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    records: dict[str, Record] = {}
    taken = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        _check_member(member, path)
        if member.filename in records:
            raise ValueError(f"two members are called {member.filename!r}")
        record = _locate(member, data)
        if member.header_offset < taken or record.stop > end:
            raise ValueError(f"{member.filename!r} lies over another member or outside")
        records[member.filename], taken = record, record.stop
    return Archive(path, data, records)


class _Directory(io.FileIO):
    """A file of which no more is read at once than a central directory may be long."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY_NBYTES:
            raise ValueError(f"its directory is larger than {MAX_DIRECTORY_NBYTES:,} bytes")
        return super().read(size) or b""


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    """Raise an error unless the member is stored as it is, under a name that stays inside."""
    name = member.filename
    if member.compress_type != zipfile.ZIP_STORED:
        what = f"`{path}` is compressed, and initcli reads only stored members"
        raise InitcliError(
            Fault(what, hint="write it again without compression: `np.savez`, not `np.savez_compressed`")
        )
    if member.flag_bits & _ENCRYPTED or member.compress_size != member.file_size:
        raise ValueError(f"{name!r} is not stored as it is")
    if name.startswith("/") or ".." in name.split("/"):
        raise ValueError(f"the name {name!r} leads out of the archive")


def _locate(member: zipfile.ZipInfo, data: mmap.mmap) -> Record:
    """Return where the member's data is, behind its local header."""
    start = member.header_offset
    header = data[start : start + _LOCAL.size] if start >= 0 else b""
    if len(header) < _LOCAL.size or not header.startswith(MAGICS[0]):
        raise ValueError(f"{member.filename!r} has no local header")
    _, name_nbytes, extra_nbytes = _LOCAL.unpack(header)
    start += _LOCAL.size + name_nbytes + extra_nbytes
    return Record(start, start + member.file_size, member.CRC)
