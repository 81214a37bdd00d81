"""Penalties become probabilities of ten digits and rubbish."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hypothesis_numpy
from numpy.typing import NDArray

from lenet5 import ArrayError, paper
from lenet5.posterior import RUBBISH, fit_rubbish, fit_temperature, penalties, probabilities

PENALTY = np.random.default_rng(0).uniform(0, 200, (5, 10))


def test_distances_are_penalties_and_logits_are_with_the_sign_turned() -> None:
    outputs = np.array([[1, -2]], np.float32)
    assert penalties(paper.LENET5, outputs).tolist() == [[1, -2]]
    assert penalties(paper.CONCISE, outputs).tolist() == [[-1, 2]]


@pytest.mark.parametrize("temperature", [0.1, 1.0, 7.0])
@pytest.mark.parametrize("j", [0.5, 60.0, math.inf])
def test_probabilities_are_torchs_softmax_of_minus_the_penalties(j: float, temperature: float) -> None:
    energies = torch.from_numpy(np.column_stack([PENALTY, np.full(5, j)]))
    expected = torch.softmax(-energies / temperature, dim=1).numpy()
    np.testing.assert_allclose(probabilities(PENALTY, j, temperature), expected, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    penalty=hypothesis_numpy.arrays(np.float32, (3, 10), elements=st.floats(0, 2.0**100, width=32)),
    j=st.floats(1e-3, 1e6) | st.just(math.inf),
    temperature=st.floats(0.1, 10),
)
def test_rows_add_to_1_whatever_the_penalties(penalty: NDArray[np.float32], j: float, temperature: float) -> None:
    found = probabilities(penalty, j, temperature)
    assert found.shape == (3, 11)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-9)


def test_an_image_unlike_any_digit_is_rubbish() -> None:
    assert probabilities(np.full((1, 10), 90.0), j=20).argmax() == RUBBISH
    assert probabilities(np.full((1, 10), 90.0), j=math.inf)[0, RUBBISH] == 0


def test_a_higher_temperature_is_less_sure() -> None:
    sure, unsure = (probabilities(PENALTY, 500, t).max(axis=1) for t in (1, 10))
    assert (unsure < sure).all()


def test_no_penalties_give_no_probabilities() -> None:
    assert probabilities(np.zeros((0, 10)), 20).shape == (0, 11)


def test_the_fitted_temperature_is_that_which_the_labels_were_drawn_with() -> None:
    generator = np.random.default_rng(1)
    penalty = generator.uniform(0, 12, (20_000, 10))
    chances = probabilities(penalty, j=8, temperature=2.5)
    labels = (chances.cumsum(axis=1) < generator.random((len(penalty), 1))).sum(axis=1)
    found = fit_temperature(penalty, np.where(labels == RUBBISH, paper.NOT_A_DIGIT, labels), j=8)
    assert found == pytest.approx(2.5, rel=0.05)


def test_labels_that_are_never_wrong_do_not_make_the_network_as_sure_as_can_be() -> None:
    penalty = np.full((300, 10), 9.0)
    penalty[:, 3] = 4
    assert fit_temperature(penalty, np.full(300, 3), j=math.inf) > 0.5


def test_without_images_the_temperature_is_1() -> None:
    assert fit_temperature(np.zeros((0, 10)), np.zeros(0, np.uint8), j=20) == 1


# --- rubbish among the images ---


def digits_and_rubbish(n: int = 200, temperature: float = 3.0, j: float = 40.0) -> tuple[NDArray[np.float64], ...]:
    """Penalties whose labels are drawn as likely as they say, rubbish being as rare as fit_rubbish takes it to be."""
    generator = np.random.default_rng(1)
    penalty = generator.uniform(60, 100, (20 * n, 10))
    penalty[:, 0] = generator.choice([20.0, 38.0, 42.0, 60.0], 20 * n, p=[0.99, 0.003, 0.003, 0.004])
    p = probabilities(penalty, j, temperature)
    labels = (p.cumsum(axis=1) > generator.random((20 * n, 1))).argmax(axis=1)
    return penalty, np.where(labels == RUBBISH, paper.NOT_A_DIGIT, labels)


def test_temperature_and_j_are_found_again_from_what_they_made() -> None:
    penalty, labels = digits_and_rubbish()
    assert (labels == paper.NOT_A_DIGIT).mean() == pytest.approx(0.01, abs=0.003)
    temperature, j = fit_rubbish(penalty, labels)
    assert temperature == pytest.approx(3, rel=0.35)
    assert j == pytest.approx(40, abs=2.5)


def test_the_share_of_rubbish_among_the_images_does_not_move_j() -> None:
    penalty, labels = digits_and_rubbish()
    rubbish = np.flatnonzero(labels == paper.NOT_A_DIGIT)
    more = np.concatenate([np.arange(len(labels)), np.repeat(rubbish, 9)])
    assert fit_rubbish(penalty, labels) == fit_rubbish(penalty[more], labels[more])


def test_rubbish_that_cannot_be_told_from_a_digit_does_not_count() -> None:
    penalty, labels = digits_and_rubbish()
    with_twins = np.concatenate([penalty, np.full((500, 10), 90.0)])
    with_twins[-500:, 4] = 1.0
    twins = np.full(500, paper.NOT_A_DIGIT)
    assert fit_rubbish(with_twins, np.concatenate([labels, twins])) == fit_rubbish(penalty, labels)


@pytest.mark.parametrize("label", [3, paper.NOT_A_DIGIT])
def test_without_rubbish_or_without_digits_there_is_no_j(label: int) -> None:
    with pytest.raises(ArrayError, match="one of them is lacking"):
        fit_rubbish(PENALTY, np.full(5, label))


def test_a_temperature_stays_within_its_bounds() -> None:
    close, far = np.full((2000, 10), 0.01), np.full((2000, 10), 30.0)
    close[:, 3] = far[:, 3] = 0
    assert fit_temperature(close, np.full(2000, 3), j=math.inf) == pytest.approx(0.1)
    assert fit_temperature(far, np.full(2000, 7), j=math.inf) == pytest.approx(10)
