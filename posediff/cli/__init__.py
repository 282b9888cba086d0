"""The command line: the table of commands, the verbosity, and the one place where a fault becomes a message.

Commands are imported when they are run, so that ``posediff --help`` starts at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn, cast

import click

from posediff import __version__
from posediff.errors import FAILURE, PosediffError, suggestion

INTERRUPTED = 130

#: Every command: where it lives and what it does.
COMMANDS = {
    "annotate": ("posediff.cli.annotate:command", "Write the skeletons of the people in videos."),
    "compare": ("posediff.cli.compare:command", "Compare a performance with a reference."),
    "convert": ("posediff.cli.convert:command", "Convert skeletons from one file format to another."),
    "train": ("posediff.cli.train:command", "Train a model that scores performances."),
    "test": ("posediff.cli.test:command", "Say how good a trained model is on the test clips."),
    "score": ("posediff.cli.score:command", "Score a performance with a trained model."),
    "doctor": ("posediff.cli.doctor:command", "Say which back ends work here, and how to get the others."),
}

_EPILOG = """\b
Exit codes: 0 fine, 1 failure, 2 usage, 3 bad data, 4 part of a batch failed.
Shell completion: eval "$(_POSEDIFF_COMPLETE=bash_source posediff)", or zsh_source, fish_source.
POSEDIFF_DEBUG=1 shows the traceback of every error."""


class Commands(click.Group):
    """A group whose commands are imported on use, and whose every fault ends in one line, a hint and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        return cast(click.Command, getattr(import_module(module), attribute))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; an unknown one is answered with those that look like it."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            ctx.fail(f"no such command: {args[0]!r}; {suggestion(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def main(  # type: ignore[override]  # click's overloads only tell what standalone_mode returns
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, report a fault, exit with its code; without ``standalone_mode`` faults are raised to the caller."""
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        return run(lambda: super(Commands, self).main(args, prog_name, standalone_mode=False, **extra))


def run(command: Callable[[], Any]) -> NoReturn:
    """Run a command, report its fault if there is one, and exit with its code."""
    tolerate_unprintable_text()
    try:
        code = command()
    except Exception as fault:
        code = report_fault(fault)
    sys.exit(code if isinstance(code, int) else 0)


def report_fault(fault: Exception) -> int:
    """Write what went wrong and what to do about it to stderr.

    Args:
        fault: what a command raised.

    Returns:
        The exit code.
    """
    message, hint, code = explain(fault)
    if os.environ.get("POSEDIFF_DEBUG", "0") not in ("", "0"):
        import traceback

        traceback.print_exception(type(fault), fault, fault.__traceback__)
    click.echo(f"posediff: {one_line(message)}", err=True)
    if hint:
        click.echo(f"hint: {one_line(hint)}", err=True)
    return code


def explain(fault: Exception) -> tuple[str, str, int]:
    """What is wrong, what to do about it (or nothing), and the exit code."""
    if isinstance(fault, PosediffError):
        return f"error: {fault}", fault.hint, fault.exit_code
    if isinstance(fault, click.ClickException):
        command = fault.ctx.command_path if isinstance(fault, click.UsageError) and fault.ctx else "posediff"
        return f"error: {fault.format_message()}", f"see {command} --help", fault.exit_code
    if isinstance(fault, click.Abort):
        return "interrupted", "", INTERRUPTED
    if isinstance(fault, MemoryError):
        return "error: out of memory", "take fewer frames, for instance file.json#0:1000", FAILURE
    if isinstance(fault, OSError) and fault.strerror:
        name = f": {fault.filename}" if fault.filename is not None else ""
        return f"error: {fault.strerror}{name}", "check the path, its permissions and the space on the disk", FAILURE
    return (
        f"internal error: {type(fault).__name__}: {fault} (posediff {__version__})",
        "this is a fault of posediff: please report it with the command and, with POSEDIFF_DEBUG=1, the traceback",
        FAILURE,
    )


def one_line(text: str) -> str:
    """The text with line breaks and terminal control characters, which files can smuggle in, written as escapes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def tolerate_unprintable_text() -> None:
    """Make stdout write characters that its encoding lacks as escapes instead of failing."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def set_up_logging(verbosity: int) -> None:
    """Send posediff's log and Python's warnings to stderr.

    Args:
        verbosity: -1 errors only, 0 warnings of posediff, 1 its progress and all Python warnings, 2 everything.
    """
    import logging

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("posediff: %(levelname)s: %(message)s"))
    levels = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
    logging.captureWarnings(True)
    for name, level in (
        ("posediff", levels.get(verbosity, logging.DEBUG)),
        ("py.warnings", logging.WARNING if verbosity > 0 else logging.CRITICAL),
    ):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)


@click.command(
    "posediff",
    cls=Commands,
    epilog=_EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.option("-v", "--verbose", count=True, help="Log progress to stderr; twice for details.")
@click.option("-q", "--quiet", is_flag=True, help="Log errors only.")
@click.version_option(__version__, message="posediff %(version)s")
@click.pass_context
def main(context: click.Context, verbose: int, quiet: bool) -> None:
    """Skeletons in, differences out: how well a movement was done, where in time, in which joints, by how much."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        return
    set_up_logging(-1 if quiet else verbose)
