"""Changes of the code are made where they are announced, and a test that holds nothing notices none."""

from __future__ import annotations

import ast
import json
import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.mutants.__main__ import files_of_tests
from benchmarks.mutants.changes import PACKAGE, ROOT, Mutant, drawn, mutants_of
from benchmarks.mutants.lines import Executed, Sources
from benchmarks.mutants.trial import tried

CODE = '''"""A docstring with 25 and <."""
LIMIT: Final = 0.5  # 3
TABLE = [[4, 0], [1, -1]]


@cache(maxsize=64)
def inside(x: Literal[7], y=2):
    if x < 10 and y != LIMIT:
        raise ValueError(f"{x:5} is over 20")
    return rows[3] if x >= y else 2.5 * x
'''


def test_each_constant_and_comparison_changes_and_what_is_left_alone_does_not() -> None:
    changes = {(m.line, m.before.strip(), m.after.strip()) for m in mutants_of("a.py", CODE)}
    assert changes == {
        (2, "0.5", "0.65"), (2, "0.5", "0.35"), (3, "4", "5"), (3, "4", "3"), (7, "2", "3"), (7, "2", "1"),
        (8, "<", "<="), (8, "10", "13"), (8, "10", "7"), (8, "and", "or"), (8, "!=", "=="),
        (10, ">=", ">"), (10, "2.5", "3.25"), (10, "2.5", "1.75"),
    }  # fmt: skip


@pytest.mark.parametrize("only", ["posterior", "normalise", "evaluation/evaluate", "reading/product_graph"])
def test_every_change_of_a_file_leaves_a_program_that_differs_in_one_place(only: str) -> None:
    path = PACKAGE / f"{only}.py"
    text = path.read_text(encoding="utf-8")
    changes = mutants_of(f"{only}.py", text)
    assert len(changes) >= 10
    for change in changes[:: max(1, len(changes) // 40)]:
        changed = change.applied(text)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(text))
        assert sum(a != b for a, b in zip(text.split("\n"), changed.split("\n"), strict=True)) == 1


def test_the_same_seed_draws_the_same_changes_and_a_place_comes_once() -> None:
    first, places = drawn(30, seed=1)
    assert first == drawn(30, seed=1)[0] != drawn(30, seed=2)[0]
    assert len({(m.file, m.line, m.column) for m in first}) == 30 < places


def test_each_file_that_is_changed_has_tests() -> None:
    changed, _ = drawn(10_000, seed=0)
    for file in {mutant.file for mutant in changed}:
        assert files_of_tests(file), file
        assert all(test.exists() for test in files_of_tests(file)), file


def of(file: str, before: str, after: str) -> Mutant:
    text = (PACKAGE / file).read_text(encoding="utf-8")
    (change,) = [m for m in mutants_of(file, text) if (m.before, m.after) == (before, after)][:1]
    return change


@pytest.mark.slow
def test_a_change_is_noticed_by_a_test_that_holds_and_not_by_one_that_does_not() -> None:
    change, context = of("posterior.py", "10", "13"), multiprocessing.get_context("forkserver")
    holds = "tests/test_posterior.py::test_an_image_unlike_any_digit_is_rubbish"
    other = "tests/test_posterior.py::test_distances_are_penalties_and_logits_are_with_the_sign_turned"
    assert tried(context, change, [other], seconds=1).noticed_by is None
    assert tried(context, change, [other, holds], seconds=1).noticed_by == holds


def test_a_line_of_a_function_is_executed_where_it_stands_and_a_constant_where_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "LIMIT = 5\nTWICE = 2 * LIMIT\n\n\ndef inside(x, y=3):\n    if (\n        x < 7\n    ):\n        return 1\n"
        "    return TWICE\n\n\nclass Row:\n    size: int = 4\n"
    )
    (tmp_path / "b.py").write_text(
        "from lenet5.a import Row, LIMIT\n\n\ndef made():\n    row = Row()\n    return LIMIT\n"
    )
    sources = Sources(tmp_path)
    lines = {line: sources.lines(Mutant("a.py", line, 0, "", "", "")) for line in (1, 2, 5, 7, 10, 14)}
    assert lines == {
        1: {("a.py", 10), ("b.py", 6)},
        2: {("a.py", 10)},
        5: {("a.py", line) for line in range(6, 11)},
        7: {("a.py", 6), ("a.py", 7), ("a.py", 8)},
        10: {("a.py", 10)},
        14: {("b.py", 5)},
    }


def test_the_tests_of_a_line_are_those_that_execute_it_the_shortest_first() -> None:
    executed = Executed.from_json(
        {
            "t.py::long": {"seconds": 3.0, "lines": {"a.py": [1, 2]}},
            "t.py::short": {"seconds": 0.5, "lines": {"a.py": [2], "b.py": [1]}},
        }
    )
    assert executed.tests({("a.py", 2)}) == ["t.py::short", "t.py::long"]
    assert executed.tests({("a.py", 1)}) == ["t.py::long"]
    assert executed.tests({("b.py", 2)}) == []


@pytest.mark.slow
def test_tracing_gives_a_test_the_lines_that_it_and_its_fixtures_execute(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    command = [sys.executable, "-m", "benchmarks.mutants.lines", str(record), "tests/reading/test_geometry.py"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    executed = Executed.from_json(json.loads(record.read_text()))
    fitted = of("reading/geometry.py", "30", "39")  # the fewest examples of a class, used in a fixture alone
    tests = executed.tests(Sources().lines(fitted))
    assert any("densities_integrate" in test for test in tests)
    assert not any("posterior.py" in file for test in tests for file, _ in executed.lines[test])
