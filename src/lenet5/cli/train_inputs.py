"""What ``lenet5 train`` trains on: images and writings, with progress bars and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lenet5.cli.progress import Download, bar, say
from lenet5.errors import DataError

if TYPE_CHECKING:
    from lenet5.learning.recipe import Recipe
    from lenet5.learning.sets import ImageSet
    from lenet5.learning.unipen import Writing

__all__ = ["Inputs", "load_inputs"]


@dataclass(frozen=True)
class Inputs:
    """The images of all sets named, joined, and the writings of UNIPEN.

    >>> import numpy as np
    >>> from lenet5.learning.sets import ImageSet
    >>> blank = ImageSet("blank", np.zeros((5, 28, 28), np.uint8), np.full(5, 255, np.uint8))
    >>> len(Inputs(blank, writings=()).images.labels)
    5
    """

    images: ImageSet
    writings: tuple[Writing, ...]


def load_inputs(sets: Sequence[str], recipe: Recipe, images: int | None, seed: int) -> Inputs:
    """The data sets of these names; ``images`` of the images, drawn with the seed, or all.

    A recipe with a mixture takes UNIPEN as writings. Raises DataError, and click.UsageError where UNIPEN is all.
    """
    import numpy as np

    from lenet5.learning.sets import described, drawn, joined

    with_writings = bool(recipe.mixture)
    writings = _writings([name for name in sets if _is_unipen(name)]) if with_writings else ()
    images_of = [name for name in sets if not (with_writings and _is_unipen(name))]
    if not images_of:
        raise click.UsageError(f"recipe {recipe.name} needs images beside UNIPEN: --data mnist --data unipen")
    parts = [_images(name) for name in images_of]
    loaded = parts[0]
    if len(parts) > 1:
        names = tuple(described(part, len(part.images)) for part in parts)
        loaded = replace(joined(" and ".join(part.name for part in parts), *parts), parts=names)
    if images:
        loaded = drawn(loaded, images, np.random.default_rng(seed))
    return Inputs(loaded, writings)


def _is_unipen(name: str) -> bool:
    from lenet5.learning.unipen import is_unipen

    return name == "unipen" or is_unipen(Path(name))


def _writings(names: Sequence[str]) -> tuple[Writing, ...]:
    """The writings of UNIPEN, a line on stderr for each file that cannot be used."""
    from lenet5.learning.unipen import load_unipen, segment_files

    writings: tuple[Writing, ...] = ()
    for name in names:
        with bar() as progress:
            task = progress.add_task("reading UNIPEN", total=len(segment_files()))
            path = None if name == "unipen" else Path(name)
            writings += load_unipen(path, progress=Download(), report=say, advance=partial(progress.advance, task))
    return writings


def _images(data: str) -> ImageSet:
    """A data set as images; pictures of single digits are found and normalised by the reader."""
    from lenet5.evaluation.evaluate import as_images
    from lenet5.learning.data import ImageSet, load
    from lenet5.reading.reader import Reader

    loaded = load(data, "train", progress=Download())
    if isinstance(loaded, ImageSet):
        return loaded
    if loaded.texts:
        raise DataError(f"{data} holds texts; training needs pictures of single digits")
    pictures = len(loaded.pictures)
    with bar() as progress:
        task = progress.add_task("normalising", total=pictures)
        images = as_images(loaded, Reader(), lambda done: progress.advance(task, done))
    if len(images.images) < pictures:
        say(f"left out {pictures - len(images.images)} unreadable or blank pictures")
    return images
