"""The two pages of the client tests tell every version apart, add up what belongs together, and hide no failure."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "clients" / "verdicts.py"


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """The program, with its counts and its pages in a folder of the test."""
    spec = importlib.util.spec_from_file_location("verdicts", PATH)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "verdicts", module)
    spec.loader.exec_module(module)
    for name in ("COUNTS", "VERDICTS", "COMPATIBILITY"):
        monkeypatch.setattr(module, name, tmp_path / name)
    return module


def rows(page):
    """The cells of a page's tables, without their heads."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if " verdict |" not in line]


def test_a_line_of_compatibility_has_all_that_one_version_loaded_in_one_way(pages):
    """Checks of two test files or environments add up; another version, file or way is another line."""

    def load(what, client="torch 1", how="load"):
        return pages.Load("`.pt`", client, how, what)

    pages.write_counts("one", [(load("a"), False), (load("a"), False), (load("b"), False)])
    pages.write_counts("two", [(load("a"), False), (load("a", client="torch 2"), False), (load("a", how="map"), False)])

    _, loads = pages.read_counts()

    assert rows(pages.render_compatibility(loads)) == [
        ["`.pt`", "torch 1", "`load`", "a; b", "4", "loads"],
        ["`.pt`", "torch 1", "`map`", "a", "1", "loads"],
        ["`.pt`", "torch 2", "`load`", "a", "1", "loads"],
    ]


def test_what_fails_is_named_on_the_page_of_compatibility(pages):
    """One failure among many checks is enough, and the count keeps it."""
    checked = [(pages.Load("`.pt`", "torch 1", "load", what), what == "b") for what in "aabc"]
    pages.write_counts("one", checked)

    _, loads = pages.read_counts()

    assert rows(pages.render_compatibility(loads)) == [
        ["`.pt`", "torch 1", "`load`", "a; b; c", "4", "**fails**: b"],
    ]


def test_comparisons_count_in_their_column_and_differences_in_the_verdict(pages):
    """On the page of verdicts, one line for each subject and client."""

    def compared(kind, client="torch 1"):
        return pages.Comparison(pages.ENTRIES, "torch.normal", client, kind)

    pages.write_counts("one", [(compared("laws"), False), (compared("laws"), True), (compared("values"), False)])
    pages.write_counts("two", [(compared("laws", "torch 2"), False)])

    comparisons, _ = pages.read_counts()

    assert rows(pages.render_verdicts(comparisons)) == [
        ["`torch.normal`", "torch 1", "2", "1", "", "**differs in 1**"],
        ["`torch.normal`", "torch 2", "1", "", "", "agrees"],
    ]


def test_a_filed_page_that_is_out_of_date_fails_once(pages, capsys):
    """Either page: it is replaced and told, and the next run agrees."""
    pages.write_counts("one", [(pages.Load("`.pt`", "torch 1", "load", "a"), False)])
    pages.main()
    assert pages.main() == 0

    for page in (pages.VERDICTS, pages.COMPATIBILITY):
        filed = page.read_text("utf-8")
        page.write_text("another")
        capsys.readouterr()

        assert pages.main() == 1
        assert f"{page.name} was out of date" in capsys.readouterr().err
        assert page.read_text("utf-8") == filed
        assert pages.main() == 0
