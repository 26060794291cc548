"""The Typer app: global options, lazy groups, and the one place where errors are shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from amlkit.errors import AmlkitError, InvalidSpec, of_machine
from amlkit.lazy import Entry, lazy_group
from amlkit.output import Output
from amlkit.session import Session

COMMANDS = {
    "init": Entry("amlkit.commands.init", "Copy a bundled project, such as mnist."),
    "validate": Entry("amlkit.commands.validate", "Check YAML specs offline, with positions."),
    "workspace": Entry("amlkit.commands.workspace", "Log in, choose and inspect workspaces."),
    "datastore": Entry("amlkit.commands.datastore", "Named places for files."),
    "data": Entry("amlkit.commands.data", "Versioned data assets."),
    "compute": Entry("amlkit.commands.compute", "Where jobs run."),
    "env": Entry("amlkit.commands.env", "Environments, also from pyproject.toml."),
    "job": Entry("amlkit.commands.job", "Submit, sweep, watch and read jobs."),
    "component": Entry("amlkit.commands.component", "Reusable steps of pipelines."),
    "model": Entry("amlkit.commands.model", "Registered models."),
    "mlflow": Entry("amlkit.commands.mlflow", "MLflow's own pages on the runs."),
    "emulator": Entry("amlkit.commands.emulator", "An Azure ML here, for your SDK scripts."),
}

app = typer.Typer(
    cls=lazy_group(COMMANDS),
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        from amlkit import __version__

        typer.echo(f"amlkit {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="Workspace to use, by name.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes, no progress.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Tracebacks and more notes.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Never colour.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Azure Machine Learning from the command line, with or without Azure.

    The same YAML runs on this machine (the embedded local workspace) and on Azure ML.
    """
    ctx.obj = Session(
        workspace=workspace, quiet=quiet, verbose=verbose, color=False if no_color else None
    )


READER_GONE = 141
"""What shells say of a program that SIGPIPE ended: 128 + 13."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        code = typer.main.get_command(app).main(
            args=list(arguments), prog_name="amlkit", standalone_mode=False
        )
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as ended:
        # Typer makes an exit of it while a command runs.
        if isinstance(ended.__context__, BrokenPipeError):
            return _reader_gone()
        raise
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  the one place where errors are shown
        return _show(error, arguments)
    return code if isinstance(code, int) else 0


def _reader_gone() -> int:
    """Write nothing more: the reader of the pipe has gone, as `head` does; no error of ours."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_GONE


def _show(error: Exception, arguments: Sequence[str]) -> int:
    from typer._click.exceptions import ClickException, NoArgsIsHelpError

    verbose = not {"-v", "--verbose"}.isdisjoint(arguments)
    output = Output(color=False if "--no-color" in arguments else None)
    if isinstance(error, NoArgsIsHelpError):
        sys.stderr.write(error.format_message() + "\n")
        return 2
    if isinstance(error, typer.Abort):
        return 130
    if isinstance(error, ClickException):
        return _show_usage(error, output)
    if verbose:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, OSError):
        error = of_machine(error) or error
    if isinstance(error, InvalidSpec):
        from amlkit.output import problems

        problems.show(error.problems)
        return error.exit_code
    if isinstance(error, AmlkitError):
        output.error(error)
        return error.exit_code
    output.error(
        AmlkitError(
            f"this is a bug in amlkit: {type(error).__name__}: {error}",
            hint=None if verbose else "run it again with --verbose and report the traceback",
        )
    )
    return 1


def _show_usage(error: object, output: Output) -> int:
    message = str(getattr(error, "format_message", lambda: error)()).strip().removesuffix(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "amlkit"
    shown = message[:1].lower() + message[1:]
    output.error(AmlkitError(shown, hint=f"see `{path} --help`"))
    return 2
