"""Digits as other schools write them stay what they are, and look as they are written there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import Reader
from lenet5.learning.data import ImageSet, load
from lenet5.learning.hands import otherwise
from lenet5.learning.render import CANVAS, cropped
from lenet5.normalise import normalise, resize

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def inks() -> dict[int, list[Floats]]:
    """Thirty digits of each label, CANVAS tall."""
    found = load("digits", "test")
    assert isinstance(found, ImageSet)
    result: dict[int, list[Floats]] = {}
    for label in range(10):
        crops = [cropped(image / np.float32(255)) for image in found.images[found.labels == label][:30]]
        result[label] = [
            resize(crop, CANVAS, max(3, round(crop.shape[1] * CANVAS / crop.shape[0])))
            for crop in crops
            if crop is not None
        ]
    return result


def eight(generator: np.random.Generator) -> Floats:
    """Two rings, one upon the other, CANVAS tall."""
    ink = np.zeros((CANVAS, 34), np.uint8)
    waist, pen = int(generator.integers(15, 21)), int(generator.integers(3, 6))
    middle, half = 17, int(generator.integers(8, 13))
    for top, bottom in ((pen // 2, waist), (waist, CANVAS - 1 - pen // 2)):
        axes = half - int(generator.integers(0, 3)), (bottom - top) // 2
        cv2.ellipse(ink, (middle, (top + bottom) // 2), axes, 0, 0, 360, 255, pen, cv2.LINE_AA)
    crop = cropped(ink / np.float32(255))
    assert crop is not None
    return crop


def holes(ink: Floats) -> list[float]:
    """Where the pieces of paper within the ink are: the middle of each, as part of the height."""
    outside = np.pad(ink < 0.3, 1, constant_values=True).astype(np.uint8)
    _, _, stats, centres = cv2.connectedComponentsWithStats(outside, connectivity=4)
    inner = [k for k in range(1, len(stats)) if stats[k, cv2.CC_STAT_AREA] >= 4 and stats[k, cv2.CC_STAT_LEFT] > 0]
    return [float(centres[k][1] / len(ink)) for k in inner]


def test_a_nine_made_of_an_eight_keeps_the_upper_loop_alone() -> None:
    made = [otherwise(eight(generator), 8, generator) for generator in map(np.random.default_rng, range(30))]
    nines = [ink for ink, label in made if label == 9]
    assert len(nines) >= 25
    for nine in nines:
        (middle,) = holes(nine)
        assert middle < 0.5


def test_what_no_nine_can_be_made_of_stays_an_eight(inks: dict[int, list[Floats]]) -> None:
    stroke = inks[1][0]
    ink, label = otherwise(stroke, 8, np.random.default_rng(0))
    assert label == 8
    assert (ink == stroke).all()


@pytest.mark.parametrize("label", [0, 1, 7])
def test_strokes_are_added_and_none_is_lost(label: int, inks: dict[int, list[Floats]]) -> None:
    for k, ink in enumerate(inks[label]):
        made, answer = otherwise(ink, label, np.random.default_rng(k))
        assert answer == label
        assert made.shape[0] == ink.shape[0]
        assert made.min() >= 0
        assert made.max() <= 1
        assert made.sum() >= ink.sum()


@pytest.mark.parametrize("label", [2, 3, 5, 6, 9])
def test_digits_written_alike_everywhere_are_left_alone(label: int, inks: dict[int, list[Floats]]) -> None:
    made, answer = otherwise(inks[label][0], label, np.random.default_rng(0))
    assert answer == label
    assert made is inks[label][0]


@pytest.mark.parametrize("level", [0.0, 0.2])
@pytest.mark.parametrize("label", range(10))
def test_ink_too_faint_to_write_with_is_no_error(label: int, level: float) -> None:
    for seed in range(4):
        ink, _ = otherwise(np.full((40, 20), level, np.float32), label, np.random.default_rng(seed))
        assert ink.shape[0] == 40


def four() -> Floats:
    """An open 4: a hook on the left, a stem on the right."""
    ink = np.zeros((CANVAS, 30), np.uint8)
    cv2.polylines(ink, [np.array([(6, 1), (4, 22), (27, 22)], np.int32)], False, 255, 3)
    cv2.line(ink, (22, 2), (20, 39), 255, 3)
    return ink / np.float32(255)


def test_a_four_loses_the_top_of_its_stem_and_leans_over_it() -> None:
    plain = four()
    changed = [made for seed in range(20) if (made := otherwise(plain, 4, np.random.default_rng(seed))[0]) is not plain]
    assert len(changed) >= 15
    for made in changed:
        assert ((made[8] > 0.3).astype(int)[1:] > (made[8] > 0.3)[:-1]).sum() == 1  # one stroke where there were two
        assert np.flatnonzero(made[3] > 0.3).mean() > np.flatnonzero(plain[3] > 0.3)[:3].mean() + 5


def test_the_given_ink_is_not_changed(inks: dict[int, list[Floats]]) -> None:
    for label in range(10):
        before = inks[label][0].copy()
        otherwise(inks[label][0], label, np.random.default_rng(1))
        assert (inks[label][0] == before).all()


def test_the_bundled_weights_read_most_of_them(inks: dict[int, list[Floats]]) -> None:
    made = [
        (ink, answer)
        for label in (0, 1, 4, 7)
        for k, plain in enumerate(inks[label])
        for ink, answer in [otherwise(plain, label, np.random.default_rng(k))]
        if ink is not plain
    ]
    images = np.stack([normalise(crop) for ink, _ in made if (crop := cropped(ink)) is not None])
    answers, _ = Reader(threads=1).classify(images)
    assert (answers == [label for _, label in made]).mean() > 0.7
