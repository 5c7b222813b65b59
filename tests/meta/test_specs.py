"""The specs of real models say what they are: their plans have the parameters that their comments count."""

import functools
import re
import time
from pathlib import Path

import pytest

import initcli
from initcli.document import read_below
from initcli.plan import Plan
from initcli.resolution import Overrides, load_plan

SPECS = Path(initcli.__file__).parent.parent / "specs"

COUNTED = re.compile(r"([\d,]*\d) (?:parameters|with((?:\s+--set \w+=\S+)+))")
"""A count of parameters in a comment: that of the spec itself, or that of other sizes, which follow."""

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
"""What PyTorch's normalizations keep beside their parameters; Keras counts its moving statistics among them."""


def plan_of(spec: str, sizes: str = "") -> Plan:
    """Return the plan of a spec of this repository; `sizes` are written as for the command line."""
    variables = dict(re.findall(r"--set (\w+)=(\S+)", sizes))
    return load_plan((SPECS / spec).read_bytes(), spec, Overrides(variables=variables))


def counts() -> list[tuple[str, str, int]]:
    """Return each spec and sizes of it, with the count of parameters that its comment tells."""
    found = []
    for path in sorted(SPECS.glob("*.yaml")):
        comment = " ".join(line.lstrip("# ") for line in path.read_text("utf-8").splitlines() if line.startswith("#"))
        for count, sizes in COUNTED.findall(comment):
            found.append((path.name, " ".join(sizes.split()), int(count.replace(",", ""))))
    return found


@pytest.mark.parametrize("path", sorted(SPECS.iterdir()), ids=lambda path: path.name)
def test_every_spec_has_a_plan(path: Path) -> None:
    """No file of specs/ has a fault."""
    assert plan_of(path.name).tensors


@pytest.mark.parametrize(("spec", "sizes", "count"), counts())
def test_the_comment_of_a_spec_counts_its_parameters(spec: str, sizes: str, count: int) -> None:
    """In the size of the spec and in those of its comment, as the framework counts: PyTorch without its buffers."""
    plan = plan_of(spec, sizes)

    assert sum(tensor.size for tensor in plan.tensors if not tensor.name.endswith(BUFFERS)) == count


def test_the_language_models_count_themselves_in_every_size() -> None:
    """Lists of cases that are too short would pass unseen."""
    sizes = [spec for spec, _, _ in counts()]

    for name, least in {"gpt2": 4, "llama3": 3, "mixtral": 2, "qwen2": 3, "bert": 2, "t5": 5, "mamba": 5}.items():
        assert sizes.count(f"{name}.yaml") == least


def test_seventy_billion_parameters_are_planned_within_a_second() -> None:
    """A plan costs by the tensor, not by the parameter: 723 tensors, 141 GB, of this process's time."""
    start = time.process_time()
    plan = plan_of("llama3.yaml", "--set d=8192 --set layers=80 --set heads=64 --set ff=28672")
    elapsed_s = time.process_time() - start

    assert (len(plan.tensors), plan.size, plan.nbytes) == (723, 70_553_706_496, 141_107_412_992)
    assert elapsed_s < 1


def test_a_spec_that_includes_qwen2_unties_its_head() -> None:
    """As its comment says of 7B: what the including spec says of a tensor, of variables and of the config wins."""
    text = b"""
include: qwen2.yaml
vars: {d: 3584, layers: 28, heads: 28, kv_heads: 4, ff: 18944, vocab: 152064}
tensors:
  lm_head.weight: [vocab, d]
config: {tie_word_embeddings: false}
"""

    plan = load_plan(text, "qwen2_7b.yaml", read=functools.partial(read_below, str(SPECS / "qwen2_7b.yaml")))

    assert not plan.ties
    assert plan.config is not None
    assert (plan.config["hidden_size"], plan.config["tie_word_embeddings"]) == (3584, False)
    assert plan.size == 7_615_616_512  # 2 vd + d + l (2 d² + 1024 d + 3 df + 3 d + 1024): k and v are 512 wide
