"""How many small changes of the code the tests notice: writes results/mutants.json.

    python -m benchmarks.mutants --sample 200 --seed 0      this many changes, drawn with this seed
    python -m benchmarks.mutants --only posterior normalise  of files whose path contains one of these; no results

Each change is tried on the tests of its file and of its room that execute its line, the shortest first, until one
fails or --budget seconds of tests have passed. Which tests execute which line is traced first, file by file, and kept
in build/mutants for as long as neither the package nor the tests change. A change that no test notices is a survivor;
a reason that was written beside it in the results is kept when it survives again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.progress import track

from benchmarks import record
from benchmarks.mutants.changes import PACKAGE, ROOT, Mutant, drawn
from benchmarks.mutants.lines import Executed, Sources
from benchmarks.mutants.trial import Outcome, started, tried
from lenet5.evaluation.evaluate import wilson_interval
from lenet5.files import write_beside

RESULTS: Final = record.RESULTS / "mutants.json"
TRACED: Final = ROOT / "build" / "mutants"
ROOMS: Final = {
    "posterior.py": [
        "tests/test_criterion.py",
        "tests/test_weights.py",
        "tests/test_weights_refused.py",
        "tests/evaluation",
    ],
    "normalise.py": ["tests/learning/test_data.py", "tests/learning/test_render.py", "tests/evaluation"],
}
"""Of the files of no room, whose tests there are beside their own."""


def files_of_tests(file: str) -> list[Path]:
    """The files of tests of a file of the package and of its room."""
    path = Path(file)
    places = ROOMS[path.name] if path.parent == Path() else [str(Path("tests") / path.parent)]
    its_own = sorted((ROOT / "tests" / path.parent).glob(f"test_{path.stem}*.py"))
    listed = [*its_own, *(ROOT / place for place in places)]
    files = [test for place in listed for test in ([place] if place.is_file() else sorted(place.glob("test_*.py")))]
    return list(dict.fromkeys(files))


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 of files."""
    together = hashlib.sha256()
    for path in paths:
        together.update(path.read_bytes())
    return together.hexdigest()


def traced(tests: Sequence[Path]) -> Executed:
    """What the tests of these files execute, traced anew where the package or a file has changed since."""
    TRACED.mkdir(parents=True, exist_ok=True)
    package = digest([*sorted(PACKAGE.rglob("*.py")), ROOT / "tests" / "conftest.py"])
    rows: dict[str, Any] = {}
    for test in track(tests, "tests without a change"):
        kept = TRACED / f"{digest([test])[:16]}-{package[:16]}.json"
        if not kept.exists():
            command = [sys.executable, "-m", "benchmarks.mutants.lines", str(kept), str(test.relative_to(ROOT))]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode == 5:  # all of its tests are slow
                kept.write_text("{}")
            elif done.returncode:
                raise SystemExit(
                    f"the tests fail without a change: mend them first\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
                )
        rows |= json.loads(kept.read_text(encoding="utf-8"))
    return Executed.from_json(rows)


class Trials:
    """Tries changes on the tests that may notice them; tests that have noticed others go before."""

    def __init__(self, executed: Executed, budget: float) -> None:
        self._executed, self._budget = executed, budget
        self._sources, self._context = Sources(), started()
        self._noticed: Counter[str] = Counter()

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests that a change is tried on: those of its line, or of its file where none is traced to it."""
        room = {str(path.relative_to(ROOT)) for path in files_of_tests(mutant.file)}
        tests = [test for test in self._executed.tests(self._sources.lines(mutant)) if test.split("::")[0] in room] or [
            test for test in self._executed.seconds if test.split("::")[0].endswith(f"test_{Path(mutant.file).name}")
        ]
        tests.sort(key=lambda test: self._executed.seconds[test] / (1 + self._noticed[test]))
        selected, seconds = [], 0.0
        for test in tests:
            seconds += self._executed.seconds[test]
            if selected and seconds > self._budget:
                break
            selected.append(test)
        return selected

    def __call__(self, mutant: Mutant) -> Outcome:
        tests = self.tests(mutant)
        if not tests:
            return Outcome(None)
        outcome = tried(self._context, mutant, tests, sum(self._executed.seconds[test] for test in tests))
        if outcome.noticed_by:
            self._noticed[outcome.noticed_by] += 1
        return outcome


def report(
    mutants: Sequence[Mutant], survivors: Sequence[Mutant], places: int, seed: int, budget: float
) -> dict[str, Any]:
    """What results/mutants.json holds; reasons that it has for a survivor stay."""
    n, hits = len(mutants), len(mutants) - len(survivors)
    last = json.loads(RESULTS.read_text(encoding="utf-8"))["survivors"] if RESULTS.exists() else []
    reasons = {(row["file"], row["source"], row["before"], row["after"]): row["reason"] for row in last}
    rows = [asdict(m) | {"reason": reasons.get((m.file, m.source, m.before, m.after), "")} for m in survivors]
    rooms = sorted({Path(m.file).parts[0] for m in mutants})
    return {
        record.KEY: record.record(),
        "places": places,
        "sample": n,
        "seed": seed,
        "seconds_of_tests": budget,
        "noticed": hits,
        "noticed_percent": round(100 * hits / n, 1),
        "interval_percent": [round(100 * bound, 1) for bound in wilson_interval(hits, n)],
        "rooms": {
            room: {
                "sample": sum(m.file.startswith(room) for m in mutants),
                "survivors": sum(m.file.startswith(room) for m in survivors),
            }
            for room in rooms
        },
        "survivors": rows,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", type=int, default=200, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="files whose path contains one; writes no results")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="changes tried at a time")
    parser.add_argument("--budget", type=float, default=60, metavar="S", help="seconds of tests for a change")
    parser.add_argument("--try-out", action="store_true", help="write no results")
    given = parser.parse_args(arguments)
    mutants, places = drawn(given.sample, given.seed, given.only or ("",))
    if not mutants:
        raise SystemExit(f"no file that is changed has {' or '.join(given.only)} in its path")
    tests = list(dict.fromkeys(test for mutant in mutants for test in files_of_tests(mutant.file)))
    print(f"{len(mutants)} of {places} places", flush=True)
    trials = Trials(traced(tests), given.budget)
    survivors = []
    with ThreadPoolExecutor(given.jobs) as pool:
        outcomes = pool.map(trials, mutants)
        for mutant, outcome in zip(mutants, track(outcomes, "changes", total=len(mutants)), strict=True):
            if outcome.noticed_by is None:
                survivors.append(mutant)
            print(f"{outcome.noticed_by or 'survived'}: {mutant}", flush=True)
    results = report(mutants, survivors, places, given.seed, given.budget)
    print(f"noticed: {results['noticed']} of {results['sample']}, {results['noticed_percent']}%")
    if not given.only and not given.try_out:
        write_beside(RESULTS, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
