"""Draws an exam: the blank sheet, the class list, and a PDF of twelve filled sheets as a scanner and a phone see them.

    python examples/exam/draw.py [FOLDER]

blank.png, class.csv, scans.pdf and truth.csv, by default beside this file. One sheet lies upside down, one was printed
at 75%, one photographed; one number is crossed out, one is not on the class list, and two sheets have the same. The
strokes of the digits are those of draw_pictures.py; nothing is taken from any data set.
"""

from __future__ import annotations

import csv
import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
_SPEC = importlib.util.spec_from_file_location("draw_pictures", HERE.parent / "draw_pictures.py")
assert _SPEC is not None
assert _SPEC.loader is not None
pictures = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(pictures)

Bytes = NDArray[np.uint8]

DPI = 150
SIZE = (1240, 1754)  # an A4 sheet: width and height
CELL = 52
STUDENT, ROOM = (300, 330), (300, 450)  # upper left corners of the rows of cells
POINTS = (300, 570, 540, 640)

SHEETS = 12
UPSIDE_DOWN, SMALL, PHOTO, CROSSED_OUT, NOT_LISTED, TWICE = 2, 4, 6, 7, 9, 11
"""Sheets with something special, counted from 0; TWICE has the number of the first."""


def blank_sheet() -> Image.Image:
    """The sheet without writing."""
    page = Image.new("L", SIZE, 255)
    pencil = ImageDraw.Draw(page)
    pencil.text((120, 110), "Linear Algebra: final examination", 0, ImageFont.load_default(44))
    plain = ImageFont.load_default(24)
    pencil.text((120, 200), "Write one digit in each cell. Hand in this sheet with your answers.", 0, plain)
    for (left, top), label, cells in ((STUDENT, "Student no.", 8), (ROOM, "Room", 2)):
        pencil.text((120, top + 14), label, 0, plain)
        for k in range(cells):
            pencil.rectangle((left + k * CELL, top, left + (k + 1) * CELL, top + 64), outline=0, width=2)
    pencil.text((120, POINTS[1] + 20), "Points", 0, plain)
    pencil.rectangle(POINTS, outline=0, width=2)
    pencil.text((POINTS[2] + 20, POINTS[1] + 20), "of 120", 0, plain)
    for number in range(1, 6):
        top = 620 + 190 * number - 60
        pencil.text((120, top), f"Question {number}. Show your work.", 0, plain)
        pencil.line((120, top + 40, SIZE[0] - 120, top + 40), 120, 1)
    return page


def class_list(rng: np.random.Generator) -> list[tuple[str, str]]:
    """Thirty students: number and name."""
    numbers = rng.choice(np.arange(20_000_000, 29_999_999), 30, replace=False)
    return [(str(number), f"Student {chr(65 + k % 26)}{k // 26 or ''}") for k, number in enumerate(numbers)]


def write(ink: NDArray[np.floating], text: str, left: int, top: int, step: int, rng: np.random.Generator) -> None:
    """Digits written in a row, one a step, into ink (H, W)."""
    pen, lean = rng.uniform(3, 5), rng.uniform(-0.15, 0.15)
    for k, digit in enumerate(text):
        height = rng.uniform(38, 46)
        middle = np.array([left + (k + 0.5) * step, top + 32]) + rng.normal(0, 2, 2)
        for stroke in pictures.STROKES[int(digit)]:
            points = (np.array(stroke) + rng.normal(0, 0.02, (len(stroke), 2)) - (0.5, 0.75)) * height / 1.5
            points[:, 0] -= lean * points[:, 1]
            pictures.draw(ink, pictures.curve(points)[::3] + middle, pen, rng)


def filled(blank: Bytes, number: str, room: str, points: str, rng: np.random.Generator, crossed_out: bool) -> Bytes:
    """The sheet as a student fills it in."""
    ink = np.zeros(blank.shape)
    write(ink, number, *STUDENT, CELL, rng)
    write(ink, room, *ROOM, CELL, rng)
    write(ink, points, POINTS[0] + 20, POINTS[1] + 4, 46, rng)
    if crossed_out:
        left, top = STUDENT
        x = np.linspace(left - 10, left + 8 * CELL + 10, 60)
        pictures.draw(ink, np.stack([x, top + 32 + 26 * np.where(np.arange(60) % 2, 1, -1)], axis=1)[::1], 6, rng)
        for a, b in zip(range(59), range(1, 60), strict=True):
            line = np.linspace((x[a], top + 32 + 26 * (a % 2 * 2 - 1)), (x[b], top + 32 + 26 * (b % 2 * 2 - 1)), 30)
            pictures.draw(ink, line, 5, rng)
    return np.asarray(blank * (1 - rng.uniform(0.7, 0.9) * ink), np.uint8)


def scanned(sheet: Bytes, degrees: float, size: float = 1.0) -> Bytes:
    """The sheet on a scanner: turned, and ``size`` times as large."""
    turn = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), degrees, size)
    return np.asarray(cv2.warpAffine(sheet, turn, SIZE, flags=cv2.INTER_AREA, borderValue=255), np.uint8)


def photographed(sheet: Bytes) -> Bytes:
    """The sheet on a table, seen from one side, half of it in a shadow."""
    corners = np.array([(0, 0), (SIZE[0], 0), SIZE, (0, SIZE[1])], np.float32)
    seen = np.array([(190, 120), (1120, 60), (1180, 1690), (80, 1600)], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    photo = cv2.warpPerspective(sheet, matrix, SIZE, borderValue=(90,)).astype(float)
    across = np.linspace(0, 1, SIZE[0])[None] + np.linspace(0, 0.4, SIZE[1])[:, None]
    return np.asarray(
        cv2.GaussianBlur(photo * (0.95 - 0.4 / (1 + np.exp(-(across - 0.8) * 30))), (0, 0), 0.8), np.uint8
    )


def draw_all(folder: Path) -> None:
    rng = np.random.default_rng(5)
    folder.mkdir(parents=True, exist_ok=True)
    blank = blank_sheet()
    blank.save(folder / "blank.png", optimize=True, dpi=(DPI, DPI))
    students = class_list(rng)
    rows, pages = [], []
    for k in range(SHEETS):
        number = {NOT_LISTED: "31415926", TWICE: students[0][0]}.get(k, students[k][0])
        room, points = str(rng.integers(10, 99)), str(rng.integers(20, 120))
        sheet = filled(np.asarray(blank), number, room, points, rng, k == CROSSED_OUT)
        if k == PHOTO:
            page = photographed(sheet)
        else:
            page = scanned(sheet, rng.normal(0, 0.8) + 180 * (k == UPSIDE_DOWN), 0.75 if k == SMALL else 1.0)
        pages.append(Image.fromarray(page))
        rows.append((k + 1, "" if k == CROSSED_OUT else number, room, points))
    pages[0].save(folder / "scans.pdf", save_all=True, append_images=pages[1:], resolution=DPI, quality=45)
    for name, head, lines in (
        ("class.csv", ("id", "name"), students),
        ("truth.csv", ("page", "student", "room", "points"), rows),
    ):
        with open(folder / name, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *lines])


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
