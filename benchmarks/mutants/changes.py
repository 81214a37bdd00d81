"""Small changes of the code, one at a time: which there are, and a sample of them.

A change is one constant 30% larger or smaller, one comparison with or without its equality or turned round, or one
"and" that becomes "or" and back. Left alone are 0 and ±1, subscripts, annotations, decorators, texts and what is
raised.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["PACKAGE", "ROOT", "Mutant", "drawn", "mutants_of"]

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "src" / "lenet5"
MUTATED: Final = ("posterior.py", "normalise.py", "evaluation/evaluate.py", "reading")
"""What is changed: not what draws, whose sizes and colours are for a person to judge."""

SHARE: Final = 0.3  # by which a constant changes

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
