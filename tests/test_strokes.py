"""Strokes become ink: any pen, any hand, where they were written."""

from __future__ import annotations

import numpy as np
import pytest

from lenet5.codes import SEPARATORS
from lenet5.strokes import BROADEST, HAIRLINE, Hand, Pen, any_hand, any_pen, drawn_separator, frame_of, hold, ink_of

UPRIGHT = [np.array([[0.0, -50.0], [0.0, 50.0]], np.float32)]


def width_of(ink: np.ndarray) -> float:
    """The mean of the ink of the rows that are crossed whole."""
    rows = ink.sum(axis=1)
    return float(np.median(rows[rows > 0]))


@pytest.mark.parametrize("width", [HAIRLINE, 0.1, BROADEST])
def test_a_stroke_is_as_broad_as_its_pen(width: float) -> None:
    generator = np.random.default_rng(0)
    ink = ink_of(hold(UPRIGHT, Hand(), generator), 80, Pen(width), generator)
    assert width_of(ink) == pytest.approx(width * 80, abs=0.6)


def test_pens_reach_from_a_hairline_to_the_broadest() -> None:
    generator = np.random.default_rng(0)
    widths = [any_pen(generator).width for _ in range(400)]
    assert min(widths) < 1.1 * HAIRLINE
    assert max(widths) > 0.9 * BROADEST


def test_a_slant_moves_the_top_to_the_right() -> None:
    generator = np.random.default_rng(0)
    (held,) = hold(UPRIGHT, Hand(slant=0.3), generator)
    top, bottom = held[held[:, 1].argmin()], held[held[:, 1].argmax()]
    assert top[0] - bottom[0] == pytest.approx(0.3, abs=0.01)


def test_strokes_keep_their_place_and_size_in_a_given_frame() -> None:
    generator = np.random.default_rng(0)
    (held,) = hold(UPRIGHT, Hand(), generator, (np.array([0, 50], np.float32), 200.0))
    assert held[:, 1].min() == pytest.approx(-0.5, abs=1e-3)
    assert held[:, 1].max() == pytest.approx(0.0, abs=1e-3)


def test_coarse_points_become_smooth_and_ends_stay() -> None:
    stairs = [np.array([[k // 2, (k + 1) // 2] for k in range(40)], np.float32)]
    (held,) = hold(stairs, Hand(smooth=2.0), np.random.default_rng(0))
    turns = np.abs(np.diff(np.arctan2(*np.diff(held, axis=0).T[::-1])))
    assert turns.max() < 0.6
    middle, unit = frame_of(stairs)
    np.testing.assert_allclose(held[0], (stairs[0][0] - middle) / unit, atol=0.02)


def test_the_same_generator_draws_the_same_ink() -> None:
    first, again = (
        ink_of(hold(UPRIGHT, any_hand(g), g), 40, any_pen(g), g) for g in map(np.random.default_rng, (7, 7))
    )
    assert first.tobytes() == again.tobytes()


@pytest.mark.parametrize("character", SEPARATORS)
def test_drawn_separators_stand_where_they_are_written(character: str) -> None:
    generator = np.random.default_rng(0)
    points = np.concatenate([np.concatenate(drawn_separator(character, generator)) for _ in range(50)])
    low, high = points[:, 1].min(), points[:, 1].max()
    if character in ".,":
        assert low > 0.35
    elif character == "-":
        assert -0.4 < low <= high < 0.5
    else:
        assert low < 0 < high
