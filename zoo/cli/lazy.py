"""Command groups whose commands are modules that are imported only when they run."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from zoo.core.suggestions import did_you_mean

#: Settings of every command and group: ``-h``, defaults shown in the help.
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}


class LazyGroup(click.Group):
    """A group whose commands are the modules of a package."""

    def __init__(self, *args: Any, commands_in: tuple[str, Mapping[str, str]], **settings: Any) -> None:
        """Store where the commands are."""
        super().__init__(*args, **settings)
        self._package, self._lines = commands_in

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order of the table."""
        return list(self._lines)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of this name, imported now; ``None`` if there is none."""
        if name not in self._lines:
            return None
        command: click.Command = importlib.import_module(f"{self._package}.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a suggestion if the command does not exist."""
        if args and args[0] not in self._lines and not args[0].startswith("-"):
            ctx.fail(f"There is no command '{args[0]}'.{did_you_mean(args[0], self._lines)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines.items()))
