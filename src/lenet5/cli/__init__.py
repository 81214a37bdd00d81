"""The command ``lenet5``: one short file a subcommand, loaded only when it is asked for."""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import Final

import click

from lenet5 import __version__
from lenet5.errors import LeNet5Error, printable

__all__ = ["main"]

_COMMANDS: Final = ("read", "form", "serve", "train", "learn", "evaluate", "describe", "export", "demo")


class _Commands(click.Group):
    """Subcommands by name, each from the module of that name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"lenet5.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lenet5")
def lenet5() -> None:
    """LeNet-5 (1998): reads handwritten digits, trains, and measures itself.

    Results go to stdout, progress and notes to stderr. Exit status 0; 1 for an expected
    failure, one line on stderr; 2 for wrong usage.
    """


def main() -> None:
    """Run the command; every expected failure becomes one line on stderr and exit status 1."""
    if sys.stdin is None:  # it was closed: there is nothing to read
        sys.stdin = open(os.devnull)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no × or ░ shows ? and goes on
    try:
        lenet5(standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except LeNet5Error as error:
        click.echo("lenet5: " + " ".join(str(error).splitlines()), err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        click.echo("lenet5: stopped", err=True)
        sys.exit(130)
    except OSError as error:
        if error.filename is not None:
            click.echo(f"lenet5: {printable(os.fsdecode(error.filename))}: {error.strerror}", err=True)
            sys.exit(1)
        # stdout: its reader, such as head, has gone, or its disk is full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            click.echo(f"lenet5: cannot write the output: {error.strerror}", err=True)
        sys.exit(1)
