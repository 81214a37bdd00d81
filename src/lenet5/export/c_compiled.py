"""An exported C source, compiled here: whether it answers as the engine does, and how large its code is."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import weights as weights_of
from lenet5.errors import ArrayError, UnavailableError
from lenet5.export.c import Source
from lenet5.export.reference import Reference, reference, require_agreement
from lenet5.paper import SIDE

__all__ = ["CompiledC", "code_bytes", "compiled", "compiler", "require_engine_answers"]

_COMPILERS: Final = ("cc", "gcc", "clang")
_CORTEX_M: Final = ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb")


class _Answer(ctypes.Structure):
    _fields_ = [("label", ctypes.c_int8), ("confidence", ctypes.c_float), ("posterior", ctypes.c_float * 11)]


class CompiledC:
    """The functions of a compiled source, on NumPy arrays."""

    def __init__(self, library: ctypes.CDLL, source: Source) -> None:
        self._read, self._prepare = library.lenet5_read, library.lenet5_prepare
        self._read.restype, self._read.argtypes = _Answer, [ctypes.c_char_p, ctypes.c_void_p]
        self._scratch = (ctypes.c_uint64 * (source.scratch_bytes // 8 + 1))()
        self._unit: type[np.generic] = np.int8 if "typedef int8_t lenet5_unit" in source.header else np.float32
        self._preparation = (ctypes.c_uint64 * 2048)()

    def read(self, images: NDArray[np.uint8]) -> Reference:
        """``lenet5_read`` of images (N, 28, 28) uint8; F6 in the units of the scratch."""
        labels = np.empty(len(images), np.int8)
        posterior, f6 = np.empty((len(images), 11), np.float32), np.empty((len(images), 84), self._unit)
        for k, image in enumerate(np.ascontiguousarray(images)):
            answer = self._read(image.tobytes(), self._scratch)
            labels[k], posterior[k] = answer.label, answer.posterior[:]
            f6[k] = self._maps()[-84:]
        return Reference(images, labels, posterior.astype(np.float64), f6)

    def prepare(self, grey: NDArray[np.uint8], paper: int, ink: int) -> NDArray[np.uint8] | None:
        """``lenet5_prepare`` of a grey crop (H, W): (28, 28), or None where it finds no ink."""
        if grey.ndim != 2 or grey.dtype != np.uint8:
            raise ArrayError(f"a crop is (H, W) uint8, not {grey.shape} {grey.dtype}")
        image = (ctypes.c_uint8 * SIDE**2)()
        height, width = grey.shape
        crop = np.ascontiguousarray(grey).tobytes()
        done = self._prepare(crop, width, height, width, paper, ink, image, self._preparation)
        return np.frombuffer(bytes(image), np.uint8).reshape(SIDE, SIDE) if done else None

    def _maps(self) -> NDArray[np.generic]:
        """All units of the scratch, F6 last."""
        count = 32 * 32 + 6 * 14 * 14 + 16 * 25 + 120 + 84
        return np.frombuffer(memoryview(self._scratch).cast("B"), self._unit, count)


def compiler() -> str | None:
    """A C compiler of this machine: the one that CC names, else cc, gcc or clang; None without any.

    >>> program = compiler()
    >>> program is None or Path(program).is_file()
    True
    """
    return next(filter(None, map(shutil.which, filter(None, (os.environ.get("CC"), *_COMPILERS)))), None)


@contextmanager
def compiled(source: Source, program: str | None = None) -> Iterator[CompiledC]:
    """The source compiled for this machine, by ``program`` or :func:`compiler`, while the context lasts.

    Raises UnavailableError without a compiler or where it fails.
    """
    program = program or compiler()
    if program is None:
        raise UnavailableError("the C source is checked with a C compiler: install gcc or clang")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "lenet5.so"
        _run([program, "-std=c99", "-O2", "-shared", "-fPIC", _written(source, folder), "-o", str(library)])
        yield CompiledC(ctypes.CDLL(str(library)), source)


def require_engine_answers(weights: weights_of.Weights, source: Source, *, int8: bool) -> None:
    """WeightsError unless the compiled source answers as the engine does; UnavailableError without a compiler."""
    expected = reference(weights)
    with compiled(source) as library:
        answers = library.read(expected.images)
    require_agreement(weights, expected, answers.labels, answers.posterior, int8=int8)


def code_bytes(source: Source) -> int | None:
    """Bytes of machine code for a Cortex-M4 by arm-none-eabi-gcc -Os; None where that is not installed."""
    program = shutil.which(_CORTEX_M[0])
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "lenet5.o")
        _run([program, *_CORTEX_M[1:], "-std=c99", "-Os", "-c", _written(source, folder), "-o", output])
        sections = _run([program.replace("gcc", "size"), "-A", output])
    return sum(int(size) for size in re.findall(r"^\.text\S*\s+(\d+)", sections, re.MULTILINE))


def _written(source: Source, folder: str) -> str:
    (Path(folder) / f"{source.name}.h").write_text(source.header)
    path = Path(folder) / f"{source.name}.c"
    path.write_text(source.source)
    return str(path)


def _run(command: list[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        first = next(iter(result.stderr.splitlines()), "no message")
        raise UnavailableError(f"{command[0]} does not compile the C source: {first}")
    return result.stdout
