"""The page of verdicts: entry × framework version × what was compared, put together from one run of each test file.

A run of pytest leaves its counts under build/verdicts. Run as a program, this prints the page that they make, and
fails if VERDICTS.md was another one, which it then replaces.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

COUNTS = Path(__file__).resolve().parents[2] / "build" / "verdicts"
PAGE = Path(__file__).with_name("VERDICTS.md")

ENTRIES, LAYERS, FILES = "Initializers", "Layers", "Specs, files and lists"

KINDS = ("laws", "values", "arguments")
SECTIONS = {ENTRIES: KINDS, LAYERS: KINDS, FILES: ("checks",)}
"""The tables of the page, and the columns of each: what its comparisons are about."""

Row: TypeAlias = tuple[str, str, str, str]
"""The section, what is tested, the client and the column."""

HEAD = """\
# initcli beside the real frameworks

`make clients` writes this page and fails if it was out of date. Each number counts comparisons between the framework,
run in the version that is named, and initcli. **Laws**: samples of both sides by Kolmogorov–Smirnov, mean, std and
extremes of either against the closed form, the promised law, fans, orthogonality. **Values**: element for element.
**Arguments**: names and defaults, what both refuse, what both let through. A sample is told from another by chance once
in 1.7 million comparisons.
"""


class Count(NamedTuple):
    """How many comparisons of one kind something had beside a client, and how many of them failed."""

    section: str
    subject: str
    client: str
    kind: str
    made: int
    failed: int


def tell_client(framework: str) -> str:
    """Return a framework and its version without the local part: the `+cpu` of a build.

    >>> tell_client("torch 2.13.0+cpu, transformers 5.23.0")
    'torch 2.13.0, transformers 5.23.0'
    """
    return re.sub(r"\+\w+", "", framework)


def write_counts(name: str, compared: Iterable[tuple[Row, bool]]) -> None:
    """Count the comparisons of each row, failed or not, in the file of `name`."""
    made: Counter[Row] = Counter()
    failed: Counter[Row] = Counter()
    for row, is_wrong in compared:
        made[row] += 1
        failed[row] += is_wrong
    COUNTS.mkdir(parents=True, exist_ok=True)
    counts = [Count(*row, made[row], failed[row]) for row in sorted(made)]
    (COUNTS / f"{name}.json").write_text(json.dumps(counts, indent=1), "utf-8")


def read_counts() -> list[Count]:
    """Return the counts of all files."""
    return [Count(*count) for path in COUNTS.glob("*.json") for count in json.loads(path.read_text("utf-8"))]


def render_page(counts: list[Count]) -> str:
    """Return the page: a table for each section."""
    lines = [HEAD]
    for section, kinds in SECTIONS.items():
        lines += [f"## {section}", "", *render_table([c for c in counts if c.section == section], kinds), ""]
    return "\n".join(lines)


def render_table(counts: list[Count], kinds: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table, one for each subject and client, in the order of their names."""
    yield f"| what | framework | {' | '.join(kinds)} | verdict |"
    yield f"|---|---|{'---:|' * len(kinds)}---|"
    for subject, client in sorted({(count.subject, count.client) for count in counts}):
        mine = [count for count in counts if (count.subject, count.client) == (subject, client)]
        made = [sum(count.made for count in mine if count.kind == kind) for kind in kinds]
        wrong = sum(count.failed for count in mine)
        verdict = f"**differs in {wrong}**" if wrong else "agrees"
        yield f"| `{subject}` | {client} | {' | '.join(str(n or '') for n in made)} | {verdict} |"


def main() -> int:
    """Print the page and bring VERDICTS.md up to date; 1 if it was not."""
    page = render_page(read_counts())
    print(page)
    if PAGE.exists() and PAGE.read_text("utf-8") == page:
        return 0
    PAGE.write_text(page, "utf-8")
    print("tests/clients/VERDICTS.md was out of date and is now as above: commit it", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
