"""The extension module of module.c: buffers in, buffers filled. lenet5.engine checks and converts."""

from typing import Any

from numpy.typing import NDArray

Buffer = NDArray[Any]

def variants() -> list[str]: ...
def forward(
    variant: str, parameters: Buffer, codes: Buffer, images: Buffer, threads: int, outputs: Buffer, /
) -> None: ...
def feature_maps(variant: str, parameters: Buffer, codes: Buffer, images: Buffer, /, *maps: Buffer) -> None: ...
def gradient(
    variant: str,
    parameters: Buffer,
    codes: Buffer,
    images: Buffer,
    desired: Buffer,
    discriminative: bool,
    j: float,
    temperature: float,
    threads: int,
    second: bool,
    gradient: Buffer,
    /,
) -> float: ...
def distort(
    variant: str,
    images: Buffer,
    matrices: Buffer,
    noise: Buffer,
    smoothing: Buffer,
    elastic: float,
    strokes: Buffer,
    scale: float,
    offset: float,
    frame: int,
    threads: int,
    out: Buffer,
    /,
) -> None: ...
def adam(
    variant: str,
    parameters: Buffer,
    mean: Buffer,
    square: Buffer,
    gradient: Buffer,
    forget_mean: float,
    forget_square: float,
    least: float,
    rate: float,
    keep: float,
    /,
) -> None: ...
