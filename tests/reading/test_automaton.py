"""Automata: how large they may be, and what both of two accept."""

from __future__ import annotations

import pytest

from lenet5.errors import PatternError
from lenet5.reading.automaton import MOST_STATES, Automaton, explored, intersected, trie


def fan(states: int) -> Automaton:
    """A start with an edge to each of the other states."""
    others = {chr(k): k for k in range(1, states)}
    return explored([0], lambda state: others if state == 0 else {}, lambda state: False)


def test_an_automaton_may_have_200_000_states_and_none_more() -> None:
    assert len(fan(200_000).edges) == 200_000
    with pytest.raises(PatternError, match="needs more than 200,000 states"):
        fan(200_001)


def test_choices_may_need_as_many_states_beside_the_start_and_none_more() -> None:
    assert len(trie(["11111", "2"], limit=5).edges) == 6
    with pytest.raises(PatternError, match="need more than 4 states"):
        trie(["11111", "2"], limit=4)


def test_a_limit_holds_for_all_states_together() -> None:
    assert len(explored([0], lambda state: {"1": (state + 1) % 5}, bool, limit=5).edges) == 5
    with pytest.raises(PatternError, match="more than 4 states"):
        explored([0], lambda state: {"1": (state + 1) % 5}, bool, limit=4)


def texts(automaton: Automaton, most: int = 4) -> set[str]:
    """What it accepts, up to a length."""
    found, begun = set(), [("", state) for state in automaton.starts]
    while begun:
        text, state = begun.pop()
        if automaton.accepting[state]:
            found.add(text)
        if len(text) < most:
            begun.extend((text + c, target) for c, target in automaton.edges[state].items())
    return found


@pytest.mark.parametrize(
    "words", [["1"], ["1", "12"], ["12", "1"], ["12", "13", "2"], ["11", "21", "211"], ["121", "1"]]
)
def test_choices_are_accepted_and_nothing_that_only_begins_or_ends_like_them(words: list[str]) -> None:
    assert texts(trie(words)) == set(words)


def test_both_of_two_automata_accept_what_is_in_both() -> None:
    assert texts(intersected(trie(["1", "12", "2"]), trie(["12", "121", "2"]))) == {"12", "2"}
    assert MOST_STATES >= 10_000 * 20  # codes of so many digits
