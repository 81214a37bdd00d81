"""Ray: no row is lost and none double, whatever is killed."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Outcome

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'lenet5[scale]'"
    ),
    pytest.mark.xdist_group("ray"),
]
parquet = pytest.importorskip("pyarrow.parquet")
ROOT = Path(__file__).parents[2]
DIGITS = [str(k % 10) for k in range(60)]


@pytest.fixture
def folder(write: Callable[..., Image.Image], tmp_path: Path) -> Path:
    """A folder with pictures of 60 digits."""
    (tmp_path / "pictures").mkdir()
    for k, digit in enumerate(DIGITS):
        write(digit).save(tmp_path / "pictures" / f"{k:02d}.png")
    return tmp_path


def paths(folder: Path) -> list[str]:
    return sorted(map(str, (folder / "pictures").iterdir()))


@pytest.mark.parametrize("way", ["parts", "batches"])
def test_a_killed_worker_and_a_killed_node_cost_no_row_and_double_none(way: str, folder: Path) -> None:
    command = [sys.executable, "-m", "tests.scale.cluster", str(folder), way]
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    with open(folder / "log.txt", "w") as log:
        cluster = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        status = cluster.wait(timeout=900)
    finally:
        cluster.terminate()
        cluster.wait()
    assert status == 0, (folder / "log.txt").read_text()[-3000:]
    worker, node = (folder / "killed.txt").read_text().splitlines()
    assert "ReadPart" in worker or "ReadPictures" in worker
    assert node == "a node"
    if way == "parts":
        table = parquet.read_table(folder / "parts").to_pylist()
        rows = [(row["file"], row["text"]) for row in table]
        assert rows == list(zip(paths(folder), DIGITS, strict=True))
    else:
        rows = [tuple(row) for row in json.loads((folder / "rows.json").read_text())]
        assert sorted(rows) == list(zip(paths(folder), DIGITS, strict=True))


def test_the_command_reads_a_list_and_a_killed_run_is_gone_on_with(folder: Path, shell: Callable[..., Outcome]) -> None:
    bad = folder / "pictures" / "59.png"
    bad.write_bytes(b"")
    (folder / "list.txt").write_text("\n".join(paths(folder)))
    arguments = ["-m", "lenet5", "read", "--ray", "--list", str(folder / "list.txt"), "--output", str(folder / "out")]
    first = subprocess.Popen(
        [sys.executable, *arguments, "--jobs", "1"], stderr=subprocess.DEVNULL, start_new_session=True
    )
    for _ in range(3000):
        if list((folder / "out").glob("part-*")):
            break
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    outcome = shell(*arguments, "--resume")
    assert outcome.status in (0, 1), outcome
    assert "pages written" in outcome.err
    assert "Traceback" not in outcome.err
    rows = [(row["file"], row["text"]) for row in parquet.read_table(folder / "out").to_pylist()]
    assert rows == list(zip(paths(folder), [*DIGITS[:-1], None], strict=True))
    assert "--resume goes on" in shell(*arguments).complaint
    again = shell(*arguments, "--resume")
    assert (again.status, "0 pages written" in again.err) == (0, True)
