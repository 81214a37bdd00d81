"""The page score: its probabilities, and its text in the weights' metadata."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lenet5 import Reader, WeightsError
from lenet5.reading.score import CONTEXT, Judge, PageScore, with_context
from lenet5.reading.word_features import FEATURES

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


# --- at the edges of each rule ---


@pytest.mark.parametrize(("apart", "alike"), [(0.3, True), (0.39, True), (0.4, False), (0.41, False), (0.5, False)])
def test_words_elsewhere_are_as_tall_within_four_tenths_of_a_logarithm(apart: float, alike: bool) -> None:
    features = np.zeros((2, N))
    features[1, HEIGHT] = apart
    for sign in (1, -1):
        context = with_context(sign * features, np.array([0, 1]), np.array([[1.0, 0], [5, 0]]))[0, N:]
        told = dict(zip(CONTEXT, context.tolist(), strict=True))
        assert (told["as tall elsewhere: any"], told["as tall elsewhere: most"]) == ((1, 5) if alike else (0, 0))


def judge_of_one(output: float) -> Judge:
    """Its logits are ``output`` times the tanh of a tenth of its feature, and the negative of that."""
    return Judge(np.ones(1), np.full(1, 2.0), np.array([[0.1], [0.0]]), np.array([[output, -output], [0.0, 0.0]]))


@pytest.mark.parametrize(
    ("feature", "spreads"), [(1, 0), (7, 3), (8.8, 3.9), (9, 4), (9.6, 4), (100, 4), (-8.8, -4), (-6.8, -3.9)]
)
def test_a_judge_sees_features_up_to_four_spreads_from_their_mean(feature: float, spreads: float) -> None:
    expected = float(np.tanh(0.1 * spreads))
    assert judge_of_one(1.0)(np.array([[feature]]))[0] == pytest.approx([expected, -expected])


def test_logits_are_bounded_by_500() -> None:
    highest = judge_of_one(1e6)(np.array([[9.0]]))[0]
    assert highest.tolist() == [500, -500]
    assert judge_of_one(1100.0)(np.array([[9.0]]))[0, 0] == pytest.approx(1100 * np.tanh(0.4))


def test_no_word_costs_a_picture_more_than_one_in_a_million() -> None:
    judge = judge_of_one(1.0)
    score = PageScore(judge, judge, np.array([0.0, 1.0, 1.0, 0.0]))
    assert score.confidence(np.array([0.0]), 0.0) == pytest.approx(1e-6, rel=1e-3)
    assert score.confidence(np.zeros(0), 1.0) == pytest.approx(1e-6, rel=1e-3)
    assert score.confidence(np.array([1e-5]), 0.0) == pytest.approx(1e-5, rel=1e-3)


def test_a_score_as_text_has_three_decimals_and_four_for_whole_pictures() -> None:
    judge = Judge(np.full(1, 0.12345), np.full(1, 1.00049), np.full((2, 1), 0.12355), np.full((2, 2), 7.12349))
    stored = json.loads(PageScore(judge, judge, np.full(4, 0.123456)).to_json())
    assert stored["whole"] == [0.1235] * 4
    assert {k: np.ravel(v)[0] for k, v in stored["first"].items()} == {
        "mean": 0.123, "spread": 1.0, "hidden": 0.124, "output": 7.123,
    }  # fmt: skip
