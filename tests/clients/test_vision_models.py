"""transformers says what the tensors of the models of images and sound in specs/ are, and which laws it gives them.

What a model has in memory is compared in the form in which `save_pretrained` writes it: tied weights left out, and ViT
under the names of the published checkpoints. That transformers loads them is for test_transformers.py to say.
"""

from __future__ import annotations

import math

import pytest
import torch
import transformers
from architectures import VISION
from models import assert_same_statistics, assert_same_tensors, plan_of, published_sizes, saved
from transformers.models.whisper.modeling_whisper import sinusoids

FRAMEWORK = f"torch {torch.__version__}, transformers {transformers.__version__}"


def each(names):
    """Parameters that count as checks of the spec of that name on the page of verdicts."""
    return [pytest.param(name, marks=pytest.mark.proves(f"specs/{name}.yaml")) for name in names]


def build(name, sizes):
    """A model with the initial weights of its own code."""
    torch.manual_seed(1234)
    return VISION[name].model(VISION[name].config(sizes))


@pytest.mark.parametrize("name", each(VISION))
def test_a_spec_has_every_tensor_of_its_model_in_every_size(name):
    """In the sizes and with the counts that its comment tells, in two layers, and in a tiny one; all without memory."""
    published = list(published_sizes(name))

    for count, sizes in (*published, (None, {"layers": 2}), (None, VISION[name].tiny)):
        with torch.device("meta"):
            model = build(name, sizes)
        plan = plan_of(name, sizes)
        assert_same_tensors(plan, model)
        assert count in (None, plan.size)
    assert len(published) >= 3


@pytest.mark.parametrize("name", each(VISION))
def test_every_kind_of_tensor_has_the_law_of_the_models_own_code(drawn, name):
    """Mean and std of each kind lie within five standard errors of those of a model that transformers initialized."""
    theirs = saved(build(name, VISION[name].tiny))

    ours = drawn(name)

    assert_same_statistics(ours, theirs)


@pytest.mark.proves("specs/whisper.yaml")
def test_the_positions_of_whispers_encoder_are_the_sinusoids_of_its_own_code(drawn):
    """Those that the code makes in float64, rounded once; its own float32 has them less exactly."""
    ours = drawn("whisper")["model.encoder.embed_positions.weight"]
    rows, _ = ours.shape
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)
        exact = sinusoids(*ours.shape)
    finally:
        torch.set_default_dtype(before)

    # One rounding of float32 below 1, and in float64 two of an exponent of at most ln 10⁴, its exponential, the product
    # with the position, the sine.
    allowed = 2.0**-25 + (rows * (2 * math.log(10_000) + 4) + 2) * 2.0**-53
    assert exact.dtype == torch.float64
    assert (ours.double() - exact).abs().max() <= allowed


@pytest.mark.proves("specs/whisper.yaml")
def test_the_padding_row_of_whisper_is_zero_and_no_other(drawn):
    """In a fresh model and in ours."""
    name = "model.decoder.embed_tokens.weight"
    fresh = saved(build("whisper", VISION["whisper"].tiny))[name]
    ours = drawn("whisper")[name]

    for table in (fresh, ours):
        assert (table == 0).all(dim=1).nonzero().tolist() == [[VISION["whisper"].tiny["pad"]]]
