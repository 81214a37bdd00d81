"""MkDocs' hooks: pages of the site that are no files in docs/, and links that lead out of docs/.

The READMEs, the changelog and CONTRIBUTING.md become pages, and so do the notebook, the reference of each module in
the navigation, and every source file that a page links, with its line numbers.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
NOTEBOOK = DOCS / "one-digit.ipynb"
PAGES = {
    "README.md": "index.md",
    "README.zh-CN.md": "zh.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Files outside docs/ that are pages of the site: path in the repository → path in the site."""

ASSETS = ("iframe-worker.js", "site.css")
"""Files of this folder that every page of the site loads."""

LANGUAGES = {".py": "python", ".json": "json", ".toml": "toml", ".txt": "text", "": "text"}
LINK = re.compile(r"\[(?P<text>[^\[\]]*)\]\((?P<path>[^)\s:#]+)(?:#(?P<anchor>[^)\s]+))?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files in docs/."""
    texts = {f"docs/{page.src_uri}": page.content_string for page in files.documentation_pages()}
    texts |= {path: (ROOT / path).read_text(encoding="utf-8") for path in PAGES}
    for path, page in PAGES.items():
        files.append(File.generated(config, page, content=texts[path]))
    for module in _modules(config["nav"]):
        files.append(File.generated(config, f"reference/{module}.md", content=f"# `{module}`\n\n::: {module}\n"))
    for source in sorted({target for path, text in texts.items() for target in _sources(path, text)}):
        files.append(File.generated(config, f"source/{source}.md", content=_source_page(source)))
    for name in ASSETS:
        content = (Path(__file__).parent / name).read_text(encoding="utf-8")
        files.append(File.generated(config, f"assets/{name}", content=content))
    text, pictures = _notebook()
    files.append(File.generated(config, "one-digit.md", content=text))
    for name, content in pictures.items():
        files.append(File.generated(config, name, content=content))
    notebook = files.get_file_from_path(NOTEBOOK.name)
    if notebook:
        files.remove(notebook)
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead every link to a file of the repository to its page in the site."""
    here = page.file.src_uri
    path = {site: path for path, site in PAGES.items()}.get(here, f"docs/{here}")

    def lead(link: re.Match[str]) -> str:
        target, anchor = _target(path, link["path"]), link["anchor"]
        if target in PAGES:
            place = PAGES[target]
        elif target == NOTEBOOK.relative_to(ROOT).as_posix():
            place = "one-digit.md"
        elif target.startswith("docs/"):
            place = target.removeprefix("docs/")
        elif (ROOT / target).is_file():
            place, anchor = f"source/{target}.md", re.sub(r"L(\d+)", r"__codelineno-0-\1", anchor or "")
        else:
            return link["text"]  # a folder has no page
        return f"[{link['text']}]({os.path.relpath(place, Path(here).parent)}{f'#{anchor}' if anchor else ''})"

    return markdown if here.startswith(("reference/", "source/")) else LINK.sub(lead, markdown)


def _modules(nav: Any) -> list[str]:
    """The modules whose reference is in the navigation."""
    if isinstance(nav, str):
        return [Path(nav).stem] if nav.startswith("reference/") else []
    entries = nav.values() if isinstance(nav, dict) else nav
    return [module for entry in entries for module in _modules(entry)]


def _target(page: str, link: str) -> str:
    """What a link of a page leads to, as a path in the repository."""
    return os.path.normpath(os.path.join(os.path.dirname(page), link))  # noqa: PTH118, PTH120: paths of a page


def _sources(page: str, text: str) -> list[str]:
    """The files that a page links and that are no pages."""
    targets = [_target(page, link["path"]) for link in LINK.finditer(text)]
    return [t for t in targets if t not in PAGES and not t.startswith("docs/") and (ROOT / t).is_file()]


def _source_page(path: str) -> str:
    text = (ROOT / path).read_text(encoding="utf-8").rstrip()
    language = LANGUAGES.get(Path(path).suffix, "text")
    return f'---\nsearch: {{exclude: true}}\n---\n\n# `{path}`\n\n````{language} linenums="1"\n{text}\n````\n'


def _notebook() -> tuple[str, dict[str, bytes]]:
    """The notebook, run now, as Markdown, and its pictures by name."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["nbconvert", "--to", "markdown", "--execute", str(NOTEBOOK), "--output-dir", folder]
        done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise PluginError(f"{NOTEBOOK.name} does not run: {done.stderr}")
        pictures = {path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*.png")}
        return (Path(folder) / f"{NOTEBOOK.stem}.md").read_text(encoding="utf-8"), pictures
