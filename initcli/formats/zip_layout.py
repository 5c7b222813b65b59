"""A zip archive as a layout: stored members, data at multiples of 64 bytes, and checksums behind the data.

A tensor's CRC-32 is known only when its bytes are, so it stands in a data descriptor behind them and in the central
directory at the end, as in the archives of `torch.save`: a pipe and a file get the same bytes. Without the directory,
which is written last, no reader opens the archive.

Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 to 4.5, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from initcli.checksums import combine_crc32
from initcli.files import preallocate
from initcli.formats import Layout, Seal, Slot

ALIGNMENT = 64
"""What the data's offsets are multiples of: a cache line, and what NumPy and torch align to."""
MAX_NAME_NBYTES = 65535
"""The longest name of a member in bytes: its length is 16 bits."""

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")

_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
"""What a count or a size is when the true one stands in a zip64 field of 64 bits."""
_VERSION, _VERSION64 = 20, 45
"""The version of the format, times ten, that a reader needs: without and with zip64."""
_UTF8, _DESCRIPTOR = 1 << 11, 1 << 3
"""Flags: the name is UTF-8; checksum and sizes stand behind the data."""
_DATE = (1 << 5) | 1
"""The date of every member: 1980-01-01, the first that there is."""
_ZIP64, _PADDING = 0x0001, 0x4246
"""Extra fields: 64-bit sizes, and the one that torch pads with, "FB"."""


@dataclass(frozen=True)
class Member:
    """A file of the archive: its name, the bytes it starts with, and the size of the tensor that follows, if one does.

    The tensors follow in their own order.
    """

    name: str
    start: bytes
    tensor_nbytes: int | None = None


@dataclass(frozen=True)
class _Placed:
    """A member whose local header, all before the data, stands at `offset`."""

    member: Member
    offset: int
    header: bytes

    @property
    def nbytes(self) -> int:
        return len(self.member.start) + (self.member.tensor_nbytes or 0)

    @property
    def stop(self) -> int:
        """Where the data ends."""
        return self.offset + len(self.header) + self.nbytes

    @property
    def tensor_offset(self) -> int:
        return self.offset + len(self.header) + len(self.member.start)

    def checksum(self, crc32: int) -> int:
        """Return the CRC-32 of the data, from that of the tensor."""
        return combine_crc32(zlib.crc32(self.member.start), crc32, self.member.tensor_nbytes or 0)

    def descriptor(self, crc32: int) -> bytes:
        """Return what stands behind the data: nothing if there is no tensor in it."""
        if self.member.tensor_nbytes is None:
            return b""
        return struct.pack("<4sLQQ" if self.nbytes >= _MAX32 else "<4sLLL", b"PK\7\10", crc32, self.nbytes, self.nbytes)


@dataclass(frozen=True)
class ZipTrailer:
    """The data descriptor behind each tensor, and the central directory behind all."""

    path: Path
    placed: tuple[_Placed, ...]
    tensors: tuple[_Placed, ...]

    def after(self, index: int, crc32: int) -> Seal:
        """Return the data descriptor of the tensor at `index`."""
        placed = self.tensors[index]
        return Seal(self.path, placed.descriptor(placed.checksum(crc32)), placed.stop)

    def last(self, crc32s: Sequence[int]) -> Seal:
        """Return the central directory and what ends it."""
        rest = iter(crc32s)
        return self.directory(
            [each.checksum(0 if each.member.tensor_nbytes is None else next(rest)) for each in self.placed]
        )

    def directory(self, checksums: Sequence[int]) -> Seal:
        """Return the central directory for members of these checksums."""
        start = self.placed[-1].stop + len(self.placed[-1].descriptor(0)) if self.placed else 0
        entries = b"".join(map(_render_entry, self.placed, checksums))
        return Seal(self.path, entries + _render_end(len(self.placed), start, len(entries)), start)


def lay_out_zip(members: Iterable[Member], path: Path) -> Layout:
    """Return the layout of the archive of these members, in their order."""
    return _lay_out(_place(members, path))


def allocate_zip(members: Iterable[Member], path: Path) -> Layout:
    """Reserve the whole archive, all zeros, and return its layout."""
    trailer = _place(members, path)
    end = trailer.directory([0] * len(trailer.placed))
    preallocate(path, end.offset + len(end.data))
    return _lay_out(trailer)


def _place(members: Iterable[Member], path: Path) -> ZipTrailer:
    """Put each member behind the one before it."""
    placed, offset = [], 0
    for member in members:
        each = _Placed(member, offset, _render_header(member, offset))
        placed.append(each)
        offset = each.stop + len(each.descriptor(0))
    tensors = tuple(each for each in placed if each.member.tensor_nbytes is not None)
    return ZipTrailer(path, tuple(placed), tensors)


def _lay_out(trailer: ZipTrailer) -> Layout:
    """Return the slots of the tensors, the seals of what is known of each member, and the trailer."""
    path = trailer.path
    return Layout(
        tuple(Slot(path, each.tensor_offset, each.member.tensor_nbytes or 0) for each in trailer.tensors),
        tuple(Seal(path, each.header + each.member.start, each.offset) for each in trailer.placed),
        trailer,
    )


def _render_header(member: Member, offset: int) -> bytes:
    """Return the local header, padded so that the data that follows is aligned."""
    name = member.name.encode()
    nbytes = len(member.start) + (member.tensor_nbytes or 0)
    flags, crc32, size = _UTF8 | _DESCRIPTOR, 0, 0
    if member.tensor_nbytes is None:
        flags, crc32, size = _UTF8, zlib.crc32(member.start), nbytes
    extra, version = b"", _VERSION
    if nbytes >= _MAX32:
        extra, version = struct.pack("<HHQQ", _ZIP64, 16, size, size), _VERSION64
        size = _MAX32
    room = -(offset + _LOCAL.size + len(name) + len(extra) + 4) % ALIGNMENT
    extra += struct.pack("<HH", _PADDING, room) + bytes(room)
    fields = (version, flags, 0, 0, _DATE, crc32, size, size, len(name), len(extra))
    return _LOCAL.pack(b"PK\3\4", *fields) + name + extra


def _render_entry(placed: _Placed, crc32: int) -> bytes:
    """Return the member's entry in the central directory."""
    name, nbytes, offset = placed.member.name.encode(), placed.nbytes, placed.offset
    flags = _UTF8 if placed.member.tensor_nbytes is None else _UTF8 | _DESCRIPTOR
    wide = ([nbytes, nbytes] if nbytes >= _MAX32 else []) + ([offset] if offset >= _MAX32 else [])
    extra = struct.pack(f"<HH{len(wide)}Q", _ZIP64, 8 * len(wide), *wide) if wide else b""
    version, size = _VERSION64 if wide else _VERSION, min(nbytes, _MAX32)
    fields = (version, version, flags, 0, 0, _DATE, crc32, size, size, len(name), len(extra), 0, 0, 0, 0)
    return _CENTRAL.pack(b"PK\1\2", *fields, min(offset, _MAX32)) + name + extra


def _render_end(count: int, start: int, nbytes: int) -> bytes:
    """Return what ends an archive whose central directory has `count` entries, `nbytes` from `start`."""
    end64 = b""
    if count >= _MAX16 or start >= _MAX32 or nbytes >= _MAX32:
        fields = (_END64.size - 12, _VERSION64, _VERSION64, 0, 0, count, count, nbytes, start)
        end64 = _END64.pack(b"PK\6\6", *fields) + _LOCATOR.pack(b"PK\6\7", 0, start + nbytes, 1)
    narrow = min(count, _MAX16)
    return end64 + _END.pack(b"PK\5\6", 0, 0, narrow, narrow, min(nbytes, _MAX32), min(start, _MAX32), 0)
