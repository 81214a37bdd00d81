"""The state of a training run, and the file from which a stopped run goes on.

The file is safetensors: the arrays by name; numbers, options and a digest as JSON in its metadata. Nothing in it can
run code.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import CheckpointError, OutputError
from lenet5.files import write_beside
from lenet5.parsing import parsed_json
from lenet5.weights import serialised

__all__ = ["Autosave", "Options", "State", "differing", "load", "summary"]

Floats = NDArray[np.float32]
Options = Mapping[str, str]
"""What a run was started with, by the name that the user knows it by: a checkpoint serves no other run."""

_FORMAT: Final = "lenet5 checkpoint 1"
_ARRAYS: Final = ("parameters", "averaged", "best", "order")
_MOST_BYTES: Final = 1 << 30  # recipe reading's is 6 MB
_READABLE: Final = 60  # characters of a value that a message still shows
_INTERVAL: Final = 60.0  # seconds


@dataclass
class State:
    """All that changes in a run, as it stands between two steps.

    ``step`` steps are done, ``passes`` of them whole and validated; ``loss`` is the running mean of the criterion,
    ``last_error`` the last validation error in percent, ``best_error`` that of ``best``, the parameters of
    ``best_pass``. ``averaged`` is the running mean of ``parameters``, all (P,). ``order`` are the patterns of the
    current pass. ``generator`` is the state of the run's generator, and ``parts`` are the arrays of method and sampler
    by name; only a copy for a checkpoint has these two.

    >>> zeros = np.zeros(3, np.float32)
    >>> State(zeros, zeros, zeros, step=7).copy(generator={}, parts={}).step
    7
    """

    parameters: Floats
    averaged: Floats
    best: Floats
    order: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    step: int = 0
    passes: int = 0
    loss: float = 0.0
    last_error: float | None = None
    best_error: float | None = None
    best_pass: int = 0
    generator: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def copy(self, generator: Mapping[str, Any], parts: Mapping[str, NDArray[Any]]) -> State:
        """The state as it is now: later steps do not change the copy."""
        parameters, averaged = self.parameters.copy(), self.averaged.copy()
        return replace(self, parameters=parameters, averaged=averaged, generator=generator, parts=parts)

    def save(self, path: str | os.PathLike[str], options: Options) -> None:
        """Write the checkpoint beside its place and rename it. Raises OutputError where it cannot be written."""
        arrays = {name: np.ascontiguousarray(array) for name, array in self._arrays().items()}
        numbers = {name: getattr(self, name) for name in _numbers()}
        metadata = {"format": _FORMAT, "numbers": json.dumps(numbers), "options": json.dumps(dict(options))}
        write_beside(path, serialised(arrays, {**metadata, "sha256": _digest(metadata, arrays)}))

    def layout(self) -> dict[str, tuple[object, ...]]:
        """Name, type and number of axes of every array, and the shape of those that never change it."""
        fixed = {"parameters", "averaged", "best"}
        return {
            name: (array.dtype, array.ndim, array.shape if name in fixed else None)
            for name, array in self._arrays().items()
        }

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {name: getattr(self, name) for name in _ARRAYS} | {f"parts.{name}": a for name, a in self.parts.items()}


def load(path: str | os.PathLike[str], options: Options) -> State | None:
    """The state of a checkpoint, or None where there is no file.

    Raises CheckpointError for a damaged or foreign file, and for one of a run with other options, the first of which
    is named.

    >>> load("missing.checkpoint", {"--seed": "1"}) is None
    True
    """
    from safetensors import SafetensorError, safe_open

    foreign = f"{os.fspath(path)} is no whole checkpoint of lenet5 train (damaged, or another file)"
    try:
        if Path(path).stat().st_size > _MOST_BYTES or not Path(path).is_file():
            raise CheckpointError(foreign)
        with safe_open(path, "numpy") as file:
            metadata = dict(file.metadata() or {})
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        numbers, saved_options = parsed_json(metadata["numbers"]), parsed_json(metadata["options"])
        digest = metadata.pop("sha256")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CheckpointError(f"cannot read the checkpoint {os.fspath(path)}: {error.strerror or error}") from None
    except (SafetensorError, KeyError, ValueError, TypeError):
        raise CheckpointError(foreign) from None
    if metadata.get("format") != _FORMAT or digest != _digest(metadata, arrays):
        raise CheckpointError(foreign)
    _require_equal(os.fspath(path), saved_options, options)
    parts = {name.removeprefix("parts."): array for name, array in arrays.items() if name.startswith("parts.")}
    return State(**{name: arrays[name] for name in _ARRAYS}, **numbers, parts=parts)


def summary(options: Options) -> str:
    """The options of a run for the metadata of its weights, as JSON; long ones as their SHA-256.

    >>> summary({"--seed": "1"})
    '{"--seed": "1"}'
    """
    return json.dumps({name: _short(value) for name, value in options.items()})


def differing(saved: str, options: Options) -> str | None:
    """What in a ``summary`` differs from options, the first in one phrase; None where nothing does.

    >>> differing(summary({"--seed": "1"}), {"--seed": "2"})
    'with --seed 1, not 2'
    """
    try:
        known = {str(name): str(value) for name, value in parsed_json(saved).items()}
    except (ValueError, AttributeError):
        return "with options that it does not tell"
    return _difference(known, {name: _short(value) for name, value in options.items()})


def _short(value: str) -> str:
    return value if len(value) <= _READABLE else f"sha256 {hashlib.sha256(value.encode()).hexdigest()}"


def _numbers() -> list[str]:
    """The fields of a State that are JSON."""
    return [each.name for each in fields(State) if each.name not in (*_ARRAYS, "parts")]


def _digest(metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> str:
    """A digest of everything in the file."""
    digest = hashlib.sha256(json.dumps(dict(sorted(metadata.items()))).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _require_equal(path: str, saved: Options, options: Options) -> None:
    """Raise CheckpointError that names the first option which is not as it was."""
    what = _difference(saved, options)
    if what is not None:
        raise CheckpointError(f"{path} was made {what}: resume with the same options, or train into another file")


def _difference(saved: Options, options: Options) -> str | None:
    """The first option which is not as it was, as "with --seed 1, not 2"; None without any."""
    for name in [*options, *saved]:
        before, now = saved.get(name, "not set"), options.get(name, "not set")
        if before != now:
            short = max(len(before), len(now)) <= _READABLE
            return f"with {name} {before}, not {now}" if short else f"with another {name}"
    return None


class Autosave:
    """Writes checkpoints of a run: after each pass, and each minute.

    Call it after each step with the state that can be saved. A checkpoint that cannot be written is reported, once
    until one can be written again; it does not end the run.

    >>> autosave = Autosave("no/such/folder/mine.checkpoint", {"--seed": "1"}, print)
    >>> zeros = np.zeros(3, np.float32)
    >>> autosave(State(zeros, zeros, zeros, passes=1))  # a pass is over
    no checkpoint is kept: cannot write no/such/folder/mine.checkpoint: No such file or directory; training goes on
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        options: Options,
        report: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._options, self._report, self._clock = path, options, report, clock
        self._written: State | None = None
        self._passes, self._time, self._failed = 0, clock(), False

    def __call__(self, state: State) -> None:
        """Write ``state`` if a pass or a minute is over since the last checkpoint."""
        if state.passes > self._passes or self._clock() - self._time >= _INTERVAL:
            self.write(state)

    def write(self, state: State) -> None:
        """Write ``state`` now, if it is not written already."""
        if state is self._written:
            return
        try:
            state.save(self._path, self._options)
            self._written, self._failed = state, False
        except OutputError as error:
            if not self._failed:
                self._report(f"no checkpoint is kept: {error}; training goes on")
            self._failed = True
        self._passes, self._time = state.passes, self._clock()
