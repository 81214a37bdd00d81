"""The page score: what is known of a word, its probabilities, and its text in the weights' metadata."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from lenet5 import Digit, Reader, WeightsError
from lenet5.learning.data import ImageSet, load
from lenet5.reading.picture import open_picture
from lenet5.reading.reader import Seen
from lenet5.reading.score import CONTEXT, FEATURES, Judge, PageScore, features_of, with_context
from lenet5.synthesis.pages import Images
from lenet5.synthesis.pages.numbers import string

Floats = NDArray[np.float64]

N = len(FEATURES)


def any_judge(rng: np.random.Generator, features: int, size: float) -> Judge:
    hidden, output = size * rng.normal(size=(features + 1, 6)), size * rng.normal(size=(7, 2))
    return Judge(rng.normal(size=features), rng.uniform(0.5, 2, features), hidden, output)


def any_score(seed: int = 0, size: float = 1.0) -> PageScore:
    """A score with weights drawn at random."""
    rng = np.random.default_rng(seed)
    first, second = any_judge(rng, N, size), any_judge(rng, N + len(CONTEXT), size)
    return PageScore(first, second, np.array([0.1, 1.0, 1.0, -0.2]))


def any_words(seed: int, count: int, reach: float = 1.0) -> tuple[Floats, NDArray[np.int64]]:
    """Features drawn at random, and of which line each word is."""
    rng = np.random.default_rng(seed)
    return reach * rng.normal(size=(count, N)), rng.integers(0, 5, count)


@pytest.fixture(scope="module")
def bundled(reader: Reader) -> PageScore:
    """The score of the bundled weights."""
    assert reader.score is not None, "the bundled weights have no page score: train them again"
    return reader.score


# --- probabilities ---


@given(st.integers(0, 10**6), st.sampled_from([0.1, 1.0, 30.0, 1e6]), st.sampled_from([1.0, 1e3, 1e300]))
@settings(max_examples=60, deadline=None)
def test_that_a_word_is_right_is_never_likelier_than_that_it_is_there(seed: int, size: float, reach: float) -> None:
    p = any_score(seed, size)(*any_words(seed, 20, reach))
    assert p.shape == (20, 2)
    assert (p >= 0).all()
    assert (p <= 1).all()
    assert (p[:, 1] <= p[:, 0]).all()


def test_of_no_words_there_are_no_probabilities() -> None:
    assert any_score()(*any_words(0, 0)).shape == (0, 2)


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_the_order_of_words_and_the_numbers_of_lines_change_no_probability(seed: int) -> None:
    features, lines = any_words(seed, 12)
    order = np.random.default_rng(seed).permutation(12)
    p = any_score()(features, lines)
    np.testing.assert_allclose(any_score()(features[order], lines[order]), p[order], atol=1e-12)
    np.testing.assert_allclose(any_score()(features, 100 - 3 * lines), p, atol=1e-12)
    assert np.ptp(p, axis=0).min() > 0.01


HEIGHT = FEATURES.index("log height")


def test_a_word_by_itself_has_no_context_but_what_was_said_of_it() -> None:
    features, _ = any_words(0, 1)
    seen = with_context(features, np.array([3]), np.array([[1.5, -0.5]]))
    assert seen.shape == (1, N + len(CONTEXT))
    assert seen[0, :N].tolist() == features[0].tolist()
    assert seen[0, N:].tolist() == [1.5, -0.5, 0, 0, 0, 0, 0, 0]


def test_the_context_of_a_word_is_what_was_said_of_those_in_its_line_and_of_those_as_tall_elsewhere() -> None:
    features = np.zeros((5, N))
    features[:, HEIGHT] = np.log([40, 44, 20, 41, 200])
    logits = np.array([[1.0, 0], [2, 0], [-4, 0], [5, 0], [6, 0]])
    context = with_context(features, np.array([0, 0, 0, 1, 2]), logits)[0, N:]
    told = dict(zip(CONTEXT, context.tolist(), strict=True))
    assert (told["there"], told["right"]) == (1, 0)
    assert (told["beside it: any"], told["beside it: mean"]) == (1, -1)
    assert (told["beside it: most"], told["beside it: least"]) == (2, -4)
    assert (told["as tall elsewhere: any"], told["as tall elsewhere: most"]) == (1, 5)


# --- the confidence of a whole picture ---


@pytest.mark.parametrize("words", [0, 1, 3])
def test_a_picture_is_the_less_sure_the_likelier_it_is_that_what_was_left_out_stands_there(words: int) -> None:
    given = np.full(words, 0.9)
    confidences = [any_score().confidence(given, p) for p in (0, 0.1, 0.3, 0.5, 0.9, 0.999, 1)]
    assert confidences == sorted(confidences, reverse=True)
    assert 0 <= confidences[-1] < confidences[0] <= 1


@pytest.mark.parametrize("others", [0.0, 0.4])
def test_a_picture_is_the_less_sure_the_less_sure_a_word_is(others: float) -> None:
    confidences = [any_score().confidence(np.array([0.9, p]), others) for p in (1, 0.9, 0.5, 0.1, 0)]
    assert confidences == sorted(confidences, reverse=True)
    assert 0 <= confidences[-1] < confidences[0] <= 1


def test_a_page_of_a_thousand_doubtful_numbers_has_a_confidence() -> None:
    assert 0 <= any_score().confidence(np.full(1000, 1e-9), 1.0) < 1e-6


def test_the_bundled_score_is_the_less_sure_of_nothing_the_likelier_something_is(bundled: PageScore) -> None:
    confidences = [bundled.confidence(np.zeros(0), p) for p in (0, 0.1, 0.3, 0.5)]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] > 0.7
    assert confidences[0] - confidences[-1] > 0.05


def test_the_bundled_score_is_the_less_sure_of_a_text_the_less_sure_its_words_are(bundled: PageScore) -> None:
    confidences = [bundled.confidence(np.array([p, 0.9]), 0.05) for p in (0.99, 0.9, 0.7, 0.3)]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] - confidences[-1] > 0.2


# --- text ---


def test_a_score_survives_being_text() -> None:
    score = any_score()
    again = PageScore.from_json(score.to_json())
    for name in ("first", "second"):
        for part, values in vars(getattr(score, name)).items():
            np.testing.assert_allclose(getattr(getattr(again, name), part), values, atol=1e-3)
    np.testing.assert_allclose(again.whole, score.whole, atol=1e-4)
    words = any_words(2, 50)
    np.testing.assert_allclose(again(*words), score(*words), atol=0.02)
    assert again.to_json() == score.to_json()


def changed(judge: str = "", **parts: Any) -> str:
    """The text of a score with other parts, of a ``judge`` or its own; None leaves one out."""
    stored = json.loads(any_score().to_json())
    inner = stored[judge] if judge else stored
    inner.update(parts)
    for name in [name for name, part in inner.items() if part is None]:
        del inner[name]
    return json.dumps(stored)


def broken(n: int) -> dict[str, dict[str, Any]]:
    """Parts that no judge of ``n`` features has."""
    return {
        "no mean": {"mean": None},
        "a mean less": {"mean": [0.0] * (n - 1)},
        "a mean that is a number": {"mean": 0.0},
        "a mean of objects": {"mean": [{}] * n},
        "a mean beyond all floats": {"mean": [10**400] * n},
        "NaN": {"mean": [float("nan")] * n},
        "no spread": {"spread": [0.0] * n},
        "a negative spread": {"spread": [-1.0] * n},
        "hidden weights turned": {"hidden": np.zeros((6, n + 1)).tolist()},
        "flat hidden weights": {"hidden": [0.0] * (n + 1)},
        "a hidden weight that is a number": {"hidden": 1.0},
        "an output of another width": {"output": np.zeros((8, 2)).tolist()},
        "three outputs": {"output": np.zeros((7, 3)).tolist()},
        "a ragged output": {"output": [[0.0, 0.0]] * 6 + [[0.0]]},
    }


UNSOUND = {
    "empty": "",
    "null": "null",
    "a number": "5",
    "a list": "[]",
    "an empty object": "{}",
    "deeply nested": "[" * 100_000,
    "no features": changed(features=None),
    "another feature": changed(features=["brightness", *FEATURES[1:]]),
    "features in another order": changed(features=FEATURES[::-1]),
    "a feature less": changed(features=FEATURES[:-1]),
    "no first judge": changed(first=None),
    "a second judge that is a list": changed(second=[1, 2, 3]),
    "the first judge twice": changed(second=json.loads(any_score().to_json())["first"]),
    "three numbers for a whole": changed(whole=[0.0, 1.0, 1.0]),
    "infinity": changed(whole=[float("inf")] * 4),
    **{
        f"{judge} judge: {name}": changed(judge, **parts)
        for judge, n in (("first", N), ("second", N + len(CONTEXT)))
        for name, parts in broken(n).items()
    },
}


@pytest.mark.parametrize("text", UNSOUND.values(), ids=UNSOUND.keys())
def test_what_is_no_score_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(WeightsError) as caught:
        PageScore.from_json(text)
    assert "no sound page score" in str(caught.value)
    assert "\n" not in str(caught.value)


# --- features ---


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
