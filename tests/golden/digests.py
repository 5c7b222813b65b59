"""Print the digests of `golden.yaml`: SHA-256 of each tensor's bytes and of the whole safetensors file.

python tests/golden/digests.py > tests/golden/digests.json      # only with a new scheme number
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from initcli.engine import generate_file
from initcli.formats import Contents
from initcli.formats.listing import choose_format
from initcli.resolution import load_plan

SPEC = Path(__file__).with_name("golden.yaml")


def compute(jobs: int = 1) -> dict[str, str]:
    plan = load_plan(SPEC.read_bytes(), SPEC.name)
    chosen = choose_format("x.safetensors", None, len(plan.tensors))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "golden.safetensors"
        generate_file(plan, chosen, path, jobs=jobs)
        data = path.read_bytes()
    slots = chosen.lay_out(Contents(plan.tensors, plan.metadata()), path).slots
    digests = {
        tensor.name: hashlib.sha256(data[slot.offset : slot.offset + slot.nbytes]).hexdigest()
        for tensor, slot in zip(plan.tensors, slots, strict=True)
    }
    return {"golden.safetensors": hashlib.sha256(data).hexdigest(), **digests}


if __name__ == "__main__":
    json.dump(compute(), sys.stdout, indent=1)
    print()
