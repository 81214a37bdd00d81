"""The documentation's site needs no network and leads everywhere it links, and its notebook runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from docs._build.docstrings import as_markdown

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "one-digit.ipynb"


class Page(HTMLParser):
    """What a page loads, what it links, and the anchors it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a":
            self.links.append(values.get("href", ""))
        elif tag == "link" and values.get("rel") in ("canonical", "prev", "next"):
            pass
        else:
            self.loads += [values[name] for name in ("src", "href", "data", "srcset") if name in values]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as ``make site`` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return folder


def pages(site: Path) -> Iterator[tuple[Path, Page]]:
    for path in sorted(site.rglob("*.html")):
        yield path, Page(path)


@pytest.mark.slow
def test_no_page_of_the_site_loads_anything_from_the_network(site: Path) -> None:
    for path, page in pages(site):
        for target in page.loads:
            assert not re.match(r"(https?:)?//", target), f"{path.name} loads {target}"
    for path in site.rglob("*.css"):
        assert not re.search(r"""(url\(|@import)\s*["']?(https?:)?//""", path.read_text(encoding="utf-8")), path.name


@pytest.mark.slow
@pytest.mark.browser
def test_the_search_answers_on_a_page_that_is_opened_from_the_disk(site: Path, chromium: Any) -> None:
    page, asked = chromium.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site / "reading.html").as_uri(), wait_until="domcontentloaded")
    field = page.locator("input.md-search__input")
    field.click()
    field.press_sequentially("viterbi")
    page.locator(".md-search-result__item").first.wait_for()
    page.close()
    assert {url.split(":")[0] for url in asked} <= {"file", "data", "blob"}


@pytest.mark.slow
def test_each_link_of_the_site_leads_to_a_page_and_its_anchor(site: Path) -> None:
    anchors = {path.resolve(): page.anchors for path, page in pages(site)}
    assert len(anchors) > 40
    for path, page in pages(site):
        if path.name == "404.html":
            continue
        for link in page.links:
            target, _, anchor = unquote(link).partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            place = (path.parent / target).resolve() if target else path.resolve()
            assert place.exists(), f"{path.name}: {link}"
            if anchor and place in anchors:
                assert anchor in anchors[place], f"{path.name}: {link}"


@pytest.mark.slow
def test_the_site_has_every_page_of_docs_and_the_pictures_of_the_notebook(site: Path) -> None:
    built = {path.stem for path in site.glob("*.html")}
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= built
    assert len(list(site.rglob("one-digit_*.png"))) >= 8
    reference = (site / "reference" / "lenet5.network.html").read_text(encoding="utf-8")
    assert "lenet5.network.LeNet5.pretrained" in reference
    assert ":class:" not in reference.split("<details")[0]


def test_roles_become_links_and_examples_become_code() -> None:
    text = as_markdown("As :func:`lenet5.weights.load`.\n\n>>> 1 + 1\n2\n\nThe end.")
    assert "<autoref optional identifier='lenet5.weights.load'>" in text
    assert "```pycon\n>>> 1 + 1\n2\n```\n\nThe end." in text


@pytest.mark.slow
def test_the_notebook_runs_and_shows_every_layer(tmp_path: Path) -> None:
    pytest.importorskip("nbconvert")
    command = ["nbconvert", "--to", "notebook", "--execute", str(NOTEBOOK), "--output-dir", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cells = json.loads((tmp_path / NOTEBOOK.name).read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    printed = "".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")
    assert "read as 4" in printed
    assert "the nearest code is that of 4" in printed
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 10


def test_the_notebook_is_committed_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
