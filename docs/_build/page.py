"""Draws docs/page.png: the page in Chromium, with a digit drawn and a unit of C3 pointed at.

    python -m docs._build.page
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import sync_playwright

from lenet5 import weights
from lenet5.export.html import page

PICTURE = Path(__file__).resolve().parents[1] / "page.png"
STATE = "#lang=en&theme=light"
UNIT = {"x": 10, "y": 14}  # of the maps of C3, in pixels


def main() -> None:
    program = shutil.which("chromium")
    if program is None:
        sys.exit("docs/page.png is drawn in Chromium: install it")
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "lenet5.html"
        file.write_text(page(weights.load("lenet5")), "utf-8")
        browser = playwright.chromium.launch(executable_path=program, args=["--headless", "--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1366, "height": 860})
        tab.goto(file.as_uri() + STATE)
        tab.click('[data-example="5"]')
        tab.hover("#strip-lenet5 [data-layer=c3] canvas", position=UNIT)
        tab.wait_for_timeout(500)
        tab.screenshot(path=PICTURE)
        browser.close()
    with Image.open(PICTURE) as picture:
        picture.convert("RGB").quantize(128).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
