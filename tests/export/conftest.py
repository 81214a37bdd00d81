"""A real Chromium with the page opened from a file, as from a USB stick; every request that leaves it is noted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lenet5 import weights
from lenet5.export.html import page

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
    "--no-first-run", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Opened:
    """A page of the browser, what it asked for over the network, and what went wrong in it."""

    page: Any
    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def js(self, expression: str, argument: object = None) -> Any:
        return self.page.evaluate(expression, argument)

    def settle(self) -> None:
        """Waits until what was asked for is drawn."""
        self.js("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def text(self, selector: str) -> str:
        self.settle()
        return str(self.page.text_content(selector))


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


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the bundled weights."""
    file = tmp_path_factory.mktemp("page") / "lenet5.html"
    file.write_text(page(weights.load("lenet5")), "utf-8")
    return file


@pytest.fixture
def open_page(chromium: Any, page_file: Path) -> Iterator[Callable[..., Opened]]:
    """Opens the page: ``open_page("#lang=zh", viewport={…})``; at the end nothing may have gone wrong in it."""
    contexts, every = [], []

    def opened(hash_: str = "#lang=en", url: str | None = None, **how: Any) -> Opened:
        context = chromium.new_context(**({"viewport": {"width": 1366, "height": 900}} | how))
        found = Opened(context.new_page())
        contexts.append(context)
        every.append(found)
        found.page.set_default_timeout(60_000)  # of a machine that is busy with other things
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.on("pageerror", lambda error: found.failures.append(str(error)))
        found.page.on("console", lambda m: m.type == "error" and found.failures.append(m.text))
        found.page.goto((url or page_file.as_uri()) + hash_)
        found.page.wait_for_selector("html[data-ready]")
        found.settle()
        return found

    yield opened
    failures = [failure for found in every for failure in found.failures]
    for context in contexts:
        context.close()
    assert not failures
