"""`initcli plan`: every tensor decided, nothing drawn."""

from __future__ import annotations

import click

from initcli.cli.console import show, show_json, show_table
from initcli.cli.options import SpecSource, takes_json, takes_plugins, takes_spec


@click.command("plan", short_help="Show what a spec means; nothing is drawn.")
@takes_spec
@click.option("--why", metavar="NAME", help="Show where the tensor NAME has its shape, initializer and dtype from.")
@takes_plugins
@takes_json
def plan(source: SpecSource, why: str | None, as_json: bool) -> None:
    """Resolve SPEC and show every tensor with its initializer and what its law promises; nothing is drawn.

    SPEC is a YAML or JSON file, or - for standard input.

    \b
    Examples:
      initcli plan mlp.yaml --dtype bfloat16
      initcli plan llama3.yaml --set layers=2 --why lm_head.weight
    """
    resolved = source.load_plan(keeps_places=why is not None)
    from initcli.cli.views import describe_plan, render_plan_summary, tabulate_plan

    if why is not None:
        from initcli.cli.origins import describe_origins, find_tensor, render_origins

        found = find_tensor(resolved, why)
        if as_json:
            show_json(describe_origins(found))
        else:
            show(render_origins(found))
        return
    if as_json:
        show_json(describe_plan(resolved))
        return
    show_table(tabulate_plan(resolved))
    show("")
    show(render_plan_summary(resolved))
