"""Recipes that draw by the model's sizes: stds and bounds, the order of axes, refusals, drawn values."""

import json
from math import inf, log, sqrt
from typing import Any

import numpy as np
import pytest

from initcli.dtypes import DTYPES
from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers import find, get, recipe_depth, recipe_parts, recipe_stacks, recipe_width
from initcli.initializers.registry import registered
from initcli.moments import measure
from initcli.report import agrees
from initcli.resolution import load_plan
from initcli.scratch import Scratch

STD_WITHIN_2 = 0.87962566103423975
STD_WITHIN_3 = 0.98657839255810862
U = 1 / sqrt(3)

# Measured of the authors' own code, or by their formula, in torch's order of axes; the versions stand in the classes'
# sources: (recipe, parameters, shape, std, bound).
MEASURED: list[tuple[str, dict[str, Any], tuple[int, ...], float, float]] = [
    ("transformers_lecun_normal", {}, (1000, 500), 0.0508413539203, 2),
    ("gpt2_residual", {"layers": 3}, (1024, 256), 0.00816496580928, inf),
    ("trunc_normal_tf", {"std": 0.02}, (500, 500), 0.0175925132207, 0.04),
    ("lecun_normal", {}, (512, 512), 0.0441941738242, 0.100484048572),
    ("small_init", {}, (512, 512), 0.0279508497187, inf),
    ("scaled_normal", {"layers": 24}, (512, 512), 0.00288675134595, inf),
    ("single_residual_scaled_normal", {"layers": 24}, (512, 512), 0.00408248290464, inf),
    ("siren", {}, (256, 256), 0.00294627825494, 0.0051031036308),
    ("olmo_mitchell_out", {"layer": 0}, (512, 2048), 0.0154152873837, 0.046875),
    ("megatron_scaled", {"layers": 32}, (512, 512), 0.0025, inf),
    ("lora_a", {}, (16, 4096), 0.00902109795609, 0.015625),
    ("lora_a_gaussian", {}, (16, 4096), 0.0625, inf),
]

ALONE, ENCODER, DECODER = {"layers": 24}, {"layers": 6, "stack": "encoder", "decoder_layers": 12}, {"stack": "decoder"}

# By hand from the sources, at (90, 40) in torch's order: fan_in 40, fan_out 90: (recipe, parameters, std, bound).
CLOSED: list[tuple[str, dict[str, Any], float, float]] = [
    ("gpt2_residual", {"layers": 8, "std": 1}, 0.25, inf),
    ("single_residual_scaled_normal", {"layers": 16, "std": 1}, 0.25, inf),
    ("megatron_scaled", {"layers": 8, "std": 1, "width_mult": 4}, 0.125, inf),
    ("megatron_scaled", {"layers": 16, "std": 1, "residuals": 1}, 0.25, inf),
    ("beit_residual", {"layer": 0}, 0.02 / sqrt(2), inf),
    ("beit_residual", {"layer": 7, "std": 1}, 0.25, inf),
    ("transformers_embedding", {}, 0.02, inf),
    ("transformers_embedding", {"std": 1, "padding_idx": -1}, sqrt(1 - 1 / 90), inf),
    ("small_init", {}, 0.1, inf),
    ("small_init", {"d": 10}, 0.2, inf),
    ("wang_init", {"layers": 4}, 0.5 / sqrt(40), inf),
    ("wang_init", {"layers": 4, "d": 100}, 0.05, inf),
    ("olmo_mitchell", {}, STD_WITHIN_3 / sqrt(40), 3 / sqrt(40)),
    ("olmo_mitchell", {"d": 100, "cutoff": 2}, STD_WITHIN_2 / 10, 0.2),
    ("olmo_mitchell_out", {"layer": 4}, STD_WITHIN_3 / 20, 3 / 20),
    ("olmo_mitchell_out", {"layer": 1, "d": 100}, STD_WITHIN_3 / 20, 3 / 20),
    ("olmo_full_megatron", {}, 0.02 * STD_WITHIN_3, 0.06),
    ("olmo_full_megatron", {"std": 1, "cutoff": 2}, STD_WITHIN_2, 2),
    ("olmo_full_megatron_out", {"layers": 8}, 0.005 * STD_WITHIN_3, 0.015),
    ("mup_normal", {"width_mult": 4}, 0.5, inf),
    ("mup_normal", {"width_mult": 0.25, "std": 0.02}, 0.04, inf),
    ("mup_readout", {"width_mult": 4}, sqrt(4 / 40) * U, sqrt(4 / 40)),
    ("deepnorm", {**ALONE, "weight": "fc1"}, (8 * 24) ** -0.25 / sqrt(120), (8 * 24) ** -0.25 / sqrt(40)),
    ("deepnorm", {"layers": 2, "weight": "fc2"}, 0.5 / sqrt(120), 0.5 / sqrt(40)),
    ("deepnorm", {"layers": 2, "weight": "v_proj"}, 0.5 / sqrt(130), 0.5 * sqrt(3 / 130)),
    ("deepnorm", {"layers": 2, "weight": "out_proj"}, 0.5 * sqrt(2 / 130), 0.5 * sqrt(6 / 130)),
    ("deepnorm", {**DECODER, "layers": 108, "weight": "fc1"}, 1 / 6 / sqrt(120), 1 / 6 / sqrt(40)),
    (
        "deepnorm",
        {**ENCODER, "weight": "out_proj"},
        1.15 * (6**4 * 12) ** (-1 / 16) * sqrt(2 / 130),
        1.15 * (6**4 * 12) ** (-1 / 16) * sqrt(6 / 130),
    ),
    ("subln", {**ALONE, "weight": "fc1"}, sqrt(log(48) / 120), sqrt(log(48) / 40)),
    ("subln", {**DECODER, "layers": 12, "weight": "v_proj"}, sqrt(log(36) / 130), sqrt(log(36) * 3 / 130)),
    (
        "subln",
        {**ENCODER, "weight": "out_proj"},
        sqrt(log(36) * log(12) / 3 * 2 / 130),
        sqrt(log(36) * log(12) / 3 * 6 / 130),
    ),
    ("t_fixup", {"layers": 16, "stack": "encoder"}, 0.335 * sqrt(2 / 130), 0.335 * sqrt(6 / 130)),
    ("t_fixup", {"layers": 6, "stack": "decoder"}, 0.368893973233 * sqrt(2 / 130), 0.368893973233 * sqrt(6 / 130)),
    ("t_fixup_embedding", {"layers": 9, "d": 100}, 1 / 30, inf),
    ("fixup", {"layers": 16}, sqrt(2 / 90) / 4, inf),
    ("fixup", {"layers": 16, "branch_layers": 3}, sqrt(2 / 90) / 2, inf),
    ("fixup", {"layers": 64, "branch_layers": 4}, sqrt(2 / 90) / 2, inf),
    ("layer_scale", {}, 0, 1e-5),
    ("layer_scale", {"value": 0.1}, 0, 0.1),
    ("siren", {"omega_0": 10}, sqrt(6 / 40) / 10 * U, sqrt(6 / 40) / 10),
    ("siren", {"is_first": True}, U / 40, 1 / 40),
    ("lora_a", {}, U / sqrt(40), 1 / sqrt(40)),
    ("lora_a_gaussian", {}, 1 / 90, inf),
    ("lora_a_gaussian", {"r": 8}, 1 / 8, inf),
    ("lora_b", {}, 0, 0),
    ("moco_qkv", {}, sqrt(2 / 70), sqrt(6 / 70)),
    ("trunc_normal_tf", {}, STD_WITHIN_2, 2),
    ("trunc_normal_tf", {"mean": 1, "std": 0.5, "a": -3, "b": 3}, 0.5 * STD_WITHIN_3, 2.5),
    ("lecun_normal", {}, 1 / sqrt(40), 2 / STD_WITHIN_2 / sqrt(40)),
    ("transformers_lecun_normal", {}, 1 / STD_WITHIN_2 / sqrt(40), 2),
]


def make(name: str, parameters: dict[str, Any], framework: str = "torch") -> Any:
    return get(f"recipe.{name}", framework=framework, **parameters)


@pytest.mark.parametrize(("name", "parameters", "shape", "std", "bound"), MEASURED)
def test_a_recipe_has_the_std_and_bound_that_its_authors_code_has(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], std: float, bound: float
) -> None:
    """To the twelve digits that the figures were noted with."""
    law = make(name, parameters).law(shape)

    assert (law.mean, law.std, law.high) == pytest.approx((0, std, bound), rel=1e-11)


@pytest.mark.parametrize(("name", "parameters", "std", "bound"), CLOSED)
def test_a_recipe_is_its_closed_form(name: str, parameters: dict[str, Any], std: float, bound: float) -> None:
    """At every parameter there is, to the last digits of a double, or of the figure that was noted."""
    law = make(name, parameters).law((90, 40))

    assert (law.std, law.high) == pytest.approx((std, bound), rel=2e-12)


@pytest.mark.parametrize(("name", "parameters", "std", "bound"), CLOSED)
def test_what_a_recipe_draws_agrees_with_its_law(
    name: str, parameters: dict[str, Any], std: float, bound: float
) -> None:
    """Mean, std and bounds, within five standard errors."""
    initializer = make(name, {**parameters, "seed": 5})
    law = initializer.law((90, 400))

    values = initializer((90, 400), name="w")

    assert agrees(law, DTYPES["float32"], measure(values.ravel(), law.mean, Scratch()))


def test_every_random_recipe_stands_in_the_table() -> None:
    """A new one must be given its closed form."""
    modules = {module.__name__ for module in (recipe_depth, recipe_width, recipe_stacks, recipe_parts)}
    known = {cls.name for cls in registered().values() if cls.__module__ in modules}

    assert known == {find(f"recipe.{name}").name for name, *_ in CLOSED}


# Recipes that read a fan: (recipe, parameters, what the law depends on).
BY_FAN: list[tuple[str, dict[str, Any], str]] = [
    ("small_init", {}, "fan_in"),
    ("wang_init", {"layers": 24}, "fan_in"),
    ("olmo_mitchell", {}, "fan_in"),
    ("olmo_mitchell_out", {"layer": 3}, "fan_in"),
    ("mup_readout", {"width_mult": 2}, "fan_in"),
    ("deepnorm", {"layers": 2, "weight": "fc1"}, "fan_in"),
    ("deepnorm", {"layers": 2, "weight": "out_proj"}, "both"),
    ("subln", {"layers": 2, "weight": "fc2"}, "fan_in"),
    ("t_fixup", {"layers": 2, "stack": "encoder"}, "both"),
    ("fixup", {"layers": 2}, "fan_out"),
    ("siren", {}, "fan_in"),
    ("siren", {"is_first": True}, "fan_in"),
    ("lora_a", {}, "fan_in"),
    ("lora_a_gaussian", {}, "fan_out"),
    ("moco_qkv", {}, "weighed"),
    ("lecun_normal", {}, "fan_in"),
    ("transformers_lecun_normal", {}, "fan_in"),
]


@pytest.mark.parametrize(("name", "parameters", "kind"), BY_FAN)
def test_the_framework_of_the_spec_says_which_axis_is_which(name: str, parameters: dict[str, Any], kind: str) -> None:
    """(out, in) in torch's order is the same law as (in, out) in Keras's, and another than (in, out) in torch's."""
    torch, keras = make(name, parameters), make(name, parameters, "keras")

    assert torch.law((96, 40)) == keras.law((40, 96))
    assert (torch.law((96, 40)) == torch.law((40, 96))) == (kind == "both")
    assert torch.config()["order"] == "torch"


@pytest.mark.parametrize(("name", "parameters", "kind"), BY_FAN)
def test_fans_that_are_given_take_the_place_of_the_shapes(name: str, parameters: dict[str, Any], kind: str) -> None:
    """As where a spec names the axes, even for a shape that has no fans of its own; only the fan it reads matters."""
    recipe = make(name, parameters)
    fans, other_in, other_out = Fans(40, 96), Fans(41, 96), Fans(40, 99)

    law = recipe.law((3840,), fans)

    assert law == recipe.law((96, 40))
    assert (recipe.law((3840,), other_in) == law) == (kind == "fan_out")
    assert (recipe.law((3840,), other_out) == law) == (kind == "fan_in")


@pytest.mark.parametrize(("name", "parameters", "kind"), BY_FAN)
def test_a_fan_of_zero_is_a_fault_of_the_shape(name: str, parameters: dict[str, Any], kind: str) -> None:
    """Nothing is divided by it."""
    with pytest.raises(ArgumentError, match="fan that is not zero") as caught:
        make(name, parameters).law((0, 0))

    assert caught.value.parameter == "shape"


def test_kernels_count_their_receptive_field() -> None:
    """fan_in for timm's LeCun, fan_out for Fixup; the rank of an adapter is no fan of a kernel and must be named."""
    lecun = make("lecun_normal", {}).law((64, 32, 3, 3))
    fixup = make("fixup", {"layers": 4}).law((64, 32, 3, 3))

    assert lecun.std == pytest.approx(1 / sqrt(32 * 9), rel=1e-15)
    assert fixup.std == pytest.approx(sqrt(2 / (64 * 9)) / 2, rel=1e-15)
    assert make("lora_a_gaussian", {"r": 64}).law((64, 32, 3, 3)).std == 1 / 64
    for name in ("lora_a_gaussian", "moco_qkv"):
        with pytest.raises(ArgumentError) as caught:
            make(name, {}).law((64, 32, 3, 3))
        assert caught.value.parameter == "shape"


def test_a_named_width_needs_no_fans() -> None:
    """A vector has none in torch's order, and the law does not depend on them."""
    assert make("wang_init", {"layers": 2, "d": 16}).law((5,)).std == 0.25
    with pytest.raises(ArgumentError) as caught:
        make("wang_init", {"layers": 2}).law((5,))
    assert caught.value.parameter == "shape"


def test_the_cut_of_transformers_lecun_normal_is_in_values() -> None:
    """At fan_in 1 it does cut, at 2 / 1.1368 = 1.7593 std; at fan_in 100 the farthest draw of float32 lies within."""
    recipe = make("transformers_lecun_normal", {})

    assert recipe.law((8, 1)).std < 1 < 1 / STD_WITHIN_2
    assert recipe.law((8, 100)).std == pytest.approx(0.1 / STD_WITHIN_2, rel=1e-15)
    values = recipe((1000, 1), name="w")
    assert 1.9 < np.abs(values).max() <= 2


SPEC = b"""
initcli: 1
framework: torch
tensors:
  out.weight: {shape: [64, 256], init: "recipe.wang_init(24)"}
  attn.weight: {shape: [96, 64], init: {name: recipe.deepnorm, layers: 24, weight: v_proj}}
  h.0.weight: {shape: [64, 256], init: "recipe.olmo_mitchell_out(layer=0)"}
  h.1.weight: {shape: [64, 256], init: "recipe.olmo_mitchell_out(layer=1)"}
  q.lora_A.weight: {shape: [8, 64], init: recipe.lora_a_gaussian}
  gamma: {shape: [64], init: recipe.layer_scale}
  jax.kernel: {shape: [256, 64], init: {name: recipe.small_init, order: jax}}
"""


def test_a_spec_draws_by_recipes_in_its_own_order_of_axes() -> None:
    """Unless one names another; and the plan's own spec resolves to the same laws."""
    plan = load_plan(SPEC, "spec.yaml")
    stds = {tensor.name: tensor.law.std for tensor in plan.tensors}

    assert stds == pytest.approx(
        {
            "out.weight": 2 / 24 / 16,
            "attn.weight": (8 * 24) ** -0.25 / sqrt(160),
            "h.0.weight": STD_WITHIN_3 / sqrt(2 * 256),
            "h.1.weight": STD_WITHIN_3 / sqrt(4 * 256),
            "q.lora_A.weight": 1 / 8,
            "gamma": 0,
            "jax.kernel": sqrt(0.4 / 256),
        },
        rel=1e-14,
    )
    again = load_plan(json.dumps(plan.normalized_spec()).encode(), "spec.json")
    assert [tensor.law for tensor in again.tensors] == [tensor.law for tensor in plan.tensors]


@pytest.mark.parametrize(("name", "parameters", "std", "bound"), CLOSED)
def test_absurd_sizes_end_in_a_law_or_in_a_fault(
    name: str, parameters: dict[str, Any], std: float, bound: float
) -> None:
    """No arithmetic error escapes where every number is as great as a float64 can be."""
    counts = {"layers", "layer", "d", "decoder_layers", "residuals", "branch_layers", "r"} & parameters.keys()
    scales = {"std", "width_mult", "cutoff", "omega_0", "value"} & parameters.keys()

    for count in (int(1.7e308), 1.7e308):
        try:
            recipe = make(name, {**parameters, **dict.fromkeys(counts, count), **dict.fromkeys(scales, 1.7e308)})
            law = recipe.law((90, 40))
            law.check(DTYPES["float64"])
            assert law.std >= 0
        except ArgumentError:
            assert scales
