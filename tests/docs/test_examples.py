"""Every public class and function of the package has an example in its docstring, and the examples print what they say.

Public is what ``__all__`` of a module names, and what a module defines without an underscore; commands of the command
line and protocols are not asked.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

import lenet5
from lenet5 import engine

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
NEEDS = {
    r"lenet5\.network|Torch": "torch",
    r"lenet5\.export\.onnx": "onnxruntime",
    r"lenet5\.scale\.(parts|storage)": "pyarrow",
}
"""What examples need that is not always installed, by a pattern of their names."""

MINUTES = "it trains or fits, which takes seconds to minutes"
CLUSTER = "it needs a cluster of Ray; docs/scale.md shows it"
SERVICE = "a part of the running service: tests/web and docs/using.md show it at work"
TERMINAL = "it draws on the terminal"
PROCESSES = "it starts processes, which import the program that starts them"
WITHOUT_EXAMPLE = {
    "lenet5.__main__.main": "the command itself",
    "lenet5.cli.main": "the command itself",
    "lenet5.cli.progress.Download": TERMINAL,
    "lenet5.cli.progress.bar": TERMINAL,
    "lenet5.cli.progress.console": TERMINAL,
    "lenet5.cli.progress.say": TERMINAL,
    "lenet5.cli.read_ray.read_on_cluster": CLUSTER,
    "lenet5.cli.rows.Rows": "tests/cli/test_form.py shows what it writes",
    "lenet5.cli.train.run": MINUTES,
    "lenet5.cli.train_inputs.load_inputs": "it needs MNIST",
    "lenet5.cli.train_outputs.write_weights": MINUTES,
    "lenet5.export.c.Source": "lenet5.export.c.source makes one",
    "lenet5.export.c_compiled.CompiledC": "it needs a C compiler, and takes seconds",
    "lenet5.export.c_compiled.code_bytes": "it needs a compiler for Cortex-M",
    "lenet5.export.c_compiled.compiled": "it needs a C compiler, and takes seconds",
    "lenet5.export.c_compiled.require_engine_answers": "it needs a C compiler, and takes seconds",
    "lenet5.export.onnx.checked": "lenet5.export.onnx.run shows one half, require_agreement the other",
    "lenet5.forms.learn.Learning": MINUTES,
    "lenet5.forms.learn.Replay": MINUTES,
    "lenet5.global_training.page_examples.examples_of": PROCESSES,
    "lenet5.global_training.page_score.fitted": MINUTES,
    "lenet5.global_training.page_score.judges_of": MINUTES,
    "lenet5.global_training.page_score.with_page_score": MINUTES,
    "lenet5.learning.mnist.fetch": "it needs the network",
    "lenet5.learning.unipen.load_unipen": "it needs UNIPEN",
    "lenet5.learning.unipen.read_unipen": "it needs UNIPEN",
    "lenet5.paper.FeatureMaps": "a named tuple; lenet5.engine.feature_maps shows one",
    "lenet5.reading.allowed.allowed_texts": "needs lattices: Reader.read with a pattern",
    "lenet5.reading.glance.Glance": "glanced gives some",
    "lenet5.reading.lattice.Lattice": "lattices_of gives some",
    "lenet5.reading.layouts.allowed_lines": "Reader.read with a pattern",
    "lenet5.reading.layouts.whole_line": "Reader.read in layout line",
    "lenet5.reading.many.read_shared": "Reader.read_many with jobs, which starts processes",
    "lenet5.reading.pieces.Cut": "cut gives some",
    "lenet5.reading.quiet.hush_libtiff": "what it does cannot be seen",
    "lenet5.reading.words.wholes_of": "needs lattices, as words_of does",
    "lenet5.reading.words.words_of": "needs lattices: Reader.seen calls it",
    "lenet5.processes.Processes": PROCESSES,
    "lenet5.processes.shared": PROCESSES,
    "lenet5.scale.ray_data.connect": CLUSTER,
    "lenet5.scale.ray_data.read_parts": CLUSTER,
    "lenet5.scale.ray_data.require_ray": "whether Ray is installed differs",
    "lenet5.synthesis.pages.numbers.a4_page": "it draws 8.7 megapixels, which takes a second",
    "lenet5.web.app.Service": SERVICE,
    "lenet5.web.body.Body": SERVICE,
    "lenet5.web.guard.Guard": SERVICE,
    "lenet5.web.metrics.Observer": SERVICE,
    "lenet5.web.pool.OverdueError": SERVICE,
    "lenet5.web.pool.Pool": SERVICE,
    "lenet5.web.pool.UnwantedError": SERVICE,
    "lenet5.web.pool.WorkerLostError": SERVICE,
    "lenet5.web.server.Server": SERVICE,
    "lenet5.web.work.serve": SERVICE,
    **{
        f"lenet5.engine.compiled.{name}": f"lenet5.engine.{name} has the same examples"
        for name in ("adam", "curvature", "feature_maps", "forward", "gradient", "warp")
    },
}
"""Public names that need no example, and why."""


def modules() -> Iterator[ModuleType]:
    """All modules of the package, but those that need what is not installed."""
    yield lenet5
    for module in pkgutil.walk_packages(lenet5.__path__, "lenet5."):
        try:
            yield importlib.import_module(module.name)
        except ImportError:
            continue


MODULES = tuple(modules())


def public(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Each public class and function of a module by its full name."""
    named = set(getattr(module, "__all__", ()))
    for member, value in vars(module).items():
        is_own = getattr(value, "__module__", None) == module.__name__ and not member.startswith("_")
        is_protocol = getattr(value, "_is_protocol", False)
        has_text = inspect.isclass(value) or inspect.isfunction(inspect.unwrap(value) if callable(value) else value)
        if (member in named or is_own) and has_text and not is_protocol:
            yield f"{module.__name__}.{member}", value


def examples() -> Iterator[object]:
    """The examples of each docstring of the package."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in MODULES:
        for test in finder.find(module, module.__name__):
            if test.examples:
                yield pytest.param(test, id=test.name)


def test_every_public_class_and_function_has_an_example() -> None:
    documented = {name: value for module in MODULES for name, value in public(module)}
    missing = {name for name, value in documented.items() if ">>> " not in (inspect.getdoc(value) or "")}
    assert missing - WITHOUT_EXAMPLE.keys() == set()
    installed = {module.__name__ for module in MODULES}
    assert {name for name in WITHOUT_EXAMPLE if name.rpartition(".")[0] in installed} <= missing


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_prints_what_it_says(example: doctest.DocTest) -> None:
    for pattern, package in NEEDS.items():
        if re.search(pattern, example.name):
            pytest.importorskip(package)
    if not engine.AVAILABLE and re.search(r"engine|optimizer|objective|method|train", example.name):
        pytest.skip("needs the compiled engine")
    report: list[str] = []
    results = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=report.append)
    assert results.failed == 0, "".join(report)
