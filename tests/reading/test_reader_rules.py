"""What a reader does with the network's answers, and what it lets through, at the edges of each rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5 import ArrayError, Digit, Reader, Reading
from lenet5.codes import DIGITS, SEPARATORS
from lenet5.normalise import is_normal, normalise
from lenet5.reading import reader as module
from lenet5.reading.picture import Picture
from lenet5.result import REFUSED, Box

BLANK = np.full((40, 60), 255, np.uint8)


@pytest.fixture
def own() -> Reader:
    """A reader whose methods a test may replace."""
    return Reader("lenet5", threads=1)


def stroke(darkest: int = 255) -> NDArray[np.uint8]:
    """A 1 in MNIST's form whose darkest ink is of this level."""
    image = normalise(np.ones((40, 6), np.float32))
    return np.asarray(image.astype(np.float64) * darkest / 255 + 0.5, np.uint8)


@pytest.mark.parametrize(
    ("darkest", "blank"), [(10, True), (13, True), (15, True), (16, False), (18, False), (40, False)]
)
def test_an_image_whose_darkest_ink_is_below_16_of_255_is_blank(reader: Reader, darkest: int, blank: bool) -> None:
    image = stroke(darkest)
    assert image.max() == darkest
    p = reader.probabilities(image[None])[0]
    assert (p[-1] == 1) == blank
    assert p.sum() == pytest.approx(1)


def test_views_are_slanted_by_15_in_100_to_either_side() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[:, 13:15] = 200
    views = module._slanted(np.stack([image, image]))
    assert views.shape == (3, 2, 28, 28)
    assert (views[0] == image).all()
    for view, slant in ((views[1, 1], 0.15), (views[2, 0], -0.15)):
        middles = (view * np.arange(28.0)).sum(axis=1) / view.sum(axis=1)
        assert middles[[0, 27]] == pytest.approx([13.5 + 13.5 * slant, 13.5 - 13.5 * slant], abs=0.05)


def test_every_answer_but_a_glance_is_the_mean_of_three_views(reader: Reader) -> None:
    images = np.stack([stroke(), stroke(100), stroke().T])
    three, one = (reader._answers(images, DIGITS, views) for views in (3, 1))
    assert not np.allclose(three, one)
    assert three == pytest.approx(
        np.mean([reader._answers(v, DIGITS, 1) for v in module._slanted(images)], axis=0), abs=1e-6
    )
    assert reader.probabilities(images).tolist() == three.tolist()
    assert reader.classify(images)[1] == pytest.approx(three.max(axis=1))
    labels, _ = reader.classify(np.stack([stroke(), np.zeros((28, 28), np.uint8)]))
    assert labels.tolist() == [1, -1]
    assert reader.rejections(images) == pytest.approx(three[:, -1])
    of_lines = reader.line_model.probabilities(images)
    assert of_lines.tolist() == reader._answers(images, DIGITS + SEPARATORS, 3).tolist()


@pytest.mark.parametrize("views", [0, 2, 4])
def test_there_are_one_or_three_views(reader: Reader, views: int) -> None:
    with pytest.raises(ArrayError, match="views must be 1 or 3"):
        reader.probabilities(stroke()[None], views)


@pytest.mark.parametrize("shape", [(28, 28), (2, 28, 27), (2, 27, 28), (2, 28, 28, 1), (28,), ()])
def test_images_of_another_shape_are_refused(reader: Reader, shape: tuple[int, ...]) -> None:
    with pytest.raises(ArrayError, match="images must be"):
        reader.probabilities(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("least", [-0.1, 1.1, "0.5", float("nan")])
def test_a_least_confidence_is_a_probability(reader: Reader, least: Any) -> None:
    with pytest.raises(ArrayError, match="min_confidence"):
        reader.read(BLANK, min_confidence=least)


def test_nothing_is_surely_nothing_and_any_layout_says_so(reader: Reader) -> None:
    for layout in ("auto", "page", "line"):
        assert reader.read(np.full((40, 60), 128, np.uint8), layout, min_confidence=1) == Reading((), 1.0)


# --- one digit ---


def answering(own: Reader, monkeypatch: pytest.MonkeyPatch, there: float, *p: float) -> Reader:
    """A reader that sees these digits in one image, which shows a digit with probability ``there``."""
    answers = np.zeros((1, 11))
    answers[0, : len(p)] = p
    answers[0, -1] = 1 - sum(p)
    monkeypatch.setattr(own, "_one_digit", lambda opened: (np.zeros((28, 28), np.uint8), Box(0, 0, 9, 9), there))
    monkeypatch.setattr(own, "_digit_answers", lambda images: answers)
    return own


def digit_of(reading: Reading) -> Digit:
    digit = reading.lines[0][0]
    assert isinstance(digit, Digit)
    return digit


@pytest.mark.parametrize("there", [0.0, 0.1, 0.5, 1.0])
def test_in_layout_digit_a_digit_is_thirty_times_as_likely_before_looking(
    own: Reader, monkeypatch: pytest.MonkeyPatch, there: float
) -> None:
    reading = answering(own, monkeypatch, there, 0.1, 0.8).read(BLANK, "digit")
    expected = 0.8 * 30 * there / (30 * there + 1 - there)
    digit = digit_of(reading)
    assert (digit.label, digit.confidence) == (("1", pytest.approx(expected)) if there else (REFUSED, 1.0))


def test_the_likeliest_allowed_digit_is_the_answer_and_the_others_its_alternatives(
    own: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = answering(own, monkeypatch, 1.0, 0.08, 0.6, 0.2).read(BLANK, "digit", pattern="[02]")
    digit = digit_of(reading)
    assert (digit.label, digit.confidence) == ("2", pytest.approx(0.2))
    assert [label for label, _ in digit.alternatives] == ["1", REFUSED, "0"]
    assert reading.allowed == pytest.approx(0.28)
    none = own.read(BLANK, "digit", pattern="[3-9]")
    assert (digit_of(none).label, none.allowed) == ("1", 0)


def test_a_picture_in_mnists_form_is_taken_as_it_is(reader: Reader) -> None:
    image = normalise(np.ones((40, 6), np.float32))
    assert is_normal(image)
    assert reader.image(image).tolist() == image.tolist()
    assert reader.read(image, "digit").lines[0][0].box == Box(0, 0, 28, 28)


# --- ways up, jobs ---


def test_rotate_tries_each_of_four_ways_up_and_takes_the_one_with_most_sure_digits(
    own: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[int] = []

    def read(opened: Picture, layout: str, constraint: object) -> Reading:
        ways.append(opened.quarter_turns)
        sure = [Digit("1", 0.9, Box(0, 0, 9, 9))] * (1 + (opened.quarter_turns == 2))
        refused = [Digit(REFUSED, 0.9, Box(0, 0, 9, 9))] * (5 * (opened.quarter_turns == 1))
        return Reading((tuple(sure + refused),), 0.5)

    monkeypatch.setattr(own, "_read", read)
    assert own.read(BLANK, rotate="auto").text == "11"
    assert ways == [0, 1, 2, 3]
    assert own.read(BLANK).text == "1"


@pytest.mark.parametrize(("jobs", "shared"), [(None, False), (0, False), (1, False), (2, True), (3, True)])
def test_two_or_more_jobs_share_the_work(
    own: Reader, jobs: int | None, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(module, "read_shared", lambda read, sources, jobs: asked.append(jobs) or iter([]))
    found = list(own.read_many([BLANK], region=(0, 0, 0.5, 1), jobs=jobs))
    assert asked == ([jobs] if shared else [])
    assert [reading.text for reading in found if isinstance(reading, Reading)] == ([] if shared else [""])


@pytest.mark.parametrize("most", [1, 99])
def test_lines_that_are_left_out_are_noted(
    own: Reader, monkeypatch: pytest.MonkeyPatch, write: Callable[..., Image.Image], most: int
) -> None:
    every: list[int] = []
    monkeypatch.setattr(module, "within_budget", lambda glances: every.append(len(glances)) or glances[:most])
    note = own.seen(write("1", "1")).notes
    expected = f"so much stands here that only the likeliest {most} of {every[0]} lines were read"
    assert note == ((expected,) if most < every[0] else ())


def test_layout_line_gives_one_line_and_layout_page_all(reader: Reader, write: Callable[..., Image.Image]) -> None:
    assert len(reader.read(write("27", "34"), "line").lines) == 1
    assert len(reader.read(write("27", "34"), "page").lines) == 2
