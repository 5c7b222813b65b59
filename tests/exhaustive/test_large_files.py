"""A file beyond 4 GiB of every format: written, piped, verified and digested in memory that does not grow with it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from every_format import FORMATS, tell_id

from initcli.formats import Format
from initcli.formats.npy import npy

LARGE = 1_073_800_000
"""Elements of 4 bytes: more bytes than 32 bits count."""
NEXT = {"shape": [25, 41], "init": "he_normal"}
"""Stands behind zeros of 4 GiB: is it right, so are the offsets."""
KERAS_LAYERS = [
    {"class": "Embedding", "input_dim": LARGE // 1000, "output_dim": 1000, "embeddings_initializer": "zeros"},
    {"class": "Flatten"},
    {"class": "Dense", "units": 2},
]
OF_KERAS = {
    "framework": "keras",
    "input_shape": [3],
    "layers": KERAS_LAYERS,
    "config": {"class_name": "A", "config": {}},
}
TENSORS = {
    "npy": {"large": {"shape": [LARGE], "init": "zeros"}},
    "msgpack": {"large{0..4}": {"shape": [LARGE // 5], "init": "zeros"}, "next": NEXT},
}
"""By its id: the tensors of a format that holds one alone, or none of more than a gigabyte."""
OPTIONS = {"safetensors-shards": ["--max-shard-size", "4.5GB"]}
PEAK_NBYTES = 128 << 20
"""The interpreter, the libraries and the chunks in flight take 75 MB; the file has 4,295."""
TELLING_ITS_PEAK = """
import atexit, sys
from pathlib import Path
from initcli.cli import main
atexit.register(lambda: Path(sys.argv[1]).write_text(Path("/proc/self/status").read_text()))
sys.exit(main(sys.argv[2:]))
"""


def make_spec(form: Format) -> dict[str, Any]:
    """A spec of more than 4 GiB that the format can hold: of layers where it keeps those of Keras."""
    if any(word in tell_id(form) for word in ("keras", "weights")):
        return OF_KERAS
    both = {"large": {"shape": [LARGE], "init": "zeros"}, "next": NEXT}
    return {"seed": 3, "tensors": TENSORS.get(tell_id(form), both)}


@pytest.fixture
def folder(tmp_path: Path):
    """A folder that is gone with its gigabytes when the test is over."""
    yield tmp_path
    shutil.rmtree(tmp_path)


class Runs:
    """The program in processes of its own, each of which tells the most memory that it had, maps of files included."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.told = folder, list[str]()

    def run(self, *arguments: str) -> str:
        """What a command prints: a pipe's bytes are hashed."""
        status, start, hashed = self.folder / "status", time.perf_counter(), hashlib.sha256()
        command = [sys.executable, "-c", TELLING_ITS_PEAK, str(status), *arguments]
        with subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE) as process:
            text = first = process.stdout.read(1 << 22)
            while first:
                hashed.update(first)
                first = process.stdout.read(1 << 22)
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        peak = int(line.split()[1]) * 1024
        self.told.append(f"{arguments[0]} {time.perf_counter() - start:.1f} s {peak / 1e6:.0f} MB")
        assert process.returncode == 0
        assert peak < PEAK_NBYTES, arguments[0]
        return hashed.hexdigest() if "-" in arguments else text.decode()


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_beyond_4_gib_is_whole_and_takes_no_memory(form, folder):
    """Verified against its spec, with the digest that was told while writing; a pipe gets the same bytes."""
    (folder / "spec.json").write_text(json.dumps(make_spec(form)))
    out = "out/large" + (form.suffixes or ("/",))[0]
    (folder / "out").mkdir()
    choice = OPTIONS.get(tell_id(form), ["--format", form.name])
    runs = Runs(folder)

    written = json.loads(runs.run("generate", "spec.json", "--out", out, *choice, "--digest", "--json"))
    verified = json.loads(runs.run("verify", out, "--spec", "spec.json", "--json"))
    read = json.loads(runs.run("digest", out, "--json"))

    assert max(file.stat().st_size for file in (folder / "out").rglob("*")) > 2**32
    assert verified["is_equal"]
    assert form is npy or read["total"]["digest"] == written["total"]["digest"]
    if form.is_streamable:
        streamed = runs.run("generate", "spec.json", "--out", "-", "--format", form.name, "--quiet")
        with (folder / out).open("rb") as file:
            assert streamed == hashlib.file_digest(file, "sha256").hexdigest()
    if zipfile.is_zipfile(folder / out):
        with zipfile.ZipFile(folder / out) as archive:
            assert archive.testzip() is None
    print(f"\n{tell_id(form)}: {', '.join(runs.told)}")
