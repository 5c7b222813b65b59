"""Specs made of several files: what goes before what, and what is no file to include."""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcli.document import parse_document, read_below
from initcli.document.inclusion import MAX_FILES, include
from initcli.errors import Fault, InitcliError
from initcli.resolution import load_plan


def merge(files: dict[str, str], faults: list[Fault] | None = None) -> Any:
    """Return the plain data of `spec.yaml` with all that it includes."""
    told: list[Fault] = [] if faults is None else faults

    def read(path: PurePosixPath) -> tuple[bytes, str]:
        if str(path) not in files:
            raise InitcliError(Fault(f"no file `{path}`"))
        return files[str(path)].encode(), str(path)

    root = parse_document(files["spec.yaml"].encode(), "spec.yaml", told)
    assert root is not None
    merged = include(root, read, told).to_data()
    assert faults is not None or not told
    return merged


def test_what_a_file_states_goes_before_what_it_includes() -> None:
    """Own variables, tensors and scalars win; own rules and defaults come first, own layers last."""
    merged = merge(
        {
            "spec.yaml": "include: a.yaml\nseed: 1\nvars: {d: 1}\ntensors: {w: [1]}\nrules: [1]\nlayers: [1]\n",
            "a.yaml": "seed: 2\ndtype: int8\nvars: {d: 2, e: 2}\ntensors: {w: [2], v: [2]}\nrules: [2]\nlayers: [2]\n",
        }
    )

    assert merged == {
        "seed": 1,
        "dtype": "int8",
        "vars": {"d": 1, "e": 2},
        "tensors": {"w": [1], "v": [2]},
        "rules": [1, 2],
        "layers": [2, 1],
    }


def test_of_several_files_the_later_goes_before_the_earlier() -> None:
    """As if each were written over the one before; an included file includes others beside it."""
    merged = merge(
        {
            "spec.yaml": "include: [below/a.yaml, b.yaml]\nrules: [0]\n",
            "below/a.yaml": "include: c.yaml\nvars: {x: a, y: a}\nrules: [a]\n",
            "below/c.yaml": "vars: {x: c, y: c, z: c}\nrules: [c]\n",
            "b.yaml": "vars: {x: b}\nrules: [b]\n",
        }
    )

    assert merged == {"rules": [0, "b", "a", "c"], "vars": {"x": "b", "y": "a", "z": "c"}}


def test_a_file_that_several_include_is_there_once_under_all_of_them() -> None:
    """Its rules are not doubled, and whoever includes it may put something in the place of what it states."""
    merged = merge(
        {
            "spec.yaml": "include: [a.yaml, b.yaml]\n",
            "a.yaml": "include: c.yaml\nvars: {x: a}\nlayers: [a]\n",
            "b.yaml": "include: [c.yaml, c.yaml]\nlayers: [b]\n",
            "c.yaml": "vars: {x: c}\nlayers: [c]\n",
        }
    )

    assert merged == {"vars": {"x": "a"}, "layers": ["c", "a", "b"]}


@pytest.mark.parametrize(
    ("files", "what", "where"),
    [
        ({"spec.yaml": "include: 3"}, "`include` must name files, not an integer", "spec.yaml:1:10"),
        ({"spec.yaml": "include: ../a.yaml"}, "`../a.yaml` is no path below the spec's folder", "spec.yaml:1:10"),
        ({"spec.yaml": "include: /etc/passwd"}, "`/etc/passwd` is no path below", "spec.yaml:1:10"),
        ({"spec.yaml": "include: 'a\\b'"}, "is no path below", "spec.yaml:1:10"),
        ({"spec.yaml": 'include: "a\\0"'}, "is no path below", "spec.yaml:1:10"),
        ({"spec.yaml": "include: ''"}, "is no path below", "spec.yaml:1:10"),
        ({"spec.yaml": "include: [a.yaml]"}, "no file `a.yaml`", "spec.yaml:1:11"),
        ({"spec.yaml": "include: a.yaml", "a.yaml": "[1]"}, "an included file must be a mapping, not a list", "a.yaml"),
        (
            {"spec.yaml": "include: a.yaml", "a.yaml": "include: b.yaml", "b.yaml": "include: a.yaml"},
            "a file includes itself: `a.yaml` → `b.yaml` → `a.yaml`",
            "b.yaml:1:10",
        ),
        ({"spec.yaml": "include: a.yaml", "a.yaml": "vars: {a: 1, a: 2}"}, "key `a`", "a.yaml:1:14"),
    ],
)
def test_what_cannot_be_included_is_told_where_it_is_named(files: dict[str, str], what: str, where: str) -> None:
    """One fault, in the file that it stands in; the rest of the spec is there."""
    faults: list[Fault] = []

    merge({**files, "spec.yaml": files["spec.yaml"] + "\nseed: 3\n"}, faults)

    (fault,) = faults
    assert what in fault.what
    assert str(fault.position).startswith(where)


def test_a_file_that_includes_a_hundred_others_is_told_at_the_first_too_many() -> None:
    """And files that include each other twice are not read 2ⁿ times."""
    chain = {f"{i}.yaml": f"include: [{i + 1}.yaml, {i + 1}.yaml]" for i in range(MAX_FILES + 5)}
    faults: list[Fault] = []

    merge({"spec.yaml": "include: 0.yaml", **chain}, faults)

    assert [fault.what for fault in faults] == [f"more than {MAX_FILES} files are included"]
    assert str(faults[0].position) == f"{MAX_FILES - 1}.yaml:1:11"


def test_a_spec_from_standard_input_includes_nothing() -> None:
    """There is no folder that its files could be below."""
    faults: list[Fault] = []
    root = parse_document(b"include: a.yaml", "<stdin>", faults)
    assert root is not None

    include(root, None, faults)

    assert [fault.what for fault in faults] == ["a spec from standard input includes no files"]


def test_a_link_out_of_the_specs_folder_is_refused(tmp_path: Path) -> None:
    """A link to a file, and a folder that is a link; one that stays inside is followed."""
    (tmp_path / "outside.yaml").write_text("vars: {d: 3}\n")
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "spec.yaml").write_text(
        "include: [link.yaml, up/outside.yaml, own.yaml]\ntensors: {w: {shape: [d], init: zeros}}"
    )
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (folder / "up").symlink_to(tmp_path)
    (folder / "inside.yaml").write_text("vars: {d: 4}\n")
    (folder / "own.yaml").symlink_to(folder / "inside.yaml")
    source = str(folder / "spec.yaml")

    with pytest.raises(InitcliError) as caught:
        load_plan((folder / "spec.yaml").read_bytes(), source, read=partial(read_below, source))

    assert [fault.what for fault in caught.value.faults] == [
        f"`{folder}/link.yaml` leads out of the spec's folder",
        f"`{folder}/up/outside.yaml` leads out of the spec's folder",
    ]


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])


@given(st.lists(st.dictionaries(NAMES, st.integers(1, 9), min_size=1, max_size=4), min_size=1, max_size=4))
def test_including_files_is_the_same_as_pasting_them(files: list[dict[str, int]]) -> None:
    """A chain of files, each with tensors, a variable and a rule, against one spec that has all of them."""
    texts, pasted, rules = {}, {"last": len(files)}, []
    for i, dims in enumerate(files):
        tensors = {f"{i}.{name}": dim for name, dim in dims.items()} | {"last": i}
        rule = f'{{match: "{i}.*", init: constant(x)}}'
        head = f"include: {i + 1}.yaml\n" if i + 1 < len(files) else ""
        lines = "".join(f'  "{name}": {{shape: [{dim}]}}\n' for name, dim in tensors.items() if name != "last")
        texts[f"{i}.yaml"] = (
            f"{head}vars: {{x: {i}}}\ntensors:\n{lines}  last: {{shape: [{i}], init: zeros}}\nrules: [{rule}]\n"
        )
        pasted = {**tensors, **pasted, "last": 0}
        rules.append(rule)
    lines = "".join(f'  "{name}": {{shape: [{dim}]}}\n' for name, dim in pasted.items() if name != "last")
    whole = f"vars: {{x: 0}}\ntensors:\n{lines}  last: {{shape: [0], init: zeros}}\nrules: [{', '.join(rules)}]\n"

    plan = load_plan(texts["0.yaml"].encode(), "0.yaml", read=lambda path: (texts[str(path)].encode(), str(path)))
    again = load_plan(whole.encode(), "spec.yaml")

    assert {t.name: (t.shape, t.law) for t in plan.tensors} == {t.name: (t.shape, t.law) for t in again.tensors}
