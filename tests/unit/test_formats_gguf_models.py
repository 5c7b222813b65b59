"""Models of Hugging Face in `.gguf`: llama.cpp's names, order of rows, dtypes and keys, and what does not fit."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest

from initcli.arrangement import Transposed
from initcli.comparison import Verdict
from initcli.engine import generate_file, generate_stream
from initcli.errors import InitcliError
from initcli.formats.gguf import Gguf, gguf
from initcli.formats.safetensors import safetensors
from initcli.formats.weights import open_weights
from initcli.readback import verify_weights
from initcli.resolution import load_plan
from initcli.verification import load_embedded

LLAMA = {
    "model_type": "llama",
    "vocab_size": 10,
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "num_key_value_heads": 1,
    "head_dim": 4,
}
GPT2 = {"model_type": "gpt2", "vocab_size": 10, "n_positions": 6, "n_embd": 8, "n_layer": 2, "n_head": 2}


def llama(config=(), **tensors):
    """A spec of a llama; dots in names are double underscores, and a tensor of None is left out."""
    c = LLAMA | dict(config)
    d, heads, kv = c["hidden_size"], c["num_attention_heads"] * c["head_dim"], c["num_key_value_heads"] * c["head_dim"]
    layer = {
        "self_attn.q_proj": [heads, d],
        "self_attn.k_proj": [kv, d],
        "self_attn.v_proj": [kv, d],
        "self_attn.o_proj": [d, heads],
        "mlp.gate_proj": [c["intermediate_size"], d],
        "mlp.up_proj": [c["intermediate_size"], d],
        "mlp.down_proj": [d, c["intermediate_size"]],
        "input_layernorm": [d],
        "post_attention_layernorm": [d],
    }
    shapes = {"model.embed_tokens.weight": [c["vocab_size"], d], "model.norm.weight": [d]}
    layers = f"{{0..{LLAMA['num_hidden_layers'] - 1}}}"
    shapes |= {f"model.layers.{layers}.{name}.weight": shape for name, shape in layer.items()}
    shapes["lm_head.weight"] = [c["vocab_size"], d]
    return spec_of(c, shapes, tensors)


def gpt2(config=(), **tensors):
    """A spec of a GPT-2, in the same way."""
    c = GPT2 | dict(config)
    d = c["n_embd"]
    shapes = {"transformer.wte.weight": [c["vocab_size"], d], "transformer.wpe.weight": [c["n_positions"], d]}
    for name, rows, cols in (
        ("attn.c_attn", d, 3 * d),
        ("attn.c_proj", d, d),
        ("mlp.c_fc", d, 4 * d),
        ("mlp.c_proj", 4 * d, d),
    ):
        shapes |= {f"transformer.h.{{0,1}}.{name}.weight": [rows, cols], f"transformer.h.{{0,1}}.{name}.bias": [cols]}
    shapes |= {"transformer.h.{0,1}.ln_{1,2}.{weight,bias}": [d], "transformer.ln_f.{weight,bias}": [d]}
    return spec_of(c, shapes, {"lm_head__weight": {"tie": "transformer.wte.weight"}} | tensors)


def spec_of(config, shapes, tensors):
    """A spec whose values are all different."""
    shapes |= {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    return {
        "framework": "torch",
        "seed": 3,
        "config": {key: value for key, value in config.items() if value is not None},
        "tensors": {name: shape for name, shape in shapes.items() if shape is not None},
        "rules": [{"match": "*", "init": "uniform(a=-1, b=1)"}],
    }


def plan_of(spec):
    return load_plan(json.dumps(spec, indent=1).encode(), "spec.json")


def write(folder, spec, jobs=2):
    """The weights of a spec as `.gguf` and as `.safetensors`, which is written as the spec has it."""
    plan = plan_of(spec)
    for chosen, name in ((gguf, "w.gguf"), (safetensors, "w.safetensors")):
        generate_file(plan, chosen, folder / name, jobs=jobs, force=True)
    return open_weights(folder / "w.gguf"), open_weights(folder / "w.safetensors")


def read(weights, *names):
    return [weights.format.read_tensor(weights.path, name) for name in names]


def permute(weights, heads):
    """As `LlamaModel.permute` of llama.cpp's convert_hf_to_gguf.py."""
    shape = weights.shape
    return weights.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "model.layers.1.input_layernorm": "blk.1.attn_norm",
    "model.layers.1.post_attention_layernorm": "blk.1.ffn_norm",
    "model.layers.1.self_attn.v_proj": "blk.1.attn_v",
    "model.layers.1.self_attn.o_proj": "blk.1.attn_output",
    "model.layers.1.mlp.gate_proj": "blk.1.ffn_gate",
    "model.layers.1.mlp.up_proj": "blk.1.ffn_up",
    "model.layers.1.mlp.down_proj": "blk.1.ffn_down",
    "transformer.wte": "token_embd",
    "transformer.wpe": "position_embd",
    "transformer.ln_f": "output_norm",
    "transformer.h.1.ln_1": "blk.1.attn_norm",
    "transformer.h.1.ln_2": "blk.1.ffn_norm",
}
"""Tensors that are only renamed, from the gguf package's TensorNameMap 0.19."""
TURNED = {"attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down"}


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_the_tensors_of_a_llama_are_those_of_the_spec_under_llama_cpps_names(tmp_path, dtype):
    """Three heads of queries and one of keys are permuted each by itself; vectors are widened and not drawn anew."""
    stored, drawn = write(tmp_path, llama() | {"dtype": dtype})

    assert len(stored.entries) == len(drawn.entries) == 21
    for name, other in NAMES.items():
        if name.startswith(("model.", "lm_head")):
            ours, theirs = read(stored, f"{other}.weight")[0], read(drawn, f"{name}.weight")[0]
            assert ours.dtype.name == (dtype if ours.ndim > 1 else "float32")
            assert np.array_equal(ours, theirs.astype(ours.dtype))
    for part, heads in {"q": 3, "k": 1}.items():
        (ours,) = read(stored, f"blk.1.attn_{part}.weight")
        (theirs,) = read(drawn, f"model.layers.1.self_attn.{part}_proj.weight")
        assert np.array_equal(ours, permute(theirs, heads))
        assert not np.array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_tensors_of_a_gpt2_are_those_of_the_spec_under_llama_cpps_names(tmp_path, dtype):
    """Conv1D's weights are transposed; positions are float32, as in llama.cpp's converter; the head is not there."""
    stored, drawn = write(tmp_path, gpt2() | {"dtype": dtype})

    assert len(stored.entries) == 28
    assert "output.weight" not in stored.entries
    for name, other in NAMES.items():
        if name.startswith("transformer."):
            ours, theirs = read(stored, f"{other}.weight")[0], read(drawn, f"{name}.weight")[0]
            assert ours.dtype.name == ("float32" if ours.ndim == 1 or "wpe" in name else dtype)
            assert np.array_equal(ours, theirs.astype(ours.dtype))
    for name, other in TURNED.items():
        for part in ("weight", "bias"):
            ours, theirs = read(stored, f"blk.0.{other}.{part}")[0], read(drawn, f"transformer.h.0.{name}.{part}")[0]
            assert np.array_equal(ours, theirs.T.astype(ours.dtype))


def test_names_without_their_prefix_and_biases_are_known_too(tmp_path):
    """A `LlamaModel` saves no `model.`; biases of queries and keys are permuted as their rows are."""
    biases = {f"layers.{{0,1}}.self_attn.{part}_proj.bias": [size] for part, size in {"q": 12, "k": 4, "v": 4}.items()}
    spec = llama({"tie_word_embeddings": True}, lm_head__weight=None)
    spec["tensors"] = {name.removeprefix("model."): shape for name, shape in spec["tensors"].items()} | biases
    stored, drawn = write(tmp_path, spec)

    for part, heads in {"q": 3, "k": 1}.items():
        (ours,), (theirs,) = (
            read(stored, f"blk.1.attn_{part}.bias"),
            read(drawn, f"layers.1.self_attn.{part}_proj.bias"),
        )
        assert np.array_equal(ours, permute(theirs, heads))
    assert np.array_equal(*read(stored, "blk.0.attn_v.bias"), *read(drawn, "layers.0.self_attn.v_proj.bias"))


@pytest.mark.parametrize(
    ("width", "heads", "head_dim", "init"),
    [
        (5000, 1, 128, "normal"),
        (4096, 2, 128, "normal"),
        (300_000, 1, 2, "normal"),
        (700, 9, 64, "normal"),
        (700, 9, 64, "orthogonal"),
    ],
)
def test_rows_are_permuted_alike_for_any_jobs_and_sizes(tmp_path, width, heads, head_dim, init):
    """Heads longer and shorter than what a thread draws at once, at places that it does not divide, and drawn whole."""
    sizes = {"hidden_size": width, "num_attention_heads": heads, "num_key_value_heads": heads, "head_dim": head_dim}
    sizes |= {"vocab_size": 1, "intermediate_size": 1, "num_hidden_layers": 1}
    spec = llama(sizes)
    spec["tensors"] = {name.replace("{0..1}", "0"): shape for name, shape in spec["tensors"].items()}
    spec["rules"] = [{"match": "*.q_proj.weight", "init": init}, {"match": "*", "init": "zeros"}]

    stored, drawn = write(tmp_path, spec, jobs=3)
    several = stored.path.read_bytes()
    write(tmp_path, spec, jobs=1)

    (ours,), (theirs,) = read(stored, "blk.0.attn_q.weight"), read(drawn, "model.layers.0.self_attn.q_proj.weight")
    assert np.array_equal(ours, permute(theirs, heads))
    assert stored.path.read_bytes() == several


@pytest.mark.parametrize("init", ["normal", "orthogonal"])
def test_axes_are_turned_alike_whether_drawn_whole_or_not(tmp_path, init):
    """A matrix of more elements than are drawn at once; the plan tells the memory that it takes."""
    spec = gpt2({"n_embd": 400})
    spec["rules"] = [{"match": "*.c_attn.weight", "init": init}, {"match": "*", "init": "zeros"}]

    stored, drawn = write(tmp_path, spec)

    (ours,), (theirs,) = read(stored, "blk.1.attn_qkv.weight"), read(drawn, "transformer.h.1.attn.c_attn.weight")
    assert np.array_equal(ours, theirs.T)
    plan = plan_of(spec)
    law = plan.peak_nbytes
    assert (law > 0) == (init == "orthogonal")
    assert gguf.arrange(plan).peak_nbytes == max(law + 4 * 400 * 1200, 4 * 400 * 1600)


def test_too_little_memory_for_a_matrix_that_is_turned_is_one_clear_fault(tmp_path, monkeypatch):
    """It names the tensor as the file has it, at its line of the spec, and nothing is left behind."""

    def take(*_):
        raise MemoryError

    monkeypatch.setattr(Transposed, "take", take)

    with pytest.raises(InitcliError, match=r"not enough memory for `blk\.0\.attn_qkv\.weight`") as error:
        generate_file(plan_of(gpt2()), gguf, tmp_path / "w.gguf")

    assert error.value.faults[0].position.line > 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("spec", [llama(), gpt2()])
def test_a_file_carries_the_spec_as_it_was_and_is_verified_by_it(tmp_path, spec):
    """The plan in the file is that of the spec, and arranging it again gives what the file holds, to the bit."""
    stored, _ = write(tmp_path, spec)
    plan = plan_of(spec)

    embedded = load_embedded(stored)

    assert embedded.metadata() == plan.metadata() == gguf.arrange(plan).metadata()
    assert [tensor.name for tensor in embedded.tensors] == [tensor.name for tensor in plan.tensors]
    assert {pair.verdict for pair in verify_weights(embedded, stored)} == {Verdict.EQUAL}


def test_a_file_whose_rows_were_not_permuted_is_found_out(tmp_path):
    """The first difference is in the second row of the queries."""
    stored, drawn = write(tmp_path, llama())
    data = stored.path.read_bytes()
    (ours,), (theirs,) = read(stored, "blk.0.attn_q.weight"), read(drawn, "model.layers.0.self_attn.q_proj.weight")
    (tmp_path / "wrong.gguf").write_bytes(data.replace(ours.tobytes(), theirs.tobytes()))

    pairs = verify_weights(plan_of(llama()), open_weights(tmp_path / "wrong.gguf"))

    (wrong,) = [pair for pair in pairs if not pair.verdict.is_same]
    assert (wrong.b.name, wrong.contrast.first.number) == ("blk.0.attn_q.weight", 8)


def test_arranging_twice_is_arranging_once():
    """So that every part of the program may ask for it."""
    arranged = gguf.arrange(plan_of(llama()))

    assert gguf.arrange(arranged) is arranged


def test_a_stream_is_the_file(tmp_path):
    """Heads and whole matrices, front to back."""
    for spec in (llama(), gpt2()):
        stored, _ = write(tmp_path, spec)
        pipe = io.BytesIO()

        generate_stream(plan_of(spec), gguf, pipe, jobs=2)

        assert pipe.getvalue() == stored.path.read_bytes()


def test_the_report_speaks_of_what_is_stored(tmp_path):
    """Bounds allow for the rounding that a widened vector had before it was widened: 0.3 in bfloat16 is 0.30078."""
    spec = llama(model__norm__weight={"shape": [8], "init": "uniform(a=0.2999999, b=0.3)"}) | {"dtype": "bfloat16"}

    report = generate_file(plan_of(spec), gguf, tmp_path / "w.gguf", digests=True)

    (row,) = [row for row in report.rows if row.tensor.name == "output_norm.weight"]
    assert row.observed.max == 0.30078125
    assert row.agrees
    assert set(report.digest.tensors) == open_weights(tmp_path / "w.gguf").entries.keys()


KEYS = {
    "llama": {
        "general.architecture": "llama",
        "tokenizer.ggml.model": "none",
        "llama.block_count": "2",
        "llama.context_length": "2048",
        "llama.embedding_length": "8",
        "llama.feed_forward_length": "12",
        "llama.attention.head_count": "3",
        "llama.attention.head_count_kv": "1",
        "llama.attention.key_length": "4",
        "llama.attention.value_length": "4",
        "llama.attention.layer_norm_rms_epsilon": "1e-06",
        "llama.rope.dimension_count": "4",
        "llama.rope.freq_base": "10000.0",
        "llama.vocab_size": "10",
    },
    "gpt2": {
        "general.architecture": "gpt2",
        "tokenizer.ggml.model": "none",
        "gpt2.block_count": "2",
        "gpt2.context_length": "6",
        "gpt2.embedding_length": "8",
        "gpt2.feed_forward_length": "32",
        "gpt2.attention.head_count": "2",
        "gpt2.attention.layer_norm_epsilon": "1e-05",
        "gpt2.vocab_size": "10",
    },
}
"""What a config does not say is as LlamaConfig and GPT2Config of transformers 5.23 have it."""


def keys_of(tmp_path, spec):
    """The keys of the file, without our own."""
    generate_file(plan_of(spec), gguf, tmp_path / "k.gguf", force=True)
    metadata = gguf.read_header(tmp_path / "k.gguf").metadata
    return {key: value for key, value in metadata.items() if not key.startswith("initcli.")}


def test_the_keys_are_those_of_the_config(tmp_path):
    """All that llama.cpp asks for, and no tokenizer where the spec gives none."""
    assert keys_of(tmp_path, llama()) == KEYS["llama"]
    assert keys_of(tmp_path, gpt2()) == KEYS["gpt2"]


def test_keys_of_the_spec_are_added_and_win(tmp_path):
    """`config.gguf` has the tokenizer, and may have another length of texts."""
    keys = {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["<s>"], "llama.context_length": 99}

    found = keys_of(tmp_path, llama({"gguf": keys}))

    assert found == KEYS["llama"] | keys | {"tokenizer.ggml.tokens": '["<s>"]', "llama.context_length": "99"}


@pytest.mark.parametrize(
    ("config", "keys"),
    [
        ({"rope_theta": 500000}, {"rope.freq_base": "500000.0"}),
        ({"rope_parameters": {"rope_theta": 7.5, "rope_type": "default"}}, {"rope.freq_base": "7.5"}),
        (
            {"rope_scaling": {"type": "linear", "factor": 2}},
            {"rope.scaling.type": "linear", "rope.scaling.factor": "2.0"},
        ),
        ({"rms_norm_eps": 1e-5, "max_position_embeddings": 64, "num_key_value_heads": None}, None),
    ],
)
def test_older_and_newer_words_for_rotary_embeddings_are_read(tmp_path, config, keys):
    """transformers 5 has all under `rope_parameters`; what has other sizes is refused, with the place."""
    if keys is None:
        with pytest.raises(InitcliError, match=r"k_proj.weight` is \[4, 8\], and the config makes it \[12, 8\]"):
            keys_of(tmp_path, llama({"num_key_value_heads": 1}) | {"config": {**LLAMA, **config}})
        return
    found = keys_of(tmp_path, llama(config))

    assert found == KEYS["llama"] | {f"llama.{key}": value for key, value in keys.items()}


def test_llama_3s_scaling_is_a_tensor_of_factors(tmp_path):
    """What `generate_extra_tensors` of llama.cpp's converter computes in float32, within its rounding."""
    rope = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    rope |= {"original_max_position_embeddings": 64}
    spec = llama({"head_dim": 128, "num_attention_heads": 1, "rope_theta": 5e5, "rope_scaling": rope})

    stored, drawn = write(tmp_path, spec)

    expected = []
    for i in range(0, 128, 2):
        wavelength = 2 * math.pi * 5e5 ** (i / 128)
        smooth = (64 / wavelength - 1) / (4 - 1)
        middle = 1 / ((1 - smooth) / 8 + smooth)
        expected.append(1 if wavelength < 64 / 4 else 8 if wavelength > 64 / 1 else middle)
    (factors,) = read(stored, "rope_freqs.weight")
    assert len({round(factor, 3) for factor in expected}) > 4
    assert factors.dtype == np.float32
    assert np.allclose(factors, expected, rtol=2**-22, atol=0)
    assert len(stored.entries) == len(drawn.entries) + 1
    assert all(pair.verdict is Verdict.EQUAL for pair in verify_weights(load_embedded(stored), stored))


def test_a_spec_for_llama_cpp_is_written_as_it_stands(tmp_path):
    """With an architecture of its own, with a model that is not known here, and without a model at all."""
    keys = {"general.architecture": "llama"}
    for config in ({"model_type": "llama", "gguf": keys}, {"model_type": "mamba"}, {"model_type": 7}, {}, None):
        spec = {"tensors": {"blk.0.attn_q.weight": [4, 2]}, "rules": [{"match": "*", "init": "normal"}]}
        plan = plan_of(spec | ({} if config is None else {"config": config}))

        assert gguf.arrange(plan) is plan
        generate_file(plan, gguf, tmp_path / "w.gguf", force=True)
        assert list(open_weights(tmp_path / "w.gguf").entries) == ["blk.0.attn_q.weight"]


@pytest.mark.parametrize(
    ("spec", "what", "hint", "count"),
    [
        (
            llama(model__norm__weight=[9]),
            "`model.norm.weight` is [9], and the config makes it [8]",
            "it is [hidden_size]",
            1,
        ),
        (
            llama(model__embed_tokens__weight=[8, 10]),
            "`model.embed_tokens.weight` is [8, 10], and the config makes it [10, 8]",
            "it is [vocab_size, hidden_size]",
            1,
        ),
        (llama(classifier=[8]), "`classifier` is no tensor of this model", "all is written as it stands", 1),
        (llama(model__nrm__weight=[8]), "`model.nrm.weight` is no tensor", "did you mean `norm.weight`", 1),
        (llama() | {"config": LLAMA | {"num_hidden_layers": 1}}, "`model.layers.1.self_attn.q", "layers` is 1", 9),
        (llama({"num_hidden_layers": 3}), "makes a model of 3 layers, of which the spec lacks", "`tensors`", 1),
        (llama(lm_head__weight=None), "of which the spec lacks `lm_head.weight`", "`tensors`", 1),
        (llama(norm__weight=[8]), "`norm.weight` and `model.norm.weight` are both `output_norm.weight`", "leave", 1),
        (llama(lm_head__weight={"tie": "model.norm.weight"}), "llama.cpp ties only the head", "`shape`", 1),
        (llama() | {"dtype": "float64"}, "is float64, which llama.cpp does not compute with", "bfloat16", 12),
    ],
)
def test_tensors_that_do_not_fit_the_model_are_told_where_they_stand(spec, what, hint, count):
    """One fault for each line of the spec, with the way out."""
    with pytest.raises(InitcliError) as error:
        gguf.arrange(plan_of(spec))

    found = error.value.faults
    assert what in found[0].what
    assert hint in found[0].hint
    assert len(found) == len({fault.position.line for fault in found} - {1}) == count


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ({"hidden_size": None}, "`config.hidden_size` is missing"),
        ({"vocab_size": "10"}, "`config.vocab_size` must be a whole number"),
        ({"vocab_size": True}, "`config.vocab_size` must be a whole number"),
        ({"num_attention_heads": 0}, "`config.num_attention_heads` must be a whole number"),
        ({"intermediate_size": 2**31}, "`config.intermediate_size` must be a whole number"),
        ({"head_dim": 5}, "`config.head_dim` is 5, and rotary embeddings turn pairs"),
        ({"num_key_value_heads": 2}, "`config.num_key_value_heads` is 2, which does not divide 3 heads"),
        ({"rms_norm_eps": 0}, "`config.rms_norm_eps` must be a number above 0"),
        ({"rms_norm_eps": "tiny"}, "`config.rms_norm_eps` must be a number above 0"),
        ({"hidden_act": "gelu"}, "`config.hidden_act` is `gelu`, which llama.cpp does not compute"),
        ({"tie_word_embeddings": 1}, "`config.tie_word_embeddings` is `1`"),
        ({"rope_scaling": {"rope_type": "yarn"}}, "`config.rope_scaling.rope_type` is `yarn`"),
        ({"rope_scaling": 3}, "`config.rope_scaling` must be a mapping"),
        ({"rope_parameters": {"rope_type": "llama3", "factor": 0.5}}, "whose numbers do not fit together"),
        (
            {"rope_parameters": {"rope_type": "linear", "factor": "x"}},
            "`config.rope_parameters.factor` must be a number",
        ),
    ],
)
def test_a_config_that_llama_cpp_does_not_compute_is_told_where_it_stands(config, what):
    """What is missing or wrong, in the config's own words, at its line."""
    text = llama() | {"config": {key: value for key, value in (LLAMA | config).items() if value is not None}}

    with pytest.raises(InitcliError) as error:
        gguf.arrange(plan_of(text))

    (fault,) = error.value.faults
    assert what in fault.what
    assert fault.hint
    assert fault.position.line > 3


def test_a_config_of_two_thousand_million_layers_is_refused_at_once():
    """Neither its tensors nor its factors are counted one by one."""
    rope = {"rope_parameters": {"rope_type": "llama3"}}
    for config, what in (
        (LLAMA | {"num_hidden_layers": 2**31 - 1}, "2,147,483,647 layers"),
        (LLAMA | rope | {"head_dim": 2**31 - 2}, "`config.head_dim` is 2,147,483,646"),
    ):
        with pytest.raises(InitcliError, match=what):
            gguf.arrange(plan_of(llama() | {"config": config}))


def test_all_that_is_wrong_with_a_config_is_told_at_once():
    """Each value by itself, at its own line."""
    with pytest.raises(InitcliError) as error:
        gguf.arrange(plan_of(gpt2() | {"config": {"model_type": "gpt2", "n_layer": -1, "activation_function": "relu"}}))

    assert len(error.value.faults) == 5


def test_a_gpt2_whose_attention_llama_cpp_has_not_is_refused():
    """Nothing in a GGUF file could say so."""
    for config in ({"scale_attn_by_inverse_layer_idx": True}, {"scale_attn_weights": False}, {"n_head": 3}):
        with pytest.raises(InitcliError, match=r"does not (compute|divide)"):
            gguf.arrange(plan_of(gpt2(config)))


def test_a_config_given_beside_the_spec_goes_before_its_own(tmp_path):
    """As for shards; the file carries it, and the keys of GGUF stay the spec's."""
    spec = llama({"gguf": {"tokenizer.ggml.model": "llama"}})
    given = json.dumps(LLAMA | {"rms_norm_eps": 0.25}).encode()
    spec["config"] = {"model_type": "bert", "gguf": spec["config"]["gguf"]}
    chosen = Gguf(given)

    generate_file(plan_of(spec), chosen, tmp_path / "w.gguf")

    stored = open_weights(tmp_path / "w.gguf")
    assert stored.header.metadata["llama.attention.layer_norm_rms_epsilon"] == "0.25"
    assert stored.header.metadata["tokenizer.ggml.model"] == "llama"
    assert all(pair.verdict is Verdict.EQUAL for pair in verify_weights(load_embedded(stored), stored))
    arranged = chosen.arrange(plan_of(spec))
    assert chosen.arrange(arranged) is arranged


@pytest.mark.parametrize("config", [{}, {"model_type": "mamba"}, {"model_type": []}])
def test_a_given_config_of_no_model_that_is_known_is_refused(config):
    """It must not be passed over in silence."""
    with pytest.raises(InitcliError, match="not one that becomes GGUF") as error:
        Gguf(json.dumps(config).encode()).arrange(plan_of(llama()))

    assert "llama, gpt2" in error.value.faults[0].hint


@pytest.mark.parametrize("name", ["llama3", "gpt2"])
def test_the_published_specs_are_arranged(name):
    """At their published sizes; arranging draws nothing."""
    path = Path(__file__).resolve().parents[2] / "specs" / f"{name}.yaml"
    plan = load_plan(path.read_bytes(), path.name)

    arranged = gguf.arrange(plan)

    assert (len(arranged.tensors), arranged.size) == (len(plan.tensors), plan.size)
    assert gguf.faults(arranged.tensors) == []
