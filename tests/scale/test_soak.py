"""One reader used by threads, processes, forks, pickles and asyncio: the answers are those of a single thread.

``python -m benchmarks.soak`` does it 20,000 times each way.
"""

from __future__ import annotations

import asyncio
import io
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image

from benchmarks import soak
from lenet5 import Reader
from tests.conftest import Outcome


@pytest.fixture(scope="module")
def small() -> list[soak.Source]:
    """A few of the pictures of the soak, of each kind."""
    return soak.sources()[85:99:2]


@pytest.mark.slow
@pytest.mark.parametrize("way", [soak.by_threads, soak.by_processes], ids=["threads", "processes"])
def test_answers_from_four_at_once_are_those_of_one(
    way: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = soak.sources()[85:99:2]
    monkeypatch.setattr(soak, "sources", lambda: files)
    result = soak.soaked(way, 60)  # type: ignore[arg-type]
    assert result["answers_that_differ"] == 0
    assert result["megabytes_at_the_end"] > 0


def _run(work: Any) -> Any:
    """A coroutine's result, in a thread: a browser of other tests may keep a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work)).result()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_reads(small: list[soak.Source]) -> None:
    reader, pid = Reader(threads=1), (soak.os.getpid(),)
    line, digit = small[-1], small[0]
    for _ in range(20):
        soak.answer(reader, line)
    before = soak.resident(pid)
    for _ in range(60):
        soak.answer(reader, line)
    for _ in range(2000):
        soak.answer(reader, digit)
    assert soak.resident(pid) - before < 6  # megabytes: 3 kB kept of each read would be more


def test_a_pickled_reader_reads_the_same(small: list[soak.Source], reader: Reader) -> None:
    again = pickle.loads(pickle.dumps(reader))
    assert [soak.answer(again, source) for source in small] == [soak.answer(reader, source) for source in small]


def test_a_reader_reads_in_the_executor_of_asyncio(small: list[soak.Source], reader: Reader) -> None:
    async def read() -> list[str]:
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*(loop.run_in_executor(None, soak.answer, reader, source) for source in small))

    assert _run(read()) == [soak.answer(reader, source) for source in small]


FORKS = """
import multiprocessing, sys
from lenet5 import Reader
picture = sys.stdin.buffer.read()
reader = Reader(threads=2)
before = reader.read(picture).to_json()

def child(pipe):
    pipe.send(reader.read(picture).to_json())

context = multiprocessing.get_context("fork")
for _ in range(3):
    here, there = context.Pipe()
    process = context.Process(target=child, args=(there,))
    process.start()
    there.close()
    assert here.poll(60), "the child hangs"
    assert here.recv() == before
    process.join()
assert reader.read(picture).to_json() == before
print(before["text"])
"""


@pytest.mark.skipif(not hasattr(soak.os, "fork"), reason="this system has no fork")
def test_a_reader_that_was_used_before_a_fork_reads_in_the_child_and_after_it(
    shell: Callable[..., Outcome], write: Callable[..., Image.Image]
) -> None:
    picture = io.BytesIO()
    write("41").save(picture, "PNG")
    outcome = shell("-c", FORKS, stdin=picture.getvalue())
    assert outcome == Outcome(0, "41\n", "")
