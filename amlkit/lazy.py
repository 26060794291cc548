"""A Typer group that imports a command's module only when that command is typed.

It leans on how Typer builds groups, so it stays this small and a test runs every command through
it. Root help is written from the table alone: listing the commands imports none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command_from_info, get_command_name
from typer.models import CommandInfo

from amlkit.errors import UsageError, did_you_mean
from amlkit.light import dataclass


@dataclass(frozen=True)
class Entry:
    """One line of `amlkit --help`: the module behind it and what it is for."""

    module: str
    help: str


def lazy_group(table: Mapping[str, Entry]) -> type[TyperGroup]:
    """Return a group class over the table."""

    class LazyGroup(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return list(table)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            if cmd_name.startswith("-"):
                return None
            if cmd_name not in table:
                close = did_you_mean(cmd_name, table)
                hint = f"did you mean `amlkit {close}`?" if close else "see `amlkit --help`"
                raise UsageError(f"no such command `{cmd_name}`", hint=hint)
            app = import_module(table[cmd_name].module).app
            if len(app.registered_commands) == 1 and app.registered_callback is None:
                command: Any = typer.main.get_command(app)
            else:
                command = _verbs(app)
            command.name = cmd_name
            return command

        def format_commands(self, ctx: Any, formatter: Any) -> None:
            with formatter.section("Commands"):
                formatter.write_dl([(name, entry.help) for name, entry in table.items()])

        def shell_complete(self, ctx: Any, incomplete: str) -> Any:
            from typer._click.shell_completion import CompletionItem

            return [
                CompletionItem(name, help=entry.help)
                for name, entry in table.items()
                if name.startswith(incomplete)
            ]

    return LazyGroup


def _verbs(app: typer.Typer) -> TyperGroup:
    """Return an app's group that builds only the verb that was typed: 10 ms for `amlkit job`."""
    known = {info.name or get_command_name(_name(info)): info for info in app.registered_commands}
    groups = {str(info.name): info.typer_instance for info in app.registered_groups}

    class Verbs(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return [*known, *groups]

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            if cmd_name.startswith("-"):
                return None
            if (inner := groups.get(cmd_name)) is not None:
                group = _verbs(inner)
                group.name = cmd_name
                return group
            if cmd_name not in known:
                close = did_you_mean(cmd_name, [*known, *groups])
                where = ctx.command_path
                hint = f"did you mean `{where} {close}`?" if close else f"see `{where} --help`"
                raise UsageError(f"no such command `{cmd_name}`", hint=hint)
            return get_command_from_info(
                known[cmd_name], pretty_exceptions_short=False, rich_markup_mode=None
            )

    return Verbs(help=str(app.info.help), no_args_is_help=True, rich_markup_mode=None)


def _name(info: CommandInfo) -> str:
    return str(getattr(info.callback, "__name__", ""))
