"""What a weight file tells of how it was made: the keys of its metadata."""

from __future__ import annotations

SCHEME_KEY, PORTABLE_KEY, SPEC_KEY = "initcli.scheme", "initcli.portable", "initcli.spec"
"""The stream's scheme, whether the bits are portable, and the spec with nothing left to rules or defaults, as JSON."""
