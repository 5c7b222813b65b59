"""Keras reads the sharded weights that initcli writes, and initcli those of Keras, which cuts them alike."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from keras_layer_cases import CASES
from test_keras_files import FRAMEWORK, MODELS, check_equal, distinct, each, fresh_names, load, model_of

from initcli.engine import check_format, generate_file
from initcli.errors import InitcliError
from initcli.formats.detection import detect_format
from initcli.formats.keras_shards import KerasShards, keras_shards

__all__ = ["FRAMEWORK", "fresh_names"]
GIB = 1024**3
"""Keras's unit of a shard's size."""


def write(plan, path, max_shard_nbytes=None, force=False):
    """The files of a plan; returned are the values by name, as initcli itself reads them."""
    generate_file(plan, KerasShards(max_shard_nbytes), path, force=force)
    names = [tensor.name for tensor in plan.tensors]
    return dict(zip(names, detect_format(path).read_tensors(path, names), strict=True))


def save(model, path, max_shard_nbytes):
    """What Keras writes itself, and its index."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy, for how Keras takes arrays from JAX
        model.save_weights(path, max_shard_size=max_shard_nbytes / GIB)
    return path.read_bytes()


def sizes_of(plan):
    """Sizes of shards that cut a model in several ways: from the largest weight alone to all in one."""
    largest, total = max(each.nbytes for each in plan.tensors), sum(each.nbytes for each in plan.tensors)
    return sorted({largest, largest + 4, largest + largest // 3, (largest + total) // 2, total})


@pytest.mark.loads(file="`.weights.json`", how="load_weights")
@each(MODELS)
def test_a_model_finds_its_weights_in_shards_of_any_size(tmp_path, name):
    """And the index is Keras's own of the same model, to the byte."""
    shape, entries = MODELS[name]
    plan, model = load(entries, shape), model_of(entries, shape)
    counts = set()

    for size in sizes_of(plan):
        (tmp_path / str(size)).mkdir()
        values = write(plan, tmp_path / str(size) / "m.weights.json", size)
        model.load_weights(tmp_path / str(size) / "m.weights.json")
        check_equal(model, values)

        theirs = save(model, tmp_path / str(size) / "theirs.weights.json", size)
        assert theirs.replace(b"theirs_", b"m_") == (tmp_path / str(size) / "m.weights.json").read_bytes()
        counts.add(len([*(tmp_path / str(size)).glob("m_*.weights.h5")]))

    assert {1, 2} < counts


@pytest.mark.loads(file="`.weights.json`", how="load_weights", what="a layer in two shards")
def test_weights_of_one_layer_in_two_shards_are_found(tmp_path):
    """The kernel fills its shard, and the bias has the next."""
    entries = [("Dense", {"units": 4}), ("Dense", {"units": 4})]
    plan, model = load(entries, [4]), model_of(entries, [4])

    values = write(plan, tmp_path / "m.weights.json", 64)
    model.load_weights(tmp_path / "m.weights.json")

    index = json.loads((tmp_path / "m.weights.json").read_text())["weight_map"]
    assert index["/layers/dense/vars"] == ["m_00000.weights.h5", "m_00001.weights.h5"]
    check_equal(model, values)


@pytest.mark.loads(file="`.weights.json`", how="load_weights", what="every layer")
@pytest.mark.parametrize(("name", "parameters", "shape"), [*distinct(CASES)])
def test_every_layer_has_its_weights_where_keras_puts_them(tmp_path, name, parameters, shape):
    """Wrappers, cells and attention too. A weight of two objects Keras writes twice, and initcli once."""
    plan, model = load([(name, parameters)], shape), model_of([(name, parameters)], shape)
    size = max(each.nbytes for each in plan.tensors)

    values = write(plan, tmp_path / "m.weights.json", size)
    model.load_weights(tmp_path / "m.weights.json")
    check_equal(model, values)

    ours = (tmp_path / "m.weights.json").read_bytes()
    theirs = save(model, tmp_path / "theirs.weights.json", size).replace(b"theirs_", b"m_")
    if all(len(each.stored.paths) == 1 for each in plan.tensors):
        assert ours == theirs
    else:
        assert json.loads(ours)["weight_map"].keys() == json.loads(theirs)["weight_map"].keys()


@pytest.mark.loads(file="`.weights.json`", how="load_weights")
@pytest.mark.parametrize(
    "dtype", [pytest.param(name, marks=pytest.mark.loads(what=name)) for name in ("bfloat16", "float16")]
)
def test_a_model_of_another_type_finds_its_weights(tmp_path, dtype):
    """As Keras stores them itself, and cut by their own sizes."""
    entries = [("Dense", {"units": 4}), ("Dense", {"units": 3})]
    size = 6 * 4 * 2
    plan, model = load(entries, [6], dtype=dtype), model_of(entries, [6], dtype)

    values = write(plan, tmp_path / "m.weights.json", size)
    model.load_weights(tmp_path / "m.weights.json")

    check_equal(model, values)
    theirs = save(model, tmp_path / "theirs.weights.json", size)
    assert theirs.replace(b"theirs_", b"m_") == (tmp_path / "m.weights.json").read_bytes()


@pytest.mark.loads(file="`.weights.json`", how="load_weights", what="replaced weights")
def test_weights_that_replace_others_are_the_ones_that_are_found(tmp_path):
    """Again and again: the shards have other names each time, and Keras asks for the first by its own."""
    shape, entries = MODELS["transformer block"]
    model = model_of(entries, shape)

    for seed in range(4):
        plan = load(entries, shape, seed=seed)
        values = write(plan, tmp_path / "m.weights.json", max(each.nbytes for each in plan.tensors), force=True)
        model.load_weights(tmp_path / "m.weights.json")

        check_equal(model, values)


@pytest.mark.loads(file="`.weights.json`", how="load_weights", what="what is refused")
def test_a_weight_larger_than_a_shard_is_refused_as_keras_refuses_it(tmp_path):
    """Before anything is written, with the size that would do."""
    plan, model = load([("Dense", {"units": 4})], [6]), model_of([("Dense", {"units": 4})], [6])

    with pytest.raises(ValueError, match="exceeds the maximum shard size"):
        save(model, tmp_path / "theirs.weights.json", 95)
    with pytest.raises(InitcliError, match="96 bytes") as error:
        check_format(plan, KerasShards(95))

    assert error.value.faults[0].hint == "give `--max-shard-size 96` or more"


@pytest.mark.loads(file="`.weights.json`", how="save_weights, read back")
@each(MODELS)
def test_what_keras_saves_is_read(tmp_path, name):
    """Its tensors are called by their paths in the shards."""
    shape, entries = MODELS[name]
    model = model_of(entries, shape)
    path = tmp_path / "m.weights.json"
    save(model, path, max(np.asarray(weight).nbytes for weight in model.weights))

    form = detect_format(path)
    names = [entry.name for entry in form.read_header(path).entries]
    found = dict(zip(names, form.read_tensors(path, names), strict=True))

    called = {tensor.stored.paths[0]: tensor.name for tensor in load(entries, shape).tensors}
    assert form is keras_shards
    check_equal(model, {called[where]: value for where, value in found.items()})
