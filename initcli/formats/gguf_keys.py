"""The typed keys of a GGUF file: what a spec's `config: {gguf: …}` becomes.

YAML tells a whole number from a fraction and llama.cpp asks for one type by key, so the types follow the gguf package's
habits: a count is an unsigned integer of 32 bits, a fraction a float of 32, and integers in a list are signed.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, checked against the gguf package 0.19
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from initcli.errors import Fault, InitcliError
from initcli.formats.naming import is_text

ARCHITECTURE = "general.architecture"
ALIGNMENT = "general.alignment"
DEFAULT_ALIGNMENT = 32
"""The bytes that data begins at a multiple of where `general.alignment` does not say."""
MAX_KEY_NBYTES = 2**16 - 1

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64, INT64 = 4, 5, 6, 7, 8, 9, 10, 11
SCALARS = {
    code: struct.Struct(f"<{letter}")
    for code, letter in zip((0, 1, 2, 3, UINT32, INT32, FLOAT32, BOOL, UINT64, INT64, 12), "BbHhIif?Qqd", strict=True)
}
"""How the numbers and booleans of each type stand in a file."""

_BITS = {UINT32: (0, 2**32), INT32: (-(2**31), 2**31), UINT64: (0, 2**64), INT64: (-(2**63), 2**63)}
_ONE, _MANY = (UINT32, INT32, UINT64, INT64), (INT32, UINT32, INT64, UINT64)
"""The integer types that are tried, for one value and for those of a list."""


def find_keys(config: Mapping[str, Any], metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the keys of a file: those under `gguf` in the config of the spec, then our own, all of them text.

    >>> find_keys({}, {"initcli.scheme": "1"})
    {'general.architecture': 'initcli', 'initcli.scheme': '1'}

    Raises:
        InitcliError: the spec's are no mapping, or name no architecture.
    """
    keys = config.get("gguf", {ARCHITECTURE: "initcli"})
    if not isinstance(keys, dict):
        raise InitcliError(Fault("`config.gguf` must be a mapping", hint=_HINT))
    if not isinstance(keys.get(ARCHITECTURE), str):
        raise InitcliError(
            Fault(f"`config.gguf` has no text `{ARCHITECTURE}`, which every reader asks for", hint=_HINT)
        )
    return {ARCHITECTURE: keys[ARCHITECTURE]} | keys | dict(metadata)


_HINT = "as in `config: {gguf: {general.architecture: llama, llama.block_count: 2}}`"


def find_alignment(keys: Mapping[str, Any]) -> int:
    """Return the alignment that the keys ask for.

    Raises:
        InitcliError: it is not one that readers take.
    """
    alignment = keys.get(ALIGNMENT, DEFAULT_ALIGNMENT)
    if type(alignment) is not int or not 8 <= alignment <= 2**20 or alignment & (alignment - 1):
        what = f"`config.gguf`: `{ALIGNMENT}` must be a power of 2 from 8 to {2**20}"
        raise InitcliError(Fault(what, hint=f"leave it out for {DEFAULT_ALIGNMENT}"))
    return alignment


def render_text(text: str) -> bytes:
    """Return a text as it stands in a file: its length in bytes, and UTF-8.

    >>> render_text("ü").hex(" ")
    '02 00 00 00 00 00 00 00 c3 bc'
    """
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def render_key(key: str, value: Any) -> bytes:
    """Return a key and its value.

    Raises:
        InitcliError: GGUF has no form for it.
    """
    if not is_text(key) or not 0 < len(key.encode()) <= MAX_KEY_NBYTES or "\0" in key:
        raise InitcliError(Fault(f"`config.gguf`: {key[:40]!r} is no key", hint=_HINT))
    values = value if isinstance(value, list) else [value]
    code = _choose_type(key, values, _MANY if isinstance(value, list) else _ONE)
    start = struct.pack("<IIQ", ARRAY, code, len(values)) if isinstance(value, list) else struct.pack("<I", code)
    try:
        rendered = map(render_text if code == STRING else SCALARS[code].pack, values)
        return render_text(key) + start + b"".join(rendered)
    except (OverflowError, UnicodeEncodeError):
        what = f"`config.gguf`: `{key}` has a value beyond float32, or is no valid text"
        raise InitcliError(Fault(what)) from None


def _choose_type(key: str, values: Sequence[Any], integers: Sequence[int]) -> int:
    """Return the type of values that are all text, all booleans or all numbers."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return STRING
    if kinds == {bool}:
        return BOOL
    if kinds in ({float}, {float, int}):
        return FLOAT32
    fitting = (
        [code for code in integers if all(_BITS[code][0] <= value < _BITS[code][1] for value in values)]
        if (kinds == {int})
        else []
    )
    if not fitting:
        what = f"`config.gguf`: GGUF has no type for the value of `{key}`"
        hint = "a text, a boolean, a number of at most 64 bits, or a list of such of one kind, not empty"
        raise InitcliError(Fault(what, hint=hint))
    return fitting[0]
