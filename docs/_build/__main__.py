"""Renews what in the docs comes from the program and from results/: counts, line numbers, help texts, figures.

    python -m docs._build            writes the blocks between <!-- NAME --> and <!-- /NAME -->
    python -m docs._build --check    names the pages that are not up to date, and fails

A block's content is what the function of that name in a module's BLOCKS returns. Both commands fail where the code or
the figures of README.md and README.zh-CN.md differ. The check fails, too, where a file in results/ was measured with
other weights than those that are bundled or with another version, and where a picture is older than its results.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import record
from docs._build import (
    accuracy,
    figures,
    forms,
    licences,
    measured,
    program,
    reading,
    readme,
    robustness,
    scale,
    service,
    trust,
)

ROOT = Path(__file__).resolve().parents[2]

CARDS = ROOT / "src" / "lenet5" / "export" / "measured.json"
"""The measured errors of the model card, a file of the package."""

BLOCKS: dict[str, Callable[[], str]] = {
    **program.BLOCKS,
    **readme.BLOCKS,
    **measured.BLOCKS,
    **accuracy.BLOCKS,
    **robustness.BLOCKS,
    **reading.BLOCKS,
    **service.BLOCKS,
    **forms.BLOCKS,
    **trust.BLOCKS,
    **scale.BLOCKS,
    **licences.BLOCKS,
}


def renewed(text: str) -> str:
    """A document with each of its blocks renewed."""

    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- {name} -->\n\n{BLOCKS[name]()}\n\n<!-- /{name} -->"

    return re.sub(r"<!-- (?P<name>[\w-]+) -->.*?<!-- /(?P=name) -->", fill, text, flags=re.DOTALL)


def outdated(folder: Path = record.RESULTS) -> tuple[list[str], list[str]]:
    """Which files of results, and which pictures drawn from them, are out of date; which do not say."""
    failures, notes = [], []
    for path in sorted(folder.glob("*.json")):
        reasons = record.outdated(path)
        command = record.COMMANDS.get(path.name, "make results")
        if reasons:
            failures.append(f"results/{path.name} is out of date: {reasons[0]}; run: {command}")
        elif record.unrecorded(path):
            notes.append(f"results/{path.name} does not say which weights and version it measured; run: {command}")
    for name in figures.outdated():
        failures.append(f"docs/accuracy/{name}.png was drawn from other results; run: make figures")
    return failures, notes


def main() -> None:
    check = "--check" in sys.argv
    texts, changed = {}, []
    for path in [*readme.READMES, *sorted((ROOT / "docs").glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        texts[path] = renewed(text)
        if texts[path] != text:
            changed.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(texts[path], encoding="utf-8")
    cards = measured.measured_for_cards()
    if not CARDS.exists() or CARDS.read_text(encoding="utf-8") != cards:
        changed.append(str(CARDS.relative_to(ROOT)))
        if not check:
            CARDS.write_text(cards, encoding="utf-8")
    failures, notes = outdated() if check else ([], [])
    if changed and check:
        failures.append(f"not up to date: {', '.join(changed)}; run: make docs")
    differences = readme.differences(*(texts[path] for path in readme.READMES))
    if differences:
        failures.append(f"{readme.READMES[1].name} differs from {readme.READMES[0].name}: {'; '.join(differences)}")
    for note in notes:
        print(f"warning: {note}", file=sys.stderr)
    if failures:
        sys.exit("\n".join(failures))
    print("docs are up to date" if not changed else f"renewed {', '.join(changed)}")


if __name__ == "__main__":
    main()
