"""Signals that end a long run the way Ctrl-C does."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["stop_like_ctrl_c"]


@contextmanager
def stop_like_ctrl_c() -> Iterator[None]:
    """Within it SIGTERM and SIGHUP raise KeyboardInterrupt; a signal that is ignored, as by nohup, stays ignored.

    After SIGHUP the terminal is gone: what would be written to it is thrown away, as it could only fail.

    >>> with stop_like_ctrl_c():
    ...     signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    False
    """
    terminals = [number for number in (1, 2) if os.isatty(number)]

    def interrupt(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGTERM and terminals:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for terminal in terminals:
                os.dup2(nowhere, terminal)
        raise KeyboardInterrupt

    former = {}
    if threading.current_thread() is threading.main_thread():  # others cannot have handlers
        signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
        former = {number: signal.getsignal(number) for number in signals}
        former = {number: handler for number, handler in former.items() if handler == signal.SIG_DFL}
    try:
        for number in former:
            signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
