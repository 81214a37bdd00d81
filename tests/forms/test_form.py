"""Form files: what is in them, and that each mistake is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from lenet5.errors import FormError
from lenet5.forms.form import MIN_CONFIDENCE, load_form
from tests.forms.sheets import TOML, blank, write_form


def test_a_form_file_has_its_fields_in_order(tmp_path: Path) -> None:
    form = load_form(write_form(tmp_path))
    assert form.name == "meters"
    assert [field.name for field in form.fields] == ["number", "amount"]
    number, amount = form.fields
    assert (number.cells, number.required, number.unique) == (5, True, False)
    assert number.min_confidence == MIN_CONFIDENCE
    assert number.constraint().allows("20731")
    assert not number.constraint().allows("2073")
    assert amount.constraint().allows("7")
    assert form.blank.shape == blank().size[::-1]


def test_the_first_page_of_a_pdf_may_be_the_reference(tmp_path: Path) -> None:
    path = write_form(tmp_path, TOML.replace("blank.png", "blank.pdf"))
    blank().save(tmp_path / "blank.pdf", save_all=True, append_images=[Image.new("L", (100, 100), 255)], resolution=100)
    height, width = load_form(path).blank.shape
    assert abs(width / height - 827 / 1169) < 0.01


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.6046, 0.2652", "1.3, 0.2652", "line 5: box: 1.3 is outside 0..1"),
        ("0.6046, 0.2652", "nan, 0.2652", "line 5: box: nan is outside 0..1"),
        ("0.6046, 0.2652", "0.1, 0.2652", "line 5: box: left is before right"),
        (", 0.6046, 0.2652", "", "line 5: box: give left, top, right, bottom"),
        ("cells = 5", "cell = 5", "line 6: cell: there is no such key: did you mean cells?"),
        ("cells = 5", "cells = 0", "line 6: cells: the number of cells is a whole number from 1"),
        ("cells = 5", "cells = true", "line 6: cells"),
        ('name = "amount"', 'name = "number"', "line 10: name: there are two fields 'number'"),
        ('name = "amount"', 'name = "page"', "line 10: name: 'page' is the name of another column"),
        ('name = "amount"', 'name = "a b"', "line 10: name: a name has letters"),
        ("'\\d{1,4}'", "'\\d{4'", "line 12: pattern: "),
        ("'\\d{1,4}'", "'[a-f]'", "line 12: pattern: "),
        ("'\\d{1,4}'", "12", "line 12: pattern: write it in quotes"),
        ("required = true", 'required = "yes"', "line 7: required: write true or false"),
        ("required = true", "min_confidence = 95", "line 7: min_confidence: a probability is in 0..1, not 95"),
        ("required = true", 'check = "crc"', "line 7: check: there is no check 'crc'"),
        ("required = true", 'choices = "class.csv:id"', "line 7: choices: no such file: "),
        ("required = true", 'choices = ["1234"]\npattern = "9+"', "line 7: choices: no choice matches pattern"),
        ("required = true", 'choices = ["s1234"]', "line 7: choices: choice 's1234': character 1"),
        ("required = true", "choices = []", "line 7: choices: a list holds texts"),
        ('reference = "blank.png"', 'references = "blank.png"', "line 1: references: there is no such key"),
        ('reference = "blank.png"', "", "reference: name the picture or PDF of the blank sheet"),
        ("blank.png", "missing.png", "line 1: reference: no such file: "),
        ("[[field]]", "[field]", "no TOML"),
        ('reference = "blank.png"', "reference = blank.png", "line 1: no TOML"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = write_form(tmp_path, TOML.replace(old, new, 1))
    with pytest.raises(FormError) as error:
        load_form(path)
    assert message in str(error.value)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_reference_without_print_is_refused(tmp_path: Path) -> None:
    path = write_form(tmp_path)
    Image.new("L", (800, 1100), 250).save(tmp_path / "blank.png")
    with pytest.raises(FormError, match=r"line 1: reference: .*blank\.png is blank"):
        load_form(path)


def test_a_form_without_fields_or_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormError, match=r"there is no \[\[field\]\]"):
        load_form(write_form(tmp_path, 'reference = "blank.png"\n'))
    with pytest.raises(FormError, match="cannot read"):
        load_form(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe4"')
    with pytest.raises(FormError, match="not UTF-8"):
        load_form(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    "table",
    ["id,name\n20731,A\n10002,B\n", "\ufeffname;id\nA;20731\nB;10002\nC;\nB;10002\n", "name\tid\nA\t20731\nB\t10002\n"],
)
def test_a_list_is_a_column_of_a_table(table: str, tmp_path: Path) -> None:
    (tmp_path / "class.csv").write_text(table, encoding="utf-8")
    path = write_form(tmp_path, TOML.replace("required = true", 'choices = "class.csv:id"'))
    assert load_form(path).fields[0].choices == ("20731", "10002")


def test_a_list_is_the_lines_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "codes.txt").write_text("20731\n\n10002\n")
    path = write_form(tmp_path, TOML.replace("required = true", 'choices = "codes.txt"'))
    assert load_form(path).fields[0].choices == ("20731", "10002")


def test_a_list_without_the_column_says_which_there_are(tmp_path: Path) -> None:
    (tmp_path / "class.csv").write_text("number,name\n1,A\n")
    path = write_form(tmp_path, TOML.replace("required = true", 'choices = "class.csv:id"'))
    with pytest.raises(
        FormError, match=r"line 7: choices: .*class\.csv has no column 'id'; its first row is: number, name"
    ):
        load_form(path)
