"""The page at /."""

from __future__ import annotations

from typing import Final

__all__ = ["start_page"]

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>lenet5</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 45rem; margin: 3rem auto; padding: 0 1rem }
td { padding: .3rem 1.5rem .3rem 0; vertical-align: top }
</style>
<h1>lenet5</h1>
<p>Reads handwritten digits in pictures.
<table>
<tr><td><code>POST /v1/read</code><td>pictures in, digits out
<tr><td><code>POST /v1/classify</code><td>28×28 images in MNIST’s form in, labels out
<tr><td><code>GET <a href="/openapi.json">/openapi.json</a></code><td>the description of both
<tr><td><code>GET <a href="/health/ready">/health/ready</a></code><td>whether the workers have loaded
<tr><td><code>GET <a href="/metrics">/metrics</a></code><td>counters for Prometheus
</table>
"""


def start_page() -> str:
    """A page that names the endpoints."""
    return _PAGE
