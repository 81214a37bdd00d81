"""``lenet5 serve`` as a process: its stop, its log, and what keeps it from starting."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.conftest import Outcome
from tests.web.conftest import line_of

Draw = Callable[..., Image.Image]
Encode = Callable[..., bytes]


class Process:
    """``lenet5 serve`` on a free port."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-W", "error", "-m", "lenet5", "serve", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.first = self.process.stderr.readline()
        found = re.fullmatch(r"lenet5: (http://127\.0\.0\.1:\d+), \d+ workers?; Ctrl-C stops it\n", self.first)
        assert found, self.first
        self.client = httpx.Client(base_url=found[1], timeout=60)

    def ready(self) -> None:
        while self.client.get("/health/ready").status_code != 200:
            time.sleep(0.05)

    def ended(self) -> tuple[int, str]:
        """The exit status and the rest of stderr."""
        out, err = self.process.communicate(timeout=60)
        assert out == ""
        assert "Traceback" not in err
        return self.process.returncode, err


@pytest.fixture
def serve() -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(*arguments: str) -> Process:
        started.append(Process(*arguments))
        return started[-1]

    yield start
    for process in started:
        process.client.close()
        process.process.kill()
        process.process.communicate()


def slow_picture(encoded: Encode, draw: Draw) -> bytes:
    """A picture that takes a second or so: fifty digits."""
    sheet = Image.new("L", (1600, 1600), 255)
    for k in range(50):
        sheet.paste(draw(str(k % 10), side=100, scale=0.9), (160 * (k % 10), 160 * (k // 10)))
    return encoded(sheet)


def test_sigterm_finishes_what_runs_refuses_new_work_and_exits_with_0(
    serve: Callable[..., Process], encoded: Encode, draw: Draw
) -> None:
    process = serve("--workers", "1")
    process.ready()
    picture = slow_picture(encoded, draw)
    with ThreadPoolExecutor(3) as clients:
        running = [clients.submit(process.client.post, "/v1/read", content=picture) for _ in range(3)]
        while "lenet5_queue_length 2.0" not in process.client.get("/metrics").text:
            time.sleep(0.01)
        process.process.send_signal(signal.SIGTERM)
        while process.client.get("/health/ready").status_code == 200:
            time.sleep(0.01)
        refused = process.client.post("/v1/read", content=picture)
        assert line_of(refused, 503) == "the service is stopping"
        assert int(refused.headers["retry-after"]) > 0
        assert process.client.get("/health/live").status_code == 200
        assert [len(future.result().json()["results"]) for future in running] == [1, 1, 1]
    status, log = process.ended()
    assert status == 0
    assert log.count("POST /v1/read 200 ") == 3
    assert log.count("POST /v1/read 503 ") == 1


def test_ctrl_c_stops_it_too_and_a_second_one_at_once(
    serve: Callable[..., Process], encoded: Encode, draw: Draw
) -> None:
    process = serve("--workers", "1", "--no-access-log")
    process.ready()
    with ThreadPoolExecutor(1) as clients:
        running = clients.submit(process.client.post, "/v1/read", content=slow_picture(encoded, draw))
        while "lenet5_workers_busy 1.0" not in process.client.get("/metrics").text:
            time.sleep(0.01)
        process.process.send_signal(signal.SIGINT)
        while process.client.get("/health/ready").status_code == 200:
            time.sleep(0.01)
        process.process.send_signal(signal.SIGINT)
        status, log = process.ended()
        assert running.exception() is not None or running.result().status_code in (200, 500)
    assert (status, log.splitlines()[-1]) == (130, "lenet5: stopped")
    assert "POST" not in log


def test_workers_end_with_a_service_that_is_killed(serve: Callable[..., Process]) -> None:
    process = serve("--workers", "2")
    process.ready()
    folder = Path(f"/proc/{process.process.pid}/task/{process.process.pid}")
    if not folder.exists():
        pytest.skip("there is no /proc")
    workers = [pid for task in folder.parent.iterdir() for pid in (task / "children").read_text().split()]
    assert len(workers) >= 2
    process.process.kill()
    end = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() and "Z" not in state(pid) for pid in workers):
        assert time.monotonic() < end
        time.sleep(0.02)


def state(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


def test_the_log_tells_of_each_request_and_nothing_of_what_was_sent(
    serve: Callable[..., Process], encoded: Encode, write: Draw
) -> None:
    process = serve("--workers", "1")
    process.client.post("/v1/read?choices=4711", files={"secret-field": ("secret-name.png", encoded(write("27")))})
    process.client.get("/a%0Ab/%1b[31m")
    process.process.send_signal(signal.SIGTERM)
    status, log = process.ended()
    assert status == 0
    assert "secret" not in log
    assert "4711" not in log
    lines = log.splitlines()
    pattern = r"\d{4}-\d\d-\d\d \S+ (GET|POST) (\S+) (\d{3}) \d+\.\d+ s, (\d+) bytes in, (\d+) bytes out"
    matches = [re.fullmatch(pattern, line) for line in lines[:2]]
    assert [found.group(1, 2, 3) for found in matches if found] == [
        ("POST", "/v1/read", "200"),
        ("GET", "/a%0Ab/%1b[31m", "404"),
    ]
    assert [int(found[4]) > 100 for found in matches if found] == [True, False]
    assert lines[2].endswith("stopping: what runs is finished")


def test_a_port_that_is_taken_is_one_line(command: Callable[..., Outcome]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1, port {port}: " in command("serve", "--port", port).complaint
    assert "cannot listen on no.such.host.invalid" in command("serve", "--host", "no.such.host.invalid").complaint


def test_weights_that_are_not_there_are_one_line(command: Callable[..., Outcome], tmp_path: Path) -> None:
    assert "no.safetensors" in command("serve", "--weights", tmp_path / "no.safetensors").complaint


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "99999"),
        ("--workers", "0"),
        ("--queue", "-1"),
        ("--timeout", "0"),
        ("--max-body", "201"),
        ("--cors", "school.example"),
        ("--cors", "https://school.example/"),
        ("--cors", "*"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...], command: Callable[..., Outcome]) -> None:
    outcome = command("serve", *arguments)
    assert outcome.status == 2
    assert arguments[0] in outcome.err


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "python_multipart", "prometheus_client"])
def test_without_the_extra_it_says_how_to_install_it(package: str, shell: Callable[..., Outcome]) -> None:
    hide = f"import sys; sys.modules[{package!r}] = None; sys.argv = ['lenet5', 'serve']"
    complaint = shell("-c", f"{hide}; from lenet5.cli import main; main()").complaint
    assert complaint == "lenet5: the service needs more packages: pip install 'lenet5[serve]'"
