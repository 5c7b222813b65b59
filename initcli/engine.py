"""Plan and format to a file and a report: sample, round, measure and write, chunk by chunk, in one pass.

The work is a list of tasks in file order, made from the plan alone; results come back in that order whatever the number
of workers, so the statistics are the same for one worker and for sixty-four. Where a worker writes follows from the
layout, so the bytes are too.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from initcli.checksums import BLOCK_ELEMS, combine_crc32, digest_blocks
from initcli.digests import Digester
from initcli.drawing import draw_range
from initcli.errors import InitcliError
from initcli.files import write_at
from initcli.formats import Contents, Format, Layout, Seal
from initcli.formats.arranging import arrange
from initcli.moments import Moments, measure
from initcli.plan import Plan, PlannedTensor
from initcli.report import Report
from initcli.scratch import Scratch
from initcli.staging import staged_output
from initcli.workers import gather, map_ordered

CHUNK_ELEMS = BLOCK_ELEMS
"""Elements that a worker draws at once: NumPy's calls are long enough for threads to overlap, and its scratch, some
6 MB, still stays in cache. Measured on 2 cores, GPT-2 to safetensors, seconds: 2¹⁶ 0.92, 2¹⁷ 0.44, 2¹⁸ 0.40, 2¹⁹ 0.42.
Statistics are merged by chunk, so changing this may change their last digits; it never changes a value. A chunk begins
a block, so that digests of blocks are made where the values are drawn."""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Piece:
    """The elements [start, stop) of the tensor at `index` of the plan."""

    index: int
    start: int
    stop: int


@dataclass(frozen=True)
class Drawn:
    """What a worker made of a piece: its moments, place and size in bytes, checksums if wanted, a stream's bytes."""

    index: int
    start: int
    moments: Moments
    nbytes: int
    crc32: int = 0
    blocks: tuple[bytes, ...] = ()
    data: bytes = b""


def check_format(plan: Plan, chosen: Format) -> None:
    """Raise `InitcliError` with a fault for each tensor that the format cannot hold."""
    plan = arrange(plan, chosen)
    refusals = chosen.faults(plan.tensors)
    if refusals:
        raise InitcliError(*(plan.tensors[r.place].place.fault(r.what, r.hint) for r in refusals))


def list_contents(plan: Plan) -> Contents:
    """Return what a file of the plan holds."""
    return Contents(plan.tensors, plan.metadata(), plan.ties, plan.config)


def generate_file(
    plan: Plan,
    chosen: Format,
    target: Path,
    *,
    force: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
    digests: bool = False,
) -> Report:
    """Write the plan's tensors to `target`, which appears whole or not at all, and return the report.

    With `digests` the report has the content digest.

    Raises:
        InitcliError: the format cannot hold the tensors, or the target cannot be written.
    """
    plan = arrange(plan, chosen)
    check_format(plan, chosen)
    with staged_output(chosen, target, force=force) as (settled, path):
        layout = settled.allocate(list_contents(plan), path)
        with ExitStack() as stack:
            files = _open_single(layout, stack)
            worker = _Worker(plan, layout, files, digests)
            tally = _Tally(plan, progress, digests)
            for task in map_ordered(worker.write, _tasks(plan, layout), jobs):
                tally.add(task)
            for seal in list_seals(layout, tally.crc32s):
                write_at(files.get(seal.file, seal.file), seal.data, seal.offset)
    return tally.report()


def generate_stream(
    plan: Plan,
    chosen: Format,
    stream: BinaryIO,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
    digests: bool = False,
) -> Report:
    """Write the plan's tensors front to back to a pipe, in memory that does not grow with the plan; return the report.

    With `digests` the report has the content digest.

    Raises:
        InitcliError: the format cannot hold the tensors.
        BrokenPipeError: the reader went away.
    """
    plan = arrange(plan, chosen)
    check_format(plan, chosen)
    layout = chosen.lay_out(list_contents(plan), Path("-"))
    worker, tally = _Worker(plan, layout, {}, digests), _Tally(plan, progress, digests)
    pipe = _Pipe(stream, layout)
    for task in map_ordered(worker.read, _tasks(plan, layout), jobs):
        tally.add(task)
        for piece in task:
            pipe.put(piece, tally.crc32s[piece.index])
    pipe.close(tally.crc32s)
    return tally.report()


class _Pipe:
    """Writes a layout of one file front to back: pieces as they come, seals before the first byte behind them."""

    def __init__(self, stream: BinaryIO, layout: Layout) -> None:
        self.stream, self.layout = stream, layout
        empty = [index for index, slot in enumerate(layout.slots) if not slot.nbytes]  # of these no piece comes
        behind = [layout.trailer.after(index, 0) for index in empty] if layout.trailer else []
        self.seals = deque(sorted((*layout.seals, *behind), key=lambda seal: seal.offset))
        self.at = 0

    def put(self, piece: Drawn, crc32: int) -> None:
        """Write a piece; behind the last of a tensor, what tells its checksum."""
        slot = self.layout.slots[piece.index]
        self._write(slot.offset + piece.start, piece.data)
        if self.layout.trailer and piece.start + piece.nbytes == slot.nbytes:
            seal = self.layout.trailer.after(piece.index, crc32)
            self._write(seal.offset, seal.data)

    def close(self, crc32s: Sequence[int]) -> None:
        """Write what stands behind the last tensor."""
        if self.layout.trailer:
            self.seals.append(self.layout.trailer.last(crc32s))
        while self.seals:
            seal = self.seals.popleft()
            self._write(seal.offset, seal.data)
        self.stream.flush()

    def _write(self, offset: int, data: bytes) -> None:
        while self.seals and self.seals[0].offset < offset:
            seal = self.seals.popleft()
            self._write(seal.offset, seal.data)
        self.stream.write(bytes(offset - self.at) + data)
        self.at = offset + len(data)


def list_seals(layout: Layout, crc32s: Sequence[int]) -> Iterator[Seal]:
    """Yield the seals, that which ends the file last: where there is one, nothing opens without it."""
    if layout.trailer:
        yield from (layout.trailer.after(index, crc32) for index, crc32 in enumerate(crc32s))
    yield from layout.seals
    if layout.trailer:
        yield layout.trailer.last(crc32s)


def _open_single(layout: Layout, stack: ExitStack) -> dict[Path, int]:
    """Return an open descriptor for the only file of a layout; of many files each is opened when it is written."""
    paths = {slot.file for slot in layout.slots}
    if len(paths) != 1:
        return {}
    path = paths.pop()
    descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0))
    stack.callback(os.close, descriptor)
    return {path: descriptor}


def _tasks(plan: Plan, layout: Layout) -> Iterator[list[Piece]]:
    """Yield all pieces in file order, small neighbours together, so that a task is about a chunk."""
    return gather(_pieces(plan, layout), lambda piece: piece.stop - piece.start, CHUNK_ELEMS)


def _pieces(plan: Plan, layout: Layout) -> Iterator[Piece]:
    """Yield all pieces in file order."""
    order = sorted(range(len(plan.tensors)), key=lambda i: (str(layout.slots[i].file), layout.slots[i].offset, i))
    for index in order:
        tensor = plan.tensors[index]
        step = max(1, tensor.size) if tensor.is_drawn_whole else CHUNK_ELEMS
        for start in range(0, tensor.size, step):
            yield Piece(index, start, min(start + step, tensor.size))


class _Worker:
    """Draws the pieces of a task; one object serves all threads."""

    def __init__(self, plan: Plan, layout: Layout, files: dict[Path, int], digests: bool) -> None:
        self.plan, self.layout, self.files, self.digests = plan, layout, files, digests
        self.scratch, self.measuring = Scratch(), Scratch()
        self.one_whole_tensor = Lock()

    def write(self, task: list[Piece]) -> list[Drawn]:
        """Write each piece where the layout says."""
        return [self._draw(piece, self._put) for piece in task]

    def read(self, task: list[Piece]) -> list[Drawn]:
        """Return each piece's bytes."""
        return [self._draw(piece, lambda piece, stored: stored.tobytes()) for piece in task]

    def _draw(self, piece: Piece, deliver: Callable[[Piece, NDArray[Any]], bytes]) -> Drawn:
        tensor = self.plan.tensors[piece.index]
        if tensor.is_drawn_whole:
            with self.one_whole_tensor:
                return self._draw_range(piece, tensor, deliver)
        return self._draw_range(piece, tensor, deliver)

    def _draw_range(
        self, piece: Piece, tensor: PlannedTensor, deliver: Callable[[Piece, NDArray[Any]], bytes]
    ) -> Drawn:
        stored = draw_range(tensor, piece.start, piece.stop, self.scratch)
        moments = Moments()
        for start in range(0, len(stored), CHUNK_ELEMS):
            moments = moments.merge(self._measure(stored[start : start + CHUNK_ELEMS], tensor))
        crc32 = zlib.crc32(stored.view(np.uint8).data) if self.layout.trailer else 0
        blocks = digest_blocks(stored) if self.digests else ()
        data = deliver(piece, stored)
        return Drawn(piece.index, piece.start * stored.itemsize, moments, stored.nbytes, crc32, blocks, data)

    def _measure(self, stored: NDArray[Any], tensor: PlannedTensor) -> Moments:
        """Return the moments of what is stored, whatever the rounding made of it."""
        real = np.float32 if tensor.dtype.working == np.float32 else np.float64
        parts = stored.view(real) if tensor.dtype.kind == "complex" else stored.astype(real, copy=False)
        mean = tensor.law.mean
        return measure(parts, mean if np.isfinite(mean) else 0.0, self.measuring)

    def _put(self, piece: Piece, stored: NDArray[Any]) -> bytes:
        slot = self.layout.slots[piece.index]
        offset = slot.offset + piece.start * stored.itemsize
        write_at(self.files.get(slot.file, slot.file), stored, offset)
        return b""


class _Tally:
    """Merges what the workers made of the pieces, in file order, tensor by tensor."""

    def __init__(self, plan: Plan, progress: Progress | None, digests: bool) -> None:
        self.plan, self.progress = plan, progress
        self.observed = [Moments()] * len(plan.tensors)
        self.crc32s = [0] * len(plan.tensors)
        self.digester = Digester((t.name, t.dtype.name, t.shape) for t in plan.tensors) if digests else None

    def add(self, task: list[Drawn]) -> None:
        """Take the pieces of a task."""
        for drawn in task:
            self.observed[drawn.index] = self.observed[drawn.index].merge(drawn.moments)
            self.crc32s[drawn.index] = combine_crc32(self.crc32s[drawn.index], drawn.crc32, drawn.nbytes)
            if self.digester:
                self.digester.add(self.plan.tensors[drawn.index].name, drawn.blocks)
        if self.progress:
            self.progress(sum(drawn.nbytes for drawn in task))

    def report(self) -> Report:
        """Return the report of all that was taken."""
        return Report.of(self.plan, self.observed, self.digester.digest() if self.digester else None)
