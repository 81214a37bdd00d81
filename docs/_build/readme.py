"""The table of README.md and README.zh-CN.md, from results/, and the comparison of the two pages."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lenet5.evaluation.evaluate import wilson_interval

__all__ = ["BLOCKS", "READMES", "code_of", "differences", "numbers_of"]

ROOT = Path(__file__).resolve().parents[2]
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
"""The English page and its translation."""

FIGURES_OF_THE_README = {
    "en": {
        "head": ("with the bundled weights", "measured (95% interval)", "on"),
        "mnist": ("test error on MNIST", "{mnist_n} images; `lenet5-mnist`, trained on MNIST alone: {mnist_only}"),
        "writers": (
            "digits of other writers and scanners, right",
            "{writers_n} images of USPS, Semeion and Optdigits",
        ),
        "lines": ("lines of digits, wholly right", "{lines_n} lines of spaced digits; where they touch: {touching}"),
        "photos": (
            "photos of one digit, right",
            "{photos_n} simulated photos, {papers} kinds of paper and light; with `--layout digit`: {photos_digit}",
        ),
        "speed": (
            "time to read an A4 page of 300 digits",
            "300 dpi, {processor}, {cores} cores; the network alone: {rate} images/s, one thread",
        ),
    },
    "zh": {
        "head": ("使用内置权重", "实测值（95% 置信区间）", "测试条件"),
        "mnist": ("MNIST 测试错误率", "{mnist_n} 张图像；只用 MNIST 训练的 `lenet5-mnist`：{mnist_only}"),
        "writers": ("其他书写者与扫描设备的数字，正确率", "{writers_n} 张图像，来自 USPS、Semeion 与 Optdigits"),
        "lines": ("一行数字，整行正确率", "{lines_n} 行，数字分开书写；数字相互接触时：{touching}"),
        "photos": (
            "单个数字的照片，正确率",
            "{photos_n} 张模拟照片，{papers} 种纸张与光照；使用 `--layout digit` 时：{photos_digit}",
        ),
        "speed": (
            "识别一张 A4 页面（300 个数字）的时间",
            "300 dpi，{processor}，{cores} 核；仅网络推理：单线程 {rate} 张图像/秒",
        ),
    },
}
"""The table of README.md and README.zh-CN.md: what each row measures, and on what."""


def _with_interval(hits: int, n: int) -> str:
    """A proportion in percent with its 95% interval (Wilson 1927)."""
    low, high = wilson_interval(hits, n)
    return f"{100 * hits / n:.1f}% ({100 * low:.1f}–{100 * high:.1f})"


def _matching(rows: list[dict[str, Any]], **wanted: str) -> dict[str, Any]:
    """The one row that has these values."""
    (match,) = (row for row in rows if all(row[key] == value for key, value in wanted.items()))
    return match


def readme_figures(language: str) -> str:
    """Five rows that a user asks for, in "en" or "zh"; each row's facts come from results/."""
    evaluated, read, performance = (
        json.loads((ROOT / "results" / f"{name}.json").read_text()) for name in ("evaluation", "reading", "performance")
    )

    def error(run: dict[str, Any]) -> str:
        return "{:.2f}% ({:.2f}–{:.2f})".format(run["error_percent"], *run["interval_percent"])

    def right(pictures: str, layout: str = "auto") -> tuple[str, int, int]:
        """Of all cases of these pictures: what is wholly right, of how many, and how many cases."""
        cases = [
            row
            for row in read["rows"]
            if row["case"].startswith(pictures) and row["case"].endswith(f", layout {layout}")
            if (row["figure"], row["reader"]) == ("whole texts right", "lenet5")
        ]
        n = sum(row["n"] for row in cases)
        return _with_interval(sum(round(row["value"] * row["n"] / 100) for row in cases), n), n, len(cases)

    mnist, mnist_only = (
        _matching(evaluated["runs"], data="mnist", weights=name) for name in ("lenet5", "lenet5-mnist")
    )
    others = [
        _matching(evaluated["runs"], data=name, weights="lenet5")
        for name in ("usps_test", "semeion", "optdigits32_test")
    ]
    writers_n = sum(run["images"] for run in others)
    lines, lines_n, _ = right("strings, spaced")
    photos, photos_n, papers = right("photo of one digit")
    page = _matching(
        read["rows"], case="A4 page of 300 digits, 300 dots an inch", figure="median time", reader="lenet5"
    )
    network = _matching(performance["cases"], case="lenet5, inference, batch 1,024, 1 thread", peer="PyTorch eager")
    values = {
        "mnist": error(mnist),
        "writers": _with_interval(writers_n - sum(run["errors"] for run in others), writers_n),
        "lines": lines,
        "photos": photos,
        "speed": f"{page['value']:.2f} s",
    }
    facts = {
        "mnist_n": f"{mnist['images']:,}",
        "mnist_only": error(mnist_only),
        "writers_n": f"{writers_n:,}",
        "lines_n": f"{lines_n:,}",
        "touching": right("strings, touching")[0],
        "photos_n": f"{photos_n:,}",
        "papers": papers,
        "photos_digit": right("photo of one digit", "digit")[0],
        "processor": read["machine"]["processor"],
        "cores": read["machine"]["cores"],
        "rate": f"{network['ours']:,}",
    }
    texts = FIGURES_OF_THE_README[language]
    rows = [f"| {' | '.join(texts['head'])} |", "| --- | ---: | --- |"]
    for name, value in values.items():
        what, where = texts[name]
        rows.append(f"| {what} | {value} | {where.format(**facts)} |")
    return "\n".join(rows)


def code_of(text: str) -> list[str]:
    """The fenced blocks of a document, without comments."""
    blocks = re.findall(r"^```.*?^```$", text, flags=re.DOTALL | re.MULTILINE)
    return [re.sub(r"[ \t]+#.*$", "", block, flags=re.MULTILINE) for block in blocks]


def numbers_of(text: str) -> Counter[str]:
    """The numbers of a document's prose and tables and how often each occurs; those of names, such as C3, left out."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"`[^`]*`|\]\([^)]*\)|<!--.*?-->|doi:\S+", "", prose)
    return Counter(re.findall(r"(?<![A-Za-z\d_.,-])\d+(?:[.,]\d+)*%?", prose))


def differences(text: str, translation: str) -> list[str]:
    """In what a translation differs from a document beside its words: its code, comments aside, and its numbers."""
    differing = []
    code, translated = code_of(text), code_of(translation)
    if len(code) != len(translated):
        differing.append(f"{len(translated)} code blocks instead of {len(code)}")
    differing += [
        f"code block {number}"
        for number, pair in enumerate(zip(code, translated, strict=False), 1)
        if len(set(pair)) > 1
    ]
    numbers, others = numbers_of(text), numbers_of(translation)
    differing += [f"the number {number} is missing" for number in numbers - others]
    differing += [f"the number {number} is added" for number in others - numbers]
    return differing


BLOCKS: dict[str, Callable[[], str]] = {
    "figures": lambda: readme_figures("en"),
    "figures-zh": lambda: readme_figures("zh"),
}
