"""Keras's sharded weights: where the shards are cut, what the index says, and sets that are not whole."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

from initcli.drawing import draw_range
from initcli.engine import check_format, generate_file
from initcli.errors import InitcliError
from initcli.formats import Contents, Format, IndexedFormat, shelf
from initcli.formats.chunks import read_chunks
from initcli.formats.detection import detect_format
from initcli.formats.hdf5_reading import NAMES_KEY
from initcli.formats.keras_shards import KerasShards, is_index, keras_shards
from initcli.formats.keras_weights import keras_weights
from initcli.formats.shard_index import MAX_INDEX_NBYTES
from initcli.plan import Plan
from initcli.resolution import load_plan
from initcli.scratch import Scratch

FIRST, SECOND, THIRD = (f"m_0000{number}.weights.h5" for number in range(3))


def plan_of(*layers: object, shape: tuple[int, ...] = (4,), seed: int = 3) -> Plan:
    spec = {"framework": "keras", "input_shape": shape, "layers": layers, "seed": seed}
    return load_plan(json.dumps(spec).encode(), "spec.json")


def dense(units: int = 4, **others: object) -> dict[str, object]:
    return {"class": "Dense", "units": units, **others}


def write(folder: Path, plan: Plan | None = None, limit: int | None = 64, force: bool = False) -> Path:
    """The index of two layers, each a kernel of 64 bytes and a bias of 16, or of another plan."""
    path = folder / "m.weights.json"
    generate_file(plan or plan_of(dense(), dense()), KerasShards(limit), path, force=force)
    return path


def weight_map_of(path: Path) -> dict[str, object]:
    return json.loads(path.read_text())["weight_map"]


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def set_weight_map(path: Path, **shards: object) -> None:
    """Change the index: `dense` stands for the first layer."""
    index = json.loads(path.read_text())
    index["weight_map"] |= {f"/layers/{name}/vars": shard for name, shard in shards.items()}
    path.write_text(json.dumps(index))


def read_everything(form: Format, path: Path) -> dict[str, np.ndarray]:
    """All ways in."""
    names = [entry.name for entry in form.read_header(path).entries]
    chunks = {chunk.name for chunk in read_chunks(form, path, names)}
    found = dict(zip(names, form.read_tensors(path, names), strict=True))
    assert chunks == {name for name in names if found[name].size}
    return found


# What is written


def test_the_index_is_as_keras_writes_it(tmp_path):
    """A list for an object of several variables, and for one the name alone; bytes of all as a fraction."""
    path = write(tmp_path, plan_of(dense(), dense(use_bias=False)))

    assert (
        path.read_text()
        == """\
{
    "metadata": {
        "total_size": 144.0
    },
    "weight_map": {
        "/layers/dense/vars": [
            "m_00000.weights.h5",
            "m_00001.weights.h5"
        ],
        "/layers/dense_1/vars": "m_00002.weights.h5"
    }
}"""
    )
    assert list_names(tmp_path) == ["m.weights.json", FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    ("limit", "sizes"), [(64, [64, 16, 64, 16]), (80, [80, 80]), (96, [80, 80]), (144, [144, 16]), (None, [160])]
)
def test_weights_fill_shards_up_to_the_size_and_not_beyond(tmp_path, limit, sizes):
    """Greedy, in the order of the layers; without a size there is one shard."""
    path = write(tmp_path, limit=limit)

    found = []
    for shard in keras_shards.list_members(path):
        with h5py.File(tmp_path / shard) as file:
            nbytes: list[int] = []
            file.visititems(lambda _, it, nbytes=nbytes: nbytes.append(getattr(it, "nbytes", 0)))
            found.append(sum(nbytes))
    assert found == sizes


def test_weights_stand_in_the_order_in_which_keras_saves_them(tmp_path):
    """Own variables, then attributes by name, private ones last; what is in a list keeps its order."""
    cells = [{"class": "LSTMCell", "units": 1}, {"class": "GRUCell", "units": 1}]
    plan = plan_of(
        {"class": "MultiHeadAttention", "num_heads": 1, "key_dim": 4, "use_gate": True},
        {"class": "Bidirectional", "layer": {"class": "LSTM", "units": 1, "return_sequences": True}},
        {"class": "SpectralNormalization", "layer": dense()},
        {"class": "RNN", "cell": cells},
        shape=(3, 4),
    )

    assert list(weight_map_of(write(tmp_path, plan, 1000))) == [
        "/layers/multi_head_attention/key_dense/vars",
        "/layers/multi_head_attention/output_dense/vars",
        "/layers/multi_head_attention/query_dense/vars",
        "/layers/multi_head_attention/value_dense/vars",
        "/layers/multi_head_attention/_gate_dense/vars",
        "/layers/bidirectional/backward_layer/cell/vars",
        "/layers/bidirectional/forward_layer/cell/vars",
        "/layers/spectral_normalization/vars",
        "/layers/spectral_normalization/layer/vars",
        "/layers/rnn/cell/cells/lstm_cell/vars",
        "/layers/rnn/cell/cells/gru_cell/vars",
    ]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("m.weights.json", "m"),
        ("m.2.weights.json", "m.2"),
        (".weights.json", ""),
        ("a.weights.b.weights.json", "a.b"),
        ("a b[0].weights.json", "a b[0]"),
    ],
)
def test_shards_are_called_after_the_index_as_keras_calls_them(tmp_path, name, stem):
    """`Path(name).stem.replace(".weights", "")`: every such part goes."""
    generate_file(plan_of(dense()), keras_shards, tmp_path / name)

    assert list_names(tmp_path) == sorted([name, f"{stem}_00000.weights.h5"])
    assert keras_shards.name_entrance(tmp_path / name) == f"{stem}_00000.weights.h5"


def test_the_first_shard_tells_the_spec_and_each_the_names_of_its_tensors(tmp_path):
    """And the header of the set has all of it, without the names."""
    path = write(tmp_path)

    told = []
    for shard in keras_shards.list_members(path):
        with h5py.File(tmp_path / shard) as file:
            told.append(dict(file.attrs))
    assert [json.loads(each.pop(NAMES_KEY)) for each in told[:2]] == [
        {"layers/dense/vars/0": "dense/kernel"},
        {"layers/dense/vars/1": "dense/bias"},
    ]
    assert [len(each) for each in told] == [3, 0, 1, 1]
    assert keras_shards.read_header(path).metadata == told[0]


def test_values_are_those_of_the_file_that_is_not_split(tmp_path):
    """However the shards are cut, and however many workers there are."""
    plan = plan_of(dense(), {"class": "SpectralNormalization", "layer": dense()}, dense(2))
    generate_file(plan, keras_weights, tmp_path / "m.weights.h5")
    whole = read_everything(keras_weights, tmp_path / "m.weights.h5")

    for limit in (64, 81, 150, 10**9):
        generate_file(plan, KerasShards(limit), tmp_path / f"{limit}.weights.json", jobs=3)
        found = read_everything(keras_shards, tmp_path / f"{limit}.weights.json")
        assert {name: value.tobytes() for name, value in found.items()} == {
            name: value.tobytes() for name, value in whole.items()
        }


def test_the_index_is_the_last_that_is_written(tmp_path):
    """After every shard's signature; and the layout is known before there is a file."""
    layout = KerasShards(64, edition=2).lay_out(
        Contents(plan_of(dense(use_bias=False)).tensors), tmp_path / "m.weights.json"
    )

    assert [seal.file.name for seal in layout.seals] == ["m_00000.2.weights.h5", FIRST, "m.weights.json"]
    assert list_names(tmp_path) == []


def test_a_weight_larger_than_a_shard_is_a_fault_of_the_spec():
    """Each is told, with its place and the size that would do."""
    plan = plan_of(dense(), dense(8))

    with pytest.raises(InitcliError) as error:
        check_format(plan, KerasShards(63))

    assert [fault.what for fault in error.value.faults] == [
        "`dense/kernel` has 64 bytes, and a shard of Keras's at most 63",
        "`dense_1/kernel` has 128 bytes, and a shard of Keras's at most 63",
    ]
    assert [fault.hint for fault in error.value.faults] == [
        f"give `--max-shard-size {size}` or more" for size in (64, 128)
    ]


def test_what_has_no_place_in_keras_is_refused_by_its_own_name():
    """A spec without layers, under the name of this format."""
    plan = load_plan(b"tensors: {a: {shape: [2], init: zeros}}", "spec.yaml")

    with pytest.raises(InitcliError, match=r"`weights\.json` keeps weights by their layers"):
        check_format(plan, keras_shards)


# Editions


def test_a_set_that_replaces_another_has_other_names_and_a_first_shard_without_weights(tmp_path):
    """Keras opens `m_00000.weights.h5` whatever the index says."""
    path = write(tmp_path)
    for seed, edition in [(4, 2), (5, 3), (6, 2)]:
        plan = plan_of(dense(), seed=seed)
        write(tmp_path, plan, force=True)

        shards = [f"m_0000{number}.{edition}.weights.h5" for number in range(2)]
        assert list_names(tmp_path) == sorted(["m.weights.json", FIRST, *shards])
        assert keras_shards.list_members(path) == shards
        with h5py.File(tmp_path / FIRST) as file:
            assert "layers" not in file
        assert json.loads(keras_shards.read_header(path).metadata["initcli.spec"])["seed"] == seed
        assert sorted(read_everything(keras_shards, path)) == ["dense/bias", "dense/kernel"]


@pytest.mark.parametrize(
    ("edition", "name", "is_member"),
    [
        (1, "m_00000.weights.h5", True),
        (1, "M_00001.WEIGHTS.h5", True),
        (1, "m_123456.weights.h5", True),
        (1, "m_0000.weights.h5", False),
        (1, "m_00000.2.weights.h5", False),
        (1, "n_00000.weights.h5", False),
        (1, "m_00000xweights.h5", False),
        (2, "m_00000.2.weights.h5", True),
        (2, "m_00000.weights.h5", False),
        (2, "m_00000.22.weights.h5", False),
    ],
)
def test_a_shard_is_told_from_those_of_other_editions_and_indexes(edition, name, is_member):
    """On a file system that knows no capitals too."""
    form: IndexedFormat = KerasShards(edition=edition)

    assert form.is_member(Path("m.weights.json"), name) == is_member


def test_a_file_of_the_first_shards_name_is_replaced_with_force_alone(tmp_path):
    """Keras would open it, whoever made it."""
    (tmp_path / FIRST).write_bytes(b"mine")

    with pytest.raises(InitcliError, match=f"{FIRST}` exists already"):
        write(tmp_path)
    path = write(tmp_path, force=True)

    assert len(read_everything(keras_shards, path)) == 4
    assert h5py.is_hdf5(tmp_path / FIRST)


def test_an_index_can_name_no_file_for_removal_but_weights_beside_it(tmp_path):
    """A hostile index does not make the program delete what is elsewhere, or is no weights."""
    folder = tmp_path / "out"
    folder.mkdir()
    (tmp_path / "precious.h5").write_bytes(b"mine")
    (folder / "notes.txt").write_bytes(b"mine")
    for shard in ("../precious.h5", "notes.txt", str(tmp_path / "precious.h5"), ["notes.txt"], {"notes.txt": 1}):
        (folder / "m.weights.json").write_text(json.dumps({"weight_map": {"/layers/dense/vars": shard}}))

        path = write(folder, force=True)

        assert (tmp_path / "precious.h5").read_bytes() == (folder / "notes.txt").read_bytes() == b"mine"
        assert len(read_everything(keras_shards, path)) == 4


def test_a_disk_that_fills_up_is_told_before_anything_is_drawn_and_the_old_shards_stay(tmp_path, monkeypatch):
    """Room for every shard is taken at once."""
    write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    asked = []

    def reserve(*_):
        asked.append(1)
        if len(asked) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", reserve, raising=False)

    with pytest.raises(InitcliError, match="disk full: needed"):
        write(tmp_path, force=True)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


# Reading


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("any", b'{"metadata": {}, "weight_map": {}}', True),
        ("any", b'\n  {\n\t"weight_map":{}}', True),
        ("any", b'{"metadata": {}}', False),
        ("any", b'["weight_map"]', False),
        ("any", b"weight_map", False),
        ("m.weights.json", b'{"weights": 1}', True),
        ("m.weights.json", b"\x89HDF", False),
    ],
)
def test_an_index_is_known_by_its_start_and_any_json_object_by_the_name_of_one(tmp_path, name, text, is_one):
    """So that the error of a file of that name speaks of an index."""
    (tmp_path / name).write_bytes(text)

    assert is_index(tmp_path / name) == is_one
    if is_one:
        assert detect_format(tmp_path / name) is keras_shards


def test_a_set_as_keras_leaves_it_is_read(tmp_path):
    """Empty groups with names of layers stand where the next shard has the variables; tensors are called by paths."""
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["layers/dense/vars/0"] = np.arange(3.0)
        file.create_group("layers/dense_1/vars").attrs["name"] = "logits"
        file.create_group("vars")
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["layers/dense_1/vars/0"] = np.arange(2)
        file["vars/0"] = 7
    weight_map = {"/layers/dense/vars": "one.h5", "/layers/dense_1/vars": ["two.h5"], "/vars": "two.h5"}
    (tmp_path / "any.json").write_text(json.dumps({"metadata": {"total_size": 48.0}, "weight_map": weight_map}))

    form = detect_format(tmp_path / "any.json")
    found = {name: value.tolist() for name, value in read_everything(form, tmp_path / "any.json").items()}

    assert form is keras_shards
    assert found == {"layers/dense/vars/0": [0, 1, 2], "layers/dense_1/vars/0": [0, 1], "vars/0": 7}


def test_tensors_are_read_in_any_order_from_more_shards_than_are_kept_open(tmp_path, monkeypatch):
    """Back and forth, each of several chunks."""
    monkeypatch.setattr(shelf, "MAX_OPEN", 2)
    wide = {"class": "Embedding", "input_dim": 50_000, "output_dim": 6}
    plan = plan_of(*[{**wide, "name": f"e{number}"} for number in range(4)], shape=(2,))
    path = write(tmp_path, plan, 1_200_000)
    names = ["e2/embeddings", "e0/embeddings", "e3/embeddings", "e1/embeddings"]
    expected = {tensor.name: draw_range(tensor, 0, tensor.size, Scratch()).tobytes() for tensor in plan.tensors}

    arrays = dict(zip(names, keras_shards.read_tensors(path, names), strict=True))
    chunks: dict[str, bytes] = {}
    for chunk in read_chunks(keras_shards, path, names):
        assert chunk.start * 4 == len(chunks.get(chunk.name, b""))
        chunks[chunk.name] = chunks.get(chunk.name, b"") + chunk.values.tobytes()

    assert len(keras_shards.list_members(path)) == 4
    assert {name: value.tobytes() for name, value in arrays.items()} == expected
    assert list(chunks) == names
    assert chunks == expected


def swap(path: Path, first: str, second: str) -> None:
    """Give two files each other's names."""
    first_data, second_data = (path.with_name(name).read_bytes() for name in (first, second))
    path.with_name(first).write_bytes(second_data)
    path.with_name(second).write_bytes(first_data)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.with_name(SECOND).unlink(), f"1 of the 3 shards that .* names are missing: `{SECOND}`$"),
        (lambda path: os.truncate(path.with_name(FIRST), 3000), f"{FIRST}` cannot be read as HDF5: .*truncated"),
        (lambda path: os.truncate(path.with_name(SECOND), 0), f"{SECOND}` is empty"),
        (lambda path: path.with_name(SECOND).write_bytes(b"{}" * 99), f"{SECOND}` cannot be read as HDF5"),
        (
            lambda path: swap(path, FIRST, THIRD),
            f"dense_1/vars` is in .*{FIRST}`, but `m.weights.json` has it in `{THIRD}`",
        ),
        (
            lambda path: set_weight_map(path, dense_1=FIRST),
            f"has `/layers/dense_1/vars` in `{FIRST}`, but it is not there",
        ),
        (
            lambda path: set_weight_map(path, dense=[FIRST], other=SECOND),
            f"is in .*{SECOND}`, but .* has it in `{FIRST}`",
        ),
        (lambda path: set_weight_map(path, more=FIRST), f"has `/layers/more/vars` in `{FIRST}`, but it is not there"),
        (lambda path: path.with_name(THIRD).write_bytes(path.with_name(FIRST).read_bytes()), f"`{FIRST}`|{THIRD}"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(bytes(500)), "was never finished"),
        (lambda path: path.write_bytes(b'{"weight_map":' * 100_000), "cannot be read as an index of shards"),
        (lambda path: path.write_bytes(b'{"weight_map": \xff'), "cannot be read as an index of shards"),
        (lambda path: path.write_bytes(b'{"weight_map": 1}'), "has no `weight_map`"),
        (lambda path: path.write_bytes(b'{"weight_map": {"a": "x", "a": "y"}}'), "'a' is there twice"),
        (lambda path: set_weight_map(path, dense=1), "no .h5 file beside it"),
        (lambda path: set_weight_map(path, dense=[FIRST, [SECOND]]), "no .h5 file beside it"),
        (lambda path: set_weight_map(path, dense="../x.h5"), "no .h5 file beside it"),
        (lambda path: set_weight_map(path, dense=["/etc/passwd"]), "no .h5 file beside it"),
        (lambda path: set_weight_map(path, dense="a\0.h5"), "no .h5 file beside it"),
        (lambda path: path.write_bytes(b'{"weight_map": ' + b" " * MAX_INDEX_NBYTES), "longer than 100,000,000 bytes"),
    ],
)
def test_a_set_that_is_not_whole_is_one_clear_error(tmp_path, spoil, words):
    """Missing, short, mixed-up or hostile: the message names the file."""
    path = write(tmp_path, plan_of(dense(), dense(use_bias=False)))
    spoil(path)

    with pytest.raises(InitcliError, match=words) as error:
        read_everything(detect_format(path), path)

    assert len(error.value.faults) == 1
    assert str(tmp_path) in error.value.faults[0].what


def test_two_shards_with_tensors_of_one_name_are_an_error(tmp_path):
    """Such as no one set has."""
    path = write(tmp_path)
    for shard in (SECOND, THIRD):
        with h5py.File(tmp_path / shard, "r+") as file:
            names = json.loads(file.attrs[NAMES_KEY])
            file.attrs[NAMES_KEY] = json.dumps(dict.fromkeys(names, "same"))

    with pytest.raises(InitcliError, match=f"`same` is in .*{THIRD}`, but .* has it in `{SECOND}`"):
        keras_shards.read_header(path)


def test_a_link_out_of_a_shard_is_not_followed(tmp_path):
    """What it leads to is not there."""
    path = write(tmp_path, plan_of(dense(use_bias=False)))
    save_file({"a": np.zeros(2)}, tmp_path / "other")
    with h5py.File(tmp_path / FIRST, "r+") as file:
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = h5py.ExternalLink("other.h5", "a")

    with pytest.raises(InitcliError, match=f"has `/layers/dense/vars` in `{FIRST}`, but it is not there"):
        keras_shards.read_header(path)


@pytest.mark.parametrize(
    "read",
    [
        lambda path: [*keras_shards.read_tensors(path, ["dens"])],
        lambda path: [*keras_shards.read_chunks(path, ["dens"])],
    ],
)
def test_a_tensor_that_is_not_there_is_told_with_the_nearest_name(tmp_path, read):
    """Of all shards."""
    with pytest.raises(InitcliError, match="holds no tensor `dens`"):
        read(write(tmp_path))
