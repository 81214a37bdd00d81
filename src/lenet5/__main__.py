"""``python -m lenet5`` is the command ``lenet5``."""

from lenet5.cli import main

if __name__ == "__main__":
    main()
