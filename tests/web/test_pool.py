"""Workers that die, hang or do not load, and a queue that is full."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import httpx
import pytest
from PIL import Image

from lenet5.web import work
from lenet5.web.pool import Pool, QueueFullError, UnwantedError
from tests.web.conftest import SETTINGS, Running, line_of

Draw = Callable[..., Image.Image]
Encode = Callable[..., bytes]
T = TypeVar("T")


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives, run in a thread: Playwright keeps an event loop in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@pytest.fixture
def picture(write: Draw, encoded: Encode) -> bytes:
    return encoded(write("27"))


@pytest.fixture
def worker(fragile: Running) -> int:
    """The process of the only worker, once it is there."""
    fragile.until(lambda: len(fragile.server.service.pool.pids) == 1)
    fragile.until(lambda: fragile.client.get("/health/ready").status_code == 200)
    (pid,) = fragile.server.service.pool.pids
    return pid


def stopped(pid: int) -> None:
    """Make a process hang."""
    os.kill(pid, signal.SIGSTOP)


def texts(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [result["text"] for result in answer.json()["results"]]


def test_a_worker_that_dies_costs_its_request_and_is_replaced(fragile: Running, worker: int, picture: bytes) -> None:
    lost = fragile.metric('lenet5_worker_restarts_total{reason="died"}')
    stopped(worker)
    with ThreadPoolExecutor(2) as clients:
        first = clients.submit(fragile.read, picture)
        fragile.until(lambda: fragile.server.service.pool.busy == 1)
        second = clients.submit(fragile.read, picture)
        fragile.until(lambda: fragile.server.service.pool.waiting == 1)
        os.kill(worker, signal.SIGKILL)
        assert "the process that read this request ended" in line_of(first.result(), 500)
        assert texts(second.result()) == ["27"]
    assert fragile.metric('lenet5_worker_restarts_total{reason="died"}') == lost + 1
    assert fragile.server.service.pool.pids != (worker,)


def test_a_worker_that_dies_at_rest_costs_no_request(fragile: Running, worker: int, picture: bytes) -> None:
    os.kill(worker, signal.SIGKILL)
    (process,) = fragile.server.service.pool._serving
    fragile.until(lambda: not process.is_alive())
    assert texts(fragile.read(picture)) == ["27"]


@pytest.fixture
def short(fragile: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A time limit of a second, until it is undone."""
    with monkeypatch.context() as patch:
        patch.setattr(fragile.server.service.pool, "_seconds", 1.0)
        yield patch


def test_a_worker_that_hangs_is_replaced_after_the_time_limit(
    fragile: Running, worker: int, picture: bytes, short: pytest.MonkeyPatch
) -> None:
    late = fragile.metric('lenet5_worker_restarts_total{reason="timeout"}')
    stopped(worker)
    assert "more than 1 s:" in line_of(fragile.read(picture), 504)
    short.undo()
    assert fragile.metric('lenet5_worker_restarts_total{reason="timeout"}') == late + 1
    assert texts(fragile.read(picture)) == ["27"]
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


@pytest.mark.usefixtures("short")
def test_a_worker_that_hangs_before_it_has_taken_a_large_body_is_replaced(fragile: Running, worker: int) -> None:
    stopped(worker)
    assert "more than 1 s:" in line_of(fragile.read(bytes(2_500_000)), 504)


def test_a_file_that_hangs_among_others_is_a_result(
    fragile: Running, worker: int, picture: bytes, short: pytest.MonkeyPatch
) -> None:
    stopped(worker)
    files = [("f", (name, picture)) for name in ("first.png", "second.png")]
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(fragile.client.post, "/v1/read", files=files)
        fragile.until(lambda: worker not in fragile.server.service.pool.pids)
        short.undo()
        first, second = answer.result().json()["results"]
    assert first["file"] == "first.png"
    assert "more than 1 s:" in first["error"]
    assert second["text"] == "27"


def test_a_full_queue_refuses_with_503_and_what_waited_is_read(fragile: Running, worker: int, picture: bytes) -> None:
    stopped(worker)
    refused = fragile.metric('lenet5_refusals_total{reason="queue"}')
    waiting: list[Future[httpx.Response]] = []
    with ThreadPoolExecutor(3) as clients:
        for _ in range(3):  # one is read, two wait
            waiting.append(clients.submit(fragile.read, picture))
        fragile.until(lambda: fragile.server.service.pool.waiting == 2)
        answers = [fragile.read(picture), fragile.client.post("/v1/classify", json={"images": []})]
        assert fragile.metric("lenet5_queue_length") == 2
        assert fragile.metric("lenet5_workers_busy") == 1
        os.kill(worker, signal.SIGCONT)
        assert [texts(future.result()) for future in waiting] == [["27"]] * 3
    for answer in answers:
        assert line_of(answer, 503) == "the service is busy: try again later"
        assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert fragile.metric('lenet5_refusals_total{reason="queue"}') == refused + 2
    assert fragile.metric("lenet5_queue_length") == 0


def test_a_client_that_left_is_not_read_for(fragile: Running, worker: int, picture: bytes) -> None:
    read = fragile.metric("lenet5_results_total")
    stopped(worker)
    with ThreadPoolExecutor(1) as clients:
        first = clients.submit(fragile.read, picture)
        fragile.until(lambda: fragile.server.service.pool.busy == 1)
        with pytest.raises(httpx.ReadTimeout):
            fragile.client.post("/v1/read", content=picture, timeout=0.3)
        os.kill(worker, signal.SIGCONT)
        assert texts(first.result()) == ["27"]
    fragile.until(lambda: fragile.server.service._working == 0)
    assert fragile.metric("lenet5_results_total") == read + 1
    assert fragile.metric('lenet5_requests_total{path="/v1/read",status="499"}') >= 1


def test_the_event_loop_answers_while_all_workers_are_at_work(fragile: Running, worker: int, picture: bytes) -> None:
    stopped(worker)
    with ThreadPoolExecutor(1) as clients:
        reading = clients.submit(fragile.read, picture)
        fragile.until(lambda: fragile.server.service.pool.busy == 1)
        assert fragile.client.get("/health/live", timeout=30).status_code == 200
        os.kill(worker, signal.SIGCONT)
        assert texts(reading.result()) == ["27"]


async def kept() -> bool:
    return False


def test_a_worker_that_does_not_load_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def tried() -> bool:
        pool = Pool(SETTINGS.weights, 1, 1, 20, lambda reason: None)
        pool.start()
        while not pool._loading:
            await asyncio.sleep(0.01)
        os.kill(next(iter(pool._loading)).pid, signal.SIGKILL)
        try:
            answer = await pool.run(work.classify, b'{"images": []}', unwanted=kept)
        finally:
            await pool.close()
        return answer.results == (b'{"labels": [], "confidences": []}',) and pool.pids == ()

    assert finished(tried())


def test_closing_a_pool_that_is_loading_leaves_no_process() -> None:
    before = {process.name for process in multiprocessing.active_children()}

    async def closed() -> bool:
        pool = Pool(SETTINGS.weights, 2, 1, 20, lambda reason: None)
        pool.start()
        await asyncio.sleep(0.05)
        await pool.close()
        return not (pool._loading or pool._serving or pool._starts)

    assert finished(closed())
    assert not [process for process in multiprocessing.active_children() if process.name not in before]


def test_places_are_workers_and_queue() -> None:
    async def places() -> None:
        pool = Pool(SETTINGS.weights, 1, 1, 20, lambda reason: None)
        async with pool.place(), pool.place():
            with pytest.raises(QueueFullError):
                pool.check_place()
        pool.check_place()

    finished(places())


def test_a_task_that_nobody_wants_is_not_done() -> None:
    async def left() -> bool:
        return True

    async def tried() -> None:
        pool = Pool(SETTINGS.weights, 1, 1, 20, lambda reason: None)
        pool.start()
        try:
            with pytest.raises(UnwantedError):
                await pool.run(work.classify, b"", unwanted=left)
            assert pool.busy == 0
            assert (await pool.run(work.classify, b"", unwanted=kept)).status == 422
        finally:
            await pool.close()

    finished(tried())
