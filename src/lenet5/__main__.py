"""``lenet5`` and ``python -m lenet5``: the command, which Ctrl-C ends quietly from its first moment."""

import signal

__all__ = ["main"]


def main() -> None:
    """Load the program and run it."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # while modules are loaded there is nothing to end in order
    from lenet5.cli import main as command

    signal.signal(signal.SIGINT, handler)
    command()


if __name__ == "__main__":
    main()
