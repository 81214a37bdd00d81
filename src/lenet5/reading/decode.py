"""Arcs → marks: the best path through the segmentation graph (section V of the paper).

The nodes of the graph are the gaps between pieces; an arc takes a run of neighbouring pieces for one mark: a
character, a speck, or something that is neither. A path's score adds up its arcs' logarithms of probability. Viterbi
finds the best one; summing over all paths (the forward and the backward algorithm) tells how much of the whole each
arc and the best path hold.

A constraint is searched together with the graph: the nodes are then pairs of a gap and a state of its automaton. Texts
are found one after the other, each by its best path, by A*: what is left to come is known exactly.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.reading.arcs import SPECK, Arcs
from lenet5.reading.constraint import Constraint

__all__ = ["Path", "Text", "best_path", "constrained_paths", "n_best"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_NEGLIGIBLE: Final = 30.0  # paths that are e³⁰ times less likely than the best are left out: 10⁻¹³ of the sum
_LARGE: Final = 500  # automata of more states, as long lists of choices are, are first searched by a beam
_BEAM: Final = 30
_MOST_TEXTS: Final = 500  # texts on which a function is tried: an eighth of a second

Link = tuple[int, "Link"] | None  # the arcs of a path, last first
Paths = tuple[float, float, Link]  # the best one's score, the logarithm of the sum over all, and the best one
Prefix = dict[int, Paths]  # the paths that spell it, by the node where they end


@dataclass(frozen=True)
class Path:
    """The best way through: the numbers of its ``arcs``, and its ``posterior`` among all ways.

    ``posteriors`` (N,) are those of all arcs: the sum over the paths that use one over that of all paths.
    ``log_total`` is the logarithm of that sum.
    """

    arcs: tuple[int, ...]
    posterior: float
    posteriors: Floats
    log_total: float


@dataclass(frozen=True)
class Text:
    """A text: its ``labels`` without specks, and the ``arcs`` of the best path that spells it.

    Logarithms: ``log_best`` of that path's probability, ``log_total`` of the sum over all paths that spell the text;
    neither is divided by the sum over all texts.
    """

    labels: tuple[int, ...]
    arcs: tuple[int, ...]
    log_best: float
    log_total: float


def best_path(arcs: Arcs, pieces: int, inverse_temperature: float = 1.0) -> Path:
    """The best path from gap 0 to gap ``pieces``; every piece must begin an arc to its own right side.

    Each path's probability is raised to the power ``inverse_temperature`` before they are compared.
    """
    first, last, scores = arcs.first, arcs.last, inverse_temperature * arcs.score
    by_end = np.argsort(last, kind="stable")
    starting = _starting(first, pieces)
    ending = np.split(by_end, np.searchsorted(last[by_end], np.arange(1, pieces + 1)))
    forward, backward = np.full(pieces + 1, -np.inf), np.full(pieces + 1, -np.inf)
    best, came = np.full(pieces + 1, -np.inf), np.zeros(pieces + 1, np.int64)
    forward[0] = backward[pieces] = best[0] = 0.0
    for gap in range(1, pieces + 1):
        into = ending[gap]
        forward[gap] = np.logaddexp.reduce(forward[first[into]] + scores[into])
        reached = best[first[into]] + scores[into]
        best[gap], came[gap] = reached.max(), into[int(reached.argmax())]
    for gap in range(pieces - 1, -1, -1):
        out = starting[gap]
        backward[gap] = np.logaddexp.reduce(scores[out] + backward[last[out]])
    chosen: list[int] = []
    gap = pieces
    while gap > 0:
        chosen.append(int(came[gap]))
        gap = int(first[came[gap]])
    posteriors = np.exp(np.minimum(forward[first] + scores + backward[last] - forward[pieces], 0))
    return Path(
        tuple(reversed(chosen)), float(np.exp(best[pieces] - forward[pieces])), posteriors, float(forward[pieces])
    )


def constrained_paths(
    arcs: Arcs,
    pieces: int,
    constraint: Constraint,
    gaps: NDArray[np.bool_],
    inverse_temperature: float = 1.0,
    n: int = 5,
) -> tuple[list[Text], float]:
    """The ``n`` allowed texts with the best paths, best first, and log Σ over the paths of all allowed texts.

    A wide gap, where ``gaps`` (pieces + 1,) is true, is a space if one may stand there, and ignored otherwise; a space
    stands nowhere else, and never before the first or after the last character. Labels are places in the constraint's
    symbols, the space included. Of the paths none is an arc that is none of the classes.

    P(an allowed text stands here) is exp(log Σ − ``Path.log_total``) with the same inverse temperature. If the
    constraint has a predicate, it is tried on the first 500 texts: the sum is then that of those that pass, a lower
    bound. Texts that are e³⁰ times less likely than the best allowed one are left out. Without an allowed text: no
    texts, and −∞.
    """
    graph = _searched(arcs, pieces, _automaton_of(constraint), gaps, inverse_temperature)
    predicate = constraint.predicate
    if predicate is None:
        return list(itertools.islice(_texts(graph), n)), graph.log_total
    allowed: list[Text] = []
    for text in itertools.islice(_texts(graph), _MOST_TEXTS):
        if predicate("".join(constraint.symbols[k] for k in text.labels)):
            allowed.append(text)
    total = float(np.logaddexp.reduce([text.log_total for text in allowed])) if allowed else -math.inf
    return allowed[:n], total


def n_best(arcs: Arcs, pieces: int, inverse_temperature: float = 1.0, n: int = 5) -> list[tuple[Text, float]]:
    """``n`` different texts with their probabilities, likeliest first.

    Each probability is exact: the sum over all ways to cut the text. The texts are the likeliest among the 2 n whose
    best paths are best.
    """
    graph = _searched(arcs, pieces, _anything(arcs), np.zeros(pieces + 1, np.bool_), inverse_temperature)
    texts = sorted(itertools.islice(_texts(graph), 2 * n), key=lambda text: -text.log_total)
    return [(text, min(math.exp(text.log_total - graph.log_total), 1.0)) for text in texts[:n]]


def _starting(first: Places, pieces: int) -> list[Places]:
    """The numbers of the arcs that start at each gap but the last."""
    by_start = np.argsort(first, kind="stable")
    return np.split(by_start, np.searchsorted(first[by_start], np.arange(1, pieces)))


@dataclass(frozen=True)
class _Automaton:
    """``table`` (states, labels) is the state after an arc's label, ``after_space`` (states,) that after a space."""

    table: Places
    after_space: Places
    starts: Places
    accepting: NDArray[np.bool_]


def _automaton_of(constraint: Constraint) -> _Automaton:
    """The label of what is none of the classes has the number of the space, and leads nowhere."""
    table = constraint.next.astype(np.int64)
    after_space = table[:, -1].copy()
    table[:, -1] = -1
    return _Automaton(table, after_space, np.array(constraint.starts, np.int64), constraint.accepting)


def _anything(arcs: Arcs) -> _Automaton:
    table = np.zeros((1, max(int(arcs.label.max()), 0) + 1), np.int64)
    return _Automaton(table, np.full(1, -1), np.zeros(1, np.int64), np.ones(1, np.bool_))


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


@dataclass(frozen=True)
class _Graph:
    """Nodes and edges as lists, for a search: edges ``out[node]`` to ``out[node + 1]`` leave a node.

    ``to_go`` is the best score from each node to an end; paths below ``least`` are left out. ``log_total`` is the sum
    over all paths, as a logarithm.
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


def _searched(
    arcs: Arcs, pieces: int, automaton: _Automaton, gaps: NDArray[np.bool_], inverse_temperature: float
) -> _Graph:
    """The graph times the automaton, without paths that are e³⁰ times less likely than the best that is allowed."""
    scores = inverse_temperature * arcs.score
    starting = _starting(arcs.first, pieces)
    floors = np.full(pieces + 1, -np.inf)
    if len(automaton.table) > _LARGE:  # what a narrow beam finds bounds the best path from below
        nodes = _swept(arcs, scores, starting, automaton, gaps, floors, _BEAM)
        if len(nodes.ends):
            to_go = np.zeros(pieces + 1)
            for gap in range(pieces - 1, -1, -1):
                to_go[gap] = (scores[starting[gap]] + to_go[arcs.last[starting[gap]]]).max()
            floors = nodes.forward[nodes.ends].max() - _NEGLIGIBLE - to_go
    nodes = _swept(arcs, scores, starting, automaton, gaps, floors)
    return _graph(arcs, scores, nodes, len(automaton.starts), automaton.table.shape[1] - 1)


def _swept(
    arcs: Arcs,
    scores: Floats,
    starting: list[Places],
    automaton: _Automaton,
    gaps: NDArray[np.bool_],
    floors: Floats,
    beam: int | None = None,
) -> _Nodes:
    """All nodes that can be reached with a score of at least ``floors`` (pieces + 1,), or the best ``beam`` a gap."""
    pieces, size = len(starting), 2 * len(automaton.table)
    waiting: list[list[tuple[Places, Floats]]] = [[] for _ in range(pieces + 1)]
    waiting[0].append((2 * automaton.starts, np.zeros(len(automaton.starts))))
    reached: list[tuple[Places, Floats]] = []
    edges: list[tuple[Places, Places, Places, NDArray[np.bool_]]] = []
    for gap in range(pieces + 1):
        key, forward = _best_of(waiting[gap])
        kept = forward >= floors[gap]
        if beam is not None and len(key) > beam:
            kept &= forward >= np.partition(forward, -beam)[-beam]
        key, forward = key[kept], forward[kept]
        reached.append((gap * size + key, forward))
        if gap == pieces or len(key) == 0:
            continue
        out = starting[gap]
        state, waits = np.divmod(key, 2)
        after_space = automaton.after_space[state]
        spaced = (waits == 1) & (after_space >= 0)
        label, end = arcs.label[out][:, None], arcs.last[out][:, None]
        is_speck, wide = label == SPECK, gaps[end]
        after = automaton.table[np.where(spaced, after_space, state), label]
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
    ends = first[-2] + np.flatnonzero(automaton.accepting[node[first[-2] :] % size // 2])
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


def _graph(arcs: Arcs, scores: Floats, nodes: _Nodes, starts: int, space: int) -> _Graph:
    """The nodes' edges that lead to an end, and the sums over all paths; the first nodes are the ``starts``."""
    order = np.argsort(nodes.source, kind="stable")
    source, target, arc, spaced = (a[order] for a in (nodes.source, nodes.target, nodes.arc, nodes.spaced))
    score = scores[arc]
    count = int(nodes.first[-1])
    best, total = np.full(count, -np.inf), np.full(count, -np.inf)
    best[nodes.ends] = total[nodes.ends] = 0.0
    bounds = np.searchsorted(source, nodes.first)
    for a, b in reversed(list(itertools.pairwise(bounds.tolist()))):
        if a < b:
            heads = np.flatnonzero(np.diff(source[a:b], prepend=-1))
            these, after = source[a:b][heads], target[a:b]
            best[these] = np.maximum.reduceat(score[a:b] + best[after], heads)
            total[these] = np.logaddexp.reduceat(score[a:b] + total[after], heads)
    through = nodes.forward[source] + score + best[target]
    least = float(best[:starts].max(initial=-np.inf)) - _NEGLIGIBLE
    live = (through > -np.inf) & (through >= least)
    kinds = zip(arcs.label[arc[live]].tolist(), spaced[live].tolist(), strict=True)
    return _Graph(
        [start for start in range(starts) if best[start] > -np.inf],
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


def _texts(graph: _Graph) -> Iterator[Text]:
    """All texts by their best paths: A* over what texts begin with, each with the nodes where it may have ended."""
    number = itertools.count()
    begin: Prefix = dict.fromkeys(graph.starts, (0.0, 0.0, None))
    heap: list[tuple[float, int, tuple[int, ...], Prefix, Paths | None]] = []
    if begin:
        heap.append((-max(graph.to_go[node] for node in begin), next(number), (), begin, None))
    while heap:
        _, _, labels, prefix, whole = heapq.heappop(heap)
        if whole is not None:
            yield Text(labels, _unrolled(whole[2]), whole[0], whole[1])
            continue
        whole, longer = _extended(graph, prefix)
        if whole is not None:
            heapq.heappush(heap, (-whole[0], next(number), labels, {}, whole))
        for added, (best, ends) in longer.items():
            heapq.heappush(heap, (-best, next(number), labels + added, ends, None))


def _extended(graph: _Graph, prefix: Prefix) -> tuple[Paths | None, dict[tuple[int, ...], tuple[float, Prefix]]]:
    """The prefix as a whole text, if it can be one, and those longer by a character, with the best scores of texts.

    Specks are added to the prefix itself; nodes are visited in the order of their gaps.
    """
    out, target, arc, score, labels, to_go = graph.out, graph.target, graph.arc, graph.score, graph.labels, graph.to_go
    whole: Paths | None = None
    longer: dict[tuple[int, ...], tuple[float, Prefix]] = {}
    queue = sorted(prefix)
    while queue:
        node = heapq.heappop(queue)
        best, total, link = prefix[node]
        if node in graph.ends:
            whole = _merged(whole, best, total, link)
        for edge in range(out[node], out[node + 1]):
            after, added = target[edge], labels[edge]
            here = best + score[edge]
            if here + to_go[after] < graph.least:
                continue
            if added:
                highest, into = longer.get(added) or (-math.inf, {})
                longer[added] = max(highest, here + to_go[after]), into
            else:
                into = prefix
                if after not in prefix:
                    heapq.heappush(queue, after)
            into[after] = _merged(into.get(after), here, total + score[edge], (arc[edge], link))
    return whole, longer


def _merged(paths: Paths | None, best: float, total: float, link: Link) -> Paths:
    """Two sets of paths as one."""
    if paths is None:
        return best, total, link
    high, low = (paths[1], total) if paths[1] > total else (total, paths[1])
    total = high + math.log1p(math.exp(low - high))
    return (paths[0], total, paths[2]) if paths[0] >= best else (best, total, link)


def _unrolled(link: Link) -> tuple[int, ...]:
    arcs: list[int] = []
    while link is not None:
        arcs.append(link[0])
        link = link[1]
    return tuple(reversed(arcs))
