"""The catalogue's tables, as the steps that lead from each version to the next.

A step is never changed once released: a catalogue of any age is brought up to date by running the
steps it has not seen, in one transaction.
"""

STEPS: tuple[str, ...] = (
    """
    create table assets(
        kind text not null, name text not null, version text not null, sequence integer not null,
        spec text not null, description text, tags text not null default '{}',
        properties text not null default '{}', digest text, archived integer not null default 0,
        created_at text not null, created_by text not null,
        primary key(kind, name, version)
    ) without rowid;
    create index assets_by_age on assets(kind, name, sequence);

    create table datastores(name text primary key, spec text not null, created_at text not null)
        without rowid;

    create table jobs(
        name text primary key, sequence integer not null, type text not null, status text not null,
        parent text, root text not null, position integer,
        display_name text not null, experiment text not null, description text, compute text,
        inputs text not null default '{}', outputs text not null default '{}',
        parameters text not null default '{}', tags text not null default '{}',
        properties text not null default '{}', spec text not null default '{}',
        plan text not null default '{}', state text not null default '{}',
        archived integer not null default 0,
        created_at text not null, created_by text not null, started_at text, ended_at text,
        exit_code integer, error text
    ) without rowid;
    create unique index jobs_by_age on jobs(sequence);
    create index jobs_by_parent on jobs(parent, position);
    create index jobs_unfinished on jobs(status)
        where status not in ('Completed', 'Failed', 'Canceled');

    create table metrics(
        id integer primary key, job text not null, key text not null, value real,
        step integer not null, timestamp_ms integer not null
    );
    create index metrics_by_job on metrics(job, key);
    create table run_values(
        job text not null, kind text not null, key text not null, value text not null,
        primary key(job, kind, key)
    ) without rowid;

    create table processes(
        job text not null, pid integer not null, started text not null, primary key(job, pid)
    ) without rowid;

    create table lineage(
        job text not null, asset_kind text not null, asset text not null, version text not null,
        direction text not null, port text not null,
        primary key(job, direction, port)
    ) without rowid;
    create index lineage_by_asset on lineage(asset_kind, asset, version);

    create table reuse(
        key text primary key, job text not null, outputs text not null, created_at text not null
    ) without rowid;
    """,
    """
    create index jobs_by_root on jobs(root, sequence);
    """,
)
