"""`amlkit env from-poetry`: the conda file of a project. Wraps `services/from_poetry/`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from amlkit.errors import UsageError
from amlkit.options import OutputOption, QueryOption
from amlkit.output import Output
from amlkit.services import conda_files
from amlkit.services.from_poetry import CondaFile, Mode, convert, difference
from amlkit.session import Session


class EngineName(StrEnum):
    """Who converts."""

    amlkit = "amlkit"
    poetry2conda = "poetry2conda"


class CheckCommand(TyperCommand):
    """Lets `--check` stand alone: without a FILE it means the file that would be written."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a lone `--check` the empty FILE."""
        given = list(args)
        if "--check" in given:
            after = given.index("--check") + 1
            value = given[after] if after < len(given) else "-"
            if value.startswith("-") or value.endswith(".toml") or Path(value).is_dir():
                given.insert(after, "")
        return super().parse_args(ctx, given)


def from_poetry(
    ctx: typer.Context,
    pyproject: Annotated[
        Path, typer.Argument(help="The project's pyproject.toml, or its folder.")
    ] = Path("pyproject.toml"),
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", "-O", help="File to write; `-` prints it. Default: environment.yml beside it."
        ),
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", help="Add a group, such as `train`. Repeatable.")
    ] = None,
    extra: Annotated[
        list[str] | None, typer.Option("--extra", help="Add an extra. Repeatable.")
    ] = None,
    python: Annotated[
        str | None, typer.Option("--python", help="Such as 3.12. Default: 3.11 if it may be.")
    ] = None,
    locked: Annotated[
        bool, typer.Option("--locked", help="Exact pins; fails without a fresh lock.")
    ] = False,
    ranges: Annotated[
        bool, typer.Option("--ranges", help="Declared ranges, even with a fresh lock.")
    ] = False,
    check: Annotated[
        str | None,
        typer.Option("--check", metavar="[FILE]", help="Write nothing; exit 1 if FILE differs."),
    ] = None,
    hashes: Annotated[
        bool, typer.Option("--hashes", help="Add the hashes of the locked files.")
    ] = False,
    conda: Annotated[
        bool, typer.Option("--conda", help="Take from conda-forge what it has.")
    ] = False,
    inline_path_deps: Annotated[
        bool,
        typer.Option("--inline-path-deps", help="Put what local packages need in their place."),
    ] = False,
    engine: Annotated[
        EngineName, typer.Option("--engine", help="poetry2conda: run that package unchanged.")
    ] = EngineName.amlkit,
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="Environment. Default: the project's name.")
    ] = None,
    register: Annotated[
        bool, typer.Option("--register", help="Also create the environment asset if it changed.")
    ] = False,
    image: Annotated[
        str | None, typer.Option("--image", help="Base image of the asset. Default: a CPU image.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the file; change nothing.")
    ] = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Write the environment of a Python project, from pyproject.toml and its lock.

    What is skipped or changed is said on stderr; `-o json` lists every line with its reason.

    \b
    amlkit env from-poetry --extra train --python 3.12
    amlkit env from-poetry --check environment.yml
    """
    session = Session.of(ctx)
    made = convert(
        pyproject,
        groups=group or (),
        extras=extra or (),
        python=python,
        mode=_mode(locked=locked, ranges=ranges),
        name=name,
        conda=conda,
        hashes=hashes,
        inline_path_deps=inline_path_deps,
        engine=engine.value,
    )
    to_stdout = str(file) == "-"
    if check is not None:
        _check(
            session.output, made, conda_files.place_of(pyproject, Path(check) if check else file)
        )
        return
    _tell(session.output, made)
    if output is not None and not register:
        session.output.records(conda_files.rows(made), output, query)
    elif dry_run or to_stdout:
        session.output.text(made.text)
    if dry_run:
        return
    if not to_stdout:
        written = conda_files.write(made, pyproject, file)
        session.output.success(f"wrote {written}: python {made.python}, {len(made.lines)} packages")
    if register:
        asset = session.workspace.environments.register(made.name, made.document, image=image)
        if output is not None or not to_stdout:
            session.output.record(asset, output, query)


def _mode(*, locked: bool, ranges: bool) -> Mode:
    if locked and ranges:
        raise UsageError("--locked and --ranges exclude each other", hint="leave one out")
    return "locked" if locked else "ranges" if ranges else "auto"


def _check(output: Output, made: CondaFile, file: Path) -> None:
    if str(file) == "-":
        raise UsageError("--check needs a file to compare with", hint="write --check FILE")
    if changes := difference(made, file):
        output.text(changes)
        output.note(f"`{file}` is out of date: run the same without --check")
        raise typer.Exit(1)
    output.success(f"{file} is up to date")


def _tell(output: Output, made: CondaFile) -> None:
    for note in made.notes:
        # That there is no lock changes no dependency: nothing that a pipe has to hear.
        (output.note if note.subject == "lock" else output.warning)(str(note))
