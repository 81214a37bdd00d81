"""Signals that end a long run the way Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["stop_like_ctrl_c"]


@contextmanager
def stop_like_ctrl_c() -> Iterator[None]:
    """Within it SIGTERM and SIGHUP raise KeyboardInterrupt; a signal that is ignored, as by nohup, stays ignored."""
    former = {}
    if threading.current_thread() is threading.main_thread():  # others cannot have handlers
        signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
        former = {number: signal.getsignal(number) for number in signals}
        former = {number: handler for number, handler in former.items() if handler == signal.SIG_DFL}
    try:
        for number in former:
            signal.signal(number, _interrupt)
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
