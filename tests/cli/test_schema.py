"""`initcli schema`: what an editor is given."""

import json

import pytest

PLUGIN = """\
from dataclasses import dataclass
import initcli
from initcli.initializers.base import parameter

@initcli.register("bumps")
@dataclass(frozen=True)
class Bumps(initcli.Initializer):
    \"\"\"Draw bumps.\"\"\"

    height: float = parameter(0.5, "how high they are")

    def __call__(self, shape, dtype):
        ...
"""


def test_the_schema_is_json_of_a_size_that_an_editor_takes(run):
    """One JSON object that says which draft it follows; nothing else is printed, and an editor reads it at once."""
    ran = run("schema")

    assert (ran.status, ran.err) == (0, "")
    assert json.loads(ran.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert len(ran.out) < 400_000


def test_the_schema_is_the_same_in_every_process(start):
    """It depends neither on the order of sets nor on what was imported before."""
    first, second = (start("schema").communicate()[0] for _ in range(2))

    assert first
    assert first == second


@pytest.mark.usefixtures("own_registry")
def test_a_plugins_initializers_are_in_the_schema(folder, run):
    """Their names are among those of every framework, with their parameters."""
    (folder / "mine.py").write_text(PLUGIN)

    definitions = json.loads(run("schema", "--plugin", "mine.py").out)["$defs"]

    for framework in ("keras", "torch"):
        assert "bumps" in definitions[framework]["$defs"]["name"]["anyOf"][0]["enum"]
    (bumps,) = definitions["parameters"]["$defs"][""]["then"]["allOf"]
    assert bumps["then"]["properties"]["height"] == {"description": "how high they are", "default": 0.5}
