"""How many small changes of the code the tests notice: writes results/mutants.json.

    python -m benchmarks.mutants --sample 200 --seed 0      this many changes, drawn with this seed
    python -m benchmarks.mutants --only posterior normalise  of files whose path contains one of these; no results

A change is one constant 30% larger or smaller, one comparison with or without its equality or turned round, or one
"and" that becomes "or" and back. Each is made in a copy of the package, on which the tests of its file run, and then
those of its room. A change that no test notices is a survivor; a reason that was written beside it in the results is
kept when it survives again. Left alone are 0 and ±1, subscripts, annotations, decorators, texts and what is raised.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.progress import track

from benchmarks import record
from lenet5.evaluation.evaluate import wilson_interval
from lenet5.files import write_beside

__all__ = ["Mutant", "mutants_of", "tests_for"]

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = ROOT / "src" / "lenet5"
RESULTS: Final = record.RESULTS / "mutants.json"
MUTATED: Final = ("posterior.py", "normalise.py", "evaluation/evaluate.py", "reading")
"""What is changed: not what draws, whose sizes and colours are for a person to judge."""

SHARE: Final = 0.3  # by which a constant changes
SECONDS: Final = 900  # a change that takes the tests longer is noticed: a loop that does not end

COMPARISONS: Final = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "=="}
SIGNS: Final = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


@dataclass(frozen=True)
class Mutant:
    """A change of a file: in this line, from this column of its bytes, ``before`` becomes ``after``."""

    file: str
    line: int
    column: int
    before: str
    after: str
    source: str

    def applied(self, text: str) -> str:
        """The file's text with the change."""
        lines = text.split("\n")
        line = lines[self.line - 1].encode()
        end = self.column + len(self.before.encode())
        assert line[self.column : end].decode() == self.before
        lines[self.line - 1] = (line[: self.column] + self.after.encode() + line[end:]).decode()
        return "\n".join(lines)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.before} → {self.after} in {self.source}"


def mutants_of(file: str, text: str) -> list[Mutant]:
    """Every change of a file of the package; of a constant the larger and the smaller one."""
    lines = text.split("\n")
    return [
        Mutant(file, line, column, before, after, lines[line - 1].strip())
        for node in _nodes(ast.parse(text))
        for line, column, before, after in _changes(node, lines)
    ]


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree that may change."""
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Subscript) or _is_docstring(node):
        if isinstance(node, ast.Subscript):
            yield from _nodes(node.value)
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _nodes(child)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST, lines: list[str]) -> Iterator[tuple[int, int, str, str]]:
    """(line, column, before, after) of each change of one node."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float) and abs(node.value) not in (0, 1):
        before = lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset].decode()
        for sign in (1, -1):
            yield node.lineno, node.col_offset, before, _scaled(node.value, sign)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        kind = type(node.ops[0])
        yield from _between(node.left, node.comparators[0], SIGNS[kind], COMPARISONS[kind], lines)
    elif isinstance(node, ast.BoolOp):
        sign, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        if len(node.values) == 2:
            yield from _between(node.values[0], node.values[1], sign, other, lines)


def _scaled(value: float, sign: int) -> str:
    """A constant 30% larger or smaller; a whole number stays one, and changes by 1 at least."""
    if isinstance(value, int):
        return str(value + sign * max(1, round(abs(value) * SHARE)))
    return repr(float(f"{value * (1 + sign * SHARE):.6g}"))


def _between(
    left: ast.expr, right: ast.expr, sign: str, other: str, lines: list[str]
) -> Iterator[tuple[int, int, str, str]]:
    """The operator between two operands on one line, with its blanks, so that "<" is not found in "<="."""
    if left.end_lineno == right.lineno and left.end_col_offset is not None and left.end_lineno:
        gap = lines[right.lineno - 1].encode()[left.end_col_offset : right.col_offset].decode()
        if gap.count(f" {sign} ") == 1:
            yield right.lineno, left.end_col_offset + len(gap[: gap.index(f" {sign} ")]), f" {sign} ", f" {other} "


def tests_for(file: str) -> tuple[list[str], list[str]]:
    """The tests of a file of the package, and those of its room: paths from the root, the first possibly none."""
    path = Path(file)
    mirror = Path("tests") / path.parent / f"test_{path.name}"
    if path.parent == Path():
        room = {
            "posterior.py": ["tests/test_criterion.py", "tests/test_weights.py", "tests/evaluation"],
            "normalise.py": ["tests/learning/test_data.py", "tests/learning/test_render.py", "tests/evaluation"],
        }[path.name]
    else:
        room = [str(Path("tests") / path.parent)]
    return [str(mirror)] if (ROOT / mirror).exists() else [], room


def noticed(mutant: Mutant | None, tests: Sequence[str], processes: int = 1) -> bool:
    """Whether one of these tests fails on a copy of the package with the change; without one, on a plain copy."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "lenet5"
        shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
        if mutant:
            file = package / mutant.file
            file.write_text(mutant.applied(file.read_text(encoding="utf-8")), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests]
        command += ["-n", str(processes)] if processes > 1 else ["-p", "no:xdist"]
        environment = os.environ | {"PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return True
    if done.returncode not in (0, 1, 2):  # passed, failed, or broken where it is imported
        raise SystemExit(f"the tests could not run: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.returncode != 0


def survives(mutant: Mutant) -> bool:
    """Whether neither the tests of its file nor those of its room notice a change."""
    return not any(noticed(mutant, tests) for tests in tests_for(mutant.file) if tests)


def drawn(sample: int, seed: int, only: Sequence[str] = ("",)) -> tuple[list[Mutant], int]:
    """A sample of the changes of files whose path has one of ``only`` in it, one a place at most; how many places."""
    files = [path for name in MUTATED for path in sorted((PACKAGE / name).rglob("*.py")) or [PACKAGE / name]]
    places: dict[tuple[str, int, int], list[Mutant]] = {}
    for path in files:
        file = path.relative_to(PACKAGE).as_posix()
        for mutant in mutants_of(file, path.read_text(encoding="utf-8")) if any(word in file for word in only) else []:
            places.setdefault((file, mutant.line, mutant.column), []).append(mutant)
    generator = random.Random(seed)
    sampled = generator.sample(sorted(places), min(sample, len(places)))
    return [generator.choice(places[place]) for place in sorted(sampled)], len(places)


def report(mutants: Sequence[Mutant], survivors: Sequence[Mutant], places: int, seed: int) -> dict[str, Any]:
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
    given = parser.parse_args(arguments)
    mutants, places = drawn(given.sample, given.seed, given.only or ("",))
    if not mutants:
        raise SystemExit(f"no file that is changed has {' or '.join(given.only)} in its path")
    tests = sorted({test for mutant in mutants for part in tests_for(mutant.file) for test in part})
    print(f"{len(mutants)} of {places} places; first the tests without a change: {' '.join(tests)}", flush=True)
    if noticed(None, tests, given.jobs):
        raise SystemExit("the tests fail without a change: mend them first")
    survivors = []
    with ThreadPoolExecutor(given.jobs) as pool:
        outcomes = pool.map(survives, mutants)
        for mutant, survived in zip(mutants, track(outcomes, "changes", total=len(mutants)), strict=True):
            if survived:
                survivors.append(mutant)
                print(f"survived: {mutant}", flush=True)
    results = report(mutants, survivors, places, given.seed)
    print(f"noticed: {results['noticed']} of {results['sample']}, {results['noticed_percent']}%")
    if not given.only:
        write_beside(RESULTS, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
