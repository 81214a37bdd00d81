"""Files from the network into the user's cache folder, checked before they have their name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lenet5.errors import DataError

__all__ = ["cache_folder", "download"]


def cache_folder() -> Path:
    """The folder for fetched files.

    >>> cache_folder().name
    'lenet5'
    """
    import pooch

    return Path(pooch.os_cache("lenet5"))


def download(urls: Sequence[str], target: Path, check: Callable[[Path], Any], progress: Any = None) -> Path:
    """Fetch a file from the first of several addresses that has it whole, each tried twice.

    ``check`` raises DataError for a file that is not what it should be. ``progress`` is a pooch progress bar. Raises
    DataError with the last reason where no address works; nothing half-fetched is ever left beside ``target``.

    >>> download([], Path("nowhere"), check=lambda path: None)
    Traceback (most recent call last):
        ...
    lenet5.errors.DataError: no address given
    """
    import pooch

    def fetch(url: str, output_file: str, fetcher: Any) -> None:
        pooch.HTTPDownloader(progressbar=progress or False, timeout=30)(url, output_file, fetcher)
        check(Path(output_file))

    logger = pooch.get_logger()
    level, reason = logger.level, "no address given"
    logger.setLevel("ERROR")
    try:
        for url in [u for u in urls for _ in range(2)]:
            try:
                return Path(pooch.retrieve(url, None, fname=target.name, path=target.parent, downloader=fetch))
            except (OSError, ValueError, DataError) as error:  # requests' errors are OSErrors
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    finally:
        logger.setLevel(level)
    raise DataError(reason[:120])
