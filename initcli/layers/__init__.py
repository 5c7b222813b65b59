"""Layers in the frameworks' own words: a class and its arguments to the weights that the framework would make.

A layer is a function with the class's own argument names and defaults. It returns the weights' names, shapes and
default initializers; in Keras and flax.linen, where the input's shape decides, it takes that first and returns the
output's too.
"""

from initcli.layers.base import STYLES, Built, Layer, Shape, Style, Weight, find_layer, known_layers

__all__ = ["STYLES", "Built", "Layer", "Shape", "Style", "Weight", "find_layer", "known_layers"]
