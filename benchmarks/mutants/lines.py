"""Which tests execute a line of the package, and how long each takes: what a change of that line is tried on.

    python -m benchmarks.mutants.lines OUTPUT.json tests/test_posterior.py …    runs these tests and writes the record

A line that is executed when its module is imported, a constant or a default, counts as executed wherever its name
is used in a function.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import coverage
import pytest

from benchmarks.mutants.changes import PACKAGE, Mutant

__all__ = ["Executed", "Sources"]

Line = tuple[str, int]
"""A file of the package and a line's number."""


@dataclass(frozen=True)
class Executed:
    """What each test executes: its seconds of processor time and its lines, by the test's id."""

    seconds: Mapping[str, float]
    lines: Mapping[str, frozenset[Line]]

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Executed:
        lines = {
            test: frozenset((file, line) for file, lines in row["lines"].items() for line in lines)
            for test, row in record.items()
        }
        return cls({test: row["seconds"] for test, row in record.items()}, lines)

    def tests(self, lines: Iterable[Line]) -> list[str]:
        """The tests that execute one of these lines, the shortest first."""
        reached = frozenset(lines)
        return sorted((test for test in self.lines if self.lines[test] & reached), key=lambda test: self.seconds[test])


class Sources:
    """The package's files as trees: where a change takes effect."""

    def __init__(self, package: Path = PACKAGE) -> None:
        self._package = package

    @cached_property
    def _trees(self) -> dict[str, ast.Module]:
        return {
            path.relative_to(self._package).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
            for path in sorted(self._package.rglob("*.py"))
        }

    def lines(self, mutant: Mutant) -> set[Line]:
        """The lines of functions that a change can alter the course of."""
        lines, names = self._affected(mutant.file, mutant.line)
        seen: set[tuple[str, str]] = set()
        while names:
            name = names.pop()
            seen.add(name)
            for file, line in self._mentions(*name):
                more, bound = self._affected(file, line)
                lines |= more
                names |= bound - seen
        return lines

    def _affected(self, file: str, line: int) -> tuple[set[Line], set[tuple[str, str]]]:
        """The lines of the statement at a line, if a function runs it; else the names that it binds in its file."""
        scope: ast.AST = self._trees[file]
        names: set[tuple[str, str]] = set()
        while True:
            statement = next((child for child in _statements(scope) if _starts(child) <= line <= _ends(child)), None)
            if statement is None:
                return set(), names
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                if line >= statement.body[0].lineno:
                    return {(file, number) for number in _span(statement, line)}, set()
                return {(file, number) for number in range(statement.body[0].lineno, _ends(statement) + 1)}, set()
            names |= {(file, name) for name in _bound(statement)}
            if not isinstance(statement, ast.ClassDef) or line < statement.body[0].lineno:
                return set(), names
            scope = statement

    def _mentions(self, file: str, name: str) -> Iterator[Line]:
        """Where a name of a file is used: in that file, and in others unless it begins with an underscore."""
        for other, tree in self._trees.items():
            if other == file or not name.startswith("_"):
                for node in ast.walk(tree):
                    if name == (
                        node.id
                        if isinstance(node, ast.Name)
                        else node.attr
                        if isinstance(node, ast.Attribute)
                        else None
                    ) and not isinstance(getattr(node, "ctx", None), ast.Store):
                        yield other, node.lineno


def _statements(scope: ast.AST) -> Iterator[ast.stmt]:
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.stmt):
            yield child


def _starts(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _ends(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _span(function: ast.AST, line: int) -> range:
    """The lines of the innermost statement at a line; of one that holds others, those before the first of them."""
    inner = [node for node in ast.walk(function) if isinstance(node, ast.stmt) and node.lineno <= line <= _ends(node)]
    statement = max(inner, key=lambda node: (node.lineno, -_ends(node)))
    body = [child.lineno for child in _statements(statement)]
    return range(statement.lineno, min(body) if body else _ends(statement) + 1)


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.ClassDef):
        return {statement.name}
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return {node.id for target in targets if target for node in ast.walk(target) if isinstance(node, ast.Name)}


class _Tracer:
    """A pytest plugin: each test's lines and seconds; what a shared fixture executes counts for each test with it."""

    def __init__(self) -> None:
        self._coverage = coverage.Coverage(data_file=None, include=[str(PACKAGE / "*")], config_file=False)
        self._fixtures: dict[str, list[str]] = {}
        self._seconds: dict[str, float] = {}
        self._test = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        self._coverage.start()
        try:
            return (yield)
        finally:
            self._coverage.stop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._test = item.nodeid
        self._fixtures[item.nodeid] = list(getattr(item, "fixturenames", []))
        self._coverage.switch_context(item.nodeid)
        began = sum(os.times()[:4])
        result = yield
        self._seconds[item.nodeid] = round(sum(os.times()[:4]) - began, 3)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        shared = fixturedef.scope != "function"
        if shared:
            self._coverage.switch_context(f"fixture {fixturedef.argname}")
        try:
            return (yield)
        finally:
            if shared:
                self._coverage.switch_context(self._test)

    def record(self) -> dict[str, Any]:
        """By test: its seconds, and the lines of each file that it executes."""
        data = self._coverage.get_data()
        by_context: dict[str, dict[str, set[int]]] = {}
        for path in data.measured_files():
            file = Path(path).relative_to(PACKAGE).as_posix()
            for line, contexts in data.contexts_by_lineno(path).items():
                for context in contexts:
                    by_context.setdefault(context, {}).setdefault(file, set()).add(line)
        record = {}
        for test, seconds in self._seconds.items():
            lines: dict[str, set[int]] = {}
            for context in (test, *(f"fixture {name}" for name in self._fixtures[test])):
                for file, numbers in by_context.get(context, {}).items():
                    lines.setdefault(file, set()).update(numbers)
            record[test] = {"seconds": seconds, "lines": {file: sorted(lines[file]) for file in sorted(lines)}}
        return record


def main(arguments: Sequence[str]) -> int:
    output, *tests = arguments
    tracer = _Tracer()
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow"]
    status = int(pytest.main([*options, *tests], plugins=[tracer]))
    if status == 0:
        Path(output).write_text(json.dumps(tracer.record()), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
