"""What people decided about doubtful fields: one small file a field, in which nothing that was decided is lost.

    ITEM.correction.json   {"format": 1, "text": "4711", "read": "4771", "revision": 2, "time": …, "earlier": […]}

Whoever decides names the revision that was seen, 0 for none: if somebody else decided in the meantime, the decision is
refused and theirs is told. A lock file makes this hold between processes, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import filelock

from lenet5.errors import LeNet5Error, OutputError
from lenet5.files import write_beside
from lenet5.parsing import parsed_json

__all__ = ["SUFFIX", "ConflictError", "Decision", "MissingItemError", "decide", "deciding", "decision_of"]

FORMAT: Final = 1

SUFFIX: Final = ".correction.json"
"""The end of the name of the file of a decision, after the item's name."""

_PATIENCE: Final = 10.0  # seconds: others hold the lock for milliseconds
_LOCK: Final = ".corrections.lock"


class ConflictError(LeNet5Error):
    """Somebody else decided in the meantime; ``current`` is what.

    >>> str(ConflictError(Decision("7", "1", 1, "2024-05-01T12:00:00+00:00")))
    "somebody else decided in the meantime: '7'"
    """

    def __init__(self, current: Decision) -> None:
        super().__init__(f"somebody else decided in the meantime: {current.text!r}")
        self.current = current


class MissingItemError(LeNet5Error):
    """There is no such item, or it is doubtful no more.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     decide(Path(folder), "no item", "7", 0)
    Traceback (most recent call last):
        ...
    lenet5.forms.decisions.MissingItemError: this field is doubtful no more: it was read again
    """


@dataclass(frozen=True)
class Decision:
    """What a person said stands in a field, ``text``, and what was ``read``; decision number ``revision`` on the field.

    ``time`` is in UTC; ``earlier`` are the decisions before it, the first one first.

    >>> decision = Decision("7", "1", 1, "2024-05-01T12:00:00+00:00")
    >>> decision.accepted, Decision("7", "7", 1, "2024-05-01T12:00:00+00:00").accepted
    (False, True)
    """

    text: str
    read: str
    revision: int
    time: str
    earlier: tuple[dict[str, Any], ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether what was read is right."""
        return self.text == self.read


@contextmanager
def deciding(folder: Path) -> Iterator[None]:
    """Hold the right to change decisions and to remove items. Raises OutputError where the folder is not writable.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, deciding(Path(folder)):
    ...     "others wait"
    'others wait'
    """
    lock = filelock.FileLock(folder / _LOCK, timeout=_PATIENCE)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise OutputError(f"another program holds {folder / _LOCK}: end it, and try again") from None
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


def decision_of(folder: Path, item: str) -> Decision | None:
    """The decision on an item; None without one. Raises OutputError for a file that is not one.

    >>> decision_of(Path("no such folder"), "an item") is None
    True
    """
    path = folder / f"{item}{SUFFIX}"
    try:
        content = parsed_json(path.read_text(encoding="utf-8"))
        earlier = tuple(dict(decision) for decision in content.get("earlier", ()))
        text, read, revision = content["text"], content["read"], content["revision"]
        if content["format"] != FORMAT or not (
            isinstance(text, str) and isinstance(read, str) and type(revision) is int
        ):
            raise TypeError
        return Decision(text, read, revision, str(content["time"]), earlier)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise OutputError(f"{path} is no correction that this version wrote: mend or remove it") from None


def decide(folder: Path, item: str, text: str, revision: int) -> Decision:
    """Store a person's text of a field; ``revision`` is the number of the decision that the person saw, 0 for none.

    The same text again changes nothing. Raises ConflictError where another decision was made in the meantime,
    MissingItemError where the item is gone, OutputError where the folder cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "item.json").write_text('{"text": "1"}')  # what was read
    ...     decision = decide(Path(folder), "item", "7", revision=0)
    >>> decision.text, decision.read, decision.revision
    ('7', '1', 1)
    """
    with deciding(folder):
        try:
            read = parsed_json((folder / f"{item}.json").read_text(encoding="utf-8"))["text"]
        except (OSError, ValueError, KeyError, TypeError):
            raise MissingItemError("this field is doubtful no more: it was read again") from None
        current = decision_of(folder, item)
        if current is not None and current.text == text:
            return current
        earlier: tuple[dict[str, Any], ...] = ()
        if current is not None:
            if current.revision != revision:
                raise ConflictError(current)
            earlier = (*current.earlier, {"text": current.text, "read": current.read, "time": current.time})
        time = datetime.now(timezone.utc).isoformat(timespec="seconds")
        decision = Decision(text, str(read), 1 if current is None else revision + 1, time, earlier)
        content = json.dumps({"format": FORMAT, **asdict(decision)}, indent=1, ensure_ascii=False)
        write_beside(folder / f"{item}{SUFFIX}", (content + "\n").encode())
        return decision
