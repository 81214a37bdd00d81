"""A sheet: its fields are read, and none is quietly wrong."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lenet5 import Reader
from lenet5.errors import PictureError
from lenet5.forms.sheet import FormReader, Sheet
from tests.forms.sheets import BOX, CELLS, filled, form, seen_through, turned

Read = Callable[..., Sheet]


@pytest.fixture
def read(reader: Reader) -> Read:
    """Reads a sheet with these digits by the form with these changes."""

    def reading(number: str = "20731", amount: str = "465", **changes: Any) -> Sheet:
        return FormReader([form(**changes)], reader).read(np.asarray(filled(number, amount)))

    return reading


def test_both_fields_are_read(read: Read) -> None:
    sheet = read()
    assert sheet.texts == {"number": "20731", "amount": "465"}
    assert sheet.review == []
    assert all(reading.confidence > 0.9 for reading in sheet.fields)


@pytest.mark.parametrize("degrees", [0, 3, 180])
def test_a_sheet_that_lies_askew_is_read(degrees: float, reader: Reader) -> None:
    scan = seen_through(filled(), turned(degrees))
    assert FormReader([form()], reader).read(scan).texts == {"number": "20731", "amount": "465"}


def test_a_coloured_pen_is_read(reader: Reader) -> None:
    grey = np.asarray(filled()).astype(int)
    ink = (np.asarray(filled("     ", "")).astype(int) - grey) / 255
    colour = np.stack([grey, grey + ink * 60, np.minimum(grey + ink * 250, 255)], axis=-1).clip(0, 255)
    assert FormReader([form()], reader).read(colour.astype(np.uint8)).texts["number"] == "20731"


def test_an_empty_field_is_empty_and_only_a_required_one_is_looked_at(read: Read) -> None:
    sheet = read("     ", "")
    assert sheet.texts == {"number": "", "amount": ""}
    assert sheet.review == ["number"]
    assert sheet.fields[0].reasons == ("empty",)
    assert sheet.fields[1].confidence > 0.9


def test_a_number_that_is_not_in_the_list_is_shown_as_written_and_looked_at(read: Read) -> None:
    sheet = read(choices=("11111", "48605"))
    assert sheet.texts["number"] == "20731"
    assert "not in the list" in sheet.fields[0].reasons


def test_a_list_makes_a_number_surer(read: Read) -> None:
    alone, listed = (read(choices=choices).fields[0] for choices in (None, ("20731", "11111", "48605")))
    assert listed.text == alone.text == "20731"
    assert listed.confidence >= alone.confidence


def test_a_wrong_check_digit_is_looked_at_and_a_right_one_is_not(read: Read) -> None:
    wrong = read("20731", check="luhn")
    assert wrong.texts["number"] == "20731"
    assert "wrong check digit" in wrong.fields[0].reasons
    right = read("20735", check="luhn")  # 2·1 + 0 + 5 + 3 + 1 + … is a multiple of ten
    assert right.texts["number"] == "20735"
    assert "wrong check digit" not in right.fields[0].reasons


@pytest.mark.parametrize("number", ["2073 ", "20 31"])
def test_too_few_digits_are_looked_at(number: str, read: Read) -> None:
    sheet = read(number)
    assert sheet.review == ["number"]


def test_a_cell_left_empty_between_others_is_looked_at(read: Read) -> None:
    sheet = read("20 31", pattern=r"\d{4,5}")
    assert sheet.texts["number"] == "2031"
    assert "a cell is empty" in sheet.fields[0].reasons


def test_fewer_digits_than_cells_are_right_where_the_pattern_has_it_so(read: Read) -> None:
    sheet = read("207  ", pattern=r"\d{1,5}")
    assert sheet.texts["number"] == "207"
    assert sheet.review == []


def test_below_its_least_confidence_a_field_is_looked_at(read: Read) -> None:
    sheet = read(min_confidence=1.0)
    assert sheet.review == ["number"]
    assert sheet.fields[0].reasons == ("less sure than 1",)


def test_a_crossed_out_field_is_looked_at(reader: Reader) -> None:
    page = filled()
    pencil = ImageDraw.Draw(page)
    for k in range(CELLS[0], CELLS[2], 12):
        pencil.line((k, CELLS[1] + 5, k + 24, CELLS[3] - 5, k + 12, CELLS[1] + 5), fill=30, width=5)
    assert "number" in FormReader([form()], reader).read(np.asarray(page)).review


def test_writing_beside_a_field_is_not_of_it(reader: Reader) -> None:
    page = filled()
    pencil = ImageDraw.Draw(page)
    pencil.line((BOX[2] + 12, BOX[1], BOX[2] + 12, BOX[3]), fill=30, width=5)
    pencil.line((BOX[0], BOX[3] + 12, BOX[2], BOX[3] + 14), fill=30, width=4)
    sheet = FormReader([form()], reader).read(np.asarray(page))
    assert sheet.texts["amount"] == "465"


def test_a_sheet_of_another_form_is_told_not_read(reader: Reader) -> None:
    with pytest.raises(PictureError, match="no sheet of form meters"):
        FormReader([form()], reader).read(Image.new("L", (800, 1100), 255))


def test_a_form_reader_goes_to_another_process(reader: Reader) -> None:
    copy = pickle.loads(pickle.dumps(FormReader([form()], reader)))
    assert copy.read(np.asarray(filled())).texts == {"number": "20731", "amount": "465"}
