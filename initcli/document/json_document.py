"""JSON text as a flat run of tokens, each with the offset it begins at, and the tree that grows from them.

The standard library reads JSON but forgets where; this reader keeps the place of every key and value, sees every key
of an object (a repeated one too), and never calls itself, so depth costs no stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # a stable name of CPython's that typeshed leaves out
from typing import Literal

from initcli.document.tree import Tree, UnreadableError, locate, quote
from initcli.errors import Position

_SPACE = re.compile(r"[ \t\n\r]*")
_WORD = re.compile(r"[^\s,\[\]{}:\"]{1,40}")
_SCALAR = re.compile(
    r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null|NaN|-?Infinity)(?=[\s,\]}:]|\Z)"
)
_CLOSING = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class Token:
    """One mark of the text: a bracket, a key, a quoted `string`, or a bare `scalar` still as it was written."""

    kind: Literal["{", "}", "[", "]", "key", "string", "scalar"]
    text: str
    offset: int


class JsonSyntaxError(Exception):
    """The text stops being JSON at `offset`."""

    def __init__(self, what: str, offset: int, hint: str = "") -> None:
        super().__init__(what)
        self.what, self.offset, self.hint = what, offset, hint


def read_tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of one JSON value; `NaN` and `Infinity` pass as scalars, for the caller to refuse.

    Raises: JsonSyntaxError.

    >>> [token.text for token in read_tokens('{"a": [1, "b"]}')]
    ['{', 'a', '[', '1', 'b', ']', '}']
    """
    open_brackets: list[Token] = []
    offset = _skip_space(text, 0)
    while True:
        token, offset = _read_value(text, offset)
        yield token
        if token.kind in ("{", "["):
            open_brackets.append(token)
            is_filled = not text.startswith(_CLOSING[token.kind], offset)
        else:
            is_filled = False
        while open_brackets and not is_filled:
            if not text.startswith(_CLOSING[open_brackets[-1].kind], offset):
                offset = _skip_comma(text, offset, open_brackets[-1])
                break
            yield Token("}" if open_brackets.pop().kind == "{" else "]", text[offset], offset)
            offset = _skip_space(text, offset + 1)
        if not open_brackets:
            break
        if open_brackets[-1].kind == "{":
            token, offset = _read_key(text, offset, open_brackets[-1])
            yield token
    if offset < len(text):
        raise JsonSyntaxError(
            "unexpected text after the end of the document", offset, _hint_comment(_word_at(text, offset))
        )


def _skip_space(text: str, offset: int) -> int:
    space = _SPACE.match(text, offset)
    return space.end() if space else offset


def _read_value(text: str, offset: int) -> tuple[Token, int]:
    """Read an opening bracket, a string or a bare scalar, and the space behind it."""
    match text[offset : offset + 1]:
        case "{":
            return Token("{", "{", offset), _skip_space(text, offset + 1)
        case "[":
            return Token("[", "[", offset), _skip_space(text, offset + 1)
        case '"':
            string, end = _read_string(text, offset)
            return Token("string", string, offset), _skip_space(text, end)
        case "":
            raise JsonSyntaxError("the document ends where a value is expected", offset)
    scalar = _SCALAR.match(text, offset)
    if not scalar:
        raise JsonSyntaxError(f"expected a value, found `{_word_at(text, offset)}`", offset, _hint_at(text, offset))
    return Token("scalar", scalar.group(), offset), _skip_space(text, scalar.end())


def _read_key(text: str, offset: int, bracket: Token) -> tuple[Token, int]:
    """Read a key and the colon behind it."""
    if offset == len(text):
        raise _never_closed(bracket)
    if text[offset] != '"':
        what = f"expected a key in double quotes, found `{_word_at(text, offset)}`"
        raise JsonSyntaxError(what, offset, _hint_comment(_word_at(text, offset)))
    key, end = _read_string(text, offset)
    colon = _skip_space(text, end)
    if not text.startswith(":", colon):
        raise JsonSyntaxError("expected `:` after the key", colon)
    return Token("key", key, offset), _skip_space(text, colon + 1)


def _skip_comma(text: str, offset: int, bracket: Token) -> int:
    if offset == len(text):
        raise _never_closed(bracket)
    closing = _CLOSING[bracket.kind]
    if text[offset] != ",":
        hint = _hint_comment(_word_at(text, offset)) or "put commas between the items, and none behind the last"
        raise JsonSyntaxError(f"expected `,` or `{closing}`, found `{_word_at(text, offset)}`", offset, hint)
    after = _skip_space(text, offset + 1)
    if text.startswith(closing, after):
        raise JsonSyntaxError(f"a comma before `{closing}`", offset, "remove the comma")
    return after


def _read_string(text: str, offset: int) -> tuple[str, int]:
    try:
        string, end = scanstring(text, offset + 1, True)
    except JSONDecodeError as error:
        raise _explain_string(text, offset, error) from None
    return str(string), int(end)


def _explain_string(text: str, offset: int, error: JSONDecodeError) -> JsonSyntaxError:
    if error.msg.startswith("Unterminated"):
        return JsonSyntaxError('`"` is never closed', offset, "add the closing quote")
    if "escape" in error.msg:
        backslash = text.rfind("\\", offset, error.pos + 1)
        return JsonSyntaxError("unknown escape in a string", backslash, "write a backslash as `\\\\`")
    if text[error.pos] in "\n\r":
        return JsonSyntaxError('`"` is not closed on its line', offset, "write a line break in a string as `\\n`")
    what = f"control character U+{ord(text[error.pos]):04X} in a string"
    return JsonSyntaxError(what, error.pos, f"write it as `\\u{ord(text[error.pos]):04x}`")


def _never_closed(bracket: Token) -> JsonSyntaxError:
    hint = f"add the missing `{_CLOSING[bracket.kind]}`"
    return JsonSyntaxError(f"`{bracket.kind}` is never closed", bracket.offset, hint)


def _word_at(text: str, offset: int) -> str:
    word = _WORD.match(text, offset)
    found = word.group() if word else text[offset]
    return found if found.isprintable() else ascii(found)[1:-1]


def _hint_at(text: str, offset: int) -> str:
    """Return the way out of what people write from habit in other languages."""
    word = _word_at(text, offset)
    if word[0] == "'":
        return "JSON strings stand in double quotes"
    plain = {"none": "null", "nan": "null"}.get(word.lower(), word.lower())
    if plain in ("true", "false", "null"):
        return f"write `{plain}`"
    if word[0] in "+-.0123456789":
        return "a JSON number looks like `-12`, `0.5` or `1e-3`"
    return _hint_comment(word)


def _hint_comment(word: str) -> str:
    return "JSON has no comments; YAML has" if word.startswith(("//", "/*", "#")) else ""


def grow_from_json(text: str, tree: Tree) -> None:
    """Grow `tree` from JSON text.

    Raises: UnreadableError.
    """
    line, line_start, seen = 1, 0, 0
    try:
        for token in read_tokens(text):
            line += text.count("\n", seen, token.offset)
            line_start = max(line_start, text.rfind("\n", seen, token.offset) + 1)
            seen = token.offset
            _add_token(token, Position(tree.source, line, seen - line_start + 1), tree)
    except JsonSyntaxError as error:
        raise UnreadableError(error.what, locate(text, error.offset, tree.source), error.hint) from None


def _add_token(token: Token, position: Position, tree: Tree) -> None:
    match token.kind:
        case "{":
            tree.open("mapping", position)
        case "[":
            tree.open("list", position)
        case "}" | "]":
            tree.close()
        case "key":
            tree.add_key(token.text, position)
        case "string":
            tree.add_scalar(token.text, position)
        case "scalar":
            if token.text[-1] in "Ny":  # NaN, Infinity
                tree.report(f"{quote(token.text)} is not JSON", position, "in YAML, `.nan` and `.inf` are numbers")
                tree.add_scalar(float(token.text), position)
            else:
                tree.add_plain(token.text, position)
