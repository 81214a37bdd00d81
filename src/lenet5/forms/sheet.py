"""One sheet: laid onto the form that it is, its fields cut out and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import PictureError
from lenet5.forms.fields import FieldReading, read_field
from lenet5.forms.form import Form
from lenet5.forms.ink import cut_out
from lenet5.forms.registration import LEAST_QUALITY, Reference, Registration, Scan, register, warped
from lenet5.forms.scans import grey_of
from lenet5.reading.opening import Source, open_picture
from lenet5.reading.picture import Picture
from lenet5.reading.reader import Reader

__all__ = ["FormReader", "Sheet"]


@dataclass(frozen=True, eq=False)
class Sheet:
    """What was read on one sheet: its ``form``, how it lies on it, and a reading for each of the form's fields.

    ``straight`` (H, W) uint8 is the sheet as the blank one lies.

    >>> from lenet5.forms.ink import Cut
    >>> from lenet5.forms.form import Field
    >>> blank = np.full((40, 40), 255, np.uint8)
    >>> form = Form("exam", blank, (Field("code", (0, 0, 1, 1)),))
    >>> reading = FieldReading("7", 0.6, (), ("less sure than 0.95",), Cut(blank, 255 - blank, (0.0, 0.0, 40.0, 40.0)))
    >>> sheet = Sheet(form, register(Scan.of(blank), [])[1], (reading,), blank)
    >>> sheet.texts, sheet.review
    ({'code': '7'}, ['code'])
    """

    form: Form
    registration: Registration
    fields: tuple[FieldReading, ...]
    straight: NDArray[np.uint8] = field(repr=False)

    @property
    def texts(self) -> dict[str, str]:
        """The text of each field by its name."""
        return {field.name: reading.text for field, reading in zip(self.form.fields, self.fields, strict=True)}

    @property
    def review(self) -> list[str]:
        """The names of the fields that a person should look at."""
        return [field.name for field, reading in zip(self.form.fields, self.fields, strict=True) if reading.reasons]


class FormReader:
    """Reads sheets of one or several forms; picklable.

    >>> from lenet5.forms.form import load_form  # doctest: +SKIP
    >>> FormReader([load_form("exam.toml")]).read("scan.jpg").texts  # doctest: +SKIP
    {'student': '217483905', 'room': '12'}
    """

    def __init__(self, forms: Sequence[Form], reader: Reader | None = None) -> None:
        self.forms = tuple(forms)
        self.reader = reader or Reader()

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The blank sheets of the forms, made ready once."""
        return tuple(Reference.of(form.blank) for form in self.forms)

    def read(self, source: Source | Picture) -> Sheet:
        """The fields of a sheet: of the form that it lies on best. Raises PictureError for a sheet of none of them."""
        scan = Scan.of(grey_of(open_picture(source)))
        number, best = register(scan, self.references)
        form, reference = self.forms[number], self.references[number]
        if best.quality < LEAST_QUALITY:
            which = f"form {form.name}" if len(self.forms) == 1 else f"any of the {len(self.forms)} forms"
            seen = f"{best.quality:.0%} of the print is where it should be, {LEAST_QUALITY:.0%} is needed"
            raise PictureError(f"no sheet of {which}: {seen}")
        cuts = [cut_out(scan, reference, best, field.box) for field in form.fields]
        readings = tuple(
            read_field(field, cut, self.reader.line_model) for field, cut in zip(form.fields, cuts, strict=True)
        )
        return Sheet(form, best, readings, warped(scan.levels, best.matrix, reference.size))
