"""Many pictures: by all cores of a machine, and beyond it with Ray Data or Spark (docs/scale.md)."""

from __future__ import annotations

from lenet5.scale.pictures import ReadPictures

__all__ = ["ReadPictures"]
