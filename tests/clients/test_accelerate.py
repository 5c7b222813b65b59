"""accelerate loads the models that specs/ has, from one file and from shards, into models of the same names."""

from __future__ import annotations

import accelerate
import pytest
import torch
import transformers
from accelerate.utils import load_checkpoint_in_model, load_state_dict
from architectures import ARCHITECTURES, each_file, each_model, logits_of, tiny_config

FRAMEWORK = f"accelerate {accelerate.__version__}, transformers {transformers.__version__}"

# accelerate knows no renaming: what transformers 5 calls otherwise in memory than in its files is only for itself.
IS_5 = int(transformers.__version__.partition(".")[0]) >= 5
RENAMED = ("mixtral", "vit", "clip") if IS_5 else ()
# A T5 of transformers 4 that has weights already asks for tied names that its own `save_pretrained` leaves out, too.
NOT_STRICT = RENAMED if IS_5 else ("t5",)


def assert_is_filled(name, model, ours):
    """Every parameter that is not tied to another is the file's, to the bit, and the model computes with them."""
    state = model.state_dict()
    by_address = {}
    for key, tensor in state.items():
        by_address.setdefault(tensor.data_ptr(), set()).add(key)
    for key, tensor in ours.items():
        assert torch.equal(state[key], tensor), key
    assert all(keys & ours.keys() for keys in by_address.values())
    assert torch.isfinite(logits_of(name, model)).all()


@each_file
@each_model()
@pytest.mark.loads(how="load_state_dict")
def test_accelerate_accepts_the_metadata_of_each_file(tiny, drawn, name, layout):
    """It asks for a format in the header; the files together have every tensor once, to the bit."""
    loaded = [load_state_dict(str(path)) for path in sorted(tiny(name, layout).glob("*.safetensors"))]

    ours = drawn(name)
    assert sorted(key for tensors in loaded for key in tensors) == sorted(ours)
    for tensors in loaded:
        for key, tensor in tensors.items():
            assert torch.equal(tensor, ours[key]), key


@each_file
@each_model(NOT_STRICT)
@pytest.mark.loads(how="load_checkpoint_in_model(strict=True)")
def test_a_model_with_weights_of_its_own_is_filled(tiny, drawn, name, layout):
    """Every tensor of the files has its place, and what is tied follows."""
    model = ARCHITECTURES[name].model(tiny_config(name))

    load_checkpoint_in_model(model, str(tiny(name, layout)), strict=True)

    assert_is_filled(name, model, drawn(name))


@each_file
@each_model(RENAMED)
@pytest.mark.loads(how="load_checkpoint_and_dispatch(strict=True)")
def test_a_model_without_memory_is_filled(tiny, drawn, name, layout):
    """`init_empty_weights` leaves nothing but shapes, so that a parameter that no file has would stay on `meta`."""
    with accelerate.init_empty_weights():
        model = ARCHITECTURES[name].model(tiny_config(name))
    model.tie_weights()

    model = accelerate.load_checkpoint_and_dispatch(model, tiny(name, layout), device_map={"": "cpu"}, strict=True)

    assert not [key for key, parameter in model.named_parameters() if parameter.is_meta]
    assert_is_filled(name, model, drawn(name))
