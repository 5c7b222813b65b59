"""The variables of a spec: numbers, arithmetic on other variables in any order, and words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from initcli.errors import ArgumentError, suggest
from initcli.expressions import FUNCTIONS, Broken, Number, ToldError, parse_expression

_NAME = re.compile(r"[A-Za-z_]\w*")


MAX_VARIABLES = 500


def resolve_variables(
    definitions: Mapping[str, Any],
) -> tuple[dict[str, Number | str | Broken], dict[str, ArgumentError]]:
    """Return the variables' values, and for each that has none by its own fault the reason.

    A definition is a number, arithmetic as text, or a word: text that names no other variable.

    >>> resolve_variables({"head_dim": "d/heads", "d": 768, "heads": 12, "kind": "bfloat16"})[0]
    {'d': 768, 'heads': 12, 'head_dim': 64, 'kind': 'bfloat16'}
    """
    values: dict[str, Number | str | Broken] = {}
    errors: dict[str, ArgumentError] = {}

    def resolve(name: str, path: tuple[str, ...]) -> None:
        if name in values:
            return
        if name in path:
            circle = " → ".join(f"`{each}`" for each in (*path[path.index(name) :], name))
            raise ArgumentError(f"a variable is defined by itself: {circle}", "give one of them a number")
        definition = definitions[name]
        try:
            if not _NAME.fullmatch(name) or name in FUNCTIONS:
                is_function = name in FUNCTIONS
                hint = "that is a function: give it another name" if is_function else "use letters, digits and `_`"
                raise ArgumentError(f"a variable cannot be called `{name}`", hint)
            if isinstance(definition, str) and not _is_word(definition, definitions):
                expression = parse_expression(definition)
                for used in sorted(expression.names):
                    if used not in definitions:
                        others = [each for each in definitions if each != name]
                        hint = suggest(used, others) or f"add it to `vars`: `{used}: 1`"
                        raise ArgumentError(f"unknown variable `{used}`", hint)
                    resolve(used, (*path, name))
                named = values.get(definition)
                values[name] = named if isinstance(named, str) else expression.evaluate(values)
            elif isinstance(definition, str | int | float) and not isinstance(definition, bool):
                values[name] = definition if isinstance(definition, str) else _finite(name, definition)
            else:
                what = f"`{name}` must be a number, arithmetic or a word, not `{json.dumps(definition)[:80]}`"
                raise ArgumentError(what, f"for example `{name}: 4*d`")
        except ToldError:
            values[name] = Broken()
        except ArgumentError as error:
            values[name], errors[name] = Broken(), error

    if len(definitions) > MAX_VARIABLES:
        what = f"{len(definitions):,} variables are too many"
        return {}, {next(iter(definitions)): ArgumentError(what, f"at most {MAX_VARIABLES}")}
    for name in definitions:
        resolve(name, ())
    return values, errors


def _is_word(text: str, definitions: Mapping[str, Any]) -> bool:
    return bool(_NAME.fullmatch(text)) and text not in definitions


def _finite(name: str, value: float) -> float:
    if value - value != 0:
        raise ArgumentError(f"`{name}` must be finite, got {value}", "write a number")
    return value
