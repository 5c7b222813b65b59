"""One spec for each kind of fault: its text, or its files by name, the spec itself first; and settings of variables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Case(NamedTuple):
    """A spec that is wrong in one way, the files that it includes, and what `--set` gives."""

    text: str | bytes
    files: Mapping[str, str] = MappingProxyType({})
    settings: Mapping[str, str] = MappingProxyType({})
    source: str = "spec.yaml"


OK = "{shape: [2], init: zeros}"


def tensor(keys: str, name: str = "w") -> Case:
    return Case(f"tensors:\n  {name}: {{{keys}}}\n")


def dim(text: str, variables: str = "d: 8") -> Case:
    return Case(f"vars: {{{variables}}}\ntensors:\n  w: {{shape: [{text}], init: zeros}}\n")


def name(text: str) -> Case:
    return Case(f'vars: {{d: 8}}\ntensors:\n  "{text}": {OK}\n')


def variables(text: str) -> Case:
    return Case(f"vars: {{{text}}}\ntensors: {{w: {OK}}}\n")


def setting(**settings: str) -> Case:
    return Case(f"vars: {{layers: 2, d: 8}}\ntensors: {{w: {OK}}}\n", settings=settings)


def rule(keys: str, shape: str = "[2]") -> Case:
    return Case(f"tensors:\n  w: {shape}\nrules:\n  - {{{keys}}}\n")


def default(keys: str) -> Case:
    return Case(f"tensors:\n  w: {OK}\ndefaults:\n  - {{{keys}}}\n")


def layer(keys: str, head: str = "framework: torch") -> Case:
    return Case(f"{head}\nlayers:\n  - {{{keys}}}\n")


def includes(text: str, **files: str) -> Case:
    return Case(f"include: {text}\ntensors: {{w: {OK}}}\n", {f"{key}.yaml": each for key, each in files.items()})


CASES: dict[str, Case] = {
    # the text
    "an empty document": Case(""),
    "UTF-16": Case("tensors: {}".encode("utf-16")),
    "binary data": Case(b"\x7fELF\x00"),
    "another encoding": Case("# für".encode("latin-1")),
    "a control character": Case("tensors: \x01"),
    "a duplicate key": Case(f"tensors:\n  w: {OK}\n  w: {OK}\n"),
    "a list as a key": Case(f"[1]: 2\ntensors: {{w: {OK}}}\n"),
    "an alias as a key": Case(f"seed: &a 1\n*a : 2\ntensors: {{w: {OK}}}\n"),
    "a merge key": Case(f"<<: {{seed: 1}}\ntensors: {{w: {OK}}}\n"),
    "a tag": Case(f"seed: !!int 3\ntensors: {{w: {OK}}}\n"),
    "a directive": Case(f"%YAML 2.0\n---\ntensors: {{w: {OK}}}\n"),
    "two documents": Case(f"tensors: {{w: {OK}}}\n---\nseed: 1\n"),
    "text after the end": Case(f"tensors: {{w: {OK}}}\n...\nmore\n"),
    "an alias without an anchor": Case(f"seed: *a\ntensors: {{w: {OK}}}\n"),
    "an alias inside its anchor": Case(f"vars: &a {{b: *a}}\ntensors: {{w: {OK}}}\n"),
    "an endless integer": Case(f"seed: {'1' * 301}\ntensors: {{w: {OK}}}\n"),
    "a number that is too large": Case(f"vars: {{d: 1e999}}\ntensors: {{w: {OK}}}\n"),
    "half of a surrogate pair": Case('{"tensors": {"\\ud800": {"shape": [2], "init": "zeros"}}}', source="spec.json"),
    "NaN in JSON": Case('{"vars": {"d": NaN}, "tensors": {"w": {"shape": [2], "init": "zeros"}}}', source="spec.json"),
    "too deep": Case("a: " + "[" * 70 + "]" * 70),
    "no mapping": Case("[1, 2]"),
    # the head
    "no tensors": Case("seed: 1\n"),
    "empty tensors": Case("tensors: {}\n"),
    "an unknown key": Case(f"sed: 1\ntensors: {{w: {OK}}}\n"),
    "an unknown version": Case(f"initcli: 2\ntensors: {{w: {OK}}}\n"),
    "an unknown framework": Case(f"framework: kears\ntensors: {{w: {OK}}}\n"),
    "a negative seed": Case(f"seed: -1\ntensors: {{w: {OK}}}\n"),
    "a list that is none": Case(f"tensors: {{w: {OK}}}\nrules: zeros\n"),
    "an unknown dtype": Case(f"dtype: flot32\ntensors: {{w: {OK}}}\n"),
    "a dtype that is a number": Case(f"vars: {{d: 1}}\ndtype: d\ntensors: {{w: {OK}}}\n"),
    "a config that JSON cannot hold": Case(f"config: {{rate: .nan}}\ntensors: {{w: {OK}}}\n"),
    # variables
    "a variable by itself": variables("a: b+1, b: a"),
    "a variable of an unknown one": variables("layers: 2, a: 2*layrs"),
    "a variable that is a list": variables("a: [1]"),
    "a variable that is not finite": variables("a: .nan"),
    "a variable with a bad name": variables("a-b: 1"),
    "a variable called as a function": variables("sqrt: 1"),
    "too many variables": variables(", ".join(f"v{i}: 1" for i in range(501))),
    "a setting of no variable": setting(layer="3"),
    "a setting by itself": setting(d="2*d"),
    # arithmetic
    "no arithmetic": dim("d +"),
    "an empty text": dim('""'),
    "an unknown function": dim('"sqr(d)"'),
    "too many values of a function": dim('"sqrt(d, 2)"'),
    "too long": dim(f'"{"d+" * 600}d"', "d: 1"),
    "nested too deep": dim(f'"{"-" * 60}d"'),
    "an unknown variable": dim("dd"),
    "an unknown variable where there are none": Case("tensors:\n  w: {shape: [d], init: zeros}\n"),
    "a word for a number": dim("kind", "kind: int8"),
    "division by zero": dim("d/0"),
    "no finite value": dim("9**9**9"),
    "too large": dim("d*d*d", "d: 10**40"),
    "not whole": dim("d/3"),
    "a literal that is not whole": dim('"2.5"'),
    "negative": dim("d-9"),
    "a negative dimension": dim("-1"),
    # names
    "a name that is too long": Case(f'{{"tensors": {{"{"w" * 10_001}": [2]}}}}', source="spec.json"),
    "a name of too many braces": name("{0..0}" * 101),
    "a name that becomes too long": name("{d**70}" * 40),
    "a range without an end": name("h.{0..3"),
    "a brace too many": name("h.0}"),
    "braces without a loop": name("h.{}"),
    "two loops of one name": name("{i:0..1}.{i:0..1}"),
    "a loop called as a function": name("{sqrt:0..1}"),
    "an empty range": name("h.{3..2}"),
    "a step of nothing": name("h.{0..8..0}"),
    "a range beyond counting": name("h.{0..2**70}"),
    "a range to nowhere": name("h.{0..layers}"),
    "too many names": name("h.{0..9999}.{0..999}"),
    "one name twice in a line": name("h.{a,a}"),
    "one name of two lines": Case(f"tensors:\n  'h.{{0..2}}': {OK}\n  h.1: {OK}\n"),
    "a name that cannot be printed": name("a\\tb"),
    "a loop's word that cannot be printed": name("a{b,\\t}"),
    # tensors
    "no shape": tensor("init: zeros"),
    "a shape that is no list": tensor("shape: 5, init: zeros"),
    "too many axes": tensor(f"shape: {[1] * 33}, init: zeros"),
    "too many elements": tensor("shape: [10**7, 10**7], init: zeros"),
    "too many elements to tell": tensor("shape: [10**30, 10**30], init: zeros"),
    "no init": tensor("shape: [2]"),
    "an init that is a list": tensor("shape: [2], init: [zeros]"),
    "an init without a name": tensor("shape: [2], init: {stddev: 1}"),
    "no call": tensor('shape: [2], init: "normal(0"'),
    "a call of no plain value": tensor('shape: [2], init: "normal([x for x in y])"'),
    "an unknown initializer": tensor("shape: [2], init: he_norml"),
    "an unknown parameter": tensor("shape: [2], init: {name: normal, std: 1}"),
    "a parameter of no such variable": tensor("shape: [2], init: {name: normal, stddev: sigma}"),
    "a Keras config with an unknown key": tensor("shape: [2], init: {class_name: Zeros, confg: {}}"),
    "a Keras config that is no mapping": tensor("shape: [2], init: {class_name: Zeros, config: 3}"),
    "axes that are no text": tensor("shape: [2, 2], init: he_normal, axes: [in, out]"),
    "axes that are empty": tensor("shape: [2, 2], init: he_normal, axes: ''"),
    "an axis that is nearly a role": tensor("shape: [2, 2], init: he_normal, axes: in_channels out"),
    "axes of another count": tensor("shape: [2, 2], init: he_normal, axes: in out h"),
    "axes of an initializer that flattens": tensor("shape: [2, 2], init: orthogonal, axes: out in"),
    "axes twice": tensor("shape: [2, 2], init: {name: he_normal, input_axes: [0], output_axes: [1]}, axes: in out"),
    "fan and axes": tensor("shape: [2, 2], init: he_normal, axes: in out, fan_in: 3"),
    "a fan of no initializer of fans": tensor("shape: [2, 2], init: zeros, fan_in: 3"),
    "a fan that is no number": tensor("shape: [2, 2], init: he_normal, fan_in: 0"),
    "a fan that comes out as zero": tensor("shape: [2, 2], init: he_normal, fan_in: 1-1"),
    # ties
    "a tie and an init": Case(f"tensors:\n  w: {{tie: v, init: zeros}}\n  v: {OK}\n"),
    "a tie to itself": tensor("tie: w"),
    "a tie to a tie": Case(f"tensors:\n  a: {{tie: b}}\n  b: {{tie: c}}\n  c: {OK}\n"),
    "ties that go round": Case("tensors:\n  a: {tie: b}\n  b: {tie: a}\n"),
    "a tie to nothing": Case(f"tensors:\n  a: {{tie: embde}}\n  embed: {OK}\n"),
    "a tie to several": Case(f"tensors:\n  a: {{tie: 'b.{{0..1}}'}}\n  'b.{{0..1}}': {OK}\n"),
    "a tie of another shape": Case(f"tensors:\n  a: {{tie: b, shape: [3]}}\n  b: {OK}\n"),
    # rules and defaults
    "no match": rule("init: zeros"),
    "an empty match": rule("match: '', init: zeros"),
    "no regular expression": rule("match: 're:(', init: zeros"),
    "a regular expression that could take for ever": rule("match: 're:(a+)+', init: zeros"),
    "a regular expression of too many choices": Case(
        f"tensors: {{{'w' * 40}: [2]}}\nrules:\n  - {{match: 're:{'w?' * 60}', init: zeros}}\n"
    ),
    "a regular expression that is too long": rule(f"match: 're:{'w' * 1001}', init: zeros"),
    "a verbose regular expression": rule("match: 're:(?x)w', init: zeros"),
    "a rule for no tensor": Case(f"tensors: {{w: {OK}}}\nrules:\n  - {{match: v*, init: ones}}\n"),
    "a regular expression for no tensor": Case(f"tensors: {{w: {OK}}}\nrules:\n  - {{match: 're:v+', init: ones}}\n"),
    "a rule that decides nothing": Case(f"tensors: {{w: {OK}}}\nrules:\n  - {{match: w*, init: ones}}\n"),
    "a rule of another rank": Case(f"tensors: {{w: {OK}}}\nrules:\n  - {{match: w*, rank: 2, init: ones}}\n"),
    "a rule for what is tied": Case(f"tensors: {{w: {OK}, t: {{tie: w}}}}\nrules:\n  - {{match: t, init: ones}}\n"),
    "a rank of an unknown variable": rule("match: w, rank: k, init: zeros"),
    "a fault by a rule": rule("match: w, init: identity"),
    "a default of nothing": default("match: w"),
    "a default that decides nothing": Case(
        "tensors: {w: {shape: [2], init: zeros, dtype: int8}}\ndefaults:\n  - {match: w, dtype: int16}\n"
    ),
    "axes of a default of another rank": default("match: w, axes: in out"),
    # layers
    "an unknown layer": layer("class: Linaer"),
    "no class": layer("name: fc"),
    "an argument that it does not have": layer("class: Linear, in_featrues: 2, out_features: 2"),
    "an argument that it needs": layer("class: Linear, in_features: 2"),
    "an argument of no such variable": layer("class: Linear, in_features: width, out_features: 2"),
    "a framework without layers": layer("class: Dense", "framework: mxnet"),
    "an input size where there is no chain": layer("class: ReLU", "framework: torch\ninput_shape: [2]"),
    "an input size and no layers": Case(f"input_shape: [2]\ntensors: {{w: {OK}}}\n"),
    "input size and chain": layer("class: Dense, units: 2, input_shape: [2]", "input_shape: [3]"),
    "no input size": layer("class: Dense, units: 2", "seed: 1"),
    "an init of a layer that is no mapping": layer("class: Linear, in_features: 2, out_features: 2, init: zeros"),
    "an init of no weight": layer("class: Linear, in_features: 2, out_features: 2, init: {wieght: zeros}"),
    "an init in the shadow": layer('class: Linear, in_features: 2, out_features: 2, init: {"*": zeros, bias: ones}'),
    "a layer of too many axes": layer(f"class: LayerNorm, normalized_shape: {[1] * 40}"),
    "an empty block": layer("prefix: h, layers: []"),
    "repeated never": layer("repeat: 0, layers: [{class: ReLU}]"),
    "repeated too often": layer("repeat: 999, layers: [{repeat: 999, layers: [{class: ReLU}]}]"),
    "too many layers": layer("class: ReLU, name: 'a{0..10**9}'"),
    "repeated by half": layer("repeat: 1.5, layers: [{class: ReLU}]"),
    "an empty name": layer("class: ReLU, name: ''"),
    # included files
    "an include that is no name": includes("3"),
    "an include above the folder": includes("../shared.yaml"),
    "an include that includes itself": includes("a.yaml", a="include: b.yaml", b="include: a.yaml"),
    "an include of a list": includes("a.yaml", a="- 1"),
    "an include of nothing": includes("shard.yaml", shared="seed: 1"),
    "a fault in an included file": includes("a.yaml", a="vars: {d: 1/0}"),
    "one name in two files": includes("a.yaml", a=f"tensors: {{'w{{,1}}': {OK}}}"),
    "too many includes": includes("f0.yaml", **{f"f{i}": f"include: f{i + 1}.yaml" for i in range(101)}),
    "an include from standard input": Case(f"include: a.yaml\ntensors: {{w: {OK}}}\n", source="-"),
}
