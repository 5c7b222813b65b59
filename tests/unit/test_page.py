"""An initializer's page is what its class says, no more."""

from dataclasses import dataclass

import pytest

from initcli.initializers import HeNormal, Initializer, RandomNormal, VarianceScaling, registered
from initcli.initializers.base import parameter
from initcli.initializers.page import Parameter, read_page


def test_a_page_has_every_section():
    """Summary, formula, bounds, differences and source come from the docstring, doctests left out."""
    page = read_page(HeNormal)

    assert page.name == "keras.he_normal"
    assert page.framework == "keras"
    assert page.summary == "Draw weights so that ReLU layers keep their variance going forward"
    assert page.formula.startswith("W ~ N(0,")
    assert page.bounds == "±2.2737 std"
    assert page.differs.startswith("PyTorch's kaiming_normal is not cut;")
    assert page.source == "He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852"
    assert ">>>" not in page.formula


def test_parameters_come_from_the_fields():
    """A parameter has the name, the default and the meaning of its field; the seed is none."""
    assert read_page(RandomNormal).parameters == (
        Parameter("mean", 0.0, False, "the mean of the values"),
        Parameter("stddev", 0.05, False, "the standard deviation of the values, ≥ 0"),
    )


def test_aliases_begin_with_the_class():
    """Other names are listed, the class's first, and none twice."""
    assert read_page(RandomNormal).aliases == ("RandomNormal", "normal")
    assert read_page(VarianceScaling).aliases == ("VarianceScaling",)


def test_sections_go_on_over_lines_and_formulas_over_paragraphs():
    """A section may have several lines, and a formula several paragraphs."""

    @dataclass(frozen=True)
    class Mine(Initializer):
        """Draw mine,
        slowly.

        W = first

            W = second

        >>> 1 + 1
        2

        Differs: it does,
        in two ways.
        Source: me
        """

        name = "mine"
        much: float = parameter(1.0, "how much of it")

    page = read_page(Mine)

    assert page.summary == "Draw mine, slowly"
    assert page.formula == "W = first\n\n    W = second"
    assert page.differs == "it does, in two ways."
    assert page.source == "me"
    assert page.bounds == ""


def test_a_class_without_a_docstring_has_an_empty_page():
    """What a plugin leaves out stays empty; the text that a dataclass makes up is no summary."""

    @dataclass(frozen=True)
    class Silent(Initializer):
        name = "silent"
        needed: float

    page = read_page(Silent)

    assert (page.summary, page.formula, page.source) == ("", "", "")
    assert page.parameters == (Parameter("needed", None, True, ""),)
    assert str(page.parameters[0]) == "needed"


@pytest.mark.parametrize("name", registered())
def test_every_initializer_has_summary_formula_bounds_and_source(name):
    """No entry without its formula and its source, and no parameter without its meaning."""
    page = read_page(registered()[name])

    assert page.summary
    assert page.formula
    assert page.bounds
    assert page.source
    assert all(parameter.meaning for parameter in page.parameters)
