"""Outputs of several files take their place beside others: whole or not at all, and nobody's file is lost."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from initcli.errors import InitcliError
from initcli.formats.shard_index import INDEX, SINGLE, name_shards, render_index
from initcli.publish_shards import check_index, check_shards, staged_index, staged_shards


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


def run_until_killed(left: int, code: str) -> bool:
    """Run Python in a process that is killed after so many changes of names; tell whether it came to its end."""
    script = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_publish_shards as tests
left = {left}
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
{code}
"""
    status = subprocess.run([sys.executable, "-c", script], check=False).returncode
    assert status in (0, -signal.SIGKILL)
    return status == 0


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_a_killed_run_leaves_the_old_checkpoint_or_the_new_to_readers(tmp_path, old, new):
    """After SIGKILL at any change of names nothing is cleaned, and yet no reader ever finds a mixture."""
    seen = []
    for left in range(2 * (old + new) + 4):
        folder = tmp_path / str(left)
        fill(folder, b"old", old)

        is_done = run_until_killed(left, f"tests.publish(Path({str(folder)!r}), b'new', {new})")

        seen.append(load(folder))
        assert seen[-1] in ({b"old"}, {b"new"})
        if is_done:
            break
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


# An index with its members beside it


@dataclass(frozen=True)
class Notes:
    """What stands for a format of an index, the JSON list of its members' names; clients may open the first by name."""

    has_entrance: bool = True
    edition: int = 1

    def with_edition(self, edition: int) -> Notes:
        return replace(self, edition=edition)

    def name(self, path: Path, number: int) -> str:
        return f"{path.stem}_{number}" if self.edition == 1 else f"{path.stem}_{number}.{self.edition}"

    def is_member(self, path: Path, name: str) -> bool:
        return re.fullmatch(self.name(path, 0).replace("_0", "_[0-9]").replace(".", "[.]"), name) is not None

    def name_entrance(self, path: Path) -> str | None:
        return f"{path.stem}_0" if self.has_entrance else None

    def list_members(self, path: Path) -> list[str]:
        try:
            return json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise InitcliError from error


def fill_index(notes: Notes, path: Path, value: bytes, count: int) -> None:
    """Write an index and so many members, each of which holds `value`; a later edition has an empty entrance."""
    names = [notes.name(path, number) for number in range(count)]
    for name in names:
        path.with_name(name).write_bytes(value)
    if notes.has_entrance and notes.edition > 1:
        path.with_name(f"{path.stem}_0").write_bytes(b"")
    path.write_text(json.dumps(names))


def publish_index(target: Path, value: bytes, count: int, has_entrance: bool, force: bool = True) -> None:
    """A whole run."""
    with staged_index(Notes(has_entrance), target, force=force) as (notes, path):
        fill_index(notes, path, value, count)


def load_index(path: Path, has_entrance: bool) -> set[bytes]:
    """What a reader finds: the entrance must be there, and what the index names."""
    if has_entrance:
        path.with_name(f"{path.stem}_0").read_bytes()
    return {path.with_name(name).read_bytes() for name in json.loads(path.read_bytes())}


either = pytest.mark.parametrize("has_entrance", [False, True], ids=["plain", "entrance"])


@either
def test_an_index_and_its_members_arrive_among_other_files(tmp_path, has_entrance):
    """Nothing else is touched, and nothing else is left."""
    others = {"m_7.txt": b"mine", "m_00.2": b"mine", "n_0": b"mine"}
    for name, data in others.items():
        (tmp_path / name).write_bytes(data)

    publish_index(tmp_path / "m.json", b"new", 3, has_entrance, force=False)

    expected = {"m.json": b'["m_0", "m_1", "m_2"]', "m_0": b"new", "m_1": b"new", "m_2": b"new"}
    assert contents(tmp_path) == others | expected


@either
def test_an_index_that_is_replaced_again_and_again_leaves_nothing_stale(tmp_path, has_entrance):
    """Members take names that are free, and the old ones go; only the entrance keeps its name, with nothing in it."""
    for run, (count, edition) in enumerate([(3, 1), (1, 2), (4, 1), (2, 2)]):
        if has_entrance and edition == 1 and run:
            edition = 3
        publish_index(tmp_path / "m.json", str(run).encode(), count, has_entrance)

        expected = {f"m_{number}{f'.{edition}' * (edition > 1)}": str(run).encode() for number in range(count)}
        if has_entrance and run:
            expected["m_0"] = b""
        found = contents(tmp_path)
        assert json.loads(found.pop("m.json")) == [name for name in expected if expected[name]]
        assert found == expected


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))], ids=repr)
@pytest.mark.parametrize("old_edition", [1, 2])
@either
def test_an_index_whose_run_ends_at_any_step_is_whole(tmp_path, has_entrance, old_edition, error):
    """At each single step: the old files just as they were, or the new ones to a reader; no temporary is left."""
    outcomes = []
    for allowed in itertools.count():
        folder = tmp_path / str(allowed)
        folder.mkdir()
        fill_index(Notes(has_entrance, old_edition), folder / "m.json", b"old", 2)
        before = contents(folder)

        with pytest.MonkeyPatch.context() as patch:
            saboteur = Saboteur(patch, allowed, error)
            with suppress(InitcliError, KeyboardInterrupt):
                publish_index(folder / "m.json", b"new", 2, has_entrance)
        if not saboteur.has_struck:
            break
        outcomes.append(load_index(folder / "m.json", has_entrance))
        assert outcomes[-1] == {b"new"} or contents(folder) == before
        assert not [name for name in contents(folder) if "tmp" in name]

    assert outcomes[0] == {b"old"}
    assert outcomes[-1] == {b"new"}


@pytest.mark.parametrize("old_edition", [1, 2])
@either
def test_an_index_whose_run_is_killed_at_any_step_is_whole_to_readers(tmp_path, has_entrance, old_edition):
    """Nothing is cleaned, and no reader finds a mixture or no entrance; the next run is as good as ever."""
    seen = []
    for left in range(20):
        path = tmp_path / str(left) / "m.json"
        path.parent.mkdir()
        fill_index(Notes(has_entrance, old_edition), path, b"old", 2)

        is_done = run_until_killed(left, f"tests.publish_index(Path({str(path)!r}), b'new', 2, {has_entrance})")

        seen.append(load_index(path, has_entrance))
        assert seen[-1] in ({b"old"}, {b"new"})
        publish_index(path, b"next", 1, has_entrance)
        assert load_index(path, has_entrance) == {b"next"}
        if is_done:
            break
    assert is_done
    assert seen[0] == {b"old"}
    assert seen[-1] == {b"new"}


@either
def test_a_reader_that_has_looked_into_the_old_index_finds_old_members_or_none(tmp_path, monkeypatch, has_entrance):
    """At no step does one of their names lead to other values; and the new index is complete when it appears."""
    fill_index(Notes(has_entrance), tmp_path / "m.json", b"old", 3)
    names = json.loads((tmp_path / "m.json").read_bytes())
    seen = []

    def watch(real):
        def call(*args, **options):
            result = real(*args, **options)
            seen.append(tuple((tmp_path / name).read_bytes() for name in names if (tmp_path / name).exists()))
            assert load_index(tmp_path / "m.json", has_entrance) in ({b"old"}, {b"new"})
            return result

        return call

    for owner, name in ((os, "link"), (Path, "replace"), (Path, "unlink")):
        monkeypatch.setattr(owner, name, watch(getattr(owner, name)))

    publish_index(tmp_path / "m.json", b"new", 3, has_entrance)

    assert {value for values in seen for value in values} == {b"old", *[b""] * has_entrance}
    assert seen[-1] == (b"",) * has_entrance


def test_members_are_on_the_disk_before_the_index_and_the_entrance_behind_it(tmp_path, monkeypatch):
    """fsync of every file, members, fsync of the directory, the index, the directory again, the entrance."""
    fill_index(Notes(), tmp_path / "m.json", b"old", 2)
    calls: list[object] = []
    real_fsync, real_replace, real_link = os.fsync, Path.replace, os.link
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append(os.fstat(fd).st_ino), real_fsync(fd)))
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (calls.append(f"replace {Path(to).name}"), real_replace(self, to))
    )
    monkeypatch.setattr(
        os, "link", lambda old, new, **options: (calls.append(Path(new).name), real_link(old, new, **options))
    )

    publish_index(tmp_path / "m.json", b"new", 2, has_entrance=True)

    folder = tmp_path.stat().st_ino
    inodes = {path.stat().st_ino for path in tmp_path.iterdir()}
    assert inodes <= set(calls[: calls.index("m_0.2")])
    named = [call for call in calls if call == folder or (isinstance(call, str) and not call.startswith(".old"))]
    assert named == ["m_0.2", "m_1.2", folder, "replace m.json", folder, "replace m_0", folder]


@either
def test_a_member_that_no_index_names_stays(tmp_path, has_entrance):
    """The new members are of an edition of which there is none."""
    (tmp_path / "m_1").write_bytes(b"stray")

    publish_index(tmp_path / "m.json", b"new", 2, has_entrance, force=False)

    assert (tmp_path / "m_1").read_bytes() == b"stray"
    assert load_index(tmp_path / "m.json", has_entrance) == {b"new"}


@pytest.mark.parametrize("name", ["m.json", "m_0"])
def test_an_index_or_an_entrance_that_is_there_needs_force(tmp_path, name):
    """Clients would open either."""
    (tmp_path / name).write_bytes(b"old")

    with pytest.raises(InitcliError, match=f"{name}` exists already") as error:
        publish_index(tmp_path / "m.json", b"new", 2, has_entrance=True, force=False)
    assert contents(tmp_path) == {name: b"old"}
    publish_index(tmp_path / "m.json", b"new", 2, has_entrance=True)

    assert "`--force`" in error.value.faults[0].hint
    assert load_index(tmp_path / "m.json", has_entrance=True) == {b"new"}


@pytest.mark.parametrize("name", ["m_0", "m_1", "m.json"])
def test_what_another_program_makes_meanwhile_stays_and_no_index_comes(tmp_path, monkeypatch, name):
    """The members that are there already are taken back."""
    real_link = os.link

    def link(old, new, **options):
        if Path(new).name == name:
            Path(new).write_bytes(b"theirs")
        real_link(old, new, **options)

    monkeypatch.setattr(os, "link", link)

    with pytest.raises(InitcliError, match="exists already"):
        publish_index(tmp_path / "m.json", b"ours", 2, has_entrance=False, force=False)

    assert contents(tmp_path) == {name: b"theirs"}


@either
def test_an_index_needs_no_hard_links(tmp_path, monkeypatch, has_entrance):
    """As on exFAT."""

    def link(old, new, **_):
        raise PermissionError(1, "Operation not permitted", old)

    monkeypatch.setattr(os, "link", link)

    for value in (b"1", b"2", b"3"):
        publish_index(tmp_path / "m.json", value, 2, has_entrance)

        assert load_index(tmp_path / "m.json", has_entrance) == {value}
        assert len(contents(tmp_path)) == 3 + (has_entrance and value != b"1")


def test_a_link_to_nothing_is_an_index_that_is_there(tmp_path):
    """It needs force, and is replaced itself."""
    (tmp_path / "m.json").symlink_to("absent")

    with pytest.raises(InitcliError, match=r"m\.json` exists already"):
        check_index(Notes(), tmp_path / "m.json")
    publish_index(tmp_path / "m.json", b"new", 1, has_entrance=True)

    assert list_names(tmp_path) == ["m.json", "m_0"]


def test_a_link_to_an_index_is_replaced_itself(tmp_path):
    """Its members are beside the link, where readers look for them; what it led to stays."""
    (tmp_path / "store").mkdir()
    (tmp_path / "out").mkdir()
    fill_index(Notes(), tmp_path / "store" / "m.json", b"old", 2)
    stored = contents(tmp_path / "store")
    (tmp_path / "out" / "m.json").symlink_to(tmp_path / "store" / "m.json")

    publish_index(tmp_path / "out" / "m.json", b"new", 2, has_entrance=True)

    assert load_index(tmp_path / "out" / "m.json", has_entrance=True) == {b"new"}
    assert not (tmp_path / "out" / "m.json").is_symlink()
    assert contents(tmp_path / "store") == stored


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", "`.*folder` is a directory"),
        ("absent/m.json", "does not exist"),
        ("a\0b", "NUL"),
        ("loop", "leads to itself"),
        ("odd.json", "odd_0` is a directory and stays"),
    ],
)
def test_a_place_that_can_hold_no_index_is_one_fault(tmp_path, name, words):
    """A directory, no parent, a NUL, a link to itself, a directory of the entrance's name."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "odd_0").mkdir()
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(InitcliError, match=words) as error:
        check_index(Notes(), tmp_path / name, force=True)

    assert len(error.value.faults) == 1
