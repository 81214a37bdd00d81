"""The compiled engine: the sources below once for each instruction set, chosen among at run time by module.c.

Everything else of the build is in pyproject.toml. The extension is optional: where there is no
compiler, or one without the vector extension, the install goes on and the NumPy engine reads.
LENET5_CFLAGS adds flags (the sanitizers' run, tests/engine/sanitize.sh).
"""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ENGINE = "src/lenet5/engine/"
FLAGS = ["-O3", "-std=gnu11", "-pthread", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi"]
# One wheel serves Python 3.11, which brought buffers into the limited API, and all that follow.
STABLE_ABI = (
    sys.implementation.name == "cpython"
    and sys.version_info >= (3, 11)
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
)
X86 = platform.machine().lower() in ("x86_64", "amd64")

SOURCES = {  # what is compiled once a variant → flags of its own
    "engine.c": [],
    "distort.c": ["-fno-tree-slp-vectorize"],
    "scale.c": ["-ffp-contract=off"],
    "update.c": ["-ffp-contract=off"],
}
VARIANTS = {"baseline": (4, [])}  # name → (floats in a vector, flags)
if X86:
    VARIANTS["avx2"] = (8, ["-mavx2", "-mfma"])
    VARIANTS["avx512"] = (
        16,
        ["-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma", "-mprefer-vector-width=512"],
    )


class BuildVariants(build_ext):
    """Compiles SOURCES under each variant's flags and links the objects with the module."""

    def build_extension(self, ext: Extension) -> None:
        extra = os.environ.get("LENET5_CFLAGS", "").split()
        objects = []
        for name, (width, flags) in VARIANTS.items():
            for source, own in SOURCES.items():
                objects += self.compiler.compile(
                    [ENGINE + source],
                    output_dir=str(Path(self.build_temp) / name),
                    macros=[("WIDTH", str(width)), ("ENGINE", name)],
                    extra_postargs=[*FLAGS, *own, *flags, *extra],
                )
        ext.extra_objects = objects
        ext.extra_compile_args = ["-O2", "-std=gnu11", "-pthread", *extra]
        ext.extra_link_args = ["-pthread", "-lm", *extra]
        super().build_extension(ext)


setup(
    cmdclass={"build_ext": BuildVariants},
    ext_modules=[
        Extension(
            "lenet5.engine._engine",
            [ENGINE + "module.c", ENGINE + "pool.c"],
            depends=sorted(map(str, Path(ENGINE).glob("*.[ch]"))),
            define_macros=[
                *([("LENET5_X86", "1")] if X86 else []),
                *([("Py_LIMITED_API", "0x030B0000")] if STABLE_ABI else []),
            ],
            py_limited_api=STABLE_ABI,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE_ABI else {},
)
