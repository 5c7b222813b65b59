"""What initcli is measured against: PyTorch draws the tensors of a spec and safetensors saves them.

Prints the seconds for drawing and saving; starting Python, importing torch and reading the spec come before.
Usage: python torch_peer.py SPEC OUT
"""

from __future__ import annotations

import re
import sys
import time
from fnmatch import fnmatchcase
from pathlib import Path

import safetensors.torch
import torch
import yaml


def fill(shape: list[int], init: str) -> torch.Tensor:
    """Return a tensor drawn as a spec's init says; of the laws, only those that specs/gpt2.yaml uses."""
    if init == "zeros":
        return torch.zeros(shape)
    if init == "ones":
        return torch.ones(shape)
    std = re.fullmatch(r"random_normal\(stddev=([\d.e-]+)\)", init)[1]
    return torch.empty(shape).normal_(0, float(std))


def main() -> None:
    """Draw, save, and print the time."""
    spec = yaml.safe_load(Path(sys.argv[1]).read_text("utf-8"))
    plan = {
        name: (shape, next(rule["init"] for rule in spec["rules"] if fnmatchcase(name, rule["match"])))
        for name, shape in spec["tensors"].items()
    }

    start = time.perf_counter()
    torch.manual_seed(spec["seed"])
    safetensors.torch.save_file({name: fill(*how) for name, how in plan.items()}, sys.argv[2], {"format": "pt"})
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
