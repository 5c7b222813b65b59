"""A GGUF file beyond 4 GiB: a tensor of zeros larger than 32 bits count and one behind it, as file and as stream."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np

from initcli.formats import detect_format

SPEC = """\
initcli: 1
seed: 3
tensors:
  large: {shape: [4295000001], dtype: int8, init: zeros}
  behind: {shape: [25, 41], dtype: float32, init: he_normal}
"""


def digest_of(file):
    """The SHA-256 of all that can be read."""
    digest = hashlib.sha256()
    while block := file.read(1 << 22):
        digest.update(block)
    return digest.hexdigest()


def test_a_file_beyond_4_gib_is_whole_and_streams_alike(tmp_path):
    """Offsets are right beyond 32 bits: what stands behind the large tensor is what it is without it."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "small.yaml").write_text("\n".join(line for line in SPEC.splitlines() if "large" not in line))
    command = [sys.executable, "-m", "initcli", "generate", "--quiet"]

    for name, out in [("spec", "large"), ("small", "small")]:
        subprocess.run([*command, tmp_path / f"{name}.yaml", "--out", tmp_path / f"{out}.gguf"], check=True)
    stream = [*command, tmp_path / "spec.yaml", "--out", "-", "--format", "gguf"]
    with subprocess.Popen(stream, stdout=subprocess.PIPE) as streaming:
        streamed = digest_of(streaming.stdout)

    form = detect_format(tmp_path / "large.gguf")
    large, small = (form.read_tensor(tmp_path / f"{out}.gguf", "behind") for out in ("large", "small"))
    np.testing.assert_array_equal(large, small)
    assert large.any()
    assert streaming.returncode == 0
    with (tmp_path / "large.gguf").open("rb") as file:
        assert digest_of(file) == streamed
