"""Every format that is known, as tests take it: a new one in `LISTINGS` is taken up by itself."""

from __future__ import annotations

import pytest

from initcli.formats import Format
from initcli.formats.keras_archive import KerasArchive
from initcli.formats.listing import known_formats
from initcli.formats.sharded import Sharded

BUILT = {"keras": KerasArchive(b'{"class_name": "Sequential", "config": {}}')}
"""By its name: what stands for a format that needs more than a plan."""
BESIDES = {"safetensors-shards": Sharded(60, b"{}")}
"""By its id: what a format makes of other options."""


FORMS: dict[str, Format] = {
    f"{each.name}{'-directory' * each.is_directory}": BUILT.get(each.name, each) for each in known_formats()
} | BESIDES
"""Every format by its id."""
FORMATS = [pytest.param(form, id=key) for key, form in FORMS.items()]


def tell_id(form: Format) -> str:
    """Return what tests call a format."""
    return next(key for key, each in FORMS.items() if each is form)
