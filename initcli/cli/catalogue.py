"""`initcli list` and `initcli show`: the initializers there are, and the page of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from initcli.cli.console import show, show_json, show_table, terminal_width
from initcli.cli.exits import AnswerIsNoError
from initcli.cli.options import takes_json, takes_plugins, takes_shape
from initcli.errors import Fault, InitcliError, nearest, suggest

if TYPE_CHECKING:
    from initcli.initializers.page import Page


@click.command("list", short_help="List the initializers.")
@click.argument("text", metavar="[TEXT]", default="")
@click.option("--framework", metavar="F", help="Only those of this framework, such as keras.")
@takes_plugins
@takes_json
def list_initializers(text: str, framework: str | None, as_json: bool) -> None:
    """List the initializers by framework: name, aliases, parameters with their defaults, and what each does.

    With TEXT, only those whose full name or alias contains it, in capitals or not; a star marks the alias where the
    name does not. If there is none, the exit status is 1.

    \b
    Examples:
      initcli list --framework keras
      initcli list kaiming
    """
    from initcli.initializers import registered
    from initcli.initializers.page import read_page

    pages = [read_page(cls) for cls in registered().values()]
    if framework is not None:
        check_framework(framework)
        pages = [page for page in pages if page.framework == framework]
    matched = {page.name: found for page in pages if (found := match(page, text)) is not None}
    chosen = [page for page in pages if page.name in matched]
    if as_json:
        from initcli.cli.pages import describe_page

        keys = ("name", "framework", "aliases", "parameters", "summary")
        show_json({"initializers": [{key: describe_page(page)[key] for key in keys} for page in chosen]})
    elif chosen:
        from initcli.cli.pages import tabulate_pages

        show_table(tabulate_pages(chosen, matched))
    if not chosen:
        raise AnswerIsNoError(explain_no_match(text, framework, pages))


@click.command("show", short_help="Show an initializer's page.")
@click.argument("name", metavar="NAME")
@takes_shape
@takes_plugins
@takes_json
def show_initializer(name: str, shape: tuple[int, ...] | None, as_json: bool) -> None:
    """Show the page of the initializer NAME: formula, parameters, axes, bounds, who differs, and the source.

    NAME is a full name (keras.he_normal), a bare one (he_normal), an alias (HeNormal), or a call with parameters as in
    a spec. If several frameworks have it, they are shown side by side, and who has the same law.

    With --shape, also fans, gain, mean, std and bounds for a tensor of that shape, whose axes each framework reads in
    its own order. --json has them in full precision.

    \b
    Examples:
      initcli show keras.he_normal
      initcli show glorot_normal --shape 784,128
      initcli show "torch.kaiming_normal(nonlinearity=tanh)" --shape 128,784
    """
    from initcli.cli.namesakes import find_everywhere, find_namesakes
    from initcli.cli.pages import describe_namesake, render_page, render_side_by_side, tabulate_figures

    namesakes = find_namesakes(name, shape)
    if len(namesakes) == 1:
        page = namesakes[0].page
        bare = page.name.removeprefix(f"{page.framework}.")
        others = [cls.qualified_name() for cls in find_everywhere(bare) if cls.qualified_name() != page.name]
        if as_json:
            show_json({**describe_namesake(namesakes[0], shape), "see_also": others})
        else:
            show(render_page(namesakes[0], others, terminal_width()))
    elif as_json:
        described = [{**describe_namesake(each, shape), "same_law": list(each.same_law)} for each in namesakes]
        show_json({"called": name, "initializers": described})
    elif shape is None:
        show(render_side_by_side(name, namesakes, terminal_width()))
    else:
        show_table(tabulate_figures(namesakes))


def check_framework(framework: str) -> None:
    """Raise `InitcliError` if no framework is called so."""
    from initcli.initializers import frameworks

    known = frameworks()
    if framework not in known:
        hint = suggest(framework, known) or f"known: {', '.join(known)}"
        raise InitcliError(Fault(f"unknown framework `{framework}`", hint=hint))


def match(page: Page, text: str) -> list[str] | None:
    """Return the aliases by which alone a page is found, [] if its full name contains `text`, None if nothing does."""
    text = text.lower()
    if text in page.name.lower():
        return []
    prefix = f"{page.framework}." if page.framework else ""
    return [alias for alias in page.aliases if text in f"{prefix}{alias}".lower()] or None


def explain_no_match(text: str, framework: str | None, pages: list[Page]) -> Fault:
    """Return that no initializer's name contains `text`, and a near name."""
    known = [name for page in pages for name in (page.name.removeprefix(f"{page.framework}."), *page.aliases)]
    among = f"{framework}'s initializers" if framework else "the initializers"
    near = nearest(text, known)
    every = f"`initcli list{f' --framework {framework}' if framework else ''}` shows all"
    return Fault(
        f"no name or alias of {among} contains `{text}`", hint=f"did you mean `{near}`? {every}" if near else every
    )
