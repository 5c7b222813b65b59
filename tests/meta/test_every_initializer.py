"""`specs/every_initializer.yaml` has a tensor for each registered initializer, and each is what its law promises."""

from math import isnan
from pathlib import Path

import pytest

import initcli
from initcli.engine import generate_file
from initcli.formats.listing import choose_format
from initcli.initializers.registry import MODULES, registered
from initcli.plan import Plan
from initcli.report import Report
from initcli.resolution import load_plan

SPEC = Path(initcli.__file__).parent.parent / "specs" / "every_initializer.yaml"
MOST_NBYTES = 6 * 2**20


@pytest.fixture(scope="module")
def plan() -> Plan:
    return load_plan(SPEC.read_bytes(), str(SPEC))


@pytest.fixture(scope="module")
def report(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Report:
    path = tmp_path_factory.mktemp("every") / "every.safetensors"
    return generate_file(plan, choose_format(str(path), None, len(plan.tensors)), path)


def test_the_spec_has_a_tensor_for_every_initializer(plan: Plan) -> None:
    """Named after it. A new initializer fails here until it has its line."""
    ours = {name for name, cls in registered().items() if cls.framework in MODULES}
    named = {tensor.name: tensor.initializer.qualified_name() for tensor in plan.tensors}

    lines = [f"  {name}: {{shape: […], init: {name}}}" for name in sorted(ours - set(named.values()))]
    assert not lines, "\n".join([f"add to {SPEC}, with a shape that it takes:", *lines])
    assert [(name, init) for name, init in named.items() if name != init] == []


def test_every_initializers_statistics_agree_with_its_law(report: Report) -> None:
    """Mean and std within five standard errors, nothing beyond the bounds; only what promises nothing is not judged."""
    verdicts = {row.tensor.name: row.agrees for row in report.rows if row.tensor}
    unjudged = {row.tensor.name for row in report.rows if row.tensor and isnan(row.promised.mean)}

    assert {name for name, agrees in verdicts.items() if agrees is None} == unjudged
    assert [name for name, agrees in verdicts.items() if agrees is False] == []
    assert len(unjudged) < len(verdicts) / 10


def test_the_spec_is_quick_to_run(plan: Plan) -> None:
    """It is for looking at every law at once: a few megabytes."""
    assert plan.nbytes < MOST_NBYTES
