"""One command, from its plan to a final state: folders, inputs, processes, outputs.

Used by the supervisor for a command job, for each trial of a sweep and each step of a pipeline.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from amlkit.errors import AmlkitError
from amlkit.light import dataclass, field, replace
from amlkit.local import outgoing, processes
from amlkit.local.assets import place_of
from amlkit.local.catalogue.database import now
from amlkit.local.declared_outputs import STORAGE
from amlkit.local.job_environment import distribution_variables, job_variables
from amlkit.local.plans import CommandPlan, InputPlan, OutputPlan
from amlkit.local.shell import command_line
from amlkit.records import JSON, AssetDraft, AssetKind, Status
from amlkit.specs import expressions

if TYPE_CHECKING:
    from subprocess import Popen

    from amlkit.local.tracking import TrackingServer
    from amlkit.local.workspace import LocalWorkspace


@dataclass(frozen=True)
class Outcome:
    """How a command ended. error: one line, None when it completed."""

    status: Status
    exit_code: int | None = None
    error: str | None = None


@dataclass
class Crew:
    """What all commands of one supervisor share.

    concurrency: how many of them run at once; each gets its part of the cores.
    """

    workspace: LocalWorkspace
    tracking: TrackingServer
    guardian: processes.Guardian
    grace_seconds: float
    concurrency: int = 1
    downloads: dict[str, Path] = field(default_factory=dict)


class CommandRun:
    """One run of a command plan. `run` blocks; `stop` may be called from any thread."""

    def __init__(
        self,
        crew: Crew,
        job: str,
        plan: CommandPlan,
        *,
        experiment: str,
        root: str,
        parameters: Mapping[str, JSON] | None = None,
    ) -> None:
        self._crew = crew
        self._job = job
        self._plan = plan
        self._experiment = experiment
        self._root = root
        self._parameters = parameters or {}
        self._folder = crew.workspace.folder
        self._table = crew.workspace.job_table
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._groups: list[int] = []
        self._stopped: Outcome | None = None
        self._targets: Sequence[outgoing.Target] = ()
        self._sending = outgoing.Sending(self._folder.log(job))
        self._closed = False
        self.output_paths: dict[str, Path] = {}

    def run(self, python: Path) -> Outcome:
        """Run the command with an interpreter's environment and return how it ended.

        The caller writes the final state: outputs are stored when this returns.
        """
        try:
            self._make_folders()
            self._targets = outgoing.targets(self._crew.workspace, self._job, self._plan.outputs)
            text, variables = self._resolve(python)
            self._table.advance(self._job, Status.RUNNING, started_at=now())
            outcome = self._execute(text, variables)
            if outcome.status is Status.COMPLETED and self._plan.outputs:
                self._table.advance(self._job, Status.FINALIZING)
                self._send_outputs()
                if self._stopped is not None:
                    return self._stopped
                self._register_outputs()
            return outcome
        except AmlkitError as error:
            return self._stopped or Outcome(Status.FAILED, error=error.message)
        except OSError as error:
            return self._stopped or Outcome(Status.FAILED, error=_os_error(error))

    def stop(self, status: Status, reason: str) -> None:
        """End the run with this state: TERM, then KILL after the grace. The first reason stays."""
        with self._lock:
            if self._stopped is not None or self._closed:
                return
            self._stopped = Outcome(status, error=reason)
            groups = [] if self._ended.is_set() else list(self._groups)
        self._sending.stop()
        for group in groups:
            threading.Thread(
                target=processes.stop,
                args=(group, self._ended),
                kwargs={"grace_seconds": self._crew.grace_seconds},
                daemon=True,
            ).start()

    # Preparing.

    def _make_folders(self) -> None:
        code = self._folder.code(self._job)
        self._folder.log(self._job).parent.mkdir(parents=True, exist_ok=True)
        if self._plan.code is not None:
            if code.exists():
                shutil.rmtree(code)
            self._crew.workspace.content.materialise(self._plan.code, code)
            if code.is_file():
                raise AmlkitError(f"the code of `{self._job}` is not a folder")
        for name in ("outputs", "logs"):
            (code / name).mkdir(parents=True, exist_ok=True)

    def _resolve(self, python: Path) -> tuple[str, dict[str, str]]:
        inputs = {name: self._input(name, each) for name, each in self._plan.inputs.items()}
        outputs = {name: self._output(name, each) for name, each in self._plan.outputs.items()}

        def lookup(binding: expressions.Binding) -> JSON:
            if binding.root == "inputs":
                return inputs.get(binding.keys[0])
            if binding.root == "outputs":
                return outputs.get(binding.keys[0])
            if binding.root == "search_space":
                return self._parameters.get(binding.keys[0])
            return None

        text = expressions.resolve(self._plan.command, lookup)
        declared = {
            key: expressions.resolve(value, lookup, quote=False)
            for key, value in self._plan.environment_variables.items()
        }
        variables = job_variables(
            self._crew.workspace,
            job=self._job,
            root=self._root,
            experiment=self._experiment,
            python=python,
            concurrency=self._crew.concurrency,
        )
        variables |= self._crew.tracking.environment(self._job)
        variables |= {f"AZURE_ML_INPUT_{name}": _text(each) for name, each in inputs.items()}
        variables |= {f"AZURE_ML_OUTPUT_{name}": each for name, each in outputs.items()}
        return text, variables | declared

    def _input(self, name: str, plan: InputPlan) -> JSON:
        if plan.digest is not None:
            content = self._crew.workspace.content
            if plan.mode in {"ro_mount", "download", "eval_mount", "eval_download", "direct"}:
                return str(content.view(plan.digest))
            place = self._folder.job(self._job) / "inputs" / name
            content.materialise(plan.digest, place)
            return str(place)
        if plan.uri is not None:
            if plan.pinned is not None:
                self._check_pinned(plan.pinned, plan.uri)
            if plan.uri.startswith(STORAGE) and plan.mode != "direct":
                # Another step has written it there by itself.
                digest = self._crew.workspace.remote.fetch(plan.uri, plan.type)
                return self._input(name, replace(plan, digest=digest))
            return str(place_of(plan.uri)) if plan.uri.startswith("file:") else plan.uri
        return plan.value

    def _check_pinned(self, digest: str, uri: str) -> None:
        from amlkit.local.content import pins

        pins.check(
            self._crew.workspace.content,
            digest,
            place_of(uri),
        )

    def _output(self, name: str, plan: OutputPlan) -> str:
        if plan.direct:
            return str(plan.address(self._job))
        place = plan.place(self._folder, self._job, name)
        if plan.type == "uri_file":
            place.parent.mkdir(parents=True, exist_ok=True)
        else:
            place.mkdir(parents=True, exist_ok=True)
        self.output_paths[name] = place
        return str(place)

    # Running.

    def _execute(self, text: str, variables: dict[str, str]) -> Outcome:
        timer = self._start_timer()
        try:
            codes = self._run_ranks(text, variables)
        finally:
            if timer is not None:
                timer.cancel()
        if self._stopped is not None:
            return Outcome(self._stopped.status, codes[0] if codes else None, self._stopped.error)
        failed = next((code for code in codes if code != 0), 0)
        if failed:
            how = processes.describe_exit(failed)
            return Outcome(
                Status.FAILED,
                failed,
                f"the command ended with {how}"
                if how.startswith("exit")
                else f"the command was {how}",
            )
        return Outcome(Status.COMPLETED, 0)

    def _start_timer(self) -> threading.Timer | None:
        limit = self._plan.timeout_seconds
        if not limit or limit <= 0:
            return None
        reason = f"the command ran into its timeout of {limit:g} s"
        timer = threading.Timer(limit, self.stop, args=(Status.FAILED, reason))
        timer.daemon = True
        timer.start()
        return timer

    def _run_ranks(self, text: str, variables: dict[str, str]) -> list[int]:
        running = []
        log = self._folder.log(self._job)
        ranks = distribution_variables(self._plan.distribution, self._plan.instance_count)
        for rank, more in enumerate(ranks):
            given = {**variables, **more, "PWD": str(self._folder.code(self._job))}
            path = log if rank == 0 else log.with_name(f"std_log_process_{rank}.txt")
            with self._lock:
                if self._stopped is not None:
                    break
                # Append: a job that is resumed keeps what it said before.
                with path.open("ab") as handle:
                    process = self._crew.guardian.start(
                        command_line(text, given),
                        folder=self._folder.code(self._job),
                        environment=given,
                        log=handle,
                    )
                self._groups.append(process.pid)
            self._table.add_process(self._job, process.pid, processes.started(process.pid))
            running.append(process)
        try:
            # In the order of their ends: the first to fail is why the others were killed.
            codes: list[int] = []
            if len(running) == 1:
                self._wait(running[0], running, codes)
            elif running:
                from concurrent.futures import ThreadPoolExecutor

                with ThreadPoolExecutor(len(running)) as waiting:
                    ends = [waiting.submit(self._wait, each, running, codes) for each in running]
                for end in ends:
                    end.result()
            return codes
        finally:
            with self._lock:
                self._ended.set()
                self._closed = not self._targets

    def _wait(self, process: Popen[bytes], ranks: Sequence[Popen[bytes]], codes: list[int]) -> None:
        """Wait for a rank and add its exit code; nothing of its process group stays."""
        code = process.wait()
        codes.append(code)
        processes.kill(process.pid)
        self._crew.guardian.forget(process.pid)
        self._table.remove_process(self._job, process.pid)
        if code != 0:
            # A rank that fails takes the others with it, as on Azure ML.
            for other in ranks:
                if other.returncode is None:
                    processes.kill(other.pid)

    # Finalizing.

    def _send_outputs(self) -> None:
        """Send what goes to storage; when it is there, the run is not stopped any more."""
        if self._targets:
            with suppress(outgoing.Stopped):
                self._sending.send(self._targets)
        with self._lock:
            self._closed = True

    def _register_outputs(self) -> None:
        for port, plan in self._plan.outputs.items():
            if plan.name is None or not self._is_written(port, plan):
                continue
            kind = AssetKind.MODEL if plan.type.endswith("model") else AssetKind.DATA
            draft = AssetDraft(kind, plan.name, {"type": plan.type}, version=plan.version)
            if plan.uri is not None:
                draft = replace(draft, spec={**draft.spec, "path": plan.address(self._job)})
            else:
                draft = replace(draft, path=str(self.output_paths[port]))
            asset = self._crew.workspace.assets.create(draft)
            self._crew.workspace.asset_table.link(self._job, asset, direction="output", port=port)

    def _is_written(self, port: str, plan: OutputPlan) -> bool:
        if plan.uri is None:
            return self.output_paths[port].exists()
        return plan.direct or any(each.port == port and each.written for each in self._targets)


def _text(value: JSON) -> str:
    return "" if value is None else str(value)


def _os_error(error: OSError) -> str:
    import errno

    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"the disk is full: {error.filename or 'the workspace'} could not be written"
    return f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
