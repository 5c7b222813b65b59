"""Twenty thousand tensors in a file of every format."""

import pytest
from every_format import FORMATS
from test_battery import check_many

from initcli.formats.npy import npy


@pytest.mark.parametrize("form", [each for each in FORMATS if each.values[0] is not npy])
def test_twenty_thousand_tensors_are_read_back(form, tmp_path):
    """As the quick tests have it of some formats."""
    check_many(form, 20_000, tmp_path / "out")
