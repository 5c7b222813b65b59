"""An initializer's page, read out of its class: written once, in the docstring and the fields, shown everywhere."""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, dataclass
from typing import Any

from initcli.initializers.base import Initializer

_SECTION = re.compile(r"(Bounds|Differs|Source): *(.*)")


@dataclass(frozen=True)
class Parameter:
    """One parameter: its `default` (None if `is_required`) and what it means."""

    name: str
    default: Any
    is_required: bool
    meaning: str

    def __str__(self) -> str:
        return self.name if self.is_required else f"{self.name}={self.default}"


@dataclass(frozen=True)
class Page:
    """What there is to know of an initializer; `name` is the full one, texts may be empty."""

    name: str
    framework: str
    aliases: tuple[str, ...]
    summary: str
    formula: str
    parameters: tuple[Parameter, ...]
    bounds: str
    differs: str
    source: str


def read_page(cls: type[Initializer]) -> Page:
    """Return the page of an initializer's class.

    >>> from initcli.initializers import HeNormal
    >>> read_page(HeNormal).bounds
    '±2.2737 std'
    """
    summary, formula, sections = _read_docstring(cls)
    return Page(
        cls.qualified_name(),
        cls.framework,
        tuple(alias for alias in dict.fromkeys((cls.__name__, *cls.aliases)) if alias != cls.name),
        summary,
        formula,
        tuple(_read_parameter(field) for field in cls.parameters()),
        **{name.lower(): sections.get(name, "") for name in ("Bounds", "Differs", "Source")},
    )


def _read_parameter(field: Any) -> Parameter:
    is_required = field.default is MISSING and field.default_factory is MISSING
    default = None if is_required else field.default if field.default is not MISSING else field.default_factory()
    return Parameter(field.name, default, is_required, field.metadata.get("meaning", ""))


def _read_docstring(cls: type[Initializer]) -> tuple[str, str, dict[str, str]]:
    """Return the first paragraph, what follows without doctests, and the sections by their word."""
    text = cls.__dict__.get("__doc__") or ""
    if text.startswith(f"{cls.__name__}("):  # what a dataclass writes where there is nothing
        text = ""
    paragraphs = [part.splitlines() for part in re.split(r"\n\s*\n", inspect.cleandoc(text).strip())]
    summary = " ".join(line.strip() for line in paragraphs[0]).removesuffix(".")
    formula: list[str] = []
    sections: dict[str, str] = {}
    for lines in paragraphs[1:]:
        if lines[0].lstrip().startswith(">>>"):
            continue
        rest = _take_sections(lines, sections)
        if rest:
            formula.append("\n".join(rest))
    return summary, "\n\n".join(formula), sections


def _take_sections(lines: list[str], sections: dict[str, str]) -> list[str]:
    """Put the sections of a paragraph, each with the lines that go on with it, into `sections`; return the rest."""
    rest, word = [], ""
    for line in lines:
        if match := _SECTION.fullmatch(line):
            word = match[1]
            sections[word] = match[2]
        elif word:
            sections[word] += f" {line.strip()}"
        else:
            rest.append(line)
    return rest
