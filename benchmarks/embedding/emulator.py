"""The exported C on a Cortex-M that QEMU emulates: its answers, and how many instructions they take."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.export.c import Source

__all__ = ["CORES", "Core", "Run", "missing", "on_core", "on_host"]

FOLDER = Path(__file__).parent / "cortex_m"
COMPILER, EMULATOR = "arm-none-eabi-gcc", "qemu-system-arm"
LOOP = 3_000_000  # instructions of the harness's loop of known length


@dataclass(frozen=True)
class Core:
    """A core, as the compiler and the emulator name it. The micro:bit has an M0, whose instructions are the M0+'s."""

    name: str
    flags: tuple[str, ...]
    machine: str


CORES = (
    Core("Cortex-M0+", ("-mcpu=cortex-m0plus",), "microbit"),
    Core("Cortex-M4", ("-mcpu=cortex-m4", "-mfloat-abi=soft"), "mps2-an386"),
    Core("Cortex-M4F", ("-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"), "mps2-an386"),
)


@dataclass(frozen=True)
class Run:
    """What a run of the harness printed: of each test vector the label, 255 where refused, the posterior (11,) and F6
    (84,), how many self tests failed, and instructions of ``read`` and ``prepare``, empty on the host."""

    answers: tuple[tuple[int, NDArray[np.float32], NDArray[Any]], ...]
    wrong: int
    instructions: dict[str, int]


def missing() -> list[str]:
    """The programs that a run needs and this machine lacks."""
    return [program for program in (COMPILER, EMULATOR, "gcc") if shutil.which(program) is None]


def on_host(source: Source) -> Run:
    """The harness compiled for this machine and run."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "host"
        _run(["gcc", *_arguments(source, folder), "-o", program])
        return _parsed(_run([program]), source)


def on_core(source: Source, core: Core) -> Run:
    """The harness compiled for a core and run in QEMU, which with -icount executes an instruction a nanosecond."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "target.elf"
        linked = ["-mthumb", "-nostartfiles", "-specs=nano.specs", "-T", FOLDER / "memory.ld"]
        _run([COMPILER, *core.flags, *linked, *_arguments(source, folder), "-o", program])
        how = ["-nographic", "-semihosting", "-icount", "shift=0", "-kernel", program]
        return _parsed(_run([EMULATOR, "-M", core.machine, *how]), source)


def _arguments(source: Source, folder: str) -> list[object]:
    (Path(folder) / "lenet5.h").write_text(source.header)
    (Path(folder) / "lenet5.c").write_text(source.source)
    return ["-std=gnu99", "-O2", "-I", folder, FOLDER / "harness.c"]


def _run(command: list[object]) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=500)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[:1000]}")
    return done.stdout + done.stderr


def _parsed(output: str, source: Source) -> Run:
    unit = np.int8 if "typedef int8_t lenet5_unit" in source.header else np.float32
    answers = tuple(
        (int(label, 16), np.frombuffer(bytes.fromhex(p), np.float32), np.frombuffer(bytes.fromhex(f6), unit))
        for label, p, f6 in re.findall(r"^answer (\w+) (\w+) (\w+)$", output, re.MULTILINE)
    )
    ticks = {
        name: int.from_bytes(bytes.fromhex(bits), "little")
        for name, bits in re.findall(r"^(loop|read|prepare) (\w{8})$", output, re.MULTILINE)
    }
    instructions = {name: round(ticks[name] * LOOP / ticks["loop"]) for name in ("read", "prepare") if ticks}
    return Run(answers, int(re.findall(r"^wrong (\w\w)", output, re.MULTILINE)[0], 16), instructions)
