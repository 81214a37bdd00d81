"""Patterns of several kinds take turns, and rubbish that looks like a character loses its own."""

from __future__ import annotations

import numpy as np

from lenet5 import paper
from lenet5.learning.data import ImageSet
from lenet5.learning.distort import NONE
from lenet5.learning.mixture import Mixture, RoundRobin

MIXTURE = Mixture(shares=(("hands", 0.3), ("junk", 0.1), ("never made", 0.2)), distortion=NONE)


def kind(label: int, count: int) -> ImageSet:
    return ImageSet("made", np.zeros((count, 28, 28), np.uint8), np.full(count, label, np.uint8))


def turns(own: int = 100) -> RoundRobin:
    made = {"hands": kind(3, 30), "junk": kind(paper.NOT_A_DIGIT, 20)}
    return RoundRobin(own, made, MIXTURE, np.random.default_rng(0))


def test_a_pass_is_as_long_as_the_own_images_and_mixed_as_asked() -> None:
    taken = turns().one_pass()
    assert len(taken) == 100
    assert ((taken < 100).sum(), ((taken >= 100) & (taken < 130)).sum(), (taken >= 130).sum()) == (60, 30, 10)


def test_no_image_of_a_kind_comes_again_before_all_came() -> None:
    several = turns()
    passes = [several.one_pass() for _ in range(5)]
    own = np.concatenate([taken[taken < 100] for taken in passes])
    assert np.bincount(own).tolist() == [3] * 100
    assert len(set(np.concatenate([taken[taken >= 130] for taken in passes[:2]]))) == 20


def test_more_of_a_kind_than_there_is_comes_several_times() -> None:
    taken = turns(own=1000).one_pass()
    counts = np.bincount(taken, minlength=1050)[1000:]
    assert counts[:30].tolist() == [10] * 30
    assert counts[30:].tolist() == [5] * 20


def test_dropped_rubbish_does_not_come_any_more() -> None:
    some = turns()
    some.drop(some.rubbish[some.rubbish < 145])
    assert some.rubbish.tolist() == [145, 146, 147, 148, 149]
    for _ in range(5):
        taken = some.one_pass()
        assert taken[taken >= 130].min() >= 145
        assert (taken >= 130).sum() == 10


def test_a_kind_is_never_dropped_whole() -> None:
    some = turns()
    some.drop(some.rubbish)
    assert len(some.rubbish) == 20
