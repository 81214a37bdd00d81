"""Fixtures for all tests: digits drawn in place, the command run in or beside this process, the real data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Tests run side by side, one a processor: further threads of BLAS or torch would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lenet5 import Reader, cli, paper, weights
from lenet5.learning import data

settings.register_profile("lenet5", deadline=None)  # nothing is asserted on wall-clock time
settings.load_profile("lenet5")

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
    "--no-first-run", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

STROKES = {
    "0": [[(50, 15), (30, 30), (25, 50), (30, 70), (50, 85), (70, 70), (75, 50), (70, 30), (50, 15)]],
    "1": [[(52, 12), (48, 88)]],
    "2": [[(28, 30), (38, 16), (58, 15), (70, 28), (64, 45), (28, 84), (45, 80), (75, 84)]],
    "3": [[(28, 20), (50, 13), (68, 22), (66, 38), (46, 47), (68, 56), (70, 74), (50, 87), (26, 80)]],
    "4": [[(34, 14), (26, 52), (72, 50)], [(66, 18), (60, 88)]],
    "5": [[(72, 14), (36, 16), (33, 45), (55, 42), (71, 56), (68, 76), (48, 87), (26, 80)]],
    "6": [[(62, 12), (40, 35), (29, 62), (36, 82), (55, 87), (68, 73), (62, 57), (45, 54), (31, 68)]],
    "7": [[(24, 18), (74, 16), (56, 50), (44, 88)]],
    "8": [
        [(62, 22), (46, 13), (33, 24), (42, 40), (62, 58), (66, 76)],
        [(66, 76), (50, 87), (34, 76), (40, 58), (60, 38), (64, 24), (52, 13)],
    ],
    "9": [[(67, 32), (58, 16), (40, 18), (32, 34), (42, 48), (60, 44), (67, 30), (66, 60), (58, 88)]],
}
"""Each digit as a pen draws it in a square of 100×100."""


@pytest.fixture
def draw() -> Callable[..., Image.Image]:
    """Draws a digit, black on white: ``draw("7", side=200, place=(0, 0), scale=2.0, pen=14)``."""

    def drawn(
        digit: str,
        side: int = 200,
        place: tuple[int, int] = (0, 0),
        scale: float = 2.0,
        pen: int | None = None,
    ) -> Image.Image:
        image = Image.new("L", (side, side), 255)
        pencil = ImageDraw.Draw(image)
        for stroke in STROKES[digit]:
            points = [(place[0] + x * scale, place[1] + y * scale) for x, y in stroke]
            pencil.line(points, fill=0, width=pen or round(7 * scale), joint="curve")
        return image

    return drawn


@pytest.fixture
def write() -> Callable[..., Image.Image]:
    """Draws lines of digits, black on white: ``write("2708", "345")``, a blank picture without any."""

    def written(*lines: str, pitch: int = 60, pen: int = 6) -> Image.Image:
        width = 80 + pitch * max(map(len, lines), default=1)
        image = Image.new("L", (width, 60 + 90 * max(1, len(lines))), 255)
        pencil = ImageDraw.Draw(image)
        for row, line in enumerate(lines):
            for column, digit in enumerate(line):
                for stroke in STROKES[digit]:
                    points = [(30 + column * pitch + 0.6 * x, 20 + row * 90 + 0.6 * y) for x, y in stroke]
                    pencil.line(points, fill=0, width=pen, joint="curve")
        return image

    return written


@pytest.fixture(scope="session")
def reader() -> Reader:
    """A reader with the bundled weights."""
    return Reader()


@pytest.fixture(params=paper.NETWORKS.values(), ids=lambda network: network.name)
def network(request: pytest.FixtureRequest) -> paper.Network:
    """Each of the networks in turn."""
    found: paper.Network = request.param
    return found


@pytest.fixture
def parameters(network: paper.Network) -> NDArray[np.float32]:
    """Initial parameters of ``network``, every one of them drawn, biases too."""
    generator = np.random.default_rng(5)
    drawn = weights.initial(network, generator)
    return drawn + generator.uniform(-0.02, 0.02, drawn.shape).astype(np.float32)


@pytest.fixture
def mnist_form() -> NDArray[np.uint8]:
    """Twelve images (12, 28, 28) of the embedded digits in MNIST's form."""
    found = data.load("digits", "test")
    assert isinstance(found, data.ImageSet)
    return found.images[:12]


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The single line on stderr of an expected failure."""
        assert "Traceback" not in self.err, self.err
        assert self.status == 1, self
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("lenet5: "), self.err
        return lines[0]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs ``lenet5`` in this process: ``command("read", path)`` → its outcome."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["lenet5", *map(str, arguments)])
        capsys.readouterr()
        status: object = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        assert isinstance(status, int)
        return Outcome(status, *capsys.readouterr())

    return run


@pytest.fixture
def shell() -> Callable[..., Outcome]:
    """Runs Python in a process of its own: ``shell("-m", "lenet5", "read", path)`` → its outcome."""

    def run(*arguments: object, stdin: bytes = b"", **environment: str) -> Outcome:
        found = subprocess.run(
            [sys.executable, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8", **environment},
        )
        return Outcome(found.returncode, found.stdout.decode(), found.stderr.decode())

    return run


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that LENET5_DATA names, with MNIST and the sets for measuring."""
    given = os.environ.get("LENET5_DATA")
    if not given:
        pytest.skip("LENET5_DATA is not set: it names the folder with mnist/ and the sets for measuring")
    return Path(given).absolute()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser; skips where Playwright or Chromium is missing."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make install-dev")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: install one of {', '.join(BROWSERS)}")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
