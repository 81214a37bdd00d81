"""A report as text, as a gallery of the misread pictures, and as a folder with both."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lenet5.errors import OutputError
from lenet5.evaluation.evaluate import Misread, Report
from lenet5.evaluation.sheet import contact_sheet
from lenet5.files import write_beside
from lenet5.reading.opening import open_picture

__all__ = ["as_text", "gallery", "write_folder"]

_TILE: Final = 84  # a misread picture is shown this large, three pixels to one of 28×28
_MOST: Final = 400  # misread pictures shown
_SHEET, _GAP = 1280, 8  # pixels: the width of the sheet, and between pictures


def as_text(report: Report) -> str:
    """The report for a terminal: one line that answers, then errors a class and the confusions.

    >>> print(as_text(Report("mine", "lenet5", images=200, errors=4, refused=1, confusion=None, misread=())))
    mine read with lenet5: 2.00% errors (95% interval 0.78–5.03%), 4 of 200; 1 refused
    """
    low, high = report.interval_percent
    lines = [
        f"{report.data} read with {report.weights}: {report.error_percent:.2f}% errors "
        f"(95% interval {low:.2f}–{high:.2f}%), {report.errors:,} of {report.images:,}; {report.refused:,} refused"
    ]
    if report.digit_error_percent is not None:
        lines.append(f"digits wrong: {report.digit_error_percent:.2f}% (edit distance over length)")
    if report.confusion is not None:
        lines += ["", "class  errors  images  error %"]
        lines += [f"{name:>5}  {wrong:>6,}  {n:>6,}  {100 * wrong / n:>7.2f}" for name, wrong, n in report.class_errors]
        lines += ["", "truth ╲ answer" + "".join(f"{k:>6}" for k in [*range(10), "?"])]
        for name, row in zip([*map(str, range(10)), "?"], report.confusion, strict=True):
            if row.sum():
                lines.append(f"{name:>14}" + "".join(f"{count or '·':>6}" for count in row))
    return "\n".join(lines)


def gallery(report: Report) -> Image.Image | None:
    """The misread pictures, each with truth and answer, like the paper's Fig. 8; None where all is right.

    Beside a picture that had to be found and normalised stands the 28×28 that the network saw.

    >>> from dataclasses import replace
    >>> misread = Misread(np.zeros((28, 28), np.uint8), None, truth="4", answer="9")
    >>> right = Report("mine", "lenet5", images=200, errors=0, refused=0, confusion=None, misread=())
    >>> gallery(right) is None, gallery(replace(right, errors=1, misread=(misread,))).mode
    (True, 'RGB')
    """
    shown = report.misread[:_MOST]
    if not shown:
        return None
    tiles = [_tile(misread) for misread in shown]
    columns = max(1, _SHEET // (max(tile.width for tile in tiles) + _GAP))
    return contact_sheet([tiles[k : k + columns] for k in range(0, len(tiles), columns)], _GAP)


def _tile(misread: Misread) -> Image.Image:
    """One misread picture with its caption."""
    pictures = [Image.fromarray(255 - misread.image).resize((_TILE, _TILE), Image.Resampling.NEAREST)]
    if misread.source is not None:
        pictures.insert(0, _thumbnail(misread))
    caption = f"{misread.truth} read {misread.answer or chr(45)}".replace("\n", "/")
    font = ImageFont.load_default(size=14)
    width = max(sum(p.width for p in pictures), int(font.getlength(caption)) + 4)
    tile = Image.new("RGB", (width, _TILE + 20), "white")
    left = 0
    for picture in pictures:
        tile.paste(picture, (left, (_TILE - picture.height) // 2))
        left += picture.width
    ImageDraw.Draw(tile).text((2, _TILE + 1), caption, fill="black", font=font)
    return tile


def _thumbnail(misread: Misread) -> Image.Image:
    """The picture as the user knows it, small; a cross where it cannot be opened."""
    try:
        grey = open_picture(misread.source).grey
    except Exception:  # of whatever kind
        return Image.new("L", (_TILE, _TILE), 200)
    scale = min(3 * _TILE / grey.shape[1], _TILE / grey.shape[0])
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return Image.fromarray((grey * 255).astype(np.uint8)).resize(size, Image.Resampling.BOX if scale < 1 else 0)


def write_folder(report: Report, folder: str | os.PathLike[str]) -> list[Path]:
    """report.txt, report.json and, where anything was misread, misread.png; returns their paths.

    With Matplotlib (extra ``report``) also confusion.png. Raises OutputError.

    >>> import tempfile
    >>> report = Report("mine", "lenet5", images=200, errors=0, refused=0, confusion=None, misread=())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write_folder(report, folder)]
    ['report.txt', 'report.json']
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {target}: {error.strerror}") from None
    contents = {
        "report.txt": (as_text(report) + "\n").encode(),
        "report.json": (json.dumps(report.to_json()) + "\n").encode(),
    }
    pictures = gallery(report)
    if pictures:
        encoded = io.BytesIO()
        pictures.save(encoded, "PNG")
        contents["misread.png"] = encoded.getvalue()
    drawn = _confusion_picture(report)
    if drawn:
        contents["confusion.png"] = drawn
    for name in ("report.txt", "report.json", "misread.png", "confusion.png"):
        if name in contents:
            write_beside(target / name, contents[name])
        else:
            (target / name).unlink(missing_ok=True)  # of an earlier report
    return [target / name for name in contents]


def _confusion_picture(report: Report) -> bytes | None:
    """The confusion matrix as a PNG; None for texts, and where Matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    if report.confusion is None:
        return None
    figure = Figure(figsize=(6, 5.4), layout="constrained")
    axes = figure.subplots()
    wrong = report.confusion * (1 - np.eye(len(report.confusion), dtype=np.int64))
    axes.imshow(wrong, cmap="Reds", vmin=0, vmax=max(1, int(wrong.max())))
    for (row, column), count in np.ndenumerate(report.confusion):
        if count:
            pale = row != column and count > wrong.max() / 2
            axes.text(column, row, f"{count}", ha="center", va="center", fontsize=8, color="white" if pale else "black")
    names = [*map(str, range(10)), "?"]
    axes.set_xticks(range(11), names)
    axes.set_yticks(range(11), names)
    axes.set_xlabel("answer (? refused)")
    axes.set_ylabel("truth (? not a digit)")
    axes.set_title(f"{report.data}: {report.errors:,} of {report.images:,} misread")
    encoded = io.BytesIO()
    figure.savefig(encoded, format="png", dpi=120)
    return encoded.getvalue()
