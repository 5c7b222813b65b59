"""transformers says what the tensors of the language models in specs/ are, and which laws its own code gives them.

That it loads them and computes with them is for test_transformers.py to say.
"""

from __future__ import annotations

import pytest
import torch
import transformers
from architectures import LANGUAGE
from models import assert_same_statistics, assert_same_tensors, plan_of, published_sizes, saved

FRAMEWORK = f"torch {torch.__version__}, transformers {transformers.__version__}"


def each(names):
    """Parameters that count as checks of the spec of that name on the page of verdicts."""
    return [pytest.param(name, marks=pytest.mark.proves(f"specs/{name}.yaml")) for name in names]


def build(name, sizes, dtype=None):
    """A model with the initial weights of its own code."""
    architecture = LANGUAGE[name]
    return architecture.model._from_config(architecture.config(sizes), dtype=dtype or architecture.dtype)


@pytest.mark.parametrize("name", each(LANGUAGE))
def test_a_spec_has_every_tensor_of_its_model_in_every_size(name):
    """In the published size, in each that its comment tells, and in a tiny one; its counts are the model's."""
    published = list(published_sizes(name))

    for count, sizes in (*published, (None, LANGUAGE[name].tiny)):
        with torch.device("meta"):
            model = build(name, sizes)
        plan = plan_of(name, sizes)
        assert_same_tensors(plan, model)
        assert count in (None, plan.size)
    assert len(published) >= 2


@pytest.mark.parametrize("name", each(LANGUAGE))
def test_every_kind_of_tensor_has_the_law_of_the_models_own_code(drawn, name):
    """Mean and std of each kind lie within five standard errors of those of a model that transformers initialized."""
    torch.manual_seed(1234)
    theirs = saved(build(name, LANGUAGE[name].tiny, torch.float32))

    assert_same_statistics(drawn(name), theirs)


@pytest.mark.proves("specs/mamba.yaml")
def test_the_states_of_mamba_are_transformers_own(drawn):
    """A_log is not drawn: ln(1), ln(2), … in every row, each side within one unit in the last place of float32."""
    fresh, ours = build("mamba", LANGUAGE["mamba"].tiny).state_dict(), drawn("mamba")

    for name in (name for name in ours if name.endswith("A_log")):
        torch.testing.assert_close(ours[name], fresh[name], rtol=2**-22, atol=0)


@pytest.mark.proves("specs/bert.yaml")
def test_the_padding_row_of_bert_is_zero_and_no_other(drawn):
    """Row 0 of the word embeddings, in a fresh model and in ours."""
    name = "bert.embeddings.word_embeddings.weight"
    fresh, ours = build("bert", LANGUAGE["bert"].tiny).state_dict(), drawn("bert")

    for tables in (fresh, ours):
        assert (tables[name] == 0).all(dim=1).nonzero().tolist() == [[0]]
