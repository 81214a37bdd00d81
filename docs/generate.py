"""Renews what in the docs comes from the program and from results/: counts, line numbers, help texts, figures.

    python docs/generate.py            writes the blocks between <!-- NAME --> and <!-- /NAME -->
    python docs/generate.py --check    says which are not up to date, and fails

A block's content is whatever the function of that name in BLOCKS returns. The measured errors of the model card go to
MEASURED, a file of the package. Both fail where the code or the figures of README.md and README.zh-CN.md differ.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import reading_tables
import robustness
from click.testing import CliRunner

import accuracy
from lenet5 import Reader, paper, weights
from lenet5.cli import lenet5
from lenet5.describe import Description, describe
from lenet5.evaluation.evaluate import wilson_interval
from lenet5.export.huggingface import digest
from lenet5.learning.recipe import RECIPES

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ROOT / "src" / "lenet5" / "export" / "measured.json"
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
"""The English one and its translation."""

# (what the paper says, the file that does it, a text that occurs in exactly one line of that file)
PLACES = (
    ("eq. 6, squashing f(a) = A·tanh(S·a)", "src/lenet5/network.py", "return paper.SQUASHING_AMPLITUDE * torch.tanh"),
    ("C1, six 5×5 convolutions", "src/lenet5/network.py", "self.c1 = nn.Conv2d(1, 6, kernel_size=5)"),
    ("S2 and S4, trainable subsampling", "src/lenet5/network.py", "return self.coefficient[:, None, None] * added"),
    ("Table I", "src/lenet5/paper.py", "TABLE_I: Final"),
    ("C3, wired by Table I", "src/lenet5/network.py", "kernels = self.weight.new_zeros(16, 6, 5, 5).index_put"),
    ("C5, a convolution that sees all of S4", "src/lenet5/network.py", "self.c5 = nn.Conv2d(16, 120, kernel_size=5)"),
    ("F6, full connection", "src/lenet5/network.py", "f6 = squash(self.f6(c5.movedim"),
    ("Fig. 3, the ten codes", "src/lenet5/paper.py", "_FIGURE_3: Final"),
    ("eq. 7, Euclidean radial basis functions", "src/lenet5/network.py", "return (x[:, None] - self.codes).square()"),
    ("section VII, a grid of answers to a larger picture", "src/lenet5/network.py", "if output.shape[2:] == (1, 1):"),
    ("the same network in NumPy, forward", "src/lenet5/engine/numpy_engine.py", "def _lenet5("),
    ("eq. 8, the mean penalty of the correct class", "src/lenet5/criterion.py", "eq. 8\n"),
    ("eq. 9, maximum a posteriori with the rubbish class", "src/lenet5/criterion.py", "eq. 9\n"),
    ("eq. 9 read as probabilities", "src/lenet5/posterior.py", "likelihoods = np.exp("),
    ("appendix A, initial weights in ±2.4 / fan-in", "src/lenet5/weights.py", "bound = 2.4 / fan_in"),
    (
        "section II-B, input range −0.1 … 1.175 and the 32×32 frame",
        "src/lenet5/pixels.py",
        "return (paper.FOREGROUND - paper.BACKGROUND) / 255",
    ),
    ("section III-A, size-normalised and centred by mass", "src/lenet5/normalise.py", "round(SIDE / 2 - (centre"),
    ("section III-B, η by pass and μ", "src/lenet5/learning/recipe.py", "rates=(5e-4,) * 2"),
    (
        "appendix C, each parameter's rate ε = η / (μ + h)",
        "src/lenet5/learning/optimizer.py",
        "np.divide(np.float32(rate)",
    ),
    (
        "appendix C, second derivatives on 500 patterns before each pass",
        "src/lenet5/learning/method.py",
        "self._optimizer.estimate(",
    ),
    ("section III-C, 600,000 patterns", "src/lenet5/learning/presentation.py", "self._maps = affine("),
    ("section III-C, distortions", "src/lenet5/learning/distort.py", "# source = rotation · shear · stretch"),
)


def bundled(name: str) -> Description:
    return describe(weights.load(name))


def layer_table(name: str) -> str:
    """The counted table of a network as Markdown, with what disagrees."""
    found = bundled(name)
    rows = ["| layer | kind | maps | size | neurons | parameters | connections |", "| --- | --- " + "| ---: " * 5 + "|"]
    rows += [
        f"| {x.name} | {x.kind} | {x.maps} | {x.size[0]}×{x.size[1]} | {x.neurons:,} | {x.parameters:,} "
        f"| {x.connections:,} |"
        for x in found.layers
    ]
    rows.append(f"| total | | | | | **{found.parameters:,}** | **{found.connections:,}** |")
    return "\n".join(rows + [f"\nDisagrees: {line}" for line in found.disagreements])


def places() -> str:
    """Each equation and layer with a link to the one line that does it."""
    rows = ["| the paper | the line |", "| --- | --- |"]
    for what, file, text in PLACES:
        lines = (ROOT / file).read_text().splitlines(keepends=True)
        found = [number for number, line in enumerate(lines, start=1) if text in line]
        if len(found) != 1:
            sys.exit(f"docs/generate.py: {text!r} occurs in {len(found)} lines of {file}, not in one")
        rows.append(f"| {what} | [{file.removeprefix('src/lenet5/')}:{found[0]}](../{file}#L{found[0]}) |")
    return "\n".join(rows)


def mistakes() -> str:
    """What descriptions of LeNet-5 repeat, answered with counts of the network at hand."""
    lenet5, concise = ({x.name: x for x in bundled(name).layers} for name in ("lenet5-mnist", "concise"))
    answers = (
        ("C1 has 28·28·6 = 156 neurons.", f"It has {lenet5['C1'].neurons:,} neurons and {lenet5['C1'].parameters} "
         "parameters: each of the six maps shares 25 weights and a bias."),
        ("C3 has 156,000 connections.", f"It has {lenet5['C3'].connections:,} = {lenet5['C3'].parameters:,} · 100."),
        ("S2 and S4 are average pooling.", f"Pooling has {concise['S2'].parameters} parameters; S2 has "
         f"{lenet5['S2'].parameters} and S4 has {lenet5['S4'].parameters}, and both squash."),
        ("C3 is a dense convolution.", f"Dense it has {concise['C3'].parameters:,} parameters, as in the concise form; "
         f"with Table I it has {lenet5['C3'].parameters:,}, in {sum(map(len, paper.TABLE_I))} of 96 pairs."),
        ("Maps 11–14 of Table I read 0135, 0124, 0345, 1245.", "That table is not the paper's. They read "
         + ", ".join("".join(map(str, paper.TABLE_I[k])) for k in range(11, 15)) + "."),
        ("The images were trimmed from 32×32 to 28×28.", "The 28×28 images were padded to "
         f"{paper.LENET5.input_size[0]}×{paper.LENET5.input_size[1]}."),
        ("The output is a softmax.", f"It is {lenet5['output'].maps} radial basis functions with fixed codes: "
         f"{lenet5['output'].parameters} parameters, {lenet5['output'].connections} connections."),
    )  # fmt: skip
    return "\n".join(f"- *“{said}”* {answer}" for said, answer in answers)


def codes() -> str:
    """Fig. 3 as text."""
    rows = zip(*(code.split("\n") for code in paper.CODES), strict=True)
    return "```\n" + "\n".join("  ".join(row) for row in rows) + "\n```"


def commands() -> str:
    """The help of each command, as the program prints it."""
    names = lenet5.list_commands(None)  # type: ignore[arg-type]
    parts = []
    for arguments in ([], *([name] for name in names)):
        shown = CliRunner().invoke(lenet5, [*arguments, "--help"], prog_name="lenet5", terminal_width=100)
        parts.append(f"## {' '.join(['lenet5', *arguments])}\n\n```\n{shown.output.rstrip()}\n```")
    return "\n\n".join(parts)


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
    found = []
    code, translated = code_of(text), code_of(translation)
    if len(code) != len(translated):
        found.append(f"{len(translated)} code blocks instead of {len(code)}")
    found += [
        f"code block {number}"
        for number, pair in enumerate(zip(code, translated, strict=False), 1)
        if len(set(pair)) > 1
    ]
    numbers, others = numbers_of(text), numbers_of(translation)
    found += [f"the number {number} is missing" for number in numbers - others]
    found += [f"the number {number} is added" for number in others - numbers]
    return found


def measured() -> str:
    """The table of results/evaluation.json: each set with each of the bundled weights."""
    runs = json.loads((ROOT / "results" / "evaluation.json").read_text())["runs"]
    rows = ["| set | weights | images | right | 95% interval | refused |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for run in runs:
        low, high = (100 - bound for bound in reversed(run["interval_percent"]))
        rows.append(
            f"| {run['data']} | {run['weights']} | {run['images']:,} | {100 - run['error_percent']:.2f}% "
            f"| {low:.2f}–{high:.2f}% | {run['refused']:,} |"
        )
    return "\n".join(rows)


def measured_for_cards() -> str:
    """The digit sets of results/evaluation.json by the SHA-256 of the parameters that were measured, as JSON."""
    runs = json.loads((ROOT / "results" / "evaluation.json").read_text())["runs"]
    kept = ("data", "images", "refused", "error_percent", "interval_percent")
    by_digest = {
        digest(weights.load(name)): [
            {key: run[key] for key in kept} for run in runs if run["weights"] == name and run["data"] in CARD_SETS
        ]
        for name in weights.BUNDLED
    }
    return json.dumps(by_digest, indent=1) + "\n"


CARD_SETS = ("mnist", "unipen", "usps_test", "semeion", "optdigits32_test")
"""Public sets of digits; those of MNIST's and UNIPEN's test part are of other writers than the training images."""


def mixture() -> str:
    """What recipe reading shows in a pass, by kind."""
    recipe = RECIPES["reading"]
    assert recipe.mixture
    own = 1 - sum(share for _, share in recipe.mixture.shares)
    rows = [("images", own), *recipe.mixture.shares]
    what = {
        "images": "MNIST's training images, distorted anew each time",
        "hard digits": "the same with other pens, proportions, resolutions and sensors",
        "hands": "UNIPEN's digits in any hand with any pen",
        "separators": "UNIPEN's separators and drawn ones",
        "characters of lines": "digits and separators as the line reader cuts them",
        "parts of lines": "its wrong cuts: parts of characters, or several",
        "junk": "drawn scribbles, blots, glyphs, glued and mirrored digits",
        "letters": "UNIPEN's letters and signs",
    }
    lines = ["| kind | share | what it is |", "| --- | ---: | --- |"]
    return "\n".join(lines + [f"| {kind} | {100 * share:.0f}% | {what[kind]} |" for kind, share in rows])


def held_out() -> str:
    """The table of results/held_out.json."""
    found = json.loads((ROOT / "results" / "held_out.json").read_text())
    single, lines = found["digits"], found["numbers"]
    rows = ["| held-out writers | n | right | 95% interval |", "| --- | ---: | ---: | ---: |"]
    for row in (*single["rows"], *lines["rows"]):
        low, high = row["interval_percent"]
        rows.append(f"| {row['what']} | {row['n']:,} | {row['right_percent']:.2f}% | {low:.1f}–{high:.1f}% |")
    facts = (
        f"Of the digits {single['refused']} are refused. "
        f"Their calibration error is {single['calibration_error_percent']:.2f}%, their log-loss "
        f"{single['log_loss']:.4f}, their error at 99% coverage {single['error_at_99_percent_coverage']:.2f}%. "
        f"At the threshold that refuses 1% of them, {single['letters_refused_percent']:.1f}% of "
        f"{single['letters']:,} printed letters are refused. "
        f"The calibration error of whole numbers is {lines['calibration_error_percent']:.2f}%."
    )
    return "\n".join([*rows, "", facts])


def example() -> str:
    """What ``read --json`` prints for the bundled 7, as the README's photo.jpg."""
    picture = ROOT / "src/lenet5/bundled/pictures/7-small-on-a-large-page.jpg"
    printed = json.dumps({"file": "photo.jpg", **Reader().read(picture).to_json()})
    return f"```console\n$ .venv/bin/lenet5 read --json photo.jpg\n{printed}\n```"


def speed() -> str:
    """The table of results/performance.json."""
    results = json.loads((ROOT / "results" / "performance.json").read_text())
    here, versions = results["machine"], ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    lines = [
        f"{here['processor']}, {here['cores']} cores, engine {here['engine']}; its measured peak is "
        f"{here['peak_gigamac_a_thread']:.1f} billion fused multiply-adds a second and thread. {versions}.",
        "",
        "| case | peer | ours, images/s | theirs | ratio (spread) |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for row in results["cases"]:
        spread = f"{row['ratio']:.2f} ({row['ratio_min']:.2f}–{row['ratio_max']:.2f})"
        lines.append(f"| {row['case']} | {row['peer']} | {row['ours']:,} | {row['theirs']:,} | {spread} |")
    return "\n".join(lines)


def embedding() -> str:
    """The forms of results/embedding.json: sizes, and answers beside the engine's."""
    rows = ["| weights | form | bytes | scratch | code | errors | the engine's | different | posterior within |"]
    rows.append("| --- | --- " + "| ---: " * 7 + "|")
    for form in json.loads((ROOT / "results" / "embedding.json").read_text())["forms"]:
        size, scratch = form.get("bytes") or form["constants"], form.get("scratch")
        code = f"{form['code']:,}" if form.get("code") else ""
        rows.append(
            f"| {form['weights']} | {form['form']} | {size:,} | {f'{scratch:,}' if scratch else ''} | {code} "
            f"| {form['errors']} | {form['engine_errors']} | {form['labels_different']} "
            f"| {form['posterior_difference']:.1g} |"
        )
    return "\n".join(rows)


def instructions() -> str:
    """Instructions of a digit on each emulated core."""
    rows = ["| core | form | `lenet5_read` | `lenet5_prepare` (48×48) |", "| --- | --- | ---: | ---: |"]
    for core in json.loads((ROOT / "results" / "embedding.json").read_text())["cores"]:
        rows.append(f"| {core['core']} | {core['form']} | {core['read']:,} | {core['prepare']:,} |")
    return "\n".join(rows)


def whole() -> str:
    """What results/whole_training.json found."""
    found = json.loads((ROOT / "results" / "whole_training.json").read_text())
    low, high = found["test_error_percent_interval"]
    seeds = sum(run["objective"] == "engine" for run in found["runs"])
    rows = (
        (
            "mean test error",
            f"{found['test_error_percent_mean']:.2f}% over {seeds} seeds (95% interval {low:.2f}–{high:.2f}%)",
        ),
        ("median time", f"{found['seconds_median']:.1f} s"),
        (
            "median time, PyTorch objective",
            f"{found['seconds_median_torch']:.1f} s, {found['ratio']:.1f} times as long",
        ),
        ("largest memory", f"{found['peak_memory_megabytes']:,} MB"),
    )
    return "\n".join(["| what | measured |", "| --- | --- |", *(f"| {what} | {value} |" for what, value in rows)])


BLOCKS: dict[str, Callable[[], str]] = {
    "layers-lenet5": lambda: layer_table("lenet5-mnist"),  # ten classes, as in the paper
    "layers-concise": lambda: layer_table("concise"),
    "places": places,
    "mistakes": mistakes,
    "codes": codes,
    "commands": commands,
    "figures": lambda: readme_figures("en"),
    "figures-zh": lambda: readme_figures("zh"),
    "measured": measured,
    "example": example,
    "mixture": mixture,
    "held-out": held_out,
    "speed": speed,
    "embedding": embedding,
    "instructions": instructions,
    "whole": whole,
    **accuracy.BLOCKS,
    **robustness.BLOCKS,
    **reading_tables.BLOCKS,
}


def renewed(text: str) -> str:
    """A document with every block it names renewed."""

    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- {name} -->\n\n{BLOCKS[name]()}\n\n<!-- /{name} -->"

    return re.sub(r"<!-- (?P<name>[\w-]+) -->.*?<!-- /(?P=name) -->", fill, text, flags=re.DOTALL)


def main() -> None:
    stale = []
    texts = {}
    for path in [*READMES, *sorted((ROOT / "docs").glob("*.md"))]:
        text = path.read_text()
        new = texts[path] = renewed(text)
        if new != text:
            stale.append(str(path.relative_to(ROOT)))
            if "--check" not in sys.argv:
                path.write_text(new)
    if not MEASURED.exists() or MEASURED.read_text() != measured_for_cards():
        stale.append(str(MEASURED.relative_to(ROOT)))
        if "--check" not in sys.argv:
            MEASURED.write_text(measured_for_cards())
    if stale and "--check" in sys.argv:
        sys.exit(f"not up to date: {', '.join(stale)}; run: make docs")
    differing = differences(*(texts[path] for path in READMES))
    if differing:
        sys.exit(f"{READMES[1].name} differs from {READMES[0].name}: {'; '.join(differing)}")
    print("docs are up to date" if not stale else f"renewed {', '.join(stale)}")


if __name__ == "__main__":
    main()
