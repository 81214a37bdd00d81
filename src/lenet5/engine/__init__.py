"""The network in NumPy in, NumPy out.

``forward(parameters, images)`` and ``feature_maps(parameters, images)`` take a flat parameter
vector, whose length says which network it is, and images in that network's input range
(:func:`lenet5.pixels.network_input`). ``NAME`` says which engine serves.
"""

from __future__ import annotations

from lenet5.engine.numpy_engine import feature_maps, forward

__all__ = ["NAME", "feature_maps", "forward"]

NAME = "numpy"
