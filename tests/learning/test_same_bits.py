"""The same seed gives the same bits, whatever the number of threads, of BLAS's threads and of processors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.kills import PROGRAM, RUNS
from threadpoolctl import threadpool_info, threadpool_limits

from lenet5 import engine, paper, weights
from lenet5.learning.optimizer import Muon

pytestmark = pytest.mark.skipif(not engine.AVAILABLE, reason="training here needs the compiled engine")


def trained(output: Path, recipe: str, threads: int | None, blas: int | None, processors: int | None) -> bytes:
    """The file of a training in a process of its own; None leaves a setting to the program."""
    environment = {key: value for key, value in os.environ.items() if "_NUM_THREADS" not in key}
    if blas:
        environment |= {"OPENBLAS_NUM_THREADS": str(blas), "OMP_NUM_THREADS": str(blas), "MKL_NUM_THREADS": str(blas)}
    program = PROGRAM
    if processors:
        program = f"import os; os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:{processors}])\n" + program
    command = [sys.executable, "-c", program, "train", "--data", "digits", "--seed", "3", *RUNS[recipe]]
    command += ["--passes", "2", "--output", str(output)]
    command += ["--threads", str(threads)] if threads else []
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return output.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe", ["modern", *(pytest.param(name, marks=pytest.mark.slow) for name in ("paper", "reading"))]
)
def test_the_same_seed_gives_the_same_file_with_any_threads_and_processors(recipe: str, tmp_path: Path) -> None:
    expected = trained(tmp_path / "0.safetensors", recipe, threads=1, blas=1, processors=None)
    settings: list[tuple[int | None, int | None, int | None]] = [(2, 2, None), (3, 4, None), (None, None, None)]
    if hasattr(os, "sched_setaffinity"):
        settings.append((None, None, 1))
    for number, (threads, blas, processors) in enumerate(settings, 1):
        output = tmp_path / f"{number}.safetensors"
        assert trained(output, recipe, threads, blas, processors) == expected, (threads, blas, processors)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_muon_uses_one_thread_of_blas_and_leaves_the_hosts_as_they_were(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    orthogonalised = sys.modules[Muon.__module__].orthogonalised

    def watched(matrix: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        seen.extend(each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas")
        result: np.ndarray = orthogonalised(matrix)  # type: ignore[type-arg]
        return result

    monkeypatch.setattr(f"{Muon.__module__}.orthogonalised", watched)
    parameters = weights.initial(paper.LENET5, np.random.default_rng(0))
    with threadpool_limits(threads, "blas"):
        before = threadpool_info()
        Muon(paper.LENET5).step(parameters, np.ones(60_000, np.float32), 0.01)
        assert threadpool_info() == before
    assert seen
    assert set(seen) == {1}
