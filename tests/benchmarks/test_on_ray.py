"""Runs of the accuracy record on Ray: each once, taught ones with their teachers' weights."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Outcome

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs Ray: pip install 'lenet5[scale]'"),
]

PROGRAM = """
import json, sys
from pathlib import Path
from benchmarks.accuracy.__main__ import Run
from benchmarks.accuracy.on_ray import carried_out_on_ray

def carry_out(run, data, test, folder):
    taught_by = [(folder / before.weights).read_text() for before in run.needs]
    (folder / run.weights).write_text(f"weights of {run.weights}")
    return {"command": run.command, "taught_by": taught_by, "sees": data + test}

keep = Path(sys.argv[1])
kept, other = (Run("modern", seed, held_out=0) for seed in (0, 1))
(keep / kept.weights).write_text("kept weights")
runs = [other, Run("modern", 7, teachers=(kept, other)), Run("fast", 3, start=other)]
done = list(carried_out_on_ray(runs, carry_out, "data", "test", keep, None))
print(json.dumps([[run.weights, row["taught_by"], row["sees"]] for run, row in done]))
"""


def test_each_run_is_done_once_and_taught_by_its_teachers(tmp_path: Path, shell: Callable[..., Outcome]) -> None:
    outcome = shell("-c", PROGRAM, tmp_path, PYTHONPATH=str(Path(__file__).parents[2]))
    assert outcome.status == 0, outcome.err
    rows = {name: (taught_by, sees) for name, taught_by, sees in json.loads(outcome.out.splitlines()[-1])}
    teachers = ["kept weights", "weights of modern-0-1.safetensors"]
    # the last one starts from the weights of a run
    assert rows == {
        "modern-0-1.safetensors": ([], "datatest"),
        "taught-modern-7.safetensors": (teachers, "datatest"),
        "fast-3.safetensors": (teachers[1:], "datatest"),
    }
    assert (tmp_path / "taught-modern-7.safetensors").read_text() == "weights of taught-modern-7.safetensors"
