"""docs/questions.md: every block runs and prints what the page shows, and the text states the same numbers.

``python -m tests.docs.test_questions`` writes what the blocks print into the page; numbers in the text are changed by
hand.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from lenet5 import engine, paper
from lenet5.learning.data import ImageSet, load
from lenet5.pixels import network_input

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "questions.md"
TEXT: Final = PAGE.read_text(encoding="utf-8")

EXAMPLE: Final = re.compile(r"```python\n(?P<code>.*?)```\n\n```text\n(?P<shown>.*?)```", flags=re.DOTALL)
NUMBER: Final = re.compile(r"[-−]?\d+(?:,\d{3})*(?:\.\d+)?%?")
PICTURE: Final = re.compile(r"^([.#]{7})  ([.#]{7})$", flags=re.MULTILINE)

POINTS: Final = 5.0  # percentages with one decimal may differ by so many points,
SHARE: Final = 0.2  # other numbers with a decimal point by this share or by a unit of their last place,
PIXELS: Final = 0.05  # and pictures of F6 in this share of their pixels


def trains(code: str) -> bool:
    """Whether a block trains a network, which takes long."""
    return "Training(" in code or ".backward()" in code


SECTIONS: Final = dict(re.findall(r"^### ([^\n]*)\n(.*?)(?=^#{2,3} |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL))
EXAMPLES: Final = [
    pytest.param(found["code"], found["shown"], id=question, marks=[pytest.mark.slow] * trains(found["code"]))
    for question, section in SECTIONS.items()
    for found in EXAMPLE.finditer(section)
]


def printed_by(code: str, folder: Path) -> str:
    """What a block prints, run by itself in an empty folder with warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return "\n".join(line.rstrip() for line in done.stdout.rstrip().splitlines()) + "\n"


def value(number: str) -> float:
    return float(number.replace("−", "-").replace(",", "").rstrip("%"))


def agree(shown: str, printed: str) -> bool:
    """Whether a printed number is the shown one, within the page's tolerance."""
    if shown.endswith("%") != printed.endswith("%"):
        return False
    difference, decimals = abs(value(shown) - value(printed)), len(shown.rstrip("%").partition(".")[2])
    if decimals == 0:
        return difference == 0
    unit = 1.001 * 10.0**-decimals
    if shown.endswith("%"):
        return difference <= (POINTS if decimals == 1 else unit)
    return difference <= max(SHARE * abs(value(shown)), unit)


def differences(shown: str, printed: str) -> list[str]:
    """What differs between a shown and a printed text by more than the page's tolerance; spaces do not count."""
    (f6_shown, codes_shown), (f6, codes) = (
        ("".join(seen for seen, _ in rows), "".join(code for _, code in rows))
        for rows in (PICTURE.findall(shown), PICTURE.findall(printed))
    )
    if codes != codes_shown or sum(a != b for a, b in zip(f6_shown, f6, strict=False)) > PIXELS * len(f6_shown):
        return ["the pictures differ"]
    shown, printed = PICTURE.sub("", shown), PICTURE.sub("", printed)
    words_shown, words = (" ".join(NUMBER.sub("#", text).split()) for text in (shown, printed))
    if words_shown != words:
        return [f"{words_shown!r} is now {words!r}"]
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=True)
    return [f"{here} is now {now}" for here, now in pairs if not agree(here, now)]


@pytest.mark.slow
@pytest.mark.parametrize(("code", "shown"), EXAMPLES)
def test_each_block_prints_what_the_page_shows_below_it(code: str, shown: str, tmp_path: Path) -> None:
    if "import torch" in code or "from torch" in code or "lenet5.network" in code:
        pytest.importorskip("torch")
    if ("Training(" in code or "engine.gradient" in code) and not engine.AVAILABLE:
        pytest.skip("training needs the compiled engine")
    assert differences(shown, printed_by(code, tmp_path)) == []


def test_twenty_questions_are_answered_each_with_something_to_run_or_a_table() -> None:
    assert len(SECTIONS) >= 20
    for question, answer in SECTIONS.items():
        assert "```" in answer or "\n| " in answer, question
    assert TEXT.count("```python") == len(EXAMPLES)


@pytest.mark.parametrize("question", SECTIONS)
def test_each_bold_number_is_printed_by_a_block_or_stands_on_a_linked_page(question: str) -> None:
    section = SECTIONS[question]
    answer = re.sub(r"```.*?```", "", section, flags=re.DOTALL)
    sources = [found["shown"] for found in EXAMPLE.finditer(section)]
    sources += [(PAGE.parent / page).read_text(encoding="utf-8") for page in re.findall(r"\]\((\w+\.md)", answer)]
    known = {number.replace("−", "-") for source in sources for number in NUMBER.findall(source)}
    for bold in re.findall(r"\*\*([^*]+)\*\*", answer):
        for number in NUMBER.findall(bold):
            assert number.replace("−", "-") in known, f"{number} of **{bold}**"


@pytest.mark.parametrize("recipe", ["paper", "concise", "modern"])
def test_times_and_errors_of_training_are_those_of_the_accuracy_record(recipe: str) -> None:
    record = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    (error, seconds), *_ = re.findall(
        rf"^\| [^|]* \| \*\*(\S+%).*? \| (\d+) s \| `lenet5 train --recipe {recipe} --seed S` \|$", record, re.MULTILINE
    )
    assert f"| `lenet5 train --recipe {recipe}` | **{seconds}** s of one core | **{error}** |" in TEXT


def test_the_fast_training_is_as_it_was_measured() -> None:
    found = json.loads((ROOT / "results" / "whole_training.json").read_text())
    error, seconds = f"**{found['test_error_percent_mean']:.2f}%**", f"**{found['seconds_median']:.1f}** s"
    assert f"| `lenet5 train --recipe fast` | {seconds} on 2 cores, start to finish | {error} |" in TEXT
    assert f"PyTorch takes **{found['seconds_median_torch']:.1f}** s" in " ".join(TEXT.split())


def test_spread_and_comparison_with_the_paper_are_those_of_the_runs() -> None:
    rows = json.loads((ROOT / "results" / "accuracy.json").read_text())
    plain, distorted = (
        [
            r["test_error_percent"]
            for r in rows
            if re.fullmatch(rf"lenet5 train --recipe paper{d} --seed \d", r["command"])
        ]
        for d in ("", " --distortions")
    )
    assert len(plain) == len(distorted) == 5
    assert f"over five seeds, single runs **{min(plain):.2f}–{max(plain):.2f}%**" in " ".join(TEXT.split())
    assert min(plain) <= 0.95 <= max(plain)
    assert max(distorted) < 0.80


def test_errors_of_the_bundled_weights_on_mnist_are_those_of_the_record() -> None:
    runs = json.loads((ROOT / "results" / "evaluation.json").read_text())["runs"]
    errors = {run["weights"]: run for run in runs if run["data"] == "mnist"}
    text = " ".join(TEXT.split())
    assert f"`lenet5` read {100 - errors['lenet5']['error_percent']:.2f}% of MNIST's test images" in text
    assert f"`lenet5-mnist` misread {errors['lenet5-mnist']['errors']} of MNIST's 10,000" in text


def test_mnists_pixels_have_the_stated_mean_and_variance() -> None:
    if not os.environ.get("LENET5_DATA"):
        pytest.skip("LENET5_DATA names no folder with mnist/ in it")
    data = load("mnist", "train")
    assert isinstance(data, ImageSet)
    inputs = network_input(paper.LENET5, data.images)
    assert "have a mean of 0.03 and a variance of 0.12" in " ".join(TEXT.split())
    assert (round(float(inputs.mean()), 2), round(float(inputs.var(dtype=np.float64)), 2)) == (0.03, 0.12)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("96.9% right, 3 refused", "93.0%  right, 3 refused", True),
        ("96.9% right, 3 refused", "90.0% right, 3 refused", False),
        ("96.9% right, 3 refused", "96.9% right, 4 refused", False),
        ("96.9% right, 3 refused", "96.9% wrong, 3 refused", False),
        ("0.78% to 1.16%", "0.80% to 1.16%", False),
        ("distance 80.2", "distance 70.0", True),
        ("distance 80.2", "distance 60.0", False),
        ("60,000 parameters", "61,706 parameters", False),
        (".#####.  .#####.", ".#####.  ######.", False),
    ],
)
def test_the_comparison_allows_what_the_page_says_and_no_more(shown: str, printed: str, same: bool) -> None:
    assert (differences(shown, printed) == []) is same


def renew() -> None:
    """Write into the page what its blocks print."""

    def fill(found: re.Match[str]) -> str:
        with tempfile.TemporaryDirectory() as folder:
            return f"```python\n{found['code']}```\n\n```text\n{printed_by(found['code'], Path(folder))}```"

    PAGE.write_text(EXAMPLE.sub(fill, TEXT), encoding="utf-8")


if __name__ == "__main__":
    renew()
