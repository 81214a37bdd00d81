"""Finite automata over characters: explored from a step function, intersected, trimmed.

All are deterministic but for the start: where a check digit is weighted from the right, each possible length modulo a
period has a start state of its own. No text is accepted from two of them, so that each text still has one run.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from lenet5.errors import PatternError

__all__ = ["MOST_STATES", "Automaton", "explored", "intersected", "trie", "trimmed"]

MOST_STATES: Final = 200_000
"""Bound on any automaton: 10,000 codes of 20 digits stay below it; its table takes 15 MB for 19 symbols."""

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True)
class Automaton:
    """States 0, 1, …: the ``starts``, each state's ``edges`` (character → state), and which are ``accepting``.

    >>> ab = Automaton(starts=(0,), edges=({"a": 1}, {"b": 1}, {}), accepting=(False, True, False))  # a, ab, abb …
    >>> ab.accepting[ab.edges[ab.edges[0]["a"]]["b"]]
    True
    """

    starts: tuple[int, ...]
    edges: tuple[Mapping[str, int], ...]
    accepting: tuple[bool, ...]


def explored(
    starts: Iterable[State],
    step: Callable[[State], Mapping[str, State]],
    accepts: Callable[[State], bool],
    limit: int = MOST_STATES,
) -> Automaton:
    """The part that can be reached from ``starts``, breadth first; PatternError beyond ``limit`` states.

    >>> even = explored([0], lambda state: {"1": 1 - state}, lambda state: state == 0)  # an even number of ones
    >>> even.edges, even.accepting
    (({'1': 1}, {'1': 0}), (True, False))
    """
    numbers: dict[State, int] = {}
    for start in starts:
        numbers.setdefault(start, len(numbers))
    queue = list(numbers)
    count = len(queue)
    edges: list[dict[str, int]] = []
    for state in queue:  # grows on the way
        row: dict[str, int] = {}
        for character, target in step(state).items():
            if target not in numbers:
                if len(queue) == limit:
                    raise PatternError(f"the constraint is too large: it needs more than {limit:,} states")
                numbers[target] = len(queue)
                queue.append(target)
            row[character] = numbers[target]
        edges.append(row)
    return Automaton(tuple(range(count)), tuple(edges), tuple(accepts(state) for state in queue))


def intersected(a: Automaton, b: Automaton) -> Automaton:
    """The texts that both accept; ``a`` should have the fewer edges.

    >>> both = intersected(trie(["12", "13"]), trie(["13", "4"]))
    >>> both.edges
    ({'1': 1}, {'3': 2}, {})
    """

    def step(state: tuple[int, int]) -> dict[str, tuple[int, int]]:
        other = b.edges[state[1]]
        return {c: (target, other[c]) for c, target in a.edges[state[0]].items() if c in other}

    starts = [(p, q) for p in a.starts for q in b.starts]
    return trimmed(explored(starts, step, lambda state: a.accepting[state[0]] and b.accepting[state[1]]))


def trimmed(automaton: Automaton) -> Automaton:
    """The same without states from which no text is accepted; no start is left if none is accepted at all.

    >>> trimmed(Automaton((0,), ({"1": 1, "2": 2}, {}, {}), (False, True, False))).edges
    ({'1': 1}, {})
    """
    before: list[list[int]] = [[] for _ in automaton.edges]
    for state, row in enumerate(automaton.edges):
        for target in row.values():
            before[target].append(state)
    live = list(automaton.accepting)
    queue = [state for state, accepts in enumerate(live) if accepts]
    while queue:
        for state in before[queue.pop()]:
            if not live[state]:
                live[state] = True
                queue.append(state)

    def step(state: int) -> dict[str, int]:
        return {c: target for c, target in automaton.edges[state].items() if live[target]}

    starts = [start for start in automaton.starts if live[start]]
    return explored(starts, step, lambda state: automaton.accepting[state])


def trie(words: Iterable[str], limit: int = MOST_STATES) -> Automaton:
    """The least automaton that accepts ``words``: built incrementally from the sorted words (Daciuk et al. 2000).

    PatternError beyond ``limit`` states.

    >>> trie(["17", "27"]).edges  # the end is shared
    ({'1': 1, '2': 1}, {'7': 2}, {})
    """
    known: dict[tuple[bool, tuple[tuple[str, int], ...]], int] = {}
    rows: list[dict[str, int]] = [{}]  # the states along the previous word, which may still get edges
    ends = [False]
    previous = ""

    def shorten(length: int) -> None:
        while len(rows) > length + 1:
            number = known.setdefault((ends.pop(), tuple(rows.pop().items())), len(known))
            rows[-1][previous[len(rows) - 1]] = number

    for word in sorted(set(words)):
        shared = next((k for k, (a, b) in enumerate(zip(previous, word, strict=False)) if a != b), len(previous))
        shorten(shared)
        rows.extend({} for _ in word[shared:])
        ends.extend(k == len(word) for k in range(shared + 1, len(word) + 1))
        previous = word
        if len(known) > limit:
            raise PatternError(f"the choices are too many: they need more than {limit:,} states")
    shorten(0)
    last = len(known)  # children are numbered before their parents: turned round, the start is 0
    states = [*known, (ends[0], tuple(rows[0].items()))]
    edges = tuple({character: last - target for character, target in row} for _, row in reversed(states))
    return Automaton((0,), edges, tuple(accepts for accepts, _ in reversed(states)))
