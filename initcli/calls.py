"""Initializers as one reads them aloud: `random_normal(stddev=0.02)`, read as data and never evaluated."""

from __future__ import annotations

import ast
import keyword
import re
from typing import Any

from initcli.errors import ArgumentError
from initcli.expressions import parse_expression

_OWN_WORDS = "|".join(word for word in keyword.kwlist if word.islower())
_KEYWORD = re.compile(rf"=\s*({_OWN_WORDS})\b(?=\s*[,)])")
"""A value that is a word of Python's own: `factor_type=in`."""


def parse_call(text: str) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """Return name, positional and named values of `he_normal` or `random_normal(stddev=0.02)`; nothing is evaluated.

    >>> parse_call("variance_scaling(2.0, mode=fan_out)")
    ('variance_scaling', (2.0,), {'mode': 'fan_out'})

    A call inside is kept as its text, for the parameter that reads such.

    >>> parse_call("xavier_uniform(gain=calculate_gain(leaky_relu, 0.2))")
    ('xavier_uniform', (), {'gain': 'calculate_gain(leaky_relu, 0.2)'})

    Raises:
        ArgumentError: the text is neither a name nor a call with plain values.
    """
    if re.fullmatch(r"[\w.]+", text.strip()):
        return text.strip(), (), {}
    text = _KEYWORD.sub(r"='\1'", text)
    wrong = ArgumentError(f"`{text[:80]}` is no initializer", "write a name or a call: `random_normal(stddev=0.02)`")
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if isinstance(call, ast.Call) and None not in (names := [each.arg for each in call.keywords]):
            values = [_plain(value) for value in call.args]
            named = {str(each.arg): _plain(each.value) for each in call.keywords}
            if len(named) == len(names):
                return ast.unparse(call.func), tuple(values), named
    except ArgumentError:
        raise
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        pass
    raise wrong


def _plain(node: ast.expr) -> Any:
    """Return a number, text, true, false, none, arithmetic, or a tuple of these; a word is text, and so is a call."""
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
    if isinstance(node, ast.Call):
        return ast.unparse(node)
    if isinstance(node, ast.BinOp | ast.UnaryOp):
        return parse_expression(ast.unparse(node))
    raise ArgumentError(f"`{ast.unparse(node)[:80]}` is no plain value", "write a number or a word")
