"""Files of a form (multipart/form-data, RFC 7578), taken in chunk by chunk and kept in memory."""

from __future__ import annotations

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from lenet5.web.refused import RefusedError

__all__ = ["Form"]


class Form:
    """The form that follows a Content-Type, of at most ``most_parts`` parts. Raises RefusedError as it comes.

    >>> form = Form("multipart/form-data; boundary=b", most_parts=2)
    >>> head = b'--b\\r\\nContent-Disposition: form-data; name="f"; filename="a.png"\\r\\n\\r\\n'
    >>> form.write(head + b"bytes\\r\\n--b--\\r\\n")
    >>> form.files()
    [('a.png', b'bytes')]
    """

    def __init__(self, content_type: str, most_parts: int) -> None:
        self._most_parts, self._ended = most_parts, False
        self._files: list[tuple[str, bytearray]] = []
        self._header, self._value, self._disposition = bytearray(), bytearray(), b""
        _, options = parse_options_header(content_type)
        try:
            self._parser = MultipartParser(
                options.get(b"boundary", b""),
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._name,
                    "on_part_data": lambda data, start, end: self._files[-1][1].extend(data[start:end]),
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _damaged(error) from None

    def write(self, chunk: bytes) -> None:
        """Take in what came next."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _damaged(error) from None

    def files(self) -> list[tuple[str, bytes]]:
        """The names and contents, once all of the form has come."""
        if not self._ended:
            raise _damaged("it is cut short")
        if not self._files:
            raise RefusedError(422, "the form holds no file", "form")
        return [(name, bytes(content)) for name, content in self._files]

    def clear(self) -> None:
        """Give the memory back: the parser's callbacks keep a form alive until the next garbage collection."""
        self._files.clear()

    def _begin(self) -> None:
        if len(self._files) == self._most_parts:
            raise RefusedError(
                413, f"the form has more than {self._most_parts} parts: send it as several requests", "parts"
            )
        self._disposition = b""

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _name(self) -> None:
        _, options = parse_options_header(self._disposition)
        field = options.get(b"name", b"").decode(errors="replace")
        if b"filename" not in options:
            raise RefusedError(
                422, f"part {field[:60]!r} is no file: parameters stand in the URL, as ?layout=line", "form"
            )
        self._files.append((options[b"filename"].decode(errors="replace") or field, bytearray()))

    def _end(self) -> None:
        self._ended = True


def _damaged(reason: object) -> RefusedError:
    return RefusedError(400, f"the form is damaged: {reason}", "form")
