"""Changes of the code are made where they are announced, and a test that holds nothing notices none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks import mutants

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
    changes = {(m.line, m.before.strip(), m.after.strip()) for m in mutants.mutants_of("a.py", CODE)}
    assert changes == {
        (2, "0.5", "0.65"), (2, "0.5", "0.35"), (3, "4", "5"), (3, "4", "3"), (7, "2", "3"), (7, "2", "1"),
        (8, "<", "<="), (8, "10", "13"), (8, "10", "7"), (8, "and", "or"), (8, "!=", "=="),
        (10, ">=", ">"), (10, "2.5", "3.25"), (10, "2.5", "1.75"),
    }  # fmt: skip


@pytest.mark.parametrize("only", ["posterior", "normalise", "evaluation/evaluate", "reading/product_graph"])
def test_every_change_of_a_file_leaves_a_program_that_differs_in_one_place(only: str) -> None:
    path = mutants.PACKAGE / f"{only}.py"
    text = path.read_text(encoding="utf-8")
    changes = mutants.mutants_of(f"{only}.py", text)
    assert len(changes) >= 10
    for change in changes[:: max(1, len(changes) // 40)]:
        changed = change.applied(text)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(text))
        assert sum(a != b for a, b in zip(text.split("\n"), changed.split("\n"), strict=True)) == 1


def test_the_same_seed_draws_the_same_changes_and_a_place_comes_once() -> None:
    first, places = mutants.drawn(30, seed=1)
    assert first == mutants.drawn(30, seed=1)[0] != mutants.drawn(30, seed=2)[0]
    assert len({(m.file, m.line, m.column) for m in first}) == 30 < places


def test_each_file_that_is_changed_has_tests() -> None:
    changed, _ = mutants.drawn(10_000, seed=0)
    for file in {mutant.file for mutant in changed}:
        assert all((mutants.ROOT / test).exists() for part in mutants.tests_for(file) for test in part), file


def test_a_change_is_noticed_by_a_test_that_holds_and_not_by_one_that_does_not(tmp_path: Path) -> None:
    (change,) = [m for m in mutants.drawn(1, seed=0, only=["posterior"])[0] if m][:1]
    empty = tmp_path / "test_empty.py"
    empty.write_text("def test_nothing():\n    pass\n")
    assert not mutants.noticed(change, [str(empty)])
    text = (mutants.PACKAGE / "posterior.py").read_text(encoding="utf-8")
    (ten,) = [m for m in mutants.mutants_of("posterior.py", text) if (m.before, m.after) == ("10", "13")][:1]
    holds = tmp_path / "test_holds.py"
    holds.write_text("from lenet5.posterior import RUBBISH\n\n\ndef test_ten():\n    assert RUBBISH == 10\n")
    assert mutants.noticed(ten, [str(holds)])
