"""Zip files beyond 4 GiB: tensors of zeros, one larger than 32 bits count and one behind it, as file and as stream."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from initcli.formats import detect_format

SPEC = """\
initcli: 1
seed: 3
tensors:
  large: {shape: [4295000000], dtype: uint8, init: zeros}
  behind: {shape: [1000], dtype: float32, init: he_normal}
  empty: {shape: [0], init: zeros}
"""
PEAK_NBYTES = 400 << 20
"""More than the interpreter, NumPy and the chunks in flight take together; a tenth of the tensor."""
TELLING_ITS_PEAK = """
import atexit, sys
from pathlib import Path
from initcli.cli import main
atexit.register(lambda: Path(sys.argv[1]).write_text(Path("/proc/self/status").read_text()))
main(["generate", *sys.argv[2:], "--quiet"])
"""


def run(status: Path, *arguments: object, stdout: int | None = None) -> subprocess.Popen[bytes]:
    """The command, which leaves its own status of the system at the end."""
    return subprocess.Popen([sys.executable, "-c", TELLING_ITS_PEAK, status, *map(str, arguments)], stdout=stdout)


def peak_of(status: Path) -> int:
    """The most memory that a command had, in bytes; a child's `ru_maxrss` would count its parent's, too."""
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def digest_of(file: object) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 22):  # type: ignore[attr-defined]
        digest.update(block)
    return digest.hexdigest()


@pytest.mark.parametrize("name", ["npz", "pt"])
def test_a_file_beyond_4_gib_is_whole_and_streams_alike(tmp_path, name):
    """Checksums, sizes and offsets are right beyond 32 bits, and memory stays below a tenth of the tensor."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    spec, path = tmp_path / "spec.yaml", tmp_path / f"w.{name}"

    assert run(tmp_path / "filing", spec, "--out", path).wait() == 0
    with run(tmp_path / "piping", spec, "--out", "-", "--format", name, stdout=subprocess.PIPE) as piped:
        streamed = digest_of(piped.stdout)

    with path.open("rb") as file:
        assert streamed == digest_of(file)
    assert piped.returncode == 0
    assert peak_of(tmp_path / "filing") < PEAK_NBYTES
    assert peak_of(tmp_path / "piping") < PEAK_NBYTES
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    form = detect_format(path)
    large, behind, empty = form.read_tensors(path, ["large", "behind", "empty"])
    assert zlib.crc32(large) == zlib.crc32(np.zeros(4295000000, np.uint8))
    assert (large.shape, behind.shape, empty.shape) == ((4295000000,), (1000,), (0,))
    assert abs(float(behind.std()) - np.sqrt(2 / 1000)) < 5 * np.sqrt(2 / 1000) / np.sqrt(2 * 1000)
    if name == "npz":
        with np.load(path) as loaded:
            np.testing.assert_array_equal(loaded["behind"], behind)
