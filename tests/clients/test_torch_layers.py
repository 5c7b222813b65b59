"""PyTorch's own layers say what `reset_parameters` draws: each entry beside the tensor of a new layer."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from closed_forms import FALSE_ALARM, normal, uniform
from scipy import stats

from initcli.initializers import get, registered

FRAMEWORK = f"torch {torch.__version__}"

OURS, THEIRS = 42, 1234  # seeds

nn = torch.nn


def bounded(count):
    """The uniform law within ± 1 / √count."""
    return uniform(-1 / math.sqrt(count), 1 / math.sqrt(count))


# entry, parameters, the tensor of a new layer, and the law in closed form, its fan written out by hand
RANDOM = [
    ("linear_default", {}, lambda: nn.Linear(784, 2000).weight, bounded(784)),
    ("linear_default", {}, lambda: nn.MultiheadAttention(256, 4).out_proj.weight, bounded(256)),
    ("linear_default", {}, lambda: nn.Conv1d(40, 512, 5).weight, bounded(40 * 5)),
    ("linear_default", {}, lambda: nn.Conv2d(16, 512, 3, groups=4).weight, bounded(4 * 9)),
    ("linear_default", {}, lambda: nn.Conv3d(8, 64, 3).weight, bounded(8 * 27)),
    # transposed: the fan is that of the outs
    ("linear_default", {}, lambda: nn.ConvTranspose1d(60, 100, 7).weight, bounded(100 * 7)),
    ("linear_default", {}, lambda: nn.ConvTranspose2d(512, 32, 3, groups=4).weight, bounded(8 * 9)),
    ("linear_default", {}, lambda: nn.ConvTranspose3d(40, 30, 3).weight, bounded(30 * 27)),
    ("linear_default_bias", {"fan_in": 7}, lambda: nn.Linear(7, 50_000).bias, bounded(7)),
    ("linear_default_bias", {"fan_in": 18}, lambda: nn.Conv2d(2, 20_000, 3).bias, bounded(18)),
    ("linear_default_bias", {"fan_in": 60_000}, lambda: nn.ConvTranspose1d(1, 20_000, 3).bias, bounded(60_000)),
    ("linear_default_bias", {"fan_in": 3}, lambda: nn.Bilinear(3, 1, 30_000).bias, bounded(3)),
    ("bilinear_default", {}, lambda: nn.Bilinear(30, 40, 50).weight, bounded(30)),
    ("embedding_default", {}, lambda: nn.Embedding(2000, 128).weight, normal(1)),
    ("embedding_default", {}, lambda: nn.EmbeddingBag(1000, 64).weight, normal(1)),
    ("rnn_default", {"hidden_size": 64}, lambda: nn.LSTM(100, 64).weight_ih_l0, bounded(64)),
    (
        "rnn_default",
        {"hidden_size": 64},
        lambda: nn.GRU(100, 64, 2, bidirectional=True).weight_hh_l1_reverse,
        bounded(64),
    ),
    ("rnn_default", {"hidden_size": 128}, lambda: nn.LSTM(10, 128, proj_size=32).weight_hr_l0, bounded(128)),
    ("rnn_default", {"hidden_size": 2000}, lambda: nn.LSTM(1, 2000).bias_hh_l0, bounded(2000)),
    ("rnn_default", {"hidden_size": 100}, lambda: nn.LSTMCell(60, 100).weight_ih, bounded(100)),
]

FIXED = [
    ("prelu_default", {}, lambda: nn.PReLU(7).weight),
    ("prelu_default", {"init": 0.5}, lambda: nn.PReLU(1, init=0.5).weight),
    ("linear_default", {}, lambda: nn.Linear(0, 3).weight),
    ("linear_default", {}, lambda: nn.Linear(3, 0).weight),
    ("linear_default_bias", {"fan_in": 0}, lambda: nn.Linear(0, 3).bias),
    ("embedding_default", {}, lambda: nn.Embedding(0, 3).weight),
]

REFUSED = [
    ("bilinear_default", {}, (4, 0, 3), lambda: nn.Bilinear(0, 3, 4)),
    ("rnn_default", {"hidden_size": 0}, (0, 3), lambda: nn.LSTM(3, 0)),
    ("embedding_default", {"padding_idx": 5}, (5, 3), lambda: nn.Embedding(5, 3, padding_idx=5)),
    ("embedding_default", {"padding_idx": -6}, (5, 3), lambda: nn.Embedding(5, 3, padding_idx=-6)),
    ("embedding_default", {"padding_idx": 1.0}, (5, 3), lambda: nn.Embedding(5, 3, padding_idx=1.0)),
]


def draw(make):
    """Return the values of the tensor of a new layer."""
    torch.manual_seed(THEIRS)
    return make().detach().numpy()


@pytest.mark.compares("laws")
@pytest.mark.parametrize(("name", "parameters", "make", "law"), RANDOM)
def test_values_follow_the_law_that_the_layer_draws_from(name, parameters, make, law):
    """A two-sample Kolmogorov–Smirnov test does not tell ours from the layer's; mean and std are the closed form's."""
    theirs = draw(make)
    ours = get(f"torch.{name}", seed=OURS, **parameters)(theirs.shape, name="w")

    assert stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp").pvalue > FALSE_ALARM
    kurtosis = float(law.stats("k")) + 3
    for values in (ours.astype(np.float64), theirs.astype(np.float64)):
        assert abs(values.mean()) <= 5 * law.std() / math.sqrt(values.size)
        assert abs(values.std() - law.std()) <= 5 * law.std() * math.sqrt((kurtosis - 1) / (4 * values.size))
        assert np.abs(values).max() <= np.nextafter(np.float32(law.support()[1]), np.float32(np.inf))


@pytest.mark.compares("laws")
@pytest.mark.parametrize(("name", "parameters", "make", "law"), RANDOM)
def test_the_promised_law_is_the_closed_form(name, parameters, make, law):
    """Mean, std and bounds, to the roundings of at most eight operations."""
    promised = get(f"torch.{name}", **parameters).law(tuple(make().shape))

    rounding = 8 * np.finfo(np.float64).eps
    assert promised.mean == law.mean()
    assert promised.std == pytest.approx(law.std(), rel=rounding)
    assert (promised.low, promised.high) == pytest.approx(law.support(), rel=rounding)


@pytest.mark.compares("values")
@pytest.mark.parametrize(("name", "parameters", "make"), FIXED)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors:UserWarning")
def test_what_is_not_random_agrees_element_for_element(name, parameters, make):
    """Constants, zeros and empty tensors."""
    theirs = draw(make)

    np.testing.assert_array_equal(get(f"torch.{name}", **parameters)(theirs.shape), theirs)


@pytest.mark.compares("values")
@pytest.mark.parametrize("name", ["embedding_default"])
@pytest.mark.parametrize("padding_idx", [None, 0, 3, -1, -5])
@pytest.mark.parametrize("layer", [nn.Embedding, nn.EmbeddingBag])
def test_the_same_row_is_zero(name, padding_idx, layer):
    """Counted from either end, and no other."""
    theirs = draw(lambda: layer(5, 7, padding_idx=padding_idx).weight)
    ours = get(f"torch.{name}", padding_idx=padding_idx)((5, 7))

    np.testing.assert_array_equal(ours == 0, theirs == 0)


@pytest.mark.compares("arguments")
@pytest.mark.parametrize(("name", "parameters", "shape", "make"), REFUSED)
def test_what_the_layer_refuses_is_refused_here(name, parameters, shape, make):
    """Whatever PyTorch raises, it is a ValueError here."""
    with pytest.raises((ValueError, AssertionError, IndexError)):
        make()
    with pytest.raises(ValueError, match=r"."):
        get(f"torch.{name}", **parameters).law(shape)


@pytest.mark.proves("the list of entries")
def test_every_default_is_proven():
    """What is registered for the layers is what the tables have laws or values for."""
    entries = {each.name for each in registered().values() if each.__module__.endswith(".torch_layers")}

    assert {case[0] for case in [*RANDOM, *FIXED]} == entries
