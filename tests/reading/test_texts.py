"""The texts of a segmentation graph, allowed ones alone: the search beside all paths written out."""

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet5.reading import product_graph
from lenet5.reading.arcs import SPECK, Arcs
from lenet5.reading.constraint import compile_constraint
from lenet5.reading.decode import best_path
from lenet5.reading.texts import constrained_paths, n_best
from tests.reading.test_decode import CLASSES, NONE, SYMBOLS, every_path, graphs

ALMOST_NOTHING = 29.9  # texts that are e³⁰ times less likely than the best may be left out

Spell = Callable[[tuple[int, ...]], "tuple[int, ...] | None"]


def every_text(arcs: Arcs, pieces: int, power: float, spell: Spell) -> list[tuple[tuple[int, ...], float, float]]:
    """All texts that paths spell, by their best paths, with the logarithms of these and of the sums over all paths."""
    scores = defaultdict(list)
    for path in every_path(arcs, 0, pieces):
        text = spell(path)
        if text is not None:
            scores[text].append(power * float(arcs.score[list(path)].sum()))
    rows = [(text, max(of), float(np.logaddexp.reduce(of))) for text, of in scores.items()]
    return sorted(rows, key=lambda row: -row[1])


@given(graphs([0, 1, NONE]), st.sampled_from([0.5, 1.0, 4.0]))
def test_n_best_gives_different_texts_each_with_the_sum_over_all_its_paths(
    graph: tuple[Arcs, int], power: float
) -> None:
    arcs, pieces = graph
    texts = every_text(arcs, pieces, power, lambda path: tuple(k for k in arcs.label[list(path)].tolist() if k >= 0))
    total = np.logaddexp.reduce([row[2] for row in texts])
    probabilities = {text: math.exp(of_all - total) for text, _, of_all in texts}
    found = n_best(arcs, pieces, power, n=1000)
    assert len({text.labels for text, _ in found}) == len(found)
    assert {text.labels for text, _ in found} >= {
        text for text, best, _ in texts if best > texts[0][1] - ALMOST_NOTHING
    }
    assert found == sorted(found, key=lambda row: -row[1])
    for text, p in found:
        assert p == pytest.approx(probabilities[text.labels], abs=1e-9)
        assert power * sum(arcs.score[k] for k in text.arcs) == pytest.approx(text.log_best)
        assert tuple(k for k in arcs.label[list(text.arcs)].tolist() if k >= 0) == text.labels
    few = n_best(arcs, pieces, power, n=2)
    assert len(few) == min(2, len(found))
    assert [p for _, p in few] == pytest.approx([probabilities[text.labels] for text, _ in few], abs=1e-9)
    assert few == sorted(few, key=lambda row: -row[1])


# What five pieces may spell, and one character more, with and without a space before each character but the first.
WRITTEN = [""] + [
    characters[0] + "".join(itertools.chain.from_iterable(zip(spaces, characters[1:], strict=True)))
    for length in range(1, 7)
    for characters in itertools.product("01/", repeat=length)
    for spaces in itertools.product(["", " "], repeat=length - 1)
]
PATTERNS = [r"\d+", r"\d \d", r"\d ?\d", r"[01]{2}/[01]?", ".*", r"\d*( \d)?", r"1(0|/)* 1|0{2,}", r"(\d\d )*\d", "0?"]
MATCHING = {pattern: [text for text in WRITTEN if re.fullmatch(pattern, text)] for pattern in PATTERNS}
BEGUN = {pattern: {text[:k] for text in texts for k in range(len(text) + 1)} for pattern, texts in MATCHING.items()}


def spelled(path: tuple[int, ...], arcs: Arcs, gaps: Sequence[bool], allowed: set[str], begun: set[str]) -> str | None:
    """The allowed text of a path: at a wide gap between characters a space if an allowed text may go on so."""
    text, wide = "", False
    for k in path:
        if arcs.label[k] == NONE:
            return None
        if arcs.label[k] >= 0:
            if wide and text + " " in begun:
                text += " "
            text += SYMBOLS[arcs.label[k]]
            wide = False
        wide = text != "" and (wide or gaps[arcs.last[k]])
    return text if text in allowed else None


@settings(deadline=None, max_examples=300)
@given(
    graphs([0, 1, CLASSES.index("/"), NONE]),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.sampled_from(PATTERNS),
    st.sampled_from([0.5, 1.0, 4.0]),
)
def test_constrained_paths_are_all_paths_filtered_by_re_fullmatch(
    graph: tuple[Arcs, int], gaps: list[bool], pattern: str, power: float
) -> None:
    arcs, pieces = graph
    allowed, begun = set(MATCHING[pattern]), BEGUN[pattern]

    def spell(path: tuple[int, ...]) -> tuple[int, ...] | None:
        text = spelled(path, arcs, gaps, allowed, begun)
        return None if text is None else tuple(map(SYMBOLS.index, text))

    texts = every_text(arcs, pieces, power, spell)
    constraint = compile_constraint(CLASSES, pattern=pattern)
    assert constraint is not None
    found, log_allowed = constrained_paths(arcs, pieces, constraint, np.array(gaps[: pieces + 1]), power, n=1000)
    assert log_allowed == pytest.approx(np.logaddexp.reduce([row[2] for row in texts]) if texts else -math.inf)
    assert [text.log_best for text in found] == pytest.approx([row[1] for row in texts[: len(found)]])
    assert all(row[1] < texts[0][1] - ALMOST_NOTHING for row in texts[len(found) :])
    sums = {text: math.exp(of_all - log_allowed) for text, _, of_all in texts}
    assert len({text.labels for text in found}) == len(found)
    for text in found:
        assert math.exp(text.log_total - log_allowed) == pytest.approx(sums[text.labels], abs=1e-9)
    for text in found:
        assert spell(text.arcs) == text.labels
        assert power * sum(arcs.score[k] for k in text.arcs) == pytest.approx(text.log_best)
    assert constrained_paths(arcs, pieces, constraint, np.array(gaps[: pieces + 1]), power, n=2)[0] == found[:2]
    with pytest.MonkeyPatch.context() as patch:  # as for an automaton of many states
        patch.setattr(product_graph, "_LARGE", 0)
        patch.setattr(product_graph, "_BEAM", 1)
        beamed, log_beamed = constrained_paths(arcs, pieces, constraint, np.array(gaps[: pieces + 1]), power, n=1000)
    assert [text.labels for text in beamed] == [text.labels for text in found]
    assert log_beamed == pytest.approx(log_allowed)


def test_a_text_that_is_cut_in_two_ways_counts_twice() -> None:
    labels = np.array([5, 1, 1, SPECK, SPECK])
    scores = np.log([0.4, 0.35, 0.5, 0.5, 0.1])
    arcs = Arcs(np.array([0, 0, 0, 1, 0]), np.array([2, 2, 1, 2, 1]), labels, scores, np.arange(5))
    assert best_path(arcs, 2).arcs == (0,)
    ((text, probability),) = n_best(arcs, 2, n=1)
    assert text.labels == (1,)
    assert probability == pytest.approx((0.35 + 0.5 * 0.5) / (0.4 + 0.35 + 0.5 * 0.5 + 0.1 * 0.5))


def luhn(text: str) -> bool:
    doubled = [sum(map(int, str(2 * int(d)))) if k % 2 else int(d) for k, d in enumerate(reversed(text))]
    return len(text) >= 2 and sum(doubled) % 10 == 0


@settings(deadline=None)
@given(graphs(range(10)))
def test_a_check_is_the_same_as_an_automaton_and_as_a_function(graph: tuple[Arcs, int]) -> None:
    arcs, pieces = graph
    narrow = np.zeros(pieces + 1, np.bool_)
    results = [
        constrained_paths(arcs, pieces, constraint, narrow, inverse_temperature=0.1, n=1000)
        for check in ("luhn", luhn)
        if (constraint := compile_constraint(CLASSES, check=check))
    ]
    (by_automaton, allowed), (by_function, also_allowed) = results
    assert {text.labels for text in by_automaton} == {text.labels for text in by_function}
    assert allowed == pytest.approx(also_allowed)
    assert all(luhn("".join(CLASSES[k] for k in text.labels)) for text in by_automaton)


def line_of(*groups: str) -> tuple[Arcs, np.ndarray]:
    """One certain arc a character, and a wide gap between the groups."""
    text = "".join(groups)
    n = len(text)
    ends = np.cumsum([len(group) for group in groups])[:-1]
    labels = np.array([CLASSES.index(c) for c in text])
    return Arcs(np.arange(n), np.arange(1, n + 1), labels, np.zeros(n), np.arange(n)), np.isin(np.arange(n + 1), ends)


@pytest.mark.parametrize(
    ("groups", "pattern", "text"),
    [
        (["123", "456"], r"\d{6}", "123456"),  # a pattern without spaces matches cells
        (["123", "456"], r"\d{3} \d{3}", "123 456"),
        (["123456"], r"\d{3} \d{3}", None),  # a space needs a wide gap
        (["1", "23", "456"], r"\d{3} \d{3}", "123 456"),
        (["123", "456"], r"\d{3}( \d{3})?|\d{6}", "123 456"),  # a gap that may be a space is one
        (["123"], r" *\d+ *", "123"),
    ],
)
def test_a_wide_gap_is_a_space_where_the_pattern_has_one(groups: list[str], pattern: str, text: str | None) -> None:
    arcs, gaps = line_of(*groups)
    constraint = compile_constraint(CLASSES, pattern=pattern)
    assert constraint is not None
    found, _ = constrained_paths(arcs, len(arcs.first), constraint, gaps)
    assert ["".join(SYMBOLS[k] for k in best.labels) for best in found] == ([] if text is None else [text])


def test_a_gap_is_no_space_where_nothing_allowed_goes_on_so() -> None:
    arcs, gaps = line_of("123", "4")
    constraint = compile_constraint(CLASSES, pattern=r"\d{4}|\d{3} \d\d", choices=["1234", "123 4"])
    assert constraint is not None
    (best,), _ = constrained_paths(arcs, 4, constraint, gaps)
    assert best.labels == (1, 2, 3, 4)


def test_without_an_allowed_text_there_is_none_and_its_probability_is_0() -> None:
    arcs, gaps = line_of("123")
    constraint = compile_constraint(CLASSES, pattern=r"\d{4}")
    assert constraint is not None
    assert constrained_paths(arcs, 3, constraint, gaps) == ([], -math.inf)
