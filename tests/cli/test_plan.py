"""`initcli plan`: variables set on the command line, and where a tensor has what it has from."""

import json

import pytest

SPEC = """\
framework: torch
dtype: kind
vars: {layers: 4, d: 8, kind: bfloat16}
include: shared.yaml
defaults:
  - {match: "*norm*", dtype: float32}
tensors:
  h.{i:0..layers-1}.weight: {shape: [d, i+1], init: "normal(std=1/(i+1))", seed: i}
  h.{0..layers-1}.norm: [d]
  [red]head: {tie: h.0.weight}
rules:
  - {match: "*norm", init: ones}
"""

SHARED = """\
tensors:
  embed: {shape: [2, d], dtype: int8}
rules:
  - {match: embed, init: zeros}
"""


@pytest.fixture
def spec(folder):
    """A spec of two files."""
    (folder / "big.yaml").write_text(SPEC.replace("[red]head", '"[red]head"'))
    (folder / "shared.yaml").write_text(SHARED)
    return folder / "big.yaml"


def test_a_variable_may_be_set_to_a_number_arithmetic_or_a_word(spec, run):
    """What follows from it follows: how many tensors, their shapes and dtypes."""
    ran = run("plan", "big.yaml", "--set", "layers=2", "--set", "d = 3*2", "--set", "kind=float16", "--json")

    tensors = {tensor["name"]: tensor for tensor in json.loads(ran.out)["tensors"]}
    assert ran.status == 0
    assert list(tensors) == ["embed", "h.0.weight", "h.1.weight", "h.0.norm", "h.1.norm"]
    assert tensors["h.1.weight"]["shape"] == [6, 2]
    assert tensors["h.1.weight"]["dtype"] == "float16"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["layers"], "error: `--set layers` gives no value\nhint: write `--set layers=2`\n"),
        (["layers="], "error: `--set layers=` gives no value\nhint: write `--set layers=2`\n"),
        (["=2"], "error: `--set =2` gives no value\nhint: write `--set layers=2`\n"),
        (["d=2", " d=3"], "error: `--set` gives `d` twice\nhint: keep one of the two\n"),
        (["layer=2"], "error: the spec has no variable `layer`\nhint: did you mean `layers`?\n"),
        (["d=d+1"], "error: `d=d+1`: a variable is defined by itself: `d` → `d`\nhint: give one of them a number\n"),
        (["d=1/0"], "error: `d=1/0`: `1/0` divides by zero\n"),
        (["d=-1"], "error: `d` is -1, less than 0\n  --> "),
        (["layers=1/2"], "error: `layers-1` is -1/2, no whole number\n  --> big.yaml:8:3  tensors.h.{i:0..layers-1}"),
        (["layers=10**7"], "stands for 10,000,000 tensors\n  --> big.yaml:8:3"),
    ],
)
def test_a_setting_that_is_wrong_is_one_error(spec, run, settings, told):
    """Of its form, of its name, of its value, and of what follows from it where that stands."""
    ran = run("plan", "big.yaml", *(word for setting in settings for word in ("--set", setting)))

    assert ran.status == 2
    assert ran.out == ""
    assert told in ran.err


def test_why_tells_which_line_gave_a_tensor_its_shape_init_and_dtype(spec, run):
    """A line's own shape and init, a default's dtype, a rule's init; off a terminal nothing is cut."""
    own, ruled = run("plan", "big.yaml", "--why", "h.1.weight"), run("plan", "big.yaml", "--why", "h.3.norm")

    assert (own.status, own.err) == (0, "")
    assert own.out == (
        "h.1.weight\n"
        "  shape  [8, 2]  by the tensor\n"
        "         --> big.yaml:8:37  tensors.h.{i:0..layers-1}.weight.shape\n"
        "  init   torch.normal(std=0.5)  by the tensor\n"
        "         --> big.yaml:8:53  tensors.h.{i:0..layers-1}.weight.init\n"
        "  dtype  bfloat16  by the spec\n"
        "         --> big.yaml:2:8  dtype\n"
    )
    assert ruled.out == (
        "h.3.norm\n"
        "  shape  [8]  by the tensor\n"
        "         --> big.yaml:9:25  tensors.h.{0..layers-1}.norm.shape\n"
        "  init   torch.ones  by the rule at line 12\n"
        "         --> big.yaml:12:28  rules[0].init\n"
        "  dtype  float32  by the default at line 6\n"
        "         --> big.yaml:6:13  defaults[0].match\n"
    )


def test_why_follows_a_tensor_into_an_included_file(spec, run):
    """The name of the file where each thing stands."""
    ran = run("plan", "big.yaml", "--dtype", "float64", "--why", "embed")

    assert ran.out == (
        "embed\n"
        "  shape  [2, 8]  by the tensor\n"
        "         --> shared.yaml:2:18  tensors.embed.shape\n"
        "  init   torch.zeros  by the rule at line 4\n"
        "         --> shared.yaml:4:26  rules[1].init\n"
        "  dtype  int8  by the tensor\n"
        "         --> shared.yaml:2:33  tensors.embed.dtype\n"
    )


def test_why_as_json_is_one_object(spec, run):
    """For programs: each decision with its value, what gave it, and where that stands."""
    ran = run("plan", "big.yaml", "--dtype", "float64", "--why", "h.0.weight", "--json")

    described = json.loads(ran.out)
    assert (ran.status, described["name"]) == (0, "h.0.weight")
    assert described["init"] == {
        "value": "torch.normal",
        "given_by": "the tensor",
        "path": "tensors.h.{i:0..layers-1}.weight.init",
        "at": "big.yaml:8:53",
    }
    assert described["dtype"] == {"value": "float64", "given_by": "--dtype", "path": None, "at": None}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("h.0.wieght", "error: no tensor is called `h.0.wieght`\nhint: did you mean `h.0.weight`?\n"),
        ("[red]head", "error: `[red]head` is tied to `h.0.weight`\nhint: ask why for `h.0.weight`\n"),
    ],
)
def test_why_of_no_tensor_is_an_error(spec, run, name, told):
    """With the name that was meant."""
    ran = run("plan", "big.yaml", "--why", name)

    assert (ran.status, ran.out, ran.err) == (2, "", told)


def test_a_plan_fits_80_columns_and_is_not_cut_when_piped(folder, start, environment):
    """Names, shapes and initializers are whole, whatever the width of the terminal that it is not printed on."""
    name = "encoder." * 12 + "weight"
    (folder / "wide.yaml").write_text(
        f'tensors: {{{name}: {{shape: [1024, 1024], init: "truncated_normal(0, 0.02)"}}}}\n'
    )

    process = start("plan", "wide.yaml", env={**environment, "COLUMNS": "80"}, cwd=folder)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (0, b"")
    assert name in out.decode()
    assert "truncated_normal(stddev=0.02)" in out.decode()
