"""Lattice × automaton → the graph of all allowed paths, swept gap by gap.

A node is a gap between pieces, a state of the automaton, and whether a wide gap waits to become a space. Paths that are
far less likely than the best allowed one are left out.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.reading.arcs import SPECK, Arcs
from lenet5.reading.constraint import Constraint
from lenet5.reading.decode import starting_arcs

__all__ = ["Graph", "Transitions", "product_graph"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_NEGLIGIBLE: Final = 30.0  # paths that are e³⁰ times less likely than the best are left out: 10⁻¹³ of the sum
_LARGE: Final = 500  # automata of more states, as long lists of choices are, are first searched by a beam
_BEAM: Final = 30


@dataclass(frozen=True)
class Transitions:
    """``table`` (states, labels) is the state after an arc's label, ``after_space`` (states,) that after a space.

    −1 leads nowhere. A text begins in one of the ``starts`` and may end in states that are ``accepting`` (states,).

    >>> digit_then_end = Transitions(np.array([[1], [-1]]), np.full(2, -1), np.array([0]), np.array([False, True]))
    >>> digit_then_end.table[0].tolist()
    [1]
    """

    table: Places
    after_space: Places
    starts: Places
    accepting: NDArray[np.bool_]

    @classmethod
    def of(cls, constraint: Constraint) -> Transitions:
        """A constraint's own: the label of what is none of the classes has the number of the space, and leads nowhere.

        >>> from lenet5.reading.constraint import compile_constraint
        >>> transitions = Transitions.of(compile_constraint("0123456789", pattern=r"\\d"))
        >>> transitions.table.shape, transitions.accepting.tolist()
        ((2, 11), [False, True])
        """
        table = constraint.next.astype(np.int64)
        after_space = table[:, -1].copy()
        table[:, -1] = -1
        return cls(table, after_space, np.array(constraint.starts, np.int64), constraint.accepting)

    @classmethod
    def of_anything(cls, arcs: Arcs) -> Transitions:
        """One state that allows every text of these arcs, without spaces.

        >>> from lenet5.reading.arcs import Arcs
        >>> Transitions.of_anything(Arcs(*(np.array([0, 1]) for _ in range(5)))).table
        array([[0, 0]])
        """
        table = np.zeros((1, max(int(arcs.label.max()), 0) + 1), np.int64)
        return cls(table, np.full(1, -1), np.zeros(1, np.int64), np.ones(1, np.bool_))


@dataclass(frozen=True)
class Graph:
    """Nodes and edges as lists, for a search: edges ``out[node]`` to ``out[node + 1]`` leave a node.

    ``to_go`` is the best score from each node to an end; paths below ``least`` are left out. ``log_total`` is the sum
    over all paths, as a logarithm.

    >>> first, last, label = np.array([(0, 1, 1), (1, 2, 3), (0, 2, 8)]).T  # 1, then 3; or both pieces as an 8
    >>> arcs = Arcs(first, last, label, np.log([0.9, 0.8, 0.3]), np.arange(3))
    >>> graph = product_graph(arcs, 2, Transitions.of_anything(arcs), np.zeros(3, np.bool_), 1.0)
    >>> graph.labels, np.exp(graph.score).round(2).tolist()
    ([(1,), (8,), (3,)], [0.9, 0.3, 0.8])
    """

    starts: list[int]
    ends: frozenset[int]
    out: list[int]
    target: list[int]
    arc: list[int]
    labels: list[tuple[int, ...]]
    score: list[float]
    to_go: list[float]
    least: float
    log_total: float


def product_graph(
    arcs: Arcs, pieces: int, transitions: Transitions, gaps: NDArray[np.bool_], inverse_temperature: float
) -> Graph:
    """The graph times the automaton, without paths that are e³⁰ times less likely than the best that is allowed.

    >>> first, last, label = np.array([(0, 1, 1), (1, 2, 3), (0, 2, 8)]).T  # 1, then 3; or both pieces as an 8
    >>> arcs = Arcs(first, last, label, np.log([0.9, 0.8, 0.3]), np.arange(3))
    >>> graph = product_graph(arcs, 2, Transitions.of_anything(arcs), np.zeros(3, np.bool_), 1.0)
    >>> round(float(np.exp(graph.log_total)), 2)  # 0.9 · 0.8 + 0.3
    1.02
    """
    scores = inverse_temperature * arcs.score
    starting = starting_arcs(arcs.first, pieces)
    floors = np.full(pieces + 1, -np.inf)
    if len(transitions.table) > _LARGE:  # what a narrow beam finds bounds the best path from below
        nodes = _swept(arcs, scores, starting, transitions, gaps, floors, _BEAM)
        if len(nodes.ends):
            to_go = np.zeros(pieces + 1)
            for gap in range(pieces - 1, -1, -1):
                to_go[gap] = (scores[starting[gap]] + to_go[arcs.last[starting[gap]]]).max()
            floors = nodes.forward[nodes.ends].max() - _NEGLIGIBLE - to_go
    nodes = _swept(arcs, scores, starting, transitions, gaps, floors)
    return _graph(arcs, scores, nodes, len(transitions.starts), transitions.table.shape[1] - 1)


@dataclass(frozen=True)
class _Nodes:
    """What a sweep reaches: nodes, sorted, gap × size + 2 × state + whether a wide gap waits to become a space.

    ``first`` (pieces + 2,) is the first node of each gap, ``forward`` the score of the best path to a node, ``ends``
    the nodes at the last gap where a text may end. Edges take an ``arc``, ``spaced`` ones a space before it.
    """

    first: Places
    forward: Floats
    ends: Places
    source: Places
    target: Places
    arc: Places
    spaced: NDArray[np.bool_]


def _swept(
    arcs: Arcs,
    scores: Floats,
    starting: list[Places],
    transitions: Transitions,
    gaps: NDArray[np.bool_],
    floors: Floats,
    beam: int | None = None,
) -> _Nodes:
    """All nodes that can be reached with a score of at least ``floors`` (pieces + 1,), or the best ``beam`` a gap."""
    pieces, size = len(starting), 2 * len(transitions.table)
    waiting: list[list[tuple[Places, Floats]]] = [[] for _ in range(pieces + 1)]
    waiting[0].append((2 * transitions.starts, np.zeros(len(transitions.starts))))
    reached: list[tuple[Places, Floats]] = []
    edges: list[tuple[Places, Places, Places, NDArray[np.bool_]]] = []
    for gap in range(pieces + 1):
        key, forward = _best_of(waiting[gap])
        kept = forward >= floors[gap]
        if beam is not None:
            kept &= forward >= np.sort(forward)[-beam:].min(initial=np.inf)
        key, forward = key[kept], forward[kept]
        reached.append((gap * size + key, forward))
        if gap == pieces:
            break
        out = starting[gap]
        state, waits = np.divmod(key, 2)
        after_space = transitions.after_space[state]
        spaced = (waits == 1) & (after_space >= 0)
        label, end = arcs.label[out][:, None], arcs.last[out][:, None]
        is_speck, wide = label == SPECK, gaps[end]
        after = transitions.table[np.where(spaced, after_space, state), label]
        target = np.where(is_speck, 2 * state + (waits | wide), 2 * after + wide)
        a, k = np.nonzero(is_speck | (after >= 0))
        ends, target, score = end[a, 0], target[a, k], forward[k] + scores[out[a]]
        for last in set(ends.tolist()):
            waiting[last].append((target[ends == last], score[ends == last]))
        edges.append((gap * size + key[k], ends * size + target, out[a], spaced[k] & ~is_speck[a, 0]))
    node = np.concatenate([key for key, _ in reached])
    source, target, arc, spaced = (np.concatenate(column) for column in zip(*edges, strict=True))
    number = np.searchsorted(node, target)
    kept = number < len(node)
    kept[kept] = node[number[kept]] == target[kept]
    first = np.cumsum([0, *(len(key) for key, _ in reached)])
    ends = first[-2] + np.flatnonzero(transitions.accepting[node[first[-2] :] % size // 2])
    return _Nodes(
        first,
        np.concatenate([forward for _, forward in reached]),
        ends,
        np.searchsorted(node, source[kept]),
        number[kept],
        arc[kept],
        spaced[kept],
    )


def _best_of(waiting: list[tuple[Places, Floats]]) -> tuple[Places, Floats]:
    """Each key once, sorted, with its best score."""
    if not waiting:
        return np.zeros(0, np.int64), np.zeros(0)
    keys, scores = (np.concatenate(column) for column in zip(*waiting, strict=True))
    key, place = np.unique(keys, return_inverse=True)
    best = np.full(len(key), -np.inf)
    np.maximum.at(best, place, scores)
    return key, best


def _graph(arcs: Arcs, scores: Floats, nodes: _Nodes, starts: int, space: int) -> Graph:
    """The nodes' edges that lead to an end, and the sums over all paths; the first nodes are the ``starts``."""
    order = np.argsort(nodes.source, kind="stable")
    source, target, arc, spaced = (a[order] for a in (nodes.source, nodes.target, nodes.arc, nodes.spaced))
    score = scores[arc]
    count = int(nodes.first[-1])
    best, total = np.full(count, -np.inf), np.full(count, -np.inf)
    best[nodes.ends] = total[nodes.ends] = 0.0
    bounds = np.searchsorted(source, nodes.first)
    for a, b in reversed(list(itertools.pairwise(bounds.tolist()))):
        heads = np.flatnonzero(np.diff(source[a:b], prepend=-1))
        these, after = source[a:b][heads], target[a:b]
        best[these] = np.maximum.reduceat(score[a:b] + best[after], heads)
        total[these] = np.logaddexp.reduceat(score[a:b] + total[after], heads)
    through = nodes.forward[source] + score + best[target]
    least = float(best[:starts].max(initial=-np.inf)) - _NEGLIGIBLE
    live = np.isfinite(through) & (through >= least)
    kinds = zip(arcs.label[arc[live]].tolist(), spaced[live].tolist(), strict=True)
    return Graph(
        np.flatnonzero(np.isfinite(best[:starts])).tolist(),
        frozenset(nodes.ends.tolist()),
        np.searchsorted(source[live], np.arange(count + 1)).tolist(),
        target[live].tolist(),
        arc[live].tolist(),
        [() if label == SPECK else (space, label) if after_space else (label,) for label, after_space in kinds],
        score[live].tolist(),
        best.tolist(),
        least,
        float(np.logaddexp.reduce(total[:starts])),
    )
