"""The sizes of a model that recipes take: counts, and numbers that must be positive."""

from typing import Any

import numpy as np
import pytest

from initcli.errors import ArgumentError, InitcliError
from initcli.initializers import get
from initcli.initializers.recipe_sizes import ln, root
from initcli.resolution import load_plan


def test_roots_and_logarithms_are_rounded_once() -> None:
    """Exact where the result is a double, even of numbers beyond it; else the nearest (by mpmath 1.3 at 50 digits)."""
    assert [root(n**degree, degree) for n in (1, 3, 10**70) for degree in (2, 4, 16)] == [
        1,
        1,
        1,
        3,
        3,
        3,
        1e70,
        1e70,
        1e70,
    ]
    assert (root(192, 4), root(2, 16)) == (3.7224194364083982, 1.0442737824274138)
    assert (ln(1), ln(2)) == (0.0, 0.6931471805599453)


def test_a_bad_size_in_a_spec_is_told_with_its_place() -> None:
    """The line and column of the value, in the file."""
    text = b"initcli: 1\ntensors:\n  w: {shape: [4, 4], init: {name: recipe.gpt2_residual, layers: 0}}\n"

    with pytest.raises(InitcliError, match="`layers` must be at least 1") as caught:
        load_plan(text, "spec.yaml")

    assert str(caught.value.faults[0].position) == "spec.yaml:3:65"


STACK = {"layers": 2, "weight": "fc1"}


@pytest.mark.parametrize(
    ("name", "parameters", "culprit"),
    [
        ("gpt2_residual", {}, "layers"),
        ("gpt2_residual", {"layers": 0}, "layers"),
        ("gpt2_residual", {"layers": 2.5}, "layers"),
        ("gpt2_residual", {"layers": None}, "layers"),
        ("gpt2_residual", {"layers": True}, "layers"),
        ("gpt2_residual", {"layers": "many"}, "layers"),
        ("gpt2_residual", {"layers": 10**400}, "layers"),
        ("gpt2_residual", {"layers": 2, "std": -1}, "std"),
        ("single_residual_scaled_normal", {"layers": -3}, "layers"),
        ("megatron_scaled", {"layers": 2, "residuals": 0}, "residuals"),
        ("megatron_scaled", {"layers": 2, "width_mult": 0}, "width_mult"),
        ("beit_residual", {"layer": -1}, "layer"),
        ("small_init", {"d": 0}, "d"),
        ("small_init", {"d": 1.5}, "d"),
        ("small_init", {"order": "fortran"}, "order"),
        ("wang_init", {"layers": 0}, "layers"),
        ("olmo_mitchell", {"cutoff": 0}, "cutoff"),
        ("olmo_mitchell", {"cutoff": None}, "cutoff"),
        ("olmo_mitchell_out", {"layer": -1}, "layer"),
        ("olmo_full_megatron", {"std": "x"}, "std"),
        ("olmo_full_megatron_out", {"layers": 1, "cutoff": -3}, "cutoff"),
        ("mup_normal", {"width_mult": -1}, "width_mult"),
        ("mup_readout", {"width_mult": 0}, "width_mult"),
        ("deepnorm", {"layers": 2}, "weight"),
        ("deepnorm", {**STACK, "weight": "q_proj"}, "weight"),
        ("deepnorm", {**STACK, "stack": "both"}, "stack"),
        ("deepnorm", {**STACK, "stack": "encoder"}, "decoder_layers"),
        ("deepnorm", {**STACK, "stack": "decoder", "decoder_layers": 2}, "decoder_layers"),
        ("deepnorm", {**STACK, "stack": "encoder", "decoder_layers": 0}, "decoder_layers"),
        ("subln", {**STACK, "layers": 0}, "layers"),
        ("t_fixup", {"layers": 2}, "stack"),
        ("t_fixup", {"layers": 2, "stack": "alone"}, "stack"),
        ("t_fixup_embedding", {"layers": 2, "d": 0}, "d"),
        ("fixup", {"layers": 2, "branch_layers": 1}, "branch_layers"),
        ("layer_scale", {"value": "x"}, "value"),
        ("siren", {"omega_0": 0}, "omega_0"),
        ("siren", {"is_first": 1}, "is_first"),
        ("lora_a_gaussian", {"r": 0}, "r"),
        ("trunc_normal_tf", {"a": 3}, "a"),
        ("trunc_normal_tf", {"std": -1}, "std"),
    ],
)
def test_a_size_that_makes_no_sense_is_refused_by_its_name(name: str, parameters: dict[str, Any], culprit: str) -> None:
    """Before any shape is seen."""
    with pytest.raises(ArgumentError) as caught:
        get(f"recipe.{name}", **parameters)

    assert caught.value.parameter == culprit
    assert culprit in str(caught.value)


@pytest.mark.parametrize("layers", [24, 24.0, np.int64(24), np.float32(24)])
def test_a_whole_number_of_any_kind_is_a_count(layers: Any) -> None:
    """It is kept as an int, so that the embedded spec is the same."""
    recipe = get("recipe.deepnorm", layers=layers, weight="out_proj")

    assert recipe == get("recipe.deepnorm", layers=24, weight="out_proj")
    assert type(recipe.layers) is int
