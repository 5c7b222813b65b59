"""Where Keras's own files keep weights: at paths of classes and attributes, in which no name of a layer stands.

A model's layers are a list, `layers`, whose items are called by their classes and counted by them: `layers/dense`,
`layers/dense_1`. From there attributes lead to the object that holds a variable, and each object numbers its own:
`layers/bidirectional/forward_layer/cell/vars/0`.

Source: keras-team/keras v3.15.1, `keras/src/saving/saving_lib.py`: `_save_state`, `_save_container_state`
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from initcli.layers.base import STYLES, Weight

_LIST = "layers"


class Stored(NamedTuple):
    """Where Keras's files keep a tensor: the name of its layer, and its paths, of which the first holds the data."""

    layer: str
    paths: tuple[str, ...]

    @property
    def is_nested(self) -> bool:
        """Whether its layer is one of a model within the model."""
        return f"/{_LIST}/" in self.paths[0]


class ObjectTree:
    """A walk through a model's layers, which counts those of each class in each list of them."""

    def __init__(self) -> None:
        self._lists: list[tuple[str, Counter[str]]] = [(_LIST, Counter())]

    def enter(self, class_name: str) -> str:
        """Return the path of the list's next object, which is of this class."""
        path, counts = self._lists[-1]
        counts[class_name] += 1
        return f"{path}/{STYLES['keras'].name(class_name, 0, counts[class_name] - 1)}"

    @contextmanager
    def inside(self, *, is_model: bool) -> Iterator[None]:
        """Walk through a block of layers, which is a Sequential with a list of its own if it `is_model`."""
        if not is_model:
            yield
            return
        self._lists.append((f"{self.enter('Sequential')}/{_LIST}", Counter()))
        try:
            yield
        finally:
            self._lists.pop()

    def place(self, class_name: str, layer: str, weights: list[Weight]) -> list[Stored | None]:
        """Return where the next layer's weights are kept; None of one that Keras keeps nowhere."""
        path = self.enter(class_name)
        counts: Counter[str] = Counter()
        places: list[Stored | None] = []
        for weight in weights:
            paths = []
            for holder in weight.holders:
                paths.append(f"{path}/{holder}{'/' * bool(holder)}vars/{counts[holder]}")
                counts[holder] += 1
            places.append(Stored(layer, tuple(paths)) if paths else None)
        return places
