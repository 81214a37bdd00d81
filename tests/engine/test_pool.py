"""The engine's threads: they stay from call to call, and neither forks nor other threads nor the end disturb them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from conftest import case, compiled
from lenet5 import engine
from lenet5.criterion import CROSS_ENTROPY


@compiled
def test_calls_from_several_threads_at_once_do_not_disturb_each_other(variant: str) -> None:
    cases = [case("lenet5", 70 + seed, seed) for seed in range(6)]

    def results(i: int) -> list[object]:
        c = cases[i % 6]
        loss, gradient = engine.gradient(c.parameters, c.images, c.labels, CROSS_ENTROPY, 3, variant)
        return [loss, gradient, engine.forward(c.parameters, c.images, 2, variant)]

    alone = [results(i) for i in range(6)]
    with ThreadPoolExecutor(6) as pool:
        for i, found in enumerate(pool.map(results, range(60))):
            for ours, expected in zip(found, alone[i % 6], strict=True):
                np.testing.assert_array_equal(ours, expected)


@compiled
def test_idle_threads_take_no_processor_time() -> None:
    c = case("lenet5", 200)
    engine.forward(c.parameters, c.images, 4)
    start = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - start < 0.1


@compiled
@pytest.mark.parametrize("end", ["pass", "raise SystemExit", "os._exit(0)", "threading.Thread(target=calls).start()"])
def test_a_program_ends_cleanly_after_threads_were_used(end: str) -> None:
    assert _run(f"calls(); {end}") == ""


@compiled
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_and_its_parent_compute_on() -> None:
    program = """
        before = calls()
        for _ in range(5):
            child = os.fork()
            same = all(np.array_equal(a, b) for a, b in zip(calls(), before))
            if child == 0:
                os._exit(0 if same else 9)
            assert same
            assert os.waitpid(child, 0)[1] == 0
    """
    assert _run(program) == ""


@compiled
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_amid_another_threads_call_leaves_both_able_to_compute() -> None:
    program = """
        stop = threading.Event()
        def work():
            while not stop.is_set():
                calls()
        other = threading.Thread(target=work)
        other.start()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                calls()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        other.join()
    """
    assert _run(program) == ""


def _run(program: str) -> str:
    """What a program of its own prints after the functions it may use; it must end by itself with status 0."""
    start = """
        import os, threading, warnings
        import numpy as np
        from lenet5 import engine, paper, weights
        from lenet5.criterion import CROSS_ENTROPY
        # Python warns of forks beside running threads, its own test thread's among them
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        generator = np.random.default_rng(0)
        parameters = weights.initial(paper.LENET5, generator)
        images = generator.normal(size=(100, 32, 32)).astype(np.float32)
        labels = generator.integers(0, 10, 100).astype(np.uint8)
        def calls():
            found = engine.forward(parameters, images, 3)
            return found, engine.gradient(parameters, images, labels, CROSS_ENTROPY, 4)[1]
    """
    source = textwrap.dedent(start) + textwrap.dedent(program)
    run = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr
