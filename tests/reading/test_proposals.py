"""Proposals: marks side by side are one chain; rows, frames, labels and small print are chains of their own."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lenet5.reading.ink import Ink, inks_of
from lenet5.reading.pieces import HEIGHT
from lenet5.reading.proposals import Proposal, proposals_in, proposals_of
from tests.reading.test_straight import blank, box, stroked, written

Bytes = NDArray[np.uint8]
Edges = tuple[int, int, int, int]


def ink_of(mask: Bytes) -> Ink:
    """Full black ink on white paper, seen at its own size."""
    contrast = mask.astype(np.float32)
    paper = np.ones((max(1, mask.shape[0] // 8), max(1, mask.shape[1] // 8)), np.float32)
    return Ink(contrast, mask > 0, 0.0, 1.0, 1 - contrast, paper)


def row(mask: Bytes, text: str, x: int, y: int, height: int, pitch: int, pen: int = 5) -> list[Edges]:
    """Writes a row of digits into a mask; their boxes."""
    boxes = []
    for k, digit in enumerate(text):
        alone = written(blank(*mask.shape), digit, x + k * pitch, y, height, pen)
        rows, columns = np.flatnonzero(alone.any(axis=1)), np.flatnonzero(alone.any(axis=0))
        boxes.append((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
        np.maximum(mask, alone, out=mask)
    return boxes


def tall(proposal: Proposal) -> list[Edges]:
    """The boxes of a proposal's tall marks from left to right."""
    marks = proposal.marks
    return sorted(
        (int(marks.left[k]), int(marks.top[k]), int(marks.right[k]), int(marks.bottom[k])) for k in proposal.tall
    )


def chains(mask: Bytes) -> list[list[Edges]]:
    return [tall(proposal) for proposal in proposals_of(ink_of(mask))]


def text_at(mask: Bytes, text: str, x: int, y: int, size: int) -> None:
    image = Image.new("L", mask.shape[::-1], 0)
    ImageDraw.Draw(image).text((x, y), text, 255, font=ImageFont.load_default(size=size))
    np.maximum(mask, (np.asarray(image) > 128).astype(np.uint8), out=mask)


def test_digits_side_by_side_are_one_chain() -> None:
    mask = blank(150, 700)
    boxes = row(mask, "27035819", 30, 40, 60, 80)
    assert chains(mask) == [boxes]


def test_one_digit_is_a_chain_of_one() -> None:
    mask = blank(150, 150)
    boxes = row(mask, "5", 30, 30, 80, 0)
    assert chains(mask) == [boxes]


@pytest.mark.parametrize("pitch", [100, 150, 200])
def test_digits_that_wide_cells_set_apart_are_one_chain(pitch: int) -> None:
    mask = blank(150, 60 + 5 * pitch)
    boxes = row(mask, "27035", 30 + pitch // 2 - 30, 45, 60, pitch)
    cells = blank(*mask.shape)
    for k in range(5):
        box(cells, 30 + k * pitch, 25, 31 + (k + 1) * pitch, 125, 2)
    proposals = proposals_of(ink_of(mask | cells))
    assert boxes in [tall(proposal) for proposal in proposals]
    for proposal in proposals:
        assert proposal.lined is None or (proposal.lined <= (cells > 0)).all()


@pytest.mark.parametrize("kind", ["cells", "frame", "rule"])
def test_a_number_in_cells_is_a_chain_without_the_print_beside_it(kind: str) -> None:
    mask = blank(150, 900)
    boxes = row(mask, "27035", 70, 45, 50, 60)
    if kind == "cells":
        for k in range(5):
            box(mask, 60 + k * 60, 35, 62 + (k + 1) * 60, 105, 2)
    elif kind == "frame":
        box(mask, 60, 35, 370, 105, 2)
    else:
        mask[100:102, 60:370] = 1
    text_at(mask, "beside it", 390, 50, 50)
    assert boxes in chains(mask)


def test_digits_farther_apart_than_the_reach_are_not_one_chain() -> None:
    mask = blank(150, 1200)
    first, second = row(mask, "27", 30, 40, 60, 80), row(mask, "03", 630, 40, 60, 80)
    assert sorted(chains(mask)) == [first, second]
    (together,) = proposals_of(ink_of(mask), reach=100)
    assert tall(together) == first + second


def test_two_rows_are_two_chains() -> None:
    mask = blank(300, 700)
    boxes = [row(mask, "2703", 30, top, 60, 80) for top in (40, 130)]
    assert sorted(chains(mask), key=lambda chain: chain[0][1]) == boxes


@pytest.mark.parametrize("slope", [-0.15, 0.15])
def test_a_row_that_slopes_is_one_chain(slope: float) -> None:
    mask, expected = blank(400, 800), []
    for k, digit in enumerate("271358"):
        expected += row(mask, digit, 30 + 90 * k, round(170 + slope * 90 * k), 60, 0)
    assert chains(mask) == [expected]


def test_a_box_and_the_digit_in_it_are_apart() -> None:
    mask = box(blank(300, 300), 40, 40, 240, 240, 3)
    boxes = row(mask, "7", 90, 80, 120, 0, 8)
    assert boxes in chains(mask)


def test_a_drawn_ring_and_the_digits_in_it_are_apart() -> None:
    mask = blank(300, 300)
    cv2.ellipse(mask, (150, 150), (130, 100), 0, 0, 360, 1, 5)
    boxes = row(mask, "27", 65, 100, 90, 80, 7)
    assert [(17, 47, 284, 254)] in chains(mask)
    assert boxes in chains(mask)


def test_small_labels_are_not_in_the_chain_of_large_digits() -> None:
    mask = blank(300, 900)
    boxes = row(mask, "2703", 320, 80, 110, 120, 9)
    text_at(mask, "Account number", 60, 130, 22)
    text_at(mask, "please", 800, 130, 22)
    found = chains(mask)
    assert found[0] == boxes
    assert all(bottom - top < 30 for chain in found[1:] for _, top, _, bottom in chain)


def test_a_dot_and_a_dash_between_digits_are_low_marks_of_their_chain() -> None:
    mask = blank(150, 500)
    boxes = row(mask, "27", 30, 40, 60, 110) + row(mask, "03", 300, 40, 60, 60)
    mask[88:95, 108:114] = mask[66:71, 240:262] = 1
    (proposal,) = [found for found in proposals_of(ink_of(mask)) if len(found.tall) > 1]
    assert tall(proposal) == boxes
    assert sorted(proposal.marks.left[proposal.low].tolist()) == [108, 240]


def test_two_parts_of_a_digit_above_one_another_are_proposed_together_too() -> None:
    mask = blank(150, 150)
    boxes = [(50, 30, 91, 66), (50, 70, 91, 110)]
    for left, top, right, bottom in boxes:  # the two rings of an 8, apart
        centre, axes = ((left + right) // 2, (top + bottom) // 2), ((right - left) // 2 - 2, (bottom - top) // 2 - 2)
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 1, 5)
    assert [len(chain) for chain in chains(mask)].count(2) == 1
    by_themselves = [chain[0] for chain in chains(mask) if len(chain) == 1]
    assert sorted(by_themselves) == [(49, 29, 92, 68), (49, 29, 92, 112), (49, 69, 92, 112)]


@pytest.mark.parametrize("parts", [2, 5, 12])
def test_a_digit_in_broken_strokes_is_proposed_as_one_mark(parts: int) -> None:
    mask = blank(200, 160)
    edges = np.linspace(0, 2 * np.pi, parts + 1)
    for start, end in pairwise(edges):
        angle = np.linspace(start, end - 0.12, 40)  # a 0 with gaps
        ring = np.stack([80 + 40 * np.sin(angle), 100 + 60 * np.cos(angle)], axis=1)
        cv2.polylines(mask, [np.rint(ring).astype(np.int32)], False, 1, 5)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert [(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)] in chains(mask)


def test_digits_side_by_side_are_not_put_together_as_one_mark() -> None:
    mask = blank(150, 300)
    boxes = row(mask, "270", 30, 40, 60, 62)
    assert chains(mask) == [boxes]


def test_a_mark_that_loses_ink_as_a_line_is_proposed_whole_as_well() -> None:
    mask = blank(120, 90)
    stroked(mask, [(3, 3), (85, 3), (40, 116)], 2)  # a 7 whose bar lies along the border
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    whole = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    proposals = proposals_of(ink_of(mask))
    assert any(proposal.lined is not None for proposal in proposals)
    assert [whole] in [tall(proposal) for proposal in proposals if proposal.lined is None]


@pytest.mark.parametrize("level", [0, 1])
def test_bare_paper_and_ink_all_over_propose_nothing(level: int) -> None:
    assert proposals_of(ink_of(np.full((100, 100), level, np.uint8))) == []


def test_among_thousands_of_specks_proposals_are_few_and_large_digits_are_one() -> None:
    generator = np.random.default_rng(0)
    mask = blank(2000, 2000)
    for y in range(10, 1980, 14):
        for x in range(10, 1980, 40):
            mask[y : y + int(generator.integers(7, 10)), x : x + 6] = 1
    mask[900:1100, 700:1300] = 0
    boxes = row(mask, "3866", 750, 950, 100, 120, 8)
    proposals = proposals_of(ink_of(mask))
    assert len(proposals) <= 450
    assert sum(len(proposal.tall) for proposal in proposals) <= 3000
    assert boxes in [tall(proposal) for proposal in proposals]
    assert [p.height for p in proposals] == sorted((p.height for p in proposals), reverse=True)


@pytest.mark.parametrize("side", [500, 4000])
def test_a_line_is_at_the_standard_height_and_lies_where_its_marks_are(side: int) -> None:
    mask = blank(side // 2, side)
    scale = side // 500
    boxes = row(mask, "2708", 30 * scale, 60 * scale, 70 * scale, 90 * scale, 6 * scale)
    grey = (0.9 - 0.8 * mask).astype(np.float32)
    proposal = next(p for ink in inks_of(grey) for p in proposals_of(ink) if len(p.tall) == 4)
    line = proposal.line()
    assert 0 <= line.level.min() <= line.level.max() <= 1
    assert line.height == pytest.approx(np.median([bottom - top for _, top, _, bottom in boxes]), rel=0.1)
    rows, columns = np.nonzero(line.level > 0.5)
    assert rows.max() - rows.min() == pytest.approx(HEIGHT, rel=0.2)
    found = line.box(rows.astype(np.float64), columns.astype(np.float64))
    expected = np.array([boxes[0][0], min(b[1] for b in boxes), boxes[-1][2], max(b[3] for b in boxes)])
    assert np.abs(found.to_json() - expected).max() <= 2 * scale


def test_a_line_has_no_ink_of_small_marks_above_or_below_it() -> None:
    alone = blank(300, 560)
    for k, digit in enumerate("27135"):
        row(alone, digit, 30 + 90 * k, 40 + round(0.15 * 90 * k), 70, 0)
    labelled = alone.copy()
    for left in range(60, 200, 20):  # in the box of the digits, as they slope
        labelled[142:154, left : left + 8] = 1
    (expected,), (line,) = (
        [proposal.line() for proposal in proposals_of(ink_of(mask)) if len(proposal.tall) == 5]
        for mask in (alone, labelled)
    )
    assert line.slope == expected.slope > 0.1
    assert (line.level == expected.level).all()


def test_a_chain_that_two_inks_see_alike_is_proposed_once() -> None:
    mask = blank(150, 700)
    boxes = row(mask, "2703581", 30, 40, 60, 80)
    grey = (0.9 - 0.8 * mask).astype(np.float32)
    inks = inks_of(grey)
    assert len(inks) > 1
    assert sum(tall(p) == boxes for ink in inks if ink.scale == 1 for p in proposals_of(ink)) >= 1
    assert sum(len(p.tall) == 7 for p in proposals_in(inks)) == 1


def test_a_chain_and_a_part_of_it_are_both_proposed() -> None:
    whole, part = blank(150, 700), blank(150, 700)
    row(whole, "2703581", 30, 40, 60, 80)
    row(part, "270", 30, 40, 60, 80)
    assert sorted(len(p.tall) for p in proposals_in([ink_of(whole), ink_of(part)])) == [3, 7]
