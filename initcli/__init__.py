"""Reproducible, seeded weight files from a layer-shape spec: no framework, no GPU, no network."""

__version__ = "0.1.0"
