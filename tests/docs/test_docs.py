"""What the docs say runs, and what they generate is up to date."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from docs._build import __main__ as build
from docs._build import readme
from PIL import Image

import lenet5

ROOT = Path(__file__).parents[2]
PICTURE = Path(lenet5.__file__).parent / "bundled" / "pictures" / "7-small-on-a-large-page.jpg"
README, CHINESE = "README.md", "README.zh-CN.md"
PAGES = [
    README,
    CHINESE,
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md"))),
]


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def python_blocks() -> Iterator[object]:
    """Each example in Python of the READMEs and of docs/using.md."""
    for page in (README, CHINESE, "docs/using.md"):
        for number, block in enumerate(re.findall(r"```python\n(.*?)```", text_of(page), flags=re.DOTALL), 1):
            yield pytest.param(block, id=f"{page}-{number}")


def commands() -> Iterator[object]:
    """Each command of the README and of docs/using.md that reads or describes, with the output shown below it."""
    for page in (README, "docs/using.md"):
        blocks = re.findall(r"```console\n(.*?)```", text_of(page), flags=re.DOTALL)
        for command, output in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", "".join(blocks), flags=re.MULTILINE):
            if re.match(r"\.venv/bin/lenet5 (read|describe)\b", command):
                yield pytest.param(command.split(maxsplit=1)[1], output, id=f"{page}: {command}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the reader's own photo.jpg, which shows a 7, and the repository's src."""
    shutil.copy(PICTURE, tmp_path / "photo.jpg")
    (tmp_path / "src").symlink_to(ROOT / "src")
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("block", list(python_blocks()))
def test_each_python_example_runs_and_prints_what_its_comments_say(block: str, folder: Path) -> None:
    pytest.importorskip("torch")
    printed = run(folder, "-W", "error", "-c", block)
    for promised in re.findall(r"^print\(.*#\s+(\S*\d.*)$", block, flags=re.MULTILINE):
        assert promised in printed


@pytest.mark.parametrize(("command", "output"), list(commands()))
def test_each_reading_command_prints_what_is_shown_below_it(command: str, output: str, folder: Path) -> None:
    printed = run(folder, "-m", "lenet5", *shlex.split(command))
    assert printed
    if output and "--json" in command:  # the last digits of a probability differ between processors
        assert json.loads(printed)["text"] == json.loads(output)["text"]
    elif output:
        assert printed == output


def test_the_readme_shows_how_to_install_read_and_test() -> None:
    shown = re.findall(r"^\$ (.*)$", text_of(README), flags=re.MULTILINE)
    assert shown[0] == "make install"
    assert shown[1].startswith(".venv/bin/lenet5 read ")
    assert shown[2].startswith(".venv/bin/lenet5 form read ")
    assert shown[3].startswith(".venv/bin/lenet5 export --format html ")
    assert shown[4:] == ["make test"]


@pytest.mark.parametrize("page", PAGES)
def test_each_link_within_the_project_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), f"{page}: {target}"
        if anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings], target


def test_the_readmes_link_to_each_other_in_their_first_lines() -> None:
    assert f"]({CHINESE})" in "".join(text_of(README).splitlines()[:3])
    assert f"]({README})" in "".join(text_of(CHINESE).splitlines()[:3])


def test_the_readmes_have_the_same_code_and_the_same_figures() -> None:
    assert readme.differences(text_of(README), text_of(CHINESE)) == []
    assert len(readme.code_of(text_of(README))) >= 4
    assert sum(readme.numbers_of(text_of(README)).values()) >= 40


@pytest.mark.parametrize(
    ("pattern", "replacement", "difference"),
    [
        ("make install", "pip install", "code block 1"),
        (r"Reader\(\)", 'Reader("mine")', "code block 2"),
        (r"```console\n\$ make test\n```\n", "", "5 code blocks instead of 6"),
        ("60,000", "61,706", "the number 60,000 is missing; the number 61,706 is added"),
        (r"\d\.\d\d%", "0.01%", "is missing"),
        ("CC BY 4.0", "CC BY", "the number 4.0 is missing"),
    ],
)
def test_another_command_or_figure_in_the_translation_is_a_difference(
    pattern: str, replacement: str, difference: str
) -> None:
    changed, n = re.subn(pattern, replacement, text_of(CHINESE), count=1)
    assert n == 1
    assert difference in "; ".join(readme.differences(text_of(README), changed))


def test_the_check_of_the_docs_fails_where_the_translation_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / CHINESE).write_text(text_of(CHINESE).replace("340,908", "340,918"), encoding="utf-8")
    monkeypatch.setattr(readme, "READMES", (ROOT / README, tmp_path / CHINESE))
    monkeypatch.setattr(build, "renewed", lambda text: text)
    monkeypatch.setattr(sys, "argv", ["docs._build", "--check"])
    with pytest.raises(SystemExit, match=r"README\.zh-CN\.md differs from README\.md: the number 340,908 is missing"):
        build.main()


def test_a_translated_comment_is_no_difference() -> None:
    english, chinese = (f"```python\nreader = Reader()  # {words}\n```\n" for words in ("the weights", "权重"))
    assert readme.differences(english, chinese) == []


@pytest.mark.slow
@pytest.mark.parametrize(("script", "least"), [("train_concise.py", 88.0), ("train_lenet5.py", 85.0)])
def test_a_plain_pytorch_loop_learns_the_embedded_digits(script: str, least: float, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    printed = run(tmp_path, str(ROOT / "examples" / script))
    accuracy = float(printed.rstrip().rsplit(" ", 1)[-1].rstrip("%"))
    assert accuracy >= least


def test_the_bundled_pictures_are_those_that_the_script_draws(tmp_path: Path) -> None:
    run(tmp_path, str(ROOT / "examples" / "draw_pictures.py"), str(tmp_path))
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == sorted(path.name for path in PICTURE.parent.iterdir())
    assert (tmp_path / "labels.csv").read_text() == (PICTURE.parent / "labels.csv").read_text()
    drawn.remove("labels.csv")
    for name in drawn:  # JPEG encoders differ by a level here and there
        ours, bundled = (np.asarray(Image.open(folder / name), float) for folder in (tmp_path, PICTURE.parent))
        assert np.abs(ours - bundled).mean() < 1, name


def test_the_generated_parts_of_the_docs_are_up_to_date() -> None:
    run(ROOT, "-m", "docs._build", "--check")
