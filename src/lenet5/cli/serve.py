"""``lenet5 serve``: the reader over HTTP."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from lenet5.errors import UnavailableError

__all__ = ["command"]


@click.command("serve", short_help="Read pictures over HTTP.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 is all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 is any free one.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes that read.  [default: one a core]")
@click.option("--queue", type=click.IntRange(min=0), default=64, show_default=True, help="Requests that may wait.")
@click.option(
    "--timeout", type=click.IntRange(1, 3600), default=60, show_default=True, help="Seconds that a file may take."
)
@click.option(
    "--max-body", type=click.IntRange(1, 200), default=200, show_default=True, help="Megabytes that a request may have."
)
@click.option("--max-files", type=click.IntRange(1, 1000), default=100, show_default=True, help="Files in a request.")
@click.option("--max-pages", type=click.IntRange(min=1), default=100, show_default=True, help="Pages read of a file.")
@click.option("--allow-host", metavar="NAME", multiple=True, help="A name that the service has; repeatable, * is any.")
@click.option("--cors", metavar="ORIGIN", multiple=True, help="Pages of this origin may use it; repeatable.")
@click.option("--access-log/--no-access-log", default=True, show_default=True, help="A line a request on stderr.")
@click.option(
    "--review",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Show the doubtful fields that form read --review kept, at /review.",
)
@click.option("--weights", default="lenet5", show_default=True, help="A bundled name or a .safetensors file.")
def command(
    host: str,
    port: int,
    workers: int | None,
    queue: int,
    timeout: int,
    max_body: int,
    max_files: int,
    max_pages: int,
    allow_host: tuple[str, ...],
    cors: tuple[str, ...],
    access_log: bool,
    review: Path | None,
    weights: str,
) -> None:
    """Read pictures over HTTP: POST /v1/read and /v1/classify; /openapi.json describes them.

    Only this machine is served unless --host says so. Ctrl-C or SIGTERM finishes what runs and ends with exit status 0.
    """
    try:
        from lenet5.processes import cores
        from lenet5.web.server import Server, listening
        from lenet5.web.settings import Settings
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] not in (
            "starlette",
            "uvicorn",
            "h11",
            "python_multipart",
            "prometheus_client",
        ):
            raise
        raise UnavailableError("the service needs more packages: pip install 'lenet5[serve]'") from None
    from lenet5 import weights as weights_of

    for origin in cors:
        if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
            raise click.BadParameter(f"{origin} is no origin, such as https://example.com", param_hint="--cors")
    settings = Settings(
        weights_of.load(weights),
        workers=workers or cores(),
        queue=queue,
        seconds=timeout,
        most_bytes=1_000_000 * max_body,
        most_files=max_files,
        most_pages=max_pages,
        hosts=(*allow_host, host),
        origins=cors,
        review=review,
    )
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("lenet5").setLevel(logging.INFO)
    logging.getLogger("lenet5.access").disabled = not access_log
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    with listening(host, port) as listener:
        host, number = listener.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        readers = f"{settings.workers} worker{'s' * (settings.workers > 1)}"
        server = Server(settings)
        page = f"http://{host}:{number}" + ("/review" if review is not None else "")
        click.echo(f"lenet5: {page}, {readers}; Ctrl-C stops it", err=True)
        server.serve_on(listener)
