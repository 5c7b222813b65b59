"""Plan and format to file: bytes, publishing, memory, progress."""

import io
import subprocess
import sys
import threading
from math import prod
from pathlib import Path

import numpy as np
import pytest

from initcli import engine, initializers
from initcli.engine import generate_file, generate_stream
from initcli.errors import InitcliError
from initcli.formats import Contents
from initcli.formats.detection import detect_format
from initcli.formats.listing import choose_format
from initcli.laws import Normal
from initcli.laws.whole import Orthogonal
from initcli.plan import Plan
from initcli.resolution import load_plan
from initcli.workers import default_jobs

SPEC = b"""\
initcli: 1
seed: 3
tensors:
  wide: {shape: [300, 1000], init: he_normal}
  half: {shape: [1001], init: glorot_uniform, dtype: bfloat16}
  q: {shape: [30, 20], init: orthogonal}
  empty: {shape: [0, 2], init: zeros}
  count: {shape: [], init: zeros, dtype: int64}
"""


def small_plan() -> Plan:
    return load_plan(SPEC, "spec.yaml")


def write(plan: Plan, path: Path, **options: object) -> None:
    generate_file(plan, choose_format(str(path), None, len(plan.tensors)), path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".safetensors", ".h5"])
def test_a_file_holds_what_each_initializer_draws_alone(tmp_path: Path, suffix: str) -> None:
    """Through the format and the workers, or called from Python: the same values."""
    plan, path = small_plan(), tmp_path / f"w{suffix}"

    write(plan, path, jobs=2)

    chosen = detect_format(path)
    for tensor in plan.tensors:
        init = initializers.get(type(tensor.initializer), seed=3, **tensor.initializer.config())
        alone = init(tensor.shape, dtype=tensor.dtype.name, name=tensor.name)
        stored = chosen.read_tensor(path, tensor.name)
        assert (stored.shape, stored.tobytes()) == (alone.shape, alone.tobytes())


def test_a_stream_is_the_file_front_to_back() -> None:
    """`--out -` and `--out FILE` give the same bytes, whatever the number of jobs."""
    plan = small_plan()
    chosen = choose_format("-", "safetensors", len(plan.tensors))

    one, many = io.BytesIO(), io.BytesIO()
    report = generate_stream(plan, chosen, one, jobs=1)
    again = generate_stream(plan, chosen, many, jobs=3)

    assert one.getvalue() == many.getvalue()
    assert report.to_data() == again.to_data()


def test_a_stream_equals_the_file(tmp_path: Path) -> None:
    """Byte for byte, header included."""
    plan, path, stream = small_plan(), tmp_path / "w.safetensors", io.BytesIO()

    write(plan, path)
    generate_stream(plan, choose_format("-", "safetensors", len(plan.tensors)), stream)

    assert stream.getvalue() == path.read_bytes()


@pytest.mark.parametrize("suffix", [".safetensors", ".h5"])
@pytest.mark.parametrize("jobs", [1, 3])
def test_a_run_that_fails_half_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, suffix: str, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the exception, an interruption included."""
    path = tmp_path / f"w{suffix}"
    path.write_bytes(b"the old file")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Orthogonal, "sample", fail)

    with pytest.raises(KeyboardInterrupt):
        write(small_plan(), path, jobs=jobs, force=True)

    assert path.read_bytes() == b"the old file"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".safetensors", ".h5"])
def test_the_file_is_unreadable_until_its_last_write(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the seal every reader refuses it: a preallocated file with its header in place would look complete."""
    seen: list[bytes] = []
    original = engine.write_at

    def spy(file: int | Path, data: object, offset: int) -> None:
        (temporary,) = tmp_path.iterdir()
        seen.append(temporary.read_bytes()[:8])
        original(file, data, offset)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "write_at", spy)

    write(small_plan(), tmp_path / f"w{suffix}")

    assert len(seen) > 4
    assert set(seen) == {bytes(8)}


def test_progress_adds_up_to_the_plans_bytes(tmp_path: Path) -> None:
    """Told as pieces are done, by the thread that called."""
    plan, told, threads = small_plan(), [], set()

    def progress(nbytes: int) -> None:
        told.append(nbytes)
        threads.add(threading.current_thread())

    write(plan, tmp_path / "w.safetensors", jobs=2, progress=progress)

    assert sum(told) == plan.nbytes
    assert threads == {threading.current_thread()}


def test_one_whole_tensor_is_held_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four workers and eight orthogonal tensors: never two being drawn at once."""
    held, most = 0, 0
    original = Orthogonal.sample

    def count(self: Orthogonal, *arguments: object) -> object:
        nonlocal held, most
        held += 1
        most = max(most, held)
        try:
            return original(self, *arguments)  # type: ignore[arg-type]
        finally:
            held -= 1

    monkeypatch.setattr(Orthogonal, "sample", count)
    tensors = "".join(f"  q{i}: {{shape: [400, 400], init: orthogonal}}\n" for i in range(8))

    write(load_plan(f"initcli: 1\ntensors:\n{tensors}".encode(), "spec.yaml"), tmp_path / "w.h5", jobs=4)

    assert most == 1


def test_the_faults_of_a_format_carry_the_tensors_place(tmp_path: Path) -> None:
    """NumPy cannot hold bfloat16; the fault points at the spec's line."""
    plan = load_plan(b"initcli: 1\ntensors:\n  w: {shape: [2], init: zeros, dtype: bfloat16}\n", "spec.yaml")

    with pytest.raises(InitcliError) as caught:
        write(plan, tmp_path / "w.npy")

    (fault,) = caught.value.faults
    assert fault.position is not None
    assert fault.position.line == 3
    assert not list(tmp_path.iterdir())


MEMORY = """
import resource, sys
from pathlib import Path
from initcli.engine import generate_file
from initcli.formats.listing import choose_format
from initcli.resolution import load_plan
plan = load_plan(f"initcli: 1\\ntensors: {{w: {{shape: [{sys.argv[2]}], init: random_normal}}}}".encode(), "s.yaml")
generate_file(plan, choose_format("x.safetensors", None, 1), Path(sys.argv[1]), jobs=2)
status = Path("/proc/self/status")  # ru_maxrss counts the peak of the process that started this one, too
usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(status.read_text().partition("VmHWM:")[2].split()[0] if status.exists() else usage)
"""


def test_memory_does_not_grow_with_the_model(tmp_path: Path) -> None:
    """160 MB of weights take at most 16 MB more than 4 MB do: pages of the threads' stacks and heaps, not tensors.

    Half of that is the second thread's scratch, where the first drew the small file alone.
    """
    peaks = [
        int(
            subprocess.run(
                [sys.executable, "-c", MEMORY, str(tmp_path / f"{size}.safetensors"), str(size)],
                capture_output=True,
                check=True,
                text=True,
            ).stdout
        )
        for size in (1_000_000, 40_000_000)
    ]

    assert peaks[1] - peaks[0] < 16_000


def test_jobs_default_to_the_processors_that_may_be_used() -> None:
    """At least one."""
    assert default_jobs() >= 1


def test_tasks_are_about_a_chunk_and_cover_every_element_once(tmp_path: Path) -> None:
    """Small neighbours share a task; large tensors are cut."""
    plan = small_plan()
    layout = choose_format("-", "safetensors", 5).lay_out(Contents(plan.tensors), tmp_path)

    tasks = list(engine._tasks(plan, layout))

    pieces = [piece for task in tasks for piece in task]
    for index, tensor in enumerate(plan.tensors):
        mine = sorted((p.start, p.stop) for p in pieces if p.index == index)
        assert [start for start, _ in mine] == [0, *(stop for _, stop in mine)][: len(mine)]
        assert sum(stop - start for start, stop in mine) == prod(tensor.shape)
    assert all(sum(p.stop - p.start for p in task) <= engine.CHUNK_ELEMS for task in tasks)
    assert len(tasks) < len(pieces) + 1


def test_a_chunk_of_one_element_gives_the_same_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chunk is a matter of speed alone."""
    plan = load_plan(b"initcli: 1\ntensors: {w: {shape: [37], init: random_normal}}", "s.yaml")
    write(plan, tmp_path / "a.npy")

    monkeypatch.setattr(engine, "CHUNK_ELEMS", 1)
    write(plan, tmp_path / "b.npy", jobs=2)

    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
    assert np.load(tmp_path / "a.npy").std() == pytest.approx(0.05, abs=5 * Normal(0, 0.05).standard_errors(37)[1])
