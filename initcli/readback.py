"""One pass over the values of weight files, chunk by chunk and by many threads: to digest, compare or verify them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from initcli.checksums import digest_blocks
from initcli.comparison import Contrast, Pair, Tolerance, Verdict, contrast_bits, contrast_values, pair_up
from initcli.digests import ContentDigest, Digester
from initcli.dtypes import DTYPES
from initcli.formats import Entry
from initcli.formats.arranging import arrange
from initcli.formats.chunks import CHUNK_ELEMS, Chunk
from initcli.formats.weights import WeightFile
from initcli.plan import Plan, PlannedTensor
from initcli.verification import Drawer, Expected, select
from initcli.workers import gather, map_ordered

Progress = Callable[[int], None]
Beside = TypeVar("Beside")


def digest_weights(weights: WeightFile, jobs: int = 1, progress: Progress | None = None) -> ContentDigest:
    """Return the content digest of a weight file, of which ties are no part."""
    digester = Digester((entry.name, entry.dtype, entry.shape) for entry in weights.header.entries)
    chunks = ((chunk, None) for chunk in weights.read_chunks(list(weights.entries)))
    for name, blocks in _map_chunks(lambda chunk, _: digest_blocks(chunk.values), chunks, jobs, progress):
        digester.add(name, blocks)
    return digester.digest()


def compare_weights(
    a: WeightFile, b: WeightFile, tolerance: Tolerance, jobs: int = 1, progress: Progress | None = None
) -> list[Pair]:
    """Return how the tensors of two files compare; values are compared wherever the shapes are the same.

    A single `.npy`, in which no name is written, is taken for the only tensor of the other file. A tie is compared
    where the other file has a tensor, or another tie, of this name: else its tensor speaks for it.
    """
    if len(a.header.entries) == len(b.header.entries) == 1:
        a, b = (a.called(*b.entries), b) if b.tells_names and not a.tells_names else (a, b)
        a, b = (a, b) if b.tells_names else (a, b.called(*a.entries))
    pairs = pair_up(_list_beside(a, b), _list_beside(b, a))
    names = [name for name, pair in pairs.items() if _is_comparable(pair)]
    chunks = zip(a.read_chunks(names), b.read_chunks(names), strict=True)
    contrast = partial(_contrast_chunks, tolerance)
    return _merge(pairs, _map_chunks(contrast, chunks, jobs, progress))


def verify_weights(
    plan: Plan, weights: WeightFile, only: tuple[str, ...] = (), jobs: int = 1, progress: Progress | None = None
) -> list[Pair]:
    """Return how the tensors of a plan, `a`, compare with those of a file, `b`, to the bit.

    `only` are globs: of other tensors nothing is said. A tie that the file holds must have the values of its target.
    """
    plan = arrange(plan, weights.format)
    if len(plan.tensors) == 1 and not weights.tells_names:
        weights = weights.called(plan.tensors[0].name)
    by_name, held = {tensor.name: tensor for tensor in plan.tensors}, weights.entries | weights.ties
    wanted = by_name | {tie: by_name[target] for tie, target in plan.ties.items() if tie in held}
    chosen = select(only, {*wanted, *held})
    planned = (_describe(name, tensor) for name, tensor in wanted.items() if name in chosen)
    pairs = pair_up(planned, (entry for name, entry in held.items() if name in chosen))
    names = [name for name, pair in pairs.items() if pair.verdict is Verdict.EQUAL]
    chunks = _with_expected(weights.read_chunks(names), wanted)
    return _merge(pairs, _map_chunks(_verify_chunk, chunks, jobs, progress))


def _list_beside(weights: WeightFile, other: WeightFile) -> Iterator[Entry]:
    """Yield the tensors of a file, and those of its ties that the other does not leave out or have just so."""
    yield from weights.header.entries
    ties, theirs = weights.header.ties, other.header.ties
    names = other.entries.keys() | theirs.keys()
    yield from (entry for name, entry in weights.ties.items() if name in names and theirs.get(name) != ties[name])


def _describe(name: str, tensor: PlannedTensor) -> Entry:
    """Return what a file should say of a tensor."""
    return Entry(name, tensor.dtype.name, tensor.shape, tensor.nbytes)


def _is_comparable(pair: Pair) -> bool:
    """Tell whether both sides have elements that can be laid beside each other."""
    if pair.a is None or pair.b is None or pair.a.shape != pair.b.shape:
        return False
    return pair.a.dtype == pair.b.dtype or {pair.a.dtype, pair.b.dtype} <= DTYPES.keys()


def _with_expected(chunks: Iterable[Chunk], wanted: dict[str, PlannedTensor]) -> Iterator[tuple[Chunk, Expected]]:
    """Yield each chunk with what its tensor should hold, the same object for all chunks of a tensor."""
    drawer = Drawer()
    for chunk in chunks:
        if chunk.start == 0:
            expected = Expected(wanted[chunk.name], drawer)
        yield chunk, expected


def _verify_chunk(chunk: Chunk, expected: Expected) -> Contrast:
    drawn = expected.draw(chunk.start, chunk.start + len(chunk.values))
    return contrast_bits(drawn, chunk.values, chunk.start, expected.tolerance)


def _contrast_chunks(tolerance: Tolerance, a: Chunk, b: Chunk) -> Contrast:
    return contrast_values(a.values, b.values, a.start, tolerance)


def _map_chunks(
    function: Callable[[Chunk, Beside], Any],
    chunks: Iterable[tuple[Chunk, Beside]],
    jobs: int,
    progress: Progress | None,
) -> Iterator[tuple[str, Any]]:
    """Yield each chunk's tensor and function(chunk, what is beside it), in order; reading stays in this thread."""

    def work(task: Sequence[tuple[Chunk, Beside]]) -> list[tuple[str, int, Any]]:
        return [(chunk.name, chunk.values.nbytes, function(chunk, beside)) for chunk, beside in task]

    for done in map_ordered(work, gather(chunks, lambda item: len(item[0].values), CHUNK_ELEMS), jobs):
        for name, _, result in done:
            yield name, result
        if progress:
            progress(sum(nbytes for _, nbytes, _ in done))


def _merge(pairs: dict[str, Pair], contrasts: Iterable[tuple[str, Contrast]]) -> list[Pair]:
    """Return the pairs with what was found of their values."""
    for name, contrast in contrasts:
        pairs[name] = pairs[name].contrasted(contrast)
    return list(pairs.values())
