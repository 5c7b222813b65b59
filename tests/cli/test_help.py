"""Help texts, the version, and what they cost."""

import subprocess
import sys

import click
import pytest

from initcli.cli import cli

HEAVY = ("numpy", "yaml", "rich", "h5py", "ml_dtypes", "safetensors")


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_explains_itself_with_an_example(run, name):
    """`-h` and `--help` print the same page, with an example."""
    short, long = run(name, "-h"), run(name, "--help")

    assert short == long
    assert short.status == 0
    assert f"  initcli {name} " in short.out
    assert max(map(len, short.out.splitlines())) <= 100


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_option_has_a_sentence(name):
    """No option goes without help."""
    options = [each for each in cli.commands[name].params if isinstance(each, click.Option)]

    assert options
    assert all(option.help and option.help.endswith(".") for option in options)


def test_the_version_is_the_packages(run):
    """`--version` prints name and version."""
    from initcli import __version__

    assert run("--version") == (0, f"initcli {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--version"], ()),
        (["generate", "--help"], ()),
        (["list"], ("numpy",)),
        (["generate", "small.yaml", "--out", "small.safetensors"], ("numpy", "yaml")),
    ],
)
def test_a_command_imports_only_what_it_needs(folder, environment, arguments, allowed):
    """Version and help cost no more than click; a small run loads no format but its own, and no rich off a terminal."""
    code = (
        "import sys\n"
        "from initcli.cli import main\n"
        "main(sys.argv[1:])\n"
        f"print(*sorted({set(HEAVY)} & set(sys.modules)), file=sys.stderr)"
    )

    ran = subprocess.run([sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True)

    assert set(ran.stderr.splitlines()[-1].split()) <= set(allowed)
