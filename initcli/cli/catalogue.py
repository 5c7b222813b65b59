"""`initcli list` and `initcli show`: the initializers there are, and the page of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from initcli.cli.console import show, show_json, show_table, terminal_width
from initcli.cli.options import takes_json, takes_plugins
from initcli.cli.tables import Table, escape, titled
from initcli.errors import Fault, InitcliError, suggest

if TYPE_CHECKING:
    from initcli.initializers import Initializer
    from initcli.initializers.page import Page


@click.command("list", short_help="List the initializers.")
@click.option("--framework", metavar="F", help="Only those of this framework, such as keras.")
@takes_plugins
@takes_json
def list_initializers(framework: str | None, as_json: bool) -> None:
    """List the initializers: name, aliases, parameters with their defaults, and what each does.

    \b
    Example:
      initcli list --framework keras
    """
    from initcli.initializers import frameworks, registered
    from initcli.initializers.page import read_page

    pages = [read_page(cls) for cls in registered().values()]
    if framework is not None:
        known = frameworks()
        if framework not in known:
            hint = suggest(framework, known) or f"known: {', '.join(known)}"
            raise InitcliError(Fault(f"unknown framework `{framework}`", hint=hint))
        pages = [page for page in pages if page.framework == framework]
    if as_json:
        keys = ("name", "framework", "aliases", "parameters", "summary")
        show_json({"initializers": [{key: describe_page(page)[key] for key in keys} for page in pages]})
    else:
        show_table(tabulate_pages(pages))


@click.command("show", short_help="Show an initializer's page.")
@click.argument("name", metavar="NAME")
@takes_plugins
@takes_json
def show_initializer(name: str, as_json: bool) -> None:
    """Show the page of the initializer NAME: formula, parameters, bounds, who differs, and the source.

    NAME is a full name (keras.he_normal), a bare one (he_normal), or an alias (HeNormal).

    \b
    Example:
      initcli show he_normal
    """
    from initcli.initializers.page import read_page

    classes = find_everywhere(name)
    page = read_page(classes[0])
    others = tuple(cls.qualified_name() for cls in classes[1:])
    if as_json:
        show_json({**describe_page(page), "see_also": list(others)})
    else:
        show(render_page(page, others, terminal_width()))


def find_everywhere(name: str) -> list[type[Initializer]]:
    """Return every framework's initializer called `name`, Keras's first.

    Raises:
        InitcliError: there is none.
    """
    from initcli.initializers import find, frameworks

    found: list[type[Initializer]] = []
    for framework in frameworks():
        try:
            found.append(find(name, framework))
        except InitcliError:
            continue
    found.sort(key=lambda cls: cls.framework != "keras")
    return list(dict.fromkeys(found)) or [find(name)]


def tabulate_pages(pages: list[Page]) -> Table:
    """Return a line for each initializer; on a narrow terminal, a few."""
    rows, narrow = [], []
    for page in pages:
        aliases = ", ".join(page.aliases)
        parameters = ", ".join(map(str, page.parameters))
        rows.append(tuple(map(escape, (page.name, aliases or "-", parameters or "-", page.summary))))
        name = "\n".join(escape(each) for each in (page.name, *(f"  {alias}" for alias in page.aliases)))
        narrow.append((name, "\n".join(escape(each) for each in (page.summary, parameters) if each)))
    columns = titled(("name", "aliases", "parameters", "summary"), ())
    return Table(columns, rows, narrow=Table(titled(("name\n  aliases", "summary\nparameters"), ()), narrow))


def describe_page(page: Page) -> dict[str, Any]:
    """Return a page as plain data; a default that JSON does not know becomes text."""
    data = asdict(page)
    for parameter in data["parameters"]:
        if not isinstance(parameter["default"], str | int | float | bool | None):
            parameter["default"] = str(parameter["default"])
    return data


def render_page(page: Page, see_also: tuple[str, ...], width: int | None) -> str:
    """Return a page as text; sentences are folded to `width` columns, if there is a width."""
    blocks = [escape(page.name), _fold(page.summary, width, "")]
    if page.formula:
        blocks.append("\n".join(f"    {escape(line)}" for line in page.formula.split("\n")))
    parameters = {str(parameter): parameter.meaning for parameter in page.parameters}
    if parameters:
        blocks.append("parameters\n" + _render_fields(parameters, width, "  "))
    facts = {
        "aliases": ", ".join(page.aliases),
        "bounds": page.bounds,
        "differs": page.differs,
        "source": page.source,
        "see also": ", ".join(see_also),
    }
    blocks.append(_render_fields({word: text for word, text in facts.items() if text}, width, ""))
    return "\n\n".join(filter(None, blocks))


def _render_fields(fields: Mapping[str, str], width: int | None, indent: str) -> str:
    """Return a word and its text a line, the texts aligned."""
    column = max(map(len, fields), default=0) + 2
    return "\n".join(_fold(text, width, f"{indent}{escape(word).ljust(column)}") for word, text in fields.items())


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
