"""Every stage of reading sees in fixed pictures what it saw before: whoever means to change that records it anew."""

from __future__ import annotations

import json

import pytest

from lenet5 import Reader
from tests.reading.recorded import OPENCV, PICTURES, _rounded, differences, recorded, stages

WITH, RECORDED = recorded()


def test_each_picture_is_recorded_and_no_other() -> None:
    assert sorted(RECORDED) == sorted(PICTURES)


@pytest.mark.skipif(OPENCV != WITH, reason=f"recorded with OpenCV {WITH}: python -m tests.reading.recorded with yours")
@pytest.mark.parametrize("picture", sorted(PICTURES))
def test_each_stage_sees_in_a_picture_what_it_saw(picture: str, reader: Reader) -> None:
    changes = list(differences(RECORDED[picture], stages(reader, PICTURES[picture])))
    assert not changes, "\n".join(
        [*changes[:20], "if that is meant: python -m tests.reading.recorded, and look at the difference in Git"]
    )


def test_a_difference_names_its_stage_and_place_and_rounding_is_none() -> None:
    before = {"inks": [[1, 2.0], [3, 4.0]], "reading": ["7", 0.5]}
    assert not list(differences(before, {"inks": [[1, 2.001], [3, 4.0]], "reading": ["7", 0.5]}))
    assert list(differences(before, {"inks": [[1, 2.1], [4, 4.0]], "reading": ["1", 0.5]})) == [
        "inks[0][1]: 2.0 is now 2.1", "inks[1][0]: 3 is now 4",
    ]  # fmt: skip
    assert list(differences(before, {"inks": [[1, 2.0]], "reading": ["7", 0.5]})) == [
        "inks: [[1, 2.0], [3, 4.0]] is now [[1, 2.0]]"
    ]
    assert json.loads(json.dumps(_rounded([1, 0.123456789, "a"]))) == [1, 0.12346, "a"]
