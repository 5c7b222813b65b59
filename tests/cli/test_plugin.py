"""`--plugin`: custom Python on the command line, and there alone."""

import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

PLUGIN = """\
import initcli
print("hello from the plugin")

@initcli.register("bumps")
def bumps(shape, dtype, rng):
    \"\"\"Draw bumps.\"\"\"
    print("drawing")
    return rng.random(shape).astype(dtype)
"""

SPEC = "initcli: 1\nseed: 3\ntensors:\n  w: {shape: [2, 3], init: bumps}\n"


pytestmark = pytest.mark.usefixtures("own_registry")


@pytest.fixture
def plugin(folder):
    """A plugin `my_inits.py` and a spec `bumps.yaml` that needs it."""
    (folder / "my_inits.py").write_text(PLUGIN)
    (folder / "bumps.yaml").write_text(SPEC)
    return folder


def test_generate_draws_with_a_plugin(plugin, run):
    """Its values are in the file, the note says that they are not portable, and what it prints is not in the data."""
    ran = run("generate", "bumps.yaml", "--out", "w.safetensors", "--plugin", "my_inits.py", "--json")

    assert ran.status == 0
    assert ran.out.startswith("{")
    assert "hello from the plugin" in ran.err
    assert "not portable: bumps" in ran.err
    values = load_file("w.safetensors")["w"]
    assert values.shape == (2, 3)
    assert len(np.unique(values)) == 6


def test_a_stream_of_bytes_holds_nothing_that_a_plugin_prints(plugin, environment):
    """Neither when it is imported nor when it draws."""
    arguments = ["generate", "bumps.yaml", "--out", "-", "--format", "safetensors", "--plugin", "my_inits.py"]

    ran = subprocess.run([sys.executable, "-m", "initcli", *arguments], env=environment, capture_output=True)

    assert ran.returncode == 0
    assert b"drawing" in ran.stderr
    assert b"drawing" not in ran.stdout
    assert b"hello" not in ran.stdout


def test_plan_takes_a_plugin_and_the_same_one_twice(plugin, run):
    """A file that is named twice is imported once, so that no name is taken."""
    twice = ("--plugin", "my_inits.py", "--plugin", "my_inits.py")

    assert "not portable: bumps" in run("plan", "bumps.yaml", *twice).out


@pytest.mark.parametrize("command", [["list"], ["show", "bumps"]])
def test_the_catalogue_knows_a_plugins_initializers(plugin, run, command):
    """`list` and `show` print them like any other."""
    ran = run(*command, "--plugin", "my_inits.py")

    assert ran.status == 0
    assert "Draw bumps" in ran.out


def test_a_module_that_python_finds_is_a_plugin(plugin, run, monkeypatch):
    """By its dotted name; asked for again in the same process, it has registered already."""
    monkeypatch.syspath_prepend(plugin)
    try:
        first = run("plan", "bumps.yaml", "--plugin", "my_inits")
        again = run("plan", "bumps.yaml", "--plugin", "my_inits")
    finally:
        sys.modules.pop("my_inits", None)

    assert first.status == again.status == 0
    assert first.out == again.out


def test_without_the_option_nothing_is_imported(plugin, run):
    """A spec cannot bring code in: the name is unknown."""
    ran = run("plan", "bumps.yaml")

    assert ran.status == 2
    assert "unknown initializer `bumps`" in ran.err


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("x = (\n", "error: the plugin `bad.py` is no valid Python: '(' was never closed\n  --> bad.py:1:5\n"),
        ("\n\n1 / 0\n", "error: the plugin `bad.py` raised ZeroDivisionError: division by zero\n  --> bad.py:3:1\n"),
        ("import sys\nsys.exit(0)\n", "error: the plugin `bad.py` raised SystemExit: 0\n  --> bad.py:2:1\n"),
        ("import no_such\n", "raised ModuleNotFoundError: No module named 'no_such'\n  --> bad.py:1:1\n"),
        (
            "open('absent')\n",
            "raised FileNotFoundError: [Errno 2] No such file or directory: 'absent'\n  --> bad.py:1:1\n",
        ),
        ("x = 1\n", "error: the plugin `bad.py` registers no initializer\n"),
        (
            "import initcli, numpy\ninitcli.register('he_normal')(numpy.zeros)\n",
            "error: the plugin `bad.py` is refused: an initializer called `he_normal` exists already",
        ),
    ],
)
def test_a_bad_plugin_is_one_clear_error(folder, run, text, error):
    """What is wrong, in which line, and no traceback; nothing is written."""
    (folder / "bad.py").write_text(text)

    ran = run("generate", "small.yaml", "--out", "w.npy", "--plugin", "bad.py")

    assert ran.status == 2
    assert ran.out == ""
    assert error in ran.err
    assert ran.err.count("error:") == 1
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("plugin_name", "error"),
    [
        ("absent.py", "error: cannot load a plugin: `absent.py` does not exist"),
        ("no_such_module", "error: there is no module `no_such_module` for `--plugin`"),
        ("json.no_such", "error: there is no module `json.no_such` for `--plugin`"),
        ("no such", "error: there is no module `no such` for `--plugin`"),
        ("", "error: there is no module `` for `--plugin`"),
        ("my_init", "hint: did you mean `my_inits.py`?"),
        ("./", "error: cannot load a plugin: "),
        ("json", "error: the plugin `json` registers no initializer"),
    ],
)
def test_a_plugin_that_is_not_there_is_one_clear_error(plugin, run, plugin_name, error):
    """A file or a module; a file beside that was meant is named."""
    ran = run("list", "--plugin", plugin_name)

    assert ran.status == 2
    assert error in ran.err
    assert "internal error" not in ran.err


def test_an_error_while_drawing_names_the_tensor_and_the_line(plugin, run):
    """The place in the spec, the line of the plugin, exit 2, and no file."""
    (plugin / "my_inits.py").write_text(PLUGIN.replace("rng.random(shape)", "rng.randm(shape)"))

    ran = run("generate", "bumps.yaml", "--out", "w.npy", "--plugin", "my_inits.py")

    assert ran.status == 2
    assert "error: cannot draw `w`: `bumps` raised AttributeError" in ran.err
    assert "(my_inits.py:8)" in ran.err
    assert "--> bumps.yaml:4:" in ran.err
    assert not (plugin / "w.npy").exists()
