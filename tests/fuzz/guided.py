"""One parser under atheris: ``python -m tests.fuzz.guided TARGET CORPUS [libFuzzer's options]``."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lenet5", "PIL", "tomllib", "python_multipart", "csv", "zipfile"]):
    from tests.fuzz.targets import TARGETS, checked, folder


def main() -> None:
    warnings.simplefilter("error")
    parser = TARGETS[sys.argv[1]]
    with folder() as name:
        place = Path(name)
        atheris.Setup([sys.argv[0], *sys.argv[2:]], lambda content: checked(parser, content, place))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
