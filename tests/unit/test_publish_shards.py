"""A checkpoint takes its place beside other files: whole or not at all, and nobody's file is lost."""

from __future__ import annotations

import errno
import itertools
import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from initcli.errors import InitcliError
from initcli.formats.shard_index import INDEX, SINGLE, name_shards, render_index
from initcli.publish_shards import check_shards, staged_shards


def fill(folder: Path, value: bytes, count: int, config: bytes | None = None) -> None:
    """Write what stands for a checkpoint of so many shards: each holds `value`."""
    folder.mkdir(exist_ok=True)
    names = name_shards(count)
    for name in names:
        (folder / name).write_bytes(value)
    if count > 1:
        weight_map = {f"t{number}": name for number, name in enumerate(names)}
        (folder / INDEX).write_bytes(render_index(weight_map, {"total_size": count}))
    if config is not None:
        (folder / "config.json").write_bytes(config)


def publish(target: Path, value: bytes, count: int, config: bytes | None = None, force: bool = True) -> None:
    """A whole run."""
    with staged_shards(target, force=force, config=config) as path:
        fill(path, value, count, config)


def load(folder: Path) -> set[bytes]:
    """What a reader finds: the one file if it is there, else what the index names."""
    if (folder / SINGLE).exists():
        return {(folder / SINGLE).read_bytes()}
    shards = set(json.loads((folder / INDEX).read_bytes())["weight_map"].values())
    return {(folder / shard).read_bytes() for shard in shards}


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


SETS = [1, 2, 3]
CHANGES = list(itertools.product(SETS, SETS))


@pytest.mark.parametrize("count", SETS)
def test_a_new_directory_appears_with_all_its_files(tmp_path, count):
    """Under the names of Hugging Face, with nothing beside it."""
    publish(tmp_path / "out", b"new", count, b"{}", force=False)

    assert list_names(tmp_path) == ["out"]
    index = [INDEX] if count > 1 else []
    assert list_names(tmp_path / "out") == sorted([*name_shards(count), *index, "config.json"])


def test_the_directory_does_not_exist_before_the_block_ends(tmp_path):
    """Inside the block only the hidden temporary stands beside it."""
    with staged_shards(tmp_path / "out") as path:
        seen = list_names(tmp_path)
        fill(path, b"new", 2)

    assert seen == [path.name]
    assert path.name.startswith(".out.tmp-")


@pytest.mark.parametrize("count", SETS)
def test_other_files_stay_where_weights_arrive_without_force(tmp_path, count):
    """A config and a tokenizer in the directory are no obstacle, and not a byte of them changes."""
    (tmp_path / "out").mkdir(mode=0o700)
    others = {"config.json": b"{}", "tokenizer.json": b"tokens", "model-00001-of-00009.safetensors.bak": b"mine"}
    for name, data in others.items():
        (tmp_path / "out" / name).write_bytes(data)

    publish(tmp_path / "out", b"new", count, force=False)

    assert load(tmp_path / "out") == {b"new"}
    assert others.items() <= contents(tmp_path / "out").items()
    assert len(contents(tmp_path / "out")) == len(others) + count + (count > 1)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_force_replaces_a_checkpoint_and_leaves_nothing_stale(tmp_path, old, new):
    """From any number of shards to any other: no old shard, no `model.safetensors` beside an index, no stale index."""
    fill(tmp_path / "out", b"old", old)
    (tmp_path / "out" / "tokenizer.json").write_bytes(b"mine")

    publish(tmp_path / "out", b"new", new)

    assert load(tmp_path / "out") == {b"new"}
    assert len(list_names(tmp_path / "out")) == 1 + new + (new > 1)
    assert (tmp_path / "out" / SINGLE).exists() == (new == 1)
    assert (tmp_path / "out" / INDEX).exists() == (new > 1)
    assert list_names(tmp_path) == ["out"]


def test_shards_that_clash_take_names_of_another_edition_and_then_the_first_again(tmp_path):
    """No shard is ever written over one that a reader may be reading."""
    for value, edition in [(b"1", 1), (b"2", 2), (b"3", 1)]:
        publish(tmp_path / "out", value, 3)

        assert list_names(tmp_path / "out") == sorted([*name_shards(3, edition), INDEX])
        assert load(tmp_path / "out") == {value}


def test_a_shard_that_no_index_names_belongs_to_someone_else(tmp_path):
    """A stray file of a shard's name is neither replaced nor removed."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name_shards(2)[0]).write_bytes(b"stray")

    publish(tmp_path / "out", b"new", 2)

    assert (tmp_path / "out" / name_shards(2)[0]).read_bytes() == b"stray"
    assert load(tmp_path / "out") == {b"new"}


def test_an_index_can_name_no_file_for_removal_but_shards_beside_it(tmp_path):
    """A hostile index does not make the program delete what is elsewhere, or is no shard."""
    (tmp_path / "precious.safetensors").write_bytes(b"mine")
    for name in ("../precious.safetensors", "tokenizer.json", str(tmp_path / "precious.safetensors")):
        fill(tmp_path / "out", b"old", 2)
        (tmp_path / "out" / "tokenizer.json").write_bytes(b"mine")
        (tmp_path / "out" / INDEX).write_bytes(render_index({"a": name}, {}))

        publish(tmp_path / "out", b"new", 3)

        assert (tmp_path / "precious.safetensors").read_bytes() == b"mine"
        assert (tmp_path / "out" / "tokenizer.json").read_bytes() == b"mine"
        assert load(tmp_path / "out") == {b"new"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, OSError])
@pytest.mark.parametrize("old", SETS)
def test_a_failed_block_leaves_the_old_checkpoint_as_it_was(tmp_path, error, old):
    """Whatever ends the block, every file is as before and the temporary is gone."""
    fill(tmp_path / "out", b"old", old, b"{}")
    before = contents(tmp_path / "out")

    def run() -> None:
        with staged_shards(tmp_path / "out", force=True) as path:
            fill(path, b"half", 2)
            raise error

    with pytest.raises(InitcliError if error is OSError else error):
        run()

    assert contents(tmp_path / "out") == before


class Saboteur:
    """Lets so many changes of names through, and raises at the next, once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, allowed: int, error: BaseException) -> None:
        self.allowed, self.error, self.has_struck = allowed, error, False
        for owner, name in ((os, "link"), (Path, "rename"), (Path, "replace"), (Path, "unlink"), (os, "fsync")):
            monkeypatch.setattr(owner, name, self.wrap(getattr(owner, name)))

    def wrap(self, real):
        def call(*args, **options):
            if not self.has_struck:
                self.allowed -= 1
                if self.allowed < 0:
                    self.has_struck = True
                    raise self.error
            return real(*args, **options)

        return call


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))], ids=repr)
@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_a_run_that_ends_at_any_step_leaves_one_whole_checkpoint(tmp_path, old, new, error):
    """At each single step: the old checkpoint just as it was, or the new one; nothing else, and no temporary."""
    outcomes = []
    for allowed in itertools.count():
        folder = tmp_path / str(allowed)
        fill(folder, b"old", old, b"1")
        before = contents(folder)

        with pytest.MonkeyPatch.context() as patch:
            saboteur = Saboteur(patch, allowed, error)
            with suppress(InitcliError, KeyboardInterrupt):
                publish(folder, b"new", new, b"2")
        if not saboteur.has_struck:
            break
        after = contents(folder)
        outcomes.append(load(folder))
        if outcomes[-1] == {b"old"}:
            assert after == before
        else:
            assert (folder / "config.json").read_bytes() == b"2"
            assert (folder / SINGLE).exists() != (folder / INDEX).exists()

    assert {b"old"} in outcomes
    assert all(outcome in ({b"old"}, {b"new"}) for outcome in outcomes)


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_a_killed_run_leaves_the_old_checkpoint_or_the_new_to_readers(tmp_path, old, new):
    """After SIGKILL at any change of names nothing is cleaned, and yet no reader ever finds a mixture."""
    script = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_publish_shards as tests
folder, left = Path(sys.argv[1]), int(sys.argv[2])
def wrap(real):
    def call(*args, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return real(*args, **options)
    return call
for owner, name in ((os, "link"), (Path, "replace"), (Path, "unlink")):
    setattr(owner, name, wrap(getattr(owner, name)))
tests.publish(folder, b"new", {new})
"""
    seen = []
    for left in range(2 * (old + new) + 4):
        folder = tmp_path / str(left)
        fill(folder, b"old", old)

        done = subprocess.run([sys.executable, "-c", script, str(folder), str(left)], check=False)

        seen.append(load(folder))
        assert seen[-1] in ({b"old"}, {b"new"})
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert seen[0] == {b"old"}
    assert seen[-1] == {b"new"}


def test_a_killed_run_does_not_stand_in_the_way_of_the_next(tmp_path):
    """Shards that it left behind keep their names; the new ones take others."""
    fill(tmp_path / "out", b"left", 3)
    (tmp_path / "out" / INDEX).unlink()

    publish(tmp_path / "out", b"new", 3, force=False)

    assert load(tmp_path / "out") == {b"new"}


def test_shards_are_on_the_disk_before_the_index_names_them(tmp_path, monkeypatch):
    """The order is: fsync of every file, and of the directory that has the shards; the index; the directory again."""
    fill(tmp_path / "out", b"old", 2)
    calls: list[object] = []
    real_fsync, real_replace, real_link = os.fsync, Path.replace, os.link
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append(os.fstat(fd).st_ino), real_fsync(fd)))
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (calls.append(f"replace {Path(to).name}"), real_replace(self, to))
    )
    monkeypatch.setattr(
        os, "link", lambda old, new, **options: (calls.append(Path(new).name), real_link(old, new, **options))
    )

    publish(tmp_path / "out", b"new", 2)

    folder, names = (tmp_path / "out").stat().st_ino, name_shards(2, edition=2)
    inodes = {(tmp_path / "out" / name).stat().st_ino for name in (*names, INDEX)}
    first = calls.index(names[0])
    assert inodes <= set(calls[:first])
    at = calls.index(f"replace {INDEX}")
    assert folder in calls[calls.index(names[1]) : at]
    assert calls[at + 1] == folder


@pytest.mark.parametrize("count", SETS)
def test_a_file_system_without_hard_links_is_renamed_on(tmp_path, monkeypatch, count):
    """As on exFAT: old and new sets change places all the same."""

    def link(old, new, **_):
        raise PermissionError(1, "Operation not permitted", old)

    monkeypatch.setattr(os, "link", link)
    fill(tmp_path / "out", b"old", 2)

    publish(tmp_path / "out", b"new", count)

    assert load(tmp_path / "out") == {b"new"}
    assert len(list_names(tmp_path / "out")) == count + (count > 1)


@pytest.mark.parametrize("name", [*name_shards(2), INDEX])
def test_a_file_that_another_program_makes_meanwhile_is_not_replaced(tmp_path, monkeypatch, name):
    """Between the last look and the name there is no moment in which its file could be lost."""
    (tmp_path / "out").mkdir()
    real_link = os.link

    def link(old, new, **options):
        if Path(new).name == name:
            Path(new).write_bytes(b"theirs")
        real_link(old, new, **options)

    monkeypatch.setattr(os, "link", link)

    with pytest.raises(InitcliError, match="exists already"):
        publish(tmp_path / "out", b"ours", 2, force=False)

    assert contents(tmp_path / "out") == {name: b"theirs"}


def test_a_checkpoint_that_appears_meanwhile_is_not_replaced(tmp_path):
    """Without force the directory is looked at again before anything moves."""

    def run() -> None:
        with staged_shards(tmp_path / "out") as path:
            fill(path, b"ours", 2)
            fill(tmp_path / "out", b"theirs", 1)

    with pytest.raises(InitcliError, match="exists already"):
        run()

    assert contents(tmp_path / "out") == {SINGLE: b"theirs"}
    assert list_names(tmp_path) == ["out"]


def test_a_directory_that_appears_meanwhile_is_filled(tmp_path):
    """Another program's file in it is no obstacle, and stays."""
    with staged_shards(tmp_path / "out") as path:
        fill(path, b"ours", 2)
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "tokenizer.json").write_bytes(b"theirs")

    assert load(tmp_path / "out") == {b"ours"}
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == b"theirs"
    assert list_names(tmp_path) == ["out"]


def test_a_reader_of_an_old_shard_keeps_it(tmp_path):
    """An open file reads on."""
    fill(tmp_path / "out", b"old", 2)

    with (tmp_path / "out" / name_shards(2)[0]).open("rb") as reader:
        publish(tmp_path / "out", b"new", 2)
        seen = reader.read()

    assert seen == b"old"


@pytest.mark.parametrize("count", SETS)
def test_links_into_a_store_are_replaced_and_the_store_stays(tmp_path, count):
    """As in the Hub's cache, where a snapshot's files are links to blobs that other snapshots share."""
    fill(tmp_path / "store", b"old", count)
    stored = contents(tmp_path / "store")
    (tmp_path / "out").mkdir()
    for name in stored:
        (tmp_path / "out" / name).symlink_to(tmp_path / "store" / name)

    publish(tmp_path / "out", b"new", 2)

    assert load(tmp_path / "out") == {b"new"}
    assert contents(tmp_path / "store") == stored


def test_a_link_to_a_directory_stays_one(tmp_path):
    """The directory behind it is filled."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    publish(tmp_path / "link", b"new", 2)

    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "real") == {b"new"}


# config.json


def test_another_config_is_replaced_with_force_alone(tmp_path):
    """Without it the config that is there is an error; the same bytes are none, and are not written again."""
    (tmp_path / "out").mkdir()
    config = tmp_path / "out" / "config.json"
    config.write_bytes(b"{}")
    status = config.stat()

    with pytest.raises(InitcliError, match=r"config\.json` exists already"):
        check_shards(tmp_path / "out", config=b"{ }")
    publish(tmp_path / "out", b"new", 2, b"{}", force=False)
    same = config.stat()
    publish(tmp_path / "out", b"new", 2, b"{ }", force=True)

    assert (same.st_ino, same.st_mtime_ns) == (status.st_ino, status.st_mtime_ns)
    assert config.read_bytes() == b"{ }"


def test_replaced_files_hand_on_their_modes(tmp_path):
    """An index and a config that only the owner reads stay so."""
    fill(tmp_path / "out", b"old", 2, b"{}")
    for name in (INDEX, "config.json"):
        (tmp_path / "out" / name).chmod(0o640)

    publish(tmp_path / "out", b"new", 2, b"{ }")

    assert [stat.S_IMODE((tmp_path / "out" / name).stat().st_mode) for name in (INDEX, "config.json")] == [0o640] * 2


# The check before any work


@pytest.mark.parametrize("old", SETS)
def test_a_checkpoint_that_is_there_needs_force(tmp_path, old):
    """The hint names the option, and with it the check passes."""
    fill(tmp_path / "out", b"old", old)

    with pytest.raises(InitcliError, match="exists already") as error:
        check_shards(tmp_path / "out")
    check_shards(tmp_path / "out", force=True)

    assert "`--force`" in error.value.faults[0].hint


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "file", "is not a directory"),
        (lambda folder: folder / "file" / "x", "not a directory"),
        (lambda folder: folder / "loop", "leads to itself"),
        (lambda folder: folder / "a\0b", "NUL"),
        (lambda folder: folder / "absent" / "x", "does not exist"),
        (lambda folder: folder / "odd", r"index\.json` is a directory and stays"),
    ],
)
def test_a_place_that_can_hold_no_checkpoint_is_one_fault(tmp_path, make, words):
    """A file, a way through a file, a link to itself, a NUL, no parent, a directory of the index's name."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "odd" / INDEX).mkdir(parents=True)

    with pytest.raises(InitcliError, match=words) as error:
        check_shards(make(tmp_path), force=True)

    assert len(error.value.faults) == 1


def test_a_directory_that_takes_no_files_is_told_before_any_work(tmp_path, monkeypatch):
    """Root may do all, so the system's answer is a double."""
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != tmp_path / "out")

    with pytest.raises(InitcliError, match=r"no permission|read-only") as error:
        check_shards(tmp_path / "out")

    assert str(tmp_path / "out") in error.value.faults[0].what
