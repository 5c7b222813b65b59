"""The pickle of a checkpoint, written and read by hand: what torch would unpickle is split, compared and never run."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import pytest

from initcli.dtypes import DTYPES
from initcli.errors import InitcliError
from initcli.formats.detection import detect_format
from initcli.formats.torch_pickle import parse_pickle, render_pickle
from initcli.formats.torch_zip import torch_zip


def piece(name, shape, dtype):
    """A tensor as formats see it."""
    dtype = DTYPES[dtype]
    return SimpleNamespace(name=name, shape=shape, dtype=dtype, nbytes=math.prod(shape) * dtype.itemsize)


def text(value):
    return b"X" + struct.pack("<L", len(value.encode())) + value.encode()


def name(module, qualified):
    return f"c{module}\n{qualified}\n".encode()


def view(
    shape=b"(K\x02t",
    strides=b"(K\x01t",
    offset=b"K\x00",
    count=b"K\x02",
    storage=b"ctorch\nFloatStorage\n",
    tail=b"t",
    rebuild=b"ctorch._utils\n_rebuild_tensor_v2\n",
):
    """A tensor's opcodes, by default two float32 in a storage of two."""
    place = b"(" + text("storage") + storage + text("0") + text("cpu") + count + b"tQ"
    hooks = b"\x89" + name("collections", "OrderedDict") + b")R"
    return rebuild + b"(" + place + offset + shape + strides + hooks + tail + b"R"


def mapping(*items):
    return b"\x80\x02}(" + b"".join(text(f"t{i}") + item for i, item in enumerate(items)) + b"u."


def checkpoint(path, pickled, **members):
    """A zip of this pickle, a storage of 8 bytes, and further members."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("m/data.pkl", pickled)
        for member, data in ({"data/0": bytes(8)} | members).items():
            file.writestr(f"m/{member}", data)
    return path


def test_the_pickle_is_one_that_python_reads_alike():
    """Its opcodes are well formed, of protocol 2, and `pickle` with stand-ins for torch makes the same of them."""
    tensors = [piece("ü.w", (3, 0, 2), "float16"), piece("b", (2**31, 3), "bfloat16"), piece("", (), "uint16")]

    class Reader(pickle.Unpickler):
        def find_class(self, module, qualified):
            if qualified.startswith("_rebuild"):
                return lambda *arguments: (qualified, *arguments)
            return OrderedDict if qualified == "OrderedDict" else f"{module}.{qualified}"

        def persistent_load(self, place):
            return place

    data = render_pickle(tensors)
    pickletools.dis(data, io.StringIO())
    found = Reader(io.BytesIO(data)).load()

    half = ("storage", "torch.HalfStorage", "0", "cpu", 0)
    brain = ("storage", "torch.BFloat16Storage", "1", "cpu", 3 * 2**31)
    untyped = ("storage", "torch.storage.UntypedStorage", "2", "cpu", 2)
    assert type(found) is OrderedDict
    assert list(found.items()) == [
        ("ü.w", ("_rebuild_tensor_v2", half, 0, (3, 0, 2), (2, 2, 1), False, OrderedDict())),
        ("b", ("_rebuild_tensor_v2", brain, 0, (2**31, 3), (3, 1), False, OrderedDict())),
        ("", ("_rebuild_tensor_v3", untyped, 0, (), (), False, OrderedDict(), "torch.uint16")),
    ]


def test_only_the_very_same_view_is_a_tie(tmp_path):
    """The second of two names for one view is one; another shape of the same storage, or an offset, is a tensor."""
    flat = view(shape=b"(K\x01K\x02t", strides=b"(K\x02K\x01t")
    second = view(shape=b"(K\x01t", offset=b"K\x01")

    header = torch_zip.read_header(checkpoint(tmp_path / "a.pt", mapping(view(), flat, view(), second)))

    assert [entry.name for entry in header.entries] == ["t0", "t1", "t3"]
    assert header.ties == {"t2": "t0"}


def test_what_torch_save_writes_is_read(tmp_path):
    """Memo, views, parameters, typed and untyped storages, a state dict's `_metadata`: opcodes as torch 2.13's."""
    storage = text("storage") + b"q\x03" + name("torch", "FloatStorage") + b"q\x04" + text("0") + text("cpu") + b"K\x06"
    place = b"(" + storage + b"tq\x07Q"
    base = name("torch._utils", "_rebuild_tensor_v2") + b"q\x02(" + place + b"K\x00K\x02K\x03\x86K\x03K\x01\x86"
    hooks = b"\x89" + name("collections", "OrderedDict") + b"q\x0a)R"
    turned = b"h\x02((h\x03h\x04" + text("0") + text("cpu") + b"K\x06tQK\x01K\x02K\x02\x86K\x01K\x03\x86\x88h\x0a)RtR"
    parameter = name("torch._utils", "_rebuild_parameter") + b"(" + base + hooks + b"tR\x88h\x0a)RtR"
    state = b"}" + text("_metadata") + b"h\x0a)R(" + text("") + b"}" + text("version") + b"K\x01sub"
    items = text("whole") + parameter + text("turned") + turned
    pickled = b"\x80\x02" + name("collections", "OrderedDict") + b")R(" + items + b"u}" + state[1:-1] + b"s" + b"b."
    values = np.arange(6, dtype=np.float32)
    checkpoint(tmp_path / "a.pt", pickled, **{"data/0": values.tobytes(), "byteorder": b"little", "version": b"3\n"})

    whole, turned = torch_zip.read_tensors(tmp_path / "a.pt", ["whole", "turned"])

    assert detect_format(tmp_path / "a.pt") is torch_zip
    assert torch_zip.read_header(tmp_path / "a.pt").entries == [
        ("turned", "float32", (2, 2), 16),
        ("whole", "float32", (2, 3), 24),
    ]
    np.testing.assert_array_equal(whole, values.reshape(2, 3), strict=True)
    np.testing.assert_array_equal(turned, np.array([[1, 4], [2, 5]], np.float32), strict=True)


V3 = name("torch._utils", "_rebuild_tensor_v3")
UNTYPED = name("torch.storage", "UntypedStorage")
HOSTILE = {
    "a call": (b"\x80\x02cos\nsystem\n(" + text("echo") + b"tR.", "asks for `os.system`, which is never called"),
    "a call of a call": (mapping(name("builtins", "eval") + b"(" + text("1") + b"tR"), "asks for `builtins.eval`"),
    "a global of torch's": (mapping(name("torch", "load")), "asks for `torch.load`"),
    "an object": (b"\x80\x02(i__main__\nA\n.", "opcode INST"),
    "a new object": (mapping(name("collections", "OrderedDict") + b")\x81"), "opcode NEWOBJ"),
    "a global from the stack": (b"\x80\x04" + text("os") + text("system") + b"\x93.", "opcode STACK_GLOBAL"),
    "an extension": (b"\x80\x02\x82\x01.", "opcode EXT1"),
    "a list": (b"\x80\x02].", "opcode EMPTY_LIST"),
    "a number": (b"\x80\x02K\x01.", "no mapping"),
    "a tensor alone": (b"\x80\x02" + view() + b".", "no mapping"),
    "a step": (mapping(b"K\x01"), "'t0' in it is no tensor"),
    "a mapping within": (mapping(b"}"), "'t0' in it is no tensor"),
    "keys that are numbers": (b"\x80\x02}K\x01K\x02s.", "whose keys are no names"),
    "a key without a value": (b"\x80\x02}(" + text("a") + b"u.", "cannot be read"),
    "nothing": (b"", "cannot be read"),
    "no end": (b"\x80\x02}", "cannot be read"),
    "an empty stack": (b"\x80\x02R.", "takes more than it holds"),
    "no mark": (b"\x80\x02t.", "takes more than it holds"),
    "a pop below the mark": (b"\x80\x02}(\x85.", "takes more than it holds"),
    "a memo that is not there": (b"\x80\x02h\x07.", "cannot be read"),
    "a text longer than the file": (b"\x80\x02X\xff\xff\xff\x7fabc.", "cannot be read"),
    "a negative text": (b"\x80\x02X\xff\xff\xff\xffabc.", "cannot be read"),
    "a tensor of 2⁶² elements": (mapping(view(shape=b"(\x8a\x08" + (2**62).to_bytes(8, "little") + b"t")), "beyond"),
    "a repeated element": (mapping(view(shape=b"(J\xff\xff\xff\x7ft", strides=b"(K\x00t")), "beyond its storage"),
    "an offset that leads out": (mapping(view(offset=b"K\x01")), "beyond its storage"),
    "an offset below": (mapping(view(offset=b"J\xff\xff\xff\xff")), "are no counts"),
    "a stride that leads out": (mapping(view(strides=b"(K\x02t")), "beyond its storage"),
    "a stride backwards": (mapping(view(strides=b"(J\xff\xff\xff\xfft")), "are no counts"),
    "a negative size": (mapping(view(shape=b"(J\xff\xff\xff\xfft")), "are no counts"),
    "a size that is a text": (mapping(view(shape=b"(" + text("2") + b"t")), "are no counts"),
    "a size that is true": (mapping(view(shape=b"(\x88t")), "are no counts"),
    "sizes without strides": (mapping(view(strides=b")")), "no two tuples"),
    "a thousand axes": (mapping(view(shape=b"(" + b"K\x01" * 999 + b"t", strides=b"(" + b"K\x01" * 999 + b"t")), "64"),
    "a storage larger than its member": (mapping(view(count=b"K\x03")), "absent or not 12 bytes"),
    "a storage that is a function": (
        mapping(view(storage=name("torch._utils", "_rebuild_tensor_v2"))),
        "none of torch",
    ),
    "an untyped storage as a typed one": (mapping(view(storage=UNTYPED)), "a call that no mapping"),
    "an untyped storage that is too short": (
        mapping(view(storage=UNTYPED, count=b"K\x08", rebuild=V3, tail=name("torch", "complex64") + b"t")),
        "beyond its storage",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_pickle_of_anything_but_tensors_is_one_fault(tmp_path, case):
    """Code, objects, sizes and views that lead out: refused by name, from the opcodes alone."""
    data, words = HOSTILE[case]

    with pytest.raises(InitcliError, match="cannot be read as a torch checkpoint") as error:
        torch_zip.read_header(checkpoint(tmp_path / "a.pt", data))

    assert words in error.value.faults[0].what


def test_the_default_view_of_these_tests_is_read(tmp_path):
    """Or the refusals above would prove nothing; so is an untyped storage of the right size."""
    eight = view(storage=UNTYPED, count=b"K\x08", rebuild=V3, tail=name("torch", "uint32") + b"t")

    header = torch_zip.read_header(checkpoint(tmp_path / "a.pt", mapping(view(), eight)))

    assert not header.ties

    assert header.entries == [("t0", "float32", (2,), 8), ("t1", "uint32", (2,), 8)]


def test_a_tuple_doubled_a_thousand_times_costs_nothing():
    """Sharing makes 2¹⁰⁰⁰ items of a few bytes: nothing walks them."""
    doubled = b"".join(b"q\x01h\x01\x86" for _ in range(1000))

    with pytest.raises(ValueError, match="'t0' in it is no tensor"):
        parse_pickle(mapping(b")" + doubled))
