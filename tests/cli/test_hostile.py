"""Files that lie or attack: every command that reads one tells it soon, in a sentence, and runs nothing.

What each format's own reader refuses stands with the format's tests; here whole commands meet the worst of each kind.
"""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import re
import resource
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest

ROOM_NBYTES = 256 << 20
"""The most that a command may take: less than what the smallest of the bombs unpacks to."""
MOST_CPU_S = 5.0
"""Seconds of the processor that one command may take."""
SPEC = '{"tensors": {"w": {"shape": [2], "init": "ones"}}}'
ONES = np.ones(2, np.float32).tobytes()
NPY = b"\x93NUMPY\x01\x00"
F4 = "{'descr':'<f4','fortran_order':False,'shape':%s}"


class Case(NamedTuple):
    """What makes the file, what every command says of it, and whether `inspect` can still list what its header says."""

    make: Callable[[Path], object]
    words: str
    is_listed: bool = False


def data(content: bytes, words: str, is_listed: bool = False) -> Case:
    return Case(lambda path: path.write_bytes(content), words, is_listed)


def entry(begin: object, end: object, shape: object = (2,), dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def tensors(*, size: int = 8, length: int | None = None, **entries: object) -> bytes:
    """A safetensors file with this table."""
    table = json.dumps(entries).encode()
    return struct.pack("<Q", len(table) if length is None else length) + table + bytes(size)


UNREAD = "cannot be read as safetensors"
SAFETENSORS = {
    "a header of 2^63 bytes": data(tensors(w=entry(0, 8), length=2**63), UNREAD),
    "a header longer than the file": data(tensors(w=entry(0, 8), length=99_999_999), UNREAD),
    "a header that ends early": data(tensors(w=entry(0, 8), length=20), UNREAD),
    "a header of a hundred thousand brackets": data(struct.pack("<Q", 100_000) + b"[" * 100_000, UNREAD),
    "a header of 95 MB of zeros": Case(lambda path: sparse(path, struct.pack("<Q", 95 << 20), 96 << 20), UNREAD),
    "two tensors on one place": data(tensors(v=entry(0, 8), w=entry(0, 8)), UNREAD),
    "two tensors that overlap": data(tensors(v=entry(0, 8), w=entry(4, 12), size=12), UNREAD),
    "a hole": data(tensors(w=entry(4, 12), size=12), UNREAD),
    "a name twice": data(
        tensors(w=entry(0, 8))
        .replace(b'{"w"', b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w"')
        .replace(struct.pack("<Q", 58), struct.pack("<Q", 110)),
        UNREAD,
    ),
    "an offset below zero": data(tensors(w=entry(-8, 0)), UNREAD),
    "an offset behind the end": data(tensors(w=entry(2**62, 2**62 + 8)), UNREAD),
    "offsets the wrong way round": data(tensors(w=entry(8, 0)), UNREAD),
    "a length below zero": data(tensors(w=entry(0, 8, (-2,))), UNREAD),
    "more elements than 64 bits count": data(tensors(w=entry(0, 8, (2**63, 2**63))), UNREAD),
    "a type that is unknown": data(tensors(w=entry(0, 8, dtype="X32")), UNREAD),
    "bytes behind the end": data(tensors(w=entry(0, 8), size=9), UNREAD),
}


def sparse(path: Path, start: bytes, size: int) -> None:
    path.write_bytes(start)
    os.truncate(path, size)


def hdf5(fill: Callable[[h5py.File], object]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with h5py.File(path, "w") as file:
            fill(file)

    return make


def bomb(shape: tuple[int, ...], chunks: tuple[int, ...]) -> Callable[[Path], None]:
    """Make a dataset of zeros whose chunks are packed a thousandfold."""
    packer, nbytes = zlib.compressobj(9), 4 * math.prod(chunks)
    packed = b"".join(packer.compress(bytes(1 << 21)) for _ in range(nbytes >> 21)) + packer.flush()

    def fill(file: h5py.File) -> None:
        dataset = file.create_dataset("w", shape, "f4", chunks=chunks, compression="gzip")
        for place in np.ndindex(*(size // rows for size, rows in zip(shape, chunks, strict=True))):
            dataset.id.write_direct_chunk(tuple(np.multiply(place, chunks)), packed)

    return hdf5(fill)


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "w", (2,))
    file.create_virtual_dataset("w", layout)


HDF5 = {
    "a petabyte that is nowhere": Case(
        hdf5(lambda file: file.create_dataset("w", (2**48,), "f4", chunks=(1024,))),
        "claims .* that are not there",
        True,
    ),
    "a chunk that unpacks to half a gigabyte": Case(
        bomb((1 << 27,), (1 << 27,)), "unpacks 536,870,912 bytes at once", True
    ),
    "rows that each lie in hundreds of chunks": Case(
        bomb((512, 1 << 18), (512, 1024)), "unpacks 536,870,912 bytes at once", True
    ),
    "data in another file": Case(
        hdf5(lambda file: file.create_dataset("w", (2,), "f4", external=[("/etc/hostname", 0, 8)])),
        "keeps its data in another file",
    ),
    "a view of another file": Case(hdf5(virtual), "keeps its data in another file"),
    "noise behind the signature": data(b"\x89HDF\r\n\x1a\n" + b"\xff" * 4000, "cannot be read as HDF5"),
}


class Creates:
    """Unpickled, it would make a file."""

    def __reduce__(self) -> object:
        return Path.touch, (Path("executed"),)


def npy(text: str, content: bytes = ONES) -> bytes:
    return NPY + struct.pack("<H", len(text)) + text.encode() + content


UNREAD_NPY = "cannot be read as a NumPy array"
ARRAYS = {
    "a pickle for data": npy(F4.replace("<f4", "|O") % "(1,)", pickle.dumps(Creates())),
    "a pickle for a field": npy("{'descr':[('a','|O')],'fortran_order':False,'shape':(1,)}", pickle.dumps(Creates())),
    "code in the header": npy("__import__('pathlib').Path('executed').touch()"),
    "a header of four gigabytes": b"\x93NUMPY\x02\x00" + b"\xff" * 4 + b" " * 100,
    "a header of nine thousand brackets": npy("(" * 9000),
    "more data than there is": npy(F4 % "(99999999999,)"),
    "more elements than 64 bits count": npy(F4 % "(4294967296,4294967296,4294967296)"),
    "lengths below zero": npy(F4 % "(-1,-2)"),
    "a type of two gigabytes": npy(F4.replace("<f4", "V2147483647") % "(9999,)"),
    "half an element": npy(F4 % "(2,)", ONES[:6]),
    "a version of the future": b"\x93NUMPY\x09\x00" + npy(F4 % "(2,)")[8:],
}


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytearray:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in members:
            file.writestr(name, content)
    return bytearray(buffer.getvalue())


def patched(content: bytearray, mark: bytes, offset: int, value: int, which: int = 0) -> bytes:
    """An archive with another number of 32 bits at the offset behind the `which`-th mark."""
    place = -1
    for _ in range(which + 1):
        place = content.index(mark, place + 1)
    struct.pack_into("<L", content, place + offset, value)
    return bytes(content)


GOOD = npy(F4 % "(2,)")
ONE, TWO = (("w.npy", GOOD),), (("v.npy", GOOD), ("w.npy", GOOD))
CENTRAL = b"PK\1\2"
NPZ = {
    "an array that changed": data(bytes(archive(*ONE)).replace(ONES, ONES[::-1]), "bad CRC-32", True),
    "a checksum that lies": data(patched(archive(*ONE), CENTRAL, 16, 1), "bad CRC-32", True),
    "a bomb of a gigabyte": data(
        bytes(archive(("w.npy", bytes(1 << 26)), method=zipfile.ZIP_DEFLATED)), "is compressed"
    ),
    "a bomb by another method": data(
        bytes(archive(("w.npy", bytes(1 << 26)), method=zipfile.ZIP_LZMA)), "is compressed"
    ),
    "a member as large as 32 bits count": data(
        patched(archive(*ONE), CENTRAL, 24, 2**32 - 2), "is not stored as it is"
    ),
    "two members on one place": data(patched(archive(*TWO), CENTRAL, 42, 0, 1), "lies over another"),
    "a member outside": data(patched(archive(*TWO), CENTRAL, 42, 2**31, 1), "no local header"),
    "a directory that begins elsewhere": data(patched(archive(*ONE), b"PK\5\6", 16, 2**31), "cannot be read"),
    "a directory of four gigabytes": data(patched(archive(*ONE), b"PK\5\6", 12, 2**32 - 2), "cannot be read"),
    "a name that leads out": data(bytes(archive(("../../w.npy", GOOD))), "leads out of the archive"),
    "a name from the root": data(bytes(archive(("/w.npy", GOOD))), "leads out of the archive"),
    "an archive within": data(bytes(archive(("w.npy", bytes(archive(*ONE))))), "cannot be read"),
    "a member that is no array": data(bytes(archive(*ONE, ("run.py", b"import os"))), "is no `.npy`"),
    **{name: data(bytes(archive(("w.npy", each))), "cannot be read as an archive") for name, each in ARRAYS.items()},
}


def checkpoint(pickled: bytes, *members: tuple[str, bytes]) -> bytes:
    return bytes(archive(("m/data.pkl", pickled), *members))


PT = {
    "a pickle that runs": data(checkpoint(pickle.dumps({"w": Creates()}, 2)), "which is never called"),
    "a pickle that runs by protocol 4": data(checkpoint(pickle.dumps({"w": Creates()}, 4)), "cannot be read"),
    "a bare pickle that runs": data(pickle.dumps({"w": Creates()}, 2), "bare pickle, which could run code"),
    "two pickles": data(checkpoint(b"\x80\2}.", ("n/data.pkl", b"\x80\2}.")), "there must be one"),
    "a pickle that never ends": data(checkpoint(b"\x80\2" + b"}" * 10**5), "cannot be read"),
    "dicts without end": data(checkpoint(b"\x80\2" + b"}" * 1_000_001), "more than 1,000,000 values"),
    "a hundred thousand marks": data(checkpoint(b"\x80\2" + b"(" * 10**5 + b"."), "cannot be read"),
    "tuples doubled sixty times": data(checkpoint(b"\x80\2)" + b"q\0h\0\x86" * 60 + b"."), "cannot be read"),
    "a text of two gigabytes": data(checkpoint(b"\x80\2X\xff\xff\xff\x7f."), "cannot be read"),
    "a pickle that is packed": data(
        bytes(archive(("m/data.pkl", bytes(1 << 26)), method=zipfile.ZIP_DEFLATED)), "compressed"
    ),
}


def text(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content


def gguf(*infos: bytes, counts: tuple[int, int] | None = None, size: int = 64) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, *(counts or (len(infos), 0))) + b"".join(infos)
    return head + bytes(-len(head) % 32 + size)


def info(name: bytes = b"w", dims: tuple[int, ...] = (2,), offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, 0, offset)


GGUF = {
    "more tensors than bytes": data(gguf(counts=(2**64 - 1, 0)), "claims 18,446,744,073,709,551,615 tensors"),
    "more keys than bytes": data(gguf(counts=(0, 2**64 - 1)), "claims 18,446,744,073,709,551,615 keys"),
    "a name of 2^63 bytes": data(gguf(struct.pack("<Q", 2**63) + bytes(40)), "ends in its header"),
    "more elements than 64 bits count": data(gguf(info(dims=(2**63, 2**63))), "larger than any file"),
    "a tensor behind the end": data(gguf(info(offset=2**40)), "behind the end of the file"),
    "two tensors on one place": data(gguf(info(b"v"), info()), "overlap"),
    "a name twice": data(gguf(info(), info(offset=32)), "twice"),
}

LEAF = b"\xc7\x15\x01\x93\x91\x02\xa7float32\xc4\x08" + ONES
MSGPACK = {
    "maps a thousand deep": data(b"\x81\xa1w" * 1000 + b"\xc0", "more than 100 deep"),
    "a map of four billion": data(b"\xdf\xff\xff\xff\xff\xa1w" + LEAF, "cannot be read"),
    "a name of four gigabytes": data(b"\x81\xdb\xff\xff\xff\xff" + bytes(20), "name of 4,294,967,295 bytes"),
    "an array of four gigabytes": data(b"\x81\xa1w\xc9\xff\xff\xff\xff\x01\x93\x91\x02\xa7float32", "cannot be read"),
    "an array that ends elsewhere": data(b"\x81\xa1w" + LEAF.replace(b"\x15", b"\x16") + b"\0", "cannot be read"),
    "a name twice": data(b"\x82" + (b"\xa1w" + LEAF) * 2, "has `w` twice"),
    "a name that is twice as a path": data(b"\x82\xa3a/w" + LEAF + b"\xa1a\x81\xa1w" + LEAF, "has `a/w` twice"),
}


def keras(path: Path, weights: bytes, method: int = zipfile.ZIP_STORED) -> None:
    code = {"class_name": "Lambda", "config": {"function": ["4wEAAAA=", None, None]}}
    members = ("config.json", json.dumps(code).encode()), ("model.weights.h5", weights)
    path.write_bytes(archive(*members, method=method))


def inside(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """A whole model around what makes a file of weights."""

    def wrap(path: Path) -> None:
        make(path)
        keras(path, path.read_bytes())

    return wrap


def flip(path: Path) -> None:
    """One bit of the data."""
    hdf5(lambda file: file.create_dataset("w", data=np.ones(2, np.float32)))(path)
    keras(path, path.read_bytes())
    content = path.read_bytes()
    path.write_bytes(content.replace(ONES, ONES[::-1]))


KERAS = {
    "weights that changed": Case(flip, "bad CRC-32", True),
    "weights that are packed": Case(lambda path: keras(path, bytes(1 << 26), zipfile.ZIP_DEFLATED), "is compressed"),
    "weights that are none": Case(lambda path: keras(path, b"\x89HDF\r\n\x1a\n"), "cannot be read as a Keras model"),
    **{
        name: each._replace(make=inside(each.make))
        for name, each in HDF5.items()
        if name != "noise behind the signature"
    },
}
KERAS["noise"] = Case(
    lambda path: keras(path, b"\x89HDF\r\n\x1a\n" + b"\xff" * 4000), "cannot be read as a Keras model"
)


def shards(path: Path, weight_map: object, **files: bytes) -> None:
    """A directory with an index and shards."""
    path.mkdir()
    (path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    for name, content in files.items():
        (path / f"{name}.safetensors").write_bytes(content)


def folder_of(path: Path, make: Callable[[Path], object]) -> None:
    path.mkdir()
    make(path / "w.npy")


def group(number: int, content: bytes) -> bytes:
    """A field of protobuf that has a length."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value: int) -> bytes:
    return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])


def onnx(dims: int = 2, **place: str) -> Callable[[Path], None]:
    """A model of one initializer whose data is beside it, and 8 bytes in a folder above and here."""
    told = {"location": "w.data", "offset": "0", "length": "8"} | place
    external = b"".join(group(13, group(1, key.encode()) + group(2, value.encode())) for key, value in told.items())
    tensor = b"\x08" + varint(dims) + b"\x10\x01" + group(8, b"w") + external + b"\x70\x01"

    def make(path: Path) -> None:
        path.write_bytes(b"\x08\x09" + group(7, group(2, b"g") + group(5, tensor)))
        (path.parent / "w.data").write_bytes(ONES)

    return make


ONNX = {
    "data above": Case(onnx(location="../w.data"), "no path within its directory"),
    "data from the root": Case(onnx(location="/etc/hostname"), "no path within its directory"),
    "data that is not there": Case(onnx(location="v.data"), "beside it, which does not exist"),
    "an offset behind the end": Case(onnx(offset=str(2**62)), "ends behind the end of `w.data`"),
    "an offset below zero": Case(onnx(offset="-8"), "is '-8'"),
    "a length that does not fit": Case(onnx(length="4"), "takes 4 bytes, and its shape 8"),
    "more elements than there are bytes": Case(onnx(dims=2**62, length=str(2**64)), "larger than any file"),
    "a model cut short": data(b"\x08\x09\x3a\xff\xff\xff\xff\x07" + bytes(20), "claims 2,147,483,647 bytes"),
}


def keras_shards(weight_map: object, **files: Callable[[h5py.File], object]) -> Callable[[Path], None]:
    """An index and shards, which are HDF5."""

    def make(path: Path) -> None:
        path.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
        for name, fill in files.items():
            hdf5(fill)(path.parent / f"{name}.h5")

    return make


WEIGHTS_JSON = {
    "a shard above": Case(keras_shards({"/w/vars": "../a.h5"}), "no .h5 file beside it"),
    "a shard from the root": Case(keras_shards({"/w/vars": "/etc/hostname"}), "no .h5 file beside it"),
    "a shard that is not there": Case(keras_shards({"/w/vars": "a.h5"}), "1 of the 1 shards .* missing"),
    "a shard without its variables": Case(keras_shards({"/w/vars": "a.h5"}, a=bool), "but it is not there"),
    "a number for a shard": Case(keras_shards({"/w/vars": 7}), "no .h5 file beside it"),
    "lists of lists": Case(keras_shards({"/w/vars": [[["a.h5"]]]}), "no .h5 file beside it"),
    "brackets": Case(lambda path: path.write_bytes(b'{"weight_map": ' + b"[" * 10**6), "cannot be read"),
}

W = tensors(w=entry(0, 8))
DIRECTORIES = {
    "a shard above": Case(
        lambda path: shards(path, {"w": "../w.safetensors"}), "which is no .safetensors file beside it"
    ),
    "a shard from the root": Case(
        lambda path: shards(path, {"w": "/w.safetensors"}), "which is no .safetensors file beside"
    ),
    "a shard that is not there": Case(
        lambda path: shards(path, {"w": "a.safetensors"}), "1 of the 1 shards .* missing"
    ),
    "a shard cut short": Case(lambda path: shards(path, {"w": "a.safetensors"}, a=W[:-1]), UNREAD),
    "a shard of another": Case(
        lambda path: shards(path, {"w": "a.safetensors", "v": "b.safetensors"}, a=W.replace(b"w", b"v"), b=W),
        "has it in",
    ),
    "a stale file": Case(lambda path: shards(path, {"w": "a.safetensors"}, a=W, model=W), "never see the shards"),
    "an index of brackets": Case(lambda path: shards(path, json.loads("[" * 500 + "]" * 500)), "has no `weight_map`"),
    "a pipe among arrays": Case(lambda path: folder_of(path, os.mkfifo), "is not a regular file"),
    "a link that leads to itself": Case(
        lambda path: folder_of(path, lambda file: file.symlink_to(file)), "leads to itself"
    ),
    "a pickle among arrays": Case(
        lambda path: folder_of(path, lambda file: file.write_bytes(ARRAYS["a pickle for data"])), UNREAD_NPY
    ),
}
NPYS = {name: data(each, UNREAD_NPY) for name, each in ARRAYS.items()}
KINDS = {
    "safetensors": SAFETENSORS,
    "h5": HDF5,
    "npy": NPYS,
    "npz": NPZ,
    "pt": PT,
    "gguf": GGUF,
    "msgpack": MSGPACK,
    "keras": KERAS,
    "onnx": ONNX,
    "weights.json": WEIGHTS_JSON,
    "directory": DIRECTORIES,
}
CASES = [
    pytest.param(kind, case, id=f"{kind}: {name}") for kind, cases in KINDS.items() for name, case in cases.items()
]


@contextmanager
def bounded() -> Iterator[None]:
    """Give what is inside so much memory, and so much of the processor's time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmData")]
        resource.setrlimit(resource.RLIMIT_DATA, (int(line.split()[1]) * 1024 + ROOM_NBYTES, hard))
    start = time.process_time()
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    assert time.process_time() - start < MOST_CPU_S


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_every_command_tells_what_is_wrong_soon_and_runs_nothing(folder, run, kind, case):
    """Status 2 and an error that names the file, from `inspect`, `digest`, `verify` and `diff` alike."""
    name = "w" if kind == "directory" else f"w.{kind}"
    (folder / "spec.json").write_text(SPEC)
    (folder / "good.npy").write_bytes(GOOD)
    case.make(folder / name)
    commands = [
        ("inspect", name, "--stats"),
        ("inspect", name, "--tensor", "w"),
        ("digest", name),
        ("verify", name, "--spec", "spec.json"),
        ("diff", name, "good.npy"),
        ("diff", name, name),
    ]

    def run_bounded(*command: str) -> Any:
        with bounded():
            return run(*command)

    listed = run_bounded("inspect", name)
    answers = [run_bounded(*command) for command in commands]

    assert listed.status == (0 if case.is_listed else 2), listed
    for answer in (*answers, *([] if case.is_listed else [listed])):
        if case.is_listed and answer.status == 1:  # of another shape than what it is compared with, the values are not
            continue
        assert answer.status == 2, answer
        assert re.match(rf"error: .*`{name}.*\n", answer.err), answer
        assert re.search(case.words, answer.err), answer
    assert not (folder / "executed").exists()


def test_links_that_go_round_or_lead_out_end_and_lead_nowhere(folder, run):
    """Hard links to a group above, soft ones in a circle and external ones: what is left is the one tensor."""
    hdf5(lambda file: file.create_dataset("secret", data=np.zeros(2, np.float32)))(folder / "other.h5")
    with h5py.File(folder / "w.h5", "w") as file:
        file["w"] = np.ones(2, np.float32)
        group = file.create_group("a/b")
        group["up"], group["self"] = file["/"], group
        file["here"], file["there"] = h5py.SoftLink("/there"), h5py.SoftLink("/here")
        file["out"] = h5py.ExternalLink("other.h5", "/secret")
    (folder / "spec.json").write_text(SPEC)

    with bounded():
        listed = run("inspect", "w.h5", "--json")
        verified = run("verify", "w.h5", "--spec", "spec.json")

    assert [tensor["name"] for tensor in json.loads(listed.out)["tensors"]] == ["w"]
    assert verified == (0, "w.h5: 1 tensor, as the spec says\n", "")
