"""What several unit tests share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from initcli.document import parse_document
from initcli.errors import Fault
from initcli.tree import Node


@pytest.fixture(params=["libyaml", "python"])
def parse_yaml(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[Node | None, list[Fault]]]:
    """Return a reader of YAML, once by libyaml and once by Python's own scanner."""
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("PyYAML was built without libyaml")

    def parse(text: str) -> tuple[Node | None, list[Fault]]:
        faults: list[Fault] = []
        node = parse_document(text.encode(), "spec.yaml", faults)
        return node, faults

    return parse
