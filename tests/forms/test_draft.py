"""Drafts of form files: cells, combs, boxes and lines of a blank sheet, in reading order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lenet5.errors import FormError, PictureError
from lenet5.forms.draft import annotated, draft, form_file
from lenet5.forms.form import load_form
from lenet5.forms.registration import FRAME
from tests.forms.sheets import BOX, CELLS, SIZE, blank

SCALE = FRAME / SIZE[1]


def close(box: tuple[int, ...], expected: tuple[float, ...], within: float = 6) -> bool:
    return bool(np.abs(np.array(box) - np.array(expected) * SCALE).max() <= within * SCALE)


def test_a_comb_of_cells_and_a_box_are_found(tmp_path: Path) -> None:
    blank().save(tmp_path / "blank.png")
    first, second, *rest = draft(tmp_path / "blank.png").fields
    assert first.cells == 5
    assert close(first.box, CELLS)
    assert second.cells is None
    assert close(second.box, BOX)
    assert rest == []


def test_teeth_on_a_line_and_a_line_to_write_on_are_found_in_reading_order(tmp_path: Path) -> None:
    page = Image.new("L", SIZE, 255)
    pencil = ImageDraw.Draw(page)
    pencil.text((60, 100), "Meter reading", 0, font_size=24)
    pencil.line((100, 300, 420, 300), 0, 2)
    for k in range(9):
        pencil.line((100 + 40 * k, 282, 100 + 40 * k, 300), 0, 2)
    pencil.line((500, 310, 760, 310), 0, 2)
    for k in range(3):
        pencil.rectangle((100 + 60 * k, 400, 140 + 60 * k, 450), outline=150, width=2)
    page.save(tmp_path / "blank.png")
    fields = draft(tmp_path / "blank.png").fields
    assert [field.cells for field in fields] == [8, None, 3]
    assert close(fields[0].box[::2], (100, 420))
    assert close(fields[0].box[3:], (300,))
    assert close(fields[1].box[::2] + fields[1].box[3:], (500, 760, 310))
    assert close(fields[2].box, (100, 400, 260, 450))


def test_print_headings_of_tables_rules_and_ticks_to_cross_are_no_fields(tmp_path: Path) -> None:
    page = Image.new("L", SIZE, 255)
    pencil = ImageDraw.Draw(page)
    pencil.text((60, 60), "MOON 0088 BOOKS QUOOD", 0, font_size=48)
    pencil.line((60, 125, 500, 125), 0, 2)  # underlined
    pencil.line((40, 200, 790, 200), 0, 2)  # parts the sheet
    pencil.rectangle((60, 300, 75, 315), outline=0, width=2)
    pencil.rectangle((60, 400, 260, 450), outline=0, width=2)
    pencil.text((70, 410), "Heading", 0, font_size=24)
    page.save(tmp_path / "blank.png")
    assert draft(tmp_path / "blank.png").fields == ()


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_the_drafted_file_is_a_form_file(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    path = tmp_path / f"blank{suffix}"
    blank().save(path, **({"resolution": 100} if suffix == ".pdf" else {}))
    text = form_file(draft(path), path, tmp_path / "forms")
    (tmp_path / "forms" / "drafted.toml").write_text(text)
    form = load_form(tmp_path / "forms" / "drafted.toml")
    assert [field.name for field in form.fields] == ["field1", "field2"]
    assert form.fields[0].pattern == r"\d{5}"
    assert 'choices = "class.csv:id"' in text


def test_the_drawing_shows_each_field(tmp_path: Path) -> None:
    blank().save(tmp_path / "blank.png")
    sheet = draft(tmp_path / "blank.png")
    (tmp_path / "drawn.png").write_bytes(annotated(sheet))
    drawn = np.asarray(Image.open(tmp_path / "drawn.png").convert("RGB")).astype(int)
    red = (drawn[..., 0] - drawn[..., 1] > 100).nonzero()
    boxes = np.array([field.box for field in sheet.fields])
    assert abs(red[1].min() - boxes[:, 0].min()) < 5
    assert abs(red[0].max() - boxes[:, 3].max()) < 5


def test_a_blank_or_missing_sheet_is_told(tmp_path: Path) -> None:
    Image.new("L", SIZE, 255).save(tmp_path / "white.png")
    with pytest.raises(FormError, match="is blank"):
        draft(tmp_path / "white.png")
    with pytest.raises(PictureError, match="no such file"):
        draft(tmp_path / "missing.png")
