"""llama.cpp computes with a `.gguf` what transformers computes with a `.safetensors` of the same spec."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
import transformers
import yaml
from models import SPECS, plan_of
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM

from initcli.formats.gguf import gguf as ours
from initcli.formats.gguf_architectures import ARCHITECTURES

FRAMEWORK = f"llama.cpp in xllamacpp {version('xllamacpp')}"
TRANSFORMERS = f"transformers {transformers.__version__}"
PACKAGE = f"gguf {version('gguf')}"

pytestmark = pytest.mark.loads(file="`.gguf`")

VOCAB = 320
SIZES = {
    "llama3": {"d": 64, "layers": 2, "heads": 4, "kv_heads": 2, "head_dim": 24, "ff": 96, "vocab": VOCAB},
    "gpt2": {"d": 64, "layers": 2, "heads": 4, "vocab": VOCAB},
}
"""Keys are fewer than queries, a head is not d / heads wide; transformers takes GPT-2's 1024 positions for granted."""
RULES = {
    "llama3": {"*_proj.weight": "normal(std=0.3)", "*.input_layernorm.weight": "uniform(a=0.5, b=1.5)"},
    "gpt2": {
        "*.c_attn.weight": "normal(std=0.3)",
        "*.c_proj.bias": "uniform(a=-0.5, b=0.5)",
        "*.ln_1.weight": "uniform(a=0.5, b=1.5)",
    },
}
"""So wide that each row counts, and vectors whose values differ."""
BIASES = {
    f"model.layers.{{0..layers-1}}.{name}_proj.bias": {"shape": [shape], "init": "normal(std=0.3)"}
    for name, shape in {
        "self_attn.q": "heads*head_dim",
        "self_attn.{k,v}": "kv_heads*head_dim",
        "self_attn.o": "d",
        "mlp.{gate,up}": "ff",
        "mlp.down": "d",
    }.items()
}
TOKENIZER = {
    "tokenizer.ggml.model": "llama",
    "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>", *(f"t{i}" for i in range(3, VOCAB))],
    "tokenizer.ggml.scores": [0.0] * VOCAB,
    "tokenizer.ggml.token_type": [2, 3, 3] + [1] * (VOCAB - 3),
}
"""The least that llama.cpp's server asks for before it computes."""
PROMPT = [1, 17, 55, 200, 301, 9, 77, 77, 12, 250, 130, 31, 308, 64, 5, 99, 8, 230, 41, 260] * 2

LLAMA3_SCALING = {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 32}
LLAMA3_SCALING |= {"low_freq_factor": 1.0, "high_freq_factor": 4.0}
SCALINGS = [{"rope_type": "linear", "factor": 2.0}, LLAMA3_SCALING]

each_model = pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.loads(what=name)) for name in SIZES])


@pytest.fixture(scope="module")
def made(generate, tmp_path_factory):
    """A function: the folder of a model for transformers and its `.gguf`, of a spec that includes a published one."""
    done = {}

    def make(name, dtype="float32", **config):
        key = name, dtype, json.dumps(config)
        if key not in done:
            folder = tmp_path_factory.mktemp(name)
            (folder / "base.yaml").write_bytes((SPECS / f"{name}.yaml").read_bytes())
            rules = [{"match": match, "init": init} for match, init in RULES[name].items()]
            spec = {"include": "base.yaml", "vars": SIZES[name], "dtype": dtype, "rules": rules}
            if config.get("attention_bias"):
                spec["tensors"] = BIASES
            (folder / "spec.yaml").write_text(yaml.safe_dump(spec | {"config": {"gguf": TOKENIZER, **config}}))
            checkpoint = generate(folder / "spec.yaml", folder / "model", "--max-shard-size", "5GB")
            done[key] = checkpoint, generate(folder / "spec.yaml", folder / "model.gguf")
        return done[key]

    return make


def ask_llama_cpp(path, tmp_path):
    """The log-probabilities after the prompt, step by step: an array and the most likely token each."""
    answer = tmp_path / "answer.json"
    command = [sys.executable, str(Path(__file__).with_name("llama_cpp.py")), str(path), str(answer)]
    asked = json.dumps([PROMPT, VOCAB])
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    steps = [{int(token): value for token, value in step.items()} for step in json.loads(answer.read_text())]
    assert [sorted(step) for step in steps] == [list(range(VOCAB))] * 4
    return [np.array([step[token] for token in range(VOCAB)]) for step in steps]


def ask_transformers(folder, steps):
    """The logits and their log-probabilities at the same steps, after the other side's likeliest tokens."""
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    tokens = PROMPT + [int(step.argmax()) for step in steps]
    with torch.inference_mode():
        logits = model(torch.tensor([tokens])).logits[0, len(PROMPT) - 1 : -1].double()
    return logits.numpy(), torch.log_softmax(logits, -1).numpy()


def widest_difference(folder, steps):
    """The greatest difference of a log-probability, and the greatest logit."""
    logits, expected = ask_transformers(folder, steps)
    return float(np.abs(expected - np.array(steps)).max()), float(np.abs(logits).max())


def tolerance(name, dtype, greatest):
    """How far two log-probabilities may lie apart: two logits, each off by as many roundings as it has summands.

    A layer sums over d for the queries, over a head, the positions, the heads, d and ff. With weights of 16 bits
    llama.cpp rounds what it multiplies with them to that type, too: by up to half a unit in the last place.
    """
    sizes = SIZES[name]
    summands = sizes["layers"] * (4 * sizes["d"] + len(PROMPT) + sizes.get("ff", 4 * sizes["d"])) + sizes["d"]
    products = 5 * sizes["layers"] + 1
    rounding = {"float32": 0.0, "float16": 2**-11, "bfloat16": 2**-8}[dtype]
    return 2 * greatest * (summands * 2**-24 + products * rounding)


@pytest.mark.loads(how="server")
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@each_model
def test_llama_cpp_computes_what_transformers_computes(made, name, dtype, tmp_path):
    """The log-probabilities of all tokens at four places after a prompt."""
    folder, path = made(name, dtype)

    steps = ask_llama_cpp(path, tmp_path)

    difference, greatest = widest_difference(folder, steps)
    assert difference <= tolerance(name, dtype, greatest)


@pytest.mark.loads(how="server", what="llama3, scaled rotary frequencies")
@pytest.mark.parametrize("scaling", SCALINGS, ids=lambda scaling: scaling["rope_type"])
def test_llama_cpp_scales_rotary_frequencies_as_transformers_does(made, scaling, tmp_path):
    """By a factor in the keys, or by the tensor of Llama 3.1's factors; without them the values are others."""
    folder, path = made("llama3", rope_scaling=scaling)
    plain, _ = made("llama3")

    steps = ask_llama_cpp(path, tmp_path)

    difference, greatest = widest_difference(folder, steps)
    assert difference <= tolerance("llama3", "float32", greatest)
    assert widest_difference(plain, steps)[0] > 100 * tolerance("llama3", "float32", greatest)


@pytest.mark.loads(how="server", what="llama3, with biases")
def test_llama_cpp_adds_the_biases_that_transformers_adds(made, tmp_path):
    """Those of queries and keys are permuted with their rows."""
    folder, path = made("llama3", attention_bias=True, mlp_bias=True)

    steps = ask_llama_cpp(path, tmp_path)

    difference, greatest = widest_difference(folder, steps)
    assert difference <= tolerance("llama3", "float32", greatest)


@pytest.mark.loads(how="server", what="llama3")
def test_rows_in_the_order_of_transformers_are_another_model(made, tmp_path):
    """The same file with the rows of its queries and keys as they are drawn: the comparison tells the two apart."""
    folder, path = made("llama3")
    (tmp_path / "unpermuted.gguf").write_bytes(path.read_bytes())
    tensors = {tensor.name: tensor.data for tensor in gguf.GGUFReader(tmp_path / "unpermuted.gguf", "r+").tensors}
    drawn = load_file(folder / "model.safetensors")
    for layer in range(SIZES["llama3"]["layers"]):
        for part in "qk":
            stored = tensors[f"blk.{layer}.attn_{part}.weight"]
            rows = drawn[f"model.layers.{layer}.self_attn.{part}_proj.weight"]
            assert np.array_equal(np.sort(stored, axis=0), np.sort(rows, axis=0))
            stored[:] = rows

    steps = ask_llama_cpp(tmp_path / "unpermuted.gguf", tmp_path)

    difference, greatest = widest_difference(folder, steps)
    assert difference > 100 * tolerance("llama3", "float32", greatest)


@pytest.mark.loads(how="from_pretrained(gguf_file=…)", client=TRANSFORMERS)
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@each_model
def test_transformers_has_the_same_bits_from_gguf_and_safetensors(made, name, dtype):
    """It turns the rows and the axes back; nothing is missing, unexpected or mismatched."""
    folder, path = made(name, dtype)
    wanted = getattr(torch, dtype)
    expected = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=wanted).state_dict()

    model, info = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, local_files_only=True, dtype=wanted, output_loading_info=True
    )

    assert not any(info.values())
    state = model.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], expected[key]) for key in expected)


@pytest.mark.loads(how="TensorNameMap", client=PACKAGE)
@each_model
def test_the_names_are_those_of_the_package_of_llama_cpp(name):
    """For every tensor of the published specs, and no name of ours stands for a tensor that the model does not have."""
    plan = plan_of(name, {})
    kind = {"llama3": gguf.MODEL_ARCH.LLAMA, "gpt2": gguf.MODEL_ARCH.GPT2}[name]
    layers = plan.config.get("num_hidden_layers", plan.config.get("n_layer"))
    names = gguf.get_tensor_name_map(kind, layers)

    stored = {tensor.original.name: tensor.name for tensor in ours.arrange(plan).tensors}

    assert stored == {tensor.name: names.get_name(tensor.name, (".weight", ".bias")) for tensor in plan.tensors}
    known = {gguf.TENSOR_NAMES[tensor] for tensor in gguf.MODEL_TENSORS[kind]}
    weights = ARCHITECTURES[plan.config["model_type"]].weights.values()
    assert {weight.name.rpartition(".")[0].replace("{}", "{bid}") for weight in weights} <= known


@pytest.mark.loads(how="GGUFReader", what="keys of a model", client=PACKAGE)
@each_model
def test_every_key_is_one_that_the_package_knows(made, name):
    """Of the type that the package writes it with; ours are those that begin with `initcli.`."""
    _, path = made(name)
    fields = gguf.GGUFReader(path).fields
    architecture = fields["general.architecture"].contents()
    known = {
        key.replace("{arch}", architecture)
        for group in vars(gguf.Keys).values()
        if isinstance(group, type)
        for key in vars(group).values()
        if isinstance(key, str)
    }

    written = {key for key in fields if not key.startswith(("initcli.", "GGUF."))}

    assert written <= known
    assert len(written) > 10
