"""What initcli is measured against: PyTorch draws the tensors of a plan and safetensors saves them.

Prints the seconds for drawing and saving; starting Python, importing torch and reading the plan come before.
Usage: python torch_peer.py PLAN.json OUT, with what `initcli plan SPEC --json` prints
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import safetensors.torch
import torch


def fill(shape: list[int], mean: float, std: float) -> torch.Tensor:
    """Return a tensor drawn from a normal law, or without a std a constant one: the laws of specs/gpt2.yaml."""
    if std == 0:
        return torch.full(shape, mean)
    return torch.empty(shape).normal_(mean, std)


def main() -> None:
    """Draw, save, and print the time."""
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    laws = {t["name"]: (t["shape"], t["promised"]["mean"], t["promised"]["std"]) for t in plan["tensors"]}

    start = time.perf_counter()
    torch.manual_seed(plan["seed"])
    safetensors.torch.save_file({name: fill(*law) for name, law in laws.items()}, sys.argv[2], {"format": "pt"})
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
