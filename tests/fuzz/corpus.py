"""Small sound files of every kind that lenet5 parses: what fuzzing starts from. All are drawn here."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from lenet5 import paper
from lenet5 import weights as weights_of
from lenet5.learning.checkpoint import State
from tests.learning.test_idx import idx

__all__ = ["CHECKPOINT_OPTIONS", "CORPORA"]

CHECKPOINT_OPTIONS: Final = {"--seed": "1"}


def _seven(mode: str = "L") -> Image.Image:
    image = Image.new("L", (24, 20), 255)
    ImageDraw.Draw(image).line([(5, 4), (18, 4), (9, 17)], fill=0, width=3)
    return image.convert("RGB").convert(mode) if mode != "L" else image


def _saved(mode: str, kind: str, **how: Any) -> bytes:
    file = io.BytesIO()
    _seven(mode).save(file, kind, **how)
    return file.getvalue()


def png() -> list[bytes]:
    sixteen = io.BytesIO()
    Image.fromarray(np.asarray(_seven()).astype(np.uint16) * 257).save(sixteen, "PNG")
    exif = Image.Exif()
    exif[274] = 6
    return [_saved(mode, "PNG") for mode in ("1", "L", "P", "RGB", "RGBA", "LA")] + [
        sixteen.getvalue(),
        _saved("L", "PNG", exif=exif, dpi=(300, 300)),
        _saved("P", "PNG", transparency=3),
    ]


def jpeg() -> list[bytes]:
    exif = Image.Exif()
    exif[274] = 8
    kinds = [_saved(mode, "JPEG") for mode in ("L", "RGB", "CMYK")]
    return [*kinds, _saved("RGB", "JPEG", progressive=True), _saved("L", "JPEG", exif=exif)]


def gif() -> list[bytes]:
    return [_saved("P", "GIF"), _saved("L", "GIF", save_all=True, append_images=[_seven()], duration=50)]


def bmp() -> list[bytes]:
    return [_saved(mode, "BMP") for mode in ("1", "L", "P", "RGB", "RGBA")]


def tiff() -> list[bytes]:
    kinds = [_saved(mode, "TIFF") for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "F", "I")]
    compressed = [_saved("L", "TIFF", compression=c) for c in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg")]
    pages = _saved("L", "TIFF", save_all=True, append_images=[_seven("1"), _seven("RGB")])
    return [*kinds, *compressed, _saved("1", "TIFF", compression="group4"), pages, _saved("L", "TIFF", big_tiff=True)]


def webp() -> list[bytes]:
    return [_saved("RGB", "WEBP"), _saved("RGBA", "WEBP", lossless=True)]


def avif() -> list[bytes]:
    return [_saved("RGB", "AVIF"), _saved("RGBA", "AVIF")]


def heic() -> list[bytes]:
    """Small ones, of which libheif's encoder makes several hundred bytes; one has two pictures."""
    import pillow_heif

    kinds = []
    for pictures in (["L"], ["RGB"], ["RGBA"], ["L", "RGB"]):
        file, container = io.BytesIO(), pillow_heif.HeifFile()
        for mode in pictures:
            container.add_from_pillow(_seven(mode))
        container.save(file)
        kinds.append(file.getvalue())
    return kinds


def netpbm() -> list[bytes]:
    words = [b"P1 4 3 0 1 0 1 1 0 0 1 1 1 1 0", b"P2 # note\n2 2 255 0 255 128 7", b"P3 1 2 15 1 2 3 4 5 6"]
    return [*words, *(_saved(mode, "PPM") for mode in ("1", "L", "RGB"))]


def pdf() -> list[bytes]:
    text = b"BT /F 20 Tf 3 8 Td (1998) Tj ET"
    typed = (
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 2/Kids[3 0 R 3 0 R]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 30 20]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
        b"4 0 obj<</Length %d>>stream\n%s\nendstream endobj\n"
        b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>" % (len(text), text)
    )
    return [_saved("L", "PDF"), _saved("1", "PDF"), typed]


def weights() -> list[bytes]:
    arrays = {array.name: np.full(array.shape, 0.5, np.float32) for array in paper.CONCISE.arrays}
    head = {"network": "concise", "format": "1", "temperature": "1.5", "j": "inf"}
    foreign = weights_of.serialised({"c1.weight": np.zeros((6, 1, 5, 5), np.float32)}, {"network": "lenet5"})
    return [weights_of.serialised(arrays, head), foreign, weights_of.serialised({"a": np.zeros(2, np.float32)}, head)]


def checkpoint() -> list[bytes]:
    import tempfile
    from pathlib import Path

    zeros = np.zeros(5, np.float32)
    state = State(zeros, zeros, zeros, np.arange(4), 3, 1, 0.5, generator=np.random.default_rng(0).bit_generator.state)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        state.save(path, CHECKPOINT_OPTIONS)
        return [path.read_bytes()]


def idx_files() -> list[bytes]:
    whole = idx(np.zeros((2, 28, 28), np.uint8))
    return [whole, gzip.compress(whole), idx(np.zeros((0, 28, 28), np.uint8)), whole[:60]]


def npz() -> list[bytes]:
    files = []
    for save, images in (
        (np.savez, np.zeros((2, 5, 4), np.uint8)),
        (np.savez_compressed, np.zeros((2, 5, 4, 3), ">u2")),
        (np.savez, np.zeros((2, 3, 3), np.float16)),
    ):
        file = io.BytesIO()
        save(file, images=images, labels=np.array([7, 255]))  # type: ignore[operator]
        files.append(file.getvalue())
    return files


def labels_csv() -> list[bytes]:
    return [
        b"file,label\na.png,7\nb.png,255\n",
        b'\xef\xbb\xbffile,text\n"a ""b"".png",12/34\n',
        b"lines,file\n1/2,a\n",
    ]


def unipen_segments() -> list[bytes]:
    return [
        b".INCLUDE 1a/a.dat\n.SEGMENT CHARACTER 0 ? \"7\"\n.SEGMENT WORD 0:2-1:3,2 OK \"12\"\n",
        b".COMMENT x\n.INCLUDE 1a/a.dat\n.SEGMENT TEXT 0-2 GOOD \"19/98\"\n.SEGMENT CHARACTER 9 ? \"a\"\n",
    ]  # fmt: skip


def unipen_points() -> list[bytes]:
    return [
        b".COORD X Y T\n.X_POINTS_PER_INCH 200\n.Y_POINTS_PER_INCH 200\n.PEN_DOWN\n1 2 3\n4 5 6\n.PEN_UP\n7 8 9\n"
        b".PEN_DOWN\n1 1 1\n2 2 2\n3 3 3\n4 4 4\n.PEN_UP\n.DT 10\n.PEN_DOWN\n5 5 5\n",
        b".COORD X Y P\n.X_POINTS_PER_MM 10\n.Y_POINTS_PER_MM 10\n.PEN_DOWN\n-1 2.5 0\n1e3 4 1\n.PEN_UP\n",
    ]


def toml() -> list[bytes]:
    field = '[[field]]\nname = "student"\nbox = [0.1, 0.2, 0.6, 0.4]\n'
    return [
        f'reference = "blank.png"\n{field}pattern = \'\\d{{9}}\'\ncells = 9\ncheck = "luhn"\n'.encode(),
        f'reference = "blank.png"\nname = "x"\n{field}choices = ["12", "34"]\nmin_confidence = 0.95\n'.encode(),
        f'reference = "blank.png"\n{field}choices = "class.csv:id"\n'.encode(),
    ]


def patterns() -> list[bytes]:
    return [rb"\d{3,5}", rb"(\d\d[/.]){2}\d{4}", rb"[0-3]?\d|1+2*", rb"(1|2){2}( \d){1,4}", rb"\(\d+\)%?"]


def classify_json() -> list[bytes]:
    row = [0] * 784
    return [json.dumps({"images": images}).encode() for images in ([], [row], [[255, *row[1:]], row])]


def multipart() -> list[bytes]:
    part = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nx\r\n'
    )
    return [part + b"--b--\r\n", part * 3 + b"--b--\r\n", b"--b\r\n\r\n--b--\r\n"]


def query() -> list[bytes]:
    return [
        b"layout=line&pattern=%5Cd%2B&region=0,0,1,0.5&rotate=auto&min_confidence=0.5&page=2",
        b"choices=12&choices=34&check=luhn",
    ]


CORPORA: Final[dict[str, Callable[[], list[bytes]]]] = {
    "png": png, "jpeg": jpeg, "gif": gif, "bmp": bmp, "tiff": tiff, "webp": webp, "avif": avif,
    **({"heic": heic} if find_spec("pillow_heif") else {}),
    "netpbm": netpbm, "pdf": pdf, "weights": weights, "checkpoint": checkpoint, "idx": idx_files, "npz": npz,
    "labels.csv": labels_csv, "unipen segments": unipen_segments, "unipen points": unipen_points, "form toml": toml,
    "pattern": patterns, "classify json": classify_json, "multipart": multipart, "query": query,
}  # fmt: skip
"""The sound files of each parser."""
