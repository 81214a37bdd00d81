"""What the fields of a form ask of their texts, kept in the review folder: a person who types sees what is broken.

A form has one file, ``forms/NAME.json``: its format, its name, and its fields with the keys of a form file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from lenet5.codes import DIGITS, SEPARATORS
from lenet5.errors import PatternError
from lenet5.files import make_folder, write_beside
from lenet5.forms.form import Field, Form
from lenet5.parsing import parsed_json
from lenet5.reading.constraint import compile_constraint

__all__ = ["Rules", "broken", "keep_rules", "load_rules"]

FORMAT: Final = 1
_FOLDER: Final = "forms"

Rules = Mapping[str, tuple[Field, ...]]
"""The fields of each form by its name, in their order."""


def keep_rules(folder: Path, form: Form) -> None:
    """Write what the fields of a form ask of their texts into a review folder. Raises OutputError.

    >>> import numpy as np
    >>> import tempfile
    >>> exam = Form("exam", np.full((9, 9), 255, np.uint8), (Field("code", (0, 0, 1, 1), pattern=r"\\d{4}"),))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keep_rules(Path(folder), exam)
    ...     load_rules(Path(folder))["exam"] == exam.fields
    True
    """
    make_folder(folder / _FOLDER)
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", form.name)[:30]
    path = folder / _FOLDER / f"{plain}-{hashlib.sha256(form.name.encode()).hexdigest()[:6]}.json"
    content = {"format": FORMAT, "name": form.name, "fields": [asdict(field) for field in form.fields]}
    write_beside(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def load_rules(folder: Path) -> Rules:
    """The fields of the forms of a review folder; what cannot be read of them has no rules.

    >>> load_rules(Path("no such folder"))
    {}
    """
    rules: dict[str, tuple[Field, ...]] = {}
    for path in sorted((folder / _FOLDER).glob("*.json")):
        try:
            content = parsed_json(path.read_text(encoding="utf-8"))
            rules[str(content["name"])] = tuple(_field(keys) for keys in content["fields"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return rules


def broken(field: Field, text: str) -> list[str]:
    """The keys of a form file that a text breaks: of "required", "pattern", "choices" and "check".

    >>> broken(Field("code", (0, 0, 1, 1), pattern=r"\\d{4}", choices=("1234", "7992"), check="luhn"), "1234")
    ['check']
    """
    if text == "":
        return ["required"] if field.required else []
    cells = rf"\d{{{field.cells}}}" if field.cells and field.choices is None else None
    constraints: dict[str, dict[str, Any]] = {
        "pattern": {"pattern": field.pattern or cells},
        "choices": {"choices": field.choices},
        "check": {"check": field.check},
    }
    return [key for key, arguments in constraints.items() if not _satisfies(text, arguments)]


def _satisfies(text: str, arguments: dict[str, Any]) -> bool:
    """Whether a text satisfies one constraint; one that this version does not know is satisfied."""
    try:
        constraint = compile_constraint(DIGITS + SEPARATORS, **arguments)
    except PatternError:
        return True
    return constraint is None or constraint.allows(text)


def _field(content: Mapping[str, Any]) -> Field:
    box, choices = content["box"], content.get("choices")
    keys = {key: content[key] for key in Field.__dataclass_fields__ if key in content}
    return Field(**{**keys, "box": tuple(box), "choices": None if choices is None else tuple(choices)})
