"""``lenet5 demo``: pictures read, then a network trained, with nothing but the package."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from lenet5.cli import demo
from tests.conftest import Outcome

Command = Callable[..., Outcome]


def test_the_demo_reads_pictures_trains_and_says_what_to_try_next(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "_PASSES", 2)
    monkeypatch.delenv("LENET5_DATA", raising=False)
    outcome = command("demo")
    assert outcome.status == 0
    assert "Traceback" not in outcome.err
    read = [line for line in outcome.out.splitlines() if line.endswith(" sure")]
    assert len(read) >= 1
    assert all(re.search(r" [0-9?]   [0-9.]+% sure$", line) for line in read)
    assert "of 360 unseen digits right" in outcome.out
    for command_name in ("read", "describe", "train", "evaluate"):
        assert re.search(f"\n  .+ {command_name} ", outcome.out)


def test_blocks_show_paper_as_spaces_and_ink_as_full_blocks() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[2:4, 5] = 255
    lines = demo.as_blocks(image).splitlines()
    assert len(lines) == 14
    assert {len(line) for line in lines} == {30}
    assert lines[1] == " " * 7 + "█" + " " * 22
    assert "█" not in "".join(lines[2:])
