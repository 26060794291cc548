"""Assets and datastores in the catalogue: names, versions, specs, digests."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from amlkit.errors import Conflict, NotFound, did_you_mean
from amlkit.local.catalogue.database import Database, now
from amlkit.records import JSON, Asset, AssetDraft, AssetKind

ADDRESS_MARK = "amlkit.content_at_address"
"""The property that tells what was at an asset's address when it was registered."""


class AssetTable:
    """The assets of one workspace."""

    def __init__(self, database: Database, *, user: str) -> None:
        self._database = database
        self._user = user

    def add(self, *drafts: AssetDraft) -> Sequence[Asset]:
        """Add versions, all or none; each the next free one when its draft names none.

        Returns: what was added; the version that is there already, where it has the same content.
        Raises: Conflict: it has other content.
        """
        with self._database.transaction() as connection:
            versions = [self._add(connection, draft) for draft in drafts]
        pairs = zip(drafts, versions, strict=True)
        return [self.get(draft.kind, draft.name, version) for draft, version in pairs]

    def _add(self, connection: sqlite3.Connection, draft: AssetDraft) -> str:
        if draft.if_changed and draft.version is None:
            latest = self._latest(draft.kind, draft.name)
            if latest is not None and _unchanged(_asset(latest), draft):
                return str(latest["version"])
        version = draft.version or self._next_version(draft.kind, draft.name)
        existing = self._row(draft.kind, draft.name, version)
        if existing is not None:
            return _same_or_conflict(_asset(existing), draft).version
        sequence = connection.execute(
            "select coalesce(max(sequence), 0) + 1 from assets where kind = ? and name = ?",
            (draft.kind, draft.name),
        ).fetchone()[0]
        connection.execute(
            "insert into assets(kind, name, version, sequence, spec, description, tags,"
            " properties, digest, created_at, created_by) values(?,?,?,?,?,?,?,?,?,?,?)",
            (
                draft.kind,
                draft.name,
                version,
                sequence,
                _json(draft.spec),
                draft.description,
                _json(draft.tags),
                _json(draft.properties),
                draft.digest,
                now(),
                self._user,
            ),
        )
        return version

    def _next_version(self, kind: AssetKind, name: str) -> str:
        rows = self._database.rows(
            "select version from assets where kind = ? and name = ?", kind, name
        )
        numbers = [int(row["version"]) for row in rows if row["version"].isdecimal()]
        return str(max(numbers, default=0) + 1)

    def get(self, kind: AssetKind, name: str, version: str | None = None) -> Asset:
        """Return one version, or the latest that is not archived.

        Raises: NotFound: with the closest name, or the versions there are.
        """
        row = self._row(kind, name, version) if version is not None else self._latest(kind, name)
        if row is None:
            raise self._missing(kind, name, version)
        return _asset(row)

    def _row(self, kind: AssetKind, name: str, version: str) -> sqlite3.Row | None:
        return self._database.row(
            "select * from assets where kind = ? and name = ? and version = ?", kind, name, version
        )

    def _latest(self, kind: AssetKind, name: str) -> sqlite3.Row | None:
        return self._database.row(
            "select * from assets where kind = ? and name = ? and archived = 0"
            " order by sequence desc limit 1",
            kind,
            name,
        )

    def _missing(self, kind: AssetKind, name: str, version: str | None) -> NotFound:
        versions = self._database.rows(
            "select version from assets where kind = ? and name = ? order by sequence desc limit 5",
            kind,
            name,
        )
        if version is not None and versions:
            shown = ", ".join(f"`{row['version']}`" for row in versions)
            return NotFound(
                f"{_noun(kind)} `{name}` has no version `{version}`", hint=f"it has {shown}"
            )
        if versions:
            return NotFound(
                f"every version of {_noun(kind)} `{name}` is archived",
                hint=f"name one: `{name}:{versions[0]['version']}`",
            )
        names = [
            row["name"]
            for row in self._database.rows("select distinct name from assets where kind = ?", kind)
        ]
        close = did_you_mean(name, names)
        listed = f"see `amlkit {_group(kind)} list`"
        if kind is AssetKind.CODE:
            listed = "name the folder itself, such as `code: ./src`"
        hint = f"did you mean `{close}`?" if close else listed
        return NotFound(f"no {_noun(kind)} is called `{name}`", hint=hint)

    def list(self, kind: AssetKind, name: str | None, *, archived: bool) -> Sequence[Asset]:
        """Return every version of a name, or the latest version of every name; newest first."""
        if name is not None:
            rows = self._database.rows(
                "select * from assets where kind = ? and name = ? and archived <= ?"
                " order by sequence desc",
                kind,
                name,
                archived,
            )
        else:
            rows = self._database.rows(
                "select * from assets where (kind, name, sequence) in (select kind, name,"
                " max(sequence) from assets where kind = ? and archived <= ? group by kind, name)"
                " order by created_at desc, name",
                kind,
                archived,
            )
        return [_asset(row) for row in rows]

    def archive(
        self, kind: AssetKind, name: str, version: str | None, *, archived: bool
    ) -> Sequence[Asset]:
        """Hide or show one version, or all of a name. Raises: NotFound."""
        if version is None:
            if not self.list(kind, name, archived=True):
                raise self._missing(kind, name, None)
            self._database.execute(
                "update assets set archived = ? where kind = ? and name = ?", archived, kind, name
            )
            return self.list(kind, name, archived=True)
        self.get(kind, name, version)
        self._database.execute(
            "update assets set archived = ? where kind = ? and name = ? and version = ?",
            archived,
            kind,
            name,
            version,
        )
        return [self.get(kind, name, version)]

    def describe(self, asset: Asset, *, description: str | None, tags: Mapping[str, str]) -> Asset:
        """Replace the description and the tags of a version. Raises: NotFound."""
        self._database.execute(
            "update assets set description = ?, tags = ?"
            " where kind = ? and name = ? and version = ?",
            description,
            _json(dict(tags)),
            asset.kind,
            asset.name,
            asset.version,
        )
        return self.get(asset.kind, asset.name, asset.version)

    def digests(self) -> set[str]:
        """Return the content that some version still refers to."""
        rows = self._database.rows("select distinct digest from assets where digest is not null")
        return {row["digest"] for row in rows}

    def users(self) -> dict[str, Sequence[str]]:
        """Return which assets have each content, as `kind NAME:VERSION`."""
        found: dict[str, list[str]] = {}
        for row in self._database.rows("select kind, name, version, digest from assets"):
            if row["digest"] is not None:
                noun = _noun(AssetKind(row["kind"]))
                found.setdefault(row["digest"], []).append(f"{noun} {row['name']}:{row['version']}")
        return dict(found)

    # Datastores.

    def add_datastore(self, name: str, spec: Mapping[str, JSON]) -> None:
        """Define a datastore, or how one logs in now. Raises: Conflict: it is another place."""

        def place(text: str) -> dict[str, JSON]:
            return {k: v for k, v in json.loads(text).items() if k != "authentication"}

        with self._database.transaction() as connection:
            row = self._database.row("select spec from datastores where name = ?", name)
            if row is not None and place(row["spec"]) != place(_json(spec)):
                raise Conflict(
                    f"datastore `{name}` is already defined differently",
                    hint=f"amlkit datastore delete {name} --yes, or choose another name",
                )
            connection.execute(
                "insert into datastores values(?,?,?)"
                " on conflict(name) do update set spec = excluded.spec",
                (name, _json(spec), now()),
            )

    def datastores(self) -> Sequence[tuple[str, dict[str, JSON], str]]:
        """Return (name, spec, created at) of every datastore that was defined."""
        rows = self._database.rows("select * from datastores order by name")
        return [(row["name"], json.loads(row["spec"]), row["created_at"]) for row in rows]

    def delete_datastore(self, name: str) -> bool:
        """Forget a datastore; return whether it was there."""
        return self._database.execute("delete from datastores where name = ?", name) > 0

    # Lineage.

    def link(self, job: str, asset: Asset, *, direction: str, port: str) -> None:
        """Note that a job read (`input`) or wrote (`output`) an asset at a port."""
        self._database.execute(
            "insert or replace into lineage values(?,?,?,?,?,?)",
            job,
            asset.kind,
            asset.name,
            asset.version,
            direction,
            port,
        )

    def linked_jobs(self, asset: Asset) -> Sequence[tuple[str, str, str]]:
        """Return (job, direction, port) of every job that read or wrote the asset."""
        rows = self._database.rows(
            "select job, direction, port from lineage where asset_kind = ? and asset = ?"
            " and version = ? order by job, port",
            asset.kind,
            asset.name,
            asset.version,
        )
        return [(row["job"], row["direction"], row["port"]) for row in rows]


def _unchanged(latest: Asset, draft: AssetDraft) -> bool:
    marks = [each.get(ADDRESS_MARK) for each in (latest.properties, draft.properties)]
    return marks[0] == marks[1] and _same(latest, draft)


def _same(existing: Asset, draft: AssetDraft) -> bool:
    same_files = existing.digest == draft.digest
    return same_files and json.loads(_json(existing.spec)) == json.loads(_json(draft.spec))


def _same_or_conflict(existing: Asset, draft: AssetDraft) -> Asset:
    if _same(existing, draft):
        return existing
    raise Conflict(
        f"{_noun(draft.kind)} `{existing.reference}` exists with other content",
        hint="leave the version out for the next free one, or choose another",
    )


def _asset(row: sqlite3.Row) -> Asset:
    return Asset(
        kind=AssetKind(row["kind"]),
        name=row["name"],
        version=row["version"],
        spec=json.loads(row["spec"]),
        description=row["description"],
        tags=json.loads(row["tags"]),
        properties=json.loads(row["properties"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        archived=bool(row["archived"]),
        digest=row["digest"],
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=False)


def _noun(kind: AssetKind) -> str:
    return "data asset" if kind is AssetKind.DATA else kind.value


def _group(kind: AssetKind) -> str:
    return "env" if kind is AssetKind.ENVIRONMENT else kind.value
