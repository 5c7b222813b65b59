"""Finished files take their place whole, and the file system's troubles become clear faults."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from initcli.errors import InitcliError
from initcli.files import preallocate, translate, write_at
from initcli.publish import check_target, staged


def fault(error: pytest.ExceptionInfo[InitcliError]) -> tuple[str, str]:
    """The one fault's text and hint."""
    (only,) = error.value.faults
    return only.what, only.hint


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def publish(target: Path, write: Callable[[Path], object], **options: bool) -> None:
    """A whole run: `write` fills the temporary."""
    with staged(target, **options) as path:
        write(path)


@pytest.fixture
def umask_022():
    old = os.umask(0o022)
    yield
    os.umask(old)


def fill_directory(folder: Path, **files: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / f"{name}.npy").write_bytes(data)


# One file


def test_a_finished_file_takes_its_name_and_leaves_nothing_beside_it(tmp_path):
    """The target holds what the block wrote, alone in its directory."""
    with staged(tmp_path / "a.h5") as path:
        path.write_bytes(b"new")

    assert (tmp_path / "a.h5").read_bytes() == b"new"
    assert list_names(tmp_path) == ["a.h5"]


def test_the_target_does_not_exist_before_the_block_ends(tmp_path):
    """Inside the block only the hidden temporary stands beside the target."""
    with staged(tmp_path / "a.h5") as path:
        seen = list_names(tmp_path)

    assert seen == [path.name]
    assert path.name.startswith(".a.h5.tmp-")


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, OSError])
@pytest.mark.parametrize("directory", [False, True])
def test_a_failed_block_leaves_the_old_output_as_it_was(tmp_path, error, directory):
    """Whatever ends the block, the old file or directory is untouched and the temporary is gone."""
    target = tmp_path / "out"
    if directory:
        fill_directory(target, a=b"old")
    else:
        target.write_bytes(b"old")
    kept = target / "a.npy" if directory else target

    def write(path):
        (path / "b.npy" if directory else path).write_bytes(b"half")
        raise error

    with pytest.raises(InitcliError if error is OSError else error):
        publish(target, write, force=True, directory=directory)

    assert kept.read_bytes() == b"old"
    assert list_names(tmp_path) == ["out"]


def test_the_mode_of_a_new_file_comes_from_the_umask(tmp_path, umask_022):
    """A new file is 0666 less the umask, not the 0600 of tempfile."""
    with staged(tmp_path / "a.h5"):
        pass

    assert stat.S_IMODE((tmp_path / "a.h5").stat().st_mode) == 0o644


@pytest.mark.parametrize("mode", [0o600, 0o444, 0o664])
def test_a_replaced_file_hands_on_its_mode(tmp_path, umask_022, mode):
    """The new file has the old one's permissions, whatever the umask."""
    target = tmp_path / "a.h5"
    target.write_bytes(b"old")
    target.chmod(mode)

    with staged(target, force=True) as path:
        path.write_bytes(b"new")
        while_writing = stat.S_IMODE(path.stat().st_mode)

    assert stat.S_IMODE(target.stat().st_mode) == mode
    assert target.read_bytes() == b"new"
    assert while_writing & 0o077 & ~mode == 0


def test_a_symbolic_link_stays_one_and_its_file_is_replaced(tmp_path):
    """The link's end is replaced, in the directory where it stands."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("store/real")

    with staged(tmp_path / "link", force=True) as path:
        path.write_bytes(b"new")

    assert path.parent == tmp_path / "store"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "store" / "real").read_bytes() == b"new"


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path):
    """Without force the target is looked at again before the rename."""

    def write(path):
        path.write_bytes(b"ours")
        (tmp_path / "a.h5").write_bytes(b"theirs")

    with pytest.raises(InitcliError, match="exists already"):
        publish(tmp_path / "a.h5", write)

    assert (tmp_path / "a.h5").read_bytes() == b"theirs"
    assert list_names(tmp_path) == ["a.h5"]


def test_a_reader_of_the_old_file_keeps_it(tmp_path):
    """Replacing does not write into the old file, so an open one reads on."""
    (tmp_path / "a").write_bytes(b"old")

    with (tmp_path / "a").open("rb") as reader:
        with staged(tmp_path / "a", force=True) as path:
            path.write_bytes(b"new")
        seen = reader.read()

    assert seen == b"old"


def test_the_longest_name_can_be_staged(tmp_path):
    """The temporary's name is no longer than a target's may be."""
    target = tmp_path / ("ü" * 126 + ".h5")

    with staged(target) as path:
        path.write_bytes(b"new")

    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("force", [True, False])
def test_data_is_forced_to_the_disk_before_the_name_is_given_and_the_name_after_it(tmp_path, monkeypatch, force):
    """The order is: fsync of the file, rename (a link, where nothing may be replaced), fsync of the directory."""
    calls = []
    real_fsync, real_rename, real_link = os.fsync, Path.replace, os.link
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append(os.fstat(fd).st_ino), real_fsync(fd)))
    monkeypatch.setattr(Path, "replace", lambda self, to: (calls.append("rename"), real_rename(self, to)))
    monkeypatch.setattr(os, "link", lambda old, new: (calls.append("link"), real_link(old, new)))

    with staged(tmp_path / "a", force=force) as path:
        path.write_bytes(b"new")

    assert calls == [(tmp_path / "a").stat().st_ino, "rename" if force else "link", tmp_path.stat().st_ino]


def test_a_file_that_appears_after_the_last_look_is_not_replaced(tmp_path, monkeypatch):
    """Between the check and the name there is no moment in which another program's file could be lost."""
    real_link = os.link

    def link(old, new):
        Path(new).write_bytes(b"theirs")
        real_link(old, new)

    monkeypatch.setattr(os, "link", link)

    with pytest.raises(InitcliError, match="exists already"):
        publish(tmp_path / "a.h5", lambda path: path.write_bytes(b"ours"))

    assert (tmp_path / "a.h5").read_bytes() == b"theirs"
    assert list_names(tmp_path) == ["a.h5"]


def test_a_file_system_without_hard_links_is_renamed_on(tmp_path, monkeypatch):
    """As on exFAT: the file appears all the same."""

    def link(old, new):
        raise PermissionError(1, "Operation not permitted", old)

    monkeypatch.setattr(os, "link", link)

    publish(tmp_path / "a.h5", lambda path: path.write_bytes(b"ours"))

    assert (tmp_path / "a.h5").read_bytes() == b"ours"
    assert list_names(tmp_path) == ["a.h5"]


def test_a_closed_pipe_inside_the_block_stays_what_it_is(tmp_path):
    """BrokenPipeError speaks of standard output, not of the target: the command line has its own answer."""
    with pytest.raises(BrokenPipeError), staged(tmp_path / "a"):
        raise BrokenPipeError(errno.EPIPE, "gone")

    assert list_names(tmp_path) == []


# A directory


def test_a_directory_appears_with_all_its_files(tmp_path, umask_022):
    """A new directory takes its name with sub-directories and the umask's mode."""
    with staged(tmp_path / "out", directory=True) as path:
        fill_directory(path / "sub", a=b"1")

    assert (tmp_path / "out" / "sub" / "a.npy").read_bytes() == b"1"
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755
    assert list_names(tmp_path) == ["out"]


def test_an_empty_directory_is_filled_without_force(tmp_path):
    """`mkdir out` before the run is no obstacle."""
    (tmp_path / "out").mkdir(mode=0o700)

    with staged(tmp_path / "out", directory=True) as path:
        fill_directory(path, a=b"1")

    assert list_names(tmp_path / "out") == ["a.npy"]
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_force_replaces_a_directory_of_npy_files_whole(tmp_path):
    """No file of the old set stays among the new ones."""
    fill_directory(tmp_path / "out", old=b"1")
    fill_directory(tmp_path / "out" / "sub", older=b"2")

    with staged(tmp_path / "out", force=True, directory=True) as path:
        fill_directory(path, new=b"3")

    assert list_names(tmp_path / "out") == ["new.npy"]
    assert list_names(tmp_path) == ["out"]


def test_the_old_directory_comes_back_when_the_new_cannot_take_its_name(tmp_path, monkeypatch):
    """A failure between the two renames restores the old directory."""
    fill_directory(tmp_path / "out", old=b"1")
    real_rename = Path.rename

    def rename(self, to):
        if ".tmp-" in self.name:
            raise OSError(errno.EIO, "broken")
        return real_rename(self, to)

    monkeypatch.setattr(Path, "rename", rename)

    with pytest.raises(InitcliError), staged(tmp_path / "out", force=True, directory=True) as path:
        fill_directory(path, new=b"3")

    assert list_names(tmp_path / "out") == ["old.npy"]
    assert list_names(tmp_path) == ["out"]


@pytest.mark.parametrize("foreign", ["notes.txt", "sub/model.safetensors", "link.npy"])
def test_a_directory_that_holds_anything_else_is_never_replaced(tmp_path, foreign):
    """Even with force, a directory with other files (or links) in it is refused by naming one."""
    fill_directory(tmp_path / "out", a=b"1")
    (tmp_path / "out" / "sub").mkdir()
    if foreign == "link.npy":
        (tmp_path / "out" / foreign).symlink_to("a.npy")
    else:
        (tmp_path / "out" / foreign).write_bytes(b"precious")

    with pytest.raises(InitcliError) as error:
        check_target(tmp_path / "out", force=True, directory=True)

    assert f"holds `{foreign}`" in fault(error)[0]


def test_a_foreign_file_that_appears_meanwhile_saves_the_directory(tmp_path):
    """The directory is looked at again before it is replaced."""
    fill_directory(tmp_path / "out", a=b"1")

    def write(path):
        fill_directory(path, b=b"2")
        (tmp_path / "out" / "notes").write_bytes(b"precious")

    with pytest.raises(InitcliError, match="holds `notes`"):
        publish(tmp_path / "out", write, force=True, directory=True)

    assert list_names(tmp_path / "out") == ["a.npy", "notes"]
    assert list_names(tmp_path) == ["out"]


# The check before any work


def test_a_new_file_in_a_writable_directory_is_fine(tmp_path):
    """The check passes, and touches nothing."""
    check_target(tmp_path / "new.h5")

    assert list_names(tmp_path) == []


@pytest.mark.parametrize("directory", [False, True])
def test_an_existing_output_needs_force(tmp_path, directory):
    """The hint names the option, and with it the check passes."""
    fill_directory(tmp_path / "out", a=b"old")
    target = tmp_path / "out" if directory else tmp_path / "out" / "a.npy"

    with pytest.raises(InitcliError) as error:
        check_target(target, directory=directory)
    check_target(target, force=True, directory=directory)

    assert "exists already" in fault(error)[0]
    assert fault(error)[1] == "`--force` replaces it"


def test_a_missing_directory_is_told_with_the_command_that_makes_it(tmp_path):
    """The hint can be pasted, spaces and all."""
    with pytest.raises(InitcliError) as error:
        check_target(tmp_path / "a b" / "c.h5")

    assert fault(error) == (f"the directory `{tmp_path}/a b` does not exist", f"`mkdir -p '{tmp_path}/a b'` makes it")


def test_what_is_no_regular_file_is_never_replaced(tmp_path):
    """Devices, pipes and directories stay, even with force."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")

    for target, words in [
        (tmp_path / "pipe", "not a regular file"),
        (tmp_path / "null", "not a regular file"),
        (Path("/dev/null"), "not a regular file"),
        (tmp_path, "is a directory"),
    ]:
        with pytest.raises(InitcliError, match=words):
            check_target(target, force=True)


def test_a_file_where_a_directory_is_wanted_stays(tmp_path):
    """A directory never replaces a file."""
    (tmp_path / "out").write_bytes(b"old")

    with pytest.raises(InitcliError, match="is not a directory"):
        check_target(tmp_path / "out", force=True, directory=True)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / ("x" * 300), "too long"),
        (lambda folder: folder / "file" / "x", "not a directory"),
        (lambda folder: folder / "loop", "leads to itself"),
        (lambda folder: folder / "a\0b", "NUL"),
    ],
)
def test_an_impossible_path_is_one_fault(tmp_path, make, words):
    """Too long, below a file, a link to itself, a NUL: each says so."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(InitcliError) as error:
        check_target(make(tmp_path), force=True)

    assert words in fault(error)[0]


@pytest.mark.parametrize(("read_only", "words"), [(False, "no permission"), (True, "read-only file system")])
def test_a_directory_that_takes_no_files_is_told_before_any_work(tmp_path, monkeypatch, read_only, words):
    """Permission and read-only file systems are told apart; root may do all, so the system's answers are doubles."""
    real = os.statvfs(tmp_path)
    flags = SimpleStatvfs(real.f_flag | os.ST_RDONLY if read_only else real.f_flag & ~os.ST_RDONLY)
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: flags)

    with pytest.raises(InitcliError) as error:
        check_target(tmp_path / "a.h5")

    assert words in fault(error)[0]
    assert str(tmp_path) in fault(error)[0]


class SimpleStatvfs:
    """The one field of a statvfs result that matters."""

    def __init__(self, f_flag: int) -> None:
        self.f_flag = f_flag


# The file system's errors


def test_a_full_disk_says_how_much_was_needed_and_how_much_is_free(tmp_path):
    """The message has both figures with units, and the place."""
    error = translate(OSError(errno.ENOSPC, "No space left on device"), tmp_path / "a.h5", 498_000_000)

    assert error.faults[0].what.startswith("disk full: needed 498 MB, ")
    mount = Path(error.faults[0].what.split("`")[1])
    assert mount.is_mount()
    assert tmp_path.is_relative_to(mount)
    assert error.faults[0].hint


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EDQUOT, "quota used up: needed 1 kB"),
        (errno.EFBIG, "file too large: needed 1 kB"),
        (errno.EROFS, "read-only file system"),
        (errno.EACCES, "no permission for"),
        (errno.EPERM, "no permission for"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.EBUSY, "cannot be replaced"),
        (errno.EIO, os.strerror(errno.EIO)),
        (errno.EMFILE, os.strerror(errno.EMFILE)),
    ],
)
def test_every_system_error_has_words(tmp_path, number, words):
    """Each number gives one fault that says what is wrong."""
    error = translate(OSError(number, os.strerror(number)), tmp_path / "a.h5", 1000)

    assert words in error.faults[0].what


def test_an_error_names_the_file_that_it_is_about(tmp_path):
    """The file in the system's error goes before the one the caller thought of."""
    error = translate(OSError(errno.EACCES, "", "/elsewhere/b"), tmp_path / "a.h5")

    assert "`/elsewhere/b`" in error.faults[0].what


def test_preallocating_gives_the_final_length_and_real_blocks(tmp_path):
    """The file is no sparse one: its blocks are there."""
    preallocate(tmp_path / "a", 1 << 20)

    status = (tmp_path / "a").stat()
    assert status.st_size == 1 << 20
    assert status.st_blocks * 512 >= 1 << 20


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EINVAL])
def test_preallocating_falls_back_to_the_length_alone(tmp_path, monkeypatch, number):
    """A file system that cannot reserve blocks still gives the length."""

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)

    preallocate(tmp_path / "a", 1 << 20)

    assert (tmp_path / "a").stat().st_size == 1 << 20


def test_a_disk_that_fills_up_while_preallocating_is_told(tmp_path, monkeypatch):
    """ENOSPC from the system becomes the message with the size, and the file gives its blocks back."""

    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)

    with pytest.raises(InitcliError, match="disk full: needed 12 kB"):
        preallocate(tmp_path / "a", 12_000)
    assert (tmp_path / "a").stat().st_size == 0


@pytest.mark.parametrize("nbytes", [2**62, 2**70])
def test_a_file_larger_than_any_is_one_fault(tmp_path, nbytes):
    """Sizes beyond the file system, or beyond 64 bits, are no traceback."""
    with pytest.raises(InitcliError, match="file too large"):
        preallocate(tmp_path / "a", nbytes)


def test_a_real_limit_on_file_size_is_told_in_words(tmp_path):
    """Under `ulimit -f`, preallocation fails at once, with the size needed and the limit, and leaves nothing."""
    script = """
import resource, sys
from pathlib import Path
from initcli.errors import InitcliError
from initcli.files import preallocate
from initcli.publish import staged
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with staged(sys.argv[1]) as path:
        preallocate(path, 1_000_000)
except InitcliError as error:
    print(error.faults[0].what)
"""

    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a")], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("file too large: needed 1 MB, and the limit of this shell is 100 kB")
    assert done.stdout.endswith("is 100 kB\n")
    assert list_names(tmp_path) == []


# Writing at an offset


def test_bytes_land_where_they_are_sent(tmp_path):
    """By path or by descriptor, only the range that was asked for changes."""
    (tmp_path / "a").write_bytes(b".........")

    write_at(tmp_path / "a", b"abc", 1)
    with (tmp_path / "a").open("r+b") as file:
        write_at(file.fileno(), memoryview(b"xyz"), 5)

    assert (tmp_path / "a").read_bytes() == b".abc.xyz."


def test_short_writes_are_continued(tmp_path, monkeypatch):
    """A system call that takes one byte at a time still writes everything, in its place."""
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: real(fd, data[:1], offset))
    (tmp_path / "a").touch()

    write_at(tmp_path / "a", b"abcdef", 3)

    assert (tmp_path / "a").read_bytes() == b"\0\0\0abcdef"


@pytest.mark.parametrize(
    "array", [np.arange(6, dtype="<f2").reshape(2, 3), np.array(1.5), np.empty((0, 3)), np.array([True])]
)
def test_arrays_are_written_as_their_bytes(tmp_path, array):
    """Any shape and type, scalars and empty ones too."""
    (tmp_path / "a").touch()

    write_at(tmp_path / "a", array, 0)

    assert (tmp_path / "a").read_bytes() == array.tobytes()


def test_bfloat16_is_written_although_buffers_do_not_know_it(tmp_path):
    """ml_dtypes' arrays have no buffer format of their own."""
    import ml_dtypes

    array = np.array([1, 2], ml_dtypes.bfloat16)
    (tmp_path / "a").touch()

    write_at(tmp_path / "a", array, 0)

    assert (tmp_path / "a").read_bytes() == b"\x80\x3f\x00\x40"
