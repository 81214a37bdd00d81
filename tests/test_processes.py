"""Work shared by processes: results in order, and a killed process costs what it had in hand."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from lenet5.processes import Killed, Processes, _Source, shared


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


@pytest.mark.slow
def test_a_killed_process_costs_one_result_of_many_quick_ones() -> None:
    works = [k if k % 700 != 699 else -k for k in range(1, 3000)]
    results = list(shared(make, works, 2))
    assert [given for given, _ in results] == works
    assert [isinstance(result, Killed) for _, result in results] == [number < 0 for number in works]
    assert all(result == work(number) for number, result in results if number > 0)


@pytest.mark.slow
def test_no_more_work_is_taken_than_keeps_them_busy() -> None:
    taken = []

    def works() -> Iterator[int]:
        for k in range(10_000):
            taken.append(k)
            yield k

    results = shared(make, works(), 2)
    assert next(results) == (0, "0")
    two_batches_each = 2 * 2 * 32
    assert len(taken) <= two_batches_each
    for _ in range(5000):  # batches have grown meanwhile
        last, _ = next(results)
    assert len(taken) - last <= two_batches_each
    results.close()  # type: ignore[attr-defined]


def test_work_that_comes_slowly_is_done_as_it_comes() -> None:
    taken = []

    def works() -> Iterator[int]:
        yield from range(1, 500)  # quick: batches grow
        for k in range(500, 510):
            time.sleep(0.05)
            taken.append(k)
            yield k

    for work, _ in shared(make, works(), 1):
        if work >= 500:
            assert max(taken) - work <= 2


def test_the_next_batch_is_at_hand_where_work_comes_quickly_and_a_slow_piece_is_not_waited_for() -> None:
    taken = []

    def works() -> Iterator[int]:
        for k in range(100):
            if k >= 40:
                time.sleep(0.03)
            taken.append(k)
            yield k

    source = _Source(works())
    assert list(source.batch(20)) == list(range(20))
    source.prepare(20)
    assert taken == list(range(40))
    assert list(source.batch(20)) == list(range(20, 40))
    assert list(source.batch(20)) == [40]
    source.prepare(20)
    assert taken == list(range(41))


def test_what_the_list_of_work_raises_is_raised_after_the_results_before_it() -> None:
    def works() -> Iterator[int]:
        yield from range(1, 401)
        raise OSError("the list is cut short")

    results = shared(make, works(), 2)
    assert [next(results)[0] for _ in range(400)] == list(range(1, 401))
    with pytest.raises(OSError, match="cut short"):
        next(results)


def test_large_work_goes_to_processes_that_die() -> None:
    works = [b"x" * 3_000_000] * 6
    results = list(shared(make_deadly, works, 2))
    assert all(isinstance(result, Killed) for _, result in results)
    assert len(results) == 6


def make_deadly() -> Callable[[bytes], None]:
    return lambda content: os.kill(os.getpid(), signal.SIGKILL)


class Together:
    """Makes ``work`` once all of so many processes are loading at the same time."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.folder, self.processes = folder, processes

    def __call__(self) -> Callable[[int], str]:
        (self.folder / str(os.getpid())).touch()
        end = time.monotonic() + 60
        while len(list(self.folder.iterdir())) < self.processes and time.monotonic() < end:
            time.sleep(0.01)
        assert time.monotonic() < end
        return work


def test_processes_load_at_the_same_time(tmp_path: Path) -> None:
    results = list(shared(Together(tmp_path, 3), range(1, 10), 3))
    assert results == [(k, str(k)) for k in range(1, 10)]


def make_nothing() -> Callable[[int], str]:
    raise EOFError("nothing can be made")


def test_a_process_that_dies_as_it_loads_costs_the_work_it_would_have_done() -> None:
    assert list(shared(make_nothing, [1, 2], 2)) == [(1, Killed(1)), (2, Killed(1))]


def test_processes_interrupted_as_they_answer_give_no_earlier_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = Connection.recv

    def interrupted(connection: Connection[Any, Any]) -> Any:
        monkeypatch.setattr(Connection, "recv", receive)
        raise KeyboardInterrupt

    with Processes(make, 1) as processes:
        assert list(processes.results([1])) == [(1, "1")]
        monkeypatch.setattr(Connection, "recv", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(processes.results([2]))
        assert list(processes.results([3])) == [(3, "3")]


def threads(_: object) -> tuple[int, list[int]]:
    import cv2
    from threadpoolctl import threadpool_info

    return cv2.getNumThreads(), [pool["num_threads"] for pool in threadpool_info()]


def make_threads() -> Callable[[object], tuple[int, list[int]]]:
    return threads


def test_each_process_has_one_thread_of_opencv_and_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    ((_, result),) = shared(make_threads, ["pools"], 1)
    assert not isinstance(result, Killed)
    opencv, pools = result
    assert opencv == 1
    assert pools
    assert set(pools) == {1}


class LoadsScipy:
    """Makes ``threads``; unpickled, it loads another BLAS."""

    def __init__(self) -> None:
        self.loads = "scipy"

    def __setstate__(self, state: dict[str, str]) -> None:
        import scipy.linalg  # noqa: F401

    def __call__(self) -> Callable[[object], tuple[int, list[int]]]:
        return threads


def test_a_blas_that_is_loaded_with_what_makes_the_work_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("scipy")
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    ((_, result),) = shared(LoadsScipy(), ["pools"], 1)
    assert not isinstance(result, Killed)
    assert len(result[1]) > 1
    assert set(result[1]) == {1}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_processes_serve_again_and_one_that_died_idle_is_replaced() -> None:
    with Processes(make, 2) as processes:
        assert list(processes.results([1, -1, 3])) == [(1, "1"), (-1, Killed(-signal.SIGKILL)), (3, "3")]
        before = processes.pids
        assert [result for _, result in processes.results([4, 5])] == ["4", "5"]
        assert set(before) <= set(processes.pids)
        for pid in processes.pids:
            os.kill(pid, signal.SIGKILL)
            until_gone(pid)
        assert [result for _, result in processes.results([6, 7, 8])] == ["6", "7", "8"]


def until_gone(pid: int) -> None:
    for _ in range(500):
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if state == "Z":
            return
        time.sleep(0.01)
