"""Layers that stand in an argument of another: `layer: {class: LSTM, units: 64}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from initcli.dtypes import parse_dtype
from initcli.errors import ArgumentError
from initcli.layers.base import STYLES, Built, Layer, Shape, find_layer


@dataclass(frozen=True)
class Inner:
    """A layer that is the argument `parameter` of another: its own name, arguments and dtype, if it has one."""

    parameter: str
    layer: Layer
    name: str
    arguments: Mapping[str, Any]
    dtype: str = ""

    def __getitem__(self, argument: str) -> Any:
        known = self.layer.parameters
        return self.arguments.get(argument, known[argument].default if argument in known else None)

    def build(self, inputs: Shape | None) -> Built:
        """Return what the layer makes of its arguments.

        Raises:
            ArgumentError: what the layer refuses, said of the argument that it is.
        """
        try:
            built = self.layer.build(self.arguments, inputs)
        except ArgumentError as error:
            raise _told_of(self.parameter, error) from None
        return Built([each._replace(dtype=each.dtype or self.dtype) for each in built.weights], built.outputs)


def parse_inner(parameter: str, value: object, before: int = 0) -> Inner:
    """Return a layer that is written as a mapping with its class; `before` of the class have been named already.

    Raises:
        ArgumentError: it is no such mapping, or there is no such class.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("class"), str):
        hint = f"write `{parameter}: {{class: …}}` with that layer's arguments"
        raise ArgumentError(f"`{parameter}` must be a layer, got `{value}`", hint, parameter=parameter)
    written = {str(name): each for name, each in value.items() if name not in ("class", "name", "dtype")}
    try:
        arguments = {
            key: _parse_initializer(key, each) if key.endswith("_initializer") else each
            for key, each in written.items()
        }
        layer = find_layer("keras", value["class"])
        dtype = str(parse_dtype(value["dtype"])) if value.get("dtype") is not None else ""
    except ArgumentError as error:
        raise _told_of(parameter, error) from None
    name = value.get("name") or STYLES["keras"].name(layer.name, 0, before)
    return Inner(parameter, layer, str(name), arguments, dtype)


def _parse_initializer(parameter: str, value: object) -> str | None:
    """Return an initializer as text, which in an argument of an argument may also be a mapping with its name.

    Raises:
        ArgumentError: it is neither.
    """
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        what = f"`{parameter}` must be an initializer, got `{value}`"
        raise ArgumentError(what, "write a name, a call or a mapping: `{name: random_normal, stddev: 0.02}`")
    given = ", ".join(f"{key}={each!r}" for key, each in value.items() if key != "name")
    return f"{value['name']}({given})" if given else value["name"]


def parse_inners(parameter: str, values: object) -> list[Inner]:
    """Return a list of layers, those of the same class numbered.

    Raises:
        ArgumentError: it is no list, or what `parse_inner` refuses.
    """
    if not isinstance(values, list | tuple) or not values:
        raise ArgumentError(f"`{parameter}` must be a list of layers, got `{values}`", parameter=parameter)
    inners: list[Inner] = []
    unnamed: list[str] = []
    for value in values:
        inner = parse_inner(parameter, value)
        if isinstance(value, Mapping) and not value.get("name"):
            inner = parse_inner(parameter, value, unnamed.count(inner.layer.name))
            unnamed.append(inner.layer.name)
        inners.append(inner)
    return inners


def name_inside(arguments: Mapping[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    """Return a layer's arguments with a name for each layer among them that has none, as Keras counts: from inside out.

    `counts` are the layers without names of each class so far, and grow with those that are named here.

    >>> name_inside({"layer": {"class": "LSTM", "units": 8}, "merge_mode": "sum"}, {"LSTM": 1})
    {'layer': {'class': 'LSTM', 'units': 8, 'name': 'lstm_1'}, 'merge_mode': 'sum'}
    """
    named: dict[str, Any] = {}
    for key, value in arguments.items():
        if key == "cell" and isinstance(value, list | tuple):  # that RNN makes one of
            value = {"class": "StackedRNNCells", "cells": value}
        if isinstance(value, list | tuple):
            named[key] = [_name(each, counts) for each in value]
        else:
            named[key] = _name(value, counts)
    return named


def _name(value: Any, counts: dict[str, int]) -> Any:
    """Return a layer with its name; what is none as it is."""
    if not isinstance(value, Mapping) or not isinstance(value.get("class"), str):
        return value
    inside = name_inside(value, counts)
    if value.get("name"):
        return inside
    before = counts.get(value["class"], 0)
    counts[value["class"]] = before + 1
    return {**inside, "name": STYLES["keras"].name(value["class"], 0, before)}


def _told_of(parameter: str, error: ArgumentError) -> ArgumentError:
    fault = error.faults[0]
    return ArgumentError(fault.what, fault.hint, parameter=parameter)
