"""Initializers as Keras writes them: `{"class_name": "HeNormal", "config": {"seed": null}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from initcli.errors import ArgumentError

KEYS = ("class_name", "config", "module", "registered_name")

_FORM = 'write `{"class_name": "HeNormal", "config": {}}`'


def read_config(config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the class's name and its parameters.

    Keras 3 adds `module`, which makes the name that of `keras` in a spec of any framework, and `registered_name`.
    Keras 2 adds neither, and passes over a `dtype`, which tf.keras wrote.

    Raises:
        ArgumentError: another form; its parameter is the key at fault.
    """
    name, inner, module = config.get("class_name"), config.get("config"), config.get("module")
    if not isinstance(name, str):
        raise ArgumentError(f"no `class_name` in {dict(config)}", _FORM, parameter="class_name")
    unknown = sorted(str(key) for key in config if key not in KEYS)
    if unknown:
        raise ArgumentError(f"unknown key `{unknown[0]}`", _FORM, parameter=unknown[0])
    if inner is None:
        inner = {}
    if not isinstance(inner, Mapping):
        raise ArgumentError(f"`config` must be a mapping, got `{inner}`", _FORM, parameter="config")
    if isinstance(module, str) and module.partition(".")[0] == "keras" and "." not in name:
        name = f"keras.{name}"
    passed_over = () if config.keys() & {"module", "registered_name"} else ("dtype",)
    return name, {key: value for key, value in inner.items() if key not in passed_over}
