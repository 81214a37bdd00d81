"""A Ray cluster of three node processes on this machine, on which a worker and a node are killed while they read.

    python -m tests.scale.cluster FOLDER parts|batches

FOLDER/pictures holds the pictures; "parts" writes FOLDER/parts, "batches" FOLDER/rows.json. FOLDER/killed.txt says what
was killed.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

SIZE = 3  # files of a part or a batch


QUICK = {"health_check_period_ms": 1000, "health_check_failure_threshold": 8}
"""A node that is killed is given up sooner than by default, and one that is slow is not."""


def kill_a_worker(kind: str) -> str:
    """Kill the first process of Ray's that runs this class, and give its name."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if command.startswith(b"ray::") and kind.encode() in command:
                os.kill(int(process.name), signal.SIGKILL)
                return command.decode(errors="replace").strip("\0")
    raise AssertionError(f"no worker runs {kind}")


def main() -> None:
    import ray
    from ray.cluster_utils import Cluster

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={**small, "_system_config": QUICK})
    try:
        nodes = [cluster.add_node(**small) for _ in range(2)]
        ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        folder = Path(sys.argv[1])
        killed: list[str] = []

        def disturb(number: int, kind: str) -> None:
            """Kill something after some parts or batches."""
            if number == 4:
                killed.append(kill_a_worker(kind))
            if number == 8:
                cluster.remove_node(nodes[0], allow_graceful=False)
                killed.append("a node")

        {"parts": read_parts_of, "batches": read_batches_of}[sys.argv[2]](folder, disturb)
        (folder / "killed.txt").write_text("\n".join(killed))
    finally:
        ray.shutdown()
        cluster.shutdown()


def read_parts_of(folder: Path, disturb: Callable[[int, str], None]) -> None:
    """As ``lenet5 read --ray`` does."""
    from lenet5.scale import ReadPictures
    from lenet5.scale.parts import begin, missing
    from lenet5.scale.ray_data import connect, read_parts

    connect()
    pictures, place = ReadPictures(), str(folder / "parts")
    files = sorted(map(str, (folder / "pictures").iterdir()))
    parts = begin(place, files, SIZE, pictures, resume=False)
    for number, _ in enumerate(read_parts(place, missing(place, parts), pictures)):
        disturb(number, "ReadPart")


def read_batches_of(folder: Path, disturb: Callable[[int, str], None]) -> None:
    """As a pipeline of one's own does."""
    import ray.data

    from lenet5.scale import ReadPictures

    files = sorted(map(str, (folder / "pictures").iterdir()))
    dataset = ray.data.from_items([{"path": file} for file in files], override_num_blocks=len(files) // SIZE)
    read = dataset.map_batches(ReadPictures, batch_size=SIZE, num_cpus=1, concurrency=(1, 3))
    rows = []
    for number, batch in enumerate(read.iter_batches(batch_size=SIZE, prefetch_batches=0)):
        rows += [[str(path), str(text)] for path, text in zip(batch["path"], batch["text"], strict=True)]
        disturb(number, "ReadPictures")
    (folder / "rows.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
