"""What the tests of whole models share: a spec beside the model of the same sizes, as transformers has and saves it.

A model on the meta device has names, shapes and dtypes but no values, so that its size costs nothing.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import yaml

from initcli.resolution import Overrides, load_plan
from initcli.spec.variables import resolve_variables

SPECS = Path(__file__).resolve().parents[2] / "specs"


def plan_of(name, sizes):
    """The plan of a spec with other sizes."""
    overrides = Overrides(variables={variable: str(size) for variable, size in sizes.items()})
    return load_plan((SPECS / f"{name}.yaml").read_bytes(), name, overrides)


def variables_of(name, sizes):
    """All variables of a spec with other sizes."""
    variables, _ = resolve_variables(yaml.safe_load((SPECS / f"{name}.yaml").read_text("utf-8"))["vars"] | sizes)
    return variables


def published_sizes(name):
    """The counts of parameters that a spec's comment tells, each with its sizes: none, and those of `--set`."""
    comment = " ".join(re.findall("^#(.*)", (SPECS / f"{name}.yaml").read_text("utf-8"), re.MULTILINE))
    own = re.search(r"([\d,]+) parameters", comment)
    others = re.findall(r"([\d,]+) with ((?:--set \w+=\d+\s*)+)", comment)
    for count, sets in ((own[1], ""), *others):
        sizes = {variable: int(size) for variable, size in re.findall(r"(\w+)=(\d+)", sets)}
        yield int(count.replace(",", "")), sizes


def saved(model):
    """The tensors by the names that `save_pretrained` gives them, without those that are tied to others."""
    from transformers.core_model_loading import revert_weight_conversion  # since transformers 5

    tied = model.all_tied_weights_keys
    return revert_weight_conversion(model, {k: v for k, v in model.state_dict().items() if k not in tied})


def described(tensors):
    """The shape and the dtype of each tensor."""
    return {name: (tuple(each.shape), str(each.dtype).removeprefix("torch.")) for name, each in tensors.items()}


def assert_same_tensors(plan, model):
    """Names, shapes and dtypes of the file, the names that are tied, and the count are those of the model."""
    ours = {tensor.name: (tensor.shape, tensor.dtype.name) for tensor in plan.tensors}
    assert ours == described(saved(model))
    assert plan.ties == model.all_tied_weights_keys
    assert plan.size == sum(parameter.numel() for parameter in model.parameters())


def write_weights(generate, path, name, sizes):
    """Let `initcli generate` write the file of a spec in other sizes, and return its path."""
    sets = [word for variable, size in sizes.items() for word in ("--set", f"{variable}={size}")]
    return generate(SPECS / f"{name}.yaml", path, *sets)


def assert_same_statistics(ours, theirs):
    """Mean and std of each kind of tensor lie within five standard errors of those of a freshly initialized model.

    SE(mean) = std/√n, and SE(std) = √((m₄ − std⁴)/n) / 2 std with the fourth central moment m₄; both are samples of n.
    Where the std is 0, both must be the same constant.
    """
    ours, theirs = pool_by_kind(ours), pool_by_kind(theirs)
    assert ours.keys() == theirs.keys()
    for kind, fresh in theirs.items():
        values, mean, std = ours[kind], fresh.mean(), fresh.std()
        if std == 0:
            np.testing.assert_array_equal(values, fresh, err_msg=kind)
            continue
        fourth = ((fresh - mean) ** 4).mean()
        assert abs(values.mean() - mean) <= 5 * std * math.sqrt(2 / fresh.size), kind
        assert abs(values.std() - std) <= 5 * math.sqrt(2 * (fourth - std**4) / fresh.size) / (2 * std), kind


def pool_by_kind(tensors):
    """All elements of each kind of tensor, in float64; a kind is a name whatever the layer and the expert."""
    pools = {}
    for name, tensor in tensors.items():
        kind = re.sub(r"\b(h|block|layers?|experts)\.\d+", r"\1.*", name)
        pools.setdefault(kind, []).append(tensor.detach().double().numpy().ravel())
    return {kind: np.concatenate(arrays) for kind, arrays in pools.items()}
