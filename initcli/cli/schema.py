"""`initcli schema`: the JSON Schema of a spec, for editors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from initcli.cli.console import show
from initcli.cli.options import takes_plugins

_WIDTH = 120


@click.command("schema", short_help="Print the JSON Schema of a spec, for editors.")
@takes_plugins
def schema() -> None:
    """Print the JSON Schema (2020-12) of a spec: editors complete by it, explain, and mark what is wrong.

    It has every framework's initializers with their parameters, those of plugins too, and the layers with their
    arguments. A spec that begins with this line is known to editors with the YAML language server:

    \b
      # yaml-language-server: $schema=initcli.schema.json

    A spec without `framework` is Keras's there too, even if another spec includes it.

    \b
    Examples:
      initcli schema > initcli.schema.json
      initcli schema --plugin mine.py > initcli.schema.json
    """
    from initcli.spec.schema import spec_schema

    show(render_json(spec_schema()))


def render_json(value: Any, indent: str = "") -> str:
    """Return JSON in which each list or mapping that fits into a line stands on one.

    >>> print(render_json({"short": [1, 2], "long": ["word" * 20, "word" * 20]}))
    {
     "short": [1, 2],
     "long": [
      "wordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordword",
      "wordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordword"
     ]
    }
    """
    import json

    line = json.dumps(value, allow_nan=False)
    if len(indent) + len(line) <= _WIDTH or not isinstance(value, list | Mapping):
        return line
    inner = f"{indent} "
    if isinstance(value, list):
        return _enclose("[", (render_json(item, inner) for item in value), "]", indent)
    return _enclose("{", (f"{json.dumps(key)}: {render_json(item, inner)}" for key, item in value.items()), "}", indent)


def _enclose(first: str, items: Iterable[str], last: str, indent: str) -> str:
    """Return items one below the other, indented by one more, between brackets."""
    separator = f"\n{indent} "
    return f"{first}{separator}" + f",{separator}".join(items) + f"\n{indent}{last}"
