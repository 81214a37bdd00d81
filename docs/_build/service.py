"""The generated parts of docs/service.md: the limits, and what results/service.json measured."""

from __future__ import annotations

import json
from pathlib import Path

from lenet5 import weights
from lenet5.reading.limits import MOST_PIXELS
from lenet5.web.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def limits() -> str:
    """The limits of a service with default options."""
    settings = Settings(weights.load("lenet5"), workers=1)
    rows = (
        ("body", f"{settings.most_bytes / 1e6:g} MB", "`--max-body`", "413"),
        ("body of `/v1/classify`", f"{settings.most_json_bytes / 1e6:g} MB", "", "413"),
        ("files in a request", f"{settings.most_files:,}", "`--max-files`", "413"),
        ("pages of a file, unless `page` names one", f"{settings.most_pages:,}", "`--max-pages`", "413"),
        ("pixels of a picture", f"{MOST_PIXELS // 1_000_000} megapixels", "", "413"),
        ("all bodies that are held", f"{settings.most_held_bytes / 1e6:g} MB", "", "503"),
        ("open connections, fewer where few files may be open", f"{settings.most_connections:,}", "", "503"),
        ("requests that wait for a worker", f"{settings.queue}", "`--queue`", "503"),
        ("reading of a file", f"{settings.seconds:g} s", "`--timeout`", "504"),
        ("head of a request", f"{settings.grace:g} s", "", "closed"),
        ("body", f"{settings.grace:g} s and 1 s for each {settings.slowest / 1e3:g} kB", "", "408"),
    )
    head = ["| what | at most | option | beyond it |", "| --- | ---: | --- | --- |"]
    return "\n".join(head + [f"| {' | '.join(row)} |" for row in rows])


def measured() -> str:
    """The table of results/service.json."""
    results = json.loads((ROOT / "results" / "service.json").read_text())
    here, load = results["machine"], results["load"]
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    seconds = load["seconds"]
    rows = (
        ("pictures read", f"{load['pictures']:,} in {seconds:g} s"),
        ("requests refused with 503 and Retry-After", f"{load['refused_with_503']:,}"),
        ("other errors", f"{load['errors']:,}"),
        ("time to an answer, median / 99%", f"{load['p50_seconds']:.2f} s / {load['p99_seconds']:.2f} s"),
        (
            "processor time a picture, all processes / read without a service",
            f"{load['processor_ms_a_picture']:.1f} ms / {load['processor_ms_in_process']:.1f} ms: "
            f"{load['processor_ratio']:.2f} times",
        ),
        ("of it in the process that takes requests", f"{load['processor_ms_of_the_server']:.1f} ms"),
        (
            f"memory of all processes after the first {seconds:g} s / after {2 * seconds:g} s",
            f"{load['megabytes_after_a_minute']} MB / {load['megabytes_at_the_end']} MB",
        ),
    )
    lines = [
        f"{load['clients']} clients that ask without a pause, and wait as `Retry-After` says; {load['workers']} "
        f"workers; lines of four digits, 160×48; {seconds:g} s to warm up, then {seconds:g} s measured "
        f"(`python -m benchmarks.speed.service`). {here['processor']}, {here['cores']} cores, shared with the clients "
        f"and other programs, which took {max(load['cores_used_by_other_programs'], 0.0):.1f} of them. {versions}.",
        "",
        "| what | measured |",
        "| --- | --- |",
        *(f"| {what} | {value} |" for what, value in rows),
    ]
    return "\n".join(lines)


BLOCKS = {"service": measured, "limits": limits}
