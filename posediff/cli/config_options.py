"""``--cfg-options``: settings in place of a configuration's."""

from __future__ import annotations

import click

NAME = "--cfg-options"


class ConfigCommand(click.Command):
    """A command of which ``--cfg-options`` takes several values, as it does in mmengine's tools: ``A=1 B=2``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, each value with an option name of its own before it."""
        spread: list[str] = []
        inside = False
        for argument in args:
            if argument == NAME:
                inside = True
                spread.append(argument)
                continue
            inside = inside and "=" in argument and not argument.startswith("-")
            if inside and spread[-1] != NAME:
                spread.append(NAME)
            spread.append(argument)
        return super().parse_args(ctx, spread)


#: The option of a command of that class.
cfg_options = click.option(
    NAME,
    "options",
    multiple=True,
    metavar="KEY=VALUE...",
    help="Settings in place of the configuration's, such as optimizer.lr=1e-4.",
)
