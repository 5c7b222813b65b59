"""What several unit tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from initcli.document import parse_document
from initcli.document.tree import Node
from initcli.errors import Fault


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


@pytest.fixture
def check_draws() -> Callable[[Any, tuple[int, ...]], None]:
    """Return a check of an initializer's draws against its law's promise."""

    def check(initializer: Any, shape: tuple[int, ...]) -> None:
        """Assert that drawn values agree with the promise within five standard errors and float64's rounding."""
        law = initializer.law(shape)
        drawn = initializer(shape, dtype="float64")
        mean_error, std_error = law.standard_errors(drawn.size)
        assert abs(drawn.mean() - law.mean) <= 5 * mean_error + 1e-12
        assert abs(drawn.std() - law.std) <= 5 * std_error + 1e-12
        assert law.low - 1e-12 <= drawn.min()
        assert drawn.max() <= law.high + 1e-12

    return check
