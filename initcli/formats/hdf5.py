"""HDF5: one contiguous dataset for each tensor, laid out by h5py in memory and filled at the offsets that it tells.

The library writes into a `Sketch`, which keeps what it writes, all but the data. So no failing disk is met inside the
library (some versions crash there), and the layout is known before any file exists. The default file format with object
times off holds no clock and no path: two runs of one library version give the same bytes.

Source: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t11.html, measured with HDF5 1.14.2 and 2.0.0.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from initcli.files import preallocate, translate, write_at
from initcli.formats import Contents, Header, Layout, Refusal, Seal, Slot, Tensor
from initcli.formats.chunks import Chunk
from initcli.formats.hdf5_reading import open_datasets
from initcli.formats.naming import check_metadata, find_parents, refuse_common, refuse_path
from initcli.formats.reading import reading
from initcli.formats.sketch import Sketch

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_RANK = 32
"""The most axes of a dataset: H5S_MAX_RANK."""
MAX_DATA_NBYTES = 2**62
"""More than any file system holds, and room for the rest before the library's offsets overflow."""


class Hdf5:
    """The formats `.h5` and `.hdf5`; bfloat16 as Keras stores it, booleans and complex numbers as h5py does."""

    name = "h5"
    suffixes: tuple[str, ...] = (".h5", ".hdf5")
    is_directory = False
    is_streamable = False

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse names that are no paths, and names that are a dataset and a group at once."""
        paths = [self.path(tensor) for tensor in tensors]
        parents = find_parents(paths)
        refusals = []
        for index, tensor in enumerate(tensors):
            refusal = refuse_common(index, tensor) or refuse_path(index, paths[index], (".",), "HDF5")
            if refusal is None and index in parents:
                other = tensors[parents[index]].name
                what = f"`{tensor.name}` is a tensor, and `{other}` needs a group of that name"
                refusal = Refusal(index, what, "rename one of them, or use `.safetensors`")
            if refusal is None and len(tensor.shape) > MAX_RANK:
                what = f"`{tensor.name}` has {len(tensor.shape)} axes, and HDF5 stops at {MAX_RANK}"
                refusal = Refusal(index, what, "use `.safetensors`")
            if refusal:
                refusals.append(refusal)
        return refusals

    def path(self, tensor: Tensor) -> str:
        """Return where the tensor's dataset is: at its name."""
        return tensor.name

    def fill(self, file: Any, tensors: Sequence[Tensor], metadata: Mapping[str, str]) -> list[int]:
        """Make in the new `file` all that is not data, and return the datasets' offsets; 0 for one without bytes."""
        offsets = [create_dataset(file, tensor, self.path(tensor)) for tensor in tensors]
        write_texts(file, metadata)
        return offsets

    def lay_out(self, contents: Contents, path: Path) -> Layout:
        """Return where the library puts each dataset; the seal is the file's signature."""
        return self.sketch(contents, path)[1]

    def allocate(self, contents: Contents, path: Path) -> Layout:
        """Reserve the whole file and write all but the data and the signature."""
        sketch, layout = self.sketch(contents, path)
        preallocate(path, sketch.size)
        with path.open("r+b", buffering=0) as file:
            for offset, data in sketch.pieces():
                blank = bytes(len(SIGNATURE)) if offset == 0 else b""
                write_at(file.fileno(), blank + data[len(blank) :], offset)
        return layout

    def sketch(self, contents: Contents, path: Path) -> tuple[Sketch, Layout]:
        """Let the library lay out the file in memory; a tensor without bytes has no place, and its slot is at 0."""
        tensors = contents.tensors
        import h5py

        check_metadata(contents.metadata)
        nbytes = sum(tensor.nbytes for tensor in tensors)
        if nbytes > MAX_DATA_NBYTES:
            raise translate(OSError(errno.EFBIG, "File too large"), path, nbytes)
        sketch = Sketch()
        # Every choice that a user's h5py configuration could change is stated.
        with h5py.File(sketch, "w", libver="earliest", track_order=False) as file:
            offsets = self.fill(file, tensors, contents.metadata)
        slots = (Slot(path, offset, tensor.nbytes) for offset, tensor in zip(offsets, tensors, strict=True))
        return sketch, Layout(tuple(slots), (Seal(path, SIGNATURE),))

    def read_header(self, path: Path) -> Header:
        """Return every dataset that hard links reach, once, and the root's text attributes."""
        with reading(path, "HDF5"), open_datasets(path) as datasets:
            return datasets.header()

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield copies of the tensors."""
        with reading(path, "HDF5"), open_datasets(path) as datasets:
            yield from datasets.read(names)

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return a copy of one tensor."""
        return next(self.read_tensors(path, [name]))

    def read_chunks(self, path: Path, names: Iterable[str]) -> Iterator[Chunk]:
        """Yield the elements, in place where they stand as they are, else as the library reads them."""
        with reading(path, "HDF5"), open_datasets(path) as datasets:
            yield from datasets.read_chunks(names)

    def seek_chunks(self, path: Path, name: str, start: int) -> Iterator[Chunk]:
        """Yield the elements from the chunk of element `start`."""
        with reading(path, "HDF5"), open_datasets(path) as datasets:
            yield from datasets.read_chunks([name], start)


@cache
def _property_lists() -> tuple[Any, Any]:
    """Return how a dataset is made, and the links that lead to it."""
    import h5py

    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_layout(h5py.h5d.CONTIGUOUS)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    creation.set_obj_track_times(False)
    links = h5py.h5p.create(h5py.h5p.LINK_CREATE)
    links.set_create_intermediate_group(True)
    links.set_char_encoding(h5py.h5t.CSET_UTF8)
    return creation, links


def create_dataset(file: Any, tensor: Tensor, path: str) -> int:
    """Make a tensor's dataset without its data, and return its offset; 0 if it has no bytes."""
    import h5py

    opaque = tensor.dtype.is_extended
    element = np.dtype(f"V{tensor.dtype.itemsize}") if opaque else tensor.dtype.numpy
    kind = h5py.h5t.py_create(element, logical=True)
    space = h5py.h5s.create_simple(tensor.shape) if tensor.shape else h5py.h5s.create(h5py.h5s.SCALAR)
    dataset = h5py.h5d.create(file.id, path.encode(), kind, space, *_property_lists())
    if opaque:  # as Keras stores bfloat16, with this text of variable length
        h5py.Dataset(dataset).attrs["dtype"] = tensor.dtype.name
    return int(dataset.get_offset() or 0)


def write_texts(file: Any, texts: Mapping[str, str]) -> None:
    """Write attributes of the root: text of variable length, which has no limit."""
    import h5py

    for key, value in texts.items():
        file.attrs.create(key, value, dtype=h5py.string_dtype())


hdf5 = Hdf5()
