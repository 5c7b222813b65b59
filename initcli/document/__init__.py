"""A file of YAML or JSON, from its bytes to a tree in which every key and value knows its place.

A file that cannot be read raises at once; whatever is wrong with its text is a `Fault` that joins a list, so that all
are told in one go.
"""

from __future__ import annotations

import codecs
import re
from io import BytesIO
from pathlib import Path, PurePath
from typing import BinaryIO

from initcli.document.tree import Node, Tree, UnreadableError, empty_document, locate, quote, refuse_characters
from initcli.errors import Fault, InitcliError, suggest

MAX_BYTES = 64 * 2**20

_JSON_START = re.compile(r"\s*\{\s*[\"}]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_UTF16 = re.compile(rb"(?:[^\0]\0|\0[^\0])+\Z")


def read_document(source: str, stdin: BinaryIO) -> tuple[bytes, str]:
    """Return the bytes of the file `source`, or of `stdin` for `-`, and the name to show for it.

    Raises: InitcliError, if it cannot be read or is larger than 64 MiB.
    """
    name = "<stdin>" if source == "-" else source
    try:
        text = stdin.read(MAX_BYTES + 1) if source == "-" else _read_file(Path(source))
    except (OSError, ValueError) as error:
        raise InitcliError(_explain_unreadable(source, name, error)) from error
    if len(text) > MAX_BYTES:
        hint = "a spec holds names and shapes, not the values of the weights"
        raise InitcliError(Fault(f"{quote(name)} is larger than {MAX_BYTES >> 20} MiB", hint=hint))
    return text, name


def read_below(spec: str, below: PurePath) -> tuple[bytes, str]:
    """Return the bytes of a file below the folder of `spec`, and the name to show for it.

    Raises: InitcliError, if it cannot be read, is larger than 64 MiB, or a link leads out of the folder.
    """
    folder = Path(spec).parent
    path = folder / below
    if path.exists() and not path.resolve().is_relative_to(folder.resolve()):
        raise InitcliError(Fault(f"{quote(str(path))} leads out of the spec's folder", hint="include files beside it"))
    return read_document(str(path), BytesIO())


def _read_file(path: Path) -> bytes:
    if path.is_dir():
        raise IsADirectoryError  # Windows would call it a lack of permission
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _explain_unreadable(source: str, name: str, error: OSError | ValueError) -> Fault:
    shown = quote(name)
    if not source:
        return Fault("the name of the spec is empty", hint="give a path, or `-` for standard input")
    if isinstance(error, FileNotFoundError):
        return Fault(f"no file {shown}", hint=_suggest_file(Path(source)))
    if isinstance(error, IsADirectoryError):
        return Fault(f"{shown} is a directory", hint="name a file in it")
    if isinstance(error, PermissionError):
        return Fault(f"{shown} may not be read: permission denied", hint="check the rights of the file and its folders")
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return Fault(f"{shown} cannot be read: {reason[:1].lower()}{reason[1:]}")


def _suggest_file(path: Path) -> str:
    try:
        return suggest(path.name, sorted(neighbour.name for neighbour in path.parent.iterdir()))
    except OSError:
        return f"there is no folder {quote(str(path.parent))}"


def parse_quickly(text: bytes, source: str) -> Node | None:
    """Return the tree of a JSON document in which nothing has a place; None if it needs more care."""
    from initcli.document.quick_json import CarefulError, read_quickly

    try:
        decoded = _decode(text, source)
        return read_quickly(decoded, source) if _is_json(decoded, source) else None
    except (UnreadableError, CarefulError):
        return None


def parse_document(text: bytes, source: str, faults: list[Fault]) -> Node | None:
    """Return the tree of a YAML or JSON document, or None where it cannot be read to its end.

    Every fault found joins `faults`, in the order of the text. Beside faults the tree holds what could be kept: the
    first of duplicate keys, the value under a tag, nothing for an alias without an anchor.

    JSON is what `source` calls `.json`, or what starts like `{"` under any name but `.yaml` and `.yml`.
    """
    tree = Tree(source, faults)
    try:
        decoded = _decode(text, source)
        if _is_json(decoded, source):
            from initcli.document.json_document import grow_from_json

            grow_from_json(decoded, tree)
        else:
            from initcli.document.yaml_document import grow_from_yaml

            grow_from_yaml(decoded, tree)
    except UnreadableError as error:
        faults.append(error.fault)
        return None
    return tree.root


def _is_json(text: str, source: str) -> bool:
    suffix = Path(source).suffix.lower()
    return suffix == ".json" or (suffix not in (".yaml", ".yml") and bool(_JSON_START.match(text)))


def _decode(text: bytes, source: str) -> str:
    """Return `text` without its byte order mark, or say at which byte it stops being UTF-8 text."""

    def refuse(what: str, offset: int, hint: str) -> UnreadableError:
        before = text[:offset].removeprefix(codecs.BOM_UTF8).decode(errors="replace")
        return UnreadableError(what, locate(before, len(before), source), hint)

    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _UTF16.match(text[:64]):
        raise refuse("UTF-16 text", 0, "save the file as UTF-8")
    zero = text.find(b"\0")
    if zero >= 0:
        raise refuse(f"binary data: the byte at offset {zero} is zero", zero, "a spec is YAML or JSON text")
    try:
        decoded = text.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 text: byte 0x{text[error.start]:02x} at offset {error.start}"
        raise refuse(what, error.start, "save the file as UTF-8") from None
    refuse_characters(_CONTROL, decoded, source)
    if not decoded.strip():
        raise empty_document(source)
    return decoded
