"""The best path through the segmentation graph, against all paths written out."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet5.reading.decode import Arc, best_path


def every_path(arcs: list[Arc], start: int, end: int) -> list[tuple[Arc, ...]]:
    if start == end:
        return [()]
    here = [arc for arc in arcs if arc.first == start]
    return [(arc, *rest) for arc in here for rest in every_path(arcs, arc.last, end)]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Arc], int]:
    pieces = draw(st.integers(1, 5))
    scores = st.floats(-8, 0, allow_nan=False)
    arcs = [Arc(k, k + 1, "", draw(scores)) for k in range(pieces)]
    for first, last in itertools.combinations(range(pieces + 1), 2):
        if draw(st.booleans()):
            arcs.append(Arc(first, last, str(draw(st.integers(0, 9))), draw(scores), len(arcs)))
    return arcs, pieces


@given(graphs())
def test_the_path_is_the_best_of_all_and_shares_are_of_all(graph: tuple[list[Arc], int]) -> None:
    arcs, pieces = graph
    paths = every_path(arcs, 0, pieces)
    scores = np.array([sum(arc.score for arc in path) for path in paths])
    total = np.exp(scores).sum()
    found = best_path(arcs, pieces)
    assert sum(arc.score for arc in found.arcs) == pytest.approx(scores.max())
    assert found.share == pytest.approx(math.exp(scores.max()) / total)
    for arc, share in zip(found.arcs, found.shares, strict=True):
        using = sum(math.exp(s) for path, s in zip(paths, scores, strict=True) if any(a is arc for a in path))
        assert share == pytest.approx(using / total)
