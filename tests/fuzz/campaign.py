"""A campaign against one parser in a process of its own, so that it survives crashes of C libraries and hangs."""

from __future__ import annotations

import faulthandler
import mmap
import multiprocessing
import os
import resource
import signal
import struct
import sys
import time
import traceback
import warnings
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from tests.fuzz.corpus import CORPORA
from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS, checked, folder

__all__ = ["Campaign", "Finding", "run"]

_SECONDS: Final = 5.0  # of processor time for one input
_BYTES: Final = 1 << 30  # of memory above what the process takes at its start
_NUMBER: Final = struct.Struct("<q")


@dataclass(frozen=True)
class Finding:
    """An input that a parser neither takes nor refuses in one line."""

    number: int
    what: str
    content: bytes = field(repr=False)


@dataclass
class Campaign:
    """What came of the inputs ``first`` to ``first + inputs`` of one parser; ``seconds`` on the clock."""

    target: str
    first: int
    inputs: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)


def run(target: str, inputs: int, seed: int = 0, first: int = 0, seconds: float = float("inf")) -> Campaign:
    """Give a parser so many mutated inputs, or as many as fit into the seconds."""
    campaign, start, seeds = Campaign(target, first), time.monotonic(), CORPORA[target]()
    at, stop = mmap.mmap(-1, _NUMBER.size), first + inputs
    context = multiprocessing.get_context("fork")
    while first + campaign.inputs < stop and time.monotonic() - start < seconds:
        begin, left = first + campaign.inputs, seconds - (time.monotonic() - start)
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_work, args=(target, seeds, seed, begin, stop, left, at, theirs))
        child.start()
        theirs.close()
        done = None
        while done is None:
            try:
                report = ours.recv()
            except EOFError:  # it was killed in the middle of an input
                number = int(_NUMBER.unpack_from(at)[0])
                child.join()
                reason = (
                    signal.Signals(-child.exitcode).name if (child.exitcode or 0) < 0 else f"status {child.exitcode}"
                )
                what = f"over {_SECONDS:g} s" if reason == "SIGPROF" else f"the process died: {reason}"
                campaign.findings.append(Finding(number, what, mutated(seeds, seed, number)))
                done = number + 1
            else:
                if isinstance(report, int):
                    done = report
                else:
                    number, what = report
                    campaign.findings.append(Finding(number, what, mutated(seeds, seed, number)))
        child.join()
        campaign.inputs = done - first
    campaign.seconds = time.monotonic() - start
    return campaign


def _work(
    target: str, seeds: list[bytes], seed: int, begin: int, stop: int, seconds: float, at: mmap.mmap, pipe: Connection
) -> None:
    """Parse input after input; sends (number, what) of a finding, and at the end the number of the next input."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what C libraries print
    faulthandler.disable()
    warnings.simplefilter("error")
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    parser, end = TARGETS[target], time.monotonic() + seconds
    most = _memory() + _BYTES
    with folder() as name:
        place = Path(name)
        for number in range(begin, stop):
            if time.monotonic() > end:
                pipe.send(number)
                break
            _NUMBER.pack_into(at, 0, number)
            signal.setitimer(signal.ITIMER_PROF, _SECONDS)
            try:
                checked(parser, mutated(seeds, seed, number), place)
            except BaseException as error:
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(last.filename).name}:{last.lineno}"
                pipe.send((number, f"{type(error).__name__} at {where}: {error}"[:300]))
            signal.setitimer(signal.ITIMER_PROF, 0)
            if _memory() > most:
                pipe.send((number, "over 1 GB of memory"))
                pipe.send(number + 1)
                break
        else:
            pipe.send(stop)


def _memory() -> int:
    """The largest memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
