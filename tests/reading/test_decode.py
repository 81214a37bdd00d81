"""The best path through the segmentation graph, against all paths written out."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet5.codes import DIGITS, SEPARATORS
from lenet5.reading.arcs import SPECK, Arcs
from lenet5.reading.decode import best_path

CLASSES = DIGITS + SEPARATORS
SYMBOLS = CLASSES + " "
NONE = len(CLASSES)  # the label of what is none of the classes


def every_path(arcs: Arcs, start: int, end: int) -> list[tuple[int, ...]]:
    if start == end:
        return [()]
    here = np.flatnonzero(arcs.first == start).tolist()
    return [(k, *rest) for k in here for rest in every_path(arcs, int(arcs.last[k]), end)]


@st.composite
def graphs(draw: st.DrawFn, labels: Sequence[int] = range(NONE + 1)) -> tuple[Arcs, int]:
    pieces = draw(st.integers(1, 5))
    scores = st.floats(-8, 0, allow_nan=False)
    rows = [(k, k + 1, SPECK, draw(scores), -1) for k in range(pieces)]
    for first, last in itertools.combinations(range(pieces + 1), 2):
        for label in draw(st.lists(st.sampled_from(labels), unique=True, max_size=2)):
            rows.append((first, last, label, draw(scores), len(rows)))
    first, last, label, score, candidate = zip(*rows, strict=True)
    return Arcs(*map(np.array, (first, last, label)), np.array(score), np.array(candidate)), pieces


@given(graphs(), st.sampled_from([0.5, 1.0, 4.0]))
def test_the_path_is_the_best_of_all_and_posteriors_are_of_all(graph: tuple[Arcs, int], power: float) -> None:
    arcs, pieces = graph
    paths = every_path(arcs, 0, pieces)
    scores = np.array([power * sum(arcs.score[k] for k in path) for path in paths])
    total = np.exp(scores).sum()
    found = best_path(arcs, pieces, power)
    assert power * sum(arcs.score[k] for k in found.arcs) == pytest.approx(scores.max())
    assert found.log_total == pytest.approx(math.log(total))
    assert found.posterior == pytest.approx(math.exp(scores.max()) / total)
    for k, posterior in enumerate(found.posteriors):
        using = sum(math.exp(s) for path, s in zip(paths, scores, strict=True) if k in path)
        assert posterior == pytest.approx(using / total)
