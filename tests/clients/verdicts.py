"""The two pages that the client tests write, put together from one run of each test file in each environment.

VERDICTS.md: what is tested × framework version × what was compared. COMPATIBILITY.md: which program in which version
loads which file. A run of pytest leaves its counts under build/verdicts. Run as a program, this prints the pages that
they make, and fails if a filed one was different, which it then replaces.
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
VERDICTS = Path(__file__).with_name("VERDICTS.md")
COMPATIBILITY = Path(__file__).with_name("COMPATIBILITY.md")

ENTRIES, LAYERS, SPECS = "Initializers", "Layers", "Specs and lists"

KINDS = ("laws", "values", "arguments")
SECTIONS = {ENTRIES: KINDS, LAYERS: KINDS, SPECS: ("checks",)}
"""The tables of the page of verdicts, and the columns of each: what its comparisons are about."""


class Comparison(NamedTuple):
    """Where a comparison of something with a client counts on the page of verdicts."""

    section: str
    subject: str
    client: str
    kind: str


class Load(NamedTuple):
    """Where a file that a client loads counts on the page of compatibility: loaded how, and what is in it."""

    file: str
    client: str
    how: str
    what: str


Row: TypeAlias = Comparison | Load


class Count(NamedTuple):
    """How many checks a row had, and how many of them failed."""

    made: int
    failed: int


VERDICTS_HEAD = """\
# initcli beside the real frameworks

`make clients` writes this page and fails if it was out of date. Each number counts comparisons between the framework,
run in the version that is named, and initcli. **Laws**: samples of both sides by Kolmogorov–Smirnov, mean, std and
extremes of either against the closed form, the promised law, fans, orthogonality. **Values**: element for element.
**Arguments**: names and defaults, what both refuse, what both let through. A sample is told from another by chance once
in 1.7 million comparisons. Who loads the files is told by [another page](COMPATIBILITY.md).
"""

COMPATIBILITY_HEAD = """\
# Which program in which version loads which file

`make clients` writes this page and fails if it was out of date. Each check is a run of the program that is named, in
that version, over a file that initcli wrote: nothing is missing or unexpected, and each name, shape, element type and
bit is the one that initcli finds in the file without the program. A warning is a failure.
"""


def tell_client(framework: str) -> str:
    """Return a framework and its version without the local part: the `+cpu` of a build.

    >>> tell_client("torch 2.13.0+cpu, transformers 5.23.0")
    'torch 2.13.0, transformers 5.23.0'
    """
    return re.sub(r"\+\w+", "", framework)


def write_counts(name: str, checked: Iterable[tuple[Row, bool]]) -> None:
    """Count the checks of each row, failed or not, in the file of `name`."""
    made: Counter[Row] = Counter()
    failed: Counter[Row] = Counter()
    for row, is_wrong in checked:
        made[row] += 1
        failed[row] += is_wrong
    COUNTS.mkdir(parents=True, exist_ok=True)
    counts = [(type(row).__name__, row, made[row], failed[row]) for row in sorted(made)]
    (COUNTS / f"{name}.json").write_text(json.dumps(counts, indent=1), "utf-8")


def read_counts() -> tuple[dict[Comparison, Count], dict[Load, Count]]:
    """Return the counts of all files; a row that several have is the sum of theirs."""
    comparisons: dict[Comparison, Count] = {}
    loads: dict[Load, Count] = {}
    for path in sorted(COUNTS.glob("*.json")):
        for kind, row, made, failed in json.loads(path.read_text("utf-8")):
            if kind == Load.__name__:
                loads[Load(*row)] = _added(loads.get(Load(*row)), made, failed)
            else:
                comparisons[Comparison(*row)] = _added(comparisons.get(Comparison(*row)), made, failed)
    return comparisons, loads


def _added(before: Count | None, made: int, failed: int) -> Count:
    """Return a count with others added to it."""
    return Count(before.made + made, before.failed + failed) if before else Count(made, failed)


def render_verdicts(counts: dict[Comparison, Count]) -> str:
    """Return the page of verdicts: a table for each section."""
    lines = [VERDICTS_HEAD]
    for section, kinds in SECTIONS.items():
        mine = {row: count for row, count in counts.items() if row.section == section}
        lines += [f"## {section}", "", *render_section(mine, kinds), ""]
    return "\n".join(lines)


def render_section(counts: dict[Comparison, Count], kinds: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table, one for each subject and client, in the order of their names."""
    yield f"| what | framework | {' | '.join(kinds)} | verdict |"
    yield f"|---|---|{'---:|' * len(kinds)}---|"
    for subject, client in sorted({(row.subject, row.client) for row in counts}):
        mine = {row.kind: count for row, count in counts.items() if (row.subject, row.client) == (subject, client)}
        made = [mine.get(kind, Count(0, 0)).made for kind in kinds]
        wrong = sum(count.failed for count in mine.values())
        verdict = f"**differs in {wrong}**" if wrong else "agrees"
        yield f"| `{subject}` | {client} | {' | '.join(str(n or '') for n in made)} | {verdict} |"


def render_compatibility(counts: dict[Load, Count]) -> str:
    """Return the page of compatibility: one line for each file, client and way of loading, with all that was loaded."""
    lines = [
        COMPATIBILITY_HEAD,
        "| file | client | loaded by | what was loaded | checks | verdict |",
        "|---|---|---|---|---:|---|",
    ]
    for key in sorted({row[:3] for row in counts}):
        mine = {row.what: count for row, count in counts.items() if row[:3] == key}
        wrong = sorted(what for what, count in mine.items() if count.failed)
        verdict = f"**fails**: {'; '.join(wrong)}" if wrong else "loads"
        file, client, how = key
        total = sum(count.made for count in mine.values())
        lines.append(f"| {file} | {client} | `{how}` | {'; '.join(sorted(mine))} | {total} | {verdict} |")
    return "\n".join([*lines, ""])


def main() -> int:
    """Print the pages and bring the filed ones up to date; 1 if one was not."""
    comparisons, loads = read_counts()
    pages = {VERDICTS: render_verdicts(comparisons), COMPATIBILITY: render_compatibility(loads)}
    stale = [path for path, page in pages.items() if not path.exists() or path.read_text("utf-8") != page]
    print(*pages.values(), sep="\n")
    for path in stale:
        path.write_text(pages[path], "utf-8")
        print(f"tests/clients/{path.name} was out of date and is now as above: commit it", file=sys.stderr)
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
