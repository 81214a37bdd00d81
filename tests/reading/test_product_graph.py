"""Lattice × automaton: which paths stay, and which texts are found, at the edges of what is left out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from lenet5.codes import DIGITS
from lenet5.reading import product_graph as module
from lenet5.reading.arcs import SPECK, Arcs
from lenet5.reading.constraint import Constraint, compile_constraint
from lenet5.reading.decode import starting_arcs
from lenet5.reading.product_graph import Transitions, product_graph
from lenet5.reading.texts import constrained_paths, n_best

SYMBOLS = DIGITS + " "


def arcs_of(*rows: tuple[int, int, int, float]) -> Arcs:
    """Arcs of rows (first piece, one after the last, label, score)."""
    first, last, label, score = zip(*rows, strict=True)
    return Arcs(*map(np.array, (first, last, label)), np.array(score, np.float64), np.arange(len(rows)))


def any_of(*labels: Sequence[int]) -> Arcs:
    """As many pieces as there are sets of labels, each piece one of its set, all equally likely."""
    return arcs_of(*((gap, gap + 1, label, 0.0) for gap, row in enumerate(labels) for label in row))


def digits(pattern: str | None = None, **given: object) -> Constraint:
    constraint = compile_constraint(DIGITS, pattern=pattern, **given)  # type: ignore[arg-type]
    assert constraint is not None
    return constraint


@pytest.mark.parametrize(("score", "is_found"), [(-25.0, True), (-30.0, True), (-30.001, False), (-35.0, False)])
def test_a_text_is_left_out_where_it_is_over_e30_times_less_likely_than_the_best(score: float, is_found: bool) -> None:
    arcs, narrow = arcs_of((0, 1, 1, 0.0), (0, 1, 2, score)), np.zeros(2, np.bool_)
    texts = [(1,), (2,)] if is_found else [(1,)]
    assert [text.labels for text, _ in n_best(arcs, 1)] == texts
    assert [text.labels for text in constrained_paths(arcs, 1, digits(r"\d"), narrow)[0]] == texts


@pytest.mark.parametrize(("score", "is_found"), [(-30.0, True), (-30.001, False)])
def test_the_last_characters_are_left_out_by_the_whole_paths_score(score: float, is_found: bool) -> None:
    arcs = arcs_of((0, 1, 1, score / 2), (0, 1, 3, 0.0), (1, 2, 1, score / 2), (1, 2, 3, 0.0))
    assert ((1, 1) in [text.labels for text, _ in n_best(arcs, 2)]) == is_found


def test_paths_without_any_probability_spell_no_text() -> None:
    arcs, narrow = arcs_of((0, 1, 1, -math.inf), (0, 1, 2, -math.inf)), np.zeros(2, np.bool_)
    assert constrained_paths(arcs, 1, digits(r"\d"), narrow) == ([], -math.inf)
    graph = product_graph(arcs, 1, Transitions.of(digits(r"\d")), narrow, 1.0)
    assert graph.starts == graph.arc == []


def test_a_space_may_lead_back_to_the_first_state() -> None:
    """As in an automaton of "1", again and again, each after a space: after a character it waits in state 1."""
    table = np.array([[-1, 1, -1], [-1, -1, -1]])
    again = Transitions(table, np.array([-1, 0]), np.array([0]), np.array([False, True]))
    arcs, wide = any_of([1], [1]), np.array([False, True, False])
    graph = product_graph(arcs, 2, again, wide, 1.0)
    assert graph.labels == [(1,), (2, 1)]
    assert graph.log_total == 0
    assert product_graph(arcs, 2, again, np.zeros(3, np.bool_), 1.0).log_total == -math.inf


def test_a_text_may_begin_in_any_of_the_starts() -> None:
    table = np.array([[1, -1], [-1, 0], [-1, 2]])
    transitions = Transitions(table, np.full(3, -1), np.array([0, 2]), np.array([False, True, True]))
    graph = product_graph(any_of([0, 1]), 1, transitions, np.zeros(2, np.bool_), 1.0)
    assert graph.labels == [(0,), (1,)]


@pytest.mark.parametrize(("states", "sweeps"), [(500, 1), (501, 2)])
def test_automata_of_over_500_states_are_first_searched_by_a_beam(
    states: int, sweeps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    beams = []
    swept = module._swept

    def counted(*arguments: object) -> object:
        beams.append(arguments[6:])
        return swept(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_swept", counted)
    table = np.full((states, 10), -1)
    table[0, 1] = 1
    transitions = Transitions(table, np.full(states, -1), np.array([0]), np.arange(states) == 1)
    assert product_graph(any_of([1, 2]), 1, transitions, np.zeros(2, np.bool_), 1.0).labels == [(1,)]
    assert len(beams) == sweeps
    assert beams[-1] == ()  # whatever the beam found, all paths near the best are swept


@pytest.mark.parametrize(("beam", "kept"), [(1, [1, 1, 1]), (2, [1, 2, 2]), (3, [1, 3, 3]), (4, [1, 3, 3])])
def test_a_beam_keeps_so_many_of_the_best_at_each_gap(beam: int, kept: list[int]) -> None:
    arcs = arcs_of(*((gap, gap + 1, label, -0.1 * label) for gap in range(2) for label in (0, 1, 2)))
    remembers = Transitions(  # the last label, which the second may not be less than
        np.array([[1, 2, 3], [1, 2, 3], [-1, 2, 3], [-1, -1, 3]]), np.full(4, -1), np.array([0]), np.ones(4, np.bool_)
    )
    floors, narrow = np.full(3, -np.inf), np.zeros(3, np.bool_)
    nodes = module._swept(arcs, arcs.score, starting_arcs(arcs.first, 2), remembers, narrow, floors, beam)
    assert np.diff(nodes.first).tolist() == kept
    assert nodes.forward[nodes.ends].max() == 0
    assert (nodes.target < len(nodes.forward)).all()


def test_specks_keep_a_wide_gap_waiting_and_a_gap_before_the_first_character_is_none() -> None:
    rows = [(0, 1, SPECK), (1, 2, 1), (2, 3, SPECK), (3, 4, SPECK), (4, 5, 2)]
    arcs = arcs_of(*((*row, 0.0) for row in rows))
    wide = np.array([False, True, True, False, False, False])
    (text,), _ = constrained_paths(arcs, 5, digits(r"\d \d"), wide)
    assert "".join(SYMBOLS[k] for k in text.labels) == "1 2"
    assert constrained_paths(arcs, 5, digits(r"\d\d"), wide)[0][0].labels == (1, 2)


# --- the texts, one after the other ---


def test_five_texts_are_found_unless_more_are_asked_for() -> None:
    arcs, narrow = any_of(range(10)), np.zeros(2, np.bool_)
    assert len(n_best(arcs, 1)) == len(constrained_paths(arcs, 1, digits(r"\d"), narrow)[0]) == 5
    assert len(n_best(arcs, 1, n=7)) == len(constrained_paths(arcs, 1, digits(r"\d"), narrow, n=7)[0]) == 7


def test_of_the_texts_whose_paths_are_best_twice_as_many_are_compared_as_are_given() -> None:
    rows = [(0, 2, 5, 0.40), (0, 2, 1, 0.35), (0, 1, 1, 0.20), (0, 2, 2, 0.33), (0, 1, 2, 0.32), (1, 2, SPECK, 1.0)]
    arcs = arcs_of(*((*row[:3], math.log(row[3])) for row in rows))  # in all 0.4 of 5, 0.55 of 1 and 0.65 of 2
    assert [text.labels for text, _ in n_best(arcs, 2, n=1)] == [(1,)]
    assert [text.labels for text, _ in n_best(arcs, 2, n=2)] == [(2,), (1,)]


def test_of_two_equally_likely_paths_of_a_text_the_first_is_given() -> None:
    arcs = arcs_of((0, 2, 1, math.log(0.25)), (0, 1, 1, math.log(0.25)), (1, 2, SPECK, 0.0))
    ((text, _),) = n_best(arcs, 2)
    assert text.log_best == math.log(0.25)
    assert text.log_total == pytest.approx(math.log(0.5))
    assert text.arcs == (0,)


def test_a_function_is_tried_on_the_500_texts_with_the_best_paths() -> None:
    tried: list[str] = []
    constraint = digits(r"\d{3}", check=lambda text: bool(tried.append(text)))
    found, log_allowed = constrained_paths(
        any_of(range(10), range(10), range(10)), 3, constraint, np.zeros(4, np.bool_)
    )
    assert (found, log_allowed) == ([], -math.inf)
    assert len(set(tried)) == len(tried) == 500
