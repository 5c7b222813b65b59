"""Initializers as one reads them aloud: `random_normal(stddev=0.02)`, read as data and never evaluated."""

from __future__ import annotations

import ast
import re
from typing import Any

from initcli.errors import ArgumentError


def parse_call(text: str) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """Return name, positional and named values of `he_normal` or `random_normal(stddev=0.02)`; nothing is evaluated.

    >>> parse_call("variance_scaling(2.0, mode=fan_out)")
    ('variance_scaling', (2.0,), {'mode': 'fan_out'})

    Raises:
        ArgumentError: the text is neither a name nor a call with plain values.
    """
    if re.fullmatch(r"[\w.]+", text.strip()):
        return text.strip(), (), {}
    wrong = ArgumentError(f"`{text[:80]}` is no initializer", "write a name or a call: `random_normal(stddev=0.02)`")
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise wrong from None
    if not isinstance(call, ast.Call):
        raise wrong
    names = [keyword.arg for keyword in call.keywords]
    if None in names or len(set(names)) < len(names):
        raise wrong
    values = [_plain(value) for value in call.args]
    return ast.unparse(call.func), tuple(values), {str(k.arg): _plain(k.value) for k in call.keywords}


def _plain(node: ast.expr) -> Any:
    """Return a number, text, true, false, none, or a tuple of these; a bare word is text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _plain(node.operand)
        if isinstance(value, int | float):
            return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_plain(item) for item in node.elts)
    if isinstance(node, ast.Name):
        return {"true": True, "false": False, "none": None, "null": None}.get(node.id.lower(), node.id)
    raise ArgumentError(f"`{ast.unparse(node)[:80]}` is no plain value", "write a number or a word")
