"""Lattice and constraint → the likeliest texts, each with its probability.

The constraint is searched together with the graph (:mod:`lenet5.reading.product_graph`), never a filter afterwards.
Texts are found one after the other, each by its best path, by A*: what is left to come is known exactly.
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

from lenet5.reading.arcs import Arcs
from lenet5.reading.constraint import Constraint
from lenet5.reading.product_graph import Graph, Transitions, product_graph

__all__ = ["Text", "constrained_paths", "n_best"]

_MOST_TEXTS: Final = 500  # texts on which a function is tried: an eighth of a second

Link = tuple[int, "Link"] | None  # the arcs of a path, last first
Paths = tuple[float, float, Link]  # the best one's score, the logarithm of the sum over all, and the best one
Prefix = dict[int, Paths]  # the paths that spell it, by the node where they end


@dataclass(frozen=True)
class Text:
    """A text: its ``labels`` without specks, and the ``arcs`` of the best path that spells it.

    Logarithms: ``log_best`` of that path's probability, ``log_total`` of the sum over all paths that spell the text;
    neither is divided by the sum over all texts.

    >>> first, last, label = np.array([(0, 1, 1), (1, 2, 3), (0, 2, 8)]).T  # 1, then 3; or both pieces as an 8
    >>> arcs = Arcs(first, last, label, np.log([0.9, 0.8, 0.3]), np.arange(3))
    >>> (best, p), (other, q) = n_best(arcs, pieces=2)
    >>> best.labels, best.arcs, other.labels
    ((1, 3), (0, 1), (8,))
    """

    labels: tuple[int, ...]
    arcs: tuple[int, ...]
    log_best: float
    log_total: float


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

    >>> from lenet5.reading.constraint import compile_constraint
    >>> first, last, label = np.array([(0, 1, 1), (1, 2, 3), (0, 2, 8)]).T  # 1, then 3; or both pieces as an 8
    >>> arcs = Arcs(first, last, label, np.log([0.9, 0.8, 0.3]), np.arange(3))
    >>> one_digit = compile_constraint("0123456789", pattern=r"\\d")
    >>> (text,), log_allowed = constrained_paths(arcs, 2, one_digit, gaps=np.zeros(3, np.bool_))
    >>> text.labels, round(math.exp(log_allowed), 2)
    ((8,), 0.3)
    """
    graph = product_graph(arcs, pieces, Transitions.of(constraint), gaps, inverse_temperature)
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

    >>> first, last, label = np.array([(0, 1, 1), (1, 2, 3), (0, 2, 8)]).T  # 1, then 3; or both pieces as an 8
    >>> arcs = Arcs(first, last, label, np.log([0.9, 0.8, 0.3]), np.arange(3))
    >>> [(text.labels, round(p, 3)) for text, p in n_best(arcs, pieces=2)]
    [((1, 3), 0.706), ((8,), 0.294)]
    """
    no_gaps = np.zeros(pieces + 1, np.bool_)
    graph = product_graph(arcs, pieces, Transitions.of_anything(arcs), no_gaps, inverse_temperature)
    texts = sorted(itertools.islice(_texts(graph), 2 * n), key=lambda text: -text.log_total)
    return [(text, min(math.exp(text.log_total - graph.log_total), 1.0)) for text in texts[:n]]


def _texts(graph: Graph) -> Iterator[Text]:
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


def _extended(graph: Graph, prefix: Prefix) -> tuple[Paths | None, dict[tuple[int, ...], tuple[float, Prefix]]]:
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
    high, low = max(paths[1], total), min(paths[1], total)
    total = high + math.log1p(math.exp(low - high))
    return (paths[0], total, paths[2]) if paths[0] >= best else (best, total, link)


def _unrolled(link: Link) -> tuple[int, ...]:
    arcs: list[int] = []
    while link is not None:
        arcs.append(link[0])
        link = link[1]
    return tuple(reversed(arcs))
