"""Glyphs of print: ink of every kind, the same from the same seed."""

import numpy as np
import pytest

from lenet5.learning.render import CANVAS
from lenet5.synthesis.glyphs import glyph
from lenet5.synthesis.pen import arc, drawn


def test_every_glyph_has_ink_and_paper_and_is_about_as_high_as_the_canvas() -> None:
    generator = np.random.default_rng(0)
    for _ in range(200):
        ink = glyph(generator)
        rows = np.flatnonzero(ink.max(axis=1) > 0.5)
        assert np.isfinite(ink).all()
        assert 0 <= ink.min() <= ink.max() <= 1
        assert 0.8 * CANVAS < rows[-1] + 1 - rows[0] < 1.7 * CANVAS
        assert 0.01 < ink.mean() < 0.9


def test_the_same_seed_draws_the_same_glyph_and_another_one_another() -> None:
    first, again, other = (glyph(np.random.default_rng(seed)) for seed in (4, 4, 5))
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize("pen", [1.0, 3.0])
def test_a_stroke_is_twice_its_pen_broad(pen: float) -> None:
    ink = drawn([np.array([[0.0, 0.0], [1.0, 0.0]])], np.random.default_rng(1), np.array([pen]))
    assert ink[CANVAS // 2].sum() == pytest.approx(2 * pen, rel=0.25)


def test_an_arc_bows_to_one_side_by_its_bend() -> None:
    points = arc(np.array([0.0, 0.0]), np.array([1.0, 0.0]), 0.5)
    assert np.abs(points[:, 1]).max() == pytest.approx(0.5)
    assert np.array_equal(arc(np.zeros(2), np.ones(2), 0), [[0, 0], [1, 1]])
