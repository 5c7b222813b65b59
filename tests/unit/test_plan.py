"""Specs resolved to plans, and every fault of a spec told with its place and its mend."""

import json
from textwrap import dedent

import pytest

from initcli.dtypes import DTYPES
from initcli.errors import Fault, InitcliError
from initcli.plan import Plan
from initcli.resolution import Overrides, load_plan

MLP = """\
initcli: 1
seed: 42
dtype: float16
tensors:
  fc1/kernel: {shape: [784, 256], init: he_normal}
  fc1/bias: [256]
  step: {shape: [], init: {name: constant, value: 3}, dtype: int64}
rules:
  - {match: "*/bias", init: zeros}
"""


def plan_of(text: str) -> Plan:
    return load_plan(dedent(text).encode(), "spec.yaml")


def faults_of(text: str, source: str = "spec.yaml") -> tuple[Fault, ...]:
    with pytest.raises(InitcliError) as caught:
        load_plan(dedent(text).encode(), source)
    return caught.value.faults


def tensor(definition: str) -> str:
    return f"initcli: 1\ntensors:\n  w: {definition}\n"


def test_a_spec_resolves_to_its_tensors_in_order() -> None:
    """Own inits, rules, defaults and scalars."""
    plan = plan_of(MLP)

    assert [(t.name, t.shape, t.dtype.name, str(t.initializer)) for t in plan.tensors] == [
        ("fc1/kernel", (784, 256), "float16", "he_normal"),
        ("fc1/bias", (256,), "float16", "zeros"),
        ("step", (), "int64", "constant(value=3)"),
    ]
    assert (plan.size, plan.nbytes) == (784 * 256 + 256 + 1, 2 * (784 * 256 + 256) + 8)
    assert plan.is_portable
    assert plan.peak_nbytes == 0


def test_seed_and_dtype_of_the_caller_take_the_place_of_the_specs_own() -> None:
    """A tensor's own dtype stays."""
    plan = load_plan(MLP.encode(), "spec.yaml", Overrides(seed=7, dtype=DTYPES["bfloat16"]))

    assert {t.seed for t in plan.tensors} == {7}
    assert [t.dtype.name for t in plan.tensors] == ["bfloat16", "bfloat16", "int64"]


def test_orthogonal_makes_a_plan_that_is_not_portable_and_tells_its_peak() -> None:
    """Its bits depend on LAPACK, and it holds the whole tensor in float64 with copies."""
    plan = plan_of(tensor("{shape: [100, 50], init: orthogonal}"))

    assert not plan.is_portable
    assert plan.peak_nbytes >= 3 * 8 * 100 * 50
    assert plan.metadata()["initcli.portable"] == "false"


def test_the_normalized_spec_is_a_spec_that_resolves_to_the_same_plan() -> None:
    """It leaves nothing to rules or to the command line, so a file can be verified alone."""
    plan = load_plan(MLP.encode(), "spec.yaml", Overrides(seed=7))

    again = load_plan(plan.metadata()["initcli.spec"].encode(), "spec.json")

    assert again.metadata() == plan.metadata()
    assert json.loads(plan.metadata()["initcli.spec"])["seed"] == 7


@pytest.mark.parametrize(
    "init",
    [
        "random_normal(stddev=0.02)",
        "random_normal(0, 0.02)",
        "keras.random_normal(stddev=2e-2)",
        "{name: normal, stddev: 0.02}",
        "{class_name: RandomNormal, config: {stddev: 0.02, seed: null}}",
        "{class_name: RandomNormal, module: keras.initializers, registered_name: null, config: {stddev: 0.02}}",
    ],
)
def test_an_init_is_a_name_a_call_a_mapping_or_a_keras_config(init: str) -> None:
    """All of these are the same."""
    definition = json.dumps(init) if "(" in init else init

    plan = plan_of(tensor(f"{{shape: [2], init: {definition}}}"))

    assert str(plan.tensors[0].initializer) == "random_normal(stddev=0.02)"


def test_named_axes_say_which_fans_are_read() -> None:
    """Experts stacked in torch's order have Keras's fans if their axes are named, and are embedded."""
    text = tensor("{shape: [8, 5, 7, 3], init: he_normal, axes: batch out in w}")

    plan = plan_of(text)
    again = plan_of(json.dumps(plan.normalized_spec()))

    assert plan.tensors[0].law == again.tensors[0].law
    assert round(plan.tensors[0].law.std, 15) == round((2 / 21) ** 0.5, 15)


def test_axes_of_size_zero_are_refused_where_the_framework_divides_by_them() -> None:
    """JAX's fans may be named too, and a fan of zero is its fault and no traceback."""
    (fault,) = faults_of("initcli: 1\nframework: jax\ntensors: {w: {shape: [0, 3], init: he_normal, axes: in out}}")

    assert "a fan that is not zero" in fault.what


def test_a_seed_of_an_init_is_the_seed_of_its_tensor() -> None:
    """A Keras config may carry one, and the embedded spec keeps it."""
    plan = plan_of(tensor("{shape: [2], init: {class_name: HeNormal, config: {seed: 5}}}"))

    assert plan.tensors[0].seed == 5
    assert plan.normalized_spec()["tensors"]["w"]["init"] == {"name": "keras.he_normal", "seed": 5}


# kind of fault -> (spec, line, column, key path, what it says, what mends it)
FAULTS: dict[str, tuple[str, int, int, str, str, str]] = {
    "axes of another count": (
        tensor("{shape: [3, 4], init: he_normal, axes: out in h}"),
        *(3, 45, "tensors.w.axes", "`axes` names 3 axes, but the shape [3, 4] has 2", "a word for each axis"),
    ),
    "axes that are a list": (
        tensor("{shape: [3, 4], init: he_normal, axes: [out, in]}"),
        *(3, 45, "tensors.w.axes", "`axes` must be text, not a list", "axes: out in h w"),
    ),
    "unknown initializer": (
        tensor("{shape: [2], init: he_norml}"),
        3, 25, "tensors.w.init", "unknown initializer `he_norml`", "did you mean `he_normal`?",
    ),
    "unknown parameter": (
        tensor("{shape: [2], init: {name: normal, std: 1}}"),
        3, 45, "tensors.w.init.std", "`random_normal` has no parameter `std`", "did you mean `stddev`?",
    ),
    "negative std": (
        tensor("{shape: [2], init: {name: normal, stddev: -1}}"),
        3, 48, "tensors.w.init.stddev", "`stddev` must be at least 0, got -1", "",
    ),
    "nan": (
        tensor("{shape: [2], init: {name: normal, stddev: .nan}}"),
        3, 48, "tensors.w.init.stddev", "`stddev` must be finite, got nan", "",
    ),
    "bounds exchanged": (
        tensor('{shape: [2], init: "random_uniform(1, -1)"}'),
        3, 25, "tensors.w.init", "`minval` must not exceed `maxval`, got 1 and -1", "exchange the two",
    ),
    "seed of an init": (
        tensor("{shape: [2], init: {name: normal, seed: -3}}"),
        3, 46, "tensors.w.init.seed", "`seed` must be a whole number ≥ 0, got `-3`", "",
    ),
    "no call": (
        tensor('{shape: [2], init: "normal(stddev=0.02"}'),
        3, 25, "tensors.w.init", "`normal(stddev=0.02` is no initializer", "write a name or a call",
    ),
    "code": (
        tensor('{shape: [2], init: "normal(stddev=__import__(1))"}'),
        3, 25, "tensors.w.init", "`stddev` must be a number, got `__import__(1)`", "",
    ),
    "unknown key": (
        tensor("{shpe: [2], shape: [2], init: zeros}"),
        3, 7, "tensors.w.shpe", "unknown key `shpe`", "did you mean `shape`?",
    ),
    "unknown dtype": (
        tensor("{shape: [2], init: zeros, dtype: flot32}"),
        3, 39, "tensors.w.dtype", "unknown dtype `flot32`", "did you mean `float32`?",
    ),
    "missing shape": (
        tensor("{init: zeros}"), 3, 6, "tensors.w", "`shape` is missing", "add `shape:",
    ),
    "shape no list": (
        tensor("{shape: 5, init: zeros}"), 3, 14, "tensors.w.shape", "a shape must be a list, not an integer", "[784",
    ),
    "negative size": (
        tensor("{shape: [2, -3], init: zeros}"),
        3, 18, "tensors.w.shape[1]", "a dimension must be a whole number ≥ 0, not `-3`", "",
    ),
    "fractional size": (
        tensor("{shape: [2.5], init: zeros}"),
        3, 15, "tensors.w.shape[0]", "a dimension must be a whole number ≥ 0, not `2.5`", "",
    ),
    "size as text": (
        tensor('{shape: ["5 x"], init: zeros}'),
        3, 15, "tensors.w.shape[0]", "`5 x` is no arithmetic", "write numbers, variables",
    ),
    "absurd size": (
        tensor("{shape: [1000000, 1000000000], init: zeros}"),
        3, 3, "tensors.w", "1,000,000,000,000,000 elements, 4 PB in float32", "at most 10,000,000,000,000",
    ),
    "too many axes": (
        tensor(f"{{shape: {[1] * 33}, init: zeros}}"),
        3, 14, "tensors.w.shape", "a shape has at most 32 dimensions, not 33", "",
    ),
    "integer with a random law": (
        tensor("{shape: [2], init: he_normal, dtype: int32}"),
        3, 3, "tensors.w", "a random law cannot fill int32", "use float64",
    ),
    "fraction in an integer": (
        tensor('{shape: [2], init: "constant(0.5)", dtype: int32}'),
        3, 3, "tensors.w", "0.5 is no int32 value", "whole",
    ),
    "identity of rank 3": (
        tensor("{shape: [2, 2, 2], init: identity}"),
        3, 3, "tensors.w", "`identity` needs a shape of rank 2, got [2, 2, 2]", "give it a matrix",
    ),
    "orthogonal of rank 1": (
        tensor("{shape: [2], init: orthogonal}"),
        3, 3, "tensors.w", "`orthogonal` needs a shape of rank 2 or more, got [2]", "give it a matrix",
    ),
    "duplicate tensor": (
        "initcli: 1\ntensors:\n  w: {shape: [2], init: zeros}\n  w: {shape: [2], init: zeros}\n",
        4, 3, "tensors.w", "key `w`", "",
    ),
    "uncovered tensor": (
        tensor("[2]"),
        3, 3, "tensors.w", "no rule gives `w` an init", "add `init:` to it, or a rule",
    ),
    "rule that matches nothing": (
        tensor("{shape: [2], init: zeros}") + "rules:\n  - {match: x*, init: zeros}\n",
        5, 13, "rules[0].match", "the rule `x*` matches no tensor", "a glob fits the whole name",
    ),
    "rule in the shadow of another": (
        tensor("[2]") + 'rules:\n  - {match: "*", init: zeros}\n  - {match: w, init: ones}\n',
        6, 13, "rules[1].match", "the rule `w` decides nothing", "put it before",
    ),
    "fault by a rule": (
        tensor("[2]") + 'rules:\n  - {match: "*", init: identity}\n',
        3, 3, "tensors.w", "got [2] (init by the rule at line 5)", "",
    ),
    "unknown framework": (
        "initcli: 1\nframework: kears\ntensors: {w: {shape: [2], init: zeros}}\n",
        2, 12, "framework", "unknown framework `kears`", "did you mean `keras`?",
    ),
    "unknown version": (
        "initcli: 2\ntensors: {w: {shape: [2], init: zeros}}\n",
        1, 10, "initcli", "spec version `2` is unknown", "this program reads `initcli: 1`",
    ),
    "negative seed": (
        "initcli: 1\nseed: -1\ntensors: {w: {shape: [2], init: zeros}}\n",
        2, 7, "seed", "the seed must be a whole number ≥ 0, not `-1`", "",
    ),
    "no tensors": ("initcli: 1\n", 1, 1, "", "`tensors` is missing", "name at least one"),
    "empty tensors": ("initcli: 1\ntensors: {}\n", 2, 10, "tensors", "`tensors` is empty", "name at least one"),
    "no mapping": ("[1, 2]\n", 1, 1, "", "a spec must be a mapping, not a list", "write `tensors:`"),
    "control character in a name": (
        'initcli: 1\ntensors: {"a\\tb": {shape: [2], init: zeros}}\n',
        2, 11, "", "a tensor cannot be called 'a\\tb'", "printable",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_tells_what_where_and_the_way_out(kind: str) -> None:
    """One fault for one mistake, at its line and column, with its key path and a hint."""
    text, line, column, path, what, hint = FAULTS[kind]

    (fault,) = faults_of(text)

    assert fault.position is not None
    assert (fault.position.line, fault.position.column) == (line, column)
    assert path in fault.path
    assert what in fault.what
    assert hint in fault.hint


def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    """Those of the document, of the spec and of the plan together."""
    faults = faults_of(
        """\
        initcli: 1
        sed: 3
        tensors:
          a: {shape: [2, -1], init: zeros}
          b: {shape: [2], init: he_norml}
          b: {shape: [2], init: zeros}
          c: [3]
          d: {shape: [3], init: identity}
        rules:
          - {match: "q*", init: {name: normal, stddev: -2}}
        """
    )

    assert [fault.position.line for fault in faults if fault.position] == [2, 4, 5, 6, 7, 8, 10, 10]


def test_a_fault_of_a_tensor_hides_no_other_and_makes_none_up() -> None:
    """Its init is looked into though its shape is wrong, and a rule that matches only it has matched something."""
    faults = faults_of(
        """\
        initcli: 1
        tensors:
          a: {shape: [-1], init: he_norml}
          b: [1.5]
        rules:
          - {match: b, init: zeros}
        """
    )

    assert [fault.path for fault in faults] == ["tensors.a.shape[0]", "tensors.a.init", "tensors.b.shape[0]"]


def test_a_rules_fault_is_told_once_however_many_tensors_it_decides() -> None:
    """A hundred biases do not repeat one mistake."""
    names = "".join(f"  b{i}: [2]\n" for i in range(100))

    (fault,) = faults_of(f"initcli: 1\ntensors:\n{names}rules:\n  - {{match: 'b*', init: zeroes}}\n")

    assert fault.what == "unknown initializer `zeroes`"


@pytest.mark.parametrize(
    "text",
    [
        "initcli: 1\ntensors: {w: {shape: [2], init: !!python/object/apply:os.system ['true']}}\n",
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)),
    ],
)
def test_a_spec_runs_no_code_and_expands_no_bomb(text: str) -> None:
    """Tags and exploding aliases are faults, in bounded time."""
    assert faults_of(text)


def test_json_specs_have_positions_too() -> None:
    """Line and column of the value, as in YAML."""
    (fault,) = faults_of('{"initcli": 1,\n "tensors": {"w": {"shape": [2],\n  "init": "he_norml"}}}\n', "spec.json")

    assert (fault.position and fault.position.line, fault.position and fault.position.column) == (3, 11)
