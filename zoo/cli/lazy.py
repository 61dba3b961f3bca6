"""Groups of commands, each of which is one file that is imported only when it runs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands are modules of a package, imported when they are used."""

    def __init__(self, *args: Any, commands_in: tuple[str, Mapping[str, str]], **settings: Any) -> None:
        """Note where the commands are.

        Args:
            *args: of :class:`click.Group`.
            commands_in: the package, and its commands by name with the line that the help shows for each, so that
                showing it imports nothing.
            **settings: of :class:`click.Group`.
        """
        super().__init__(*args, **settings)
        self._package, self._lines = commands_in

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which people meet them."""
        return list(self._lines)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the module of a command."""
        if name not in self._lines:
            return None
        command: click.Command = importlib.import_module(f"{self._package}.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Add the nearest name to click's message for a command that is not there."""
        if args and args[0] not in self._lines and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], self._lines, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"There is no command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines.items()))
