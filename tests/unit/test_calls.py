"""A call is read as it stands: name and plain values; a call inside is text; nothing is evaluated."""

import pytest

from initcli.calls import parse_call
from initcli.errors import ArgumentError
from initcli.initializers import find
from initcli.initializers.base import build


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("he_normal", ("he_normal", (), {})),
        (" keras.HeNormal ", ("keras.HeNormal", (), {})),
        ("ones()", ("ones", (), {})),
        ("f(factor_type=in, other= or , none=None)", ("f", (), {"factor_type": "in", "other": "or", "none": None})),
        ("f(-1, +2.5, 'a b', word, true, None)", ("f", (-1, 2.5, "a b", "word", True, None), {})),
        ("f(axes=(0, -1), more=[[1]])", ("f", (), {"axes": (0, -1), "more": ((1,),)})),
        ("f(a=sqrt(5))", ("f", (), {"a": "sqrt(5)"})),
        ("f(g(h(1), b='x'))", ("f", ("g(h(1), b='x')",), {})),
        ("f((g(1), 2))", ("f", (("g(1)", 2),), {})),
    ],
)
def test_a_call_is_name_and_values(text, call):
    """Numbers, words, lists and texts become values, and a call inside stays what was written."""
    assert parse_call(text) == call


def test_a_nested_gain_is_read_by_the_parameter_that_takes_one():
    """√(2 / (1 + 0.2²)) for leaky_relu, written as PyTorch's users write it."""
    name, positional, named = parse_call("torch.xavier_uniform(gain=nn.init.calculate_gain('leaky_relu', 0.2))")

    made = build(find(name), named, positional)

    assert made.gain_value() == (2 / (1 + 0.2**2)) ** 0.5
    assert parse_call(str(made))[2] == named


def test_a_nested_call_where_a_number_is_wanted_is_refused_by_name():
    """It is not evaluated: the parameter says what it wants."""
    name, positional, named = parse_call("torch.kaiming_uniform(a=sqrt(5))")

    with pytest.raises(ArgumentError, match=r"`a` must be a number, got `sqrt\(5\)`"):
        build(find(name), named, positional)


@pytest.mark.parametrize(
    "text",
    [
        "f(",
        "1 + 1",
        "f(*a)",
        "f(**a)",
        "f(a=1, a=2)",
        "f(lambda: 0)",
        "f(1 < 2)",
        "f(b'x')",
        "f(1j)",
        "f(" + "-" * 1500 + "1)",
        "f(a" + ".b" * 1500 + ")",
        "f(g(" + "1+" * 1500 + "1))",
        "f(" + "(" * 1500 + ")" * 1500 + ")",
    ],
)
def test_anything_else_is_refused(text):
    """Also what is nested too deep to be read."""
    with pytest.raises(ArgumentError, match=r"is no initializer|is no plain value"):
        parse_call(text)
