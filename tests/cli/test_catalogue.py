"""`list` and `show`: what is found, who is alike, and the numbers of a shape; the numbers are those of the formulas."""

import json
import re
from itertools import groupby
from math import sqrt

import pytest

WITHIN_2 = 0.8796256610342398
"""The std of N(0, 1) cut at ±2: √(1 − 4φ(2) / (2Φ(2) − 1)), by mpmath."""


@pytest.fixture
def show(run):
    """Return the JSON of `show`."""

    def show(*arguments):
        ran = run("show", *arguments, "--json")
        assert (ran.status, ran.err) == (0, "")
        return json.loads(ran.out)

    return show


@pytest.fixture
def figures(show):
    """Return what `show` says of each framework's initializer at a shape, by full name."""
    return lambda *arguments: {each["name"]: each["at_shape"] for each in show(*arguments)["initializers"]}


def names(ran):
    return [line.split()[0] for line in ran.out.splitlines()[1:]]


def test_a_piped_list_has_one_line_for_each_initializer_and_no_headings(run):
    """Every line but the first begins with a full name, a framework's lines stand together, and nothing is cut."""
    ran = run("list")

    frameworks = [name.partition(".")[0] for name in names(ran)]
    assert ran.status == 0
    assert {"keras.he_normal", "torch.kaiming_normal", "jax.glorot_normal"} <= set(names(ran))
    assert all("." in name for name in names(ran))
    assert len(set(frameworks)) == len(list(groupby(frameworks)))
    assert all(each["summary"] in ran.out for each in json.loads(run("list", "--json").out)["initializers"])


@pytest.mark.parametrize("text", ["kaiming", "KAIMING"])
def test_a_text_is_looked_for_in_names_and_aliases(run, text):
    """In capitals or not; where only an alias has it, a star marks which, and the column's title says so."""
    ran = run("list", text)

    lines = {line.split()[0]: line for line in ran.out.splitlines()}
    assert {"torch.kaiming_normal", "jax.he_normal", "paddle.kaiming_uniform"} <= set(names(ran))
    assert not {"keras.he_normal", "torch.xavier_normal"} & set(names(ran))
    assert "HeNormal, kaiming_normal*" in lines["jax.he_normal"]
    assert "*" not in lines["torch.kaiming_normal"]
    assert "aliases (* found by it)" in lines["name"]


def test_a_text_may_be_a_full_name_or_a_full_alias(run):
    """`keras.normal` is no one's name, but Keras calls its random_normal so."""
    ran = run("list", "keras.normal")

    assert names(ran) == ["keras.random_normal"]
    assert "RandomNormal, normal*" in ran.out


def test_a_text_and_a_framework_are_both_asked_for(run):
    """The JSON is filtered like the table."""
    data = json.loads(run("list", "henormal", "--framework", "jax", "--json").out)

    assert [each["name"] for each in data["initializers"]] == ["jax.he_normal"]
    assert set(data["initializers"][0]) == {"name", "framework", "aliases", "parameters", "summary"}


def test_a_list_of_nothing_is_an_answer_of_no(run):
    """The status is 1, standard output has no table, and a near name is suggested; JSON is one object still."""
    plain, data = run("list", "glorot_norml"), run("list", "glorot_norml", "--json")

    assert (plain.status, plain.out) == (1, "")
    assert plain.err == (
        "error: no name or alias of the initializers contains `glorot_norml`\n"
        "hint: did you mean `glorot_normal`? `initcli list` shows all\n"
    )
    assert (data.status, json.loads(data.out), data.err) == (1, {"initializers": []}, plain.err)


def test_a_bare_name_shows_every_frameworks_the_best_known_first(show, run):
    """Keras, PyTorch, JAX, TensorFlow, then the others; an alias counts as a name."""
    normal = [each["framework"] for each in show("normal")["initializers"]]
    glorot = [each["framework"] for each in show("glorot_normal")["initializers"]]
    xavier = [each["name"] for each in show("xavier_normal")["initializers"]]

    assert normal[:3] == ["keras", "torch", "jax"]
    assert glorot[:3] == ["keras", "jax", "tensorflow"]
    assert glorot[3:] == sorted(glorot[3:])
    assert xavier[:2] == ["torch.xavier_normal", "jax.glorot_normal"]
    assert run("show", "normal").out.index("keras.random_normal\n") < run("show", "normal").out.index("jax.normal\n")


def test_who_has_the_same_law_is_said(show, run):
    """Keras's, JAX's and TensorFlow's glorot_normal are one law, TensorFlow 1.9's and Chainer's others."""
    same = {each["name"]: each["same_law"] for each in show("glorot_normal")["initializers"]}
    text = run("show", "glorot_normal").out

    assert same["keras.glorot_normal"] == ["jax.glorot_normal", "tensorflow.glorot_normal", "keras2_2.glorot_normal"]
    assert same["tensorflow1_9.glorot_normal"] == ["keras2_1.glorot_normal"]
    assert "keras.glorot_normal" not in same["chainer.glorot_normal"]
    assert "\n  = keras, jax, tensorflow, keras2_2\n" in text
    assert "\n  same law    keras.glorot_normal, tensorflow.glorot_normal, keras2_2.glorot_normal\n" in text


def test_defaults_make_a_law_another(show):
    """The normal of Keras has the std 0.05, of PyTorch 1 and of JAX 0.01: the names are the same, the laws are not."""
    same = {each["name"]: each["same_law"] for each in show("normal")["initializers"]}

    assert not {"torch.normal", "jax.normal"} & set(same["keras.random_normal"])
    assert "paddle.normal" in same["torch.normal"]
    assert "lasagne.normal" in same["jax.normal"]


def test_roundings_do_not_make_a_law_another(show):
    """PyTorch's gain √(3 / n) and Paddle's √(6 / n) differ in the last bit and are one law."""
    same = {each["name"]: each["same_law"] for each in show("kaiming_uniform")["initializers"]}

    assert {"jax.he_uniform", "paddle.kaiming_uniform"} <= set(same["torch.kaiming_uniform"])


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("keras.he_normal", "(…, in, out)"),
        ("torch.kaiming_normal", "(out, in, …)"),
        ("mlx.he_normal", "(out, …, in)"),
        ("paddle.kaiming_normal", "(in, out), (out, in, …)"),
        ("flux.kaiming_normal", "(out, in), (…, in, out)"),
        ("jax.he_normal(in_axis=0, out_axis=1, batch_axis=3)", "(in, out, …, batch)"),
        ("keras.zeros", ""),
    ],
)
def test_a_page_tells_how_fans_are_read(show, name, axes):
    """As the framework's documentation names the axes; a call's own axes are told."""
    assert show(name)["axes"] == axes


def test_figures_stand_side_by_side(figures):
    """Each framework's fans, std and bounds of one shape are those of its formula."""
    shown = figures("glorot_normal", "--shape", "784,128")

    std = sqrt(2 / (784 + 128))
    keras, old, chainer = (shown[f"{each}.glorot_normal"] for each in ("keras", "tensorflow1_9", "chainer"))
    assert (keras["fan_in"], keras["fan_out"], keras["gain"], keras["law"]) == (784, 128, None, "truncated_normal")
    assert (keras["mean"], keras["std"]) == (0, pytest.approx(std, rel=1e-15))
    assert keras["high"] == -keras["low"] == pytest.approx(2 * std / WITHIN_2, rel=1e-15)
    assert (old["std"], old["high"]) == (pytest.approx(std * WITHIN_2, rel=1e-15), pytest.approx(2 * std, rel=1e-15))
    assert (chainer["fan_in"], chainer["fan_out"], chainer["law"]) == (128, 784, "normal")
    assert (chainer["std"], chainer["low"], chainer["high"]) == (pytest.approx(std, rel=1e-15), None, None)


def test_the_table_of_figures_says_who_has_the_same_law_for_the_shape(run):
    """Chainer reads other fans from a kernel than Keras does, and the same from a square matrix."""
    wide, square = (run("show", "glorot_uniform", "--shape", shape).out for shape in ("3,3,64,32", "64,64"))

    def law(text, name):
        return (
            next(line for line in text.splitlines() if line.startswith(name)).partition("uniform  ")[2].split("  ")[-1]
        )

    assert law(wide, "jax.glorot_uniform") == "uniform, as keras"
    assert law(wide, "chainer.glorot_uniform") == "uniform"
    assert law(square, "chainer.glorot_uniform") == "uniform, as keras"


def test_a_framework_that_refuses_says_so_in_its_line(run, figures):
    """PyTorch and JAX read no fans from a vector, Keras does; the run is done."""
    ran = run("show", "he_normal", "--shape", "784")

    lines = {line.split()[0]: line for line in ran.out.splitlines()}
    assert ran.status == 0
    assert "  784      784 " in lines["keras.he_normal"]
    assert "refuses: an `in_axis` of -2 needs a shape of rank 2 or more, got [784]" in lines["jax.he_normal"]
    assert figures("he_normal", "--shape", "784")["jax.he_normal"]["refusal"].startswith("an `in_axis` of -2 ")
    assert figures("he_normal", "--shape", "784")["keras.he_normal"]["refusal"] is None


def test_what_every_framework_refuses_is_an_error(run):
    """Each says why, by its full name, and the status is 2."""
    ran = run("show", "dirac", "--shape", "3,4")

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: torch.dirac: `dirac` needs a shape of rank 3 to 5, got [3, 4]\n")
    assert "\nerror: paddle.dirac: " in ran.err


def test_a_call_gives_parameters(show):
    """tanh's gain is 5/3, and std = gain / √fan_in; half of a sparse column's 500 rows leave std √½."""
    tanh = show("torch.kaiming_normal(nonlinearity=tanh)", "--shape", "128,784")["at_shape"]
    nested = show("torch.xavier_normal(gain=calculate_gain(relu))", "--shape", "128,784")["at_shape"]
    sparse = show("torch.sparse(sparsity=0.5, std=1)", "--shape", "500,500")["at_shape"]

    assert (tanh["fan_in"], tanh["gain"]) == (784, pytest.approx(5 / 3, rel=1e-15))
    assert tanh["std"] == pytest.approx(5 / 3 / sqrt(784), rel=1e-15)
    assert nested["gain"] == pytest.approx(sqrt(2), rel=1e-15)
    assert nested["initializer"] == "xavier_normal(gain=calculate_gain(relu))"
    assert sparse["std"] == pytest.approx(sqrt(0.5), rel=1e-15)


def test_a_call_of_a_bare_name_is_each_frameworks_own(run, figures):
    """Who has no such parameter says so; the others count with it."""
    shown = figures("glorot_normal(gain=2)", "--shape", "8,8")
    page = run("show", "glorot_normal(gain=2)").out

    assert shown["mlx.glorot_normal"]["std"] == pytest.approx(2 * sqrt(2 / 16), rel=1e-15)
    assert shown["keras.glorot_normal"]["refusal"] == "`glorot_normal` has no parameter `gain`"
    assert re.search(r"\nkeras\.glorot_normal\n  refuses +`glorot_normal` has no parameter `gain`\n", page)


def test_what_needs_a_parameter_says_so_where_numbers_are_wanted(run):
    """Without a shape its page is shown; with one, the missing parameter is the error."""
    page, numbers = run("show", "torch.sparse"), run("show", "torch.sparse", "--shape", "5,5")

    assert page.status == 0
    assert "\n  sparsity " in page.out
    assert (numbers.status, numbers.out) == (2, "")
    assert numbers.err == "error: `sparse` needs `sparsity`\nhint: its parameters: sparsity, std=0.01\n"


@pytest.mark.parametrize(
    ("shape", "fans"), [("784,128", (784, 128)), ("3, 3, 64, 32", (576, 288)), ("7", (7, 7)), ("()", (1, 1))]
)
def test_a_shape_is_dimensions_with_commas(show, shape, fans):
    """Spaces are allowed, one number is a vector, and () is a scalar."""
    shown = show("keras.he_normal", "--shape", shape)["at_shape"]

    assert (shown["fan_in"], shown["fan_out"]) == fans


@pytest.mark.parametrize("shape", ["", "784x128", "784,", "-1,5", "1.5", "(3,4)", "３", "n"])
def test_any_other_shape_is_refused_with_the_form(run, shape):
    """The hint shows how to write it."""
    ran = run("show", "he_normal", "--shape", shape)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        f"error: `--shape` must be whole numbers ≥ 0, got `{shape}`\n"
        "hint: write the dimensions with commas, `--shape 784,128`; `--shape '()'` is a scalar\n"
    )


@pytest.mark.parametrize("shape", ["10000000000000,2", ",".join("1" * 33), "1" + "0" * 299])
def test_a_shape_has_the_limits_of_a_specs(run, shape):
    """Elements and dimensions beyond what a tensor may have are refused, not computed with."""
    ran = run("show", "keras.he_normal", "--shape", shape)

    assert ran.status == 2
    assert "at most" in ran.err


def test_a_page_names_its_namesakes(show):
    """A full name shows one page, and who else has its name."""
    shown = show("keras.he_normal")

    assert shown["name"] == "keras.he_normal"
    assert "initializers" not in shown
    assert shown["see_also"][:2] == ["jax.he_normal", "tensorflow.he_normal"]
    assert "keras.he_normal" not in shown["see_also"]


OWN = """\
import initcli
from initcli.laws import Normal

@initcli.register("own_function")
def own(shape, dtype): ...

@initcli.register("own_law")
class Own(initcli.Initializer):
    \"\"\"Draw from N(0, 2²).\"\"\"

    def law(self, shape, fans=None):
        return Normal(0.0, 2.0)

    def fans(self, shape):
        return initcli.initializers.get("he_normal").fans(shape) if len(shape) == 1 else shape[9]
"""


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize(("name", "law"), [("own_function", ("drawn", None, None)), ("own_law", ("normal", 2.0, 3))])
def test_ones_own_initializer_has_the_figures_that_its_law_promises(folder, show, name, law):
    """A function promises nothing; a law's std and the fans of a class are told."""
    (folder / "own.py").write_text(OWN)

    shown = show(name, "--plugin", "own.py", "--shape", "3")["at_shape"]

    assert (shown["law"], shown["std"], shown["fan_in"]) == law


@pytest.mark.usefixtures("own_registry")
def test_an_error_in_ones_own_fans_is_no_bug_of_the_program(folder, run):
    """It names the initializer, what was raised, and the line."""
    (folder / "own.py").write_text(OWN)

    ran = run("show", "own_law", "--plugin", "own.py", "--shape", "3,4")

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: `own_law` raised IndexError: tuple index out of range (own.py:15)\n")


@pytest.mark.usefixtures("own_registry")
def test_a_page_asks_no_shape_that_its_initializer_must_take(folder, run):
    """One's own `fans` may fail for shapes that nobody asked for: the page is shown without axes."""
    (folder / "own.py").write_text(OWN)

    ran = run("show", "own_law", "--plugin", "own.py")

    assert ran.status == 0
    assert "Draw from N(0, 2²)" in ran.out
    assert "axes" not in ran.out
