"""The battery that every format passes through the engine: all that a plan can hold is written, and read back alike.

What a format cannot hold stands in `LIMITS`, and nowhere else: it is refused with those words, and the rest is taken.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from every_format import FORMATS, FORMS, tell_id

from initcli.comparison import Verdict
from initcli.drawing import draw_range
from initcli.dtypes import DTYPES
from initcli.engine import generate_file, generate_stream
from initcli.errors import InitcliError
from initcli.formats import Format
from initcli.formats.listing import choose_format
from initcli.formats.npy import npy
from initcli.formats.weights import WeightFile, open_weights
from initcli.object_paths import Stored
from initcli.patterns import escape
from initcli.plan import Plan, PlannedTensor
from initcli.readback import digest_weights, verify_weights
from initcli.resolution import load_plan
from initcli.scratch import Scratch

RANKS = [(), (3,), (2, 3), (2, 1, 3), (2, 1, 3, 2), (1, 2, 1, 3, 2), (2, 1, 2, 1, 3, 2)]
EMPTY = [(0,), (2, 0), (0, 3, 0, 1), (1, 0, 1, 1, 1, 1)]
PLAIN = ["model.layers.0.attn.weight", "params/Dense_0/kernel", "a b", " ", ".", "größe", "重み/🙂", "e\u0301"]
SIGNS = ["..x", "...", '"quoted"', "back\\slash", "it's", "%s$HOME`", "-rf", "{i}", "a=b:c;d", "\u2028", "*"]
OWN = ["/abs", "a//b", "end/", "up/../out", "a/./b", "__metadata__", "__msgpack_chunked_array__"]
OWN += ["x" * 300, "n" * 63, "ü" * 32, "p", "p/q", "s", "s.npy", "t.npy/u", "t"]
"""What some format keeps for itself, cannot have for a path, finds too long, or would find twice."""


class Limit(NamedTuple):
    """What the formats of these ids (globs) cannot hold, what their refusal says, and which tensors that are."""

    formats: str
    words: str
    hits: Callable[[PlannedTensor], bool]


def is_extended(tensor: PlannedTensor) -> bool:
    return tensor.dtype.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2")


def is_named(*names: str) -> Callable[[PlannedTensor], bool]:
    return lambda tensor: tensor.name in names


GGML = ("float32", "float16", "bfloat16", "float64", "int8", "int16", "int32", "int64")
GROUPS = ("ranks", "empty", "names")
NPY, HDF5 = "npy npy-directory npz", "h5 keras-legacy-h5"
NO_PATHS = is_named("/abs", "a//b", "end/")
LIMITS = [
    Limit("safetensors*", "keeps the name `__metadata__` for itself", is_named("__metadata__")),
    Limit(NPY, "which a `.npy` file cannot name", is_extended),
    Limit("npy-directory npz", "has an empty part", NO_PATHS),
    Limit("npy-directory npz", "has a part `..?`", is_named("up/../out", "a/./b", ".")),
    Limit("npy-directory", "needs a file name of 304 bytes", is_named("x" * 300)),
    Limit("npy-directory npz", "a directory of that name|lies in it", is_named("t")),
    Limit("npz", "is also the file of `s`", is_named("s.npy")),
    Limit(HDF5, "has an empty part", NO_PATHS),
    Limit(HDF5, "has a part `.`", is_named("a/./b", ".")),
    Limit(HDF5, "needs a group of that name", is_named("p")),
    Limit("weights.h5 weights.json keras", "which Keras does not read", lambda t: t.dtype.name.startswith("float8")),
    Limit("keras-legacy-h5", "which Keras does not read|old `.h5` cannot hold", is_extended),
    Limit("msgpack", "has an empty part", NO_PATHS),
    Limit("msgpack", "has a part `__msgpack_chunked_array__`", is_named("__msgpack_chunked_array__")),
    Limit("msgpack", "cannot be an array and hold `p/q`", is_named("p")),
    Limit("gguf", "which GGUF cannot name", lambda t: t.dtype.name not in GGML),
    Limit("gguf", "axes, and GGUF stops at 4", lambda t: len(t.shape) > 4),
    Limit("gguf", "has no elements", lambda t: 0 in t.shape),
    Limit("gguf", "a bfloat16 without axes", lambda t: t.dtype.name == "bfloat16" and not t.shape),
    Limit("gguf", "takes more than 63 bytes", is_named("x" * 300, "ü" * 32)),
]
"""A single `.npy` has one more, which is no tensor's: it holds one."""


def find_limits(form: Format, tensor: PlannedTensor) -> list[Limit]:
    """What of the table fits a tensor."""
    key = tell_id(form)
    return [
        each for each in LIMITS if any(fnmatchcase(key, glob) for glob in each.formats.split()) and each.hits(tensor)
    ]


def write_spec(tensors: dict[str, dict[str, object]]) -> bytes:
    """A spec with a line for each tensor: that at index i stands in line i + 3."""
    lines = (f"{json.dumps(escape(name))}: {json.dumps(each)}" for name, each in tensors.items())
    return ('{"seed": 5,\n"tensors": {\n' + ",\n".join(lines) + "}}").encode()


def make_plan(spec: bytes) -> Plan:
    """The plan of these tensors, each with a place in Keras's own files."""
    plan = load_plan(spec, "spec.json" if spec.startswith(b"{") else "spec.yaml")
    return replace(plan, tensors=tuple(_store(tensor, index) for index, tensor in enumerate(plan.tensors)))


def _store(tensor: PlannedTensor, index: int) -> PlannedTensor:
    stored = Stored("dense", (f"layers/dense/vars/{index}",))
    written = replace(tensor.origins.written, stored=stored)
    return replace(tensor, origins=tensor.origins._replace(written=written))


def fill(dtype: str, index: int = 0) -> dict[str, object]:
    """An init that differs from element to element where the element type allows, else from tensor to tensor."""
    if dtype == "complex64":
        return {"dtype": dtype, "init": "jax.normal"}
    return {"dtype": dtype, "init": "normal" if "float" in dtype else f"constant(value={dtype == 'bool' or index + 1})"}


@cache
def plan_of(group: str) -> Plan:
    """The plan of a group of tensors."""
    shapes = {"ranks": RANKS, "empty": EMPTY}.get(group, [])
    if shapes:
        named = ((f"{dtype}.{len(shape)}", shape, fill(dtype, len(shape))) for dtype in DTYPES for shape in shapes)
        return make_plan(write_spec({name: {"shape": shape, **filled} for name, shape, filled in named}))
    if group == "names":
        return make_plan(write_spec({name: {"shape": [2], **fill("float32")} for name in [*PLAIN, *SIGNS, *OWN]}))
    if group.startswith("many "):
        count = int(group.removeprefix("many "))
        return make_plan(b"tensors: {'layer.{i:1..%d}.w': {shape: [1], init: constant(value=i)}}" % count)
    sizes = {"few": ([7], "float32"), "none": ([3, 0], "float32"), "half": ([5], "float16")}
    if group == "large":
        sizes = {"large": ([1000, 601], "float32")} | sizes
    return make_plan(write_spec({name: {"shape": shape, **fill(dtype)} for name, (shape, dtype) in sizes.items()}))


def keep(form: Format, group: str) -> list[Plan]:
    """What of a group the format can hold, in as many plans as that takes files: of a single `.npy` one for each."""
    plan = plan_of(group)
    kept = [tensor for tensor in plan.tensors if not find_limits(form, tensor)]
    files = [(tensor,) for tensor in kept] if form is npy else [tuple(kept)]
    return [replace(plan, tensors=tensors) for tensors in files]


def list_refusals(form: Format, plan: Plan) -> dict[int, str]:
    """Why a format cannot hold tensors of a plan, by their indices; a single `.npy` is asked about each alone."""
    if form is npy:
        return {index: each.what for index, one in enumerate(plan.tensors) for each in form.faults([one])}
    return {refusal.place: refusal.what for refusal in form.faults(plan.tensors)}


def digest_of(plan: Plan) -> str:
    """The content digest by its definition in the help of `digest`: no tensor here has more than one block."""

    def count(*numbers: int) -> bytes:
        return b"".join(number.to_bytes(8, "little") for number in numbers)

    tensors = {}
    for each in plan.tensors:
        name, dtype = each.name.encode(), each.dtype.name.encode()
        told = count(len(name)) + name + count(len(dtype)) + dtype + count(len(each.shape), *each.shape)
        values = draw_range(each, 0, each.size, Scratch()).tobytes()
        block = hashlib.sha256(values).digest() if values else b""
        tensors[name] = hashlib.sha256(b"initcli/tensor-digest/1\0" + told + block).digest()
    return hashlib.sha256(b"initcli/digest/1\0" + b"".join(tensors[name] for name in sorted(tensors))).hexdigest()


def reopen(path: Path, plan: Plan) -> WeightFile:
    """What was written; a single `.npy` tells no name, and is called after the plan's tensor."""
    weights = open_weights(path)
    return weights if weights.tells_names else weights.called(plan.tensors[0].name)


def make_path(form: Format, folder: Path) -> Path:
    """A path in a new folder, with the format's suffix."""
    folder.mkdir(parents=True)
    return folder / f"out{next(iter(form.suffixes), '')}"


def hash_all(folder: Path) -> str:
    """The SHA-256 of each file of a folder, with its path."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    told = (str(file.relative_to(folder)).encode() + file.read_bytes() for file in files)
    return hashlib.sha256(b"".join(told)).hexdigest()


def hash_generated(folder: Path, jobs: int) -> dict[str, str]:
    """What every format's output is, by its id: all dtypes and ranks, and a tensor of several chunks."""
    for key, form in FORMS.items():
        for group in ("ranks", "large"):
            generate_file(keep(form, group)[0], form, make_path(form, folder / key / group), jobs=jobs)
    return {key: hash_all(folder / key) for key in FORMS}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("form", FORMATS)
def test_a_format_refuses_what_the_table_says_and_nothing_else(form, group, tmp_path):
    """Each refusal has its words and its place in the spec, all are told at once, and not a byte is written."""
    plan = plan_of(group)
    limits = {index: limits for index, tensor in enumerate(plan.tensors) if (limits := find_limits(form, tensor))}
    limited = replace(plan, tensors=tuple(plan.tensors[index] for index in limits))

    refused = list_refusals(form, plan)

    assert refused.keys() == limits.keys()
    for index, what in refused.items():
        assert any(re.search(limit.words, what) for limit in limits[index]), what
    if limits:
        with pytest.raises(InitcliError) as error:
            generate_file(limited if form is npy else plan, form, tmp_path / "out")
        assert [fault.position.line for fault in error.value.faults] == [index + 3 for index in limits]
        assert list(tmp_path.iterdir()) == []


def test_every_limit_of_the_table_is_met():
    """A line that no tensor of the battery meets would say nothing."""
    tensors = [tensor for group in GROUPS for tensor in plan_of(group).tensors]

    met = [limit for form in FORMS.values() for tensor in tensors for limit in find_limits(form, tensor)]

    assert [limit for limit in LIMITS if limit not in met] == []


def test_a_single_npy_takes_one_tensor_and_no_second(tmp_path):
    """The one limit that is the plan's, and no tensor's."""
    with pytest.raises(InitcliError, match="holds one tensor, and `few` is number 2") as error:
        generate_file(plan_of("large"), npy, tmp_path / "out")

    assert [fault.position.line for fault in error.value.faults] == [4, 5, 6]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("form", FORMATS)
def test_what_was_generated_is_read_back_under_one_digest(form, group, tmp_path):
    """Every dtype, rank and name: the digest told while writing and that of the file are those of the definition."""
    for number, plan in enumerate(keep(form, group)):
        path = make_path(form, tmp_path / str(number))
        report = generate_file(plan, form, path, digests=True)
        weights = reopen(path, plan)

        assert report.digest == digest_weights(weights, jobs=2)
        assert report.digest.total == digest_of(plan)
        assert {pair.verdict for pair in verify_weights(plan, weights)} <= {Verdict.EQUAL}
        assert len(weights.entries) == len(plan.tensors)


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The hashes of every format's output, made by one thread."""
    return hash_generated(tmp_path_factory.mktemp("one"), jobs=1)


@pytest.mark.parametrize("jobs", [2, 5])
def test_any_number_of_threads_writes_the_same_bytes(generated, jobs, tmp_path):
    """Also where a tensor is cut among them."""
    assert hash_generated(tmp_path, jobs) == generated


def test_two_processes_write_the_same_bytes(generated, tmp_path):
    """With other hashes of texts, another directory, another moment."""
    code = (
        "import json, sys, pathlib; sys.path.insert(0, sys.argv[1]); from test_battery import hash_generated as made; "
    )
    code += "print(json.dumps(made(pathlib.Path(sys.argv[2]), 2)))"
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"}

    made = [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path)]
    done = subprocess.run(made, env=environment, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == generated


@pytest.mark.parametrize("form", [each for each in FORMATS if each.values[0].is_streamable])
@pytest.mark.parametrize("jobs", [1, 3])
def test_a_stream_is_the_file_and_tells_the_same_digest(form, jobs, tmp_path):
    """For every group, with tensors of several chunks and tensors of none."""
    for group in (*GROUPS, "large"):
        for number, plan in enumerate(keep(form, group)):
            path, stream = tmp_path / f"{group}{number}", io.BytesIO()
            filed = generate_file(plan, form, path, digests=True)
            streamed = generate_stream(plan, form, stream, jobs=jobs, digests=True)

            assert stream.getvalue() == path.read_bytes()
            assert streamed.digest == filed.digest


@pytest.mark.parametrize("form", [each for each in FORMATS if not each.values[0].is_streamable])
def test_what_cannot_be_a_stream_is_refused_as_one(form):
    """Before anything is drawn. A directory's name means its single file on a stream, which is another format."""
    if form.is_directory:
        assert choose_format("-", form.name, 1) is not form
        return

    with pytest.raises(InitcliError, match="cannot go to standard output"):
        choose_format("-", form.name, 1)


@pytest.mark.parametrize("form", [each for each in FORMATS if each.values[0] is not npy])
def test_thousands_of_tensors_are_read_back(form, tmp_path):
    """Each in its place: the only element of each is its number. `make exhaustive` takes 20,000 of every format."""
    check_many(form, 2_000, tmp_path / "out")


def check_many(form: Format, count: int, folder: Path) -> None:
    """Assert that as many tensors as that are read back with their values."""
    (plan,) = keep(form, f"many {count}")
    path = make_path(form, folder)

    report = generate_file(plan, form, path, jobs=2, digests=True)

    assert len(report.digest.tensors) == count
    assert report.digest == digest_weights(reopen(path, plan))
