"""Custom Python, which comes in by `--plugin` alone: a file or a module whose import registers initializers."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

from initcli.errors import Fault, InitcliError, Position, locate_raised, nearest, render_raised

_EXAMPLE = 'register one: `@initcli.register("my_init")` above `def my_init(shape, dtype, rng)`'


def load_plugins(plugins: tuple[str, ...]) -> None:
    """Import each file or module, once, in order. What it prints goes to standard error: data has the other stream.

    Raises:
        InitcliError: there is no such file or module, it raised an error, or it registers no initializer.
    """
    import sys

    for plugin in dict.fromkeys(plugins):
        with redirect_stdout(sys.stderr):
            _load(plugin)


def _load(plugin: str) -> None:
    from initcli.initializers.registry import known_classes

    path = Path(plugin) if plugin.endswith(".py") or "/" in plugin or Path(plugin).is_file() else None
    before = known_classes()
    try:
        module = _import_file(path) if path else _import_module(plugin)
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, InitcliError) and error.faults[0].position is not None:
            raise
        raise InitcliError(_explain(plugin, path, error)) from error
    new = known_classes().keys() - before.keys()
    inside = f"{module.__name__}."  # of a module that was imported before
    if not new and not any(f"{cls.__module__}.".startswith(inside) for cls in before.values()):
        raise InitcliError(Fault(f"the plugin `{plugin}` registers no initializer", hint=_EXAMPLE))


def _import_file(path: Path) -> ModuleType:
    """Run a file as a module of its own, whatever its name."""
    import sys
    from importlib.machinery import SourceFileLoader
    from importlib.util import module_from_spec, spec_from_loader

    from initcli.files import translate

    try:
        path.read_bytes()
    except OSError as error:
        fault = translate(error, path).faults[0]
        raise InitcliError(Fault(f"cannot load a plugin: {fault.what}", hint=fault.hint)) from error
    name = f"initcli_plugin_{re.sub(r'[^0-9A-Za-z]', '_', str(path.absolute().with_suffix('')))}"
    loader = SourceFileLoader(name, str(path))
    spec = spec_from_loader(name, loader)
    assert spec is not None  # noqa: S101  (only a loader that finds nothing gives None)
    sys.modules[name] = module = module_from_spec(spec)
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import_module(name: str) -> ModuleType:
    from importlib import import_module
    from importlib.util import find_spec

    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", name):
        raise InitcliError(_missing(name))
    try:
        found = find_spec(name) is not None
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        found = False
    if not found:
        raise InitcliError(_missing(name))
    return import_module(name)


def _missing(name: str) -> Fault:
    """Return that there is no module of this name; perhaps a file beside was meant."""
    near = nearest(f"{name}.py", [path.name for path in Path().glob("*.py")])
    hint = f"did you mean `{near}`?" if near else "name a module that Python finds, or a file with its suffix, `.py`"
    return Fault(f"there is no module `{name}` for `--plugin`", hint=hint)


def _explain(plugin: str, path: Path | None, error: BaseException) -> Fault:
    """Return what went wrong in a plugin's own lines."""
    if isinstance(error, SyntaxError) and error.filename:
        position = Position(error.filename, error.lineno or 1, error.offset or 1)
        return Fault(f"the plugin `{plugin}` is no valid Python: {error.msg}", position, hint="mend that line")
    if isinstance(error, InitcliError):
        fault = error.faults[0]
        place = locate_raised(error)
        return Fault(f"the plugin `{plugin}` is refused: {fault.what}" if place else fault.what, place, hint=fault.hint)
    place = locate_raised(error) or (Position(str(path), 1, 1) if path else None)
    return Fault(f"the plugin `{plugin}` raised {render_raised(error)}", place, hint="mend that line")
