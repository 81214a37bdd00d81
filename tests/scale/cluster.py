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
from pathlib import Path

SIZE = 3  # files of a part or a batch


QUICK = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
"""A node that is killed is given up after seconds, not half a minute."""


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
    import ray.data
    from ray.cluster_utils import Cluster

    from lenet5.scale import ReadPictures
    from lenet5.scale.parts import begin, missing
    from lenet5.scale.ray_data import connect, read_parts

    folder, way = Path(sys.argv[1]), sys.argv[2]
    small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={**small, "_system_config": QUICK})
    nodes = [cluster.add_node(**small) for _ in range(2)]
    ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    connect()
    killed: list[str] = []
    files = sorted(map(str, (folder / "pictures").iterdir()))

    def disturb(number: int, kind: str) -> None:
        if number == 4:
            killed.append(kill_a_worker(kind))
        if number == 8:
            cluster.remove_node(nodes[0], allow_graceful=False)
            killed.append("a node")

    if way == "parts":
        pictures, place = ReadPictures(), str(folder / "parts")
        parts = begin(place, files, SIZE, pictures, resume=False)
        for number, _ in enumerate(read_parts(place, missing(place, parts), pictures)):
            disturb(number, "ReadPart")
    else:
        rows = []
        dataset = ray.data.from_items([{"path": file} for file in files], override_num_blocks=len(files) // SIZE)
        read = dataset.map_batches(ReadPictures, batch_size=SIZE, num_cpus=1, concurrency=(1, 3))
        for number, batch in enumerate(read.iter_batches(batch_size=SIZE, prefetch_batches=0)):
            rows += [[str(path), str(text)] for path, text in zip(batch["path"], batch["text"], strict=True)]
            disturb(number, "ReadPictures")
        (folder / "rows.json").write_text(json.dumps(rows))
    (folder / "killed.txt").write_text("\n".join(killed))
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main()
