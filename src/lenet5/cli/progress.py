"""Progress bars on stderr, where that is a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

__all__ = ["Download", "bar", "console", "say"]


def say(line: str) -> None:
    """A note for the user on stderr, beside the results."""
    click.echo(f"lenet5: {line}", err=True)


def console() -> Console:
    """The terminal that progress and notes go to."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def bar(*columns: str) -> Progress:
    """A bar with its task's description, share done and time left, and further text columns."""
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    terminal = console()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        TaskProgressColumn(),
        *(TextColumn(column) for column in columns),
        TimeRemainingColumn(compact=True),
        console=terminal,
        disable=not terminal.is_terminal,
    )


class Download:
    """A download's progress bar, with the methods that pooch calls."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._total = 0.0

    @property
    def total(self) -> float:
        return self._total

    @total.setter
    def total(self, size: float) -> None:
        self._total = size
        self._progress = bar()
        self._progress.start()
        self._progress.add_task("fetching data", total=size)

    def update(self, size: int) -> None:
        if self._progress:
            self._progress.advance(self._progress.task_ids[0], size)

    def reset(self) -> None:
        if self._progress:
            self._progress.reset(self._progress.task_ids[0])

    def close(self) -> None:
        if self._progress:
            self._progress.stop()
            self._progress = None
