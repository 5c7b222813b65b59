"""Damage of every format: a file cut short or with another byte is refused in words, or still is what it was."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest
from every_format import FORMATS, FORMS, tell_id
from hypothesis import given, settings
from hypothesis import strategies as st
from test_battery import keep, make_path

from initcli.digests import ContentDigest
from initcli.engine import generate_file
from initcli.errors import InitcliError
from initcli.formats import Format
from initcli.formats.weights import open_weights
from initcli.readback import digest_weights

OF_HDF5 = ("h5", "weights.h5", "weights.json", "keras-legacy-h5", "keras")
"""The library goes round for ever in one of 5,000 damaged files: these are cut, but no byte is changed."""
CUTS = 40
"""Lengths that each file is cut to, besides those around a power of 2."""


@cache
def generate(key: str) -> tuple[dict[str, bytes], ContentDigest]:
    """Every file of a small output by its path, and the digest of what is read of all."""
    with tempfile.TemporaryDirectory() as folder:
        path = make_path(FORMS[key], Path(folder) / "w")
        generate_file(keep(FORMS[key], "small")[0], FORMS[key], path)
        files = [file for file in path.parent.rglob("*") if file.is_file()]
        return {str(file.relative_to(path.parent)): file.read_bytes() for file in files}, read(path)


def read(path: Path) -> ContentDigest:
    return digest_weights(open_weights(path))


def read_damaged(form: Format, files: dict[str, bytes], name: str, content: bytes) -> ContentDigest | None:
    """The digest of an output of which one file is damaged; None if it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = make_path(form, Path(folder) / "w")
        for each, whole in files.items():
            (path.parent / each).parent.mkdir(parents=True, exist_ok=True)
            (path.parent / each).write_bytes(content if each == name else whole)
        try:
            return read(path)
        except InitcliError:
            return None


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_cut_anywhere_is_refused_or_lacks_nothing(form):
    """What is behind the last tensor may be missing, if it only fills up."""
    files, whole = generate(tell_id(form))
    refused = 0

    for name, content in files.items():
        near = {max(0, 2**power + each) for power in range(14) for each in (-1, 0, 1)}
        lengths = {*near, *range(0, len(content), max(1, len(content) // CUTS)), len(content) - 1} - {len(content)}
        for length in sorted(length for length in lengths if length < len(content)):
            digest = read_damaged(form, files, name, content[:length])
            assert digest in (None, whole), (name, length)
            refused += digest is None

    assert refused > CUTS


@pytest.mark.parametrize("form", [each for each in FORMATS if tell_id(each.values[0]) not in OF_HDF5])
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_a_file_with_another_byte_is_read_or_refused(form, data):
    """Nothing else is ever raised; where there are checksums, no other values are read."""
    files, whole = generate(tell_id(form))
    name = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[name])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))

    digest = read_damaged(form, files, name, bytes(content))

    if digest and form.name in ("npz", "pt"):
        assert all(each == whole.tensors[name] for name, each in digest.tensors.items() if name in whole.tensors)
