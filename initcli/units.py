"""Numbers with units, as people read them."""

from __future__ import annotations


def render_nbytes(nbytes: int) -> str:
    """Return a number of bytes for people, in powers of 1000.

    >>> render_nbytes(498_000_000), render_nbytes(1_536), render_nbytes(12)
    ('498 MB', '1.54 kB', '12 B')
    """
    units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    size = float(nbytes)
    while size >= 999.5 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.3g} {units[0]}"
