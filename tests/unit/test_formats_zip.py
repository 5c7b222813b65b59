"""The zip layout that `.npz` and `.pt` share: the bytes that PKWARE's note asks for, and archives that lie."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from initcli.engine import generate_file, generate_stream, list_seals
from initcli.errors import InitcliError
from initcli.files import write_at
from initcli.formats import zip_reading
from initcli.formats.listing import choose_format
from initcli.formats.npz import npz
from initcli.formats.reading import reading
from initcli.formats.weights import open_weights
from initcli.formats.zip_layout import Member, allocate_zip, lay_out_zip
from initcli.formats.zip_reading import MAX_DIRECTORY_NBYTES, open_archive
from initcli.resolution import load_plan

SPEC = b"""\
initcli: 1
seed: 3
tensors:
  before: {shape: [0], init: zeros}
  wide: {shape: [700, 1000], init: he_normal}
  empty/one: {shape: [0, 2], init: zeros}
  empty/two: {shape: [2, 0], init: zeros, dtype: int8}
  count: {shape: [], init: zeros, dtype: int64}
  after: {shape: [3, 0], init: zeros}
"""
GIB = 1 << 30


def write_archive(path: Path, tensors: list[bytes], small: bytes = b"small") -> Path:
    """An archive as the engine would write it: a small member, and one for each tensor."""
    path.touch()
    members = [Member("small", small), *(Member(f"t/{i}", b"head", len(data)) for i, data in enumerate(tensors))]
    layout = allocate_zip(members, path)
    for slot, data in zip(layout.slots, tensors, strict=True):
        write_at(path, data, slot.offset)
    for seal in list_seals(layout, list(map(zlib.crc32, tensors))):
        write_at(path, seal.data, seal.offset)
    return path


def test_zipfile_finds_every_member_and_its_checksum(tmp_path):
    """Python's own reader agrees with names, sizes, dates and checksums, also of a tensor without bytes."""
    path = write_archive(tmp_path / "a.zip", [b"one", b"", bytes(1000)])

    with zipfile.ZipFile(path) as archive:
        found = {member.filename: archive.read(member) for member in archive.infolist()}
        dates = {member.date_time for member in archive.infolist()}
        damaged = archive.testzip()

    assert found == {"small": b"small", "t/0": b"headone", "t/1": b"head", "t/2": b"head" + bytes(1000)}
    assert dates == {(1980, 1, 1, 0, 0, 0)}
    assert damaged is None


def test_data_stands_at_multiples_of_64(tmp_path):
    """Whatever the name's length, so that a map of the file is aligned for every element type."""
    members = [Member("n" * length, b"", 3) for length in range(1, 150)]

    layout = lay_out_zip(members, tmp_path / "a.zip")

    assert {slot.offset % 64 for slot in layout.slots} == {0}


def test_small_members_know_their_checksum_and_tensors_have_it_behind_them(tmp_path):
    """Flag bit 3 is set for tensors alone, and their descriptor is the note's: signature, CRC-32, two sizes."""
    data = (path := write_archive(tmp_path / "a.zip", [b"one"])).read_bytes()

    with zipfile.ZipFile(path) as archive:
        flags = {member.filename: member.flag_bits for member in archive.infolist()}
    start = data.index(b"headone")

    assert flags == {"small": 0x800, "t/0": 0x808}
    assert data[start + 7 : start + 23] == struct.pack("<4sLLL", b"PK\x07\x08", zlib.crc32(b"headone"), 7, 7)
    assert struct.unpack_from("<L", data, 14) == (zlib.crc32(b"small"),)


@pytest.mark.parametrize("nbytes", [0xFFFFFFFE, 0xFFFFFFFF, 0x100000000, 5 * GIB])
def test_sizes_and_offsets_beyond_32_bits_are_zip64(tmp_path, nbytes):
    """A sparse file with a member before and behind the limit: `zipfile` finds sizes and offsets to the byte."""
    path = tmp_path / "a.zip"
    members = [Member("large", b"", nbytes), Member("behind", b"", 3)]
    layout = lay_out_zip(members, path)
    path.touch()
    for seal in list_seals(layout, [0, zlib.crc32(b"end")]):
        write_at(path, seal.data, seal.offset)
    write_at(path, b"end", layout.slots[1].offset)

    with zipfile.ZipFile(path) as archive:
        sizes = {member.filename: (member.file_size, member.compress_size) for member in archive.infolist()}
        behind = archive.read("behind")

    assert sizes == {"large": (nbytes, nbytes), "behind": (3, 3)}
    assert behind == b"end"
    descriptor = struct.pack("<4sLQQ" if nbytes >= 0xFFFFFFFF else "<4sLLL", b"PK\x07\x08", 0, nbytes, nbytes)
    assert layout.trailer.after(0, 0).data[8:] == descriptor[8:]
    assert open_archive(path).records["behind"].stop - open_archive(path).records["behind"].start == 3


@pytest.mark.parametrize("count", [65534, 65535, 65536])
def test_more_members_than_16_bits_count_are_zip64(tmp_path, count):
    """`zipfile` finds them all, and so does our reader."""
    path = write_archive(tmp_path / "a.zip", [b""] * (count - 1))

    with zipfile.ZipFile(path) as archive:
        found = len(archive.namelist())

    assert found == len(open_archive(path).records) == count


@pytest.mark.parametrize("name", ["npz", "pt"])
@pytest.mark.parametrize("jobs", [1, 3])
def test_a_stream_equals_the_file(tmp_path, name, jobs):
    """Tensors without bytes stand in their places too: first, last, and one behind the other."""
    plan, path, stream = load_plan(SPEC, "spec.yaml"), tmp_path / f"w.{name}", io.BytesIO()
    chosen = choose_format("-", name, len(plan.tensors))

    generate_file(plan, chosen, path, jobs=1)
    generate_stream(plan, chosen, stream, jobs=jobs)

    assert stream.getvalue() == path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    assert [chosen.read_tensor(path, each.name).shape for each in plan.tensors] == [each.shape for each in plan.tensors]


def test_the_central_directory_is_written_last(tmp_path):
    """All else is there before it, and without it nothing opens."""
    path = write_archive(tmp_path / "a.zip", [b"one"])
    layout = lay_out_zip([Member("small", b"small"), Member("t/0", b"head", 3)], path)

    *_, last = list_seals(layout, [zlib.crc32(b"one")])

    assert last.data.startswith(b"PK\x01\x02")
    assert path.read_bytes().endswith(last.data)
    path.write_bytes(path.read_bytes()[: last.offset])
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(path)
    with pytest.raises(InitcliError, match="cannot be read"):
        npz.read_header(path)


def zip_of(*members: tuple[str, bytes], **options: object) -> bytearray:
    """An archive of `zipfile`'s."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return bytearray(buffer.getvalue())


def entry(data: bytes, number: int) -> int:
    """Where the entry of a member in the central directory is."""
    place = -1
    for _ in range(number + 1):
        place = data.index(b"PK\x01\x02", place + 1)
    return place


def patched(data: bytearray, place: int, code: str, value: int) -> bytearray:
    struct.pack_into(code, data, place, value)
    return data


def two() -> bytearray:
    return zip_of(("a", b"A" * 100), ("b", b"B" * 100))


HOSTILE = {
    "compressed": (zip_of(("a", bytes(10**6)), compression=zipfile.ZIP_DEFLATED), "is compressed"),
    "encrypted": (patched(two(), entry(two(), 0) + 8, "<H", 1), "not stored as it is"),
    "sizes that differ": (patched(two(), entry(two(), 1) + 24, "<L", 2 * 10**9), "not stored as it is"),
    "two on one place": (patched(two(), entry(two(), 1) + 42, "<L", 0), "lies over another"),
    "one beyond the end": (
        patched(patched(two(), entry(two(), 1) + 20, "<L", 10**9), entry(two(), 1) + 24, "<L", 10**9),
        "lies over another member or outside",
    ),
    "one that swallows the next": (
        patched(patched(two(), entry(two(), 0) + 20, "<L", 150), entry(two(), 0) + 24, "<L", 150),
        "lies over another",
    ),
    "an offset into the void": (patched(two(), entry(two(), 1) + 42, "<L", 10**9), "no local header"),
    "an offset into data": (patched(two(), entry(two(), 1) + 42, "<L", 50), "no local header"),
    "a name that leads out": (zip_of(("../../etc/passwd", b"x")), "leads out"),
    "an absolute name": (zip_of(("/etc/passwd", b"x")), "leads out"),
    "a directory larger than the file": (
        patched(two(), len(two()) - 10, "<L", MAX_DIRECTORY_NBYTES + 1),
        "cannot be read as a zip",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_an_archive_that_lies_is_one_fault(tmp_path, case):
    """What overlaps, lies outside, unpacks to more than it is, or leads out is refused by name."""
    data, words = HOSTILE[case]
    (tmp_path / "a.zip").write_bytes(data)

    with pytest.raises(InitcliError, match=words), reading(tmp_path / "a.zip", "a zip"):
        open_archive(tmp_path / "a.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    """Readers differ in which of them they take."""
    (tmp_path / "a.zip").write_bytes(zip_of(("a", b"1"), ("a", b"2")))

    with pytest.raises(ValueError, match="two members are called 'a'"):
        open_archive(tmp_path / "a.zip")


def test_no_more_of_a_directory_is_read_than_its_limit(tmp_path):
    """A sparse file that claims a huge directory is refused before it is read."""
    path, nbytes = tmp_path / "a.zip", MAX_DIRECTORY_NBYTES + 1
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, nbytes, 0, 0)
    path.touch()
    write_at(path, end, nbytes)
    write_at(path, b"PK\x03\x04", 0)

    with pytest.raises(InitcliError, match="directory is larger than"), reading(path, "a zip"):
        open_archive(path)


def test_a_zip_cut_anywhere_is_one_fault(tmp_path):
    """At every length the reader says that it is no archive."""
    whole = write_archive(tmp_path / "whole.zip", [b"one"]).read_bytes()

    for length in range(1, len(whole)):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        with pytest.raises(InitcliError), reading(tmp_path / "cut.zip", "a zip"):
            open_archive(tmp_path / "cut.zip")


@pytest.mark.parametrize("block_nbytes", [1, 7, 107, 1000])
def test_a_large_member_is_compared_block_by_block(tmp_path, monkeypatch, block_nbytes):
    """Whole it is taken, and with another byte in its first, middle or last place it is not."""
    monkeypatch.setattr(zip_reading, "BLOCK_NBYTES", block_nbytes)
    (tmp_path / "a.zip").write_bytes(whole := zip_of(("a", b"A" * 107), ("b", b"B")))
    open_archive(tmp_path / "a.zip").check("a")

    for place in (0, 50, 106):
        changed = bytearray(whole)
        changed[whole.index(b"AAA") + place] ^= 1
        (tmp_path / "a.zip").write_bytes(changed)
        with pytest.raises(InitcliError, match="`a` has a bad CRC-32"):
            open_archive(tmp_path / "a.zip").check("a")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell what is in memory")
@pytest.mark.parametrize("name", ["npz", "pt", "gguf", "msgpack"])
def test_of_a_file_that_is_a_map_little_is_in_memory_at_a_time(tmp_path, name):
    """Of 160 MB that are checked and read, at most a third at any moment."""

    def in_memory():
        (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile")]
        return int(line.split()[1]) * 1024

    plan, path = load_plan(b"tensors: {w: {shape: [40000000], init: ones}}", "spec.yaml"), tmp_path / f"w.{name}"
    generate_file(plan, choose_format(str(path), None, 1), path)
    before = in_memory()

    most = max(in_memory() for chunk in open_weights(path).read_chunks(["w"]) if chunk.values.all())

    path.unlink()
    assert most - before < 160e6 / 3


def test_a_name_of_many_bytes_is_refused_by_npz():
    """A zip counts the bytes of a name in 16 bits."""
    tensors = [SimpleNamespace(name="n" * 65532, shape=(), dtype=SimpleNamespace(is_extended=False, itemsize=1))]

    (refusal,) = npz.faults(tensors)

    assert "too long for a zip" in refusal.what
