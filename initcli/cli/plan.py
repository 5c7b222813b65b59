"""`initcli plan`: every tensor decided, nothing drawn."""

from __future__ import annotations

import click

from initcli.cli.console import show, show_json, show_table
from initcli.cli.options import SpecSource, takes_json, takes_plugins, takes_spec


@click.command("plan", short_help="Show what a spec means; nothing is drawn.")
@takes_spec
@takes_plugins
@takes_json
def plan(source: SpecSource, as_json: bool) -> None:
    """Resolve SPEC and show every tensor with its initializer and what its law promises; nothing is drawn.

    SPEC is a YAML or JSON file, or - for standard input.

    \b
    Example:
      initcli plan mlp.yaml --dtype bfloat16
    """
    resolved = source.load_plan()
    from initcli.cli.views import describe_plan, render_plan_summary, tabulate_plan

    if as_json:
        show_json(describe_plan(resolved))
        return
    show_table(tabulate_plan(resolved))
    show("")
    show(render_plan_summary(resolved))
