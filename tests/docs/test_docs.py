"""What the docs say runs, and what they generate is up to date."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lenet5

ROOT = Path(__file__).parents[2]
PICTURE = Path(lenet5.__file__).parent / "bundled" / "pictures" / "7-small-on-a-large-page.jpg"
README = (ROOT / "README.md").read_text()
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = re.findall(r"^\$ \.venv/bin/lenet5 (read .*|describe.*)$", README, flags=re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the reader's own photo.jpg, which shows a 7."""
    shutil.copy(PICTURE, tmp_path / "photo.jpg")
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_each_python_example_of_the_readme_runs_and_prints_what_its_comments_say(block: str, folder: Path) -> None:
    printed = run(folder, "-W", "error", "-c", block)
    for promised in re.findall(r"^print\(.*#\s+(.*)$", block, flags=re.MULTILINE):
        assert promised.strip('"') in printed


@pytest.mark.parametrize("command", COMMANDS)
def test_each_reading_command_of_the_readme_runs(command: str, folder: Path) -> None:
    assert run(folder, "-m", "lenet5", *command.split())


def test_the_readme_shows_what_reading_its_photo_prints(folder: Path) -> None:
    assert run(folder, "-m", "lenet5", "read", "photo.jpg") == "7\n"
    assert json.loads(run(folder, "-m", "lenet5", "read", "--json", "photo.jpg"))["text"] == "7"


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
    run(ROOT, "docs/generate.py", "--check")
