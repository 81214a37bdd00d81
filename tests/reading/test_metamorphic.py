"""The same picture scaled a little, shifted, in other contrast, compressed or with a border gives the same text.

Of drawn pages with the embedded digits, the share of answers that a change leaves as they were is held by ratchets.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5 import Reader
from lenet5.learning.data import ImageSet, load
from lenet5.synthesis.pages import KINDS, Images

Picture = NDArray[np.uint8]

PAGES = 20
"""Pages of each kind."""


def scaled(factor: float) -> Callable[[Picture], Picture]:
    def change(picture: Picture) -> Picture:
        kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=kind), np.uint8)

    return change


def shifted(picture: Picture) -> Picture:
    """A pixel to the right and down."""
    around = ((1, 0), (1, 0)) + ((0, 0),) * (picture.ndim - 2)
    return np.pad(picture, around, mode="edge")[:-1, :-1]


def paler(picture: Picture) -> Picture:
    return np.round(0.7 * picture.astype(np.float64) + 40).astype(np.uint8)


def darker(picture: Picture) -> Picture:
    return np.round(0.6 * picture.astype(np.float64)).astype(np.uint8)


def compressed(picture: Picture) -> Picture:
    """As a JPEG of quality 80."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=80)
    return np.asarray(Image.open(file), np.uint8)


def bordered(picture: Picture) -> Picture:
    """With twelve white pixels around it."""
    around = ((12, 12), (12, 12)) + ((0, 0),) * (picture.ndim - 2)
    return np.pad(picture, around, constant_values=255)


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "scaled by 0.97": scaled(0.97),
    "scaled by 1.03": scaled(1.03),
    "shifted": shifted,
    "paler": paler,
    "darker": darker,
    "compressed": compressed,
    "bordered": bordered,
}

UNCHANGED: dict[str, dict[str, float]] = {
    "strings, spaced": {
        "scaled by 0.97": 0.8,
        "scaled by 1.03": 0.85,
        "shifted": 0.9,
        "paler": 0.85,
        "darker": 0.9,
        "compressed": 0.85,
        "bordered": 0.85,
    },
    "form with one field": {
        "scaled by 0.97": 0.35,
        "scaled by 1.03": 0.55,
        "shifted": 0.7,
        "paler": 0.75,
        "darker": 0.75,
        "compressed": 0.5,
        "bordered": 0.6,
    },
    "photo of one digit: plain paper": {
        "scaled by 0.97": 0.9,
        "scaled by 1.03": 0.9,
        "shifted": 0.9,
        "paler": 0.85,
        "darker": 0.9,
        "compressed": 0.9,
        "bordered": 0.85,
    },
}
"""Ratchets: the least share of a kind's answers that stays, two or more of 20 below what was measured.

They may rise and never fall.
"""


@pytest.fixture(scope="module")
def answered(reader: Reader) -> Callable[[str], list[tuple[Picture, str]]]:
    """Drawn pages of a kind, each with what is read in it."""
    digits = load("digits", "test")
    assert isinstance(digits, ImageSet)
    source = Images(digits.images, digits.labels)
    known: dict[str, list[tuple[Picture, str]]] = {}

    def pages(kind: str) -> list[tuple[Picture, str]]:
        if kind not in known:
            drawn = [KINDS[kind](source, np.random.default_rng([17, number])).picture for number in range(PAGES)]
            known[kind] = [(picture, reader.read(picture).text) for picture in drawn]
        return known[kind]

    return pages


@pytest.mark.slow
@pytest.mark.parametrize("kind", UNCHANGED)
@pytest.mark.parametrize("name", CHANGES)
def test_the_same_picture_changed_a_little_gives_the_same_text(
    kind: str, name: str, reader: Reader, answered: Callable[[str], list[tuple[Picture, str]]]
) -> None:
    same = [reader.read(CHANGES[name](picture)).text == text for picture, text in answered(kind)]
    assert np.mean(same) >= UNCHANGED[kind][name], f"{sum(same)} of {len(same)}"


def test_the_same_array_held_in_other_ways_gives_the_same_reading(
    reader: Reader, answered: Callable[[str], list[tuple[Picture, str]]]
) -> None:
    for picture, text in answered("strings, spaced")[:4]:
        assert reader.read(np.asfortranarray(picture)).text == text
        assert reader.read(picture[:, ::-1].copy()[:, ::-1]).text == text
        assert reader.read(np.repeat(picture[..., None], 3, axis=2)).text == text


@pytest.mark.slow
def test_most_changes_leave_some_text_to_compare(answered: Callable[[str], list[tuple[Picture, str]]]) -> None:
    for kind in UNCHANGED:
        assert np.mean([text != "" for _, text in answered(kind)]) > 0.6, kind
