"""Jobs in the catalogue: their states, plans, children and processes."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from amlkit.errors import Conflict, NotFound, did_you_mean
from amlkit.light import dataclass, field
from amlkit.local.catalogue.database import Database, now
from amlkit.records import FINAL, JSON, Job, Status
from amlkit.workspace import JobFilter

_FINAL_WORDS = tuple(each.value for each in FINAL)
_FINAL_MARKS = ",".join("?" * len(_FINAL_WORDS))
_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_JSON_COLUMNS = ("inputs", "outputs", "parameters", "tags", "properties", "spec", "plan", "state")

_INSERT = (
    "insert into jobs(name, sequence, type, status, parent, root, position,"
    " display_name, experiment, description, compute, inputs, outputs, parameters,"
    " tags, properties, spec, plan, created_at, created_by, started_at)"
    " values(?, (select coalesce(max(sequence), 0) + 1 from jobs),"
    " ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)


@dataclass(frozen=True)
class JobRow:
    """A job as it is first written. plan: what the supervisor needs to run it.

    position: the trial's number in its sweep, from 0, or the step's in its pipeline.
    """

    name: str
    type: str
    display_name: str
    experiment: str
    plan: Mapping[str, JSON] = field(default_factory=dict)
    spec: Mapping[str, JSON] = field(default_factory=dict)
    parent: str | None = None
    root: str | None = None
    position: int | None = None
    status: Status = Status.NOT_STARTED
    description: str | None = None
    compute: str | None = None
    inputs: Mapping[str, JSON] = field(default_factory=dict)
    outputs: Mapping[str, JSON] = field(default_factory=dict)
    parameters: Mapping[str, JSON] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    started_at: str | None = None


class JobTable:
    """The jobs of one workspace."""

    def __init__(self, database: Database, *, user: str) -> None:
        self._database = database
        self._user = user

    def add(self, *jobs: JobRow) -> None:
        """Write new jobs, all or none. Raises: Conflict: a name is taken."""
        created = now()
        with self._database.transaction() as connection:
            for job in jobs:
                try:
                    connection.execute(_INSERT, self._values(job, created))
                except sqlite3.IntegrityError:
                    raise Conflict(
                        f"a job is already called `{job.name}`",
                        hint="leave --name out, or choose another",
                    ) from None

    def _values(self, job: JobRow, created: str) -> tuple[object, ...]:
        return (
            job.name,
            job.type,
            job.status,
            job.parent,
            job.root or job.name,
            job.position,
            job.display_name,
            job.experiment,
            job.description,
            job.compute,
            _json(job.inputs),
            _json(job.outputs),
            _json(job.parameters),
            _json(job.tags),
            _json(job.properties),
            _json(job.spec),
            _json(job.plan),
            created,
            self._user,
            job.started_at,
        )

    def exists(self, name: str) -> bool:
        """Whether a job has that name."""
        return self._database.row("select 1 from jobs where name = ?", name) is not None

    def get(self, name: str) -> Job:
        """Return a job, without its metrics. Raises: NotFound."""
        return _job(self._row(name))

    def _row(self, name: str) -> sqlite3.Row:
        row = self._database.row("select * from jobs where name = ?", name)
        if row is None and "/" in name:
            # `PIPELINE/STEP` is what people call a step's job.
            stepwise = name.replace("/", "-")
            row = self._database.row("select * from jobs where name = ?", stepwise)
        if row is None:
            names = self._database.rows("select name from jobs order by sequence desc limit 1000")
            close = did_you_mean(name, (each["name"] for each in names))
            raise NotFound(
                f"no job is called `{name}`",
                hint=f"did you mean `{close}`?" if close else "see `amlkit job list`",
            )
        return row

    def plan(self, name: str) -> dict[str, Any]:
        """Return what the supervisor needs to run the job."""
        found: dict[str, Any] = json.loads(self._row(name)["plan"])
        return found

    def state(self, name: str) -> dict[str, Any]:
        """Return what a sweep or pipeline noted for its own resumption."""
        found: dict[str, Any] = json.loads(self._row(name)["state"])
        return found

    def position(self, name: str) -> int | None:
        """Return the trial's or step's number within its parent."""
        value = self._row(name)["position"]
        return int(value) if value is not None else None

    def experiments(self) -> list[str]:
        """Return the names of all experiments, in order of the alphabet."""
        rows = self._database.rows("select distinct experiment from jobs order by experiment")
        return [row["experiment"] for row in rows]

    def list(self, wanted: JobFilter) -> Sequence[Job]:
        """Return jobs, newest first; the children of `parent` in their own order."""
        clauses, values = ["1"], []
        if wanted.parent is not None:
            clauses.append("parent = ?")
            values.append(wanted.parent)
        else:
            clauses.append("parent is null")
        if wanted.status is not None:
            clauses.append("lower(status) = lower(?)")
            values.append(wanted.status)
        if wanted.experiment is not None:
            clauses.append("experiment = ?")
            values.append(wanted.experiment)
        if not wanted.archived:
            clauses.append("archived = 0")
        for key, value in wanted.tags.items():
            clauses.append("exists(select 1 from json_each(tags) where key = ? and value = ?)")
            values += [key, value]
        order = "position" if wanted.parent is not None else "sequence desc"
        limit = f" limit {int(wanted.limit)}" if wanted.limit is not None else ""
        rows = self._database.rows(
            f"select * from jobs where {' and '.join(clauses)} order by {order}{limit}",  # noqa: S608
            *values,
        )
        return [_job(row) for row in rows]

    def family(self, root: str) -> Sequence[Job]:
        """Return everything below a top-level job, in its own order."""
        rows = self._database.rows(
            "select * from jobs where root = ? and name <> ? order by sequence", root, root
        )
        return [_job(row) for row in rows]

    def unfinished(self) -> Sequence[tuple[str, str]]:
        """Return (name, root) of every job that is not final yet."""
        rows = self._database.rows(
            "select name, root from jobs where status not in ('Completed', 'Failed', 'Canceled')"
        )
        return [(row["name"], row["root"]) for row in rows]

    def advance(self, name: str, status: Status, **columns: object) -> bool:
        """Move a job that is not final to another state; return whether it moved.

        A request to cancel is only overtaken by a final state.
        """
        from_words = "" if status.final else " and status <> 'CancelRequested'"
        if status.final:
            columns.setdefault("ended_at", now())
        sets = ", ".join(["status = ?", *(f"{column} = ?" for column in columns)])
        values = [_json(each) if key in _JSON_COLUMNS else each for key, each in columns.items()]
        changed = self._database.execute(
            f"update jobs set {sets} where name = ? and status not in ({_FINAL_MARKS}){from_words}",  # noqa: S608
            status,
            *values,
            name,
            *_FINAL_WORDS,
        )
        return changed > 0

    def update(self, name: str, **columns: object) -> None:
        """Replace columns, whatever the state."""
        sets = ", ".join(f"{column} = ?" for column in columns)
        values = [_json(each) if key in _JSON_COLUMNS else each for key, each in columns.items()]
        self._database.execute(f"update jobs set {sets} where name = ?", *values, name)  # noqa: S608

    def reopen(self, name: str) -> None:
        """Make a finished job ready to run again, as `job resume` does."""
        self._database.execute(
            "update jobs set status = ?, ended_at = null, exit_code = null, error = null"
            " where name = ?",
            Status.QUEUED,
            name,
        )

    # Processes: what to kill when a supervisor is gone.

    def add_process(self, job: str, pid: int, started: str) -> None:
        """Note a process group; `started` tells it from a later process with the same number."""
        self._database.execute("insert or replace into processes values(?,?,?)", job, pid, started)

    def remove_process(self, job: str, pid: int) -> None:
        """Forget a process group that has ended."""
        self._database.execute("delete from processes where job = ? and pid = ?", job, pid)

    def processes(self, jobs: Iterable[str]) -> Sequence[tuple[str, int, str]]:
        """Return (job, pid, started) of the process groups that were not seen to end."""
        found = []
        for name in jobs:
            rows = self._database.rows("select * from processes where job = ?", name)
            found += [(row["job"], int(row["pid"]), row["started"]) for row in rows]
        return found

    # Reuse of finished steps.

    def remember(self, key: str, job: str, outputs: Mapping[str, JSON]) -> None:
        """Note that a step with this content key has run."""
        self._database.execute(
            "insert or replace into reuse values(?,?,?,?)", key, job, _json(outputs), now()
        )

    def recall(self, key: str) -> tuple[str, dict[str, JSON]] | None:
        """Return (job, outputs) of an earlier run with the same content key."""
        row = self._database.row("select job, outputs from reuse where key = ?", key)
        return (row["job"], json.loads(row["outputs"])) if row else None

    # Content.

    def last_with_code(self, folder: str) -> tuple[str, str] | None:
        """Return (job, digest) of the newest snapshot that was taken of a code folder."""
        rows = self._database.rows(
            "select name, plan from jobs where instr(plan, ?) > 0 order by sequence desc",
            json.dumps(folder, ensure_ascii=False),
        )
        for row in rows:
            plan = json.loads(row["plan"])
            work = plan.get("trial") or plan
            if work.get("code_folder") == folder and work.get("code") is not None:
                return row["name"], work["code"]
        return None

    def digests(self) -> dict[str, Sequence[str]]:
        """Return which jobs refer to each content, in their plan or anywhere else.

        Whatever looks like a hash counts: what is kept in vain costs less than what is missed.
        """
        found: dict[str, list[str]] = {}
        texts = " || ' ' || ".join(_JSON_COLUMNS)
        queries = (
            f"select name, {texts} as text from jobs",  # noqa: S608
            "select job as name, outputs as text from reuse",
        )
        for query in queries:
            for row in self._database.rows(query):
                for digest in set(_DIGEST.findall(row["text"])):
                    found.setdefault(f"sha256:{digest}", []).append(row["name"])
        return dict(found)


def _job(row: sqlite3.Row) -> Job:
    return Job(
        name=row["name"],
        type=row["type"],
        status=Status(row["status"]),
        display_name=row["display_name"],
        experiment_name=row["experiment"],
        description=row["description"],
        parent=row["parent"],
        root=row["root"],
        compute=row["compute"],
        inputs=json.loads(row["inputs"]),
        outputs=json.loads(row["outputs"]),
        parameters=json.loads(row["parameters"]),
        tags=json.loads(row["tags"]),
        properties=json.loads(row["properties"]),
        spec=json.loads(row["spec"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        exit_code=row["exit_code"],
        error=row["error"],
        archived=bool(row["archived"]),
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
