"""``lenet5 describe``: the network beside the paper's table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lenet5.describe import Description

__all__ = ["command"]


@click.command("describe")
@click.option("--network", type=click.Choice(["lenet5", "concise"]), default="lenet5", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(network: str, as_json: bool) -> None:
    """Count a network's layers from its own arrays and compare with the published table."""
    from lenet5 import weights
    from lenet5.describe import describe

    found = describe(weights.load(network))
    click.echo(json.dumps(found.to_json()) if as_json else as_text(found))


def as_text(found: Description) -> str:
    """The counted table; a number that is not the published one shows both, marked with ✗."""

    def beside(here: object, there: object) -> str:
        def shown(x: object) -> str:
            return f"{x:,}" if isinstance(x, int) else str(x)

        return shown(here) if here == there else f"{shown(here)} ✗ {shown(there)}"

    header = ("layer", "kind", "maps", "size", "neurons", "parameters", "connections")
    rows: list[tuple[str, ...]] = [header]
    for ours, paper in zip(found.layers, found.network.layers, strict=True):
        sizes = ["×".join(map(str, layer.size)) for layer in (ours, paper)]
        numbers = [(getattr(ours, n), getattr(paper, n)) for n in ("neurons", "parameters", "connections")]
        pairs = [(ours.name, paper.name), (ours.kind, paper.kind), (ours.maps, paper.maps), tuple(sizes), *numbers]
        rows.append(tuple(beside(*pair) for pair in pairs))
    totals = (beside(found.parameters, found.network.parameters), beside(found.connections, found.network.connections))
    rows.append(("total", "", "", "", "", *totals))
    widths = [max(len(row[k]) for row in rows) for k in range(len(header))]
    aligned = [(str.ljust if k < 2 else str.rjust) for k in range(len(header))]
    lines = ["  ".join(f(cell, w) for f, cell, w in zip(aligned, row, widths, strict=True)) for row in rows]
    verdict = (
        "Every number is counted from the network's arrays and feature maps; all agree with the published table."
        if not found.disagreements
        else "\n".join(f"✗ {line}" for line in found.disagreements)
    )
    return "\n".join([f"{found.network.title} ({found.engine} engine)", "", *lines, "", verdict])
