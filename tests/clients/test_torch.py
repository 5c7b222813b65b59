"""PyTorch and transformers themselves say what GPT-2's tensors are, and load the files."""

from __future__ import annotations

import math
import re

import ml_dtypes  # noqa: F401  (lets safetensors.numpy read bfloat16)
import numpy as np
import pytest
import safetensors
import safetensors.numpy
import safetensors.torch
import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

FRAMEWORK = f"torch {torch.__version__}, transformers {transformers.__version__}"

SIZES = {"vocab_size": 4096, "n_positions": 128, "n_embd": 128, "n_layer": 3, "n_head": 4}
TIED = {"lm_head.weight": "transformer.wte.weight"}
TORCH_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@pytest.fixture(scope="module")
def checkpoint(make_specs, generate, tmp_path_factory):
    """A function: the folder of a small GPT-2 in a dtype, with config.json and a generated model.safetensors."""
    made = {}

    def make(dtype):
        if dtype not in made:
            folder = tmp_path_factory.mktemp(dtype)
            spec = folder / "spec.yaml"
            spec.write_text(make_specs.render_gpt2(make_specs.GPT2(**SIZES), dtype), "utf-8")
            generate(spec, folder / "model.safetensors")
            GPT2Config(**SIZES, dtype=dtype, architectures=["GPT2LMHeadModel"]).save_pretrained(folder)
            made[dtype] = folder
        return made[dtype]

    return make


def words(array):
    """The bits of a 16- or 32-bit array or tensor, as a NumPy integer array."""
    if isinstance(array, torch.Tensor):
        array = array.detach().contiguous()
        array = array.view(torch.int16 if array.element_size() == 2 else torch.int32).numpy()
    return array.view(f"<i{array.itemsize}")


def logits_of(model, dtype):
    """The logits of one short prompt, in float32."""
    with torch.inference_mode():
        prompt = torch.arange(16).reshape(1, 16)
        return model.to(dtype).eval()(prompt).logits.float()


@pytest.mark.proves("specs/gpt2.yaml")
def test_the_gpt2_spec_is_what_its_script_writes(specs, make_specs):
    """`make_specs.py` reproduces specs/gpt2.yaml byte for byte."""
    assert (specs / "gpt2.yaml").read_bytes() == make_specs.render_gpt2(make_specs.GPT2()).encode()


@pytest.mark.proves("specs/gpt2.yaml")
def test_the_gpt2_spec_has_every_tensor_of_transformers(shapes):
    """Names, shapes and order are those of the state dict less the tied head; the count is 124,439,808."""
    with torch.device("meta"):
        model = GPT2LMHeadModel(GPT2Config())
    state = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}

    ours = shapes("gpt2.yaml")

    assert model.config.tie_word_embeddings
    assert dict(model._tied_weights_keys) == TIED
    assert model.lm_head.weight is model.transformer.wte.weight
    assert list(ours.items()) == [(name, shape) for name, shape in state.items() if name not in TIED]
    assert sum(map(math.prod, ours.values())) == sum(p.numel() for p in model.parameters()) == 124_439_808


@pytest.mark.proves("specs/gpt2.yaml")
def test_the_specs_sizes_are_the_defaults_of_transformers(make_specs):
    """The script's default sizes and std are those of `GPT2Config()`."""
    theirs, ours = GPT2Config(), make_specs.GPT2()

    for name in make_specs.GPT2.__dataclass_fields__:
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.residual_std == theirs.initializer_range / math.sqrt(2 * theirs.n_layer)


@pytest.mark.parametrize("dtype", TORCH_DTYPES)
@pytest.mark.proves("load_state_dict(strict)")
def test_a_strict_state_dict_takes_every_tensor(checkpoint, dtype):
    """`load_file` and a strict `load_state_dict` find each name once, in its shape and dtype, with the file's bits."""
    path = checkpoint(dtype) / "model.safetensors"
    state = safetensors.torch.load_file(path)
    model = GPT2LMHeadModel(GPT2Config(**SIZES)).to(TORCH_DTYPES[dtype])

    model.load_state_dict(state | {head: state[tied] for head, tied in TIED.items()}, strict=True)

    expected = safetensors.numpy.load_file(path)
    assert set(state) == set(expected) == set(model.state_dict()) - set(TIED)
    for name, array in expected.items():
        assert state[name].dtype == TORCH_DTYPES[dtype]
        np.testing.assert_array_equal(words(model.state_dict()[name]), words(array))
    assert torch.isfinite(logits_of(model, torch.float32)).all()


@pytest.mark.parametrize("dtype", TORCH_DTYPES)
@pytest.mark.proves("safetensors load_model")
def test_load_model_ties_the_head_by_itself(checkpoint, dtype):
    """`safetensors.torch.load_model` is strict about tied tensors and still finds nothing missing or unexpected."""
    model = GPT2LMHeadModel(GPT2Config(**SIZES)).to(TORCH_DTYPES[dtype])

    missing, unexpected = safetensors.torch.load_model(model, checkpoint(dtype) / "model.safetensors", strict=True)

    assert not missing
    assert not unexpected


@pytest.mark.parametrize("dtype", TORCH_DTYPES)
@pytest.mark.proves("from_pretrained")
def test_from_pretrained_loads_the_folder_without_a_word(checkpoint, dtype):
    """`from_pretrained` misses nothing, ignores nothing, mismatches nothing, keeps the bits and computes with them."""
    folder = checkpoint(dtype)

    model, info = GPT2LMHeadModel.from_pretrained(folder, output_loading_info=True, local_files_only=True)

    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert not info["mismatched_keys"]
    assert model.dtype == TORCH_DTYPES[dtype]
    assert model.lm_head.weight.data_ptr() == model.transformer.wte.weight.data_ptr()
    for name, array in safetensors.numpy.load_file(folder / "model.safetensors").items():
        np.testing.assert_array_equal(words(model.state_dict()[name]), words(array))
    logits = logits_of(model, torch.float32)
    assert torch.isfinite(logits).all()
    assert logits.std() > 0


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.proves("bfloat16 and float16")
def test_narrow_values_are_the_wide_ones_rounded_by_torch(checkpoint, dtype):
    """A narrow file is the float32 file under PyTorch's own conversion, bit for bit."""
    wide = safetensors.torch.load_file(checkpoint("float32") / "model.safetensors")
    narrow = safetensors.torch.load_file(checkpoint(dtype) / "model.safetensors")

    assert set(wide) == set(narrow)
    for name, tensor in wide.items():
        np.testing.assert_array_equal(words(narrow[name]), words(tensor.to(TORCH_DTYPES[dtype])))


@pytest.mark.proves("safetensors metadata")
def test_the_metadata_names_the_format_that_older_clients_ask_for(checkpoint):
    """`__metadata__` says `format: pt`: transformers 4 and accelerate refuse a file with metadata but without it."""
    with safetensors.safe_open(checkpoint("float32") / "model.safetensors", framework="pt") as file:
        assert file.metadata()["format"] == "pt"


def class_of(name):
    """The part of the network that a tensor belongs to, whatever its layer."""
    return re.sub(r"\.h\.\d+\.", ".h.*.", name)


def pool_by_class(state):
    """All elements of each class of tensors, in float64."""
    pools = {}
    for name, tensor in state.items():
        if name not in TIED:
            pools.setdefault(class_of(name), []).append(tensor.detach().double().numpy().ravel())
    return {name: np.concatenate(arrays) for name, arrays in pools.items()}


@pytest.mark.proves("GPT-2 statistics")
def test_statistics_by_class_are_those_of_a_fresh_model(checkpoint):
    """Mean and std of every class of tensors lie within five standard errors of transformers' own initial values."""
    torch.manual_seed(1234)
    theirs = pool_by_class(GPT2LMHeadModel(GPT2Config(**SIZES)).state_dict())
    ours = pool_by_class(safetensors.torch.load_file(checkpoint("float32") / "model.safetensors"))

    assert set(ours) == set(theirs)
    for name, values in ours.items():
        n, std = values.size, theirs[name].std()
        # Both samples have n values; for a normal law SE(mean) = std/√n and SE(std) = std/√(2n). Where std is 0
        # (biases, layer norms), both must be the same constant.
        assert abs(values.mean() - theirs[name].mean()) <= 5 * std * math.sqrt(2 / n), name
        assert abs(values.std() - std) <= 5 * std * math.sqrt(2 / (2 * n)), name
