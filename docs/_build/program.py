"""What the docs take from the program itself: counts of the networks, line numbers, help texts, an example, the mixture."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from lenet5 import Reader, paper, weights
from lenet5.cli import lenet5
from lenet5.describe import Description, describe
from lenet5.learning.recipe import RECIPES
from lenet5.result import file_json

__all__ = ["BLOCKS"]

ROOT = Path(__file__).resolve().parents[2]

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
    ("section III-C, 600,000 patterns", "src/lenet5/learning/sampler.py", "self._maps = affine("),
    ("section III-C, distortions", "src/lenet5/learning/distort.py", "# source = rotation · shear · stretch"),
)


def bundled(name: str) -> Description:
    return describe(weights.load(name))


def layer_table(name: str) -> str:
    """The counted table of a network as Markdown, with what disagrees."""
    description = bundled(name)
    rows = ["| layer | kind | maps | size | neurons | parameters | connections |", "| --- | --- " + "| ---: " * 5 + "|"]
    rows += [
        f"| {x.name} | {x.kind} | {x.maps} | {x.size[0]}×{x.size[1]} | {x.neurons:,} | {x.parameters:,} "
        f"| {x.connections:,} |"
        for x in description.layers
    ]
    rows.append(f"| total | | | | | **{description.parameters:,}** | **{description.connections:,}** |")
    return "\n".join(rows + [f"\nDisagrees: {line}" for line in description.disagreements])


def places() -> str:
    """Each equation and layer with a link to the one line that does it."""
    rows = ["| the paper | the line |", "| --- | --- |"]
    for what, file, text in PLACES:
        lines = (ROOT / file).read_text().splitlines(keepends=True)
        numbers = [number for number, line in enumerate(lines, start=1) if text in line]
        if len(numbers) != 1:
            sys.exit(f"docs/_build: {text!r} occurs in {len(numbers)} lines of {file}, not in one")
        rows.append(f"| {what} | [{file.removeprefix('src/lenet5/')}:{numbers[0]}](../{file}#L{numbers[0]}) |")
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
    groups = {name: getattr(lenet5.get_command(None, name), "commands", {}) for name in names}  # type: ignore[arg-type]
    for arguments in ([], *([name, *inner] for name in names for inner in ([], *([own] for own in groups[name])))):
        shown = CliRunner().invoke(lenet5, [*arguments, "--help"], prog_name="lenet5", terminal_width=100)
        parts.append(f"## {' '.join(['lenet5', *arguments])}\n\n```\n{shown.output.rstrip()}\n```")
    return "\n\n".join(parts)


def example() -> str:
    """What ``read --json`` prints for the bundled 7, as the README's photo.jpg."""
    picture = ROOT / "src/lenet5/bundled/pictures/7-small-on-a-large-page.jpg"
    printed = json.dumps(file_json("photo.jpg", Reader().read(picture)))
    return f"```console\n$ .venv/bin/lenet5 read --json photo.jpg\n{printed}\n```"


def mixture() -> str:
    """What recipe reading shows in a pass, by kind."""
    recipe = RECIPES["reading"]
    assert recipe.mixture
    images = 1 - sum(share for _, share in recipe.mixture.shares)
    rows = [("images", images), *recipe.mixture.shares]
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


BLOCKS: dict[str, Callable[[], str]] = {
    "layers-lenet5": lambda: layer_table("lenet5-mnist"),  # ten classes, as in the paper
    "layers-concise": lambda: layer_table("concise"),
    "places": places,
    "mistakes": mistakes,
    "codes": codes,
    "commands": commands,
    "example": example,
    "mixture": mixture,
}
