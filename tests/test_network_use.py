"""Nothing but the named downloads opens a connection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import lenet5
from tests.conftest import Outcome

PICTURES = Path(lenet5.__file__).parent / "bundled" / "pictures"

WATCHED = """
import socket, sys

def hook(event, arguments):
    looks_up = event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "urllib.Request")
    opens = event == "socket.__new__" and arguments[1] in (socket.AF_INET, socket.AF_INET6)
    if looks_up or opens:
        raise SystemExit(f"network: {event} {arguments}")

sys.addaudithook(hook)
from lenet5.cli import main
sys.argv = ["lenet5", *sys.argv[1:]]
main()
"""


def watched(shell: Callable[..., Outcome], *arguments: object) -> Outcome:
    return shell("-c", WATCHED, *arguments, LENET5_DATA="")


@pytest.mark.parametrize(
    "arguments",
    [
        ["read", PICTURES / "7-small-on-a-large-page.jpg", "--pattern", r"\d"],
        ["read", "--jobs", "2", *[PICTURES / "0-fountain-pen.png"] * 3],
        ["describe"],
        ["evaluate", "--data", "digits"],
        ["export", "--format", "html", "--output", "page.html"],
        ["train", "--data", "digits", "--passes", "1", "--output", "w.safetensors"],
    ],
    ids=lambda arguments: " ".join(map(str, arguments[:3])),
)
def test_no_command_opens_a_connection(
    arguments: list[object], shell: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = watched(shell, *arguments)
    assert outcome.status == 0, outcome.err


def test_the_watch_sees_the_download_of_mnist(
    shell: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # nothing was fetched yet
    outcome = watched(shell, "evaluate", "--data", "mnist")
    assert outcome.status == 1
    assert "network: " in outcome.err
