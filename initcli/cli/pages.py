"""Initializers' pages as text, tables and plain data: one alone, several side by side, their figures for a shape."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from initcli.cli.namesakes import Figures, Namesake
from initcli.cli.tables import Column, Table, count, escape, render_number, render_shape, titled
from initcli.errors import Fault
from initcli.initializers.page import Page
from initcli.moments import plain

_PROMISED = ("mean", "std", "low", "high")


def tabulate_pages(pages: Sequence[Page], matched: Mapping[str, Sequence[str]]) -> Table:
    """Return a line for each initializer, by framework; on a narrow terminal, a few.

    `matched` has, by full name, the aliases by which alone an initializer was found; they are marked.
    """
    rows, narrow = [], []
    for page in pages:
        aliases = [f"{alias}*" if alias in matched.get(page.name, ()) else alias for alias in page.aliases]
        parameters = ", ".join(map(str, page.parameters))
        rows.append(tuple(map(escape, (page.name, ", ".join(aliases) or "-", parameters or "-", page.summary))))
        name = "\n".join(escape(each) for each in (page.name, *(f"  {alias}" for alias in aliases)))
        narrow.append((name, "\n".join(escape(each) for each in (page.summary, parameters) if each)))
    called = "aliases (* found by it)" if any(matched.values()) else "aliases"
    headings = _head_frameworks(pages)
    return Table(
        titled(("name", called, "parameters", "summary"), ()),
        rows,
        narrow=Table(titled((f"name\n  {called}", "summary\nparameters"), ()), narrow, headings=headings),
        headings=headings,
    )


def describe_page(page: Page) -> dict[str, Any]:
    """Return a page as plain data; a default that JSON does not know becomes text."""
    data = asdict(page)
    for parameter in data["parameters"]:
        if not isinstance(parameter["default"], str | int | float | bool | None):
            parameter["default"] = str(parameter["default"])
    return data


def describe_namesake(namesake: Namesake, shape: tuple[int, ...] | None) -> dict[str, Any]:
    """Return a page with how its fans are read, and `at_shape` if there is a shape, as plain data."""
    data = {**describe_page(namesake.page), "axes": namesake.axes}
    if shape is not None:
        data["at_shape"] = {"shape": list(shape), **_describe_figures(namesake)}
    return data


def render_page(namesake: Namesake, see_also: Sequence[str], width: int | None) -> str:
    """Return a page as text; sentences are folded to `width` columns, if there is a width."""
    page = namesake.page
    blocks = [escape(page.name), _fold(page.summary, width, "")]
    if page.formula:
        blocks.append("\n".join(_fold(line, width, "    ") for line in page.formula.split("\n")))
    parameters = {str(parameter): parameter.meaning for parameter in page.parameters}
    if parameters:
        blocks.append("parameters\n" + _render_fields(parameters, width, "  "))
    facts = {
        "aliases": ", ".join(page.aliases),
        "axes": namesake.axes,
        "bounds": page.bounds,
        "differs": page.differs,
        "source": page.source,
        "see also": ", ".join(see_also),
    }
    blocks.append(_render_fields(facts, width, ""))
    if namesake.figures:
        title = f"{namesake.initializer} of {render_shape(namesake.figures.shape)}"
        blocks.append(f"{escape(title)}\n{_render_fields(_render_figures(namesake.figures), width, '  ')}")
    return "\n\n".join(filter(None, blocks))


def render_side_by_side(called: str, namesakes: Sequence[Namesake], width: int | None) -> str:
    """Return who has the same law, and below it a block for each framework, all with the same fields."""
    blocks = [_render_kinship(called, namesakes, width)]
    for each in namesakes:
        page = each.page
        fields = {
            "refuses": each.refusal.what if each.refusal and not _needs_more(each) else "",
            "formula": page.formula,
            "same law": ", ".join(each.same_law),
            "parameters": ", ".join(map(str, page.parameters)),
            "axes": each.axes,
            "bounds": page.bounds,
            "differs": page.differs,
            "source": page.source,
            "aliases": ", ".join(page.aliases),
        }
        blocks.append(f"{escape(page.name)}\n{_render_fields(fields, width, '  ')}")
    return "\n\n".join(blocks)


def tabulate_figures(namesakes: Sequence[Namesake]) -> Table:
    """Return fans, gain and promise of each framework's law for one shape, or why it refuses the shape."""
    rows, narrow = [], []
    for each in namesakes:
        fields = _render_figures(each.figures) if each.figures else {}
        fan_in, fan_out, gain, mean, std, low, high = (
            fields.get(word, "-") for word in ("fan_in", "fan_out", "gain", *_PROMISED)
        )
        name, law = escape(each.page.name), escape(_name_law(each, namesakes))
        rows.append((name, fan_in, fan_out, gain, mean, std, low, high, law))
        narrow.append((f"{name}\n  {law}", f"{fan_in}\n{fan_out}", gain, f"{mean}\n{std}", f"{low}\n{high}"))
    numbers = titled(("initializer",), ("fan_in", "fan_out", "gain", *_PROMISED))
    pairs = titled(("initializer\n  its law",), ("fan_in\nfan_out", "gain", "mean\nstd", "low\nhigh"))
    return Table((*numbers, Column("law")), rows, narrow=Table(pairs, narrow))


def _head_frameworks(pages: Sequence[Page]) -> dict[int, str]:
    """Return the heading of each framework by the index of its first page."""
    headings: dict[int, str] = {}
    owners = [page.framework for page in pages]
    for framework in dict.fromkeys(owners):
        number = count(owners.count(framework), "initializer")
        headings[owners.index(framework)] = escape(f"{framework or 'your own'}: {number}")
    return headings


def _describe_figures(namesake: Namesake) -> dict[str, Any]:
    """Return figures as plain data, null where there is none; `refusal` says why there are none at all."""
    figures = namesake.figures
    fans = figures.fans if figures else None
    promise = figures.law.promise if figures else None
    return {
        "initializer": str(namesake.initializer) if namesake.initializer else None,
        "refusal": namesake.refusal.what if namesake.refusal else None,
        "fan_in": plain(fans.fan_in) if fans else None,
        "fan_out": plain(fans.fan_out) if fans else None,
        "gain": figures.gain if figures else None,
        "law": _words(type(figures.law).__name__, "_") if figures else None,
        **{word: plain(getattr(promise, word)) if promise else None for word in _PROMISED},
    }


def _render_figures(figures: Figures) -> dict[str, str]:
    """Return what a page says of a shape; `-` where there is none."""
    fans = figures.fans
    return {
        "law": _words(type(figures.law).__name__, " "),
        "fan_in": _render_fan(fans.fan_in) if fans else "-",
        "fan_out": _render_fan(fans.fan_out) if fans else "-",
        "gain": "-" if figures.gain is None else render_number(figures.gain),
        **{word: render_number(getattr(figures.law.promise, word)) for word in _PROMISED},
    }


def _render_fan(fan: float) -> str:
    return f"{int(fan):,}" if fan == int(fan) else render_number(fan)


def _name_law(namesake: Namesake, namesakes: Sequence[Namesake]) -> str:
    """Return the law in words, and the first above that has the same; or why there is none."""
    if namesake.figures is None:
        refusal = namesake.refusal or Fault("")
        return f"refuses: {refusal.what}"
    above = [each.page for each in namesakes[: namesakes.index(namesake)] if each.page.name in namesake.same_law]
    law = _words(type(namesake.figures.law).__name__, " ")
    return f"{law}, as {above[0].framework}" if above else law


def _words(name: str, between: str) -> str:
    """Return the words of a class's name.

    >>> _words("TruncatedNormal", " ")
    'truncated normal'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", between, name).lower()


def _needs_more(namesake: Namesake) -> bool:
    """Tell whether nothing is wrong but that a parameter has no default, which the page says anyway."""
    return namesake.initializer is None and any(each.is_required for each in namesake.page.parameters)


def _render_kinship(called: str, namesakes: Sequence[Namesake], width: int | None) -> str:
    """Return how many there are, and a line for each group of frameworks that have the same law."""
    groups = dict.fromkeys(tuple(sorted({each.page.name, *each.same_law})) for each in namesakes if each.same_law)
    frameworks = {each.page.name: each.page.framework for each in namesakes}
    lines = [
        _fold(", ".join(frameworks[name] for name in frameworks if name in group), width, "  = ") for group in groups
    ]
    alike = "these have the same law for the same fans:" if lines else "no two have the same law"
    how = "as called" if "(" in called else "with their defaults"
    return "\n".join([_fold(f"{len(namesakes)} frameworks have `{called}`; {how}, {alike}", width, ""), *lines])


def _render_fields(fields: Mapping[str, str], width: int | None, indent: str) -> str:
    """Return a word and its text a line, the texts aligned; a word without a text is left out."""
    told = {word: text for word, text in fields.items() if text}
    column = max(map(len, told), default=0) + 2
    lines = []
    for word, text in told.items():
        first = f"{indent}{escape(word).ljust(column)}"
        for line in text.split("\n"):
            lines.append(_fold(line, width, first))
            first = " " * len(first)
    return "\n".join(lines)


def _fold(text: str, width: int | None, first: str) -> str:
    """Return `first` and the text, folded between words under the text's own beginning."""
    import textwrap

    text = escape(text)
    if width is None or len(first) + len(text) <= width or len(first) > width - 20:
        return first + text
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
