"""A spec's tree read into its nouns, before anything is resolved."""

from __future__ import annotations

from typing import Any

import pytest

from initcli.document import parse_document
from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError, Fault
from initcli.expressions import parse_expression
from initcli.spec import Spec
from initcli.spec.reader import is_printable, parse_setting, parse_spec


def read(text: str, **settings: str) -> tuple[Spec, list[Fault]]:
    faults: list[Fault] = []
    root = parse_document(text.encode(), "spec.yaml", faults)
    assert root is not None
    return parse_spec(root, faults, settings), faults


def test_a_tensor_keeps_what_was_written() -> None:
    """Numbers as numbers, arithmetic as arithmetic, every key in its field."""
    spec, faults = read(
        "vars: {d: 4}\ntensors:\n"
        '  "w.{i:0..1}": {shape: [d, 3], init: normal(stddev=d), dtype: int8, seed: i+1, fan_in: 2*d}\n'
        "  v: [5]\n  t: {tie: v}\n  x: {shape: [1, 1], axes: out in}\n"
    )
    w, v, t, x = spec.tensors

    assert not faults
    assert w.shape == (parse_expression("d"), 3)
    assert (w.init and w.init.name, w.dtype) == ("normal", DTYPES["int8"])
    assert (w.seed, w.fan_in) == (parse_expression("i+1"), parse_expression("2*d"))
    assert (v.shape, v.init, v.states_init) == ((5,), None, False)
    assert (t.tie and t.tie.text, x.axes) == ("v", "out in")


def test_a_layers_init_is_a_mapping_of_overrides_and_else_the_classs_argument() -> None:
    """PyTorch's PReLU has an argument of that name."""
    spec, faults = read("layers:\n- {class: PReLU, init: 0.3}\n- {class: PReLU, init: {weight: ones}}\n")
    argument, overrides = spec.layers

    assert not faults
    assert (dict(argument.arguments), argument.inits) == ({"init": 0.3}, ())
    assert dict(overrides.arguments) == {}
    assert [(glob, init and init.name) for glob, init, _ in overrides.inits] == [("weight", "ones")]


def test_settings_take_the_place_of_definitions() -> None:
    """A setting may be a number, arithmetic or a word, and what follows from the variable follows from it."""
    spec, faults = read("vars: {d: 4, e: 2*d, kind: int8}\ntensors: {w: [d]}", d="3*2", kind="float16")

    assert not faults
    assert spec.variables == {"d": 6, "e": 12, "kind": "float16"}


@pytest.mark.parametrize(
    ("settings", "what", "hint"),
    [
        ({"f": "2"}, "the spec has no variable `f`", "it has: d, layers"),
        ({"layer": "2"}, "the spec has no variable `layer`", "did you mean `layers`?"),
        ({"d": "2*d"}, "`d=2*d`: a variable is defined by itself: `d` → `d`", "give one of them a number"),
        ({"d": "1/0"}, "`d=1/0`: `1/0` divides by zero", ""),
        ({"d": "1e999"}, "`d=1e999`: `d` must be finite, got inf", "write a number"),
        ({"d": "a b"}, "`d=a b`: `a b` is no arithmetic", "write numbers"),
        ({"d": "1" * 2000}, "an expression of 2,000 characters is too long", "at most 1,000"),
    ],
)
def test_a_setting_that_is_wrong_is_told_as_it_was_given(settings: dict[str, str], what: str, hint: str) -> None:
    """It stands on the command line, so there is no place in the file."""
    with pytest.raises(ArgumentError) as caught:
        read("vars: {d: 4, layers: 2}\ntensors: {w: [d]}", **settings)

    (fault,) = caught.value.faults
    assert fault.position is None
    assert what in fault.what
    assert hint in fault.hint
    assert len(fault.what) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12), ("-3", -3), ("+4", 4), ("012", 12), ("1e3", 1000.0), (".5", 0.5), ("2.", 2.0),
        ("1_000", "1_000"), ("nan", "nan"), ("inf", "inf"), ("0x10", "0x10"), ("d/2", "d/2"), ("١", "١"),
    ],
)  # fmt: skip
def test_a_setting_is_a_number_as_in_a_spec_or_else_text(text: str, value: Any) -> None:
    """Python's own spellings of numbers are none of a spec's."""
    assert parse_setting(text) == value
    assert type(parse_setting(text)) is type(value)


@pytest.mark.parametrize(
    ("axes", "role"),
    [
        ("In out", "in"), ("inputs out", "in"), ("out in_channels", "in"), ("OUT in", "out"), ("outputs in", "out"),
        ("out_features in", "out"), ("ouput in", "out"), ("oput in", "out"), ("batc in out", "batch"),
        ("batches in out", "batch"), ("ic oc", "in"), ("ni out", "in"), ("inn out", "in"),
    ],
)  # fmt: skip
def test_an_axis_that_is_a_slip_of_a_role_is_a_fault(axes: str, role: str) -> None:
    """It would count as receptive field, and the fans would silently be others."""
    _, faults = read(f"tensors: {{w: {{shape: [{', '.join('2' * len(axes.split()))}], axes: {axes}}}}}")

    assert len(faults) == 1
    assert "would count as receptive field" in faults[0].what
    assert f"did you mean `{role}`?" in faults[0].hint


@pytest.mark.parametrize(
    "axes", ["out in h w", "batch heads in out", "n k", "kernel in out", "x y z", "depth time out"]
)
def test_other_words_name_the_receptive_field(axes: str) -> None:
    """Any word that is not nearly a role's."""
    _, faults = read(f"tensors: {{w: {{shape: [{', '.join('2' * len(axes.split()))}], axes: {axes}}}}}")

    assert not faults


def test_names_that_cannot_be_printed_are_no_names() -> None:
    """Control characters and halves of surrogate pairs; letters of any script are."""
    assert [is_printable(name) for name in ("w", "größe", "層.0", "a b", "", "a\tb", "\x7f", "\ud800")] == [
        *(True, True, True, True),
        *(False, False, False, False),
    ]


def test_a_config_computes_what_begins_with_an_equals_sign_and_nothing_else() -> None:
    """In mappings at any depth, with variables and words; other text, and all text of lists, stays as it is."""
    spec, faults = read(
        "vars: {d: 8, heads: 4, kind: gelu}\ntensors: {w: [1]}\nconfig:\n"
        "  hidden: =d\n  head_dim: = d/heads\n  scale: =1/sqrt(heads)\n  third: =d/3\n  act: =kind\n  name: d\n"
        "  gguf: {llama.block_count: =2*d, tokens: ['=d', '=', '==']}\n",
        d="16",
    )

    assert not faults
    assert spec.config == {
        "hidden": 16,
        "head_dim": 4,
        "scale": 0.5,
        "third": 16 / 3,
        "act": "gelu",
        "name": "d",
        "gguf": {"llama.block_count": 32, "tokens": ["=d", "=", "=="]},
    }
    assert type(spec.config["hidden"]) is type(spec.config["head_dim"]) is int
    assert spec.config_places["head_dim"].position.line == 5
    assert spec.config_places[""].path == ("config",)


@pytest.mark.parametrize(
    ("formula", "what"),
    [
        ("=depth", "unknown variable `depth`"),
        ("=", "an empty text is no number"),
        ("=d +", "`d +` is no arithmetic"),
        ("=__import__('os')", "unknown function"),
        ("=d/0", "divides by zero"),
    ],
)
def test_a_formula_of_a_config_without_a_value_is_a_fault_at_its_place(formula: str, what: str) -> None:
    """The key's line, and the path to it."""
    _, faults = read(f'vars: {{d: 8}}\ntensors: {{w: [1]}}\nconfig:\n  a: {{b: "{formula}"}}\n')

    (fault,) = faults
    assert what in fault.what
    assert (fault.position and fault.position.line, fault.path) == (4, "config.a.b")
