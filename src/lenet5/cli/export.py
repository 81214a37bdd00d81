"""``lenet5 export``: weights in other forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from lenet5.weights import Weights

__all__ = ["command"]

_Files = dict[Path, bytes]
_Export = tuple[_Files, list[str]]
"""The files to write, and what to say of them."""


def _html(weights: Weights, output: Path, int8: bool) -> _Export:
    """The page."""
    from lenet5.export.html import page_of

    return {output: page_of(weights, int8=int8).encode()}, []


def _onnx(weights: Weights, output: Path, int8: bool) -> _Export:
    """The graph, once ONNX Runtime has agreed with the engine."""
    from lenet5.export.onnx import OPSET, checked

    content = checked(weights, int8=int8)
    return {output: content}, [f"opset {OPSET}; ONNX Runtime gives the engine's answers"]


def _c(weights: Weights, output: Path, int8: bool) -> _Export:
    """Header and source, once they have been compiled and agreed with the engine, where there is a compiler."""
    from lenet5.export.c import source
    from lenet5.export.c_compiled import code_bytes, compiler, require_engine_answers

    if output.suffix != ".c":
        raise click.BadParameter(
            "C is written to NAME.c and NAME.h: give a name that ends in .c", param_hint="--output"
        )
    exported = source(weights, name=output.stem, int8=int8)
    if compiler():
        require_engine_answers(weights, exported, int8=int8)
        notes = ["compiled here, it gives the engine's answers"]
    else:
        notes = [
            "not checked, as there is no C compiler here: compile with -DLENET5_SELF_TEST, run, and expect status 0"
        ]
    code = code_bytes(exported)
    measured = f"{code:,} bytes (Cortex-M4, -Os)" if code else "not measured (arm-none-eabi-gcc is not installed)"
    notes.append(
        f"constants {exported.constant_bytes:,} bytes; scratch {exported.scratch_bytes:,} bytes; code {measured}"
    )
    return {output: exported.source.encode(), output.with_suffix(".h"): exported.header.encode()}, notes


def _huggingface(weights: Weights, output: Path, int8: bool) -> _Export:
    """The files of a model folder."""
    from lenet5.export.huggingface import folder_of

    if int8:
        raise click.BadParameter("only html, onnx and c have an 8-bit form", param_hint="--int8")
    return {output / name: content for name, content in folder_of(weights).items()}, []


_FORMATS: Final[dict[str, Callable[[Weights, Path, bool], _Export]]] = {
    "html": _html,
    "onnx": _onnx,
    "c": _c,
    "huggingface": _huggingface,
}


@click.command("export", short_help="Write weights in another form: a page, ONNX, C, a model folder.")
@click.option("--format", "form", type=click.Choice([*_FORMATS]), required=True)
@click.option("--weights", default="lenet5", show_default=True, help="A bundled name or a .safetensors file.")
@click.option("--int8", is_flag=True, help="Round weights to 8 bits: a smaller file.")
@click.option("--output", type=click.Path(path_type=Path), metavar="PATH", required=True)
def command(form: str, weights: str, int8: bool, output: Path) -> None:
    """Write weights in another form.

    html is one page that draws, computes and explains the network in a browser, with no connection to anything. It
    holds the paper's network and the concise one: weights of either are taken, the bundled ones are the other's.

    onnx is a graph from images in MNIST's form to labels, which ONNX Runtime and others run. It needs the extra
    "export", and is written only if ONNX Runtime gives the engine's answers.

    c is NAME.c and NAME.h, C99 for microcontrollers, for an output NAME.c. Where a C compiler is installed they are
    written only if they give the engine's answers.

    huggingface is a folder with the weights, a model card and how to load them.
    """
    from lenet5 import files
    from lenet5 import weights as weights_of

    loaded = weights_of.load(weights)
    if form == "huggingface":
        files.make_folder(output)
    else:
        files.require_writable(output)
    contents, notes = _FORMATS[form](loaded, output, int8)
    for path, content in contents.items():
        files.write_beside(path, content)
        click.echo(f"{path}: {len(content) / 1000:,.0f} kB", err=True)
    for note in notes:
        click.echo(note, err=True)
