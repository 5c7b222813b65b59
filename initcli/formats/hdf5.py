"""HDF5: one contiguous dataset for each tensor, laid out by h5py in memory and filled at the offsets that it tells.

The library writes into a `Sketch`, which keeps what it writes, all but the data. So no failing disk is met inside the
library (some versions crash there), and the layout is known before any file exists. The default file format with object
times off holds no clock and no path: two runs of one library version give the same bytes.

Source: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t11.html, measured with HDF5 1.14.2 and 2.0.0.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from initcli.dtypes import DTYPES
from initcli.errors import Fault, InitcliError
from initcli.files import preallocate, translate, write_at
from initcli.formats import Entry, Header, Layout, Refusal, Seal, Slot, Tensor
from initcli.formats.naming import check_metadata, find_parents, refuse_common, refuse_path
from initcli.formats.reading import missing_tensor, reading
from initcli.formats.sketch import Sketch

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_RANK = 32
"""The most axes of a dataset: H5S_MAX_RANK."""
MAX_DATA_NBYTES = 2**62
"""More than any file system holds, and room for the rest before the library's offsets overflow."""
MAX_EXPANSION = 1100
"""The most that deflate can expand, 1032:1, with room: a larger claim is a bomb."""


_OPAQUE = {name: dtype for name, dtype in DTYPES.items() if dtype.is_extended}
"""The element types that are stored as so many bytes with the type's name in an attribute."""


class Hdf5:
    """The formats `.h5` and `.hdf5`; bfloat16 as Keras stores it, booleans and complex numbers as h5py does."""

    name = "h5"
    suffixes: tuple[str, ...] = (".h5", ".hdf5")
    is_directory = False
    is_streamable = False

    def faults(self, tensors: Sequence[Tensor]) -> list[Refusal]:
        """Refuse names that are no paths, and names that are a dataset and a group at once."""
        parents = find_parents([tensor.name for tensor in tensors])
        refusals = []
        for index, tensor in enumerate(tensors):
            refusal = refuse_common(index, tensor) or refuse_path(index, tensor.name, (".",), "HDF5")
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

    def lay_out(self, tensors: Sequence[Tensor], metadata: Mapping[str, str], path: Path) -> Layout:
        """Return where the library puts each dataset; the seal is the file's signature."""
        return self._sketch(tensors, metadata, path)[1]

    def allocate(self, tensors: Sequence[Tensor], metadata: Mapping[str, str], path: Path) -> Layout:
        """Reserve the whole file and write all but the data and the signature."""
        sketch, layout = self._sketch(tensors, metadata, path)
        preallocate(path, sketch.size)
        with path.open("r+b", buffering=0) as file:
            for offset, data in sketch.pieces():
                blank = bytes(len(SIGNATURE)) if offset == 0 else b""
                write_at(file.fileno(), blank + data[len(blank) :], offset)
        return layout

    def _sketch(self, tensors: Sequence[Tensor], metadata: Mapping[str, str], path: Path) -> tuple[Sketch, Layout]:
        """Let the library lay out the file in memory; a tensor without bytes has no place, and its slot is at 0."""
        check_metadata(metadata)
        nbytes = sum(tensor.nbytes for tensor in tensors)
        if nbytes > MAX_DATA_NBYTES:
            raise translate(OSError(errno.EFBIG, "File too large"), path, nbytes)
        sketch = Sketch()
        offsets = _create_datasets(tensors, metadata, sketch)
        slots = (Slot(path, offset, tensor.nbytes) for offset, tensor in zip(offsets, tensors, strict=True))
        return sketch, Layout(tuple(slots), (Seal(path, SIGNATURE),))

    def read_header(self, path: Path) -> Header:
        """Return every dataset that hard links reach, once, and the root's text attributes."""
        with reading(path, "HDF5"), _open_file(path) as file:
            entries = [_describe(path, name, dataset) for name, dataset in _walk(file)]
            return Header(_read_metadata(file), sorted(entries))

    def read_tensors(self, path: Path, names: Iterable[str]) -> Iterator[np.ndarray[Any, Any]]:
        """Yield copies of the tensors."""
        with reading(path, "HDF5"), _open_file(path) as file:
            for name in names:
                dataset = _find(file, name)
                if dataset is None:
                    raise missing_tensor(path, name, [known for known, _ in _walk(file)])
                entry = _describe(path, name, dataset)
                if entry.nbytes > MAX_EXPANSION * path.stat().st_size:
                    raise InitcliError(Fault(f"`{name}` in `{path}` claims {entry.nbytes:,} bytes that are not there"))
                array = np.asarray(dataset[()]) if entry.nbytes else np.empty(entry.shape, dataset.dtype)
                yield array.view(DTYPES[entry.dtype].numpy) if entry.dtype in _OPAQUE else array

    def read_tensor(self, path: Path, name: str) -> np.ndarray[Any, Any]:
        """Return a copy of one tensor."""
        return next(self.read_tensors(path, [name]))


def _create_datasets(tensors: Sequence[Tensor], metadata: Mapping[str, str], sketch: Sketch) -> list[int]:
    """Make the file with all that is not data, and return the datasets' offsets; 0 for one without bytes."""
    import h5py

    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_layout(h5py.h5d.CONTIGUOUS)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    creation.set_obj_track_times(False)
    links = h5py.h5p.create(h5py.h5p.LINK_CREATE)
    links.set_create_intermediate_group(True)
    links.set_char_encoding(h5py.h5t.CSET_UTF8)
    offsets = []
    # Every choice that a user's h5py configuration could change is stated.
    with h5py.File(sketch, "w", libver="earliest", track_order=False) as file:
        for tensor in tensors:
            opaque = tensor.dtype.is_extended
            element = np.dtype(f"V{tensor.dtype.itemsize}") if opaque else tensor.dtype.numpy
            kind = h5py.h5t.py_create(element, logical=True)
            space = h5py.h5s.create_simple(tensor.shape) if tensor.shape else h5py.h5s.create(h5py.h5s.SCALAR)
            dataset = h5py.h5d.create(file.id, tensor.name.encode(), kind, space, creation, links)
            offsets.append(dataset.get_offset() or 0)
            if opaque:  # as Keras stores bfloat16, with this text of variable length
                h5py.Dataset(dataset).attrs["dtype"] = tensor.dtype.name
        for key, value in metadata.items():
            file.attrs.create(key, value, dtype=h5py.string_dtype())
    return offsets


def _open_file(path: Path) -> Any:
    """Open a file to read it, without a lock: file systems without locks hold weights too."""
    import h5py

    return h5py.File(path, "r", locking=False)


def _walk(file: Any) -> Iterator[tuple[str, Any]]:
    """Yield each dataset once, with its name: hard links only, so no cycle, no other file, no dangling link."""
    import h5py

    seen = set()
    groups = [("", file.id)]
    while groups:
        prefix, group = groups.pop()
        for link in group:
            if group.links.get_info(link).type != h5py.h5l.TYPE_HARD:
                continue
            child = h5py.h5o.open(group, link)
            address = h5py.h5o.get_info(child).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(child, h5py.h5g.GroupID):
                groups.append((f"{prefix}{link.decode()}/", child))
            elif isinstance(child, h5py.h5d.DatasetID):
                yield prefix + link.decode(), h5py.Dataset(child)


def _find(file: Any, name: str) -> Any | None:
    """Return the dataset at `name` if hard links alone lead there."""
    import h5py

    place = file.id
    for part in name.encode("utf-8", "surrogatepass").split(b"/"):
        if not isinstance(place, (h5py.h5f.FileID, h5py.h5g.GroupID)) or part in (b"", b".") or part not in place:
            return None
        if place.links.get_info(part).type != h5py.h5l.TYPE_HARD:
            return None
        place = h5py.h5o.open(place, part)
    return h5py.Dataset(place) if isinstance(place, h5py.h5d.DatasetID) else None


def _describe(path: Path, name: str, dataset: Any) -> Entry:
    """Return what the file says of a dataset; one whose data would come from another file is refused."""
    import h5py

    creation = dataset.id.get_create_plist()
    if creation.get_layout() == h5py.h5d.VIRTUAL or (
        creation.get_layout() == h5py.h5d.CONTIGUOUS and creation.get_external_count()
    ):
        raise InitcliError(Fault(f"`{name}` in `{path}` keeps its data in another file, which is not read"))
    shape = (0,) if dataset.shape is None else tuple(dataset.shape)
    return Entry(name, _name_dtype(dataset), shape, math.prod(shape) * dataset.dtype.itemsize)


def _name_dtype(dataset: Any) -> str:
    """Return the element type's name: ours where we have one, else NumPy's."""
    import h5py

    name = _read_text(dataset, "dtype") if dataset.dtype.kind == "V" and not dataset.dtype.names else None
    if name in _OPAQUE and dataset.dtype.itemsize == _OPAQUE[name].itemsize:
        return name
    return "string" if h5py.check_string_dtype(dataset.dtype) else str(dataset.dtype.name)


def _read_metadata(file: Any) -> dict[str, str]:
    """Return the root's attributes that are one text each."""
    texts = {key: _read_text(file, key) for key in file.attrs}
    return {key: text for key, text in texts.items() if text is not None}


def _read_text(place: Any, key: str) -> str | None:
    """Return the attribute `key` if it is one text."""
    import h5py

    if key not in place.attrs:
        return None
    attribute = place.attrs.get_id(key)
    if attribute.shape != () or not h5py.check_string_dtype(attribute.dtype):
        return None
    value = place.attrs[key]
    raw = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "replace")


hdf5 = Hdf5()
