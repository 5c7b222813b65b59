"""Keras's own HDF5 files: `.weights.h5` of Keras 3, and the older `.h5` by layers, which Keras 3 and 2 read.

Both keep a weight by the layer that it belongs to and its place among that layer's, and neither knows the tensors'
names, which an attribute of ours tells. Keras tells the two apart by the suffix alone.

Source: keras-team/keras v3.15.1, `keras/src/saving/saving_lib.py` and `keras/src/legacy/saving/legacy_h5_format.py`
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from initcli.formats import Refusal, Tensor
from initcli.formats.hdf5 import Hdf5, create_dataset, write_texts
from initcli.formats.hdf5_reading import NAMES_KEY
from initcli.object_paths import Stored

MAX_ATTRIBUTE_NBYTES = 64512
"""The longest list of names in one attribute; a longer one is cut into several: HDF5_OBJECT_HEADER_LIMIT."""
KERAS_VERSION = "3.15.1"
"""The Keras whose order of weights this is. Of a file that tells no version Keras 2 turns kernels round."""


class KerasWeights(Hdf5):
    """The format `.weights.h5`: a dataset `<path of the object>/vars/<i>` for each weight of a layer."""

    name = "weights.h5"
    suffixes: tuple[str, ...] = (".weights.h5",)

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse weights that Keras would not find; where none belongs to a layer, with one refusal for all."""
        if tensors and not any(tensor.stored for tensor in tensors):
            what = f"`{self.name}` keeps weights by their layers, and this spec has no layers of Keras"
            return [Refusal(0, what, "write `framework: keras` and `layers:`, or use the suffix `.safetensors`")]
        refusals = {index: self.refuse(index, tensor) for index, tensor in enumerate(tensors)}
        kept = [index for index, refusal in refusals.items() if refusal is None]
        for refusal in super().faults([tensors[index] for index in kept]):
            refusals[kept[refusal.place]] = refusal._replace(place=kept[refusal.place])
        return [refusal for refusal in refusals.values() if refusal]

    def refuse(self, index: int, tensor: Tensor) -> Refusal | None:
        """Return why Keras would not find a tensor."""
        if tensor.stored is None:
            what = f"`{tensor.name}` has no place in Keras's files"
            return Refusal(index, what, "Keras keeps weights of layers, and adds those of LoRA to the kernel")
        if tensor.dtype.is_extended and tensor.dtype.name != "bfloat16":
            return Refusal(index, f"`{tensor.name}` is {tensor.dtype}, which Keras does not read", "use bfloat16")
        return None

    def path(self, tensor: Tensor) -> str:
        """Return where the tensor's dataset is: by the classes and attributes that lead to it."""
        return _stored(tensor).paths[0]

    def fill(self, file: Any, tensors: Sequence[Tensor], metadata: Mapping[str, str]) -> list[int]:
        """Make the datasets, the links to those that have several places, and the texts."""
        offsets = [create_dataset(file, tensor, self.path(tensor)) for tensor in tensors]
        self.complete(file, tensors)
        write_texts(file, {**metadata, NAMES_KEY: _render_names(self.names(tensors))})
        return offsets

    def names(self, tensors: Iterable[Tensor]) -> Iterator[tuple[str, str]]:
        """Yield each path and the tensor's name."""
        return ((path, tensor.name) for tensor in tensors for path in _stored(tensor).paths)

    def complete(self, file: Any, tensors: Sequence[Tensor]) -> None:
        """Add what Keras asks for beside the datasets: up to 3.5 the root's own variables, of which there are none."""
        for tensor in tensors:
            first, *others = _stored(tensor).paths
            for other in others:
                file[other] = file[first]
        file.require_group("vars")


class KerasLegacy(KerasWeights):
    """The format `keras-legacy-h5`: a group for each layer with weights, which tells their names in order."""

    name = "keras-legacy-h5"
    suffixes = Hdf5.suffixes

    def refuse(self, index: int, tensor: Tensor) -> Refusal | None:
        """Return why Keras would not find a tensor, or not in this order."""
        refusal = super().refuse(index, tensor)
        if refusal or tensor.stored is None:
            return refusal
        hint = "use the suffix `.weights.h5`"
        if tensor.dtype.is_extended:
            return Refusal(index, f"`{tensor.name}` is {tensor.dtype}, which Keras's old `.h5` cannot hold", hint)
        if tensor.stored.is_nested or len(tensor.stored.paths) > 1:
            what = f"`{tensor.name}` is a weight of a model or layer within another, which the old `.h5` orders anew"
            return Refusal(index, what, hint)
        return None

    def path(self, tensor: Tensor) -> str:
        """Return where the tensor's dataset is: at its name, in the group of its layer."""
        return f"{_stored(tensor).layer}/{tensor.name}"

    def names(self, tensors: Iterable[Tensor]) -> Iterator[tuple[str, str]]:
        """Yield each path and the tensor's name."""
        return ((self.path(tensor), tensor.name) for tensor in tensors)

    def complete(self, file: Any, tensors: Sequence[Tensor]) -> None:
        """Tell the names of the layers, and of the weights of each."""
        layers: dict[str, list[str]] = {}
        for tensor in tensors:
            layers.setdefault(_stored(tensor).layer, []).append(tensor.name)
        _write_list(file, "layer_names", list(layers))
        for layer, names in layers.items():
            _write_list(file[layer], "weight_names", names)
        file.attrs["keras_version"] = np.bytes_(KERAS_VERSION)


def _stored(tensor: Tensor) -> Stored:
    assert tensor.stored is not None, "faults() tells first"  # noqa: S101, for mypy
    return tensor.stored


def _render_names(names: Iterable[tuple[str, str]]) -> str:
    return json.dumps(dict(names), ensure_ascii=False, separators=(",", ":"))


def _write_list(group: Any, key: str, names: Sequence[str]) -> None:
    """Write names as an attribute, or as `key0`, `key1` … if they are too long for one."""
    listed = np.array([name.encode() for name in names] or np.empty(0, "S1"))
    count = max(1, -(-listed.nbytes // MAX_ATTRIBUTE_NBYTES))
    while any(part.nbytes > MAX_ATTRIBUTE_NBYTES for part in np.array_split(listed, count)):
        count += 1
    for number, part in enumerate(np.array_split(listed, count)):
        group.attrs[key if count == 1 else f"{key}{number}"] = part


keras_weights = KerasWeights()
keras_legacy = KerasLegacy()
