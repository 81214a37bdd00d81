"""What an evaluation counts, and what it says of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5 import ArrayError, Box, DataError, Digit, PictureError, Reader, Reading, Separator
from lenet5.evaluation.evaluate import Report, as_images, calibration_error, evaluate, wilson_interval
from lenet5.learning.data import NO_DIGIT, ImageSet, PictureSet, load
from lenet5.weights import load as load_weights


class Scripted(Reader):
    """A reader that answers what the test says, one answer after another; None is an unreadable picture."""

    def __init__(self, answers: Sequence[str | None]) -> None:
        super().__init__("lenet5")
        self._answers = iter(answers)

    def read(self, source: object, layout: str = "auto", min_confidence: float | None = None) -> Reading:
        answer = next(self._answers)
        if answer is None:
            raise PictureError(f"not a picture: {source}")
        lines = tuple(tuple(Digit(mark, 0.9, Box(0, 0, 1, 1)) for mark in line) for line in answer.split("\n"))
        return Reading(lines, 0.9)

    def classify(self, images: object) -> tuple[object, object]:  # type: ignore[override]
        answers = [next(self._answers) for _ in images]  # type: ignore[attr-defined]
        return np.array([-1 if a == "?" else int(a or 0) for a in answers], np.int8), np.full(len(answers), 0.9)


def picture_set(*truths: str, texts: bool = False) -> PictureSet:
    return PictureSet("mine", [f"{k}.png" for k in range(len(truths))], truths, texts)


def image_set(*labels: int) -> ImageSet:
    return ImageSet("mine", np.zeros((len(labels), 28, 28), np.uint8), np.array(labels, np.uint8))


# --- Wilson's interval ---


@pytest.mark.parametrize(
    ("errors", "images", "low", "high"),
    [
        (0, 10, 0.0, 0.277533),  # z² / (n + z²)
        (10, 10, 0.722467, 1.0),
        (5, 10, 0.236593, 0.763407),
        (1, 10, 0.017876, 0.404150),
        (82, 10_000, 0.006612, 0.010167),  # the paper's 82 misread
        (42, 10_000, 0.003109, 0.005673),  # the contract's example
    ],
)
def test_the_interval_is_wilsons(errors: int, images: int, low: float, high: float) -> None:
    assert wilson_interval(errors, images) == pytest.approx((low, high), abs=2e-6)


# --- calibration ---


def test_answers_as_often_right_as_they_are_sure_have_no_calibration_error() -> None:
    confidences, right = np.array([0.75] * 4 + [0.5] * 2), np.array([True, True, True, False, True, False])
    assert calibration_error(confidences, right) == pytest.approx(0)


def test_the_calibration_error_weighs_each_bins_gap_by_its_answers() -> None:
    confidences, right = np.array([1.0] * 3 + [0.5]), np.array([True, True, False, True])
    assert calibration_error(confidences, right) == pytest.approx(3 / 4 * (1 - 2 / 3) + 1 / 4 * (1 - 0.5))


def test_a_report_says_how_far_confidences_are_from_being_right() -> None:
    report = evaluate(image_set(7, 7), Scripted(["7", "1"]))
    assert report.calibration_error_percent == pytest.approx(40)


# --- single digits ---


def test_the_confusion_matrix_has_truths_in_rows_and_answers_in_columns() -> None:
    report = evaluate(picture_set("7", "7", "7", "1", NO_DIGIT, NO_DIGIT), Scripted(["7", "1", "?", "1", "?", "4"]))
    assert report.confusion is not None
    assert report.confusion.shape == (11, 11)
    filled = {
        (int(row), int(column)): int(report.confusion[row, column]) for row, column in np.argwhere(report.confusion)
    }
    assert filled == {(7, 7): 1, (7, 1): 1, (7, 10): 1, (1, 1): 1, (10, 10): 1, (10, 4): 1}
    assert (report.images, report.errors, report.refused) == (6, 3, 2)
    assert report.error_percent == 50
    assert [(m.truth, m.answer, m.source) for m in report.misread] == [
        ("7", "1", "1.png"), ("7", "?", "2.png"), (NO_DIGIT, "4", "5.png"),
    ]  # fmt: skip


def test_images_in_mnists_form_are_counted_alike() -> None:
    labels, answers = (7, 7, 7, 1, 255, 255), ["7", "1", "?", "1", "?", "4"]
    straight = evaluate(image_set(*labels), Scripted(answers))
    read = evaluate(picture_set("7", "7", "7", "1", NO_DIGIT, NO_DIGIT), Scripted(answers))
    assert straight.to_json() == read.to_json()
    assert [(m.truth, m.answer) for m in straight.misread] == [(m.truth, m.answer) for m in read.misread]


def test_a_picture_that_cannot_be_read_is_an_error_and_is_named() -> None:
    report = evaluate(picture_set("7", "1"), Scripted([None, "1"]))
    assert (report.errors, report.refused) == (1, 1)
    assert report.unreadable == ("not a picture: 0.png",)


@pytest.mark.parametrize("kind", [MemoryError, ValueError, RecursionError, OSError, IndexError, cv2.error])
def test_a_picture_that_fails_for_whatever_reason_does_not_stop_the_rest(kind: type[Exception]) -> None:
    class Failing(Scripted):
        def read(self, source: object, layout: str = "auto", min_confidence: float | None = None) -> Reading:
            if source == "0.png":
                raise kind("first\nsecond")
            return super().read(source, layout, min_confidence)

    report = evaluate(picture_set("7", "1"), Failing(["1"]))
    assert (report.images, report.errors) == (2, 1)
    (reason,) = report.unreadable
    assert reason.startswith("0.png ")
    assert "\n" not in reason


def test_a_layout_that_is_not_known_is_no_error_of_the_pictures() -> None:
    with pytest.raises(ArrayError, match="layout"):
        evaluate(picture_set("7"), Scripted([]), "column")


def test_class_errors_are_of_the_classes_that_occur() -> None:
    report = evaluate(picture_set("7", "7", "1", NO_DIGIT), Scripted(["7", "1", "1", "3"]))
    assert report.class_errors == (("1", 0, 1), ("7", 1, 2), ("?", 1, 1))


def test_more_than_one_digit_for_one_is_an_error() -> None:
    report = evaluate(picture_set("7", "1"), Scripted(["71", ""]), layout="line")
    assert (report.errors, report.refused) == (2, 2)


def test_the_json_is_as_the_contract_has_it() -> None:
    report = evaluate(picture_set("7", "7", "1"), Scripted(["7", "1", "1"]))
    found = report.to_json()
    assert list(found) == [
        "data", "weights", "images", "errors", "refused", "error_percent", "interval_percent", "confusion",
    ]  # fmt: skip
    assert (found["data"], found["weights"], found["images"], found["errors"]) == ("mine", "lenet5", 3, 1)
    assert found["error_percent"] == 33.3333
    assert found["interval_percent"] == [round(bound, 4) for bound in report.interval_percent]
    assert found["interval_percent"] == pytest.approx([6.149, 79.2345], abs=1e-3)
    assert json.loads(json.dumps(found)) == found


def test_progress_adds_up_to_the_images() -> None:
    done: list[int] = []
    evaluate(image_set(*[1] * 2500), Scripted(["1"] * 2500), advance=done.append)
    assert sum(done) == 2500
    done.clear()
    evaluate(picture_set("1", "2"), Scripted(["1", None]), advance=done.append)
    assert done == [1, 1]


def test_a_set_that_is_all_right_has_no_misread() -> None:
    report = evaluate(image_set(1, 2), Scripted(["1", "2"]))
    assert (report.errors, report.misread, report.error_percent) == (0, (), 0)
    assert report.interval_percent[0] == 0


# --- texts ---


def test_a_text_is_right_only_as_a_whole_and_digits_count_by_edit_distance() -> None:
    truths = ("41973", "22", "123\n456", "7", "")
    answers = ["41973", "2?", "123\n46", "77", ""]
    report = evaluate(picture_set(*truths, texts=True), Scripted(answers), layout="auto")
    assert (report.images, report.errors, report.refused, report.confusion) == (5, 3, 1, None)
    length = 5 + 2 + 7 + 1  # of the truths, a line's end counted like a digit
    assert report.digit_error_percent == pytest.approx(100 * 3 / length)
    found = report.to_json()
    assert found["digit_error_percent"] == round(100 * 3 / length, 4)
    assert found["confusion"] is None


@pytest.mark.parametrize(
    ("answer", "truth", "distance"),
    [("", "", 0), ("", "123", 3), ("123", "", 3), ("123", "123", 0), ("132", "123", 2),
     ("23", "123", 1), ("1293", "123", 1)],
)  # fmt: skip
def test_the_edit_distance_counts_insertions_deletions_and_substitutions(
    answer: str, truth: str, distance: int
) -> None:
    report = evaluate(picture_set(truth, "0" * 100, texts=True), Scripted([answer, "0" * 100]))
    assert report.digit_error_percent == pytest.approx(100 * distance / (100 + len(truth)))


class WithSeparators(Scripted):
    """Gives every text with a separator before its last mark."""

    def read(self, source: object, *_: object, **__: object) -> Reading:  # type: ignore[override]
        digits = super().read(source).lines[0]
        texts = [*(digit.label for digit in digits[:-1]), "-", digits[-1].label]
        boxes = [Box(10 * k, 0, 10 * k + 8, 12) for k in range(len(texts))]
        marks = [
            Separator(text, box, 0.9) if text == "-" else Digit(text, 0.9, box)
            for text, box in zip(texts, boxes, strict=True)
        ]
        return Reading((tuple(marks),), 0.9)


def test_a_transcript_is_right_only_with_its_separators() -> None:
    numbers = picture_set("415", "22", "37", "981", "7", texts=True)
    numbers = replace(numbers, transcripts=("41-5", "2-2", "3/7", "98-1", "7"))
    report = evaluate(numbers, WithSeparators(["415", "22", "37", "931", None]))
    assert report.transcript_error_percent == pytest.approx(100 * 3 / 5)  # a separator, a digit, no picture
    assert report.errors == 2
    three = replace(report, transcript_error_percent=100 / 3, digit_error_percent=200 / 3).to_json()
    assert (three["transcript_error_percent"], three["digit_error_percent"]) == (33.3333, 66.6667)


def test_an_unreadable_picture_of_a_text_loses_all_its_digits() -> None:
    report = evaluate(picture_set("123", texts=True), Scripted([None]))
    assert report.unreadable == ("not a picture: 0.png",)
    assert report.digit_error_percent == 100
    assert report.misread[0].image.shape == (28, 28)


def test_confidences_are_compared_in_fifteen_bins() -> None:
    together, apart = np.array([0.61, 0.66]), np.array([0.59, 0.61])  # 9/15 is 0.6
    right = np.array([True, False])
    assert calibration_error(together, right) == pytest.approx((1.27 - 1) / 2)
    assert calibration_error(apart, right) == pytest.approx((0.41 + 0.61) / 2)
    wrong = ~right
    assert calibration_error(np.array([1.0, 0.95]), wrong) == pytest.approx((1.95 - 1) / 2)  # 1 is in the last one
    assert calibration_error(np.array([0.7, 0.95]), wrong) == pytest.approx((0.7 + 0.05) / 2)


# --- as images ---


def test_pictures_become_images_in_mnists_form(draw: Callable[..., Image.Image], reader: Reader) -> None:
    found = as_images(PictureSet("mine", [draw("3"), draw("8")], ("3", NO_DIGIT)), reader)
    assert (found.name, found.labels.tolist()) == ("mine", [3, 255])
    assert (found.images[0] == reader.image(draw("3"))).all()
    assert as_images(found, reader) is found


def test_blank_pictures_that_should_show_a_digit_are_left_out_and_others_kept() -> None:
    class Seeing(Scripted):
        def image(self, source: object) -> NDArray[np.uint8]:
            return np.full((28, 28), 255 if source == "0.png" else 0, np.uint8)

    found = as_images(picture_set("3", "4", NO_DIGIT), Seeing([]))
    assert found.labels.tolist() == [3, 255]
    assert [bool(image.any()) for image in found.images] == [True, False]
    with pytest.raises(DataError, match="no picture with a digit"):
        as_images(replace(picture_set("3", "4"), pictures=["1.png", "2.png"]), Seeing([]))


# --- the real sets ---


@pytest.mark.slow
def test_letters_are_measured_as_not_digits(real_data: Path, reader: Reader) -> None:
    found = load(str(real_data / "not_digits" / "letters_a_to_h.npz"), not_digits=True)
    assert isinstance(found, PictureSet)
    some = PictureSet(found.name, found.pictures[:200], found.truths[:200])
    report = evaluate(some, reader)
    assert report.images == 200
    assert report.errors == 200 - report.refused
    assert report.class_errors == (("?", report.errors, 200),)


def test_a_report_of_bundled_weights_names_them(reader: Reader) -> None:
    report = evaluate(image_set(1), Scripted(["1"]))
    assert isinstance(report, Report)
    assert report.weights == load_weights("lenet5").name == "lenet5"
