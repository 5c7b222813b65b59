"""transformers itself says what its position tables, rotary frequencies and Mamba's parameters are."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import torch
import transformers
from scipy import stats
from transformers import LlamaConfig, Mamba2Config, Mamba2Model, MambaConfig, MambaModel, ViTMAEConfig, ViTMAEModel
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.distilbert.modeling_distilbert import create_sinusoidal_embeddings
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.m2m_100.modeling_m2m_100 import M2M100SinusoidalPositionalEmbedding
from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding
from transformers.models.whisper.modeling_whisper import sinusoids

from initcli.initializers import get
from initcli.initializers.registry import registered

FRAMEWORK = f"transformers {transformers.__version__}"

FALSE_ALARM = 2 * stats.norm.sf(5)
UNIT = 2.0**-24  # a rounding of float32, relative


def draw(name, shape, dtype="float32", **parameters):
    return get(name, "recipe", **parameters)(shape, dtype)


@pytest.mark.parametrize("name", ["sinusoidal"])
@pytest.mark.parametrize("shape", [(512, 768), (40, 7), (5, 1)])
def test_the_papers_table_is_distilberts_to_the_bit(name, shape):
    """DistilBERT takes angles in float64, and rounds sines and cosines to float32 once."""
    theirs = torch.empty(shape)
    create_sinusoidal_embeddings(*shape, theirs)

    np.testing.assert_array_equal(draw(name, shape), theirs.numpy())


@pytest.mark.parametrize("name", ["sinusoidal_concatenated"])
@pytest.mark.parametrize("shape", [(512, 768), (40, 7), (5, 1)])
def test_the_concatenated_table_is_marians_to_the_bit(name, shape):
    """As DistilBERT's, all sines first."""
    theirs = MarianSinusoidalPositionalEmbedding(*shape).create_weight().numpy()

    np.testing.assert_array_equal(draw(name, shape), theirs)


def angles_error(rows, frequencies, base):
    """Return how far sines of angles in float32 may lie from the exact ones.

    Two roundings of an exponent of at most ln base, its exponential, the product with the position; the sine itself.
    """
    relative = (2 * math.log(base) + 4) * UNIT
    return np.arange(rows)[:, None] * frequencies * relative + 2 * UNIT


@pytest.mark.parametrize("name", ["sinusoidal_tensor2tensor"])
@pytest.mark.parametrize(("shape", "padding"), [((514, 1024), 1), ((40, 9), 0), ((40, 4), None)])
def test_the_table_of_tensor2tensor_is_m2m100s(name, shape, padding):
    """But for float32; zeros of the padding row and of an odd column are zeros."""
    theirs = M2M100SinusoidalPositionalEmbedding.get_embedding(*shape, padding).numpy()

    ours = draw(name, shape, padding_idx=padding)

    half = shape[1] // 2
    allowed = angles_error(shape[0], 10000 ** -(np.arange(half) / (half - 1)), 10000)
    assert (np.abs(ours - theirs)[:, : 2 * half] <= np.tile(allowed, 2)).all()
    assert (ours == 0).all(axis=0).tolist() == (theirs == 0).all(axis=0).tolist()
    assert (ours == 0).all(axis=1).tolist() == (theirs == 0).all(axis=1).tolist()


@pytest.mark.parametrize("name", ["sinusoidal_tensor2tensor"])
def test_the_table_of_tensor2tensor_is_whispers(name):
    """But for float32."""
    rows, cols = 1500, 384

    found = np.abs(draw(name, (rows, cols)) - sinusoids(rows, cols).numpy())

    allowed = angles_error(rows, 10000 ** -(np.arange(cols // 2) / (cols // 2 - 1)), 10000)
    assert (found <= np.tile(allowed, 2)).all()


@pytest.mark.parametrize("name", ["sinusoidal_2d"])
def test_the_table_of_a_grid_is_vit_maes_to_the_bit(name):
    """The parameter of the model, with a row of zeros for the class token and an axis of length 1."""
    config = ViTMAEConfig(hidden_size=48, num_attention_heads=2, num_hidden_layers=1, image_size=56, patch_size=8)
    embeddings = ViTMAEModel(config).embeddings
    for part in (embeddings.patch_embeddings.projection, embeddings.position_embeddings):
        part._is_hf_initialized = False  # a model that is made without a checkpoint keeps its zeros
    embeddings.initialize_weights()
    theirs = embeddings.position_embeddings.detach().numpy()

    np.testing.assert_array_equal(draw(name, theirs.shape, cls_token=True), theirs)


EXTENSIONS = [1.0, 1.5, 2.0, 3.25, 5.0, 8.0, 13.5, 21.0, 33.0, 40.0, 47.5, 50.0, 55.0, 60.0, 62.5, 64.0]

LLAMA_3_1 = {
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}

# The rope_type, the parameters of both, parameters of transformers'.
SCALINGS = [
    ("linear", {"factor": 4.0}, {}),
    ("dynamic", {"factor": 2.0, "seq_len": 5000, "max_position_embeddings": 2048}, {}),
    ("dynamic", {"factor": 2.0, "seq_len": 10, "max_position_embeddings": 2048}, {}),
    ("llama3", {}, LLAMA_3_1),
    (
        "llama3",
        {"factor": 32.0, "high_freq_factor": 9.0, "original_max_position_embeddings": 500},
        {"low_freq_factor": 1},
    ),
    ("yarn", {"factor": 4.0, "original_max_position_embeddings": 4096}, {}),
    ("yarn", {"factor": 40.0, "original_max_position_embeddings": 4096, "truncate": False}, {}),
    ("yarn", {"factor": 16.0, "original_max_position_embeddings": 300, "beta_fast": 8.0, "beta_slow": 2.0}, {}),
    ("longrope", {"factors": EXTENSIONS}, {"original_max_position_embeddings": 4096, "factor": 4.0}),
    ("proportional", {"partial_rotary_factor": 0.25}, {}),
    ("proportional", {"partial_rotary_factor": 0.7, "factor": 3.0}, {}),
]


def rope_config(rope_type, base=10000.0, dim=32, **parameters):
    lists = {}
    if rope_type == "longrope":
        lists = dict.fromkeys(("short_factor", "long_factor"), parameters.pop("factors"))
    length = parameters.pop("max_position_embeddings", 2048)
    rope = {"rope_type": rope_type, "rope_theta": base, **lists, **parameters}
    return LlamaConfig(head_dim=dim, max_position_embeddings=length, rope_parameters=rope)


def frequency_error(base):
    """Return how far a frequency in float32 may lie from the exact one, relatively.

    Two roundings of an exponent of at most ln base; a power and a quotient, and the mixture of two frequencies, whose
    share is off by its own part of them: some sixteen roundings in all.
    """
    return (2 * math.log(base) + 16) * UNIT


@pytest.mark.parametrize("name", ["rotary_inv_freq"])
@pytest.mark.parametrize("base", [10000.0, 500000.0])
@pytest.mark.parametrize("dim", [2, 32, 128])
def test_rotary_frequencies_are_llamas(name, base, dim):
    """But for float32."""
    theirs = LlamaRotaryEmbedding(rope_config("default", base, dim)).inv_freq.numpy()

    np.testing.assert_allclose(draw(name, (dim // 2,), base=base), theirs, rtol=frequency_error(base))


@pytest.mark.proves("rotary_inv_freq: scalings")
@pytest.mark.parametrize("base", [10000.0, 500000.0])
@pytest.mark.parametrize(("rope_type", "parameters", "theirs_too"), SCALINGS)
def test_scaled_rotary_frequencies_are_those_of_transformers(rope_type, parameters, theirs_too, base):
    """Every rope_type, but for float32."""
    config = rope_config(rope_type, base, **{**parameters, **theirs_too})
    length = {"seq_len": parameters["seq_len"]} if "seq_len" in parameters else {}
    theirs, _ = ROPE_INIT_FUNCTIONS[rope_type](config, None, **length)

    ours = draw(f"rotary_inv_freq_{rope_type}", (16,), base=base, **parameters)

    np.testing.assert_allclose(ours, theirs.numpy(), rtol=frequency_error(base))


@pytest.mark.proves("rotary_inv_freq: scalings")
def test_there_is_an_entry_for_every_scaling():
    """Each rope_type of transformers has its name."""
    ours = {name.rpartition("inv_freq_")[2] for name in registered() if name.startswith("recipe.rotary_inv_freq_")}

    assert ours == set(ROPE_INIT_FUNCTIONS)


@pytest.mark.parametrize("name", ["rotary_cos", "rotary_sin"])
@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_rotary_tables_are_llamas(name, factor):
    """But for angles in float32, whose error grows with the position."""
    rows, dim, base = 4096, 64, 10000.0
    config = rope_config("linear", base, dim, factor=factor)
    cos, sin = LlamaRotaryEmbedding(config)(torch.zeros(1), torch.arange(rows)[None])
    theirs = (cos if name == "rotary_cos" else sin).numpy()

    found = np.abs(draw(name, (1, rows, dim), factor=factor) - theirs)[0]

    frequencies = base ** (-np.arange(0, dim, 2) / dim) / factor
    assert (found <= np.tile(angles_error(rows, frequencies, base), 2)).all()


@pytest.fixture(scope="module")
def mamba():
    """The first mixer of a Mamba model, with many channels."""
    torch.manual_seed(7)
    config = MambaConfig(vocab_size=8, hidden_size=1024, state_size=16, num_hidden_layers=1, intermediate_size=2048)
    return MambaModel(config).layers[0].mixer


@pytest.fixture(scope="module")
def mamba2():
    """The first mixer of a Mamba-2 model, with many heads."""
    torch.manual_seed(8)
    config = Mamba2Config(vocab_size=8, hidden_size=1024, state_size=4, num_hidden_layers=1, num_heads=1024, head_dim=2)
    return Mamba2Model(config).layers[0].mixer


@pytest.mark.parametrize("name", ["mamba_a_log"])
def test_mambas_rates_are_those_of_both_models(name, mamba, mamba2):
    """ln(1 … d_state) in every row; transformers' Mamba-2 has ln(1 … heads). torch's float32 log is good to an ulp."""
    for theirs in (mamba.A_log, mamba2.A_log):
        values = theirs.detach().numpy()
        np.testing.assert_array_max_ulp(draw(name, values.shape), values, maxulp=1)


@pytest.mark.parametrize("name", ["mamba_d"])
def test_mambas_skip_is_one(name, mamba, mamba2):
    """In both models."""
    for theirs in (mamba.D, mamba2.D):
        np.testing.assert_array_equal(draw(name, tuple(theirs.shape)), theirs.detach().numpy())


@pytest.mark.parametrize("name", ["mamba_dt_bias"])
def test_mambas_step_bias_follows_the_law_of_both_models(name, mamba, mamba2):
    """A two-sample Kolmogorov–Smirnov test does not tell them; the model's values keep to the promised bounds."""
    for theirs in (mamba.dt_proj.bias, mamba2.dt_bias):
        values = theirs.detach().numpy()
        law = get(name, "recipe").law(values.shape)

        # float32's exp, expm1 and log: some roundings of a value below 7
        assert law.low - 32 * UNIT <= values.min()
        assert values.max() <= law.high + 32 * UNIT
        assert stats.ks_2samp(draw(name, (200_000,)), values, method="asymp").pvalue > FALSE_ALARM


@pytest.mark.parametrize("name", ["mamba_dt_proj"])
def test_mambas_step_projection_follows_the_law_of_the_model(name, mamba):
    """Uniform within ±1 / √dt_rank."""
    theirs = mamba.dt_proj.weight.detach().numpy()

    ours = draw(name, theirs.shape, order="torch")

    assert np.abs(theirs).max() <= np.float32(1 / math.sqrt(theirs.shape[1]))
    assert stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp").pvalue > FALSE_ALARM


@pytest.mark.proves("mamba: defaults")
def test_defaults_are_those_of_mamba():
    """The steps that transformers' configurations begin with."""
    defaults = {p.name: p.default for p in inspect.signature(MambaConfig).parameters.values()}
    ours = get("mamba_dt_bias", "recipe").config()

    assert list(ours.values()) == [defaults[f"time_step_{part}"] for part in ("min", "max", "floor")]
