"""Shards beyond 4 GiB: a tensor of zeros, larger than 32 bits count, and one behind it in the same file."""

from __future__ import annotations

import json
import subprocess
import sys

from safetensors import safe_open

from initcli.formats.sharded import sharded

SPEC = """\
initcli: 1
framework: torch
tensors:
  large: {shape: [4295000000], dtype: uint8, init: zeros}
  behind: {shape: [1000], dtype: uint8, init: ones}
  apart: {shape: [250000000], init: ones}
"""


def test_a_shard_beyond_4_gib_is_whole(tmp_path):
    """Sizes and offsets are right beyond 32 bits, in the shard and in the index."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    command = [sys.executable, "-m", "initcli", "generate", tmp_path / "spec.yaml", "--out", tmp_path / "out"]

    subprocess.run([*map(str, command), "--max-shard-size", "4.5GB", "--quiet"], check=True)

    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
    assert index["metadata"] == {"total_parameters": 4_545_001_000, "total_size": 5_295_001_000}
    assert index["weight_map"]["large"] == index["weight_map"]["behind"] != index["weight_map"]["apart"]
    assert sharded.read_tensor(tmp_path / "out", "behind").tolist() == [1] * 1000
    with safe_open(tmp_path / "out" / index["weight_map"]["large"], "np") as file:
        assert not file.get_slice("large")[4_294_000_000:].any()
    with safe_open(tmp_path / "out" / index["weight_map"]["apart"], "np") as file:
        assert (file.get_slice("apart")[249_000_000:] == 1).all()
