"""Plans, reports and file headers as tables, sentences and plain data."""

from __future__ import annotations

from math import isfinite
from typing import Any

from initcli.cli.tables import Table, count, escape, render_number, render_shape, titled
from initcli.errors import Fault
from initcli.laws import Promise
from initcli.moments import plain
from initcli.plan import Plan, PlannedTensor
from initcli.report import Report, Row, describe
from initcli.stream import SCHEME
from initcli.units import render_nbytes

_DECIDED = ("name", "shape", "dtype", "initializer")
_PROMISED = ("law mean", "law std", "law low", "law high")
_OBSERVED = ("mean", "std", "min", "max")
_PROMISES = ("mean", "std", "low", "high")
_VERDICTS = {True: "ok", False: "OFF", None: "-"}
_TOLD = 5
"""The most tensors of which an overflow is told one by one."""


def tabulate_report(report: Report) -> Table:
    """Return the statistics beside the promises, one line for each tensor; two on a narrow terminal."""
    wide = titled(_DECIDED, ("mean", "std", "min", "max", "zeros", *_PROMISED), ("agrees",))
    narrow = titled(("tensor\n  its law",), ("mean", "std", "min", "max", "zeros"), ("",))
    heads = [_name_parts(row.tensor) if row.tensor else _total_parts(report.plan) for row in report.rows]
    total = _total_parts(report.plan)
    return Table(
        wide,
        [_report_line(head, row) for head, row in zip(heads, report.rows, strict=True)],
        _report_line(total, report.total),
        Table(
            narrow,
            [_report_pair(head, row) for head, row in zip(heads, report.rows, strict=True)],
            _report_pair(total, report.total),
        ),
    )


def explain_disagreements(report: Report) -> list[Fault]:
    """Return a fault for each tensor whose statistics are not what its law promises."""
    return [
        row.tensor.place.fault(f"`{row.tensor.name}` does not agree with its law: {_explain(row, row.tensor)}")
        for row in report.rows
        if row.tensor and row.agrees is False
    ]


def list_overflows(report: Report, *, is_strict: bool) -> list[str]:
    """Return a sentence for each of the first tensors with values that became infinite or nan, and one for the rest.

    What is an error already, because the run `is_strict`, is not told.
    """
    rows = [
        (row, row.tensor)
        for row in report.rows
        if row.tensor and row.observed.count < row.observed.size and not (is_strict and row.agrees is False)
    ]
    told = [f"`{tensor.name}`: {_explain_overflow(row, tensor)}" for row, tensor in rows[:_TOLD]]
    rest = len(rows) - len(told)
    return [*told, f"{count(rest, 'more tensor')} {'has' if rest == 1 else 'have'} such values"] if rest else told


def tabulate_plan(plan: Plan) -> Table:
    """Return what is decided of each tensor and what its law promises."""
    initializers = {id(tensor.initializer): tensor.initializer for tensor in plan.tensors}
    names = {key: escape(str(each)) for key, each in initializers.items()}
    laws = {id(tensor.law): tensor.law for tensor in plan.tensors}
    promises = {key: _promised_numbers(each.promise) for key, each in laws.items()}
    heads = [(*_written_parts(tensor), names[id(tensor.initializer)]) for tensor in plan.tensors]
    figures = [(*promises[id(tensor.law)], render_nbytes(tensor.nbytes)) for tensor in plan.tensors]
    total = _total_parts(plan)
    blanks = ("", "", "", "", render_nbytes(plan.nbytes))
    narrow = Table(
        titled(("tensor",), ("mean", "std", "low", "high", "bytes")),
        [(_stack(head), *row) for head, row in zip(heads, figures, strict=True)],
        (_stack(total), *blanks),
    )
    rows = [(*head, *row) for head, row in zip(heads, figures, strict=True)]
    return Table(titled(_DECIDED, ("mean", "std", "low", "high", "bytes")), rows, (*total, *blanks), narrow)


def describe_plan(plan: Plan) -> dict[str, Any]:
    """Return the plan as plain data for JSON."""
    return {
        "framework": plan.framework,
        "seed": plan.seed,
        "scheme": SCHEME,
        "is_portable": plan.is_portable,
        "peak_nbytes": plan.peak_nbytes,
        "tensors": [_describe_tensor(tensor) for tensor in plan.tensors],
        "total": {"size": plan.size, "nbytes": plan.nbytes},
    }


def render_plan_summary(plan: Plan) -> str:
    """Return what holds for the whole plan, a sentence a line."""
    lines = [f"{plan.framework}, seed {plan.seed}, {plan.dtype}: {render_totals(plan)}"]
    lines.append(render_portability(plan))
    if plan.peak_nbytes:
        lines.append(f"peak memory of whole-tensor laws: {render_nbytes(plan.peak_nbytes)}")
    return "\n".join(lines)


def render_totals(plan: Plan) -> str:
    """Return how much there is: tensors, parameters, bytes."""
    return f"{count(len(plan.tensors), 'tensor')}, {count(plan.size, 'parameter')}, {render_nbytes(plan.nbytes)}"


def render_portability(plan: Plan) -> str:
    """Return whether every machine makes the same bytes, and whose bits it is if not."""
    moving = [tensor for tensor in plan.tensors if not tensor.law.is_portable]
    if not moving:
        return "portable: the same bytes on every machine"
    names = ", ".join(dict.fromkeys(tensor.initializer.name for tensor in moving))
    share = f"{len(moving):,} of {count(len(plan.tensors), 'tensor')}"
    return f"not portable: {names} may give other bits on another machine ({share})"


def _describe_tensor(tensor: PlannedTensor) -> dict[str, Any]:
    promised = tensor.law.promise
    return {
        **describe(tensor),
        "promised": {name: plain(getattr(promised, name)) for name in ("mean", "std", "low", "high")},
    }


def _name_parts(tensor: PlannedTensor) -> tuple[str, ...]:
    return (*_written_parts(tensor), escape(str(tensor.initializer)))


def _written_parts(tensor: PlannedTensor) -> tuple[str, ...]:
    return escape(tensor.name), render_shape(tensor.shape), tensor.dtype.name


def _total_parts(plan: Plan) -> tuple[str, ...]:
    return "total", count(len(plan.tensors), "tensor"), "", ""


def _stack(head: tuple[str, ...]) -> str:
    """Return a tensor's name and below it the rest."""
    name, *rest = head
    return f"{name}\n  {' '.join(filter(None, rest))}"


def _report_line(head: tuple[str, ...], row: Row) -> tuple[str, ...]:
    return (*head, *_observed_numbers(row), *_promised_numbers(row.promised), _VERDICTS[row.agrees])


def _report_pair(head: tuple[str, ...], row: Row) -> tuple[str, ...]:
    pairs = zip(_observed_numbers(row), (*_promised_numbers(row.promised), ""), strict=True)
    return (_stack(head), *(f"{observed}\n{promised}" for observed, promised in pairs), _VERDICTS[row.agrees])


def _observed_numbers(row: Row) -> tuple[str, ...]:
    observed = row.observed
    if not observed.count:
        return ("-", "-", "-", "-", "0")
    numbers = (observed.mean, observed.std, observed.min, observed.max)
    return (*map(render_number, numbers), f"{observed.zeros:,}")


def _explain(row: Row, tensor: PlannedTensor) -> str:
    """Return in what the observed values of a tensor are not what is promised."""
    if row.observed.count < row.observed.size:
        return _explain_overflow(row, tensor)
    observed, promised = _observed_numbers(row), _promised_numbers(row.promised)
    return f"{_render_pairs(_OBSERVED, observed)}, where {_render_pairs(_PROMISES, promised)} are promised"


def _explain_overflow(row: Row, tensor: PlannedTensor) -> str:
    """Return how many values of a tensor are not finite, and where a law promises finite ones, why."""
    observed = row.observed
    strays = observed.size - observed.count
    kinds = " or ".join(word for word, number in (("nan", observed.nans), ("infinite", observed.infs)) if number)
    limit = f": {tensor.dtype} ends at {tensor.dtype.greatest:.6g}" if isfinite(row.promised.mean) else ""
    return f"{strays:,} of {count(observed.size, 'value')} {'is' if strays == 1 else 'are'} {kinds}{limit}"


def _render_pairs(words: tuple[str, ...], numbers: tuple[str, ...]) -> str:
    return ", ".join(f"{word} {number}" for word, number in zip(words, numbers, strict=False))


def _promised_numbers(promised: Promise) -> tuple[str, ...]:
    return tuple(map(render_number, (promised.mean, promised.std, promised.low, promised.high)))
