"""``lenet5 export``: weights in other forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lenet5.weights import Weights

__all__ = ["command"]


@click.command("export", short_help="Write weights in another form: a page that shows the network.")
@click.option("--format", "form", type=click.Choice(["html"]), required=True, help="html: one page that runs offline.")
@click.option("--weights", default="lenet5", show_default=True, help="A bundled name or a .safetensors file.")
@click.option("--int8", is_flag=True, help="Round kernels to 8 bits: a smaller file.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="PATH", required=True)
def command(form: str, weights: str, int8: bool, output: str) -> None:
    """Write weights in another form.

    html is one page that draws, computes and explains the network in a browser, with no connection to anything. It
    holds the paper's network and the concise one: weights of either are taken, the bundled ones are the other's.
    """
    from lenet5 import files
    from lenet5 import weights as weights_of

    files.require_writable(output)
    loaded = weights_of.load(weights)
    match form:
        case "html":
            content = _page(loaded, int8)
        case _:
            raise AssertionError(form)  # click checks it
    files.write_beside(output, content)
    click.echo(f"{output}: {len(content) / 1000:,.0f} kB", err=True)


def _page(weights: Weights, int8: bool) -> bytes:
    """The page's bytes, whichever of the two networks the weights are of."""
    from lenet5 import paper
    from lenet5.export.html import page
    from lenet5.weights import load

    if weights.network is paper.CONCISE:
        return page(load("lenet5"), weights, int8=int8).encode()
    return page(weights, int8=int8).encode()
