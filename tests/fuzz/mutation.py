"""Mutation of a corpus: input ``number`` is the same wherever and whenever it is drawn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

__all__ = ["mutated"]

_LONGEST: Final = 1 << 16
_NUMBERS: Final = (0, 1, 2, 7, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
_TOKENS: Final = (
    b"\0", b"\n", b"\r\n", b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b"(", b")", b"<", b">", b"%", b"-1", b"NaN",
    b"1e999", b"9" * 40, b"\xff\xfe", b"\xf0\x9f\x98\x80", b"=", b",", b":", b"/", b"..", b"null", b"true",
)  # fmt: skip


def mutated(seeds: Sequence[bytes], seed: int, number: int) -> bytes:
    """One of the seeds with one to a dozen changes."""
    draw = random.Random(f"{seed} {number}")
    content = bytearray(draw.choice(seeds))
    for _ in range(min(12, 1 + int(draw.expovariate(0.5)))):
        _change(content, seeds, draw)
    return bytes(content[:_LONGEST])


def _change(content: bytearray, seeds: Sequence[bytes], draw: random.Random) -> None:
    """One change of the content, in place."""
    kind, at = draw.randrange(9), draw.randrange(len(content) + 1)
    end = min(len(content), at + 1 + int(draw.expovariate(0.1)))
    if kind == 0 and at < len(content):
        content[at] ^= 1 << draw.randrange(8)
    elif kind == 1 and at < len(content):
        content[at] = draw.randrange(256)
    elif kind == 2:
        content[at:at] = draw.randbytes(1 + draw.randrange(8))
    elif kind == 3:
        del content[at:end]
    elif kind == 4:
        content[at:at] = content[at:end] * draw.choice((1, 2, 50))
    elif kind == 5:
        size = draw.choice((1, 2, 4, 8))
        number = (draw.choice(_NUMBERS) + draw.choice((0, 0, -1, 1))) % (1 << 8 * size)
        content[at : at + size] = number.to_bytes(size, draw.choice(("little", "big")))
    elif kind == 6:
        content[at:at] = draw.choice(_TOKENS)
    elif kind == 7:
        other = draw.choice(seeds)
        first = draw.randrange(len(other) + 1)
        content[at:end] = other[first : first + 1 + draw.randrange(64)]
    elif draw.random() < 0.3:
        del content[at:]
