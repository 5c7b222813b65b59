"""Specs made of several files: what `include:` names is put under what stands in the file that names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TypeAlias

from initcli.document import parse_document
from initcli.document.tree import Entry, Node, quote, render_path
from initcli.errors import Fault, InitcliError

Read: TypeAlias = Callable[[PurePosixPath], tuple[bytes, str]]
"""Returns the bytes of a file below the spec's folder, and the name to show for it."""

Entries: TypeAlias = Mapping[str, Entry]

MAX_FILES = 100


def include(root: Node, read: Read | None, faults: list[Fault]) -> Node:
    """Return the tree of a spec with all that it includes; what is wrong joins `faults`.

    Variables and tensors of the same name are those of the file that includes; its rules and defaults come before, and
    its layers behind those of the included one. Of several files the later goes before the earlier. A file that is
    included by several is there once, under all of them.
    """
    if not isinstance(root.value, Mapping) or "include" not in root.value:
        return root
    inclusion = _Inclusion(read, faults)
    merged: Entries = {key: entry for key, entry in root.value.items() if key != "include"}
    for path in inclusion.below(root.value, ()):
        merged = _merge(merged, inclusion.files[path])
    return Node(merged, root.position)


class _Inclusion:
    """Reads each file once; `files` are their entries by path, and `order` the files under each, the first on top."""

    def __init__(self, read: Read | None, faults: list[Fault]) -> None:
        self.read, self.faults = read, faults
        self.files: dict[PurePosixPath, Entries] = {}
        self.is_full = False
        self.order: dict[PurePosixPath, list[PurePosixPath]] = {}

    def below(self, entries: Entries, above: tuple[PurePosixPath, ...]) -> list[PurePosixPath]:
        """Return the files that a file includes, from the first that counts to the last; `above` led to it, and it."""
        if "include" not in entries:
            return []
        node = entries["include"].node
        found: list[PurePosixPath] = []
        for name in node.value if isinstance(node.value, tuple) else (node,):
            path = self.find(name, above)
            if path is not None:
                under = [path, *self.order[path]]
                found = [*(each for each in under if each not in found), *found]
        return found

    def find(self, node: Node, above: tuple[PurePosixPath, ...]) -> PurePosixPath | None:
        """Return the path of a file that an `include` names, after reading it."""
        if not isinstance(node.value, str):
            return self.refuse(node, f"`include` must name files, not {node.kind()}", "`include: shared.yaml`")
        if self.read is None:
            return self.refuse(node, "a spec from standard input includes no files", "name the spec's file")
        named = PurePosixPath(node.value)
        if named.is_absolute() or ".." in named.parts or {"\\", "\0"} & {*node.value} or not named.parts:
            what = f"{quote(node.value)} is no path below the spec's folder"
            return self.refuse(node, what, "write `shared.yaml`, without `..`")
        path = (above[-1].parent if above else PurePosixPath()) / named
        if path in above:
            circle = " → ".join(f"`{each}`" for each in (*above[above.index(path) :], path))
            return self.refuse(node, f"a file includes itself: {circle}", "remove one of these includes")
        if path not in self.order:
            if len(self.files) == MAX_FILES and not self.is_full:
                self.is_full = True
                self.refuse(node, f"more than {MAX_FILES} files are included", "put several into one")
            if self.is_full:
                return None
            self.order[path] = []
            self.files[path] = self.load(node, path, self.read)
            self.order[path] = self.below(self.files[path], (*above, path))
        return path

    def load(self, node: Node, path: PurePosixPath, read: Read) -> Entries:
        """Return the entries of an included file; none if it cannot be read."""
        try:
            text, source = read(path)
        except InitcliError as error:
            self.refuse(node, error.faults[0].what, error.faults[0].hint)
            return {}
        root = parse_document(text, source, self.faults)
        if root is None or isinstance(root.value, Mapping):
            return root.value if root and isinstance(root.value, Mapping) else {}
        hint = "write the keys of a spec into it: `vars:`, `tensors:`, `rules:`"
        self.faults.append(Fault(f"an included file must be a mapping, not {root.kind()}", root.position, hint=hint))
        return {}

    def refuse(self, node: Node, what: str, hint: str) -> PurePosixPath | None:
        self.faults.append(Fault(what, node.position, render_path(["include"]), hint))
        return None


_LISTS = ("rules", "defaults", "layers")


def _merge(own: Entries, included: Entries) -> Entries:
    """Return the entries of a spec over those of another."""
    merged = {**{key: entry for key, entry in included.items() if key != "include"}, **own}
    for key in own.keys() & included.keys():
        first, second = own[key], included[key]
        if isinstance(first.node.value, Mapping) and isinstance(second.node.value, Mapping):
            value: tuple[Node, ...] | Entries = {**second.node.value, **first.node.value}
        elif isinstance(first.node.value, tuple) and isinstance(second.node.value, tuple) and key in _LISTS:
            value = second.node.value + first.node.value if key == "layers" else first.node.value + second.node.value
        else:
            continue
        merged[key] = Entry(first.position, Node(value, first.node.position))
    return merged
