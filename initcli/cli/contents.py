"""What a weight file holds, as tables, sentences and plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from math import nan, prod
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from initcli.cli.tables import Table, count, escape, render_number, render_shape, titled
from initcli.collapsing import Branch, collapse, list_leaves, natural_key
from initcli.formats import Entry, Header
from initcli.formats.weights import WeightFile
from initcli.histogram import render_histogram
from initcli.moments import plain
from initcli.provenance import PORTABLE_KEY, SCHEME_KEY, SPEC_KEY
from initcli.units import render_nbytes

if TYPE_CHECKING:
    from initcli.survey import Survey

Surveys: TypeAlias = "Mapping[str, Survey | None]"

OWN_KEYS = (SPEC_KEY, SCHEME_KEY, PORTABLE_KEY)
_TEXTS, _FIGURES = ("name", "shape", "dtype"), ("tensors", "parameters", "bytes")
_STATISTICS = ("mean", "std", "min", "max", "zeros", "nan", "inf")


class Kind(NamedTuple):
    """What tensors must have in common to share a line."""

    shape: tuple[int, ...]
    dtype: str
    nbytes: int


class Sums(NamedTuple):
    """How much there is: tensors, parameters, bytes."""

    tensors: int
    size: int
    nbytes: int


def grow_tree(entries: Sequence[Entry]) -> tuple[Branch[Kind], ...]:
    """Return the tensors of a file as a tree with equal blocks collapsed."""
    return collapse({entry.name: Kind(entry.shape, entry.dtype, entry.nbytes) for entry in entries})


def sort_naturally(weights: WeightFile) -> WeightFile:
    """Return a file whose tensors are in the natural order of their names."""
    entries = sorted(weights.header.entries, key=lambda entry: natural_key(entry.name))
    return weights._replace(header=weights.header._replace(entries=entries))


def sum_entries(entries: Sequence[Entry]) -> Sums:
    """Return how much there is in a file."""
    return Sums(len(entries), sum(prod(entry.shape) for entry in entries), sum(entry.nbytes for entry in entries))


def render_totals(entries: Sequence[Entry]) -> str:
    """Return how much there is and of which element types, those with the most bytes first."""
    sums = sum_entries(entries)
    shares: dict[str, int] = {}
    for entry in entries:
        shares[entry.dtype] = shares.get(entry.dtype, 0) + entry.nbytes
    dtypes = sorted(shares, key=lambda dtype: (-shares[dtype], dtype))
    numbers = [count(sums.tensors, "tensor"), count(sums.size, "parameter"), render_nbytes(sums.nbytes)]
    return escape(", ".join([*numbers, *dtypes]))


def tabulate_patterns(entries: Sequence[Entry]) -> Table:
    """Return a line for each collapsed name, in whole: it can be found by its text, and put into a spec."""
    rows = [
        (escape(leaf.pattern), *_render_kind(leaf.value), *_render_sums(_multiply(leaf.value, leaf.names)))
        for leaf in list_leaves(grow_tree(entries))
    ]
    return Table(titled(_TEXTS, _FIGURES), rows, _total_row(entries))


def tabulate_tree(entries: Sequence[Entry]) -> Table:
    """Return a line for each branch of the tree, what is below it indented and summed up."""
    rows, narrow = [], []
    for depth, label, kind, sums in _walk(grow_tree(entries)):
        name = "  " * depth + escape(label)
        texts, figures = _render_kind(kind), _render_sums(sums)
        rows.append((name, *texts, *figures))
        below = f"\n{'  ' * (depth + 1)}{' '.join(texts)}" if kind else ""
        narrow.append((name + below, *figures))
    total = _total_row(entries)
    columns = titled(("name\n  shape dtype",), _FIGURES)
    return Table(titled(_TEXTS, _FIGURES), rows, total, Table(columns, narrow, (total[0], *total[-len(_FIGURES) :])))


def tabulate_surveys(entries: Sequence[Entry], surveys: Surveys, *, draws: bool) -> Table:
    """Return the statistics of each tensor, and the histogram too if it `draws` them."""
    rows, narrow = [], []
    for entry in entries:
        survey = surveys[entry.name]
        name, texts, numbers = escape(entry.name), _render_kind(entry), _render_survey(survey)
        drawn = render_histogram(survey.histogram.counts) if survey else ""
        rows.append((name, *texts, *numbers, *[drawn] * draws))
        narrow.append(_stack_survey(f"{name}\n  {' '.join(texts)}\n  {drawn}".rstrip(), numbers))
    numbers = _render_survey(merge_surveys(surveys))
    total = ("total", count(len(entries), "tensor"), "", *numbers, *[""] * draws)
    head = "name\n  shape dtype\n" + "  histogram" * draws
    columns = titled((head,), ("mean\nstd\n", "min\nmax\n", "zeros\nnan\ninf"))
    stacked = Table(columns, narrow, _stack_survey("total", numbers))
    return Table(titled(_TEXTS, _STATISTICS, ["histogram"] * draws), rows, total, stacked)


def merge_surveys(surveys: Surveys) -> Survey:
    """Return what was seen of all tensors together."""
    from initcli.survey import Survey

    return reduce(Survey.merge, (survey for survey in surveys.values() if survey), Survey())


def tabulate_metadata(metadata: Mapping[str, str], longest: int | None) -> Table:
    """Return a line for each metadata entry, at most `longest` characters of it; what initcli wrote in a few words."""
    rows = [
        (escape(key), _render_value(value, longest)) for key, value in sorted(metadata.items()) if key not in OWN_KEYS
    ]
    if words := _describe_origin(metadata):
        rows.append(("initcli", escape(", ".join(words))))
    return Table(titled(("metadata", ""), ()), rows)


def tabulate_ties(ties: Mapping[str, str]) -> Table:
    """Return a line for each collapsed name that stands for another tensor's bytes, and that tensor's name."""
    rows = [(escape(leaf.pattern), f"= {escape(leaf.value)}") for leaf in list_leaves(collapse(ties))]
    return Table(titled(("tie", ""), ()), rows)


def describe_header(format_name: str, header: Header, surveys: Surveys | None) -> dict[str, Any]:
    """Return what a file says of itself as plain data; `spec` is the embedded spec, null if there is none.

    `ties` are by name the tensors that they are, and no part of the rest.
    """
    tensors = [_describe_entry(entry) for entry in header.entries]
    total = sum_entries(header.entries)._asdict()
    if surveys is not None:
        for tensor in tensors:
            tensor.update(_describe_survey(surveys[tensor["name"]]))
        total.update(_describe_survey(merge_surveys(surveys)))
    return {
        "format": format_name,
        "metadata": {key: value for key, value in sorted(header.metadata.items()) if key != SPEC_KEY},
        "spec": parse_spec(header.metadata),
        "blocks": [
            {
                "pattern": leaf.pattern,
                "shape": list(leaf.value.shape),
                "dtype": leaf.value.dtype,
                **_multiply(leaf.value, leaf.names)._asdict(),
            }
            for leaf in list_leaves(grow_tree(header.entries))
        ],
        "tensors": tensors,
        "ties": dict(header.ties),
        "total": total,
    }


def parse_spec(metadata: Mapping[str, str]) -> Any:
    """Return the embedded spec as data: None if there is none, the text as it is if it is not JSON."""
    import json

    text = metadata.get(SPEC_KEY)
    try:
        return None if text is None else json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text


def render_markdown(headline: str, table: Table) -> str:
    """Return a table for a model card below its headline; names stand as code."""
    numbers = [column.is_number for column in table.columns]
    lines = [
        [column.title for column in table.columns],
        ["---:" if is_number else "---" for is_number in numbers],
        *([_render_code(name), *rest] for name, *rest in table.rows),
        table.total or [],
    ]
    return "\n".join([headline, "", *(f"| {' | '.join(line)} |" for line in lines if line)])


def _render_code(name: str) -> str:
    """Return a name as a code span in a table's cell.

    >>> _render_code("a|b"), _render_code("`"), _render_code("")
    ('`a\\\\|b`', '`` ` ``', '')
    """
    fence, blank = ("``", " ") if "`" in name else ("`", "")
    return f"{fence}{blank}{name}{blank}{fence}".replace("|", "\\|") if name else ""


def _walk(
    branches: Sequence[Branch[Kind]], depth: int = 0, times: int = 1
) -> Iterator[tuple[int, str, Kind | None, Sums]]:
    """Yield the depth, label, kind and sums of each branch; one that is alone below another shares its line."""
    for branch in branches:
        label, taken = branch.label, times * branch.times
        while len(branch.branches) == 1:
            (branch,) = branch.branches
            label, taken = label + branch.label, taken * branch.times
        if branch.branches:
            below = [_multiply(leaf.value, taken * leaf.names) for leaf in list_leaves(branch.branches)]
            yield depth, label[:-1], None, Sums(*map(sum, zip(*below, strict=True)))
            yield from _walk(branch.branches, depth + 1, taken)
        elif branch.value is not None:
            yield depth, label, branch.value, _multiply(branch.value, taken)


def _multiply(kind: Kind, times: int) -> Sums:
    return Sums(times, times * prod(kind.shape), times * kind.nbytes)


def _describe_entry(entry: Entry) -> dict[str, Any]:
    kind = {"shape": list(entry.shape), "dtype": entry.dtype}
    return {"name": entry.name, **kind, "size": prod(entry.shape), "nbytes": entry.nbytes}


def _render_kind(kind: Kind | Entry | None) -> tuple[str, str]:
    return (render_shape(kind.shape), escape(kind.dtype)) if kind else ("", "")


def _render_sums(sums: Sums) -> tuple[str, str, str]:
    return f"{sums.tensors:,}", f"{sums.size:,}", render_nbytes(sums.nbytes)


def _total_row(entries: Sequence[Entry]) -> tuple[str, ...]:
    return "total", "", "", *_render_sums(sum_entries(entries))


def _render_survey(survey: Survey | None) -> tuple[str, ...]:
    """Return the words of `_STATISTICS`; `-` for a figure that there is not."""
    if survey is None:
        return ("-",) * len(_STATISTICS)
    seen = survey.moments
    figures = (seen.mean, seen.std, seen.min, seen.max) if seen.count else (nan,) * 4
    return (*map(render_number, figures), *(f"{number:,}" for number in (seen.zeros, seen.nans, seen.infs)))


def _stack_survey(name: str, numbers: Sequence[str]) -> tuple[str, ...]:
    return name, "\n".join(numbers[:2]), "\n".join(numbers[2:4]), "\n".join(numbers[4:])


def _describe_survey(survey: Survey | None) -> dict[str, Any]:
    """Return a survey as plain data: null for what there is not; of bins one edge more than counts."""
    if survey is None:
        return dict.fromkeys((*_STATISTICS, "histogram"))
    seen, histogram = survey.moments, survey.histogram
    return {
        "mean": plain(seen.mean) if seen.count else None,
        "std": plain(seen.std),
        "min": plain(seen.min),
        "max": plain(seen.max),
        "zeros": seen.zeros,
        "nan": seen.nans,
        "inf": seen.infs,
        "histogram": {"edges": histogram.edges, "counts": list(histogram.counts)} if histogram.counts else None,
    }


def _render_value(value: str, longest: int | None) -> str:
    if longest is None or len(value) <= longest:
        return escape(value)
    return f"{escape(value[:longest])}… ({len(value):,} characters, whole with --json)"


def _describe_origin(metadata: Mapping[str, str]) -> list[str]:
    """Return what initcli wrote of how it made a file, in words; the spec may be anybody's."""
    words = []
    if SPEC_KEY in metadata:
        spec = parse_spec(metadata)
        if isinstance(spec, dict) and isinstance(spec.get("tensors"), dict):
            framework, seed, dtype = (spec.get(key, "?") for key in ("framework", "seed", "dtype"))
            words += [f"{framework}", f"seed {seed}", f"{dtype}"]
        else:
            words.append("not a spec that initcli wrote")
    if SCHEME_KEY in metadata:
        words.append(f"scheme {metadata[SCHEME_KEY]}")
    if PORTABLE_KEY in metadata:
        words.append("portable" if metadata[PORTABLE_KEY] == "true" else "not portable")
    return [*words, "spec with --json"] if SPEC_KEY in metadata else words
