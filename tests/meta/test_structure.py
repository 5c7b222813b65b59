"""The house: what may import what, what each command costs to start, one door for each library."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import initcli

PACKAGE = Path(initcli.__file__).parent
ROOT = PACKAGE.parent

LAYERS = [
    {"errors", "units", "calls", "expressions", "patterns", "collapsing", "selection", "provenance"},
    {
        "dtypes",
        "scratch",
        "fans",
        "stream",
        "quantiles",
        "truncation",
        "elementary",
        "frequencies",
        "checksums",
        "digests",
        "workers",
    },
    {"laws", "moments", "histogram", "sampling", "arrangement"},
    {"initializers"},
    {"layers", "object_paths"},
    {"document"},
    {"spec"},
    {"plan", "resolution", "drawing"},
    {"files", "publish", "arrival", "publish_shards", "staging", "formats", "report", "survey", "comparison"},
    {"engine", "verification", "readback"},
    {"cli"},
]
"""Each row imports from its own row and from those above, never from below."""

DOORS = {
    "yaml": {"document.yaml_document"},
    "h5py": {"formats.hdf5", "formats.hdf5_reading"},
    "safetensors": {"formats.safetensors"},
    "click": {"cli"},
    "rich": {"cli.console"},
    "ml_dtypes": {"dtypes"},
}
"""The only modules that may import each library."""


@cache
def modules() -> dict[str, ast.Module]:
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): ast.parse(path.read_text())
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.parent != PACKAGE or not path.name.startswith("__")
    }


def imports(tree: ast.Module) -> set[str]:
    """Return every module that a tree imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | ({f"initcli.{a.name}" for a in node.names} if node.module == "initcli" else set())
    return found


def row_of(module: str) -> int:
    """Return the layer of a module by its first name."""
    return next(i for i, row in enumerate(LAYERS) if module.split(".")[0] in row)


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_from_its_own_layer_and_above(module: str) -> None:
    """The design's order of rooms; a new module must be given its place in it."""
    inside = [name.removeprefix("initcli.") for name in imports(modules()[module]) if name.startswith("initcli.")]

    below = [name for name in inside if name != "__version__" and row_of(name) > row_of(module)]

    assert not below


@pytest.mark.parametrize("library", DOORS)
def test_each_library_has_one_door(library: str) -> None:
    """A library that two rooms import cannot be replaced in one."""
    users = {name for name, tree in modules().items() if any(i.split(".")[0] == library for i in imports(tree))}

    assert users == {name for name in users if any(name == d or name.startswith(f"{d}.") for d in DOORS[library])}
    assert users


def loaded_by(*arguments: str, code: str = "") -> set[str]:
    """Return the top-level modules that a run of the command line has loaded."""
    code = code or f"from initcli.cli import main; main({list(arguments)!r})"
    show = f"import sys\ntry:\n    {code}\nfinally:\n    sys.stdout.flush(); print('\\nMODULES', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=False, cwd=ROOT)
    return {name.split(".")[0] for name in done.stdout.rpartition("MODULES")[2].split()}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["generate", "--help"]])
def test_asking_for_version_or_help_loads_no_heavy_library(arguments: list[str]) -> None:
    """Nothing but click."""
    assert not loaded_by(*arguments) & {"numpy", "yaml", "rich", "h5py", "safetensors", "ml_dtypes", "concurrent"}


def test_a_piped_generate_loads_only_what_it_writes_with(tmp_path: Path) -> None:
    """A safetensors file of float32 needs neither rich nor h5py nor ml_dtypes."""
    loaded = loaded_by("generate", "specs/mlp.yaml", "--out", str(tmp_path / "w.safetensors"))

    assert (tmp_path / "w.safetensors").exists()
    assert "numpy" in loaded
    assert not loaded & {"rich", "h5py", "ml_dtypes", "scipy", "torch", "jax", "keras", "tensorflow"}


def test_only_the_command_line_prints_or_exits() -> None:
    """Library rooms return values and raise errors."""
    for name, tree in modules().items():
        if name.startswith("cli"):
            continue
        calls = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & {"print", "exit", "input", "eval", "exec"}, name


def test_every_test_says_what_it_shows_in_one_sentence() -> None:
    """A docstring on each test function."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"


def test_the_version_is_told_in_one_place() -> None:
    """The changelog's newest entry is this version."""
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert changelog.split("\n## ")[1].split()[0].strip("[]") == initcli.__version__
