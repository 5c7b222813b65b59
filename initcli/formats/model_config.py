"""A model's config.json, which Hugging Face's libraries want beside its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from initcli.errors import Fault, InitcliError
from initcli.files import translate

MAX_CONFIG_NBYTES = 16 << 20


def render_config(config: Mapping[str, Any]) -> bytes:
    r"""Return a config as transformers writes it; what it has for GGUF files stays out.

    >>> render_config({"n_layer": 12, "model_type": "gpt2"})
    b'{\n  "model_type": "gpt2",\n  "n_layer": 12\n}\n'
    """
    config = {key: value for key, value in config.items() if key != "gguf"}
    return (json.dumps(config, indent=2, sort_keys=True) + "\n").encode()


def read_config(path: Path) -> bytes:
    """Return the bytes of a file that holds a config.

    Raises:
        InitcliError: the file cannot be read, is too long, or holds no JSON object.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CONFIG_NBYTES + 1)
    except IsADirectoryError:
        raise InitcliError(Fault(f"`{path}` is a directory", hint=_HINT)) from None
    except OSError as error:
        raise translate(error, path) from error
    if len(data) > MAX_CONFIG_NBYTES:
        raise InitcliError(
            Fault(f"`{path}` is larger than {MAX_CONFIG_NBYTES >> 20} MiB: no config.json is", hint=_HINT)
        )
    try:
        config = json.loads(data)
    except (ValueError, RecursionError) as error:
        why = str(error).partition("\n")[0]
        raise InitcliError(Fault(f"`{path}` is not JSON: {why}", hint=_HINT)) from None
    if not isinstance(config, dict):
        raise InitcliError(Fault(f"`{path}` must hold a JSON object, as a config.json does", hint=_HINT))
    return data


_HINT = "`--config` names a model's config.json"
