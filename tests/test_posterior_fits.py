"""What is fitted to labels is the likeliest, also at the ends of what is searched; which classes compete."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import ArrayError, paper
from lenet5.codes import DIGITS
from lenet5.posterior import RUBBISH, fit_rubbish, fit_temperature, of_classes, probabilities

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def drawn(temperature: float, j: float, size: float, n: int = 600) -> tuple[Floats, Labels]:
    """Penalties up to ``size``, and labels drawn as likely as these say; every fifth is rubbish that lies far off."""
    generator = np.random.default_rng(3)
    penalty = generator.uniform(0, size, (n, 10))
    p = probabilities(penalty, j, temperature)
    labels = (p.cumsum(axis=1) > generator.random((n, 1))).argmax(axis=1)
    penalty[::5] = generator.uniform(0.7 * j, size, (len(penalty[::5]), 10))
    labels[::5] = paper.NOT_A_DIGIT
    return penalty, np.where(labels == RUBBISH, paper.NOT_A_DIGIT, labels)


def surprise(penalty: Floats, labels: Labels, temperature: float, j: float) -> float:
    """How unlikely the labels are, one image in a hundred being rubbish."""
    p = of_classes(penalty, DIGITS, DIGITS, j, temperature)
    right = np.log(np.maximum(p[np.arange(len(labels)), np.minimum(labels, RUBBISH)], 1e-12))
    return float(-0.99 * right[labels < RUBBISH].mean() - 0.01 * right[labels > RUBBISH].mean())


def counted(penalty: Floats, labels: Labels) -> tuple[Floats, Labels]:
    """Without rubbish that lies nearer to a code than half of the digits."""
    smallest = penalty.min(axis=1)
    kept = (labels < RUBBISH) | (smallest > np.median(smallest[labels < RUBBISH]))
    return penalty[kept], labels[kept]


@pytest.mark.parametrize(
    ("temperature", "j", "size"), [(0.33, 9, 10), (2, 20, 100), (13, 60, 100), (1, 5, 100), (1, 110, 100)]
)
def test_no_temperature_and_j_beside_those_that_are_fitted_are_likelier(
    temperature: float, j: float, size: float
) -> None:
    penalty, labels = drawn(temperature, j, size)
    found = fit_rubbish(penalty, labels)
    penalty, labels = counted(penalty, labels)
    least = surprise(penalty, labels, *found)
    for a, b in product((0.9, 0.97, 1, 1.03, 1.1), repeat=2):
        assert surprise(penalty, labels, found[0] * a, found[1] * b) > least - 2e-4 * least


@pytest.mark.parametrize("temperature", [0.15, 0.7, 2.5, 8])
def test_the_temperature_is_fitted_to_half_a_percent(temperature: float) -> None:
    penalty = np.random.default_rng(1).uniform(0, 12 * temperature, (3000, 10))
    chances = probabilities(penalty, 9 * temperature, temperature)
    labels = (chances.cumsum(axis=1) > np.random.default_rng(2).random((3000, 1))).argmax(axis=1)
    found = fit_temperature(penalty, labels, 9 * temperature)
    candidates = found * np.linspace(0.9, 1.1, 81)

    def surprise_of(t: float) -> float:
        p = np.maximum(probabilities(penalty, 9 * temperature, t), 1e-12)
        return float(-np.log(p[np.arange(3000), labels]).sum() - np.log(np.sort(p, axis=1)[:, -2]).mean())

    best = candidates[int(np.argmin([surprise_of(float(t)) for t in candidates]))]
    assert found == pytest.approx(best, rel=0.006)


def test_one_error_of_average_size_is_added_when_a_temperature_is_fitted() -> None:
    penalty = np.tile([0.0, 4.0, 4.0], (100, 1))  # 100 right ones and two alike: e^(4/T) = 2 · 100 is the best
    assert fit_temperature(penalty, np.zeros(100, np.int64), math.inf) == pytest.approx(4 / math.log(200), rel=0.005)


def test_separators_that_are_not_kept_do_not_compete_and_letters_count_as_rubbish() -> None:
    penalty = np.array([[1.0, 2.0, 3.0, 4.0]])
    weight = np.exp(-np.array([1.0, 3.0, 4.0, 5.0]))  # of 0, x, y and rubbish
    expected = np.array([weight[0], weight[1:].sum()]) / weight.sum()
    np.testing.assert_allclose(of_classes(penalty, "0-xy", "0", j=5.0), expected[None])
    both = of_classes(penalty, "0-xy", "0-", j=5.0)
    assert both.shape == (1, 3)
    assert both[0, 1] > expected[1] / 4


@pytest.mark.parametrize("penalty", [np.zeros((2, 3)), np.zeros(2), np.zeros((2, 2, 2)), np.zeros((1, 1))])
def test_penalties_have_a_column_for_each_class(penalty: Floats) -> None:
    with pytest.raises(ArrayError, match="penalties of the classes 01 are"):
        of_classes(penalty, "01", "01", j=5.0)


def test_a_penalty_that_overflowed_is_the_largest_and_the_row_stays_finite() -> None:
    penalty = np.array([[np.inf, 3.0], [np.nan, np.inf], [-np.inf, 3.0]])
    assert probabilities(penalty, 9.0, 0.1).round(6).tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert np.isfinite(probabilities(np.full((1, 2), np.inf), math.inf, 0.1)).all()


def test_rubbish_as_near_as_the_middle_digit_is_left_out() -> None:
    penalty = np.full((8, 10), 60.0)
    penalty[:3, 0] = [2, 5, 8]
    labels = np.array([0, 0, 0, *[paper.NOT_A_DIGIT] * 5])
    penalty[3:, 4] = [5, 5, 20, 30, 40]
    assert fit_rubbish(penalty, labels) == fit_rubbish(np.delete(penalty, [3, 4], axis=0), np.delete(labels, [3, 4]))
    nearer = penalty.copy()
    nearer[3:5, 4] = 5.1
    assert fit_rubbish(nearer, labels) != fit_rubbish(penalty, labels)
