"""transformers loads its models that specs/ has, from one file and from shards, without a word, and computes."""

from __future__ import annotations

import logging

import pytest
import torch
import transformers
from architectures import ARCHITECTURES, SINGLE_FILE, each_file, each_model, logits_of, tiny_config, tiny_options
from safetensors.torch import load_file, save_file

from initcli.formats.shard_index import SINGLE

FRAMEWORK = f"transformers {transformers.__version__}, torch {torch.__version__}"


@pytest.fixture
def heard():
    """What transformers says in its log while the test runs, but that it misses Mamba's kernels."""
    records = []
    ear = logging.Handler()
    ear.emit = records.append
    ear.addFilter(lambda record: "fast path is not available" not in record.getMessage())
    logging.getLogger("transformers").addHandler(ear)
    yield records
    logging.getLogger("transformers").removeHandler(ear)


def load(name, folder):
    """The model of a folder by its config.json alone, in the dtype of its files, and what is said of their names."""
    auto = ARCHITECTURES[name].auto
    return auto.from_pretrained(folder, dtype="auto", output_loading_info=True, local_files_only=True)


@each_file
@each_model()
@pytest.mark.loads(how="AutoModel.from_pretrained, save_pretrained")
def test_a_model_finds_its_tensors_and_saves_the_same(tiny, drawn, name, layout, heard, tmp_path):
    """Nothing is missing, unexpected, mismatched or said, and what is saved again has the same names and bits."""
    folder, ours = tiny(name, layout), drawn(name)

    model, info = load(name, folder)

    assert type(model) is ARCHITECTURES[name].model
    assert {"missing_keys", "unexpected_keys", "mismatched_keys"} < set(info)
    assert not any(info.values())
    assert not heard
    model.save_pretrained(tmp_path)
    theirs = load_file(tmp_path / SINGLE)
    assert ours.keys() == theirs.keys()
    for key, tensor in ours.items():
        assert tensor.dtype == theirs[key].dtype
        assert torch.equal(tensor, theirs[key]), key


@each_file
@each_model()
@pytest.mark.loads(how="AutoModel.from_pretrained, forward")
def test_a_model_computes(tiny, name, layout):
    """Its logits for two inputs are finite and differ."""
    model, _ = load(name, tiny(name, layout))

    logits = logits_of(name, model)

    assert model.dtype == logits.dtype == ARCHITECTURES[name].dtype
    assert torch.isfinite(logits).all()
    assert logits.float().std() > 0
    differ = logits[0] != logits[1]
    assert differ.float().mean() > 0.9


@each_model()
@pytest.mark.loads(file=SINGLE_FILE, how="AutoModel.from_pretrained")
def test_a_model_has_the_dtype_of_its_files_for_no_config_tells_another(specs, generate, name, tmp_path):
    """One in the config of a spec would be wrong under `--dtype`. T5 keeps some of its float16 in float32."""
    options = [*tiny_options(name), "--format", "safetensors", "--dtype", "float16", "--force"]

    model, info = load(name, generate(specs / f"{name}.yaml", tmp_path, *options))

    assert not any(info.values())
    assert model.dtype == torch.float16


@pytest.mark.proves("what transformers says of a tensor that is missing")
def test_a_tensor_that_is_missing_is_told(drawn, heard, tmp_path):
    """The tests above would hear it: a model without its positions has them among the missing keys and in the log."""
    tiny_config("gpt2").save_pretrained(tmp_path)
    tensors = drawn("gpt2")
    del tensors["transformer.wpe.weight"]
    save_file(tensors, tmp_path / SINGLE, metadata={"format": "pt"})

    _, info = load("gpt2", tmp_path)

    assert set(info["missing_keys"]) == {"transformer.wpe.weight"}
    assert any("transformer.wpe.weight" in record.getMessage() for record in heard)
