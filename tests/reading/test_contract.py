"""The public face of reading: one reader whatever names the weights, single digits and arrays agree, transcripts."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import ArrayError, Box, Digit, Reader, Reading, Separator, posterior, weights
from lenet5.codes import DIGITS, LETTERS, SEPARATORS
from lenet5.learning.data import ImageSet, load
from lenet5.normalise import is_normal
from lenet5.strokes import Hand, Pen, drawn_separator, hold, placed

CLASSES = DIGITS + SEPARATORS + LETTERS[:4]


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    found = load("mnist" if os.environ.get("LENET5_DATA") else "digits", "test")
    assert isinstance(found, ImageSet)
    return found


def test_a_name_a_path_and_loaded_weights_give_the_same_reader(tmp_path: Path, digits: ImageSet) -> None:
    weights.load("lenet5").save(tmp_path / "same.safetensors")
    readers = [Reader("lenet5"), Reader(weights.load("lenet5")), Reader(tmp_path / "same.safetensors")]
    answers = [reader.classify(digits.images[:200]) for reader in readers]
    for labels, confidences in answers[1:]:
        np.testing.assert_array_equal(labels, answers[0][0])
        np.testing.assert_array_equal(confidences, answers[0][1])
    assert len({reader.line_model.inverse_temperature for reader in readers}) == 1


def test_reading_an_image_in_mnists_form_is_classifying_it(reader: Reader, digits: ImageSet) -> None:
    images = np.stack([image for image in digits.images[:300] if is_normal(image)])
    assert len(images) > 100
    labels, confidences = reader.classify(images)
    for image, label, confidence in zip(images, labels, confidences, strict=True):
        (digit,) = reader.read(image, "digit").digits
        assert digit.label == ("?" if label < 0 else str(label))
        assert digit.confidence == pytest.approx(float(confidence), abs=2e-5)  # one image sums in another order


def test_one_view_is_the_network_itself_and_three_are_not(reader: Reader, digits: ImageSet) -> None:
    (_, one), (_, three) = (reader.classify(digits.images[:100], views=v) for v in (1, 3))
    assert not np.array_equal(one, three)


def random_penalties(n: int = 200) -> NDArray[np.float64]:
    return np.random.default_rng(0).uniform(10, 90, (n, len(CLASSES)))


def test_a_separator_that_is_not_kept_changes_nothing() -> None:
    penalty = random_penalties()
    before = posterior.of_classes(penalty, CLASSES, DIGITS, 60.0, 2.0)
    penalty[:, [CLASSES.index(c) for c in SEPARATORS]] = 0.1
    np.testing.assert_array_equal(posterior.of_classes(penalty, CLASSES, DIGITS, 60.0, 2.0), before)


def test_letters_join_the_rubbish() -> None:
    penalty = random_penalties()
    p = posterior.of_classes(penalty, CLASSES, DIGITS, 60.0, 2.0)
    kept = [k for k, c in enumerate(CLASSES) if c not in SEPARATORS]
    likelihood = np.exp(-penalty[:, kept] / 2)
    rest = likelihood[:, 10:].sum(axis=1) + np.exp(-30)
    np.testing.assert_allclose(p[:, 10], rest / (likelihood[:, :10].sum(axis=1) + rest), rtol=1e-9)


def test_penalties_without_a_column_for_each_class_are_refused() -> None:
    with pytest.raises(ArrayError, match="penalties of the classes"):
        posterior.of_classes(random_penalties()[:, 1:], CLASSES, DIGITS, 60.0)


def test_with_ten_classes_nothing_is_left_out() -> None:
    penalty = random_penalties()[:, :10]
    np.testing.assert_allclose(
        posterior.of_classes(penalty, DIGITS, DIGITS, 60.0, 2.0), posterior.probabilities(penalty, 60.0, 2.0)
    )


def mark(text: str, left: int, right: int) -> Digit | Separator:
    box = Box(left, 10, right, 50)
    return Digit(text, 0.9, box) if text.isdigit() else Separator(text, box, 0.8)


def test_a_transcript_has_separators_and_a_space_for_each_wide_gap() -> None:
    line = (mark("1", 0, 10), mark("3", 14, 34), mark("/", 36, 50), mark("7", 52, 72), mark("2", 120, 140))
    reading = Reading((line, (mark("4", 0, 20),)), 0.5)
    assert reading.text == "1372\n4"
    assert reading.transcript == "13/7 2\n4"
    assert reading.to_json()["lines"][0][2] == {"separator": "/", "confidence": 0.8, "box": [36, 10, 50, 50]}


@pytest.mark.parametrize("text", ["27/4", "3-85", "6.4"])
def test_separators_of_a_drawn_line_are_read(text: str, reader: Reader) -> None:
    from tests.conftest import STROKES

    generator = np.random.default_rng(2)
    ink = np.zeros((120, 60 * len(text) + 40), np.float32)
    for k, character in enumerate(text):
        if character in DIGITS:
            strokes = [np.array(s, np.float32) / 76 - np.array([0.65, 0.65], np.float32) for s in STROKES[character]]
        else:
            strokes = hold(drawn_separator(character, generator), Hand(), generator, (np.zeros(2, np.float32), 1.0))
        (level,), (x, y) = placed([strokes], 56, Pen(0.1), generator)
        top, left = round(60 - y), round(50 + 60 * k - x)
        place = ink[top : top + level.shape[0], left : left + level.shape[1]]
        np.maximum(place, level[: place.shape[0], : place.shape[1]], out=place)
    reading = reader.read((255 * (1 - ink)).astype(np.uint8), "line")
    assert reading.transcript.replace(" ", "") == text
    assert reading.text == "".join(c for c in text if c in DIGITS)
    separators = [m for line in reading.lines for m in line if isinstance(m, Separator)]
    assert all(0 < m.confidence <= 1 for m in separators)


def test_a_reader_survives_being_pickled(reader: Reader, digits: ImageSet) -> None:
    again = pickle.loads(pickle.dumps(reader))
    np.testing.assert_array_equal(again.classify(digits.images[:20])[1], reader.classify(digits.images[:20])[1])
