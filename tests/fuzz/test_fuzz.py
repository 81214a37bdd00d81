"""Every parser takes mutated files or refuses them in one line: a short fixed run; make fuzz runs for longer."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tests.fuzz import campaign
from tests.fuzz.campaign import run
from tests.fuzz.corpus import CORPORA
from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS, checked

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="campaigns fork"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_itself_is_taken_or_refused_in_one_line(target: str, tmp_path: Path) -> None:
    for content in CORPORA[target]():
        checked(TARGETS[target], content, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_mutated_files_are_taken_or_refused_in_one_line(target: str) -> None:
    outcome = run(target, inputs=300)
    assert outcome.inputs == 300
    assert outcome.findings == []


def test_an_input_is_the_same_wherever_it_is_drawn() -> None:
    seeds = CORPORA["png"]()
    assert [mutated(seeds, 0, k) for k in range(9)] == [mutated(CORPORA["png"](), 0, k) for k in range(9)]
    assert len({mutated(seeds, 0, k) for k in range(99)}) > 90
    assert mutated(seeds, 0, 1) != mutated(seeds, 1, 1)


# --- a campaign finds what is to be found, and goes on ---


def _raises(content: bytes, folder: Path) -> None:
    raise KeyError("a defect")


def _dies(content: bytes, folder: Path) -> None:
    os.abort()


def _hangs(content: bytes, folder: Path) -> None:
    end = time.process_time() + 30
    while time.process_time() < end:
        pass


def _grows(content: bytes, folder: Path) -> None:
    assert b"\1" * (2 * campaign._BYTES)  # the kernel counts pages by the way, some too few


@pytest.mark.parametrize(
    ("parser", "what"),
    [(_raises, "KeyError"), (_dies, "SIGABRT"), (_hangs, "over 0.2 s"), (_grows, "memory")],
    ids=["raises", "dies", "hangs", "grows"],
)
def test_a_campaign_names_each_defect_and_goes_on(parser: object, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGETS, "query", parser)  # type: ignore[arg-type]
    monkeypatch.setattr(campaign, "_SECONDS", 0.2)
    monkeypatch.setattr(campaign, "_BYTES", 50_000_000)
    outcome = run("query", inputs=3)
    assert outcome.inputs == 3
    assert [finding.number for finding in outcome.findings] == [0, 1, 2]
    assert all(what in finding.what for finding in outcome.findings)
    assert outcome.findings[1].content == mutated(CORPORA["query"](), 0, 1)
