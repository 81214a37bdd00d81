"""Every maker of rubbish makes ink out of any three digits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.learning.render import CANVAS
from lenet5.synthesis.rubbish import MAKERS, Maker
from lenet5.synthesis.spoilt_digits import closed, gapped, symmetric

Floats = NDArray[np.float32]


def digit(height: int, width: int) -> Floats:
    """A loop with a tail, about as digits are."""
    ink = np.zeros((height, width), np.float32)
    ink[: height // 2 + 1, [0, -1]] = 1
    ink[[0, height // 2]] = 1
    ink[:, -1] = 1
    return ink


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("maker", [maker for maker, _ in MAKERS], ids=lambda maker: maker.__name__)
@pytest.mark.parametrize("shape", [(20, 12), (20, 3), (4, 20)], ids=["usual", "narrow", "flat"])
def test_a_maker_gives_ink_between_0_and_1_of_bounded_size(maker: Maker, shape: tuple[int, int]) -> None:
    for seed in range(20):
        labels = generator(seed).integers(0, 10, 3).astype(np.uint8)
        ink = maker([digit(*shape)] * 3, labels, generator(seed))
        assert ink.dtype == np.float32
        assert ink.min() >= 0
        assert ink.max() <= 1
        assert max(ink.shape) <= 6 * CANVAS or shape == (4, 20)


@pytest.mark.parametrize("maker", [maker for maker, _ in MAKERS], ids=lambda maker: maker.__name__)
def test_the_same_generator_makes_the_same_rubbish_and_another_seed_other(maker: Maker) -> None:
    digits, labels = [digit(20, 12), digit(20, 14), digit(18, 8)], np.array([6, 3, 9], np.uint8)
    inks = [maker(digits, labels, generator(seed)).tobytes() for seed in (1, 1, *range(2, 12))]
    assert inks[0] == inks[1]
    assert len(set(inks)) > 2


def test_shares_add_up_to_one() -> None:
    assert sum(share for _, share in MAKERS) == pytest.approx(1)


def test_a_gap_takes_ink_away_and_adds_none() -> None:
    whole = gapped([np.ones((20, 20), np.float32)], np.array([8], np.uint8), generator(0))
    assert 0 < (whole == 0).mean() < 0.8


def test_a_closed_half_ends_in_a_full_stroke() -> None:
    ink = closed([digit(20, 12)], np.array([9], np.uint8), generator(3))
    assert max(ink.min(axis=0).max(), ink.min(axis=1).max(), (ink == 1).mean(axis=0).max()) > 0.5


@pytest.mark.parametrize("seed", range(10))
def test_a_symmetric_figure_is_its_own_mirror_image(seed: int) -> None:
    ink = symmetric([digit(20, 12)] * 3, np.array([4, 4, 4], np.uint8), generator(seed))
    assert np.array_equal(ink, ink[:, ::-1]) or np.array_equal(ink, ink[::-1])
