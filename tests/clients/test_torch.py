"""PyTorch, safetensors and transformers load a small GPT-2 in every dtype that they share with initcli.

That its tensors are the model's own, and their laws, is for test_language_models.py to say.
"""

from __future__ import annotations

import ml_dtypes  # noqa: F401  (lets safetensors.numpy read bfloat16)
import numpy as np
import pytest
import safetensors
import safetensors.numpy
import safetensors.torch
import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

FRAMEWORK = f"torch {torch.__version__}, safetensors {safetensors.__version__}"

SIZES = {"vocab_size": 4096, "n_positions": 128, "n_embd": 128, "n_layer": 3, "n_head": 4}
SETS = ["--set", "vocab=4096", "--set", "positions=128", "--set", "d=128", "--set", "layers=3", "--set", "heads=4"]
TIED = {"lm_head.weight": "transformer.wte.weight"}
TORCH_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
TRANSFORMERS = f"transformers {transformers.__version__}, torch {torch.__version__}"

pytestmark = pytest.mark.loads(file="safetensors")
each_dtype = pytest.mark.parametrize(
    "dtype", [pytest.param(dtype, marks=pytest.mark.loads(what=f"gpt2 in {dtype}")) for dtype in TORCH_DTYPES]
)


@pytest.fixture(scope="module")
def checkpoint(specs, generate, tmp_path_factory):
    """A function: the folder of a small GPT-2 in a dtype, with config.json and a generated model.safetensors."""
    made = {}

    def make(dtype):
        if dtype not in made:
            folder = tmp_path_factory.mktemp(dtype)
            generate(specs / "gpt2.yaml", folder / "model.safetensors", "--dtype", dtype, *SETS)
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


@each_dtype
@pytest.mark.loads(how="safetensors.torch.load_file, load_state_dict(strict=True)")
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


@each_dtype
@pytest.mark.loads(how="safetensors.torch.load_model(strict=True)")
def test_load_model_ties_the_head_by_itself(checkpoint, dtype):
    """`safetensors.torch.load_model` is strict about tied tensors and still finds nothing missing or unexpected."""
    model = GPT2LMHeadModel(GPT2Config(**SIZES)).to(TORCH_DTYPES[dtype])

    missing, unexpected = safetensors.torch.load_model(model, checkpoint(dtype) / "model.safetensors", strict=True)

    assert not missing
    assert not unexpected


@each_dtype
@pytest.mark.loads(how="from_pretrained, forward", client=TRANSFORMERS)
def test_from_pretrained_loads_the_folder_without_a_word(checkpoint, dtype):
    """`from_pretrained` misses nothing, ignores nothing, mismatches nothing, keeps the bits and computes with them."""
    folder = checkpoint(dtype)

    model, info = GPT2LMHeadModel.from_pretrained(folder, dtype="auto", output_loading_info=True, local_files_only=True)

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
@pytest.mark.loads(how="safetensors.torch.load_file", what="float32 rounded to bfloat16 and float16")
def test_narrow_values_are_the_wide_ones_rounded_by_torch(checkpoint, dtype):
    """A narrow file is the float32 file under PyTorch's own conversion, bit for bit."""
    wide = safetensors.torch.load_file(checkpoint("float32") / "model.safetensors")
    narrow = safetensors.torch.load_file(checkpoint(dtype) / "model.safetensors")

    assert set(wide) == set(narrow)
    for name, tensor in wide.items():
        np.testing.assert_array_equal(words(narrow[name]), words(tensor.to(TORCH_DTYPES[dtype])))


@pytest.mark.loads(how="safetensors.safe_open", what="metadata `format: pt`")
def test_the_metadata_names_the_format_that_older_clients_ask_for(checkpoint):
    """`__metadata__` says `format: pt`: transformers 4 and accelerate refuse a file with metadata but without it."""
    with safetensors.safe_open(checkpoint("float32") / "model.safetensors", framework="pt") as file:
        assert file.metadata()["format"] == "pt"
