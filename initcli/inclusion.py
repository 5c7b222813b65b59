"""Specs made of several files: what `include:` names is put under what stands in the file that names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TypeAlias

from initcli.document import parse_document
from initcli.errors import Fault, InitcliError
from initcli.tree import Entry, Node, quote, render_path

Read: TypeAlias = Callable[[PurePosixPath], tuple[bytes, str]]
"""Returns the bytes of a file below the spec's folder, and the name to show for it."""

MAX_FILES = 100


def include(root: Node, read: Read | None, faults: list[Fault]) -> Node:
    """Return the tree of a spec with all that it includes; what is wrong joins `faults`.

    Variables and tensors of the same name are those of the file that includes; its rules and defaults come before, and
    its layers behind those of the included one.
    """
    return _Inclusion(read, faults).merge(root, ())


class _Inclusion:
    def __init__(self, read: Read | None, faults: list[Fault]) -> None:
        self.read, self.faults = read, faults
        self.count = 0

    def merge(self, root: Node, path: tuple[PurePosixPath, ...]) -> Node:
        """Return a file's tree over those that it includes; `path` are the files that led to it, and it."""
        entry = root.value.get("include") if isinstance(root.value, Mapping) else None
        if entry is None:
            return root
        assert isinstance(root.value, Mapping)  # noqa: S101  (for the type checker)
        merged: Mapping[str, Entry] = {key: each for key, each in root.value.items() if key != "include"}
        names = entry.node.value if isinstance(entry.node.value, tuple) else (entry.node,)
        for name in reversed(names):
            included = self.load(name, path)
            if included and isinstance(included.value, Mapping):
                merged = _merge(merged, included.value)
        return Node(merged, root.position)

    def load(self, node: Node, path: tuple[PurePosixPath, ...]) -> Node | None:
        """Return the tree of an included file, and of those that it includes itself."""
        if not isinstance(node.value, str):
            return self.fail(node, f"`include` must name files, not {node.kind()}", "`include: shared.yaml`")
        below = PurePosixPath(node.value)
        if self.read is None:
            return self.fail(node, "a spec from standard input includes no files", "name the spec's file")
        if below.is_absolute() or ".." in below.parts or "\\" in node.value or not below.parts:
            return self.fail(
                node, f"{quote(node.value)} is no path below the spec's folder", "write `shared.yaml`, without `..`"
            )
        below = (path[-1].parent if path else PurePosixPath()) / below
        if below in path:
            circle = " → ".join(f"`{each}`" for each in (*path[path.index(below) :], below))
            return self.fail(node, f"a file includes itself: {circle}", "remove one of the two")
        self.count += 1
        if self.count > MAX_FILES:
            return self.fail(node, f"more than {MAX_FILES} files are included")
        try:
            text, source = self.read(below)
        except InitcliError as error:
            return self.fail(node, error.faults[0].what, error.faults[0].hint)
        root = parse_document(text, source, self.faults)
        if root is not None and not isinstance(root.value, Mapping):
            self.faults.append(Fault(f"a spec must be a mapping, not {root.kind()}", root.position))
        return root and self.merge(root, (*path, below))

    def fail(self, node: Node, what: str, hint: str = "") -> Node | None:
        self.faults.append(Fault(what, node.position, render_path(["include"]), hint))
        return None


def _merge(own: Mapping[str, Entry], included: Mapping[str, Entry]) -> Mapping[str, Entry]:
    """Return the entries of a spec over those of another."""
    merged = {**included, **own}
    for key in own.keys() & included.keys():
        first, second = own[key], included[key]
        if isinstance(first.node.value, Mapping) and isinstance(second.node.value, Mapping):
            value: tuple[Node, ...] | Mapping[str, Entry] = {**second.node.value, **first.node.value}
        elif isinstance(first.node.value, tuple) and isinstance(second.node.value, tuple) and key in _LISTS:
            value = second.node.value + first.node.value if key == "layers" else first.node.value + second.node.value
        else:
            continue
        merged[key] = Entry(first.position, Node(value, first.node.position))
    return merged


_LISTS = ("rules", "defaults", "layers")
