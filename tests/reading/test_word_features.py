"""Words and their features: what the page score knows of a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5 import Digit, Reader
from lenet5.learning.data import ImageSet, load
from lenet5.reading.opening import open_picture
from lenet5.reading.word_features import FEATURES, features_of
from lenet5.reading.words import Seen
from lenet5.synthesis.pages import Images
from lenet5.synthesis.pages.numbers import string

Floats = NDArray[np.float64]

N = len(FEATURES)


def seen(reader: Reader, picture: NDArray[np.uint8] | Image.Image) -> Seen:
    return reader.seen(open_picture(picture))


def column(found: Seen, name: str) -> Floats:
    return found.features[:, FEATURES.index(name)]


def of_number(found: Seen, text: str) -> int:
    """The number of a word with this text, the likeliest by its path."""
    own = [k for k, word in enumerate(found.words) if word.text == text]
    assert own
    return max(own, key=lambda k: found.words[k].lattice.path.posterior)


def test_names_of_features_differ() -> None:
    assert len(set(FEATURES)) == N


def test_of_no_words_there_are_no_features() -> None:
    assert features_of([], (100, 100)).shape == (0, N)


def test_every_feature_of_every_word_is_a_finite_number(
    reader: Reader, write: Callable[..., Image.Image], draw: Callable[..., Image.Image]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 160)).astype(np.uint8)
    stripes = np.tile(np.where(np.arange(200) % 20 < 8, 40, 230).astype(np.uint8), (150, 1))
    tiny = np.asarray(draw("8", side=28, scale=0.28, pen=2), np.uint8)
    pictures = [np.asarray(write("2708", "345"), np.uint8), noise, stripes, tiny, 255 - tiny]
    for picture in pictures:
        found = seen(reader, picture)
        assert found.features.shape == (len(found.words), N)
        p = reader.scored(found)
        assert p.shape == (len(found.words), 2)
        assert np.isfinite(found.features).all()
    assert sum(len(seen(reader, picture).words) for picture in pictures) > 5


def test_features_tell_how_a_word_lies_in_its_picture(reader: Reader, write: Callable[..., Image.Image]) -> None:
    plain = np.asarray(write("2708", pitch=40), np.uint8)
    high, wide = plain.shape
    found = seen(reader, plain)
    k = of_number(found, "2708")
    tall = np.mean([m.box.bottom - m.box.top for m in found.words[k].marks if isinstance(m, Digit)])
    assert column(found, "log digits")[k] == pytest.approx(np.log(4))
    assert column(found, "log height")[k] == pytest.approx(np.log(tall))
    assert column(found, "part of the picture's height")[k] == pytest.approx(tall / high)
    assert column(found, "borders")[k] == 0
    assert column(found, "dark")[k] == 1
    assert column(found, "contrast")[k] > 0.9
    assert column(found, "unevenness of heights")[k] < 0.1
    rows, columns = np.flatnonzero((plain < 128).any(axis=1)), np.flatnonzero((plain < 128).any(axis=0))
    cropped = seen(reader, plain[rows[0] : rows[-1] + 1, columns[0] : wide])
    assert column(cropped, "borders")[of_number(cropped, "2708")] == 3
    turned = seen(reader, (255 - plain).astype(np.uint8))
    assert column(turned, "dark")[of_number(turned, "2708")] == 0


def test_a_frame_around_a_word_is_printed_lines_beside_it(reader: Reader, write: Callable[..., Image.Image]) -> None:
    plain = np.array(write("2738", pitch=40), np.uint8)
    framed = plain.copy()
    cv2.rectangle(framed, (32, 12), (210, 88), 120, 2)
    without, beside = seen(reader, plain), seen(reader, framed)
    lined = column(beside, "printed lines beside it")
    assert column(without, "printed lines beside it").max() == 0
    assert lined[of_number(beside, "2738")] > 0.1


def test_a_pale_word_beside_a_black_one_has_less_contrast(reader: Reader, write: Callable[..., Image.Image]) -> None:
    number = np.asarray(write("273"), np.float32)
    pale = 255 - 0.3 * (255 - number)
    found = seen(reader, np.concatenate([number, pale]).astype(np.uint8))
    strong, weak = (
        [k for k, word in enumerate(found.words) if (word.edges[1] > number.shape[0]) == below] for below in (0, 1)
    )
    assert column(found, "contrast beside the strongest")[strong].max() == 1
    assert column(found, "contrast beside the strongest")[weak].max() < 0.5


def two_strokes() -> NDArray[np.uint8]:
    """A 1 and a 0 so near each other that they may be one character."""
    picture = np.full((120, 110), 255, np.uint8)
    cv2.line(picture, (25, 20), (25, 100), 0, 6)
    cv2.ellipse(picture, (62, 60), (18, 38), 0, 0, 360, 0, 6)
    return picture


def test_all_ink_of_a_line_that_may_be_one_digit_is_a_word_of_its_own_line(reader: Reader) -> None:
    found = seen(reader, two_strokes())
    k = of_number(found, "10")
    whole = [n for n, word in enumerate(found.words) if len(word.marks) == 1 and word.edges == found.words[k].edges]
    assert whole
    assert all((found.numbers == found.numbers[n]).sum() == 1 for n in whole)
    assert reader.read(two_strokes()).text == "10"  # which the score leaves aside


def test_a_line_that_is_known_to_stand_alone_offers_nothing_but_its_best_path(reader: Reader) -> None:
    found = reader.seen(two_strokes(), alone=True)
    assert all(set(word.arcs) <= set(word.lattice.path.arcs) for word in found.words)


def test_a_part_of_a_mark_takes_less_than_all_of_its_ink(reader: Reader) -> None:
    digits = load("digits", "test")
    assert isinstance(digits, ImageSet)
    page = string(Images(digits.images, digits.labels), np.random.default_rng(0), "touching")
    picture = page.picture
    found = seen(reader, picture)
    k = of_number(found, page.text)
    assert column(found, "part of its marks")[k] == 1
    assert column(found, "part of the ink around it")[k] > 0.95
    word = found.words[k]
    part = replace(word, arcs=word.arcs[:1], marks=word.marks[:1])
    features = dict(zip(FEATURES, features_of([part], picture.shape)[0], strict=True))
    assert features["part of its marks"] < 0.9
    assert features["part of the ink around it"] < 0.9


def test_a_word_that_is_refused_wholly_is_no_word(reader: Reader, write: Callable[..., Image.Image]) -> None:
    for picture in (write("27", "3"), Image.new("L", (50, 50), 255)):
        for word in seen(reader, picture).words:
            assert any(isinstance(mark, Digit) and mark.label != "?" for mark in word.marks)
            left, top, right, bottom = word.edges
            assert all(left <= m.box.left < m.box.right <= right for m in word.marks)
            assert all(top <= m.box.top < m.box.bottom <= bottom for m in word.marks)
