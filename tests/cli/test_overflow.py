"""Values that a short dtype cannot hold: refused where the law says so, else stored as it rounds them, and told."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors import deserialize

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def generate(folder, run):
    """Generate tensors called `w0`, `w1` … of 1000 values with these initializers and this dtype."""

    def generate(dtype, inits, *options):
        lines = [f'  w{i}: {{shape: [1000], init: "{init}"}}' for i, init in enumerate(inits)]
        text = f"initcli: 1\nframework: torch\ndtype: {dtype}\ntensors:\n" + "\n".join(lines)
        (folder / "spec.yaml").write_text(text + "\n")
        return run("generate", "spec.yaml", "--out", "w.safetensors", "--force", *options)

    return generate


@pytest.mark.parametrize(
    ("dtype", "std", "word", "end"),
    [
        ("float16", 3e4, "infinite", "65504"),
        ("bfloat16", 2e38, "infinite", "3.38953e+38"),
        ("float8_e5m2", 3e4, "infinite", "57344"),
        ("float8_e4m3fn", 300, "nan", "448"),
        ("float32", 2e38, "infinite", "3.40282e+38"),
    ],
)
def test_values_beyond_the_dtype_are_counted_and_told(generate, dtype, std, word, end):
    """A note tells how many and why, the table says OFF, JSON has the counts; nothing else warns."""
    ran = generate(dtype, [f"normal(std={std})", "zeros"])
    drawn, zeros = json.loads(generate(dtype, [f"normal(std={std})", "zeros"], "--json").out)["tensors"]

    stored = dict(deserialize(Path("w.safetensors").read_bytes()))["w0"]["data"]
    values = np.frombuffer(stored, getattr(ml_dtypes, dtype, dtype)).astype(np.float64)
    strays = int(np.count_nonzero(~np.isfinite(values)))
    note, wrote, *rest = ran.err.splitlines()
    assert 0 < strays < 1000
    assert note == f"note: `w0`: {strays} of 1,000 values are {word}: {dtype} ends at {end}"
    assert wrote.startswith("wrote ")
    assert not rest
    assert ran.status == 0
    assert [line.split()[-1] for line in ran.out.splitlines()] == ["agrees", "OFF", "ok", "OFF"]
    assert (drawn["nan"], drawn["inf"]) == ((strays, 0) if word == "nan" else (0, strays))
    assert (zeros["nan"], zeros["inf"]) == (0, 0)
    assert all(abs(drawn[key]) <= float(end) * 1.000001 for key in ("mean", "std", "min", "max"))


def test_strict_calls_an_overflow_an_error_and_tells_it_once(generate):
    """The reason is the overflow, not the moments of what is left."""
    ran = generate("float16", ["normal(std=30000.0)"], "--strict")

    assert ran.status == 1
    assert "note" not in ran.err
    assert "error: `w0` does not agree with its law: " in ran.err
    assert " of 1,000 values are infinite: float16 ends at 65504\n" in ran.err


@pytest.mark.parametrize("init", ["normal(std=1e6)", "uniform(0, 1e6)", "constant(7e4)", "trunc_normal(b=1e6)"])
def test_a_law_that_promises_more_than_the_dtype_holds_is_refused(generate, init):
    """Its bounds, mean or std lie beyond: known from the spec, so nothing is drawn."""
    ran = generate("float16", [init])

    assert ran.status == 2
    assert "fit float16" in ran.err
    assert "--> spec.yaml:5:" in ran.err


def test_of_many_tensors_the_first_are_told(generate):
    """Five notes, and one for the rest."""
    ran = generate("float16", ["normal(std=30000.0)"] * 7)

    notes = [line for line in ran.err.splitlines() if line.startswith("note: ")]
    assert len(notes) == 6
    assert notes[-1] == "note: 2 more tensors have such values"


def test_a_quiet_run_and_json_on_standard_error_stay_whole(generate, start):
    """No note stands beside JSON, and --quiet says nothing."""
    assert generate("float16", ["normal(std=30000.0)"], "--quiet") == (0, "", "")

    streamed = start("generate", "spec.yaml", "--out", "-", "--format", "safetensors", "--json")
    assert json.loads(streamed.communicate()[1])["tensors"][0]["inf"] > 0
