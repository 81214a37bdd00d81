"""Answers that are no result: one line as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response

__all__ = ["RefusedError", "error_response"]


class RefusedError(Exception):
    """A request is not served: ``status``, a line for the user, and the ``reason`` that /metrics counts, if any.

    >>> refusal = RefusedError(413, "the body is over 200 MB", reason="size")
    >>> refusal.status, str(refusal), refusal.reason
    (413, 'the body is over 200 MB', 'size')
    """

    def __init__(
        self, status: int, message: str, reason: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.headers = status, reason, dict(headers or {})


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """``{"error": message}`` in one line.

    >>> error_response(404, "two\\nlines").body
    b'{"error": "two lines"}'
    """
    body = json.dumps({"error": " ".join(message.split())})
    return Response(body, status, headers, media_type="application/json")
