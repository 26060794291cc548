"""`amlkit job`: submit, sweep, watch and read jobs. Wraps `services/jobs.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlkit.commands import job_snapshot
from amlkit.commands.job_changing import archive, cancel, restore
from amlkit.commands.job_graph import graph
from amlkit.commands.job_plot import plot
from amlkit.errors import UsageError
from amlkit.options import (
    DryRunOption,
    JobArgument,
    LenientOption,
    OutputOption,
    QueryOption,
    SetOption,
    TagOption,
    pairs,
)
from amlkit.session import Session

app = typer.Typer(
    help="Submit, sweep, watch and read jobs.", no_args_is_help=True, rich_markup_mode=None
)

FileArgument = Annotated[str, typer.Argument(help="YAML of the job; `-` reads stdin.")]
NameOption = Annotated[str | None, typer.Option("--name", "-n", help="Name; default: a new one.")]
ExperimentOption = Annotated[str | None, typer.Option("--experiment", help="Experiment name.")]
StreamOption = Annotated[bool, typer.Option("--stream", help="Follow the log until it ends.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Return when it ends; 1 if it failed.")]
EnvironmentOption = Annotated[
    str | None, typer.Option("--environment", help="Registered environment, not the spec's.")
]
CurrentPythonOption = Annotated[
    bool, typer.Option("--current-python", help="Run in this Python; install nothing.")
]
SecretsOption = Annotated[
    bool, typer.Option("--allow-secrets", help="Store code in which secrets were found.")
]


@app.command()
def submit(
    ctx: typer.Context,
    file: FileArgument,
    name: NameOption = None,
    experiment: ExperimentOption = None,
    set_: SetOption = None,
    tag: TagOption = None,
    environment: EnvironmentOption = None,
    current_python: CurrentPythonOption = False,
    allow_secrets: SecretsOption = False,
    lenient: LenientOption = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Run this step of a pipeline only. Repeatable."),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Run this step and what follows it.")
    ] = None,
    reuse_from: Annotated[
        str | None, typer.Option("--reuse-from", help="Earlier run that --only and --from use.")
    ] = None,
    force_rerun: Annotated[
        bool, typer.Option("--force-rerun", help="Run every step, whatever has run before.")
    ] = False,
    stream: StreamOption = False,
    wait: WaitOption = False,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Start a job and print it; it goes on when the terminal closes.

    \b
    amlkit job submit train.yml --set inputs.epochs=3 --stream
    amlkit job submit train.yml -o name | xargs amlkit job wait
    """
    from amlkit.commands import job_running
    from amlkit.services.submissions import prepare

    session = Session.of(ctx)
    if not dry_run:
        session.warm_up()
    submission = prepare(
        file,
        name=name,
        experiment=experiment,
        overrides=set_ or (),
        tags=pairs(tag),
        environment=environment,
        current_python=current_python,
        allow_secrets=allow_secrets,
        lenient=lenient,
        only=only or (),
        from_step=from_,
        reuse_from=reuse_from,
        force_rerun=force_rerun,
    )
    job_running.start(session, submission, stream, wait, dry_run, output, query)


@app.command()
def sweep(
    ctx: typer.Context,
    file: FileArgument,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="Search `lr=loguniform(-6,-1)`. Repeatable."),
    ] = None,
    metric: Annotated[str | None, typer.Option("--metric", help="Metric to optimise.")] = None,
    goal: Annotated[
        str | None,
        typer.Option("--goal", help="maximize or minimize. Default: the file's, else maximize."),
    ] = None,
    sampling: Annotated[
        str | None, typer.Option("--sampling", help="random, sobol, grid or bayesian.")
    ] = None,
    max_trials: Annotated[
        int | None, typer.Option("--max-trials", min=1, help="Trials in all; of a command job 20.")
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", min=1, help="Trials at once; of a command job 2."),
    ] = None,
    early_stop: Annotated[
        str | None, typer.Option("--early-stop", help="As `bandit(slack_factor=0.1)`.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Same seed, same trials.")] = None,
    save_as: Annotated[
        Path | None, typer.Option("--save-as", help="Also write the sweep's YAML here.")
    ] = None,
    name: NameOption = None,
    experiment: ExperimentOption = None,
    set_: SetOption = None,
    tag: TagOption = None,
    environment: EnvironmentOption = None,
    current_python: CurrentPythonOption = False,
    allow_secrets: SecretsOption = False,
    lenient: LenientOption = False,
    stream: StreamOption = False,
    wait: WaitOption = False,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Tune a job: a sweep's YAML as it is, or a command job with --param and --metric.

    \b
    amlkit job sweep sweep.yml --stream
    amlkit job sweep train.yml -p 'lr=loguniform(-6,-1)' --metric accuracy --max-trials 20
    """
    from amlkit.commands import job_running
    from amlkit.services.submissions import prepare_sweep

    session = Session.of(ctx)
    if not dry_run:
        session.warm_up()
    submission = prepare_sweep(
        file,
        parameters=pairs(param, "--param"),
        metric=metric,
        goal=goal,
        sampling=sampling,
        max_trials=max_trials,
        concurrency=concurrency,
        early_stop=early_stop,
        seed=seed,
        save_as=save_as,
        name=name,
        experiment=experiment,
        overrides=set_ or (),
        tags=pairs(tag),
        environment=environment,
        current_python=current_python,
        allow_secrets=allow_secrets,
        lenient=lenient,
    )
    job_running.start(session, submission, stream, wait, dry_run, output, query)


@app.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[str | None, typer.Option("--status", help="As `Failed`.")] = None,
    experiment: ExperimentOption = None,
    tag: TagOption = None,
    parent: Annotated[str | None, typer.Option("--parent", help="Its trials or steps.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="Newest so many.", min=1)] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Also what is archived.")] = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """List jobs, the newest first."""
    session = Session.of(ctx)
    jobs = session.workspace.jobs.list(
        status=status,
        experiment=experiment,
        tags=pairs(tag),
        parent=parent,
        limit=limit,
        archived=archived,
    )
    session.output.records(jobs, output, query)


@app.command()
def show(
    ctx: typer.Context, job: JobArgument, output: OutputOption = None, query: QueryOption = None
) -> None:
    """Show a job as it stands."""
    session = Session.of(ctx)
    session.output.record(session.workspace.jobs.show(job), output, query)


@app.command()
def stream(ctx: typer.Context, job: JobArgument) -> None:
    """Follow a job's log until it ends; Ctrl-C leaves the job running."""
    from amlkit.commands import job_running

    session = Session.of(ctx)
    job_running.follow(session, session.workspace.jobs.show(job))
    session.workspace.jobs.wait(job)


@app.command()
def logs(
    ctx: typer.Context,
    job: JobArgument,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only of the trials or steps that failed.")
    ] = False,
    tail: Annotated[int | None, typer.Option("--tail", help="Last so many lines.", min=1)] = None,
) -> None:
    """Print a job's stdout and stderr."""
    from amlkit.commands import job_running

    session = Session.of(ctx)
    job_running.print_logs(session, job, failed=failed, tail=tail)


@app.command()
def wait(
    ctx: typer.Context,
    job: JobArgument,
    timeout: Annotated[
        float | None, typer.Option("--timeout", help="Seconds; 124 when they ran out.", min=0)
    ] = None,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Print a job when it has ended: 0 Completed, 1 Failed, 5 Canceled.

    Ctrl-C leaves the job running.
    """
    from amlkit.commands import job_running

    job_running.wait(Session.of(ctx), job, timeout_seconds=timeout, output=output, query=query)


@app.command()
def metrics(
    ctx: typer.Context,
    job: JobArgument,
    metric: Annotated[str | None, typer.Option("--metric", "-m", help="Only this one.")] = None,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Print every value that a job logged."""
    session = Session.of(ctx)
    session.output.records(session.workspace.jobs.metrics(job, metric), output, query)


@app.command()
def trials(
    ctx: typer.Context,
    sweep: Annotated[str, typer.Argument(help="Name of the sweep.")],
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Print a sweep's leaderboard, the best trial first."""
    session = Session.of(ctx)
    session.output.records(session.workspace.jobs.trials(sweep), output, query)


@app.command()
def best(
    ctx: typer.Context,
    sweep: Annotated[str, typer.Argument(help="Name of the sweep.")],
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Show a sweep's best trial."""
    session = Session.of(ctx)
    session.output.record(session.workspace.jobs.best(sweep), output, query)


@app.command()
def compare(
    ctx: typer.Context,
    jobs: Annotated[list[str], typer.Argument(help="Names of two or more jobs.")],
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Show jobs side by side: parameters, metrics, durations."""
    session = Session.of(ctx)
    session.output.records(session.workspace.jobs.compare(jobs), output, query)


@app.command()
def why(
    ctx: typer.Context,
    job: JobArgument,
    step: Annotated[str, typer.Argument(help="Step of the pipeline, as `train`.")],
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Say why a pipeline's step was run or reused: which file, input or setting changed."""
    session = Session.of(ctx)
    session.output.record(session.workspace.jobs.why(job, step), output, query)


app.command("graph")(graph)
app.command("plot")(plot)


app.command()(cancel)


@app.command()
def resume(
    ctx: typer.Context,
    job: JobArgument,
    stream: StreamOption = False,
    wait: WaitOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Go on with an interrupted sweep or pipeline: what has finished is kept, the rest is run."""
    from amlkit.commands import job_running

    session = Session.of(ctx)
    job_running.watch(session, session.workspace.jobs.resume(job), stream, wait, output, query)


@app.command()
def retry(
    ctx: typer.Context,
    job: JobArgument,
    stream: StreamOption = False,
    wait: WaitOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Run a failed or canceled job again, under its own name; of a sweep, its failed trials."""
    from amlkit.commands import job_running

    session = Session.of(ctx)
    job_running.watch(session, session.workspace.jobs.retry(job), stream, wait, output, query)


@app.command()
def download(
    ctx: typer.Context,
    job: JobArgument,
    output_name: Annotated[
        str | None, typer.Option("--output-name", help="Only this output; `default` is ./outputs.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Outputs, logs and artifacts.")] = False,
    target: Annotated[
        Path | None, typer.Option("--download-path", "-p", help="Folder to fill; default: JOB.")
    ] = None,
) -> None:
    """Copy what a job left to a folder here, and print where."""
    if all_ and output_name is not None:
        raise UsageError("--all and --output-name exclude each other", hint="give one of them")
    session = Session.of(ctx)
    place = session.workspace.jobs.download(job, target or Path(job), output=output_name)
    session.output.text(str(place))


app.command()(archive)

app.command()(restore)

app.add_typer(job_snapshot.app, name="snapshot")
