"""What a text may be — ``pattern``, ``choices``, ``check`` — as one automaton, searched together with the lattice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import PatternError
from lenet5.reading.automaton import Automaton, explored, intersected, trie
from lenet5.reading.check_digits import check_automaton
from lenet5.reading.pattern import known, pattern_automaton, quoted

__all__ = ["Constraint", "compile_constraint"]


@dataclass(frozen=True, eq=False)
class Constraint:
    """The texts that are allowed: an automaton over ``symbols``, the weights' classes and then the space.

    ``next`` (states, symbols) int32 is the state after a symbol, −1 for none; ``accepting`` (states,) where a text may
    end. ``starts`` is (0,), or several states if a check's weights count from the right; no text is accepted from two
    of them. From every state some allowed text can be completed. ``predicate`` is a check that is a function: the
    automaton allows more than it does.

    >>> constraint = compile_constraint("0123456789", choices=["12", "13 4"])
    >>> constraint.next.shape[1], constraint.allows("13 4"), constraint.allows("134")
    (11, True, False)
    """

    symbols: str
    next: NDArray[np.int32]
    accepting: NDArray[np.bool_]
    starts: tuple[int, ...] = (0,)
    predicate: Callable[[str], bool] | None = None

    def allows(self, text: str) -> bool:
        """Whether the text, with single spaces for wide gaps, is allowed."""
        states = self.starts
        for character in text:
            symbol = self.symbols.find(character)
            states = tuple(int(self.next[state, symbol]) for state in states if state >= 0 and symbol >= 0)
        accepted = any(state >= 0 and self.accepting[state] for state in states)
        return accepted and (self.predicate is None or self.predicate(text))


def compile_constraint(
    classes: str,
    pattern: str | None = None,
    choices: Sequence[str] | None = None,
    check: str | Callable[[str], bool] | None = None,
) -> Constraint | None:
    """All that are given, together; None if none is. Equal ones are compiled once.

    Spaces in ``choices`` are wide gaps: one or more count as one, and those at the ends are left out. Raises
    PatternError if one cannot be used, or if no text satisfies them all.

    >>> constraint = compile_constraint("0123456789/", pattern=r"[0-3]\\d/\\d+", check="luhn")
    >>> constraint.allows("22/12"), constraint.allows("22/13"), constraint.allows("2212")
    (True, False, False)
    """
    if pattern is None and choices is None and check is None:
        return None
    if pattern == "":
        raise PatternError("the pattern is empty")
    if isinstance(choices, str):
        raise PatternError("choices are a list of strings, not one string")
    if choices is not None and not all(isinstance(choice, str) for choice in choices):
        raise PatternError("choices are a list of strings")
    if check is not None and not isinstance(check, str) and not callable(check):
        raise PatternError(f"check is a name or a function of a string, not {type(check).__name__}")
    name = check if isinstance(check, str) else None
    constraint = _compiled(classes, pattern, None if choices is None else tuple(choices), name)
    return replace(constraint, predicate=check) if callable(check) else constraint


@lru_cache(maxsize=32)
def _compiled(classes: str, pattern: str | None, choices: tuple[str, ...] | None, check: str | None) -> Constraint:
    symbols = classes + " "
    automaton = _spacing(symbols) if choices is None else trie(_checked(choices, symbols))
    if pattern is not None:
        automaton = intersected(automaton, pattern_automaton(pattern, symbols))
        if not automaton.starts:
            raise PatternError(
                f"no choice matches pattern {quoted(pattern)}"
                if choices is not None
                else f"pattern {quoted(pattern)} matches nothing: a space stands only between characters, and alone"
            )
    if check is not None:
        automaton = intersected(automaton, check_automaton(check, classes))
        if not automaton.starts:
            allowed = "choice" if pattern is None else f"text of pattern {quoted(pattern)}"
            raise PatternError(f"no {allowed} passes check {check!r}")
    return _tabulated(automaton, symbols)


def _spacing(symbols: str) -> Automaton:
    """All texts whose spaces stand alone between other characters, as wide gaps do."""
    other = symbols[:-1]

    def step(state: int) -> dict[str, int]:
        return dict.fromkeys(other, 1) | ({" ": 2} if state == 1 else {})

    return explored([0], step, lambda state: state != 2)


def _checked(choices: tuple[str, ...], symbols: str) -> list[str]:
    """The choices with single spaces; PatternError if there is none, an empty one, or one with unknown characters."""
    if not choices:
        raise PatternError("there are no choices")
    texts: list[str] = []
    allowed = set(symbols)
    for number, choice in enumerate(choices, 1):
        text = " ".join(word for word in choice.split(" ") if word)
        if not text:
            raise PatternError(f"choice {number} is empty")
        if not allowed.issuperset(text):
            at = next(k for k, character in enumerate(choice) if character not in allowed)
            raise PatternError(
                f"choice {quoted(choice)}: character {at + 1}, {quoted(choice[at])}, is not known to these weights "
                f"({known(symbols)})"
            )
        texts.append(text)
    return texts


def _tabulated(automaton: Automaton, symbols: str) -> Constraint:
    columns = {character: column for column, character in enumerate(symbols)}
    table = np.full((len(automaton.edges), len(symbols)), -1, np.int32)
    for state, row in enumerate(automaton.edges):
        for character, target in row.items():
            table[state, columns[character]] = target
    accepting = np.array(automaton.accepting, np.bool_)
    table.flags.writeable = accepting.flags.writeable = False  # compiled constraints are shared
    return Constraint(symbols, table, accepting, automaton.starts)
