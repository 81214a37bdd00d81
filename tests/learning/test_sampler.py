"""Presentations: every pattern has its turn; distorted versions of an image are the same each time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from lenet5 import paper, pixels
from lenet5.learning.data import ImageSet, load
from lenet5.learning.distort import NONE
from lenet5.learning.recipe import PAPER_DISTORTED, Recipe
from lenet5.learning.sampler import Sampler


@pytest.fixture(scope="module")
def few() -> ImageSet:
    found = load("digits", "train")
    assert isinstance(found, ImageSet)
    return replace(found, images=found.images[:40], labels=found.labels[:40])


def seen(presentation: Sampler, passes: int) -> list[list[bytes]]:
    """The images of each pass."""
    return [[image.tobytes() for batch, _ in presentation.one_pass() for image in batch] for _ in range(passes)]


def presentation(data: ImageSet, recipe: Recipe, seed: int = 0) -> Sampler:
    return Sampler(data, np.arange(len(data.images)), recipe, np.random.default_rng(seed))


def test_nine_distorted_versions_and_the_image_itself_are_each_shown_twice_in_twenty_passes(few: ImageSet) -> None:
    passes = seen(presentation(few, PAPER_DISTORTED), 20)
    assert [len(one) for one in passes] == [40] * 20
    shown = Counter(image for one in passes for image in one)
    assert len(shown) == 400
    assert set(shown.values()) == {2}
    themselves = {image.tobytes() for image in pixels.network_input(paper.LENET5, few.images)}
    assert themselves <= set(shown)
    assert sorted(image for one in passes[:10] for image in one) == sorted(set(shown))
    assert passes[0] != passes[10]


def test_a_pattern_keeps_its_label(few: ImageSet) -> None:
    labels = {}
    for _ in range(2):
        one = presentation(few, PAPER_DISTORTED)
        for images, truths in (pair for _ in range(10) for pair in one.one_pass()):
            labels.setdefault(images[0].tobytes(), set()).add(int(truths[0]))
    assert len(labels) == 400
    assert all(len(truths) == 1 for truths in labels.values())
    assert Counter(next(iter(t)) for t in labels.values()) == {
        int(digit): 10 * int(n) for digit, n in zip(*np.unique(few.labels, return_counts=True), strict=True)
    }


def test_without_distortions_each_pass_is_every_image_once_in_an_order_of_its_own(few: ImageSet) -> None:
    first, second = seen(presentation(few, replace(PAPER_DISTORTED, distortion=NONE, versions=0)), 2)
    assert (
        Counter(first)
        == Counter(second)
        == Counter(i.tobytes() for i in pixels.network_input(paper.LENET5, few.images))
    )
    assert first != second


def test_a_sample_is_of_different_patterns_and_at_most_all(few: ImageSet) -> None:
    images, labels = presentation(few, PAPER_DISTORTED).sample(300)
    assert len({image.tobytes() for image in images}) == len(labels) == 300
    assert len(presentation(few, PAPER_DISTORTED).sample(500)[1]) == 400
