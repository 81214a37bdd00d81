"""What arcs weigh: probabilities, size, cuts and specks, at the edges of each rule."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.arcs import SPECK, arcs_of, are_sure, cut_costs, factors, specks, weighed_by
from lenet5.reading.candidates import Candidates, runs
from lenet5.reading.geometry import Geometry
from lenet5.reading.pieces import Cut, Pieces, whole_marks

ALIKE = Geometry("01", np.zeros((3, 2)), np.tile(np.eye(2), (3, 1, 1)))  # says the same of both digits


def strokes(*columns: int, width: int = 100) -> Pieces:
    """One stroke of 3×48 pixels at each column."""
    level = np.zeros((48, width), np.float32)
    for column in columns:
        level[:, column : column + 3] = 1
    return whole_marks(level, slanted=False)


def alone(pieces: Pieces) -> Candidates:
    """Each piece by itself."""
    every = runs(pieces)
    which = np.flatnonzero(every.last - every.first == 1)
    return Candidates(
        every.first[which], every.last[which], every.boxes[which], every.images[which], tuple((k,) for k in which)
    )


def labels_and_scores(p: list[float]) -> dict[int, float]:
    """The arcs of a stroke whose classes have these probabilities, rubbish last."""
    pieces = strokes(10)
    arcs = arcs_of(pieces, runs(pieces), np.log([p]))
    return dict(zip(arcs.label.tolist(), arcs.score.tolist(), strict=True))


@pytest.mark.parametrize(("p", "has_arc"), [(0.0021, True), (0.0019, False)])
def test_labels_of_less_than_two_in_a_thousand_get_no_arc(p: float, has_arc: bool) -> None:
    assert (1 in labels_and_scores([0.9, p, 0.1 - p])) == has_arc


def test_a_label_of_just_two_in_a_thousand_gets_no_arc() -> None:
    pieces, weighed = strokes(10), np.array([[0.0, math.log(2e-3), -9.0]])
    assert 1 not in arcs_of(pieces, runs(pieces), weighed).label


def test_the_likeliest_label_and_rubbish_have_arcs_and_none_is_taken_for_less_likely_than_one_in_ten_thousand() -> None:
    scores = labels_and_scores([1e-9, 1e-7, 1.0])
    assert set(scores) == {1, 2, SPECK}
    assert scores[1] == pytest.approx(math.log(1e-4))
    sure = labels_and_scores([1.0, 0.0001, 1e-9])
    assert sure[2] - math.log(1e-4) == pytest.approx(math.log(0.03))


def test_rubbish_of_several_pieces_is_as_unlikely_as_that_of_each() -> None:
    pieces = strokes(10, 20)
    arcs = arcs_of(pieces, runs(pieces), np.log(np.tile([0.5, 0.1, 0.4], (3, 1))))
    rubbish = {int(last - first): s for first, last, label, s in
               zip(arcs.first, arcs.last, arcs.label, arcs.score, strict=True) if label == 2}  # fmt: skip
    assert rubbish[1] == pytest.approx(math.log(0.4 * 0.03))
    assert rubbish[2] == pytest.approx(2 * rubbish[1])


def test_rubbish_is_ten_times_as_likely_among_candidates() -> None:
    pieces = strokes(10)
    added = factors(pieces, runs(pieces).boxes, ALIKE)[0]
    assert added[2] - added[0] == pytest.approx(math.log(10))
    assert added[1] == added[0]


def test_a_class_that_the_network_rules_out_keeps_one_chance_in_a_million_million() -> None:
    pieces = strokes(10)
    weighed = weighed_by(pieces, runs(pieces), np.array([[0.0, 1.0, 0.0]]), ALIKE)[0]
    assert weighed[1] - weighed[0] == pytest.approx(math.log(1e12))
    assert np.exp(weighed).sum() == pytest.approx(1)


@pytest.mark.parametrize(("p", "sure"), [(0.992, True), (0.985, False), (0.7, False), (math.exp(math.log(0.99)), True)])
def test_a_mark_is_sure_from_99_percent_on(p: float, sure: bool) -> None:
    pieces = strokes(10)
    assert are_sure(pieces, runs(pieces), np.log([[p, 1e-9, 1 - p]])).tolist() == [sure]


def test_a_mark_of_just_99_percent_is_sure_and_only_marks_by_themselves_are() -> None:
    pieces = strokes(10, 20)
    weighed = np.array([[math.log(0.99), -9.0], [-9.0, 0.0], [-9.0, 0.0]])  # the first, both, the second
    assert are_sure(pieces, runs(pieces), weighed).tolist() == [True, False]
    assert are_sure(pieces, runs(pieces), weighed[[1, 0, 2]]).tolist() == [False, False]


@pytest.mark.parametrize(("size", "expected"), [(12, -4.7777778), (24, -13.1111111), (36, -27.0)])
def test_the_larger_a_piece_is_the_less_it_is_a_speck(size: int, expected: float) -> None:
    level = np.zeros((60, 60), np.float32)
    level[5 : 5 + size, 5:9] = 1
    assert specks(whole_marks(level, slanted=False))[0] == pytest.approx(expected)
    assert specks(whole_marks(np.ascontiguousarray(level.T), slanted=False))[0] == pytest.approx(expected)


def costs(first: int, last: int, *cuts: Cut) -> float:
    """What the cuts among five pieces cost a candidate of those from first to last."""
    pieces = replace(strokes(4, 14, 24, 34, 44), cuts=cuts)
    boxes, images = np.zeros((1, 4), np.int64), np.zeros((1, 28, 28), np.uint8)
    one: NDArray[np.float64] = cut_costs(pieces, Candidates(np.array([first]), np.array([last]), boxes, images, ((),)))
    return float(one[0])


@pytest.mark.parametrize(
    ("first", "last", "is_cut"),
    [
        (0, 1, False),
        (0, 2, True),
        (1, 2, True),
        (0, 3, False),
        (1, 3, False),
        (2, 3, True),
        (2, 5, True),
        (3, 5, False),
    ],
)
def test_a_cut_costs_what_ends_at_it_half_of_its_ink(first: int, last: int, is_cut: bool) -> None:
    assert costs(first, last, Cut(1, 2, ink=8.0)) == pytest.approx(-0.1 if is_cut else 0)


def test_the_costs_of_cuts_on_both_sides_add_up() -> None:
    assert costs(1, 2, Cut(0, 1, ink=8.0), Cut(1, 2, ink=4.0)) == pytest.approx(-0.15)
