"""``lenet5 describe``: the network beside the paper's table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lenet5.describe import Description

__all__ = ["command"]


@click.command("describe", short_help="Count a network's parameters beside the published table.")
@click.option("--network", type=click.Choice(["lenet5", "concise"]), default="lenet5", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(network: str, as_json: bool) -> None:
    """Count a network's layers from its own arrays and compare with the published table."""
    from lenet5 import weights
    from lenet5.describe import describe

    description = describe(weights.load(network))
    click.echo(json.dumps(description.to_json()) if as_json else as_text(description))


def as_text(description: Description) -> str:
    """The counted numbers beside the published ones; ✗ marks each pair that differs.

    >>> from lenet5 import weights
    >>> from lenet5.describe import describe
    >>> as_text(describe(weights.load("lenet5"))).splitlines()[-1]
    'All agree.'
    """
    header = (
        "layer",
        "kind",
        "maps",
        "size",
        "neurons",
        "published",
        "parameters",
        "published",
        "connections",
        "published",
    )
    rows: list[tuple[str, ...]] = [header]
    for counted, published in zip(description.layers, description.published, strict=True):
        counts = [(getattr(counted, n), getattr(published, n)) for n in ("neurons", "parameters", "connections")]
        shape = (counted.name, counted.kind, str(counted.maps), "×".join(map(str, counted.size)))
        rows.append((*shape, *(cell for pair in counts for cell in _cells(*pair))))
    totals = (
        (description.parameters, description.network.parameters),
        (description.connections, description.published_connections),
    )
    rows.append(("total", "", "", "", "", "", *(cell for pair in totals for cell in _cells(*pair))))
    widths = [max(len(row[k]) for row in rows) for k in range(len(header))]
    aligned = [(str.ljust if k < 2 else str.rjust) for k in range(len(header))]
    lines = ["  ".join(f(cell, w) for f, cell, w in zip(aligned, row, widths, strict=True)) for row in rows]
    verdict = (
        "All agree." if not description.disagreements else "\n".join(f"✗ {line}" for line in description.disagreements)
    )
    title = f"{description.network.title}, counted from its arrays and feature maps ({description.engine} engine)"
    return "\n".join([title, "", *lines, "", verdict])


def _cells(counted: int, published: int) -> tuple[str, str]:
    """A counted number and the published one, marked if they differ."""
    return f"{counted:,}", f"{published:,}" if counted == published else f"✗ {published:,}"
