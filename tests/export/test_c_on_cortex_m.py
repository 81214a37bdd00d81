"""The exported C on an emulated Cortex-M0+ and M4: the host's answers, and how many instructions they take."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lenet5 import weights
from lenet5.export.c import source

FOLDER = Path(__file__).parent / "cortex_m"
COMPILER, EMULATOR = "arm-none-eabi-gcc", "qemu-system-arm"
MISSING = [program for program in (COMPILER, EMULATOR, "gcc") if shutil.which(program) is None]
pytestmark = [
    pytest.mark.emulator,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


@dataclass(frozen=True)
class Core:
    """A core, as the compiler and the emulator name it. The micro:bit has an M0, whose instructions are the M0+'s."""

    name: str
    flags: tuple[str, ...]
    machine: str


CORES = [
    Core("Cortex-M0+", ("-mcpu=cortex-m0plus",), "microbit"),
    Core("Cortex-M4", ("-mcpu=cortex-m4", "-mfloat-abi=soft"), "mps2-an386"),
    Core("Cortex-M4F", ("-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"), "mps2-an386"),
]


def run(command: list[object], timeout: int = 240) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=timeout)
    assert done.returncode == 0, done.stderr[:2000]
    return done.stdout + done.stderr


def answers(output: str, unit: type) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """The label, posterior and F6 of each test vector, from their bits."""
    found = re.findall(r"^answer (\w+) (\w+) (\w+)$", output, re.MULTILINE)
    assert len(found) == 12, output[:2000]
    return [
        (int(label, 16), np.frombuffer(bytes.fromhex(p), np.float32), np.frombuffer(bytes.fromhex(f6), unit))
        for label, p, f6 in found
    ]


def counts(output: str) -> dict[str, int]:
    """Instructions of lenet5_read and lenet5_prepare."""
    ticks = {
        name: int.from_bytes(bytes.fromhex(bits), "little")
        for name, bits in re.findall(r"^(three million|read|prepare) (\w{8})$", output, re.MULTILINE)
    }
    per_tick = 3_000_000 / ticks["three million"]
    return {name: round(ticks[name] * per_tick) for name in ("read", "prepare")}


@pytest.mark.parametrize("int8", [False, True], ids=["float", "int8"])
@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
def test_it_answers_as_on_the_host(
    core: Core, int8: bool, tmp_path: Path, record_property: object, capsys: pytest.CaptureFixture[str]
) -> None:
    written = source(weights.load("lenet5"), int8=int8)
    (tmp_path / "lenet5.h").write_text(written.header)
    (tmp_path / "lenet5.c").write_text(written.source)
    harness = ["-std=gnu99", "-O2", "-I", tmp_path, FOLDER / "harness.c", "-o"]
    run(["gcc", *harness, tmp_path / "host"])
    linked = ["-nostartfiles", "-specs=nano.specs", "-T", FOLDER / "memory.ld"]
    run([COMPILER, *core.flags, "-mthumb", *linked, *harness, tmp_path / "target.elf"])
    emulated = ["-nographic", "-semihosting", "-icount", "shift=0", "-kernel", tmp_path / "target.elf"]
    output = run([EMULATOR, "-M", core.machine, *emulated])
    unit = np.int8 if int8 else np.float32
    there, here = answers(output, unit), answers(run([tmp_path / "host"]), unit)
    for (label, posterior, f6), (label_here, posterior_here, f6_here) in zip(there, here, strict=True):
        assert label == label_here
        np.testing.assert_allclose(posterior, posterior_here, atol=1e-5)
        np.testing.assert_allclose(f6, f6_here, atol=0 if int8 else 1e-5)
    assert "wrong 00" in output
    counted = counts(output)
    with capsys.disabled():
        print(f"\n{core.name}, {'int8' if int8 else 'float'}: {counted}")
    if int8 and core.name != "Cortex-M0+":
        assert counted["read"] <= 3_000_000
