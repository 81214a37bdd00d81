"""Work shared by processes: results in order, and a killed process costs what it had in hand."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from lenet5.processes import Killed, shared


def make() -> Callable[[int], str]:
    return work


def work(number: int) -> str:
    """Takes long for 0, dies of negative numbers, gives much for large ones."""
    if number < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 0:
        time.sleep(0.5)
    return str(number) * (200_000 if number > 100 else 1)


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_come_in_order(jobs: int) -> None:
    assert list(shared(make, range(40), jobs)) == [(k, str(k)) for k in range(40)]


def test_a_killed_process_costs_one_result() -> None:
    works = [0, -1, 2, -3, -4, 500, 6]
    results = list(shared(make, works, 2))
    assert [given for given, _ in results] == works
    assert [isinstance(result, Killed) for _, result in results] == [number < 0 for number in works]


def test_no_more_work_is_taken_than_keeps_them_busy() -> None:
    taken = []

    def works() -> Iterator[int]:
        for k in range(10_000):
            taken.append(k)
            yield k

    results = shared(make, works(), 2)
    assert next(results) == (0, "0")
    assert len(taken) < 100
    results.close()  # type: ignore[attr-defined]


def test_large_work_goes_to_processes_that_die() -> None:
    works = [b"x" * 3_000_000] * 6
    results = list(shared(make_deadly, works, 2))
    assert all(isinstance(result, Killed) for _, result in results)
    assert len(results) == 6


def make_deadly() -> Callable[[bytes], None]:
    return lambda content: os.kill(os.getpid(), signal.SIGKILL)
