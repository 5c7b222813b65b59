# ruff: noqa: RUF005  (lists of words in rows are shorter so)
"""Whatever a spec says, it is a plan or faults that each tell their place; soon, and nothing else is raised."""

import json
import re
import time
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initcli.errors import ArgumentError, Fault, InitcliError
from initcli.resolution import Overrides, load_plan
from initcli.spec import MAX_SHOWN

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))
SMALL = [path for path in SPECS if path.stat().st_size < 20_000]
LONGEST_CPU_S = 20.0
"""Far more seconds of the processor than any example takes, far less than what does not end."""

NUMBERS = st.sampled_from([0, 1, 2, 3, 7, -1, 10**12, 10**299, 0.5, -0.5, 1e300, float("inf"), float("nan")])
EXPRESSIONS = st.sampled_from(
    ["d", "d/3", "2*d", "i", "i+1", "j", "d/0", "9**9**9", "2**200", "sqrt(-1)", "log2(d)", "min()", "w", "1e400"]
    + ["(" * 60, "-" * 300 + "1", "d d", "d.e", "[d]", "True", "0x10", "1_000", "10//i", "max(i, d)", "unknown"]
)
PATTERNS = st.sampled_from(
    ["a", "b.weight", "norm.weight", "h.{0..3}.w", "h.{i:0..d}.w", "{q,k,v}", "{p:q,k{0..1}}", "{i:0..2}.{i+1}", "{{}}"]
    + ["{", "}", "{}", "{0..}", "{3..0}", "{0..999999999999}", "{i:0..99999}.{j:0..i}.{0..j}", "{0..9..0}", "{i,}"]
    + ["{" * 200, "{a," * 40 + "b" + "}" * 40, "{0..1}" * 40, "a\0", "", "x" * 2000, "{0..1}{0..1}", "{d}", "{w}"]
)
MATCHES = st.sampled_from(
    ["*", "*weight", "h.*", "re:.*weight", "re:(a+)+b", "re:(", "re:(a|aa)*", "re:.*.*.*.*.*.*b", "[", "re:(?x)a", ""]
)
WORDS = st.sampled_from(
    ["float32", "bfloat16", "int3", "in", "out in", "batch", "w", "a", "he_normal", "relu", "é", ""]
)
INITS = st.sampled_from(
    ["zeros", "ones", "normal", "he_normal", "normal(std=0.02/sqrt(i+1))", "normal(std=d/0)", "orthogonal", "uniform("]
    + [
        "trunc_normal(std=-1)",
        "zeros()",
        "kaiming_normal(nonlinearity=relu)",
        "constant(1e400)",
        "a.b.c",
        "normal(1,2,3,4)",
    ]
)
KEYS = st.sampled_from(
    ["initcli", "framework", "seed", "dtype", "vars", "include", "defaults", "tensors", "rules", "layers"]
    + ["input_shape", "shape", "init", "axes", "fan_in", "fan_out", "tie", "match", "rank", "class", "name", "prefix"]
    + ["repeat", "units", "filters", "kernel_size", "in_features", "class_name", "config", "std", "d", "i", "w", "odd"]
)
SCALARS = st.none() | st.booleans() | NUMBERS | EXPRESSIONS | PATTERNS | MATCHES | WORDS | INITS
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | PATTERNS, inner, max_size=4),
    max_leaves=8,
)


def mostly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw what belongs there, and one time in ten anything else."""
    return st.integers(0, 9).flatmap(lambda n: strategy if n else ANYTHING)


def mapping(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a mapping with some of the keys."""
    return st.fixed_dictionaries({}, optional={key: mostly(value) for key, value in keys.items()})


DIMS = st.lists(st.integers(1, 5) | EXPRESSIONS | NUMBERS, max_size=4)
CONFIG = mapping(class_name=INITS, config=st.dictionaries(KEYS, SCALARS, max_size=2))
INIT = INITS | st.fixed_dictionaries({"name": INITS}, optional={"std": EXPRESSIONS | NUMBERS, "seed": NUMBERS}) | CONFIG
TENSOR = DIMS | mapping(
    shape=DIMS,
    init=INIT,
    dtype=WORDS,
    axes=WORDS,
    seed=NUMBERS,
    fan_in=NUMBERS | EXPRESSIONS,
    fan_out=NUMBERS,
    tie=PATTERNS,
)
CONDITION = {"match": MATCHES, "rank": st.integers(0, 3) | EXPRESSIONS, "shape": DIMS, "dtype": WORDS}
CLASSES = st.sampled_from(
    ["Linear", "Conv2d", "LSTM", "LayerNorm", "Embedding", "MultiheadAttention", "Dense", "Conv2D", "Flatten", "GRU"]
    + ["BatchNormalization", "Conv", "MaxPooling2D", "ReLU", "TransformerEncoderLayer", "DenseGeneral", "Nothing"]
)
ARGUMENTS = st.sampled_from(
    [
        "in_features",
        "out_features",
        "in_channels",
        "out_channels",
        "kernel_size",
        "units",
        "filters",
        "features",
        "bias",
    ]
    + ["input_size", "hidden_size", "num_layers", "normalized_shape", "num_embeddings", "embedding_dim", "strides"]
    + ["padding", "groups", "use_bias", "kernel_initializer", "bias_init", "d_model", "nhead", "embed_dim", "num_heads"]
)
VALUES = st.integers(0, 9) | NUMBERS | EXPRESSIONS | INIT | st.lists(st.integers(0, 4), max_size=4) | st.booleans()
LAYER = st.builds(
    lambda layer, arguments: {**arguments, **layer},
    st.fixed_dictionaries(
        {"class": CLASSES},
        optional={"name": PATTERNS, "init": st.dictionaries(MATCHES, INIT, max_size=2), "input_shape": DIMS},
    ),
    st.dictionaries(ARGUMENTS, VALUES, max_size=5),
)
LAYERS = st.recursive(
    LAYER,
    lambda inner: mapping(
        prefix=PATTERNS, repeat=st.sampled_from([1, 2, 3, 10**9, "d", -1]), layers=st.lists(inner, max_size=3)
    ),
    max_leaves=4,
)
SPEC = mapping(
    initcli=st.just(1),
    framework=st.sampled_from(["torch", "keras", "jax", "tensorflow", "flax", "none"]),
    seed=NUMBERS,
    dtype=WORDS,
    vars=st.fixed_dictionaries({}, optional={"d": st.integers(1, 9) | EXPRESSIONS, "w": WORDS, "i": NUMBERS}),
    include=st.sampled_from(["a.yaml", ["a.yaml", "b.json"], "../a.yaml", "self.yaml", "none.yaml"]),
    defaults=st.lists(mapping(**CONDITION, axes=WORDS), max_size=2),
    tensors=st.dictionaries(PATTERNS, mostly(TENSOR), max_size=4),
    rules=st.lists(mapping(**CONDITION, init=INIT), max_size=3),
    layers=st.lists(mostly(LAYERS), max_size=3),
    input_shape=DIMS,
)
FILES = {
    "a.yaml": b"vars: {d: 3}\ntensors: {'shared.{0..d}': [d, 2]}\nrules: [{match: 'shared*', init: zeros}]",
    "b.json": b'{"include": "a.yaml", "vars": {"e": "d+1"}, "layers": []}',
    "self.yaml": b"include: self.yaml",
}


def read(path: PurePosixPath) -> tuple[bytes, str]:
    """Return one of few files."""
    if str(path) not in FILES:
        raise InitcliError(Fault(f"no file `{path}`"))
    return FILES[str(path)], str(path)


def check(text: bytes, source: str) -> None:
    """Load a spec: a plan that can be written down, or faults of some length, each at its place."""
    plan, refused, start_s = None, None, time.process_time()
    try:
        plan = load_plan(text, source, Overrides(), read)
    except InitcliError as error:
        refused = error
    assert time.process_time() - start_s < LONGEST_CPU_S
    if refused:
        assert not isinstance(refused, ArgumentError), refused
        assert refused.faults
        for fault in refused.faults:
            assert fault.position is not None, fault
            assert fault.position.line > 0, fault
            assert len(fault.what) <= 2 * MAX_SHOWN, fault
    elif plan and len(plan.tensors) <= 1_000:
        again = load_plan(plan.metadata()["initcli.spec"].encode(), "again.json")
        assert again.metadata() == plan.metadata()


@settings(deadline=None)
@given(SPEC)
def test_any_spec_is_a_plan_or_faults_at_their_places(spec: dict[str, Any]) -> None:
    """Keys with the wrong kind of value, names with any braces, arithmetic without a value, layers of any size."""
    check(json.dumps(spec).replace("NaN", ".nan").replace("Infinity", ".inf").encode(), "spec.yaml")


@settings(deadline=None)
@given(st.data())
def test_a_spec_with_other_bytes_in_it_is_a_plan_or_faults(data: st.DataObject) -> None:
    """Pieces of our own specs, cut out, doubled or replaced."""
    text = bytearray(data.draw(st.sampled_from(SMALL)).read_bytes())
    signs = re.findall(rb"[^\w\s]|\w+|\s+", bytes(text))[:2_000]
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        stop = min(len(text), start + data.draw(st.integers(0, 8)))
        text[start:stop] = data.draw(st.binary(max_size=3) | st.sampled_from(signs))

    check(bytes(text), "spec.yaml")


@pytest.mark.parametrize(
    ("tensors", "rule"),
    [
        ({"a" * 40: [1]}, "re:(a+)+b"),
        ({"a" * 40: [1]}, "re:(?:a|aa)+b"),
        ({"a" * 60: [1]}, "re:(a{1,30}){1,30}b"),
        ({"a" * 900: [1]}, "re:" + ".*" * 6 + "b"),
        ({"a" * 30: [1]}, "re:" + "a?" * 30 + "a" * 30 + "b"),
        ({"a" * 30: [1]}, "re:" + "(a|a)" * 30 + "b"),
        ({"a" * 900: [1]}, "*a" * 450 + "b"),
        ({"{i:0..99999}.{j:0..i}.{0..j}": [1]}, "*"),
        ({"".join(f"{{i{k}:0..1}}" for k in range(40)) + "{0..i0+i39}": [1]}, "*"),
        ({"{0..1}" * 1000: [1]}, "*"),
        ({"{a," * 3000 + "b" + "}" * 3000: [1]}, "*"),
        ({"{" * 10_000: [1]}, "*"),
        ({"a" * 10**6: [1]}, "*"),
        ({f"t{i}": {"tie": f"t{i + 1}"} for i in range(5_000)}, "*"),
        ({f"t{i}": {"shape": [f"w{i}"], "init": f"nrmal{i}"} for i in range(3_000)}, "*"),
    ],
)
def test_what_could_take_for_ever_is_refused_soon(tensors: dict[str, Any], rule: str) -> None:
    """Each of these once took minutes, or the interpreter's stack, or would in most programs."""
    with pytest.raises(InitcliError) as raised:
        load_plan(json.dumps({"tensors": tensors, "rules": [{"match": rule, "init": "zeros"}]}).encode(), "spec.json")

    assert all(fault.position for fault in raised.value.faults)
