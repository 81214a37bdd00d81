"""Every public class and function has an example in its docstring, and the examples print what they say.

Public are the modules that have a page in the reference of the site (mkdocs.yml) and those of reading, and what their
``__all__`` names.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lenet5 import engine, reading

ROOT = Path(__file__).parents[2]
MODULES = [
    *re.findall(r"reference/([\w.]+)\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")),
    *(f"{reading.__name__}.{module.name}" for module in pkgutil.iter_modules(reading.__path__)),
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

WITHOUT_EXAMPLE = {
    "lenet5.paper.FeatureMaps": "a named tuple; lenet5.engine.feature_maps shows one",
    "lenet5.reading.allowed.allowed_texts": "needs lattices: Reader.read with a pattern",
    "lenet5.reading.glance.Glance": "glanced gives some",
    "lenet5.reading.layouts.allowed_lines": "Reader.read with a pattern",
    "lenet5.reading.layouts.whole_line": "Reader.read in layout line",
    "lenet5.reading.many.read_shared": "Reader.read_many with jobs, which starts processes",
    "lenet5.reading.pieces.Cut": "cut gives some",
    "lenet5.reading.quiet.hush_libtiff": "what it does cannot be seen",
    "lenet5.reading.words.wholes_of": "needs lattices, as words_of does",
    "lenet5.reading.words.words_of": "needs lattices: Reader.seen calls it",
}
"""Public names that need no example, and why."""


def public() -> Iterator[tuple[str, object]]:
    """Each public class and function by its full name."""
    for name in MODULES:
        module = importlib.import_module(name)
        for member in module.__all__:
            value = getattr(module, member)
            if inspect.isclass(value) or inspect.isfunction(value):
                yield f"{name}.{member}", value


def examples() -> Iterator[object]:
    """The examples of each docstring of the public modules."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in MODULES:
        module = importlib.import_module(name)
        tests = finder.find(module, name)
        for member in getattr(module, "__all__", ()):  # also what the module only passes on
            value = getattr(module, member)
            if getattr(value, "__module__", name) != name and hasattr(value, "__qualname__"):
                home = importlib.import_module(value.__module__)
                tests += finder.find(value, f"{name}.{member}", module=home, globs=vars(home).copy())
        yield from (pytest.param(test, id=test.name) for test in tests if test.examples)


def test_every_public_class_and_function_has_an_example() -> None:
    missing = {name for name, value in public() if ">>> " not in (inspect.getdoc(value) or "")}
    assert missing - WITHOUT_EXAMPLE.keys() == set()
    assert {name for name, _ in public()} >= WITHOUT_EXAMPLE.keys()


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_prints_what_it_says(example: doctest.DocTest) -> None:
    if "lenet5.network" in example.name or "Torch" in example.name:
        pytest.importorskip("torch")
    if not engine.AVAILABLE and re.search(r"engine|optimizer|objective|train", example.name):
        pytest.skip("needs the compiled engine")
    report: list[str] = []
    results = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=report.append)
    assert results.failed == 0, "".join(report)
