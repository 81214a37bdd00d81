"""``lenet5 export``: weights in other forms."""

from __future__ import annotations

import click

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
    from lenet5.export.html import page_of

    files.require_writable(output)
    loaded = weights_of.load(weights)
    match form:
        case "html":
            content = page_of(loaded, int8=int8).encode()
        case _:
            raise AssertionError(form)  # click checks it
    files.write_beside(output, content)
    click.echo(f"{output}: {len(content) / 1000:,.0f} kB", err=True)
