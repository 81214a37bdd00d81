"""Where drawings go: into the folder that was named, whatever a picture is called."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lenet5.cli.drawings import safe_stem
from tests.conftest import Outcome

Command = Callable[..., Outcome]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("scans/three.png", "three"),
        ("form 7.tar.gz", "form 7.tar"),
        ("Ziffer 七.png", "Ziffer 七"),
        ("...png", "picture"),
        ("....png", "picture"),
        ("..", "picture"),
        (".", "picture"),
        ("", "picture"),
        ("/", "picture"),
        (".hidden", "hidden"),
        (" .png", "picture"),
        ("a\\b.png", "a_b"),
        ("C:..png", "C_"),
        ("two\nlines.png", "two_lines"),
        (os.fsdecode(b"\xff.png"), "_"),
        ("x" * 300 + ".png", "x" * 100),
        ("七" * 90 + ".png", "七" * 33),
    ],
)
def test_a_stem_is_one_safe_name(name: str, stem: str) -> None:
    assert safe_stem(name) == stem


@given(st.text())
def test_any_name_has_a_stem_that_stays_in_its_folder(name: str) -> None:
    stem = safe_stem(name)
    assert stem not in ("", ".", "..")
    assert Path("folder", stem).parent == Path("folder")
    assert len(stem.encode()) <= 100


@pytest.mark.parametrize("name", ["...png", "....png", "..\\out.png", ".x.png"])
def test_debug_writes_and_deletes_nothing_outside_its_folder(
    name: str, command: Command, tmp_path: Path, draw: Callable[..., Image.Image]
) -> None:
    for folder in ("", "pictures", "kept"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "digits.png").write_text("mine")
    draw("3").save(tmp_path / "pictures" / name, "PNG")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    kept = tmp_path / "kept"
    outcome = command("read", "--debug", kept, "--layout", "digit", tmp_path / "pictures" / name)
    assert (outcome.status, outcome.out) == (0, "3\n")
    after = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert before <= after
    assert {path.read_text() for path in before if path.name == "digits.png"} == {"mine"}
    (folder,) = {path.parent for path in after - before}
    assert folder.parent == kept


def test_annotate_of_pictures_with_very_long_names_writes_two_files(
    command: Command, tmp_path: Path, draw: Callable[..., Image.Image]
) -> None:
    names = ["x" * 240 + ending for ending in ("a.png", "b.png")]
    for name in names:
        draw("3").save(tmp_path / name)
    outcome = command("read", "--annotate", tmp_path / "out.png", *(tmp_path / name for name in names))
    assert outcome.status == 0
    assert sorted(path.name for path in tmp_path.glob("out*")) == [f"out-{'x' * 100}-2.png", f"out-{'x' * 100}.png"]
