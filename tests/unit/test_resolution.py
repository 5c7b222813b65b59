"""Rules, defaults, loops, ties, fans and seeds resolved; what decides nothing and what nothing covers are faults."""

from __future__ import annotations

import json
import string
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initcli import patterns, resolution
from initcli.dtypes import DTYPES
from initcli.errors import Fault, InitcliError
from initcli.plan import Plan
from initcli.resolution import Overrides, load_plan
from initcli.sampling import sample_range
from initcli.scratch import Scratch


def plan_of(text: str, **variables: str) -> Plan:
    return load_plan(dedent(text).encode(), "spec.yaml", Overrides(variables=variables))


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(InitcliError) as caught:
        plan_of(text)
    return caught.value.faults


def values(plan: Plan) -> dict[str, Any]:
    """Return all that a plan says of each tensor, and the bytes of its first elements."""
    return {
        t.name: (
            t.shape,
            t.dtype.name,
            t.seed,
            t.law,
            sample_range(t.law, t.stream, t.dtype, 0, min(t.size, 50), Scratch()).tobytes(),
        )
        for t in plan.tensors
    }


def test_loops_stand_in_shapes_parameters_seeds_fans_and_dtypes() -> None:
    """Several of one name, a word as a dtype, a setting of the caller."""
    plan = plan_of(
        """\
        framework: torch
        vars: {d: 4, n: 9}
        tensors:
          "h.{i:0..n-1}.{p:float16,int8}": {shape: [i+1, d], init: "constant(i)", dtype: p, seed: 10+i}
          "k.{i:0..n-1}": {shape: [d, d], init: kaiming_normal, fan_in: d*(i+1)}
        """,
        n="2",
    )

    assert [(t.name, t.shape, t.dtype.name, str(t.initializer), t.seed) for t in plan.tensors[:4]] == [
        ("h.0.float16", (1, 4), "float16", "constant(val=0)", 10),
        ("h.0.int8", (1, 4), "int8", "constant(val=0)", 10),
        ("h.1.float16", (2, 4), "float16", "constant(val=1)", 11),
        ("h.1.int8", (2, 4), "int8", "constant(val=1)", 11),
    ]
    assert [t.law.std**2 for t in plan.tensors[4:]] == pytest.approx([2 / 4, 2 / 8], rel=1e-15)


@pytest.mark.parametrize(
    ("init", "law"),
    [
        ("normal(std=1/sqrt(d))", "normal(std=0.5)"),
        ("{name: normal, std: 1/sqrt(d)}", "normal(std=0.5)"),
        ("normal(0, 2/d)", "normal(std=0.5)"),
        ("kaiming_normal(a=sqrt(5))", "kaiming_normal(a=2.23606797749979)"),
        ("kaiming_normal(nonlinearity=act)", "kaiming_normal(nonlinearity=relu)"),
        (
            "xavier_uniform(gain=calculate_gain(leaky_relu, 1/d))",
            "xavier_uniform(gain=calculate_gain(leaky_relu, 0.25))",
        ),
        ("{class_name: RandomNormal, config: {stddev: 1/d}}", "random_normal(stddev=0.25)"),
        ("{name: trunc_normal, std: 1/d, a: -2/d, b: 2/d}", "trunc_normal(std=0.25, a=-0.5, b=0.5)"),
    ],
)
def test_parameters_are_arithmetic_wherever_a_number_stands(init: str, law: str) -> None:
    """In a call, a call inside it, a mapping, a Keras config; a word that is a variable's name is its value."""
    shown = init if init.startswith("{") else json.dumps(init)
    framework = "keras" if "class_name" in init else "torch"

    plan = plan_of(
        f"framework: {framework}\nvars: {{d: 4, act: relu}}\ntensors: {{w: {{shape: [4, 4], init: {shown}}}}}\n"
    )

    assert str(plan.tensors[0].initializer) == law


def test_the_first_rule_and_the_first_default_that_fit_decide() -> None:
    """By name, rank, shape and dtype; a default gives dtype and axes each on its own, before the rules look."""
    plan = plan_of(
        """\
        vars: {d: 4}
        tensors: {a.norm: [d], a.w: [d, 3], b.w: [2, 3], b.x: [3, 2, d]}
        defaults:
          - {match: "*norm", dtype: float16}
          - {match: "re:a.*", dtype: bfloat16}
          - {match: "*", rank: d-1, axes: batch out in}
        rules:
          - {match: "*", dtype: float16, init: ones}
          - {match: "*", shape: [d, null], init: zeros}
          - {match: "*", rank: 3, init: he_normal}
          - {match: "*", init: constant(d)}
        """
    )

    assert [(t.name, t.dtype.name, str(t.initializer)) for t in plan.tensors] == [
        ("a.norm", "float16", "ones"),
        ("a.w", "bfloat16", "zeros"),
        ("b.w", "float32", "constant(value=4)"),
        ("b.x", "float32", "he_normal"),
    ]
    # fan_in is d: he_normal is cut at two std and corrected, so that its variance is 2 / fan_in
    assert plan.tensors[3].law.std == pytest.approx((2 / 4) ** 0.5, rel=1e-12)


def test_a_tie_is_another_name_and_no_tensor() -> None:
    """It may loop, and may repeat the shape of what it is tied to."""
    plan = plan_of(
        """\
        tensors:
          "w.{i:0..1}": {shape: [i+1], init: zeros}
          "t.{i:0..1}": {tie: "w.{i}", shape: [i+1]}
        """
    )

    assert [t.name for t in plan.tensors] == ["w.0", "w.1"]
    assert plan.ties == {"t.0": "w.0", "t.1": "w.1"}


W = "initcli: 1\ntensors:\n"

# kind of fault -> (spec, line, column, key path, what it says, what mends it)
FAULTS: dict[str, tuple[str, int, int, str, str, str]] = {
    "rank of an unknown variable": (
        W + "  w: [2]\nrules: [{match: w, rank: k, init: zeros}, {match: '*', init: ones}]\n",
        4, 26, "rules[0].rank", "unknown variable `k`", "add `vars: {k: 1}`",
    ),
    "shape of a rule that is not whole": (
        W + "  w: [2]\nrules: [{match: w, shape: [3/2], init: zeros}]\n",
        4, 27, "rules[0].shape", "`3/2` is no whole number", "`//` divides",
    ),
    "dtype of a rule that is a number": (
        "vars: {d: 1}\n" + W + "  w: [2]\nrules: [{match: w, dtype: d, init: zeros}]\n",
        5, 27, "rules[0].dtype", "`d` is 1, no dtype", "name one: `float32`",
    ),
    "rule for what is tied": (
        W + "  w: {shape: [2], init: zeros}\n  t: {tie: w}\nrules: [{match: t, init: zeros}]\n",
        5, 17, "rules[0].match", "what it matches is tied to other tensors", "delete it",
    ),
    "rule of another rank": (
        W + "  w: {shape: [2], init: zeros}\n  v: [2]\n"
        "rules: [{match: v, rank: 2, init: ones}, {match: v, init: ones}]\n",
        5, 17, "rules[0].match", "what it matches has an init, an earlier rule, or another rank", "delete",
    ),
    "regular expression that fits nothing": (
        W + "  w: {shape: [2], init: zeros}\nrules: [{match: 're:v', init: zeros}]\n",
        4, 17, "rules[0].match", "the rule `re:v` matches no tensor", "must fit the whole name",
    ),
    "default that decides nothing": (
        W + "  w: {shape: [2], init: zeros, dtype: int8}\ndefaults: [{match: w, dtype: int16}]\n",
        4, 20, "defaults[0].match", "the default `w` decides nothing: what it matches has its own", "delete it",
    ),
    "default that gives nothing": (
        W + "  w: {shape: [2], init: zeros}\ndefaults: [{match: w}]\n",
        4, 12, "defaults[0]", "a default without `dtype` or `axes` gives nothing", "add one",
    ),
    "axes of a default of another rank": (
        W + "  w: {shape: [2], init: zeros}\ndefaults: [{match: w, axes: in out}]\n",
        3, 3, "tensors.w", "`axes` names 2 axes, but the shape [2] has 1 (axes by the default at line 4)", "a word",
    ),
    "match that is empty": (
        W + "  w: [2]\nrules: [{match: '', init: zeros}]\n", 4, 17, "rules[0].match", "`match` is empty", '`"*"`',
    ),
    "match that is no regular expression": (
        W + "  w: [2]\nrules: [{match: 're:(', init: zeros}]\n",
        4, 17, "rules[0].match", "`(` is no regular expression: missing )", "a backslash",
    ),
    "tie to itself": (W + "  w: {tie: w}\n", 3, 12, "tensors.w.tie", "`w` is tied to itself", "name another tensor"),
    "tie to nothing": (
        W + "  w: {tie: vv}\n  vvv: {shape: [2], init: zeros}\n",
        3, 12, "tensors.w.tie", "there is no such tensor", "did you mean `vvv`?",
    ),
    "tie to a tie": (
        W + "  w: {tie: v}\n  v: {tie: u}\n  u: {shape: [2], init: zeros}\n",
        3, 12, "tensors.w.tie", "`w` is tied to `v`, which is tied itself", "tie it to `u`",
    ),
    "tie to several": (
        W + "  w: {tie: 'v.{0..1}'}\n  'v.{0..1}': {shape: [2], init: zeros}\n",
        3, 12, "tensors.w.tie", "`v.{0..1}` stands for 2 tensors", "a tie leads to one",
    ),
    "tie of another shape": (
        "vars: {d: 2}\n" + W + "  w: {tie: v, shape: [d+1]}\n  v: {shape: [2], init: zeros}\n",
        4, 12, "tensors.w.tie", "whose shape is [2] and not [3]", "leave `shape` out",
    ),
    "tie with an init": (
        W + "  w: {tie: v, init: ones}\n  v: {shape: [2], init: zeros}\n",
        3, 21, "tensors.w.init", "a tensor with `tie` has no `init` of its own", "remove one",
    ),
    "an empty tie": (W + "  w: {tie: ''}\n", 3, 12, "tensors.w.tie", "`tie` is empty", "name the other tensor"),
    "fan of what reads none": (
        W + "  w: {shape: [2, 2], init: zeros, fan_in: 3}\n",
        3, 43, "tensors.w.fan_in", "`zeros` reads no fans", "remove `fan_in`",
    ),
    "both fans of what reads none": (
        W + "  w: {shape: [2, 2], init: normal, fan_in: 3, fan_out: 3}\n",
        3, 44, "tensors.w.fan_in", "`random_normal` reads no fans", "remove `fan_in`",
    ),
    "fan and axes": (
        W + "  w: {shape: [2, 2], init: he_normal, axes: in out, fan_out: 3}\n",
        3, 62, "tensors.w.fan_out", "`fan_out` and `axes` both tell the fans", "remove one",
    ),
    "fan that comes out as zero": (
        W + "  w: {shape: [2, 2], init: he_normal, fan_in: 2-2}\n",
        3, 47, "tensors.w.fan_in", "`fan_in` must be greater than 0, got 0", "",
    ),
    "seed that comes out negative": (
        W + "  w.{i:0..1}: {shape: [2], init: zeros, seed: i-1}\n",
        3, 47, "tensors.w.{i:0..1}.seed", "`i-1` is -1, less than 0", "whole number ≥ 0",
    ),
    "word that is no variable": (
        W + "  w: {shape: [2], init: {name: normal, stddev: sigma}}\n",
        3, 48, "tensors.w.init.stddev", "`stddev` must be a number, got `sigma`", "no variable is called `sigma`",
    ),
    "one name of two lines": (
        W + "  h.{0..2}: {shape: [2], init: zeros}\n  h.{1,2}: {shape: [3], init: zeros}\n",
        4, 3, "tensors.h.{1,2}", "two tensors are called `h.1`", "`h.{0..2}` at line 3 stands for it too",
    ),
    "one name twice in a line": (
        W + "  h.{a,a}: {shape: [2], init: zeros}\n", 3, 3, "tensors.h.{a,a}", "stands for `h.a` twice", "a name",
    ),
    "too many tensors": (
        W + "  h.{0..999}.{0..9999}: {shape: [2], init: zeros}\n",
        3, 3, "tensors.h.{0..999}.{0..9999}", "stands for 10,000,000 tensors", "at most 1,000,000",
    ),
    "a dtype that a loop's word is not": (
        W + "  h.{p:int8,int9}: {shape: [2], init: zeros, dtype: p}\n",
        3, 53, "tensors.h.{p:int8,int9}.dtype", "unknown dtype `int9`", "did you mean `int8`?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_tells_what_where_and_the_way_out(kind: str) -> None:
    """One fault for one slip, at the innermost place."""
    text, line, column, path, what, hint = FAULTS[kind]

    (fault,) = faults_of(text)

    assert what in fault.what
    assert hint in fault.hint
    assert fault.position is not None
    assert (fault.position.line, fault.position.column, fault.path) == (line, column, path)


@pytest.mark.parametrize(
    "text",
    [
        "vars: {d: 1/0}\ntensors: {w: {shape: [d], init: constant(d)}}\ndtype: d\nseed: d\n",
        "vars: {d: 1/0}\ntensors: {w: [2]}\nrules: [{match: w, rank: d, dtype: d, init: zeros}]\n",
        "tensors: {'w{0..': [2]}\nrules: [{match: 'w*', init: zeros}]\n",
        "tensors: {'w{0..n}': [2], t: {tie: w0}}\nrules: [{match: 'w*', init: zeros}]\n",
        "tensors: {w: [2]}\nrules: [{match: 're:(', init: zeros}]\n",
        "tensors: {'w.{i:0..2}': {shape: [2], init: constant(1/i)}}\n",
        "tensors: {w: {shape: [2], init: zeros}, t: {tie: 3}}\nrules: []\n",
        "include: a.yaml\ntensors: {w: [2]}\nrules: [{match: 'a*', init: zeros}]\n",
    ],
)
def test_one_slip_is_one_fault(text: str) -> None:
    """What only follows from it is not told, and what cannot be known because of it is not made up."""
    assert len(faults_of(text)) == 1


def test_a_pattern_that_is_larger_than_it_was_counted_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first turns of a long loop are gone through to count the names; the limit holds for those taken too."""
    monkeypatch.setattr(patterns, "MAX_COUNTED", 10)
    monkeypatch.setattr(resolution, "MAX_TENSORS", 50)

    (fault,) = faults_of('tensors: {"{i:0..30}.{j:0..20*max(0, i-20)}": {shape: [2], init: zeros}}\n')

    assert "stands for more than 50 tensors" in fault.what


# the embedded spec

SHAPES = st.lists(st.integers(0, 6), min_size=2, max_size=3)
KEYS = st.sampled_from(
    [
        {},
        {"seed": 3},
        {"seed": "2*d"},
        {"fan_in": 7},
        {"fan_in": "d/3", "fan_out": 5},
        {"axes": True},
        {"dtype": "float16"},
        {"dtype": "kind"},
    ]
)
INITS = st.sampled_from(
    ["he_normal", "glorot_uniform", {"name": "he_uniform", "seed": 9}, {"name": "variance_scaling", "scale": "1/d"}]
)
NAMES = st.text(string.ascii_lowercase + "{}. /é,:", min_size=1, max_size=6)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Return a spec with braces in names, loops, ties, axes, fans, seeds, dtypes and layers."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    tensors: dict[str, Any] = {}
    for name in names:
        shape, keys = draw(SHAPES), dict(draw(KEYS))
        if keys.pop("axes", None):
            keys["axes"] = " ".join(["batch", "out", "in"][-len(shape) :])
        escaped = name.replace("{", "{{").replace("}", "}}")
        loop = draw(st.sampled_from(["", "#{i:0..1}", "#{0..2..2}{x,y}"]))
        tensors[escaped + loop] = {"shape": [n + 1 for n in shape], "init": draw(INITS), **keys}
    first = next(iter(tensors))
    if "#" not in first:
        tensors["tied#"] = {"tie": first}
    layers = draw(
        st.sampled_from([[], [{"class": "Dense", "name": "q{d}", "units": "d"}, {"class": "Dense", "units": 2}]])
    )
    head = {"vars": {"d": 4, "kind": "bfloat16"}, "seed": draw(st.integers(0, 3)), "dtype": "kind"}
    return {**head, "tensors": tensors, **({"layers": layers, "input_shape": ["d-1"]} if layers else {})}


@settings(deadline=None, max_examples=60)
@given(specs())
def test_the_embedded_spec_of_any_plan_resolves_to_the_same_plan_and_bytes(spec: dict[str, Any]) -> None:
    """Names with braces, ties, axes, fans, seeds, dtypes and layers; twice, so that it is a fixed point."""
    plan = load_plan(json.dumps(spec).encode(), "spec.json")

    again = load_plan(plan.metadata()["initcli.spec"].encode(), "spec.json")

    assert values(again) == values(plan)
    assert again.ties == plan.ties
    assert again.metadata() == plan.metadata()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 4), st.integers(1, 3), st.randoms(use_true_random=False))
def test_expanding_or_reordering_ranges_by_hand_changes_no_value(n: int, m: int, random: Any) -> None:
    """One line with loops against a line for each tensor, in any order."""
    looped = {"h.{i:0..n-1}.{p:q,k}.{j:1..m}": {"shape": ["i+2", "j"], "init": "normal(stddev=1/(i+j))", "seed": "i"}}
    by_hand = [
        (f"h.{i}.{p}.{j}", {"shape": [i + 2, j], "init": f"normal(stddev={1 / (i + j)!r})", "seed": i})
        for i in range(n)
        for p in "qk"
        for j in range(1, m + 1)
    ]
    random.shuffle(by_hand)

    plan = load_plan(json.dumps({"vars": {"n": n, "m": m}, "tensors": looped}).encode(), "spec.json")
    again = load_plan(json.dumps({"tensors": dict(by_hand)}).encode(), "spec.json")

    assert values(plan) == values(again)


def test_a_dtype_of_the_caller_takes_the_place_of_the_specs_only() -> None:
    """A default is the tensor's own, as what it states is."""
    text = b"tensors: {a: [2], b: [2]}\ndefaults: [{match: a, dtype: int8}]\nrules: [{match: '*', init: zeros}]\n"

    plan = load_plan(text, "spec.yaml", Overrides(dtype=DTYPES["float64"]))

    assert [t.dtype.name for t in plan.tensors] == ["int8", "float64"]
