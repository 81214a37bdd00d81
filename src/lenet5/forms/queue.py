"""The items of a review folder as a queue: fields of one kind together, those that nobody decided on yet."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lenet5.errors import OutputError
from lenet5.forms.decisions import SUFFIX, MissingItemError
from lenet5.forms.form import Field
from lenet5.forms.review import FORMAT
from lenet5.forms.rules import Rules, load_rules
from lenet5.parsing import parsed_json

__all__ = ["Item", "Kind", "Queue", "State"]

_NAME: Final = re.compile(r"[0-9a-f]{0,16}-p\d{4,}-[A-Za-z0-9_]*-[A-Za-z0-9_]*-[0-9a-f]{6}")
_LOOKED_AT: Final = 120.0  # seconds for which an item that somebody has is not given to others


@dataclass(frozen=True)
class Item:
    """A doubtful field: its ``name``, the ``content`` of its file, and whether a person ``decided`` on it.

    >>> item = Item("0a-p0001-exam-code-1b2c3d", {"form": "exam", "field": "code"}, decided=False)
    >>> item.kind
    ('exam', 'code')
    """

    name: str
    content: dict[str, Any]
    decided: bool

    @property
    def kind(self) -> tuple[str, str]:
        """The names of the form and of the field."""
        return str(self.content["form"]), str(self.content["field"])


@dataclass(frozen=True)
class Kind:
    """How many items there are of a field of a form, and on how many a person decided.

    >>> kind = Kind("exam", "code", items=12, decided=5)
    >>> kind.items - kind.decided  # wait for a person
    7
    """

    form: str
    field: str
    items: int
    decided: int


@dataclass(frozen=True)
class State:
    """How far the review is: by kind, and how many files of items cannot be read.

    >>> state = State((Kind("exam", "code", 12, 5), Kind("exam", "room", 3, 3)), unreadable=0)
    >>> state.items, state.decided
    (15, 8)
    """

    kinds: tuple[Kind, ...]
    unreadable: int

    @property
    def items(self) -> int:
        return sum(kind.items for kind in self.kinds)

    @property
    def decided(self) -> int:
        return sum(kind.decided for kind in self.kinds)


class Queue:
    """The items of a review folder, read anew at each call: runs and other people change it all the time.

    It may be used by several threads. Raises OutputError where the folder is missing. ``clock`` tells seconds.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Queue(Path(folder)).next(after="", viewer="a tab") is None  # nothing is to be decided
    True
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self._clock = folder, clock
        self._parsed: dict[str, tuple[int, dict[str, Any] | None]] = {}
        self._viewed: dict[str, tuple[str, float]] = {}
        self._lock = threading.RLock()
        self._entries()

    def items(self) -> list[Item]:
        """All items in their order."""
        return self._items()[0]

    def state(self) -> State:
        """The progress of the review."""
        items, unreadable = self._items()
        kinds: dict[tuple[str, str], list[bool]] = {}
        for item in items:
            kinds.setdefault(item.kind, []).append(item.decided)
        counts = (Kind(*kind, len(decided), sum(decided)) for kind, decided in kinds.items())
        return State(tuple(counts), unreadable)

    def item(self, name: str) -> Item:
        """The item of this name. Raises MissingItemError."""
        try:
            content = _checked((self.folder / f"{name}.json").read_text("utf-8")) if _NAME.fullmatch(name) else None
        except (OSError, ValueError):
            content = None
        if content is None:
            raise MissingItemError("there is no such field here, or it is doubtful no more")
        return Item(name, content, (self.folder / f"{name}{SUFFIX}").exists())

    def field(self, item: Item) -> Field | None:
        """The form's field of an item; None where the folder has no rule for it."""
        fields = load_rules(self.folder).get(item.kind[0], ())
        return next((field for field in fields if field.name == item.kind[1]), None)

    def next(self, after: str, viewer: str) -> Item | None:
        """The undecided item after the one of this name (from the beginning again at the end), None if all are decided.

        An item that another viewer got in the last two minutes comes last. The item is held for ``viewer``.
        """
        with self._lock:
            items = self.items()
            at = next((k + 1 for k, item in enumerate(items) if item.name == after), 0)
            waiting = [item for item in items[at:] + items[:at] if not item.decided]
            now = self._clock()
            self._viewed = {name: view for name, view in self._viewed.items() if now - view[1] < _LOOKED_AT}
            others = [item for item in waiting if item.name != after]
            free = [item for item in others if self._viewed.get(item.name, (viewer, now))[0] == viewer]
            item = next(iter(free or others or waiting), None)
            if item is not None:
                self.hold(item.name, viewer)
            return item

    def hold(self, name: str, viewer: str) -> None:
        """Note that a viewer looks at this item and at no other."""
        with self._lock:
            self._viewed = {item: view for item, view in self._viewed.items() if view[0] != viewer}
            self._viewed[name] = (viewer, self._clock())

    def before(self, name: str) -> Item | None:
        """The item before the one of this name, decided or not; the last one for an unknown name; None at the start."""
        items = self.items()
        at = next((k for k, item in enumerate(items) if item.name == name), len(items))
        return items[at - 1] if at else None

    def _items(self) -> tuple[list[Item], int]:
        """All items in their order, and how many files cannot be read."""
        entries = self._entries()
        names = {entry.name for entry in entries}
        items, unreadable = [], 0
        with self._lock:
            for entry in entries:
                name = entry.name.removesuffix(".json")
                if entry.name.endswith(SUFFIX) or not _NAME.fullmatch(name) or name == entry.name:
                    continue
                content = self._content(entry)
                unreadable += content is None
                if content is not None:
                    items.append(Item(name, content, f"{name}{SUFFIX}" in names))
            self._parsed = {name: parsed for name, parsed in self._parsed.items() if name in names}
        return sorted(items, key=_order(load_rules(self.folder))), unreadable

    def _entries(self) -> Sequence[os.DirEntry[str]]:
        try:
            with os.scandir(self.folder) as entries:
                return list(entries)
        except OSError as error:
            raise OutputError(f"cannot read {self.folder}: {error.strerror}") from None

    def _content(self, entry: os.DirEntry[str]) -> dict[str, Any] | None:
        """An item's content, parsed again where its file changed; None for another file, or one that was removed."""
        try:
            changed = entry.stat().st_mtime_ns
            if entry.name not in self._parsed or self._parsed[entry.name][0] != changed:
                self._parsed[entry.name] = (changed, _checked(Path(entry.path).read_text(encoding="utf-8")))
            return self._parsed[entry.name][1]
        except (OSError, ValueError):
            return None


def _checked(text: str) -> dict[str, Any] | None:
    """The content of an item's file; None where a key is missing or of another type."""
    content = parsed_json(text)
    types: dict[str, type | tuple[type, ...]] = {
        "form": str, "field": str, "file": str, "page": int, "text": str, "confidence": (int, float),
        "alternatives": list, "reasons": list, "box": list,
    }  # fmt: skip
    readable = isinstance(content, dict) and content.get("format") == FORMAT
    return content if readable and all(isinstance(content.get(key), kind) for key, kind in types.items()) else None


def _order(rules: Rules) -> Callable[[Item], tuple[Any, ...]]:
    """Items by form, by field in the form's order, by file and page."""
    places = {(form, field.name): k for form, fields in rules.items() for k, field in enumerate(fields)}

    def key(item: Item) -> tuple[Any, ...]:
        form, field = item.kind
        return form, places.get((form, field), len(places)), field, item.content["file"], item.content["page"]

    return key
